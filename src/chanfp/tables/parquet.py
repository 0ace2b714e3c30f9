"""Parquet files: whole row groups as pieces of work, dictionaries kept where they pay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError
from .batches import Batch, Piece, TableSource
from .columns import first_line
from .pages import has_plain_pages, is_stored_as_read, read_plain

__all__ = ["ParquetSource"]

BATCH_ROWS = 1 << 17
UNIT_ROWS = 1 << 18
# A number as plain text takes 15 bytes or more, an index into a dictionary 3 at most. Below this
# many bytes per value nearly all of a column is dictionary-encoded, and most values repeat;
# beyond, the writer gave up its dictionary and building one while reading costs more than it saves.
MOST_DICTIONARY_BYTES = 5


class ParquetSource(TableSource):
    """A Parquet file.

    Text columns that the file stores with a dictionary throughout come as dictionary arrays, so
    that each distinct number needs to be understood only once per row group.

    Raises
    ------
    DataError
        If the footer can't be read.
    """

    def __init__(self, path: str, partition: Mapping[str, str | None] | None = None) -> None:
        try:
            self._metadata = pq.read_metadata(path)
            stored = self._metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path}: can't be read as Parquet: {first_line(error)}; export or copy it again."
            ) from error
        super().__init__(path, stored, self._metadata.num_rows, partition)
        self._dictionaries = self._find_dictionaries()
        self._plain = self._find_plain()

    def _find_dictionaries(self) -> list[str]:
        """Return the text columns that every row group stores with a dictionary that pays."""
        n_bytes: dict[str, int] = {}
        n_values: dict[str, int] = {}
        without: set[str] = set()
        for group in range(self._metadata.num_row_groups):
            row_group = self._metadata.row_group(group)
            for index in range(row_group.num_columns):
                chunk = row_group.column(index)
                path = chunk.path_in_schema
                if chunk.physical_type != "BYTE_ARRAY" or not chunk.has_dictionary_page:
                    without.add(path)
                n_bytes[path] = n_bytes.get(path, 0) + chunk.total_uncompressed_size
                n_values[path] = n_values.get(path, 0) + chunk.num_values
        return [
            field.name
            for field in self.stored
            if (pa.types.is_string(field.type) or pa.types.is_large_string(field.type))
            and field.name in n_bytes
            and field.name not in without
            and n_bytes[field.name] <= MOST_DICTIONARY_BYTES * n_values[field.name]
        ]

    def _find_plain(self) -> dict[str, int]:
        """Return the columns, and their places, whose pages are worth reading here."""
        schema = self._metadata.schema
        n_groups = self._metadata.num_row_groups
        return {
            column.name: place
            for place, column in enumerate(map(schema.column, range(len(schema))))
            if column.path in self.stored.names
            and is_stored_as_read(self.stored.field(column.path).type, column)
            and n_groups > 0
            and all(
                has_plain_pages(self._metadata.row_group(group).column(place), column)
                for group in range(n_groups)
            )
        }

    def _open(self, columns: list[str]) -> pq.ParquetFile:
        return pq.ParquetFile(
            self.name,
            metadata=self._metadata,
            read_dictionary=[name for name in columns if name in self._dictionaries],
            page_checksum_verification=True,
        )

    def _pieces(self, columns: list[str]) -> Iterator[Piece]:
        groups: list[int] = []
        first_row = row = self.first_row
        for group in range(self._metadata.num_row_groups):
            groups.append(group)
            row += self._metadata.row_group(group).num_rows
            if row - first_row >= UNIT_ROWS or group == self._metadata.num_row_groups - 1:
                yield Piece(first_row, partial(self._read_groups, groups, first_row, columns))
                groups, first_row = [], row

    def _read_groups(self, groups: list[int], row: int, columns: list[str]) -> list[Batch]:
        arrays = self._read_plain(groups, [name for name in columns if name in self._plain])
        others = [name for name in columns if name not in arrays]
        if others:
            with self._open(others) as file:
                table = file.read_row_groups(groups, columns=others, use_threads=False)
            arrays |= {name: table.column(name) for name in others}
        found = []
        for records in pa.table({name: arrays[name] for name in columns}).to_batches():
            found.append(Batch(self, row, records))
            row += records.num_rows
        return found

    def _read_plain(self, groups: list[int], columns: list[str]) -> dict[str, pa.ChunkedArray]:
        """Read what can be read straight from the pages."""
        found: dict[str, pa.ChunkedArray] = {}
        if not columns:
            return found
        with open(self.name, "rb") as file:
            for name in columns:
                place, kind = self._plain[name], self.stored.field(name).type
                is_nullable = self._metadata.schema.column(place).max_definition_level == 1
                chunks = []
                for group in groups:
                    chunk = self._metadata.row_group(group).column(place)
                    chunks.append(read_plain(file, chunk, kind, is_nullable=is_nullable))
                if all(chunk is not None for chunk in chunks):
                    found[name] = pa.chunked_array(chunks, kind)
        return found

    def _sequence(self, columns: list[str]) -> Iterator[Batch]:
        stored = self._check_columns(columns)
        row = self.first_row
        with self._located(row):
            file = self._open(stored)
        with file:
            stream = file.iter_batches(BATCH_ROWS, columns=stored)
            while True:
                with self._located(row):
                    records = next(stream, None)
                if records is None:
                    return
                yield self._complete(Batch(self, row, records.select(stored)), columns)
                row += records.num_rows
