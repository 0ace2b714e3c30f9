"""Auditing: tables in, an audit out; the one place that knows the order of the steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..blocks import Progress
from ..cdr import CallRecords, read_cdrs
from ..clock import format_time, parse_time
from ..matches import Matches
from ..numbering import NumberingPlan
from ..sidetables import (
    SideTable,
    read_cells,
    read_outlets,
    read_recharges,
    read_sales,
    read_settlements,
    read_usage,
)
from ..subscribers import Subscribers, read_subscribers
from .additional import find_additional, read_additional
from .commission import find_commission, find_instalments
from .cuts import check_cuts, cut_table
from .farming import find_farming, pass_gate
from .findings import (
    Findings,
    count_by_node,
    judge_money,
    judge_nodes,
    lost_cards,
)
from .indicators import measure_indicators
from .matched import read_matches
from .nodes import find_actions, find_flags, flag_table, node_table
from .policy import Policy, load_policy
from .recharged import count_recharges, recharge_table
from .regions import CrossRegion, find_cross_region
from .result import OutletAudit
from .returners import find_returners
from .rulepacks import RulePack, load_rule_pack
from .sold import Sold, assign_matches
from .steps import as_money, as_probability
from .subscriptions import subscription_table
from .tree import OutletTree, grow_tree
from .usage import Usage, read_usage_of

__all__ = ["audit_outlets"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Inputs:
    """Tables that were read, and how they are to be understood."""

    sales: SideTable
    outlets: SideTable
    subscribers: Subscribers | None
    cells: SideTable | None
    cdrs: CallRecords | None
    settlements: SideTable | None
    recharges: SideTable | None
    usage: SideTable | None
    plan: NumberingPlan


def audit_outlets(
    matches: Any,
    sales: Any,
    outlets: Any,
    cells: Any = None,
    cdrs: Any = None,
    rules: str | os.PathLike[str] | RulePack = "china-mobile-2011",
    *,
    subscribers: Any = None,
    additional: Any = None,
    settlements: Any = None,
    recharges: Any = None,
    usage: Any = None,
    policy: str | os.PathLike[str] | Policy = "default",
    by: Sequence[str] = (),
    compare_days: float = 30.0,
    new_since: Any = None,
    lenient: bool = False,
    numbers: str | NumberingPlan = "CN",
    timezone: str | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> OutletAudit:
    """Return what the matches say of outlets and sellers.

    Parameters
    ----------
    matches : Matches, or whatever `read_sales` takes
        Matches, or a table of them as `Matches.write` writes it.
    sales : SideTable, or whatever `read_sales` takes
        With the columns ``subscriber, outlet, sold_at``, optionally ``seller, price, commission,
        activation_cell, product``.
    outlets : SideTable, or whatever `read_outlets` takes
        The tree: ``outlet, parent``, optionally ``kind, region``.
    cells : SideTable, or whatever `read_cells` takes, optional
        ``cell, region``: where cards live.
    cdrs : CallRecords, or whatever `read_cdrs` takes, optional
        Read once more, for the use of the cards sold.
    rules : str or path
        The rules for farmed cards and sales across regions: ``china-mobile-2011``,
        ``unicom-low-use``, ``audit-colours``, or a TOML file of your own, written after
        ``template``.
    subscribers : Subscribers, or whatever `read_subscribers` takes, optional
        Tells activations, departures, recycled numbers and who else holds a number under the same
        id; default those that `matches` were made from.
    additional : SideTable, or whatever `read_sales` takes, optional
        New numbers of people whose other number is still in use, column ``new``; default
        `Matches.additional_numbers`.
    settlements, recharges, usage : SideTable, or what their readers take, optional
        Instalments paid, recharges, and what each number used and paid in each month.
    policy : str or path
        ``default`` or a TOML file of its form: which share stands out, what follows from it.
    by : sequence of str
        Some of ``outlet, region, week, product``: figures by these, in `OutletAudit.cuts`. With
        ``week`` the share of returners is compared with the week before.
    compare_days : float, default 30
        Without ``week`` it is that of the last so many days of sales, compared with as many before.
    new_since : str, datetime, date or int, optional
        Sales from this time on count as new where `matches` is a table alone, which doesn't say
        what was compared; default from when 95 % of the sales of matched numbers were made.
    lenient : bool, default False
        Hang outlets and sales that don't fit under a node of their own instead of stopping.
    numbers : str or NumberingPlan, default "CN"
        As in `read_cdrs`; that of `matches` or `cdrs` goes before it.
    timezone : str, optional
        As in `read_subscribers`.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Told the rows of the records that were read.

    Returns
    -------
    OutletAudit

    Raises
    ------
    ColumnError
        If a table lacks a required column.
    DataError
        If a cell can't be used, the outlets make no tree, or a sale is at an unknown outlet; file
        and rows are named.
    ParameterError
        If there are no such rules, policy, cut or time.

    Notes
    -----
    A rule whose input is missing is not evaluated, and the summary says so. Figures add up exactly
    at every level: probabilities are taken in steps of 2**-30, amounts in hundredths.
    """
    by = check_cuts(by, compare_days)
    pack = load_rule_pack(rules)
    settings = load_policy(policy, red_share=pack.red_share)
    since_s = None if new_since is None else parse_time(new_since, "new_since")
    inputs = _read_inputs(
        matches, sales, outlets, cells, cdrs, subscribers, settlements, recharges, usage,
        numbers, timezone,
    )  # fmt: skip
    tree, nodes, unattributed = grow_tree(inputs.outlets, inputs.sales, is_lenient=lenient)
    matched = read_matches(matches, inputs.plan, settings.probability_of_grade)
    sold = assign_matches(
        inputs.sales, matched, inputs.plan, subscribers=inputs.subscribers, matches=matches,
        new_since_s=since_s,
    )  # fmt: skip
    used = None
    if inputs.cdrs is not None:
        used = read_usage_of(
            sold, inputs.cdrs, window_days=pack.window_days, n_threads=n_threads, progress=progress
        )
    is_seller = np.array([seller is not None for seller in tree.sellers], bool)
    at = np.where(is_seller[nodes], tree.parents[nodes], nodes)
    indicators = measure_indicators(
        sold, at, inputs.plan, usage=used, months=inputs.usage, least_days=pack.least_days
    )
    knows_use = used is not None or inputs.usage is not None
    findings = Findings(
        tree=tree,
        nodes=nodes,
        outlets=at,
        sold=sold,
        matched=matched,
        returners=find_returners(
            sold, matched, least_probability=settings.least_probability,
            re_entry_days=settings.re_entry_days,
        ),
        is_additional=find_additional(
            sold, matched, read_additional(additional, matches), inputs.plan
        ),
        cross_region=_find_cross_region(tree, sold, at, inputs.cells, used, pack),
        farming=find_farming(pack, indicators) if knows_use else None,
        passes_gate=pass_gate(tree, sold, nodes, pack.gate) if knows_use else None,
        commission=find_commission(sold, inputs.settlements, inputs.plan),
        instalments=find_instalments(sold, inputs.settlements, inputs.plan, settings),
    )  # fmt: skip
    return _conclude(findings, inputs, pack, settings, (by, compare_days), unattributed, used)


def _conclude(
    findings: Findings,
    inputs: _Inputs,
    pack: RulePack,
    policy: Policy,
    cut_by: tuple[tuple[str, ...], float],
    unattributed: dict[str, int],
    used: Usage | None,
) -> OutletAudit:
    """Judge nodes and money, and lay out the tables."""
    by, compare_days = cut_by
    tree, counts = findings.tree, findings.counts()
    if inputs.recharges is not None:
        counts["n_recharges"] = count_recharges(findings.sold, inputs.recharges, inputs.plan)
    own, totals = count_by_node(tree, findings.nodes, counts)
    standings = judge_nodes(findings, own, policy)
    flags = find_flags(standings, totals, policy)
    knows_farming = standings.farming is not None
    actions = find_actions(flags, standings.returners, totals, policy, knows_farming=knows_farming)
    is_lost = lost_cards(findings, standings)
    money = judge_money(findings, standings, policy, actions)
    if money is not None:
        totals |= count_by_node(tree, findings.nodes, money.amounts())[1]
    subscriptions = subscription_table(findings, money, is_lost)
    summary = _summary(findings, inputs, pack, policy, used)
    summary["unattributed"] = unattributed
    summary["flagged"] = {name: int(found.sum()) for name, found in flags.items()}
    summary["actions"] = {
        action: actions.count(action) for action in ("reward", "pay", "hold", "restrict")
    }
    root = int(np.flatnonzero(tree.parents < 0)[0])
    summary["totals"] = _totals(totals, root)
    summary["customer_types"] = {
        str(item["values"]): item["counts"]
        for item in subscriptions.column("customer_type").value_counts().to_pylist()
    }
    return OutletAudit(
        nodes=node_table(findings, standings, totals, flags, actions, pack),
        subscriptions=subscriptions,
        flags=flag_table(findings, standings, totals, flags, policy),
        cuts=None
        if not by
        else cut_table(findings, money, by, policy.returners.interval, compare_days=compare_days),
        recharges=None if inputs.recharges is None else recharge_table(inputs.recharges),
        summary=summary,
    )


def _read_inputs(
    matches: Any,
    sales: Any,
    outlets: Any,
    cells: Any,
    cdrs: Any,
    subscribers: Any,
    settlements: Any,
    recharges: Any,
    usage: Any,
    numbers: str | NumberingPlan,
    timezone: str | None,
) -> _Inputs:
    plan = numbers if isinstance(numbers, NumberingPlan) else NumberingPlan(numbers)
    if isinstance(matches, Matches):
        plan = matches.fingerprints.cdrs.plan
        timezone = timezone or matches.fingerprints.cdrs.timezone
        subscribers = matches.fingerprints.subscribers if subscribers is None else subscribers
    if cdrs is not None and not isinstance(cdrs, CallRecords):
        cdrs = read_cdrs(cdrs, numbers=plan, timezone=timezone)
    if isinstance(cdrs, CallRecords):
        plan, timezone = cdrs.plan, timezone or cdrs.timezone
    if subscribers is not None and not isinstance(subscribers, Subscribers):
        subscribers = read_subscribers(subscribers, timezone=timezone)

    def timed(source: Any, read: Callable[..., SideTable]) -> Any:
        is_ready = source is None or isinstance(source, SideTable)
        return source if is_ready else read(source, timezone=timezone)

    def plain(source: Any, read: Callable[..., SideTable]) -> Any:
        return source if source is None or isinstance(source, SideTable) else read(source)

    return _Inputs(
        sales=timed(sales, read_sales),
        outlets=plain(outlets, read_outlets),
        subscribers=subscribers,
        cells=plain(cells, read_cells),
        cdrs=cdrs,
        settlements=timed(settlements, read_settlements),
        recharges=timed(recharges, read_recharges),
        usage=timed(usage, read_usage),
        plan=plan,
    )


def _find_cross_region(
    tree: OutletTree,
    sold: Sold,
    at: Ints,
    cells: SideTable | None,
    used: Usage | None,
    pack: RulePack,
) -> CrossRegion | None:
    """Return where cards live; None without cells, or if neither records nor sales name one."""
    has_first = "activation_cell" in sold.sales.found
    if cells is None or not (has_first or (used is not None and used.has_cells)):
        return None
    pairs = zip(*(cells.table.column(name).to_pylist() for name in ("cell", "region")), strict=True)
    return find_cross_region(
        [tree.regions[node] for node in at.tolist()],
        sold.column("activation_cell").to_pylist(),
        {cell: region for cell, region in pairs if region is not None},
        used,
        pack.cross_region,
    )


def _summary(
    findings: Findings, inputs: _Inputs, pack: RulePack, policy: Policy, used: Usage | None
) -> dict[str, Any]:
    sold = findings.sold
    missing = {
        "farming": findings.farming is None,
        "gate": pack.gate is not None and findings.passes_gate is None,
        "cross-region": findings.cross_region is None,
        "commission": findings.commission is None,
        "instalments": findings.instalments is None,
        "activation": sold.subscribers is None,
        "additional-number": findings.is_additional is None,
    }
    times = [] if not len(sold) else [int(sold.sold_s.min()), int(sold.sold_s.max())]
    return {
        "sales": len(sold),
        "sold_from": format_time(times[0]) if times else None,
        "sold_to": format_time(times[1]) if times else None,
        "outlets": len(inputs.outlets),
        "nodes": len(findings.tree),
        "new_counted_by": sold.new_counted_by,
        "matched": len(findings.matched),
        "matched_but_not_sold": len(findings.matched) - int((sold.match >= 0).sum()),
        "probability_by_grade": findings.matched.n_by_grade,
        "outlet_mismatches": sold.n_outlet_mismatches(),
        "rules": pack.name,
        "rules_evaluated": {} if findings.farming is None else findings.farming.by_rule,
        "policy": policy.name,
        "not_evaluated": [name for name, is_missing in missing.items() if is_missing],
        "records": None if used is None else used.counts.as_dict(),
    }


def _totals(totals: Mapping[str, Ints], root: int) -> dict[str, Any]:
    """Return the figures of the root as plain values."""
    found: dict[str, Any] = {
        name: int(values[root]) for name, values in totals.items() if name.startswith("n_")
    }
    found["expected_returners"] = float(as_probability(totals["returner_steps"])[root])
    for name in ("due", "paid", "at_risk", "to_hold", "bonus", "recommended"):
        if name in totals:
            found[f"commission_{name}"] = float(as_money(totals[name])[root])
    return found
