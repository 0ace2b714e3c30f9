"""Commission: what was paid for each sale, what is at risk, and which instalments stayed away."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..numbering import NumberingPlan
from ..sidetables import SideTable
from .policy import Policy
from .sold import Sold
from .steps import as_cents

__all__ = ["Commission", "Instalments", "find_commission", "find_instalments"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Commission:
    """Amounts of each sale, in hundredths.

    Parameters
    ----------
    due : int64 array
        What the table of sales says, else what was paid.
    paid : int64 array
        The sum of the settlements; where there is no such table, what is due.
    """

    due: Ints
    paid: Ints

    def at_risk(self, probability: Floats, is_lost: Mask) -> tuple[Ints, Ints]:
        """Return what is at risk through returners and through farmed cards, in hundredths.

        Parameters
        ----------
        probability : float64 array
            To be a returner.
        is_lost : bool array
            Farmed cards: all of it is at risk, and nothing through a returner.
        """
        farmed = np.where(is_lost, self.due, 0)
        returned = np.where(is_lost, 0, np.rint(self.due * probability).astype(np.int64))
        return returned, farmed


@dataclass(frozen=True, eq=False)
class Instalments:
    """How many sales of each kind, one 0 or 1 for each sale.

    Parameters
    ----------
    second_due, second_zero, third_due, third_zero : int64 array
        Among the sales whose first instalment was paid: those whose second (third) is due, and of
        these those for which nothing was paid.
    """

    second_due: Ints
    second_zero: Ints
    third_due: Ints
    third_zero: Ints


def find_commission(
    sold: Sold, settlements: SideTable | None, plan: NumberingPlan
) -> Commission | None:
    """Return the amounts of each sale; None where neither table names any."""
    has_due = "commission" in sold.sales.found
    if not has_due and settlements is None:
        return None
    told = sold.sales.table.column("commission").combine_chunks().to_numpy(zero_copy_only=False)
    due = as_cents(told)
    if settlements is None:
        return Commission(due, due)
    paid = np.zeros(len(sold), np.int64)
    sales, _, cents, _ = _settled(sold, settlements, plan)
    np.add.at(paid, sales, cents)
    return Commission(np.where(np.isnan(told), paid, due), paid)


def find_instalments(
    sold: Sold, settlements: SideTable | None, plan: NumberingPlan, policy: Policy
) -> Instalments | None:
    """Return which instalments stayed away; None without settlements."""
    if settlements is None:
        return None
    sales, months, cents, paid_s = _settled(sold, settlements, plan)
    paid = {month: np.zeros(len(sold), np.int64) for month in policy.user_months}
    for month, amounts in paid.items():
        np.add.at(amounts, sales[months == month], cents[months == month])
    first, second, third = policy.user_months
    known = paid_s[~np.isnan(paid_s)]
    now_s = int(known.max()) if len(known) else int(sold.sold_s.max(initial=0))
    age = _months(np.full(len(sold), now_s)) - _months(sold.sold_s)
    began = paid[first] > 0
    found = []
    for month in (second, third):
        is_due = began & (age >= month)
        found += [is_due.astype(np.int64), (is_due & (paid[month] == 0)).astype(np.int64)]
    return Instalments(*found)


def _settled(
    sold: Sold, settlements: SideTable, plan: NumberingPlan
) -> tuple[Ints, Ints, Ints, Floats]:
    """Return sale, user month, hundredths and time (NaN unknown) of each settlement of a sale.

    A number sold several times: the last sale before the payment, or the last of all where its time
    isn't known.
    """
    keys = settlements.number_keys("subscriber", plan)
    table = settlements.table
    paid_at = table.column("paid_at").combine_chunks().cast(pa.int64())
    paid_s = paid_at.cast(pa.float64()).to_numpy(zero_copy_only=False)
    sales_of = defaultdict(list)
    for sale in np.argsort(sold.sold_s, kind="stable").tolist():
        sales_of[int(sold.keys[sale])].append(sale)
    found = np.full(len(keys), -1, np.int64)
    for row, (key, time) in enumerate(zip(keys.tolist(), paid_s.tolist(), strict=True)):
        sales = sales_of.get(key, [])
        before = [sale for sale in sales if not time < sold.sold_s[sale]]
        if sales:
            found[row] = before[-1] if before else sales[0]
    rows = found >= 0
    months = table.column("user_month").combine_chunks().to_numpy(zero_copy_only=False)
    cents = as_cents(table.column("amount").combine_chunks().to_numpy(zero_copy_only=False))
    return found[rows], months[rows].astype(np.int64), cents[rows], paid_s[rows]


def _months(seconds: Ints) -> Ints:
    """Return calendar months since 1970."""
    return seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
