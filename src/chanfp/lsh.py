"""Join by locality-sensitive hashing: similar pairs at a recall the user states.

The bands are planned, rows of equal keys joined in their buckets, and the recall of the very run is
measured by exact look-ups of a sample.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .bands import LshPlan, sample_rows
from .blocks import usable_threads
from .buckets import BandedJoin
from .csr import SparseRows, check_csr, check_ratio, check_same_columns
from .errors import ParameterError
from .footprints import lsh_bytes
from .pairs import Pairs
from .planning import plan_buckets
from .plans import JoinPlan, JoinWork
from .ranking import rank_pairs, weigh_shared
from .rarejoin import join_few
from .signatures import check_seed

__all__ = ["LshPairs", "MeasuredRecall", "check_recall", "find_in_buckets", "lsh_join"]

_CHECKED_ROWS = 500  # of a, for the recall
_MAX_ROWS = 2**31 - 1
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
        that of a ratio of sums over rows (Cochran 1977, section 2.11), with the correction for a
        finite population. Where too few pairs are missed to tell it, they count as missed row by
        row, all or nothing (Kish 1965, section 5.4), which is the worst that can be.
        """
        n_taken, n_true, n_found = len(true), int(true.sum()), int(found.sum())
        left = 1.0 - n_taken / max(n_rows, 1)  # of the population
        if left <= 0.0 or not n_true:
            return cls(n_taken, n_true, n_found, math.inf if left <= 0.0 else None)
        by_row = n_true**2 / float(np.square(true).sum())
        share = n_found / n_true
        spread = float(np.square(found - share * true).sum()) * n_taken / max(n_taken - 1, 1)
        n_effective = by_row
        if np.count_nonzero(found < true) >= _FEW_MISSES:
            n_effective = min(max(n_true**2 * share * (1 - share) / spread, by_row), n_true)
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
        return max(0.0, centre - half), min(1.0, centre + half)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"MeasuredRecall({self.share:.4f}, {low:.4f} to {high:.4f}; {self.n_found} of "
            f"{self.n_true} true pairs of {self.n_rows} rows)"
        )


@dataclass(frozen=True, eq=False, repr=False)
class LshPairs(Pairs):
    """Pairs of a join by locality-sensitive hashing, with what is known about the run.

    Parameters
    ----------
    measured_recall : MeasuredRecall
    n_oversized, n_oversized_rows, largest_bucket : int
        Buckets of too many pairs to be looked at one by one, which were joined exactly by their
        rare columns, how many rows they had, and how many pairs the largest had.
    """

    measured_recall: MeasuredRecall | None = None
    n_oversized: int = 0
    n_oversized_rows: int = 0
    largest_bucket: int = 0

    def __repr__(self) -> str:
        return f"Lsh{super().__repr__()[:-1]}, {self.measured_recall!r})"


def lsh_join(
    a: Any,
    b: Any,
    min_jaccard: float,
    recall: float = 0.95,
    seed: int = 1,
    n_threads: int | None = None,
    top_k: int | None = None,
    weights: npt.NDArray[np.float64] | None = None,
) -> LshPairs:
    """Return nearly every pair of rows whose Jaccard index reaches a threshold.

    Parameters
    ----------
    a, b : scipy.sparse.csr_matrix or csr_array, shapes (n_a, n_cols) and (n_b, n_cols)
        Each row is the set of columns where it isn't zero.
    min_jaccard : float
        Threshold, above 0 and at most 1.
    recall : float
        Share of the true pairs to find, above 0 and below 1. Even pairs right at the threshold
        are found with a higher chance than this, more similar ones nearly always.
    seed : int
        Of the signatures, from 0 to 2**64 - 1.
    n_threads : int, optional
        Default every usable core.
    top_k, weights
        As in `jaccard_join`.

    Returns
    -------
    LshPairs
        In the order of `Pairs`; every pair is a true one, with its exact Jaccard index.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or `a` and `b` differ in their columns.

    Notes
    -----
    Memory beyond the input is 4 bytes per row and band, 24 to 72 bytes per row for each thread,
    and the pairs. The result doesn't depend on threads or instruction set.
    """
    n_threads = usable_threads(n_threads)
    seed = check_seed(seed)
    least = check_ratio(min_jaccard, "min_jaccard", "0.3")
    recall = check_recall(recall)
    a_rows = check_csr(a, "a", with_values=False)
    b_rows = check_csr(b, "b", with_values=False)
    check_same_columns(a_rows, b_rows, "a", "b")
    for rows, name in ((a_rows, "a"), (b_rows, "b")):
        if rows.n_rows > _MAX_ROWS:
            raise ParameterError(
                f"`{name}` must have at most {_MAX_ROWS} rows, got {rows.n_rows}; join it in parts."
            )
    plan = plan_buckets(a_rows, b_rows, least, recall, n_threads=n_threads, seed=seed)
    return find_in_buckets(
        a_rows, b_rows, plan, seed=seed, n_threads=n_threads, top_k=top_k, weights=weights
    )


def find_in_buckets(
    a: SparseRows,
    b: SparseRows,
    plan: JoinPlan,
    *,
    seed: int,
    n_threads: int,
    top_k: int | None,
    weights: npt.NDArray[np.float64] | None,
) -> LshPairs:
    """Return the pairs that the bands of `plan` find, ranked; nothing is checked here."""
    bands = cast(LshPlan, plan.bands)
    begin = time.perf_counter()
    join = BandedJoin(
        a, b, plan.min_jaccard, bands.band_rows, bands.n_bands,
        seed=seed, n_threads=n_threads,
    )  # fmt: skip
    result = join.run()
    found = result.found
    pairs = rank_pairs(
        np.diff(a.indptr),
        np.diff(b.indptr),
        found,
        of_union=True,
        top_k=top_k,
        overlaps=None if weights is None else weigh_shared(a, b, found, weights, n_threads),
    )
    measured = _measure_recall(join, found[0])
    actual = JoinWork(
        postings=0,
        candidates=result.n_candidates,
        verifications=result.n_merged,
        n_bytes=lsh_bytes(a, b, bands.n_bands, n_pairs=len(found[0]), n_threads=n_threads),
        seconds=time.perf_counter() - begin,
    )
    columns = {field.name: getattr(pairs, field.name) for field in fields(pairs)}
    return LshPairs(
        **{**columns, "plan": plan.with_actual(actual)},
        measured_recall=measured,
        n_oversized=len(result.oversized),
        n_oversized_rows=sum(n_a + n_b for n_a, n_b in result.oversized),
        largest_bucket=max((n_a * n_b for n_a, n_b in result.oversized), default=0),
    )


def check_recall(recall: float) -> float:
    """Return a recall that may be asked of LSH; raise ParameterError if it may not."""
    if not 0 < recall < 1:
        raise ParameterError(
            f"`recall` must be above 0 and below 1, got {recall}; an exact join finds every pair."
        )
    return float(recall)


def _measure_recall(join: BandedJoin, a_found: npt.NDArray[np.int64]) -> MeasuredRecall:
    """Look up the true pairs of a few rows of a, and how many of them were found."""
    checked = sample_rows(join.a, _CHECKED_ROWS, join.seed)
    a_true, _, _ = join_few(
        join.a,
        checked,
        join.b,
        np.flatnonzero(np.diff(join.b.indptr)),
        join.min_jaccard,
        join.counts,
        join.sketches,
        n_threads=join.n_threads,
    )
    true, found = (  # each pair that was found is a true one
        np.bincount(rows, minlength=join.a.n_rows)[checked] for rows in (a_true, a_found)
    )
    n_filled = int(np.count_nonzero(np.diff(join.a.indptr)))
    return MeasuredRecall.of_rows(true, found, n_filled)
