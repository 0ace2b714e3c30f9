"""People: who lives with whom and works with whom, on this carrier and on the others.

Customers of other carriers are people too: they sit in the same families, villages and
workplaces, so newcomers and leavers of one family share partners on every network. Everybody is
a row number; families and villages are runs of neighbouring rows, workplaces runs of a second
order, so a community needs two bounds and no list of members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Draws, Floats, Ints, lognormal
from .settings import Settings

__all__ = ["FAMILY_SIZES", "ON_NET_SHARE", "Circle", "Population"]

# China Mobile's share of mobile customers in its strong years, roughly.
ON_NET_SHARE = 0.6
LANDLINE_SHARE = 0.06
FAMILY_SIZES = np.array([1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7], dtype=np.int64)
VILLAGE_SIZE = 90.0
LEAST_OVER_MEAN = 20.0 / 90.0
WORKPLACE_SIZE = 14.0
# Partner counts are neither lognormal nor a pure power law (Seshadri et al., KDD 2008); a wide
# lognormal for activity on top of another for the number of ties gives a tail between the two.
ACTIVITY_SIGMA = 0.9
DEGREE_SIGMA = 0.95


@dataclass(frozen=True)
class Circle:
    """An order of all people, cut into communities.

    Attributes
    ----------
    members : int32 (n_people,) or None
        Person at each place; None where person and place are the same number.
    places : int32 (n_people,) or None
        Place of each person.
    community : int32 (n_people,)
        Community of each *place*, ascending.
    bounds : int64 (n_communities + 1,)
        First place of each community.
    """

    members: npt.NDArray[np.int32] | None
    places: npt.NDArray[np.int32] | None
    community: npt.NDArray[np.int32]
    bounds: Ints

    def neighbours(self, persons: Ints, steps: Ints) -> Ints:
        """Return the person `steps` places on in each person's community, round its end."""
        places = persons if self.places is None else self.places[persons].astype(np.int64)
        community = self.community[places]
        low = self.bounds[community]
        size = self.bounds[community + 1] - low
        found = low + (places - low + steps) % size
        return found if self.members is None else self.members[found].astype(np.int64)


@dataclass(frozen=True)
class Population:
    """Everybody of the made-up city; arrays have one entry per person.

    Attributes
    ----------
    family, village, workplace : Circle
        The communities.
    county : int16
        County of residence.
    on_net : bool
        Customer of the simulated carrier at some time.
    landline : bool
        Has a fixed line of another carrier instead of a mobile number.
    activity, sociability : float64
        Factors with mean 1 on the rate of calls and on the number of ties.
    density : float
        How many times as dense villages and workplaces are as usual: so many times fewer people
        with as many ties.
    """

    family: Circle
    village: Circle
    workplace: Circle
    county: npt.NDArray[np.int16]
    on_net: npt.NDArray[np.bool_]
    landline: npt.NDArray[np.bool_]
    activity: Floats
    sociability: Floats
    density: float

    @property
    def size(self) -> int:
        """Number of people on all networks."""
        return len(self.on_net)

    @classmethod
    def draw(cls, settings: Settings, n_counties: int) -> Population:
        """Make the people of `settings`."""
        draws = Draws(settings.seed, 1)
        size = int(settings.people / ON_NET_SHARE)
        family = _runs(draws, size, FAMILY_SIZES[draws.below(size, len(FAMILY_SIZES))])
        village = _villages(draws, size, family, VILLAGE_SIZE / settings.density)
        county = _counties(village, n_counties)
        on_net = _choose_on_net(draws, settings.people, family)
        return cls(
            family=family,
            village=village,
            workplace=_workplaces(draws, county, WORKPLACE_SIZE / settings.density),
            county=county,
            on_net=on_net,
            landline=~on_net & (draws.uniform(size) < LANDLINE_SHARE),
            activity=draws.pick(lognormal(ACTIVITY_SIGMA), size),
            sociability=draws.pick(lognormal(DEGREE_SIGMA), size),
            density=settings.density,
        )


def _circle(bounds: Ints, members: npt.NDArray[np.int32] | None = None) -> Circle:
    community = np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds))
    places = None
    if members is not None:
        places = np.empty(len(members), dtype=np.int32)
        places[members] = np.arange(len(members), dtype=np.int32)
    return Circle(members, places, community, bounds)


def _runs(draws: Draws, size: int, lengths: Ints) -> Circle:
    ends = np.cumsum(lengths)
    ends = ends[: np.searchsorted(ends, size)]
    return _circle(np.concatenate([[0], ends, [size]]).astype(np.int64))


def _villages(draws: Draws, size: int, family: Circle, mean_size: float) -> Circle:
    n_draws = int(3 * size / mean_size) + 2
    least = LEAST_OVER_MEAN * mean_size
    lengths = np.maximum(draws.pick(lognormal(0.6), n_draws) * mean_size, least)
    ends = np.cumsum(lengths.astype(np.int64))
    # A village ends where a family ends.
    ends = family.bounds[np.searchsorted(family.bounds, ends[ends < size])]
    return _circle(np.unique(np.concatenate([[0], ends, [size]])).astype(np.int64))


def _counties(village: Circle, n_counties: int) -> npt.NDArray[np.int16]:
    # The first county is the biggest: shares fall like 1, 1/2, 1/3 ...
    shares = np.cumsum(1.0 / np.arange(1, n_counties + 1))
    middle = (village.bounds[:-1] + village.bounds[1:]) / (2.0 * village.bounds[-1])
    of_village = np.searchsorted(shares, middle * shares[-1]).astype(np.int16)
    return of_village[village.community]  # type: ignore[no-any-return]


def _workplaces(draws: Draws, county: npt.NDArray[np.int16], mean_size: float) -> Circle:
    size = len(county)
    shuffled = draws.order(size)
    members = shuffled[np.argsort(county[shuffled], kind="stable")].astype(np.int32)
    lengths = draws.pick(lognormal(1.2), int(6 * size / mean_size) + 2) * mean_size
    ends = np.cumsum(np.maximum(lengths, 3.0).astype(np.int64))
    ends = ends[ends < size - 3]
    return _circle(np.concatenate([[0], ends, [size]]).astype(np.int64), members)


def _choose_on_net(draws: Draws, people: int, family: Circle) -> npt.NDArray[np.bool_]:
    # Families lean to one carrier: half of the choice is the family's.
    size = len(family.community)
    lean = draws.uniform(len(family.bounds) - 1)[family.community] + draws.uniform(size)
    on_net = np.zeros(size, dtype=np.bool_)
    on_net[np.argsort(lean, kind="stable")[:people]] = True
    return on_net
