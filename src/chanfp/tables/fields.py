"""Orderly CSV blocks, cut into the columns wanted: a third of what a general parser takes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .. import _core
from .layout import CsvLayout

__all__ = ["cut_records"]

SLACK_BYTES = 16  # so that the kernel may copy more than a value has

_own = threading.local()


def cut_records(
    text: bytes | bytearray, n_lines: int, layout: CsvLayout, columns: Sequence[str]
) -> pa.RecordBatch | None:
    """Return some columns of a block of lines; None where a general parser must look at it.

    Parameters
    ----------
    text : bytes
        Whole lines, each ending in a line feed; valid UTF-8.
    n_lines : int
        How many.
    layout : CsvLayout
    columns : sequence of str
        Distinct names from the layout.

    Returns
    -------
    pyarrow.RecordBatch of string columns or None
        None if any line is blank, holds a quote or has another number of fields than the header.
    """
    n_fields = len(layout.names)
    delimiter = layout.delimiter.encode()
    if not columns or n_fields < 2 or not n_lines or len(delimiter) > 1:
        return None  # in a single column a blank line would pass for an empty field
    places = np.full(n_fields, -1, np.int32)
    for place, name in enumerate(columns):
        places[layout.names.index(name)] = place
    offsets = np.zeros((len(columns), n_lines), np.int32)
    texts = _room(len(columns) * (len(text) + SLACK_BYTES)).reshape(len(columns), -1)
    n_found = _core.cut_fields(
        np.frombuffer(text, np.uint8),
        delimiter[0],
        places,
        n_lines,
        offsets.reshape(-1),
        texts.reshape(-1),
        len(columns),
    )
    if n_found != n_lines:
        return None
    arrays = []
    for ends, values in zip(offsets, texts, strict=True):
        bounds = np.concatenate([np.zeros(1, np.int32), ends])
        held = values[: int(ends[-1])].copy()
        buffers = [None, pa.py_buffer(bounds), pa.py_buffer(held)]
        arrays.append(pa.Array.from_buffers(pa.string(), n_lines, buffers))
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _room(n_bytes: int) -> npt.NDArray[np.uint8]:
    """Return room for values; each thread's own, for fresh memory would be cleared first."""
    room: npt.NDArray[np.uint8] | None = getattr(_own, "room", None)
    if room is None or len(room) < n_bytes:
        _own.room = room = np.empty(n_bytes, np.uint8)
    return room[:n_bytes]
