"""Folders: several tables of one result, each a file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from ..errors import DataError, ParameterError
from .outputs import write_table

__all__ = ["make_folder", "write_tables"]

FORMATS = ("parquet", "csv")


def write_tables(
    tables: Mapping[str, pa.Table], directory: str | os.PathLike[str], file_format: str
) -> Path:
    """Write tables into a folder, ``NAME.parquet`` and so on, and return its path.

    Raises
    ------
    ParameterError
        If the format is neither ``parquet`` nor ``csv``.
    DataError
        If the folder can't be made or written.
    """
    if file_format not in FORMATS:
        raise ParameterError(f'`format` must be "parquet" or "csv", got {file_format!r}.')
    folder = make_folder(directory)
    for name, table in tables.items():
        write_table(table, folder / f"{name}.{file_format}")
    return folder


def make_folder(directory: str | os.PathLike[str]) -> Path:
    """Return a folder for results, made where it doesn't exist.

    Raises
    ------
    DataError
        If it can't be made or written.
    """
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder}: the folder can't be made: {error.strerror or error}; choose another."
        ) from error
    if not os.access(folder, os.W_OK):
        raise DataError(f"{folder}: nothing can be written there; choose another folder.")
    return folder
