"""Records per day: the span they cover, days that are missing or thin, and stray times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..clock import DAY_S

__all__ = ["DayCounts", "DaySpan", "DaySurvey"]

EPOCH = date(1970, 1, 1)
N_DAYS = 2**32 // DAY_S + 2
# Days are stray that hold less than this share of the records and lie farther than this from
# the others, such as 1970 (a clock that was reset) or 2099 amid a month of 2024.
STRAY_SHARE = 0.01
STRAY_GAP_DAYS = 31
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
        Days far away from all others with few records.
    """

    first: date | None = None
    per_day: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    strays: tuple[DaySpan, ...] = ()

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
        is_thin = (self.per_day > 0) & (self.per_day < THIN_SHARE * self.median)
        is_thin[[0, -1] if len(is_thin) else []] = False
        return self._spans(is_thin)

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


class DayCounts:
    """Counts records by day, in one array for all days there can be."""

    def __init__(self) -> None:
        self._n_records = np.zeros(N_DAYS, np.int64)

    def add(self, start_s: npt.NDArray[np.int64]) -> None:
        """Count records by their start in seconds since 1970, 0 to 2**32 - 1."""
        days = start_s // DAY_S
        if len(days):
            first = int(days.min())
            found = np.bincount(days - first)
            self._n_records[first : first + len(found)] += found

    def merge(self, other: DayCounts) -> None:
        """Add what another has counted."""
        self._n_records += other._n_records

    def survey(self) -> DaySurvey:
        """Return what the days tell."""
        days = np.flatnonzero(self._n_records)
        if not len(days):
            return DaySurvey()
        edges = [0, *(np.flatnonzero(np.diff(days) > STRAY_GAP_DAYS) + 1).tolist(), len(days)]
        runs = [self._span(int(days[begin]), int(days[end - 1])) for begin, end in pairwise(edges)]
        least = STRAY_SHARE * sum(run.n_records for run in runs)
        most = max(run.n_records for run in runs)
        kept = [run for run in runs if run.n_records >= least or run.n_records == most]
        first, last = (kept[0].first - EPOCH).days, (kept[-1].last - EPOCH).days
        strays = tuple(run for run in runs if run.last < kept[0].first or run.first > kept[-1].last)
        return DaySurvey(kept[0].first, self._n_records[first : last + 1].copy(), strays)

    def _span(self, first: int, last: int) -> DaySpan:
        return DaySpan(
            EPOCH + timedelta(days=first),
            EPOCH + timedelta(days=last),
            int(self._n_records[first : last + 1].sum()),
        )
