"""Sets of 64-bit keys: which are there, and which place each has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks, map_ordered, usable_threads

__all__ = ["KeySet", "KeyTable", "distinct_keys"]

SMALLEST_CAPACITY = 1 << 10
BLOCK_KEYS = 1 << 18


@dataclass(frozen=True, eq=False)
class KeyTable:
    """Finds the place of a key in a list, at the cost of one cache miss or so.

    Parameters
    ----------
    slots : uint64 array
        Key and place in turn, as `chanfp._core` keeps hash tables.
    """

    slots: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, keys: npt.NDArray[np.uint64], places: npt.NDArray[np.int64]) -> KeyTable:
        """Return the table that gives `keys` (distinct, none 0) their `places`, int32 at most.

        A quarter full at most: a search that ends at the first slot is one that the processor
        foresees.
        """
        slots = _empty_slots(2 * len(keys))
        _core.set_values(slots, keys, places)
        return cls(slots)

    def find(
        self, keys: npt.NDArray[np.uint64], *, n_threads: int | None = None
    ) -> npt.NDArray[np.int32]:
        """Return the place of each key, -1 for a key that isn't in the table (int32)."""
        places = np.empty(len(keys), np.int32)

        def find_block(start: int, stop: int) -> None:
            _core.get_values(self.slots, keys, places, start, stop)

        for _ in map_blocks(find_block, len(keys), block_rows=BLOCK_KEYS, n_threads=n_threads):
            pass
        return places


class KeySet:
    """Distinct keys, gathered part by part; no key may be 0.

    Notes
    -----
    A hash table that doubles as it fills, so memory follows the distinct keys, not the parts.
    """

    def __init__(self) -> None:
        self._slots = _empty_slots(0)
        self._room = len(self._slots) // 4

    def add(self, keys: npt.NDArray[np.uint64]) -> None:
        """Add keys, known or not."""
        done = 0
        while True:
            done, self._room = _core.add_keys(self._slots, keys, done, self._room)
            if done == len(keys):
                return
            found = self.found()
            self._slots = _empty_slots(2 * len(found))
            _, self._room = _core.add_keys(self._slots, found, 0, len(self._slots) // 4)

    def sorted(self) -> npt.NDArray[np.uint64]:
        """Return the keys, ascending (uint64)."""
        return np.sort(self.found())

    def found(self) -> npt.NDArray[np.uint64]:
        """Return the keys, in no promised order (uint64)."""
        keys: npt.NDArray[np.uint64] = self._slots[::2]
        return np.asarray(keys[keys != 0], np.uint64)


def distinct_keys(
    parts: Iterable[npt.NDArray[np.uint64]], *, n_threads: int | None = 1
) -> npt.NDArray[np.uint64]:
    """Return the distinct keys of all parts, ascending; no key may be 0.

    Parameters
    ----------
    parts : iterable of uint64 array
    n_threads : int, optional
        Each but the first gathers a set of its own, to be united with the others'; None for every
        usable core.
    """
    held = list(parts)
    n_threads = usable_threads(n_threads)

    def gather(start: int) -> KeySet:
        keys = KeySet()
        for part in held[start::n_threads]:
            keys.add(part)
        return keys

    keys, *others = map_ordered(gather, range(n_threads), n_threads=n_threads)
    for other in others:
        keys.add(other.found())
    return keys.sorted()


def _empty_slots(n_keys: int) -> npt.NDArray[np.uint64]:
    """Return a table with room for `n_keys`, half full at most."""
    capacity = max(SMALLEST_CAPACITY, 1 << (2 * n_keys).bit_length())
    return np.zeros(2 * capacity, np.uint64)
