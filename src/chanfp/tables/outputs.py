"""Output files: whole under their final name, or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ..errors import DataError, ParameterError

__all__ = ["check_output", "write_table"]

PARQUET_SUFFIXES = (".parquet", ".pq")
CSV_WRITE_OPTIONS = pa_csv.WriteOptions(quoting_style="needed")


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
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise DataError(
                f"{path}: can't be written: {error.strerror or error}; make room or choose "
                "another path."
            ) from error
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
