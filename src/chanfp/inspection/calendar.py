"""Records per day as a calendar: a sign for each day, as high as the day is busy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ..terminal import Line, Piece, block, cut, grid, line
from .days import DaySurvey

__all__ = ["calendar_lines"]

MOST_WEEKS = 27
MOST_NAMED = 3
MISSING_DAY = "·"
INDENT, NAME_WIDTH = 2, 14


class _Row(NamedTuple):
    """A week or a month: its name, a sign for each day, its records, and what is odd."""

    name: str
    signs: list[Piece]
    total: str
    remark: str


def calendar_lines(days: DaySurvey, width: int) -> Iterator[Line]:
    """Yield a line for each week, or each month of a long span; empty ones in a row are one."""
    if days.first is None or days.last is None:
        return
    is_weekly = (days.last - days.first).days < 7 * MOST_WEEKS
    rest = f", median {days.median:,.0f}" if len(days.per_day) > 1 else ""
    rest += f"; {MISSING_DAY} is a day without any" if days.missing else ""
    yield (Piece("Records per day", "title"), Piece(cut(rest, width - 15)))
    if is_weekly:
        yield line(f"{'':{INDENT + NAME_WIDTH}}M T W T F S S", "dim")
    rows = list(_rows(days, _weeks if is_weekly else _months))
    gap = " " if is_weekly else ""
    n_signs = max(len(row.signs) for row in rows)
    room = width - INDENT - NAME_WIDTH - n_signs * (1 + len(gap))
    sides = grid(
        [(row.total, Piece(row.remark, "bad")) for row in rows], "><", room, indent=2 - len(gap)
    )
    for row, side in zip(rows, sides, strict=True):
        drawn = [piece for sign in row.signs for piece in (sign, Piece(gap))]
        blanks = (n_signs - len(row.signs)) * (" " + gap)
        yield (Piece(f"{'':{INDENT}}{row.name:<{NAME_WIDTH}}"), *drawn, Piece(blanks), *side)


def _rows(
    days: DaySurvey, periods: Callable[[date, date], Iterator[tuple[str, list[date]]]]
) -> Iterator[_Row]:
    """Yield a row for each week or month with records, and one for those without in between."""
    n_empty = 0
    for name, dates in () if days.first is None else periods(days.first, days.last or days.first):
        counts = [days.count(day) for day in dates]
        if not any(counts):
            n_empty += 1
            continue
        if n_empty:
            yield _Row(f"⋮ {n_empty:,} without", [], "", "")
            n_empty = 0
        signs = [_sign(days, count) for count in counts]
        yield _Row(name, signs, f"{sum(filter(None, counts)):,}", _remark(days, dates))


def _weeks(first: date, last: date) -> Iterator[tuple[str, list[date]]]:
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield str(monday), [monday + timedelta(days=n) for n in range(7)]
        monday += timedelta(days=7)


def _months(first: date, last: date) -> Iterator[tuple[str, list[date]]]:
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=31)).replace(day=1)
        yield f"{month:%Y-%m}", [month + timedelta(days=n) for n in range((following - month).days)]
        month = following


def _sign(days: DaySurvey, count: int | None) -> Piece:
    """Return the sign of a day; None is a day before the first or after the last."""
    if count is None:
        return Piece(" ")
    if not count:
        return Piece(MISSING_DAY, "bad")
    style = "warn" if days.is_thin(count) else "bar"
    return Piece(block(count, int(days.per_day.max())), style)


def _remark(days: DaySurvey, dates: Sequence[date]) -> str:
    """Name the days that are missing or thin."""
    found = []
    for words, spans in (("missing", days.missing), ("thin", days.thin)):
        which = [day for day in dates if any(span.first <= day <= span.last for span in spans)]
        if len(which) > MOST_NAMED:
            found.append(f"{len(which)} {words}")
        elif which:
            found.append(f"{words} {', '.join(f'{day:%m-%d}' for day in which)}")
    return "; ".join(found)
