"""Rhythms: at which minute of the day, on which day of the week, for how long people call."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from .draws import Draws, Floats, Ints, lognormal
from .ties import PEAK

__all__ = ["DURATIONS", "MINUTES", "draw_rhythms", "is_weekend", "kept_by_weekday"]

# Calls per hour of the day, from midnight, for four ways of life; weekdays, then weekends.
SHAPES = (
    ("office", "1 0 0 0 0 1 3 8 18 26 26 24 20 18 22 24 24 26 24 20 16 12 7 3",
     "3 1 0 0 0 0 1 3 8 14 18 20 20 16 16 17 18 20 22 22 20 16 11 6"),
    ("village", "0 0 0 0 1 5 14 20 20 18 16 18 16 10 10 12 14 18 24 26 18 8 3 1",
     "0 0 0 0 1 4 12 18 20 20 18 18 16 12 12 12 14 18 24 26 18 8 3 1"),
    ("shop", "2 1 0 0 0 0 1 3 8 16 22 22 20 20 20 20 20 22 22 22 22 20 14 6",
     "2 1 0 0 0 0 1 3 8 16 24 24 22 22 22 22 22 22 24 24 22 20 14 6"),
    ("night", "12 8 4 2 1 0 0 1 3 6 10 14 16 14 14 14 16 18 20 22 24 24 22 18",
     "16 12 8 4 2 1 0 0 1 3 8 12 16 16 16 16 16 18 20 22 24 24 24 20"),
)  # fmt: skip
SHIFTS = (-60, -30, 0, 15, 30, 60, 90, 120)
N_RHYTHMS = len(SHAPES) * len(SHIFTS)
LEVELS = 1024
# Rate of each circle (family, kin, village, work, wide) over its mean, Monday to Sunday.
WEEK = np.array(
    [
        [0.95, 0.95, 0.95, 0.95, 1.0, 1.2, 1.0],
        [0.95, 0.95, 0.95, 0.9, 1.0, 1.2, 1.05],
        [0.95, 0.95, 0.95, 0.95, 1.05, 1.15, 1.0],
        [1.25, 1.2, 1.2, 1.2, 1.25, 0.55, 0.35],
        [0.95, 0.95, 0.95, 0.95, 1.1, 1.15, 0.95],
    ]
)
MEAN_DURATION_S = 95.0
LONGEST_DURATION_S = 7200


def _minutes() -> npt.NDArray[np.int32]:
    table = np.empty((2, N_RHYTHMS, LEVELS), dtype=np.int32)
    for column, (_, *days) in enumerate(SHAPES):
        for day_type, hours in enumerate(days):
            rising = np.cumsum(np.repeat(np.array(hours.split(), dtype=np.int64), 60))
            points = (2 * np.arange(LEVELS) + 1) * rising[-1] // (2 * LEVELS)
            minute = np.searchsorted(rising, points, side="right")
            for row, shift in enumerate(SHIFTS):
                table[day_type, column * len(SHIFTS) + row] = (minute + shift) % 1440
    return table


# Minute of the day by weekend, rhythm and uniform draw.
MINUTES = _minutes()
# Seconds of an answered call by uniform draw: a median of a good half of the mean.
DURATIONS = np.clip(lognormal(1.1) * MEAN_DURATION_S, 1, LONGEST_DURATION_S).astype(np.int32)


def is_weekend(day: date) -> bool:
    """Return whether people keep weekend hours on `day`."""
    return day.weekday() >= 5


def kept_by_weekday(day: date) -> npt.NDArray[np.uint16]:
    """Return for each circle the share of contacts that happens on `day`, in 65,535ths."""
    share: Floats = np.minimum(WEEK[:, day.weekday()] / PEAK, 1.0)
    return np.floor(share * 65_535).astype(np.uint16)


def draw_rhythms(draws: Draws, county: Ints) -> npt.NDArray[np.uint8]:
    """Return a rhythm per person; villagers' rhythm is common outside the first county."""
    n = len(county)
    shape = draws.below(n, len(SHAPES))
    villager = (draws.u16(n) < 20_000) & (county > 0)
    shape = np.where(villager, 1, shape)
    return (shape * len(SHIFTS) + draws.below(n, len(SHIFTS))).astype(np.uint8)
