"""Plotting: matplotlib, if it is there; colours everybody can tell apart; figures as files."""

from __future__ import annotations

import base64
import html
import io
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from .errors import MissingExtraError
from .tables import PartFile, check_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "DARK",
    "GREY",
    "LIGHT",
    "ORANGE",
    "PICTURE_SUFFIXES",
    "as_svg_image",
    "check_matplotlib",
    "check_picture",
    "new_figure",
    "save_figure",
    "strip_axes",
]

PICTURE_SUFFIXES = (".png", ".svg")
# Okabe and Ito's palette (2008), which people with any kind of colour blindness tell apart.
BLUE, ORANGE, GREY, LIGHT, DARK = "#0072B2", "#D55E00", "#7F7F7F", "#DDDDDD", "#333333"
DOTS_PER_INCH = 150


def check_matplotlib() -> None:
    """Refuse to draw where matplotlib is missing.

    Raises
    ------
    MissingExtraError
        If it can't be imported.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "pictures need matplotlib, which is not installed; run `pip install 'chanfp[plot]'`, "
            "or take the text or JSON instead."
        ) from error


def check_picture(path: str) -> None:
    """Refuse a path that `save_figure` could not write, before any work is done.

    Raises
    ------
    ParameterError, DataError
        If the suffix is another one, or it can't be written there.
    MissingExtraError
        If matplotlib is missing.
    """
    check_output(path, PICTURE_SUFFIXES)
    check_matplotlib()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that belongs to no window, sizes in inches.

    Raises
    ------
    MissingExtraError
        If matplotlib is missing.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    if "IPython" in sys.modules:
        # That is how a notebook learns to show figures.
        import matplotlib.pyplot  # noqa: F401
    return Figure(figsize=(width, height), layout="constrained")


def strip_axes(axes: Any, *, keep: tuple[str, ...] = ("bottom",)) -> None:
    """Take the frame away, but for some sides, and make the text small."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
        spine.set_color(GREY)
    axes.tick_params(labelsize=8, color=GREY, length=3)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG or SVG by suffix; the file appears whole or not at all.

    The same figure gives the same bytes.

    Raises
    ------
    DataError
        If it can't be written there.
    """
    path = os.fspath(path)
    with PartFile(path) as part:
        with open(part.temporary, "wb") as file:
            _write(figure, file, os.path.splitext(path)[1].lstrip(".").lower())
        part.is_whole = True


def as_svg_image(figure: Figure, title: str) -> str:
    """Return a figure as an HTML image that needs no other file."""
    buffer = io.BytesIO()
    _write(figure, buffer, "svg")
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img alt="{html.escape(title)}" style="max-width:100%" '
        f'src="data:image/svg+xml;base64,{encoded}">'
    )


def _write(figure: Figure, file: Any, kind: str) -> None:
    from matplotlib import rc_context

    # No date, and no random names of elements.
    metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "chanfp"}), warnings.catch_warnings():
        # Names of groups may be Chinese; where the font has no such sign a box stands in.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        if kind == "svg":
            drawn = io.BytesIO()
            figure.savefig(drawn, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
            file.write(_rename_clips(drawn.getvalue()))
        else:
            figure.savefig(file, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)


def _rename_clips(svg: bytes) -> bytes:
    """Return an SVG with its clip paths numbered; matplotlib names some by their addresses."""
    names = dict.fromkeys(re.findall(rb'<clipPath id="([^"]+)"', svg))
    for number, name in enumerate(names):
        svg = svg.replace(name, b"clip%d" % number)
    return svg
