"""Features: what the model sees of a pair of subscriptions, from their partners and habits.

Only what means the same for a control and for somebody who came back: no gap, no handset, no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from . import _core
from .blocks import map_blocks
from .habits import HABITS, Habits

__all__ = [
    "FEATURES",
    "FeatureTable",
    "OverlapSums",
    "ProbableRows",
    "expect_overlaps",
    "measure_features",
]

_BLOCK_PAIRS = 1 << 15
_N_SUMS = 8
# The columns of a feature matrix, in this order.
FEATURES = {
    "shared": "log(1 + shared partners)",
    "shared_rarity": "square root of their summed rarity",
    "jaccard": "square root of shared / all partners",
    "jaccard_alive": "the same among partners that could be called on both sides",
    "idf_jaccard": "square root of shared rarity / rarity of all partners",
    "weighted_jaccard": "square root of sum of min(calls) / sum of max(calls)",
    "hellinger": "sum of sqrt(share x share) of calls",
    "idf_hellinger": "the same, each partner weighted by its rarity",
    "direction": "the same, calls made and calls received apart",
    "hellinger_shared": "hellinger times log(1 + shared partners): agreement of many says more",
    "direction_shared": "direction times log(1 + shared partners)",
    "calls_new": "share of the new side's calls that go to shared partners",
    "calls_old": "share of the old side's calls that go to shared partners",
    "calls_new_alive": "calls_new among partners that could be called before",
    "calls_old_alive": "calls_old among partners that could be called later",
    "containment_new": "shared / partners of the new side",
    "containment_old": "shared / partners of the old side",
    "containment_new_alive": "containment_new among partners that could be called before",
    "containment_old_alive": "containment_old among partners that could be called later",
    "partners_new": "log(1 + partners of the new side)",
    "partners_old": "log(1 + partners of the old side)",
    "partners_new_alive": "the same, of those that could be called before",
    "partners_old_alive": "the same, of those that could be called later",
    "volume": "distance of the two sides' calls, in logarithms",
    "outgoing": "distance of the odds of making a call to receiving one, in logarithms",
    "idf_days": "idf_hellinger of days with a call instead of calls",
    **HABITS,
}


@dataclass(frozen=True, eq=False)
class ProbableRows:
    """Rows of partners; three values on one pattern.

    Parameters
    ----------
    calls : csr_array of float64, shape (n_rows, n_partners)
        Calls per partner, above 0; fractions where it is uncertain who the partner is.
    outgoing : float64 array, shape (n_entries,)
        Those of them that were made, not received.
    presence : float64 array, shape (n_entries,)
        Probability that the partner is one of this row, above 0 to 1.
    """

    calls: csr_array
    outgoing: npt.NDArray[np.float64]
    presence: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.calls.shape[0])

    @classmethod
    def certain(cls, matrix: csr_array, outgoing: npt.NDArray[Any]) -> ProbableRows:
        """Return the rows of a fingerprint set."""
        calls = csr_array(
            (matrix.data.astype(np.float64), matrix.indices, matrix.indptr), shape=matrix.shape
        )
        return cls(calls, np.asarray(outgoing, np.float64), np.ones(matrix.nnz))

    def sum(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return each row's sum of entry weights, added in column order."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.calls.indptr))
        return np.asarray(np.bincount(rows, weights, len(self)), np.float64)


class OverlapSums(NamedTuple):
    """Sums over the shared partners of pairs; float64 arrays of shape (n_pairs,).

    With x and y the calls of the two sides and b the probability that the partner is one of the
    query's: b, b times rarity, min(x, by), sqrt(bxy), that times rarity, sqrt(bxy) of calls made
    plus that of calls received, x, and by.
    """

    shared: npt.NDArray[np.float64]
    rarity: npt.NDArray[np.float64]
    least: npt.NDArray[np.float64]
    root: npt.NDArray[np.float64]
    rare_root: npt.NDArray[np.float64]
    directed: npt.NDArray[np.float64]
    calls_new: npt.NDArray[np.float64]
    calls_old: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of pairs.

    Parameters
    ----------
    values : float64 array, shape (n_pairs, n_features)
        In the order of `FEATURES`.
    expected_shared : float64 array, shape (n_pairs,)
        Expected number of shared partners.
    """

    values: npt.NDArray[np.float64]
    expected_shared: npt.NDArray[np.float64]


def measure_features(
    queries: ProbableRows,
    pool: ProbableRows,
    query_rows: npt.NDArray[np.int64],
    pool_rows: npt.NDArray[np.int64],
    *,
    partner_rarity: npt.NDArray[np.float64],
    began: npt.NDArray[np.float64],
    gone: npt.NDArray[np.float64],
    pool_columns: npt.NDArray[np.int64],
    days: tuple[ProbableRows, ProbableRows] | None = None,
    habits: Habits | None = None,
    n_threads: int | None = None,
) -> FeatureTable:
    """Return the features of pairs of rows.

    Parameters
    ----------
    queries, pool : ProbableRows
        Over the same partners; the pool's are certain.
    query_rows, pool_rows : int64 array, shape (n_pairs,)
    partner_rarity : float64 array, shape (n_partners,)
    began : float64 array, shape (n_partners,)
        Probability that the partner's number was not in use before, 0 to 1: a new subscription's.
    gone : float64 array, shape (n_partners,)
        Probability that it is not in use any more: a departed subscription's.
    pool_columns : int64 array, shape (n_pool,)
        Column of each old number as a partner, -1 where it is none. Calls to it don't count for
        the pair: nobody calls a number that has departed, and decoys must have no disadvantage.
    days : tuple of ProbableRows, optional
        `queries` and `pool` with days with a call in place of calls; without them that feature is
        missing.
    habits : Habits, optional
        Cells and hours of both sides; without them these features are missing.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    """
    shared, rarity, least, root, rare_root, directed, calls_new, calls_old = expect_overlaps(
        queries,
        pool,
        query_rows,
        pool_rows,
        partner_rarity=partner_rarity,
        n_threads=n_threads,
    )
    between = _find_entries(queries, query_rows, pool_columns[pool_rows])
    new = _Side.of(queries, partner_rarity, began).without(query_rows, between)
    old = _Side.of(pool, partner_rarity, gone).without(pool_rows, np.full(len(pool_rows), -1))
    mean_calls = np.sqrt(new.calls * old.calls)
    columns = [
        np.log1p(shared),
        np.sqrt(rarity),
        np.sqrt(shared / (new.size + old.size - shared)),
        np.sqrt(_share(shared, new.alive + old.alive - shared, 0.5)),
        np.sqrt(_share(rarity, new.rarity + old.rarity - rarity, 1e-9)),
        np.sqrt(least / (new.calls + old.calls - least)),
        root / mean_calls,
        rare_root / mean_calls,
        directed / mean_calls,
        np.log1p(shared) * root / mean_calls,
        np.log1p(shared) * directed / mean_calls,
        calls_new / new.calls,
        calls_old / old.calls,
        _share(calls_new, new.alive_calls, 0.02 * new.calls),
        _share(calls_old, old.alive_calls, 0.02 * old.calls),
        shared / new.size,
        shared / old.size,
        _share(shared, new.alive, 0.5),
        _share(shared, old.alive, 0.5),
        np.log1p(new.size),
        np.log1p(old.size),
        np.log1p(new.alive),
        np.log1p(old.alive),
        np.abs(np.log(new.calls / old.calls)),
        np.abs(new.direction - old.direction),
        np.full(len(shared), np.nan)
        if days is None
        else _compare_days(days, query_rows, pool_rows, between, partner_rarity, n_threads),
        np.full((len(query_rows), len(HABITS)), np.nan)
        if habits is None
        else habits.measure(query_rows, pool_rows, n_threads),
    ]
    return FeatureTable(np.column_stack(columns), shared)


def _compare_days(
    days: tuple[ProbableRows, ProbableRows],
    query_rows: npt.NDArray[np.int64],
    pool_rows: npt.NDArray[np.int64],
    between: npt.NDArray[np.int64],
    partner_rarity: npt.NDArray[np.float64],
    n_threads: int | None,
) -> npt.NDArray[np.float64]:
    """Return the affinity of the shares of days with a call, each partner by its rarity."""
    queries, pool = days
    sums = expect_overlaps(
        queries, pool, query_rows, pool_rows, partner_rarity=partner_rarity, n_threads=n_threads
    )
    of_new = queries.sum(queries.calls.data)[query_rows]
    left = np.flatnonzero(between >= 0)
    of_new[left] -= queries.calls.data[between[left]]
    of_old = pool.sum(pool.calls.data)[pool_rows]
    mean = np.sqrt(np.maximum(of_new * of_old, 1e-9))
    return np.asarray(sums.rare_root / mean, np.float64)


def _share(
    part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64], least: Any
) -> npt.NDArray[np.float64]:
    """Return part / whole, at most 1; a whole of next to nothing says next to nothing."""
    return np.asarray(np.minimum(part / np.maximum(whole, least), 1.0), np.float64)


@dataclass(frozen=True, eq=False)
class _Side:
    """What every pair needs of one row alone: sums over its entries, and the entries."""

    sums: dict[str, npt.NDArray[np.float64]]
    parts: dict[str, npt.NDArray[np.float64]]

    @classmethod
    def of(
        cls,
        rows: ProbableRows,
        partner_rarity: npt.NDArray[np.float64],
        absent: npt.NDArray[np.float64],
    ) -> _Side:
        columns, calls = rows.calls.indices, rows.calls.data
        there = 1.0 - absent[columns]
        parts = {
            "size": rows.presence,
            "alive": rows.presence * there,
            "calls": calls,
            "alive_calls": calls * there,
            "rarity": rows.presence * partner_rarity[columns],
            "made": rows.outgoing,
        }
        return cls({name: rows.sum(part) for name, part in parts.items()}, parts)

    def without(self, rows: npt.NDArray[np.int64], entries: npt.NDArray[np.int64]) -> _RowSums:
        """Return the sums of rows, each without one of its entries; -1 for with all of them."""
        left = np.flatnonzero(entries >= 0)
        found = {}
        for name, sums in self.sums.items():
            found[name] = sums[rows]
            found[name][left] -= self.parts[name][entries[left]]
        return _RowSums(**found)


@dataclass(frozen=True, eq=False)
class _RowSums:
    """Partners, those that could be called on both sides, calls, rarity, calls made."""

    size: npt.NDArray[np.float64]
    alive: npt.NDArray[np.float64]
    calls: npt.NDArray[np.float64]
    alive_calls: npt.NDArray[np.float64]
    rarity: npt.NDArray[np.float64]
    made: npt.NDArray[np.float64]

    @property
    def direction(self) -> npt.NDArray[np.float64]:
        """Odds of making a call to receiving one, in logarithms."""
        received = np.maximum(self.calls - self.made, 0.0)
        return np.asarray(np.log((self.made + 1.0) / (received + 1.0)), np.float64)


def _find_entries(
    rows: ProbableRows, wanted_rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the entry of each row and column, -1 where there is none."""
    n_columns = rows.calls.shape[1]
    owners = np.repeat(np.arange(len(rows)), np.diff(rows.calls.indptr))
    places = owners * n_columns + rows.calls.indices
    wanted = wanted_rows * n_columns + columns
    entries = np.minimum(np.searchsorted(places, wanted), max(len(places) - 1, 0))
    found = (columns >= 0) & (places[entries] == wanted) if len(places) else columns < -1
    return np.where(found, entries, -1)


def expect_overlaps(
    queries: ProbableRows,
    pool: ProbableRows,
    query_rows: npt.NDArray[np.int64],
    pool_rows: npt.NDArray[np.int64],
    *,
    partner_rarity: npt.NDArray[np.float64],
    n_threads: int | None = None,
) -> OverlapSums:
    """Return sums over the shared partners of pairs, from one pass over both rows of each.

    Parameters as in `measure_features`.
    """
    sums = np.empty(len(query_rows) * _N_SUMS)
    # Offsets are int64 for every kernel; SciPy has one width for both.
    wide = np.int64 if queries.calls.shape[1] >= 2**31 else np.int32

    def expect_block(start: int, stop: int) -> None:
        _core.expect_overlaps(
            query_indptr,
            query_indices,
            queries.calls.data,
            queries.outgoing,
            queries.presence,
            pool_indptr,
            pool_indices,
            pool.calls.data,
            pool.outgoing,
            partner_rarity,
            query_rows,
            pool_rows,
            sums,
            start,
            stop,
        )

    query_indptr, pool_indptr = (side.calls.indptr.astype(np.int64) for side in (queries, pool))
    query_indices, pool_indices = (side.calls.indices.astype(wide) for side in (queries, pool))
    blocks = map_blocks(expect_block, len(query_rows), block_rows=_BLOCK_PAIRS, n_threads=n_threads)
    for _ in blocks:
        pass
    return OverlapSums(*np.ascontiguousarray(sums.reshape(-1, _N_SUMS).T))
