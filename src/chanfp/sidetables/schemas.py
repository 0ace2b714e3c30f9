"""Schemas: which columns a side table has, of what kind, and what a cell may hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

__all__ = ["ARROW_TYPES", "Column", "Schema"]

ARROW_TYPES = {
    "number": pa.string(),
    "text": pa.string(),
    "time": pa.timestamp("s"),
    "month": pa.date32(),
    "money": pa.float64(),
    "quantity": pa.float64(),
    "difference": pa.float64(),
    "count": pa.int64(),
}
"""For each kind of column the type it is read as.

A *number* is a phone number or hashed id as it stands in the file, a *month* the first day of it,
*money* an amount in the currency of the table, a *quantity* 0 or more, a
*difference* below 0 too, a *count* a whole one.
"""


@dataclass(frozen=True)
class Column:
    """One column of a side table.

    Parameters
    ----------
    name : str
    kind : str
        A key of `ARROW_TYPES`.
    meaning : str
        One line for people, with the unit.
    is_required : bool, default False
        The table must have the column.
    may_be_empty : bool, default False
        Cells of a required column may be empty; those of an optional one always may.
    takes_words : bool, default False
        Only the words that ``[values.NAME]`` of ``headers/known.toml`` lists are allowed, and each
        is read as what it means there.
    """

    name: str
    kind: str
    meaning: str
    is_required: bool = False
    may_be_empty: bool = False
    takes_words: bool = False

    @property
    def is_filled(self) -> bool:
        """Whether an empty cell is an error."""
        return self.is_required and not self.may_be_empty

    @property
    def field(self) -> pa.Field:
        """The column as it is read."""
        return pa.field(self.name, ARROW_TYPES[self.kind], metadata={"meaning": self.meaning})


@dataclass(frozen=True)
class Schema:
    """The columns of a side table.

    Parameters
    ----------
    title : str
        What messages call it, such as ``"table of cells"``.
    columns : tuple of Column
    key : tuple of str, optional
        Columns that no two rows may agree in; empty: rows may repeat.
    takes_equal_rows : bool, default False
        A row that repeats a whole earlier row is no error; it is read once.
    """

    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    takes_equal_rows: bool = field(default=False)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @property
    def arrow(self) -> pa.Schema:
        """The schema of the table that is read; every field says what it means."""
        return pa.schema([column.field for column in self.columns])
