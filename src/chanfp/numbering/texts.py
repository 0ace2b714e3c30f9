"""Columns of text, whatever they come in, as Arrow arrays and the buffers that kernels read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import ColumnError

__all__ = ["TextBuffers", "text_chunks"]

NO_BYTES: NDArray[np.uint8] = np.empty(0, np.uint8)
WAY_OUT = (
    "a number read as anything else has lost its leading zero or plus; "
    "read the column as text in the first place"
)


@dataclass(frozen=True)
class TextBuffers:
    """One string array as the kernels read it: text ``i`` is ``text[offsets[i]:offsets[i + 1]]``.

    `validity` is Arrow's bitmap, empty where nothing is null; row 0 is its bit `first_bit`.
    """

    text: NDArray[np.uint8]
    offsets: NDArray[np.int32] | NDArray[np.int64]
    validity: NDArray[np.uint8]
    first_bit: int

    @classmethod
    def of(cls, array: pa.Array) -> TextBuffers:
        """Return the buffers of a string or large_string array, without a copy."""
        validity, offsets, text = array.buffers()
        if len(array) == 0:
            return cls(NO_BYTES, np.zeros(1, np.int64), NO_BYTES, 0)
        whole: NDArray[np.int32] | NDArray[np.int64] = (
            np.frombuffer(offsets, np.int64)
            if pa.types.is_large_string(array.type)
            else np.frombuffer(offsets, np.int32)
        )
        begin, n_offsets = array.offset, len(array) + 1
        return cls(
            text=NO_BYTES if text is None else np.frombuffer(text, np.uint8),
            offsets=whole[begin : begin + n_offsets],
            validity=NO_BYTES if validity is None else np.frombuffer(validity, np.uint8),
            first_bit=begin,
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
    if pa.types.is_dictionary(kind) and _is_text(kind.value_type):
        return chunk
    if pa.types.is_string_view(kind):
        return _without_views(chunk)
    raise ColumnError(f"numbers must be text, got a column of {kind}: {WAY_OUT}.")


def _without_views(chunk: pa.Array) -> pa.Array:
    try:
        return chunk.cast(pa.large_string())
    except pa.ArrowNotImplementedError:  # pyarrow before 18
        return pa.array(chunk.to_pylist(), pa.large_string())


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)
