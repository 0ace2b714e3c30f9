"""Schemas: the tables that chains give out."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["CHAIN_SCHEMA_VERSION", "LINK_SCHEMA", "PERSON_SCHEMA"]

CHAIN_SCHEMA_VERSION = 1
TEXT, WHOLE, REAL, YES, TIME = (
    pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("s"),
)  # fmt: skip


def _schema(name: str, columns: list[tuple[str, pa.DataType]]) -> pa.Schema:
    version = {"chanfp.schema": name, "chanfp.schema_version": str(CHAIN_SCHEMA_VERSION)}
    return pa.schema(columns, metadata=version)


PERSON_SCHEMA = _schema(
    "chains of people",
    [
        ("person", WHOLE),
        ("numbers", TEXT),
        ("first", TEXT),
        ("last", TEXT),
        ("last_subscription", TEXT),
        ("n_re_entries", WHOLE),
        ("probability", REAL),
        ("weakest", REAL),
        ("is_wanderer", YES),
        ("most_re_entries_within", WHOLE),
        ("first_returned_at", TIME),
        ("last_returned_at", TIME),
        ("median_days_between", REAL),
        ("days_lost", REAL),
        ("n_outlets", WHOLE),
        ("outlets", TEXT),
        ("n_regions", WHOLE),
        ("regions", TEXT),
        ("is_still_active", YES),
    ],
)
LINK_SCHEMA = _schema(
    "links of chains",
    [
        ("person", WHOLE),
        ("step", WHOLE),
        ("old", TEXT),
        ("new", TEXT),
        ("old_subscription", TEXT),
        ("new_subscription", TEXT),
        ("run", WHOLE),
        ("link", TEXT),
        ("grade", TEXT),
        ("probability", REAL),
        ("chain_probability", REAL),
        ("departed_at", TIME),
        ("returned_at", TIME),
        ("gap_days", REAL),
        ("days_since_return", REAL),
        ("outlet_old", TEXT),
        ("outlet_new", TEXT),
        ("region_old", TEXT),
        ("region_new", TEXT),
    ],
)
