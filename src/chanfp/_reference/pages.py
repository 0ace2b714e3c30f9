"""Twins of the kernels that read pages of Parquet files."""

from __future__ import annotations

__all__ = ["cut_values", "read_levels"]


def read_levels(levels: bytes, n_values: int) -> list[int] | None:
    """Return the definition levels, 0 or 1 each; None if they are damaged."""
    found: list[int] = []
    at = 0
    while len(found) < n_values:
        header = shift = 0
        while True:
            if at >= len(levels) or shift > 28:
                return None
            byte = levels[at]
            at += 1
            header |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        wanted = n_values - len(found)
        if header & 1:
            n_bytes = (min(8 * (header >> 1), wanted) + 7) // 8
            packed = levels[at : at + n_bytes]
            if len(packed) < n_bytes:
                return None
            at += n_bytes
            found += [byte >> bit & 1 for byte in packed for bit in range(8)][:wanted]
        else:
            if at >= len(levels) or levels[at] > 1 or header == 0:
                return None
            found += [levels[at]] * min(header >> 1, wanted)
            at += 1
    return found


def cut_values(values: bytes, is_present: list[int]) -> list[bytes] | None:
    """Return the text of each row, empty where there is none; None if the values are damaged."""
    found = []
    for present in is_present:
        if not present:
            found.append(b"")
            continue
        length = int.from_bytes(values[:4], "little")
        if len(values) < 4 + length:
            return None
        found.append(values[4 : 4 + length])
        values = values[4 + length :]
    return None if values else found
