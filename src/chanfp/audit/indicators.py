"""Indicators: what rules may ask of a subscription, by name; NaN is not known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..clock import DAY_S
from ..numbering import NumberingPlan
from ..sidetables import SideTable
from ..subscribers import BEGINNING_S
from .sold import Sold
from .usage import Usage

__all__ = ["INDICATORS", "measure_indicators"]

BURST_S = 600

INDICATORS = {
    "n_records": "calls and messages of the first days, made and received",
    "n_calls_made": "calls and messages made",
    "talk_min": "minutes of calls, made and received",
    "n_messages": "messages, made and received",
    "service_share": "share of the records with services, 0 to 1; unknown without records",
    "n_partners": "distinct partners",
    "n_reciprocal": "partners called and calling",
    "n_cells": "distinct own cells; unknown where no record names one",
    "n_on_first_imei": "subscriptions of the outlet first used in the same handset",
    "n_on_imei": "subscriptions sold, of all outlets, used in one of its handsets",
    "n_activated_together": "subscriptions of the outlet activated within ten minutes",
    "n_consecutive": "length of the run of consecutive numbers that the outlet sold",
    "fee": "billed in the first full month after the sale",
    "voice_min": "minutes of calls in that month",
    "sms": "messages in that month",
    "data_mb": "megabytes of data in that month",
    "voice_min_2_months": "the larger one of that month and the next",
    "sms_2_months": "the same of messages",
    "data_mb_2_months": "the same of data",
}
"""What each indicator is."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def measure_indicators(
    sold: Sold,
    outlet_of_sale: Ints,
    plan: NumberingPlan,
    *,
    usage: Usage | None = None,
    months: SideTable | None = None,
    least_days: float = 14.0,
) -> dict[str, Floats]:
    """Return every indicator of `INDICATORS` for each sale.

    Parameters
    ----------
    sold : Sold
    outlet_of_sale : int64 array
        Equal where the outlet is the same.
    plan : NumberingPlan
    usage : Usage, optional
        From the records; without it what they tell is NaN.
    months : SideTable, optional
        As `read_usage` reads it.
    least_days : float
        Whoever was sold less long before the end of the records is not judged by use, nor who was
        sold before they begin.
    """
    found = {name: np.full(len(sold), np.nan) for name in INDICATORS}
    if usage is not None:
        found |= _from_records(sold, outlet_of_sale, usage, least_days)
    if months is not None:
        found |= _from_months(sold, months, plan)
    found["n_activated_together"] = _activated_together(sold, outlet_of_sale)
    found["n_consecutive"] = _consecutive(sold, outlet_of_sale, plan)
    return found


def _from_records(
    sold: Sold, outlet_of_sale: Ints, usage: Usage, least_days: float
) -> dict[str, Floats]:
    is_seen = (sold.sold_s + least_days * DAY_S <= usage.last_s) & (sold.sold_s >= usage.first_s)
    n_records = (usage.n_made + usage.n_received).astype(np.float64)
    has_records = n_records > 0
    has_imei = usage.imei >= 0
    together = np.full(len(sold), np.nan)
    _, which, counts = np.unique(
        np.stack([outlet_of_sale[has_imei], usage.imei[has_imei]]),
        axis=1, return_inverse=True, return_counts=True,
    )  # fmt: skip
    together[has_imei] = counts[which.reshape(-1)]
    n_calls = n_records - usage.n_messages
    knows_talk = usage.has_durations | (n_calls == 0)
    values = {
        "n_records": n_records,
        "n_calls_made": usage.n_made.astype(np.float64),
        "talk_min": np.where(knows_talk, usage.talk_s / 60, np.nan),
        "n_messages": usage.n_messages.astype(np.float64),
        "service_share": np.where(
            has_records, usage.n_service / np.maximum(n_records, 1.0), np.nan
        ),
        "n_partners": usage.n_partners.astype(np.float64),
        "n_reciprocal": usage.n_reciprocal.astype(np.float64),
        "n_cells": np.where(usage.n_cells > 0, usage.n_cells, np.nan),
        "n_on_first_imei": together,
        "n_on_imei": np.where(has_imei, usage.n_on_imei, np.nan),
    }
    return {name: np.where(is_seen, value, np.nan) for name, value in values.items()}


def _from_months(sold: Sold, months: SideTable, plan: NumberingPlan) -> dict[str, Floats]:
    """Return what the table of usage says of the two full months after each sale."""
    keys = months.number_keys("subscriber", plan)
    month = _month_numbers(months.table.column("month").combine_chunks().cast(pa.int32()))
    row_of = {pair: row for row, pair in enumerate(zip(keys.tolist(), month.tolist(), strict=True))}
    sold_month = _month_numbers(pa.array((sold.sold_s // DAY_S).astype(np.int32)))
    found: dict[str, Floats] = {}
    rows = [
        np.array(
            [
                row_of.get((key, number + step), -1)
                for key, number in zip(sold.keys.tolist(), sold_month.tolist(), strict=True)
            ],
            np.int64,
        )
        for step in (1, 2)
    ]
    for name in ("fee", "voice_min", "sms", "data_mb"):
        values = np.append(
            months.table.column(name).combine_chunks().cast(pa.float64()).to_numpy(False), np.nan
        )
        first, second = (values[at] for at in rows)
        found[name] = first
        if name != "fee":
            found[f"{name}_2_months"] = np.maximum(first, second)
    return found


def _month_numbers(days: pa.Array) -> Ints:
    """Return months since 1970 of days since 1970 (int32)."""
    dates = days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return np.asarray(dates.astype("datetime64[M]"), np.int64)


def _activated_together(sold: Sold, outlet_of_sale: Ints) -> Floats:
    """Count for each the activations of its outlet within `BURST_S` before or after."""
    activated_s = sold.activated_s
    known = np.flatnonzero(activated_s > BEGINNING_S)
    order = known[np.lexsort((activated_s[known], outlet_of_sale[known]))]
    times, outlets = activated_s[order], outlet_of_sale[order]
    # Outlets far apart on one axis, so that one search serves all.
    axis = outlets * 2**34 + np.clip(times, -(2**32), 2**33)
    low = np.searchsorted(axis, axis - BURST_S, side="left")
    high = np.searchsorted(axis, axis + BURST_S, side="right")
    found = np.full(len(sold), np.nan)
    found[order] = high - low
    return found


def _consecutive(sold: Sold, outlet_of_sale: Ints, plan: NumberingPlan) -> Floats:
    """Return the length of the run of consecutive numbers that each stands in."""
    if plan.is_opaque:
        return np.full(len(sold), np.nan)
    texts = plan.format(sold.keys)
    digits = np.array([int(text.lstrip("+")) if text[1:].isdigit() else -1 for text in texts])
    digits = digits.astype(np.int64).reshape(len(sold))
    order = np.lexsort((digits, outlet_of_sale))
    step = np.diff(digits[order])
    breaks = (step > 1) | (np.diff(outlet_of_sale[order]) != 0)
    run = np.cumsum(np.append(0, breaks)[: len(order)])
    pairs = np.unique(np.stack([run, digits[order]]), axis=1)[0]
    found = np.empty(len(sold), np.float64)
    found[order] = np.bincount(pairs, minlength=int(run.max(initial=0)) + 1)[run]
    return found
