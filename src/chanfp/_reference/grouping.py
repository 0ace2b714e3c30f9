"""Twin of the kernels that group calls."""

from __future__ import annotations

from collections.abc import Iterable


def count_entries(
    entries: Iterable[tuple[int, int, int, int]], n_rows: int
) -> list[list[tuple[int, int, int, int]]]:
    """Group (row, column, seconds, outgoing): per row (column, count, seconds, outgoing), sorted.

    Like ``_core.scatter_calls`` and ``_core.merge_calls`` together.
    """
    rows: list[dict[int, tuple[int, int, int]]] = [{} for _ in range(n_rows)]
    for row, column, seconds, outgoing in entries:
        count, all_seconds, all_outgoing = rows[row].get(column, (0, 0, 0))
        rows[row][column] = (count + 1, all_seconds + seconds, all_outgoing + outgoing)
    return [[(column, *sums) for column, sums in sorted(row.items())] for row in rows]
