"""Which method a join should take, from statistics that cost a small part of the join."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .bands import LshPlan, least_seconds, plan_lsh
from .blocks import usable_threads
from .costs import exact_seconds
from .csr import (
    SparseRows,
    check_at_least_one,
    check_csr,
    check_partner_rarity,
    check_ratio,
    check_same_columns,
)
from .footprints import exact_bytes, lsh_bytes
from .joinsamples import count_sample
from .plans import JoinPlan, JoinWork

__all__ = ["LSH_SEED", "METHODS", "plan_buckets", "plan_join", "plan_rows", "turn_sides"]

LSH_SEED = 1
METHODS = ("auto", "exact", "lsh")
# The exact join finds every pair, so that another one must be clearly faster.
_WORTH = 1.5
_FEW_ENTRIES = 1 << 15  # joined exactly in a few milliseconds, whatever they are


def plan_join(
    a: Any,
    b: Any,
    min_jaccard: float,
    *,
    recall: float = 0.95,
    top_k: int | None = None,
    weights: npt.ArrayLike | None = None,
    n_threads: int | None = None,
) -> JoinPlan:
    """Predict what `jaccard_join` would cost by either method, and which one "auto" takes.

    Parameters
    ----------
    a, b, min_jaccard, recall, top_k, weights, n_threads
        As in `jaccard_join`; `top_k` and `weights` rank what either method finds and change
        nothing here, `n_threads` changes the memory only.

    Returns
    -------
    JoinPlan
        Both methods' predicted postings, candidates, verifications, memory and seconds.

    Raises
    ------
    ParameterError
        As `jaccard_join` does.

    Notes
    -----
    "lsh" is taken where its predicted seconds times 1.5 are below those of the exact join, which
    loses no pair. All follows from the input alone: seconds are counts times fixed costs, fitted
    to runs on one machine (``benchmarks/engine/calibrate.py``), so that the choice is the same
    everywhere and for any number of threads. Time is linear in the input with a small factor:
    samples of rows, and a look at a part of the entries.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> a = csr_array([[1, 1, 0, 0], [0, 0, 0, 0]])
    >>> plan_join(a, a, 0.5).method
    'exact'
    """
    least = check_ratio(min_jaccard, "min_jaccard", "0.3")
    share = check_ratio(recall, "recall", "0.95")
    a_rows, b_rows = check_csr(a, "a", with_values=False), check_csr(b, "b", with_values=False)
    check_same_columns(a_rows, b_rows, "a", "b")
    if top_k is not None:
        check_at_least_one(top_k, "top_k")
    if weights is not None:
        check_partner_rarity(weights, a_rows.n_cols, "weights")
    threads = usable_threads(n_threads)
    return plan_rows(a_rows, b_rows, least, share, n_threads=threads, is_complete=True)


def plan_rows(
    a: SparseRows,
    b: SparseRows,
    min_jaccard: float,
    recall: float,
    *,
    n_threads: int,
    is_complete: bool = False,
) -> JoinPlan:
    """Return the plan of checked rows.

    Unless it is to be complete, whatever isn't needed to choose is left out.
    """
    base = JoinPlan(min_jaccard, recall, a.n_rows, b.n_rows, "exact", "")
    if a.n_entries + b.n_entries < _FEW_ENTRIES and not is_complete:
        return base.choose("exact", "so few entries take no time")
    exact = _predict_exact(a, b, min_jaccard, n_threads)
    base = base.predict(exact=exact)
    if recall == 1.0:
        return base.choose("exact", "no other method finds every pair")
    fixed = least_seconds(a, b, min_jaccard, recall)
    if exact.seconds <= _WORTH * fixed:
        reason = (
            f"it takes about {exact.seconds:.2g} s and signatures and buckets alone {fixed:.2g} s"
        )
        if not is_complete:
            return base.choose("exact", reason)
    bands = plan_lsh(a, b, min_jaccard, recall, LSH_SEED)
    lsh = _predict_lsh(a, b, bands, n_threads)
    base = base.predict(lsh=lsh, bands=bands)
    method = "lsh" if _WORTH * lsh.seconds < exact.seconds else "exact"
    return base.choose(
        method, f"lsh takes about {lsh.seconds:.2g} s and exact {exact.seconds:.2g} s"
    )


def turn_sides(a: SparseRows, b: SparseRows) -> bool:
    """Return whether the exact join gives `a` the posting lists, as the side of fewer entries."""
    return a.n_entries < b.n_entries


def _predict_exact(a: SparseRows, b: SparseRows, min_jaccard: float, n_threads: int) -> JoinWork:
    queries, posted = (b, a) if turn_sides(a, b) else (a, b)
    counts = count_sample(queries, posted, min_jaccard)
    n_used = min(posted.n_entries, posted.n_cols)
    return JoinWork(
        postings=counts.postings,
        candidates=counts.candidates,
        verifications=counts.verifications,
        n_bytes=exact_bytes(
            queries, posted, n_used=n_used, n_pairs=counts.pairs, n_threads=n_threads
        ),
        seconds=exact_seconds(posted.n_rows, posted.n_entries, queries.n_entries, counts),
    )


def plan_buckets(
    a: SparseRows,
    b: SparseRows,
    min_jaccard: float,
    recall: float,
    *,
    n_threads: int,
    seed: int = LSH_SEED,
) -> JoinPlan:
    """Return the plan of a join by "lsh", without looking at the other method."""
    bands = plan_lsh(a, b, min_jaccard, recall, seed)
    plan = JoinPlan(min_jaccard, recall, a.n_rows, b.n_rows, "lsh", "it was asked for")
    return plan.predict(lsh=_predict_lsh(a, b, bands, n_threads), bands=bands)


def _predict_lsh(a: SparseRows, b: SparseRows, bands: LshPlan, n_threads: int) -> JoinWork:
    return JoinWork(
        postings=0,
        candidates=bands.candidates,
        verifications=bands.verifications,
        n_bytes=lsh_bytes(a, b, bands.n_bands, n_pairs=bands.pairs, n_threads=n_threads),
        seconds=bands.seconds,
    )
