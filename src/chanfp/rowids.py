"""Ids of rows: checked, and found again among those of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from . import _core
from .errors import ParameterError
from .text import is_text, text_buffers, without_views

__all__ = ["RowIds", "as_ids", "check_ids"]


def check_ids(ids: Any, n_rows: int) -> pa.Array:
    """Return one id per row, each once, as an Arrow array of strings or integers.

    Raises
    ------
    ParameterError
        If there are more or fewer, two are alike, one is missing, or they are of another type.
    """
    array = as_ids(ids)
    if len(array) != n_rows:
        raise ParameterError(f"`ids` must be one per row, {n_rows}, got {len(array)}.")
    if array.null_count or pc.count_distinct(array).as_py() != n_rows:
        raise ParameterError(
            "`ids` must name each row, and no two alike; give a recycled number's rows ids of "
            "their own."
        )
    return array


def as_ids(ids: Any) -> pa.Array:
    """Return ids of any form as one Arrow array of strings or integers."""
    array = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(ids)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string_view(array.type):
        array = without_views(array)
    if pa.types.is_null(array.type) and not len(array):
        array = array.cast(pa.string())
    if not (is_text(array.type) or pa.types.is_integer(array.type)):
        raise ParameterError(
            f"`ids` must be strings or integers, got {array.type}; cast them to strings."
        )
    return array


@dataclass(frozen=True, eq=False)
class RowIds:
    """Ids in the order of a 64-bit key of each, so that few can be found among many.

    Parameters
    ----------
    ids : pyarrow.Array of string or int, shape (n_rows,)
    keys : ndarray of uint64, shape (n_rows,)
        Ascending. An integer is its own key; texts have hashes, and two may have one.
    rows : ndarray of int64, shape (n_rows,)
        The row of each key.
    """

    ids: pa.Array
    keys: npt.NDArray[np.uint64]
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: pa.Array) -> RowIds:
        """Sort the keys of ids."""
        keys = _keys_of(ids)
        rows = np.argsort(keys)
        return cls(ids, keys[rows], rows)

    def find(self, wanted: pa.Array) -> npt.NDArray[np.int64]:
        """Return the row of each wanted id, of the same type; -1 for one that isn't there.

        Time is the logarithm of the ids for each wanted one.
        """
        rows = np.full(len(wanted), -1, dtype=np.int64)
        keys = _keys_of(wanted)
        places = np.searchsorted(self.keys, keys)
        open_ = np.arange(len(wanted))
        # More than one round only where different texts have the same key.
        while True:
            open_ = open_[places[open_] < len(self.keys)]
            open_ = open_[self.keys[places[open_]] == keys[open_]]
            if not len(open_):
                return rows
            found = self.rows[places[open_]]
            same = pc.equal(self.ids.take(pa.array(found)), wanted.take(pa.array(open_)))
            is_same = np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)
            rows[open_[is_same]] = found[is_same]
            open_ = open_[~is_same]
            places[open_] += 1


def _keys_of(ids: pa.Array) -> npt.NDArray[np.uint64]:
    """Return a key for each id; equal ids have equal keys."""
    if not is_text(ids.type):
        values = ids.to_numpy(zero_copy_only=False)
        return values.astype(np.uint64)  # type: ignore[no-any-return]
    texts = text_buffers(ids)
    keys, codes = np.zeros(len(ids), np.uint64), np.zeros(len(ids), np.uint8)
    _core.hash_texts(
        texts.text, texts.offsets, texts.validity, texts.first_bit, 0, 0, 1, 0, len(ids), keys,
        codes,
    )  # fmt: skip
    return keys
