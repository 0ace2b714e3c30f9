"""Repeats: rows of a table that agree in some columns with an earlier row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["find_repeats", "rows_differ"]

Rows = npt.NDArray[np.int64]


def find_repeats(columns: Sequence[pa.ChunkedArray]) -> tuple[Rows, Rows]:
    """Return the rows that agree with an earlier row in all columns, and the first such row.

    Two nulls agree. Both are int64 arrays of one length, in no particular order.
    """
    codes = [_codes(column) for column in columns]
    order = np.lexsort(codes)  # stable: equal rows stay in their order
    is_new = np.ones(len(order), bool)
    if len(order):
        is_new[1:] = np.any([code[order][1:] != code[order][:-1] for code in codes], axis=0)
    first_of = np.flatnonzero(is_new)[np.cumsum(is_new) - 1]
    return order[~is_new], order[first_of[~is_new]]


def rows_differ(table: pa.Table, rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """Return which rows differ in some column from the row of `others` at the same place."""
    both = table.take(pa.array(np.concatenate([rows, others])))
    differs = np.zeros(len(rows), bool)
    for column in both.columns:
        codes = _codes(column)
        differs |= codes[: len(rows)] != codes[len(rows) :]
    return differs


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return an integer for each value, equal where values are equal; -1 for null."""
    chunks = column.dictionary_encode().unify_dictionaries().chunks
    parts = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks]
    return np.concatenate([np.zeros(0, np.int64), *parts])
