"""Linking: numbers of one person that follow each other are no rivals.

A wanderer leaves a first number for a second and that for a third. The third is the second's
successor and the first's: both are right. So two pairs that share a number are no rivals in
proportion to the probability that the two numbers in which they differ are one person's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Linking"]

# What links two numbers with less than this makes no difference worth its time.
LEAST_STRENGTH = 0.02


@dataclass(frozen=True, eq=False)
class Linking:
    """Triangles: two pairs that rival each other, and a third one that says they needn't.

    Parameters
    ----------
    pairs : int64 array, shape (n_touched,)
        The pairs that are in any triangle, ascending.
    first, second, through : int64 array, shape (n_triangles,)
        Places in `pairs`: two that share a number, and the pair of their other numbers.
    of_new : bool array, shape (n_triangles,)
        True where the number shared is the new one.
    """

    pairs: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    through: npt.NDArray[np.int64]
    of_new: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        queries: npt.NDArray[np.int64],
        olds: npt.NDArray[np.int64],
        odds: npt.NDArray[np.float64],
        twins: npt.NDArray[np.int64],
        n_olds: int,
    ) -> Linking:
        """Find all triangles.

        Parameters
        ----------
        queries, olds : int64 array, shape (n_pairs,)
            New and old number of each pair, each pair once.
        odds : float64 array, shape (n_pairs,)
            Of each pair alone.
        twins : int64 array, shape (n_queries,)
            The old number that is the same subscription as each new one, -1 where none is.
        n_olds : int
        """
        may_link = odds > LEAST_STRENGTH * (1 + odds)
        new_of = np.full(n_olds, -1, np.int64)
        new_of[twins[twins >= 0]] = np.flatnonzero(twins >= 0)
        keys = queries * n_olds + olds
        order = np.argsort(keys, kind="stable")
        parts, n_found = [], []
        # A new number that has departed as well, and its old one: two old numbers of one person.
        # An old number that was new as well, and its new one: two new numbers of one person.
        for of_new, sides, same in (
            (True, (olds, queries), twins[queries]),
            (False, (queries, olds), new_of[olds]),
        ):
            through = np.flatnonzero(may_link & (same >= 0))
            at, first = _expand(sides[0], same[through])
            shared, other = sides[1][first], sides[0][through[at]]
            wanted = shared * n_olds + other if of_new else other * n_olds + shared
            second = _find(keys, order, wanted)
            found = (second >= 0) & (second != through[at])
            parts.append((first[found], second[found], through[at[found]]))
            n_found.append(len(parts[-1][0]))
        first, second, through = (np.concatenate(part) for part in zip(*parts, strict=True))
        pairs, places = np.unique(np.concatenate([first, second, through]), return_inverse=True)
        first, second, through = np.split(places, 3)
        return cls(pairs, first, second, through, np.repeat([True, False], n_found))

    def relieve(
        self,
        odds: npt.NDArray[np.float64],
        rivals: npt.NDArray[np.float64],
        strength: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return by how much the odds of rivals are lessened for each of `pairs`.

        Parameters
        ----------
        odds, rivals : float64 array, shape (n_touched,)
            What each of `pairs` counts against others of its new, and of its old number.
        strength : float64 array, shape (n_touched,)
            The probability that one person is behind each, 0 to 1.

        Returns
        -------
        of_new, of_old : float64 array, shape (n_touched,)
        """
        weight = strength[self.through]

        def add_up(
            chosen: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]
        ) -> npt.NDArray[np.float64]:
            first, second, weights = self.first[chosen], self.second[chosen], weight[chosen]
            places = np.concatenate([first, second])
            counts = np.concatenate([weights * values[second], weights * values[first]])
            return np.asarray(np.bincount(places, counts, len(self.pairs)), np.float64)

        return add_up(self.of_new, odds), add_up(~self.of_new, rivals)


def _expand(
    values: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return every place of each value wanted: which one was wanted, and the place."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    start, stop = (np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
    counts = stop - start
    at = np.repeat(np.arange(len(wanted)), counts)
    return at, order[np.arange(len(at)) + np.repeat(start - np.cumsum(counts) + counts, counts)]


def _find(
    keys: npt.NDArray[np.int64], order: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the place of each key wanted, -1 where it is none; `order` sorts the keys."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    found = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    return np.where(keys[found] == wanted, found, -1)
