"""Result: chains as the user holds them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..tables import write_tables

__all__ = ["Chains"]


@dataclass(frozen=True)
class Chains:
    """The numbers of people over time. Made by `link_chains`.

    Attributes
    ----------
    people : pyarrow.Table
        One row for each person with a link, most re-entries first, then the most probable.
    links : pyarrow.Table
        One row for each link, re-entry or partial replacement, by person and time.
    summary : dict
        Counts, and how probability decays along the chains, as plain values.
    """

    people: pa.Table
    links: pa.Table
    summary: dict[str, Any]

    def __repr__(self) -> str:
        return (
            f"<Chains: {self.people.num_rows:,} people with "
            f"{self.summary['re_entries']:,} re-entries; "
            f"{self.summary['with_several']:,} came back more than once>"
        )

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The tables by name."""
        return {"people": self.people, "links": self.links}

    def write(
        self,
        directory: str | os.PathLike[str],
        *,
        format: str = "parquet",  # noqa: A002
    ) -> Path:
        """Write ``people`` and ``links`` into a folder and return its path.

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
