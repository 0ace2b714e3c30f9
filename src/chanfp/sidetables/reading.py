"""Reading: a side table by its schema, every row checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import ChanfpWarning, ColumnError, DataError
from ..headers import find_words, known_meanings
from ..numbering import NumberingPlan
from ..tables import Batch, TableSource, describe_columns, find_sources, is_whole
from ..zones import check_timezone
from .repeats import find_repeats, rows_differ
from .schemas import ARROW_TYPES, Column, Schema
from .values import WANTED, is_empty, read_values

__all__ = ["SideTable", "read_column", "read_table"]


@dataclass(frozen=True)
class SideTable:
    """A table beside the CDRs, every row checked. Made by `read_usage` and its like.

    It speaks the Arrow C stream interface, so pandas, polars, DuckDB and pyarrow take it as it is.

    Attributes
    ----------
    table : pyarrow.Table
        One column for each of the schema, in its order; null where a cell is empty, and throughout
        where the file has no such column. Each field says in its metadata what it means.
    found : tuple of str
        The columns of the schema that some file has.
    unrecognised : tuple of str
        Columns of the files that mean nothing here, by first appearance.
    schema : Schema
    sources : list of (str, int)
        Each source and how many rows stand before its first.
    row_numbers : int64 array
        The number that messages give each row, within its source.
    """

    table: pa.Table
    found: tuple[str, ...]
    unrecognised: tuple[str, ...]
    schema: Schema
    sources: list[tuple[str, int]]
    row_numbers: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        others = f"; not recognised: {describe_columns(self.unrecognised)}"
        return (
            f"<SideTable: {self.schema.title}, {len(self):,} rows of {', '.join(self.found)}"
            f"{others if self.unrecognised else ''}>"
        )

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)

    def place(self, row: int) -> str:
        """Name the file and row of a row of the table, for messages."""
        name = next(name for name, begin in reversed(self.sources) if begin <= row)
        return f"{name}, row {self.row_numbers[row]}"

    def number_keys(self, name: str, plan: NumberingPlan) -> npt.NDArray[np.uint64]:
        """Return the keys of a column of numbers, 0 where a cell is empty.

        Raises
        ------
        DataError
            If a cell holds no subscriber number under the plan; file and row are named.
        """
        numbers = self.table.column(name)
        keys, codes = plan.resolve(numbers)
        is_bad = (codes != 0) & numbers.is_valid().to_numpy()
        if is_bad.any():
            row = int(np.argmax(is_bad))
            raise DataError(
                f"{self.place(row)}, column {name!r}: a subscriber number is needed, found "
                f"{numbers[row].as_py()!r} ({plan.reasons[codes[row]]} under the plan "
                f"{plan.region!r}); correct the cell or delete the row."
            )
        return keys


def read_table(source: Any, schema: Schema, *, timezone: str | None = None) -> SideTable:
    """Read a side table and check every row.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        Columns are named as in the schema, or by a known English or Chinese header.
    schema : Schema
    timezone : str, optional
        As in `read_subscribers`.

    Returns
    -------
    SideTable
        In the order of the rows; without rows where the table has none.

    Raises
    ------
    ColumnError
        If a required column is missing, two can be meant, or one is stored as a type that would
        lose data.
    DataError
        If a cell can't be used, or two rows agree in the key; file, row and column are named.
    """
    batches: list[pa.RecordBatch] = []
    sources: list[tuple[str, int]] = []
    numbers = [np.zeros(0, np.int64)]
    found: dict[str, None] = {}
    others: dict[str, None] = {}
    zone = check_timezone(timezone)
    found_sources = find_sources(source)
    found_sources.warn_of_skipped()
    for opened in found_sources:
        columns = _find_columns(opened, schema)
        found.update(dict.fromkeys(columns))
        used = set(columns.values())
        others.update((name, None) for name in opened.schema.names if name not in used)
        sources.append((opened.name, sum(len(part) for part in numbers)))
        for batch in _read_source(opened, schema, columns, zone):
            batches.append(batch[0])
            numbers.append(batch[1])
    side_table = SideTable(
        pa.Table.from_batches(batches, schema.arrow),
        tuple(name for name in schema.names if name in found),
        tuple(others),
        schema,
        sources,
        np.concatenate(numbers),
    )
    return _without_repeats(side_table)


def read_column(batch: Batch, name: str, column: Column, zone: ZoneInfo | None = None) -> pa.Array:
    """Return the cells of one column, null where empty; times by the clock of a zone.

    Raises
    ------
    ColumnError
        If the column is stored as a type that can't hold such values.
    DataError
        At the first cell that can't be read, or is empty and must not be.
    """
    values, is_bad = read_values(batch, name, column, zone)
    if is_bad.any():
        row = int(np.argmax(is_bad))
        wanted = WANTED[column.kind]
        if column.takes_words:
            wanted = "one of " + ", ".join(map(repr, known_meanings(column.name)))
        way_out = "correct the cell" if column.is_filled else "correct the cell or leave it empty"
        raise DataError(
            f"{batch.place(row, name)}: {wanted} is needed, found "
            f"{batch.records.column(name)[row].as_py()!r}; {way_out}."
        )
    if column.is_filled and values.null_count:
        row = int(np.argmax(is_empty(values)))
        raise DataError(
            f"{batch.place(row, name)}: {WANTED[column.kind]} is needed in every row, found an "
            "empty cell; fill it or delete the row."
        )
    return values


def _find_columns(source: TableSource, schema: Schema) -> dict[str, str]:
    columns = find_words(source.schema.names, schema.names, place=source.name)
    for column in schema.columns:
        if column.is_required and column.name not in columns:
            raise ColumnError(
                f"{source.name}: the {schema.title} needs a column {column.name!r}; the columns "
                f"found are {describe_columns(source.schema.names)}; rename the one that is meant."
            )
    return columns


def _read_source(
    source: TableSource, schema: Schema, columns: dict[str, str], zone: ZoneInfo | None
) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int64]]]:
    """Yield the rows of one source with their numbers."""
    for column in schema.columns:
        stored = columns.get(column.name)
        if column.kind == "number" and stored is not None:
            warn_of_integers(source, stored)
    for batch in source.batches(list(columns.values()), is_strict=True):
        arrays = [
            read_column(batch, columns[column.name], column, zone)
            if column.name in columns
            else pa.nulls(batch.records.num_rows, ARROW_TYPES[column.kind])
            for column in schema.columns
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema.arrow), batch.row_numbers


def warn_of_integers(source: TableSource, column: str) -> None:
    """Warn where a column of numbers is stored as integers."""
    if is_whole(source.schema.field(column).type):
        warnings.warn(
            f"{source.name}: column {column!r} is stored as integers; leading zeros and plus signs "
            "are lost and landlines may be ambiguous; export it as text.",
            ChanfpWarning,
            stacklevel=5,
        )


def _without_repeats(side_table: SideTable) -> SideTable:
    """Return the table if no two rows agree in its key; equal rows once, where that is allowed."""
    schema = side_table.schema
    if not schema.key:
        return side_table
    repeats, firsts = find_repeats([side_table.table.column(name) for name in schema.key])
    if not len(repeats):
        return side_table
    if schema.takes_equal_rows:
        differs = rows_differ(side_table.table, repeats, firsts)
        if not differs.any():
            return _drop_rows(side_table, repeats)
        repeats, firsts = repeats[differs], firsts[differs]
    at = int(np.argmin(repeats))
    first, second = int(firsts[at]), int(repeats[at])
    key = ", ".join(f"{name} {side_table.table[name][first].as_py()}" for name in schema.key)
    both = "contradict" if schema.takes_equal_rows else "repeat"
    raise DataError(
        f"{side_table.place(first)} and {side_table.place(second)}: the {schema.title} has one row "
        f"for each {' and '.join(schema.key)}, these {both} each other ({key}); delete one."
    )


def _drop_rows(side_table: SideTable, rows: npt.NDArray[np.int64]) -> SideTable:
    is_kept = np.ones(len(side_table), bool)
    is_kept[rows] = False
    kept_before = np.concatenate([[0], np.cumsum(is_kept)])
    return SideTable(
        side_table.table.filter(pa.array(is_kept)),
        side_table.found,
        side_table.unrecognised,
        side_table.schema,
        [(name, int(kept_before[begin])) for name, begin in side_table.sources],
        side_table.row_numbers[is_kept],
    )
