"""Rivals: who else was in question for a new number or an old one, and by what odds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Rival", "Rivals"]

# Odds below this share of those of nobody don't matter; they are not kept.
LEAST_SHARE = 0.01
# Two numbers that are one person's with this probability are shown as such.
LEAST_LINK = 0.5
LISTED_A_SIDE = 5

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rival:
    """One pair that shares its new or its old number with another one.

    Parameters
    ----------
    new_row, pool_row : int
        Rows of the new and of the pool: old ones, then decoys.
    log_odds : float
        Of the pair alone.
    is_linked : bool
        Whether the other number is probably the same person's, too, so that the two don't rival.
    """

    new_row: int
    pool_row: int
    log_odds: float
    is_linked: bool = False


@dataclass(frozen=True, eq=False)
class Rivals:
    """Pairs of the new that count in the competition, decoys among them.

    Parameters
    ----------
    new_rows, pool_rows : int64 array, shape (n_pairs,)
        By new row, then most probable first; pool rows are old ones, then decoys.
    log_odds : float64 array, shape (n_pairs,)
    by_old : int64 array, shape (n_pairs,)
        The pairs by pool row, then most probable first.
    n_old : int
        How many of the pool are no decoys.
    nobody : float
        Odds that the person behind a new number is not among the old ones.
    twins : int64 array, shape (n_new,)
        Pool row of each new number that has departed as well, -1 for the others.
    """

    new_rows: Rows
    pool_rows: Rows
    log_odds: npt.NDArray[np.float64]
    by_old: Rows
    n_old: int
    nobody: float
    twins: Rows

    @classmethod
    def of(
        cls,
        new_rows: Rows,
        pool_rows: Rows,
        log_odds: npt.NDArray[np.float64],
        n_old: int,
        nobody: float,
        twins: Rows,
    ) -> Rivals:
        """Keep the pairs whose odds are at least 1 % of those of nobody."""
        kept = np.flatnonzero(log_odds >= math.log(LEAST_SHARE * nobody))
        kept = kept[np.lexsort((pool_rows[kept], -log_odds[kept], new_rows[kept]))]
        new_rows, pool_rows, log_odds = new_rows[kept], pool_rows[kept], log_odds[kept]
        by_old = np.lexsort((new_rows, -log_odds, pool_rows))
        return cls(new_rows, pool_rows, log_odds, by_old, n_old, nobody, twins)

    def for_new(self, new_row: int, pool_row: int) -> list[Rival]:
        """Return the strongest other old numbers for a new one, 5 at most."""
        pairs = self._pairs_of(new_row)
        pools = self.pool_rows[pairs]
        return self._listed(pairs[(pools != pool_row) & (pools < self.n_old)], new_row, pool_row)

    def in_use(self, new_row: int) -> list[Rival]:
        """Return the strongest decoys for a new number, 5 at most."""
        pairs = self._pairs_of(new_row)
        return self._listed(pairs[self.pool_rows[pairs] >= self.n_old], new_row, -1)

    def for_old(self, new_row: int, pool_row: int) -> list[Rival]:
        """Return the strongest other new numbers of an old one, 5 at most."""
        olds = self.pool_rows[self.by_old]
        start, stop = np.searchsorted(olds, [pool_row, pool_row + 1]).tolist()
        pairs = self.by_old[start:stop]
        return self._listed(pairs[self.new_rows[pairs] != new_row], new_row, pool_row)

    def _pairs_of(self, new_row: int) -> Rows:
        start, stop = np.searchsorted(self.new_rows, [new_row, new_row + 1]).tolist()
        return np.arange(start, stop)

    def _listed(self, pairs: Rows, new_row: int, pool_row: int) -> list[Rival]:
        found = []
        for pair in pairs[:LISTED_A_SIDE].tolist():
            other_new, other_old = int(self.new_rows[pair]), int(self.pool_rows[pair])
            if other_new == new_row:
                is_linked = self._follows(other_old, pool_row) or self._follows(pool_row, other_old)
            else:
                is_linked = self._is_probable(new_row, int(self.twins[other_new]))
                is_linked |= self._is_probable(other_new, int(self.twins[new_row]))
            found.append(Rival(other_new, other_old, float(self.log_odds[pair]), is_linked))
        return found

    def _follows(self, later: int, earlier: int) -> bool:
        """Tell whether an old number probably is what another one's holder had next."""
        new_row = self._new_of.get(later)
        return new_row is not None and self._is_probable(new_row, earlier)

    @cached_property
    def _new_of(self) -> dict[int, int]:
        """The new row of each pool row that is the same subscription."""
        new_rows = np.flatnonzero(self.twins >= 0)
        return dict(zip(self.twins[new_rows].tolist(), new_rows.tolist(), strict=True))

    def _is_probable(self, new_row: int, pool_row: int) -> bool:
        """Tell whether a pair is kept and one person's, judged by its own odds and nobody's."""
        pairs = self._pairs_of(new_row)
        log_odds = self.log_odds[pairs[self.pool_rows[pairs] == pool_row]]
        least = math.log(self.nobody * LEAST_LINK / (1 - LEAST_LINK))
        return pool_row >= 0 and bool((log_odds >= least).any())
