"""Classes of numbers: how many parties are ordinary subscribers, and what the others are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..screening import N_CODES

__all__ = ["NumberClasses"]

ORDINARY = "ordinary"


class NumberClasses:
    """Counts the parties of rows by class: caller and callee, or subscriber and other party.

    Parameters
    ----------
    reasons : sequence of str
        The names of reason codes, as `NumberingPlan.reasons` has them; the first means ordinary.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        self._reasons = reasons
        self._counts: dict[str, npt.NDArray[np.int64]] = {}

    def add(self, party: str, counts: npt.NDArray[np.int64]) -> None:
        """Take counts by reason code (int64, 256 places) of a party."""
        total = self._counts.setdefault(party, np.zeros(N_CODES, np.int64))
        total += counts

    def by_party(self) -> dict[str, dict[str, int]]:
        """Return for each party the numbers of each class, ordinary first, then most first."""
        found: dict[str, dict[str, int]] = {}
        for party in ("caller", "callee", "subscriber", "other_party"):
            if party in self._counts:
                counts = self._counts[party]
                codes = sorted(np.flatnonzero(counts).tolist(), key=lambda c: (c > 0, -counts[c]))
                found[party] = {
                    self._reasons[code] or ORDINARY: int(counts[code]) for code in codes
                }
        return found
