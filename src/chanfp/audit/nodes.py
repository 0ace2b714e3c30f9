"""Nodes: the table of outlets and sellers with their figures, and the table of their flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .findings import Findings, Standings, medians
from .policy import Policy
from .rulepacks import RulePack
from .schemas import FLAG_SCHEMA, NODE_SCHEMA
from .standing import Standing
from .steps import as_money, as_probability

__all__ = ["find_actions", "find_flags", "flag_table", "node_table"]

SHOWN_RULES = 5

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def find_flags(
    standings: Standings, totals: Mapping[str, Ints], policy: Policy
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return which nodes have which flag, in the order in which they are named."""
    nothing = np.zeros(len(totals["n_sold"]), bool)
    flags = {
        "returners": standings.returners.is_flagged,
        "cross-region": nothing if standings.cross_region is None
        else standings.cross_region.is_flagged,
        "farming": nothing if standings.farming is None else standings.farming.is_flagged,
        "commission": nothing,
    }  # fmt: skip
    if "n_second_due" in totals:
        found = nothing.copy()
        for name, least in (
            ("second", policy.second_zero_share),
            ("third", policy.third_zero_share),
        ):
            due, zero = totals[f"n_{name}_due"], totals[f"n_{name}_zero"]
            found |= (due >= policy.least_settled) & (zero >= least * due)
        flags["commission"] = found
    return flags


def find_actions(
    flags: Mapping[str, npt.NDArray[np.bool_]],
    standing: Standing,
    totals: Mapping[str, Ints],
    policy: Policy,
    *,
    knows_farming: bool,
) -> list[str]:
    """Return the action of each node."""
    below = np.nan_to_num(standing.high, nan=np.inf) < np.nan_to_num(standing.rest)
    # Cards that nobody uses never match: without a look at them they would earn a bonus.
    below &= (totals["n_new"] >= policy.reward_least_new) & knows_farming
    return [
        policy.action([name for name in flags if flags[name][node]], earns_reward=bool(below[node]))
        for node in range(len(below))
    ]


def node_table(
    findings: Findings,
    standings: Standings,
    totals: Mapping[str, Ints],
    flags: Mapping[str, npt.NDArray[np.bool_]],
    actions: list[str],
    pack: RulePack,
) -> pa.Table:
    """Return the table of `NODE_SCHEMA`, from the root down."""
    tree = findings.tree
    names = tree.names
    above = [None if at < 0 else names[at] for at in tree.parents.tolist()]
    columns: dict[str, object] = {
        "outlet": names, "parent": above, "kind": tree.kinds, "region": tree.regions,
        "seller": tree.sellers, "level": tree.depths,
        "median_activation_days": medians(findings), "action": actions,
        "passes_gate": findings.passes_gate,
        "flags": [
            ";".join(name for name in flags if flags[name][node]) for node in range(len(tree))
        ],
        **{name: values for name, values in totals.items() if name in NODE_SCHEMA.names},
        **_shares(standings, totals),
    }  # fmt: skip
    if standings.farming is not None:
        columns["farming_colour"] = _colours(standings.farming.share, pack)
    for amount, column in (
        ("due", "commission_due"), ("paid", "commission_paid"), ("at_risk", "commission_at_risk"),
        ("to_hold", "commission_to_hold"), ("bonus", "bonus"),
        ("recommended", "recommended_commission"),
    ):  # fmt: skip
        if amount in totals:
            columns[column] = as_money(totals[amount])
    return as_table(columns, NODE_SCHEMA, len(tree))


def as_table(columns: Mapping[str, object], schema: pa.Schema, n_rows: int) -> pa.Table:
    """Return a table of a schema; columns not given are null, and so is NaN."""
    arrays = []
    for spec in schema:
        values = columns.get(spec.name)
        if values is None:
            arrays.append(pa.nulls(n_rows, spec.type))
        elif isinstance(values, pa.Array | pa.ChunkedArray):
            arrays.append(values.cast(spec.type))
        else:
            arrays.append(pa.array(values, spec.type, from_pandas=True))
    return pa.table(arrays, schema=schema)


def _shares(standings: Standings, totals: Mapping[str, Ints]) -> dict[str, Floats]:
    returners = standings.returners
    found = {
        "expected_returners": as_probability(totals["returner_steps"]),
        "returner_share": returners.share,
        "returner_estimate": returners.mean,
        "returner_low": returners.low,
        "returner_high": returners.high,
        "returner_share_of_region": returners.rest,
        "returner_q_value": returners.q_value,
    }
    for name in ("same_outlet", "same_seller"):
        known = totals[f"{name}_known"]
        found[f"{name}_share"] = np.divide(
            totals[f"{name}_equal"], known, out=np.full(len(known), np.nan), where=known > 0
        )
    for name, standing in (
        ("cross_region", standings.cross_region),
        ("farming", standings.farming),
    ):
        if standing is not None:
            found |= {
                f"{name}_share": standing.share,
                f"{name}_low": standing.low,
                f"{name}_q_value": standing.q_value,
            }
    return found


def _colours(shares: Floats, pack: RulePack) -> list[str | None]:
    return [
        None if np.isnan(share)
        else "red" if share > pack.red_share
        else "orange" if share >= pack.orange_share
        else "green"
        for share in shares
    ]  # fmt: skip


def flag_table(
    findings: Findings,
    standings: Standings,
    totals: Mapping[str, Ints],
    flags: Mapping[str, npt.NDArray[np.bool_]],
    policy: Policy,
) -> pa.Table:
    """Return the table of `FLAG_SCHEMA`: one row for each node and flag, from the root down."""
    rows = []
    standing_of = {
        "returners": (standings.returners, "n_new"),
        "cross-region": (standings.cross_region, "n_cross_region_judged"),
        "farming": (standings.farming, "n_farming_judged"),
    }
    by_node, first, stop = _sales_below(findings)
    for node in range(len(findings.tree)):
        for flag in flags:
            if not flags[flag][node]:
                continue
            row: dict[str, object] = {"outlet": findings.tree.names[node], "flag": flag}
            standing, n_name = standing_of.get(flag, (None, "n_second_due"))
            row["n"] = int(totals[n_name][node])
            if standing is not None:
                row |= {
                    "share": float(standing.share[node]),
                    "low": float(standing.low[node]),
                    "high": float(standing.high[node]),
                    "share_of_region": float(standing.rest[node]),
                    "threshold": float(standing.threshold[node]),
                    "q_value": float(standing.q_value[node]),
                }
            else:
                row["share"] = int(totals["n_second_zero"][node]) / max(int(row["n"]), 1)  # type: ignore[call-overload]
                row["threshold"] = policy.second_zero_share
            row["evidence"] = _evidence(
                findings, totals, flag, node, by_node[first[node] : stop[node]]
            )
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=FLAG_SCHEMA)


def _evidence(
    findings: Findings, totals: Mapping[str, Ints], flag: str, node: int, sales: Ints
) -> str:
    """Return what a flag rests on, ``name=count`` joined by ``;``."""
    if flag == "returners":
        names = [f"n_grade_{grade}" for grade in "abcd"] + ["n_wanderers"]
    elif flag == "commission":
        names = ["n_second_due", "n_second_zero", "n_third_due", "n_third_zero"]
    else:
        found = findings.farming if flag == "farming" else findings.cross_region
        assert found is not None  # noqa: S101 - for the type checker
        counted = Counter(
            rule.partition("=")[0]
            for sale in sales[found.verdict[sales] == 1].tolist()
            for rule in found.rules[sale].split(";")
        )
        parts = [f"{name}={count}" for name, count in sorted(counted.items())]
        if flag == "farming" and findings.passes_gate is not None:
            parts.append("gate=passed")
        return ";".join(parts)
    return ";".join(f"{name}={totals[name][node]}" for name in names)


def _sales_below(findings: Findings) -> tuple[Ints, Ints, Ints]:
    """Return sales in the order of the tree, and for each node where its own begin and end."""
    tree = findings.tree
    own = np.bincount(findings.nodes, minlength=len(tree))
    starts = np.append(0, np.cumsum(own))
    stops = np.arange(len(tree)) + tree.roll_up(np.ones(len(tree), np.int64))
    by_node = np.argsort(findings.nodes, kind="stable").astype(np.int64)
    return by_node, starts[:-1], starts[stops]
