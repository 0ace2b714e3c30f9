"""Spilling: a folder on disk for what doesn't fit into memory, gone after the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DataError

__all__ = ["SpillFolder", "check_folder"]

UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "bytes"))


class SpillFolder:
    """Arrays in a folder of their own, made when something is written and gone when it is closed.

    Parameters
    ----------
    temp_dir : str, optional
        Where the folder is made; default the system's folder for temporary files.
    """

    def __init__(self, temp_dir: str | None = None) -> None:
        self.n_bytes = 0
        self._temp_dir = temp_dir
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @contextmanager
    def writing(self, n_bytes: int) -> Iterator[None]:
        """Count what is written in a block, `n_bytes` in all, and say so if it finds no room.

        Raises
        ------
        DataError
            If the folder can't be made or filled.
        """
        if self._folder is None:
            self._folder = _make_folder(self._temp_dir)
        self.n_bytes += n_bytes
        try:
            yield
        except OSError as error:
            raise _no_room(self._folder.name, error, self.n_bytes) from error

    def append(self, name: str, arrays: Iterable[npt.NDArray[Any]]) -> None:
        """Write arrays behind those that stand under a name; inside `writing` only."""
        with open(self._path(name), "ab") as file:
            for array in arrays:
                # Not `tofile`, whose errors don't tell why nothing more could be written.
                file.write(np.ascontiguousarray(array).data)

    def read(self, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return all that was written under a name as one array; empty if nothing was."""
        if self._folder is None or not os.path.exists(self._path(name)):
            return np.empty(0, dtype)
        return np.fromfile(self._path(name), dtype)

    def remove(self, name: str) -> None:
        """Delete what was written under a name, if anything was."""
        if self._folder is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._path(name))

    def close(self) -> None:
        """Delete everything; whoever writes again begins anew."""
        self.n_bytes = 0
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _path(self, name: str) -> str:
        assert self._folder is not None  # noqa: S101 - for the type checker
        return os.path.join(self._folder.name, name)


def check_folder(temp_dir: str | None) -> None:
    """Refuse a folder that can't be written, before any work is done.

    Raises
    ------
    DataError
        Naming the folder.
    """
    _make_folder(temp_dir).cleanup()


def _make_folder(temp_dir: str | None) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="chanfp-", dir=temp_dir)
    except OSError as error:
        raise DataError(
            f"{tempfile.gettempdir() if temp_dir is None else temp_dir}: temporary files can't be "
            f"written there: {error.strerror or error}; choose another folder as `temp_dir`."
        ) from error


def _no_room(folder: str, error: OSError, n_bytes: int) -> DataError:
    """Return what to say when `n_bytes` in all were to be written to the folder, and failed."""
    return DataError(
        f"{folder}: can't hold the calls beyond the memory limit: {error.strerror or error}; up to "
        f"here they need {_size(n_bytes)}, and {_size(_free_bytes(folder))} are free; make room, "
        "choose another folder as `temp_dir`, or raise `memory_limit`."
    )


def _free_bytes(folder: str) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _size(n_bytes: int) -> str:
    unit, name = next((row for row in UNITS if n_bytes >= row[0]), UNITS[-1])
    return f"{n_bytes / unit:,.1f} {name}" if unit > 1 else f"{n_bytes} {name}"
