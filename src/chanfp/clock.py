"""Clock readings: columns and settings of time and duration, as whole seconds.

A time without a zone is taken as it stands, as if it were UTC: what counts here is how far two
records lie apart, and one export keeps one clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from . import _core
from .errors import ColumnError, ParameterError
from .text import is_text, text_buffers

__all__ = [
    "DATE_ONLY",
    "DAY_S",
    "INVALID",
    "MISSING",
    "UNKNOWN_DURATION_S",
    "format_time",
    "parse_time",
    "read_durations",
    "read_times",
]

DAY_S = 86_400
DATE_ONLY, MISSING, INVALID = 2, 3, 4
UNKNOWN_DURATION_S = -1
LONGEST_DURATION_S = 2**31 - 1


def read_times(column: pa.Array, place: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return a column of times as seconds since 1970, and how each one was written.

    Parameters
    ----------
    column : pyarrow.Array
        Text (``YYYY-MM-DD HH:MM:SS`` with or without ``T``, fraction and zone, ``YYYY/MM/DD …``,
        ``YYYYMMDD[HHMMSS]``, epoch seconds or milliseconds), time stamps, dates, or integers
        (read like text of digits).
    place : str
        Where the column stands, for the message.

    Returns
    -------
    seconds : int64 array
        0 where the time is missing or invalid.
    status : uint8 array
        0 without zone, 1 with zone or epoch, ``DATE_ONLY``, ``MISSING`` or ``INVALID``.

    Raises
    ------
    ColumnError
        If the column is of another type.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _read_typed_times(column)
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
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


def read_durations(column: pa.Array, place: str) -> npt.NDArray[np.int32]:
    """Return a column of durations in seconds.

    Parameters
    ----------
    column : pyarrow.Array
        Text (seconds or ``HH:MM:SS``), integers, floating-point seconds, or Arrow durations.
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
        return np.where(whole > LONGEST_DURATION_S, -2, np.where(whole < 0, -3, whole)).astype(
            np.int32
        )
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
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


def parse_time(value: Any, name: str) -> int:
    """Return one time from a setting as seconds since 1970.

    Parameters
    ----------
    value : str, datetime, date or int
        As in `read_times`; an int is epoch seconds.
    name : str
        The setting's name, for the message.

    Raises
    ------
    ParameterError
        If it can't be read as a time.
    """
    seconds = _setting_seconds(value, name)
    if seconds is None or not 0 <= seconds < 2**32:
        raise ParameterError(
            f"`{name}` must be a time from 1970 to 2106 such as '2024-01-31 23:59:59', got "
            f"{value!r}; correct it."
        )
    return seconds


def _setting_seconds(value: Any, name: str) -> int | None:
    """Return what a setting means as seconds since 1970, None for what is no time."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, str):
        read, status = read_times(pa.array([value]), name)
        return None if status[0] in (MISSING, INVALID) else int(read[0])
    return None


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
        ticks = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        seconds = ticks // per_second
        status[:] = 1 if column.type.tz else 0
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
