"""Findings: what is known of each sale, counted for each node of the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..clock import DAY_S
from ..subscribers import BEGINNING_S
from .commission import Commission, Instalments
from .farming import Farming
from .matched import Matched
from .policy import Policy
from .regions import CrossRegion
from .returners import GRADES, Returners
from .sold import Sold
from .standing import Standing, stand
from .steps import as_probability
from .tree import OutletTree

__all__ = [
    "Findings",
    "Money",
    "Standings",
    "count_by_node",
    "judge_money",
    "judge_nodes",
    "lost_cards",
    "medians",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Findings:
    """What is known of each sale; None where it wasn't evaluated.

    Parameters
    ----------
    tree : OutletTree
    nodes, outlets : int64 array
        The node of each sale, a seller's where one is named, and that of its outlet.
    sold : Sold
    matched : Matched
    returners : Returners
    is_additional : bool array or None
    cross_region : CrossRegion or None
    farming : Farming or None
    passes_gate : bool array of each *node*, or None
    commission : Commission or None
    instalments : Instalments or None
    """

    tree: OutletTree
    nodes: Ints
    outlets: Ints
    sold: Sold
    matched: Matched
    returners: Returners
    is_additional: Mask | None
    cross_region: CrossRegion | None
    farming: Farming | None
    passes_gate: Mask | None
    commission: Commission | None
    instalments: Instalments | None

    def counts(self) -> dict[str, Ints]:
        """Return whole numbers of each sale that add up over any set of sales."""
        sold, returners = self.sold, self.returners
        new = sold.is_new.astype(np.int64)
        counts = {
            "n_sold": np.ones(len(sold), np.int64),
            "n_new": new,
            "returner_steps": returners.steps * new,
            "n_wanderers": (returners.is_wanderer & sold.is_new).astype(np.int64),
            **{
                f"n_grade_{grade.lower()}": (returners.grade == place).astype(np.int64)
                for place, grade in enumerate(GRADES)
            },
        }
        for name in ("same_outlet", "same_seller"):
            equal = getattr(returners, name)
            counts[f"{name}_known"] = np.where(equal >= 0, returners.steps, 0)
            counts[f"{name}_equal"] = np.where(equal == 1, returners.steps, 0)
        if sold.subscribers is not None:
            counts["n_activated"] = (sold.activated_s > BEGINNING_S).astype(np.int64)
            counts["n_still_active"] = sold.is_active.astype(np.int64)
        for name, found in (("cross_region", self.cross_region), ("farming", self.farming)):
            if found is not None:
                counts[f"n_{name}_judged"] = (found.verdict >= 0).astype(np.int64)
                counts[f"n_{name}"] = (found.verdict == 1).astype(np.int64)
        if self.instalments is not None:
            counts |= {f"n_{name}": values for name, values in vars(self.instalments).items()}
        return counts

    def customer_types(self, is_lost: Mask) -> list[str]:
        """Return ``farmed``, ``wanderer``, ``returner``, ``partial-returner``, ... by sale.

        The first that fits; `is_lost` are farmed cards of flagged outlets.
        """
        additional = np.zeros(len(self.sold), bool)
        if self.is_additional is not None:
            additional = self.is_additional
        returners = self.returners
        kinds = np.select(
            [
                is_lost,
                returners.is_wanderer,
                returners.is_returner,
                returners.is_partial,
                additional,
            ],
            ["farmed", "wanderer", "returner", "partial-returner", "additional-number"],
            "new",
        )
        return [str(kind) for kind in kinds]


@dataclass(frozen=True, eq=False)
class Standings:
    """How each node stands in each respect; None where it wasn't evaluated."""

    returners: Standing
    cross_region: Standing | None
    farming: Standing | None


@dataclass(frozen=True, eq=False)
class Money:
    """Hundredths of each sale."""

    due: Ints
    paid: Ints
    at_risk: Ints
    to_hold: Ints
    bonus: Ints

    def amounts(self) -> dict[str, Ints]:
        """Return them by name, with what is recommended."""
        return {**vars(self), "recommended": self.due - self.to_hold + self.bonus}


def count_by_node(
    tree: OutletTree, nodes: Ints, counts: Mapping[str, Ints]
) -> tuple[dict[str, Ints], dict[str, Ints]]:
    """Return what belongs to each node itself, and that with everything below."""
    own = np.zeros((len(tree), len(counts)), np.int64)
    np.add.at(own, nodes, np.stack(list(counts.values()), axis=1))
    totals = tree.roll_up(own)
    return tuple(dict(zip(counts, part.T, strict=True)) for part in (own, totals))  # type: ignore[return-value]


def judge_nodes(findings: Findings, own: Mapping[str, Ints], policy: Policy) -> Standings:
    """Compare every node with its siblings and its region, in each respect."""
    tree = findings.tree
    farming = None
    if findings.farming is not None:
        farming = stand(
            tree, own["n_farming"], own["n_farming_judged"], policy.farming,
            may_flag=findings.passes_gate,
        )  # fmt: skip
    cross_region = None
    if findings.cross_region is not None:
        judged = own["n_cross_region_judged"]
        cross_region = stand(tree, own["n_cross_region"], judged, policy.cross_region)
    expected = as_probability(own["returner_steps"])
    return Standings(stand(tree, expected, own["n_new"], policy.returners), cross_region, farming)


def lost_cards(findings: Findings, standings: Standings) -> Mask:
    """Return the farmed cards of outlets flagged for farming.

    A card that nobody uses is often a quiet customer's; many of them at one outlet are not.
    """
    if findings.farming is None or standings.farming is None:
        return np.zeros(len(findings.sold), bool)
    is_flagged = standings.farming.is_flagged
    at = is_flagged[findings.outlets] | is_flagged[findings.nodes]
    return np.asarray(at & (findings.farming.verdict == 1), bool)


def judge_money(
    findings: Findings, standings: Standings, policy: Policy, actions: list[str]
) -> Money | None:
    """Return what is paid, at risk and to be held of each sale; None if no amount is known.

    Parameters
    ----------
    findings : Findings
    standings : Standings
    policy : Policy
    actions : list of str
        Of each node.
    """
    commission, at = findings.commission, findings.outlets
    if commission is None:
        return None
    is_lost = lost_cards(findings, standings)
    returned, farmed = commission.at_risk(findings.returners.probability, is_lost)
    low = np.nan_to_num(standings.returners.low)
    parts = [policy.claw_back_part(share) for share in low.tolist()]
    part = np.where(standings.returners.is_flagged, parts, 0.0)[at]
    held = [returned * part, farmed * policy.farming_hold_part]
    if findings.cross_region is not None and standings.cross_region is not None:
        is_across = (findings.cross_region.verdict == 1) & standings.cross_region.is_flagged[at]
        held.append(np.where(is_across, commission.due, 0) * policy.cross_region_hold_part)
    to_hold = np.rint(np.max(held, axis=0)).astype(np.int64)
    rewarded = np.array([action == "reward" for action in actions])[at]
    bonus = np.where(rewarded, np.rint(commission.due * policy.bonus_share), 0).astype(np.int64)
    return Money(commission.due, commission.paid, returned + farmed, to_hold, bonus)


def medians(findings: Findings) -> Floats:
    """Return the median of the days from sale to activation over each node and all below it.

    NaN where no activation is known.
    """
    tree, sold = findings.tree, findings.sold
    known = np.flatnonzero(sold.activated_s > BEGINNING_S)
    days = (sold.activated_s[known] - sold.sold_s[known]) / DAY_S
    found = np.full(len(tree), np.nan)
    steps = list(tree.climb(findings.nodes[known]))
    if not len(known):
        return found
    at = np.concatenate([nodes for _, nodes in steps])
    values = np.concatenate([days[rows] for rows, _ in steps])
    order = np.lexsort((values, at))
    at, values = at[order], values[order]
    nodes, first, counts = np.unique(at, return_index=True, return_counts=True)
    found[nodes] = (values[first + (counts - 1) // 2] + values[first + counts // 2]) / 2
    return found
