"""Directions: whether the subscriber of a row made the call or got it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import ParameterError
from .known import fold_value, load_known

__all__ = [
    "INCOMING",
    "MISSING",
    "OUTGOING",
    "UNREADABLE",
    "check_directions",
    "read_direction",
]

OUTGOING, INCOMING, UNREADABLE, MISSING = 1, 0, -1, -2
CODES = {"out": OUTGOING, "in": INCOMING}


def read_direction(
    column: pa.Array | pa.ChunkedArray, directions: Mapping[str, str] | None = None
) -> npt.NDArray[np.int8]:
    """Return which way each call went, seen from the subscriber of the row.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray
        Text, plain or dictionary-encoded, numbers or booleans (``true``, ``false``).
    directions : mapping of str to str, optional
        What values mean, such as ``{"0": "out", "1": "in"}``; goes before what is known. Each
        distinct value is looked up once.

    Returns
    -------
    int8 array
        1 outgoing, 0 incoming, -1 unreadable (a digit without a meaning given, anything else),
        -2 missing (null or blank).

    Raises
    ------
    ParameterError
        If `directions` gives a meaning that is neither out nor in.

    Examples
    --------
    >>> read_direction(pa.array(["主叫", "MTC", "in-coming", "0", None]), {"0": "out"})
    array([ 1,  0,  0,  1, -2], dtype=int8)
    """
    meanings = {**load_known().directions, **check_directions(directions or {})}
    if isinstance(column, pa.ChunkedArray):
        parts = [_read_chunk(chunk, meanings) for chunk in column.chunks]
        return np.concatenate([np.empty(0, np.int8), *parts])
    return _read_chunk(column, meanings)


def check_directions(directions: Mapping[str, str]) -> dict[str, str]:
    """Return the meanings given by a user, folded: ``"out"`` or ``"in"`` for each value.

    Raises
    ------
    ParameterError
        If a meaning is neither of the two, nor a known word for one of them.
    """
    known = load_known().directions
    meanings: dict[str, str] = {}
    for value, meaning in directions.items():
        way = known.get(fold_value(meaning)) if isinstance(meaning, str) else None
        if way is None:
            raise ParameterError(
                f"{value!r} must mean 'out' or 'in', got {meaning!r}; out is a call "
                "that the subscriber of the row made."
            )
        meanings[fold_value(value)] = way
    return meanings


def _read_chunk(chunk: pa.Array, meanings: Mapping[str, str]) -> npt.NDArray[np.int8]:
    if not pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_encode()
    codes = [_code(value, meanings) for value in chunk.dictionary.to_pylist()]
    # One slot more, for rows whose index is null.
    table: npt.NDArray[np.int8] = np.array([*codes, MISSING], np.int8)
    rows = chunk.indices.cast(pa.int64()).fill_null(len(codes)).to_numpy(zero_copy_only=False)
    found: npt.NDArray[np.int8] = table[rows]
    return found


def _code(value: object, meanings: Mapping[str, str]) -> int:
    text = "" if value is None else fold_value(_text(value))
    if text in meanings:
        return CODES[meanings[text]]
    return UNREADABLE if text else MISSING


def _text(value: object) -> str:
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value)  # type: ignore[call-overload]
