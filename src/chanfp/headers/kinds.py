"""Kinds: whether a row is a call or a message."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..tables import as_label
from ..text import is_text
from .known import fold_value, load_known

__all__ = ["CALL", "MESSAGE", "UNKNOWN_KIND", "read_kind"]

CALL, MESSAGE, UNKNOWN_KIND = 0, 1, 2
CODES = {"call": CALL, "message": MESSAGE}


def read_kind(column: pa.Array, place: str) -> npt.NDArray[np.uint8]:
    """Return of what kind each row is.

    Parameters
    ----------
    column : pyarrow.Array
        Text, plain or dictionary-encoded, or whole numbers. Each distinct value is looked up once.
    place : str
        Where the column stands, for the message.

    Returns
    -------
    uint8 array
        0 a call (or null or blank), 1 a message, 2 a word that isn't known.

    Raises
    ------
    ColumnError
        If the column is of another type.

    Examples
    --------
    >>> read_kind(pa.array(["Voice", "短信", None, "gprs"]), "column")
    array([0, 1, 0, 2], dtype=uint8)
    """
    known = load_known().kinds
    if not (pa.types.is_dictionary(column.type) and is_text(column.type)):
        column = as_label(column, place).dictionary_encode()
    words = [fold_value(word or "") for word in column.dictionary.to_pylist()]
    codes = [CODES[known[word]] if word in known else UNKNOWN_KIND * bool(word) for word in words]
    # One slot more, for rows whose index is null.
    table: npt.NDArray[np.uint8] = np.array([*codes, CALL], np.uint8)
    rows = column.indices.cast(pa.int64()).fill_null(len(codes)).to_numpy(zero_copy_only=False)
    found: npt.NDArray[np.uint8] = table[rows]
    return found
