"""Rule packs: what makes a card suspected, as readable files, each rule with its source."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from .indicators import INDICATORS
from .regions import CrossRegionRule
from .settingsfiles import SettingsTable, load_settings

__all__ = ["RULES_FOLDER", "Gate", "Rule", "RulePack", "load_rule_pack"]

RULES_FOLDER = "rules"
FALLBACK_PACK = "china-mobile-2011"
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TESTS: dict[str, Callable[[Floats, float], npt.NDArray[np.bool_]]] = {
    "below": operator.lt,
    "above": operator.gt,
    "at_least": operator.ge,
    "at_most": operator.le,
}


@dataclass(frozen=True)
class Condition:
    """An indicator, a key of `TESTS` and the value it is compared with."""

    indicator: str
    test: str
    value: float


@dataclass(frozen=True)
class Rule:
    """Fires where all its conditions hold."""

    name: str
    weight: int
    conditions: tuple[Condition, ...]
    source: str

    def evaluate(self, indicators: Mapping[str, Floats]) -> Ints:
        """Return 1 where the rule fires, 0 where not, -1 where that isn't known.

        One condition that fails decides, whatever is unknown of the others (Kleene's logic).
        """
        columns = [indicators[condition.indicator] for condition in self.conditions]
        n = len(columns[0])
        fails, is_unknown = np.zeros(n, bool), np.zeros(n, bool)
        for condition, values in zip(self.conditions, columns, strict=True):
            unknown = np.isnan(values)
            fails |= ~unknown & ~TESTS[condition.test](values, condition.value)
            is_unknown |= unknown
        return np.where(fails, 0, np.where(is_unknown, -1, 1))

    def values_of(self, indicators: Mapping[str, Floats], row: int) -> str:
        """Return the rule's name and what the indicators were, ``few-minutes=3.2``."""
        values = ",".join(f"{indicators[c.indicator][row]:.4g}" for c in self.conditions)
        return f"{self.name}={values}"


@dataclass(frozen=True)
class Gate:
    """An outlet is looked at only if it grew by `growth_factor` more than its region."""

    growth_factor: float
    period_days: float


@dataclass(frozen=True)
class RulePack:
    """A file of rules.

    Parameters
    ----------
    name, source : str
    window_days, least_days : float
        Days from the sale whose use counts; days of records needed.
    alarm_levels : tuple of int
        Scores, ascending; from the first on a card counts as farmed.
    red_share, orange_share : float
        Shares of an outlet's cards.
    gate : Gate or None
    rules : tuple of Rule
    cross_region : CrossRegionRule
    """

    name: str
    source: str
    window_days: float
    least_days: float
    alarm_levels: tuple[int, ...]
    red_share: float
    orange_share: float
    gate: Gate | None
    rules: tuple[Rule, ...]
    cross_region: CrossRegionRule


def load_rule_pack(source: str | os.PathLike[str] | RulePack) -> RulePack:
    """Return the rule pack of a name or file.

    Parameters
    ----------
    source : str or path
        ``china-mobile-2011``, ``unicom-low-use``, ``audit-colours``, ``template``, or a TOML file
        of the same form.

    Raises
    ------
    ParameterError
        If there is no such pack or file.
    DataError
        If the file has a key or value that means nothing; file, table and key are named.
    """
    if isinstance(source, RulePack):
        return source
    table = load_settings(source, RULES_FOLDER, "rules")
    table.allow(
        "name", "source", "weights_source", "window_days", "least_days", "alarm_levels", "gate",
        "shares", "rules", "cross_region",
    )  # fmt: skip
    shares = table.table("shares")
    shares.allow("red", "orange", "source")
    return RulePack(
        name=table.text("name"),
        source=table.text("source"),
        window_days=table.number("window_days", low=1, high=3650),
        least_days=table.number("least_days", high=3650),
        alarm_levels=tuple(round(level) for level in table.numbers("alarm_levels")),
        red_share=shares.share("red"),
        orange_share=shares.share("orange"),
        gate=_read_gate(table),
        rules=tuple(_read_rule(rule) for rule in table.tables("rules")),
        cross_region=_read_cross_region(table),
    )


def _read_gate(table: SettingsTable) -> Gate | None:
    if "gate" not in table.values:
        return None
    gate = table.table("gate")
    gate.allow("growth_factor", "period_days", "source")
    return Gate(gate.number("growth_factor"), gate.number("period_days", low=1, high=3650))


def _read_rule(table: SettingsTable) -> Rule:
    table.allow("name", "weight", "all", "source")
    return Rule(
        table.text("name"),
        round(table.number("weight")),
        tuple(_read_condition(condition) for condition in table.tables("all")),
        table.text("source"),
    )


def _read_condition(table: SettingsTable) -> Condition:
    table.allow("indicator", *TESTS)
    indicator = table.text("indicator")
    if indicator not in INDICATORS:
        raise DataError(
            f"{table.place}: there is no indicator {indicator!r}; the indicators are "
            f"{', '.join(INDICATORS)}."
        )
    tests = [name for name in table.values if name in TESTS]
    if len(tests) != 1:
        raise DataError(
            f"{table.place}: a condition needs one of {', '.join(TESTS)}, found {len(tests)}."
        )
    return Condition(indicator, tests[0], table.number(tests[0], low=-1e12))


def _read_cross_region(table: SettingsTable) -> CrossRegionRule:
    if "cross_region" not in table.values:
        table = load_settings(FALLBACK_PACK, RULES_FOLDER, "rules")
    rule = table.table("cross_region")
    shares = ("outside_share", "other_city_share", "other_province_share")
    rule.allow(*shares, "least_calls", "source")
    outside, city, province = (rule.share(name) for name in shares)
    return CrossRegionRule(
        outside, city, province, round(rule.number("least_calls")), rule.text("source")
    )
