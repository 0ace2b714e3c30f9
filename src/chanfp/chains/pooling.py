"""Pooling: what two probable candidates of one number say of each other.

Where a new number has two candidates whose probabilities add up to more than 1, both can be right
only as numbers of one person: that the two belong together is at least as probable as the sum less
1 (Bonferroni). The same goes for two new numbers of one old number.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["pool_probabilities"]

# Pairs below it can't bring a bound to one half.
LEAST = 0.5

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def pool_probabilities(new: Ints, old: Ints, probability: Floats) -> Floats:
    """Return probabilities, raised where candidates of the same number vouch for each other.

    Parameters
    ----------
    new, old : int64 array, shape (n_candidates,)
        Vertices. Only pairs among the candidates are raised, never made.
    probability : float64 array

    Notes
    -----
    Bounds follow from the probabilities given, not from raised ones.
    """
    pooled = probability.copy()
    rows_of = defaultdict(list)
    for row, pair in enumerate(zip(new.tolist(), old.tolist(), strict=True)):
        rows_of[pair].append(row)
    for at, other in ((new, old), (old, new)):
        for one, two, bound in _pairs_of_one(at, other, probability):
            for row in (*rows_of.get((one, two), ()), *rows_of.get((two, one), ())):
                pooled[row] = max(pooled[row], bound)
    return pooled


def _pairs_of_one(at: Ints, other: Ints, probability: Floats) -> list[tuple[int, int, float]]:
    """Return pairs of `other` that one vertex of `at` vouches for, with the bound."""
    likely = np.flatnonzero(probability >= LEAST)
    likely = likely[np.argsort(at[likely], kind="stable")]
    found = []
    for group in np.split(likely, np.flatnonzero(np.diff(at[likely])) + 1):
        for one, two in combinations(group.tolist(), 2):
            bound = float(probability[one] + probability[two]) - 1.0
            found.append((int(other[one]), int(other[two]), bound))
    return found
