"""Exact pairs of a few rows with many, by the join of all.

What stands in a bucket too large to be looked at pair by pair, and the truth that a recall is
measured against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks
from .csr import SparseRows, take_rows
from .overlaps import OverlapJoin
from .postings import OrderedPostings, close_ranks

__all__ = ["BandKeys", "FoundPairs", "join_few", "merge_found", "sketch_rows"]

# Rows of a, rows of b, shared columns.
FoundPairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]

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


def join_few(
    a: SparseRows,
    a_rows: npt.NDArray[np.int64],
    b: SparseRows,
    b_rows: npt.NDArray[np.int64],
    min_jaccard: float,
    *,
    keys: BandKeys | None = None,
    band: int = 0,
    n_threads: int = 1,
) -> FoundPairs:
    """Return the pairs of `a_rows` with `b_rows` whose Jaccard index is at least `min_jaccard`.

    Parameters
    ----------
    a, b : SparseRows
        Over the same columns.
    a_rows, b_rows : ndarray of int64
        Rows to compare, each at most once; those of `a`, which get the posting lists, better the
        fewer.
    min_jaccard : float
        Above 0 and at most 1.
    keys : BandKeys, optional
        If given, pairs whose keys agree in one of the first `band` bands are left out.
    band : int
    n_threads : int

    Returns
    -------
    FoundPairs
        In no promised order, but the same one for any `n_threads`.

    Notes
    -----
    The join is that of `jaccard_join`; its time is mostly a look-up per entry of `b_rows`.
    """
    many = b if len(b_rows) == b.n_rows else take_rows(b, b_rows)
    queries, posted = close_ranks(many, take_rows(a, a_rows))
    postings = OrderedPostings.from_rows(posted, "a")
    b_places, a_places, shared = OverlapJoin(queries, postings, min_jaccard).run(
        n_threads=n_threads
    )
    a_found = a_rows[a_places]
    b_found = b_rows[b_places] if many is not b else b_places
    if keys is None or band == 0:
        return a_found, b_found, shared
    is_met = np.empty(len(shared), dtype=np.uint8)
    _core.find_met(keys.a, a_found, keys.b, b_found, keys.n_bands, band, is_met)
    is_unmet = is_met == 0
    return a_found[is_unmet], b_found[is_unmet], shared[is_unmet]


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


def merge_found(parts: list[FoundPairs]) -> FoundPairs:
    """Lay the parts end to end."""
    return (
        np.concatenate([np.empty(0, dtype=np.int64), *(part[0] for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.int32), *(part[2] for part in parts)]),
    )
