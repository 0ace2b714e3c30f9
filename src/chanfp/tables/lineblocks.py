"""A text stream cut into blocks of whole lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .bytestreams import read_fully, read_into

__all__ = ["MOST_ROW_BYTES", "NEWLINE", "QUOTE", "LineBlock", "count_byte", "line_blocks"]

# No field of a record is longer than this, so a longer row is a fault, such as a lost line end.
MOST_ROW_BYTES = 1 << 20
NEWLINE, QUOTE = ord("\n"), ord('"')
# Counting goes in steps that stay in the processor's cache.
COUNT_STEP = 1 << 18


@dataclass(frozen=True)
class LineBlock:
    r"""Whole lines of a text.

    Parameters
    ----------
    text : bytearray
        Ends in ``\n``.
    first_line : int
        The number of its first line.
    n_lines : int
        How many line ends it holds.
    is_even : bool
        Whether the number of quotes is even.
    """

    text: bytearray
    first_line: int
    n_lines: int
    is_even: bool


def line_blocks(
    stream: Any, first_line: int, block_bytes: int, spare: deque[bytearray] | None = None
) -> Iterator[LineBlock]:
    """Yield blocks of whole lines.

    Parameters
    ----------
    stream : binary stream with ``readinto``
        UTF-8 text from the beginning of a line.
    first_line : int
        The number of that line.
    block_bytes : int
        About how long a block is. Memory is a few blocks, whatever the stream holds.
    spare : deque of bytearray, optional
        Texts of blocks that nobody needs any more, given back to be filled again: the system
        clears fresh memory, which takes longer than reading into it.

    Yields
    ------
    LineBlock
        A last line without a line end gets one. If quotes are balanced, no block begins inside
        them. Of a line that fills a whole block only the beginning is kept, longer than
        `MOST_ROW_BYTES`, so that it will be rejected.
    """
    carry = b""
    while True:
        block = _empty_block(len(carry) + block_bytes, spare)
        block[: len(carry)] = carry
        with memoryview(block) as view:
            n_bytes = len(carry) + read_into(stream, view[len(carry) :])
        is_end = n_bytes < len(block)
        del block[n_bytes:]
        if is_end:
            if block:
                if block[-1] != NEWLINE:
                    block.append(NEWLINE)
                is_even = QUOTE not in block or count_byte(block, QUOTE) % 2 == 0
                yield LineBlock(block, first_line, count_byte(block, NEWLINE), is_even)
            return
        end, is_even = _end_of_record(block)
        if end == 0:
            carry = bytes(block[: MOST_ROW_BYTES + 1])
            if len(block) > MOST_ROW_BYTES:
                carry += _skip_line(stream, block_bytes)
            continue
        carry = bytes(block[end:])
        del block[end:]
        n_lines = count_byte(block, NEWLINE)
        yield LineBlock(block, first_line, n_lines, is_even)
        first_line += n_lines


def _empty_block(n_bytes: int, spare: deque[bytearray] | None) -> bytearray:
    """Return a text of a length, whatever it holds."""
    try:
        block = spare.pop() if spare else bytearray()
        # Refused if anything still looks into it, even if the length happens to be right.
        block.append(0)
    except (IndexError, BufferError):
        block = bytearray()
    if len(block) < n_bytes // 2:
        return bytearray(n_bytes)
    block.extend(bytes(max(n_bytes - len(block), 0)))
    del block[n_bytes:]
    return block


def count_byte(block: bytes | bytearray | npt.NDArray[np.uint8], byte: int) -> int:
    """Return how often a byte stands in a block."""
    data = np.frombuffer(block, np.uint8)
    return sum(
        int(np.count_nonzero(data[at : at + COUNT_STEP] == byte))
        for at in range(0, len(data), COUNT_STEP)
    )


def _end_of_record(block: bytearray) -> tuple[int, bool]:
    """Return where the last whole record ends, and whether the quotes before it are even.

    0 means that the block must grow to tell.

    A line end behind an odd number of quotes stands inside a field, or a quote is astray. Within
    the length of one row the last line end behind an even number is looked for; without one the
    quote is astray, and the last line end will do.
    """
    end = block.rfind(b"\n") + 1
    if QUOTE not in block or end == 0:
        return end, True
    start = max(0, end - MOST_ROW_BYTES)
    tail = np.frombuffer(bytes(block[start:end]), np.uint8)
    n_before = count_byte(np.frombuffer(block, np.uint8, start), QUOTE)
    if (n_before + count_byte(tail, QUOTE)) % 2 == 0:
        return end, True
    is_even = (n_before + np.cumsum(tail == QUOTE)) % 2 == 0
    balanced = np.flatnonzero((tail == NEWLINE) & is_even)
    if len(balanced):
        return start + int(balanced[-1]) + 1, True
    return (end if len(block) > MOST_ROW_BYTES else 0), False


def _skip_line(stream: Any, chunk_bytes: int) -> bytes:
    """Read to the end of a line; return the line end and what was read behind it."""
    while chunk := read_fully(stream, chunk_bytes):
        at = chunk.find(b"\n")
        if at >= 0:
            return chunk[at:]
    return b"\n"
