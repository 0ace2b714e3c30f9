"""Competition: candidates of one new number rival each other, and new numbers for one old one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from .linking import Linking

__all__ = ["Competition"]

# Probabilities closer than this are equal, so that ranks don't hang on last places.
DECIMALS = 12
LEAST_NOBODY, MOST_NOBODY = 0.2, 1e4
N_HALVINGS = 60
# What it counts in an assignment to stay alone.
ALONE = 1e-9


@dataclass(frozen=True, eq=False)
class Competition:
    """Pairs with their odds.

    Parameters
    ----------
    queries, olds : int64 array, shape (n_pairs,)
        New and old number of each pair; pairs of one new number stand together.
    odds : float64 array, shape (n_pairs,)
        That one person is behind both, judged by the pair alone.
    rivals : bool array, shape (n_pairs,)
        True where the pair takes the old number from others: those of the new, not of controls.
    decoys : bool array, shape (n_pairs,)
        True where the old number is a decoy, which nobody can have come back from.
    n_queries, n_olds : int
    twins : int64 array, shape (n_queries,), optional
        The old number that is the same subscription as each new one, -1 where none is: somebody
        came and went again. Default nobody did.
    """

    queries: npt.NDArray[np.int64]
    olds: npt.NDArray[np.int64]
    odds: npt.NDArray[np.float64]
    rivals: npt.NDArray[np.bool_]
    decoys: npt.NDArray[np.bool_]
    n_queries: int
    n_olds: int
    twins: npt.NDArray[np.int64] | None = None

    @cached_property
    def linking(self) -> Linking | None:
        """Which pairs are no rivals because their numbers may be one person's."""
        if self.twins is None or not (self.twins >= 0).any():
            return None
        found = Linking.of(self.queries, self.olds, self.odds, self.twins, self.n_olds)
        return found if len(found.pairs) else None

    def scores(self, nobody: float) -> npt.NDArray[np.float64]:
        """Return odds / (nobody + odds of all pairs of the same new or the same old number).

        Decoys rival others and are rivalled just as departed are, so that neither has an advantage.
        Numbers of one person that follow each other don't rival, as far as they are one person's.

        Parameters
        ----------
        nobody : float
            Odds that the person behind the new number is not among the old ones, above 0.
        """
        return self._share(nobody, self.odds)

    def shares(self, nobody: float) -> npt.NDArray[np.float64]:
        """Return scores that add up to at most 1 for each new number.

        What several old numbers of one person have in common is dealt out among them.
        """
        return self._share(nobody, self.odds, is_dealt_out=True)

    def probabilities(
        self, nobody: float, *, is_dealt_out: bool = False
    ) -> npt.NDArray[np.float64]:
        """Return what scores, or shares, become when it is told who is a decoy: 0 for those."""
        odds = np.where(self.decoys, 0.0, self.odds)
        found = self._share(nobody, odds, is_dealt_out=is_dealt_out)
        return np.where(self.decoys, 0.0, found)

    def _share(
        self, nobody: float, odds: npt.NDArray[np.float64], *, is_dealt_out: bool = False
    ) -> npt.NDArray[np.float64]:
        """Return the share of each pair among `odds` of its new number and rivals for its old."""
        of_new = np.bincount(self.queries, odds, self.n_queries)[self.queries]
        own = self.odds * self.rivals
        others = np.maximum(np.bincount(self.olds, own, self.n_olds)[self.olds] - own, 0.0)
        total = np.asarray(nobody + of_new + others, np.float64)
        if (linking := self.linking) is not None:
            at = linking.pairs
            total[at] -= self._relief(
                linking, nobody, odds[at], total[at], is_dealt_out=is_dealt_out
            )
        return np.asarray(np.round(self.odds / total, DECIMALS), np.float64)

    def _relief(
        self,
        linking: Linking,
        nobody: float,
        odds: npt.NDArray[np.float64],
        total: npt.NDArray[np.float64],
        *,
        is_dealt_out: bool,
    ) -> npt.NDArray[np.float64]:
        """Return how much less rivals weigh for the pairs of `linking`.

        A pair links two numbers as surely as it holds against those rivals that don't look like
        the same person's: three numbers that all look alike are one person's.
        """
        at = linking.pairs
        own, rivals = self.odds[at], self.odds[at] * self.rivals[at]
        of_new, of_old = linking.relieve(odds, rivals, own / (nobody + own))
        left = np.maximum(total - of_new - of_old, nobody + np.maximum(odds, own))
        of_new, of_old = linking.relieve(odds, rivals, own / left)
        relief = of_old if is_dealt_out else of_new + of_old
        return np.asarray(np.minimum(relief, total - nobody - odds), np.float64)

    def nobody_for(self, counted: npt.NDArray[np.bool_], n_returners: float) -> float:
        """Return the odds of nobody at which the probabilities counted add up to a number.

        Several old numbers of one person count once.

        Parameters
        ----------
        counted : bool array, shape (n_pairs,)
        n_returners : float
            What no odds can reach gets the least or the greatest there is, 0.2 or 10,000: even
            where everybody came back, some left no trace of it among their partners.
        """
        low, high = np.log(LEAST_NOBODY), np.log(MOST_NOBODY)
        for _ in range(N_HALVINGS):
            middle = (low + high) / 2
            if (
                self.probabilities(float(np.exp(middle)), is_dealt_out=True)[counted].sum()
                > n_returners
            ):
                low = middle
            else:
                high = middle
        return float(np.exp(high))

    def winners(self, score: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the pair with the highest score of each new number that has any, by new number.

        Among equals the first pair wins.
        """
        order = np.lexsort((np.arange(len(score)), -score, self.queries))
        ordered = self.queries[order]
        return order[np.flatnonzero(np.diff(ordered, prepend=-1))]

    def assign(
        self, score: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Return pairs that use each new and each old number once at most, by new number.

        Parameters
        ----------
        score : float64 array, shape (n_pairs,)
        chosen : bool array, shape (n_pairs,)
            The pairs to choose from.

        Notes
        -----
        The scores chosen add up to the most there can be: the expected number of right pairs.
        Each new number may also stay alone, which counts next to nothing.
        """
        pairs = np.flatnonzero(chosen & (score > ALONE))
        new, rows = np.unique(self.queries[pairs], return_inverse=True)
        old, columns = np.unique(self.olds[pairs], return_inverse=True)
        alone = np.arange(len(new))
        weights = coo_array(
            (
                np.concatenate([score[pairs], np.full(len(new), ALONE)]),
                (
                    np.concatenate([rows, alone]),
                    np.concatenate([columns, len(old) + alone]),
                ),
            ),
            shape=(len(new), len(old) + len(new)),
        ).tocsr()
        if not len(new):
            return pairs
        found = np.column_stack(min_weight_full_bipartite_matching(weights, maximize=True))
        wanted = rows * (len(old) + len(new)) + columns
        chosen_cells = found[:, 0] * (len(old) + len(new)) + found[:, 1]
        return np.asarray(pairs[np.isin(wanted, chosen_cells)], np.int64)
