"""Thrift's compact protocol, as far as page headers of Parquet files need it.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from typing import Any

__all__ = ["Struct", "read_struct"]

Struct = dict[int, Any]

STOP, TRUE, FALSE, BYTE, INTEGERS, DOUBLE, BINARY, LISTS, STRUCT = (
    0, 1, 2, 3, (4, 5, 6), 7, 8, (9, 10), 12,
)  # fmt: skip


def read_struct(data: bytes, at: int) -> tuple[Struct, int]:
    """Return a struct's integers, truth values and structs by field number, and where it ends.

    Raises
    ------
    IndexError, ValueError
        If the data is no struct.
    """
    fields: Struct = {}
    number = 0
    while data[at] != STOP:
        head = data[at]
        kind = head & 15
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _read_integer(data, at)
        if kind in (TRUE, FALSE):
            fields[number] = kind == TRUE
        elif kind in INTEGERS:
            fields[number], at = _read_integer(data, at)
        elif kind == STRUCT:
            fields[number], at = read_struct(data, at)
        else:
            at = _skip(data, at, kind)
    return fields, at + 1


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] >= 0x80:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | data[at] << shift, at + 1


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    value, at = _read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _skip(data: bytes, at: int, kind: int) -> int:
    """Return where a value ends."""
    if kind in (TRUE, FALSE, BYTE):  # elements of a list; as a field the first two have no bytes
        return at + 1
    if kind in INTEGERS:
        return _read_varint(data, at)[1]
    if kind == DOUBLE:
        return at + 8
    if kind == BINARY:
        length, at = _read_varint(data, at)
        return at + length
    if kind in LISTS:
        n_elements, element = data[at] >> 4, data[at] & 15
        at += 1
        if n_elements == 15:
            n_elements, at = _read_varint(data, at)
        for _ in range(n_elements):
            at = _skip(data, at, element)
        return at
    if kind == STRUCT:
        return read_struct(data, at)[1]
    raise ValueError(f"a field may not be of kind {kind}")
