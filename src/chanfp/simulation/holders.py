"""Holders: which of a person's numbers a contact reaches at a given second.

Most people hold one number throughout. For the others this decides, tie by tie and always the
same way for the same tie, which ties follow a person to the next number: strong ones nearly
always, weak ones about half (Hidalgo & Rodriguez-Sickert 2008), and when friends learn of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .draws import Ints, mix
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
    person : int64
        Whose side.
    second : int64
        From the start of the span.
    tie : uint32
        A constant of the tie.
    weight : int64
        The tie's chance of contact, in 65,536ths.
    begun : int64
        Second at which the tie began; negative for old ties.
    chance : uint16
        Uniform draw.
    """

    person: Ints
    second: Ints
    tie: npt.NDArray[np.uint32]
    weight: Ints
    begun: Ints
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
    changing : bool (n_people,)
        Persons whose number depends on the time.
    """

    def __init__(self, population: Population, lines: Lines) -> None:
        self.lines = lines
        self.first_line = _first_lines(population, lines)
        held = lines.person >= 0
        self._n_lines = np.bincount(lines.person[held], minlength=population.size).astype(np.uint8)
        self.changing = self._n_lines > 1
        short = held & ((lines.begin >= 0) | (lines.end < FOREVER))
        self.changing[lines.person[short]] = True
        self._most = int(self._n_lines.max(initial=1))

    def reach(self, contacts: Contacts, *, called: bool) -> tuple[npt.NDArray[np.int32], Ints]:
        """Return the line of each contact, and the rows that hit a dead number.

        A line of -1 says that the contact doesn't happen.
        """
        found = self.first_line[contacts.person]
        rows = np.flatnonzero(self.changing[contacts.person])
        if not len(rows):
            return found, rows
        line, dead = self._reach(contacts[rows], called=called)
        found[rows] = line
        return found, rows[dead & (line >= 0)]

    def _reach(self, contacts: Contacts, *, called: bool) -> tuple[Ints, npt.NDArray[np.bool_]]:
        n = len(contacts.person)
        current, last = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        lost = np.zeros(n, dtype=np.bool_)
        lines, second = self.lines, contacts.second
        first, n_lines = self.first_line[contacts.person], self._n_lines[contacts.person]
        leaning = (contacts.tie & np.uint32(0xFFFF)).astype(np.int64)
        leaning = np.where(contacts.chance < LOOSE, contacts.chance * np.int64(10), leaning)
        for step in range(self._most):
            line = first + np.minimum(step, n_lines - 1).astype(np.int64)
            begun = (step < n_lines) & (second >= lines.begin[line])
            moved = begun & (lines.old[line] >= 0) & (contacts.begun < lines.begin[line])
            lost |= moved & self._forgotten(contacts, line)
            alive = begun & (second < lines.end[line])
            age = np.minimum(second - lines.begin[line], lines.fading[line])
            share = lines.takeover[line] * age // lines.fading[line]
            current = np.where(alive & ((current < 0) | (leaning < share)), line, current)
            last = np.where(begun, line, last)
        gone = (current < 0) & (last >= 0)
        if called:
            result, dead = self._learn(contacts, np.where(gone, last, current), gone)
        else:
            result, dead = self._learn_newcomers(contacts, current), np.zeros(n, dtype=np.bool_)
        result[lost & ~dead] = -1
        result[dead & ~self._tried(contacts, result)] = -1
        return result, dead

    @staticmethod
    def _forgotten(contacts: Contacts, line: Ints) -> npt.NDArray[np.bool_]:
        """Ties that don't follow their person to this line."""
        fate = mix(contacts.tie ^ (line.astype(np.uint32) * np.uint32(2_654_435_761)))
        weight = contacts.weight
        kept = KEPT_WEAK + KEPT_RANGE * weight // (weight + KEPT_HALF)
        return (fate >> np.uint32(16)) > kept  # type: ignore[no-any-return]

    def _unaware(self, contacts: Contacts, line: Ints) -> npt.NDArray[np.bool_]:
        """Ties that don't know this line yet."""
        fate = (mix(contacts.tie ^ line.astype(np.uint32)) >> np.uint32(16)).astype(np.int64)
        delay = (fate * fate >> 16) * (LEARNING_DAYS * DAY) >> 16
        young = (line >= 0) & (self.lines.kind[line] > 0)
        old_tie = contacts.begun < self.lines.begin[line]
        return young & old_tie & (contacts.second < self.lines.begin[line] + delay)

    def _learn_newcomers(self, contacts: Contacts, line: Ints) -> Ints:
        """Let newcomers meet their ties one after another."""
        early = self._unaware(contacts, line) & (self.lines.kind[line] == NEW)
        return np.where(early, -1, line)

    def _learn(
        self, contacts: Contacts, line: Ints, gone: npt.NDArray[np.bool_]
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Send those who don't know the new number to the old one."""
        unaware = self._unaware(contacts, line) & ~gone
        old = self.lines.old[line]
        result = np.where(unaware, old, line)
        silent = (result >= 0) & (contacts.second >= self.lines.end[result])
        return result, silent

    def _tried(self, contacts: Contacts, line: Ints) -> npt.NDArray[np.bool_]:
        days = (contacts.second - self.lines.end[line]) // DAY
        tries = DEAD_TRIES >> np.clip(days // 10, 0, 15)
        return contacts.chance < tries  # type: ignore[no-any-return]


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
