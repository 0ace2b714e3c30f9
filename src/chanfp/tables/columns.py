"""Columns: their names in messages, and columns of numbers as text."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ..errors import ColumnError
from ..text import without_views

__all__ = ["as_label", "as_text", "check_names", "describe_columns", "first_line", "is_whole"]


def describe_columns(names: Sequence[str], most: int = 12) -> str:
    """Return the first column names as text for a message."""
    shown = ", ".join(repr(name) for name in names[:most])
    return (shown or "none") + (f" and {len(names) - most} more" if len(names) > most else "")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without a closing stop."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")


def check_names(place: str, names: Sequence[str]) -> None:
    """Refuse a table in which one column name stands twice.

    Raises
    ------
    ColumnError
        Naming the place and the repeated name.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ColumnError(
                f"{place}: column names must differ, {name!r} stands there twice; rename one."
            )
        seen.add(name)


def is_whole(kind: pa.DataType) -> bool:
    """Return whether a type holds whole numbers: integers, or the decimals of a database."""
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))


def as_text(column: pa.Array, place: str) -> tuple[pa.Array, bool]:
    """Return a column of numbers or ids as text, and whether it was stored as integers.

    Parameters
    ----------
    column : pyarrow.Array
        Text of any kind, dictionary-encoded text, integers, or decimals without places.
    place : str
        Where the column stands, for the message.

    Raises
    ------
    ColumnError
        If the column is stored as anything else; floating point most of all.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_whole(kind):
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return column.cast(pa.string()), True
    if pa.types.is_null(kind):
        return column.cast(pa.string()), False
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column, False
    if pa.types.is_string_view(kind):
        return without_views(column), False
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        raise ColumnError(
            f"{place}: numbers must be text, found {kind}; a floating-point number has lost "
            "leading zeros and plus signs and may have lost digits; export the column as text."
        )
    raise ColumnError(f"{place}: numbers must be text, found {kind}; export the column as text.")


def as_label(column: pa.Array, place: str) -> pa.Array:
    """Return a column of names, such as cells or handsets, as text.

    Parameters
    ----------
    column : pyarrow.Array
        Text of any kind, integers, or floating-point numbers and decimals that are whole (a data
        frame makes floats of integers with gaps, a database decimals).
    place : str
        Where the column stands, for the message.

    Raises
    ------
    ColumnError
        If the column is stored as anything else.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_known = any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_decimal,
            pa.types.is_null,
        )
    )
    if is_known:
        try:
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
                column = column.cast(pa.int64())
            return column.cast(pa.string())
        except pa.ArrowException:
            pass
    raise ColumnError(f"{place}: names must be text or whole numbers, found {kind}; convert them.")
