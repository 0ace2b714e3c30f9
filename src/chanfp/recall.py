"""The recall of a join that may miss pairs, measured by exact look-ups of a sample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bands import sample_rows
from .buckets import BandedJoin
from .rarejoin import join_few

__all__ = ["MeasuredRecall", "measure_recall"]

_CHECKED_ROWS = 500  # of a
_Z = 1.959963984540054  # of a two-sided interval of 95 %
_FEW_MISSES = 5  # rows with a missed pair, from which on they tell how misses cluster


@dataclass(frozen=True)
class MeasuredRecall:
    """The share of the true pairs that a join found, measured on a random sample of rows of a.

    Parameters
    ----------
    n_rows : int
        Rows of a whose true pairs were looked up exactly.
    n_true, n_found : int
        Their true pairs, and how many of those the join found.
    n_effective : float, optional
        Independent pairs that would tell as much as these; default `n_true`. Infinite where every
        row was looked up.
    """

    n_rows: int
    n_true: int
    n_found: int
    n_effective: float | None = None

    @classmethod
    def of_rows(
        cls, true: npt.NDArray[np.int64], found: npt.NDArray[np.int64], n_rows: int
    ) -> MeasuredRecall:
        """Make it from the true and found pairs of each row looked up, out of `n_rows` in all.

        Pairs of one row are found or missed together, so the rows are the sample: the variance is
        the jackknife's over rows (Efron 1982, chapter 3), with the correction for a finite
        population, and Student's t takes the place of the normal where few rows hold most of it
        (degrees of freedom: Satterthwaite 1946). Where too few rows miss a pair to tell, pairs
        count as missed row by row, all or nothing, which is the worst that can be (Kish 1965,
        section 5.4).
        """
        n_taken, n_true, n_found = len(true), int(true.sum()), int(found.sum())
        left = 1.0 - n_taken / max(n_rows, 1)  # of the population
        if left <= 0.0 or not n_true:
            return cls(n_taken, n_true, n_found, math.inf if left <= 0.0 else None)
        n_effective = _n_clusters(true)
        if np.count_nonzero(found < true) >= _FEW_MISSES:
            n_effective = _effective_pairs(true, found)
        return cls(n_taken, n_true, n_found, n_effective / left)

    @property
    def share(self) -> float:
        """The measured recall, NaN if the sample has no true pair."""
        return self.n_found / self.n_true if self.n_true else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of 95 % around it (Wilson 1927) for `n_effective` independent pairs.

        0 to 1 if nothing is known; no wider than the share where every row was looked up.
        """
        if not self.n_true:
            return 0.0, 1.0
        n, share = self.n_effective or self.n_true, self.share
        if math.isinf(n):
            return share, share
        centre = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2)
        low = 0.0 if self.n_found == 0 else max(0.0, centre - half)
        high = 1.0 if self.n_found == self.n_true else min(1.0, centre + half)
        return low, high

    def falls_short(self, recall: float) -> bool:
        """Return whether more pairs were missed than a recall allows, by more than one."""
        return self.n_true - self.n_found > (1.0 - recall) * self.n_true + 1.0

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"MeasuredRecall({self.share:.4f}, {low:.4f} to {high:.4f}; {self.n_found} of "
            f"{self.n_true} true pairs of {self.n_rows} rows)"
        )


def _n_clusters(true: npt.NDArray[np.int64]) -> float:
    """Return how many rows of equal numbers of pairs would tell as much."""
    return int(true.sum()) ** 2 / float(np.square(true).sum())


def _effective_pairs(true: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> float:
    """Return how many independent pairs would give the jackknife's variance and quantile."""
    n_rows, n_true, n_found = len(true), int(true.sum()), int(found.sum())
    share = n_found / n_true
    without = (n_found - found) / np.maximum(n_true - true, 1)  # each row in turn
    squares = np.square(without - without.mean())
    variance = (n_rows - 1) / n_rows * float(squares.sum())
    freedom = max(float(squares.sum()) ** 2 / float(np.square(squares).sum()) - 1.0, 1.0)
    # Student's quantile over the normal one, to second order (Abramowitz, Stegun 26.7.5).
    z = _Z
    stretch = 1 + (z**2 + 1) / (4 * freedom) + (5 * z**4 + 16 * z**2 + 3) / (96 * freedom**2)
    n_effective = min(max(share * (1 - share) / variance, _n_clusters(true)), n_true)
    return n_effective / stretch**2


def measure_recall(join: BandedJoin, a_found: npt.NDArray[np.int64]) -> MeasuredRecall:
    """Look up the true pairs of a few rows of a, and how many of them were found.

    `a_found` are the rows of a of all pairs found, each of them a true one.
    """
    checked = sample_rows(join.a, _CHECKED_ROWS, join.seed)
    a_true, _, _ = join_few(
        join.a,
        checked,
        join.b,
        np.flatnonzero(np.diff(join.b.indptr)),
        join.min_jaccard,
        n_threads=join.n_threads,
    )
    true, found = (
        np.bincount(rows, minlength=join.a.n_rows)[checked] for rows in (a_true, a_found)
    )
    n_filled = int(np.count_nonzero(np.diff(join.a.indptr)))
    return MeasuredRecall.of_rows(true, found, n_filled)
