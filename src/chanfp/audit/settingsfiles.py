"""Settings files: TOML of the package or of the user, checked key by key."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ..errors import DataError, ParameterError

__all__ = ["SettingsTable", "load_settings", "shipped_names"]


@dataclass(frozen=True)
class SettingsTable:
    """A table of a settings file that knows where it stands.

    Parameters
    ----------
    values : mapping
    place : str
        File and table, for messages.
    """

    values: Mapping[str, Any]
    place: str

    def allow(self, *names: str) -> None:
        """Refuse keys that mean nothing here."""
        for name in self.values:
            if name not in names:
                raise DataError(
                    f"{self.place}: {name!r} means nothing here; the keys are {', '.join(names)}."
                )

    def number(
        self, name: str, default: float | None = None, *, low: float = 0.0, high: float = 1e12
    ) -> float:
        """Return a number from `low` to `high`."""
        value = self._value(name, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise DataError(
                f"{self.place}: {name} must be a number from {low:g} to {high:g}, found {value!r}; "
                "correct it."
            )
        return float(value)

    def share(self, name: str, default: float | None = None) -> float:
        """Return a number from 0 to 1."""
        return self.number(name, default, high=1.0)

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a list of ascending numbers, at least one."""
        values = self._value(name, None)
        if not isinstance(values, list) or not values or values != sorted(values):
            raise DataError(
                f"{self.place}: {name} must be a list of ascending numbers, found {values!r}; "
                "correct it."
            )
        return tuple(SettingsTable({name: value}, self.place).number(name) for value in values)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._value(name, default)
        if not isinstance(value, str) or not value:
            raise DataError(f"{self.place}: {name} must be text in quotes, found {value!r}.")
        return value

    def table(self, name: str) -> SettingsTable:
        """Return a table inside this one."""
        value = self._value(name, None)
        if not isinstance(value, dict):
            raise DataError(
                f"{self.place}: {name} must be a table, found {value!r}; write it as [{name}]."
            )
        return SettingsTable(value, f"{self.place}, [{name}]")

    def tables(self, name: str) -> list[SettingsTable]:
        """Return a list of tables, at least one."""
        values = self._value(name, None)
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(value, dict) for value in values)
        ):
            raise DataError(f"{self.place}: {name} must be a list of tables with at least one.")
        return [
            SettingsTable(value, f"{self.place}, {name} {number}")
            for number, value in enumerate(values, 1)
        ]

    def _value(self, name: str, default: Any) -> Any:
        if name in self.values:
            return self.values[name]
        if default is None:
            raise DataError(f"{self.place}: {name} is missing; add it.")
        return default


def shipped_names(folder: str) -> list[str]:
    """Return the names of the settings files that come with the package."""
    found = files(__package__).joinpath(folder).iterdir()
    return sorted(item.name.removesuffix(".toml") for item in found if item.name.endswith(".toml"))


def load_settings(source: str | os.PathLike[str], folder: str, parameter: str) -> SettingsTable:
    """Return a settings file, one that comes with the package by its name or else by its path.

    Parameters
    ----------
    source : str or path
    folder : str
        Where the package keeps such files.
    parameter : str
        What messages call `source`.

    Raises
    ------
    ParameterError
        If there is no such name and no such file.
    DataError
        If the file can't be read or isn't TOML.
    """
    name = os.fspath(source)
    names = shipped_names(folder)
    if name in names:
        content = files(__package__).joinpath(folder, f"{name}.toml").read_bytes()
    elif not os.path.exists(name):
        raise ParameterError(
            f"`{parameter}` must be one of {', '.join(names)} or the path of a TOML file, got "
            f"{name!r}; there is no such file."
        )
    else:
        try:
            with open(name, "rb") as file:
                content = file.read()
        except OSError as error:
            raise DataError(
                f"{name}: can't be opened: {error.strerror or error}; check the path."
            ) from error
    try:
        return SettingsTable(tomllib.loads(content.decode("utf-8-sig")), name)
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: must be UTF-8; save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: must be TOML: {error}; correct the line.") from error
