"""Grouping: the calls of subscriptions in their windows, one entry per partner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from . import _core
from .activity import Calls
from .blocks import map_blocks
from .roles import Role

__all__ = ["Grouped", "group_calls"]

BLOCK_ROWS = 1 << 13


@dataclass(frozen=True, eq=False)
class Grouped:
    """Calls by row and partner.

    Parameters
    ----------
    indptr : int64 array
        Entries of row i are ``indptr[i]`` to ``indptr[i + 1]``.
    partners : uint64 array
        Number key of each entry, ascending within a row, each once.
    calls : int32 array
    seconds : int64 array
    outgoing : int32 array
        Calls and messages, talk time, and calls made, of each entry.
    """

    indptr: npt.NDArray[np.int64]
    partners: npt.NDArray[np.uint64]
    calls: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.int64]
    outgoing: npt.NDArray[np.int32]

    def matrix(self, columns: npt.NDArray[np.int32], n_columns: int) -> csr_array:
        """Return the calls as a sparse matrix, given each entry's column."""
        return csr_array(
            (self.calls, columns, self.indptr), shape=(len(self.indptr) - 1, n_columns)
        )


def group_calls(
    calls: Calls, role: Role, *, n_threads: int | None = None, block_rows: int = BLOCK_ROWS
) -> Grouped:
    """Group the calls of the subscriptions in a role, each in its window.

    Parameters
    ----------
    calls : Calls
    role : Role
    n_threads : int, optional
        Default every usable core.
    block_rows : int
        Rows per block of work, at least 1.

    Returns
    -------
    Grouped
        One row per subscription of the role; the same for any threads and blocks.
    """
    n_calls = np.diff(calls.indptr)[role.holdings]

    def group(start: int, stop: int) -> tuple[npt.NDArray[np.generic], ...]:
        n_most, longest = int(n_calls[start:stop].sum()), int(n_calls[start:stop].max(initial=1))
        n_partners = np.empty(stop - start, np.int64)
        partners = np.empty(n_most, np.uint64)
        counts, outgoing = np.empty(n_most, np.int32), np.empty(n_most, np.int32)
        seconds = np.empty(n_most, np.int64)
        n_entries = _core.group_calls(
            calls.indptr,
            calls.words,
            role.holdings,
            role.start_s,
            role.end_s,
            start,
            stop,
            np.zeros(8 * longest, np.uint64),
            np.empty(2 * longest, np.uint64),
            n_partners,
            partners,
            counts,
            seconds,
            outgoing,
        )
        filled = slice(0, n_entries)
        # Copies, so that the room for all calls doesn't outlive the block.
        return (
            n_partners,
            *(column[filled].copy() for column in (partners, counts, seconds, outgoing)),
        )

    nothing = [np.zeros(0, dtype) for dtype in (np.int64, np.uint64, np.int32, np.int64, np.int32)]
    blocks = map_blocks(group, len(role.holdings), block_rows=block_rows, n_threads=n_threads)
    columns = [np.concatenate(parts) for parts in zip(nothing, *blocks, strict=True)]
    indptr = np.zeros(len(role.holdings) + 1, np.int64)
    np.cumsum(columns[0], out=indptr[1:])
    return Grouped(indptr, *columns[1:])
