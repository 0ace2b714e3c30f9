"""Side tables: what stands in the tables beside the records, and whom of it the carrier knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..keys import KeyTable
from ..numbering import NumberingPlan
from ..sidetables import SideTable, read_cells, read_recharges, read_settlements, read_usage

__all__ = ["SideLook", "look_at_side_tables", "read_side_tables"]

READERS = {"usage": read_usage, "settlements": read_settlements, "recharges": read_recharges}


@dataclass(frozen=True)
class SideLook:
    """What stands in one table.

    Parameters
    ----------
    name : str
        ``usage``, ``settlements``, ``recharges`` or ``cells``.
    files : sequence of str
    n_rows : int
    found, unrecognised : sequence of str
        The columns that mean something, and the others.
    n_subscribers : int or None
        Distinct subscriber numbers; None in a table of cells.
    n_known : int or None
        How many of them are in the subscriber table; None without one.
    n_unusable : int
        Rows whose subscriber is no subscriber number.
    first_unusable : str
        File, row and value of the first of them.
    """

    name: str
    files: Sequence[str]
    n_rows: int
    found: Sequence[str]
    unrecognised: Sequence[str]
    n_subscribers: int | None = None
    n_known: int | None = None
    n_unusable: int = 0
    first_unusable: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "files": list(self.files),
            "rows": self.n_rows,
            "columns": list(self.found),
            "unrecognised": list(self.unrecognised),
            "subscribers": self.n_subscribers,
            "known_subscribers": self.n_known,
            "rows_without_subscriber_number": self.n_unusable,
        }


def read_side_tables(sources: Mapping[str, Any], timezone: str | None) -> dict[str, SideTable]:
    """Read and check the tables that are given.

    Parameters
    ----------
    sources : mapping of str to SideTable, or what its reader takes, or None
        By the names that `SideLook` knows.
    timezone : str, optional
        As in `read_subscribers`.

    Raises
    ------
    ColumnError, DataError
        If a table can't be used; file, row and column are named.
    """
    tables: dict[str, SideTable] = {}
    for name, source in sources.items():
        if isinstance(source, SideTable):
            tables[name] = source
        elif source is not None:
            tables[name] = (
                read_cells(source) if name == "cells" else READERS[name](source, timezone=timezone)
            )
    return tables


def look_at_side_tables(
    tables: Mapping[str, SideTable], plan: NumberingPlan, known: KeyTable | None
) -> list[SideLook]:
    """Count what is in each table; `known` are the numbers of the subscriber table, if any."""
    return [_look(name, table, plan, known) for name, table in tables.items()]


def _look(name: str, table: SideTable, plan: NumberingPlan, known: KeyTable | None) -> SideLook:
    look = SideLook(
        name,
        [source for source, _ in table.sources],
        len(table),
        table.found,
        table.unrecognised,
    )
    if "subscriber" not in table.schema.names:
        return look
    numbers = table.table.column("subscriber")
    keys, codes = plan.resolve(numbers)
    bad = np.flatnonzero(codes)
    distinct = np.unique(keys[codes == 0])
    return SideLook(
        look.name,
        look.files,
        look.n_rows,
        look.found,
        look.unrecognised,
        n_subscribers=len(distinct),
        n_known=None if known is None else int((known.find(distinct, n_threads=1) >= 0).sum()),
        n_unusable=len(bad),
        first_unusable=f"{table.place(int(bad[0]))}: {numbers[int(bad[0])].as_py()!r}"
        if len(bad)
        else "",
    )
