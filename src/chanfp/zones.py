"""Time zones: moments as the wall clock of one place, and runs that mix clocks.

Times without a zone are wall-clock time and stay as they are. A moment (a time with a zone, or an
epoch) becomes wall-clock time in the zone the user names; without one it counts as UTC.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from .errors import ChanfpWarning, ParameterError

__all__ = ["UTC_CLOCK", "WALL_CLOCK", "check_timezone", "to_wall_clock", "warn_of_mixed_clocks"]

WALL_CLOCK, UTC_CLOCK = "wall", "utc"
# Every zone in use moves its clock at a full quarter of an hour.
QUARTER_S = 900
LATEST_S = 2**32
CACHED_QUARTERS = 1 << 16


def check_timezone(timezone: str | None) -> ZoneInfo | None:
    """Return the zone of an IANA name; None stays None.

    Raises
    ------
    ParameterError
        If there is no such zone.
    """
    if timezone is None:
        return None
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise ParameterError(
            f"`timezone` must be an IANA name such as 'Asia/Shanghai', got {timezone!r}; correct "
            "it (a system without time zones needs the package tzdata)."
        ) from error


def to_wall_clock(seconds: npt.NDArray[np.int64], zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """Return moments as what the clock of a zone shows, in seconds since 1970 on that clock.

    Parameters
    ----------
    seconds : int64 array
        Seconds since 1970 in UTC. What lies outside 1970 to 2106 stays as it is.
    zone : ZoneInfo

    Notes
    -----
    The zone is asked once for each quarter of an hour that occurs. Where a clock is put back, two
    moments an hour apart show the same time.
    """
    is_known = (seconds >= 0) & (seconds < LATEST_S)
    if not is_known.any():
        return seconds
    quarters = np.where(is_known, seconds // QUARTER_S, -1)
    first = int(quarters[is_known].min())
    quarters -= first
    is_present = np.zeros(int(quarters.max()) + 1, bool)
    is_present[quarters[is_known]] = True
    offsets = np.zeros(len(is_present), np.int32)
    present = np.flatnonzero(is_present)
    offsets[present] = [_offset_s(zone, first + quarter) for quarter in present.tolist()]
    return seconds + np.where(is_known, offsets[np.where(is_known, quarters, 0)], 0)


@lru_cache(CACHED_QUARTERS)
def _offset_s(zone: ZoneInfo, quarter: int) -> int:
    """Return how far the clock of a zone is ahead of UTC in a quarter of an hour since 1970."""
    offset = datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def warn_of_mixed_clocks(*found: Mapping[str, str]) -> None:
    """Warn if some times of a run are wall-clock time and others UTC.

    Parameters
    ----------
    *found : mapping of str to str
        For each clock found in one part of the input (``WALL_CLOCK``, ``UTC_CLOCK``) the place
        and value of its first time.
    """
    first: dict[str, str] = {}
    for clocks in found:
        first = {**clocks, **first}
    if WALL_CLOCK in first and UTC_CLOCK in first:
        warnings.warn(
            f"times with and without a time zone are mixed: {first[UTC_CLOCK]} is a moment and "
            f"counts as UTC, {first[WALL_CLOCK]} is wall-clock time and stays as it is; name the "
            "zone of the clock on the wall in `timezone`, such as 'Asia/Shanghai'.",
            ChanfpWarning,
            stacklevel=3,
        )
