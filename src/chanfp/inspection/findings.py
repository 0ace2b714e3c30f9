"""Findings: what is odd about call records, in plain words, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cleaning import INTEGER_NOTE
from ..counts import MAX_REJECT_SHARE
from ..mixtures import HASHED_SHARE, MIXED_SHARE
from ..numbering import OPAQUE
from .files import FileGroup

if TYPE_CHECKING:
    from .result import Inspection

__all__ = ["Finding", "list_findings"]

SHOWN_SPANS = 5
FEW_ROWS = 0.01
FEW_CALLED = 0.02
FEW_KNOWN = 0.5


@dataclass(frozen=True)
class Finding:
    """Something odd: its kind, for machines, and a sentence."""

    kind: str
    text: str


def list_findings(inspection: Inspection) -> list[Finding]:
    """Return everything odd about call records, what stops a run first."""
    return [
        *_usability(inspection),
        *_numbers(inspection),
        *_times(inspection),
        *_directions(inspection),
        *_files(inspection),
        *_sides(inspection),
    ]


def _usability(inspection: Inspection) -> Iterator[Finding]:
    counts = inspection.counts
    if not counts.total:
        yield Finding("no-rows", "There is no row in these files.")
    elif counts.n_rejected > MAX_REJECT_SHARE * counts.total:
        reason, count = counts.rejected.most_common(1)[0]
        yield Finding(
            "many-rejects",
            f"{counts.n_rejected:,} of {counts.total:,} rows can't be used, so a match would stop; "
            f"{count:,} are {reason}: look at the first one below.",
        )
    if counts.rejected["direction-unreadable"]:
        yield Finding(
            "unknown-directions",
            f"{counts.rejected['direction-unreadable']:,} rows have a direction that isn't known, "
            f"the first one {counts.examples['direction-unreadable']}; say what the values mean in "
            "`directions`, such as 0=out and 1=in.",
        )
    if counts.accepted and not inspection.ties.n_ties and inspection.people is None:
        yield Finding(
            "no-partners",
            "No row has two subscriber numbers; name the region in `numbers`, or 'opaque' for "
            "hashed or made-up ids.",
        )
    people = inspection.people
    if people and people["total"] and people["without_calls"] == people["total"]:
        yield Finding(
            "no-known-subscriber",
            "No number of the subscriber table occurs in the records; check that both write them "
            "alike, and `numbers`.",
        )


def _numbers(inspection: Inspection) -> Iterator[Finding]:
    for group in inspection.groups:
        shares = {party: (group.hashed[party], group.plain[party]) for party in group.hashed}
        whole = [party for party, (hashed, _) in shares.items() if hashed >= HASHED_SHARE]
        mixed = [party for party, both in shares.items() if min(both) >= MIXED_SHARE]
        if whole and inspection.region != OPAQUE:
            yield Finding(
                "hashed-numbers",
                f"{group.name}: numbers are hashed already ({_columns(group, whole)}); read them "
                "with `numbers` 'opaque'.",
            )
        if mixed:
            most = max(group.hashed[party] for party in mixed)
            yield Finding(
                "mixed-numbers",
                f"{group.name}: hashed and plain numbers are mixed ({_columns(group, mixed)}, "
                f"{100 * most:.0f} % hashed); hash all of them or none.",
            )
        plain = [party for party, (_, plain) in shares.items() if plain >= HASHED_SHARE]
        if plain and inspection.region == OPAQUE:
            yield Finding(
                "plain-numbers",
                f"{group.name}: numbers look plain ({_columns(group, plain)}); name their region "
                "in `numbers`, so that spellings are united and services filtered.",
            )
    if inspection.counts.notes[INTEGER_NOTE]:
        yield Finding(
            "integer-numbers",
            "Numbers are stored as integers: leading zeros and plus signs are lost and landlines "
            "may be ambiguous; export them as text.",
        )


def _times(inspection: Inspection) -> Iterator[Finding]:
    days = inspection.days
    if days.missing:
        yield Finding(
            "days-missing",
            f"{_count(sum(span.n_days for span in days.missing), 'day is', 'days are')} missing: "
            f"{_spans(days.missing)}.",
        )
    if days.thin:
        yield Finding(
            "days-thin",
            f"{_count(sum(span.n_days for span in days.thin), 'day has', 'days have')} less than a "
            f"third of the usual records: {_spans(days.thin)}.",
        )
    if days.strays:
        n_records = sum(span.n_records for span in days.strays)
        yield Finding(
            "stray-times",
            f"{_count(n_records, 'record lies', 'records lie')} far from all others: "
            f"{_spans(days.strays)}; clocks were wrong there.",
        )
    zoned, naive = (
        sum(group.rows[f"{name}-zone"] for group in inspection.groups)
        for name in ("with", "without")
    )
    if zoned and naive and inspection.timezone is None:
        yield Finding(
            "mixed-clocks",
            f"Two clocks: {zoned:,} times have a zone (or are epochs) and count as UTC, {naive:,} "
            "have none and are taken as they stand; name the zone of the latter in `timezone`.",
        )


def _directions(inspection: Inspection) -> Iterator[Finding]:
    for group in inspection.groups:
        outgoing, incoming = group.rows["outgoing"], group.rows["incoming"]
        fewer, more = sorted([outgoing, incoming])
        if group.columns.is_subscriber_centred and more and fewer <= FEW_ROWS * more:
            way, other = ("out", "in") if outgoing > incoming else ("in", "out")
            yield Finding(
                "one-direction",
                f"{group.name}: {'all' if not fewer else 'nearly all'} rows go {way}; calls that "
                f"go {other} are missing, or `directions` says what their values mean.",
            )
    ties = inspection.ties
    is_call_centred = any(not group.columns.is_subscriber_centred for group in inspection.groups)
    n_called = ties.n_subscribers - ties.n_never_called
    if is_call_centred and ties.n_subscribers and n_called <= FEW_CALLED * ties.n_subscribers:
        yield Finding(
            "one-direction",
            f"Hardly any subscriber is ever called ({n_called:,} of {ties.n_subscribers:,}); calls "
            "received may be missing.",
        )
    if is_call_centred and ties.n_never_calling > (1 - FEW_CALLED) * ties.n_subscribers:
        yield Finding(
            "one-direction",
            f"Hardly any subscriber ever calls ({ties.n_subscribers - ties.n_never_calling:,} of "
            f"{ties.n_subscribers:,}); calls made may be missing.",
        )


def _files(inspection: Inspection) -> Iterator[Finding]:
    for copies in inspection.copies:
        yield Finding(
            "delivered-twice",
            f"{_names(copies)} look like copies of each other; their calls count more than "
            "once, so leave all but one out.",
        )
    for path in inspection.repeated:
        yield Finding("given-twice", f"{path} was given more than once, and read once.")
    if inspection.skipped:
        yield Finding(
            "files-skipped",
            f"{_count(len(inspection.skipped), 'file was', 'files were')} passed over, because "
            f"the name is that of no table: {_names(inspection.skipped)}.",
        )


def _sides(inspection: Inspection) -> Iterator[Finding]:
    for side in inspection.sides:
        if side.n_unusable:
            yield Finding(
                "side-numbers",
                f"Table of {side.name}: {_count(side.n_unusable, 'row has', 'rows have')} no "
                f"subscriber number, the first one {side.first_unusable}; correct or delete them.",
            )
        n_subscribers = side.n_subscribers or 0
        if side.n_known is not None and side.n_known < FEW_KNOWN * n_subscribers:
            yield Finding(
                "side-strangers",
                f"Table of {side.name}: only {side.n_known:,} of {n_subscribers:,} subscribers are "
                "in the table of subscribers; check that both are of one carrier and write numbers "
                "alike.",
            )


def _columns(group: FileGroup, parties: Iterable[str]) -> str:
    return ", ".join(repr(group.columns.column(party)) for party in parties)


def _spans(spans: Sequence[object]) -> str:
    return _names([str(span) for span in spans])


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_SPANS:,} more" if len(names) > SHOWN_SPANS else ""
    return ", ".join(names[:SHOWN_SPANS]) + more


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
