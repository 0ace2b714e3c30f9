"""An inspection as text for a terminal, section by section."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..clock import format_time
from ..counts import most_first
from ..roles import ROLE_WORDS
from ..terminal import (
    LABEL_WIDTH,
    Line,
    Piece,
    bar,
    cut,
    display_width,
    grid,
    labelled,
    line,
    share,
    wrap,
)
from .calendar import calendar_lines
from .ties import QUANTILES

if TYPE_CHECKING:
    from .files import FileGroup
    from .result import Inspection

__all__ = ["inspection_lines"]

WIDEST, LEAST = 120, 60
SHOWN_GROUPS = 8
PARTY_NAMES = {"other_party": "other party"}
# Said even where nobody has them.
MAIN_ROLES = ("departed", "new", "active")


def inspection_lines(
    inspection: Inspection, width: int, *, wording: Callable[[str], str] = str
) -> list[Line]:
    """Return an inspection as lines of styled pieces.

    Parameters
    ----------
    inspection : Inspection
    width : int
        No line is wider, though 60 columns are needed and more than 120 not used.
    wording : callable
        Turns the parameters in a sentence into what the reader calls them.
    """
    width = max(min(width, WIDEST), LEAST)
    sections = (
        _head(inspection, width),
        _warnings(inspection, width, wording),
        *(_columns(group, width) for group in inspection.groups[:SHOWN_GROUPS]),
        _more_groups(inspection, width),
        _rejected(inspection, width),
        _classes(inspection, width),
        _hubs(inspection, width),
        _partners(inspection, width),
        calendar_lines(inspection.days, width),
        _roles(inspection, width),
        _sides(inspection, width),
    )
    lines: list[Line] = []
    for section in sections:
        found = list(section)
        if found:
            lines += [line(), *found] if lines else found
    return lines


def _head(inspection: Inspection, width: int) -> Iterator[Line]:
    counts = inspection.counts
    yield from labelled(
        "Records",
        f"{counts.total:,} read, {counts.accepted:,} accepted, {counts.n_rejected:,} rejected"
        + (f" ({share(counts.n_rejected, counts.total)})" if counts.n_rejected else ""),
        width,
    )
    yield from labelled("Period", _period(inspection), width)
    n_files = sum(len(group.files) for group in inspection.groups)
    shapes = sorted({group.columns.shape for group in inspection.groups})
    yield from labelled(
        "Files",
        f"{n_files:,} {'file' if n_files == 1 else 'files'}, {' and '.join(shapes)}; numbers "
        f"{inspection.region}",
        width,
    )


def _period(inspection: Inspection) -> str:
    if inspection.first_s is None or inspection.last_s is None:
        return "no usable record"
    n_days = len(inspection.days.per_day)
    days = "1 day" if n_days == 1 else f"{n_days:,} days"
    zone = f"; {inspection.timezone}" if inspection.timezone else ""
    n_strays = sum(span.n_records for span in inspection.days.strays)
    stray = f"; {n_strays:,} stray" if n_strays else ""
    span = f"{format_time(inspection.first_s)} to {format_time(inspection.last_s)}"
    return f"{span}, {days}{zone}{stray}"


def _warnings(inspection: Inspection, width: int, wording: Callable[[str], str]) -> Iterator[Line]:
    if not inspection.findings:
        yield (Piece(f"{'Warnings':<{LABEL_WIDTH}}", "title"), Piece("none"))
        return
    yield line("Warnings", "title")
    for finding in inspection.findings:
        for at, part in enumerate(wrap(wording(finding.text), width - 4)):
            yield (Piece("    " if at else "  ! ", "warn"), Piece(part))


def _columns(group: FileGroup, width: int) -> Iterator[Line]:
    rest = f": {group.columns.shape}, {group.n_rows:,} {'row' if group.n_rows == 1 else 'rows'}"
    title = f"Columns of {group.name}"
    if display_width(title + rest) > width:
        yield line(cut(title, width), "title")
        yield line(f"  {rest[2:]}")
    else:
        yield (Piece(title, "title"), Piece(rest))
    rows = [
        (word, Piece(found.column), Piece(found.how, "dim"))
        for word, found in group.columns.found.items()
    ]
    yield from grid(rows, "<<<", width)
    if group.columns.unrecognised:
        names = ", ".join(group.columns.unrecognised)
        for at, part in enumerate(wrap(f"not used: {names}", width - 4)):
            yield line(("    " if at else "  ") + part, "dim")


def _more_groups(inspection: Inspection, width: int) -> Iterator[Line]:
    n_more = len(inspection.groups) - SHOWN_GROUPS
    if n_more > 0:
        yield line(cut(f"… and {n_more:,} more ways of columns", width), "dim")


def _rejected(inspection: Inspection, width: int) -> Iterator[Line]:
    counts = inspection.counts
    for title, found, style in (
        ("Rejected rows", counts.rejected, "bad"),
        ("Taken with a loss", counts.notes, "warn"),
    ):
        if found:
            yield line(title, "title")
            rows = [
                (
                    Piece(reason, style),
                    f"{count:,}",
                    share(count, counts.total),
                    Piece(counts.examples.get(reason, ""), "dim"),
                )
                for reason, count in most_first(found)
            ]
            yield from _grid_with_examples(rows, width)


def _grid_with_examples(rows: list[tuple[Piece, str, str, Piece]], width: int) -> Iterator[Line]:
    """Lay out counts with examples beside them, or below where there is little room."""
    beside = 2 + sum(
        2 + max(len(text) for text in column)
        for column in (
            [row[0].text for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
        )
    )
    longest = max(display_width(row[3].text) for row in rows)
    if beside + longest <= width:
        yield from grid(rows, "<>><", width)
        return
    for row, cells in zip(rows, grid([row[:3] for row in rows], "<>>", width), strict=True):
        yield cells
        for part in wrap(row[3].text, width - 6) if row[3].text else ():
            yield line(f"      {part}", "dim")


def _classes(inspection: Inspection, width: int) -> Iterator[Line]:
    parties = inspection.classes
    if not parties:
        return
    yield (Piece("Numbers", "title"), Piece(" by class, of all rows that could be parsed"))
    names = list(dict.fromkeys(name for classes in parties.values() for name in classes))
    totals = {party: sum(classes.values()) for party, classes in parties.items()}
    rows: list[tuple[str | Piece, ...]] = [
        ("", *(cell for party in parties for cell in (PARTY_NAMES.get(party, party), "")))
    ]
    for name in names:
        cells: list[str | Piece] = [name]
        for party, classes in parties.items():
            count = classes.get(name, 0)
            cells += [f"{count:,}" if count else "", share(count, totals[party]) if count else ""]
        rows.append(tuple(cells))
    yield from grid(rows, "<" + ">>" * len(parties), width)


def _hubs(inspection: Inspection, width: int) -> Iterator[Line]:
    if not inspection.hubs:
        return
    n_subscribers = inspection.ties.n_subscribers
    yield (
        Piece("Largest hubs", "title"),
        Piece(cut(", the numbers that most subscribers call", width - 12)),
    )
    most = inspection.hubs[0][1]
    numbers = [cut(number, 26) for number, _ in inspection.hubs]
    room = _bar_room(max(map(display_width, numbers)), most, width)
    rows = [
        (
            Piece(number),
            f"{count:,}",
            share(count, n_subscribers),
            Piece(bar(count, most, room), "bar"),
        )
        for number, (_, count) in zip(numbers, inspection.hubs, strict=True)
    ]
    yield from grid(rows, "<>><", width)
    limit, why = inspection.hub_limit
    words = (
        f"A match leaves out partners of more than {limit:,} subscribers ({why}; it counts both "
        "within its windows); a list of denied or of allowed partners decides otherwise."
    )
    for part in wrap(words, width - 2):
        yield line(f"  {part}", "dim")


def _partners(inspection: Inspection, width: int) -> Iterator[Line]:
    ties = inspection.ties
    if not ties.n_subscribers:
        return
    who = "subscribers" if ties.is_served else "numbers that call"
    rest = f" of {ties.n_subscribers:,} {who}, {ties.n_ties:,} pairs"
    yield (Piece("Partners", "title"), Piece(cut(rest, width - 8)))
    rows = [
        tuple(f"{share} %" for share in QUANTILES),
        tuple(f"{ties.quantile(share / 100):,}" for share in QUANTILES),
    ]
    labelled = [
        (label, *row) for label, row in zip(("share of them", "partners up to"), rows, strict=True)
    ]
    yield from grid(labelled, "<" + ">" * len(QUANTILES), width)
    yield line()
    histogram = inspection.histogram
    fewest = next(at for at, (_, _, count) in enumerate(histogram) if count)
    histogram = histogram[fewest:]
    most = max(count for _, _, count in histogram)
    labels = [f"{begin:,}–{end:,}" if end > begin else f"{begin:,}" for begin, end, _ in histogram]
    room = _bar_room(max(*map(len, labels), len("partners")), most, width)
    cells = [("partners", who.split(maxsplit=1)[0], "", "")]
    yield from grid(
        [
            *cells,
            *(
                (
                    label,
                    f"{count:,}",
                    share(count, ties.n_subscribers),
                    Piece(bar(count, most, room), "bar"),
                )
                for label, (_, _, count) in zip(labels, histogram, strict=True)
            ),
        ],
        ">>><",
        width,
    )


def _bar_room(label_width: int, most: int, width: int) -> int:
    """Return how long bars may be beside a label, a number and a share."""
    taken = 2 + label_width + 2 + max(len(f"{most:,}"), len("subscribers")) + 2 + 8 + 2
    return max(min(width - taken, 60), 4)


def _roles(inspection: Inspection, width: int) -> Iterator[Line]:
    people = inspection.people
    if people is None:
        return
    rest = f" of the table by role ({people['total']:,}; windows of {people['window_days']:g} days)"
    yield (Piece("Subscribers", "title"), Piece(cut(rest, width - 11)))
    rows = [
        (words, f"{people[key]:,}", share(people[key], people["total"]))
        for key, words in ROLE_WORDS.items()
        if people[key] or key in MAIN_ROLES
    ]
    rows += [
        (f"not usable: {reason}", f"{count:,}", share(count, people["total"]))
        for reason, count in people["unusable_by_reason"].items()
    ]
    yield from grid(rows, "<>>", width)
    both = people["both_departed_and_new"]
    if both:
        yield line(f"  ({both:,} both departed and new)", "dim")


def _sides(inspection: Inspection, width: int) -> Iterator[Line]:
    """Say what the tables beside the records hold."""
    if not inspection.sides:
        return
    yield line("Tables beside the records", "title")
    rows = []
    for side in inspection.sides:
        people = "" if side.n_subscribers is None else f"{side.n_subscribers:,} subscribers"
        known = "" if side.n_known is None else f"{side.n_known:,} in the table of subscribers"
        rows.append((side.name, f"{side.n_rows:,} rows", people, known))
    yield from grid(rows, "<>><", width)
    for side in inspection.sides:
        if side.unrecognised:
            names = f"not used in {side.name}: {', '.join(side.unrecognised)}"
            for at, part in enumerate(wrap(names, width - 4)):
                yield line(("    " if at else "  ") + part, "dim")
