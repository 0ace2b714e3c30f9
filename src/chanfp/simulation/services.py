"""Services: hotlines, banks, message ports, couriers, city hubs and telesales.

Nearly everybody has contact with them, so they say nothing about who a person is. Hotlines and
ports are told by their numbers; couriers, city hubs and telesales have ordinary numbers and are
told only by how many people they reach (AT&T: 90 % of numbers have in-degree of 8 or less; Becker
et al., Technometrics 52, 2010). Of the busiest numbers 3.46 % are robots and telesales (Jiang et
al., PNAS 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Draws, Floats, Ints
from .lives import Lives
from .people import Circle, Population
from .settings import Settings

__all__ = ["GROUPS", "Group", "Services"]


@dataclass(frozen=True)
class Group:
    """Services of one sort.

    Attributes
    ----------
    share : float
        Share of the contacts with all services.
    inbound, messages : float
        Share of contacts that come from the service; share that are short messages.
    numbers : tuple of str
        The numbers; empty where they are drawn.
    n_drawn : int
        How many to draw.
    """

    share: float
    inbound: float
    messages: float
    numbers: tuple[str, ...] = ()
    n_drawn: int = 0


OPERATOR = ("10086", "10086", "10086", "12580", "1008611", "10658888")
BANKS = ("95588", "95533", "95599", "95566", "95559", "95555", "95580", "95568")
PUBLIC = ("12306", "114", "12345", "95539", "12121", "12315", "95518", "95511")
EMERGENCY = ("110", "120", "119", "122")
COURIERS, HUBS, TELESALES = 6, 7, 8
GROUPS = (
    Group(0.10, 0.25, 0.5, OPERATOR),
    Group(0.09, 0.45, 0.6, BANKS),
    Group(0.03, 0.05, 0.0, PUBLIC),
    Group(0.006, 0.0, 0.0, EMERGENCY),
    Group(0.044, 0.2, 0.0, n_drawn=40),  # 400 and 800 numbers
    Group(0.26, 0.98, 1.0, n_drawn=60),  # message ports 106...
    Group(0.26, 0.7, 0.15),
    Group(0.12, 0.3, 0.05),
    Group(0.09, 1.0, 0.1),
)
PEOPLE_PER_COURIER = 700
PEOPLE_PER_HUB = 4000
PEOPLE_PER_TELESALES = 3000


@dataclass(frozen=True)
class Services:
    """Who the services are.

    Attributes
    ----------
    special : tuple of str
        Numbers that are no ordinary numbers; groups 0 to 5 one after another.
    first_special : int64 (7,)
        First number of each of those groups.
    couriers, hubs, telesales : int64
        People whose numbers serve as such; couriers sorted by where they live.
    share : float64 (9,)
        Contacts with each of `GROUPS`, all of them together 1 if hubs are as many as usual.
    """

    special: tuple[str, ...]
    first_special: Ints
    couriers: Ints
    hubs: Ints
    telesales: Ints
    share: Floats

    @classmethod
    def draw(cls, settings: Settings, population: Population, lives: Lives) -> Services:
        """Choose the services among steady people and draw the special numbers."""
        draws = Draws(settings.seed, 7)
        groups = [group.numbers for group in GROUPS[:4]]
        toll_free = draws.distinct(GROUPS[4].n_drawn, 10_000_000)
        groups.append(
            tuple(
                f"{'800' if row % 8 == 7 else '400'}{digits:07d}"
                for row, digits in enumerate(toll_free.tolist())
            )
        )
        ports = draws.distinct(GROUPS[5].n_drawn, 100_000_000)
        groups.append(tuple(f"1069{digits:08d}" for digits in ports.tolist()))
        steady = np.ones(population.size, dtype=np.bool_)
        changing = lives.person[(lives.kind > 0) | (lives.end < 2**31 - 1)]
        steady[changing] = False
        people = np.flatnonzero(steady)
        people = people[draws.order(len(people))]
        counts = [
            max(3, int(settings.hub_factor * population.size) // reach)
            for reach in (PEOPLE_PER_COURIER, PEOPLE_PER_HUB, PEOPLE_PER_TELESALES)
        ]
        couriers, hubs, telesales = np.split(people[: sum(counts)], np.cumsum(counts)[:2])
        return cls(
            special=tuple(number for group in groups for number in group),
            first_special=np.cumsum([0, *(len(group) for group in groups)]).astype(np.int64),
            couriers=np.sort(couriers),
            hubs=hubs,
            telesales=telesales,
            # Further hubs are as busy as the others.
            share=np.array(
                [
                    group.share * (settings.hub_factor if row >= COURIERS else 1.0)
                    for row, group in enumerate(GROUPS)
                ]
            ),
        )

    def contacts(
        self,
        group: Ints,
        village: Circle,
        person: Ints,
        habit: npt.NDArray[np.uint32],
        chance: npt.NDArray[np.uint16],
    ) -> tuple[Ints, Ints]:
        """Return for each contact the other person, or -1 and a special number.

        Parameters
        ----------
        group : int64 (n,)
            Row of `GROUPS`.
        village : Circle
            Places couriers by village.
        person : int64 (n,)
            The customer.
        habit : uint32 (n,)
            The customer's own constant: whose bank, which courier.
        chance : uint16 (n,)
            Uniform; three in four contacts follow the habit.
        """
        loose = chance.astype(np.int64)
        own = np.where(loose < 49_152, habit >> np.uint32(8), loose).astype(np.int64)
        other = np.full(len(group), -1, dtype=np.int64)
        special = np.full(len(group), -1, dtype=np.int64)
        fixed = np.flatnonzero(group < COURIERS)
        low = self.first_special[group[fixed]]
        size = self.first_special[group[fixed] + 1] - low
        # Ports and toll-free numbers are many and nobody keeps to one.
        free = np.where(group[fixed] >= 4, loose[fixed], own[fixed])
        special[fixed] = low + free % size
        rows = np.flatnonzero(group == COURIERS)
        centre = village.bounds[village.community[person[rows]]]
        nearest = np.searchsorted(self.couriers, centre)
        other[rows] = self.couriers[(nearest + own[rows] % 3) % len(self.couriers)]
        for kind, members in ((HUBS, self.hubs), (TELESALES, self.telesales)):
            rows = np.flatnonzero(group == kind)
            choice = own[rows] if kind == HUBS else loose[rows]
            other[rows] = members[choice % len(members)]
        return other, special
