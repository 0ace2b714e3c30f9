"""Clock readings: columns and settings of time and duration, as whole seconds.

A time without a zone is taken as it stands, as if it were UTC: what counts here is how far two
records lie apart, and one export keeps one clock. A time with a zone becomes the same clock's time
where the zone of that clock is named (`chanfp.zones`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from . import _core
from .errors import ColumnError, ParameterError
from .text import is_text, text_buffers
from .zones import UTC_CLOCK, WALL_CLOCK, to_wall_clock

__all__ = [
    "DATE_ONLY",
    "DAY_S",
    "INVALID",
    "MISSING",
    "NAIVE",
    "UNKNOWN_DURATION_S",
    "ZONED",
    "clock_rows",
    "format_time",
    "has_zone",
    "parse_time",
    "read_durations",
    "read_times",
]

DAY_S = 86_400
NAIVE, ZONED, DATE_ONLY, MISSING, INVALID = range(5)
UNKNOWN_DURATION_S = -1
LONGEST_DURATION_S = 2**31 - 1


def read_times(
    column: pa.Array, place: str, zone: ZoneInfo | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return a column of times as seconds since 1970, and how each one was written.

    Parameters
    ----------
    column : pyarrow.Array
        Text (``YYYY-MM-DD HH:MM:SS`` with or without ``T``, fraction and zone, ``YYYY/MM/DD …``,
        ``YYYYMMDD[HHMMSS]``, epoch seconds or milliseconds), time stamps, dates, or integers and
        decimals (read like text of digits, a fraction cut off).
    place : str
        Where the column stands, for the message.
    zone : ZoneInfo, optional
        Where the clock on the wall hangs: times with a zone and epochs become its time. Without
        it they are UTC.

    Returns
    -------
    seconds : int64 array
        0 where the time is missing or invalid.
    status : uint8 array
        ``NAIVE`` without zone, ``ZONED`` with zone or epoch, ``DATE_ONLY``, ``MISSING`` or
        ``INVALID``.

    Raises
    ------
    ColumnError
        If the column is of another type.
    """
    seconds, status = _read_times(column, place)
    if zone is not None:
        is_zoned = status == ZONED
        if is_zoned.any():
            seconds = np.where(is_zoned, to_wall_clock(seconds, zone), seconds)
    return seconds, status


def _read_times(
    column: pa.Array, place: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _read_typed_times(column)
    if pa.types.is_decimal(kind):
        column = pc.replace_substring_regex(column.cast(pa.string()), r"\.\d*$", "")
    elif pa.types.is_integer(kind) or pa.types.is_null(kind):
        column = column.cast(pa.string())
    elif not is_text(kind):
        raise ColumnError(
            f"{place}: times must be text, time stamps, dates or integers, found {kind}; "
            "export the column as text like 2024-01-31 23:59:59."
        )
    texts = text_buffers(column)
    seconds = np.empty(len(column), np.int64)
    status = np.empty(len(column), np.uint8)
    _core.parse_times(texts.offsets, texts.text, seconds, status)
    return seconds, status


def clock_rows(status: npt.NDArray[np.uint8], zone: ZoneInfo | None) -> dict[str, int]:
    """Return by which clocks the times of a column go, each with the first row.

    Parameters
    ----------
    status : uint8 array
        As `read_times` gives it.
    zone : ZoneInfo or None
        As given to `read_times`.
    """
    found = {WALL_CLOCK: status <= DATE_ONLY}
    if zone is None:
        found = {
            UTC_CLOCK: status == ZONED,
            WALL_CLOCK: (status == NAIVE) | (status == DATE_ONLY),
        }
    return {clock: int(np.argmax(rows)) for clock, rows in found.items() if rows.any()}


def read_durations(column: pa.Array, place: str) -> npt.NDArray[np.int32]:
    """Return a column of durations in seconds.

    Parameters
    ----------
    column : pyarrow.Array
        Text (seconds or ``HH:MM:SS``), integers, floating-point or decimal seconds, or Arrow
        durations.
    place : str
        Where the column stands, for the message.

    Returns
    -------
    int32 array
        -1 where missing, -2 where unreadable, -3 where below zero.

    Raises
    ------
    ColumnError
        If the column is of another type.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), UNKNOWN_DURATION_S, np.int32)
    if pa.types.is_duration(kind):
        nanoseconds = column.cast(pa.duration("ns")).cast(pa.int64()).cast(pa.float64(), safe=False)
        return _read_typed_durations(nanoseconds.to_numpy(zero_copy_only=False) / 1e9)
    if pa.types.is_integer(kind) and not column.null_count:
        whole = column.to_numpy()
        if len(whole) and whole.min() >= 0 and whole.max() <= LONGEST_DURATION_S:
            return np.asarray(whole, np.int32)
        return np.where(whole > LONGEST_DURATION_S, -2, np.where(whole < 0, -3, whole)).astype(
            np.int32
        )
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = column.cast(pa.float64(), safe=False)
        return _read_typed_durations(values.to_numpy(zero_copy_only=False))
    if not is_text(kind):
        raise ColumnError(
            f"{place}: durations must be seconds or HH:MM:SS, found {kind}; convert the column."
        )
    texts = text_buffers(column)
    seconds = np.empty(len(column), np.int32)
    _core.parse_durations(texts.offsets, texts.text, seconds)
    return seconds


def parse_time(value: Any, name: str, zone: ZoneInfo | None = None) -> int:
    """Return one time from a setting as seconds since 1970.

    Parameters
    ----------
    value : str, datetime, date or int
        As in `read_times`; an int is epoch seconds.
    name : str
        The setting's name, for the message.
    zone : ZoneInfo, optional
        As in `read_times`.

    Raises
    ------
    ParameterError
        If it can't be read as a time.
    """
    seconds, status = _read_setting(value, name)
    if zone is not None and status == ZONED:
        seconds = int(to_wall_clock(np.array([seconds], np.int64), zone)[0])
    if status == INVALID or not 0 <= seconds < 2**32:
        raise ParameterError(
            f"`{name}` must be a time from 1970 to 2106 such as '2024-01-31 23:59:59', got "
            f"{value!r}; correct it."
        )
    return seconds


def has_zone(value: Any) -> bool:
    """Return whether a time from a setting is a moment: an epoch, or a time with a zone."""
    return _read_setting(value, "")[1] == ZONED


def _read_setting(value: Any, name: str) -> tuple[int, int]:
    """Return what a setting means as seconds since 1970, and its status as in `read_times`."""
    if isinstance(value, datetime):
        is_zoned = value.tzinfo is not None
        moment = value if is_zoned else value.replace(tzinfo=UTC)
        return int(moment.timestamp()), ZONED if is_zoned else NAIVE
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return int(midnight.timestamp()), DATE_ONLY
    if isinstance(value, int | np.integer):
        return int(value), ZONED
    if isinstance(value, str) and value.strip():
        seconds, status = _read_times(pa.array([value]), name)
        return int(seconds[0]), int(status[0])
    return 0, INVALID


def format_time(seconds: int) -> str:
    """Return seconds since 1970 as ``YYYY-MM-DD HH:MM:SS``."""
    return (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat(sep=" ")


def _read_typed_times(
    column: pa.Array,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    status = np.zeros(len(column), np.uint8)
    if pa.types.is_date(column.type):
        days = column.cast(pa.date32()).cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
        seconds = days.astype(np.int64) * DAY_S
        status[:] = DATE_ONLY
    else:
        per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[column.type.unit]
        ticks = column.cast(pa.int64())
        ticks = ticks.fill_null(0) if column.null_count else ticks
        ticks = ticks.to_numpy(zero_copy_only=False)
        seconds = ticks // per_second
        status[:] = ZONED if column.type.tz else NAIVE
    if column.null_count:
        status[column.is_null().to_numpy(zero_copy_only=False)] = MISSING
    return seconds, status


def _read_typed_durations(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Return seconds and marks for floating-point seconds; NaN is missing."""
    is_missing = np.isnan(values)
    values = np.where(is_missing, 0, values)
    seconds = np.where(values > LONGEST_DURATION_S, -2, np.where(values < 0, -3, values))
    seconds[is_missing] = UNKNOWN_DURATION_S
    return seconds.astype(np.int32)
