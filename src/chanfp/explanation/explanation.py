"""Explanation: everything that is said of one pair of a new and an old number."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..errors import MissingExtraError
from ..fingerprints import Fingerprints
from ..judgement import Judgement
from ..plotting import as_svg_image
from ..renaming import Renames
from ..terminal import plain
from .partners import RENAMED_SCHEMA, list_partners
from .rivalry import RIVAL_SCHEMA, Rivalry
from .text import explanation_lines
from .timeline import Timeline, list_timelines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Explanation", "explain_pair"]

TEXT_WIDTH = 100


@dataclass(frozen=True)
class Explanation:
    """Why one new number was matched with one old one.

    Parameters
    ----------
    match : dict
        The row of the matches table.
    shared : pyarrow.Table
        One row per shared partner: ``partner, calls_new, calls_old, minutes_new, minutes_old,
        outgoing_new, outgoing_old``, in how many fingerprints of all roles it is
        (``n_subscribers``) and its ``rarity``, ln((1 + N) / (1 + n)); the partner with most of
        the calls on both sides, times its rarity, first.
    contributions : dict of str to float, optional
        What each feature adds to the log-odds, and the ``intercept``; None for similarity tiers.
    renamed : pyarrow.Table
        Partners of the new side that are probably partners of the old one under a new number:
        ``partner, formerly, probability, calls_new, calls_old, rarity``.
    rivals : pyarrow.Table, optional
        What the probability is divided up among: ``who`` (``pair``, ``same-new``, ``same-old``,
        ``same-person``, ``nobody``, ``others``, ``in-use``), ``number``, ``log_odds`` of the pair
        alone, ``share`` of the competition; None for similarity tiers.
    timeline : Timeline, optional
        First and last signs of life of both, and days active per week.
    candidates : list of dict
        The rows of the other candidates of the new number, where no old number was asked for.
    """

    match: dict[str, Any]
    shared: pa.Table
    contributions: dict[str, float] | None = None
    renamed: pa.Table = field(default_factory=RENAMED_SCHEMA.empty_table)
    rivals: pa.Table | None = None
    timeline: Timeline | None = None
    candidates: list[dict[str, Any]] = field(default_factory=list)

    def __repr__(self) -> str:
        return plain(explanation_lines(self, TEXT_WIDTH))

    def _repr_html_(self) -> str:
        """Show the picture, and the text folded away; the text alone without matplotlib."""
        text = f"<pre>{html.escape(repr(self))}</pre>"
        try:
            figure = self.plot()
        except MissingExtraError as error:
            return f"{text}<p>{html.escape(str(error))}</p>"
        title = html.escape(f"{self.match['new']} and {self.match['old']}")
        return f"{as_svg_image(figure, title)}<details><summary>As text</summary>{text}</details>"

    def plot(self) -> Figure:
        """Draw the waterfall, the shared partners, the time line and the rivals.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``savefig``; a notebook shows it.

        Raises
        ------
        MissingExtraError
            If matplotlib is missing.
        """
        from .picture import draw_explanation

        return draw_explanation(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values; times as text."""
        return {
            "match": self.match,
            "contributions": self.contributions,
            "shared": self.shared.to_pylist(),
            "renamed": self.renamed.to_pylist(),
            "rivals": None if self.rivals is None else self.rivals.to_pylist(),
            "timeline": None if self.timeline is None else self.timeline.to_dict(),
            "candidates": self.candidates,
        }


def explain_pair(
    fingerprints: Fingerprints,
    table: pa.Table,
    row: int,
    new_row: int,
    old_row: int,
    *,
    judgement: Judgement | None = None,
    renames: Renames | None = None,
    candidate_rows: list[int] | None = None,
) -> Explanation:
    """Explain one row of a matches table.

    Parameters
    ----------
    row : int
        Row of `table`, and of `judgement`.
    new_row, old_row : int
        The rows of ``fingerprints.new`` and ``fingerprints.old`` that it is about.
    judgement : Judgement, optional
        None where grades are similarity tiers.
    renames : Renames, optional
        Who partners probably are.
    candidate_rows : list of int, optional
        Rows of other candidates that are to be listed.
    """
    pair = (np.array([new_row]), np.array([old_row]))
    shared, renamed = list_partners(fingerprints, *pair, renames)
    (timeline,) = list_timelines(fingerprints, *pair)
    contributions = rivals = None
    if judgement is not None:
        contributions = judgement.contributions(row)
        rows = Rivalry(fingerprints, judgement).rows(row)
        rivals = pa.Table.from_pylist(rows, RIVAL_SCHEMA)
    match, *candidates = table.take(pa.array([row, *(candidate_rows or [])])).to_pylist()
    return Explanation(
        match, shared.of(0), contributions, renamed.of(0), rivals, timeline, candidates
    )
