"""The counting join of the best rows: posting lists of one table, walked for each row of another.

Shared partners are counted in per-worker arrays, a tile of rows at a time so that the arrays stay
in the cache, and the best rows kept in a total order, so the answer is the same for any number of
threads and any size of block or tile.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import Progress, map_blocks
from .csr import SparseRows
from .errors import ParameterError
from .pairs import Pairs

__all__ = ["CountingJoin", "Postings"]

_MATCHES_HELD = 1 << 18  # places for matches per worker, unless one row can need more
_TILE_ROWS = 8192  # rows of b whose counters stay in a second-level cache together
_MAX_TILES = 64  # more would cost light queries more than the cache saves heavy ones
_MAX_ROWS = 2**31 - 1

# Rows of a, rows of b, Jaccard, shared partners, weighted Jaccard.
_Columns = tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.int32],
    npt.NDArray[np.float64],
]


@dataclass(frozen=True, eq=False)
class Postings:
    """For each column the rows that hold it, ascending, and their weights.

    Parameters
    ----------
    offsets : ndarray of int64, shape (n_cols + 1,)
        Column c's list is ``offsets[c]`` to ``offsets[c + 1]``.
    rows : ndarray of int32, shape (n_entries,)
    weights : ndarray of float64, shape (n_entries,), or empty
        Empty where only presence counts.
    """

    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]

    @classmethod
    def from_rows(
        cls, rows: SparseRows, name: str, weights: npt.NDArray[np.float64] | None = None
    ) -> Postings:
        """Make the posting lists of `rows`, with the weight of each entry where they are given.

        Raises
        ------
        ParameterError
            If there are more than 2**31 - 1 rows; `name` is what the message calls them.
        """
        if rows.n_rows > _MAX_ROWS:
            raise ParameterError(
                f"`{name}` must have at most {_MAX_ROWS} rows, got {rows.n_rows}; join it in parts."
            )
        values = _floats(weights)
        postings = cls(
            offsets=np.empty(rows.n_cols + 1, dtype=np.int64),
            rows=np.empty(rows.n_entries, dtype=np.int32),
            weights=np.empty(len(values), dtype=np.float64),
        )
        _core.transpose_rows(
            rows.indptr,
            rows.indices,
            values,
            postings.offsets,
            postings.rows,
            postings.weights,
        )
        return postings


class _Scratch(threading.local):
    """One worker's counters and match buffers; every thread that joins gets its own."""

    def __init__(self, *, n_lists: int, tile_rows: int, block_rows: int, n_matches: int) -> None:
        self.list_slots = np.empty(n_lists, dtype=np.int64)
        self.list_ends = np.empty(n_lists, dtype=np.int64)
        self.list_weights = np.empty(n_lists, dtype=np.float64)
        self.counts = np.zeros(tile_rows, dtype=np.int32)
        self.overlaps = np.empty(tile_rows, dtype=np.float64)
        self.touched = np.empty(tile_rows, dtype=np.int32)
        self.match_ends = np.empty(block_rows, dtype=np.int64)
        self.match_rows = np.empty(n_matches, dtype=np.int64)
        self.match_jaccards = np.empty(n_matches, dtype=np.float64)
        self.match_weights = np.empty(n_matches, dtype=np.float64)
        self.match_shared = np.empty(n_matches, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class CountingJoin:
    """Two tables over the same columns, the posting lists of b, and which matches count.

    Parameters
    ----------
    a, b : SparseRows
        Nothing is checked here; the callers do.
    postings : Postings
        Of `b`.
    top_k : int
        Matches kept per row of a.
    min_jaccard : float
        Least Jaccard index; 0 for none.
    min_shared : int
        Least number of shared partners.
    a_weights : ndarray of float64, shape (a.n_entries,), or None
        Weight of each entry of a.
    a_totals, b_totals : ndarray of float64, shape (n_rows,), or None
        Their sum per row. If these three and the weights of `postings` are given, matches carry
        their ``tfidf_jaccard``, and it decides among equal Jaccard similarities.
    a_begins, b_begins : ndarray of int64, shape (n_rows,), or None
        If given, only a row of b that began before the row of a can match it.
    """

    a: SparseRows
    b: SparseRows
    postings: Postings
    top_k: int
    min_jaccard: float = 0.0
    min_shared: int = 1
    a_weights: npt.NDArray[np.float64] | None = None
    a_totals: npt.NDArray[np.float64] | None = None
    b_totals: npt.NDArray[np.float64] | None = None
    a_begins: npt.NDArray[np.int64] | None = None
    b_begins: npt.NDArray[np.int64] | None = None

    def run(self, *, block_rows: int, n_threads: int, progress: Progress | None = None) -> Pairs:
        """Return all matches; the same for any `block_rows` and `n_threads`."""
        block_rows = min(block_rows, max(self.a.n_rows, 1))
        most_per_row = min(self.top_k, self.b.n_rows)
        scratch = _Scratch(
            n_lists=int(np.diff(self.a.indptr).max(initial=0)),
            tile_rows=max(_TILE_ROWS, self.b.n_rows // _MAX_TILES),
            block_rows=block_rows,
            n_matches=max(most_per_row, min(most_per_row * block_rows, _MATCHES_HELD)),
        )
        blocks = map_blocks(
            lambda start, stop: self._join_block(scratch, start, stop),
            self.a.n_rows,
            block_rows=block_rows,
            n_threads=n_threads,
            progress=progress,
            stage="candidates",
        )
        return self._gather([part for block in blocks for part in block])

    def _join_block(self, scratch: _Scratch, start: int, stop: int) -> list[_Columns]:
        """Join rows `start` to `stop`, emptying the match buffers as often as they may fill."""
        parts = []
        while start < stop:
            done = self._fill_matches(scratch, start, stop)
            ends = scratch.match_ends[: done - start]
            filled = slice(0, int(ends[-1]))
            rows = np.arange(start, done, dtype=np.int64)
            parts.append(
                (
                    np.repeat(rows, np.diff(ends, prepend=0)),
                    scratch.match_rows[filled].copy(),
                    scratch.match_jaccards[filled].copy(),
                    scratch.match_shared[filled].copy(),
                    scratch.match_weights[filled].copy(),
                )
            )
            start = done
        return parts

    def _fill_matches(self, scratch: _Scratch, start: int, stop: int) -> int:
        """Fill the match buffers from row `start` on, and return the first row left over."""
        return _core.join_rows(
            self.a.indptr,
            self.a.indices,
            _floats(self.a_weights),
            _floats(self.a_totals),
            _dates(self.a_begins),
            self.b.indptr,
            _floats(self.b_totals),
            _dates(self.b_begins),
            self.postings.offsets,
            self.postings.rows,
            self.postings.weights,
            self.min_jaccard,
            self.min_shared,
            self.top_k,
            scratch.list_slots,
            scratch.list_ends,
            scratch.list_weights,
            scratch.counts,
            scratch.overlaps,
            scratch.touched,
            scratch.match_ends,
            scratch.match_rows,
            scratch.match_jaccards,
            scratch.match_weights,
            scratch.match_shared,
            start,
            stop,
        )

    def _gather(self, parts: list[_Columns]) -> Pairs:
        """Lay the parts end to end."""
        a_rows, b_rows, jaccard, n_shared, tfidf_jaccard = (
            np.concatenate(column) for column in zip(_no_matches(), *parts, strict=True)
        )
        if self.b_totals is None:
            return Pairs(a_rows, b_rows, jaccard, n_shared)
        return Pairs(a_rows, b_rows, jaccard, n_shared, tfidf_jaccard)


def _no_matches() -> _Columns:
    return (
        np.empty(0, dtype=np.int64),
        np.empty(0, dtype=np.int64),
        np.empty(0, dtype=np.float64),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.float64),
    )


def _floats(array: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    """Return the array, or the empty one that tells a kernel there is none."""
    return np.empty(0, dtype=np.float64) if array is None else array


def _dates(array: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    """Return the array, or the empty one that tells a kernel there is none."""
    return np.empty(0, dtype=np.int64) if array is None else array
