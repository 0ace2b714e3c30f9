"""What a join is expected to do and did, method by method."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from html import escape

from .bands import LshPlan

__all__ = ["JoinPlan", "JoinWork"]

_HEADINGS = ("", "postings", "candidates", "verified", "memory", "seconds")


@dataclass(frozen=True)
class JoinWork:
    """The work of one join, predicted or counted.

    Parameters
    ----------
    postings : float
        Entries of posting lists walked; 0 for "lsh", which has none.
    candidates : float
        "exact": rows that share a walked partner with a query. "lsh": pairs looked at in buckets,
        once per band they meet in.
    verifications : float
        Candidates that counts or bitmaps didn't decide, so that rows were looked into.
    n_bytes : float
        Memory asked for beyond the input.
    seconds : float
        Predicted: on one thread. Counted: elapsed, on however many there were.
    """

    postings: float
    candidates: float
    verifications: float
    n_bytes: float
    seconds: float


@dataclass(frozen=True, repr=False)
class JoinPlan:
    """Which method a join takes, why, and what that costs.

    Parameters
    ----------
    min_jaccard, recall : float
        What was asked for.
    n_a, n_b : int
        Rows of either side.
    method : {"exact", "lsh"}
        The one chosen.
    reason : str
        Why, in a few words.
    exact, lsh : JoinWork or None
        Predicted work of each method; None where it was not needed to choose.
    bands : LshPlan or None
        How "lsh" would run, or ran.
    actual : JoinWork or None
        What the run did; None before it.
    """

    min_jaccard: float
    recall: float
    n_a: int
    n_b: int
    method: str
    reason: str
    exact: JoinWork | None = None
    lsh: JoinWork | None = None
    bands: LshPlan | None = None
    actual: JoinWork | None = None

    @property
    def predicted(self) -> JoinWork | None:
        """Predicted work of the method chosen."""
        return self.lsh if self.method == "lsh" else self.exact

    def choose(self, method: str, reason: str) -> JoinPlan:
        """Return the same plan with its choice."""
        return replace(self, method=method, reason=reason)

    def predict(
        self,
        *,
        exact: JoinWork | None = None,
        lsh: JoinWork | None = None,
        bands: LshPlan | None = None,
    ) -> JoinPlan:
        """Return the same plan with predictions added."""
        return replace(
            self, exact=exact or self.exact, lsh=lsh or self.lsh, bands=bands or self.bands
        )

    def with_actual(self, actual: JoinWork) -> JoinPlan:
        """Return the same plan with what the run did."""
        return replace(self, actual=actual)

    def _headline(self) -> str:
        return (
            f"{self.n_a:,} x {self.n_b:,} rows, jaccard >= {self.min_jaccard:g}: "
            f"{self.method}, because {self.reason}"
        )

    def _table(self) -> list[tuple[str, ...]]:
        named = {"exact": self.exact, "lsh": self.lsh, f"{self.method}, actual": self.actual}
        rows: list[tuple[str, ...]] = [
            (
                name,
                _show_count(work.postings),
                _show_count(work.candidates),
                _show_count(work.verifications),
                f"{work.n_bytes / 2**20:,.1f} MiB",
                f"{work.seconds:.3g}",
            )
            for name, work in named.items()
            if work is not None
        ]
        return [_HEADINGS, *rows]

    def __repr__(self) -> str:
        table = self._table()
        widths = [max(len(row[at]) for row in table) for at in range(len(_HEADINGS))]
        lines = [
            "  ".join(
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in table
        ]
        bands = [] if self.bands is None else [_describe_bands(self.bands)]
        return "\n  ".join([f"JoinPlan({self._headline()}", *lines, *bands]) + ")"

    def _repr_html_(self) -> str:
        head, *body = self._table()
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body
        )
        titles = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        caption = self._headline()
        if self.bands is not None:
            caption += "; " + _describe_bands(self.bands)
        return (
            f"<table><caption>{escape(caption)}</caption><thead><tr>{titles}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _describe_bands(bands: LshPlan) -> str:
    return (
        f"lsh: {bands.n_bands} bands of {bands.band_rows}, finds a pair at "
        f"{bands.min_jaccard:g} with a chance of {bands.chance(bands.min_jaccard):.3f}"
    )


def _show_count(count: float) -> str:
    """Write a count with thousands apart, a prediction to three digits."""
    if count >= 1000 and count != int(count):
        count = round(count, 2 - math.floor(math.log10(count)))
    return f"{count:,.0f}"
