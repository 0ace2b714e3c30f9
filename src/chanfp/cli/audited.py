"""The summary of an audit as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..terminal import LABEL_WIDTH, share

if TYPE_CHECKING:
    from ..audit import OutletAudit

__all__ = ["audit_text"]

SHOWN_NODES = 10


def audit_text(audit: OutletAudit, out: str) -> str:
    """Return what an audit found, one line for each matter."""
    summary, totals = audit.summary, audit.summary["totals"]
    rows = [
        ("Sales", f"{summary['sales']:,} at {summary['outlets']:,} outlets, {_span(summary)}"),
        ("New", _new(summary, totals)),
        ("Farmed", _judged(totals, "farming")),
        ("Across", _judged(totals, "cross_region")),
        ("Commission", _commission(summary, totals)),
        ("Unattributed", ", ".join(f"{n:,} {why}" for why, n in summary["unattributed"].items())),
        ("Not evaluated", ", ".join(summary["not_evaluated"])),
        ("Flagged", ", ".join(f"{n:,} {flag}" for flag, n in summary["flagged"].items() if n)),
        *(("", line) for line in _flagged(audit)),
        ("Results", out),
    ]
    return "\n".join(f"{label:<{LABEL_WIDTH}}{text}".rstrip() for label, text in rows if text)


def _span(summary: dict[str, Any]) -> str:
    return f"{summary['sold_from']} to {summary['sold_to']}" if summary["sales"] else "none"


def _new(summary: dict[str, Any], totals: dict[str, Any]) -> str:
    expected = totals["expected_returners"]
    text = (
        f"{totals['n_new']:,}, {expected:,.1f} of them returners by expectation "
        f"({share(expected, totals['n_new'])})"
    )
    if n_by_grade := summary["probability_by_grade"]:
        text += f"; {n_by_grade:,} probabilities stand in by grade"
    return text


def _judged(totals: dict[str, Any], name: str) -> str:
    if f"n_{name}" not in totals:
        return ""
    return f"{totals[f'n_{name}']:,} of {totals[f'n_{name}_judged']:,} judged"


def _commission(summary: dict[str, Any], totals: dict[str, Any]) -> str:
    if "commission_paid" not in totals:
        return ""
    # Without settlements nobody knows what was paid.
    known = "due" if "instalments" in summary["not_evaluated"] else "paid"
    bonus = totals["commission_bonus"]
    return (
        f"{totals[f'commission_{known}']:,.2f} {known}, "
        f"{totals['commission_at_risk']:,.2f} at risk, {totals['commission_to_hold']:,.2f} to hold"
        f"{f', {bonus:,.2f} bonus' if bonus else ''}, "
        f"{totals['commission_recommended']:,.2f} recommended"
    )


def _flagged(audit: OutletAudit) -> list[str]:
    """Return the flagged nodes that are no sellers, those with most commission at risk first."""
    nodes = audit.nodes.select(["outlet", "seller", "flags", "action", "commission_at_risk"])
    rows = [row for row in nodes.to_pylist() if row["flags"] and row["seller"] is None]
    rows.sort(key=lambda row: (-(row["commission_at_risk"] or 0.0), row["outlet"]))
    lines = [f"{row['outlet']}: {row['flags']} ({row['action']})" for row in rows[:SHOWN_NODES]]
    if len(rows) > SHOWN_NODES:
        lines.append(f"and {len(rows) - SHOWN_NODES:,} more outlets")
    return lines
