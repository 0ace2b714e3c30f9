"""What every join returns: pairs of rows, best first, with their similarity."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .plans import JoinPlan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Pairs"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of similar rows: row of a ascending, then best first, then row of b ascending.

    Measures that the join didn't look at are None.

    Parameters
    ----------
    a_rows, b_rows : ndarray of int64, shape (n_pairs,)
        The rows of each pair.
    jaccard : ndarray of float64, shape (n_pairs,)
        Shared partners over all partners of the two, above 0 and at most 1.
    n_shared : ndarray of int32, shape (n_pairs,)
        Number of shared partners, at least 1.
    tfidf_jaccard : ndarray of float64, shape (n_pairs,), or None
        Sum of min(x, y) over sum of max(x, y), x and y the weights of the two sides (Ruzicka):
        calls times the partner's rarity, tf-idf. 0 where all weights are 0, None where the join
        looked at presence only.
    containment : ndarray of float64, shape (n_pairs,), or None
        Shared partners over the partners of the row of a.
    weighted_overlap : ndarray of float64, shape (n_pairs,), or None
        Sum of the weights of the shared partners.
    plan : JoinPlan, or None
        Which method ran and why, with predicted and actual work; None where there was no choice.
    """

    a_rows: npt.NDArray[np.int64]
    b_rows: npt.NDArray[np.int64]
    jaccard: npt.NDArray[np.float64]
    n_shared: npt.NDArray[np.int32]
    tfidf_jaccard: npt.NDArray[np.float64] | None = None
    containment: npt.NDArray[np.float64] | None = None
    weighted_overlap: npt.NDArray[np.float64] | None = None
    plan: JoinPlan | None = None

    def __len__(self) -> int:
        return len(self.a_rows)

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table, one row per pair, without copying the numbers.

        Columns ``a_row, b_row, jaccard, n_shared``, and those measures that aren't None.
        """
        columns: dict[str, npt.NDArray[Any]] = {
            "a_row": self.a_rows,
            "b_row": self.b_rows,
            "jaccard": self.jaccard,
            "n_shared": self.n_shared,
        }
        for name in ("tfidf_jaccard", "containment", "weighted_overlap"):
            if getattr(self, name) is not None:
                columns[name] = getattr(self, name)
        return pa.table(columns)

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with the columns of `to_arrow`; needs pandas."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        if not len(self):
            return "Pairs(none)"
        n_matched = len(np.unique(self.a_rows))
        return (
            f"Pairs({len(self)} of {n_matched} rows of a, "
            f"jaccard {self.jaccard.min():.3f} to {self.jaccard.max():.3f})"
        )

    def _repr_html_(self) -> str:
        shown = self.to_arrow().slice(0, 10)
        head = "".join(f"<th>{escape(name)}</th>" for name in shown.column_names)
        body = "".join(
            "<tr>" + "".join(f"<td>{_show(value)}</td>" for value in row.values()) + "</tr>"
            for row in shown.to_pylist()
        )
        caption = f"<caption>{escape(repr(self))}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _show(value: float) -> str:
    """Write a number of a table cell: counts whole, measures short."""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
