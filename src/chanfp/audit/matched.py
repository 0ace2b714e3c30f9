"""Matched: what a table of matches says of each new subscription, whoever made the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..matches import Matches
from ..numbering import NumberingPlan
from ..sidetables import SideTable, match_schema, read_table

__all__ = ["Matched", "read_matches"]

ADDITIONAL = "additional-number"
PARTIAL = "partial-replacement"
MATCHES = match_schema("rank", "link", "reason")


@dataclass(frozen=True, eq=False)
class Matched:
    """The best candidate of each new subscription, one entry each.

    Parameters
    ----------
    new_keys, old_keys : uint64 array
        Number keys.
    new, old : pyarrow.Array of string
        The numbers as they stand in the table.
    new_ids, old_ids : pyarrow.Array of string
        ``subscription_id`` of each, null where the table has none.
    grade : list of str
    probability : float64 array
        That the new subscription is a returner: the sum over its candidates, 1 at most.
    probability_best : float64 array
        That it is the customer of the best candidate.
    is_partial : bool array
        The old number is fading, but still in use; without a column ``link`` none is.
    is_additional : bool array
        The match took it for a further number of somebody who is still active.
    n_by_grade : int
        How many had no probability, so that the value of their grade stands in for it.
    """

    new_keys: npt.NDArray[np.uint64]
    old_keys: npt.NDArray[np.uint64]
    new: pa.Array
    old: pa.Array
    new_ids: pa.Array
    old_ids: pa.Array
    grade: list[str]
    probability: npt.NDArray[np.float64]
    probability_best: npt.NDArray[np.float64]
    is_partial: npt.NDArray[np.bool_]
    is_additional: npt.NDArray[np.bool_]
    n_by_grade: int

    def __len__(self) -> int:
        return len(self.new_keys)


def read_matches(
    source: Any, plan: NumberingPlan, probability_of_grade: Mapping[str, float]
) -> Matched:
    """Return the best candidate of each new subscription.

    Parameters
    ----------
    source : Matches, SideTable, or what `read_sales` takes
        A table of matches as `Matches.write` writes it.
    plan : NumberingPlan
    probability_of_grade : mapping of str to float
        What stands in for the probability where it is null; grades it doesn't name count 0.

    Raises
    ------
    ColumnError
        If a column is missing.
    DataError
        If a cell can't be used; file, row and column are named.
    """
    if isinstance(source, Matches):
        source = source.table
    table = source if isinstance(source, SideTable) else read_table(source, MATCHES)
    new_keys, old_keys = table.number_keys("new", plan), table.number_keys("old", plan)
    ids = table.table.column("new_subscription").combine_chunks()
    codes = ids.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    ranks = table.table.column("rank").to_numpy()
    # Candidates of one subscription side by side, the best in front, whatever the order they had.
    order = np.lexsort((np.arange(len(ranks)), ranks, codes, new_keys))
    is_first = np.ones(len(order), bool)
    is_first[1:] = (new_keys[order][1:] != new_keys[order][:-1]) | (
        codes[order][1:] != codes[order][:-1]
    )
    best = order[is_first]
    grades = np.array([grade or "" for grade in table.table.column("grade").to_pylist()], object)
    told = table.table.column("probability").to_numpy()
    by_grade = np.array([probability_of_grade.get(grade, 0.0) for grade in grades[best]])
    is_told = ~np.isnan(told[best])
    summed = np.bincount(
        np.cumsum(is_first) - 1, weights=np.nan_to_num(told[order]), minlength=len(best)
    )
    rows = pa.array(best)
    links = table.table.column("link").combine_chunks().take(rows)
    reasons = table.table.column("reason").combine_chunks().take(rows).fill_null("")
    return Matched(
        new_keys[best],
        old_keys[best],
        table.table.column("new").combine_chunks().take(rows),
        table.table.column("old").combine_chunks().take(rows),
        ids.take(rows),
        table.table.column("old_subscription").combine_chunks().take(rows),
        [str(grade) for grade in grades[best]],
        np.minimum(np.where(is_told, summed, by_grade), 1.0),
        np.where(is_told, told[best], by_grade),
        np.array([link == PARTIAL for link in links.to_pylist()], bool),
        np.array([ADDITIONAL in reason.split(";") for reason in reasons.to_pylist()], bool),
        int(np.count_nonzero(~is_told)),
    )
