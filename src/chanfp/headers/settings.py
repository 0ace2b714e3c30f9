"""Settings: a TOML file that says how CDR files are to be understood."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ChanfpError, DataError
from ..tables import check_delimiter, check_encoding
from ..zones import check_timezone
from .columns import check_words
from .directions import check_directions
from .known import nearest

__all__ = ["Settings", "read_settings"]

SECTIONS = ("columns", "directions", "area_codes")
KEYS = ("timezone", "encoding", "delimiter", "area_code")


@dataclass(frozen=True)
class Settings:
    """How CDR files are to be understood, as far as they don't say it themselves.

    Parameters
    ----------
    columns : dict of str to str
        Word to column, for `recognise`.
    directions : dict of str to str
        Value to ``"out"`` or ``"in"``, for `read_direction`.
    area_codes : dict of str to str
        Where landlines without an area code belong, for each glob of file names; the first glob
        that fits counts.
    timezone : str or None
        IANA name of the zone of the clock on the wall.
    encoding, delimiter : str or None
        Of CSV files.
    area_code : str or None
        Where landlines without an area code belong in all other files.
    """

    columns: dict[str, str] = field(default_factory=dict)
    directions: dict[str, str] = field(default_factory=dict)
    area_codes: dict[str, str] = field(default_factory=dict)
    timezone: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    area_code: str | None = None

    def updated(
        self,
        *,
        columns: Mapping[str, str] | None = None,
        directions: Mapping[str, str] | None = None,
        timezone: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        area_code: str | Mapping[str, str] | None = None,
    ) -> Settings:
        """Return these settings with what is given going before them.

        Raises
        ------
        ParameterError
            If what is given means nothing.
        """
        area_codes = self.area_codes
        if isinstance(area_code, Mapping):
            # The first glob that fits counts, so the ones given come first.
            area_codes = {
                **area_code,
                **{k: v for k, v in area_codes.items() if k not in area_code},
            }
        elif area_code is not None:
            area_codes = {}
        settings = Settings(
            columns={**self.columns, **(columns or {})},
            directions={**self.directions, **(directions or {})},
            area_codes=area_codes,
            timezone=self.timezone if timezone is None else timezone,
            encoding=self.encoding if encoding is None else encoding,
            delimiter=self.delimiter if delimiter is None else delimiter,
            area_code=area_code if isinstance(area_code, str) else self.area_code,
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Raise ParameterError if a setting means nothing."""
        check_words(self.columns)
        check_directions(self.directions)
        check_timezone(self.timezone)
        check_encoding(self.encoding)
        check_delimiter(self.delimiter)


def read_settings(path: str | os.PathLike[str]) -> Settings:
    """Read a settings file.

    Parameters
    ----------
    path : str or path
        TOML in UTF-8 with the keys ``timezone``, ``encoding``, ``delimiter`` and ``area_code`` and
        the tables ``[columns]`` (``caller = "主叫号码"``), ``[directions]`` (``"0" = "out"``) and
        ``[area_codes]`` (``"beijing-*.csv" = "010"``), all optional.

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
    for name, value in tables.items():
        if name in SECTIONS:
            _check_texts(path, name, value)
        elif name not in KEYS:
            raise DataError(
                f"{path}: {name!r} is no setting{nearest(name, (*SECTIONS, *KEYS))}; the tables "
                f"are {', '.join(f'[{section}]' for section in SECTIONS)}, the keys above them "
                f"{', '.join(KEYS)}."
            )
        elif not isinstance(value, str):
            raise DataError(f"{path}: {name} must be text in quotes, found {value!r}; quote it.")
    settings = Settings(**tables)
    try:
        settings.check()
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
