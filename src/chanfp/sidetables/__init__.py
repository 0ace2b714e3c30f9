"""The tables beside CDRs: usage, settlements, recharges, cells, sales, outlets.

A table is a `Schema`; reading is the same for all: columns by name or known header, every row
checked, unknown columns listed, an Arrow table with one column for each of the schema.
"""

from .definitions import (
    read_cells,
    read_outlets,
    read_recharges,
    read_sales,
    read_settlements,
    read_usage,
)
from .matchtables import match_schema
from .reading import SideTable, read_column, read_table
from .schemas import ARROW_TYPES, Column, Schema

__all__ = [
    "ARROW_TYPES",
    "Column",
    "Schema",
    "SideTable",
    "match_schema",
    "read_cells",
    "read_column",
    "read_outlets",
    "read_recharges",
    "read_sales",
    "read_settlements",
    "read_table",
    "read_usage",
]
