"""Top partners: how far two subscriptions agree in the order of those they call most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

__all__ = ["DEPTH", "rank_agreement"]

DEPTH = 5


def rank_agreement(
    new: csr_array,
    old: csr_array,
    new_rows: npt.NDArray[np.int64],
    old_rows: npt.NDArray[np.int64],
    *,
    partner_rarity: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the average overlap of the top partners of pairs, 0 to 1.

    Parameters
    ----------
    new, old : csr_array, shapes (n_new, n_partners) and (n_old, n_partners)
        Calls per partner, above 0.
    new_rows, old_rows : int64 array, shape (n_pairs,)
    partner_rarity : float64 array, shape (n_partners,)
        Among partners with equally many calls the rarer goes first, then the lower column.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a row is empty.

    Notes
    -----
    The share of the top 1, top 2, … partners that both have, averaged down to the fifth, or to
    the last one of the side that has fewer (Fagin, Kumar, Sivakumar, SIAM J. Discrete Math. 17,
    2003).
    """
    tops = [_top(side, partner_rarity, nobody) for side, nobody in ((new, -1), (old, -2))]
    sizes = [np.diff(side.indptr)[rows] for side, rows in ((new, new_rows), (old, old_rows))]
    depth = np.minimum(np.minimum(*sizes), DEPTH)
    # A partner at places i and j of the two counts at each depth from the deeper one on.
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, DEPTH + 1))])
    found = np.zeros(len(new_rows))
    for i in range(DEPTH):
        for j in range(DEPTH):
            is_same = tops[0][new_rows, i] == tops[1][old_rows, j]
            deeper = max(i, j)
            counts = np.maximum(harmonic[depth] - harmonic[deeper], 0.0)
            found += np.where(is_same, counts, 0.0)
    return np.where(depth > 0, np.minimum(found / np.maximum(depth, 1), 1.0), np.nan)


def _top(side: csr_array, rarity: npt.NDArray[np.float64], nobody: int) -> npt.NDArray[np.int64]:
    """Return the columns of each row's top partners, best first, filled up with `nobody`."""
    owners = np.repeat(np.arange(side.shape[0]), np.diff(side.indptr))
    order = np.lexsort((side.indices, -rarity[side.indices], -side.data, owners))
    place = np.arange(len(owners)) - side.indptr[owners]
    kept = place < DEPTH
    tops = np.full((side.shape[0], DEPTH), nobody, np.int64)
    tops[owners[kept], place[kept]] = side.indices[order][kept]
    return tops
