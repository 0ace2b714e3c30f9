"""Parquet columns of plain values, straight from their pages: half of what pyarrow takes for them.

Only what nearly all writers do to values that hardly repeat is read here: data pages of version 1,
plain values, at most one definition level. Whatever is not exactly as expected, damage among it,
is None, and left to pyarrow, which reads it or says what is wrong.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .. import _core
from .thrift import Struct, read_struct

__all__ = ["has_plain_pages", "is_stored_as_read", "read_plain"]

UNITS = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}
CODECS = {"UNCOMPRESSED": None, "SNAPPY": "snappy", "ZSTD": "zstd"}
# Field numbers of parquet.thrift's PageHeader and DataPageHeader.
KIND, PAGE_BYTES, STORED_BYTES, CHECKSUM, DATA_PAGE = 1, 2, 3, 4, 5
N_VALUES, ENCODING, LEVEL_ENCODING = 1, 2, 3
DATA_PAGE_V1, PLAIN, RUNS = 0, 0, 3
FEWEST_ROWS = 4096  # below, what is done once per page outweighs the gain
MOST_BYTES = 2**31 - 1
NO_FLAGS: npt.NDArray[np.uint8] = np.empty(0, np.uint8)


def is_stored_as_read(kind: pa.DataType, column: Any) -> bool:
    """Return whether plain values of a column are, byte for byte, what Arrow holds of them.

    Parameters
    ----------
    kind : pyarrow.DataType
        What pyarrow reads the column as.
    column : pyarrow.parquet.ColumnSchema
    """
    if pa.types.is_string(kind):
        return bool(column.physical_type == "BYTE_ARRAY")
    if pa.types.is_timestamp(kind):
        unit = json.loads(column.logical_type.to_json()).get("timeUnit")
        return bool(column.physical_type == "INT64" and UNITS.get(unit) == kind.unit)
    return bool(column.physical_type == {pa.int32(): "INT32", pa.int64(): "INT64"}.get(kind))


def has_plain_pages(chunk: Any, column: Any) -> bool:
    """Return whether a column chunk may be one for `read_plain`.

    Parameters
    ----------
    chunk : pyarrow.parquet.ColumnChunkMetaData
    column : pyarrow.parquet.ColumnSchema
    """
    return bool(
        not chunk.has_dictionary_page
        and set(chunk.encodings) <= {"PLAIN", "RLE"}
        and chunk.compression in CODECS
        and column.max_repetition_level == 0
        and column.max_definition_level <= 1
        and chunk.num_values >= FEWEST_ROWS
        and chunk.total_uncompressed_size <= MOST_BYTES
    )


def read_plain(
    file: BinaryIO, chunk: Any, kind: pa.DataType, *, is_nullable: bool
) -> pa.Array | None:
    """Return a column chunk as an array, or None where pyarrow must read it.

    Parameters
    ----------
    file : binary file
        The Parquet file.
    chunk : pyarrow.parquet.ColumnChunkMetaData
        One that `has_plain_pages`.
    kind : pyarrow.DataType
        One whose values the column `is_stored_as_read`.
    is_nullable : bool
        Whether the pages hold definition levels.
    """
    file.seek(chunk.data_page_offset)
    stored = file.read(chunk.total_compressed_size)
    if len(stored) < chunk.total_compressed_size:
        return None
    n_rows = chunk.num_values
    values = _Texts(chunk) if pa.types.is_string(kind) else _Numbers(chunk, kind)
    is_present = np.ones(n_rows, np.uint8) if is_nullable else NO_FLAGS
    row = n_present = 0
    try:
        for header, page in _pages(
            stored, CODECS[chunk.compression], chunk.total_uncompressed_size
        ):
            stop = row + int(header[N_VALUES])
            if not row <= stop <= n_rows:
                return None
            plain, flags = page, NO_FLAGS
            if is_nullable:
                n_here, plain = _take_levels(page, is_present[row:stop])
                n_present += n_here
                flags = is_present[row:stop] if n_here < stop - row else NO_FLAGS
            values.take(plain, flags, row, stop)
            row = stop
    except (LookupError, TypeError, ValueError, OverflowError, OSError, pa.ArrowException):
        return None
    if row != n_rows:
        return None
    validity = None
    if is_nullable and n_present < n_rows:
        validity = pa.py_buffer(np.packbits(is_present, bitorder="little"))
    return pa.Array.from_buffers(kind, n_rows, [validity, *values.buffers()])


class _Texts:
    """Texts of a column chunk, page by page, in Arrow's layout."""

    def __init__(self, chunk: Any) -> None:
        self._offsets = np.zeros(chunk.num_values + 1, np.int32)
        self._text = np.empty(chunk.total_uncompressed_size, np.uint8)
        self._end = 0

    def take(
        self, page: npt.NDArray[np.uint8], flags: npt.NDArray[np.uint8], row: int, stop: int
    ) -> None:
        """Take the values of some rows; `flags` tell which are there, empty that all are."""
        ends = self._offsets[row + 1 : stop + 1]
        self._end = _core.cut_values(page, flags, self._end, ends, self._text)
        if self._end < 0:
            raise ValueError("damaged, or too many")

    def buffers(self) -> list[pa.Buffer]:
        return [pa.py_buffer(self._offsets), pa.py_buffer(self._text[: self._end])]


class _Numbers:
    """Numbers of a column chunk, page by page."""

    def __init__(self, chunk: Any, kind: pa.DataType) -> None:
        self._values = np.zeros(chunk.num_values, f"<i{kind.bit_width // 8}")

    def take(
        self, page: npt.NDArray[np.uint8], flags: npt.NDArray[np.uint8], row: int, stop: int
    ) -> None:
        """Take the values of some rows; `flags` tell which are there, empty that all are."""
        found = np.frombuffer(page, self._values.dtype)
        rows = self._values[row:stop]
        if len(found) != (np.count_nonzero(flags) if len(flags) else len(rows)):
            raise ValueError("too few or too many")
        if len(flags):
            rows[flags.view(bool)] = found
        else:
            rows[:] = found

    def buffers(self) -> list[pa.Buffer]:
        return [pa.py_buffer(self._values)]


def _pages(
    stored: bytes, codec_name: str | None, most_bytes: int
) -> Iterator[tuple[Struct, npt.NDArray[np.uint8]]]:
    """Yield the data pages of a column chunk, unpacked: header and bytes.

    Raises
    ------
    LookupError, TypeError, ValueError, OverflowError, OSError, pa.ArrowException
        If a page is of another kind, or damaged.
    """
    codec = None if codec_name is None else pa.Codec(codec_name)
    view = memoryview(stored)
    at = 0
    while at < len(stored):
        header, at = read_struct(stored, at)
        n_stored, n_bytes = int(header[STORED_BYTES]), int(header[PAGE_BYTES])
        packed = view[at : at + max(n_stored, 0)]
        at += len(packed)
        data_page = header[DATA_PAGE]
        if (
            len(packed) != n_stored
            or not 0 <= n_bytes <= most_bytes
            or header[KIND] != DATA_PAGE_V1
            or data_page[ENCODING] != PLAIN
            or data_page[LEVEL_ENCODING] != RUNS
            or (CHECKSUM in header and zlib.crc32(packed) != int(header[CHECKSUM]) % 2**32)
        ):
            raise ValueError("no page for this reader")
        page = packed if codec is None else codec.decompress(packed, n_bytes, asbytes=False)
        yield data_page, np.frombuffer(page, np.uint8)


def _take_levels(
    page: npt.NDArray[np.uint8], flags: npt.NDArray[np.uint8]
) -> tuple[int, npt.NDArray[np.uint8]]:
    """Read which values of a page are there; return how many are, and the page behind that."""
    start = 4 + int.from_bytes(page[:4].tobytes(), "little")
    n_present = _core.read_levels(page[4:start], flags)
    if n_present < 0:
        raise ValueError("no levels of one bit")
    return n_present, page[start:]
