"""Similarity joins of two tables: every pair of rows that shares enough of its columns."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .blocks import usable_threads
from .csr import (
    SparseRows,
    check_at_least_one,
    check_csr,
    check_partner_rarity,
    check_ratio,
    check_same_columns,
)
from .errors import ParameterError
from .footprints import exact_bytes
from .lsh import check_recall, find_in_buckets
from .overlaps import OverlapJoin
from .pairs import Pairs
from .planning import LSH_SEED, METHODS, plan_buckets, plan_rows, turn_sides
from .plans import JoinPlan, JoinWork
from .postings import OrderedPostings, close_ranks
from .ranking import rank_pairs, weigh_shared

__all__ = ["containment_join", "jaccard_join"]


def jaccard_join(
    a: Any,
    b: Any,
    min_jaccard: float,
    *,
    method: str = "auto",
    recall: float = 0.95,
    top_k: int | None = None,
    weights: npt.ArrayLike | None = None,
    n_threads: int | None = None,
) -> Pairs:
    """Return every pair of rows whose Jaccard index reaches a threshold.

    Parameters
    ----------
    a, b : scipy.sparse.csr_matrix or csr_array, shapes (n_a, n_cols) and (n_b, n_cols)
        Each row is the set of columns where it isn't zero; sorted or not, a column stored twice
        counts once.
    min_jaccard : float
        Threshold, above 0 and at most 1. A pair is returned if and only if shared / union, divided
        in float64, is at least this.
    method : {"auto", "exact", "lsh"}
        How to look. "exact" finds all pairs. "lsh" looks in buckets of MinHash signatures, may miss
        some, and returns `LshPairs` with the recall that was measured. "auto" takes "lsh" only
        where `plan_join` predicts it to be 1.5 times as fast or more, and "exact" otherwise.
    recall : float
        Least share of the pairs to find, above 0; at most 1, below 1 for "lsh". 1 makes "auto" take
        "exact", so ``recall=1`` is what to say where every pair counts.
    top_k : int, optional
        Keep only so many pairs per row of a, at least 1; default all.
    weights : array_like of float64, shape (n_cols,), optional
        Weight of each column, finite and at least 0. If given, a row's pairs are ranked by the
        summed weight of the shared columns, ``weighted_overlap``, before their Jaccard index.
    n_threads : int, optional
        Default every usable core.

    Returns
    -------
    Pairs
        Row of a ascending, then (`weights` given) ``weighted_overlap`` descending, then Jaccard
        descending, then row of b ascending; `top_k` keeps the first of that order. An empty row is
        in no pair. Whatever method ran, every pair is a true one, with its exact Jaccard index;
        ``pairs.plan`` says which one it was, why, and what it was expected to do and did.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or `a` and `b` differ in their columns.

    Notes
    -----
    The choice follows from the input alone, not from the machine or its threads, so that the same
    input gives the same pairs.

    "exact": the table with fewer entries gets posting lists. Time is their building, a look-up per
    entry of the other table, and the entries of the lists walked: all but each row's longest ones.
    Memory is 8 bytes per entry and used column of the table with posting lists, and never more
    than a few times the entries, however vast the column universe.

    "lsh": time is that of signatures and buckets, linear in the rows, and of the candidates that
    meet in a bucket. Memory is 4 bytes per row and band, and 24 to 72 per row for each thread.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> a = csr_array([[1, 1, 0, 0], [0, 0, 0, 0]])
    >>> b = csr_array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
    >>> jaccard_join(a, b, 0.5).to_arrow().to_pydict()
    {'a_row': [0, 0], 'b_row': [1, 0], 'jaccard': [1.0, 0.6666666666666666], 'n_shared': [2, 2]}
    """
    if method not in METHODS:
        raise ParameterError(
            f"`method` must be one of {', '.join(METHODS)}, got {method!r}; leave it out."
        )
    recall = check_recall(recall) if method == "lsh" else check_ratio(recall, "recall", "0.95")
    least = check_ratio(min_jaccard, "min_jaccard", "0.3")
    threads = usable_threads(n_threads)
    a_rows, b_rows = _check_sides(a, b)
    top_k, checked = _check_ranking(top_k, weights, a_rows.n_cols)
    plan = _plan(a_rows, b_rows, least, recall, method, threads)
    if plan.method == "lsh":
        return find_in_buckets(
            a_rows, b_rows, plan, seed=LSH_SEED, top_k=top_k, weights=checked, n_threads=threads
        )
    return _join(
        a_rows,
        b_rows,
        least,
        of_union=True,
        top_k=top_k,
        weights=checked,
        n_threads=threads,
        plan=plan,
    )


def containment_join(
    a: Any,
    b: Any,
    min_containment: float,
    *,
    top_k: int | None = None,
    weights: npt.ArrayLike | None = None,
    n_threads: int | None = None,
) -> Pairs:
    """Return every pair of rows where b holds at least so much of a.

    The columns that both hold, divided by those of the row of a: a new subscriber seen for a few
    days holds few partners, which caps the Jaccard index but not this.

    Parameters
    ----------
    a, b : scipy.sparse.csr_matrix or csr_array, shapes (n_a, n_cols) and (n_b, n_cols)
        As in `jaccard_join`.
    min_containment : float
        Threshold, above 0 and at most 1. A pair is returned if and only if shared / columns of
        the row of a, divided in float64, is at least this.
    top_k, weights, n_threads
        As in `jaccard_join`.

    Returns
    -------
    Pairs
        With ``containment``, in the order of `jaccard_join` but by containment. An empty row is
        in no pair.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or `a` and `b` differ in their columns.

    Notes
    -----
    `b` gets the posting lists; time and memory otherwise as in `jaccard_join`.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> a = csr_array([[1, 1, 0, 0]])
    >>> b = csr_array([[1, 1, 1, 1], [1, 0, 0, 0]])
    >>> containment_join(a, b, 0.8).containment.tolist()
    [1.0]
    """
    least = check_ratio(min_containment, "min_containment", "0.5")
    threads = usable_threads(n_threads)
    a_rows, b_rows = _check_sides(a, b)
    top_k, checked = _check_ranking(top_k, weights, a_rows.n_cols)
    return _join(
        a_rows, b_rows, least, of_union=False, top_k=top_k, weights=checked, n_threads=threads
    )


def _plan(
    a: SparseRows, b: SparseRows, least: float, recall: float, method: str, n_threads: int
) -> JoinPlan:
    """Return the plan of the method asked for."""
    if method == "auto":
        return plan_rows(a, b, least, recall, n_threads=n_threads)
    if method == "lsh":
        return plan_buckets(a, b, least, recall, n_threads=n_threads)
    return JoinPlan(least, recall, a.n_rows, b.n_rows, "exact", "it was asked for")


def _check_sides(a: Any, b: Any) -> tuple[SparseRows, SparseRows]:
    a_rows = check_csr(a, "a", with_values=False)
    b_rows = check_csr(b, "b", with_values=False)
    check_same_columns(a_rows, b_rows, "a", "b")
    return a_rows, b_rows


def _check_ranking(
    top_k: int | None, weights: npt.ArrayLike | None, n_cols: int
) -> tuple[int | None, npt.NDArray[np.float64] | None]:
    return (
        None if top_k is None else check_at_least_one(top_k, "top_k"),
        None if weights is None else check_partner_rarity(weights, n_cols, "weights"),
    )


def _join(
    a: SparseRows,
    b: SparseRows,
    least: float,
    *,
    of_union: bool,
    top_k: int | None,
    weights: npt.NDArray[np.float64] | None,
    n_threads: int,
    plan: JoinPlan | None = None,
) -> Pairs:
    """Join exactly; what that took goes into `plan`."""
    begin = time.perf_counter()
    tally = np.zeros(3, dtype=np.int64)
    is_turned = of_union and turn_sides(a, b)
    queries, posted = close_ranks(*((b, a) if is_turned else (a, b)))
    postings = OrderedPostings.from_rows(posted, "a" if is_turned else "b")
    join = OverlapJoin(queries, postings, least, of_union)
    query_rows, rows, shared = join.run(n_threads=n_threads, tally=tally)
    found = (rows, query_rows, shared) if is_turned else (query_rows, rows, shared)
    pairs = rank_pairs(
        np.diff(a.indptr),
        np.diff(b.indptr),
        found,
        of_union=of_union,
        top_k=top_k,
        overlaps=None if weights is None else weigh_shared(a, b, *found[:2], weights, n_threads),
    )
    if plan is None:
        return pairs
    actual = JoinWork(
        postings=int(tally[0]),
        candidates=int(tally[1]),
        verifications=int(tally[2]),
        n_bytes=exact_bytes(
            queries,
            posted,
            n_used=len(postings.offsets) - 1,
            n_pairs=len(found[0]),
            n_threads=n_threads,
        ),
        seconds=time.perf_counter() - begin,
    )
    return replace(pairs, plan=plan.with_actual(actual))
