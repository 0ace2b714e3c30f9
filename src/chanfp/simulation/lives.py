"""Lives: who leaves, who comes back, who joins, and when their numbers were in use.

The first and last second of *use* is drawn here; the dates in the subscriber table are later or
earlier than that and belong to `lines`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Draws, Floats, Ints, exponential, lognormal
from .people import Population
from .settings import DAY, Settings

__all__ = ["FOREVER", "KINDS", "Lives"]

HELD, RETURNER, PARTIAL, WANDERER, ADDED, NEW, FARMED = range(7)
KINDS = (
    "held", "returner", "partial-replacement", "wanderer", "additional-number", "new", "farmed",
)  # fmt: skip
FOREVER = 2**31 - 1
TENURE_YEARS = 3.0
LONGEST_TENURE_DAYS = 12 * 365.0
# Gap between the last use of the old and the first use of the new number: median 4 days,
# from two hours to weeks; some buy the new card before the old one falls silent.
GAP_MEDIAN_DAYS = 4.0
GAP_SIGMA = 1.5
MEDIAN_OVER_MEAN = 0.3246524674  # of a lognormal with that sigma: exp(-sigma^2 / 2)
LEAST_GAP_DAYS = 1 / 12
OVERLAP_SHARE = 0.08
OVERLAP_DAYS = 10.0
# Of the returners, those who come back with somebody of their family, days apart.
TOGETHER_SHARE = 0.3
TOGETHER_DAYS = 3.0
# Newcomers sit in families that somebody just left this many times as often as elsewhere: the
# child who gets a phone of its own when a parent changes carrier.
NEWCOMER_NEAR_LEAVER = 8.0
# Of the newcomers, those who follow a leaver into a shop, an office or a household and keep up
# its contacts (`successor_share`). To a method that looks at partners alone they look like
# returners.
SUCCESSION_DAYS = (-10.0, 20.0)
# A number that was held on the first day has an unknown beginning, years ago.
MONTH_DAYS = 30.0


@dataclass(frozen=True)
class Lives:
    """Periods of use, in no order: seconds from the start of the span.

    Attributes
    ----------
    person : int64
        Holder, a row of the population.
    begin, end : int64
        First second of use and the second after the last; `FOREVER` where use goes on.
    kind : int8
        Row of `KINDS`.
    together : int64
        Number of the group that came back together, or -1.
    successors, predecessors : int64 (n_successors,)
        Newcomers who follow a leaver of their family and keep up many of the same contacts.
    """

    person: Ints
    begin: Ints
    end: Ints
    kind: npt.NDArray[np.int8]
    together: Ints
    successors: Ints
    predecessors: Ints

    @classmethod
    def draw(cls, settings: Settings, population: Population) -> Lives:
        """Decide the fate of every customer."""
        draws = Draws(settings.seed, 4)
        fates = _Fates(draws, settings, population)
        leavers = fates.take(settings.leaver_share, 1.0 / (0.15 + population.activity))
        returners = fates.take(settings.returner_share, 1.0 / (0.5 + population.activity))
        pieces = [_leavers(draws, settings, leavers)]
        pieces += _returners(draws, settings, fates, returners)
        pieces += _wanderers(draws, settings, fates.take(settings.wanderer_share))
        # Who replaces a number bit by bit uses it enough for the fading to show.
        pieces += _partials(
            draws, settings, fates.take(settings.partial_share, population.activity)
        )
        pieces += _added(draws, settings, fates.take(settings.added_share))
        successors, predecessors = _successors(settings, fates, leavers)
        near = population.family.community
        left = np.bincount(near[leavers], minlength=len(population.family.bounds) - 1) > 0
        drawn_in = np.where(left[near], NEWCOMER_NEAR_LEAVER, 1.0)
        others = fates.take(settings.newcomer_share, drawn_in, less=len(successors))
        newcomers = np.concatenate([successors, others])
        begin = _between(draws, len(newcomers), 0.02, 0.98, settings)
        begin[: len(successors)] = _takeover_begin(draws, settings, predecessors, pieces[0])
        pieces.append(_piece(newcomers, begin, FOREVER, NEW))
        rest = np.flatnonzero(fates.free)
        pieces.append(_piece(rest, _tenure(draws, len(rest)), FOREVER, HELD))
        second = rest[draws.uniform(len(rest)) < settings.dual_share]
        pieces.append(_piece(second, _tenure(draws, len(second)), FOREVER, HELD))
        columns = (np.concatenate(column) for column in zip(*pieces, strict=True))
        person, begin, end, kind, together = columns
        return cls(person, begin, end, kind, together, successors, predecessors)


Piece = tuple[Ints, Ints, Ints, npt.NDArray[np.int8], Ints]


class _Fates:
    """Hands out people, each at most once."""

    def __init__(self, draws: Draws, settings: Settings, population: Population) -> None:
        self.free = population.on_net.copy()
        self.family = population.family.community
        self._draws = draws
        self._settings = settings

    def take(self, share: float, weights: Floats | None = None, *, less: int = 0) -> Ints:
        people = np.flatnonzero(self.free)
        chances = np.ones(len(people)) if weights is None else weights[people]
        taken = people[self._draws.lightest(chances, self._settings.count(share) - less)]
        self.free[taken] = False
        return taken

    def take_relatives(self, people: Ints) -> Ints:
        """Take one free member of each person's family, -1 where there is none."""
        relatives = np.full(len(people), -1, dtype=np.int64)
        for step in (1, -1, 2, -2, 3, -3):
            found = np.clip(people + step, 0, len(self.free) - 1)
            fits = (relatives < 0) & self.free[found] & (self.family[found] == self.family[people])
            # Two seekers of one family may find the same person; the first gets it.
            _, first = np.unique(found[fits], return_index=True)
            rows = np.flatnonzero(fits)[first]
            relatives[rows] = found[rows]
            self.free[found[rows]] = False
        return relatives


def _piece(
    person: Ints, begin: Ints, end: Ints | int, kind: int, together: Ints | None = None
) -> Piece:
    n = len(person)
    group = np.full(n, -1, dtype=np.int64) if together is None else together
    ends = np.full(n, end, dtype=np.int64) if isinstance(end, int) else end
    return person, begin, ends, np.full(n, kind, dtype=np.int8), group


def _between(draws: Draws, n: int, low: float, high: float, settings: Settings) -> Ints:
    return ((low + (high - low) * draws.uniform(n)) * settings.span).astype(np.int64)


def _tenure(draws: Draws, n: int) -> Ints:
    days = draws.pick(exponential(), n) * (TENURE_YEARS * 365.0) + 1.0
    days = np.minimum(days, LONGEST_TENURE_DAYS + MONTH_DAYS * draws.uniform(n))
    return -(days * DAY).astype(np.int64)


def _leavers(draws: Draws, settings: Settings, people: Ints) -> Piece:
    end = _between(draws, len(people), 0.02, 0.98, settings)
    return _piece(people, _tenure(draws, len(people)), end, HELD)


def _successors(settings: Settings, fates: _Fates, leavers: Ints) -> tuple[Ints, Ints]:
    """Let some leavers' places be taken by a newcomer of the same family."""
    wanted = int(settings.count(settings.newcomer_share) * settings.successor_share)
    relatives = fates.take_relatives(leavers[-wanted:] if wanted else leavers[:0])
    found = np.flatnonzero(relatives >= 0)
    return relatives[found], leavers[len(leavers) - len(relatives) + found]


def _takeover_begin(draws: Draws, settings: Settings, predecessors: Ints, leavers: Piece) -> Ints:
    """Start successors within weeks of the day on which their predecessors left."""
    person, _, end, _, _ = leavers
    order = np.argsort(person, kind="stable")
    left = end[order[np.searchsorted(person[order], predecessors)]]
    days = SUCCESSION_DAYS[0] + draws.uniform(len(left)) * (SUCCESSION_DAYS[1] - SUCCESSION_DAYS[0])
    begin = left + (days * DAY).astype(np.int64)
    return np.clip(begin, int(0.02 * settings.span), int(0.98 * settings.span))


def _gaps(draws: Draws, n: int, settings: Settings) -> Ints:
    """Return gaps in seconds; negative where old and new number overlap."""
    days = draws.pick(lognormal(GAP_SIGMA), n) * (GAP_MEDIAN_DAYS / MEDIAN_OVER_MEAN)
    days = np.clip(days, LEAST_GAP_DAYS, 0.5 * settings.days)
    overlap = draws.uniform(n) * min(OVERLAP_DAYS, 0.2 * settings.days)
    days = np.where(draws.uniform(n) < OVERLAP_SHARE, -overlap, days)
    return (days * DAY).astype(np.int64)


def _returners(draws: Draws, settings: Settings, fates: _Fates, people: Ints) -> list[Piece]:
    n = len(people)
    gap = _gaps(draws, n, settings)
    earliest = int(0.08 * settings.span)
    latest = int(0.93 * settings.span) - np.maximum(gap, 0)
    end = earliest + (draws.uniform(n) * (latest - earliest)).astype(np.int64)
    begin = np.maximum(end + gap, int(0.03 * settings.span))
    group = np.full(n, -1, dtype=np.int64)
    # The companions take the places of the last returners, so that the share stays as asked.
    n_leaders = int(n * TOGETHER_SHARE / 2)
    relatives = fates.take_relatives(people[:n_leaders])
    led = np.flatnonzero(relatives >= 0)
    group[led] = led
    late = n - 1 - np.arange(len(led), dtype=np.int64)
    fates.free[people[late]] = True
    people, gap = people.copy(), gap.copy()
    people[late] = relatives[led]
    apart = min(TOGETHER_DAYS, 0.02 * settings.days) * DAY
    end[late] = end[led] + (apart * (draws.uniform(len(led)) - 0.5)).astype(np.int64)
    begin[late] = begin[led] + (apart * (draws.uniform(len(led)) - 0.5)).astype(np.int64)
    group[late] = led
    return [
        _piece(people, _tenure(draws, n), end, HELD, group),
        _piece(people, begin, FOREVER, RETURNER, group),
    ]


def _wanderers(draws: Draws, settings: Settings, people: Ints) -> list[Piece]:
    """Two or three re-entries, each a few days after the number before."""
    n = len(people)
    thrice = draws.uniform(n) < 0.3
    begin = _tenure(draws, n)
    pieces: list[Piece] = []
    for kind, low, high in ((HELD, 0.15, 0.25), (WANDERER, 0.40, 0.50), (WANDERER, 0.68, 0.78)):
        last = (~thrice) if low > 0.6 else np.zeros(n, dtype=np.bool_)
        end = _between(draws, n, low, high, settings)
        pieces.append(_piece(people, begin, np.where(last, FOREVER, end), kind))
        begin = end + _between(draws, n, 0.002, 0.08, settings)
    pieces.append(_piece(people[thrice], begin[thrice], FOREVER, WANDERER))
    return pieces


def _partials(draws: Draws, settings: Settings, people: Ints) -> list[Piece]:
    begin = _between(draws, len(people), 0.2, 0.8, settings)
    return [
        _piece(people, _tenure(draws, len(people)), FOREVER, HELD),
        _piece(people, begin, FOREVER, PARTIAL),
    ]


def _added(draws: Draws, settings: Settings, people: Ints) -> list[Piece]:
    begin = _between(draws, len(people), 0.05, 0.9, settings)
    return [
        _piece(people, _tenure(draws, len(people)), FOREVER, HELD),
        _piece(people, begin, FOREVER, ADDED),
    ]
