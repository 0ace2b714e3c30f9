"""Rounds: candidates, features, model, competition, renaming, and again with what was learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .additional import DecoyWins
from .blocks import Progress
from .candidates import find_candidates
from .competition import Competition
from .csr import check_csr
from .decoys import Nearness, Returners, estimate_returners, measure_nearness, q_values
from .features import ProbableRows, measure_features
from .fingerprints import Fingerprints
from .habits import Habits
from .judgement import Judgement
from .model import MatchModel, RoundModel
from .nearmisses import unseen_misses
from .outcomes import ControlOutcomes, Outcomes
from .pools import Pools, Rows, profile_pools
from .renaming import Renames
from .rivals import Rivals

__all__ = ["MIN_CONTROLS", "judge"]

# With fewer, nothing can be learned and no rate be told.
MIN_CONTROLS = 40
# Candidates looked at per new number; the model ranks them.
N_CANDIDATES = 50
# How often nearness and the number of returners are estimated, each from the other.
N_REFINEMENTS = 3
_BLOCK_PAIRS = 1 << 19


def judge(
    fingerprints: Fingerprints,
    *,
    n_rounds: int,
    top: int,
    one_to_one: bool = False,
    model: MatchModel | None = None,
    region_of_cell: dict[str, str] | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Judgement | None:
    """Judge new subscriptions against departed ones and decoys.

    Parameters
    ----------
    fingerprints : Fingerprints
    n_rounds : int
        Collective rounds after the first look, at least 0.
    top : int
        Departed returned per new subscription.
    one_to_one : bool
        Return each departed one at most once, with the new one it goes to; decoys are assigned as
        departed ones are.
    model : MatchModel, optional
        Take these coefficients instead of fitting; its last round stands for those it lacks.
    region_of_cell : dict of str to str, optional
        Decoys are matched to the departed by region; without it by main cell.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    Judgement or None
        None where there are too few controls to learn from.
    """
    if len(fingerprints.control_old) < MIN_CONTROLS:
        return None
    profiles = profile_pools(fingerprints, n_threads=n_threads, progress=progress)
    pools = Pools(fingerprints, profiles, region_of_cell)
    court = _Court(pools, n_threads, progress)
    renames = Renames.of(*(np.zeros(0, np.int64),) * 2, np.zeros(0))
    models: list[RoundModel] = []
    state = None
    for at in range(n_rounds + 1):
        given = None if model is None else model.rounds[min(at, len(model.rounds) - 1)]
        found = court.hear(renames, given)
        if found is None:
            break
        state, fitted = found
        models.append(fitted)
        renames = court.renames(state)
    return (
        None
        if state is None
        else court.sentence(state, MatchModel(models), top, one_to_one=one_to_one)
    )


@dataclass(frozen=True, eq=False)
class _Views:
    """The partner lists of one round, with which partners weren't there before or aren't now."""

    queries: ProbableRows
    pool: ProbableRows
    rarity: npt.NDArray[np.float64]
    began: npt.NDArray[np.float64]
    gone: npt.NDArray[np.float64]
    pool_columns: Rows
    days: tuple[ProbableRows, ProbableRows] | None
    habits: Habits | None

    def measure(
        self, queries: Rows, olds: Rows, n_threads: int | None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the features of pairs, and how many partners they probably share."""
        found = measure_features(
            self.queries,
            self.pool,
            queries,
            olds,
            partner_rarity=self.rarity,
            began=self.began,
            gone=self.gone,
            pool_columns=self.pool_columns,
            days=self.days,
            habits=self.habits,
            n_threads=n_threads,
        )
        return found.values, found.expected_shared


@dataclass(frozen=True, eq=False)
class _State:
    """What one round says of pairs of queries and pool."""

    queries: Rows
    olds: Rows
    log_odds: npt.NDArray[np.float64]
    expected_shared: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    winners: Rows
    returners: Returners
    nearness: Nearness
    nobody: float
    views: _Views
    renames: Renames


@dataclass(frozen=True, eq=False)
class _Court:
    """Hears everybody who asks, once a round."""

    pools: Pools
    n_threads: int | None
    progress: Progress | None

    def hear(self, renames: Renames, given: RoundModel | None) -> tuple[_State, RoundModel] | None:
        """Go through one round; None where nothing can be learned."""
        queries, days = renames.rename(self.pools.queries), self.pools.days
        rarity = self.pools.fingerprints.partner_rarity
        n_columns = len(rarity)
        pairs = find_candidates(
            check_csr(queries.calls, "new"),
            check_csr(self.pools.pool.calls, "departed"),
            partner_rarity=rarity,
            top_k=N_CANDIDATES,
            new_begins=self.pools.begins[0],
            departed_begins=self.pools.begins[1],
            n_threads=self.n_threads,
            progress=self.progress,
        )
        views = _Views(
            queries,
            self.pools.pool,
            rarity,
            *self.pools.absences(renames, n_columns),
            self.pools.columns[1],
            None if days is None else (renames.rename(days[0]), days[1]),
            self.pools.habits,
        )
        a_rows, b_rows = pairs.a_rows, pairs.b_rows
        found = self._weigh(views, a_rows, b_rows, given)
        if found is None:
            return None
        log_odds, expected_shared, model = found
        return self._compete(a_rows, b_rows, log_odds, expected_shared, views, renames), model

    def _weigh(
        self, views: _Views, queries: Rows, olds: Rows, model: RoundModel | None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], RoundModel] | None:
        """Return log-odds and expected shared partners of pairs, and the model, fitted if need be.

        Pairs that a model is fitted on are measured once for both.
        """
        log_odds, expected_shared = np.empty(len(queries)), np.empty(len(queries))
        left = np.arange(len(queries))
        if model is None:
            asks = queries >= self.pools.n_new
            learned, left = left[asks], left[~asks]
            values, expected_shared[learned] = views.measure(
                queries[learned], olds[learned], self.n_threads
            )
            model = self._learn(values, queries[learned], olds[learned])
            if model is None:
                return None
            log_odds[learned] = model.log_odds(values, self.pools.folds[1][olds[learned]])
        for start in range(0, len(left), _BLOCK_PAIRS):
            block = left[start : start + _BLOCK_PAIRS]
            values, expected_shared[block] = views.measure(
                queries[block], olds[block], self.n_threads
            )
            log_odds[block] = model.log_odds(values, self.pools.folds[1][olds[block]])
        return log_odds, expected_shared, model

    def _learn(
        self, values: npt.NDArray[np.float64], queries: Rows, olds: Rows
    ) -> RoundModel | None:
        """Fit a model on the features of the pairs of the controls that ask."""
        folds = np.column_stack([self.pools.folds[0][queries], self.pools.folds[1][olds]])
        return RoundModel.fit(values, self.pools.own(queries, olds), folds)

    def _compete(
        self,
        queries: Rows,
        olds: Rows,
        log_odds: npt.NDArray[np.float64],
        expected_shared: npt.NDArray[np.float64],
        views: _Views,
        renames: Renames,
    ) -> _State:
        is_new = queries < self.pools.n_new
        competition = self._competition(queries, olds, log_odds)
        plain = competition.scores(1.0)
        winners = competition.winners(plain)
        own = winners[self.pools.own(queries[winners], olds[winners])]
        control_weight = np.zeros(len(self.pools.asking))
        control_weight[queries[own] - self.pools.n_new] = plain[own]
        of_new = winners[is_new[winners]]
        nearness, n_returners = Nearness(), 0.0
        for _ in range(N_REFINEMENTS):
            nearness = self._nearness(queries, olds, log_odds, n_returners)
            returners = estimate_returners(
                plain[of_new],
                # The level alone: an error of the slope would weigh on the clearest winners.
                max(nearness.level, 1.0) * self.pools.decoy_weights[olds[of_new]],
                control_weight,
                self.pools.n_new,
            )
            n_returners = returners.estimate
        counted = is_new & (olds < self.pools.n_old)
        nobody = competition.nobody_for(counted, returners.estimate)
        score = competition.scores(nobody)
        winners = competition.winners(score)
        return _State(
            queries,
            olds,
            log_odds,
            expected_shared,
            score,
            competition.shares(nobody),
            competition.probabilities(nobody),
            winners[is_new[winners]],
            returners,
            nearness,
            nobody,
            views,
            renames,
        )

    def _competition(
        self, queries: Rows, olds: Rows, log_odds: npt.NDArray[np.float64]
    ) -> Competition:
        return Competition(
            queries,
            olds,
            np.exp(log_odds),
            queries < self.pools.n_new,
            olds >= self.pools.n_old,
            len(self.pools.queries),
            len(self.pools.pool),
            self.pools.twins,
        )

    def _nearness(
        self, queries: Rows, olds: Rows, log_odds: npt.NDArray[np.float64], n_returners: float
    ) -> Nearness:
        """Return how much nearer the departed are to the new than the decoys are."""
        weights = self.pools.decoy_weights[olds]
        is_new, is_decoy = queries < self.pools.n_new, ~np.isnan(weights)
        return measure_nearness(
            log_odds[is_new & ~is_decoy],
            log_odds[is_new & is_decoy],
            weights[is_new & is_decoy],
            log_odds[self.pools.own(queries, olds)],
            n_returners / max(len(self.pools.asking), 1),
        )

    def renames(self, state: _State) -> Renames:
        """Return who the new numbers probably are; decoys are renamed to as others are."""
        is_new = state.queries < self.pools.n_new
        return Renames.of(
            self.pools.columns[0][state.queries[is_new]],
            self.pools.columns[1][state.olds[is_new]],
            state.share[is_new],
        )

    def sentence(
        self, state: _State, model: MatchModel, top: int, *, one_to_one: bool
    ) -> Judgement:
        """Return what the last round says of the best departed of each new one."""
        is_new = state.queries < self.pools.n_new
        winners = state.winners
        competition = self._competition(state.queries, state.olds, state.log_odds)
        if one_to_one:
            winners = competition.assign(state.score, is_new)
        winning = state.olds[winners]
        q_of_new, most_nearness = self._rates(state, winners)
        margin_new, margin_old = _margins(state, self.pools.n_new)
        listed = is_new & (state.olds < self.pools.n_old)
        if one_to_one:
            listed &= np.isin(np.arange(len(is_new)), winners)
        kept = np.flatnonzero(listed)
        order = np.lexsort((state.olds[kept], -state.probability[kept], state.queries[kept]))
        kept = kept[order]
        place = np.arange(len(kept)) - np.searchsorted(state.queries[kept], state.queries[kept])
        kept, place = kept[place < top], place[place < top]
        new_rows, old_rows = state.queries[kept], state.olds[kept]
        # The winner's rate is the first pair's; where a decoy won there is none.
        lost = (place == 0) & np.isnan(q_of_new[new_rows])
        values, _ = state.views.measure(new_rows, old_rows, self.n_threads)
        known = self.pools.profiles
        return Judgement(
            new_rows=new_rows,
            old_rows=old_rows,
            probability=state.probability[kept],
            log_odds=state.log_odds[kept],
            expected_shared=state.expected_shared[kept],
            margin_new=margin_new[kept],
            margin_old=margin_old[kept],
            q_value=np.where(place == 0, np.where(lost, 1.0, q_of_new[new_rows]), np.nan),
            lost_to_decoy=lost,
            profiles=None if known is None else (known.new, known.old),
            features=values,
            folds=self.pools.folds[1][old_rows],
            model=model,
            returners=state.returners,
            nearness=most_nearness,
            n_decoys=len(self.pools.fingerprints.control_old),
            n_old=self.pools.n_old,
            n_winners=int(np.count_nonzero(winning < self.pools.n_old)),
            n_decoy_wins=int(np.count_nonzero(winning >= self.pools.n_old)),
            decoy_wins=self._decoy_wins(state, winners[winning >= self.pools.n_old]),
            rivals=Rivals.of(
                state.queries[is_new],
                state.olds[is_new],
                state.log_odds[is_new],
                self.pools.n_old,
                state.nobody,
                self.pools.twins[: self.pools.n_new],
            ),
            renames=state.renames,
            outcomes=self._outcomes(state, competition, winners, q_of_new),
        )

    def _decoy_wins(self, state: _State, won: Rows) -> DecoyWins:
        return DecoyWins(
            state.queries[won],
            state.olds[won] - self.pools.n_old,
            state.score[won],
            state.log_odds[won],
            state.expected_shared[won],
        )

    def _outcomes(
        self,
        state: _State,
        competition: Competition,
        winners: Rows,
        q_of_new: npt.NDArray[np.float64],
    ) -> Outcomes:
        """Return what winners reached, and what controls would have."""
        weights, unseen = self._false(state, winners)
        return Outcomes(
            state.score[winners],
            np.where(np.isnan(weights), unseen, weights),
            q_of_new[state.queries[winners]],
            ControlOutcomes.of(
                competition,
                self.pools.own(state.queries, state.olds),
                state.nobody,
                len(self.pools.asking),
            ),
            state.returners.estimate / max(self.pools.n_new, 1),
        )

    def _rates(self, state: _State, winners: Rows) -> tuple[npt.NDArray[np.float64], float]:
        """Return the q-value of each new one's winner, NaN where that is a decoy or nobody.

        And how much nearer than decoys the nearest departed are.
        """
        weights, unseen = self._false(state, winners)
        rates = q_values(state.score[winners], weights, self.pools.ratio, unseen)
        found = np.full(self.pools.n_new, np.nan)
        found[state.queries[winners]] = rates
        return found, float(state.nearness.at(state.log_odds[winners]).max(initial=1.0))

    def _false(
        self, state: _State, winners: Rows
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the departed that winners stand for that are decoys, and unseen near misses."""
        log_odds, weights = state.log_odds[winners], self.pools.decoy_weights[state.olds[winners]]
        return weights, unseen_misses(state.nearness, log_odds, weights, self.pools.ratio)


def _margins(state: _State, n_new: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return how far each pair's log-odds lie above the best other pair's of either side.

    NaN where there is no other; the rivals for an old number are the new ones only.
    """
    is_new = state.queries < n_new
    return (
        _margin(state.queries, state.log_odds, np.ones(len(is_new), bool)),
        _margin(state.olds, state.log_odds, is_new),
    )


def _margin(
    groups: Rows, values: npt.NDArray[np.float64], counted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    n_groups = int(groups.max(initial=-1)) + 1
    best, second = np.full(n_groups, -np.inf), np.full(n_groups, -np.inf)
    order = np.lexsort((-values, groups))
    order = order[counted[order]]
    place = np.arange(len(order)) - np.searchsorted(groups[order], groups[order])
    for found, at in ((best, 0), (second, 1)):
        found[groups[order[place == at]]] = values[order[place == at]]
    is_best = np.zeros(len(groups), bool)
    is_best[order[place == 0]] = True
    other = np.where(is_best, second[groups], best[groups])
    return np.where(np.isfinite(other), values - other, np.nan)
