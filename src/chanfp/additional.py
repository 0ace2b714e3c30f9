"""Additional numbers: new numbers of people whose old one is still in use.

A decoy that wins a new number with strong evidence holds both. The win stays counted as a false
one, which makes rates pessimistic, never optimistic; but it is worth a list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .fingerprints import Fingerprints
from .partner_evidence import measure_pairs

__all__ = ["ADDITIONAL_SCHEMA", "DecoyWins"]

ADDITIONAL_SCHEMA = pa.schema(
    [
        ("new", pa.string()),
        ("active", pa.string()),
        ("score", pa.float64()),
        ("log_odds", pa.float64()),
        ("jaccard", pa.float64()),
        ("n_shared", pa.int32()),
        ("expected_shared", pa.float64()),
        ("n_partners_new", pa.int64()),
        ("n_partners_active", pa.int64()),
        ("n_calls_new", pa.int64()),
        ("n_calls_active", pa.int64()),
        ("new_subscription", pa.string()),
        ("active_subscription", pa.string()),
    ],
    metadata={"chanfp.schema": "additional-numbers", "chanfp.schema_version": "1"},
)


@dataclass(frozen=True, eq=False)
class DecoyWins:
    """New numbers of which a subscription that is still in use is the most probable old one.

    Parameters
    ----------
    new_rows, control_rows : int64 array, shape (n_wins,)
        Rows of ``fingerprints.new``, ascending, and of ``fingerprints.control_old``.
    score : float64 array, shape (n_wins,)
        Odds of the pair over the odds of all that rival it and of nobody, 0 to 1: what would be its
        probability if the decoy had departed.
    log_odds : float64 array, shape (n_wins,)
        Of the pair alone.
    expected_shared : float64 array, shape (n_wins,)
        Partners shared, those probably renamed among them.
    """

    new_rows: npt.NDArray[np.int64]
    control_rows: npt.NDArray[np.int64]
    score: npt.NDArray[np.float64]
    log_odds: npt.NDArray[np.float64]
    expected_shared: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.new_rows)

    def only(self, min_score: float) -> DecoyWins:
        """Return those of at least this score."""
        kept = self.score >= min_score
        return DecoyWins(**{name: column[kept] for name, column in vars(self).items()})

    def table(self, fingerprints: Fingerprints) -> pa.Table:
        """Return a table of ``ADDITIONAL_SCHEMA``, highest score first, then by new number."""
        order = np.lexsort((self.new_rows, -self.score))
        new, active = fingerprints.new, fingerprints.control_old
        new_rows, control_rows = self.new_rows[order], self.control_rows[order]
        measured = measure_pairs(
            new.matrix,
            active.matrix,
            new_rows,
            control_rows,
            partner_rarity=fingerprints.partner_rarity,
        )
        columns = {
            "score": self.score[order],
            "log_odds": self.log_odds[order],
            "jaccard": measured.jaccard,
            "n_shared": measured.n_shared,
            "expected_shared": self.expected_shared[order],
        }
        names = fingerprints.subscribers.attributes.get("subscription_id")
        for side, prints, rows in (("new", new, new_rows), ("active", active, control_rows)):
            columns[side] = prints.ids.take(pa.array(rows))
            columns[f"n_partners_{side}"] = prints.n_partners[rows]
            columns[f"n_calls_{side}"] = prints.n_calls[rows]
            if names is not None:
                columns[f"{side}_subscription"] = names.take(pa.array(prints.role.rows[rows]))
        arrays = [
            pa.array(columns[spec.name], spec.type)
            if spec.name in columns
            else pa.nulls(len(order), spec.type)
            for spec in ADDITIONAL_SCHEMA
        ]
        return pa.table(arrays, schema=ADDITIONAL_SCHEMA)
