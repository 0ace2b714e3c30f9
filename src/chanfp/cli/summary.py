"""The summary of a run as text: what was read, who was matched, where the answer is."""

from __future__ import annotations

import shutil
from itertools import chain
from typing import Any

from ..counts import most_first
from ..roles import ROLE_WORDS
from ..terminal import labelled, plain
from .wording import in_options

__all__ = ["summary_text"]

SHOWN_REASONS = 6
# Said even where nobody has them.
MAIN_ROLES = ("departed", "new", "active")


def summary_text(summary: dict[str, Any]) -> str:
    """Return the summary of `Matches`, with the path it went to as ``out``, for a terminal."""
    lines = [
        *_record_lines(summary["records"]),
        ("Period", _period(summary)),
        *(_hub_lines(summary["hubs"]) if summary["start_time"] else ()),
        ("Subscribers", _roles(summary["subscribers"])),
        ("", _reasons("not used", summary["subscribers"]["unusable_by_reason"])),
        (
            "Matches",
            f"{summary['candidates']:,} candidates for {summary['new_with_candidate']:,} of "
            f"{summary['subscribers']['new']:,} new subscriptions",
        ),
        ("Best matches", ", ".join(f"{grade} {n:,}" for grade, n in summary["grades"].items())),
        ("", _links(summary["links"])),
        *_trust_lines(summary),
        *(("Note", in_options(notice)) for notice in summary["notices"]),
        ("Results", "standard output" if summary["out"] == "-" else summary["out"]),
        ("Explanations", summary.get("explanations", "")),
        ("Calibration", summary.get("calibration", "")),
        ("Two numbers", summary.get("additional", "")),
        ("Model", summary.get("save_model", "")),
        ("Rejects", summary.get("rejects", "")),
    ]
    width = max(shutil.get_terminal_size((100, 24)).columns, 40)
    shown = (labelled(label, text, width, breaks_words=False) for label, text in lines if text)
    return plain(chain.from_iterable(shown))


def _trust_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Say how many came back, and what the rates rest on."""
    if not summary["rate_known"]:
        return []
    found, decoys = summary["returners"], summary["decoys"]
    lines = [
        (
            "Came back",
            f"about {found['estimate']:,.0f} of the new ({found['low']:,.0f} to "
            f"{found['high']:,.0f} with 95 % confidence)",
        ),
        ("Decoys", f"{decoys['total']:,} active subscriptions, {decoys['wins']:,} won a new one"),
    ]
    if n_additional := summary["additional_numbers"]:
        lines.append(("", f"{n_additional:,} of those look like an additional number"))
    for grade, shares in summary["corroborated"].items():
        if shares and grade != "U":
            parts = (f"{name.replace('_', ' ')} {share:.0%}" for name, share in shares.items())
            lines.append(("", f"grade {grade}: {', '.join(parts)}"))
    return lines


def _record_lines(records: dict[str, Any]) -> list[tuple[str, str]]:
    n_filtered = sum(records["filtered_by_reason"].values())
    lines = [
        (
            "Records",
            f"{records['total']:,} read, {records['accepted']:,} accepted, "
            f"{records['rejected']:,} rejected",
        ),
        ("", _reasons("rejected", records["rejected_by_reason"])),
        ("", f"{n_filtered:,} of the accepted have a party that is no subscriber number"),
        ("", _reasons("filtered", records["filtered_by_reason"])),
        ("", _reasons("taken with a loss", records["notes"])),
        ("", f"{records['duplicates']:,} repeat another one and are left out"),
        ("", f"{records['after_reference_time']:,} lie after the reference time"),
        (
            "",
            f"{records['outside_any_period']:,} times a number calls or is called outside its "
            "dates in the table",
        ),
    ]
    return [line for line in lines if not line[1].startswith("0 ") or line[0]]


def _hub_lines(hubs: dict[str, Any]) -> list[tuple[str, str]]:
    """Say which partners are left out, by which limit, and which are the largest."""
    partners, calls = hubs["partners_by_reason"], hubs["calls_by_reason"]
    limit = f"{hubs['limit']:,} ({in_options(hubs['why'])})"
    lines = [
        (
            "Hubs",
            f"{partners['hub']:,} partners left out, with {calls['hub']:,} calls: more "
            f"subscribers than {limit}"
            if partners["hub"]
            else f"no partner has more subscribers than {limit}",
        )
    ]
    for reason, words in (("denied", "denied"), ("allowed", "beyond the limit, but allowed")):
        if partners[reason]:
            lines.append(
                ("", f"{partners[reason]:,} partners {words}, with {calls[reason]:,} calls")
            )
    largest = [f"{one['number']} ({one['subscribers']:,})" for one in hubs["largest"]]
    if largest:
        lines.append(
            ("", f"largest, for --allow-partners and --deny-partners: {', '.join(largest)}")
        )
    return lines


def _period(summary: dict[str, Any]) -> str:
    if summary["start_time"] is None:
        return "no usable record"
    return (
        f"{summary['start_time']} to {summary['reference_time']}, windows of "
        f"{summary['window_days']:g} days"
    )


def _roles(people: dict[str, Any]) -> str:
    """Return the roles so that they add up; who is both departed and new is said once more."""
    parts = [
        f"{people[key]:,} {words}"
        for key, words in ROLE_WORDS.items()
        if people[key] or key in MAIN_ROLES
    ]
    both = people["both_departed_and_new"]
    return f"{people['total']:,}: {', '.join(parts)}" + (f" ({both:,} both)" if both else "")


def _links(links: dict[str, int]) -> str:
    """Say how many best matches are with a number that is still in use, but less."""
    n_partial = links["partial-replacement"]
    return f"{n_partial:,} of them with a fading number (partial replacement)" if n_partial else ""


def _reasons(what: str, counts: dict[str, int]) -> str:
    """Return the most frequent reasons with their counts."""
    if not counts:
        return ""
    ordered = most_first(counts)
    parts = [f"{reason} {count:,}" for reason, count in ordered[:SHOWN_REASONS]]
    if rest := sum(count for _, count in ordered[SHOWN_REASONS:]):
        parts.append(f"others {rest:,}")
    return f"{what}: {', '.join(parts)}"
