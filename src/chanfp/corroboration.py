"""Corroboration: what else is known of a pair and of the old account, kept out of the model.

Controls and returners differ in it by their very status, so it comes after all that is learned: a
grade policy may ask for it, and how often it agrees is a check of the grades.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .fingerprints import Fingerprints
from .pairs import Pairs

__all__ = ["CIRCUMSTANCES", "CORROBORATION", "agrees", "collect_corroboration"]

# Agreement of the two sides, and what is said of the old account.
CORROBORATION = ("same_imei", "same_id", "same_name", "same_outlet", "same_seller", "same_plan")
CIRCUMSTANCES = ("alive_at_once", "old_suspended", "old_arrears", "old_leaving_score")
ATTRIBUTE_EVIDENCE = {
    "same_id": "id_hash",
    "same_name": "name_hash",
    "same_outlet": "outlet",
    "same_seller": "seller",
    "same_plan": "plan",
}
# Of an account before it departed, as it stands in the subscriber table.
OLD_ACCOUNT = {
    "old_status": "status",
    "old_arrears": "arrears",
    "old_leaving_score": "leaving_score",
}
LIKELY_TO_LEAVE = 0.5


def collect_corroboration(
    fingerprints: Fingerprints, pairs: Pairs, gap_days: npt.NDArray[np.float64]
) -> dict[str, Any]:
    """Return what the subscriber table tells of pairs, and which were alive at once.

    Parameters
    ----------
    fingerprints : Fingerprints
    pairs : Pairs
        Rows of ``fingerprints.new`` and ``fingerprints.old``.
    gap_days : float64 array, shape (n_pairs,)
        From the last sign of life of the old to the first of the new.

    Returns
    -------
    dict of str to array
        Columns that the table can't fill are left out; what it can't tell of a pair is null.
    """
    attributes = fingerprints.subscribers.attributes
    new, old = (
        pa.array(side.role.rows[rows])
        for side, rows in ((fingerprints.new, pairs.a_rows), (fingerprints.old, pairs.b_rows))
    )
    columns: dict[str, Any] = {
        column: pc.equal(attributes[name].take(new), attributes[name].take(old))
        for column, name in ATTRIBUTE_EVIDENCE.items()
        if name in attributes
    }
    columns |= {
        column: attributes[name].take(old)
        for column, name in OLD_ACCOUNT.items()
        if name in attributes
    }
    columns["alive_at_once"] = pa.array(gap_days < 0)
    columns["old_suspended"] = _suspended(fingerprints, np.asarray(old))
    return columns


def _suspended(fingerprints: Fingerprints, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Return which accounts were barred before they departed; null where nothing is said of it."""
    subscribers = fingerprints.subscribers
    is_so, is_known = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    if "status" in subscribers.attributes:
        status = subscribers.attributes["status"].take(pa.array(rows))
        is_so |= _is_equal(status, "suspended")
        is_known |= is_so | _is_equal(status, "active")
    if "suspended_at" in subscribers.attributes:
        times = subscribers.attributes["suspended_at"].take(pa.array(rows)).cast(pa.int64())
        at_s = times.fill_null(np.iinfo(np.int64).max).to_numpy(zero_copy_only=False)
        is_so |= at_s <= subscribers.departed_s[rows]
        is_known[:] = True  # an empty cell says that it never was
    return pa.array(is_so, mask=~is_known)


def _is_equal(texts: pa.Array, word: str) -> npt.NDArray[np.bool_]:
    found = pc.equal(texts, word).fill_null(False)
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def agrees(name: str, values: Any) -> pa.Array:
    """Return whether a column of corroboration or circumstances says yes; null where unknown.

    Parameters
    ----------
    name : str
        Arrears above 0 and a leaving score of at least 0.5 say yes.
    values : pyarrow array
    """
    if name == "old_arrears":
        return pc.greater(values, 0.0)
    if name == "old_leaving_score":
        return pc.greater_equal(values, LIKELY_TO_LEAVE)
    return values
