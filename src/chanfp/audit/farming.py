"""Farming: cards that nobody uses, sold for the commission (养卡), scored by a rule pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..clock import DAY_S
from .rulepacks import Gate, RulePack
from .sold import Sold
from .tree import OutletTree

__all__ = ["Farming", "find_farming", "pass_gate"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Farming:
    """One entry for each sale.

    Parameters
    ----------
    score : int64 array
        Sum of the weights of the rules that fired.
    level : int64 array
        How many alarm levels the score reaches.
    verdict : int64 array
        1 farmed, 0 not, -1 where no rule could be evaluated.
    rules : list of str
        The rules that fired, with their values, joined by ``;``.
    by_rule : dict
        For each rule on how many sales it fired, on how many it didn't, and how many it could not
        be evaluated for.
    """

    score: Ints
    level: Ints
    verdict: Ints
    rules: list[str]
    by_rule: dict[str, dict[str, int]]


def find_farming(pack: RulePack, indicators: Mapping[str, Floats]) -> Farming:
    """Score every sale by the rules of a pack."""
    n_sales = len(next(iter(indicators.values())))
    score, n_evaluated = np.zeros(n_sales, np.int64), np.zeros(n_sales, np.int64)
    fired: list[list[str]] = [[] for _ in range(n_sales)]
    by_rule = {}
    for rule in pack.rules:
        found = rule.evaluate(indicators)
        score += rule.weight * (found == 1)
        n_evaluated += found >= 0
        for sale in np.flatnonzero(found == 1).tolist():
            fired[sale].append(rule.values_of(indicators, sale))
        names = ("fired", "not_fired", "not_evaluated")
        by_rule[rule.name] = {
            name: int(np.count_nonzero(found == code))
            for name, code in zip(names, (1, 0, -1), strict=True)
        }
    level = np.searchsorted(np.array(pack.alarm_levels), score, side="right").astype(np.int64)
    verdict = np.where(level > 0, 1, np.where(n_evaluated > 0, 0, -1))
    return Farming(score, level, verdict, [";".join(names) for names in fired], by_rule)


def pass_gate(tree: OutletTree, sold: Sold, nodes: Ints, gate: Gate | None) -> Any:
    """Return for each node whether its sales outgrew its region's; None where that isn't known.

    Growth is the number of sales in the last period over that in the one before. The region's is
    that of all sales under outlets of the region.

    Parameters
    ----------
    tree : OutletTree
    sold : Sold
    nodes : int64 array
        The node of each sale.
    gate : Gate or None

    Returns
    -------
    bool array, or None
        None if there is no gate or the sales don't reach back two periods.
    """
    if gate is None or not len(sold):
        return None
    period_s = round(gate.period_days * DAY_S)
    end_s = int(sold.sold_s.max()) + 1
    if sold.sold_s.min() > end_s - 2 * period_s + DAY_S:
        return None
    ago = (end_s - 1 - sold.sold_s) // period_s
    own = np.stack([np.bincount(nodes[ago == when], minlength=len(tree)) for when in (0, 1)])
    own = own.astype(np.int64)
    last, before = tree.roll_up(own.T).T
    numbers: dict[str | None, int] = {}
    regions = np.array([numbers.setdefault(region, len(numbers)) for region in tree.regions])
    of_region = np.zeros((2, len(numbers)), np.int64)
    for when in (0, 1):
        np.add.at(of_region[when], regions, own[when])
    # last / before > factor * region_last / region_before, without a division by 0.
    region_last, region_before = of_region[0][regions], of_region[1][regions]
    return last * np.maximum(region_before, 1) > gate.growth_factor * region_last * before
