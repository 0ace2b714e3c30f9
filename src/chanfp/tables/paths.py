"""Paths: the files meant by a path, a folder, a glob or a list, and what was passed over."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import ChanfpWarning, DataError, ParameterError
from .batches import TableSource
from .csvfiles import CsvSource
from .layout import CsvLayout, check_delimiter, check_encoding
from .parquet import ParquetSource
from .streams import StreamSource
from .suffixes import TABLE_SUFFIXES, is_parquet

__all__ = ["Sources", "find_sources"]

MAGIC = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
}
# What Hive writes for a missing value (https://hive.apache.org, "Dynamic Partitions").
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
SHOWN_SKIPPED = 3
# Checksums beside data files carry no data of their own.
SILENT_SUFFIXES = (".crc", ".md5", ".sha1", ".sha256")


class Sources(list[TableSource]):
    """The sources found, in the order they are read.

    Attributes
    ----------
    skipped : list of str
        Files inside folders that are no tables by their names, and were passed over. Hidden
        files, markers such as ``_SUCCESS`` and checksums are not among them.
    """

    def __init__(self, sources: list[TableSource], skipped: list[str]) -> None:
        super().__init__(sources)
        self.skipped = skipped

    def warn_of_skipped(self) -> None:
        """Warn of the files passed over, if there are any: how many, and the first names."""
        if self.skipped:
            n_more = len(self.skipped) - SHOWN_SKIPPED
            names = ", ".join(self.skipped[:SHOWN_SKIPPED])
            warnings.warn(
                f"{len(self.skipped):,} files in folders were passed over, because their names end "
                f"in none of {', '.join(TABLE_SUFFIXES)}: {names}"
                f"{f' and {n_more:,} more' if n_more > 0 else ''}; rename what is a table.",
                ChanfpWarning,
                stacklevel=3,
            )


@dataclass
class Found:
    """Files meant by a path, each with the columns its folder names tell; and files skipped."""

    files: dict[str, dict[str, str | None]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def find_sources(
    source: Any, *, encoding: str | None = None, delimiter: str | None = None
) -> Sources:
    """Open whatever a user may call a table: paths, folders, globs, Arrow streams, lists of them.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        A folder means every CSV and Parquet file under it, in the order of their names; folders
        inside it named ``day=2024-01-31`` become a text column ``day``. A glob means the files
        it matches and the files under the folders it matches. Files end in ``.csv``, ``.tsv``,
        these with ``.gz`` or ``.zst``, ``.parquet`` or ``.pq``.
    encoding : str, optional
        The encoding of CSV files; default detected per file: UTF-8, GB18030, or UTF-16 with a
        byte-order mark.
    delimiter : str, optional
        The character between the fields of CSV files; default detected per file among comma,
        semicolon, tab and bar.

    Returns
    -------
    Sources
        A list, never empty. Nothing but headers and footers is read yet.

    Raises
    ------
    DataError
        If a path does not exist, matches nothing, can't be opened, or isn't what its suffix says.
    ColumnError
        If a column name stands twice.
    ParameterError
        If `source` is of another kind, or there is no such encoding or delimiter.
    """
    encoding, delimiter = check_encoding(encoding), check_delimiter(delimiter)
    if hasattr(source, "__arrow_c_stream__"):
        return Sources([StreamSource(source)], [])
    if isinstance(source, str | os.PathLike):
        found = _expand(os.fspath(source))
        opened = [
            _open_file(path, partition, encoding, delimiter)
            for path, partition in found.files.items()
        ]
        return Sources(opened, found.skipped)
    if isinstance(source, list | tuple) and source:
        parts = [find_sources(part, encoding=encoding, delimiter=delimiter) for part in source]
        return Sources(
            [opened for part in parts for opened in part],
            [path for part in parts for path in part.skipped],
        )
    raise ParameterError(
        f"a table must be a path, a folder, a glob, a list of these, or anything with "
        f"`__arrow_c_stream__` (pandas, polars, DuckDB, pyarrow), got {type(source).__name__}."
    )


def _expand(path: str) -> Found:
    found = Found()
    if os.path.isdir(path):
        _search_folder(path, {}, found)
        if not found.files:
            others = f"found only {found.skipped[0]!r}" if found.skipped else "it is empty"
            raise DataError(
                f"{path}: the folder holds no file ending in {', '.join(TABLE_SUFFIXES)} "
                f"({others}); name another folder or the files themselves."
            )
    elif os.path.exists(path):
        found.files[path] = {}
    elif has_magic(path):
        _search_pattern(path, found)
    else:
        raise DataError(f"{path}: no such file or folder; check the path.")
    return found


def _search_pattern(pattern: str, found: Found) -> None:
    depth = next(at for at, part in enumerate(Path(pattern).parts) if has_magic(part))
    for match in sorted(glob(pattern, recursive=True)):
        parts = Path(match).parts[depth:]
        if os.path.isdir(match):
            _search_folder(match, _partition_of(parts), found)
        elif match not in found.files:
            found.files[match] = _partition_of(parts[:-1])
    if not found.files:
        raise DataError(
            f"{pattern}: the pattern matches no file; check the folder and the pattern."
        )


def _search_folder(folder: str, partition: dict[str, str | None], found: Found) -> None:
    """Add the files under a folder, in the order of their paths."""
    tables: list[str] = []
    for path in _walk(folder, set()):
        name = os.path.basename(path)
        if name.lower().endswith(TABLE_SUFFIXES):
            tables.append(path)
        elif not name.lower().endswith(SILENT_SUFFIXES) and path not in found.skipped:
            found.skipped.append(path)
    for path in sorted(tables):
        if path not in found.files:
            inner = Path(path).relative_to(folder).parts[:-1]
            found.files[path] = {**partition, **_partition_of(inner)}


def _walk(folder: str, seen: set[str]) -> Iterator[str]:
    """Yield every file under a folder that isn't hidden; links are followed, each folder once."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise _cannot_open(folder, error) from error
    for name in names:
        path = os.path.join(folder, name)
        if name.startswith(".") or (name.startswith("_") and "=" not in name):
            continue
        if os.path.isdir(path):
            yield from _walk(path, seen)
        else:
            yield path


def _partition_of(parts: tuple[str, ...]) -> dict[str, str | None]:
    """Return the columns told by folder names such as ``day=2024-01-31``."""
    partition: dict[str, str | None] = {}
    for part in parts:
        name, is_one, value = part.partition("=")
        if is_one and name:
            partition[unquote(name)] = None if value == NULL_PARTITION else unquote(value)
    return partition


def _open_file(
    path: str, partition: dict[str, str | None], encoding: str | None, delimiter: str | None
) -> TableSource:
    if not path.lower().endswith(TABLE_SUFFIXES):
        raise DataError(
            f"{path}: the suffix must be one of {', '.join(TABLE_SUFFIXES)}; rename or convert the "
            "file."
        )
    try:
        _check_content(path)
        if is_parquet(path):
            return ParquetSource(path, partition)
        return CsvSource(path, CsvLayout.of(path, encoding, delimiter), partition)
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: str, error: OSError) -> DataError:
    return DataError(
        f"{path}: can't be opened: {error.strerror or error}; check that it may be read."
    )


def _check_content(path: str) -> None:
    """Refuse a file whose first bytes contradict its suffix."""
    lower = path.lower()
    if not os.path.isfile(path):
        raise DataError(
            f"{path}: must be a file, found a pipe, device or dead link; copy it first."
        )
    with open(path, "rb") as file:
        head = file.read(4)
    if not head:
        raise DataError(f"{path}: the file is empty, not even a header; export it again.")
    found = next((name for magic, name in MAGIC.items() if head.startswith(magic)), "text")
    said = "gzip" if lower.endswith(".gz") else "zstd" if lower.endswith(".zst") else "text"
    said = "Parquet" if is_parquet(path) else said
    if found != said:
        raise DataError(
            f"{path}: the suffix says {said}, but the content begins like {found}; rename the "
            "file after what it is, or export it again."
        )
