"""Time lines: on how many days of each week subscriptions showed signs of life."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .calls import Calls
from .clock import DAY_S
from .repeats import MESSAGE, OUTGOING, START_SHIFT, TALK_SHIFT

__all__ = ["DayCounter", "Timelines"]

WEEK_DAYS = 7
TALK_BITS = 28
# Whoever made it was alive; who was called only if the call was taken or was a message.
SIGN_OF_LIFE = np.uint64(OUTGOING | MESSAGE | ((1 << TALK_BITS) - 1) << TALK_SHIFT)


@dataclass(frozen=True, eq=False)
class Timelines:
    """Days of each week with a call or message of one's own, an answered call, a message received.

    Parameters
    ----------
    holdings : int64 array, shape (n,)
        Places in ``Subscriptions``, ascending.
    start_s : int
        When the first week begins: at midnight before the first record.
    days : uint8 array, shape (n, n_weeks)
        0 to 7; calls with services don't count.
    """

    holdings: npt.NDArray[np.int64]
    start_s: int
    days: npt.NDArray[np.uint8]

    def of(self, holdings: npt.NDArray[np.int64]) -> list[list[int]]:
        """Return the weeks of each of some holdings, none where it isn't among these."""
        places = np.searchsorted(self.holdings, holdings)
        known = np.isin(holdings, self.holdings)
        return [
            self.days[place].tolist() if is_known else []
            for place, is_known in zip(places.tolist(), known.tolist(), strict=True)
        ]


class DayCounter:
    """Counts the days of some holdings as their calls come by.

    Parameters
    ----------
    holdings : int64 array
        Places in ``Subscriptions``, in any order, repeated or not.
    start_s, end_s : int
        First and last record.
    """

    def __init__(self, holdings: npt.NDArray[np.int64], start_s: int, end_s: int) -> None:
        self.holdings = np.unique(holdings)
        self.start_day = start_s // DAY_S
        self.n_weeks = (end_s // DAY_S - self.start_day) // WEEK_DAYS + 1
        self.days = np.zeros((len(self.holdings), self.n_weeks), np.uint8)

    def watch(self, calls: Calls) -> None:
        """Count the days of those holdings whose calls these are; any thread may do this."""
        start, stop = np.searchsorted(self.holdings, [calls.first, calls.stop]).tolist()
        rows = self.holdings[start:stop] - calls.first
        n_calls = np.diff(calls.indptr)[rows]
        before = np.cumsum(n_calls) - n_calls
        entries = np.arange(n_calls.sum()) + np.repeat(calls.indptr[rows] - before, n_calls)
        words = calls.words[2 * entries + 1]
        owners = np.repeat(np.arange(len(rows)), n_calls)
        is_sign = (words & SIGN_OF_LIFE) != 0
        days = (words >> np.uint64(START_SHIFT)).astype(np.int64) // DAY_S - self.start_day
        n_days = self.n_weeks * WEEK_DAYS
        is_there = np.zeros(len(rows) * n_days, bool)
        is_there[(owners * n_days + days)[is_sign]] = True
        weeks = is_there.reshape(len(rows), self.n_weeks, WEEK_DAYS)
        self.days[start:stop] = weeks.sum(axis=2)

    def timelines(self) -> Timelines:
        """Return what was counted."""
        return Timelines(self.holdings, self.start_day * DAY_S, self.days)
