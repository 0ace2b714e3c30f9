"""Found pairs in their promised order, with their similarity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks
from .csr import SparseRows
from .pairs import Pairs
from .rarejoin import FoundPairs

__all__ = ["rank_pairs", "weigh_shared"]

_PAIRS_TOGETHER = 1 << 16


def rank_pairs(
    a_sizes: npt.NDArray[np.int64],
    b_sizes: npt.NDArray[np.int64],
    found: FoundPairs,
    *,
    of_union: bool,
    top_k: int | None,
    overlaps: npt.NDArray[np.float64] | None,
) -> Pairs:
    """Put found pairs, (rows of a, rows of b, shared), into their promised order.

    Row of a ascending; within it `overlaps` descending where given, then the ratio descending,
    then row of b ascending. `top_k` keeps the first of each row.
    """
    a_rows, b_rows, shared = found
    jaccard = shared / (a_sizes[a_rows] + b_sizes[b_rows] - shared)
    containment = None if of_union else shared / a_sizes[a_rows]
    ratio = jaccard if containment is None else containment
    order = np.empty(len(a_rows), dtype=np.int64)
    ends = np.empty(len(a_sizes) + 1, dtype=np.int64)
    first, second = (ratio, np.empty(0)) if overlaps is None else (overlaps, ratio)
    _core.order_pairs(a_rows, b_rows, first, second, ends, order)
    if top_k is not None:
        counts = np.diff(ends[:-1], prepend=0)
        ranks = np.arange(len(order)) - np.repeat(ends[:-1] - counts, counts)
        order = order[ranks < top_k]
    return Pairs(
        a_rows[order],
        b_rows[order],
        jaccard[order],
        shared[order],
        containment=None if containment is None else containment[order],
        weighted_overlap=None if overlaps is None else overlaps[order],
    )


def weigh_shared(
    a: SparseRows,
    b: SparseRows,
    a_found: npt.NDArray[np.int64],
    b_found: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    n_threads: int,
) -> npt.NDArray[np.float64]:
    """Return the summed weight of the columns that each pair shares."""
    overlaps = np.empty(len(a_found))

    def weigh_block(start: int, stop: int) -> None:
        _core.weigh_shared(
            a.indptr, a.indices, b.indptr, b.indices, weights, a_found, b_found, overlaps,
            start, stop,
        )  # fmt: skip

    blocks = map_blocks(weigh_block, len(a_found), block_rows=_PAIRS_TOGETHER, n_threads=n_threads)
    for _ in blocks:
        pass
    return overlaps
