"""Output files: whole under their final name, or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ..errors import ChanfpError, DataError, ParameterError
from .suffixes import PARQUET_SUFFIXES, is_parquet

__all__ = ["PartFile", "check_output", "write_table"]

OUTPUT_SUFFIXES = (".csv", *PARQUET_SUFFIXES)
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
    with PartFile(path) as part:
        if is_parquet(path):
            pq.write_table(table, part.temporary)
        else:
            pa_csv.write_csv(table, part.temporary, CSV_WRITE_OPTIONS)
        part.is_whole = True


class PartFile:
    """A file that is written under a temporary name beside the final one, in a ``with`` statement.

    When the block is left it takes its final name if somebody set `is_whole` and no error came up
    but one of chanfp's own; otherwise nothing is left of it. What the system refuses becomes a
    `DataError`.

    Parameters
    ----------
    path : str
        The final name; a file of this name is replaced.

    Attributes
    ----------
    temporary : str
        The name to write to, there when the block is entered.
    is_whole : bool
        Whether all has been written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.temporary = ""
        self.is_whole = False

    def __enter__(self) -> Self:
        folder, name = os.path.split(self.path)
        with self.located():
            handle, self.temporary = tempfile.mkstemp(
                dir=folder or ".", prefix=f".{name}.", suffix=".part"
            )
            os.close(handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self.is_whole and (kind is None or issubclass(kind, ChanfpError)):
                with self.located():
                    os.chmod(self.temporary, 0o666 & ~_current_umask())
                    os.replace(self.temporary, self.path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.temporary)
        if isinstance(error, OSError):
            raise self._cannot_write(error) from error

    @contextlib.contextmanager
    def located(self) -> Iterator[None]:
        """Turn what the system refuses into one line that names the file."""
        try:
            yield
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> DataError:
        return DataError(
            f"{self.path}: can't be written: {error.strerror or error}; make room or choose "
            "another path."
        )


def check_output(path: str, suffixes: Sequence[str] = OUTPUT_SUFFIXES) -> None:
    """Refuse an output path that could not be written, before any work is done.

    Parameters
    ----------
    path : str
    suffixes : sequence of str
        Those allowed.

    Raises
    ------
    ParameterError
        If the suffix is none of these.
    DataError
        If the folder does not exist or can't be written.
    """
    if not path.lower().endswith(tuple(suffixes)):
        shown = " or ".join(suffix for suffix in suffixes if suffix != ".pq")
        raise ParameterError(f"{path}: an output file must end in {shown}; rename it.")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise DataError(f"{path}: the folder {folder} does not exist; make it first.")
    if not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise DataError(f"{path}: can't be written there; choose another path.")


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
