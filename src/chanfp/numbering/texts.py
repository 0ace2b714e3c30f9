"""Columns of numbers, whatever they come in, as Arrow arrays of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import ColumnError
from ..text import is_text, without_views

__all__ = ["text_chunks"]

WAY_OUT = (
    "a number read as anything else has lost its leading zero or plus; "
    "read the column as text in the first place"
)


def text_chunks(numbers: Any) -> list[pa.Array]:
    """Return a column of text as Arrow arrays of string, large_string, dictionary or null.

    Parameters
    ----------
    numbers : sequence of str or None, numpy array of text, pyarrow Array or ChunkedArray
        Or anything that speaks the Arrow C data or stream interface, such as a column of pandas
        or polars. Dictionaries must have text values; string_view is converted.

    Returns
    -------
    list of pyarrow.Array
        In row order; empty for a chunked array without chunks.

    Raises
    ------
    ColumnError
        If the values aren't text. A number kept as int or float has lost its leading zero or plus.
    """
    column = _arrow_column(numbers)
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return [_checked(chunk) for chunk in chunks]


def _arrow_column(numbers: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(numbers, (pa.Array, pa.ChunkedArray)):
        return numbers
    if isinstance(numbers, (str, bytes)):
        raise ColumnError(
            f"numbers must be a sequence of texts, got the single text {numbers!r}; "
            "put it into a list."
        )
    if isinstance(numbers, np.ndarray):
        return _from_numpy(numbers)
    try:
        if hasattr(numbers, "__arrow_c_stream__"):
            return pa.chunked_array(numbers)
        if hasattr(numbers, "__arrow_c_array__"):
            return pa.array(numbers)
        sequence = numbers if isinstance(numbers, Sequence) or _is_frame(numbers) else list(numbers)
        return pa.array(sequence, from_pandas=True)
    except (pa.ArrowException, TypeError, UnicodeError) as error:
        raise ColumnError(f"numbers must be text, got {_named(numbers)}: {WAY_OUT}.") from error


def _from_numpy(numbers: NDArray[Any]) -> pa.Array:
    if numbers.ndim != 1:
        raise ColumnError(
            f"numbers must be one column, got an array of shape {numbers.shape}; pass one column."
        )
    if numbers.dtype.kind not in "OUST":
        raise ColumnError(f"numbers must be text, got an array of {numbers.dtype}: {WAY_OUT}.")
    try:
        if numbers.dtype.kind == "S":
            return pa.array(numbers).cast(pa.string())
        values = numbers.astype(object) if numbers.dtype.kind == "T" else numbers
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, UnicodeError) as error:
        raise ColumnError(f"numbers must be text, got {_named(numbers)}: {WAY_OUT}.") from error


def _is_frame(numbers: Any) -> bool:
    """Whether this is a pandas object, which Arrow reads better than a list of its values."""
    return type(numbers).__module__.partition(".")[0] == "pandas"


def _named(numbers: Any) -> str:
    for value in numbers if hasattr(numbers, "__iter__") else ():
        if value is not None and not isinstance(value, str):
            return f"{type(value).__name__} {value!r}"
    return type(numbers).__name__


def _checked(chunk: pa.Array) -> pa.Array:
    kind = chunk.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return chunk
    if pa.types.is_dictionary(kind) and is_text(kind.value_type):
        return chunk
    if pa.types.is_string_view(kind):
        return without_views(chunk)
    raise ColumnError(f"numbers must be text, got a column of {kind}: {WAY_OUT}.")
