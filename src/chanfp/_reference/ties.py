"""Twin of the kernel that keeps each tie once."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["unite_ties"]


def unite_ties(entries: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return each (subscriber, partner) once with its directions, like ``_core.unite_ties``."""
    ways: dict[tuple[int, int], int] = {}
    for subscriber, partner, way in entries:
        ways[subscriber, partner] = ways.get((subscriber, partner), 0) | way
    return [(subscriber, partner, way) for (subscriber, partner), way in ways.items()]
