"""Exact pairs of a few rows with many, through the rare columns of the few.

What stands in a bucket too large to be looked at pair by pair, and the truth that a recall is
measured against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks
from .csr import SparseRows

__all__ = ["BandKeys", "ColumnCounts", "FoundPairs", "join_few", "merge_found", "sketch_rows"]

# Rows of a, rows of b, shared columns.
FoundPairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]

_COUNT_BITS = 18  # of the hashed table of counts; 1 MiB
_COUNTED_ENTRIES = 1 << 20
_TABLE_BITS = 17
_PLACES = 1 << 16  # for pairs per worker, unless one row can need more
_BLOCK_ROWS = 1 << 15


@dataclass(frozen=True, eq=False)
class BandKeys:
    """Keys of all bands, to leave out the pairs that met in an earlier one.

    Parameters
    ----------
    a, b : ndarray of uint32, shape (n_rows * n_bands,)
    n_bands : int
    """

    a: npt.NDArray[np.uint32]
    b: npt.NDArray[np.uint32]
    n_bands: int


_NO_KEYS = BandKeys(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.uint32), 0)


@dataclass(frozen=True, eq=False)
class ColumnCounts:
    """Roughly how often each column occurs, in a hashed table of fixed size.

    Any order of the columns gives the same pairs; a good one puts the rare ones first.
    """

    table: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, rows: SparseRows) -> ColumnCounts:
        """Count the columns of an evenly spaced sample of the entries."""
        table = np.zeros(1 << _COUNT_BITS, dtype=np.uint32)
        step = max(1, rows.n_entries // _COUNTED_ENTRIES)
        _core.count_columns(rows.indices, step, 64 - _COUNT_BITS, table)
        return cls(table)


def join_few(
    a: SparseRows,
    a_rows: npt.NDArray[np.int64],
    b: SparseRows,
    b_rows: npt.NDArray[np.int64],
    min_jaccard: float,
    counts: ColumnCounts,
    sketches: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]],
    *,
    keys: BandKeys = _NO_KEYS,
    band: int = 0,
    n_threads: int = 1,
) -> FoundPairs:
    """Return the pairs of `a_rows` with `b_rows` whose Jaccard index is at least `min_jaccard`.

    Parameters
    ----------
    a, b : SparseRows
        Over the same columns.
    a_rows, b_rows : ndarray of int64
        Rows to compare, each at most once.
    min_jaccard : float
        Above 0 and at most 1.
    counts : ColumnCounts
        Of `b`.
    sketches : tuple of ndarray of uint64, shapes (2 * n_rows,)
        Of all rows of `a` and of `b`, as `sketch_rows` makes them.
    keys : BandKeys
        If given, pairs whose keys agree in one of the first `band` bands are left out.
    band : int
    n_threads : int

    Returns
    -------
    FoundPairs
        In the order of `b_rows`.

    Notes
    -----
    Time is one look-up per entry of `b_rows`, plus the pairs that share a rare column of a.
    Memory is about 16 bytes per entry of `a_rows`.
    """
    n_entries = int((a.indptr[a_rows + 1] - a.indptr[a_rows]).sum())
    # Mostly empty while that fits a second-level cache: few look-ups go any further then.
    bits = max(4, (2 * n_entries).bit_length(), min((8 * n_entries).bit_length(), _TABLE_BITS))
    heads = np.full(1 << bits, -1, dtype=np.int32)
    chain, owners = np.empty(n_entries, dtype=np.int32), np.empty(n_entries, dtype=np.int32)
    columns = np.empty(n_entries, dtype=a.indices.dtype)
    order = np.empty(int(np.diff(a.indptr).max(initial=1)), dtype=np.uint64)
    _core.index_rare(
        a.indptr, a.indices, a_rows, min_jaccard, counts.table, 64 - _COUNT_BITS, order,
        64 - bits, heads, chain, owners, columns,
    )  # fmt: skip
    n_places = max(_PLACES, len(a_rows))

    def join_block(start: int, stop: int) -> FoundPairs:
        places: FoundPairs = (
            np.empty(n_places, dtype=np.int64),
            np.empty(n_places, dtype=np.int64),
            np.empty(n_places, dtype=np.int32),
        )
        parts = []
        while start < stop:
            stamps = np.zeros(len(a_rows), dtype=np.int32)
            start, n_found = _core.join_rare(
                a.indptr, a.indices, a_rows, b.indptr, b.indices, b_rows, min_jaccard,
                64 - bits, heads, chain, owners, columns, stamps, sketches[0], sketches[1],
                keys.a, keys.b, keys.n_bands, band, places[0], places[1], places[2],
                start, stop,
            )  # fmt: skip
            parts.append(_copy_found(places, n_found))
        return merge_found(parts)

    return merge_found(
        list(map_blocks(join_block, len(b_rows), block_rows=_BLOCK_ROWS, n_threads=n_threads))
    )


def sketch_rows(rows: SparseRows, *, n_threads: int = 1) -> npt.NDArray[np.uint64]:
    """Return a bitmap of 128 bits per row, two words each, which bounds overlaps from above.

    A bit that one row has and another lacks stands for at least one column that they don't share
    (Sandes, Teodoro, Melo 2020).
    """
    sketches = np.empty(2 * rows.n_rows, dtype=np.uint64)

    def sketch_block(start: int, stop: int) -> None:
        _core.sketch_rows(rows.indptr, rows.indices, sketches, start, stop)

    for _ in map_blocks(sketch_block, rows.n_rows, block_rows=_BLOCK_ROWS, n_threads=n_threads):
        pass
    return sketches


def _copy_found(places: FoundPairs, n_found: int) -> FoundPairs:
    return places[0][:n_found].copy(), places[1][:n_found].copy(), places[2][:n_found].copy()


def merge_found(parts: list[FoundPairs]) -> FoundPairs:
    """Lay the parts end to end."""
    return (
        np.concatenate([np.empty(0, dtype=np.int64), *(part[0] for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.int32), *(part[2] for part in parts)]),
    )
