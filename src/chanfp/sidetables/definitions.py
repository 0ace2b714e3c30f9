"""The tables beside the CDRs: their columns, and the functions that read them."""

from __future__ import annotations

from typing import Any

from .reading import SideTable, read_table
from .schemas import Column, Schema

__all__ = [
    "read_cells",
    "read_outlets",
    "read_recharges",
    "read_sales",
    "read_settlements",
    "read_usage",
]

SUBSCRIBER = Column("subscriber", "number", "number as it stands in the file", is_required=True)
OUTLET = Column("outlet", "text", "point of sale")

USAGE = Schema(
    "table of usage",
    (
        SUBSCRIBER,
        Column("month", "month", "first day of the month", is_required=True),
        Column("fee", "money", "billed in the month"),
        Column("voice_min", "quantity", "minutes of calls"),
        Column("sms", "count", "messages"),
        Column("data_mb", "quantity", "megabytes of data"),
    ),
    key=("subscriber", "month"),
)
# A recycled number has its second month twice, paid at different times.
SETTLEMENTS = Schema(
    "table of settlements",
    (
        SUBSCRIBER,
        Column("user_month", "count", "month of use that the instalment is for", is_required=True),
        Column("amount", "money", "commission paid; below 0 taken back", is_required=True),
        Column("paid_at", "time", "when it was paid"),
    ),
    key=("subscriber", "user_month", "paid_at"),
)
RECHARGES = Schema(
    "table of recharges",
    (
        SUBSCRIBER,
        Column("time", "time", "when money was put on the number", is_required=True),
        OUTLET,
        Column("cell", "text", "where"),
    ),
)
CELLS = Schema(
    "table of cells",
    (
        Column("cell", "text", "cell as the CDRs name it", is_required=True),
        Column("region", "text", "where it stands", is_required=True, may_be_empty=True),
    ),
    key=("cell",),
    takes_equal_rows=True,
)
SALES = Schema(
    "table of sales",
    (
        SUBSCRIBER,
        Column("outlet", "text", "point of sale", is_required=True),
        Column("seller", "text", "person who sold it"),
        Column("sold_at", "time", "when", is_required=True),
        Column("price", "money", "paid by the customer"),
        Column("commission", "money", "due to the outlet"),
        Column("activation_cell", "text", "cell of the first use"),
        Column("product", "text", "what was sold"),
    ),
    key=("subscriber", "sold_at"),
)
OUTLETS = Schema(
    "table of outlets",
    (
        Column("outlet", "text", "point of sale", is_required=True),
        Column("parent", "text", "outlet one level up; empty at the top", True, may_be_empty=True),
        Column("kind", "text", "level or sort of outlet"),
        Column("region", "text", "where it may sell"),
    ),
    key=("outlet",),
)


def read_usage(source: Any, *, timezone: str | None = None) -> SideTable:
    """Read what each subscriber used and paid in each month.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``subscriber, month`` and optionally ``fee, voice_min, sms, data_mb``. A
        month is ``2024-01``, ``202401`` or a date in it.
    timezone : str, optional
        As in `read_subscribers`.

    Returns
    -------
    SideTable
        ``month`` as the date of its first day, ``sms`` int64, the others float64.

    Raises
    ------
    ColumnError
        If a required column is missing.
    DataError
        If a cell can't be used, or a subscriber has a month twice; file, row and column are named.
    """
    return read_table(source, USAGE, timezone=timezone)


def read_settlements(source: Any, *, timezone: str | None = None) -> SideTable:
    """Read which instalments of commission were paid for each subscriber.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``subscriber, user_month, amount`` and optionally ``paid_at``.
    timezone : str, optional
        As in `read_subscribers`.

    Returns
    -------
    SideTable
        ``user_month`` int64, ``amount`` float64, ``paid_at`` as a time stamp in seconds.

    Raises
    ------
    ColumnError
        If a required column is missing.
    DataError
        If a cell can't be used, or an instalment stands there twice; file, row and column are
        named.
    """
    return read_table(source, SETTLEMENTS, timezone=timezone)


def read_recharges(source: Any, *, timezone: str | None = None) -> SideTable:
    """Read when and where money was put on each number.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``subscriber, time`` and optionally ``outlet, cell``.
    timezone : str, optional
        As in `read_subscribers`.

    Returns
    -------
    SideTable
        ``time`` as a time stamp in seconds, the others text. Rows may repeat: two recharges of one
        day look alike where only dates are exported.

    Raises
    ------
    ColumnError
        If a required column is missing.
    DataError
        If a cell can't be used; file, row and column are named.
    """
    return read_table(source, RECHARGES, timezone=timezone)


def read_cells(source: Any) -> SideTable:
    """Read in which region each cell stands.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``cell, region``; a region may be empty.

    Returns
    -------
    SideTable
        Both columns text. A row that repeats another is read once.

    Raises
    ------
    ColumnError
        If a column is missing.
    DataError
        If a cell has no name or stands in two regions; file and row are named.
    """
    return read_table(source, CELLS)


def read_sales(source: Any, *, timezone: str | None = None) -> SideTable:
    """Read who sold which number when.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``subscriber, outlet, sold_at`` and optionally ``seller, price, commission,
        activation_cell, product``.
    timezone : str, optional
        As in `read_subscribers`.

    Returns
    -------
    SideTable
        ``sold_at`` as a time stamp in seconds, ``price`` and ``commission`` float64, the others
        text.

    Raises
    ------
    ColumnError
        If a required column is missing.
    DataError
        If a cell can't be used, or a number is sold twice at one time; file, row and column are
        named.
    """
    return read_table(source, SALES, timezone=timezone)


def read_outlets(source: Any) -> SideTable:
    """Read the points of sale and what each belongs to.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``outlet, parent`` (empty at the top) and optionally ``kind, region``.

    Returns
    -------
    SideTable
        All columns text; whether the parents make a tree is not looked at here.

    Raises
    ------
    ColumnError
        If a required column is missing.
    DataError
        If an outlet has no name or stands there twice; file and row are named.
    """
    return read_table(source, OUTLETS)
