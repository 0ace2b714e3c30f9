"""Schemes: which points of sale cheat, in which way, and with how many cards.

* A *corrupt* point lures returners: the carrier's own customers back as new ones.
* A *farming* point activates cards that nobody uses, in a few batches, for the commission.
* A *cross-region* point sells to people of other counties.

No published figure stands behind the sizes; each scheme is planted in small, middling and large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Draws, Ints
from .people import Population
from .settings import DAY, Settings

__all__ = ["SCHEMES", "Schemes", "points_by_county"]

PEOPLE_PER_OUTLET = 400
LEAST_OUTLETS = 4
HONEST, CORRUPT, FARMING, CROSS_REGION = range(4)
SCHEMES = ("honest", "corrupt", "farming", "cross-region")
SIZES = np.array([12, 24, 45], dtype=np.int64)
# Farmed cards are activated in this part of the span, in this many batches, and lie within so many
# seconds of each other.
FARMED_SPAN = (0.68, 0.82)
BATCHES = 3
BATCH_S = 900
# Of the farmed cards, those that are never used; the others make a few short calls in so many days.
NEVER_USED_SHARE = 0.5
USED_DAYS = 12
CARDS_PER_HANDSET = 8


@dataclass(frozen=True)
class Schemes:
    """Points of sale by county, and what they do.

    Attributes
    ----------
    county, scheme, size : int64 (n_points,)
        County, row of `SCHEMES`, cards meant (0 where honest).
    farmed_at : int64 (n_farmed,)
        Point of each farmed card, ascending.
    begin : int64 (n_farmed,)
        Second of the span at which it is first in use.
    """

    county: Ints
    scheme: Ints
    size: Ints
    farmed_at: Ints
    begin: Ints

    @classmethod
    def draw(cls, settings: Settings, population: Population, n_counties: int) -> Schemes:
        """Decide who cheats."""
        draws = Draws(settings.seed, 17)
        county = np.repeat(
            np.arange(n_counties, dtype=np.int64), points_by_county(population, n_counties)
        )
        n_points = len(county)
        scheme = np.zeros(n_points, dtype=np.int64)
        order = draws.order(n_points)
        at = 0
        for code, share in (
            (CORRUPT, settings.corrupt_share),
            (FARMING, settings.farming_share),
            (CROSS_REGION, settings.cross_region_share),
        ):
            wanted = max(1, int(share * n_points + 0.5)) if share else 0
            scheme[order[at : at + wanted]] = code
            at += wanted
        size = np.where(scheme != HONEST, SIZES[draws.below(n_points, len(SIZES))], 0)
        farmed_at = np.repeat(np.arange(n_points, dtype=np.int64), size * (scheme == FARMING))
        return cls(county, scheme, size, farmed_at, _batches(draws, settings, farmed_at, n_points))

    def points(self, code: int) -> npt.NDArray[np.int64]:
        """Return the points with a scheme."""
        return np.flatnonzero(self.scheme == code).astype(np.int64)


def points_by_county(population: Population, n_counties: int) -> npt.NDArray[np.int64]:
    """Return how many points of sale each county has."""
    people = np.bincount(population.county, minlength=n_counties)
    return np.maximum(people // PEOPLE_PER_OUTLET, LEAST_OUTLETS).astype(np.int64)


def _batches(draws: Draws, settings: Settings, farmed_at: Ints, n_points: int) -> Ints:
    """Return when each card is first used: its outlet's batch, a few seconds apart."""
    low, high = FARMED_SPAN
    day = low + (high - low) * draws.uniform(BATCHES * n_points)
    start = (day * settings.days).astype(np.int64) * DAY + 10 * 3600
    batch = draws.below(len(farmed_at), BATCHES)
    begin = start[farmed_at * BATCHES + batch] + draws.below(len(farmed_at), BATCH_S)
    return np.asarray(np.minimum(begin, settings.span - DAY), np.int64)
