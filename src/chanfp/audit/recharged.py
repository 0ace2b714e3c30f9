"""Recharged: where the cards sold were topped up, by outlet and cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..numbering import NumberingPlan
from ..sidetables import SideTable
from .sold import Sold

__all__ = ["count_recharges", "recharge_table"]


def count_recharges(sold: Sold, recharges: SideTable, plan: NumberingPlan) -> npt.NDArray[np.int64]:
    """Return how often each sale's number was recharged from its sale until the next one."""
    keys = recharges.number_keys("subscriber", plan)
    times = recharges.table.column("time").combine_chunks().cast(pa.int64()).to_numpy()
    n_sales = len(sold)
    both = np.concatenate([sold.keys, keys])
    when = np.concatenate([sold.sold_s, times])
    is_sale = np.arange(len(both)) < n_sales
    # In order of number and time every recharge stands behind the sale it belongs to.
    order = np.lexsort((~is_sale, when, both))
    behind = np.maximum.accumulate(np.where(is_sale[order], np.arange(len(both)), -1))
    fits = ~is_sale[order] & (behind >= 0)
    fits[fits] = both[order[behind[fits]]] == both[order[fits]]
    return np.bincount(order[behind[fits]], minlength=n_sales).astype(np.int64)


def recharge_table(recharges: SideTable) -> pa.Table:
    """Return `outlet`, `cell`, `n_recharges` and `n_subscribers` of each pair, in that order."""
    columns = recharges.table.select(["outlet", "cell", "subscriber"])
    grouped = columns.group_by(["outlet", "cell"]).aggregate(
        [("subscriber", "count"), ("subscriber", "count_distinct")]
    )
    renamed = pa.table(
        {
            "outlet": grouped.column("outlet"),
            "cell": grouped.column("cell"),
            "n_recharges": grouped.column("subscriber_count"),
            "n_subscribers": grouped.column("subscriber_count_distinct"),
        }
    )
    return renamed.sort_by([("outlet", "ascending"), ("cell", "ascending")])
