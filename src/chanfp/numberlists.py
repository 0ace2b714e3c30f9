"""Lists of numbers and prefixes: who is on the own network, whom to allow or deny as a partner."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ColumnError, DataError, ParameterError
from .keys import KeyTable, distinct_keys
from .numbering import NumberingPlan, international_prefix, key_ranges
from .sidetables import Column, Schema, SideTable, read_table

__all__ = ["NumberList"]

TEXT_SUFFIXES = (".txt", ".list")
SCHEMA = Schema(
    "list of numbers",
    (
        Column("number", "number", "a whole number"),
        Column("prefix", "text", "first digits of national numbers, or international with +"),
    ),
)
# A comment begins at a # behind white space; # and 16 hexadecimal digits are an opaque id.
COMMENT = re.compile(r"(?:^|\s)#(?![0-9a-f]{16}(?:\s|$)).*")
# What an entry without a mark may be for the plan if it is a prefix, and how long.
OPEN_REASONS = ("short-number", "invalid", "no-area-code")
LONGEST_PREFIX, LONGEST_WITH_PLUS, SHORTEST_LANDLINE = 8, 11, 7


@dataclass(frozen=True, eq=False)
class NumberList:
    """Numbers and prefixes of numbers. Made by `NumberList.read`.

    Attributes
    ----------
    numbers : KeyTable
        The whole numbers.
    begins, ends : uint64 arrays
        Ranges of keys that the prefixes stand for, ascending; ends are outside.
    n_numbers, n_prefixes : int
    """

    numbers: KeyTable
    begins: npt.NDArray[np.uint64]
    ends: npt.NDArray[np.uint64]
    n_numbers: int
    n_prefixes: int

    def __repr__(self) -> str:
        return f"<NumberList: {self.n_numbers:,} numbers, {self.n_prefixes:,} prefixes>"

    @classmethod
    def read(cls, source: Any, plan: NumberingPlan) -> NumberList:
        """Read a list of numbers.

        Parameters
        ----------
        source : str, path, object with ``__arrow_c_stream__``, or a list of these
            A table with a column ``number``, ``prefix`` or both; or a text file (``.txt``,
            ``.list``) with one entry a line and ``#`` before comments. A prefix is the first digits
            of national numbers (139, 0755), or international with ``+``. In a text file ``*``
            behind the digits says that they are a prefix; without it, what the plan doesn't know
            as a number or service is one if it has at most 8 digits.
        plan : NumberingPlan

        Returns
        -------
        NumberList

        Raises
        ------
        ColumnError
            If a table has neither column.
        DataError
            If an entry is neither; file and row are named.
        """
        found = _Entries(plan)
        sources = source if isinstance(source, list | tuple) and source else [source]
        for one in sources:
            if isinstance(one, str | os.PathLike) and _is_text_file(os.fspath(one)):
                found.add_text(os.fspath(one))
            else:
                found.add_table(read_table(one, SCHEMA))
        return found.listed()

    def contains(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Return which keys are in the list, or begin with a prefix in it; bool array.

        Key 0, no number, never is. Any thread may ask.
        """
        keys = np.ascontiguousarray(keys, np.uint64)
        found: npt.NDArray[np.bool_] = self.numbers.find(keys, n_threads=1) >= 0
        if len(self.begins):
            at = np.searchsorted(self.begins, keys, "right") - 1
            found |= (at >= 0) & (keys < self.ends[at])
        return found


class _Entries:
    """Gathers the entries of one list."""

    def __init__(self, plan: NumberingPlan) -> None:
        self.plan = plan
        self.keys: list[npt.NDArray[np.uint64]] = []
        self.prefixes: dict[str, None] = {}

    def add_table(self, table: SideTable) -> None:
        if not table.found:
            raise ColumnError(
                f"{table.sources[0][0]}: the list of numbers needs a column 'number' or 'prefix'; "
                f"the columns found are {', '.join(map(repr, table.unrecognised))}; rename one."
            )
        is_empty = np.ones(len(table), bool)
        for name in SCHEMA.names:
            is_empty &= table.table.column(name).is_null().to_numpy()
        if is_empty.any():
            raise DataError(
                f"{table.place(int(np.argmax(is_empty)))}: a number or a prefix is needed in every "
                "row, found neither; fill one or delete the row."
            )
        keys = table.number_keys("number", self.plan)
        self.keys.append(keys[keys != 0])
        for row, text in enumerate(table.table.column("prefix").to_pylist()):
            if text is not None:
                self._add_prefix(text, f"{table.place(row)}, column 'prefix'")

    def add_text(self, path: str) -> None:
        entries = [*_read_lines(path)]
        keys, codes = self.plan.resolve([text for _, text in entries])
        for (row, text), code in zip(entries, codes.tolist(), strict=True):
            if code or text.endswith("*"):
                reason = self.plan.reasons[code]
                self._check_prefix(text, reason, f"{path}, row {row}")
                self._add_prefix(text, f"{path}, row {row}")
        is_number = [not text.endswith("*") for _, text in entries]
        self.keys.append(keys[(codes == 0) & np.array(is_number, bool)])

    def listed(self) -> NumberList:
        keys = distinct_keys(self.keys)
        begins, ends = key_ranges(list(self.prefixes))
        return NumberList(
            KeyTable.of(keys, np.arange(len(keys))), begins, ends, len(keys), len(self.prefixes)
        )

    def _add_prefix(self, text: str, place: str) -> None:
        try:
            self.prefixes[international_prefix(text, self.plan)] = None
        except ParameterError as error:
            raise DataError(f"{place}: {error}") from error

    def _check_prefix(self, text: str, reason: str, place: str) -> None:
        """Refuse an entry without a mark that is no number and rather no prefix either."""
        if text.endswith("*"):
            return
        n_digits = sum(sign.isdigit() for sign in text)
        longest = LONGEST_WITH_PLUS if text.startswith(("+", "00")) else LONGEST_PREFIX
        if reason == "no-area-code":
            longest = SHORTEST_LANDLINE - 1
        if reason not in OPEN_REASONS or not 0 < n_digits <= longest:
            raise DataError(
                f"{place}: a subscriber number or a prefix is needed, found {text!r} ({reason} "
                f"under the plan {self.plan.region!r}); correct it, or write {text}* for numbers "
                "that begin so."
            )


def _is_text_file(path: str) -> bool:
    return path.lower().endswith(TEXT_SUFFIXES)


def _read_lines(path: str) -> Iterator[tuple[int, str]]:
    """Yield the entries of a text file with their row numbers; UTF-8, else GB18030."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise DataError(
            f"{path}: can't be opened: {error.strerror or error}; check the path."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    for row, line in enumerate(text.splitlines(), start=1):
        entry = COMMENT.sub("", line).strip()
        if entry:
            yield row, entry
