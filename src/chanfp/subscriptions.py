"""Subscriptions: numbers with the periods in which somebody held them, found by number and time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .keys import KeyTable

__all__ = ["Subscriptions"]


@dataclass(frozen=True, eq=False)
class Subscriptions:
    """Holdings, numbers with their periods, by number and time: finds who held a number when.

    Parameters
    ----------
    rows : int64 array
        Row of the subscriber table of each holding.
    keys : uint64 array
        Number keys, ascending; one that was recycled stands several times, by time.
    periods : int64 array
        First and last second of each holding in turn; they don't overlap within a key.
    is_departed : bool array
        True where the table gives a departure.
    table : KeyTable
        Finds the first holding of a key.
    unusable : Counter
        Rows of the table left out because their number is none, by reason.
    """

    rows: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    periods: npt.NDArray[np.int64]
    is_departed: npt.NDArray[np.bool_]
    table: KeyTable
    unusable: Counter[str]

    @property
    def activated_s(self) -> npt.NDArray[np.int64]:
        """First second of each holding."""
        return self.periods[::2]

    def find(
        self, keys: npt.NDArray[np.uint64], times_s: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the holding of each number at each time, -1 where nobody held it then."""
        holding = self.table.find(keys, n_threads=1).astype(np.int64)
        known = np.flatnonzero(holding >= 0)
        at, wanted, times_s = holding[known], keys[known], times_s[known]
        while True:  # as often as the most recycled number has holders
            following = np.minimum(at + 1, len(self.keys) - 1)
            moves = (
                (following > at)
                & (self.keys[following] == wanted)
                & (self.periods[2 * following] <= times_s)
            )
            if not moves.any():
                break
            at = np.where(moves, following, at)
        held = (self.periods[2 * at] <= times_s) & (times_s <= self.periods[2 * at + 1])
        holding[known] = np.where(held, at, -1)
        return holding
