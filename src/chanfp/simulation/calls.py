"""Calls: the records of one day.

A day is drawn in blocks of ties and blocks of customers. Each block of each day has a stream of
its own, so a day can be made alone, in any order, and nothing depends on how the records are cut
into batches afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from .draws import AnyInts, Draws, Ints, mix
from .holders import Contacts
from .lives import FARMED
from .rhythms import DURATIONS, MINUTES, is_weekend, kept_by_weekday
from .schemes import NEVER_USED_SHARE, USED_DAYS
from .services import GROUPS
from .settings import DAY
from .ties import BURSTS
from .world import World

__all__ = ["Records", "records_of_day"]

BLOCK_TIES = 1 << 18
BLOCK_CUSTOMERS = 1 << 17
SMS_SHARE = 0.22
UNANSWERED_SHARE = 0.06
# One call in thirty goes to somebody met by chance, or to a wrong number.
STRANGER_SHARE = 0.033
DEAD_SMS_SHARE = 0.15
AT_WORK_SHARE = 0.75
NEXT_CELL_SHARE = 0.08
AWAY_SHARE = 0.03
AWAY_DAYS = 3
OFFICE_HOURS = (9 * 3600, 17 * 3600)

NEVER = DAY

Fields = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Records:
    """Records as numbers, one entry each.

    Attributes
    ----------
    second : int32
        Second of the day; `NEVER` for a contact that didn't happen.
    caller, callee : int32
        Lines.
    duration : int32
        Seconds; 0 for messages and unanswered calls.
    cell : int32
        The caller's cell, or the number of cells where the caller is on another network.
    is_sms : bool
        Message, not call.
    caller_way, callee_way : uint8
        How the two numbers are written.
    """

    second: npt.NDArray[np.int32]
    caller: npt.NDArray[np.int32]
    callee: npt.NDArray[np.int32]
    duration: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    is_sms: npt.NDArray[np.bool_]
    caller_way: npt.NDArray[np.uint8]
    callee_way: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.second)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64]) -> Records:
        return Records(*(getattr(self, field.name)[rows] for field in fields(self)))


def records_of_day(world: World, day: int) -> Records:
    """Return all records of a day (0 is the first), in order of time.

    Records of the same second stand in the order in which they are drawn.
    """
    parts = [_tie_records(world, day, low) for low in range(0, len(world.ties), BLOCK_TIES)]
    parts += [
        _service_records(world, day, low) for low in range(0, len(world.customers), BLOCK_CUSTOMERS)
    ]
    if len(world.schemes.begin):
        parts.append(_farmed_records(world, day))
    columns = [[getattr(part, field.name) for part in parts] for field in fields(Records)]
    records = Records(*(np.concatenate(column) for column in columns))
    # The row number makes the keys distinct, so every way of sorting gives the same order.
    row = np.flatnonzero(records.second != NEVER)
    keys = records.second[row].astype(np.int64) << 40
    keys |= row
    keys.sort()
    keys &= (1 << 40) - 1
    return records[keys]


def _share(share: float) -> int:
    return int(share * 65_536)


def _tie_records(world: World, day: int, low: int) -> Records:
    """Return the records that one block of ties brings."""
    draws = Draws(world.settings.seed, 10, day, low // BLOCK_TIES)
    ties = world.ties
    chance = ties.chance[low : low + BLOCK_TIES]
    tie = low + np.flatnonzero(draws.u16(len(chance)) < chance)
    tie = tie[(ties.first_day[tie] <= day) & (day < ties.last_day[tie])]
    kept = kept_by_weekday(world.settings.first_day + timedelta(days=day))
    tie = tie[draws.u16(len(tie)) < kept[ties.circle[tie]]]
    # Row and column of a table of 16 x 256 in one number.
    burst = (ties.chance[tie] >> np.uint16(12)) << np.uint16(8)
    burst |= draws.u16(len(tie)) >> np.uint16(8)
    tie = np.repeat(tie, BURSTS.ravel()[burst])
    bits = draws.u16(8 * len(tie)).reshape(8, len(tie))
    fate = mix(tie.astype(np.uint32))
    owner, partner = ties.owner[tie], ties.partner[tie]
    strangers = np.flatnonzero(bits[7] < _share(STRANGER_SHARE))
    partner[strangers] = draws.below(len(strangers), world.population.size)
    # Strong ties are even, weak ones may go mostly one way.
    lean = 32_768 + (((fate >> np.uint32(8)).astype(np.int64) & 0x7FFF) - 16_384)
    outward = bits[0] < lean
    context = _Context(
        parties=(np.where(outward, owner, partner), np.where(outward, partner, owner)),
        fixed=None,
        tie=fate,
        weight=ties.chance[tie].astype(np.int32),
        begun=ties.first_day[tie].astype(np.int32) * np.int32(DAY),
        is_sms=bits[1] < _share(SMS_SHARE),
    )
    return _records(world, day, context, bits)


def _service_records(world: World, day: int, low: int) -> Records:
    """Return the records between one block of customers and the services."""
    draws = Draws(world.settings.seed, 11, day, low // BLOCK_CUSTOMERS)
    chance = world.service_chance[low : low + BLOCK_CUSTOMERS]
    person = world.customers[low + np.flatnonzero(draws.u16(len(chance)) < chance)]
    n = len(person)
    bits = draws.u16(8 * n).reshape(8, n)
    habit = mix(person.astype(np.uint32) ^ np.uint32(0x5BD1E995))
    share = np.cumsum(world.services.share)
    edges = (share / share[-1] * 65_536).astype(np.int64)
    group = np.searchsorted(edges, bits[0], side="right")
    other, special = world.services.contacts(
        group, world.population.village, person, habit, bits[7]
    )
    inbound = draws.u16(n) < np.array([_share(group.inbound) for group in GROUPS])[group]
    is_sms = bits[1] < np.array([_share(group.messages) for group in GROUPS])[group]
    special = np.where(special >= 0, special + world.numbers.first_special, -1)
    # A service stands in for its missing person; its line is put in at the end.
    known = np.where(other >= 0, other, person)
    context = _Context(
        parties=(np.where(inbound, known, person), np.where(inbound, person, known)),
        fixed=(np.where(inbound, special, -1), np.where(inbound, -1, special)),
        tie=habit,
        weight=np.full(n, 65_535, dtype=np.int64),
        begun=np.full(n, DAY * world.settings.days, dtype=np.int64),
        is_sms=is_sms,
    )
    return _records(world, day, context, bits)


def _farmed_records(world: World, day: int) -> Records:
    """Return what is done with farmed cards: a few short calls to a hotline or to one another."""
    draws = Draws(world.settings.seed, 20, day)
    lines, first = world.lines, world.numbers.first_special
    farmed = np.flatnonzero(lines.kind == FARMED)
    bits = draws.u16(4 * len(farmed)).reshape(4, len(farmed))
    used = mix(farmed.astype(np.uint32)) >> np.uint32(16) >= _share(NEVER_USED_SHARE)
    age = day * DAY + DAY - lines.begin[farmed]
    calls = used & (age > 0) & (age < USED_DAYS * DAY) & (bits[0] < _share(0.2))
    line, bits = farmed[calls], bits[:, calls]
    n = len(line)
    # In the hours of the shop, and after the card was first in use.
    second = 14 * 3600 + (bits[1].astype(np.int32) * 4 * 3600 >> 16)
    another = (bits[2] & np.uint16(3) == 0) & (lines.together[line] != line)
    plain = np.zeros(n, dtype=np.uint8)
    return Records(
        second=second,
        caller=line.astype(np.int32),
        callee=np.where(another, lines.together[line], first).astype(np.int32),
        duration=(bits[3] >> np.uint16(12)).astype(np.int32),
        cell=lines.home[line],
        is_sms=np.zeros(n, dtype=np.bool_),
        caller_way=plain,
        callee_way=plain,
    )


@dataclass(frozen=True)
class _Context:
    """Contacts before it is known which lines they reach.

    `parties` are the calling and the called person; `fixed` gives lines that belong to no person,
    -1 elsewhere. The rest is as in `Contacts` and `Records`.
    """

    parties: tuple[AnyInts, AnyInts]
    fixed: tuple[Ints, Ints] | None
    tie: npt.NDArray[np.uint32]
    weight: AnyInts
    begun: AnyInts
    is_sms: npt.NDArray[np.bool_]


def _records(
    world: World,
    day: int,
    context: _Context,
    bits: Fields,
) -> Records:
    """Turn contacts between persons into records between lines.

    The eight rows of `bits` are uniform draws: 0 direction, 1 kind, 2 time, 3 whether it reaches
    anybody, 4 duration, 5 and 6 ways of writing, 7 who. Places come from mixtures of them.
    """
    second = _seconds(world, day, context, bits[2])
    now = second + np.int32(day * DAY)
    caller, callee = (
        Contacts(person, now, context.tie, context.weight, context.begun, bits[3])
        for person in context.parties
    )
    caller_line, _ = world.holders.reach(caller, called=False)
    callee_line, dead = world.holders.reach(callee, called=True)
    if context.fixed is not None:
        caller_line, callee_line = (
            np.where(service >= 0, service, line).astype(np.int32)
            for service, line in zip(context.fixed, (caller_line, callee_line), strict=True)
        )
    duration = DURATIONS[bits[4] >> np.uint16(3)]
    # Messages are at the low end of this draw, so these are calls.
    duration[bits[1] >= 65_536 - _share(UNANSWERED_SHARE)] = 0
    is_sms = context.is_sms
    duration[is_sms] = 0
    duration[dead] = 0
    is_sms[dead] &= bits[4][dead] < 4 * _share(DEAD_SMS_SHARE)
    second[(caller_line < 0) | (callee_line < 0) | (caller_line == callee_line)] = NEVER
    return Records(
        second=second,
        caller=caller_line,
        callee=callee_line,
        duration=duration,
        cell=_cells(world, day, caller_line, second, bits),
        is_sms=is_sms,
        caller_way=world.numbers.ways(caller_line, bits[5], called=False, is_sms=is_sms),
        callee_way=world.numbers.ways(callee_line, bits[6], called=True, is_sms=is_sms),
    )


def _seconds(world: World, day: int, context: _Context, chance: Fields) -> npt.NDArray[np.int32]:
    """Return the second of the day at which the customer's rhythm places each contact."""
    clock = context.parties[0]
    if context.fixed is not None:
        # Services have no rhythm; the customers they call have.
        clock = np.where(context.fixed[0] >= 0, context.parties[1], clock)
    weekend = int(is_weekend(world.settings.first_day + timedelta(days=day)))
    level = world.rhythm[clock].astype(np.int32) * np.int32(MINUTES.shape[2])
    level += chance >> np.uint16(6)
    second: npt.NDArray[np.int32] = MINUTES[weekend].ravel()[level] * np.int32(60)
    second += (chance & np.uint16(63)) * np.uint16(15) >> np.uint16(4)
    return second


def _cells(
    world: World,
    day: int,
    caller: npt.NDArray[np.int32],
    second: npt.NDArray[np.int32],
    bits: Fields,
) -> npt.NDArray[np.int32]:
    """Return the caller's cell: at home, at work, next door, or away for some days."""
    lines, places = world.lines, world.places
    line = np.where(caller < len(lines), caller, 0)
    chance = bits[7] ^ bits[4]
    cell = lines.home[line]
    if not is_weekend(world.settings.first_day + timedelta(days=day)):
        office = (second >= OFFICE_HOURS[0]) & (second < OFFICE_HOURS[1])
        at_work = np.flatnonzero(office & (chance < _share(AT_WORK_SHARE)))
        cell[at_work] = lines.work[line[at_work]]
    stray = np.flatnonzero((bits[6] ^ bits[2]) < _share(NEXT_CELL_SHARE))
    stray = stray[cell[stray] < places.n_home_cells]
    cell[stray] = (cell[stray] + 1) % places.n_home_cells
    trip = mix(line.astype(np.uint32) * np.uint32(4099) + np.uint32(day // AWAY_DAYS))
    away = np.flatnonzero((trip & np.uint32(0xFFFF)) < _share(AWAY_SHARE))
    n_away = len(places.names) - places.n_home_cells
    # Nearby cities see more of the travellers.
    rank = (trip[away] >> np.uint32(16)).astype(np.int64)
    cell[away] = places.n_home_cells + (rank * rank >> 16) * n_away // 65_536
    cell[caller >= len(lines)] = len(places.names)
    return cell
