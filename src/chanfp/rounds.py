"""Rounds: candidates, features, model, competition, renaming, and again with what was learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from .blocks import Progress
from .candidates import find_candidates
from .competition import Competition
from .controls import mix_keys
from .csr import check_csr
from .decoys import Returners, estimate_returners, q_values, weigh_decoys
from .features import PartnerRows, measure_features
from .fingerprints import Fingerprints, FingerprintSet
from .model import N_FOLDS, MatchModel, RoundModel
from .renaming import Renames

__all__ = ["MIN_CONTROLS", "Judgement", "judge"]

Rows: TypeAlias = npt.NDArray[np.int64]

# With fewer, nothing can be learned and no rate be told.
MIN_CONTROLS = 40
# Candidates looked at per new number; the model ranks them.
N_CANDIDATES = 50
FOLD_STREAM = 5


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found, for pairs of new and departed subscriptions.

    Parameters
    ----------
    new_rows, old_rows : int64 array, shape (n_pairs,)
        Rows of ``fingerprints.new`` and ``.departed``; by new row, then most probable first.
    probability, log_odds, expected_shared : float64 array, shape (n_pairs,)
    q_value : float64 array, shape (n_pairs,)
        For each new row's first pair, NaN for the others; 1 where a decoy is more probable.
    lost_to_decoy : bool array, shape (n_pairs,)
        True where a decoy is more probable than the first pair.
    model : MatchModel
    returners : Returners
    n_decoys : int
    decoy_wins : int64 array, shape (n_wins,)
        Rows of ``fingerprints.control_old`` that are some new number's most probable old one.
    ratio : float
        Departed per decoy.
    """

    new_rows: Rows
    old_rows: Rows
    probability: npt.NDArray[np.float64]
    log_odds: npt.NDArray[np.float64]
    expected_shared: npt.NDArray[np.float64]
    q_value: npt.NDArray[np.float64]
    lost_to_decoy: npt.NDArray[np.bool_]
    model: MatchModel
    returners: Returners
    n_decoys: int
    decoy_wins: Rows
    ratio: float


def judge(
    fingerprints: Fingerprints,
    *,
    n_rounds: int,
    model: MatchModel | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Judgement | None:
    """Judge new subscriptions against departed ones and decoys.

    Parameters
    ----------
    fingerprints : Fingerprints
    n_rounds : int
        Collective rounds after the first look, at least 0.
    model : MatchModel, optional
        Take these coefficients instead of fitting; its last round stands for those it lacks.
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
    court = _Court(fingerprints, n_threads, progress)
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
    return None if state is None else court.sentence(state, MatchModel(models))


@dataclass(frozen=True, eq=False)
class _State:
    """What one round says of pairs of queries and pool."""

    queries: Rows
    olds: Rows
    log_odds: npt.NDArray[np.float64]
    expected_shared: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    winners: Rows
    returners: Returners


@dataclass(frozen=True, eq=False)
class _Court:
    """New subscriptions and controls, who ask; departed ones and decoys, who are asked for."""

    fingerprints: Fingerprints
    n_threads: int | None
    progress: Progress | None

    @property
    def n_new(self) -> int:
        return len(self.fingerprints.new)

    @property
    def n_departed(self) -> int:
        return len(self.fingerprints.departed)

    @cached_property
    def queries(self) -> PartnerRows:
        return _stack(self.fingerprints.new, self.fingerprints.control_new)

    @cached_property
    def pool(self) -> PartnerRows:
        return _stack(self.fingerprints.departed, self.fingerprints.control_old)

    @cached_property
    def keys(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Number keys of queries and pool."""
        prints = self.fingerprints
        keys = prints.subscriptions.keys
        new, departed, control = (
            keys[one.role.holdings] for one in (prints.new, prints.departed, prints.control_old)
        )
        return np.concatenate([new, control]), np.concatenate([departed, control])

    @cached_property
    def columns(self) -> tuple[Rows, Rows]:
        """Columns of the queries' and the pool's numbers as partners, -1 for those nobody calls."""
        partners = self.fingerprints.partners
        queries, pool = self.keys
        new = _find(partners, queries)
        new[self.n_new :] = -1  # a control's number is its own all along
        return new, _find(partners, pool)

    @cached_property
    def folds(self) -> tuple[Rows, Rows]:
        queries, pool = (
            (mix_keys(keys, FOLD_STREAM) % np.uint64(N_FOLDS)).astype(np.int64)
            for keys in self.keys
        )
        queries[: self.n_new] = -1
        return queries, pool

    @cached_property
    def begins(self) -> tuple[Rows, Rows]:
        """When queries and pool began; nobody comes back before being there."""
        prints, activity = self.fingerprints, self.fingerprints.activity
        departed, is_new = prints.departed.role.holdings, prints.new.role.holdings
        first = np.where(
            np.isin(departed, is_new),
            activity.first_own_s[departed],
            activity.first_seen_s[departed],
        )
        controls = activity.first_seen_s[prints.control_old.role.holdings]
        return (
            np.concatenate([activity.first_own_s[is_new], prints.control_new.role.start_s]),
            np.concatenate([first, controls]),
        )

    @cached_property
    def decoy_weights(self) -> npt.NDArray[np.float64]:
        """Departed that each of the pool stands for if it is a decoy, else NaN."""
        prints = self.fingerprints
        weights = weigh_decoys(prints.departed.n_partners, prints.control_old.n_partners)
        return np.concatenate([np.full(self.n_departed, np.nan), weights])

    @property
    def ratio(self) -> float:
        return self.n_departed / max(len(self.fingerprints.control_old), 1)

    def hear(
        self, renames: Renames, given: RoundModel | None
    ) -> tuple[_State, RoundModel] | None:
        """Go through one round; None where nothing can be learned."""
        queries = renames.rename(self.queries)
        rarity = self.fingerprints.partner_rarity
        n_columns = len(rarity)
        pairs = find_candidates(
            check_csr(queries.calls, "new"),
            check_csr(self.pool.calls, "departed"),
            partner_rarity=rarity,
            top_k=N_CANDIDATES,
            new_begins=self.begins[0],
            departed_begins=self.begins[1],
            n_threads=self.n_threads,
            progress=self.progress,
        )
        began, gone = self._absences(renames, n_columns)
        features = measure_features(
            queries,
            self.pool,
            pairs.a_rows,
            pairs.b_rows,
            partner_rarity=rarity,
            began=began,
            gone=gone,
            n_threads=self.n_threads,
        )
        model = given
        if model is None:
            asks = pairs.a_rows >= self.n_new
            folds = np.column_stack([self.folds[0][pairs.a_rows], self.folds[1][pairs.b_rows]])
            is_true = self._own(pairs.a_rows, pairs.b_rows)
            model = RoundModel.fit(features.values[asks], is_true[asks], folds[asks])
        if model is None:
            return None
        log_odds = model.log_odds(features.values, self.folds[1][pairs.b_rows])
        state = self._compete(pairs.a_rows, pairs.b_rows, log_odds, features.expected_shared)
        return state, model

    def _own(self, queries: Rows, olds: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs are a control and its own old window."""
        return (queries >= self.n_new) & (queries - self.n_new == olds - self.n_departed)

    def _absences(
        self, renames: Renames, n_columns: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return how surely each partner's number wasn't in use before, and isn't any more."""
        new, old = self.columns
        began, gone = np.zeros(n_columns), np.zeros(n_columns)
        began[new[new >= 0]] = 1.0
        departed = old[: self.n_departed]
        gone[departed[departed >= 0]] = 1.0
        recycled = (began > 0) & (gone > 0)
        began[recycled] = gone[recycled] = 0.0
        gone *= 1.0 - renames.added_up(renames.old, n_columns)
        return began, gone

    def _compete(
        self,
        queries: Rows,
        olds: Rows,
        log_odds: npt.NDArray[np.float64],
        expected_shared: npt.NDArray[np.float64],
    ) -> _State:
        is_new = queries < self.n_new
        competition = Competition(
            queries,
            olds,
            np.exp(log_odds),
            is_new,
            len(self.queries),
            len(self.pool),
        )
        plain = competition.probabilities(1.0)
        winners = competition.winners(plain)
        own = winners[self._own(queries[winners], olds[winners])]
        control_weight = np.zeros(len(self.fingerprints.control_new))
        control_weight[queries[own] - self.n_new] = plain[own]
        of_new = winners[is_new[winners]]
        returners = estimate_returners(
            plain[of_new], self.decoy_weights[olds[of_new]], control_weight, self.n_new
        )
        counted = is_new & (olds < self.n_departed)
        nobody = competition.nobody_for(counted, returners.estimate)
        probability = competition.probabilities(nobody)
        winners = competition.winners(probability)
        return _State(
            queries,
            olds,
            log_odds,
            expected_shared,
            probability,
            winners[is_new[winners]],
            returners,
        )

    def renames(self, state: _State) -> Renames:
        """Return who the new numbers probably are; decoys are renamed to as others are."""
        is_new = state.queries < self.n_new
        return Renames.of(
            self.columns[0][state.queries[is_new]],
            self.columns[1][state.olds[is_new]],
            state.probability[is_new],
        )

    def sentence(self, state: _State, model: MatchModel) -> Judgement:
        """Return what the last round says, with q-values."""
        winning = state.olds[state.winners]
        q_of_winner = q_values(
            state.probability[state.winners], self.decoy_weights[winning], self.ratio
        )
        q_of_new = np.full(self.n_new, np.nan)
        q_of_new[state.queries[state.winners]] = q_of_winner
        kept = np.flatnonzero((state.queries < self.n_new) & (state.olds < self.n_departed))
        order = np.lexsort(
            (state.olds[kept], -state.probability[kept], state.queries[kept])
        )
        kept = kept[order]
        new_rows = state.queries[kept]
        is_first = np.diff(new_rows, prepend=-1) != 0
        lost = is_first & np.isnan(q_of_new[new_rows])
        q_value = np.where(is_first, np.where(lost, 1.0, q_of_new[new_rows]), np.nan)
        return Judgement(
            new_rows,
            state.olds[kept],
            state.probability[kept],
            state.log_odds[kept],
            state.expected_shared[kept],
            q_value,
            lost,
            model,
            state.returners,
            len(self.fingerprints.control_old),
            np.unique(winning[winning >= self.n_departed] - self.n_departed),
            self.ratio,
        )


def _stack(one: FingerprintSet, other: FingerprintSet) -> PartnerRows:
    matrix = csr_array(vstack([one.matrix, other.matrix], format="csr"))
    return PartnerRows.certain(matrix, np.concatenate([one.outgoing, other.outgoing]))


def _find(partners: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> Rows:
    """Return the column of each key, -1 for those that have none."""
    if not len(partners):
        return np.full(len(keys), -1, np.int64)
    places = np.minimum(np.searchsorted(partners, keys), len(partners) - 1)
    return np.where(partners[places] == keys, places, -1).astype(np.int64)
