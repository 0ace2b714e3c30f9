"""Parquet columns of plain text, straight from their pages: half of what pyarrow takes for them.

Only what nearly all writers do to texts that hardly repeat is read here: data pages of version 1,
plain values, at most one definition level. Whatever is not exactly as expected, damage among it,
is None, and left to pyarrow, which reads it or says what is wrong.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .. import _core
from .thrift import Struct, read_struct

__all__ = ["has_plain_pages", "read_plain_text"]

CODECS = {"UNCOMPRESSED": None, "SNAPPY": "snappy", "ZSTD": "zstd"}
# Field numbers of parquet.thrift's PageHeader and DataPageHeader.
KIND, PAGE_BYTES, STORED_BYTES, CHECKSUM, DATA_PAGE = 1, 2, 3, 4, 5
N_VALUES, ENCODING, LEVEL_ENCODING = 1, 2, 3
DATA_PAGE_V1, PLAIN, RUNS = 0, 0, 3
FEWEST_ROWS = 4096  # below, what is done once per page outweighs the gain
MOST_TEXT_BYTES = 2**31 - 1
NO_FLAGS: npt.NDArray[np.uint8] = np.empty(0, np.uint8)


def has_plain_pages(chunk: Any, column: Any) -> bool:
    """Return whether a column chunk may be one for `read_plain_text`.

    Parameters
    ----------
    chunk : pyarrow.parquet.ColumnChunkMetaData
    column : pyarrow.parquet.ColumnSchema
    """
    return bool(
        chunk.physical_type == "BYTE_ARRAY"
        and not chunk.has_dictionary_page
        and set(chunk.encodings) <= {"PLAIN", "RLE"}
        and chunk.compression in CODECS
        and column.max_repetition_level == 0
        and column.max_definition_level <= 1
        and chunk.num_values >= FEWEST_ROWS
        and chunk.total_uncompressed_size <= MOST_TEXT_BYTES
    )


def read_plain_text(file: BinaryIO, chunk: Any, *, is_nullable: bool) -> pa.Array | None:
    """Return a column chunk as a string array, or None where pyarrow must read it.

    Parameters
    ----------
    file : binary file
        The Parquet file.
    chunk : pyarrow.parquet.ColumnChunkMetaData
        One that `has_plain_pages`.
    is_nullable : bool
        Whether the pages hold definition levels.
    """
    file.seek(chunk.data_page_offset)
    stored = file.read(chunk.total_compressed_size)
    if len(stored) < chunk.total_compressed_size:
        return None
    n_rows = chunk.num_values
    offsets = np.zeros(n_rows + 1, np.int32)
    text = np.empty(chunk.total_uncompressed_size, np.uint8)
    is_present = np.ones(n_rows, np.uint8) if is_nullable else NO_FLAGS
    row = end = n_present = 0
    try:
        for header, page in _pages(stored, CODECS[chunk.compression], len(text)):
            stop = row + int(header[N_VALUES])
            if not row <= stop <= n_rows:
                return None
            values, flags = page, NO_FLAGS
            if is_nullable:
                n_here, values = _take_levels(page, is_present[row:stop])
                n_present += n_here
                flags = is_present[row:stop] if n_here < stop - row else NO_FLAGS
            end = _core.cut_values(values, flags, end, offsets[row + 1 : stop + 1], text)
            if end < 0:
                return None
            row = stop
    except (LookupError, TypeError, ValueError, OverflowError, OSError, pa.ArrowException):
        return None
    if row != n_rows:
        return None
    validity = None
    if is_nullable and n_present < n_rows:
        validity = pa.py_buffer(np.packbits(is_present, bitorder="little"))
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(text[:end])]
    return pa.Array.from_buffers(pa.string(), n_rows, buffers)


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
