"""An inspection as HTML for notebooks: the text, with its colours."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from .text import inspection_lines

if TYPE_CHECKING:
    from .result import Inspection

__all__ = ["inspection_html"]

NOTEBOOK_WIDTH = 100
STYLES = {
    "title": "font-weight:bold",
    "bar": "color:#3b6ea5",
    "warn": "color:#b26a00",
    "bad": "color:#b3261e",
    "dim": "color:#777",
}


def inspection_html(inspection: Inspection) -> str:
    """Return an inspection as one block of preformatted HTML."""
    lines = [
        "".join(
            f'<span style="{STYLES[piece.style]}">{html.escape(piece.text)}</span>'
            if piece.style
            else html.escape(piece.text)
            for piece in pieces
        )
        for pieces in inspection_lines(inspection, NOTEBOOK_WIDTH)
    ]
    text = "\n".join(lines)
    return f'<pre style="line-height:1.2">{text}</pre>'
