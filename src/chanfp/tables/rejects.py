"""The reject file: every row that couldn't be used, as it stands, with its place and the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ..errors import ParameterError
from .outputs import CSV_WRITE_OPTIONS, PartFile, check_output
from .suffixes import PARQUET_SUFFIXES, is_parquet

__all__ = [
    "REJECT_SCHEMA",
    "RejectFile",
    "check_survival",
    "csv_lines",
    "open_rejects",
    "reject_table",
]

REJECT_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("column", pa.string()),
        ("record", pa.string()),
    ]
)
SUFFIXES = (".csv", ".csv.gz", *PARQUET_SUFFIXES)
# Rows are written in groups of this many, however they come in, so that the bytes are the same.
GROUP_ROWS = 1 << 16
NEEDS_QUOTES = r'[",\r\n]'


class RejectFile:
    """Writes rejected rows as they come, in bounded memory, under a temporary name.

    Use it in a ``with`` statement. The file takes its final name when the block is left and all
    rows had been written, even if the run was refused for having too many of them; after any
    other error and after Ctrl-C nothing is left.

    Parameters
    ----------
    path : str or path
        ``.csv``, ``.csv.gz`` or ``.parquet``; an existing file is replaced.

    Raises
    ------
    ParameterError
        If the suffix is another.
    DataError
        If it can't be written there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.n_rows = 0
        check_output(self.path, SUFFIXES)
        self._part = PartFile(self.path)
        self._waiting: list[pa.Table] = []
        self._n_waiting = 0
        self._stream: Any = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        self._part.__enter__()
        self._open()
        return self

    def restart(self) -> None:
        """Forget all rows written, because reading begins anew."""
        self._close()
        self._waiting, self._n_waiting, self.n_rows = [], 0, 0
        self._open()

    def _open(self) -> None:
        with self._part.located():
            if is_parquet(self.path):
                self._writer = pq.ParquetWriter(self._part.temporary, REJECT_SCHEMA)
            else:
                compression = "gzip" if self.path.lower().endswith(".gz") else None
                self._stream = pa.output_stream(self._part.temporary, compression=compression)
                self._writer = pa_csv.CSVWriter(
                    self._stream, REJECT_SCHEMA, write_options=CSV_WRITE_OPTIONS
                )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._writer is not None:
                self._close()
        finally:
            self._part.__exit__(kind, error, traceback)

    def write(self, rows: pa.Table) -> None:
        """Take further rows, with the columns of ``REJECT_SCHEMA``."""
        self._waiting.append(rows)
        self._n_waiting += rows.num_rows
        self.n_rows += rows.num_rows
        while self._n_waiting >= GROUP_ROWS:
            self._write_group()

    def finish(self) -> None:
        """Say that all rows have been written."""
        while self._n_waiting:
            self._write_group()
        self._close()
        self._part.is_whole = True

    def _write_group(self) -> None:
        rows = pa.concat_tables(self._waiting)
        with self._part.located():
            # In one piece, or the pages of a Parquet file might end where the pieces do.
            self._writer.write_table(rows.slice(0, GROUP_ROWS).combine_chunks())
        rest = rows.slice(GROUP_ROWS)
        self._waiting, self._n_waiting = [rest], rest.num_rows

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        stream, self._stream = self._stream, None
        with self._part.located():
            if writer is not None:
                writer.close()
            if stream is not None:
                stream.close()


@contextmanager
def open_rejects(
    rejects: str | os.PathLike[str] | RejectFile | None, inputs: Iterable[str]
) -> Iterator[RejectFile | None]:
    """Open the reject file of a run, for a ``with`` statement.

    Parameters
    ----------
    rejects : path, RejectFile or None
        One that is open already stays so; None gives None.
    inputs : iterable of str
        The files that are read, none of which may be replaced.

    Raises
    ------
    ParameterError, DataError
        As `check_survival` and `RejectFile`.
    """
    if rejects is None or isinstance(rejects, RejectFile):
        yield rejects
        return
    check_survival(rejects, inputs, "rejects")
    with RejectFile(rejects) as file:
        yield file


def check_survival(path: str | os.PathLike[str], others: Iterable[str], name: str) -> None:
    """Refuse to write a file over one that is read or written in the same run.

    Parameters
    ----------
    path : str or path
    others : iterable of str
        The other files; names of tables in memory may be among them.
    name : str
        The parameter that gives `path`, for the message.

    Raises
    ------
    ParameterError
        Naming both.
    """
    path = os.fspath(path)
    for other in others:
        is_there = os.path.exists(path) and os.path.exists(other)
        if os.path.realpath(path) == os.path.realpath(other) or (
            is_there and os.path.samefile(path, other)
        ):
            raise ParameterError(
                f"`{name}` {path} is an input or output of this run too, which would be lost; name "
                "another file."
            )


def reject_table(
    file: str, rows: Any, reasons: Sequence[str], columns: Sequence[str | None], records: Any
) -> pa.Table:
    """Return rejected rows of one file as a table of ``REJECT_SCHEMA``.

    Parameters
    ----------
    file : str
    rows : sequence or array of int
        Row numbers as messages show them.
    reasons : sequence of str
    columns : sequence of str or None
        The column at fault, None where the whole row is.
    records : sequence or Arrow array of str
        The rows as they stand.
    """
    n_rows = len(reasons)
    arrays = [pa.repeat(pa.scalar(file), n_rows), rows, reasons, columns, records]
    return pa.table(
        [
            pa.array(values, kind) if not isinstance(values, pa.Array) else values.cast(kind)
            for values, kind in zip(arrays, REJECT_SCHEMA.types, strict=True)
        ],
        schema=REJECT_SCHEMA,
    )


def csv_lines(records: pa.RecordBatch) -> pa.Array:
    """Return each row as a line of CSV without its line end; null is an empty field."""
    fields = [_as_field(column) for column in records.columns]
    return pc.binary_join_element_wise(*fields, pa.scalar(",", pa.large_string()))


def _as_field(column: pa.Array) -> pa.Array:
    """Return a column as text, quoted where it must be."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        text = column.cast(pa.large_string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, or bytes that are no text
        values = column.to_pylist()
        text = pa.array([None if value is None else str(value) for value in values])
        text = text.cast(pa.large_string())
    text = text.fill_null("")
    nothing, quote = (pa.scalar(sign, pa.large_string()) for sign in ("", '"'))
    doubled = pc.replace_substring(text, '"', '""')
    quoted = pc.binary_join_element_wise(nothing, doubled, nothing, quote)
    return pc.if_else(pc.match_substring_regex(text, NEEDS_QUOTES), quoted, text)
