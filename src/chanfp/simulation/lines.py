"""Lines: every number that can stand in a record, and who held it from when to when.

The carrier's own subscriptions come first, sorted by holder and begin, then numbers that left
before the span, farmed cards, the numbers of other carriers' customers, services.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Draws, Floats, Ints
from .lives import ADDED, FARMED, FOREVER, HELD, NEW, PARTIAL, RETURNER, Lives
from .people import Population
from .places import Places
from .schemes import CARDS_PER_HANDSET, Schemes
from .settings import DAY, Settings

__all__ = ["QUIET_DAYS", "Lines"]

# A number rests this long between two customers.
QUIET_DAYS = 90
# Share of its holder's ties that a further number takes over (low, high), and how fast.
TAKEOVER = {HELD: (0.2, 0.5), PARTIAL: (0.7, 0.9), ADDED: (0.25, 0.5)}
TAKEOVER_OF_RETURN = (0.7, 0.95)
FADING_DAYS = 20
# Closure: some sign off in person, the rest is closed for arrears weeks after the last use.
SIGN_OFF_SHARE = 0.15
CLOSURE_DAYS = (20.0, 90.0)
# Dealers activate cards before they sell them.
SOLD_AT_ONCE_SHARE = 0.6
SOLD_SOON_SHARE = 0.25
SHELF_DAYS = (15.0, 60.0)
MOVED_SHARE = 0.12


@dataclass(frozen=True)
class Lines:
    """Subscriptions of the carrier, one entry each; times in seconds from the span's start.

    Attributes
    ----------
    person : int64
        Holder; -1 for numbers that left before the span, whose holders are out of sight, and for
        farmed cards, which have none.
    begin, end : int64
        Use, as in `Lives`.
    kind : int8
        Row of `KINDS`.
    together : int64
        Group that came back together, or -1; of farmed cards the line whose handset they share.
    old : int64
        Line this one replaced, or -1.
    activated, closed : int64
        Dates as the subscriber table will give them; `closed` is `FOREVER` for numbers in use.
    number_of : int64
        Line whose number this one has: itself, or the departed line whose number it inherited.
    takeover : int64
        Share of the holder's ties that move here from a number still in use, in 65,536ths.
    fading : int64
        Seconds until the takeover is complete.
    home, work : int32
        Cells.
    is_emigrant : bool
        Came back from another city, with another handset.
    """

    person: Ints
    begin: Ints
    end: Ints
    kind: npt.NDArray[np.int8]
    together: Ints
    old: Ints
    activated: Ints
    closed: Ints
    number_of: Ints
    takeover: Ints
    fading: Ints
    home: npt.NDArray[np.int32]
    work: npt.NDArray[np.int32]
    is_emigrant: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.person)

    @property
    def is_new(self) -> npt.NDArray[np.bool_]:
        """Lines first used inside the span."""
        new: npt.NDArray[np.bool_] = self.kind != HELD
        return new

    @classmethod
    def draw(
        cls,
        settings: Settings,
        population: Population,
        places: Places,
        lives: Lives,
        schemes: Schemes,
    ) -> Lines:
        """Lay the lives out as lines and add the numbers that are issued again."""
        draws = Draws(settings.seed, 5)
        order = np.lexsort((lives.begin, lives.person))
        person, begin, end = lives.person[order], lives.begin[order], lives.end[order]
        kind = lives.kind[order]
        activated = begin - _shelf(draws, kind)
        closed = np.where(end < FOREVER, end + _closure(draws, len(end)), FOREVER)
        number_of, ghosts = _reissue(draws, settings, kind, activated, closed)
        home, work = _cells(draws, population, places, person, kind)
        is_emigrant = _emigrate(settings, places, kind, home, work)
        takeover = _takeover(draws, kind)
        n_ghosts = len(ghosts)
        ghost_cell = places.cell_in(draws, population.county[draws.below(n_ghosts, len(person))])
        ghost_end = ghosts - _closure(draws, n_ghosts)
        ghost_begin = ghost_end - DAY * (30 + draws.below(n_ghosts, 2000))

        def more(column: Ints, ghost: Ints | int) -> Ints:
            values = np.broadcast_to(np.asarray(ghost, dtype=column.dtype), n_ghosts)
            return np.concatenate([column, values])

        whole = np.arange(len(person), len(person) + n_ghosts)
        lines = cls(
            person=more(person, -1),
            begin=more(begin, ghost_begin),
            end=more(end, ghost_end),
            kind=np.concatenate([kind, np.full(n_ghosts, HELD, dtype=np.int8)]),
            together=more(lives.together[order], -1),
            old=more(_replaced(person, kind), -1),
            activated=more(activated, ghost_begin),
            closed=more(closed, ghosts),
            number_of=more(number_of, whole),
            takeover=more(takeover, 0),
            fading=more(np.where(kind == PARTIAL, FADING_DAYS * DAY, 1), 1),
            home=np.concatenate([home, ghost_cell]),
            work=np.concatenate([work, ghost_cell]),
            is_emigrant=np.concatenate([is_emigrant, np.zeros(n_ghosts, dtype=np.bool_)]),
        )
        return lines if not len(schemes.begin) else _with_farmed(settings, lines, places, schemes)


def _with_farmed(settings: Settings, lines: Lines, places: Places, schemes: Schemes) -> Lines:
    """Add the cards that nobody uses, activated a moment before in the outlet's back room."""
    draws = Draws(settings.seed, 18)
    n, first = len(schemes.begin), len(lines)
    room = places.cell_in(draws, schemes.county.astype(np.int16))[schemes.farmed_at]
    rank = np.arange(n) - np.searchsorted(schemes.farmed_at, schemes.farmed_at)
    values = {
        "person": -1,
        "begin": schemes.begin,
        "end": FOREVER,
        "kind": FARMED,
        "together": first + np.arange(n) - rank % CARDS_PER_HANDSET,
        "old": -1,
        "activated": schemes.begin - 60 - draws.below(n, 600),
        "closed": FOREVER,
        "number_of": first + np.arange(n),
        "takeover": 0,
        "fading": 1,
        "home": room,
        "work": room,
        "is_emigrant": False,
    }
    columns = {}
    for name, value in values.items():
        column = getattr(lines, name)
        columns[name] = np.concatenate(
            [column, np.broadcast_to(np.asarray(value, column.dtype), n)]
        )
    return Lines(**columns)


def _replaced(person: Ints, kind: npt.NDArray[np.int8]) -> Ints:
    before = np.arange(len(person), dtype=np.int64) - 1
    return np.where((kind != HELD) & (kind != NEW) & (kind != ADDED), before, -1)


def _days(draws: Draws, n: int, low: float, high: float) -> Floats:
    return low + (high - low) * draws.uniform(n)


def _shelf(draws: Draws, kind: npt.NDArray[np.int8]) -> Ints:
    """Return the seconds from activation to first use."""
    n = len(kind)
    choice = draws.uniform(n)
    days = np.where(
        choice < SOLD_AT_ONCE_SHARE,
        _days(draws, n, 0.01, 0.1),
        np.where(
            choice < SOLD_AT_ONCE_SHARE + SOLD_SOON_SHARE,
            _days(draws, n, 0.1, SHELF_DAYS[0]),
            _days(draws, n, *SHELF_DAYS),
        ),
    )
    return (days * DAY).astype(np.int64)


def _closure(draws: Draws, n: int) -> Ints:
    """Return the seconds from last use to closure in the table."""
    signed_off = draws.uniform(n) < SIGN_OFF_SHARE
    days = np.where(signed_off, _days(draws, n, 0.02, 2.0), _days(draws, n, *CLOSURE_DAYS))
    return (days * DAY).astype(np.int64)


def _reissue(
    draws: Draws, settings: Settings, kind: npt.NDArray[np.int8], activated: Ints, closed: Ints
) -> tuple[Ints, Ints]:
    """Give some newcomers the number of a departed line that has been quiet for long enough.

    Returns the line each number comes from, and the closures of the lines that left before the
    span, which are numbered after all others.
    """
    number_of = np.arange(len(kind), dtype=np.int64)
    newcomers = np.flatnonzero(kind == NEW)
    wanted = int(len(newcomers) * settings.recycled_share + 0.5)
    heirs = newcomers[draws.order(len(newcomers))[:wanted]]
    heirs = heirs[np.argsort(activated[heirs], kind="stable")]
    departed = np.flatnonzero(closed < FOREVER)
    departed = departed[np.argsort(closed[departed], kind="stable")]
    ready = closed[departed] + QUIET_DAYS * DAY
    n_ready = np.searchsorted(ready, activated[heirs], side="right")
    # Both are in order of time, so the k-th heir may have the k-th departed number as soon as
    # more than k of them are ready; the others inherit from before the span.
    inside = n_ready > np.arange(len(heirs))
    number_of[heirs[inside]] = departed[np.flatnonzero(inside)]
    outside = heirs[~inside]
    number_of[outside] = len(kind) + np.arange(len(outside))
    pause = QUIET_DAYS * DAY + (_days(draws, len(outside), 0.0, 120.0) * DAY).astype(np.int64)
    return number_of, np.minimum(activated[outside], 0) - pause


def _takeover(draws: Draws, kind: npt.NDArray[np.int8]) -> Ints:
    low = np.full(len(kind), TAKEOVER_OF_RETURN[0])
    high = np.full(len(kind), TAKEOVER_OF_RETURN[1])
    for of_kind, (least, most) in TAKEOVER.items():
        low[kind == of_kind], high[kind == of_kind] = least, most
    share: Floats = low + (high - low) * draws.uniform(len(kind))
    return np.floor(share * 65_536).astype(np.int64)


def _cells(
    draws: Draws,
    population: Population,
    places: Places,
    person: Ints,
    kind: npt.NDArray[np.int8],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return home and work cells; some come back from another corner of the city."""
    home, work = places.home[person], places.work[person]
    re_entry = (kind != HELD) & (kind != NEW)
    moved = np.flatnonzero(re_entry & (draws.uniform(len(kind)) < MOVED_SHARE))
    county = population.county[draws.below(len(moved), population.size)]
    home[moved] = places.cell_in(draws, county)
    work[moved] = places.cell_in(draws, county)
    return home, work


def _emigrate(
    settings: Settings,
    places: Places,
    kind: npt.NDArray[np.int8],
    home: npt.NDArray[np.int32],
    work: npt.NDArray[np.int32],
) -> npt.NDArray[np.bool_]:
    """Send some returners to other cities, in place, and say which."""
    draws = Draws(settings.seed, 19)
    chance = draws.uniform(len(kind))
    is_emigrant = np.asarray((kind == RETURNER) & (chance < settings.emigrant_share), np.bool_)
    n_elsewhere = len(places.names) - places.n_home_cells
    cell = places.n_home_cells + draws.below(int(is_emigrant.sum()), n_elsewhere)
    home[is_emigrant] = work[is_emigrant] = cell
    return is_emigrant
