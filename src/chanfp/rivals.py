"""Rivals: who else was in question for a new number or an old one, and by what odds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Rival", "Rivals"]

# Odds below this share of those of nobody don't matter; they are not kept.
LEAST_SHARE = 0.01
LISTED_A_SIDE = 5

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rival:
    """One pair that shares its new or its old number with another one.

    Parameters
    ----------
    new_row, pool_row : int
        Rows of the new and of the pool: departed ones, then decoys.
    log_odds : float
        Of the pair alone.
    """

    new_row: int
    pool_row: int
    log_odds: float


@dataclass(frozen=True, eq=False)
class Rivals:
    """Pairs of the new that count in the competition, decoys among them.

    Parameters
    ----------
    new_rows, pool_rows : int64 array, shape (n_pairs,)
        By new row, then most probable first; pool rows are departed ones, then decoys.
    log_odds : float64 array, shape (n_pairs,)
    by_old : int64 array, shape (n_pairs,)
        The pairs by pool row, then most probable first.
    n_departed : int
        How many of the pool have departed.
    nobody : float
        Odds that the person behind a new number is not among the old ones.
    """

    new_rows: Rows
    pool_rows: Rows
    log_odds: npt.NDArray[np.float64]
    by_old: Rows
    n_departed: int
    nobody: float

    @classmethod
    def of(
        cls,
        new_rows: Rows,
        pool_rows: Rows,
        log_odds: npt.NDArray[np.float64],
        n_departed: int,
        nobody: float,
    ) -> Rivals:
        """Keep the pairs whose odds are at least 1 % of those of nobody."""
        kept = np.flatnonzero(log_odds >= math.log(LEAST_SHARE * nobody))
        kept = kept[np.lexsort((pool_rows[kept], -log_odds[kept], new_rows[kept]))]
        new_rows, pool_rows, log_odds = new_rows[kept], pool_rows[kept], log_odds[kept]
        by_old = np.lexsort((new_rows, -log_odds, pool_rows))
        return cls(new_rows, pool_rows, log_odds, by_old, n_departed, nobody)

    def for_new(self, new_row: int, pool_row: int) -> list[Rival]:
        """Return the strongest other departed numbers for a new one, 5 at most."""
        pairs = self._pairs_of(new_row)
        pools = self.pool_rows[pairs]
        return self._listed(pairs[(pools != pool_row) & (pools < self.n_departed)])

    def in_use(self, new_row: int) -> list[Rival]:
        """Return the strongest decoys for a new number, 5 at most."""
        pairs = self._pairs_of(new_row)
        return self._listed(pairs[self.pool_rows[pairs] >= self.n_departed])

    def for_old(self, new_row: int, pool_row: int) -> list[Rival]:
        """Return the strongest other new numbers of an old one, 5 at most."""
        olds = self.pool_rows[self.by_old]
        start, stop = np.searchsorted(olds, [pool_row, pool_row + 1]).tolist()
        pairs = self.by_old[start:stop]
        return self._listed(pairs[self.new_rows[pairs] != new_row])

    def _pairs_of(self, new_row: int) -> Rows:
        start, stop = np.searchsorted(self.new_rows, [new_row, new_row + 1]).tolist()
        return np.arange(start, stop)

    def _listed(self, pairs: Rows) -> list[Rival]:
        chosen = pairs[:LISTED_A_SIDE]
        return [
            Rival(*values)
            for values in zip(
                self.new_rows[chosen].tolist(),
                self.pool_rows[chosen].tolist(),
                self.log_odds[chosen].tolist(),
                strict=True,
            )
        ]
