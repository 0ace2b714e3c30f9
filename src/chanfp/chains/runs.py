"""Runs: the candidates of several runs of the match, in one row of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..matches import Matches
from ..numbering import NumberingPlan
from ..sidetables import SideTable, match_schema, read_table

__all__ = ["Candidates", "read_runs"]

MATCHES = match_schema("link", "gap_days", "region_new", "region_old")
# What stands in for a probability that is null, as in the audit's default policy.
PROBABILITY_OF_GRADE = {"A": 0.99, "B": 0.95, "C": 0.80, "D": 0.20}


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates, one entry each, run after run.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of `MATCHES`.
    run : int64 array
        Place of the run, 0 for the earliest.
    new_keys, old_keys : uint64 array
        Number keys.
    probability : float64 array
    gap_days : float64 array
        NaN where unknown.
    n_by_grade : int
        How many had no probability, so that the value of their grade stands in for it.
    """

    table: pa.Table
    run: npt.NDArray[np.int64]
    new_keys: npt.NDArray[np.uint64]
    old_keys: npt.NDArray[np.uint64]
    probability: npt.NDArray[np.float64]
    gap_days: npt.NDArray[np.float64]
    n_by_grade: int

    def __len__(self) -> int:
        return len(self.run)

    def column(self, name: str) -> pa.Array:
        """Return a column as one array."""
        return self.table.column(name).combine_chunks()


def read_runs(runs: Sequence[Any], plan: NumberingPlan) -> Candidates:
    """Return the candidates of all runs.

    Parameters
    ----------
    runs : sequence of Matches, SideTable, or what `read_sales` takes
        Earliest first.
    plan : NumberingPlan

    Raises
    ------
    ColumnError
        If a column is missing.
    DataError
        If a cell can't be used; file, row and column are named.
    """
    tables = [_read(run) for run in runs]
    joined = pa.concat_tables([table.table for table in tables]).combine_chunks()
    told = joined.column("probability").to_numpy()
    by_grade = [
        PROBABILITY_OF_GRADE.get(grade, 0.0) for grade in joined.column("grade").to_pylist()
    ]
    is_told = ~np.isnan(told)
    return Candidates(
        joined,
        np.repeat(np.arange(len(tables)), [len(table) for table in tables]).astype(np.int64),
        np.concatenate([table.number_keys("new", plan) for table in tables]),
        np.concatenate([table.number_keys("old", plan) for table in tables]),
        np.where(is_told, told, np.array(by_grade, np.float64)),
        joined.column("gap_days").to_numpy(),
        int(np.count_nonzero(~is_told)),
    )


def _read(run: Any) -> SideTable:
    if isinstance(run, SideTable):
        return run
    return read_table(run.table if isinstance(run, Matches) else run, MATCHES)
