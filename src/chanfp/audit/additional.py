"""Additional: which new subscriptions are a further number of somebody who is still active."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..matches import Matches
from ..numbering import NumberingPlan
from ..sidetables import Column, Schema, SideTable, read_table
from .matched import Matched
from .sold import Sold

__all__ = ["find_additional", "read_additional"]

ADDITIONAL = Schema(
    "table of additional numbers",
    (
        Column("new", "number", "number of the new subscription", is_required=True),
        Column("new_subscription", "text", "which subscription of the new number"),
    ),
)


def read_additional(source: Any, matches: Any) -> SideTable | None:
    """Return the table of additional numbers, that of `Matches` where none is given."""
    if source is None and isinstance(matches, Matches):
        source = matches.additional_numbers()
    if source is None or isinstance(source, SideTable):
        return source
    return read_table(source, ADDITIONAL)


def find_additional(
    sold: Sold, matched: Matched, listed: SideTable | None, plan: NumberingPlan
) -> npt.NDArray[np.bool_] | None:
    """Return whose sale it is: by the list, by the reason of the match, or by the id.

    None where neither a list nor ids are known and the match names nobody.

    Raises
    ------
    DataError
        If a number of the list can't be read under the plan.
    """
    by_id = sold.is_additional()
    if by_id is None and listed is None and not matched.is_additional.any():
        return None
    found = np.append(matched.is_additional, False)[sold.match]
    if listed is not None:
        found = found | _is_listed(sold, listed, plan)
    return np.asarray(found if by_id is None else found | by_id, bool)


def _is_listed(sold: Sold, listed: SideTable, plan: NumberingPlan) -> npt.NDArray[np.bool_]:
    """Return the new subscriptions of a list; an id, where both tables have one, must agree."""
    ids_of: dict[int, set[str | None]] = {}
    names = listed.table.column("new_subscription").to_pylist()
    for key, name in zip(listed.number_keys("new", plan).tolist(), names, strict=True):
        ids_of.setdefault(key, set()).add(name)
    found = np.zeros(len(sold), bool)
    own = sold.attribute("subscription_id", sold.rows).to_pylist()
    for sale in np.flatnonzero(sold.is_new & np.isin(sold.keys, list(ids_of))).tolist():
        wanted = ids_of[int(sold.keys[sale])]
        found[sale] = own[sale] is None or None in wanted or own[sale] in wanted
    return found
