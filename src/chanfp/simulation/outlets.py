"""Outlets: the tree of points of sale, and who sold which line.

City warehouse -> county warehouses -> first-tier dealers -> second-tier dealers and retail
points. Some of the points cheat, as `Schemes` says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .draws import Draws, Floats, Ints, lognormal
from .lines import Lines
from .lives import FARMED, NEW, RETURNER, WANDERER
from .people import Population
from .places import CITY, county_code
from .schemes import CORRUPT, CROSS_REGION, Schemes, points_by_county
from .settings import Settings

__all__ = ["Outlets"]

KINDS = ("city-warehouse", "county-warehouse", "first-tier", "second-tier", "retail")
RETAIL_SHARE = 0.6
SIZE_SIGMA = 0.9
SELLERS = 3
# Chance that a returner goes back to the dealer of the old number.
SAME_OUTLET_SHARE = 0.25


@dataclass(frozen=True)
class Outlets:
    """All outlets, and the outlet and seller of each line.

    Attributes
    ----------
    parent : int64 (n_outlets,)
        Outlet one level up; -1 at the root, which is outlet 0.
    kind : int64 (n_outlets,)
        Row of `KINDS`.
    county : int64 (n_outlets,)
        County, -1 for the city warehouse.
    scheme : int64 (n_outlets,)
        Row of `SCHEMES`.
    of_line, seller_of_line : int64 (n_lines,)
        Who sold each line.
    """

    parent: Ints
    kind: Ints
    county: Ints
    scheme: Ints
    of_line: Ints
    seller_of_line: Ints

    def __len__(self) -> int:
        return len(self.parent)

    @classmethod
    def draw(
        cls,
        settings: Settings,
        population: Population,
        lines: Lines,
        n_counties: int,
        schemes: Schemes,
    ) -> Outlets:
        """Build the tree and sell every line through it."""
        draws = Draws(settings.seed, 12)
        parent, kind, county = _tree(draws, population, n_counties)
        of_line = _sell(draws, population, lines, kind, county)
        seller = draws.below(len(lines), SELLERS)
        points = np.flatnonzero(kind >= 3)
        scheme = np.zeros(len(parent), dtype=np.int64)
        scheme[points] = schemes.scheme
        _cheat(settings, population, lines, schemes, points, of_line)
        return cls(parent, kind, county, scheme, of_line, of_line * SELLERS + seller)

    @property
    def names(self) -> pa.StringArray:
        """Name of each outlet."""
        return pa.array([f"D{row:05d}" for row in range(len(self))])

    @property
    def sellers(self) -> pa.StringArray:
        """Name of each seller, `SELLERS` to an outlet."""
        return pa.array(
            [f"D{row:05d}-{number + 1}" for row in range(len(self)) for number in range(SELLERS)]
        )

    def table(self) -> pa.Table:
        """Return `outlet`, `parent` (null at the root), `kind` and `region` of each outlet."""
        counties = self.county.tolist()
        return pa.table(
            {
                "outlet": self.names,
                "parent": self.names.take(pa.array(self.parent, mask=self.parent < 0)),
                "kind": pa.array(KINDS).take(pa.array(self.kind)),
                "region": [CITY if county < 0 else county_code(county) for county in counties],
            }
        )


def _tree(draws: Draws, population: Population, n_counties: int) -> tuple[Ints, Ints, Ints]:
    n_points = points_by_county(population, n_counties)
    n_dealers = np.maximum(n_points // 6, 2)
    counties = np.arange(n_counties, dtype=np.int64)
    dealer_county = np.repeat(counties, n_dealers)
    point_county = np.repeat(counties, n_points)
    first_dealer = 1 + n_counties + np.concatenate([[0], np.cumsum(n_dealers)])[:-1]
    dealer = first_dealer[point_county] + draws.below(len(point_county), n_dealers[point_county])
    retail = draws.uniform(len(point_county)) < RETAIL_SHARE
    parent = np.concatenate([[-1], np.zeros(n_counties), 1 + dealer_county, dealer])
    kind = np.concatenate(
        [[0], np.full(n_counties, 1), np.full(len(dealer_county), 2), np.where(retail, 4, 3)]
    )
    county = np.concatenate([[-1], counties, dealer_county, point_county])
    return parent.astype(np.int64), kind.astype(np.int64), county.astype(np.int64)


def _sell(
    draws: Draws, population: Population, lines: Lines, kind: Ints, county: Ints
) -> npt.NDArray[np.int64]:
    """Choose a point of sale in the holder's county for each line, big ones more often."""
    points = np.flatnonzero(kind >= 3)
    size = np.maximum(draws.pick(lognormal(SIZE_SIGMA), len(points)), 0.05)
    rising = np.cumsum(np.floor(size * 1000).astype(np.int64))
    bounds = np.searchsorted(county[points], np.arange(int(county.max()) + 2))
    low = np.where(bounds > 0, rising[np.maximum(bounds - 1, 0)], 0)
    home = population.county[np.maximum(lines.person, 0)].astype(np.int64)
    chosen = low[home] + _scaled(draws.uniform(len(lines)), low[home + 1] - low[home])
    outlet = points[np.searchsorted(rising, chosen, side="right")]
    loyal = (lines.old >= 0) & (draws.uniform(len(lines)) < SAME_OUTLET_SHARE)
    outlet[loyal] = outlet[lines.old[loyal]]
    return outlet


def _cheat(
    settings: Settings,
    population: Population,
    lines: Lines,
    schemes: Schemes,
    points: Ints,
    of_line: Ints,
) -> None:
    """Hand lines over to the points that cheat."""
    draws = Draws(settings.seed, 19)
    home = population.county[np.maximum(lines.person, 0)].astype(np.int64)
    came_back = (lines.kind == RETURNER) | (lines.kind == WANDERER)
    taken = lines.kind == FARMED
    of_line[taken] = points[schemes.farmed_at]
    for code, fits in ((CORRUPT, came_back), (CROSS_REGION, lines.kind == NEW)):
        for point in schemes.points(code).tolist():
            is_near = home == schemes.county[point]
            found = np.flatnonzero(fits & ~taken & (is_near if code == CORRUPT else ~is_near))
            chosen = found[draws.order(len(found))[: schemes.size[point]]]
            of_line[chosen] = points[point]
            taken[chosen] = True


def _scaled(share: Floats, size: Ints) -> Ints:
    return np.floor(share * size).astype(np.int64)
