"""The time line of a pair: when both sides were alive, and on how many days of each week."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..clock import format_time
from ..fingerprints import Fingerprints

__all__ = ["Timeline", "list_timelines"]


@dataclass(frozen=True)
class Timeline:
    """Signs of life of a new and an old number.

    Parameters
    ----------
    first_new_s, last_new_s, first_old_s, last_old_s : int
        First and last sign of life, seconds since 1970.
    start_s : int
        When the first week begins.
    days_new, days_old : list of int
        Days of each week with a call or message, 0 to 7; empty where they weren't counted.
    """

    first_new_s: int
    last_new_s: int
    first_old_s: int
    last_old_s: int
    start_s: int = 0
    days_new: list[int] = field(default_factory=list)
    days_old: list[int] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; times as text."""
        return {
            "first_new": format_time(self.first_new_s),
            "last_new": format_time(self.last_new_s),
            "first_old": format_time(self.first_old_s),
            "last_old": format_time(self.last_old_s),
            "weeks_from": format_time(self.start_s) if self.days_new else None,
            "days_new": self.days_new,
            "days_old": self.days_old,
        }


def list_timelines(
    fingerprints: Fingerprints, new_rows: npt.NDArray[np.int64], old_rows: npt.NDArray[np.int64]
) -> list[Timeline]:
    """Return the time line of each of some pairs."""
    activity, counted = fingerprints.activity, fingerprints.timelines
    sides = []
    for side, rows in ((fingerprints.new, new_rows), (fingerprints.old, old_rows)):
        holdings = side.role.holdings[rows]
        weeks = [[]] * len(rows) if counted is None else counted.of(holdings)
        first_s, last_s = activity.first_own_s[holdings], activity.last_own_s[holdings]
        sides.append(zip(first_s.tolist(), last_s.tolist(), weeks, strict=True))
    start_s = 0 if counted is None else counted.start_s
    return [
        Timeline(first_new, last_new, first_old, last_old, start_s, days_new, days_old)
        for (first_new, last_new, days_new), (first_old, last_old, days_old) in zip(
            *sides, strict=True
        )
    ]
