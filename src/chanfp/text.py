"""Arrow text columns as the flat buffers the kernels walk."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["text_buffers"]


def text_buffers(
    column: pa.Array,
) -> tuple[npt.NDArray[np.int32] | npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return offsets and bytes of a text column, so that row i is ``data[offsets[i]:offsets[i+1]]``.

    Parameters
    ----------
    column : pyarrow.Array
        string, large_string, string_view or dictionary of these; slices are fine.

    Returns
    -------
    offsets : int32 or int64 array, one longer than the column
    data : uint8 array
        UTF-8, shared with the column where it is plain. A null is an empty text.
    """
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string_view(kind):
        column = column.cast(pa.large_string())
    if column.null_count:
        # The bytes under a null are undefined; Arrow may leave anything there.
        column = column.fill_null("")
    width = np.dtype(np.int64 if pa.types.is_large_string(column.type) else np.int32)
    _, offsets_buffer, data_buffer = column.buffers()
    if offsets_buffer is None or len(column) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    offsets = np.frombuffer(offsets_buffer, width, len(column) + 1, column.offset * width.itemsize)
    data = np.zeros(0, np.uint8) if data_buffer is None else np.frombuffer(data_buffer, np.uint8)
    return offsets, data
