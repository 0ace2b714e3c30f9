"""The result of an inspection: everything a first look tells, as values, text and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..clock import format_time
from ..counts import RecordCounts
from ..hubs import QUANTILE, default_limit
from .days import DaySurvey
from .files import FileGroup
from .findings import Finding, list_findings
from .sidetables import SideLook
from .ties import QUANTILES, TieSurvey

__all__ = ["Inspection"]


@dataclass(frozen=True)
class Inspection:
    """A first look at call records. Made by `inspect_cdrs`.

    Parameters
    ----------
    region : str
        The numbering plan.
    timezone : str or None
        The zone that times with a zone were turned into.
    counts : RecordCounts
        What became of every row.
    first_s, last_s : int or None
        First and last start of an accepted row, in seconds since 1970; None without one.
    groups : list of FileGroup
        Files with the same columns.
    skipped, repeated : sequence of str
        Files passed over, because they are no tables by their names; files given twice.
    copies : list of list of str
        Files that look like copies of each other.
    classes : dict of str to dict of str to int
        For each party the numbers of each class.
    days : DaySurvey
    ties : TieSurvey
    hubs : list of (str, int)
        The numbers that most subscribers call, and how many do.
    people : dict or None
        Subscribers by role, None without a subscriber table.
    sides : list of SideLook
        The tables beside the records.
    """

    region: str
    timezone: str | None
    counts: RecordCounts
    first_s: int | None
    last_s: int | None
    groups: list[FileGroup]
    skipped: Sequence[str]
    repeated: Sequence[str]
    copies: list[list[str]]
    classes: dict[str, dict[str, int]]
    days: DaySurvey
    ties: TieSurvey
    hubs: list[tuple[str, int]]
    people: dict[str, Any] | None
    sides: list[SideLook] = field(default_factory=list)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is odd, in plain words; what stops a run comes first."""
        return list_findings(self)

    @property
    def histogram(self) -> list[tuple[int, int, int]]:
        """Subscribers by number of partners: from, to (both included), subscribers."""
        found: list[tuple[int, int, int]] = []
        most = max(self.ties.degrees, default=0)
        begin = 1
        while begin <= most:
            end = 2 * begin - 1
            number = sum(n for degree, n in self.ties.degrees.items() if begin <= degree <= end)
            found.append((begin, end, number))
            begin = end + 1
        return found

    @property
    def hub_limit(self) -> tuple[int, str]:
        """Beyond how many subscribers a match would leave a partner out, and why.

        By the partners of the whole period; a match goes by those within its windows.
        """
        return default_limit(self.ties.quantile(QUANTILE))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from .html import inspection_html

        return inspection_html(self)

    def text(self, width: int = 80) -> str:
        """Return everything as plain text that fits `width` columns, 60 at least."""
        from ..terminal import plain
        from .text import inspection_lines

        return plain(inspection_lines(self, width))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return {
            "records": self.counts.as_dict(),
            "start_time": None if self.first_s is None else format_time(self.first_s),
            "end_time": None if self.last_s is None else format_time(self.last_s),
            "timezone": self.timezone,
            "numbering_plan": self.region,
            "warnings": [{"kind": found.kind, "text": found.text} for found in self.findings],
            "files": [group.as_dict() for group in self.groups],
            "files_skipped": list(self.skipped),
            "files_given_twice": list(self.repeated),
            "files_delivered_twice": self.copies,
            "number_classes": self.classes,
            "hubs": [
                {
                    "number": number,
                    "subscribers": count,
                    "share": count / self.ties.n_subscribers,
                }
                for number, count in self.hubs
            ],
            "hub_limit": dict(zip(("limit", "why"), self.hub_limit, strict=True)),
            "partners": self._partners(),
            "days": self._days(),
            "subscribers": self.people,
            "side_tables": {side.name: side.as_dict() for side in self.sides},
        }

    def _partners(self) -> dict[str, Any]:
        ties = self.ties
        return {
            "subscribers": ties.n_subscribers,
            "pairs": ties.n_ties,
            "never_calling": ties.n_never_calling,
            "never_called": ties.n_never_called,
            "quantiles": {str(share): ties.quantile(share / 100) for share in QUANTILES},
            "histogram": [
                {"from": begin, "to": end, "subscribers": number}
                for begin, end, number in self.histogram
            ],
        }

    def _days(self) -> dict[str, Any]:
        days = self.days

        def spans(found: Sequence[Any]) -> list[dict[str, Any]]:
            return [
                {"first": str(s.first), "last": str(s.last), "records": s.n_records} for s in found
            ]

        return {
            "first": None if days.first is None else str(days.first),
            "last": None if days.last is None else str(days.last),
            "median": days.median,
            "missing": spans(days.missing),
            "thin": spans(days.thin),
            "stray": spans(days.strays),
            "records": {str(days.day(at)): int(n) for at, n in enumerate(days.per_day)},
        }
