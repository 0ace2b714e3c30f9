"""Printing: lines of styled pieces, in colour on a terminal and in signs that it can show."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..terminal import Line

__all__ = ["print_lines"]

STYLES = {
    "": "",
    "title": "bold",
    "bar": "cyan",
    "warn": "yellow",
    "bad": "red",
    "dim": "dim",
}
# What stands in where standard output can't show the signs.
PLAIN_SIGNS = str.maketrans(
    {
        **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
        **dict.fromkeys("▏▎▍▌▋▊▉", "#"),
        **{"·": "o", "–": "-", "…": "~", "⋮": ":", "░": "-"},
    }
)


def print_lines(lines: list[Line]) -> None:
    """Print lines on standard output, in colour only where somebody looks at them."""
    from ..terminal import plain

    if sys.stdout.isatty():
        _print_in_colour(lines)
        return
    text, encoding = plain(lines), sys.stdout.encoding
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN_SIGNS).encode(encoding, "replace").decode(encoding)
    click.echo(text)


def _print_in_colour(lines: list[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for pieces in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for text, style in pieces)))
