"""A calibration as a picture of three panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..plotting import BLUE, DARK, GREY, LIGHT, ORANGE, new_figure, strip_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .calibration import Calibration

__all__ = ["draw_calibration"]

GRADE_RATES = (0.01, 0.05, 0.2)


def draw_calibration(calibration: Calibration) -> Figure:
    """Return the figure of a calibration.

    Raises
    ------
    MissingExtraError
        If matplotlib is missing.
    """
    figure = new_figure(13.0, 4.6)
    figure.suptitle(
        f"Calibration on {calibration.n_controls:,} active subscribers held back, weighted as if "
        f"{100 * calibration.returner_share:.1f} % of the new had come back",
        fontsize=11,
        x=0.01,
        ha="left",
        color=DARK,
    )
    shares, scores, rates = figure.subplots(1, 3)
    _draw_shares(shares, calibration)
    _draw_scores(scores, calibration)
    _draw_rates(rates, calibration)
    for axes in (shares, scores, rates):
        strip_axes(axes, keep=("bottom", "left"))
    return figure


def _draw_shares(axes: Axes, calibration: Calibration) -> None:
    rows = [row for row in calibration.shares.to_pylist() if row["share"] is not None]
    stated, share, low, high = (
        np.array([row[name] for row in rows], float)
        for name in ("probability", "share", "share_low", "share_high")
    )
    axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--", label="as stated")
    axes.vlines(stated, low, high, color=BLUE, lw=1.5, label="95 % interval")
    axes.plot(stated, share, "o", color=BLUE, ms=5, label="observed")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("probability stated", fontsize=8)
    axes.set_ylabel("share that was right", fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="best")
    axes.set_title("Stated probability against observed share", fontsize=9, loc="left")


def _draw_scores(axes: Axes, calibration: Calibration) -> None:
    columns = {
        name: calibration.scores[name].to_numpy() for name in calibration.scores.column_names
    }
    used = np.flatnonzero(columns["n_old"] + columns["n_decoys"])
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
    part = slice(first, last + 1)
    edges = np.append(columns["low"][part], columns["high"][last])
    axes.stairs(columns["n_old"][part], edges, fill=True, color=LIGHT, label="old numbers")
    axes.stairs(columns["n_old"][part], edges, color=BLUE, lw=1.5)
    axes.stairs(
        columns["expected_false"][part],
        edges,
        color=ORANGE,
        lw=1.5,
        label="decoys, for as many as they stand for",
    )
    axes.set_xlabel("score of each new number's winner, log-odds", fontsize=8)
    axes.set_ylabel("new numbers", fontsize=8)
    # Room for the legend above the highest bar.
    axes.set_ylim(0, 1.3 * max(columns["n_old"].max(), columns["expected_false"].max(), 1))
    axes.legend(fontsize=8, frameon=False, loc="upper right")
    axes.set_title("Scores of old numbers and decoys", fontsize=9, loc="left")


def _draw_rates(axes: Axes, calibration: Calibration) -> None:
    q_value = calibration.rates["q_value"].to_numpy()
    n_matches = calibration.rates["n_matches"].to_numpy()
    axes.step(
        np.append(q_value, 1.0),
        np.append(n_matches, n_matches[-1:] if len(n_matches) else [0]),
        where="post",
        color=BLUE,
        lw=1.5,
    )
    least = min([*q_value[:1], *GRADE_RATES])
    axes.set_xscale("log")
    axes.set_xlim(least / 1.3, 1.05)
    top = max([*n_matches[-1:], 1])
    axes.set_ylim(0, 1.35 * top)
    for q in GRADE_RATES:
        n = calibration.n_matches(q)
        axes.axvline(q, color=GREY, lw=0.8, ls=":")
        axes.text(q * 0.95, 1.33 * top, f"{n:,} at {q:g}", ha="right", va="top", fontsize=8,
                  rotation=90, color=DARK)  # fmt: skip
    axes.set_xticks((*GRADE_RATES, 1.0), [f"{q:g}" for q in (*GRADE_RATES, 1.0)])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("false-match rate (q-value) at most", fontsize=8)
    axes.set_ylabel("matches found", fontsize=8)
    axes.set_title("Matches found by false-match rate", fontsize=9, loc="left")
