"""What is read of a table of matches; each reader takes the columns that it needs."""

from __future__ import annotations

from .schemas import Column, Schema

__all__ = ["match_schema"]

COLUMNS = (
    Column("new", "number", "number of the new subscription", is_required=True),
    Column("old", "number", "number of the candidate", is_required=True),
    Column("rank", "count", "1 for the best candidate", is_required=True),
    Column("link", "text", "replacement or partial-replacement"),
    Column("grade", "text", "A, B, C, D or U", is_required=True),
    Column("probability", "quantity", "that the two are one customer"),
    Column("gap_days", "difference", "from the old number's last use to the new one's first"),
    Column("region_new", "text", "where the new number is used"),
    Column("region_old", "text", "where the old number was used"),
    Column("new_subscription", "text", "which subscription of the new number"),
    Column("old_subscription", "text", "which subscription of the old number"),
    Column("reason", "text", "notes, such as additional-number"),
)


def match_schema(*names: str) -> Schema:
    """Return the schema of a table of matches with the numbers, the grade and what is named."""
    wanted = {"new", "old", "grade", "probability", "new_subscription", "old_subscription", *names}
    columns = tuple(column for column in COLUMNS if column.name in wanted)
    return Schema("table of matches", columns)
