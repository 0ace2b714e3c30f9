"""Records per day: the span they cover, days that are missing or thin, and stray times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..clock import DAY_S
from ..span import find_span

__all__ = ["DaySpan", "DaySurvey"]

EPOCH = date(1970, 1, 1)
THIN_SHARE = 1 / 3


@dataclass(frozen=True)
class DaySpan:
    """Some days in a row, both ends included, and the records in them."""

    first: date
    last: date
    n_records: int = 0

    @property
    def n_days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return str(self.first) if self.n_days == 1 else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class DaySurvey:
    """Records per day.

    Parameters
    ----------
    first : date or None
        The first day that is not stray; None without records.
    per_day : int64 array
        Records of each day from `first` to the last that is not stray.
    strays : tuple of DaySpan
        Days with few records far away from all others (`span.find_span`), such as 1970, a clock
        that was reset, or 2099 amid a month of 2024.
    """

    first: date | None = None
    per_day: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    strays: tuple[DaySpan, ...] = ()

    @classmethod
    def of(cls, day_counts: npt.NDArray[np.int64]) -> DaySurvey:
        """Return what the days tell, given the records of each day since 1970 (int64 array)."""
        span = find_span(day_counts)
        first, last = span.first_s // DAY_S, (span.last_s + 1) // DAY_S - 1
        if last < first:
            return cls()
        days = np.flatnonzero(day_counts)
        strays = days[(days < first) | (days > last)]
        edges = [0, *(np.flatnonzero(np.diff(strays) > 1) + 1).tolist(), len(strays)]
        return cls(
            EPOCH + timedelta(days=first),
            day_counts[first : last + 1].copy(),
            tuple(
                _day_span(day_counts, int(strays[begin]), int(strays[end - 1]))
                for begin, end in pairwise(edges)
                if end > begin
            ),
        )

    @property
    def last(self) -> date | None:
        """The last day that is not stray."""
        return None if self.first is None else self.day(len(self.per_day) - 1)

    @property
    def median(self) -> float:
        """Median of the records of a day, days without any left out; 0 without records."""
        seen = self.per_day[self.per_day > 0]
        return float(np.median(seen)) if len(seen) else 0.0

    @property
    def missing(self) -> list[DaySpan]:
        """Days without a record, amid the others."""
        return self._spans(self.per_day == 0)

    @property
    def thin(self) -> list[DaySpan]:
        """Days with less than a third of the median; the first and the last may be cut off."""
        thin = (self.per_day > 0) & (self.per_day < THIN_SHARE * self.median)
        thin[[0, -1] if len(thin) else []] = False
        return self._spans(thin)

    def is_thin(self, count: int) -> bool:
        """Return whether a day with so many records is thin."""
        return 0 < count < THIN_SHARE * self.median

    def count(self, day: date) -> int | None:
        """Return the records of a day, None before the first and after the last."""
        at = -1 if self.first is None else (day - self.first).days
        return int(self.per_day[at]) if 0 <= at < len(self.per_day) else None

    def day(self, index: int) -> date:
        """Return the date of a place in `per_day`."""
        assert self.first is not None  # noqa: S101 - for the type checker
        return self.first + timedelta(days=index)

    def _spans(self, is_chosen: npt.NDArray[np.bool_]) -> list[DaySpan]:
        edges = np.flatnonzero(np.diff(is_chosen, prepend=False, append=False)).tolist()
        return [
            DaySpan(self.day(begin), self.day(end - 1), int(self.per_day[begin:end].sum()))
            for begin, end in zip(edges[::2], edges[1::2], strict=True)
        ]


def _day_span(day_counts: npt.NDArray[np.int64], first: int, last: int) -> DaySpan:
    return DaySpan(
        EPOCH + timedelta(days=first),
        EPOCH + timedelta(days=last),
        int(day_counts[first : last + 1].sum()),
    )
