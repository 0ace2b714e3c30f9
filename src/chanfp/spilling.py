"""Spilling: a folder on disk for what doesn't fit into memory, gone after the run."""

from __future__ import annotations

import shutil
import tempfile

from .errors import DataError

__all__ = ["check_folder", "make_folder", "no_room"]

UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "bytes"))


def make_folder(temp_dir: str | None) -> tempfile.TemporaryDirectory[str]:
    """Make a folder inside `temp_dir`; default the system's folder for temporary files.

    Raises
    ------
    DataError
        If nothing can be written there.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="chanfp-", dir=temp_dir)
    except OSError as error:
        raise DataError(
            f"{tempfile.gettempdir() if temp_dir is None else temp_dir}: temporary files can't be "
            f"written there: {error.strerror or error}; choose another folder as `temp_dir`."
        ) from error


def check_folder(temp_dir: str | None) -> None:
    """Refuse a folder that can't be written, before any work is done; raise as `make_folder`."""
    make_folder(temp_dir).cleanup()


def no_room(folder: str, error: OSError, n_bytes: int) -> DataError:
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
