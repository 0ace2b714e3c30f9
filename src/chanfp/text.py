"""Arrow text columns as the flat buffers that kernels walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["TextBuffers", "is_text", "text_buffers", "without_views"]

NO_BYTES: NDArray[np.uint8] = np.empty(0, np.uint8)


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


def text_buffers(column: pa.Array) -> TextBuffers:
    """Return the buffers of any text column; a null counts as an empty text.

    Parameters
    ----------
    column : pyarrow.Array
        string, large_string, string_view or a dictionary of these; slices are fine.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string_view(column.type):
        column = without_views(column)
    if column.null_count:
        # The bytes under a null are undefined; Arrow may leave anything there.
        column = column.fill_null("")
    return TextBuffers.of(column)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds text, dictionary-encoded or not."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def without_views(column: pa.Array) -> pa.Array:
    """Return a string_view column as large_string."""
    try:
        return column.cast(pa.large_string())
    except pa.ArrowNotImplementedError:  # pyarrow before 18
        return pa.array(column.to_pylist(), pa.large_string())
