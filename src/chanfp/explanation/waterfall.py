"""The waterfall: what adds up to the log-odds of a pair, step by step."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Step", "waterfall_steps"]

SHOWN_STEPS = 10
# Contributions to the log-odds smaller than this are summed up.
LEAST_SHOWN = 0.05


class Step(NamedTuple):
    """One step: its name, what it adds, and the sum before and after."""

    name: str
    value: float
    before: float
    after: float


def waterfall_steps(contributions: dict[str, float]) -> list[Step]:
    """Return the steps from the intercept to the total.

    The ten strongest features, strongest first; weaker ones, and all below 0.05, are summed up as
    ``others``; at last the ``total``, which begins at 0.
    """
    parts = {name: value for name, value in contributions.items() if name != "intercept"}
    order = sorted(parts, key=lambda name: (-abs(parts[name]), name))
    shown = [name for name in order[:SHOWN_STEPS] if abs(parts[name]) >= LEAST_SHOWN]
    values = [("intercept", contributions["intercept"])]
    values += [(name, parts[name]) for name in shown]
    if left := len(parts) - len(shown):
        rest = sum(parts[name] for name in order[len(shown) :])
        values.append((f"others ({left})", rest))
    steps, reached = [], 0.0
    for name, value in values:
        steps.append(Step(name, value, reached, reached + value))
        reached += value
    return [*steps, Step("total", reached, 0.0, reached)]
