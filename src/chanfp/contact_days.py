"""Days of contact: on how many days two parties called, which tells a tie from a burst of calls.

Read along with cells and hours, for the subscriptions that are judged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .cleaning import FOR_CALLEE, FOR_CALLER, CleanCalls
from .clock import DAY_S
from .fingerprints import Fingerprints, FingerprintSet

__all__ = ["ContactDays"]

MOST_DAYS = 1 << 20
MOST_WAITING = 1 << 20


class ContactDays:
    """Counts, for each entry of some fingerprint sets, the days on which the partner called.

    Parameters
    ----------
    fingerprints : Fingerprints
    sets : sequence of FingerprintSet
        Of these fingerprints.

    Notes
    -----
    Repeats of a call fall on its own day, so they needn't be told apart. Memory is 8 bytes for
    each entry and day.
    """

    def __init__(self, fingerprints: Fingerprints, sets: Sequence[FingerprintSet]) -> None:
        self.subscriptions = fingerprints.subscriptions
        self.counters = [_Counter(one, fingerprints) for one in sets]

    def watch(self, calls: CleanCalls) -> None:
        """Note some of the calls; all of them are to come by once."""
        for side in (FOR_CALLER, FOR_CALLEE):
            numbers, partners = calls.caller, calls.callee
            if side == FOR_CALLEE:
                numbers, partners = partners, numbers
            holdings = self.subscriptions.find(numbers, calls.start_s)
            holdings[calls.served & side == 0] = -1
            for counter in self.counters:
                counter.add(calls, holdings, partners)

    def days(self) -> list[npt.NDArray[np.float64]]:
        """Return the days of each set's entries: at least 1, at most the calls of the entry."""
        return [counter.days() for counter in self.counters]


class _Counter:
    """Gathers the days of one fingerprint set."""

    def __init__(self, prints: FingerprintSet, fingerprints: Fingerprints) -> None:
        self.role, self.matrix = prints.role, prints.matrix
        self.find_columns = fingerprints.find_columns
        n_holdings = len(fingerprints.subscriptions.keys)
        self.row_of = np.full(n_holdings + 1, -1, np.int64)  # the last one stands for "nobody"
        self.row_of[self.role.holdings] = np.arange(len(self.role))
        owners = np.repeat(np.arange(len(self.role)), np.diff(self.matrix.indptr))
        self.places = owners * self.matrix.shape[1] + self.matrix.indices
        self.seen = np.zeros(0, np.int64)
        self.parts: list[npt.NDArray[np.int64]] = []
        self.n_waiting = 0

    def add(
        self, calls: CleanCalls, holdings: npt.NDArray[np.int64], partners: npt.NDArray[np.uint64]
    ) -> None:
        """Note the days of those calls that a fingerprint of the set has."""
        rows = self.row_of[holdings]
        known = np.flatnonzero(rows >= 0)
        rows, times_s = rows[known], calls.start_s[known]
        inside = (times_s >= self.role.start_s[rows]) & (times_s <= self.role.end_s[rows])
        known, rows = known[inside], rows[inside]
        columns = self.find_columns(partners[known])
        wanted = rows * self.matrix.shape[1] + columns
        entries = np.minimum(np.searchsorted(self.places, wanted), len(self.places) - 1)
        found = (columns >= 0) & (len(self.places) > 0)
        found[found] = self.places[entries[found]] == wanted[found]
        days = times_s[inside] // DAY_S
        self.parts.append(np.unique(entries[found] * MOST_DAYS + days[found]))
        self.n_waiting += len(self.parts[-1])
        # Seldom enough that each is sorted in a few times, however many batches there are.
        if self.n_waiting > max(len(self.seen), MOST_WAITING):
            self._sort_in()

    def _sort_in(self) -> None:
        self.seen = np.unique(np.concatenate([self.seen, *self.parts]))
        self.parts.clear()
        self.n_waiting = 0

    def days(self) -> npt.NDArray[np.float64]:
        """Return the days of each entry."""
        self._sort_in()
        counts = np.bincount(self.seen // MOST_DAYS, minlength=self.matrix.nnz)
        return np.clip(counts, 1, self.matrix.data).astype(np.float64)
