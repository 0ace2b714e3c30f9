"""An explanation as text for a terminal, section by section."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..clock import format_time
from ..corroboration import CORROBORATION
from ..features import FEATURES
from ..terminal import Line, Piece, block, cut, display_width, grid, labelled, line, share, wrap
from .rivalry import IN_USE, NOBODY, OF_NEW, OF_OLD, OTHERS, PAIR, SAME_PERSON
from .timeline import Timeline
from .waterfall import Step, waterfall_steps

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = [
    "corroboration_words",
    "explanation_lines",
    "gap_words",
    "probability_words",
    "verdict_words",
]

WIDEST, LEAST = 120, 60
SHOWN_PARTNERS = 20
NUMBER_WIDTH = 20
# Columns that bars of the waterfall take, with and without what a feature means beside them.
BAR_BESIDE, BAR_ALONE, LEAST_MEANING = 26, 48, 34
LEAST_PROBABILITY = 0.0005
# Partners that probable renamings must add or take to be named.
LEAST_DIFFERENCE = 0.05
# From here on a rate is shown as 1.
NO_RATE = 0.9995
ROOM_FOR_MINUTES = 76
NO_DAY = "·"
TIER_WORDS = {
    "A": "very alike",
    "B": "much alike",
    "C": "somewhat alike",
    "D": "hardly alike",
}
REASON_WORDS = {
    "thin-evidence": "too little evidence to say",
    "lost-to-active": "a subscription that is still in use is more probable",
    "additional-number": "a number still in use is far more probable: an additional number",
    "below-tiers": "below every tier",
}
CORROBORATION_WORDS = {
    "same_imei": "handset",
    "same_id": "identity card",
    "same_name": "name",
    "same_outlet": "outlet",
    "same_seller": "seller",
    "same_plan": "plan",
}
RIVAL_WORDS = {
    PAIR: "this pair",
    OF_NEW: "{} for the same new number",
    OF_OLD: "{} for the same old number",
    SAME_PERSON: "{} probably the same person, no rival",
    NOBODY: "nobody among the old numbers",
    OTHERS: "others",
    IN_USE: "{} still in use, so nobody left it",
}


def explanation_lines(explanation: Explanation, width: int) -> list[Line]:
    """Return an explanation as lines of styled pieces.

    Parameters
    ----------
    explanation : Explanation
    width : int
        No line is wider, though 60 columns are needed and more than 120 not used.
    """
    width = max(min(width, WIDEST), LEAST)
    sections = (
        _head(explanation, width),
        _waterfall(explanation, width),
        _partners(explanation, width),
        _renamed(explanation, width),
        _timeline(explanation, width),
        _rivals(explanation, width),
        _candidates(explanation, width),
        _corroboration(explanation, width),
    )
    lines: list[Line] = []
    for section in sections:
        found = list(section)
        if found:
            lines += [line(), *found] if lines else found
    return lines


def verdict_words(match: dict[str, Any]) -> str:
    """Return grade, rank, probability and rate of a match in words; similarity is no proof."""
    place = "best candidate" if match["rank"] == 1 else f"candidate {match['rank']}"
    words = [f"grade {match['grade']}"]
    if match["reason"]:
        words.append(REASON_WORDS.get(match["reason"], match["reason"]))
    elif match["probability"] is None and match["grade"] in TIER_WORDS:
        words.append(TIER_WORDS[match["grade"]])
    words.append(place)
    if match["probability"] is not None:
        words.append(f"probability {probability_words(match['probability'])}")
    return ", ".join(words)


def probability_words(probability: float) -> str:
    """Return a probability; what is not quite none or all never looks so."""
    if 0 < probability < LEAST_PROBABILITY:
        return f"< {2 * LEAST_PROBABILITY:.3f}"
    if 1 - LEAST_PROBABILITY <= probability < 1:
        return f"> {1 - 2 * LEAST_PROBABILITY:.3f}"
    return f"{probability:.3f}"


def corroboration_words(match: dict[str, Any]) -> list[str]:
    """Return what is known beside calls, each as a few words."""
    known = ((name, match.get(name)) for name in CORROBORATION)
    words = []
    for name, value in known:
        if value is None:
            continue
        label = CORROBORATION_WORDS.get(name, name.removeprefix("same_").replace("_", " "))
        if isinstance(value, bool):
            words.append(f"{'same' if value else 'other'} {label}")
        else:
            words.append(f"{label} {value}")
    return words


def _head(explanation: Explanation, width: int) -> Iterator[Line]:
    match = explanation.match
    names = (f"{match['new']}, new, and {match['old']}, old", "title")
    yield line(cut(names[0], width), names[1])
    yield from labelled("Verdict", f"{verdict_words(match)}.", width)
    yield from labelled("", _rate_words(match), width)
    if match["link"] == "partial-replacement":
        words = "The old number is still in use, but clearly less: it is replaced in part."
        yield from labelled("", words, width)
    expected = match["expected_shared"]
    is_same = expected is None or abs(expected - match["n_shared"]) < LEAST_DIFFERENCE
    renamed = "" if is_same else f" ({expected:.1f} if probable renamings count)"
    yield from labelled(
        "Partners",
        f"{match['n_shared']} shared{renamed} of {match['n_partners_new']} new and "
        f"{match['n_partners_old']} old ones; Jaccard {match['jaccard']:.3f}.",
        width,
    )
    alike = [
        f"{name.removesuffix('_similarity')}s {match[name]:.2f}"
        for name in ("cell_similarity", "hour_similarity")
        if match[name] is not None
    ]
    if alike:
        yield from labelled("Alike", f"{', '.join(alike)} of 1.", width)


def _rate_words(match: dict[str, Any]) -> str:
    if match["probability"] is None:
        return "A similarity tier: no false-match rate is known."
    if match["q_value"] is None:
        return "A false-match rate (q-value) is told of best candidates only."
    if match["q_value"] >= NO_RATE:
        return "q-value 1: as many false as true ones have to be expected down to this one."
    return (
        f"q-value {match['q_value']:.3f}: of the best candidates at least as sure as this one, "
        f"about {100 * match['q_value']:.1f} % are false."
    )


def _waterfall(explanation: Explanation, width: int) -> Iterator[Line]:
    if explanation.contributions is None:
        return
    steps = waterfall_steps(explanation.contributions)
    yield line("For and against, in log-odds of the pair alone", "title")
    names = max(len(step.name) for step in steps)
    room = width - names - 12
    left = room - BAR_BESIDE - 1
    bars = min(room, BAR_ALONE) if left < LEAST_MEANING else BAR_BESIDE
    low = min(min(step.before, step.after) for step in steps)
    high = max(max(step.before, step.after) for step in steps)
    for step in steps:
        meaning = FEATURES.get(step.name, "")
        yield (
            Piece(f"  {step.name:<{names}} {step.value:>+7.2f}  "),
            Piece(f"{_floating_bar(step, low, high, bars):<{bars}}", "bar"),
            Piece(f" {cut(meaning, left)}" if meaning and left >= LEAST_MEANING else "", "dim"),
        )


def _floating_bar(step: Step, low: float, high: float, width: int) -> str:
    """Return blanks and a bar from where a step begins to where it ends; dotted if it goes down."""
    span = max(high - low, 1e-9)
    start, stop = (
        round((edge - low) / span * (width - 1)) for edge in sorted((step.before, step.after))
    )
    return " " * start + ("█" if step.value >= 0 else "░") * max(stop - start, 1)


def _partners(explanation: Explanation, width: int) -> Iterator[Line]:
    shared = explanation.shared
    yield line(f"Shared partners ({shared.num_rows:,})", "title")
    head = ["", "calls new", "old", "minutes new", "old", "subscribers", "rarity"]
    rows = [
        [
            cut(row["partner"], NUMBER_WIDTH),
            f"{row['calls_new']:,}",
            f"{row['calls_old']:,}",
            f"{row['minutes_new']:,.1f}",
            f"{row['minutes_old']:,.1f}",
            f"{row['n_subscribers']:,}",
            f"{row['rarity']:.2f}",
        ]
        for row in shared.slice(0, SHOWN_PARTNERS).to_pylist()
    ]
    if width < ROOM_FOR_MINUTES:
        head, *rows = ([*row[:3], *row[5:]] for row in (head, *rows))
    if rows:
        yield from _table(head, rows, "<" + ">" * (len(head) - 1), width)
    if shared.num_rows > SHOWN_PARTNERS:
        yield line(f"  … and {shared.num_rows - SHOWN_PARTNERS:,} more", "dim")


def _renamed(explanation: Explanation, width: int) -> Iterator[Line]:
    renamed = explanation.renamed
    if not renamed.num_rows:
        return
    yield line("Partners who probably changed their number, too", "title")
    head = ("", "probably", "probability", "calls new", "old", "rarity")
    rows = [
        (
            cut(row["partner"], NUMBER_WIDTH),
            cut(row["formerly"], NUMBER_WIDTH),
            f"{row['probability']:.2f}",
            f"{row['calls_new']:,}",
            f"{row['calls_old']:,}",
            f"{row['rarity']:.2f}",
        )
        for row in renamed.slice(0, SHOWN_PARTNERS).to_pylist()
    ]
    yield from _table(head, rows, "<<>>>>", width)
    if renamed.num_rows > SHOWN_PARTNERS:
        yield line(f"  … and {renamed.num_rows - SHOWN_PARTNERS:,} more", "dim")


def _timeline(explanation: Explanation, width: int) -> Iterator[Line]:
    timeline = explanation.timeline
    if timeline is None:
        return
    yield line("Time line", "title")
    ends = (
        ("old", timeline.first_old_s, timeline.last_old_s),
        ("new", timeline.first_new_s, timeline.last_new_s),
    )
    rows = [(name, _minute(first), _minute(last)) for name, first, last in ends]
    yield from _table(("", "first sign of life", "last"), rows, "<<<", width)
    gap = f"{gap_words(explanation.match['gap_days'])}."
    yield from (line(f"  {part}") for part in wrap(gap, width - 2))
    yield from _strips(timeline, width)


def _strips(timeline: Timeline, width: int) -> Iterator[Line]:
    """Show the days active per week; a sign stands for several weeks where the line is short."""
    if not timeline.days_new:
        return
    room = width - 7
    n_weeks = -(-len(timeline.days_new) // room)
    each = "week" if n_weeks == 1 else f"{n_weeks} weeks"
    words = (
        f"Days active, a sign each {each} from {format_time(timeline.start_s)[:10]} "
        f"({NO_DAY} none, {block(1, 7)} one a week, {block(7, 7)} all):"
    )
    yield from (line(f"  {part}") for part in wrap(words, width - 2))
    for name, days in (("old", timeline.days_old), ("new", timeline.days_new)):
        if not days:
            yield (Piece(f"  {name}  "), Piece("in use, not counted", "dim"))
            continue
        parts = [days[at : at + n_weeks] for at in range(0, len(days), n_weeks)]
        signs = (block(sum(part) / len(part), 7) if sum(part) else NO_DAY for part in parts)
        yield (Piece(f"  {name}  "), Piece("".join(signs), "bar"))


def _rivals(explanation: Explanation, width: int) -> Iterator[Line]:
    if explanation.rivals is None:
        return
    yield line("Rivals: what the probability is divided up among", "title")
    rows = [
        (
            RIVAL_WORDS[row["who"]].format(row["number"]),
            "" if row["log_odds"] is None else f"{row['log_odds']:+.2f}",
            "" if row["log_odds"] is None else f"{math.exp(row['log_odds']):,.3g}",
            "–" if row["share"] is None else share(row["share"], 1),
        )
        for row in explanation.rivals.to_pylist()
    ]
    yield from _table(("", "log-odds", "odds", "share"), rows, "<>>>", width)


def _candidates(explanation: Explanation, width: int) -> Iterator[Line]:
    if not explanation.candidates:
        return
    yield line("Other candidates", "title")
    rows = [
        (
            str(row["rank"]),
            cut(row["old"], NUMBER_WIDTH),
            row["grade"],
            "" if row["probability"] is None else probability_words(row["probability"]),
            f"{row['jaccard']:.3f}",
            f"{row['n_shared']:,}",
        )
        for row in explanation.candidates
    ]
    head = ("rank", "old", "grade", "probability", "Jaccard", "shared")
    yield from _table(head, rows, "><<>>>", width)


def _corroboration(explanation: Explanation, width: int) -> Iterator[Line]:
    words = corroboration_words(explanation.match)
    yield line("Corroboration, outside the model", "title")
    text = "Nothing known."
    if words:
        text = f"{', '.join(words).capitalize()}; that moves no probability and no q-value."
    yield from (line(f"  {part}") for part in wrap(text, width - 2))


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], aligns: str, width: int
) -> Iterator[Line]:
    """Yield rows below their head; where they are too wide the first column is cut."""
    widths = [max(display_width(row[at]) for row in (head, *rows)) for at in range(len(aligns))]
    left = width - 2 * len(aligns) - sum(widths[1:])
    rows = [(cut(first, max(left, 8)), *others) for first, *others in rows]
    yield from grid([[Piece(name, "dim") for name in head], *rows], aligns, width)


def _minute(seconds: int) -> str:
    return format_time(seconds)[:16]


def gap_words(gap_days: float) -> str:
    """Return the time between the two numbers in words."""
    if gap_days < 0:
        return f"Alive together for {-gap_days:.1f} days"
    return f"{gap_days:.1f} days between the last of the old and the first of the new"
