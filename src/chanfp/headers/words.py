"""Columns of the tables beside CDRs: which of them means which word of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import ColumnError
from ..tables import describe_columns
from .known import fold_header, fold_value, load_known

__all__ = ["find_meanings", "find_words", "known_meanings"]


def find_words(names: Sequence[str], words: Sequence[str], *, place: str) -> dict[str, str]:
    """Return which columns of a table mean which of its words.

    A column named as the word itself goes first, then headers known in English and Chinese
    (``[tables.WORD]`` of ``known.toml``); writing makes as little difference as in `recognise`.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.
    words : sequence of str
        The words it may have. A column that fits two of them means the first.
    place : str
        What messages call the table.

    Returns
    -------
    dict of str to str
        Word to column, in the order of `words`; words without a column are left out.

    Raises
    ------
    ColumnError
        If two columns can mean one word.

    Examples
    --------
    >>> find_words(["手机号码", "Month", "备注"], ["subscriber", "month", "fee"], place="usage.csv")
    {'subscriber': '手机号码', 'month': 'Month'}
    """
    same = {word: _named(names, {fold_header(word)}) for word in words}
    taken = {column for columns in same.values() for column in columns}
    found: dict[str, str] = {}
    for word in words:
        options = same[word]
        if not options:
            free = [name for name in names if name not in taken]
            options = _named(free, load_known().tables.get(word, frozenset()))
        if len(options) > 1:
            raise ColumnError(
                f"{place}: one column can be {word!r}, found {describe_columns(options)}; rename "
                f"the one that is meant {word!r}."
            )
        if options:
            found[word] = options[0]
            taken.add(options[0])
    return found


def find_meanings(word: str, column: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Return what the values of a column mean, and which mean nothing known.

    Parameters
    ----------
    word : str
        A word whose column takes certain values only (``[values.WORD]`` of ``known.toml``).
    column : pyarrow.Array of string
        Each distinct value is looked up once; nulls stay null.

    Returns
    -------
    meanings : pyarrow.Array of string
    is_unknown : bool array
    """
    meanings = load_known().values[word]
    encoded = column.dictionary_encode()
    meant = [meanings.get(fold_value(value)) for value in encoded.dictionary.to_pylist()]
    found = pa.array(meant, pa.string()).take(encoded.indices)
    is_unknown = found.is_null().to_numpy(zero_copy_only=False)
    return found, is_unknown & column.is_valid().to_numpy(zero_copy_only=False)


def known_meanings(word: str) -> list[str]:
    """Return what the values of a word's column can mean, in the order of the file."""
    return list(dict.fromkeys(load_known().values[word].values()))


def _named(names: Sequence[str], headers: set[str] | frozenset[str]) -> list[str]:
    return [name for name in names if fold_header(name) in headers]
