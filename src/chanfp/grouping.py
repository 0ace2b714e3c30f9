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

__all__ = ["Grouped", "find_seen", "group_calls"]


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

    def only(self, chosen: npt.NDArray[np.bool_]) -> Grouped:
        """Return the chosen rows."""
        if chosen.all():
            return self
        entries = np.repeat(chosen, self.n_partners)
        return Grouped(
            self.n_partners[chosen],
            self.partners[entries],
            self.calls[entries],
            self.seconds[entries],
            self.outgoing[entries],
        )


def group_calls(
    store: CallStore,
    n_calls: npt.NDArray[np.int64],
    roles: Sequence[Role],
    *,
    pairs: Sequence[tuple[int, int]] = (),
    watch: Callable[[Calls], None] | None = None,
    n_threads: int | None = None,
) -> tuple[list[list[Grouped]], list[npt.NDArray[np.bool_]]]:
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
    is_seen : list of bool array
        For each of `pairs`, which subscriptions were not left out.
    """

    def group(partition: int) -> tuple[list[Grouped], list[npt.NDArray[np.bool_]]]:
        calls = store.calls(partition, n_calls)
        if watch is not None:
            watch(calls)
        pieces = [_group_role(calls, role) for role in roles]
        seen = []
        for both in pairs:
            is_seen = np.logical_and(*(pieces[place].n_partners > 0 for place in both))
            for place in both:
                pieces[place] = pieces[place].only(is_seen)
            seen.append(is_seen)
        return pieces, seen

    found = list(map_ordered(group, range(store.n_partitions), n_threads=n_threads))
    is_seen = [np.concatenate(parts) for parts in zip(*(seen for _, seen in found), strict=True)]
    return [pieces for pieces, _ in found], is_seen


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
        is_seen = [_group_role(calls, role).n_partners > 0 for role in roles]
        return np.asarray(np.logical_and.reduce(is_seen), bool)

    parts = map_ordered(seen, range(store.n_partitions), n_threads=n_threads)
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
