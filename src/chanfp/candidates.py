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
from .joins import BestJoin, order_by_size
from .pairs import Pairs
from .postings import OrderedPostings

__all__ = ["find_candidates"]

_BLOCK_ROWS = 1024
_RANKINGS = ("jaccard", "rarity")


def find_candidates(
    new: SparseRows,
    departed: SparseRows,
    *,
    partner_rarity: npt.ArrayLike,
    top_k: int,
    min_shared: int = 1,
    rank_by: str = "jaccard",
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
    rank_by : {"jaccard", "rarity"}
        What is most similar. "rarity" adds up the rarity of the shared partners, so that three
        very rare ones count however many others the two have.
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
        New row ascending; within it (ranked by rarity) ``weighted_overlap`` descending, then
        Jaccard descending, then ``tfidf_jaccard`` descending, then departed row ascending. Calls
        are weighted by the partner's rarity in ``tfidf_jaccard``. An empty row is in no pair.

    Raises
    ------
    ParameterError
        If an argument is outside its range or doesn't fit another.

    Notes
    -----
    Time is mostly that of walking, per new row, the departed rows of all partners but its most
    frequent ones. Memory is 8 bytes per departed entry and used column (see `OrderedPostings`).
    """
    if rank_by not in _RANKINGS:
        raise ParameterError(
            f"`rank_by` must be one of {', '.join(_RANKINGS)}, got {rank_by!r}; leave it out."
        )
    n_threads = usable_threads(n_threads)
    check_same_columns(new, departed, "new", "departed")
    if (new_begins is None) != (departed_begins is None):
        raise ParameterError(
            "`new_begins` and `departed_begins` must be given together or not at all; got one."
        )
    rarity = check_partner_rarity(partner_rarity, new.n_cols)
    new_totals = _weigh_calls(new, "new", rarity, n_threads)
    departed_totals = _weigh_calls(departed, "departed", rarity, n_threads)
    join = BestJoin(
        a=new,
        b=departed,
        postings=OrderedPostings.from_rows(departed, "departed", order_by_size(departed)),
        rarity=rarity,
        a_totals=new_totals,
        b_totals=departed_totals,
        top_k=check_at_least_one(top_k, "top_k"),
        min_shared=check_at_least_one(min_shared, "min_shared"),
        by_rarity=rank_by == "rarity",
        a_begins=_check_begins(new_begins, new.n_rows, "new_begins"),
        b_begins=_check_begins(departed_begins, departed.n_rows, "departed_begins"),
    )
    return join.run(
        block_rows=check_at_least_one(block_rows, "block_rows"),
        n_threads=n_threads,
        progress=progress,
    )


def _weigh_calls(
    rows: SparseRows, name: str, rarity: npt.NDArray[np.float64], n_threads: int
) -> npt.NDArray[np.float64]:
    """Return each row's sum of calls times the partner's rarity."""
    calls, _ = check_calls(rows, name, n_threads=n_threads)
    return sum_rows(
        rows, lambda part: calls[part] * rarity[rows.indices[part]], n_threads=n_threads
    )


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
