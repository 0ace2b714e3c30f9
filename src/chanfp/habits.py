"""Habits: from where and at which hours the two sides of a pair call, for the model to see.

They hang on no partner, so whoever takes over somebody's contacts doesn't take them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from .partner_evidence import measure_pairs
from .profiles import Profile

__all__ = ["HABITS", "Habits", "main_cells"]

_BLOCK_PAIRS = 1 << 15
# Calls made are smeared over the neighbouring hours: few calls fall into an hour by chance.
SMEAR = (0.5, 1.0, 0.5)
# Columns behind those of partners in a feature matrix.
HABITS = {
    "cells_home": "overlap of the shares of calls per cell, outside working hours",
    "cells_work": "the same in working hours",
    "hours": "agreement, -1 to 1, of how the hours of the day differ from everybody's",
}


@dataclass(frozen=True, eq=False)
class Habits:
    """Habits of everybody who asks and of everybody who is asked for.

    Parameters
    ----------
    home, work : pair of csr_array of int32
        Calls per cell outside and in working hours, of queries and pool, over the same columns.
    hours : pair of float64 array, shapes (n_queries, 24) and (n_pool, 24)
        Unit vectors; NaN where no call was made.
    """

    home: tuple[csr_array, csr_array]
    work: tuple[csr_array, csr_array]
    hours: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

    @classmethod
    def of(cls, queries: Sequence[Profile], pool: Sequence[Profile]) -> Habits:
        """Return the habits of profiles, one below the other."""
        hours_new, hours_old = _stack_hours(queries), _stack_hours(pool)
        everybody = hours_new.sum(axis=0) + hours_old.sum(axis=0)
        return cls(
            (_stack_home(queries), _stack_home(pool)),
            (_stack_work(queries), _stack_work(pool)),
            (_lean(hours_new, everybody), _lean(hours_old, everybody)),
        )

    def measure(
        self,
        query_rows: npt.NDArray[np.int64],
        pool_rows: npt.NDArray[np.int64],
        n_threads: int | None = None,
    ) -> npt.NDArray[np.float64]:
        """Return the habits of pairs, shape (n_pairs, n_habits), as `HABITS` has them.

        NaN where one side has nothing recorded.
        """
        columns = [
            *(
                _overlap(*cells, query_rows, pool_rows, n_threads)
                for cells in (self.home, self.work)
            ),
            _agreement(*self.hours, query_rows, pool_rows),
        ]
        return np.column_stack(columns)


def main_cells(cells: csr_array) -> npt.NDArray[np.int64]:
    """Return the column with most calls of each row, the first among equals, -1 for none."""
    rows = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))
    order = np.lexsort((cells.indices, -cells.data.astype(np.int64), rows))
    found = np.full(cells.shape[0], -1, np.int64)
    first = np.diff(rows, prepend=-1) > 0  # the order keeps rows together
    found[rows[first]] = cells.indices[order[first]]
    return found


def _stack_home(profiles: Sequence[Profile]) -> csr_array:
    return csr_array(vstack([one.home_cells for one in profiles], format="csr"))


def _stack_work(profiles: Sequence[Profile]) -> csr_array:
    return csr_array(vstack([one.work_cells for one in profiles], format="csr"))


def _stack_hours(profiles: Sequence[Profile]) -> npt.NDArray[np.float64]:
    return np.concatenate([one.hours_of_day() for one in profiles]).astype(np.float64)


def _lean(
    hours: npt.NDArray[np.float64], everybody: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how the smeared hours of each row differ from everybody's, as unit vectors.

    Each hour in the unit of its chance variation, so that the nights count as well; NaN in rows
    without calls.
    """
    smeared, expected = (_shares(_smear(one)) for one in (hours, everybody[None, :]))
    lean = (smeared - expected) / np.sqrt(np.maximum(expected, 1e-6))
    length = np.sqrt(np.square(lean).sum(axis=1, keepdims=True))
    # Whoever calls when everybody does leans nowhere.
    return np.asarray(lean / np.where(length < 1e-9, 1.0, length), np.float64)


def _smear(hours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    reach = len(SMEAR) // 2
    return np.asarray(
        sum(weight * np.roll(hours, at - reach, axis=1) for at, weight in enumerate(SMEAR))
    )


def _shares(hours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = hours.sum(axis=1, keepdims=True)
    return np.asarray(hours / np.where(total > 0, total, np.nan), np.float64)


def _overlap(
    queries: csr_array,
    pool: csr_array,
    query_rows: npt.NDArray[np.int64],
    pool_rows: npt.NDArray[np.int64],
    n_threads: int | None,
) -> npt.NDArray[np.float64]:
    found = measure_pairs(
        queries,
        pool,
        query_rows,
        pool_rows,
        # With every weight 1, the rarity-weighted overlap of shares is the plain one.
        partner_rarity=np.ones(queries.shape[1]),
        n_threads=n_threads,
    ).shared_rarity
    unknown = (np.diff(queries.indptr)[query_rows] == 0) | (np.diff(pool.indptr)[pool_rows] == 0)
    return np.where(unknown, np.nan, found)


def _agreement(
    queries: npt.NDArray[np.float64],
    pool: npt.NDArray[np.float64],
    query_rows: npt.NDArray[np.int64],
    pool_rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return the cosine of unit vectors of pairs, block by block for the sake of memory."""
    found = np.empty(len(query_rows))
    for start in range(0, len(query_rows), _BLOCK_PAIRS):
        block = slice(start, start + _BLOCK_PAIRS)
        found[block] = np.einsum("ij,ij->i", queries[query_rows[block]], pool[pool_rows[block]])
    return found
