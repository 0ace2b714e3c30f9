"""Sold: every sale with the subscription it began and what the matches say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..clock import DAY_S, format_time
from ..errors import ParameterError
from ..matches import Matches
from ..numbering import NumberingPlan
from ..sidetables import SideTable
from ..subscribers import BEGINNING_S, Subscribers
from .matched import Matched

__all__ = ["Sold", "assign_matches"]

EARLY_SHARE = 0.05
# Who holds more subscriptions than this under one identity is a dealer or a company.
MOST_PER_ID = 5
BESIDE_DAYS = 30

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sold:
    """One entry for each sale, in the order of the table.

    Parameters
    ----------
    sales : SideTable
    keys : uint64 array
    sold_s : int64 array
        Seconds since 1970.
    subscribers : Subscribers or None
    rows : int64 array
        Row of the subscriber table, -1 where it has none or there is no table.
    match : int64 array
        Entry of the `Matched`, -1 where the new subscription has no candidate.
    is_new : bool array
        New subscriptions that were compared with departed ones.
    old_rows : int64 array
        Row of the subscriber table of the best candidate, -1 where unknown.
    old_sales : int64 array
        The last earlier sale of the best candidate, -1 where there is none.
    new_counted_by : str
        ``matches`` where the run of the match says which subscriptions were new, ``sold_at`` where
        the time of sale must.
    """

    sales: SideTable
    keys: npt.NDArray[np.uint64]
    sold_s: Ints
    subscribers: Subscribers | None
    rows: Ints
    match: Ints
    is_new: Mask
    old_rows: Ints
    old_sales: Ints
    new_counted_by: str

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def activated_s(self) -> Ints:
        """When each subscription was activated; `BEGINNING_S` where unknown."""
        if self.subscribers is None:
            return np.full(len(self), BEGINNING_S)
        return np.where(self.rows >= 0, self.subscribers.activated_s[self.rows], BEGINNING_S)

    @property
    def is_active(self) -> Mask:
        """Subscriptions in the subscriber table without a departure."""
        if self.subscribers is None:
            return np.zeros(len(self), bool)
        return (self.rows >= 0) & ~self.subscribers.is_departed[self.rows]

    def column(self, name: str) -> pa.Array:
        """Return a column of the sales."""
        return self.sales.table.column(name).combine_chunks()

    def attribute(self, name: str, rows: Ints) -> pa.Array:
        """Return an attribute of subscriber rows, null for -1 and where the table hasn't it."""
        values = None if self.subscribers is None else self.subscribers.attributes.get(name)
        if values is None:
            return pa.nulls(len(rows), pa.string())
        return values.take(pa.array(rows, mask=rows < 0))

    def n_outlet_mismatches(self) -> int | None:
        """Count sales whose outlet is another one in the subscriber table; None without one."""
        if self.subscribers is None or "outlet" not in self.subscribers.attributes:
            return None
        told = self.attribute("outlet", self.rows)
        differs = [
            one is not None and one != other
            for one, other in zip(told.to_pylist(), self.column("outlet").to_pylist(), strict=True)
        ]
        return int(np.count_nonzero(differs))

    def is_additional(self) -> Mask | None:
        """Return who held another number before and beside this one; None if ids are unknown.

        The same ``id_hash`` on a subscription that began before the sale and was still held
        `BESIDE_DAYS` after it; ids with more than `MOST_PER_ID` subscriptions say nothing.
        """
        if self.subscribers is None or "id_hash" not in self.subscribers.attributes:
            return None
        ids = self.subscribers.attributes["id_hash"].dictionary_encode().indices
        codes = ids.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        held_s = self.subscribers.activated_s, self.subscribers.departed_s
        order = np.argsort(codes, kind="stable")
        begins = np.searchsorted(codes[order], np.arange(int(codes.max(initial=-1)) + 2))
        found = np.zeros(len(self), bool)
        known = np.flatnonzero(self.rows >= 0)
        known = known[codes[self.rows[known]] >= 0]
        for step in range(MOST_PER_ID):
            code = codes[self.rows[known]]
            size = begins[code + 1] - begins[code]
            fits = (size > step) & (size <= MOST_PER_ID)
            other = order[np.where(fits, begins[code] + step, 0)]
            fits &= other != self.rows[known]
            fits &= held_s[0][other] <= self.sold_s[known]
            fits &= held_s[1][other] > self.sold_s[known] + BESIDE_DAYS * DAY_S
            found[known] |= fits
        return found


def assign_matches(
    sales: SideTable,
    matched: Matched,
    plan: NumberingPlan,
    *,
    subscribers: Subscribers | None = None,
    matches: Any = None,
    new_since_s: int | None = None,
) -> Sold:
    """Find for each sale its subscription and its best candidate.

    Parameters
    ----------
    sales : SideTable
    matched : Matched
    plan : NumberingPlan
    subscribers : Subscribers, optional
        Tells recycled numbers apart: a sale begins the first subscription of the number that
        hadn't ended by then.
    matches : Matches, optional
        Knows which subscriptions were compared.
    new_since_s : int, optional
        Sales from then on are new, where `matches` doesn't know; default from when 95 % of the
        sales of matched numbers were made. Matched ones are new in any case.

    Raises
    ------
    DataError
        If a number can't be read under the plan, or periods of one number overlap.
    """
    keys = sales.number_keys("subscriber", plan)
    sold_s = sales.table.column("sold_at").combine_chunks().cast(pa.int64()).to_numpy()
    holders = None if subscribers is None else _Holders(subscribers, plan)
    rows = np.full(len(keys), -1, np.int64) if holders is None else holders.of_sales(keys, sold_s)
    # The last sale of a subscription is the one that put it into its holder's hands.
    number = np.unique(keys, return_inverse=True)[1].reshape(-1).astype(np.int64)
    units = np.where(rows >= 0, rows, -1 - number)
    order = np.lexsort((sold_s, units))
    is_last = np.zeros(len(keys), bool)
    is_last[order] = np.append(units[order][1:] != units[order][:-1], True)[: len(order)]
    if holders is None:
        new_rows = old_rows = np.full(len(matched), -1, np.int64)
    else:
        nowhere = np.zeros(len(matched), bool)
        new_rows = holders.named(matched.new_keys, matched.new_ids, wants_departed=nowhere)
        old_rows = holders.named(
            matched.old_keys, matched.old_ids, wants_departed=~matched.is_partial
        )
    match = _find_matches(keys, sold_s, rows, is_last, matched.new_keys, new_rows)
    compared = _compared(matches, subscribers)
    if compared is not None:
        is_new = is_last & np.isin(rows, compared)
    else:
        matched_s = np.sort(sold_s[match >= 0])
        if new_since_s is None:
            new_since_s = int(matched_s[int(EARLY_SHARE * len(matched_s))]) if len(matched_s) else 0
        elif len(sold_s) and new_since_s > sold_s.max():
            raise ParameterError(
                f"`new_since` {format_time(new_since_s)} lies after the last sale, "
                f"{format_time(int(sold_s.max()))}; give the time since which sales count as new."
            )
        is_new = is_last & ((sold_s >= new_since_s) | (match >= 0))
    match = np.where(is_new, match, -1)
    of_old = np.append(old_rows, -1)[match]
    return Sold(
        sales, keys, sold_s, subscribers, rows, match, is_new, of_old,
        _earlier_sales(keys, sold_s, np.append(matched.old_keys, np.uint64(0))[match]),
        "sold_at" if compared is None else "matches",
    )  # fmt: skip


class _Holders:
    """Finds rows of the subscriber table."""

    def __init__(self, subscribers: Subscribers, plan: NumberingPlan) -> None:
        self._subscriptions = subscribers.index(plan)
        ids = subscribers.attributes.get("subscription_id")
        self._row_of = (
            {}
            if ids is None
            else {name: row for row, name in enumerate(ids.to_pylist()) if name is not None}
        )

    def of_sales(self, keys: npt.NDArray[np.uint64], sold_s: Ints) -> Ints:
        """Return the first subscription of each number not ended by the sale, else the last."""
        known = self._subscriptions
        first = np.searchsorted(known.keys, keys, side="left")
        last = np.searchsorted(known.keys, keys, side="right") - 1
        at = first.copy()
        end_s = known.periods[1::2]
        while True:
            moves = (at < last) & (np.append(end_s, 0)[at] < sold_s)
            if not moves.any():
                break
            at = at + moves
        return np.where(last >= first, np.append(known.rows, -1)[at], -1)

    def named(self, keys: npt.NDArray[np.uint64], ids: pa.Array, *, wants_departed: Mask) -> Ints:
        """Return the subscription that an id names, else the last one of the number.

        Where `wants_departed`, the last that has departed, if any has: the old number of a
        replacement. That of a partial one is still in use, and its earlier holder somebody else.
        """
        known = self._subscriptions
        last = np.searchsorted(known.keys, keys, side="right") - 1
        found = (
            (last >= 0) & (known.keys[np.maximum(last, 0)] == keys)
            if len(known.keys)
            else (np.zeros(len(keys), bool))
        )
        if found.any():
            before = np.maximum(last - 1, 0)
            steps = found & wants_departed & ~known.is_departed[np.maximum(last, 0)]
            steps &= (last > 0) & (known.keys[before] == keys) & known.is_departed[before]
            last = last - steps
        rows = np.where(found, np.append(known.rows, -1)[last], -1)
        named = [self._row_of.get(name, -1) for name in ids.to_pylist()]
        of_id = np.array(named, np.int64).reshape(len(keys))
        return np.where(of_id >= 0, of_id, rows)


def _compared(matches: Any, subscribers: Subscribers | None) -> Ints | None:
    """Return the rows that a run of the match took for new, if it worked on this table."""
    if not isinstance(matches, Matches) or matches.fingerprints.subscribers is not subscribers:
        return None
    return np.asarray(matches.fingerprints.new.role.rows, np.int64)


def _find_matches(
    keys: npt.NDArray[np.uint64],
    sold_s: Ints,
    rows: Ints,
    is_last: Mask,
    new_keys: npt.NDArray[np.uint64],
    new_rows: Ints,
) -> Ints:
    """Return the entry of the matches for each sale: by subscription, else by number."""
    match = np.full(len(keys), -1, np.int64)
    by_row = dict(zip(new_rows.tolist(), range(len(new_rows)), strict=True))
    by_row.pop(-1, None)
    of_key = {
        key: entry
        for entry, (key, row) in enumerate(zip(new_keys.tolist(), new_rows.tolist(), strict=True))
        if row < 0
    }
    # Numbers of no known subscription: the last of their sales.
    for sale in np.flatnonzero(is_last)[np.argsort(sold_s[is_last], kind="stable")][::-1].tolist():
        found = by_row.get(int(rows[sale])) if rows[sale] >= 0 else None
        if found is None and rows[sale] < 0:
            found = of_key.pop(int(keys[sale]), None)
        if found is not None:
            match[sale] = found
    return match


def _earlier_sales(
    keys: npt.NDArray[np.uint64], sold_s: Ints, old_keys: npt.NDArray[np.uint64]
) -> Ints:
    """Return the last sale of each old number before the sale of the new one, -1 without one."""
    n_sales = len(keys)
    # All sales and all questions in one row; a question stands before a sale of the same second.
    is_sale = np.repeat([True, False], n_sales)
    both = np.concatenate([keys, old_keys])
    order = np.lexsort((is_sale, np.concatenate([sold_s, sold_s]), both))
    places = np.arange(2 * n_sales)
    before = np.maximum.accumulate(np.where(is_sale[order], places, -1))
    fits = (before >= 0) & (both[order] == both[order][before]) & ~is_sale[order]
    found = np.full(2 * n_sales, -1, np.int64)
    found[order[fits]] = order[before[fits]]
    return np.where(old_keys != 0, found[n_sales:], -1)
