"""Result: an audit as the user holds it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..tables import write_tables

__all__ = ["OutletAudit"]


@dataclass(frozen=True)
class OutletAudit:
    """What the matches say of outlets and sellers. Made by `audit_outlets`.

    Attributes
    ----------
    nodes : pyarrow.Table
        One row for each outlet and seller, from the root down, with the figures of all below it.
    subscriptions : pyarrow.Table
        One row for each sale, in the order of the table of sales.
    flags : pyarrow.Table
        One row for each node and flag.
    cuts : pyarrow.Table or None
        One row for each combination of what `by` names.
    recharges : pyarrow.Table or None
        One row for each outlet and cell where numbers were recharged.
    summary : dict
        Counts, totals, what was not evaluated and why, as plain values.
    """

    nodes: pa.Table
    subscriptions: pa.Table
    flags: pa.Table
    cuts: pa.Table | None
    recharges: pa.Table | None
    summary: dict[str, Any]

    def __repr__(self) -> str:
        flagged = ", ".join(f"{n} {flag}" for flag, n in self.summary["flagged"].items() if n)
        return (
            f"<OutletAudit: {self.subscriptions.num_rows:,} sales at {self.nodes.num_rows:,} "
            f"nodes; flagged: {flagged or 'none'}>"
        )

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The tables there are, by name."""
        named = {
            name: getattr(self, name)
            for name in ("nodes", "subscriptions", "flags", "cuts", "recharges")
        }
        return {name: table for name, table in named.items() if table is not None}

    def write(
        self,
        directory: str | os.PathLike[str],
        *,
        format: str = "parquet",  # noqa: A002
    ) -> Path:
        """Write every table into a folder, ``nodes.parquet`` and so on, and return its path.

        Parameters
        ----------
        directory : path
            Made if it doesn't exist; files of these names are replaced, each when it is whole.
        format : {"parquet", "csv"}

        Raises
        ------
        ParameterError
            If the format is unknown.
        DataError
            If the folder can't be made or written.
        """
        return write_tables(self.tables, directory, format)
