"""Activity: every call of a known subscription, gathered in one pass over the CDRs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import Progress, map_ordered, usable_threads
from .calls import CallPart, CallStore
from .cdr import CallRecords
from .cleaning import CleanCalls, Watch
from .clock import format_time
from .counts import RecordCounts
from .errors import DataError, ParameterError
from .span import MOST_DAYS, Span, find_span
from .subscriptions import Subscriptions
from .tables import RejectFile

__all__ = ["Activity", "gather_activity"]

CleanUnit: TypeAlias = Callable[[], tuple[list[CleanCalls], RecordCounts]]

NEVER_S = 2**62
# What is noted of a holding, as _core.gather_calls lays it out.
FIRST_OWN, LAST_OWN, FIRST_SEEN, LAST_SEEN, N_CALLS, BEGIN, END, N_MORE = range(8)


@dataclass(frozen=True, eq=False)
class Activity:
    """What known subscriptions did up to the reference time.

    Arrays have one place per holding, in the order of ``Subscriptions``.

    Parameters
    ----------
    n_calls : int64 array
        Calls and messages with partners, which the store given to `gather_activity` holds.
    first_own_s, last_own_s : int64 array
        First and last sign of life: a call or message of its own, an answered call or a message
        received; where there is none, the first and last record of any kind. ``NEVER_S`` and
        ``-NEVER_S`` where there is no record.
    first_seen_s : int64 array
        First record of any kind.
    is_alive_later : bool array
        True where signs of life follow the reference time.
    start_s, reference_s : int
        Start of the CDRs, and the reference time; 0 where there are no records.
    day_counts : int64 array
        Accepted records of each day since 1970, those far away from all others among them.
    span : Span
        Whole days from the first to the last record; what lay far outside was rejected.
    counts : RecordCounts
        What became of every row read.
    n_unknown : int
        Accepted rows without any known subscriber.
    n_outside_period : int
        Times that a number was known but nobody's at that time.
    n_after_reference : int
        Accepted rows after the reference time, left out.
    """

    n_calls: npt.NDArray[np.int64]
    first_own_s: npt.NDArray[np.int64]
    last_own_s: npt.NDArray[np.int64]
    first_seen_s: npt.NDArray[np.int64]
    is_alive_later: npt.NDArray[np.bool_]
    start_s: int
    reference_s: int
    day_counts: npt.NDArray[np.int64]
    span: Span
    counts: RecordCounts
    n_unknown: int
    n_outside_period: int
    n_after_reference: int


def gather_activity(
    cdrs: CallRecords,
    subscriptions: Subscriptions,
    store: CallStore,
    *,
    begun: Iterable[CleanUnit] | None = None,
    reference_s: int | None = None,
    max_reject_share: float | None = 1.0,
    reject_file: RejectFile | None = None,
    watch: Watch | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Activity:
    """Read the CDRs once and keep what known subscriptions did up to the reference time.

    Parameters
    ----------
    cdrs : CallRecords
    subscriptions : Subscriptions
        Who held which number when.
    store : CallStore
        Takes the calls.
    begun : iterable of callable, optional
        What ``cdrs.clean_batches`` yields with `keeps_rejects` as a `reject_file` needs it, where
        that was asked for ahead.
    reference_s : int, optional
        Later records only tell who is still alive; default the last record.
    max_reject_share : float or None
        Largest share of unusable rows that is let pass, 0 to 1; None lets everything pass, for a
        first look: records without two subscriber numbers, hashed ids, stray times of a reader.
    reject_file : RejectFile, optional
        Takes the rows that can't be used, and is whole even where the run is refused for them.
    watch : callable, optional
        Shown every batch when it is clean, stray times and all, on the thread that cleaned it.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Told the rows read.

    Returns
    -------
    Activity
        Without calls where there are no CDRs.

    Raises
    ------
    DataError
        If too many rows can't be used, or none has two subscriber numbers; or if stray times are
        found in records that can be read only once.
    ParameterError
        If all records lie after the reference time.

    Notes
    -----
    Records whose time lies far from all others (`chanfp.span`) would move the reference time and
    all roles; where there are any, the CDRs are read again without them.
    """
    n_threads = usable_threads(n_threads)
    until_s = NEVER_S if reference_s is None else reference_s

    def gather(cdrs: CallRecords, watch: Watch | None, units: Iterable[CleanUnit] | None) -> _Pass:
        counts = RecordCounts(reject_file=reject_file)
        if units is None:
            units = cdrs.clean_batches(
                watch=watch,
                keeps_rejects=reject_file is not None,
                is_lenient=max_reject_share is None,
                progress=progress,
            )
        workers = _Workers(subscriptions, store, until_s)
        report = partial(_report, progress, cdrs.n_rows)
        return _read(units, workers, counts, n_threads, report)

    found = gather(cdrs, watch, begun)
    day_counts = found.notes.days
    span = find_span(day_counts)
    if span.n_stray and (cdrs.is_rereadable or max_reject_share is not None):
        # They have left their marks on first and last signs of life, so everything is read again.
        _check_rereadable(cdrs, span, found)
        store.clear()
        if reject_file is not None:
            reject_file.restart()
        found = gather(cdrs.within(span), None, None)
    counts = found.counts
    counts.finish()
    counts.warn()
    if max_reject_share is not None:
        counts.refuse(max_reject_share)
    if reference_s is not None and reference_s < found.start_s < NEVER_S:
        raise ParameterError(
            f"`reference_time` {format_time(reference_s)} lies before the first record, "
            f"{format_time(found.start_s)}; choose a time within the records."
        )
    signs = found.notes.signs
    is_silent = signs[:, LAST_OWN] < signs[:, FIRST_OWN]
    has_records = found.start_s <= found.end_s
    end_s = found.end_s if has_records else 0
    return Activity(
        n_calls=signs[:, N_CALLS].copy(),
        first_own_s=np.where(is_silent, signs[:, FIRST_SEEN], signs[:, FIRST_OWN]),
        last_own_s=np.where(is_silent, signs[:, LAST_SEEN], signs[:, LAST_OWN]),
        first_seen_s=signs[:, FIRST_SEEN].copy(),
        is_alive_later=found.notes.alive_later.astype(bool),
        start_s=found.start_s if has_records else 0,
        reference_s=end_s if reference_s is None else reference_s,
        day_counts=day_counts,
        span=span,
        counts=counts,
        n_outside_period=int(found.notes.tally[0]),
        n_unknown=int(found.notes.tally[1]),
        n_after_reference=int(found.notes.tally[2]),
    )


@dataclass(eq=False)
class _Pass:
    """What one pass over the CDRs found."""

    counts: RecordCounts
    start_s: int
    end_s: int
    notes: _Notes


def _read(
    units: Iterable[CleanUnit],
    workers: _Workers,
    counts: RecordCounts,
    n_threads: int,
    report: Callable[[int], None],
) -> _Pass:
    start_s, end_s = NEVER_S, -NEVER_S
    for part in map_ordered(workers.gather, units, n_threads=n_threads):
        counts.add(part.counts)
        start_s, end_s = min(start_s, part.start_s), max(end_s, part.end_s)
        for calls in part.calls:
            workers.store.add(calls)
        report(counts.total)
    counts.check()
    return _Pass(counts, start_s, end_s, workers.merged())


def _report(progress: Progress | None, n_rows: int | None, n_done: int) -> None:
    if progress is not None:
        progress("reading CDRs", n_done, n_rows)


def _check_rereadable(cdrs: CallRecords, span: Span, found: _Pass) -> None:
    if not cdrs.is_rereadable:
        raise DataError(
            f"{span.n_stray:,} of {found.counts.accepted:,} CDRs lie far from all others, outside "
            f"{format_time(span.first_s)} to {format_time(span.last_s)}, between "
            f"{format_time(found.start_s)} and {format_time(found.end_s)}; a reader can be read "
            "only once, so drop them first or hand over the table (`reader.read_all()`) or files."
        )


@dataclass(eq=False)
class _Gathered:
    """The calls of some batches, and what became of their rows."""

    counts: RecordCounts
    start_s: int
    end_s: int
    calls: list[CallPart]


class _Notes:
    """What one worker learns of holdings.

    Signs of life (int64, shape (n_holdings, 8)), who is alive after the reference time, tallies,
    and the records of each day.
    """

    def __init__(self, subscriptions: Subscriptions) -> None:
        keys = subscriptions.keys
        n_holdings = len(keys)
        self.signs = _cache_lines(n_holdings)
        self.signs[:, [FIRST_OWN, FIRST_SEEN]] = NEVER_S
        self.signs[:, [LAST_OWN, LAST_SEEN]] = -NEVER_S
        self.signs[:, BEGIN : END + 1] = subscriptions.periods.reshape(-1, 2)
        self.signs[:, N_MORE] = np.searchsorted(keys, keys, "right") - np.arange(n_holdings) - 1
        self.alive_later = np.zeros(n_holdings, np.uint8)
        self.tally = np.zeros(3, np.int64)
        self.days = np.zeros(MOST_DAYS, np.int64)
        self._holdings = np.empty(0, np.int32)
        self._words = np.empty(0, np.uint64)

    def room(self, n_entries: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
        """Return room for entries, the same at every call: fresh memory would be cleared first."""
        if len(self._holdings) < n_entries:
            self._holdings = np.empty(n_entries, np.int32)
            self._words = np.empty(2 * n_entries, np.uint64)
        return self._holdings, self._words

    def add(self, other: _Notes) -> None:
        """Take over what another worker learned."""
        for first in (FIRST_OWN, FIRST_SEEN):
            np.minimum(self.signs[:, first], other.signs[:, first], out=self.signs[:, first])
        for last in (LAST_OWN, LAST_SEEN):
            np.maximum(self.signs[:, last], other.signs[:, last], out=self.signs[:, last])
        self.signs[:, N_CALLS] += other.signs[:, N_CALLS]
        self.alive_later |= other.alive_later
        self.tally += other.tally
        self.days += other.days


class _Workers:
    """Gathers batches on any thread; each thread keeps notes of its own until they are merged."""

    def __init__(self, subscriptions: Subscriptions, store: CallStore, reference_s: int) -> None:
        self.subscriptions = subscriptions
        self.store = store
        self.reference_s = reference_s
        self._own = threading.local()
        self._notes: list[_Notes] = []

    def gather(self, read: Callable[[], tuple[list[CleanCalls], RecordCounts]]) -> _Gathered:
        """Read and clean some batches and keep the calls of known subscriptions."""
        batches, counts = read()
        gathered = _Gathered(counts, NEVER_S, -NEVER_S, [])
        for calls in batches:
            if len(calls):
                gathered.start_s = min(gathered.start_s, int(calls.start_s.min()))
                gathered.end_s = max(gathered.end_s, int(calls.start_s.max()))
                gathered.calls.append(self._gather_batch(calls))
        return gathered

    def _gather_batch(self, calls: CleanCalls) -> CallPart:
        notes = self._my_notes()
        _core.count_days(calls.start_s, notes.days)
        holdings, words = notes.room(2 * len(calls))
        n_entries = _core.gather_calls(
            calls.caller,
            calls.callee,
            calls.start_s,
            calls.duration_s,
            calls.is_message.view(np.uint8),
            calls.is_pair.view(np.uint8),
            calls.served,
            self.subscriptions.table.slots,
            self.reference_s,
            notes.signs.reshape(-1),
            notes.alive_later,
            notes.tally,
            holdings,
            words,
        )
        return self.store.partition(holdings[:n_entries], words[: 2 * n_entries])

    def _my_notes(self) -> _Notes:
        notes = getattr(self._own, "notes", None)
        if notes is None:
            notes = _Notes(self.subscriptions)
            self._own.notes = notes
            self._notes.append(notes)
        return notes

    def merged(self) -> _Notes:
        """Return what all workers learned together."""
        together = _Notes(self.subscriptions)
        for notes in self._notes:
            together.add(notes)
        return together


def _cache_lines(n_lines: int) -> npt.NDArray[np.int64]:
    """Return zeros, shape (n_lines, 8), each row in a cache line of its own: one miss, not two."""
    room = np.zeros(8 * n_lines + 7, np.int64)
    start = -(room.ctypes.data // 8) % 8
    return room[start : start + 8 * n_lines].reshape(-1, 8)
