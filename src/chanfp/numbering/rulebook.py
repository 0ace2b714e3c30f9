"""Rule files: the numbering plan of a region, and what holds in every region, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ..errors import DataError
from .reasons import CODES

__all__ = ["Rule", "Rulebook", "World", "load_rulebook", "load_world"]


@dataclass(frozen=True)
class Rule:
    """One line of a rule file."""

    pattern: str
    reason: str
    example: str
    why: str


@dataclass(frozen=True)
class Rulebook:
    """The rules of one region; the fields are described in ``rules/CN.toml``.

    `area_codes` are without the trunk prefix. By the digits of an area code, `local_patterns` are
    the numbers behind it, and `guarded_patterns` those believed only with the code in front. Where
    `complete` is false, texts that no rule knows are left to phonenumbers.
    """

    region: str
    country_code: str
    trunk_prefix: str
    international_prefixes: tuple[str, ...]
    complete: bool
    services_behind_area_codes: bool
    national: tuple[Rule, ...]
    services: tuple[Rule, ...]
    area_codes: tuple[str, ...]
    local_patterns: dict[int, tuple[str, ...]]
    guarded_patterns: dict[int, tuple[str, ...]]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every line of the file, those looked at first in front."""
        return self.national + self.services


@dataclass(frozen=True)
class World:
    """What holds in every region; the fields are described in ``rules/world.toml``."""

    country_codes: tuple[str, ...]
    min_digits: int
    max_digits: int
    north_america: str
    texts: tuple[Rule, ...]
    placeholders: frozenset[str]


@cache
def load_rulebook(region: str) -> Rulebook | None:
    """Return the rules of a region, or None where only phonenumbers knows it.

    Raises
    ------
    DataError
        If the file breaks the form described in ``rules/CN.toml``.
    """
    table = _read_toml(region)
    if table is None:
        return None
    areas = [code for codes in table.get("area_codes", {}).values() for code in codes]
    return Rulebook(
        region=table["region"],
        country_code=table["country_code"],
        trunk_prefix=table["trunk_prefix"],
        international_prefixes=tuple(table["international_prefixes"]),
        complete=table.get("complete", False),
        services_behind_area_codes=table.get("services_behind_area_codes", False),
        national=_rules(table.get("national", []), region),
        services=_rules(table.get("services", []), region),
        area_codes=tuple(sorted(set(areas))),
        local_patterns=_by_digits(table.get("local", {})),
        guarded_patterns=_by_digits(table.get("local_behind_area_code", {})),
    )


@cache
def load_world() -> World:
    """Return what holds in every region."""
    table = _read_toml("world")
    if table is None:
        raise DataError("rules/world.toml is missing from the installed package; install it again.")
    return World(
        country_codes=tuple(sorted(set(table["country_codes"]))),
        min_digits=table["min_digits"],
        max_digits=table["max_digits"],
        north_america=table["north_america"],
        texts=_rules(table["texts"], "world"),
        placeholders=frozenset(table["placeholders"]),
    )


def _read_toml(name: str) -> dict[str, Any] | None:
    file = files(__package__).joinpath("rules", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _by_digits(table: dict[str, list[str]]) -> dict[int, tuple[str, ...]]:
    return {int(n_digits): tuple(patterns) for n_digits, patterns in table.items()}


def _rules(lines: list[list[str]], name: str) -> tuple[Rule, ...]:
    for line in lines:
        if len(line) != 4 or line[1] not in CODES:
            raise DataError(
                f"a rule must be [pattern, reason, example, why] with a reason of "
                f"numbering/reasons.py, got {line} in rules/{name}.toml; correct the line."
            )
    return tuple(Rule(*line) for line in lines)
