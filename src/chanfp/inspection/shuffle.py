"""A shuffle: rows of number keys dealt to partitions by their first key, in memory or on disk."""

from __future__ import annotations

import os
import tempfile
import threading

import numpy as np
import numpy.typing as npt

from ..spilling import make_folder, no_room

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
        self.temp_dir = temp_dir
        self.n_spilled = 0
        self._parts: list[list[_Rows]] = [[] for _ in range(self.N_PARTITIONS)]
        self._n_bytes = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

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
        if self._folder is not None and os.path.exists(self._path(partition)):
            spilled = np.fromfile(self._path(partition), np.uint64).reshape(-1, self.width)
            os.unlink(self._path(partition))
            parts.append(spilled)
        return np.concatenate([np.empty((0, self.width), np.uint64), *parts])

    def close(self) -> None:
        """Delete what was spilled."""
        self._parts.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = make_folder(self.temp_dir)
        try:
            for partition, parts in enumerate(self._parts):
                with open(self._path(partition), "ab") as file:
                    for rows in parts:
                        file.write(np.ascontiguousarray(rows).data)
                parts.clear()
        except OSError as error:
            n_bytes = self._n_bytes + 8 * self.width * self.n_spilled
            raise no_room(self._folder.name, error, n_bytes) from error
        self.n_spilled += self._n_bytes // (8 * self.width)
        self._n_bytes = 0

    def _path(self, partition: int) -> str:
        assert self._folder is not None  # noqa: S101 - for the type checker
        return os.path.join(self._folder.name, f"{partition}.rows")
