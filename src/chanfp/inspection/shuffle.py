"""A shuffle: rows of number keys dealt to partitions by their first key, in memory or on disk."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from ..spilling import SpillFolder

__all__ = ["Shuffle"]

PARTITION_BITS = 7
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# Other bits of the product than hash tables use, whose slots would else fill unevenly.
SHIFT = np.uint64(20)

_Rows = npt.NDArray[np.uint64]


class Shuffle:
    """Takes rows from any thread and gives them back partition by partition.

    Rows with the same first key lie in one partition; their order within it means nothing.

    Parameters
    ----------
    width : int
        Keys in a row.
    max_bytes : int
        Spill to disk what goes beyond.
    temp_dir : str, optional
        Where spilled rows go; default the system's folder for temporary files.
    """

    N_PARTITIONS = 1 << PARTITION_BITS

    def __init__(self, width: int, *, max_bytes: int, temp_dir: str | None = None) -> None:
        self.width = width
        self.max_bytes = max_bytes
        self._parts: list[list[_Rows]] = [[] for _ in range(self.N_PARTITIONS)]
        self._n_bytes = 0
        self._folder = SpillFolder(temp_dir)
        self._lock = threading.Lock()

    @property
    def n_spilled(self) -> int:
        """Rows written to disk so far."""
        return self._folder.n_bytes // (8 * self.width)

    def add(self, rows: _Rows) -> None:
        """Take rows, shape (n, width)."""
        partitions = ((rows[:, 0] * GOLDEN) >> SHIFT) & np.uint64(self.N_PARTITIONS - 1)
        order = np.argsort(partitions.astype(np.uint8), kind="stable")
        dealt = rows[order]
        ends = np.cumsum(np.bincount(partitions.astype(np.int64), minlength=self.N_PARTITIONS))
        with self._lock:
            for partition, end in enumerate(ends.tolist()):
                start = int(ends[partition - 1]) if partition else 0
                if end > start:
                    self._parts[partition].append(dealt[start:end])
            self._n_bytes += dealt.nbytes
            if self._n_bytes > self.max_bytes:
                self._spill()

    def take(self, partition: int) -> _Rows:
        """Return the rows of a partition, shape (n, width), and let go of them; any thread."""
        parts, self._parts[partition] = self._parts[partition], []
        spilled = self._folder.read(f"{partition}.rows", np.uint64).reshape(-1, self.width)
        self._folder.remove(f"{partition}.rows")
        return np.concatenate([spilled, *parts])

    def close(self) -> None:
        """Delete what was spilled."""
        self._parts.clear()
        self._folder.close()

    def _spill(self) -> None:
        with self._folder.writing(self._n_bytes):
            for partition, parts in enumerate(self._parts):
                self._folder.append(f"{partition}.rows", parts)
                parts.clear()
        self._n_bytes = 0
