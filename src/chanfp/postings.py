"""Posting lists of rows that stand next to their like, for joins by a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .csr import SparseRows, index_dtype
from .errors import ParameterError

__all__ = ["OrderedPostings", "close_ranks", "order_by_middle"]

_MAX_ROWS = 2**31 - 1
_MAX_BUCKETS = 1 << 16  # start positions that stay in a second-level cache
_FEW_RANKS = 2**32
_FEW_COLUMNS = 1 << 22
_SAMPLED_LISTS = 1 << 14
_BLOCK_POSTINGS = 1 << 27  # walked between two chances to stop; well under a second


def order_by_middle(rows: SparseRows) -> npt.NDArray[np.int32]:
    """Return the rows (int32, shape (n_rows,)) in the order of their middle column.

    Rows of one community have partners near one another in their middle, so what one row needs of
    memory the next one finds in the cache. The order is rough and never changes a result.
    """
    order = np.empty(rows.n_rows, dtype=np.int32)
    width = max(1, -(-rows.n_cols // _MAX_BUCKETS))
    _core.order_by_middle(
        rows.indptr,
        rows.indices,
        width,
        np.empty(rows.n_rows, dtype=np.int32),
        np.empty(rows.n_cols // width + 3, dtype=np.int64),
        order,
    )
    return order


@dataclass(frozen=True, eq=False)
class OrderedPostings:
    """Rows in an order of their own, and for each column the places that hold it.

    Parameters
    ----------
    order : ndarray of int32, shape (n_rows,)
        The row that stands at each place.
    starts : ndarray of int64, shape (n_rows + 1,)
        The row at place i holds ``columns[starts[i]:starts[i + 1]]``.
    columns : ndarray of int32 or int64, shape (n_entries,)
        Ascending within a row.
    used : ndarray of uint64, shape (2 * (n_cols // 64 + 1),)
        Which columns are in use: see ``_core.mark_used``.
    offsets : ndarray of int64, shape (n_used + 1,)
        The r-th used column's list is ``places[offsets[r]:offsets[r + 1]]``.
    places : ndarray of int32, shape (n_entries,)
        Ascending within a list.
    n_cols : int
        Size of the column universe.
    """

    order: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    columns: npt.NDArray[np.integer[Any]]
    used: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    n_cols: int

    @classmethod
    def from_rows(
        cls, rows: SparseRows, name: str, order: npt.NDArray[np.int32] | None = None
    ) -> OrderedPostings:
        """Make the posting lists of `rows`, by default in the order of `order_by_middle`.

        Raises
        ------
        ParameterError
            If there are more than 2**31 - 1 rows; `name` is what the message calls them.

        Notes
        -----
        Memory is 8 bytes per entry (12 for 64-bit columns), 8 per used column, 12 per row and a
        quarter of a byte per column of the universe; 4 more per entry until it returns.
        """
        if rows.n_rows > _MAX_ROWS:
            raise ParameterError(
                f"`{name}` must have at most {_MAX_ROWS} rows, got {rows.n_rows}; join it in parts."
            )
        if order is None:
            order = order_by_middle(rows)
        starts = np.zeros(rows.n_rows + 1, dtype=np.int64)
        np.cumsum(np.diff(rows.indptr)[order], out=starts[1:])
        columns = np.empty_like(rows.indices)
        _core.order_rows(rows.indptr, rows.indices, order, starts, columns)
        return cls.from_ordered(order, starts, columns, rows.n_cols)

    @classmethod
    def from_ordered(
        cls,
        order: npt.NDArray[np.int32],
        starts: npt.NDArray[np.int64],
        columns: npt.NDArray[np.integer[Any]],
        n_cols: int,
    ) -> OrderedPostings:
        """Make the posting lists of rows that already stand in their order."""
        used = np.empty(2 * (n_cols // 64 + 1), dtype=np.uint64)
        n_used = _core.mark_used(columns, used)
        offsets = np.empty(n_used + 2, dtype=np.int64)
        places = np.empty(len(columns), dtype=np.int32)
        rank_dtype: type[np.integer[Any]] = np.uint32 if n_used <= _FEW_RANKS else np.int64
        ranks = np.empty(len(columns), dtype=rank_dtype)
        _core.post_rows(starts, columns, used, ranks, offsets, places)
        return cls(order, starts, columns, used, offsets[:-1], places, n_cols)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.order)

    @cached_property
    def sizes(self) -> npt.NDArray[np.int32]:
        """Columns of the row at each place (int32)."""
        return np.diff(self.starts).astype(np.int32)

    @cached_property
    def row_sizes(self) -> npt.NDArray[np.int64]:
        """Columns of each row (int64)."""
        sizes = np.empty(self.n_rows, dtype=np.int64)
        sizes[self.order] = self.sizes
        return sizes

    def to_rows(self) -> SparseRows:
        """Return the rows in their first order."""
        indptr = np.zeros(self.n_rows + 1, dtype=np.int64)
        np.cumsum(self.row_sizes, out=indptr[1:])
        indices = np.empty_like(self.columns)
        places = np.empty(self.n_rows, dtype=np.int32)
        places[self.order] = np.arange(self.n_rows, dtype=np.int32)
        _core.order_rows(self.starts, self.columns, places, indptr, indices)
        return SparseRows(indptr, indices, None, self.n_cols)

    @cached_property
    def mean_list(self) -> float:
        """Return the length of the list that an average entry is in, from a sample of lists."""
        step = max(1, len(self.offsets) // _SAMPLED_LISTS)
        sizes = np.diff(self.offsets)[::step].astype(np.float64)
        return float(np.square(sizes).sum() / sizes.sum()) if sizes.size else 0.0

    def block_rows(self, queries: SparseRows) -> int:
        """Return how many queries leave a block short enough to stop after."""
        mean_size = queries.n_entries / max(queries.n_rows, 1)
        walked = mean_size * self.mean_list
        return max(int(_BLOCK_POSTINGS / max(walked, 1.0)), 1)


def close_ranks(queries: SparseRows, posted: SparseRows) -> tuple[SparseRows, SparseRows]:
    """Renumber the columns where `posted` uses few of a vast universe, such as hashed ones.

    A quarter of a byte per column would let memory follow the universe instead of the entries.
    Columns of a query that `posted` lacks all become the last one, which nobody there has; that
    breaks the query's canonical form but not the join, which only looks its columns up.
    """
    n_entries = queries.n_entries + posted.n_entries
    if posted.n_cols <= _FEW_COLUMNS + 32 * n_entries:
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
