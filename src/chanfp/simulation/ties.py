"""Ties: who calls whom, how often, from which day to which.

A person's ties are picks inside circles - family, kin and village neighbours, workplace, the wide
city - at distances with a heavy tail, which gives dense, overlapping communities. A tie ends after
a life that grows with its weight and falls off as a power law (Hidalgo & Rodriguez-Sickert 2008;
Raeder et al. 2011); its place is taken by a new tie of the same weight, so that partners turn over
while the shape of the weights stays (Saramäki et al., PNAS 111:942, 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Draws, Floats, Ints, lognormal, lomax
from .lives import Lives
from .people import FAMILY_SIZES, Population
from .settings import Settings

__all__ = ["BURSTS", "FAMILY", "WORK", "Ties", "rows_per_day"]

FAMILY, KIN, VILLAGE, WORK, WIDE = range(5)
# Picks per person (family: everybody at home), and relative calls per tie.
PICKS = (0.0, 1.8, 2.4, 2.6, 2.2)
# Further picks are partners of one's family, kin or workmates: friends of friends, who close
# triangles and give people who live or work together much the same partners.
COPIED_PICKS = 5.0
COPIED_AT_WORK = 0.25
# Of a leaver's partners, those that a successor takes over.
INHERITED_SHARE = 0.9
# ... and how many contacts of their own successors have, against other people.
OWN_CONTACTS_OF_SUCCESSORS = 0.15
RATES = (2.0, 1.5, 0.8, 1.0, 0.8)
# How far, in places of the circle, most picks lie.
REACH = (1.0, 2.5, 6.0, 2.0)
FURTHEST_KIN = 12
# In denser communities more picks meet the same people; so many more make up for it.
MORE_PICKS = 0.4
WEIGHT_SIGMA = 1.1
# Days with a call bring on average 1.2 records on weak ties and up to 4 on the strongest.
BURST_LEVELS = 16
LONGEST_BURST = 12
# Lomax life: 43 % of the weakest new ties outlive 15 days, a third of the strong ones a year.
LIFE_EXPONENT = 0.6
LIFE_WEAK_DAYS = 5.0
LIFE_STRONG_DAYS = 150.0
LIFE_OF_OLD_TIES = 2.5
NEVER = 32_767
# The busiest weekday of a circle over its mean, so that thinning can lower the other days.
PEAK = np.array([1.25, 1.25, 1.2, 1.3, 1.2])
# Share of all records that ties bring; the rest is services, hubs and telesales.
TIE_SHARE = 0.83
# Contacts that don't happen because one side has no number at the time.
LOST_SHARE = 0.07


def _bursts() -> npt.NDArray[np.uint8]:
    table = np.ones((BURST_LEVELS, 256), dtype=np.uint8)
    for level in range(BURST_LEVELS):
        probability = (level + 0.5) / BURST_LEVELS
        repeat = 1.0 - 1.0 / (1.2 + 3.2 * probability * probability)
        for column in range(256):
            tail, length = repeat, 1
            while (column + 0.5) / 256 < tail and length < LONGEST_BURST:
                tail, length = tail * repeat, length + 1
            table[level, column] = length
    return table


# Records on one day of contact, by the tie's chance of contact (rows) and a uniform byte.
BURSTS = _bursts()


def rows_per_day() -> Floats:
    """Return the mean records per day for each of the 65,536 chances of contact."""
    level = np.arange(65_536, dtype=np.int64)
    length = BURSTS.astype(np.int64).sum(axis=1) / 256
    rows: Floats = (level + 0.5) / 65_536 * length[level * BURST_LEVELS // 65_536]
    return rows


@dataclass(frozen=True)
class Ties:
    """All ties of the span, one entry each, sorted by owner; 13 bytes per tie.

    Attributes
    ----------
    owner, partner : int32
        The two people; the owner is on the network.
    chance : uint16
        Chance of contact on a day, in 65,536ths.
    first_day, last_day : int16
        Days of the span on which the tie lives: first_day <= day < last_day.
    circle : uint8
        Where the two know each other from.
    """

    owner: npt.NDArray[np.int32]
    partner: npt.NDArray[np.int32]
    chance: npt.NDArray[np.uint16]
    first_day: npt.NDArray[np.int16]
    last_day: npt.NDArray[np.int16]
    circle: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.owner)

    @classmethod
    def draw(cls, settings: Settings, population: Population, lives: Lives) -> Ties:
        """Make the ties of the first day and those that replace them later."""
        draws = Draws(settings.seed, 3)
        owner, partner, circle = _first_ties(draws, population, lives)
        rate = np.sqrt(population.activity[owner] * population.activity[partner])
        rate *= np.array(RATES)[circle] * draws.pick(lognormal(WEIGHT_SIGMA), len(owner))
        chance = _chances(rate, circle, settings)
        slots = _Slots(owner, partner, chance, circle)
        generations = _generations(draws, population, settings.days, slots)
        columns = [np.concatenate(parts) for parts in zip(*generations, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        return cls(*(column[order] for column in columns))


def _pick(draws: Draws, population: Population, circle: int, owners: Ints) -> Ints:
    n = len(owners)
    if circle == WIDE:
        return draws.below(n, population.size)
    scale = REACH[circle] / population.density
    steps = 1 + np.minimum(draws.pick(lomax(1.2), n) * scale, 1e6).astype(np.int64)
    steps = np.where(draws.u16(n) & 1, steps, -steps)
    if circle == KIN:
        # Kin live next door: close places of the village, whatever the family.
        most = max(1, int(FURTHEST_KIN / population.density))
        steps = np.clip(steps, -most, most)
    around = population.workplace if circle == WORK else population.village
    return around.neighbours(owners, steps)


def _first_ties(
    draws: Draws, population: Population, lives: Lives
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    n_people = population.size
    sociability = population.sociability.copy()
    sociability[lives.successors] *= OWN_CONTACTS_OF_SUCCESSORS
    sociability = sociability[population.on_net]
    pairs, circle = _own_picks(draws, population, sociability)
    more, more_circle = _copies(draws, population, sociability, pairs, circle)
    pairs, circle = _distinct(np.concatenate([pairs, more]), np.concatenate([circle, more_circle]))
    more, more_circle = _inherited(draws, population, lives, pairs, circle)
    pairs, circle = _distinct(np.concatenate([pairs, more]), np.concatenate([circle, more_circle]))
    low, high = np.divmod(pairs, n_people)
    # The owner is on the network, and either of the two as often as the other.
    swap = (draws.u16(len(pairs)) & 1).astype(bool) & population.on_net[high]
    swap |= ~population.on_net[low]
    owner = np.where(swap, high, low).astype(np.int32)
    partner = np.where(swap, low, high).astype(np.int32)
    return owner, partner, circle


def _own_picks(
    draws: Draws, population: Population, sociability: Floats
) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Return everybody's family, and whom people know by themselves."""
    people = np.flatnonzero(population.on_net)
    n_people = population.size
    keys: list[Ints] = []
    circles: list[npt.NDArray[np.uint8]] = []
    family = population.family.community
    everybody = np.arange(n_people, dtype=np.int64)
    for step in range(1, int(FAMILY_SIZES.max())):
        low, high = everybody[:-step], everybody[step:]
        both = family[low] == family[high]
        both &= population.on_net[low] | population.on_net[high]
        keys.append(low[both] * n_people + high[both])
        circles.append(np.full(len(keys[-1]), FAMILY, dtype=np.uint8))
    for circle in (KIN, VILLAGE, WORK, WIDE):
        more = 1.0 if circle == WIDE else 1.0 + MORE_PICKS * (population.density - 1.0)
        owners = np.repeat(people, draws.rounded(PICKS[circle] * sociability * more))
        found = _pick(draws, population, circle, owners)
        pair = np.minimum(owners, found) * n_people + np.maximum(owners, found)
        keys.append(pair[owners != found])
        circles.append(np.full(len(keys[-1]), circle, dtype=np.uint8))
    return _distinct(np.concatenate(keys), np.concatenate(circles))


def _distinct(pairs: Ints, circle: npt.NDArray[np.uint8]) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Keep each pair once, in the circle named first: the closer one."""
    found, first = np.unique(pairs, return_index=True)
    return found, circle[first]


def _copies(
    draws: Draws,
    population: Population,
    sociability: Floats,
    pairs: Ints,
    circle: npt.NDArray[np.uint8],
) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Let people know partners of those they live or work with."""
    n_people = population.size
    # Pairs are sorted by their lower member, so that member's pairs are a run.
    low, high = np.divmod(pairs, n_people)
    starts = np.searchsorted(low, np.arange(n_people + 1))
    people = np.flatnonzero(population.on_net)
    owners = np.repeat(people, draws.rounded(COPIED_PICKS * sociability))
    steps = 1 + draws.below(len(owners), 3)
    steps = np.where(draws.u16(len(owners)) & 1, steps, -steps)
    at_work = draws.uniform(len(owners)) < COPIED_AT_WORK
    around = population.family.neighbours(owners, steps)
    around[at_work] = population.workplace.neighbours(owners[at_work], steps[at_work])
    n_known = starts[around + 1] - starts[around]
    usable = np.flatnonzero((n_known > 0) & (around != owners))
    owners, around = owners[usable], around[usable]
    row = starts[around] + draws.below(len(around), n_known[usable])
    found = high[row]
    copied = np.minimum(owners, found) * n_people + np.maximum(owners, found)
    known = owners != found
    return copied[known], np.maximum(circle[row], KIN)[known].astype(np.uint8)


def _inherited(
    draws: Draws,
    population: Population,
    lives: Lives,
    pairs: Ints,
    circle: npt.NDArray[np.uint8],
) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Hand partners of some leavers on to the newcomers who follow them."""
    n_people = population.size
    heir = np.full(n_people, -1, dtype=np.int64)
    heir[lives.predecessors] = lives.successors
    keys: list[Ints] = []
    circles: list[npt.NDArray[np.uint8]] = []
    low, high = np.divmod(pairs, n_people)
    for leaver, partner in ((low, high), (high, low)):
        follows = (heir[leaver] >= 0) & (heir[leaver] != partner)
        rows = np.flatnonzero(follows)
        rows = rows[draws.uniform(len(rows)) < INHERITED_SHARE]
        one, other = heir[leaver[rows]], partner[rows]
        keys.append(np.minimum(one, other) * n_people + np.maximum(one, other))
        circles.append(np.maximum(circle[rows], KIN).astype(np.uint8))
    return np.concatenate(keys), np.concatenate(circles)


def _chances(
    rate: Floats, circle: npt.NDArray[np.uint8], settings: Settings
) -> npt.NDArray[np.uint16]:
    """Scale the rates so that all ties together bring the wanted records."""
    wanted = settings.events_per_month / 30 * settings.people * TIE_SHARE / (1.0 - LOST_SHARE)
    by_chance = rows_per_day()
    whole = np.floor(by_chance * 2**24).astype(np.int64)
    peak = PEAK[circle]
    rate = rate * peak
    # Integers, because the sum of floats depends on the order of summation.
    scale = wanted / (int(np.floor(rate / peak * 2**20).astype(np.int64).sum()) / 2**20)
    for _ in range(4):
        chance = np.searchsorted(by_chance[:-1], rate * scale)
        got = np.floor(whole[chance] / peak).astype(np.int64).sum()
        scale *= wanted * 2**24 / int(got)
    return np.maximum(chance, 1).astype(np.uint16)


def _lives(draws: Draws, chance: npt.NDArray[np.uint16], stretch: float) -> Floats:
    weight = chance.astype(np.float64)
    strength = weight / (weight + 4000.0)
    scale = stretch * (LIFE_WEAK_DAYS + LIFE_STRONG_DAYS * strength)
    return 1.0 + scale * draws.pick(lomax(LIFE_EXPONENT), len(chance))


@dataclass(frozen=True)
class _Slots:
    """Places in people's lives that one tie after another may take."""

    owner: npt.NDArray[np.int32]
    partner: npt.NDArray[np.int32]
    chance: npt.NDArray[np.uint16]
    circle: npt.NDArray[np.uint8]

    def __getitem__(self, rows: npt.NDArray[np.intp]) -> _Slots:
        return _Slots(self.owner[rows], self.partner[rows], self.chance[rows], self.circle[rows])

    def refilled(self, draws: Draws, population: Population) -> _Slots:
        """Put a new partner of the same circle into each slot."""
        partner = np.empty(len(self.owner), dtype=np.int32)
        for circle in (KIN, VILLAGE, WORK, WIDE):
            rows = np.flatnonzero(self.circle == circle)
            owners = self.owner[rows].astype(np.int64)
            partner[rows] = _pick(draws, population, circle, owners)
        return _Slots(self.owner, partner, self.chance, self.circle)


def _generations(
    draws: Draws, population: Population, days: int, slots: _Slots
) -> list[tuple[npt.NDArray[np.generic], ...]]:
    """Let ties end and others begin in their places, until the span is over."""
    begin = np.full(len(slots.owner), -1.0)
    end = _lives(draws, slots.chance, LIFE_OF_OLD_TIES)
    end[slots.circle == FAMILY] = NEVER
    generations: list[tuple[npt.NDArray[np.generic], ...]] = []
    while len(begin):
        first = np.floor(begin).astype(np.int16)
        last = np.minimum(np.floor(end), NEVER).astype(np.int16)
        generations.append((slots.owner, slots.partner, slots.chance, first, last, slots.circle))
        over = np.flatnonzero(end < days)
        begin, slots = end[over], slots[over].refilled(draws, population)
        others = np.flatnonzero(slots.owner != slots.partner)
        begin, slots = begin[others], slots[others]
        end = begin + _lives(draws, slots.chance, 1.0)
    return generations
