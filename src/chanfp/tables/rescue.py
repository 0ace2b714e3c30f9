r"""Blocks of a CSV file with dirt in them: unreadable lines are taken out, the others kept.

A stray quote costs its own line and no other. Where quotes leave a line open, the lines after it
belong to it only if together they are one record of the right width, its quotes stand only where
fields begin and end, and no line in the middle looks like a record by itself. A text with line
breaks in it passes this test, rows behind a stray quote don't.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bytestreams import UTF8
from .layout import CsvLayout
from .lineblocks import MOST_ROW_BYTES, NEWLINE, QUOTE

__all__ = ["CleanText", "DirtyBlock", "count_fields"]

MOST_RECORD_LINES = 100
MOST_TEXT_SHOWN = 1000
CARRIAGE_RETURN = ord("\r")

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CleanText:
    """Lines of a dirty block that should parse.

    Parameters
    ----------
    text : bytes
        The lines kept.
    starts : int64 array
        For each record in `text` the index in the block of its first line.
    rejects : list of (int, str, str)
        Index, reason and text of the lines taken out.
    is_open : bool
        Whether a quoted field is open at the end, which a parser would not mind.
    """

    text: bytes
    starts: npt.NDArray[np.int64]
    rejects: list[tuple[int, str, str]]
    is_open: bool


class DirtyBlock:
    """A block of whole lines that doesn't parse to one record per line.

    Parameters
    ----------
    block : bytearray
        Lines, each ending in a line feed.
    layout : CsvLayout
        How its file is written.
    """

    def __init__(self, block: bytearray, layout: CsvLayout) -> None:
        self._block = bytes(block)
        self._delimiter = layout.delimiter.encode()
        self._n_columns = len(layout.names)
        self._data = np.frombuffer(self._block, np.uint8)
        self._ends = np.flatnonzero(self._data == NEWLINE) + 1
        self._starts = np.concatenate([[0], self._ends[:-1]])
        self.n_lines = len(self._ends)
        self._faults = dict(self._find_faults())
        lengths = self._ends - self._starts
        self._is_blank: _Mask = (lengths == 1) | (
            (lengths == 2) & (self._data[self._starts] == CARRIAGE_RETURN)
        )

    def attempts(self) -> Iterator[CleanText]:
        """Yield what should parse, each time less trustful of quotes; the last holds none."""
        n_quotes = self._count_per_line(QUOTE)
        yield self._clean(n_quotes % 2 == 1)
        yield self._clean(n_quotes > 0)
        yield self._clean(n_quotes > 0, is_last=True)

    def _clean(self, is_doubtful: _Mask, *, is_last: bool = False) -> CleanText:
        """Take out faulty and blank lines, and doubtful ones that are no part of a record."""
        is_out = self._is_blank.copy()
        is_inside = np.zeros(self.n_lines, bool)
        reasons = dict(self._faults)
        stop = 0
        for line in np.flatnonzero(is_doubtful).tolist():
            if line < stop or line in reasons:
                continue
            n_lines = 0 if is_last else self._n_record_lines(line)
            if n_lines == 0:
                reasons[line] = "stray-quote"
                continue
            stop = line + n_lines
            is_inside[line + 1 : stop] = True
            is_out[line:stop] = False
        is_out[list(reasons)] = True
        starts = np.flatnonzero(~is_out & ~is_inside)
        return CleanText(
            self._without(is_out),
            starts,
            [(line, reason, self._text(line)) for line, reason in reasons.items()],
            self._is_open(int(starts[-1]), is_out) if len(starts) else False,
        )

    def _is_open(self, line: int, is_out: _Mask) -> bool:
        """Return whether the record that begins at a line, the last one, leaves a quote open."""
        kept = line + np.flatnonzero(~is_out[line:])
        text = b"".join(self._line(at) for at in kept.tolist())
        return count_fields(text.rstrip(b"\r\n"), self._delimiter) is None

    def _find_faults(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that no reading of the quotes can save; later reasons go before."""
        yield from self._bad_encoding()
        n_returns = self._count_per_line(CARRIAGE_RETURN)
        # Where the whole line is one line feed this looks at the line before, and finds no return
        # to subtract or a blank line, which is no fault either way.
        ends_in_return = (self._data[self._ends - 2] == CARRIAGE_RETURN) & (
            self._ends - self._starts >= 2
        )
        for is_faulty, reason in (
            (n_returns > ends_in_return, "stray-line-break"),
            (self._count_per_line(0) > 0, "nul-byte"),
            (self._ends - self._starts > MOST_ROW_BYTES, "field-too-long"),
        ):
            for line in np.flatnonzero(is_faulty).tolist():
                yield line, reason

    def _bad_encoding(self) -> Iterator[tuple[int, str]]:
        try:
            self._block.decode(UTF8)
        except UnicodeDecodeError:
            foreign = np.searchsorted(self._ends, np.flatnonzero(self._data >= 0x80), "right")
            for line in np.unique(foreign).tolist():
                try:
                    self._line(line).decode(UTF8)
                except UnicodeDecodeError:
                    yield line, "bad-encoding"

    def _count_per_line(self, byte: int) -> npt.NDArray[np.int64]:
        lines = np.searchsorted(self._ends, np.flatnonzero(self._data == byte), "right")
        return np.bincount(lines, minlength=self.n_lines)

    def _n_record_lines(self, line: int) -> int:
        """Return how many lines the record that begins here takes; 0 if it is none."""
        text = b""
        for n_lines in range(1, min(MOST_RECORD_LINES, self.n_lines - line) + 1):
            at = line + n_lines - 1
            if at in self._faults or len(text) > MOST_ROW_BYTES:
                return 0
            text += self._line(at)
            n_fields = count_fields(text.rstrip(b"\r\n"), self._delimiter, is_strict=n_lines > 1)
            if n_fields is not None:
                return n_lines if n_lines == 1 or n_fields == self._n_columns else 0
            if n_lines > 1 and self._looks_whole(self._line(at)):
                return 0
        return 0

    def _looks_whole(self, line: bytes) -> bool:
        return b'"' not in line and line.count(self._delimiter) >= self._n_columns - 1

    def _without(self, is_out: _Mask) -> bytes:
        parts, kept_to = [], 0
        for line in np.flatnonzero(is_out).tolist():
            parts.append(self._block[kept_to : self._starts[line]])
            kept_to = int(self._ends[line])
        return b"".join([*parts, self._block[kept_to:]])

    def _line(self, line: int) -> bytes:
        return self._block[self._starts[line] : self._ends[line]]

    def _text(self, line: int) -> str:
        start = int(self._starts[line])
        stop = int(self._ends[line])
        if stop - start > MOST_ROW_BYTES:
            return self._block[start : start + MOST_TEXT_SHOWN].decode(UTF8, "replace") + "…"
        return self._block[start:stop].decode(UTF8, "replace").rstrip("\r\n")


def count_fields(text: bytes, delimiter: bytes, *, is_strict: bool = False) -> int | None:
    """Return the number of fields of a line, or None if a quoted field is open at its end.

    A quote opens a field only as its first byte; inside, two quotes are one. What stands between
    the closing quote and the next delimiter belongs to the field, or makes the number -1 under
    `is_strict`.
    """
    n_fields, at = 1, 0
    while True:
        if text.startswith(b'"', at):
            at = text.find(b'"', at + 1)
            while at >= 0 and text.startswith(b'""', at):
                at = text.find(b'"', at + 2)
            if at < 0:
                return None
            if is_strict and text[at + 1 : at + 2] not in (b"", delimiter):
                return -1
        at = text.find(delimiter, at)
        if at < 0:
            return n_fields
        at += 1
        n_fields += 1
