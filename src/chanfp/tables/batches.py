"""Batches of rows with known places, and the sources that yield them."""

from __future__ import annotations

import contextlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import ChanfpWarning, ColumnError, DataError
from .columns import check_names, describe_columns, first_line, is_whole

__all__ = ["Batch", "Piece", "Reject", "TableSource"]

NO_ROWS: npt.NDArray[np.int64] = np.empty(0, np.int64)


class Reject(NamedTuple):
    """A row that could not be parsed: its number, the reason, and its raw text."""

    row: int
    reason: str
    text: str


@dataclass(frozen=True)
class Batch:
    """Some rows of one source, in their order.

    Parameters
    ----------
    source : TableSource
        Where the rows come from.
    first_row : int
        The number of the first row, readable or not, as messages show it.
    records : pyarrow.RecordBatch
        The columns asked for, in the order asked for; may hold no row at all.
    rejects : list of Reject
        Rows that stand among these but could not be parsed, by row number. Reasons are
        ``ragged-row``, ``stray-quote``, ``stray-line-break``, ``nul-byte``, ``field-too-long``
        and ``bad-encoding``.
    missing : int64 array
        For every row number in between that has no record (a reject, a blank line, or the second
        line of a record with a line break in it), how many records stand before it; ascending.
    """

    source: TableSource
    first_row: int
    records: pa.RecordBatch
    rejects: list[Reject] = field(default_factory=list)
    missing: npt.NDArray[np.int64] = field(default_factory=lambda: NO_ROWS)

    def row_number(self, row: int) -> int:
        """Return the number, as messages show it, of the record at index `row`."""
        return self.first_row + row + int(np.searchsorted(self.missing, row, "right"))

    @property
    def row_numbers(self) -> npt.NDArray[np.int64]:
        """The numbers of all records, an int64 array made anew at every call."""
        rows = np.arange(self.records.num_rows, dtype=np.int64)
        return self.first_row + rows + np.searchsorted(self.missing, rows, "right")

    def place(self, row: int, column: str) -> str:
        """Name the cell at index `row` of this batch and `column`."""
        return f"{self.source.name}, row {self.row_number(row)}, column {column!r}"


@dataclass(frozen=True)
class Piece:
    """A piece of reading work: what it reads begins at `first_row`; `read` runs on any thread."""

    first_row: int
    read: Callable[[], list[Batch]]


class TableSource(ABC):
    """One file, or one object with ``__arrow_c_stream__``, that yields record batches.

    Parameters
    ----------
    name : str
        How messages call it: the path, or the type of the object.
    stored : pyarrow.Schema
        The columns stored inside; every column of a CSV file is text.
    n_rows : int or None
        Where it is known without reading.
    partition : mapping of str to (str or None)
        Columns told by the folder names (``day=2024-01-31``), the same value in every row.
        A column of the same name inside the file goes before.

    Attributes
    ----------
    schema : pyarrow.Schema
        The stored columns and after them those of the folder names.
    is_rereadable : bool
        Whether the rows can be read a second time.
    """

    is_rereadable = True
    first_row = 1

    def __init__(
        self,
        name: str,
        stored: pa.Schema,
        n_rows: int | None = None,
        partition: Mapping[str, str | None] | None = None,
    ) -> None:
        check_names(name, stored.names)
        self.name = name
        self.n_rows = n_rows
        self.partition = {
            key: value for key, value in (partition or {}).items() if key not in stored.names
        }
        self.stored = stored
        self.schema = pa.schema([*stored, *((key, pa.string()) for key in self.partition)])
        self._warned_of: set[str] = set()

    def __repr__(self) -> str:
        rows = "rows not counted yet" if self.n_rows is None else f"{self.n_rows:,} rows"
        return f"<{type(self).__name__}: {self.name}; {len(self.schema)} columns; {rows}>"

    def warn_of_integers(self, column: str) -> None:
        """Warn if a column of numbers is stored as integers, once however often it is read."""
        if is_whole(self.schema.field(column).type) and column not in self._warned_of:
            self._warned_of.add(column)
            warnings.warn(
                f"{self.name}: column {column!r} is stored as integers; leading zeros and plus "
                "signs are lost and landlines may be ambiguous; export it as text.",
                ChanfpWarning,
                stacklevel=4,
            )

    @abstractmethod
    def _pieces(self, columns: list[str]) -> Iterator[Piece]:
        """Yield the work of reading some stored columns, in the order of the rows."""

    def _sequence(self, columns: list[str]) -> Iterator[Batch]:
        """Yield the batches of some columns one after the other."""
        for unit in self.units(columns):
            yield from unit()

    def units(self, columns: Sequence[str]) -> Iterator[Callable[[], list[Batch]]]:
        """Yield pieces of reading work, in the order of the rows.

        Each may be called once, on any thread, at any time; what all of them return, one after
        the other, is what `batches` yields, though cut elsewhere. Only units in flight take
        memory.

        Raises
        ------
        ColumnError
            If a column is missing.
        DataError
            If the file turns out damaged; the units raise it too.
        """
        stored = self._check_columns(columns)
        with self._located(self.first_row):
            pieces = self._pieces(stored)
        row = self.first_row
        while True:
            with self._located(row):
                piece = next(pieces, None)
            if piece is None:
                return
            row = piece.first_row
            yield partial(self._run, piece, list(columns))

    def batches(self, columns: Sequence[str], *, is_strict: bool = False) -> Iterator[Batch]:
        """Yield the named columns batch by batch, from the first row, at every call.

        Parameters
        ----------
        columns : sequence of str
            Names from `schema`, in the order wanted.
        is_strict : bool, default False
            Refuse rows that can't be parsed, for tables in which every row counts.

        Raises
        ------
        ColumnError
            If a column is missing.
        DataError
            If the file turns out damaged, or, under `is_strict`, a row can't be parsed.
        """
        for batch in self._sequence(list(columns)):
            if is_strict and batch.rejects:
                reject = batch.rejects[0]
                raise DataError(
                    f"{self.name}, row {reject.row}: every row must be readable, found "
                    f"{reject.reason}: {reject.text[:80]!r}; correct or delete the row."
                )
            yield batch

    def _check_columns(self, columns: Sequence[str]) -> list[str]:
        """Return which stored columns to read, at least one, so that rows can be counted."""
        missing = [column for column in columns if column not in self.schema.names]
        if missing:
            raise ColumnError(
                f"{self.name}: column {missing[0]!r} is missing; the columns found are "
                f"{describe_columns(self.schema.names)}; rename one or export the file with it."
            )
        stored = [column for column in columns if column not in self.partition]
        return stored or self.stored.names[:1]

    def _run(self, piece: Piece, columns: list[str]) -> list[Batch]:
        with self._located(piece.first_row):
            return [self._complete(batch, columns) for batch in piece.read()]

    def _complete(self, batch: Batch, columns: list[str]) -> Batch:
        """Put the columns of the folder names beside the stored ones."""
        records = batch.records
        if records.schema.names == columns:
            return batch
        arrays = [
            pa.repeat(pa.scalar(self.partition[name], pa.string()), records.num_rows)
            if name in self.partition
            else records.column(name)
            for name in columns
        ]
        return replace(batch, records=pa.RecordBatch.from_arrays(arrays, names=columns))

    @contextlib.contextmanager
    def _located(self, row: int) -> Iterator[None]:
        """Turn what readers raise for a damaged file into one line that names file and row."""
        try:
            yield
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise DataError(
                    f"{self.name}: can't be opened any more: {error.strerror}; put the file back "
                    "and start again."
                ) from error
            raise DataError(
                f"{self.name}: damaged after row {max(row - 1, 0)}: {first_line(error)}; "
                "export or copy the file again."
            ) from error
