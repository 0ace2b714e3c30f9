"""Activity: every call of a known subscription, gathered in one pass over the CDRs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .blocks import Progress
from .cdr import CallRecords, CleanCalls, RecordCounts
from .subscribers import Subscriptions

__all__ = ["Activity", "gather_activity"]

NEVER_S = 2**62


@dataclass(frozen=True)
class Activity:
    """Calls and messages of known subscriptions, one entry per subscription taking part.

    Parameters
    ----------
    rows : int32 array
        Row of the subscriber table.
    partners : uint64 array
        Number key of the other party.
    times_s : int64 array
        Start, seconds since 1970.
    seconds : int32 array
        Talk time, 0 where unknown.
    outgoing : uint8 array
        1 where the subscription is the caller.
    first_own_s, last_own_s : int64 array, one per row of the subscriber table
        First and last sign of life: a call or message of its own, an answered call or a message
        received; where there is none, the first and last record of any kind. ``NEVER_S`` and
        ``-NEVER_S`` where there is no record.
    first_seen_s : int64 array, one per row of the subscriber table
        First record of any kind.
    is_alive_later : bool array, one per row of the subscriber table
        True where signs of life follow the reference time.
    start_s, reference_s : int
        Start of the CDRs, and the reference time.
    counts : RecordCounts
        What became of every row read.
    n_unknown : int
        Accepted rows without any known subscriber.
    n_outside_period : int
        Entries left out because the number was known but nobody's at that time.
    n_after_reference : int
        Accepted rows after the reference time, left out.
    """

    rows: npt.NDArray[np.int32]
    partners: npt.NDArray[np.uint64]
    times_s: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.int32]
    outgoing: npt.NDArray[np.uint8]
    first_own_s: npt.NDArray[np.int64]
    last_own_s: npt.NDArray[np.int64]
    first_seen_s: npt.NDArray[np.int64]
    is_alive_later: npt.NDArray[np.bool_]
    start_s: int
    reference_s: int
    counts: RecordCounts
    n_unknown: int
    n_outside_period: int
    n_after_reference: int


def gather_activity(
    cdrs: CallRecords,
    subscriptions: Subscriptions,
    n_rows: int,
    *,
    reference_s: int | None = None,
    progress: Progress | None = None,
) -> Activity:
    """Read the CDRs once and keep what known subscriptions did up to the reference time.

    Parameters
    ----------
    cdrs : CallRecords
    subscriptions : Subscriptions
        Who held which number when.
    n_rows : int
        Rows of the subscriber table.
    reference_s : int, optional
        Later records only tell who is still alive; default the last record.
    progress : callable, optional
        Told the rows read.

    Returns
    -------
    Activity
        Without entries where there are no CDRs; `start_s` and `reference_s` are 0 then.
    """
    gathering = _Gathering(subscriptions, n_rows, reference_s)
    for calls in cdrs.clean_calls(counts=gathering.counts, progress=progress):
        gathering.add(calls)
    return gathering.finish()


class _Gathering:
    """The state of one pass."""

    def __init__(self, subscriptions: Subscriptions, n_rows: int, reference_s: int | None) -> None:
        self.subscriptions = subscriptions
        self.reference_s = reference_s
        self.counts = RecordCounts()
        self.entries: list[tuple[npt.NDArray[np.generic], ...]] = []
        self.first_own_s = np.full(n_rows, NEVER_S, np.int64)
        self.last_own_s = np.full(n_rows, -NEVER_S, np.int64)
        self.first_seen_s = np.full(n_rows, NEVER_S, np.int64)
        self.last_seen_s = np.full(n_rows, -NEVER_S, np.int64)
        self.is_alive_later = np.zeros(n_rows, bool)
        self.start_s, self.end_s = NEVER_S, -NEVER_S
        self.n_unknown = self.n_outside_period = self.n_after_reference = 0

    def add(self, calls: CleanCalls) -> None:
        if not len(calls):
            return
        self.start_s = min(self.start_s, int(calls.start_s.min()))
        self.end_s = max(self.end_s, int(calls.start_s.max()))
        is_later = (
            np.zeros(len(calls), bool)
            if self.reference_s is None
            else calls.start_s > self.reference_s
        )
        self.n_after_reference += int(np.count_nonzero(is_later))
        caller_known = self._add_side(calls, calls.caller, calls.callee, is_later, True)
        callee_known = self._add_side(calls, calls.callee, calls.caller, is_later, False)
        self.n_unknown += int(np.count_nonzero(~(caller_known | callee_known)))

    def _add_side(
        self,
        calls: CleanCalls,
        own: npt.NDArray[np.uint64],
        other: npt.NDArray[np.uint64],
        is_later: npt.NDArray[np.bool_],
        outgoing: bool,
    ) -> npt.NDArray[np.bool_]:
        """Take one party of each call as the subscription; return where its number is known."""
        rows, is_known = self.subscriptions.find(own, calls.start_s)
        is_held = rows >= 0
        self.n_outside_period += int(np.count_nonzero(is_known & ~is_held))
        is_life = np.full(len(calls), True)
        if not outgoing:
            # Others still dial a dead number, so a call that nobody took is no sign of life; nor
            # is what services send to everybody.
            is_life = (calls.is_message | (calls.duration_s > 0)) & calls.is_pair
        self.is_alive_later[rows[is_held & is_later & is_life]] = True
        is_held &= ~is_later
        own_rows, times_s = rows[is_held], calls.start_s[is_held]
        np.minimum.at(self.first_seen_s, own_rows, times_s)
        np.maximum.at(self.last_seen_s, own_rows, times_s)
        live = is_life[is_held]
        np.minimum.at(self.first_own_s, own_rows[live], times_s[live])
        np.maximum.at(self.last_own_s, own_rows[live], times_s[live])
        kept = is_held & calls.is_pair
        n_kept = int(np.count_nonzero(kept))
        if n_kept:
            self.entries.append(
                (
                    rows[kept].astype(np.int32),
                    other[kept],
                    calls.start_s[kept],
                    np.maximum(calls.duration_s[kept], 0),
                    np.full(n_kept, outgoing, np.uint8),
                )
            )
        return is_known

    def finish(self) -> Activity:
        def joined(part: int, dtype: type) -> npt.NDArray[np.generic]:
            return np.concatenate([np.zeros(0, dtype), *(entry[part] for entry in self.entries)])

        rows = joined(0, np.int32)
        partners, times_s = joined(1, np.uint64), joined(2, np.int64)
        seconds, outgoing = joined(3, np.int32), joined(4, np.uint8)
        self.entries.clear()
        is_silent = self.last_own_s < self.first_own_s
        first_own_s = np.where(is_silent, self.first_seen_s, self.first_own_s)
        last_own_s = np.where(is_silent, self.last_seen_s, self.last_own_s)
        is_empty = self.end_s < self.start_s
        reference_s = self.end_s if self.reference_s is None else self.reference_s
        return Activity(
            rows,  # type: ignore[arg-type]
            partners,  # type: ignore[arg-type]
            times_s,  # type: ignore[arg-type]
            seconds,  # type: ignore[arg-type]
            outgoing,  # type: ignore[arg-type]
            first_own_s,
            last_own_s,
            self.first_seen_s,
            self.is_alive_later,
            0 if is_empty else self.start_s,
            0 if is_empty and self.reference_s is None else reference_s,
            self.counts,
            self.n_unknown,
            self.n_outside_period,
            self.n_after_reference,
        )
