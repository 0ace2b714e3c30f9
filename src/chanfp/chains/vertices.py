"""Vertices: which subscription each number of a candidate means, the same one in every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..numbering import NumberingPlan
from ..subscribers import BEGINNING_S, Subscribers
from .runs import Candidates

__all__ = ["Vertices", "find_vertices"]

NOBODY = -1

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vertices:
    """Subscriptions that candidates name, ordered by number and id.

    Parameters
    ----------
    numbers : pyarrow.Array of string
        As they stand where first named.
    ids : pyarrow.Array of string
        ``subscription_id``, null without one.
    new, old : int64 array
        The vertex of each candidate's new and old number.
    activated_s, departed_s : int64 array
        By the table of subscribers; `NOBODY` where unknown.
    outlets : pyarrow.Array of string
        Where each was sold, null where unknown.
    """

    numbers: pa.Array
    ids: pa.Array
    new: Ints
    old: Ints
    activated_s: Ints
    departed_s: Ints
    outlets: pa.Array

    def __len__(self) -> int:
        return len(self.numbers)


def find_vertices(
    candidates: Candidates, plan: NumberingPlan, subscribers: Subscribers | None
) -> Vertices:
    """Return the subscriptions that candidates name.

    A number without an id that departed in an earlier run than it was new in is two: it was given
    to somebody else in between.
    """
    n = len(candidates)
    keys = np.concatenate([candidates.new_keys, candidates.old_keys])
    ids = pa.concat_arrays([candidates.column(f"{side}_subscription") for side in ("new", "old")])
    codes = ids.dictionary_encode().indices.fill_null(NOBODY).to_numpy(zero_copy_only=False)
    is_new = np.arange(2 * n) < n
    holder = _second_holders(keys, codes, is_new, np.tile(candidates.run, 2))
    rows = np.stack([keys.astype(np.int64), codes.astype(np.int64), holder])
    _, first, vertex = np.unique(rows, axis=1, return_index=True, return_inverse=True)
    vertex = vertex.reshape(-1).astype(np.int64)
    numbers = pa.concat_arrays([candidates.column(side) for side in ("new", "old")])
    at = pa.array(first)
    found = _Subscriptions(subscribers, plan)
    row = found.rows_of(keys[first], ids.take(at), is_second=holder[first] == 1)
    return Vertices(
        numbers.take(at), ids.take(at), vertex[:n], vertex[n:],
        found.times(row, "activated_s"), found.times(row, "departed_s"), found.outlets(row),
    )  # fmt: skip


def _second_holders(
    keys: npt.NDArray[np.uint64], codes: Ints, is_new: npt.NDArray[np.bool_], run: Ints
) -> Ints:
    """Return 1 for new numbers without an id that had departed in an earlier run, else 0."""
    _, number = np.unique(keys, return_inverse=True)
    number = number.reshape(-1)
    never = int(run.max(initial=0)) + 1
    first_old = np.full(int(number.max(initial=-1)) + 1, never)
    first_new = first_old.copy()
    np.minimum.at(first_old, number[~is_new], run[~is_new])
    np.minimum.at(first_new, number[is_new], run[is_new])
    is_recycled = (first_old < first_new) & (first_new < never)
    # Departures from then on are the second holder's, too.
    is_later = is_new | (run >= first_new[number])
    return np.where(is_recycled[number] & (codes < 0) & is_later, 1, 0).astype(np.int64)


class _Subscriptions:
    """What the table of subscribers knows, nothing without one."""

    def __init__(self, subscribers: Subscribers | None, plan: NumberingPlan) -> None:
        self._table = subscribers
        self._index = None if subscribers is None else subscribers.index(plan)

    def rows_of(
        self, keys: npt.NDArray[np.uint64], ids: pa.Array, *, is_second: npt.NDArray[np.bool_]
    ) -> Ints:
        """Return the row that an id names, else the last one of the number; -1 without one.

        Of a number with a second holder the first has the row before.
        """
        if self._table is None or self._index is None or not len(self._index.keys):
            return np.full(len(keys), NOBODY)
        known = self._index
        place = np.searchsorted(known.keys, keys, side="right") - 1
        has = (place >= 0) & (known.keys[np.maximum(place, 0)] == keys)
        is_first = np.isin(keys, keys[is_second]) & ~is_second & has & (place > 0)
        place = place - (is_first & (known.keys[np.maximum(place - 1, 0)] == keys))
        rows = np.where(has, known.rows[np.maximum(place, 0)], NOBODY)
        names = self._table.attributes.get("subscription_id")
        if names is None:
            return rows
        row_of = {name: row for row, name in enumerate(names.to_pylist()) if name is not None}
        named = [row_of.get(name, NOBODY) for name in ids.to_pylist()]
        of_id = np.array(named, np.int64).reshape(len(keys))
        return np.where(of_id >= 0, of_id, rows)

    def times(self, rows: Ints, name: str) -> Ints:
        """Return ``activated_s`` or ``departed_s`` of rows, `NOBODY` where unknown or open."""
        if self._table is None:
            return np.full(len(rows), NOBODY)
        values = getattr(self._table, name)
        is_open = np.abs(values) >= -BEGINNING_S
        return np.append(np.where(is_open, NOBODY, values), NOBODY)[rows]

    def outlets(self, rows: Ints) -> pa.Array:
        """Return the outlets of rows, null where unknown."""
        values = None if self._table is None else self._table.attributes.get("outlet")
        if values is None:
            return pa.nulls(len(rows), pa.string())
        return values.take(pa.array(rows, mask=rows < 0))
