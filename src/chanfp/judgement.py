"""Judgement: what is said of each pair of a new and a departed subscription, and how surely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .decoys import Returners
from .features import FEATURES
from .fingerprints import Fingerprints
from .model import MatchModel
from .pairs import Pairs
from .partner_evidence import PartnerEvidence, measure_pairs

__all__ = ["Judgement", "make_pairs"]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found, for pairs of new and departed subscriptions.

    Parameters
    ----------
    new_rows, old_rows : int64 array, shape (n_pairs,)
        Rows of ``fingerprints.new`` and ``.departed``; by new row, then most probable first.
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
    features : float64 array, shape (n_pairs, n_features)
    folds : int64 array, shape (n_pairs,)
        What the model saw of each pair, and by which of its coefficients it was judged.
    model : MatchModel
    returners : Returners
    nearness : float
        How much nearer the departed are to the new than decoys are, at least 1.
    n_decoys, n_departed : int
        How many are in the pool.
    n_winners, n_decoy_wins : int
        New subscriptions whose most probable old one has departed, and is a decoy.
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
    features: npt.NDArray[np.float64]
    folds: npt.NDArray[np.int64]
    model: MatchModel
    returners: Returners
    nearness: float
    n_decoys: int
    n_departed: int
    n_winners: int
    n_decoy_wins: int

    def __len__(self) -> int:
        return len(self.new_rows)

    @property
    def least_q(self) -> float:
        """The least q-value that so many winners and decoys can show."""
        return self.n_departed / max(self.n_decoys * self.n_winners, 1)

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
    measured = _measure(fingerprints, new_rows, old_rows, None, n_threads)
    kept = np.flatnonzero(measured.n_shared >= (min_shared or 0))
    weighted = _measure(fingerprints, new_rows, old_rows, fingerprints.partner_rarity, n_threads)
    names = [name for name, value in vars(judgement).items() if isinstance(value, np.ndarray)]
    pairs = Pairs(
        new_rows[kept],
        old_rows[kept],
        measured.jaccard[kept],
        measured.n_shared[kept],
        np.nan_to_num(weighted.weighted_jaccard[kept]),
    )
    return replace(judgement, **{name: getattr(judgement, name)[kept] for name in names}), pairs


def _measure(
    fingerprints: Fingerprints,
    new_rows: npt.NDArray[np.int64],
    old_rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64] | None,
    n_threads: int | None,
) -> PartnerEvidence:
    """Measure pairs on calls or, given weights of partners, on weighted calls."""
    new, old = (
        csr_array(one.matrix if weights is None else one.matrix.multiply(weights[None, :]))
        for one in (fingerprints.new, fingerprints.departed)
    )
    for side in (new, old):
        side.eliminate_zeros()
    rarity = np.ones(len(fingerprints.partner_rarity))
    return measure_pairs(new, old, new_rows, old_rows, partner_rarity=rarity, n_threads=n_threads)
