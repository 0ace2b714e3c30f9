"""Candidate pairs: which rows of one table share enough partners with which of another."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt

from .blocks import Progress, usable_threads
from .csr import (
    SparseRows,
    check_calls,
    check_csr,
    check_partner_rarity,
    check_same_columns,
    index_dtype,
    sum_rows,
)
from .errors import ParameterError
from .joins import CountingJoin, Pairs, Postings

__all__ = ["Pairs", "find_candidates", "jaccard_join"]

_BLOCK_ROWS = 1024
_FEW_COLUMNS = 1 << 20


def jaccard_join(
    a: Any,
    b: Any,
    min_jaccard: float,
    *,
    top_k: int | None = None,
    n_threads: int | None = None,
) -> Pairs:
    """Return every pair of rows whose Jaccard index reaches a threshold.

    Parameters
    ----------
    a, b : scipy.sparse.csr_matrix or csr_array, shapes (n_a, n_cols) and (n_b, n_cols)
        Each row is the set of columns where it isn't zero.
    min_jaccard : float
        Threshold, above 0 and at most 1. A pair is returned if and only if shared / union, divided
        in float64, is at least this.
    top_k : int, optional
        Keep only so many pairs per row of a, at least 1; default all.
    n_threads : int, optional
        Default every usable core.

    Returns
    -------
    Pairs
        Row of a ascending, then Jaccard descending, then row of b ascending; `top_k` keeps the
        first of that order. An empty row is in no pair.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or `a` and `b` differ in their columns.

    Notes
    -----
    Time is the sum, over all columns, of the entries of a times the entries of b, plus a sort of
    each row's pairs. Memory is about 4 bytes per entry of b and 8 per column, and never more than
    a few times the entries, however vast the column universe.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> a = csr_array([[1, 1, 0, 0], [0, 0, 0, 0]])
    >>> b = csr_array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
    >>> jaccard_join(a, b, 0.5).to_arrow().to_pydict()
    {'a_row': [0, 0], 'b_row': [1, 0], 'jaccard': [1.0, 0.6666666666666666], 'n_shared': [2, 2]}
    """
    n_threads = usable_threads(n_threads)
    if not 0 < min_jaccard <= 1:
        raise ParameterError(
            f"`min_jaccard` must be above 0 and at most 1, got {min_jaccard}; "
            f"0.3 is a usual threshold."
        )
    a_rows = check_csr(a, "a", with_values=False)
    b_rows = check_csr(b, "b", with_values=False)
    check_same_columns(a_rows, b_rows, "a", "b")
    a_rows, b_rows = _close_ranks(a_rows, b_rows)
    join = CountingJoin(
        a=a_rows,
        b=b_rows,
        postings=Postings.from_rows(b_rows, "b"),
        min_jaccard=float(min_jaccard),
        top_k=b_rows.n_rows if top_k is None else _at_least_one(top_k, "top_k"),
    )
    return join.run(block_rows=_BLOCK_ROWS, n_threads=n_threads)


def find_candidates(
    new: SparseRows,
    departed: SparseRows,
    *,
    partner_rarity: npt.ArrayLike,
    top_k: int,
    min_shared: int = 1,
    new_begins: npt.ArrayLike | None = None,
    departed_begins: npt.ArrayLike | None = None,
    n_threads: int | None = None,
    block_rows: int = _BLOCK_ROWS,
    progress: Progress | None = None,
) -> Pairs:
    """Return each new row's `top_k` most similar departed rows.

    Parameters
    ----------
    new, departed : SparseRows, shapes (n_new, n_cols) and (n_departed, n_cols)
        Values are calls per partner, above 0.
    partner_rarity : array_like of float64, shape (n_cols,)
        Weight of each partner, finite and at least 0; rarer partners weigh more.
    top_k : int
        Departed rows kept per new row, at least 1.
    min_shared : int
        Partners a pair must share, at least 1.
    new_begins, departed_begins : array_like of int64, shapes (n_new,) and (n_departed,), optional
        When each row's subscription began, in one unit for both. If given, a pair is admissible
        only if the departed one began before the new one.
    n_threads : int, optional
        Default every usable core.
    block_rows : int
        New rows per block of work, at least 1; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress("candidates", rows_done, n_new)`` after each block.

    Returns
    -------
    Pairs
        New row ascending; within it Jaccard descending, then ``tfidf_jaccard`` descending, then
        departed row ascending. Calls are weighted by the partner's rarity there. An empty row is
        in no pair.

    Raises
    ------
    ParameterError
        If an argument is outside its range or doesn't fit another.

    Notes
    -----
    Time is the sum, over all partners, of new rows times departed rows that call it, so hubs
    dominate. Memory is about 12 bytes per departed entry and 8 per column.
    """
    n_threads = usable_threads(n_threads)
    check_same_columns(new, departed, "new", "departed")
    if (new_begins is None) != (departed_begins is None):
        raise ParameterError(
            "`new_begins` and `departed_begins` must be given together or not at all; got one."
        )
    rarity = check_partner_rarity(partner_rarity, new.n_cols)
    new_weights, new_totals = _weigh_calls(new, "new", rarity, n_threads)
    weights, totals = _weigh_calls(departed, "departed", rarity, n_threads)
    join = CountingJoin(
        a=new,
        b=departed,
        postings=Postings.from_rows(departed, "departed", weights),
        a_weights=new_weights,
        a_totals=new_totals,
        b_totals=totals,
        a_begins=_check_begins(new_begins, new.n_rows, "new_begins"),
        b_begins=_check_begins(departed_begins, departed.n_rows, "departed_begins"),
        min_shared=_at_least_one(min_shared, "min_shared"),
        top_k=_at_least_one(top_k, "top_k"),
    )
    return join.run(
        block_rows=_at_least_one(block_rows, "block_rows"), n_threads=n_threads, progress=progress
    )


def _weigh_calls(
    rows: SparseRows, name: str, rarity: npt.NDArray[np.float64], n_threads: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return each entry's calls times its partner's rarity, and their sum per row."""
    calls, _ = check_calls(rows, name, n_threads=n_threads)
    weights = calls * rarity[rows.indices]
    return weights, sum_rows(rows, lambda part: weights[part], n_threads=n_threads)


def _at_least_one(value: int, name: str) -> int:
    """Return a count given by the user, as an int."""
    count = operator.index(value)
    if count < 1:
        raise ParameterError(f"`{name}` must be at least 1, got {value}.")
    return count


def _check_begins(
    begins: npt.ArrayLike | None, n_rows: int, name: str
) -> npt.NDArray[np.int64] | None:
    if begins is None:
        return None
    checked = np.asarray(begins)
    if checked.shape != (n_rows,) or not np.can_cast(checked.dtype, np.int64):
        raise ParameterError(
            f"`{name}` must be int64, one per row, shape ({n_rows},); got {checked.dtype} of "
            f"shape {checked.shape}."
        )
    return np.ascontiguousarray(checked, dtype=np.int64)


def _close_ranks(a: SparseRows, b: SparseRows) -> tuple[SparseRows, SparseRows]:
    """Renumber the columns where b uses few of a vast universe, such as hashed ones.

    Posting lists cost 8 bytes per column, so memory would follow the universe instead of the
    entries. Columns of a that b lacks all become the last one, which nobody in b has; that
    breaks the canonical form of a but not the join, which only looks its columns up.
    """
    if b.n_cols <= _FEW_COLUMNS + 8 * b.n_entries:
        return a, b
    columns, b_ranks = np.unique(b.indices, return_inverse=True)
    a_ranks = np.searchsorted(columns, a.indices)
    known = np.append(columns, -1)[a_ranks] == a.indices
    n_cols = len(columns) + 1
    dtype = index_dtype(n_cols)
    return (
        SparseRows(a.indptr, np.where(known, a_ranks, len(columns)).astype(dtype), None, n_cols),
        SparseRows(b.indptr, b_ranks.astype(dtype), None, n_cols),
    )
