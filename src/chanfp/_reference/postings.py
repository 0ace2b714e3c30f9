"""Twins of the kernels on posting lists: orders of rows, used columns, joins by a threshold."""

from __future__ import annotations

from collections.abc import Sequence

Columns = Sequence[int]  # of one row, ascending


def order_by_middle(rows: Sequence[Columns], width: int) -> list[int]:
    """Return the rows by the bucket of their middle column; empty ones last, equal ones as is."""

    def bucket(row: int) -> tuple[bool, int]:
        columns = rows[row]
        return (not columns, columns[len(columns) // 2] // width if columns else 0)

    return sorted(range(len(rows)), key=bucket)


def mark_used(columns: Columns, n_cols: int) -> list[int]:
    """Return, for every 64 columns, a word of those in use and how many are in use before."""
    words = []
    for word in range(n_cols // 64 + 1):
        words.append(sum(1 << (column & 63) for column in set(columns) if column >> 6 == word))
        words.append(len({column for column in columns if column >> 6 < word}))
    return words


def post_rows(rows: Sequence[Columns]) -> list[list[int]]:
    """Return, per column in use, ascending, the rows that hold it."""
    used = sorted({column for columns in rows for column in columns})
    return [[row for row, columns in enumerate(rows) if column in columns] for column in used]


def find_overlaps(
    queries: Sequence[Columns], rows: Sequence[Columns], least: float, *, of_union: bool
) -> list[tuple[int, int, int]]:
    """Return (query, row, shared columns) of every pair whose ratio is at least `least`."""
    found = []
    for i, query in enumerate(queries):
        for j, row in enumerate(rows):
            shared = len(set(query) & set(row))
            whole = len(set(query) | set(row)) if of_union else len(query)
            if shared and shared / whole >= least:
                found.append((i, j, shared))
    return found


def order_pairs(
    a_rows: Sequence[int],
    b_rows: Sequence[int],
    scores: Sequence[float],
    seconds: Sequence[float] | None,
) -> list[int]:
    """Return the pairs by row of a, higher score, higher second score, row of b."""
    return sorted(
        range(len(a_rows)),
        key=lambda i: (a_rows[i], -scores[i], 0.0 if seconds is None else -seconds[i], b_rows[i]),
    )


def find_met(
    a_keys: Sequence[Sequence[int]],
    b_keys: Sequence[Sequence[int]],
    pairs: Sequence[tuple[int, int]],
    band: int,
) -> list[bool]:
    """Tell of each pair whether its keys agree in one of the first `band` bands."""
    return [any(a_keys[i][k] == b_keys[j][k] for k in range(band)) for i, j in pairs]
