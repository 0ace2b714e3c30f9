"""Returners: which new subscriptions are customers who came back, and through whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..clock import DAY_S
from .matched import Matched
from .sold import Sold
from .steps import as_probability, as_steps

__all__ = ["GRADES", "Returners", "find_returners"]

GRADES = ("A", "B", "C", "D", "U")

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Returners:
    """What the matches say of each sale; one entry each.

    Parameters
    ----------
    steps : int64 array
        Probability to be a returner in steps (see `steps`); 0 where not new or without candidate.
    grade : int64 array
        Place in `GRADES` of the best candidate, -1 without one.
    is_returner : bool array
        The best candidate is taken for the same customer, and has departed.
    is_partial : bool array
        It is taken for the same customer, and still in use.
    is_wanderer : bool array
        One of two or more re-entries within the time the policy names.
    same_outlet, same_seller : int64 array
        1 where the old number was sold by the same one, 0 by another, -1 unknown.
    """

    steps: Ints
    grade: Ints
    is_returner: Mask
    is_partial: Mask
    is_wanderer: Mask
    same_outlet: Ints
    same_seller: Ints

    @property
    def probability(self) -> npt.NDArray[np.float64]:
        """Probability to be a returner."""
        return as_probability(self.steps)


def find_returners(
    sold: Sold, matched: Matched, *, least_probability: float, re_entry_days: float
) -> Returners:
    """Return what the matches say of each sale.

    Parameters
    ----------
    sold : Sold
    matched : Matched
    least_probability : float
        From here on the best candidate is taken for the same customer.
    re_entry_days : float
        Two re-entries whose sales lie no farther apart make a wanderer (China Mobile data interface
        02038, 2012: within half a year).
    """
    has = sold.match >= 0
    probability = np.where(has, np.append(matched.probability, 0.0)[sold.match], 0.0)
    best = np.where(has, np.append(matched.probability_best, 0.0)[sold.match], 0.0)
    place_of = {grade: place for place, grade in enumerate(GRADES)}
    grades = np.array([*(place_of.get(grade, -1) for grade in matched.grade), -1], np.int64)
    is_same = has & (best >= least_probability)
    is_partial = is_same & np.append(matched.is_partial, False)[sold.match]
    is_returner = is_same & ~is_partial
    return Returners(
        as_steps(probability),
        grades[sold.match],
        is_returner,
        is_partial,
        _find_wanderers(sold, is_returner, re_entry_days),
        _same(sold, "outlet"),
        _same(sold, "seller"),
    )


def _find_wanderers(sold: Sold, is_returner: Mask, re_entry_days: float) -> Mask:
    """Return both of two re-entries in a row: the old number was a returner's new one."""
    later = np.flatnonzero(is_returner & (sold.old_sales >= 0))
    earlier = sold.old_sales[later]
    near = sold.sold_s[later] - sold.sold_s[earlier] <= re_entry_days * DAY_S
    near &= is_returner[earlier]
    found = np.zeros(len(sold), bool)
    found[later[near]] = True
    found[earlier[near]] = True
    return found


def _same(sold: Sold, name: str) -> Ints:
    """Compare the outlet or seller of each sale with the old number's: its sale goes first."""
    own = sold.column(name)
    old_sales = pa.array(sold.old_sales, mask=sold.old_sales < 0)
    of_old = pc.coalesce(own.take(old_sales), sold.attribute(name, sold.old_rows))
    equal = pc.equal(own, of_old)
    return np.asarray(
        pc.if_else(equal, 1, 0).fill_null(-1).to_numpy(zero_copy_only=False), np.int64
    )
