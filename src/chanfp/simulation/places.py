"""Places: the counties of the made-up city, its cells, and cells elsewhere.

Regions carry six-digit codes in the way of China's administrative divisions (GB/T 2260): two
digits for the province, two for the city, two for the county.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .draws import Draws, Ints
from .people import Circle, Population
from .settings import Settings

__all__ = ["CITY", "Places", "county_code", "n_counties"]

CITY = "330100"
PEOPLE_PER_COUNTY = 12_000
PEOPLE_PER_CELL = 300
LEAST_CELLS = 4
# Half of the cells elsewhere lie in the same province, half in others.
ELSEWHERE = tuple(f"33{city:02d}00" for city in range(2, 12)) + tuple(
    f"{province}0100" for province in (11, 31, 32, 34, 35, 36, 41, 44, 51, 61)
)


def n_counties(people: int) -> int:
    """Return how many counties a city with `people` customers gets."""
    return min(12, max(3, people // PEOPLE_PER_COUNTY))


def county_code(county: int) -> str:
    """Return the region code of a county of the city."""
    return f"{CITY[:4]}{county + 1:02d}"


@dataclass(frozen=True)
class Places:
    """Cells and who lives and works in which.

    Attributes
    ----------
    first_cell : int64 (n_counties + 1,)
        First cell of each county; cells elsewhere follow the last county.
    home, work : int32 (n_people,)
        Each person's cell at home and at work.
    names, regions : pyarrow.StringArray (n_cells,)
        Name and region code of each cell.
    """

    first_cell: Ints
    home: npt.NDArray[np.int32]
    work: npt.NDArray[np.int32]
    names: pa.StringArray
    regions: pa.StringArray

    @classmethod
    def draw(cls, settings: Settings, population: Population) -> Places:
        """Make the cells and give each person two of them."""
        draws = Draws(settings.seed, 2)
        counties = n_counties(settings.people)
        in_county = np.bincount(population.county, minlength=counties)
        n_cells = np.maximum(in_county // PEOPLE_PER_CELL, LEAST_CELLS)
        first_cell = np.concatenate([[0], np.cumsum(n_cells)]).astype(np.int64)
        home = _spread(population.village, population.county, first_cell, in_county)
        work = _workplace_cells(draws, population, first_cell)
        of_cell = np.repeat(np.arange(counties), n_cells)
        regions = [county_code(county) for county in of_cell.tolist()]
        regions.extend(ELSEWHERE)
        areas = draws.distinct(len(regions), 60_000)
        names = [
            f"{20_000 + cell // 40:05d}-{area:05d}" for cell, area in enumerate(areas.tolist())
        ]
        return cls(first_cell, home, work, pa.array(names), pa.array(regions))

    @property
    def n_home_cells(self) -> int:
        """Number of cells inside the city; the others lie elsewhere."""
        return int(self.first_cell[-1])

    def cell_in(self, draws: Draws, counties: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Return a random cell of each county."""
        low = self.first_cell[counties]
        span = self.first_cell[counties.astype(np.int64) + 1] - low
        return (low + draws.below(len(counties), span)).astype(np.int32)

    def table(self) -> pa.Table:
        """Return the cells as a table: `cell`, `region`."""
        return pa.table({"cell": self.names, "region": self.regions})


def _spread(
    village: Circle,
    county: npt.NDArray[np.int16],
    first_cell: Ints,
    in_county: npt.NDArray[np.intp],
) -> npt.NDArray[np.int32]:
    """Give neighbours the same cell: each county's people in order over its cells."""
    first_person = np.concatenate([[0], np.cumsum(in_county)])[:-1]
    villages = village.bounds[village.community]
    rank = villages - first_person[county]
    cells = np.diff(first_cell)[county]
    found: Ints = first_cell[county] + rank * cells // in_county[county]
    return found.astype(np.int32)


def _workplace_cells(
    draws: Draws, population: Population, first_cell: Ints
) -> npt.NDArray[np.int32]:
    circle = population.workplace
    members, places = circle.members, circle.places
    assert members is not None and places is not None  # noqa: S101, PT018 - for the type checker
    county = population.county[members[circle.bounds[:-1]]].astype(np.int64)
    low = first_cell[county]
    cell = low + draws.below(len(county), first_cell[county + 1] - low)
    return cell[circle.community[places]].astype(np.int32)
