"""Twin of the partner index: a list of named rows, and every pair looked at."""

from __future__ import annotations

from collections.abc import Sequence

from .joins import Row, join_rows

__all__ = ["RowList"]


class RowList:
    """Named rows in the order in which they were added; those behind a removed one move up."""

    def __init__(self) -> None:
        self.ids: list[int | str] = []
        self.rows: list[Row] = []

    def add(self, rows: Sequence[Row], ids: Sequence[int | str]) -> None:
        """Put rows behind the others."""
        self.rows += rows
        self.ids += ids

    def remove(self, ids: Sequence[int | str]) -> None:
        """Take the rows of some ids out."""
        kept = [at for at, name in enumerate(self.ids) if name not in ids]
        self.ids, self.rows = [self.ids[at] for at in kept], [self.rows[at] for at in kept]

    def join(
        self, queries: Sequence[Row], min_jaccard: float, top_k: int | None = None
    ) -> list[tuple[int, int, float, int]]:
        """Return (query, row, Jaccard, shared) of every pair that reaches the threshold."""
        matches = join_rows(queries, self.rows, min_jaccard=min_jaccard, top_k=top_k)
        return [match[:4] for match in matches]
