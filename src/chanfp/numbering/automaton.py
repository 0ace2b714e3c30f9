"""Forms compiled into one table: a deterministic automaton that reads a text sign by sign.

The subset construction and the merging of equal states are the textbook ones (Aho, Sethi, Ullman
1986, sections 3.7 and 3.9). A text costs one table look-up per sign, however many rules there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .grammar import Family, Verdict
from .shortcuts import find_shortcuts

__all__ = ["Automaton", "compile_families", "symbol_of_byte"]

PLUS, STAR, HASH, LETTER, OTHER = 10, 11, 12, 13, 14
N_SYMBOLS = 15
SKIP, MULTIBYTE = 15, 16
ROW = 16
"""Columns of a state's row; a power of two, so that the kernel shifts instead of multiplying."""
MAX_STATES = 2**16

DIGITS = tuple(range(10))
ANY = tuple(range(N_SYMBOLS))
LITERALS = {"x": DIGITS, "+": (PLUS,), "*": (STAR,), "#": (HASH,), "A": (LETTER,)} | {
    str(digit): (digit,) for digit in DIGITS
}
SEPARATORS = b"\t\n\v\f\r -.()[]/'\""


@dataclass(frozen=True)
class Automaton:
    """Tables that the kernel walks.

    ``transitions[16 * state + symbol]`` is the next state. `codes`, `moduli` and `bases` have one
    entry per state: reason code, 10 to the number of key digits (0: no key), and what is added to
    those digits. `shortcuts` are those of `find_shortcuts`.
    """

    transitions: NDArray[np.uint16]
    shortcuts: NDArray[np.uint16]
    codes: NDArray[np.uint8]
    moduli: NDArray[np.uint64]
    bases: NDArray[np.uint64]


def symbol_of_byte() -> NDArray[np.uint8]:
    """Return what each byte of UTF-8 text is to the automaton, uint8 array of 256."""
    table = np.full(256, OTHER, np.uint8)
    table[0x80:] = MULTIBYTE
    for byte in range(0x80):
        sign = chr(byte)
        if sign.isalpha():
            table[byte] = LETTER
        elif byte in SEPARATORS:
            table[byte] = SKIP
        elif sign in LITERALS:
            table[byte] = LITERALS[sign][0]
    return table


def compile_families(families: Sequence[Family], default: Verdict) -> Automaton:
    """Return the automaton that gives each text the verdict of the first form that fits it.

    Raises
    ------
    DataError
        If a pattern can't be read, or the automaton would need more than 65536 states.
    """
    graph = _Graph()
    for family in families:
        ends = graph.add_pattern(family.prefix, 0)
        for ending in family.endings:
            graph.accept(graph.add_pattern(ending.pattern, ends), ending.verdict)
    rows, verdicts = _determinise(graph, default)
    rows, verdicts = _merge_equal_states(rows, verdicts)
    if len(rows) > MAX_STATES:
        raise DataError(
            f"a rule file may need at most {MAX_STATES} states, got {len(rows)}; "
            "simplify its patterns."
        )
    transitions = np.zeros((len(rows), ROW), np.uint16)
    transitions[:, :N_SYMBOLS] = np.array(rows)
    codes = np.array([verdict.code for verdict in verdicts], np.uint8)
    moduli = np.array(
        [10**verdict.key_digits if verdict.key_digits else 0 for verdict in verdicts], np.uint64
    )
    bases = np.array([verdict.key_base for verdict in verdicts], np.uint64)
    return Automaton(
        transitions=transitions.ravel(),
        shortcuts=find_shortcuts(transitions, codes, moduli, bases),
        codes=codes,
        moduli=moduli,
        bases=bases,
    )


@dataclass
class _Graph:
    """A nondeterministic automaton: state 0 is the start; lower ranks of verdicts win."""

    steps: list[list[tuple[tuple[int, ...], int]]] = field(default_factory=lambda: [[]])
    jumps: list[list[int]] = field(default_factory=lambda: [[]])
    verdicts: dict[int, int] = field(default_factory=dict)
    ranked: list[Verdict] = field(default_factory=list)

    def new_state(self) -> int:
        self.steps.append([])
        self.jumps.append([])
        return len(self.steps) - 1

    def step(self, start: int, symbols: tuple[int, ...]) -> int:
        end = self.new_state()
        self.steps[start].append((symbols, end))
        return end

    def loop(self, start: int, symbols: tuple[int, ...]) -> int:
        end = self.new_state()
        self.jumps[start].append(end)
        self.steps[end].append((symbols, end))
        return end

    def accept(self, state: int, verdict: Verdict) -> None:
        self.ranked.append(verdict)
        self.verdicts.setdefault(state, len(self.ranked) - 1)

    def add_pattern(self, pattern: str, start: int) -> int:
        """Add a pattern behind a state and return the state at its end."""
        end, at = self._add_choices(pattern, 0, start)
        if at != len(pattern):
            raise DataError(f"a pattern has a `)` too many: {pattern!r}.")
        return end

    def _add_choices(self, pattern: str, at: int, start: int) -> tuple[int, int]:
        end = self.new_state()
        while True:
            branch, at = self._add_sequence(pattern, at, start)
            self.jumps[branch].append(end)
            if at == len(pattern) or pattern[at] != "|":
                return end, at
            at += 1

    def _add_sequence(self, pattern: str, at: int, start: int) -> tuple[int, int]:
        # A state of its own, so that a loop or a choice never leaks into what shares `start`.
        here = self.new_state()
        self.jumps[start].append(here)
        while at < len(pattern) and pattern[at] not in "|)":
            before = here
            here, at = self._add_item(pattern, at, before)
            if pattern[at : at + 1] == "?":
                self.jumps[before].append(here)
                at += 1
        return here, at

    def _add_item(self, pattern: str, at: int, start: int) -> tuple[int, int]:
        sign = pattern[at]
        if sign == "(":
            end, at = self._add_choices(pattern, at + 1, start)
            if pattern[at : at + 1] != ")":
                raise DataError(f"a pattern lacks a `)`: {pattern!r}.")
            return end, at + 1
        if sign == "[":
            close = pattern.index("]", at)
            return self.step(start, _digit_set(pattern[at + 1 : close])), close + 1
        if pattern.startswith("...", at):
            return self.loop(start, DIGITS), at + 3
        if sign == "%":
            return self.loop(start, ANY), at + 1
        if sign not in LITERALS:
            raise DataError(f"a pattern may not hold {sign!r}: {pattern!r}.")
        return self.step(start, LITERALS[sign]), at + 1

    def closures(self) -> list[frozenset[int]]:
        """Return, for each state, the states reached without reading anything.

        Only states that read something or have a verdict are kept.
        """
        result = []
        for state in range(len(self.jumps)):
            seen, waiting = {state}, [state]
            while waiting:
                for target in self.jumps[waiting.pop()]:
                    if target not in seen:
                        seen.add(target)
                        waiting.append(target)
            result.append(frozenset(s for s in seen if self.steps[s] or s in self.verdicts))
        return result


def _digit_set(text: str) -> tuple[int, ...]:
    """Return the digits of ``2-8`` or ``1359`` or a mixture."""
    digits: list[int] = []
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-":
            digits += range(int(text[at]), int(text[at + 2]) + 1)
            at += 3
        else:
            digits.append(int(text[at]))
            at += 1
    return tuple(digits)


def _determinise(graph: _Graph, default: Verdict) -> tuple[list[list[int]], list[Verdict]]:
    closures = graph.closures()
    numbers = {closures[0]: 0}
    # Most signs lead where others led before, and looking that up beats uniting sets again.
    led: dict[tuple[int, ...], int] = {}
    waiting = [closures[0]]
    rows: list[list[int]] = []
    verdicts = []
    for subset in waiting:
        reached: list[list[int]] = [[] for _ in ANY]
        for state in subset:
            for symbols, target in graph.steps[state]:
                for symbol in symbols:
                    reached[symbol].append(target)
        row = []
        for targets in map(tuple, reached):
            if targets not in led:
                united = frozenset[int]().union(*(closures[target] for target in targets))
                if united not in numbers:
                    numbers[united] = len(numbers)
                    waiting.append(united)
                led[targets] = numbers[united]
            row.append(led[targets])
        rows.append(row)
        rank = min((graph.verdicts[s] for s in subset if s in graph.verdicts), default=None)
        verdicts.append(default if rank is None else graph.ranked[rank])
    return rows, verdicts


def _merge_equal_states(
    rows: list[list[int]], verdicts: list[Verdict]
) -> tuple[list[list[int]], list[Verdict]]:
    """Merge states that no text can tell apart (Moore's partition refinement).

    A state's signature, its group and the groups of its successors, is folded into 64 bits; the
    last line holds the result to the exact condition.
    """
    table = np.array(rows)
    order: dict[Verdict, int] = {}
    groups = np.array([order.setdefault(verdict, len(order)) for verdict in verdicts])
    powers = [pow(0x9E3779B97F4A7C15, n, 2**64) for n in range(1, N_SYMBOLS + 2)]
    weights = np.array(powers, np.uint64)
    while True:
        successors = np.column_stack([groups, groups[table]]).astype(np.uint64)
        _, first, finer = np.unique(successors @ weights, return_index=True, return_inverse=True)
        if len(first) == groups.max() + 1:
            break
        groups = finer
    # States are numbered by first appearance, so that the start stays state 0.
    appearance = np.argsort(first)
    renumber = np.empty(len(first), np.int64)
    renumber[appearance] = np.arange(len(first))
    successors = renumber[finer][table]
    merged = successors[first[appearance]]
    if not np.array_equal(merged[renumber[finer]], successors):
        raise DataError("two states of a rule file have the same signature; reorder its rules.")
    return merged.tolist(), [verdicts[state] for state in first[appearance]]
