"""Join by locality-sensitive hashing: similar pairs at a recall the user states.

The bands are planned, rows of equal keys joined in their buckets, and the recall of the very run is
measured by exact look-ups of a sample.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .bands import LshPlan
from .blocks import usable_threads
from .buckets import BandedJoin, BandResult
from .csr import SparseRows, check_csr, check_ratio, check_same_columns
from .errors import ParameterError
from .footprints import lsh_bytes
from .pairs import Pairs
from .planning import plan_buckets
from .plans import JoinPlan, JoinWork
from .ranking import rank_pairs, weigh_shared
from .rarejoin import FoundPairs
from .recall import MeasuredRecall, measure_recall
from .signatures import check_seed

__all__ = ["LshPairs", "check_recall", "find_in_buckets", "lsh_join"]

_MAX_ROWS = 2**31 - 1
_MOST_ROUNDS = 4
_SEED_STEP = 0x9E3779B97F4A7C15  # from one round of bands to the next


@dataclass(frozen=True, eq=False, repr=False)
class LshPairs(Pairs):
    """Pairs of a join by locality-sensitive hashing, with what is known about the run.

    Parameters
    ----------
    measured_recall : MeasuredRecall
    n_rounds : int
        How often so many bands as planned were joined: once, and again each time that the measured
        recall fell short of the stated one.
    n_oversized, n_oversized_rows, largest_bucket : int
        Buckets of too many pairs to be looked at one by one, which were joined exactly by their
        posting lists, how many rows they had, and how many pairs the largest had.
    """

    measured_recall: MeasuredRecall | None = None
    n_rounds: int = 1
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
    """Return the pairs that the bands of `plan` find, ranked; only sizes are checked here."""
    for rows, name in ((a, "a"), (b, "b")):
        if rows.n_rows > _MAX_ROWS:
            raise ParameterError(
                f"`{name}` must have at most {_MAX_ROWS} rows, got {rows.n_rows}; join it in parts."
            )
    bands = cast(LshPlan, plan.bands)
    begin = time.perf_counter()
    result, measured, n_rounds = _run_rounds(a, b, bands, seed, n_threads)
    found = result.found
    pairs = rank_pairs(
        np.diff(a.indptr),
        np.diff(b.indptr),
        found,
        of_union=True,
        top_k=top_k,
        overlaps=None if weights is None else weigh_shared(a, b, *found[:2], weights, n_threads),
    )
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
        n_rounds=n_rounds,
        n_oversized=len(result.oversized),
        n_oversized_rows=sum(n_a + n_b for n_a, n_b in result.oversized),
        largest_bucket=max((n_a * n_b for n_a, n_b in result.oversized), default=0),
    )


def _run_rounds(
    a: SparseRows, b: SparseRows, bands: LshPlan, seed: int, n_threads: int
) -> tuple[BandResult, MeasuredRecall, int]:
    """Join, and join again by other bands while the measured recall falls short.

    Pairs that share a hub and little else are found or missed together, as the hub's hash in few
    bands decides: no chance per pair, however high, makes sure of their share.
    """
    result = BandResult()
    for n_rounds in range(1, _MOST_ROUNDS + 1):
        join = BandedJoin(
            a, b, bands.min_jaccard, bands.band_rows, bands.n_bands,
            seed=(seed + (n_rounds - 1) * _SEED_STEP) % 2**64, n_threads=n_threads,
        )  # fmt: skip
        result.add(join.run())
        if n_rounds > 1:
            result.parts = [_drop_repeats(result.found, b.n_rows)]
        measured = measure_recall(join, result.found[0])
        if not measured.falls_short(bands.recall):
            break
    return result, measured, n_rounds


def _drop_repeats(found: FoundPairs, n_b: int) -> FoundPairs:
    """Return each pair once, whatever bands found it."""
    a_rows, b_rows, shared = found
    _, first = np.unique(a_rows * n_b + b_rows, return_index=True)
    return a_rows[first], b_rows[first], shared[first]


def check_recall(recall: float) -> float:
    """Return a recall that may be asked of LSH; raise ParameterError if it may not."""
    if not 0 < recall < 1:
        raise ParameterError(
            f"`recall` must be above 0 and below 1, got {recall}; an exact join finds every pair."
        )
    return float(recall)
