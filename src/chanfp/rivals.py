"""Rivals: who else was in question for a new number or an old one, and by what odds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .competition import Competition

__all__ = ["Rival", "Rivals"]

# Odds below this share of those of nobody don't matter; they are not kept.
LEAST_SHARE = 0.01
LISTED_A_SIDE = 5

Rows = npt.NDArray[np.int64]
# Rows of the new and of the pool.
Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Rival:
    """One pair that shares its new or its old number with another one.

    Parameters
    ----------
    new_row, pool_row : int
        Rows of the new and of the pool: old ones, then decoys.
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
        By new row, then most probable first; pool rows are old ones, then decoys.
    log_odds : float64 array, shape (n_pairs,)
    by_old : int64 array, shape (n_pairs,)
        The pairs by pool row, then most probable first.
    linked : frozenset of (Pair, Pair)
        Pairs that share a number and don't rival each other, as far as their other numbers are
        one person's; each both ways.
    n_old : int
        How many of the pool are no decoys.
    nobody : float
        Odds that the person behind a new number is not among the old ones.
    """

    new_rows: Rows
    pool_rows: Rows
    log_odds: npt.NDArray[np.float64]
    by_old: Rows
    linked: frozenset[tuple[Pair, Pair]]
    n_old: int
    nobody: float

    @classmethod
    def of(
        cls,
        competition: Competition,
        log_odds: npt.NDArray[np.float64],
        *,
        n_new: int,
        n_old: int,
        nobody: float,
    ) -> Rivals:
        """Keep the pairs of the first `n_new` queries with at least 1 % of the odds of nobody.

        Parameters
        ----------
        competition : Competition
        log_odds : float64 array, shape (n_pairs,)
            Those that the odds of the competition were made of.
        n_new, n_old : int
        nobody : float
        """
        new_rows, pool_rows = competition.queries, competition.olds
        counts = log_odds >= math.log(LEAST_SHARE * nobody)
        kept = np.flatnonzero(counts & (new_rows < n_new))
        kept = kept[np.lexsort((pool_rows[kept], -log_odds[kept], new_rows[kept]))]
        by_old = np.lexsort((new_rows[kept], -log_odds[kept], pool_rows[kept]))
        linked: list[tuple[Pair, Pair]] = []
        if (linking := competition.linking) is not None:
            one, other = (
                list(zip(new_rows[at].tolist(), pool_rows[at].tolist(), strict=True))
                for at in (linking.pairs[linking.first], linking.pairs[linking.second])
            )
            linked = [*zip(one, other, strict=True), *zip(other, one, strict=True)]
        columns = (new_rows[kept], pool_rows[kept], log_odds[kept])
        return cls(*columns, by_old, frozenset(linked), n_old, nobody)

    def are_linked(self, one: Pair, other: Pair) -> bool:
        """Return whether two pairs that share a number may be one person's both."""
        return (one, other) in self.linked

    def for_new(self, new_row: int, pool_row: int) -> list[Rival]:
        """Return the strongest other old numbers for a new one, 5 at most."""
        pairs = self._pairs_of(new_row)
        pools = self.pool_rows[pairs]
        return self._listed(pairs[(pools != pool_row) & (pools < self.n_old)])

    def in_use(self, new_row: int) -> list[Rival]:
        """Return the strongest decoys for a new number, 5 at most."""
        pairs = self._pairs_of(new_row)
        return self._listed(pairs[self.pool_rows[pairs] >= self.n_old])

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
