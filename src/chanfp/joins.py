"""The join of the best rows: of each row of one table the most similar ones of another.

Queries walk the posting lists of their rarer partners first; what the best rows surely reach by
then bounds how far the longer lists can still matter. The best are kept in a total order, so the
answer is that of walking everything, for any number of threads and any size of block.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import Progress, map_blocks
from .csr import SparseRows
from .errors import ParameterError
from .pairs import Pairs
from .postings import OrderedPostings, order_by_middle

__all__ = ["BestJoin", "order_by_size"]

_SHORT_LIST = 16  # rows; walking such a list costs less than asking whether it must be walked
_MATCHES_HELD = 1 << 18  # places for matches per worker, unless one query can need more
_LISTS_HELD = 4096  # lists looked up together, unless one query has more
_MOST_PARTNERS = 2**28  # of a query ranked by rarity, whose sums must fit 32 bits

_MATCH = np.dtype(
    [
        ("row", np.int64),
        ("score", np.float64),
        ("jaccard", np.float64),
        ("weight", np.float64),
        ("n_shared", np.int64),
    ]
)

# Row of the query of each match, and the match.
_Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.void]]


def order_by_size(rows: SparseRows) -> npt.NDArray[np.int32]:
    """Return the rows (int32, shape (n_rows,)) by class of size, within it by middle column.

    The places of a posting list then ascend by size, so that those of too small or too large
    rows stand at its ends.
    """
    order = order_by_middle(rows)
    classes = _size_classes(np.diff(rows.indptr)[order])
    return order[np.argsort(classes, kind="stable")]


def _size_classes(sizes: npt.NDArray[np.integer]) -> npt.NDArray[np.int16]:
    """Return the class of each size: four to each doubling, ascending."""
    mantissas, exponents = np.frexp(sizes.astype(np.float64))
    return (4 * exponents + (8 * mantissas).astype(np.int64)).astype(np.int16)


class _Scratch(threading.local):
    """One worker's counters and match buffers; every thread that joins gets its own."""

    def __init__(self, *, n_lists: int, n_rows: int, top_k: int, block_rows: int) -> None:
        self.list_columns = np.empty(n_lists, dtype=np.int64)
        self.list_slots = np.empty(n_lists, dtype=np.int64)
        self.list_sizes = np.empty(n_lists, dtype=np.int64)
        self.list_units = np.empty(n_lists, dtype=np.int32)
        self.counts = np.zeros(n_rows, dtype=np.int32)
        self.touched = np.empty(n_rows + 1, dtype=np.int32)
        self.heap = np.empty(top_k, dtype=np.float64)
        self.match_ends = np.empty(block_rows, dtype=np.int64)
        n_matches = max(top_k, min(top_k * block_rows, _MATCHES_HELD))
        self.matches = np.empty(n_matches, dtype=_MATCH)


@dataclass(frozen=True, eq=False)
class BestJoin:
    """Two tables over the same columns, the posting lists of b, and which matches count.

    Parameters
    ----------
    a, b : SparseRows
        With values, the calls per partner. Nothing is checked here; the callers do.
    postings : OrderedPostings
        Of `b`, in the order of `order_by_size`.
    rarity : ndarray of float64, shape (n_cols,)
        Weight of each column.
    a_totals, b_totals : ndarray of float64, shape (n_rows,)
        Sum per row of values times rarity.
    top_k : int
        Matches kept per row of a.
    min_shared : int
        Least number of shared partners.
    by_rarity : bool
        Ranked by the summed rarity of the shared columns, and only then by Jaccard similarity.
    a_begins, b_begins : ndarray of int64, shape (n_rows,), or None
        If given, only a row of b that began before the row of a can match it.
    """

    a: SparseRows
    b: SparseRows
    postings: OrderedPostings
    rarity: npt.NDArray[np.float64]
    a_totals: npt.NDArray[np.float64]
    b_totals: npt.NDArray[np.float64]
    top_k: int
    min_shared: int = 1
    by_rarity: bool = False
    a_begins: npt.NDArray[np.int64] | None = None
    b_begins: npt.NDArray[np.int64] | None = None

    def run(self, *, block_rows: int, n_threads: int, progress: Progress | None = None) -> Pairs:
        """Return all matches; the same for any `block_rows` and `n_threads`.

        Raises
        ------
        ParameterError
            If a row is too long to be ranked by rarity.
        """
        longest = int(np.diff(self.a.indptr).max(initial=0))
        if self.by_rarity and longest > _MOST_PARTNERS:
            raise ParameterError(
                f"`rank_by` 'rarity' takes rows of at most {_MOST_PARTNERS} partners, got "
                f"{longest}; drop that row."
            )
        block_rows = min(block_rows, self.postings.block_rows(self.a), max(self.a.n_rows, 1))
        order = order_by_middle(self.a)
        fewest = np.full(longest + 1, self.min_shared, dtype=np.int64)
        scratch = _Scratch(
            n_lists=max(longest, _LISTS_HELD),
            n_rows=self.b.n_rows,
            top_k=self._most_kept,
            block_rows=block_rows,
        )
        blocks = map_blocks(
            lambda start, stop: self._join_block(scratch, order, fewest, start, stop),
            self.a.n_rows,
            block_rows=block_rows,
            n_threads=n_threads,
            progress=progress,
            stage="candidates",
        )
        return self._gather([part for block in blocks for part in block])

    @property
    def _most_kept(self) -> int:
        return min(self.top_k, self.b.n_rows)

    @cached_property
    def _classes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the least size of each class of size, and the place where it starts."""
        sizes = self.postings.sizes
        starts = np.flatnonzero(np.diff(_size_classes(sizes), prepend=-1))
        least = np.minimum.reduceat(sizes, starts) if len(starts) else sizes
        return least.astype(np.int64), np.append(starts, len(sizes))

    @cached_property
    def _hubs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
        """Return where the lists of hubs begin, and a bitmap of each hub's places.

        A list of one place in 32 takes as much memory as its bitmap.
        """
        postings, n_rows = self.postings, self.b.n_rows
        hubs = np.flatnonzero(np.diff(postings.offsets) > max(n_rows // 32, _SHORT_LIST))
        bitmaps = np.zeros((len(hubs), -(-n_rows // 64)), dtype="<u8")
        is_in = np.empty(64 * bitmaps.shape[1], dtype=bool)
        for hub, bitmap in zip(hubs, bitmaps.view(np.uint8), strict=True):
            is_in[:] = False
            is_in[postings.places[postings.offsets[hub] : postings.offsets[hub + 1]]] = True
            bitmap[:] = np.packbits(is_in, bitorder="little")
        return postings.offsets[hubs], bitmaps.astype(np.uint64, copy=False).ravel()

    @cached_property
    def _begins(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return when rows of a and places of b begin; empty if nobody asks."""
        if self.a_begins is None or self.b_begins is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        return self.a_begins, self.b_begins[self.postings.order]

    def _join_block(
        self,
        scratch: _Scratch,
        order: npt.NDArray[np.int32],
        fewest: npt.NDArray[np.int64],
        start: int,
        stop: int,
    ) -> list[_Found]:
        """Join queries `start` to `stop`, emptying the match buffers as often as they may fill."""
        parts = []
        while start < stop:
            done = self._fill_matches(scratch, order, fewest, start, stop)
            ends = scratch.match_ends[: done - start]
            rows = np.repeat(order[start:done].astype(np.int64), np.diff(ends, prepend=0))
            parts.append((rows, scratch.matches[: int(ends[-1])].copy()))
            start = done
        return parts

    def _fill_matches(
        self,
        scratch: _Scratch,
        order: npt.NDArray[np.int32],
        fewest: npt.NDArray[np.int64],
        start: int,
        stop: int,
    ) -> int:
        """Fill the match buffers from query `start` on, and return the first one left over."""
        a, b, postings = self.a, self.b, self.postings
        a_values, b_values = (cast(npt.NDArray[np.float64], rows.values) for rows in (a, b))
        return _core.find_best(
            self.by_rarity, self.min_shared, self._most_kept, _SHORT_LIST,
            a.indptr, a.indices, a_values, self.a_totals, self._begins[0], order, fewest,
            b.indptr, b.indices, b_values, self.b_totals, self.rarity,
            postings.used, postings.offsets, postings.places, postings.order, postings.starts,
            postings.sizes, postings.columns, self._begins[1], *self._classes,
            *self._hubs,
            scratch.list_columns, scratch.list_slots, scratch.list_sizes, scratch.list_units,
            scratch.counts, scratch.touched, scratch.heap, scratch.match_ends, scratch.matches,
            start, stop,
        )  # fmt: skip

    def _gather(self, parts: list[_Found]) -> Pairs:
        """Lay the parts end to end, by row of a; a row's matches are in order already."""
        none = (np.empty(0, dtype=np.int64), np.empty(0, dtype=_MATCH))
        rows, matches = (np.concatenate(column) for column in zip(none, *parts, strict=True))
        order = np.argsort(rows, kind="stable")
        matches = matches[order]
        return Pairs(
            rows[order],
            matches["row"].copy(),
            matches["jaccard"].copy(),
            matches["n_shared"].astype(np.int32),
            matches["weight"].copy(),
            weighted_overlap=matches["score"].copy() if self.by_rarity else None,
        )
