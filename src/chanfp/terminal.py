"""Text on a terminal: lines of styled pieces, tables and bars that fit a width."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = [
    "LABEL_WIDTH",
    "Line",
    "Piece",
    "bar",
    "block",
    "cut",
    "display_width",
    "grid",
    "labelled",
    "line",
    "plain",
    "share",
    "wrap",
]

BLOCKS = "▁▂▃▄▅▆▇█"
PARTS = "▏▎▍▌▋▊▉█"
ELLIPSIS = "…"
GAP = "  "
LABEL_WIDTH = 14


class Piece(NamedTuple):
    """Some text and what it is: "", title, bar, warn, bad or dim."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


def line(text: str = "", style: str = "") -> Line:
    """Return a line of one piece."""
    return (Piece(text, style),)


def plain(lines: Iterable[Line]) -> str:
    """Return lines as text without styles."""
    return "\n".join("".join(piece.text for piece in pieces).rstrip() for pieces in lines)


def display_width(text: str) -> int:
    """Return how many columns a text takes; Chinese characters take two."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(unicodedata.combining(sign) > 0 for sign in text)


def shown(text: str) -> str:
    """Return a text without control signs, which a terminal would obey."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def cut(text: str, width: int) -> str:
    """Return a text that fits a width, with an ellipsis where it was cut."""
    text = shown(text)
    if display_width(text) <= width:
        return text
    while text and display_width(text) > width - 1:
        text = text[:-1]
    return text + ELLIPSIS if width > 0 else ""


def wrap(text: str, width: int, *, breaks_words: bool = True) -> list[str]:
    """Return a text cut at blanks into lines that fit a width; a longer word is broken.

    Unless `breaks_words`, such as paths that are to be copied, which then are lines that don't fit.
    """
    lines: list[str] = []
    for word in shown(text).split(" "):
        if lines and display_width(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
            continue
        rest = word
        while breaks_words and display_width(rest) > width:
            n_signs = next(n for n in range(len(rest), 0, -1) if display_width(rest[:n]) <= width)
            lines.append(rest[:n_signs])
            rest = rest[n_signs:]
        lines.append(rest)
    return lines


def labelled(
    label: str, text: str, width: int, style: str = "", *, breaks_words: bool = True
) -> Iterator[Line]:
    """Yield a text beside its label, wrapped as by `wrap` into lines that fit a width."""
    parts = wrap(text, width - LABEL_WIDTH, breaks_words=breaks_words)
    for at, part in enumerate(parts):
        yield (Piece(f"{'' if at else label:<{LABEL_WIDTH}}", "title"), Piece(part, style))


def grid(
    rows: Sequence[Sequence[str | Piece]], aligns: str, width: int, *, indent: int = 2
) -> list[Line]:
    """Return rows as columns side by side.

    Parameters
    ----------
    rows : sequence of sequences of str or Piece
        All of one length.
    aligns : str
        One of ``<`` and ``>`` for each column.
    width : int
        The last column is cut to fit.
    indent : int
        Blanks before each row.
    """
    cells = [[cell if isinstance(cell, Piece) else Piece(cell) for cell in row] for row in rows]
    widths = [
        max((display_width(row[at].text) for row in cells), default=0) for at in range(len(aligns))
    ]
    before = indent + sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    widths[-1] = max(min(widths[-1], width - before), 1)
    lines = []
    for row in cells:
        pieces = [Piece(" " * indent)]
        for at, (cell, align) in enumerate(zip(row, aligns, strict=True)):
            text = cut(cell.text, widths[at])
            blanks = " " * (widths[at] - display_width(text))
            pieces += [
                Piece(GAP if at else ""),
                Piece(blanks + text if align == ">" else text + blanks, cell.style),
            ]
        lines.append(tuple(pieces))
    return lines


def bar(value: float, most: float, width: int) -> str:
    """Return a bar as long as its value, `width` columns for `most`, in eighths of a column."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(round(8 * width * value / most), 1)
    whole, rest = divmod(eighths, 8)
    return PARTS[-1] * whole + (PARTS[rest - 1] if rest else "")


def block(value: float, most: float) -> str:
    """Return one sign as high as its value."""
    return BLOCKS[min(max(round(len(BLOCKS) * value / most) - 1, 0), len(BLOCKS) - 1)]


def share(part: float, whole: float) -> str:
    """Return a share in per cent; what is not quite none or all never looks so."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return "< 0.1 %"
    if 99.95 <= percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %"
