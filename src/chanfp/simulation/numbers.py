"""Numbers: the text of every line, and the many ways a record can write it.

The rates of other ways of writing, of broken and of empty numbers are `Settings`; how they are
shared out stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .digits import decimal_text
from .draws import Draws, Ints
from .lines import Lines
from .lives import FARMED
from .people import Population
from .schemes import CARDS_PER_HANDSET
from .services import Services
from .settings import Settings

__all__ = ["Numbers"]

# Mobile prefixes of the simulated carrier and of the two others.
ON_NET_PREFIXES = (134, 135, 136, 137, 138, 139, 147, 150, 151, 152, 157, 158, 159, 182, 187, 188)
OFF_NET_PREFIXES = (130, 131, 132, 133, 153, 155, 156, 180, 185, 186, 189)
AREA_CODE = "0571"
LOCAL_DIGITS = 8

# Ways of writing a number, in the order of the codes that records carry.
PLAIN, SPACED, HYPHENED, LOCAL, EMPTY, CUT, LETTERS = range(7)
PREFIXES = ("+86", "0086", "86", "0", "17951", "12593", "17909")
FIRST_PREFIX = 7
FIRST_DIALLED = 10
# Shares among the numbers that are not written plainly. IP-call prefixes are dialled, so only
# the called number has them; caller numbers get +86 and 86 at the border between networks.
CALLER_WAYS = {7: 0.6, 8: 0.15, 9: 0.25}
CALLEE_WAYS = {7: 0.25, 8: 0.1, 9: 0.1, 10: 0.2, 11: 0.15, 12: 0.1, 13: 0.03, SPACED: 0.04,
               HYPHENED: 0.03}  # fmt: skip
LANDLINE_WAYS = {7: 0.3, 8: 0.1, HYPHENED: 0.3, 11: 0.1, LOCAL: 0.2}
DIRT_WAYS = {EMPTY: 0.4, CUT: 0.4, LETTERS: 0.2}
MOBILE, LANDLINE, SPECIAL = range(3)
LEVELS = 16_384
STRIPS = 10**8 // CARDS_PER_HANDSET


@dataclass(frozen=True)
class Numbers:
    """Text of all lines.

    Attributes
    ----------
    text : pyarrow.StringArray (n_all_lines,)
        Plain text: 11 digits, or a landline with its area code, or a special number.
    first_landline, first_special : int
        Where landlines and special numbers begin; mobile numbers come before both.
    caller_ways, callee_ways : uint8 (3, 16384)
        Way of writing by sort of line and uniform draw.
    """

    text: pa.StringArray
    first_landline: int
    first_special: int
    caller_ways: npt.NDArray[np.uint8]
    callee_ways: npt.NDArray[np.uint8]

    @classmethod
    def draw(
        cls, settings: Settings, population: Population, lines: Lines, services: Services
    ) -> Numbers:
        """Write a number for each line."""
        draws = Draws(settings.seed, 8)
        on_net = _in_strips(_mobile(draws, len(lines), ON_NET_PREFIXES), lines)[lines.number_of]
        n_landline = int(population.landline.sum())
        n_mobile = population.size - int(population.on_net.sum()) - n_landline
        local = 2 * 10**7 + draws.distinct(n_landline, 7 * 10**7)
        whole = int(AREA_CODE) * 10**LOCAL_DIGITS + local
        first_landline = len(lines) + n_mobile
        return cls(
            text=pa.concat_arrays(
                [
                    decimal_text(on_net, 11),
                    decimal_text(_mobile(draws, n_mobile, OFF_NET_PREFIXES), 11),
                    decimal_text(whole, len(AREA_CODE) + LOCAL_DIGITS),
                    pa.array(services.special, pa.string()),
                ]
            ),
            first_landline=first_landline,
            first_special=first_landline + n_landline,
            caller_ways=_ways(settings, 0.5, CALLER_WAYS, {7: 1.0}),
            callee_ways=_ways(settings, 1.5, CALLEE_WAYS, LANDLINE_WAYS),
        )

    def ways(
        self,
        lines: npt.NDArray[np.int32],
        chance: npt.NDArray[np.uint16],
        *,
        called: bool,
        is_sms: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.uint8]:
        """Return how each line is written, from a uniform draw per row."""
        level = (chance >> np.uint16(2)).astype(np.int32)
        level += (lines >= self.first_landline) * np.int32(LEVELS)
        level += (lines >= self.first_special) * np.int32(LEVELS)
        way = (self.callee_ways if called else self.caller_ways).ravel()[level]
        if called:
            # Nothing is dialled before the number of a message: 0 is plain.
            way *= ~(is_sms & (way >= FIRST_DIALLED))
        return way

    def write(self, lines: npt.NDArray[np.int32], ways: npt.NDArray[np.uint8]) -> pa.StringArray:
        """Return the text of each line, written its way."""
        clean = pc.take(self.text, pa.array(lines), boundscheck=False)
        other = np.flatnonzero(ways)
        if not len(other):
            return clean
        by_way = other[np.argsort(ways[other], kind="stable")]
        way, starts = np.unique(ways[by_way], return_index=True)
        pieces = [
            _rewrite(clean.take(pa.array(rows)), int(code))
            for code, rows in zip(way, np.split(by_way, starts[1:]), strict=True)
        ]
        # One more take over the plain and the other texts is cheaper than a masked replacement.
        source = np.arange(len(lines), dtype=np.int32)
        source[by_way] = len(lines) + np.arange(len(by_way), dtype=np.int32)
        return pc.take(pa.concat_arrays([clean, *pieces]), pa.array(source), boundscheck=False)


def _mobile(draws: Draws, n: int, prefixes: tuple[int, ...]) -> Ints:
    codes = draws.distinct(n, len(prefixes) * 10**8)
    prefix, rest = np.divmod(codes, 10**8)
    return np.array(prefixes, dtype=np.int64)[prefix] * 10**8 + rest


def _in_strips(numbers: Ints, lines: Lines) -> Ints:
    """Give farmed cards of one handset numbers in a row, as cards leave the pack."""
    farmed = np.flatnonzero(lines.kind == FARMED)
    if not len(farmed):
        return numbers
    numbers = numbers.copy()
    taken = set((np.delete(numbers, farmed) // CARDS_PER_HANDSET).tolist())
    first = lines.together[farmed]
    begin_of = {}
    for line in np.unique(first).tolist():
        # 10**8 numbers of a prefix are a whole number of strips, so a strip has one prefix.
        prefix, strip = divmod(int(numbers[line]) // CARDS_PER_HANDSET, STRIPS)
        while prefix * STRIPS + strip in taken:
            strip = (strip + 1) % STRIPS
        taken.add(prefix * STRIPS + strip)
        begin_of[line] = (prefix * STRIPS + strip) * CARDS_PER_HANDSET
    numbers[farmed] = np.array([begin_of[line] for line in first.tolist()]) + farmed - first
    return numbers


def _ways(
    settings: Settings, noise: float, mobile: dict[int, float], landline: dict[int, float]
) -> npt.NDArray[np.uint8]:
    """Lay ways of writing out over the levels of a uniform draw, one row per sort of line."""
    table = np.zeros((3, LEVELS), dtype=np.uint8)
    noisy = min(0.9, settings.format_noise * noise)
    plans: tuple[tuple[int, dict[int, float], float], ...] = (
        (MOBILE, mobile, noisy),
        (LANDLINE, landline, noisy),
        (SPECIAL, {}, 0.0),
    )
    for sort, plan, share in plans:
        at = 0
        for code, part in [
            *((code, part * settings.dirt / 2) for code, part in DIRT_WAYS.items()),
            *((code, part * share) for code, part in plan.items()),
        ]:
            width = int(part * LEVELS + 0.5)
            table[sort, at : at + width] = code
            at += width
    return table


def _rewrite(numbers: pa.StringArray, way: int) -> pa.StringArray:
    if way == EMPTY:
        return pa.array([""] * len(numbers), pa.string())
    if way == LETTERS:
        return pc.binary_join_element_wise("N/A-", pc.utf8_slice_codeunits(numbers, 0, 4), "")
    if way == CUT:
        return pc.utf8_slice_codeunits(numbers, 0, 7)
    if way == LOCAL:
        return pc.utf8_slice_codeunits(numbers, len(AREA_CODE))
    if way in (SPACED, HYPHENED):
        mark = " " if way == SPACED else "-"
        landline = pc.equal(pc.utf8_slice_codeunits(numbers, 0, 1), "0")
        mobile = _cut(numbers, (0, 3, 7), mark)
        return pc.if_else(landline, _cut(numbers, (0, len(AREA_CODE)), mark), mobile)
    prefix = PREFIXES[way - FIRST_PREFIX]
    if prefix in ("+86", "0086"):
        numbers = pc.utf8_ltrim(numbers, characters="0")
    return pc.binary_join_element_wise(prefix, numbers, "")


def _cut(numbers: pa.StringArray, places: tuple[int, ...], mark: str) -> pa.StringArray:
    stops = (*places[1:], None)
    parts = [
        pc.utf8_slice_codeunits(numbers, start, stop)
        for start, stop in zip(places, stops, strict=True)
    ]
    return pc.binary_join_element_wise(*parts, mark)
