"""Settings: a TOML file that says what columns and directions mean."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from typing import Any

from ..errors import ChanfpError, DataError
from .columns import check_words
from .directions import check_directions
from .known import nearest

__all__ = ["Settings", "read_settings"]

SECTIONS = ("columns", "directions")


@dataclass(frozen=True)
class Settings:
    """What a settings file says.

    Parameters
    ----------
    columns : dict of str to str
        Word to column, for `recognise`.
    directions : dict of str to str
        Value to ``"out"`` or ``"in"``, for `read_direction`.
    """

    columns: dict[str, str] = field(default_factory=dict)
    directions: dict[str, str] = field(default_factory=dict)


def read_settings(path: str | os.PathLike[str]) -> Settings:
    """Read a settings file.

    Parameters
    ----------
    path : str or path
        TOML in UTF-8 with the tables ``[columns]`` (``caller = "主叫号码"``) and ``[directions]``
        (``"0" = "out"``), both optional.

    Returns
    -------
    Settings
        Empty where the file says nothing.

    Raises
    ------
    DataError
        If the file can't be read, isn't TOML, or holds a key or value that means nothing here;
        the nearest known key is named.
    """
    path = os.fspath(path)
    tables = _load(path)
    for name in tables:
        if name not in SECTIONS:
            raise DataError(
                f"{path}: {name!r} is no setting{nearest(name, SECTIONS)}; the tables are "
                f"{', '.join(f'[{section}]' for section in SECTIONS)}."
            )
    for section in SECTIONS:
        _check_texts(path, section, tables.get(section, {}))
    settings = Settings(**tables)
    try:
        check_words(settings.columns)
        check_directions(settings.directions)
    except ChanfpError as error:
        raise DataError(f"{path}: {error}") from error
    return settings


def _load(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomllib.loads(file.read().decode("utf-8-sig"))
    except OSError as error:
        raise DataError(
            f"{path}: settings can't be opened: {error.strerror or error}; check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: settings must be UTF-8, found byte 0x{error.object[error.start]:02x} at "
            f"position {error.start:,}; save the file as UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: settings must be TOML: {error}; correct the line.") from error


def _check_texts(path: str, section: str, table: Any) -> None:
    if not isinstance(table, dict):
        raise DataError(
            f"{path}: [{section}] must be a table, found {type(table).__name__}; write it as "
            f"[{section}] with one line for each key."
        )
    for key, value in table.items():
        if not isinstance(value, str):
            raise DataError(
                f"{path}: [{section}] {key} must be text in quotes, found {value!r}; quote it."
            )
