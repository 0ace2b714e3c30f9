"""Renaming: partners who probably are somebody known, called by the old number, in proportion.

Friends return together. A new number in a partner list that is with probability p the number of
somebody who departed counts as 1 - p of itself and p of the old number, so that the friends of
both are found to share it; nothing has to be decided, and nothing decided wrongly is built upon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .features import ProbableRows

__all__ = ["Renames"]

# Less than this is left out: it says next to nothing and makes rows longer.
LEAST_PROBABILITY = 0.02


@dataclass(frozen=True, eq=False)
class Renames:
    """Who partners probably are.

    Parameters
    ----------
    new, old : int64 array, shape (n,)
        Columns of the new numbers, and of the old ones that they may be.
    probability : float64 array, shape (n,)
        At least 0.02; adds up to at most 1 for each new number.
    """

    new: npt.NDArray[np.int64]
    old: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls,
        new: npt.NDArray[np.int64],
        old: npt.NDArray[np.int64],
        probability: npt.NDArray[np.float64],
    ) -> Renames:
        """Take those that both have a column and are probable enough."""
        kept = (new >= 0) & (old >= 0) & (new != old) & (probability >= LEAST_PROBABILITY)
        order = np.lexsort((old[kept], new[kept]))
        return cls(*(one[kept][order] for one in (new, old, probability)))

    def __len__(self) -> int:
        return len(self.new)

    def added_up(self, columns: npt.NDArray[np.int64], n_columns: int) -> npt.NDArray[np.float64]:
        """Return the summed probability of each column of `new` or `old`, at most 1."""
        return np.minimum(np.bincount(columns, self.probability, n_columns), 1.0)

    def rename(self, rows: ProbableRows) -> ProbableRows:
        """Return rows of certain partners with probable ones added and doubtful ones lessened."""
        if not len(self):
            return rows
        n_columns = rows.calls.shape[1]
        indptr, indices = rows.calls.indptr.astype(np.int64), rows.calls.indices.astype(np.int64)
        owners = np.repeat(np.arange(len(rows)), np.diff(indptr))
        first = np.searchsorted(self.new, indices, "left")
        n_added = np.searchsorted(self.new, indices, "right") - first
        left = 1.0 - self.added_up(self.new, n_columns)[indices]
        source = np.repeat(np.arange(len(indices)), n_added)
        rename = np.arange(len(source)) - np.repeat(np.cumsum(n_added) - n_added, n_added)
        rename += first[source]
        weights = np.concatenate([left, self.probability[rename]])
        entries = np.concatenate([np.arange(len(indices)), source])
        kept = weights >= LEAST_PROBABILITY
        columns = np.concatenate([indices, self.old[rename]])
        return _unite(rows, owners[entries][kept], columns[kept], entries[kept], weights[kept])


def _unite(
    rows: ProbableRows,
    owners: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    entries: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> ProbableRows:
    """Make rows of weighted entries; calls of one partner add up, and any may be the partner."""
    order = np.lexsort((columns, owners))
    owners, columns = owners[order], columns[order]
    entries, weights = entries[order], weights[order]
    begins = np.ones(len(owners), bool)
    begins[1:] = (owners[1:] != owners[:-1]) | (columns[1:] != columns[:-1])
    place = np.cumsum(begins) - 1
    n_places = int(place[-1]) + 1 if len(place) else 0

    def add_up(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(place, values, n_places), np.float64)

    absence = add_up(np.log1p(-np.minimum(weights, 1.0 - 1e-12)))
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.bincount(owners[begins], minlength=len(rows)), out=indptr[1:])
    dtype = rows.calls.indices.dtype
    calls = csr_array(
        (
            add_up(weights * rows.calls.data[entries]),
            columns[begins].astype(dtype),
            indptr.astype(dtype),
        ),
        shape=rows.calls.shape,
    )
    return ProbableRows(calls, add_up(weights * rows.outgoing[entries]), -np.expm1(absence))
