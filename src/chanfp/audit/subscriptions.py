"""Subscriptions: the table of all sales with what was found out about each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..subscribers import BEGINNING_S
from .findings import Findings, Money
from .nodes import as_table
from .returners import GRADES
from .schemas import SUBSCRIPTION_SCHEMA
from .steps import as_money

__all__ = ["subscription_table"]

Ints = npt.NDArray[np.int64]


def subscription_table(
    findings: Findings, money: Money | None, is_lost: npt.NDArray[np.bool_]
) -> pa.Table:
    """Return the table of `SUBSCRIPTION_SCHEMA`, one row for each sale in their order."""
    sold, matched, returners = findings.sold, findings.matched, findings.returners
    has = sold.match >= 0
    match = pa.array(sold.match, mask=~has)
    activated_s = sold.activated_s
    columns: dict[str, object] = {
        **{
            name: sold.column(name)
            for name in ("subscriber", "outlet", "seller", "sold_at", "product", "price")
        },
        "subscription_id": sold.attribute("subscription_id", sold.rows),
        "activated_at": pa.array(activated_s, pa.timestamp("s"), mask=activated_s == BEGINNING_S),
        "region": [findings.tree.regions[at] for at in findings.outlets.tolist()],
        "customer_type": findings.customer_types(is_lost),
        "is_new": sold.is_new,
        "grade": pa.array(GRADES).take(pa.array(returners.grade, mask=returners.grade < 0)),
        "old": matched.old.take(match) if len(matched) else None,
        "returner_probability": np.where(sold.is_new, returners.probability, np.nan),
        "same_outlet": _if_known(np.where(has, returners.same_outlet, -1)),
        "same_seller": _if_known(np.where(has, returners.same_seller, -1)),
    }
    if findings.cross_region is not None:
        found = findings.cross_region
        columns |= {
            "region_lived": found.lived,
            "outside_share": found.outside,
            "other_city_share": found.other_city,
            "other_province_share": found.other_province,
            "is_cross_region": _if_known(found.verdict),
            "cross_region_rules": found.rules,
        }
    if findings.farming is not None:
        is_judged = findings.farming.verdict >= 0
        columns |= {
            "farming_score": pa.array(findings.farming.score, mask=~is_judged),
            "farming_level": pa.array(findings.farming.level, mask=~is_judged),
            "farming_rules": findings.farming.rules,
        }
    if money is not None:
        columns |= {
            "commission_due": as_money(money.due),
            "commission_paid": as_money(money.paid),
            "commission_at_risk": as_money(money.at_risk),
            "commission_to_hold": as_money(money.to_hold),
        }
    return as_table(columns, SUBSCRIPTION_SCHEMA, len(sold))


def _if_known(values: Ints) -> pa.Array:
    """Return 1 and 0 as yes and no, -1 as null."""
    return pc.cast(pa.array(values, mask=values < 0), pa.bool_())
