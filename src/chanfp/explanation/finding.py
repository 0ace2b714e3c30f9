"""Finding: the row of a matches table that a user asks for by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import ParameterError
from ..numbering import NumberingPlan

__all__ = ["find_match", "other_candidates"]

Mask = npt.NDArray[np.bool_]
SHOWN = 5  # numbers named in a message


def find_match(table: pa.Table, plan: NumberingPlan, asked: dict[str, str | None]) -> int:
    """Return the best row of a matches table that fits what was asked for.

    Parameters
    ----------
    table : pyarrow.Table
        Best candidates first.
    plan : NumberingPlan
    asked : dict
        ``new``, and as far as wanted ``old``, ``new_subscription``, ``old_subscription``.

    Raises
    ------
    ParameterError
        If there is no such row, or a recycled number is not told apart.
    """
    chosen = np.ones(table.num_rows, bool)
    for side in ("new", "old"):
        number = asked[side]
        if number is not None:
            chosen &= _rows_of(table.column(side), plan, str(number))
    for side in ("new", "old"):
        names, wanted = table.column(f"{side}_subscription"), asked[f"{side}_subscription"]
        if wanted is not None:
            chosen &= np.asarray(pc.equal(names, str(wanted)).fill_null(False), bool)
        elif asked[side] is not None:
            _check_told_apart(side, str(asked[side]), names.filter(pa.array(chosen)))
    if not chosen.any():
        raise ParameterError(_why_not(table, plan, asked))
    return int(np.argmax(chosen))


def _why_not(table: pa.Table, plan: NumberingPlan, asked: dict[str, str | None]) -> str:
    """Say why nothing fits what was asked for, and what would."""
    new = str(asked["new"])
    as_new, as_old = (_rows_of(table.column(side), plan, new) for side in ("new", "old"))
    olds, old = table.column("old").filter(pa.array(as_new)), asked["old"]
    if len(olds) and old is not None and not _rows_of(olds, plan, str(old)).any():
        return f"`old` {old!r}: not in the matches of {new}; its candidates are {_some(olds)}."
    if as_old.any() and not as_new.any():
        news = table.column("new").filter(pa.array(as_old))
        return f"`new` {new!r}: not in the matches as new, but as the old one of {_some(news)}."
    pair = ", ".join(f"`{name}` {value!r}" for name, value in asked.items() if value)
    return f"{pair}: not in the matches; the number isn't new, or it has no candidate."


def _some(column: pa.ChunkedArray) -> str:
    """Return the first few different numbers."""
    numbers = column.unique().to_pylist()
    more = f" or {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return ", ".join(map(str, numbers[:SHOWN])) + more


def other_candidates(table: pa.Table, row: int) -> list[int]:
    """Return the other rows of the same new subscription, best first."""
    values: Any = {name: table.column(name)[row] for name in ("new", "new_subscription")}
    same = pc.equal(table.column("new"), values["new"])
    if values["new_subscription"].is_valid:
        known = pc.equal(table.column("new_subscription"), values["new_subscription"])
        same = pc.and_(same, known.fill_null(False))
    rows = np.flatnonzero(np.asarray(same, bool))
    return [int(other) for other in rows if other != row]


def _rows_of(column: pa.ChunkedArray, plan: NumberingPlan, number: str) -> Mask:
    """Return which rows name a number, by its text or else by what the text means."""
    texts = column.combine_chunks()
    rows = np.asarray(pc.equal(texts, number).to_numpy(zero_copy_only=False), bool)
    if rows.any():
        return rows
    key, code = plan.resolve([number])
    return np.asarray((plan.normalise(texts) == key[0]) & (code[0] == 0), bool)


def _check_told_apart(side: str, number: str, names: pa.ChunkedArray) -> None:
    """Refuse a number that stands for several named subscriptions."""
    distinct = sorted(name for name in names.unique().to_pylist() if name)
    if len(distinct) > 1:
        raise ParameterError(
            f"`{side}` {number!r} is {len(distinct)} subscriptions, {', '.join(distinct)}; say "
            f"which one with `{side}_subscription`."
        )
