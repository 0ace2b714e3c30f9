"""An explanation as a picture: waterfall, shared partners, time line, rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import DAY_S
from ..plotting import BLUE, DARK, GREY, ORANGE, new_figure, strip_axes
from ..terminal import share, wrap
from .rivalry import NOBODY, OF_NEW, OF_OLD, OTHERS, PAIR
from .text import corroboration_words, gap_words, verdict_words
from .timeline import Timeline
from .waterfall import waterfall_steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .explanation import Explanation

__all__ = ["draw_explanation"]

WIDTH, ROW_HEIGHT, LEAST_ROWS = 12.0, 0.27, 4
TIMELINE_HEIGHT, HEAD_HEIGHT = 1.7, 1.5
SHOWN_PARTNERS, FEWEST_ROWS = 12, 4
SHOWN_SIGNS, TITLE_SIGNS = 20, 110
WEEK_S = 7 * DAY_S
RIVAL_WORDS = {
    PAIR: "this pair",
    OF_NEW: "{}, same new",
    OF_OLD: "{}, same old",
    NOBODY: "nobody in the pool",
    OTHERS: "others",
}


def draw_explanation(explanation: Explanation) -> Figure:
    """Return the figure of an explanation.

    Raises
    ------
    MissingExtraError
        If matplotlib is missing.
    """
    partners = _partner_rows(explanation)
    rivals = _rival_rows(explanation)
    steps = [] if explanation.contributions is None else waterfall_steps(explanation.contributions)
    n_left, n_right = len(steps), 3 + sum(max(len(x), FEWEST_ROWS) for x in (partners, rivals))
    n_rows = max(n_left, n_right if steps else len(partners), LEAST_ROWS)
    upper = ROW_HEIGHT * n_rows + 0.9
    figure = new_figure(WIDTH, upper + TIMELINE_HEIGHT + HEAD_HEIGHT)
    figure.suptitle(_title(explanation), fontsize=11, x=0.01, ha="left", color=DARK)
    above, below = figure.subfigures(2, 1, height_ratios=[upper, TIMELINE_HEIGHT])
    if steps:
        left, right = above.subfigures(1, 2, width_ratios=[1.05, 1])
        _draw_waterfall(left.subplots(), steps)
        heights = [max(len(rows), FEWEST_ROWS) for rows in (partners, rivals)]
        of_partners, of_rivals = right.subplots(2, 1, height_ratios=heights)
        _draw_rivals(of_rivals, rivals)
    else:
        of_partners = above.subplots()
    _draw_partners(of_partners, partners, explanation)
    _draw_timeline(below.subplots(), explanation.timeline, explanation.match)
    return figure


def _title(explanation: Explanation) -> str:
    match = explanation.match
    words = corroboration_words(match)
    lines = (
        f"Why {_short(match['new'])} (new) may be {_short(match['old'])} (old): "
        f"{verdict_words(match)}",
        f"outside the model: {', '.join(words) if words else 'nothing known'}",
    )
    return "\n".join(part for line in lines for part in wrap(line, TITLE_SIGNS))


def _draw_waterfall(axes: Axes, steps: list[Any]) -> None:
    """Draw the steps from the intercept to the total, downwards."""
    places = np.arange(len(steps))
    for place, step in zip(places, steps, strict=True):
        colour = DARK if step.name in ("intercept", "total") else _sign_colour(step.value)
        axes.barh(place, step.value, left=step.before, height=0.66, color=colour)
    for place, step in zip(places[:-1], steps[:-1], strict=True):
        axes.plot([step.after] * 2, [place + 0.33, place + 0.67], color=GREY, lw=0.8)
    edges = [edge for step in steps for edge in (step.before, step.after)]
    low, high = min(edges), max(edges)
    room = max(high - low, 1e-6) * 0.16
    for place, step in zip(places, steps, strict=True):
        axes.text(
            max(step.before, step.after) + room / 8,
            place,
            f"{step.value:+.2f}",
            va="center",
            fontsize=8,
            color=DARK,
            bbox={"color": "white", "pad": 0.5},  # where the line of 0 passes behind it
        )
    axes.set_xlim(low - room / 4, high + room)
    axes.axvline(0, color=GREY, lw=0.8, zorder=0)
    axes.set_yticks(places, [step.name for step in steps])
    _set_rows(axes, len(steps))
    axes.set_xlabel("log-odds that one person is behind both", fontsize=8)
    strip_axes(axes)
    axes.tick_params(axis="y", length=0)
    _label(axes, "For (blue) and against (orange): what the model sums up for this pair alone")


def _draw_partners(axes: Axes, rows: list[dict[str, Any]], explanation: Explanation) -> None:
    """Draw both sides' calls with each partner, side by side from the middle."""
    n_shared, n_renamed = explanation.shared.num_rows, explanation.renamed.num_rows
    shown = len(rows)
    total = n_shared + n_renamed
    count = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
    _label(axes, f"Calls with shared partners ({count}): new blue, old orange")
    if not rows:
        axes.text(0.5, 0.5, "none", ha="center", transform=axes.transAxes, fontsize=9, color=GREY)
        axes.set_axis_off()
        return
    places = np.arange(shown)
    most = max(max(row["calls_new"], row["calls_old"]) for row in rows)
    for sign, side, colour in ((-1, "new", BLUE), (1, "old", ORANGE)):
        calls = np.array([row[f"calls_{side}"] for row in rows])
        axes.barh(places, sign * calls, height=0.66, color=colour)
        for place, n in zip(places, calls.tolist(), strict=True):
            axes.text(
                sign * (n + most * 0.03),
                place,
                f"{n:,}",
                va="center",
                ha="right" if sign < 0 else "left",
                fontsize=7,
                color=DARK,
            )
    axes.axvline(0, color="white", lw=1.5)
    axes.set_xlim(-1.2 * most, 1.2 * most)
    axes.set_xticks([])
    axes.set_yticks(places, [row["label"] for row in rows])
    _set_rows(axes, shown)
    twin = axes.twinx()
    twin.set_ylim(axes.get_ylim())
    twin.set_yticks(places, [f"rarity {row['rarity']:.1f}" for row in rows])
    strip_axes(twin, keep=())
    twin.tick_params(length=0)
    strip_axes(axes, keep=())
    axes.tick_params(length=0)


def _draw_rivals(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Draw what the probability is divided up among."""
    places = np.arange(len(rows))
    shares = [100 * row["share"] for row in rows]
    colours = [BLUE if row["who"] == PAIR else GREY for row in rows]
    axes.barh(places, shares, height=0.66, color=colours)
    for place, value in zip(places, shares, strict=True):
        axes.text(value + 1.5, place, share(value, 100), va="center", fontsize=8, color=DARK)
    axes.set_xlim(0, 115)
    axes.set_xticks([])
    axes.set_yticks(places, [row["label"] for row in rows])
    _set_rows(axes, len(rows))
    strip_axes(axes, keep=())
    axes.tick_params(length=0)
    _label(axes, "Rivals: what the probability is divided up among")


def _draw_timeline(axes: Axes, timeline: Timeline | None, match: dict[str, Any]) -> None:
    """Draw the days active in each week of both numbers, and the gap between them."""
    from matplotlib.dates import AutoDateLocator

    if timeline is None:
        axes.set_axis_off()
        return
    gap = gap_words(match["gap_days"])
    _label(axes, f"Time line: days active per week, a full bar 7. {gap} (dotted)")
    sides = (
        (1.0, "old", ORANGE, timeline.days_old, timeline.first_old_s, timeline.last_old_s),
        (0.0, "new", BLUE, timeline.days_new, timeline.first_new_s, timeline.last_new_s),
    )
    for base, _, colour, days, first_s, last_s in sides:
        starts = timeline.start_s + WEEK_S * np.arange(len(days))
        axes.bar(
            _moments(starts),
            np.array(days) / 7 * 0.72,
            width=np.timedelta64(int(0.94 * WEEK_S), "s"),
            bottom=base,
            align="edge",
            color=colour,
        )
        axes.plot(_moments([first_s, last_s]), [base - 0.06] * 2, color=DARK, lw=1.5)
    for moment in _moments([timeline.last_old_s, timeline.first_new_s]):
        axes.axvline(moment, color=GREY, lw=0.8, ls=":")
    last_s = max(timeline.last_new_s, timeline.last_old_s)
    begin_s = min(timeline.first_new_s, timeline.first_old_s, timeline.start_s or 2**62)
    axes.set_xlim(*_moments([begin_s - DAY_S, last_s + WEEK_S]))
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))
    axes.set_ylim(-0.12, 1.85)
    axes.set_yticks([base + 0.36 for base, *_ in sides], [name for _, name, *_ in sides])
    strip_axes(axes)
    axes.tick_params(axis="y", length=0)


def _set_rows(axes: Axes, n_rows: int) -> None:
    """Let rows go downwards; few of them are no thicker than some."""
    axes.set_ylim(max(n_rows, FEWEST_ROWS) - 0.4, -0.6)


def _moments(seconds: Any) -> Any:
    return np.asarray(seconds, np.int64).astype("datetime64[s]")


def _partner_rows(explanation: Explanation) -> list[dict[str, Any]]:
    """Return partners with their labels, shared ones first, then those probably renamed."""
    rows = [
        {**row, "label": _short(row["partner"])}
        for row in explanation.shared.slice(0, SHOWN_PARTNERS).to_pylist()
    ]
    left = SHOWN_PARTNERS - len(rows)
    rows += [
        {
            **row,
            "label": f"{_short(row['partner'])}\nprobably {_short(row['formerly'])} "
            f"({row['probability']:.2f})",
        }
        for row in explanation.renamed.slice(0, left).to_pylist()
    ]
    return rows


def _rival_rows(explanation: Explanation) -> list[dict[str, Any]]:
    if explanation.rivals is None:
        return []
    return [
        {**row, "label": RIVAL_WORDS[row["who"]].format(_short(row["number"] or ""))}
        for row in explanation.rivals.to_pylist()
        if row["share"] is not None
    ]


def _short(number: str) -> str:
    return number if len(number) <= SHOWN_SIGNS else f"{number[: SHOWN_SIGNS - 1]}…"


def _sign_colour(value: float) -> str:
    return BLUE if value >= 0 else ORANGE


def _label(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=9, loc="left", color=DARK)
