"""Time lines: on how many days of each week subscriptions showed signs of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .activity import Activity
from .calls import Calls
from .clock import DAY_S
from .roles import Role

__all__ = ["DayCounter", "Timelines"]

WEEK_DAYS = 7


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
    """Counts the days of subscriptions in some roles as their calls come by.

    Parameters
    ----------
    roles : sequence of Role
    activity : Activity
        When the records begin, and the reference time.
    """

    def __init__(self, roles: Sequence[Role], activity: Activity) -> None:
        self.holdings = np.unique(np.concatenate([role.holdings for role in roles]))
        self.first_day = activity.start_s // DAY_S
        self.n_weeks = (activity.reference_s // DAY_S - self.first_day) // WEEK_DAYS + 1
        self.days = np.zeros((len(self.holdings), self.n_weeks), np.uint8)

    def watch(self, calls: Calls) -> None:
        """Count the days of those holdings whose calls these are; any thread may do this."""
        start, stop = np.searchsorted(self.holdings, [calls.first, calls.stop]).tolist()
        _core.count_active_days(
            calls.indptr,
            calls.words,
            self.holdings[start:stop] - calls.first,
            self.first_day,
            np.zeros(self.n_weeks * WEEK_DAYS, np.uint8),
            self.days[start:stop].reshape(-1),
        )

    def timelines(self, roles: Sequence[Role]) -> Timelines:
        """Return what was counted of the subscriptions in some of the roles."""
        kept = np.isin(self.holdings, np.concatenate([role.holdings for role in roles]))
        return Timelines(self.holdings[kept], self.first_day * DAY_S, self.days[kept])
