"""The exact join by a threshold: every pair of rows that shares enough.

Queries walk the posting lists of their rarer partners; the longest lists are skipped as far as
the threshold allows (Bayardo, Ma, Srikant, WWW 2007: prefix filtering) and looked up afterwards,
only in rows that can still reach it, or walked after all where those are many. Memory is asked for
some queries ahead, and rows of one community are neighbours on both sides, so that the walk finds
most of it in the cache.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import Progress, map_blocks
from .csr import SparseRows
from .postings import OrderedPostings, order_by_middle

__all__ = ["LISTS_HELD", "MATCHES_HELD", "SHORT_LIST", "OverlapJoin", "fewest_shared"]

SHORT_LIST = 8  # rows; walking such a list costs less than looking its column up in candidates
MATCHES_HELD = 1 << 18  # places for matches per worker, unless one query can need more
LISTS_HELD = 4096  # lists looked up together, unless one query has more
_BLOCK_ROWS = 4096

# Row of the query, row of the index, shared partners.
_Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]


def fewest_shared(least: float, most_partners: int) -> npt.NDArray[np.int64]:
    """Return, for rows of 0 to `most_partners`, the fewest shared partners that reach `least`.

    No union is smaller than the row, so ``count / n_partners >= least`` must hold in float64.
    The product is off by less than one, hence the look at both neighbours.
    """
    n_partners = np.arange(most_partners + 1, dtype=np.float64)
    fewest = np.maximum(np.ceil(least * n_partners), 1.0)
    n_partners[0] = 1.0  # never asked for: an empty row has no lists
    fewest -= (fewest > 1) & ((fewest - 1) / n_partners >= least)
    fewest += fewest / n_partners < least
    return fewest.astype(np.int64)


class _Scratch(threading.local):
    """One worker's counters and match buffers; every thread that joins gets its own."""

    def __init__(self, *, n_lists: int, longest: int, n_rows: int, block_rows: int) -> None:
        self.list_columns = np.empty(n_lists, dtype=np.int64)
        self.list_slots = np.empty(n_lists, dtype=np.int64)
        self.list_sizes = np.empty(n_lists, dtype=np.int64)
        self.ranked_sizes = np.empty(longest + 1, dtype=np.int64)
        self.skipped = np.empty(longest + 1, dtype=np.int64)
        self.counts = np.zeros(n_rows, dtype=np.int32)
        self.touched = np.empty(n_rows + 1, dtype=np.int32)
        self.match_ends = np.empty(block_rows, dtype=np.int64)
        n_matches = max(n_rows, MATCHES_HELD)
        self.match_places = np.empty(n_matches, dtype=np.int32)
        self.match_shared = np.empty(n_matches, dtype=np.int32)
        self.tally = np.zeros(3, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class OverlapJoin:
    """Queries, the posting lists they walk, and what a pair must reach.

    Parameters
    ----------
    queries : SparseRows
    postings : OrderedPostings
        Over the same columns.
    least : float
        Least ratio, above 0 and at most 1.
    of_union : bool
        Ratio of shared partners to the union (Jaccard); otherwise to the query's own.
    """

    queries: SparseRows
    postings: OrderedPostings
    least: float
    of_union: bool = True

    def run(
        self,
        *,
        n_threads: int,
        block_rows: int | None = None,
        progress: Progress | None = None,
        tally: npt.NDArray[np.int64] | None = None,
    ) -> _Found:
        """Return query row, index row and shared partners of all pairs, in no promised order.

        The pairs are the same for any `n_threads` and `block_rows`, and so is their order. `tally`
        (int64, 3 places) is added to: postings walked, rows touched, rows verified.
        """
        queries = self.queries
        order = order_by_middle(queries)
        longest = int(np.diff(queries.indptr).max(initial=0))
        fewest = fewest_shared(self.least, longest)
        block_rows = block_rows or min(self.postings.block_rows(queries), _BLOCK_ROWS)
        block_rows = min(block_rows, max(queries.n_rows, 1))
        scratch = _Scratch(
            n_lists=max(longest, LISTS_HELD),
            longest=longest,
            n_rows=self.postings.n_rows,
            block_rows=block_rows,
        )
        blocks = map_blocks(
            lambda start, stop: self._join_block(scratch, order, fewest, start, stop),
            queries.n_rows,
            block_rows=block_rows,
            n_threads=n_threads,
            progress=progress,
            stage="candidates",
        )
        none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))
        parts = [none]
        for found, counted in blocks:
            parts += found
            if tally is not None:
                tally += counted
        query_rows, rows, shared = (np.concatenate(column) for column in zip(*parts, strict=True))
        return query_rows, rows, shared

    def _join_block(
        self,
        scratch: _Scratch,
        order: npt.NDArray[np.int32],
        fewest: npt.NDArray[np.int64],
        start: int,
        stop: int,
    ) -> tuple[list[_Found], npt.NDArray[np.int64]]:
        """Join queries `start` to `stop`, emptying the match buffers as often as they may fill.

        Returns the matches, and the tally of the work.
        """
        parts = []
        scratch.tally[:] = 0
        while start < stop:
            done = self._fill_matches(scratch, order, fewest, start, stop)
            ends = scratch.match_ends[: done - start]
            n_matches = int(ends[-1])
            parts.append(
                (
                    np.repeat(order[start:done].astype(np.int64), np.diff(ends, prepend=0)),
                    self.postings.order[scratch.match_places[:n_matches]].astype(np.int64),
                    scratch.match_shared[:n_matches].copy(),
                )
            )
            start = done
        return parts, scratch.tally.copy()

    def _fill_matches(
        self,
        scratch: _Scratch,
        order: npt.NDArray[np.int32],
        fewest: npt.NDArray[np.int64],
        start: int,
        stop: int,
    ) -> int:
        """Fill the match buffers from query `start` on, and return the first one left over."""
        return _core.find_overlaps(
            self.queries.indptr,
            self.queries.indices,
            order,
            fewest,
            self.postings.used,
            self.postings.offsets,
            self.postings.places,
            self.postings.starts,
            self.postings.sizes,
            self.postings.columns,
            self.least,
            self.of_union,
            SHORT_LIST,
            scratch.list_columns,
            scratch.list_slots,
            scratch.list_sizes,
            scratch.ranked_sizes,
            scratch.skipped,
            scratch.counts,
            scratch.touched,
            scratch.match_ends,
            scratch.match_places,
            scratch.match_shared,
            scratch.tally,
            start,
            stop,
        )
