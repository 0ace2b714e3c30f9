"""The span of records: from which day to which, stray times left out.

One clock set wrong gives a record of 2042 or 1970 amid a month of 2024. If such records counted,
the reference time and the beginning of the records would move by years, and every role with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clock import DAY_S

__all__ = ["ALL_TIMES", "MOST_DAYS", "Span", "find_span"]

MOST_DAYS = 2**32 // DAY_S + 1  # days of all times that records may have, 1970 to 2106
# How many days without a record set some days apart, and below which share of all records these
# are stray: a week's pause is common, so only a handful of records behind one are; what lies
# behind a whole year is another matter even where it is more.
STRAY_RULES = ((7, 0.001), (365, 0.05))


@dataclass(frozen=True)
class Span:
    """The first and the last second that records may have, and how many lie outside."""

    first_s: int
    last_s: int
    n_stray: int = 0


ALL_TIMES = Span(0, 2**32 - 1)


def find_span(day_counts: npt.NDArray[np.int64]) -> Span:
    """Return the span of records.

    Parameters
    ----------
    day_counts : int64 array
        Records of each day since 1970.

    Returns
    -------
    Span
        Whole days; from 0 to -1 where there are no records.

    Notes
    -----
    Days are set apart into groups by pauses. The largest group always belongs to the span, another
    one unless it holds less than 1 in 1,000 records behind a pause of more than 7 days, or less
    than 5 in 100 behind one of more than 365; so does what lies between two that belong.
    """
    days = np.flatnonzero(day_counts)
    if not len(days):
        return Span(0, -1, 0)
    counts = day_counts[days]
    first, last = 0, len(days) - 1
    for pause_days, least_share in STRAY_RULES:
        first, last = _within(days, counts, first, last, pause_days, least_share)
    return Span(
        int(days[first]) * DAY_S,
        (int(days[last]) + 1) * DAY_S - 1,
        int(counts.sum() - counts[first : last + 1].sum()),
    )


def _within(
    days: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    first: int,
    last: int,
    pause_days: int,
    least_share: float,
) -> tuple[int, int]:
    """Return the first and the last place of what belongs, by one rule."""
    pauses = first + 1 + np.flatnonzero(np.diff(days[first : last + 1]) > pause_days)
    starts = np.concatenate([[first], pauses])
    ends = np.concatenate([pauses - 1, [last]])
    totals = np.add.reduceat(counts[: last + 1], starts)
    belongs = np.flatnonzero((totals >= least_share * totals.sum()) | (totals == totals.max()))
    return int(starts[belongs[0]]), int(ends[belongs[-1]])
