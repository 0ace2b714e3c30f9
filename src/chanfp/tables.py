"""Tables: files and Arrow streams in, as record batches with known places; files out, whole or not.

A *place* is how messages name a cell: file, row, column. Rows count as a spreadsheet shows them:
in a CSV file the header is row 1 and the first record row 2; elsewhere the first record is row 1.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from .errors import ColumnError, DataError, ParameterError

__all__ = [
    "Batch",
    "TableSource",
    "as_text",
    "check_output",
    "describe_columns",
    "find_sources",
    "write_table",
]

CSV_SUFFIXES = (".csv", ".csv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")
CSV_BLOCK_BYTES = 1 << 23
PARQUET_BATCH_ROWS = 1 << 17
CSV_WRITE_OPTIONS = pa_csv.WriteOptions(quoting_style="needed")


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows of one source.

    Parameters
    ----------
    source : TableSource
        Where the rows come from.
    first_row : int
        The number of the first row, as messages show it.
    records : pyarrow.RecordBatch
        The columns asked for, in the order asked for.
    """

    source: TableSource
    first_row: int
    records: pa.RecordBatch

    def place(self, row: int, column: str) -> str:
        """Name the cell at index `row` of this batch and `column`."""
        return f"{self.source.name}, row {self.first_row + row}, column {column!r}"


@dataclass(frozen=True)
class TableSource:
    """One file, or one object with ``__arrow_c_stream__``, that yields record batches.

    Parameters
    ----------
    name : str
        How messages call it: the path, or the type of the object.
    schema : pyarrow.Schema
        Its columns; every column of a CSV file is text.
    n_rows : int or None
        Where it is known without reading.
    """

    name: str
    schema: pa.Schema
    n_rows: int | None
    first_row: int
    open_stream: Callable[[list[str]], Iterator[pa.RecordBatch]] = field(repr=False)
    is_rereadable: bool = True

    def units(self, columns: Sequence[str]) -> Iterator[Callable[[], Batch]]:
        """Yield pieces of work in file order, each of which reads a batch on any thread."""
        for batch in self.batches(columns):
            yield partial(_same, batch)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield the named columns batch by batch, from the first row, at every call.

        Raises
        ------
        ColumnError
            If a column is missing.
        DataError
            If the file turns out damaged.
        """
        missing = [column for column in columns if column not in self.schema.names]
        if missing:
            raise ColumnError(
                f"{self.name}: column {missing[0]!r} is missing; the columns found are "
                f"{describe_columns(self.schema.names)}; rename one or export the file with it."
            )
        row = self.first_row
        try:
            for records in self.open_stream(list(columns)):
                yield Batch(self, row, records)
                row += records.num_rows
        except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise
            raise DataError(
                f"{self.name}: damaged after row {max(row - 1, 0)}: {first_line(error)}; "
                "export or copy the file again."
            ) from error


def _same(batch: Batch) -> Batch:
    return batch


def find_sources(source: Any) -> list[TableSource]:
    """Open whatever a user may call a table: paths, folders, globs, Arrow streams, lists of them.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        A folder means every CSV and Parquet file under it, in the order of their names; a glob
        what it matches.

    Returns
    -------
    list of TableSource
        Never empty.

    Raises
    ------
    DataError
        If a path does not exist, matches nothing, or isn't what its suffix says.
    """
    if hasattr(source, "__arrow_c_stream__"):
        return [_stream_source(source)]
    if isinstance(source, str | os.PathLike):
        return [_file_source(path) for path in _expand(os.fspath(source))]
    if isinstance(source, list | tuple) and source:
        return [opened for part in source for opened in find_sources(part)]
    raise ParameterError(
        f"a table must be a path, a folder, a glob, a list of these, or anything with "
        f"`__arrow_c_stream__` (pandas, polars, DuckDB, pyarrow), got {type(source).__name__}."
    )


def describe_columns(names: Sequence[str], most: int = 12) -> str:
    """Return the first column names as text for a message."""
    shown = ", ".join(repr(name) for name in names[:most])
    return (shown or "none") + (f" and {len(names) - most} more" if len(names) > most else "")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without a closing stop."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")


def as_text(column: pa.Array, place: str) -> tuple[pa.Array, bool]:
    """Return a column of numbers or ids as text, and whether it was stored as integers.

    Parameters
    ----------
    column : pyarrow.Array
        Text of any kind, dictionary-encoded text, or integers.
    place : str
        Where the column stands, for the message.

    Raises
    ------
    ColumnError
        If the column is stored as anything else; floating point most of all.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind):
        return column.cast(pa.string()), True
    if pa.types.is_null(kind):
        return column.cast(pa.string()), False
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column, False
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string()), False
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        raise ColumnError(
            f"{place}: numbers must be text, found {kind}; a floating-point number has lost "
            "leading zeros and plus signs and may have lost digits; export the column as text."
        )
    raise ColumnError(f"{place}: numbers must be text, found {kind}; export the column as text.")


def _expand(path: str) -> list[str]:
    if os.path.isdir(path):
        found = sorted(
            str(inner)
            for inner in Path(path).rglob("*")
            if inner.is_file() and inner.name.endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES))
        )
        if not found:
            raise DataError(
                f"{path}: the folder holds no file ending in "
                f"{', '.join((*CSV_SUFFIXES, *PARQUET_SUFFIXES))}; name the files themselves."
            )
        return found
    if os.path.exists(path):
        return [path]
    if has_magic(path):
        found = sorted(match for match in glob(path, recursive=True) if os.path.isfile(match))
        if found:
            return found
        raise DataError(f"{path}: the pattern matches no file; check the folder and the pattern.")
    raise DataError(f"{path}: no such file or folder; check the path.")


def _file_source(path: str) -> TableSource:
    lower = path.lower()
    if not lower.endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES)):
        raise DataError(
            f"{path}: the suffix must be one of "
            f"{', '.join((*CSV_SUFFIXES, *PARQUET_SUFFIXES))}; rename or convert the file."
        )
    _check_content(path, lower)
    if lower.endswith(PARQUET_SUFFIXES):
        return _parquet_source(path)
    return _csv_source(path)


def _check_content(path: str, lower: str) -> None:
    """Refuse a file whose first bytes contradict its suffix."""
    with open(path, "rb") as file:
        head = file.read(4)
    if not head:
        raise DataError(f"{path}: the file is empty, not even a header; export it again.")
    found = {b"PAR1": "Parquet"}.get(head, "gzip" if head[:2] == b"\x1f\x8b" else "text")
    said = "gzip" if lower.endswith(".gz") else "text"
    said = "Parquet" if lower.endswith(PARQUET_SUFFIXES) else said
    if found != said:
        raise DataError(
            f"{path}: the suffix says {said}, but the content begins like {found}; rename the "
            "file after what it is, or export it again."
        )


def _parquet_source(path: str) -> TableSource:
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: can't be read as Parquet: {first_line(error)}; export or copy it again."
        ) from error

    def open_stream(columns: list[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path) as file:
            for records in file.iter_batches(PARQUET_BATCH_ROWS, columns=columns):
                yield records.select(columns)

    return TableSource(path, schema, metadata.num_rows, 1, open_stream)


def _csv_source(path: str) -> TableSource:
    names = _csv_header(path)
    schema = pa.schema([(name, pa.string()) for name in names])

    def open_stream(columns: list[str]) -> Iterator[pa.RecordBatch]:
        with _open_binary(path) as file:
            reader = pa_csv.open_csv(
                file,
                read_options=pa_csv.ReadOptions(block_size=CSV_BLOCK_BYTES),
                convert_options=pa_csv.ConvertOptions(
                    column_types=schema, include_columns=columns, strings_can_be_null=False
                ),
            )
            yield from reader

    return TableSource(path, schema, None, 2, open_stream)


def _csv_header(path: str) -> list[str]:
    try:
        with _open_binary(path) as file:
            line = file.readline().decode("utf-8-sig")
    except (OSError, EOFError, UnicodeError) as error:
        raise DataError(
            f"{path}: the header can't be read as UTF-8 text: {first_line(error)}; export it again."
        ) from error
    names = next(csv.reader([line]), [])
    if not any(name.strip() for name in names):
        raise DataError(f"{path}, row 1: a header with column names is needed, found none.")
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ColumnError(
            f"{path}, row 1: column names must differ, {sorted(repeated)[0]!r} stands there "
            "twice; rename one."
        )
    return names


def _open_binary(path: str) -> BinaryIO:
    if path.lower().endswith(".gz"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return open(path, "rb")


def _stream_source(table: Any) -> TableSource:
    kind = type(table)
    name = f"<{kind.__module__.split('.')[0]}.{kind.__name__}>"
    once = isinstance(table, pa.RecordBatchReader)
    schema = table.schema if once else pa.RecordBatchReader.from_stream(table).schema
    spent = False

    def open_stream(columns: list[str]) -> Iterator[pa.RecordBatch]:
        nonlocal spent
        if spent:
            raise DataError(
                f"{name}: a reader can be read only once, and this needs two passes; hand over "
                "the table (`reader.read_all()`) or files."
            )
        spent = once
        reader = table if once else pa.RecordBatchReader.from_stream(table)
        for records in reader:
            yield records.select(columns)

    n_rows = table.num_rows if isinstance(table, pa.Table | pa.RecordBatch) else None
    return TableSource(name, schema, n_rows, 1, open_stream, not once)


def write_table(table: pa.Table, path: str | os.PathLike[str] | BinaryIO) -> None:
    """Write a table as CSV or Parquet by suffix; the file appears whole or not at all.

    An open binary file gets CSV.

    Raises
    ------
    ParameterError
        If the suffix is neither `.csv` nor `.parquet`.
    DataError
        If the folder does not exist or can't be written.
    """
    if not isinstance(path, str | os.PathLike):
        pa_csv.write_csv(table, path, CSV_WRITE_OPTIONS)
        path.flush()
        return
    path = os.fspath(path)
    check_output(path)
    folder = os.path.dirname(path) or "."
    handle, temporary = tempfile.mkstemp(
        dir=folder, prefix=f".{os.path.basename(path)}.", suffix=".part"
    )
    os.close(handle)
    try:
        if path.lower().endswith(PARQUET_SUFFIXES):
            pq.write_table(table, temporary)
        else:
            pa_csv.write_csv(table, temporary, CSV_WRITE_OPTIONS)
        os.chmod(temporary, 0o666 & ~_current_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def check_output(path: str) -> None:
    """Refuse an output path that could not be written, before any work is done.

    Raises
    ------
    ParameterError
        If the suffix is neither `.csv` nor `.parquet`.
    DataError
        If the folder does not exist or can't be written.
    """
    if not path.lower().endswith((".csv", *PARQUET_SUFFIXES)):
        raise ParameterError(f"{path}: an output file must end in .csv or .parquet; rename it.")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise DataError(f"{path}: the folder {folder} does not exist; make it first.")
    if not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise DataError(f"{path}: can't be written there; choose another path.")


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
