"""Digits: Arrow text columns made from integers without a Python loop over rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["decimal_text", "hex_text", "luhn_digit"]

HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def _fixed_width(characters: npt.NDArray[np.uint8], prefix: str = "") -> pa.StringArray:
    n_rows, width = characters.shape
    lead = np.frombuffer(prefix.encode(), dtype=np.uint8)
    whole = np.empty((n_rows, len(lead) + width), dtype=np.uint8)
    whole[:, : len(lead)] = lead
    whole[:, len(lead) :] = characters
    offsets = np.arange(0, whole.size + 1, whole.shape[1], dtype=np.int32)
    return pa.StringArray.from_buffers(n_rows, pa.py_buffer(offsets), pa.py_buffer(whole))


def decimal_text(values: npt.NDArray[np.int64], width: int, *, prefix: str = "") -> pa.StringArray:
    """Return each value in `width` decimal digits, zeros in front, after `prefix`."""
    characters = np.empty((len(values), width), dtype=np.uint8)
    rest = values
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        characters[:, place] = digit + ord("0")
    return _fixed_width(characters, prefix)


def hex_text(values: npt.NDArray[np.uint64]) -> pa.StringArray:
    """Return each value in 16 hexadecimal digits."""
    octets = values.astype(">u8").view(np.uint8).reshape(len(values), 8)
    characters = np.empty((len(values), 16), dtype=np.uint8)
    characters[:, 0::2] = HEX[octets >> 4]
    characters[:, 1::2] = HEX[octets & 15]
    return _fixed_width(characters)


def luhn_digit(values: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
    """Return the check digit of each `width`-digit value (ISO/IEC 7812-1, annex B)."""
    total = np.zeros(len(values), dtype=np.int64)
    rest = values
    for place in range(width):
        rest, digit = np.divmod(rest, 10)
        if place % 2 == 0:
            digit = digit * 2
            digit -= 9 * (digit > 9)
        total += digit
    return (10 - total % 10) % 10
