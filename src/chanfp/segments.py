"""Segments of an index: rows with posting lists that never change, merged like with like.

A log-structured merge (O'Neil et al., Acta Informatica 33, 1996) of neighbours only, so that rows
keep their order: each segment is several times the size of the next one, which makes few of them,
and few rebuildings of each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .csr import SparseRows
from .overlaps import OverlapJoin
from .postings import OrderedPostings
from .rowids import RowIds

__all__ = ["Segment", "settle"]

_MERGE_RATIO = 3  # each segment is at least so many times the size of the next one
_MOST_DEAD = 4  # a segment is built anew when one in so many rows is dead
_MAX_ROWS = 2**31 - 1

# Row of the query, row of the segment, shared partners.
_Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows that were added together, with posting lists; never modified.

    Parameters
    ----------
    ids : pyarrow.Array of string or int, shape (n_rows,)
    postings : OrderedPostings
    dead : ndarray of bool, shape (n_rows,), or None
        Rows that were removed since; None where there are none.
    """

    ids: pa.Array
    postings: OrderedPostings
    dead: npt.NDArray[np.bool_] | None = None

    @classmethod
    def from_rows(cls, ids: pa.Array, rows: SparseRows) -> Segment:
        """Make the posting lists of `rows`."""
        return cls(ids, OrderedPostings.from_rows(rows, "departed"))

    def __reduce__(self) -> tuple[Any, ...]:
        return Segment, (self.ids, self.postings, self.dead)

    @cached_property
    def n_dead(self) -> int:
        """Rows that were removed."""
        return 0 if self.dead is None else int(np.count_nonzero(self.dead))

    @property
    def n_rows(self) -> int:
        """Rows that are left."""
        return self.postings.n_rows - self.n_dead

    @property
    def weight(self) -> int:
        """Rows and entries, dead ones too: what building it anew costs."""
        return self.postings.n_rows + len(self.postings.places)

    @property
    def is_sparse(self) -> bool:
        """Whether so many rows are dead that building it anew pays."""
        return self.n_dead * _MOST_DEAD > self.postings.n_rows

    @cached_property
    def _numbers(self) -> npt.NDArray[np.int64]:
        return np.cumsum(~self.dead) - 1 if self.dead is not None else np.arange(self.n_rows)

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Columns of each row that is left (int64)."""
        sizes = self.postings.row_sizes
        return sizes if self.dead is None else sizes[~self.dead]

    @cached_property
    def _row_ids(self) -> RowIds:
        return RowIds.of(self.ids)

    def left_ids(self) -> pa.Array:
        """Return the ids of the rows that are left."""
        return self.ids if self.dead is None else self.ids.filter(pa.array(~self.dead))

    def left_rows(self) -> SparseRows:
        """Return the rows that are left."""
        rows = self.postings.to_rows()
        if self.dead is None:
            return rows
        indptr = np.zeros(self.n_rows + 1, dtype=np.int64)
        np.cumsum(self.sizes, out=indptr[1:])
        indices = rows.indices[np.repeat(~self.dead, np.diff(rows.indptr))]
        return SparseRows(indptr, indices, None, rows.n_cols)

    def numbers(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the numbers that rows have among those that are left."""
        return rows if self.dead is None else self._numbers[rows]

    def find(self, ids: pa.Array) -> npt.NDArray[np.int64]:
        """Return the row of each id (int64); -1 for one that isn't there, or is dead."""
        rows = self._row_ids.find(ids)
        if self.dead is not None:
            rows[(rows >= 0) & self.dead[rows]] = -1
        return rows

    def without(self, rows: npt.NDArray[np.int64]) -> Segment:
        """Return the segment with more rows dead; the posting lists are shared."""
        if not len(rows):
            return self
        dead = np.zeros(self.postings.n_rows, dtype=bool) if self.dead is None else self.dead.copy()
        dead[rows] = True
        shorter = Segment(self.ids, self.postings, dead)
        if "_row_ids" in self.__dict__:  # dear, and still true
            shorter.__dict__["_row_ids"] = self._row_ids
        return shorter

    def join(self, queries: SparseRows, least: float, *, of_union: bool, n_threads: int) -> _Found:
        """Return query rows, rows here and shared partners of the pairs that reach `least`.

        Dead rows are in no pair, but counted; `numbers` tells where a row stands among the others.
        """
        found = OverlapJoin(queries, self.postings, least, of_union).run(n_threads=n_threads)
        if self.dead is None:
            return found
        query_rows, rows, shared = found
        left = ~self.dead[rows]
        return query_rows[left], rows[left], shared[left]

    def placed_rows(self, rows: npt.NDArray[np.int64]) -> tuple[SparseRows, npt.NDArray[np.int64]]:
        """Return the rows as they stand in the posting lists, and the place of some there."""
        postings = self.postings
        placed = SparseRows(postings.starts, postings.columns, None, postings.n_cols)
        return placed, self._places[rows]

    @cached_property
    def _places(self) -> npt.NDArray[np.int64]:
        places = np.empty(self.postings.n_rows, dtype=np.int64)
        places[self.postings.order] = np.arange(self.postings.n_rows)
        return places


def settle(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Merge neighbours until each segment is several times the size of the next one.

    Dead rows are left behind wherever a segment is built anew, which is also done where many are
    dead. One segment at least is left, without rows if there are none.
    """
    runs: list[list[Segment]] = []
    for segment in segments:
        runs.append([segment])
        while len(runs) > 1 and _belong_together(runs[-2], runs[-1]):
            last = runs.pop()
            runs[-1] += last
    return tuple(run[0] if len(run) == 1 and not run[0].is_sparse else _merge(run) for run in runs)


def _belong_together(run: Sequence[Segment], following: Sequence[Segment]) -> bool:
    n_rows = sum(segment.n_rows for segment in (*run, *following))
    weight, next_weight = (sum(segment.weight for segment in part) for part in (run, following))
    is_empty = any(sum(segment.n_rows for segment in part) == 0 for part in (run, following))
    return is_empty or (weight < _MERGE_RATIO * next_weight and n_rows <= _MAX_ROWS)


def _merge(segments: Sequence[Segment]) -> Segment:
    """Build one segment of the rows that are left in some."""
    left = [segment for segment in segments if segment.n_rows] or segments[:1]
    if len(left) == 1 and not left[0].is_sparse:
        return left[0]
    rows = [segment.left_rows() for segment in left]
    indptr = np.zeros(sum(part.n_rows for part in rows) + 1, dtype=np.int64)
    np.cumsum(np.concatenate([np.diff(part.indptr) for part in rows]), out=indptr[1:])
    indices = np.concatenate([part.indices for part in rows])
    ids = pa.concat_arrays([segment.left_ids() for segment in left])
    return Segment.from_rows(ids, SparseRows(indptr, indices, None, rows[0].n_cols))
