"""Policy: what follows from the figures, as a readable file."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import DataError
from .returners import GRADES
from .settingsfiles import SettingsTable, load_settings
from .standing import Bounds

__all__ = ["FLAGS", "Policy", "load_policy"]

FOLDER = "policies"
FLAGS = ("returners", "cross-region", "farming", "commission")


@dataclass(frozen=True)
class Policy:
    """The settings of ``policies/default.toml``, which says what each means."""

    name: str
    probability_of_grade: dict[str, float]
    returners: Bounds
    least_probability: float
    re_entry_days: float
    cross_region: Bounds
    farming: Bounds
    cross_region_hold_part: float
    farming_hold_part: float
    user_months: tuple[int, int, int]
    second_zero_share: float
    third_zero_share: float
    least_settled: int
    claw_back: tuple[tuple[float, float], ...]
    reward_least_new: int
    bonus_share: float
    restrict_flags: tuple[str, ...]
    restrict_least_flags: int

    def action(self, flags: list[str], *, earns_reward: bool) -> str:
        """Return ``restrict``, ``hold``, ``reward`` or ``pay``."""
        if set(flags) & set(self.restrict_flags) or len(flags) >= self.restrict_least_flags:
            return "restrict"
        if flags:
            return "hold"
        return "reward" if earns_reward else "pay"

    def claw_back_part(self, share: float) -> float:
        """Return the part of the commission on returners that is taken back at a share."""
        parts = [part for least, part in self.claw_back if share >= least]
        return parts[-1] if parts else 0.0


def load_policy(source: str | os.PathLike[str] | Policy, *, red_share: float = 0.0) -> Policy:
    """Return a policy by name or file.

    Parameters
    ----------
    source : str or path
        ``default`` or a TOML file of its form.
    red_share : float
        What the rule pack takes for a red share of farmed cards.

    Raises
    ------
    ParameterError
        If there is no such policy or file.
    DataError
        If the file has a key or value that means nothing; file, table and key are named.
    """
    if isinstance(source, Policy):
        return source
    table = load_settings(source, FOLDER, "policy")
    table.allow(
        "name", "probability_of_grade", "returners", "cross_region", "farming", "instalments",
        "claw_back", "reward", "restrict",
    )  # fmt: skip
    grades = table.table("probability_of_grade")
    grades.allow(*GRADES)
    returners, cross, farming = (
        table.table(name) for name in ("returners", "cross_region", "farming")
    )
    instalments, claw_back, reward, restrict = (
        table.table(name) for name in ("instalments", "claw_back", "reward", "restrict")
    )
    shares = ("factor", "least_share", "fdr", "interval")
    returners.allow(*shares, "least_probability", "re_entry_days")
    cross.allow(*shares, "hold_part")
    farming.allow("factor", "fdr", "interval", "hold_part")
    instalments.allow("user_months", "second_zero_share", "third_zero_share", "least_settled")
    reward.allow("least_new", "bonus_share")
    return Policy(
        name=table.text("name"),
        probability_of_grade={grade: grades.share(grade) for grade in grades.values},
        returners=_read_bounds(returners),
        least_probability=returners.share("least_probability"),
        re_entry_days=returners.number("re_entry_days", high=3650),
        cross_region=_read_bounds(cross),
        farming=_read_bounds(farming, red_share),
        cross_region_hold_part=cross.share("hold_part"),
        farming_hold_part=farming.share("hold_part"),
        user_months=_read_months(instalments),
        second_zero_share=instalments.share("second_zero_share"),
        third_zero_share=instalments.share("third_zero_share"),
        least_settled=round(instalments.number("least_settled", low=1)),
        claw_back=_read_steps(claw_back),
        reward_least_new=round(reward.number("least_new", low=1)),
        bonus_share=reward.share("bonus_share"),
        restrict_flags=_read_flags(restrict),
        restrict_least_flags=round(restrict.number("least_flags", low=1)),
    )


def _read_bounds(table: SettingsTable, least_share: float | None = None) -> Bounds:
    return Bounds(
        table.number("factor", low=1.0, high=100.0),
        table.share("least_share") if least_share is None else least_share,
        table.share("fdr"),
        table.number("interval", low=0.01, high=0.999),
    )


def _read_months(table: SettingsTable) -> tuple[int, int, int]:
    months = [round(month) for month in table.numbers("user_months")]
    if len(months) != 3:
        raise DataError(f"{table.place}: user_months must name three months, found {months}.")
    return months[0], months[1], months[2]


def _read_steps(table: SettingsTable) -> tuple[tuple[float, float], ...]:
    table.allow("steps")
    steps = []
    for step in table.tables("steps"):
        step.allow("share", "part")
        steps.append((step.share("share"), step.share("part")))
    if steps != sorted(steps):
        raise DataError(f"{table.place}: steps must ascend, found {steps}; order them by share.")
    return tuple(steps)


def _read_flags(table: SettingsTable) -> tuple[str, ...]:
    table.allow("flags", "least_flags")
    flags = table.values.get("flags", [])
    if not isinstance(flags, list) or not set(flags) <= set(FLAGS):
        raise DataError(
            f"{table.place}: flags must be a list of {', '.join(FLAGS)}, found {flags!r}."
        )
    return tuple(flags)
