"""Records per day as a calendar: a sign for each day, as high as the day is busy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from .days import THIN_SHARE, DaySurvey
from .layout import Line, Piece, block, cut, grid

__all__ = ["calendar_lines"]

MOST_WEEKS = 27
MISSING_DAY, NO_DAY = "·", " "


class _Row(NamedTuple):
    """A week or a month: what it is called and its days, None where it has no such day."""

    name: str
    days: list[date | None]


def calendar_lines(days: DaySurvey, width: int) -> Iterator[Line]:
    """Yield a line for each week, or each month of a long span; empty ones in a row are one."""
    if days.first is None or days.last is None:
        return
    is_weekly = (days.last - days.first).days < 7 * MOST_WEEKS
    rest = f", median {days.median:,.0f}" if len(days.per_day) > 1 else ""
    if days.missing:
        rest += f"; {MISSING_DAY} is a day without any"
    yield (Piece("Records per day", "title"), Piece(cut(rest, width - 15)))
    if is_weekly:
        yield (Piece(f"{'':14}M T W T F S S", "dim"),)
        rows = _weeks(days.first, days.last)
    else:
        rows = _months(days.first, days.last)
    n_empty = 0
    cells = []
    for row in rows:
        n_records = sum(_count(days, day) for day in row.days)
        if not n_records:
            n_empty += 1
            continue
        if n_empty:
            cells.append((f"({n_empty:,} without)", [], "", ""))
            n_empty = 0
        signs = [_sign(days, day) for day in row.days]
        cells.append((row.name, signs, f"{n_records:,}", _remark(days, row)))
    yield from _lay_out(cells, " " if is_weekly else "", width)


def _lay_out(
    cells: list[tuple[str, list[Piece], str, str]], gap: str, width: int
) -> Iterator[Line]:
    n_signs = max(len(signs) for _, signs, _, _ in cells)
    digits = max(len(number) for _, _, number, _ in cells)
    sides = grid([(number, Piece(remark, "bad")) for _, _, number, remark in cells], "><",
                 width - 14 - n_signs * (1 + len(gap)), indent=1)  # fmt: skip
    assert digits  # noqa: S101 - a row without records has no number
    for (name, signs, _, _), side in zip(cells, sides, strict=True):
        drawn = [piece for sign in signs for piece in (sign, Piece(gap))]
        missing = Piece((n_signs - len(signs)) * (" " + gap))
        yield (Piece(f"  {name:<12}"), *drawn, missing, *side)


def _weeks(first: date, last: date) -> Iterator[_Row]:
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield _Row(str(monday), [monday + timedelta(days=n) for n in range(7)])
        monday += timedelta(days=7)


def _months(first: date, last: date) -> Iterator[_Row]:
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=31)).replace(day=1)
        n_days = (following - month).days
        yield _Row(f"{month:%Y-%m}", [month + timedelta(days=n) for n in range(n_days)])
        month = following


def _count(days: DaySurvey, day: date | None) -> int:
    at = -1 if day is None or days.first is None else (day - days.first).days
    return int(days.per_day[at]) if 0 <= at < len(days.per_day) else 0


def _sign(days: DaySurvey, day: date | None) -> Piece:
    if day is None or days.first is None or days.last is None:
        return Piece(NO_DAY)
    if not days.first <= day <= days.last:
        return Piece(NO_DAY)
    count = _count(days, day)
    if not count:
        return Piece(MISSING_DAY, "bad")
    style = "warn" if count < THIN_SHARE * days.median else "bar"
    return Piece(block(count, int(days.per_day.max())), style)


def _remark(days: DaySurvey, row: _Row) -> str:
    """Name the days of a row that are missing or thin."""
    found = []
    inner = [day for day in row.days if day and days.first and days.last
             and days.first <= day <= days.last]  # fmt: skip
    missing = [day for day in inner if not _count(days, day)]
    thin = [
        day
        for day in inner
        if 0 < _count(days, day) < THIN_SHARE * days.median and day not in (days.first, days.last)
    ]
    for words, which in (("missing", missing), ("thin", thin)):
        if which:
            found.append(f"{words} {', '.join(f'{day:%m-%d}' for day in which)}")
    return "; ".join(found)
