"""Tables: subscribers, sales and the truth, as a carrier would export them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .digits import decimal_text, hex_text
from .draws import Draws, Ints, mix64
from .lives import FARMED, FOREVER, KINDS
from .outlets import Outlets
from .places import n_counties
from .schemes import CROSS_REGION, SCHEMES
from .settings import DAY
from .world import World

__all__ = ["Tables"]

PRODUCTS = ("city-card", "campus-card", "family-card", "village-card")
PLANS = ("P8", "P18", "P38", "P58", "P88", "P138")
FEES = np.array([8.0, 18.0, 38.0, 58.0, 88.0, 138.0])
PRICES = np.array([50.0, 50.0, 100.0, 30.0])
COMMISSION_RATE = 0.8
# Whose identity card a line is bought with: mostly one's own, else a relative's or the dealer's.
# Re-entry marts carry "same ID card" as one sign among several (Hubei Mobile 2004).
OWN_ID_SHARE = 0.88
OWN_ID_SHARE_OF_RETURN = 0.65
RELATIVE_SHARE = 0.6
BLANK_ID_SHARE = 0.04
BLANK_IMEI_SHARE = 0.05
PEOPLE_PER_NAME = 4
SUSPENDED_AFTER_DAYS = 15
# Salt of the id and name hashes, so that they differ from those of other sources.
ID_SALT, NAME_SALT = np.uint64(0x1D), np.uint64(0x9A3E)


@dataclass(frozen=True)
class Tables:
    """Everything but the records, from the world of a carrier."""

    world: World

    @cached_property
    def outlets(self) -> Outlets:
        """The tree of outlets and who sold what."""
        world = self.world
        counties = n_counties(world.settings.people)
        return Outlets.draw(world.settings, world.population, world.lines, counties, world.schemes)

    @cached_property
    def _issue_order(self) -> Ints:
        return np.argsort(self.world.lines.activated, kind="stable").astype(np.int64)

    @cached_property
    def _subscription_ids(self) -> pa.StringArray:
        number = np.empty(len(self.world.lines), dtype=np.int64)
        number[self._issue_order] = np.arange(1, len(number) + 1)
        return decimal_text(number, 9, prefix="S")

    @cached_property
    def _subscribers(self) -> pa.StringArray:
        return self.world.numbers.text.slice(0, len(self.world.lines))

    @cached_property
    def _products(self) -> npt.NDArray[np.int64]:
        draws = Draws(self.world.settings.seed, 13)
        return draws.below(len(self.world.lines), len(PRODUCTS))

    @cached_property
    def _activation_cells(self) -> npt.NDArray[np.int32]:
        """Cards sold at once start at the customer's home, the others in the dealer's county."""
        world, lines = self.world, self.world.lines
        draws = Draws(world.settings.seed, 14)
        county = self.outlets.county[self.outlets.of_line].astype(np.int16)
        shelf = lines.begin - lines.activated > DAY
        at_dealer = shelf | (draws.uniform(len(lines)) < 0.4)
        found = np.where(at_dealer, world.places.cell_in(draws, county), lines.home)
        # Cards that went to another county, and cards nobody took anywhere.
        return np.where(self._is_abroad | (lines.kind == FARMED), lines.home, found)

    @cached_property
    def _is_abroad(self) -> npt.NDArray[np.bool_]:
        """Lines that a cross-region outlet sold to people of another county."""
        outlets, lines = self.outlets, self.world.lines
        of_line = outlets.of_line
        cheats = outlets.scheme[of_line] == CROSS_REGION
        return np.asarray(cheats & (lines.person >= 0) & self._is_elsewhere, bool)

    @cached_property
    def _is_elsewhere(self) -> npt.NDArray[np.bool_]:
        """Lines whose home cell isn't in the county of the outlet."""
        first = self.world.places.first_cell
        county = np.searchsorted(first, self.world.lines.home, side="right") - 1
        return np.asarray(county != self.outlets.county[self.outlets.of_line], bool)

    def subscribers(self) -> pa.Table:
        """Return one row per subscription, in order of activation."""
        lines, order = self.world.lines, self._issue_order
        exported = self.world.settings.span + self.world.settings.table_lag_days * DAY
        closed = lines.closed <= exported
        suspended_at = lines.end + SUSPENDED_AFTER_DAYS * DAY
        suspended = ~closed & (lines.end < FOREVER) & (suspended_at <= exported)
        status = np.where(closed, 2, np.where(suspended, 1, 0))
        draws = Draws(self.world.settings.seed, 15)
        plan = draws.below(len(lines), len(PLANS))
        identity, blank = self._identities(draws)
        columns = {
            "subscription_id": self._subscription_ids,
            "subscriber": self._subscribers,
            "activated_at": self._time(lines.activated),
            "departed_at": self._time(lines.closed, ~closed),
            "status": pa.array(("active", "suspended", "closed")).take(pa.array(status)),
            "suspended_at": self._time(suspended_at, ~suspended),
            "id_hash": _blanked(hex_text(mix64(identity ^ ID_SALT)), blank),
            "name_hash": _blanked(hex_text(mix64(self._names(identity) ^ NAME_SALT)), blank),
            "imei": self._imeis(draws),
            "outlet": self.outlets.names.take(pa.array(self.outlets.of_line)),
            "seller": self.outlets.sellers.take(pa.array(self.outlets.seller_of_line)),
            "product": pa.array(PRODUCTS).take(pa.array(self._products)),
            "plan": pa.array(PLANS).take(pa.array(plan)),
            "monthly_fee": pa.array(FEES[plan]),
            "activation_cell": self.world.places.names.take(pa.array(self._activation_cells)),
        }
        return pa.table(columns).take(pa.array(order))

    def sales(self) -> pa.Table:
        """Return one row per line first used in the span, in order of sale."""
        lines = self.world.lines
        sold = np.flatnonzero(lines.is_new)
        sold_at = np.maximum(lines.begin[sold] - 1800, lines.activated[sold])
        order = np.argsort(sold_at, kind="stable")
        sold, sold_at = sold[order], sold_at[order]
        rows = pa.array(sold)
        price = PRICES[self._products[sold]]
        return pa.table(
            {
                "subscriber": self._subscribers.take(rows),
                "outlet": self.outlets.names.take(pa.array(self.outlets.of_line[sold])),
                "seller": self.outlets.sellers.take(pa.array(self.outlets.seller_of_line[sold])),
                "sold_at": self._time(sold_at),
                "price": pa.array(price),
                "commission": pa.array(price * COMMISSION_RATE),
                "activation_cell": self.world.places.names.take(
                    pa.array(self._activation_cells[sold])
                ),
                "product": pa.array(PRODUCTS).take(pa.array(self._products[sold])),
            }
        )

    def truth(self) -> pa.Table:
        """Return one row per line first used in the span, in order of first use."""
        lines = self.world.lines
        new = np.flatnonzero(lines.is_new)
        new = new[np.argsort(lines.begin[new], kind="stable")]
        old = lines.old[new]
        none = old < 0
        rows, old_rows = pa.array(new), pa.array(np.maximum(old, 0))
        return pa.table(
            {
                "new": self._subscribers.take(rows),
                "old": _blanked(self._subscribers.take(old_rows), none),
                "new_subscription": self._subscription_ids.take(rows),
                "old_subscription": _blanked(self._subscription_ids.take(old_rows), none),
                "kind": pa.array(KINDS).take(pa.array(lines.kind[new])),
                "person": _blanked(
                    decimal_text(np.maximum(lines.person[new], 0), 8, prefix="P"),
                    lines.person[new] < 0,
                ),
            }
        )

    def outlet_truth(self) -> pa.Table:
        """Return one row per outlet that sells: its scheme and what it really sold in the span."""
        outlets, lines = self.outlets, self.world.lines
        new = np.flatnonzero(lines.is_new)
        of_new, n = outlets.of_line[new], len(outlets)
        came_back = lines.old[new] >= 0
        points = np.flatnonzero(outlets.kind >= 3)
        counts = {
            "n_new": np.bincount(of_new, minlength=n),
            "n_returners": np.bincount(of_new[came_back], minlength=n),
            "n_farmed": np.bincount(of_new[lines.kind[new] == FARMED], minlength=n),
            "n_elsewhere": np.bincount(of_new[self._is_elsewhere[new]], minlength=n),
        }
        return pa.table(
            {
                "outlet": outlets.names.take(pa.array(points)),
                "scheme": pa.array(SCHEMES).take(pa.array(outlets.scheme[points])),
                **{
                    name: pa.array(count[points].astype(np.int64)) for name, count in counts.items()
                },
            }
        )

    def _time(self, seconds: Ints, missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
        first = self.world.settings.first_second
        return pa.array(seconds + first, pa.timestamp("s"), mask=missing)

    def _identities(self, draws: Draws) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """Return whose identity card each line was bought with, and where it is blank."""
        lines, n_people = self.world.lines, self.world.population.size
        n = len(lines)
        ghosts = n_people + len(self.outlets) + np.arange(n, dtype=np.int64)
        person = np.where(lines.person >= 0, lines.person, ghosts)
        relative = np.where(person % 2 == 0, person + 1, person - 1)
        dealer = n_people + self.outlets.of_line
        other = np.where(draws.uniform(n) < RELATIVE_SHARE, relative, dealer)
        own_share = np.where(lines.old >= 0, OWN_ID_SHARE_OF_RETURN, OWN_ID_SHARE)
        own = draws.uniform(n) < own_share
        blank = draws.uniform(n) < BLANK_ID_SHARE
        return self._keyed(np.where(own, person, other)), blank

    def _keyed(self, values: Ints) -> npt.NDArray[np.uint64]:
        key = np.random.SeedSequence(self.world.settings.seed, spawn_key=(16,))
        return mix64(values.astype(np.uint64) ^ key.generate_state(1, np.uint64))

    def _names(self, identity: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Return a name per identity; common names are shared by many."""
        share = (identity >> np.uint64(32)).astype(np.uint64)
        n_names = np.uint64(max(10, self.world.population.size // PEOPLE_PER_NAME))
        return ((share * share) >> np.uint64(32)) * n_names >> np.uint64(32)

    def _imeis(self, draws: Draws) -> pa.StringArray:
        """Return the phone each line was last seen in, blank in some rows."""
        lines, handsets = self.world.lines, self.world.handsets
        changed = handsets.change_day.astype(np.int64) * DAY < np.minimum(
            lines.end, self.world.settings.span
        )
        phone = np.where(changed, handsets.second, handsets.first)
        blank = draws.uniform(len(lines)) < BLANK_IMEI_SHARE
        return _blanked(handsets.imei.take(pa.array(phone)), blank)


def _blanked(text: pa.StringArray, blank: npt.NDArray[np.bool_]) -> pa.StringArray:
    rows = np.arange(len(text), dtype=np.int64)
    return text.take(pa.array(rows, mask=blank))
