"""Explanations: the shared partners behind one match, rarest and strongest first."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .fingerprints import Fingerprints, FingerprintSet

__all__ = ["Explanation", "explain_pair"]

SHOWN_PARTNERS = 20
# Contributions to the log-odds smaller than this are left out.
LEAST_SHOWN = 0.05


@dataclass(frozen=True)
class Explanation:
    """Why one new number was matched with one old one.

    Parameters
    ----------
    match : dict
        The row of the matches table.
    shared : pyarrow.Table
        One row per shared partner: ``partner, calls_new, calls_old, minutes_new, minutes_old,
        outgoing_new, outgoing_old``, in how many departed, new and active fingerprints it is
        (``n_subscribers``) and its ``rarity``, ln((1 + N) / (1 + n)); the partner with most of
        the calls on both sides, times its rarity, first.
    contributions : dict of str to float, optional
        What each feature adds to the log-odds, and the ``intercept``; None for similarity tiers.
    """

    match: dict[str, Any]
    shared: pa.Table
    contributions: dict[str, float] | None = None

    def __repr__(self) -> str:
        match = self.match
        lines = [
            f"{match['new']} and {match['old']}: {_verdict(match)}.",
            f"{match['n_shared']} shared partners of {match['n_partners_new']} new and "
            f"{match['n_partners_old']} old ones, Jaccard {match['jaccard']:.3f}; "
            f"{_gap_text(match['gap_days'])}{_other_evidence(match)}.",
            f"{'partner':>20} {'calls new':>9} {'calls old':>9} {'min new':>8} {'min old':>8} "
            f"{'subscribers':>11} {'rarity':>6}",
        ]
        lines.extend(
            f"{row['partner']:>20} {row['calls_new']:>9} {row['calls_old']:>9} "
            f"{row['minutes_new']:>8.1f} {row['minutes_old']:>8.1f} "
            f"{row['n_subscribers']:>11} {row['rarity']:>6.2f}"
            for row in self.shared.slice(0, SHOWN_PARTNERS).to_pylist()
        )
        if self.shared.num_rows > SHOWN_PARTNERS:
            lines.append(f"… and {self.shared.num_rows - SHOWN_PARTNERS} more")
        if self.contributions is not None:
            lines.extend(_waterfall(self.contributions))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def explain_pair(
    fingerprints: Fingerprints,
    table: pa.Table,
    row: int,
    new_row: int,
    old_row: int,
    *,
    contributions: dict[str, float] | None = None,
) -> Explanation:
    """Explain one row of a matches table.

    Parameters
    ----------
    row : int
        Row of `table`.
    new_row, old_row : int
        The rows of ``fingerprints.new`` and ``fingerprints.old`` that it is about.
    contributions : dict of str to float, optional
        As in `Explanation`.
    """
    shared = _shared_partners(fingerprints, new_row, old_row)
    match = {
        name: column[0].as_py()
        for name, column in zip(table.column_names, table.slice(row, 1).columns, strict=True)
    }
    return Explanation(match, shared, contributions)


def _shared_partners(fingerprints: Fingerprints, new_row: int, old_row: int) -> pa.Table:
    new, old = fingerprints.new, fingerprints.old
    at_new, at_old = _entries(new, new_row), _entries(old, old_row)
    columns, in_new, in_old = np.intersect1d(
        new.matrix.indices[at_new],
        old.matrix.indices[at_old],
        assume_unique=True,
        return_indices=True,
    )
    in_new, in_old = at_new[in_new], at_old[in_old]
    rarity = fingerprints.partner_rarity[columns]
    calls_new, calls_old = new.matrix.data[in_new], old.matrix.data[in_old]
    weight = rarity * np.minimum(
        calls_new / new.matrix.data[at_new].sum(), calls_old / old.matrix.data[at_old].sum()
    )
    order = np.lexsort((columns, -weight))
    names = fingerprints.cdrs.partner_names(fingerprints.partners[columns])
    return pa.table(
        {
            "partner": pa.array(names, pa.string()),
            "calls_new": calls_new,
            "calls_old": calls_old,
            "minutes_new": new.seconds[in_new] / 60,
            "minutes_old": old.seconds[in_old] / 60,
            "outgoing_new": new.outgoing[in_new],
            "outgoing_old": old.outgoing[in_old],
            "n_subscribers": fingerprints.n_subscribers[columns],
            "rarity": rarity,
        }
    ).take(pa.array(order))


def _entries(fingerprints: FingerprintSet, row: int) -> npt.NDArray[np.int64]:
    indptr = fingerprints.matrix.indptr
    return np.arange(indptr[row], indptr[row + 1], dtype=np.int64)


def _verdict(match: dict[str, Any]) -> str:
    """Word the grade; similarity is no proof."""
    words = {
        "A": "very alike",
        "B": "much alike",
        "C": "somewhat alike",
        "D": "hardly alike",
        "U": "too little evidence to say",
    }
    if match["probability"] is not None:
        words = {}
    place = "best candidate" if match["rank"] == 1 else f"candidate {match['rank']}"
    wording = [f"grade {match['grade']}", words.get(match["grade"], ""), *_odds_words(match), place]
    return ", ".join(part for part in wording if part)


def _odds_words(match: dict[str, Any]) -> list[str]:
    if match["probability"] is None:
        return []
    words = [f"probability {match['probability']:.3f}"]
    if match["q_value"] is not None:
        words.append(f"false-match rate {match['q_value']:.3f} at this place")
    return words


def _waterfall(contributions: dict[str, float]) -> list[str]:
    """Show what adds up to the log-odds, strongest first."""
    parts = sorted(contributions.items(), key=lambda part: -abs(part[1]))
    total = sum(contributions.values())
    lines = [f"{name:>22} {value:>+7.2f}" for name, value in parts if abs(value) >= LEAST_SHOWN]
    return [
        "what speaks for and against it, in log-odds:",
        *lines,
        f"{'together':>22} {total:>+7.2f}",
    ]


def _other_evidence(match: dict[str, Any]) -> str:
    """Word what is known beside partners."""
    parts = [
        f"{label} {match[column]:.2f}"
        for column, label in (
            ("cell_similarity", "cell similarity"),
            ("hour_similarity", "hour similarity"),
        )
        if match[column] is not None
    ]
    parts += [
        f"{'same' if match[column] else 'other'} {label}"
        for column, label in (
            ("same_imei", "handset"),
            ("same_id", "identity card"),
            ("same_name", "name"),
            ("same_outlet", "outlet"),
            ("same_seller", "seller"),
        )
        if match[column] is not None
    ]
    return "".join(f", {part}" for part in parts)


def _gap_text(gap_days: float) -> str:
    if gap_days < 0:
        return f"alive together for {-gap_days:.1f} days"
    return f"{gap_days:.1f} days between them"
