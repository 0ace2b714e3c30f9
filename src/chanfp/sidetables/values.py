"""Values: a column of cells as text, numbers, times or months, and which cells can't be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..clock import INVALID, MISSING, read_times
from ..errors import ColumnError
from ..headers import find_meanings
from ..tables import Batch, as_label, as_text
from ..text import is_text, without_views
from .schemas import Column

__all__ = ["WANTED", "is_empty", "read_values"]

EMPTY_WORDS = ("", "null", "\\n", "nan")
DECIMAL = r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$"
WHOLE = r"^[+]?[0-9]{1,18}([.]0*)?$"
YEAR_MONTH = re.compile(r"([0-9]{4})(?:[-/.年] ?([0-9]{1,2})|([0-9]{2}))月?$")

WANTED = {
    "number": "a number",
    "text": "text",
    "time": "a time such as '2024-01-31 23:59:59'",
    "month": "a month such as '2024-01'",
    "money": "an amount such as '12.50'",
    "quantity": "a number of 0 or more such as '12.5'",
    "difference": "a number such as '-12.5'",
    "count": "a whole number of 0 or more such as '12'",
}
"""What messages say that a cell of each kind needs."""

Mask = npt.NDArray[np.bool_]


def read_values(
    batch: Batch, name: str, column: Column, zone: ZoneInfo | None
) -> tuple[pa.Array, Mask]:
    """Return the cells of a column, null where empty, and which of them can't be read.

    Parameters
    ----------
    batch : Batch
    name : str
        The column of the batch that is meant.
    column : Column
        What it should hold.
    zone : ZoneInfo or None
        Where the clock on the wall hangs that times with a zone are turned into.

    Returns
    -------
    values : pyarrow.Array
        Of the type of the column's kind, as long as the batch.
    is_bad : bool array
        Cells that are neither empty nor readable.

    Raises
    ------
    ColumnError
        If the column is stored as a type that can't hold such values.
    """
    cells, place = batch.records.column(name), batch.place(0, name)
    if is_text(cells.type):
        cells = _without_empty(cells)
    if column.kind in TIME_READERS:
        values, is_bad = TIME_READERS[column.kind](cells, place, zone)
    else:
        values, is_bad = READERS[column.kind](cells, place)
    if column.takes_words:
        return find_meanings(column.name, values)
    return values, is_bad


def is_empty(values: pa.Array) -> Mask:
    """Return which cells are null, bool array."""
    return np.asarray(values.is_null().to_numpy(zero_copy_only=False), bool)


def _without_empty(cells: pa.Array) -> pa.Array:
    """Return text without outer white space, null where nothing or a word for nothing stands."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_string_view(cells.type):
        cells = without_views(cells)
    trimmed = pc.utf8_trim_whitespace(cells)
    is_nothing = pc.is_in(pc.utf8_lower(trimmed), pa.array(EMPTY_WORDS, trimmed.type))
    return pc.if_else(is_nothing, pa.scalar(None, trimmed.type), trimmed)


def _read_number(cells: pa.Array, place: str) -> tuple[pa.Array, Mask]:
    values, _ = as_text(cells, place)
    return values.cast(pa.string()), np.zeros(len(cells), bool)


def _read_text(cells: pa.Array, place: str) -> tuple[pa.Array, Mask]:
    return as_label(cells, place), np.zeros(len(cells), bool)


def _read_time(cells: pa.Array, place: str, zone: ZoneInfo | None) -> tuple[pa.Array, Mask]:
    seconds, status = read_times(cells, place, zone)
    return pa.array(seconds, pa.timestamp("s"), mask=status == MISSING), status == INVALID


def _read_month(cells: pa.Array, place: str, zone: ZoneInfo | None) -> tuple[pa.Array, Mask]:
    if is_text(cells.type) or pa.types.is_integer(cells.type):
        encoded = cells.cast(pa.string()).dictionary_encode()
        cells = encoded.dictionary
        months = [_year_and_month(text) for text in cells.to_pylist()]
        written = [None if month is None else f"{month}-01" for month in months]
        cells = pc.coalesce(pa.array(written, pa.string()), cells)
        values, is_bad = _read_first_days(cells, place, zone)
        rows = encoded.indices.fill_null(len(cells)).to_numpy(zero_copy_only=False)
        return values.take(encoded.indices), np.append(is_bad, False)[rows]
    return _read_first_days(cells, place, zone)


def _year_and_month(text: str) -> str | None:
    """Return ``2024-01`` for a text that is a month and no more, else None."""
    found = YEAR_MONTH.match(text)
    return None if found is None else f"{found[1]}-{found[2] or found[3]:0>2}"


def _read_first_days(cells: pa.Array, place: str, zone: ZoneInfo | None) -> tuple[pa.Array, Mask]:
    seconds, status = read_times(cells, place, zone)
    is_bad = (status == INVALID) | ((status != MISSING) & ((seconds < 0) | (seconds >= 2**32)))
    times = pa.array(seconds, pa.timestamp("s"), mask=(status == MISSING) | is_bad)
    return pc.floor_temporal(times, unit="month").cast(pa.date32()), is_bad


def _read_decimal(cells: pa.Array, place: str) -> tuple[pa.Array, Mask]:
    kind = cells.type
    if is_text(kind):
        fits = pc.match_substring_regex(cells, DECIMAL)
        plain = pc.replace_substring_regex(cells, "^[+]", "")
        values = pc.if_else(fits, plain, None).cast(pa.float64())
        is_bad = pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False)
    elif _is_numeric(kind):
        values = cells.cast(pa.float64(), safe=False)
        values = pc.if_else(pc.is_nan(values), None, values)
        is_bad = np.zeros(len(cells), bool)
    else:
        raise ColumnError(f"{place}: amounts must be numbers, found {kind}; convert the column.")
    is_infinite = pc.is_inf(values).fill_null(False).to_numpy(zero_copy_only=False)
    return values, np.asarray(is_bad | is_infinite, bool)


def _read_quantity(cells: pa.Array, place: str) -> tuple[pa.Array, Mask]:
    values, is_bad = _read_decimal(cells, place)
    return values, is_bad | (values.fill_null(0).to_numpy(zero_copy_only=False) < 0)


def _read_count(cells: pa.Array, place: str) -> tuple[pa.Array, Mask]:
    if is_text(cells.type):
        fits = pc.match_substring_regex(cells, WHOLE)
        plain = pc.replace_substring_regex(cells, "^[+]|[.]0*$", "")
        values = pc.if_else(fits, plain, None).cast(pa.int64())
        return values, np.asarray(pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False))
    numbers, is_bad = _read_quantity(cells, place)
    wide = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    is_bad |= (wide != np.floor(wide)) | (wide > 2**53)
    whole = np.where(is_bad, 0, wide).astype(np.int64)
    return pa.array(whole, mask=is_empty(numbers)), is_bad


def _is_numeric(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)


READERS: dict[str, Callable[[Any, str], tuple[pa.Array, Mask]]] = {
    "number": _read_number,
    "text": _read_text,
    "money": _read_decimal,
    "quantity": _read_quantity,
    "difference": _read_decimal,
    "count": _read_count,
}
TIME_READERS: dict[str, Callable[[Any, str, ZoneInfo | None], tuple[pa.Array, Mask]]] = {
    "time": _read_time,
    "month": _read_month,
}
