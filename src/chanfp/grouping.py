"""Grouping: the calls of subscriptions in their windows, one entry per partner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from . import _core
from .blocks import map_ordered
from .calls import Calls, CallStore
from .roles import Role

__all__ = ["Grouped", "find_seen", "group_calls"]

# Partners of each row; partner, calls, seconds and outgoing calls of each entry.
_Columns = tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.uint64],
    npt.NDArray[np.int32],
    npt.NDArray[np.int64],
    npt.NDArray[np.int32],
]
COLUMN_TYPES = (np.int64, np.uint64, np.int32, np.int64, np.int32)


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

    def only_entries(self, kept: npt.NDArray[np.bool_]) -> Grouped:
        """Return the entries kept; every row stays."""
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept, dtype=np.int64)])
        return Grouped(
            before[self.indptr],
            self.partners[kept],
            self.calls[kept],
            self.seconds[kept],
            self.outgoing[kept],
        )

    def only(self, chosen: npt.NDArray[np.bool_]) -> Grouped:
        """Return the chosen rows."""
        if chosen.all():
            return self
        sizes = np.diff(self.indptr)
        entries = np.repeat(chosen, sizes)
        indptr = np.zeros(int(np.count_nonzero(chosen)) + 1, np.int64)
        np.cumsum(sizes[chosen], out=indptr[1:])
        return Grouped(
            indptr,
            self.partners[entries],
            self.calls[entries],
            self.seconds[entries],
            self.outgoing[entries],
        )

    def matrix(self, columns: npt.NDArray[np.int32], n_columns: int) -> csr_array:
        """Return the calls as a sparse matrix, given each entry's column.

        Indices have 32 bits where offsets fit into these, for SciPy has one width for both.
        """
        indptr = self.indptr.astype(np.int32) if len(columns) < 2**31 else self.indptr
        return csr_array((self.calls, columns, indptr), shape=(len(indptr) - 1, n_columns))


def group_calls(
    store: CallStore,
    n_calls: npt.NDArray[np.int64],
    roles: Sequence[Role],
    *,
    n_threads: int | None = None,
) -> list[Grouped]:
    """Group the calls of the subscriptions in each role, each in its window.

    Parameters
    ----------
    store : CallStore
    n_calls : int64 array
        Calls of each holding in the store.
    roles : sequence of Role
        Holdings ascending, as roles are.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.

    Returns
    -------
    list of Grouped
        One per role, a row per subscription.
    """

    def group(partition: int) -> list[_Columns]:
        calls = store.calls(partition, n_calls)
        return [_group_role(calls, role) for role in roles]

    wholes = [_Whole() for _ in roles]
    for found in map_ordered(group, range(store.n_partitions), n_threads=n_threads):
        for whole, piece in zip(wholes, found, strict=True):
            whole.add(piece)
    return [whole.grouped() for whole in wholes]


class _Whole:
    """The entries of one role, piece by piece; no piece is held longer than it takes to copy it.

    Arrays grow by an eighth, in place where the system can move pages, so that memory follows the
    entries and not twice their number, as it would if pieces were put together at the end.
    """

    def __init__(self) -> None:
        self._columns: list[npt.NDArray[Any]] = [np.empty(0, dtype) for dtype in COLUMN_TYPES]
        self._sizes = [0] * len(COLUMN_TYPES)

    def add(self, piece: _Columns) -> None:
        """Add the rows of a further partition."""
        for place, part in enumerate(map(np.asarray, piece)):
            column, size = self._columns[place], self._sizes[place]
            stop = size + len(part)
            if stop > len(column):
                column.resize(max(stop, len(column) + len(column) // 8), refcheck=False)
            column[size:stop] = part
            self._sizes[place] = stop

    def grouped(self) -> Grouped:
        """Return all rows."""
        for column, size in zip(self._columns, self._sizes, strict=True):
            column.resize(size, refcheck=False)
        n_partners, partners, calls, seconds, outgoing = self._columns
        indptr = np.zeros(len(n_partners) + 1, np.int64)
        np.cumsum(n_partners, out=indptr[1:])
        return Grouped(indptr, partners, calls, seconds, outgoing)


def find_seen(
    store: CallStore,
    n_calls: npt.NDArray[np.int64],
    roles: Sequence[Role],
    *,
    n_threads: int | None = None,
) -> npt.NDArray[np.bool_]:
    """Return which subscriptions have a partner in the window of each of some roles.

    Parameters
    ----------
    store, n_calls, n_threads
        As in `group_calls`, of which this is the part that needs next to no memory.
    roles : sequence of Role
        With the same subscriptions, row for row, at least one.
    """

    def seen(partition: int) -> npt.NDArray[np.bool_]:
        calls = store.calls(partition, n_calls)
        is_seen = [_group_role(calls, role)[0] > 0 for role in roles]
        return np.asarray(np.logical_and.reduce(is_seen), bool)

    parts = map_ordered(seen, range(store.n_partitions), n_threads=n_threads)
    return np.concatenate(list(parts))


def _group_role(calls: Calls, role: Role) -> _Columns:
    """Group the calls of those holdings of a role that are in `calls`."""
    start, stop = np.searchsorted(role.holdings, [calls.first, calls.stop]).tolist()
    rows = role.holdings[start:stop] - calls.first
    n_calls = np.diff(calls.indptr)[rows]
    n_most, longest = int(n_calls.sum()), int(n_calls.max(initial=1))
    n_partners = np.empty(stop - start, np.int64)
    partners = np.empty(n_most, np.uint64)
    counts, outgoing = np.empty(n_most, np.int32), np.empty(n_most, np.int32)
    seconds = np.empty(n_most, np.int64)
    n_entries = _core.group_calls(
        calls.indptr,
        calls.words,
        rows,
        role.start_s[start:stop],
        role.end_s[start:stop],
        np.zeros(8 * longest, np.uint64),
        np.empty(2 * longest, np.uint64),
        n_partners,
        partners,
        counts,
        seconds,
        outgoing,
    )
    filled = slice(0, n_entries)
    # Copies, so that the room for all calls doesn't outlive the partition.
    return (
        n_partners,
        partners[filled].copy(),
        counts[filled].copy(),
        seconds[filled].copy(),
        outgoing[filled].copy(),
    )
