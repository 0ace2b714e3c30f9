"""Judgement: what is said of each pair of a new and a departed subscription, and how surely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .additional import DecoyWins
from .decoys import Returners
from .features import FEATURES
from .fingerprints import Fingerprints
from .model import MatchModel
from .outcomes import Outcomes
from .pairs import Pairs
from .partner_evidence import measure_pairs
from .profiles import Profile
from .renaming import Renames
from .rivals import Rivals

__all__ = ["Judgement", "make_pairs", "measure_tfidf"]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found, for pairs of new and departed subscriptions.

    Parameters
    ----------
    new_rows, old_rows : int64 array, shape (n_pairs,)
        Rows of ``fingerprints.new`` and ``.old``; by new row, then most probable first.
    probability : float64 array, shape (n_pairs,)
        That one person is behind both, among all that is known.
    log_odds : float64 array, shape (n_pairs,)
        The same of the pair alone, without its rivals.
    expected_shared : float64 array, shape (n_pairs,)
        Partners shared, those probably renamed among them.
    margin_new, margin_old : float64 array, shape (n_pairs,)
        Log-odds above those of the best rival on either side; NaN where there is none.
    q_value : float64 array, shape (n_pairs,)
        For each new row's first pair, NaN for the others; 1 where a decoy is more probable.
    lost_to_decoy : bool array, shape (n_pairs,)
        True where a decoy is more probable than the first pair.
    profiles : tuple of Profile, optional
        Cells and hours of the new and of the old; None where the CDRs can't be read once more.
    features : float64 array, shape (n_pairs, n_features)
    folds : int64 array, shape (n_pairs,)
        What the model saw of each pair, and by which of its coefficients it was judged.
    model : MatchModel
    returners : Returners
    nearness : float
        How much nearer the departed are to the new than decoys are, at least 1.
    n_decoys, n_old : int
        Active subscriptions in the pool, and departed and fading ones.
    n_winners, n_decoy_wins : int
        New subscriptions whose most probable old one is none, and is a decoy.
    decoy_wins : DecoyWins
        The latter.
    rivals : Rivals
        Every pair of the new whose odds count.
    renames : Renames
        Who partners probably are, as the last round saw it.
    outcomes : Outcomes
        What winners and controls reached.
    """

    new_rows: npt.NDArray[np.int64]
    old_rows: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    log_odds: npt.NDArray[np.float64]
    expected_shared: npt.NDArray[np.float64]
    margin_new: npt.NDArray[np.float64]
    margin_old: npt.NDArray[np.float64]
    q_value: npt.NDArray[np.float64]
    lost_to_decoy: npt.NDArray[np.bool_]
    profiles: tuple[Profile, Profile] | None
    features: npt.NDArray[np.float64]
    folds: npt.NDArray[np.int64]
    model: MatchModel
    returners: Returners
    nearness: float
    n_decoys: int
    n_old: int
    n_winners: int
    n_decoy_wins: int
    decoy_wins: DecoyWins
    rivals: Rivals
    renames: Renames
    outcomes: Outcomes

    def __len__(self) -> int:
        return len(self.new_rows)

    @property
    def active_score(self) -> npt.NDArray[np.float64]:
        """Score of the decoy that is more probable than each new row's first pair, else NaN."""
        lost = self.decoy_wins
        n_rows = max(one.max(initial=-1) for one in (self.new_rows, lost.new_rows)) + 1
        score = np.full(n_rows, np.nan)
        score[lost.new_rows] = lost.score
        return np.where(self.lost_to_decoy, score[self.new_rows], np.nan)

    @property
    def expected_jaccard(self) -> npt.NDArray[np.float64]:
        """Jaccard similarity of each pair, partners probably renamed among those shared."""
        root = self.features[:, list(FEATURES).index("jaccard")]
        return np.asarray(np.square(root), np.float64)

    @property
    def least_q(self) -> float:
        """The least q-value that so many winners and decoys can show."""
        return self.n_old / max(self.n_decoys * self.n_winners, 1)

    def contributions(self, pair: int) -> dict[str, float]:
        """Return what each feature adds to the log-odds of a pair, and the ``intercept``."""
        last, fold = self.model.rounds[-1], int(self.folds[pair])
        parts = last.contributions(self.features[pair : pair + 1], fold)[0]
        return {
            "intercept": float(last.intercepts[fold]),
            **dict(zip(FEATURES, parts.tolist(), strict=True)),
        }


def make_pairs(
    judgement: Judgement, fingerprints: Fingerprints, min_shared: int | None, n_threads: int | None
) -> tuple[Judgement, Pairs]:
    """Return what was judged as pairs, of those alone that share enough partners.

    Parameters
    ----------
    judgement : Judgement
    fingerprints : Fingerprints
    min_shared : int or None
        Fewest partners in common, probable ones not among them.
    n_threads : int or None

    Returns
    -------
    judgement, pairs
        Row for row.
    """
    new_rows, old_rows = judgement.new_rows, judgement.old_rows
    plain = measure_pairs(
        fingerprints.new.matrix,
        fingerprints.old.matrix,
        new_rows,
        old_rows,
        partner_rarity=np.ones(len(fingerprints.partner_rarity)),
        n_threads=n_threads,
    )
    kept = np.flatnonzero(plain.n_shared >= (min_shared or 0))
    names = [name for name, value in vars(judgement).items() if isinstance(value, np.ndarray)]
    pairs = Pairs(
        new_rows[kept],
        old_rows[kept],
        plain.jaccard[kept],
        plain.n_shared[kept],
        measure_tfidf(fingerprints, new_rows, old_rows, n_threads)[kept],
    )
    found = replace(judgement, **{name: getattr(judgement, name)[kept] for name in names})
    # Where the winner is left out, no rate is known for whoever comes first instead.
    is_first = np.diff(found.new_rows, prepend=-1) > 0
    q_value = np.where(is_first & np.isnan(found.q_value), 1.0, found.q_value)
    return replace(found, q_value=q_value), pairs


def measure_tfidf(
    fingerprints: Fingerprints,
    new_rows: npt.NDArray[np.int64],
    old_rows: npt.NDArray[np.int64],
    n_threads: int | None,
) -> npt.NDArray[np.float64]:
    """Return the weighted Jaccard similarity of pairs, calls weighted by the partner's rarity."""
    rarity = fingerprints.partner_rarity
    new, old = (
        csr_array(one.matrix.multiply(rarity[None, :]))
        for one in (fingerprints.new, fingerprints.old)
    )
    for side in (new, old):
        side.eliminate_zeros()
    found = measure_pairs(
        new, old, new_rows, old_rows, partner_rarity=np.ones(len(rarity)), n_threads=n_threads
    )
    return np.nan_to_num(found.weighted_jaccard)
