"""A small carrier's sales, written by hand: a tree of outlets with figures one can add up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa

START = datetime(2024, 1, 1)
# city ── north ── n1 (sellers ann, bob), n2 (no seller named); south ── s1 (ann, another one).
OUTLETS = [
    ("city", None, "city-warehouse", "330100"),
    ("north", "city", "county-warehouse", "330101"),
    ("south", "city", "county-warehouse", "330102"),
    ("n1", "north", "retail", "330101"),
    ("n2", "north", "retail", "330101"),
    ("s1", "south", "retail", "330102"),
]
# number, outlet, seller, day, price, commission, activation cell, product
SALES = [
    ("13900000001", "n1", "ann", 0, 50.0, 40.0, "c1", "city"),
    ("13900000002", "n1", "ann", 1, 50.0, 40.1, "c1", "city"),
    ("13900000003", "n1", "bob", 2, 50.0, 0.1, "c2", "city"),
    ("13900000004", "n2", None, 3, 50.0, 0.2, "c1", "village"),
    ("13900000005", "s1", "ann", 9, 50.0, 0.7, "c2", "village"),
    ("13900000006", "north", None, 10, 50.0, 20.0, "c1", "village"),
]
# new, old, rank, grade, probability
MATCHES = [
    ("13900000001", "13800000001", 1, "A", 0.75),
    ("13900000001", "13800000002", 2, "A", 0.125),
    ("13900000003", "13800000003", 1, "B", 0.5),
    ("13900000005", "13800000004", 1, "D", 0.1),
]
CELLS = [("c1", "330101"), ("c2", "330102")]
SALE_COLUMNS = (
    "subscriber", "outlet", "seller", "sold_at", "price", "commission", "activation_cell",
    "product",
)  # fmt: skip


def table(rows, names, **types):
    """Return rows as an Arrow table."""
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in names]
    return pa.table(
        {
            name: pa.array(column, types.get(name, pa.string()))
            for name, column in zip(names, columns, strict=True)
        }
    )


def outlet_table(rows=OUTLETS):
    return table(rows, ("outlet", "parent", "kind", "region"))


def sale_table(rows=SALES):
    """Return sales; the fourth value is the day since the start."""
    dated = [(*row[:3], START + timedelta(days=row[3]), *row[4:]) for row in rows]
    real = pa.float64()
    return table(dated, SALE_COLUMNS, sold_at=pa.timestamp("s"), price=real, commission=real)


def match_table(rows=MATCHES):
    names = ("new", "old", "rank", "grade", "probability")
    return table(rows, names, rank=pa.int32(), probability=pa.float64())


def cell_table(rows=CELLS):
    return table(rows, ("cell", "region"))
