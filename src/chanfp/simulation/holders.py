"""Holders: which of a person's numbers a contact reaches at a given second.

Most people hold one number throughout. For the others this decides, tie by tie and always the
same way for the same tie, which ties follow a person to the next number: strong ones nearly
always, weak ones about half (Hidalgo & Rodriguez-Sickert 2008), and when friends learn of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import AnyInts, Ints, mix
from .lines import Lines
from .lives import FOREVER, NEW
from .people import Population
from .settings import DAY

__all__ = ["Contacts", "Holders"]

# Of the ties a returner had: the weakest and the strongest share that follows, in 65,536ths, and
# the chance of contact per day, in 65,536ths, at which half of the way is gone.
KEPT_WEAK = 26_000
KEPT_RANGE = 39_000
KEPT_HALF = 2500
# One contact in ten goes to the other of two live numbers.
LOOSE = 6554
# Friends learn of a new number within this many days, most of them soon.
LEARNING_DAYS = 20
# A dead number is still tried this often at first, in 65,536ths; each ten days halve it.
DEAD_TRIES = 16_000


@dataclass(frozen=True)
class Contacts:
    """One side of some contacts; one entry each.

    Attributes
    ----------
    person : int
        Whose side.
    second : int
        From the start of the span.
    tie : uint32
        A constant of the tie.
    weight : int
        The tie's chance of contact, in 65,536ths.
    begun : int
        Second at which the tie began; negative for old ties.
    chance : uint16
        Uniform draw.
    """

    person: AnyInts
    second: AnyInts
    tie: npt.NDArray[np.uint32]
    weight: AnyInts
    begun: AnyInts
    chance: npt.NDArray[np.uint16]

    def __getitem__(self, rows: Ints) -> Contacts:
        return Contacts(
            self.person[rows],
            self.second[rows],
            self.tie[rows],
            self.weight[rows],
            self.begun[rows],
            self.chance[rows],
        )


class Holders:
    """Finds the line of a person at a second.

    Attributes
    ----------
    first_line : int32 (n_people,)
        Each person's first line; other carriers' customers have just the one.
    """

    def __init__(self, population: Population, lines: Lines) -> None:
        self.lines = lines
        self.first_line = _first_lines(population, lines)
        held = lines.person >= 0
        self._n_lines = np.bincount(lines.person[held], minlength=population.size).astype(np.uint8)
        changing = self._n_lines > 1
        short = held & ((lines.begin >= 0) | (lines.end < FOREVER))
        changing[lines.person[short]] = True
        # One look-up says both: persons whose number depends on the time are negative.
        self._coded = np.where(changing, -1 - self.first_line, self.first_line)
        self._most = int(self._n_lines.max(initial=1))

    def reach(self, contacts: Contacts, *, called: bool) -> tuple[npt.NDArray[np.int32], Ints]:
        """Return the line of each contact, and the rows that hit a dead number.

        A line of -1 says that the contact doesn't happen.
        """
        found = self._coded[contacts.person]
        rows = np.flatnonzero(found < 0)
        if len(rows):
            line, dead = self._reach(contacts[rows], called=called)
            found[rows] = line
            rows = rows[dead]
        return found, rows

    def _reach(self, contacts: Contacts, *, called: bool) -> tuple[Ints, npt.NDArray[np.bool_]]:
        lines, second = self.lines, contacts.second
        first = self.first_line[contacts.person].astype(np.int64)
        begun = second >= lines.begin[first]
        last = np.where(begun, first, -1)
        current = np.where(begun & (second < lines.end[first]), first, -1)
        lost = np.zeros(len(first), dtype=np.bool_)
        n_lines = self._n_lines[contacts.person]
        for step in range(1, self._most):
            rows = np.flatnonzero(n_lines > step)
            if not len(rows):
                break
            line = first[rows] + step
            begun = second[rows] >= lines.begin[line]
            rows, line = rows[begun], line[begun]
            last[rows] = line
            current[rows], lost[rows] = self._move(contacts[rows], line, current[rows], lost[rows])
        gone = (current < 0) & (last >= 0)
        if called:
            result, dead = self._learn(contacts, np.where(gone, last, current), gone)
        else:
            result, dead = self._meet(contacts, current), np.zeros(len(first), dtype=np.bool_)
        result[lost & ~dead] = -1
        tried = np.flatnonzero(dead)
        result[tried[~self._tried(contacts[tried], result[tried])]] = -1
        return result, dead & (result >= 0)

    def _move(
        self, contacts: Contacts, line: Ints, current: Ints, lost: npt.NDArray[np.bool_]
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Move ties on to a further line that has begun, if they go with it."""
        lines, second = self.lines, contacts.second
        leaning = (contacts.tie & np.uint32(0xFFFF)).astype(np.int64)
        loose = contacts.chance.astype(np.int64)
        leaning = np.where(loose < LOOSE, loose * 10, leaning)
        moved = (lines.old[line] >= 0) & (contacts.begun < lines.begin[line])
        lost = lost | (moved & self._forgotten(contacts, line))
        age = np.minimum(second - lines.begin[line], lines.fading[line])
        share = lines.takeover[line] * age // lines.fading[line]
        follows = (second < lines.end[line]) & ((current < 0) | (leaning < share))
        return np.where(follows, line, current), lost

    @staticmethod
    def _forgotten(contacts: Contacts, line: Ints) -> npt.NDArray[np.bool_]:
        """Ties that don't follow their person to this line."""
        fate = mix(contacts.tie ^ (line.astype(np.uint32) * np.uint32(2_654_435_761)))
        weight = contacts.weight
        kept = KEPT_WEAK + KEPT_RANGE * weight // (weight + KEPT_HALF)
        return (fate >> np.uint32(16)) > kept

    def _unaware(self, contacts: Contacts, line: Ints) -> npt.NDArray[np.bool_]:
        """Ties that don't know this line yet; `line` is one that began inside the span."""
        fate = (mix(contacts.tie ^ line.astype(np.uint32)) >> np.uint32(16)).astype(np.int64)
        delay = (fate * fate >> 16) * (LEARNING_DAYS * DAY) >> 16
        begin = self.lines.begin[line]
        return (contacts.begun < begin) & (contacts.second < begin + delay)

    def _meet(self, contacts: Contacts, line: Ints) -> Ints:
        """Let newcomers meet their ties one after another."""
        young = np.flatnonzero((line >= 0) & (self.lines.kind[line] == NEW))
        line[young[self._unaware(contacts[young], line[young])]] = -1
        return line

    def _learn(
        self, contacts: Contacts, line: Ints, gone: npt.NDArray[np.bool_]
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Send those who don't know the new number to the old one."""
        young = np.flatnonzero((line >= 0) & (self.lines.kind[line] > 0) & ~gone)
        unaware = young[self._unaware(contacts[young], line[young])]
        line[unaware] = self.lines.old[line[unaware]]
        return line, (line >= 0) & (contacts.second >= self.lines.end[line])

    def _tried(self, contacts: Contacts, line: Ints) -> npt.NDArray[np.bool_]:
        days = (contacts.second - self.lines.end[line]) // DAY
        tries = DEAD_TRIES >> np.clip(days // 10, 0, 15)
        tried: npt.NDArray[np.bool_] = contacts.chance < tries
        return tried


def _first_lines(population: Population, lines: Lines) -> npt.NDArray[np.int32]:
    first = np.full(population.size, -1, dtype=np.int64)
    rows = np.flatnonzero(lines.person >= 0)
    # Written backwards, so that the first of a person's lines stays.
    first[lines.person[rows[::-1]]] = rows[::-1]
    abroad = ~population.on_net
    mobile = np.flatnonzero(abroad & ~population.landline)
    landline = np.flatnonzero(population.landline)
    first[mobile] = len(lines) + np.arange(len(mobile))
    first[landline] = len(lines) + len(mobile) + np.arange(len(landline))
    return first.astype(np.int32)
