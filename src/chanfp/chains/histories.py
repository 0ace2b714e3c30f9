"""Histories: the tables of people and links, what happened to each and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..clock import DAY_S
from .runs import Candidates
from .schemas import LINK_SCHEMA, PERSON_SCHEMA
from .vertices import NOBODY, Vertices

__all__ = ["Histories"]

SIGN = " > "
PARTIAL = "partial-replacement"

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Histories:
    """Links in order of people and steps.

    Parameters
    ----------
    vertices : Vertices
    candidates : Candidates
    rows : int64 array
        The candidate behind each link.
    person, step : int64 array
        From 0 and from 1.
    """

    vertices: Vertices
    candidates: Candidates
    rows: Ints
    person: Ints
    step: Ints

    @classmethod
    def arrange(
        cls, vertices: Vertices, candidates: Candidates, rows: Ints, person: Ints, step: Ints
    ) -> Histories:
        """Put people in order: most re-entries first, then the most probable, then by number."""
        n_people = int(person.max(initial=-1)) + 1
        length = np.bincount(person[~_is_partial(candidates, rows)], minlength=n_people)
        total = np.ones(n_people)
        by_step = np.lexsort((step, person))
        np.multiply.at(total, person[by_step], candidates.probability[rows][by_step])
        begin = np.zeros(n_people, np.int64)
        is_first = step == 1
        begin[person[is_first]] = vertices.old[rows[is_first]]
        place = np.empty(n_people, np.int64)
        place[np.lexsort((begin, -total, -length))] = np.arange(n_people)
        person = place[person]
        order = np.lexsort((step, person))
        return cls(vertices, candidates, rows[order], person[order], step[order])

    @property
    def n_people(self) -> int:
        """How many people have a link."""
        return int(self.person.max(initial=-1)) + 1

    @property
    def is_re_entry(self) -> Mask:
        """Links whose old number has departed; that of a partial replacement is still in use."""
        return ~_is_partial(self.candidates, self.rows)

    @property
    def n_re_entries(self) -> Ints:
        """How many re-entries each person has."""
        return np.bincount(self.person[self.is_re_entry], minlength=self.n_people)

    @property
    def probability(self) -> Floats:
        """Of each link."""
        return self.candidates.probability[self.rows]

    @property
    def chain_probability(self) -> Floats:
        """That a link and all before it are right, errors taken for independent."""
        found = self.probability.copy()
        for step in range(2, int(self.step.max(initial=0)) + 1):
            at = np.flatnonzero(self.step == step)
            found[at] *= found[at - 1]
        return found

    @property
    def returned_s(self) -> Ints:
        """When each new number was activated, `NOBODY` where unknown."""
        return self.vertices.activated_s[self.vertices.new[self.rows]]

    def links(self) -> pa.Table:
        """Return the table of `LINK_SCHEMA`."""
        vertices, candidates, at = self.vertices, self.candidates, pa.array(self.rows)
        old, new = vertices.old[self.rows], vertices.new[self.rows]
        columns: dict[str, Any] = {
            "person": self.person + 1,
            "step": self.step,
            "run": candidates.run[self.rows] + 1,
            "link": candidates.column("link").take(at),
            "grade": candidates.column("grade").take(at),
            "probability": self.probability,
            "chain_probability": self.chain_probability,
            "departed_at": _times(vertices.departed_s[old]),
            "returned_at": _times(self.returned_s),
            "gap_days": candidates.gap_days[self.rows],
            "days_since_return": self._days_since_return(),
        }
        for side, of in (("old", old), ("new", new)):
            of_vertex = pa.array(of)
            columns[side] = vertices.numbers.take(of_vertex)
            columns[f"{side}_subscription"] = vertices.ids.take(of_vertex)
            columns[f"outlet_{side}"] = vertices.outlets.take(of_vertex)
            columns[f"region_{side}"] = candidates.column(f"region_{side}").take(at)
        return _as_table(columns, LINK_SCHEMA, len(self.rows))

    def people(self, links: pa.Table, re_entries: int, within_days: float) -> pa.Table:
        """Return the table of `PERSON_SCHEMA` for the table of links."""
        bounds = np.searchsorted(self.person, np.arange(self.n_people + 1))
        first, last = bounds[:-1], bounds[1:] - 1
        most = self._most_within(bounds, within_days)
        gaps = np.maximum(np.nan_to_num(self.candidates.gap_days[self.rows]), 0.0)
        gaps = np.where(self.is_re_entry, gaps, 0.0)
        lost = np.bincount(self.person, weights=self.probability * gaps, minlength=self.n_people)
        knows_gap = np.isfinite(self.candidates.gap_days[self.rows])
        any_gap = np.bincount(self.person, weights=knows_gap, minlength=self.n_people) > 0
        departed_s = self.vertices.departed_s[self.vertices.new[self.rows]][last]
        columns: dict[str, Any] = {
            "person": np.arange(self.n_people) + 1,
            "n_re_entries": self.n_re_entries,
            "first": links.column("old").take(pa.array(first)),
            "last": links.column("new").take(pa.array(last)),
            "last_subscription": links.column("new_subscription").take(pa.array(last)),
            "probability": self.chain_probability[last],
            "weakest": np.minimum.reduceat(self.probability, first) if len(first) else None,
            "most_re_entries_within": pa.array(most, mask=most < 0),
            "is_wanderer": pa.array(most >= re_entries, mask=most < 0),
            "first_returned_at": _times(self.returned_s[first]),
            "last_returned_at": _times(self.returned_s[last]),
            "median_days_between": self._medians(bounds),
            "days_lost": np.where(any_gap, lost, np.nan),
            "is_still_active": pa.array(departed_s == NOBODY, mask=self.returned_s[last] == NOBODY),
        }
        for name, column in (("numbers", ("old", "new")), ("outlets", ("outlet_old", "outlet_new")),
                             ("regions", ("region_old", "region_new"))):  # fmt: skip
            visited = _visited(links, column, bounds)
            columns[name] = [SIGN.join(stops) if stops else None for stops in visited]
            if name != "numbers":
                columns[f"n_{name}"] = [len(set(stops)) if stops else None for stops in visited]
        return _as_table(columns, PERSON_SCHEMA, self.n_people)

    def _days_since_return(self) -> Floats:
        """Return the days from the return before to this one; NaN for the first and if unknown."""
        returned_s, days = self.returned_s, np.full(len(self.rows), np.nan)
        later = np.flatnonzero(self.step > 1)
        known = later[(returned_s[later] != NOBODY) & (returned_s[later - 1] != NOBODY)]
        days[known] = (returned_s[known] - returned_s[known - 1]) / DAY_S
        return days

    def _most_within(self, bounds: Ints, within_days: float) -> Ints:
        """Return the most re-entries of each person within some days, -1 where none is dated.

        0 for a person with dated partial replacements only.
        """
        found = np.full(self.n_people, -1)
        returned_s, is_re_entry = self.returned_s, self.is_re_entry
        is_dated = np.bincount(self.person[returned_s != NOBODY], minlength=self.n_people) > 0
        found[(self.n_re_entries == 0) & is_dated] = 0
        for person in range(self.n_people):
            span = slice(bounds[person], bounds[person + 1])
            times = returned_s[span][is_re_entry[span]]
            times = np.sort(times[times != NOBODY])
            if len(times):
                until = np.searchsorted(times, times + within_days * DAY_S, side="right")
                found[person] = int((until - np.arange(len(times))).max())
        return found

    def _medians(self, bounds: Ints) -> Floats:
        found = np.full(self.n_people, np.nan)
        days = self._days_since_return()
        for person in np.flatnonzero(np.diff(bounds) > 1).tolist():
            known = days[bounds[person] : bounds[person + 1]]
            known = known[~np.isnan(known)]
            if len(known):
                found[person] = np.median(known)
        return found


def _is_partial(candidates: Candidates, rows: Ints) -> Mask:
    """Return which links are partial replacements; those that name no kind are none."""
    links = candidates.column("link").take(pa.array(rows)).to_pylist()
    return np.array([link == PARTIAL for link in links], bool)


def _visited(links: pa.Table, columns: tuple[str, str], bounds: Ints) -> list[list[str]]:
    """Return the stops of each person in order: the first link's old side, then all new ones.

    The same stop twice in a row stands once, an unknown one not at all.
    """
    old, new = (links.column(name).to_pylist() for name in columns)
    found = []
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        stops: list[str] = []
        for stop in (old[begin], *new[begin:end]):
            if stop is not None and (not stops or stops[-1] != stop):
                stops.append(stop)
        found.append(stops)
    return found


def _times(seconds: Ints) -> pa.Array:
    return pa.array(seconds, pa.timestamp("s"), mask=seconds == NOBODY)


def _as_table(columns: dict[str, Any], schema: pa.Schema, n_rows: int) -> pa.Table:
    arrays = []
    for spec in schema:
        values = columns[spec.name]
        if values is None:
            arrays.append(pa.nulls(n_rows, spec.type))
        elif isinstance(values, pa.Array | pa.ChunkedArray):
            arrays.append(values.cast(spec.type))
        else:
            arrays.append(pa.array(values, spec.type, from_pandas=True))
    return pa.table(arrays, schema=schema)
