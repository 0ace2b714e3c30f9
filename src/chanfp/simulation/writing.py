"""Writing: a made-up carrier as a folder of files, each either whole or absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from ..errors import ParameterError
from .records import CdrStream

__all__ = ["FORMATS", "check_target", "write_cdrs", "write_csv"]

FORMATS = ("parquet", "csv")
# A part holds whole days and is closed after the day that takes it past this many rows.
PART_ROWS = 2_000_000
# No value of a made-up table needs quoting, and quoted numbers double the size.
_CSV = pa_csv.WriteOptions(include_header=False, quoting_style="none")
DayDone = Callable[[int, int], None]


def check_target(directory: Path, *, overwrite: bool) -> None:
    """Refuse a place that holds something else.

    Raises
    ------
    ParameterError
        If `directory` is a file, or a folder that isn't empty and `overwrite` is false.
    """
    if directory.exists() and not directory.is_dir():
        raise ParameterError(f"`directory` must be a folder, {directory} is a file; name another.")
    if not overwrite and directory.is_dir() and any(directory.iterdir()):
        raise ParameterError(
            f"`directory` must be empty or new, {directory} holds files; "
            "name another or pass `overwrite=True`."
        )


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open `path` so that it appears under its name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_csv(table: pa.Table, path: Path) -> None:
    """Write one table as a CSV file in UTF-8; nulls become empty fields."""
    with whole_file(path) as file:
        _write_header(table.schema, file)
        pa_csv.write_csv(table, file, _CSV)


def write_cdrs(cdrs: CdrStream, folder: Path, file_format: str, day_done: DayDone) -> None:
    """Write the records as part files that hold whole days each."""
    days = enumerate(cdrs.iter_days(), start=1)
    names: list[str] = []
    n_written = 0
    while n_written < cdrs.days:
        path = folder / f"part-{len(names):05d}.{file_format}"
        names.append(path.name)
        with whole_file(path) as file:
            write_part = _write_csv_part if file_format == "csv" else _write_parquet_part
            n_written = write_part(file, days, cdrs, day_done)
    for stale in folder.glob("part-*"):
        if stale.name not in names:
            stale.unlink()


Days = Iterable[tuple[int, Iterator[pa.RecordBatch]]]


def _write_part(
    days: Days, n_days: int, write: Callable[[pa.RecordBatch], None], day_done: DayDone
) -> int:
    """Write days until the part is full; return the number of days written in all."""
    n_rows = n_written = 0
    for n_written, batches in days:
        for batch in batches:
            write(batch)
            n_rows += batch.num_rows
        day_done(n_written, n_days)
        if n_rows >= PART_ROWS:
            break
    return n_written


def _write_parquet_part(file: BinaryIO, days: Days, cdrs: CdrStream, day_done: DayDone) -> int:
    with pa_parquet.ParquetWriter(
        file, cdrs.schema, compression="zstd", use_dictionary=["kind", "cell"]
    ) as writer:
        return _write_part(days, cdrs.days, writer.write_batch, day_done)


def _write_csv_part(file: BinaryIO, days: Days, cdrs: CdrStream, day_done: DayDone) -> int:
    _write_header(cdrs.schema, file)
    with pa_csv.CSVWriter(file, cdrs.schema, write_options=_CSV) as writer:
        return _write_part(days, cdrs.days, writer.write_batch, day_done)


def _write_header(schema: pa.Schema, file: BinaryIO) -> None:
    file.write((",".join(schema.names) + "\n").encode())
