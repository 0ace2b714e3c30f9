"""Similarity joins of two tables: every pair of rows that shares enough of its columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks, usable_threads
from .csr import (
    SparseRows,
    check_at_least_one,
    check_csr,
    check_partner_rarity,
    check_ratio,
    check_same_columns,
    index_dtype,
)
from .errors import ParameterError
from .lsh import lsh_join
from .overlaps import OverlapJoin, rank_pairs
from .pairs import Pairs
from .postings import OrderedPostings

__all__ = ["containment_join", "jaccard_join", "weigh_shared"]

_FEW_COLUMNS = 1 << 22
_PAIRS_TOGETHER = 1 << 16
_METHODS = ("auto", "exact", "lsh")


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
        How to look; "auto" is "exact". "lsh" looks in buckets of MinHash signatures, returns
        `LshPairs` with the recall that was measured, and takes neither `top_k` nor `weights`.
    recall : float
        Share of the pairs that must be found, above 0 and below 1 for "lsh". The exact join finds
        all.
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
        in no pair.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or `a` and `b` differ in their columns.

    Notes
    -----
    The table with fewer entries gets posting lists. Time is their building, a look-up per entry
    of the other table, and the entries of the lists walked: all but each row's longest ones.
    Memory is 8 bytes per entry and used column of the table with posting lists, and never more
    than a few times the entries, however vast the column universe.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> a = csr_array([[1, 1, 0, 0], [0, 0, 0, 0]])
    >>> b = csr_array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
    >>> jaccard_join(a, b, 0.5).to_arrow().to_pydict()
    {'a_row': [0, 0], 'b_row': [1, 0], 'jaccard': [1.0, 0.6666666666666666], 'n_shared': [2, 2]}
    """
    if method not in _METHODS:
        raise ParameterError(
            f"`method` must be one of {', '.join(_METHODS)}, got {method!r}; leave it out."
        )
    check_ratio(recall, "recall", "0.95")
    if method == "lsh":
        for name, given in (("top_k", top_k), ("weights", weights)):
            if given is not None:
                raise ParameterError(
                    f"`{name}` needs an exact join so far; leave it out or use `method` 'exact'."
                )
        return lsh_join(a, b, min_jaccard, recall, n_threads=n_threads)
    least = check_ratio(min_jaccard, "min_jaccard", "0.3")
    return _join(a, b, least, of_union=True, top_k=top_k, weights=weights, n_threads=n_threads)


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
    return _join(a, b, least, of_union=False, top_k=top_k, weights=weights, n_threads=n_threads)


def _join(
    a: Any,
    b: Any,
    least: float,
    *,
    of_union: bool,
    top_k: int | None,
    weights: npt.ArrayLike | None,
    n_threads: int | None,
) -> Pairs:
    threads = usable_threads(n_threads)
    top_k = None if top_k is None else check_at_least_one(top_k, "top_k")
    a_rows = check_csr(a, "a", with_values=False)
    b_rows = check_csr(b, "b", with_values=False)
    check_same_columns(a_rows, b_rows, "a", "b")
    checked = None if weights is None else check_partner_rarity(weights, a_rows.n_cols, "weights")
    if of_union and a_rows.n_entries < b_rows.n_entries:
        queries, posted = _close_ranks(b_rows, a_rows)
        postings = OrderedPostings.from_rows(posted, "a")
        b_found, a_found, shared = OverlapJoin(queries, postings, least).run(n_threads=threads)
    else:
        queries, posted = _close_ranks(a_rows, b_rows)
        postings = OrderedPostings.from_rows(posted, "b")
        join = OverlapJoin(queries, postings, least, of_union)
        a_found, b_found, shared = join.run(n_threads=threads)
    return rank_pairs(
        np.diff(a_rows.indptr),
        np.diff(b_rows.indptr),
        (a_found, b_found, shared),
        of_union=of_union,
        top_k=top_k,
        overlaps=None
        if checked is None
        else weigh_shared(a_rows, b_rows, a_found, b_found, checked, threads),
    )


def weigh_shared(
    a: SparseRows,
    b: SparseRows,
    a_found: npt.NDArray[np.int64],
    b_found: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    n_threads: int,
) -> npt.NDArray[np.float64]:
    """Return the summed weight of the columns that each pair shares."""
    overlaps = np.empty(len(a_found))

    def weigh_block(start: int, stop: int) -> None:
        _core.weigh_shared(
            a.indptr,
            a.indices,
            b.indptr,
            b.indices,
            weights,
            a_found,
            b_found,
            overlaps,
            start,
            stop,
        )

    blocks = map_blocks(weigh_block, len(a_found), block_rows=_PAIRS_TOGETHER, n_threads=n_threads)
    for _ in blocks:
        pass
    return overlaps


def _close_ranks(queries: SparseRows, posted: SparseRows) -> tuple[SparseRows, SparseRows]:
    """Renumber the columns where `posted` uses few of a vast universe, such as hashed ones.

    A quarter of a byte per column would let memory follow the universe instead of the entries.
    Columns of a query that `posted` lacks all become the last one, which nobody there has; that
    breaks the query's canonical form but not the join, which only looks its columns up.
    """
    if posted.n_cols <= _FEW_COLUMNS + 32 * posted.n_entries:
        return queries, posted
    columns, ranks = np.unique(posted.indices, return_inverse=True)
    query_ranks = np.searchsorted(columns, queries.indices)
    known = np.append(columns, -1)[query_ranks] == queries.indices
    n_cols = len(columns) + 1
    dtype = index_dtype(n_cols)
    closed = np.where(known, query_ranks, len(columns)).astype(dtype)
    return (
        SparseRows(queries.indptr, closed, None, n_cols),
        SparseRows(posted.indptr, ranks.astype(dtype), None, n_cols),
    )
