"""Join by locality-sensitive hashing: similar pairs at a recall the user states.

Signatures are folded into one key per band, buckets made by a radix sort band by band, and the
pairs of a bucket filtered by bitmaps and verified exactly. A pair counts in the first band where it
meets, so that no list of candidates is ever kept.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .bands import LshPlan, bucket_bits, plan_lsh, sample_rows
from .blocks import map_blocks, usable_threads
from .csr import SparseRows, check_csr, check_ratio, check_same_columns
from .errors import ParameterError
from .pairs import Pairs
from .rarejoin import BandKeys, ColumnCounts, FoundPairs, join_few, merge_found, sketch_rows
from .signatures import check_seed, sign_rows, slot_keys, usable_backend

__all__ = ["LshPairs", "LshPlan", "MeasuredRecall", "lsh_join"]

_BLOCK_ROWS = 2048  # of signatures, so that a block stays in a second-level cache
_LEAST_BANDS_AT_ONCE, _MOST_BANDS_AT_ONCE = 4, 16  # keys of 16 bands fill a cache line
_MOST_PAIRS = 1 << 18  # of a bucket that is looked at pair by pair
_PLACES = 1 << 16
_CHECKED_ROWS = 500  # of a, for the recall
_MAX_ROWS = 2**31 - 1
_Z = 1.959963984540054  # of a two-sided interval of 95 %


@dataclass(frozen=True)
class MeasuredRecall:
    """The share of the true pairs that a join found, measured on a random sample of rows of a.

    Parameters
    ----------
    n_rows : int
        Rows of a whose true pairs were looked up exactly.
    n_true, n_found : int
        Their true pairs, and how many of those the join found.
    """

    n_rows: int
    n_true: int
    n_found: int

    @property
    def share(self) -> float:
        """The measured recall, NaN if the sample has no true pair."""
        return self.n_found / self.n_true if self.n_true else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of 95 % around it (Wilson 1927); 0 to 1 if nothing is known.

        It takes pairs for independent, which those of one row aren't quite. Where every row of a
        was looked up, the share is exact.
        """
        if not self.n_true:
            return 0.0, 1.0
        n, share = self.n_true, self.share
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
    plan : LshPlan
        What was expected.
    measured_recall : MeasuredRecall
    n_candidates : int
        Pairs looked at in buckets, each counted once per band it meets in.
    n_oversized, largest_bucket : int
        Buckets of too many pairs to be looked at one by one, which were joined exactly by their
        rare columns, and how many pairs the largest had.
    """

    plan: LshPlan | None = None
    measured_recall: MeasuredRecall | None = None
    n_candidates: int = 0
    n_oversized: int = 0
    largest_bucket: int = 0

    def __repr__(self) -> str:
        return f"Lsh{super().__repr__()[:-1]}, {self.measured_recall!r})"


@dataclass(eq=False)
class _BandResult:
    """What one block of bands gave."""

    found: FoundPairs
    n_candidates: int
    oversized: list[int]


class _Scratch(threading.local):
    """One worker's buckets and places for pairs."""

    def __init__(self, n_a: int, n_b: int, bands_at_once: int, bits: int) -> None:
        self.columns = [np.empty(bands_at_once * n, dtype=np.uint32) for n in (n_a, n_b)]
        self.entries = [np.zeros(n + 4, dtype=np.uint64) for n in (n_a, n_b)]
        self.live = np.empty(n_a + 1, dtype=np.int32)
        self.ends = [np.empty(1 << bits, dtype=np.int32) for _ in range(2)]
        n_places = max(_PLACES, n_b)
        self.places: FoundPairs = (
            np.empty(n_places, dtype=np.int64),
            np.empty(n_places, dtype=np.int64),
            np.empty(n_places, dtype=np.int32),
        )


def lsh_join(
    a: Any,
    b: Any,
    min_jaccard: float,
    recall: float = 0.95,
    seed: int = 1,
    n_threads: int | None = None,
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
    recall = _check_recall(recall)
    a_rows = check_csr(a, "a", with_values=False)
    b_rows = check_csr(b, "b", with_values=False)
    check_same_columns(a_rows, b_rows, "a", "b")
    for rows, name in ((a_rows, "a"), (b_rows, "b")):
        if rows.n_rows > _MAX_ROWS:
            raise ParameterError(
                f"`{name}` must have at most {_MAX_ROWS} rows, got {rows.n_rows}; join it in parts."
            )
    plan = plan_lsh(a_rows, b_rows, least, recall, seed)
    return _BandedJoin(a_rows, b_rows, plan, seed, n_threads).run()


def _check_recall(recall: float) -> float:
    if not 0 < recall < 1:
        raise ParameterError(
            f"`recall` must be above 0 and below 1, got {recall}; an exact join finds every pair."
        )
    return float(recall)


class _BandedJoin:
    """One run of a plan."""

    def __init__(
        self, a: SparseRows, b: SparseRows, plan: LshPlan, seed: int, n_threads: int
    ) -> None:
        self.a, self.b = a, b
        self.plan = plan
        self.seed = seed
        self.n_threads = n_threads
        self.backend = usable_backend()
        self.counts = ColumnCounts.of(b)
        self.keys = BandKeys(self._fold_keys(a), self._fold_keys(b), plan.n_bands)
        self.sketches = (
            sketch_rows(a, n_threads=n_threads),
            sketch_rows(b, n_threads=n_threads),
        )
        self.bits = bucket_bits(max(a.n_rows, b.n_rows))
        # Few at a time where there are few, so that every thread has some.
        self.bands_at_once = min(max(plan.n_bands // 16, _LEAST_BANDS_AT_ONCE), _MOST_BANDS_AT_ONCE)
        self.scratch = _Scratch(a.n_rows, b.n_rows, self.bands_at_once, self.bits)

    def run(self) -> LshPairs:
        """Join band by band, order the pairs and measure the recall."""
        results = list(
            map_blocks(
                self._join_bands,
                self.plan.n_bands,
                block_rows=self.bands_at_once,
                n_threads=self.n_threads,
            )
        )
        a_rows, b_rows, shared = merge_found([result.found for result in results])
        sizes = np.diff(self.a.indptr)[a_rows] + np.diff(self.b.indptr)[b_rows]
        jaccard = shared / (sizes - shared)
        order = np.lexsort((b_rows, -jaccard, a_rows))
        a_rows, b_rows = a_rows[order], b_rows[order]
        oversized = [n_pairs for result in results for n_pairs in result.oversized]
        return LshPairs(
            a_rows,
            b_rows,
            jaccard[order],
            shared[order],
            plan=self.plan,
            measured_recall=self._measure_recall(a_rows, b_rows),
            n_candidates=sum(result.n_candidates for result in results),
            n_oversized=len(oversized),
            largest_bucket=max(oversized, default=0),
        )

    def _fold_keys(self, rows: SparseRows) -> npt.NDArray[np.uint32]:
        """Return the keys of all bands, row by row; signatures live for a block only."""
        plan = self.plan
        slots = slot_keys(plan.n_slots, self.seed)
        keys = np.empty(rows.n_rows * plan.n_bands, dtype=np.uint32)

        def fold_block(start: int, stop: int) -> None:
            signatures = np.empty((stop - start, plan.n_slots), dtype=np.uint32)
            sign_rows(rows, slots, signatures, start, stop, self.backend)
            _core.fold_bands(
                signatures.ravel(), plan.n_slots, plan.band_rows, plan.n_bands, keys, start, stop
            )

        block_rows = max(64, _BLOCK_ROWS * 64 // max(plan.n_slots, 64))
        for _ in map_blocks(
            fold_block, rows.n_rows, block_rows=block_rows, n_threads=self.n_threads
        ):
            pass
        return keys

    def _join_bands(self, start: int, stop: int) -> _BandResult:
        scratch = self.scratch
        for side, (rows, keys) in enumerate(((self.a, self.keys.a), (self.b, self.keys.b))):
            _core.gather_bands(
                keys, self.plan.n_bands, start, stop - start, scratch.columns[side], rows.n_rows
            )
        parts: list[FoundPairs] = []
        n_candidates = 0
        oversized: list[int] = []
        for band in range(start, stop):
            for side, rows in enumerate((self.a, self.b)):
                _core.sort_band(
                    scratch.columns[side], (band - start) * rows.n_rows, rows.indptr,
                    32 - self.bits, scratch.ends[side], scratch.entries[side],
                )  # fmt: skip
            n_candidates += self._join_band(band, parts, oversized)
        return _BandResult(merge_found(parts), n_candidates, oversized)

    def _join_band(self, band: int, parts: list[FoundPairs], oversized: list[int]) -> int:
        """Add the pairs of one band to `parts`, and return how many candidates there were."""
        a, b, scratch = self.a, self.b, self.scratch
        state = np.zeros(7, dtype=np.int64)
        n_live = _core.find_live(
            scratch.entries[0], scratch.ends[0], scratch.entries[1], scratch.ends[1],
            32 - self.bits, scratch.live,
        )  # fmt: skip
        ended = -1
        while ended != 0:
            ended = _core.join_band(
                a.indptr, a.indices, self.sketches[0], self.keys.a, scratch.entries[0],
                scratch.ends[0], b.indptr, b.indices, self.sketches[1], self.keys.b,
                scratch.entries[1], scratch.ends[1], scratch.live, n_live,
                self.plan.min_jaccard, self.plan.n_bands, band, _MOST_PAIRS, state, *scratch.places,
            )  # fmt: skip
            n_found = int(state[2])
            parts.append(
                (
                    scratch.places[0][:n_found].copy(),
                    scratch.places[1][:n_found].copy(),
                    scratch.places[2][:n_found].copy(),
                )
            )
            if ended == 2:
                a_rows, b_rows = (
                    (scratch.entries[side][first:last] & np.uint64(0xFFFFFFFF)).astype(np.int64)
                    for side, first, last in ((0, state[4], state[1]), (1, state[5], state[6]))
                )
                oversized.append(len(a_rows) * len(b_rows))
                parts.append(self._join_oversized(a_rows, b_rows, band))
        return int(state[3])

    def _join_oversized(
        self, a_rows: npt.NDArray[np.int64], b_rows: npt.NDArray[np.int64], band: int
    ) -> FoundPairs:
        """Join a large bucket exactly, unless the same rows met in an earlier band already."""
        n_bands = self.plan.n_bands
        a_keys = self.keys.a.reshape(-1, n_bands)[a_rows, :band]
        b_keys = self.keys.b.reshape(-1, n_bands)[b_rows, :band]
        is_known = (a_keys == a_keys[0]).all(axis=0) & (b_keys == a_keys[0]).all(axis=0)
        if is_known.any():
            return merge_found([])
        return join_few(
            self.a, a_rows, self.b, b_rows, self.plan.min_jaccard, self.counts,
            self.sketches, keys=self.keys, band=band,
        )  # fmt: skip

    def _measure_recall(
        self, a_found: npt.NDArray[np.int64], b_found: npt.NDArray[np.int64]
    ) -> MeasuredRecall:
        """Look up the true pairs of a few rows of a, and how many of them were found."""
        checked = sample_rows(self.a, _CHECKED_ROWS, self.seed)
        a_true, _, _ = join_few(
            self.a,
            checked,
            self.b,
            np.flatnonzero(np.diff(self.b.indptr)),
            self.plan.min_jaccard,
            self.counts,
            self.sketches,
            n_threads=self.n_threads,
        )
        is_checked = np.zeros(self.a.n_rows, dtype=bool)
        is_checked[checked] = True
        n_found = int(np.count_nonzero(is_checked[a_found]))  # each of them is a true pair
        return MeasuredRecall(len(checked), len(a_true), n_found)
