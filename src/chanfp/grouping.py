"""Grouping: the calls of subscriptions in their windows, one entry per partner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_ordered
from .calls import Calls, CallStore
from .roles import Role

__all__ = ["Grouped", "count_calls", "group_calls"]


@dataclass(frozen=True, eq=False)
class Grouped:
    """Calls of consecutive rows by partner.

    Parameters
    ----------
    n_partners : int64 array
        Entries of each row.
    partners : uint64 array
        Number key of each entry, ascending within a row, each once.
    calls : int32 array
    seconds : int64 array
    outgoing : int32 array
        Calls and messages, talk time, and calls made, of each entry.
    """

    n_partners: npt.NDArray[np.int64]
    partners: npt.NDArray[np.uint64]
    calls: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.int64]
    outgoing: npt.NDArray[np.int32]

    @property
    def n_calls(self) -> npt.NDArray[np.int64]:
        """Calls of each row (int64)."""
        ends = np.concatenate([[0], np.cumsum(self.calls, dtype=np.int64)])
        stops = np.cumsum(self.n_partners)
        return np.asarray(ends[stops] - ends[stops - self.n_partners], np.int64)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Grouped:
        """Return the chosen rows."""
        if chosen.all():
            return self
        # Mostly few rows are left out, or few are left: runs of rows are copied whole.
        edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
        ends = np.append(0, np.cumsum(self.n_partners))[edges].tolist()
        runs = [slice(*run) for run in zip(ends[::2], ends[1::2], strict=True)] or [slice(0)]
        entries = (self.partners, self.calls, self.seconds, self.outgoing)
        return Grouped(
            self.n_partners[chosen],
            *(np.concatenate([values[run] for run in runs]) for values in entries),
        )


def group_calls(
    store: CallStore,
    n_calls: npt.NDArray[np.int64],
    roles: Sequence[Role],
    *,
    pairs: Sequence[tuple[int, int]] = (),
    watch: Callable[[Calls], None] | None = None,
    n_threads: int | None = None,
) -> tuple[list[list[Grouped]], list[npt.NDArray[np.int64]]]:
    """Group the calls of the subscriptions in each role, each in its window.

    Parameters
    ----------
    store : CallStore
    n_calls : int64 array
        Calls of each holding in the store.
    roles : sequence of Role
        Holdings ascending, as roles are.
    pairs : sequence of (int, int), optional
        Places of two roles with the same subscriptions, row for row; who has no partner in one of
        the two windows is left out of both.
    watch : callable, optional
        Shown the calls of every partition once, on the thread that groups them.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.

    Returns
    -------
    grouped : list of list of Grouped
        Per role a row for each subscription that isn't left out, in pieces: piece by piece, a list
        of those of each role. To lay them together here would only be the first of two copies.
    volumes : list of int64 array, each of shape (n_subscriptions, 2)
        For each of `pairs`, the calls in the two windows, of those left out, too.
    """

    def group(partition: int) -> tuple[list[Grouped], list[npt.NDArray[np.int64]]]:
        calls = store.calls(partition, n_calls)
        if watch is not None:
            watch(calls)
        pieces = [_group_role(calls, role) for role in roles]
        volumes = []
        for both in pairs:
            volumes.append(np.column_stack([pieces[place].n_calls for place in both]))
            is_seen = volumes[-1].min(axis=1) > 0
            for place in both:
                pieces[place] = pieces[place].only(is_seen)
        return pieces, volumes

    found = list(map_ordered(group, range(store.n_partitions), n_threads=n_threads))
    volumes = [np.concatenate(parts) for parts in zip(*(one for _, one in found), strict=True)]
    return [pieces for pieces, _ in found], volumes


def count_calls(
    store: CallStore,
    n_calls: npt.NDArray[np.int64],
    roles: Sequence[Role],
    *,
    n_threads: int | None = None,
) -> npt.NDArray[np.int64]:
    """Return the calls of subscriptions in the window of each of some roles.

    Parameters
    ----------
    store, n_calls, n_threads
        As in `group_calls`, of which this is the part that needs next to no memory.
    roles : sequence of Role
        With the same subscriptions, row for row, at least one.

    Returns
    -------
    int64 array, shape (n_subscriptions, n_roles)
    """

    def count(partition: int) -> npt.NDArray[np.int64]:
        calls = store.calls(partition, n_calls)
        return np.column_stack([_group_role(calls, role).n_calls for role in roles])

    parts = map_ordered(count, range(store.n_partitions), n_threads=n_threads)
    return np.concatenate(list(parts))


def _group_role(calls: Calls, role: Role) -> Grouped:
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
    return Grouped(
        n_partners,
        partners[filled].copy(),
        counts[filled].copy(),
        seconds[filled].copy(),
        outgoing[filled].copy(),
    )
