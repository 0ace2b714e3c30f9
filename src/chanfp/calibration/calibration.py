"""Calibration: what probabilities and rates are worth, as tables, as text, as a picture."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..errors import MissingExtraError
from ..judgement import Judgement
from ..plotting import PICTURE_SUFFIXES, as_svg_image, check_matplotlib, save_figure
from ..tables import PartFile, check_output
from .tables import rate_table, score_table, share_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Calibration", "check_calibration_output"]

# Where the text reads off how many matches there are.
SHOWN_RATES = (0.01, 0.05, 0.2)
SUFFIXES = (".json", *PICTURE_SUFFIXES)


@dataclass(frozen=True)
class Calibration:
    """How far probabilities and rates can be trusted. Made by `Matches.calibration`.

    Attributes
    ----------
    shares : pyarrow.Table
        Stated probability against observed share on active subscribers held back: ``low, high,
        n_with, n_without, probability, share, share_low, share_high``, a row for each bin.
    scores : pyarrow.Table
        Distribution of the winners' scores: ``low, high`` in log-odds, ``n_old, n_decoys,
        expected_false``.
    rates : pyarrow.Table
        ``q_value`` and ``n_matches`` found with it or a lower one.
    n_controls : int
        Active subscribers held back.
    returner_share : float
        Estimated share of the new that came back; controls are weighted by it.

    Notes
    -----
    Each control is looked at as if it had departed and come back under a new number, its two
    windows those of a departed and a new subscription drawn at random. Its old window stands in
    one pool with the departed, against the rivals that the new have; the coefficients that judge
    it were fitted without it. It counts twice: as somebody who came back, weighted by the share of
    the new that did, and with its old window taken out of the pool, weighted by the rest.
    """

    shares: pa.Table
    scores: pa.Table
    rates: pa.Table
    n_controls: int
    returner_share: float

    @classmethod
    def of(cls, judgement: Judgement) -> Calibration:
        """Sum up what a judgement kept of winners and controls."""
        outcomes = judgement.outcomes
        return cls(
            share_table(outcomes.controls, outcomes.returner_share),
            score_table(outcomes),
            rate_table(outcomes),
            len(outcomes.controls.is_right),
            outcomes.returner_share,
        )

    def __repr__(self) -> str:
        lines = [
            f"Calibration on {self.n_controls:,} active subscribers held back, weighted as if "
            f"{100 * self.returner_share:.1f} % of the new had come back",
            "",
            f"{'probability':>13}  {'stated':>6}  {'right':>6}  {'95 % interval':>15}  "
            f"{'came back':>9}  {'did not':>9}",
        ]
        lines += [
            f"{row['low']:>5.2f} to {row['high']:.2f}  {row['probability']:>6.3f}  "
            f"{row['share']:>6.3f}  {row['share_low']:>6.3f} to {row['share_high']:.3f}  "
            f"{row['n_with']:>9,}  {row['n_without']:>9,}"
            for row in self.shares.to_pylist()
            if row["share"] is not None
        ]
        n_old, n_decoys = (sum(self.scores[name].to_pylist()) for name in ("n_old", "n_decoys"))
        lines += [
            "",
            f"{n_old:,} old numbers and {n_decoys:,} decoys are somebody's best candidate.",
            "Matches by q-value: "
            + ", ".join(f"{self.n_matches(q):,} at {q:g}" for q in SHOWN_RATES)
            + ".",
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the picture, and the text folded away; the text alone without matplotlib."""
        text = f"<pre>{html.escape(repr(self))}</pre>"
        try:
            figure = self.plot()
        except MissingExtraError as error:
            return f"{text}<p>{html.escape(str(error))}</p>"
        image = as_svg_image(figure, "Calibration")
        return f"{image}<details><summary>As text</summary>{text}</details>"

    def n_matches(self, q_value: float) -> int:
        """Return how many best candidates have a q-value of at most this."""
        found = int(np.searchsorted(self.rates["q_value"].to_numpy(), q_value, "right"))
        return self.rates["n_matches"][found - 1].as_py() if found else 0

    def plot(self) -> Figure:
        """Draw three panels: probability against observed share, scores, matches by q-value.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            If matplotlib is missing.
        """
        from .picture import draw_calibration

        return draw_calibration(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "n_controls": self.n_controls,
            "returner_share": self.returner_share,
            "shares": self.shares.to_pylist(),
            "scores": self.scores.to_pylist(),
            "rates": self.rates.to_pylist(),
        }

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the values as ``.json``, or the picture as ``.png`` or ``.svg``, by suffix.

        Raises
        ------
        ParameterError
            If the suffix is another one.
        DataError
            If it can't be written there.
        MissingExtraError
            If it is to be a picture and matplotlib is missing.
        """
        path = os.fspath(path)
        check_calibration_output(path)
        if path.lower().endswith(PICTURE_SUFFIXES):
            save_figure(self.plot(), path)
            return
        with PartFile(path) as part:
            with open(part.temporary, "w", encoding="utf-8") as file:
                json.dump(self.to_dict(), file, indent=1)
                file.write("\n")
            part.is_whole = True


def check_calibration_output(path: str) -> None:
    """Refuse a path that `Calibration.write` could not write, before any work is done.

    Raises
    ------
    ParameterError, DataError, MissingExtraError
        As `Calibration.write` does.
    """
    check_output(path, SUFFIXES)
    if path.lower().endswith(PICTURE_SUFFIXES):
        check_matplotlib()
