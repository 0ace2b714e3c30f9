"""World: everything about a made-up carrier that doesn't depend on the day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .draws import Draws, Ints
from .handsets import Handsets
from .holders import Holders
from .lines import Lines
from .lives import Lives
from .numbers import Numbers
from .people import Population
from .places import Places, n_counties
from .rhythms import draw_rhythms
from .schemes import Schemes
from .services import Services
from .settings import Settings
from .ties import TIE_SHARE, Ties

__all__ = ["World"]


@dataclass(frozen=True)
class World:
    """The parts, in the order in which they are drawn."""

    settings: Settings
    population: Population
    places: Places
    schemes: Schemes
    ties: Ties
    lines: Lines
    services: Services
    handsets: Handsets
    numbers: Numbers
    rhythm: npt.NDArray[np.uint8]

    @classmethod
    def draw(cls, settings: Settings) -> World:
        """Make the carrier of `settings`."""
        population = Population.draw(settings, n_counties(settings.people))
        places = Places.draw(settings, population)
        lives = Lives.draw(settings, population)
        schemes = Schemes.draw(settings, population, n_counties(settings.people))
        lines = Lines.draw(settings, population, places, lives, schemes)
        services = Services.draw(settings, population, lives)
        return cls(
            settings=settings,
            population=population,
            places=places,
            schemes=schemes,
            ties=Ties.draw(settings, population, lives),
            lines=lines,
            services=services,
            handsets=Handsets.draw(settings, lines),
            numbers=Numbers.draw(settings, population, lines, services),
            rhythm=draw_rhythms(Draws(settings.seed, 9), population.county.astype(np.int64)),
        )

    @cached_property
    def holders(self) -> Holders:
        """Who answers at which number."""
        return Holders(self.population, self.lines)

    @cached_property
    def customers(self) -> Ints:
        """The carrier's own people."""
        return np.flatnonzero(self.population.on_net)

    @cached_property
    def service_chance(self) -> npt.NDArray[np.uint16]:
        """Each customer's chance of a contact with a service per day, in 65,536ths."""
        per_day = self.settings.events_per_month / 30 * (1.0 - TIE_SHARE)
        per_day *= self.settings.service_factor
        # Even quiet people get messages from their bank.
        chance = per_day * (0.5 + 0.5 * self.population.activity[self.customers])
        return np.minimum(chance * 65_536, 60_000).astype(np.uint16)
