"""Regions: where a card really lives, and whether that is where its outlet may sell (窜货, 窜卡).

Regions named by six digits are those of China's administrative divisions (GB/T 2260): province,
city and county by two digits each. Other names are equal or not, and then nothing is said of
provinces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .usage import Usage

__all__ = ["CrossRegion", "CrossRegionRule", "find_cross_region", "relate"]

INSIDE, OTHER_COUNTY, OTHER_CITY, OTHER_PROVINCE = range(4)
UNKNOWN = -1
CODE = re.compile(r"[0-9]{6}$")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CrossRegionRule:
    """From which shares of the call time on a card is sold across regions.

    Parameters
    ----------
    outside_share : float
        Outside the outlet's region.
    other_city_share, other_province_share : float
        In other cities of the province, in other provinces.
    least_calls : int
        Calls made with a known cell; with fewer nothing is said.
    source : str
    """

    outside_share: float
    other_city_share: float
    other_province_share: float
    least_calls: int
    source: str


@dataclass(frozen=True, eq=False)
class CrossRegion:
    """One entry for each sale.

    Parameters
    ----------
    lived : list of str or None
        The region with most call time, None where no call is known.
    outside, other_city, other_province : float64 array
        Shares of the call time; NaN where not evaluated.
    activated_outside : int64 array
        1 where the cell of the first use lies outside the outlet's region, -1 unknown.
    verdict : int64 array
        1 sold across regions, 0 not, -1 not evaluated.
    rules : list of str
        The rules that fired, with their values, joined by ``;``.
    """

    lived: list[str | None]
    outside: Floats
    other_city: Floats
    other_province: Floats
    activated_outside: npt.NDArray[np.int64]
    verdict: npt.NDArray[np.int64]
    rules: list[str]


def relate(cell_region: str | None, outlet_region: str | None) -> int:
    """Return how far a cell's region is from an outlet's, `UNKNOWN` if that can't be told.

    Examples
    --------
    >>> relate("330102", "330100"), relate("330103", "330102"), relate("330200", "330102")
    (0, 1, 2)
    """
    if cell_region is None or outlet_region is None:
        return UNKNOWN
    if not (CODE.match(cell_region) and CODE.match(outlet_region)):
        return INSIDE if cell_region == outlet_region else OTHER_COUNTY
    cell, outlet = _significant(cell_region), _significant(outlet_region)
    if cell.startswith(outlet):
        return INSIDE
    if outlet.startswith(cell):
        return UNKNOWN  # the cell's region holds the outlet's, so the cell may be on either side
    if cell[:2] != outlet[:2]:
        return OTHER_PROVINCE
    return OTHER_COUNTY if cell[:4] == outlet[:4] else OTHER_CITY


def find_cross_region(
    outlet_regions: Sequence[str | None],
    activation_cells: Sequence[str | None],
    region_of_cell: Mapping[str, str],
    usage: Usage | None,
    rule: CrossRegionRule,
) -> CrossRegion:
    """Say of each sale whether the card lives where it may be sold.

    Parameters
    ----------
    outlet_regions, activation_cells : sequence of str or None, one for each sale
    region_of_cell : mapping of str to str
    usage : Usage, optional
        Call time by cell; without it, or where there are too few calls, the cell of the first use
        decides.
    rule : CrossRegionRule
    """
    n_sales = len(outlet_regions)
    known: dict[tuple[str | None, str | None], int] = {}

    def related(region: str | None, outlet: str | None) -> int:
        if (region, outlet) not in known:
            known[region, outlet] = relate(region, outlet)
        return known[region, outlet]

    at_first = [
        UNKNOWN if cell is None else related(region_of_cell.get(cell), outlet)
        for cell, outlet in zip(activation_cells, outlet_regions, strict=True)
    ]
    activated_outside = np.array([min(found, 1) for found in at_first], np.int64).reshape(n_sales)
    talk_s = np.zeros((n_sales, 4))
    n_calls = np.zeros(n_sales, np.int64)
    by_region: list[dict[str, int]] = [{} for _ in range(n_sales)]
    if usage is not None:
        for sale, cell, calls, seconds in usage.cells():
            region = region_of_cell.get(cell)
            if region is None:
                continue
            by_region[sale][region] = by_region[sale].get(region, 0) + seconds
            found = related(region, outlet_regions[sale])
            if found != UNKNOWN:
                talk_s[sale, found] += seconds
                n_calls[sale] += calls
    return _judge(by_region, talk_s, n_calls, activated_outside, rule)


def _judge(
    by_region: list[dict[str, int]],
    talk_s: Floats,
    n_calls: npt.NDArray[np.int64],
    activated_outside: npt.NDArray[np.int64],
    rule: CrossRegionRule,
) -> CrossRegion:
    total = talk_s.sum(axis=1)
    can_tell = (n_calls >= rule.least_calls) & (total > 0)
    shares = np.full(talk_s.shape, np.nan)
    shares[can_tell] = talk_s[can_tell] / total[can_tell, None]
    outside = 1.0 - shares[:, INSIDE]
    tests = (
        ("outside", outside, rule.outside_share),
        ("other-city", shares[:, OTHER_CITY], rule.other_city_share),
        ("other-province", shares[:, OTHER_PROVINCE], rule.other_province_share),
    )
    verdict = np.where(can_tell, 0, activated_outside)
    fired: list[list[str]] = [[] for _ in by_region]
    for name, share, least in tests:
        for sale in np.flatnonzero(can_tell & (share >= least)).tolist():
            verdict[sale] = 1
            fired[sale].append(f"{name}={share[sale]:.2f}")
    for sale in np.flatnonzero(~can_tell & (activated_outside == 1)).tolist():
        fired[sale].append("activated-outside=1")
    lived = [
        max(sorted(found), key=lambda region: found[region]) if found else None
        for found in by_region
    ]
    return CrossRegion(
        lived, outside, shares[:, OTHER_CITY], shares[:, OTHER_PROVINCE], activated_outside,
        verdict, [";".join(names) for names in fired],
    )  # fmt: skip


def _significant(code: str) -> str:
    """Return the digits that say something: 330100 is the city 3301."""
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
