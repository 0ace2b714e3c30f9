"""Candidate pairs: which rows of one table share enough partners with which of another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .blocks import Progress, usable_threads
from .csr import (
    SparseRows,
    check_at_least_one,
    check_calls,
    check_partner_rarity,
    check_same_columns,
    sum_rows,
)
from .errors import ParameterError
from .joins import CountingJoin, Postings
from .pairs import Pairs

__all__ = ["find_candidates"]

_BLOCK_ROWS = 1024


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
        min_shared=check_at_least_one(min_shared, "min_shared"),
        top_k=check_at_least_one(top_k, "top_k"),
    )
    return join.run(
        block_rows=check_at_least_one(block_rows, "block_rows"),
        n_threads=n_threads,
        progress=progress,
    )


def _weigh_calls(
    rows: SparseRows, name: str, rarity: npt.NDArray[np.float64], n_threads: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return each entry's calls times its partner's rarity, and their sum per row."""
    calls, _ = check_calls(rows, name, n_threads=n_threads)
    weights = calls * rarity[rows.indices]
    return weights, sum_rows(rows, lambda part: weights[part], n_threads=n_threads)


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
