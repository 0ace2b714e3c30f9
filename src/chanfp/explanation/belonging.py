"""Belonging: a pair of a file of matches, explained by the file that was written with it."""

from __future__ import annotations

import math
import os

import numpy as np
import pyarrow as pa

from ..errors import DataError, ParameterError
from ..sidetables import SideTable, match_schema, read_table
from .explanation import Explanation
from .finding import find_match
from .saved import explanations_beside, read_explanations

__all__ = ["explain_files"]

MATCHES = match_schema("rank")
# What a spreadsheet leaves of a probability.
TOLERANCE = 1e-4


def explain_files(
    matches: str | os.PathLike[str],
    new: str,
    old: str | None = None,
    *,
    explanations: str | os.PathLike[str] | None = None,
    new_subscription: str | None = None,
    old_subscription: str | None = None,
) -> Explanation:
    """Explain a pair of a file of matches.

    Parameters
    ----------
    matches : path
        CSV or Parquet, as `Matches.write` wrote it; rows may have been dropped or reordered since.
    new : str
    old : str, optional
        Default the best candidate, with a list of the others.
    explanations : path, optional
        Default ``matches.explanations.parquet`` beside ``matches.csv``.
    new_subscription, old_subscription : str, optional
        Which subscription of a recycled number is meant.

    Raises
    ------
    DataError
        If there are no explanations, or those of another run.
    ParameterError
        If the two are no row of the matches, or a recycled number is not told apart.
    """
    read = read_table(matches, MATCHES)
    path = os.fspath(explanations_beside(matches) if explanations is None else explanations)
    if explanations is None and not os.path.exists(path):
        raise DataError(
            f"{os.fspath(matches)}: the run kept no explanations ({path} is missing); match again "
            "with `explanations`, or name their file with `explanations`."
        )
    saved = read_explanations(path)
    order = np.argsort(read.table.column("rank").to_numpy(), kind="stable")
    asked = {
        "new": new,
        "old": old,
        "new_subscription": new_subscription,
        "old_subscription": old_subscription,
    }
    row = int(order[find_match(read.table.take(pa.array(order)), saved.plan, asked)])
    listed = read.table.slice(row, 1).to_pylist()[0]
    try:
        at = find_match(saved.table, saved.plan, {name: listed[name] for name in asked})
    except ParameterError as error:
        raise _of_another_run(read, row, path) from error
    explanation = saved.at(at, lists_others=old is None)
    match = explanation.match
    if (match["rank"], match["grade"]) != (listed["rank"], listed["grade"]) or not _agree(
        match["probability"], listed["probability"]
    ):
        raise _of_another_run(read, row, path)
    return explanation


def _agree(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _of_another_run(read: SideTable, row: int, path: str) -> DataError:
    return DataError(
        f"{read.place(row)}: {path} explains another run, whose result for this pair differs; "
        "match again with `explanations`, or name the file that belongs to it."
    )
