"""Schemas: the tables that an audit gives out."""

from __future__ import annotations

import pyarrow as pa

__all__ = [
    "AUDIT_SCHEMA_VERSION",
    "CUT_FIGURES",
    "FLAG_SCHEMA",
    "NODE_SCHEMA",
    "SUBSCRIPTION_SCHEMA",
]

AUDIT_SCHEMA_VERSION = 1


def _schema(name: str, columns: list[tuple[str, pa.DataType]]) -> pa.Schema:
    version = {"chanfp.schema": name, "chanfp.schema_version": str(AUDIT_SCHEMA_VERSION)}
    return pa.schema(columns, metadata=version)


TEXT, WHOLE, REAL, YES = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TIME = pa.timestamp("s")

NODE_SCHEMA = _schema(
    "audit nodes",
    [
        ("outlet", TEXT),
        ("parent", TEXT),
        ("kind", TEXT),
        ("region", TEXT),
        ("seller", TEXT),
        ("level", WHOLE),
        ("n_sold", WHOLE),
        ("n_activated", WHOLE),
        ("median_activation_days", REAL),
        ("n_still_active", WHOLE),
        ("n_new", WHOLE),
        ("expected_returners", REAL),
        ("returner_share", REAL),
        ("returner_estimate", REAL),
        ("returner_low", REAL),
        ("returner_high", REAL),
        ("returner_share_of_region", REAL),
        ("returner_q_value", REAL),
        ("n_grade_a", WHOLE),
        ("n_grade_b", WHOLE),
        ("n_grade_c", WHOLE),
        ("n_grade_d", WHOLE),
        ("n_grade_u", WHOLE),
        ("n_wanderers", WHOLE),
        ("same_outlet_share", REAL),
        ("same_seller_share", REAL),
        ("n_cross_region_judged", WHOLE),
        ("n_cross_region", WHOLE),
        ("cross_region_share", REAL),
        ("cross_region_low", REAL),
        ("cross_region_q_value", REAL),
        ("n_farming_judged", WHOLE),
        ("n_farming", WHOLE),
        ("farming_share", REAL),
        ("farming_low", REAL),
        ("farming_q_value", REAL),
        ("farming_colour", TEXT),
        ("passes_gate", YES),
        ("n_second_due", WHOLE),
        ("n_second_zero", WHOLE),
        ("n_third_due", WHOLE),
        ("n_third_zero", WHOLE),
        ("n_recharges", WHOLE),
        ("commission_due", REAL),
        ("commission_paid", REAL),
        ("commission_at_risk", REAL),
        ("commission_to_hold", REAL),
        ("bonus", REAL),
        ("recommended_commission", REAL),
        ("action", TEXT),
        ("flags", TEXT),
    ],
)
SUBSCRIPTION_SCHEMA = _schema(
    "audit subscriptions",
    [
        ("subscriber", TEXT),
        ("subscription_id", TEXT),
        ("outlet", TEXT),
        ("seller", TEXT),
        ("sold_at", TIME),
        ("product", TEXT),
        ("price", REAL),
        ("activated_at", TIME),
        ("region", TEXT),
        ("region_lived", TEXT),
        ("customer_type", TEXT),
        ("is_new", YES),
        ("grade", TEXT),
        ("old", TEXT),
        ("returner_probability", REAL),
        ("same_outlet", YES),
        ("same_seller", YES),
        ("outside_share", REAL),
        ("other_city_share", REAL),
        ("other_province_share", REAL),
        ("is_cross_region", YES),
        ("cross_region_rules", TEXT),
        ("farming_score", WHOLE),
        ("farming_level", WHOLE),
        ("farming_rules", TEXT),
        ("commission_due", REAL),
        ("commission_paid", REAL),
        ("commission_at_risk", REAL),
        ("commission_to_hold", REAL),
    ],
)
FLAG_SCHEMA = _schema(
    "audit flags",
    [
        ("outlet", TEXT),
        ("flag", TEXT),
        ("n", WHOLE),
        ("share", REAL),
        ("low", REAL),
        ("high", REAL),
        ("share_of_region", REAL),
        ("threshold", REAL),
        ("q_value", REAL),
        ("evidence", TEXT),
    ],
)
CUT_FIGURES = [
    ("n_sold", WHOLE),
    ("n_new", WHOLE),
    ("expected_returners", REAL),
    ("returner_share", REAL),
    ("returner_low", REAL),
    ("returner_high", REAL),
    ("n_cross_region", WHOLE),
    ("n_farming", WHOLE),
    ("commission_paid", REAL),
    ("commission_at_risk", REAL),
    ("change", REAL),
    ("change_low", REAL),
    ("change_high", REAL),
]
