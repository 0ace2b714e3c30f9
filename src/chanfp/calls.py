"""Calls of known subscriptions, partitioned by holding, in memory or on disk.

A holding's calls all lie in one partition, so partitions can be sorted and grouped one by one, each
small enough for the cache, and spilled to disk when there is no memory for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import numpy as np
import numpy.typing as npt

from . import _core
from .repeats import drop_repeats
from .spilling import SpillFolder

__all__ = ["CallPart", "CallStore", "Calls"]

N_PARTITIONS = 128
BYTES_PER_CALL = 20


@dataclass(frozen=True, eq=False)
class Calls:
    """Calls of some consecutive holdings, sorted by holding.

    Parameters
    ----------
    first : int
        The first holding.
    indptr : int64 array, one longer than there are holdings here
        The calls of holding ``first + i`` are entries ``indptr[i]`` to ``indptr[i + 1]``.
    words : uint64 array
        Two per entry: the partner's number key, then the call as `repeats.pack_calls` packs it.
    """

    first: int
    indptr: npt.NDArray[np.int64]
    words: npt.NDArray[np.uint64]

    @property
    def stop(self) -> int:
        """The first holding behind these."""
        return self.first + len(self.indptr) - 1


@dataclass(frozen=True, eq=False)
class CallPart:
    """Some calls, sorted by partition.

    Parameters
    ----------
    offsets : int64 array
        The calls of partition p are entries ``offsets[p]`` to ``offsets[p + 1]``.
    holdings : int32 array
    words : uint64 array
        Two per entry, as in `Calls`.
    """

    offsets: npt.NDArray[np.int64]
    holdings: npt.NDArray[np.int32]
    words: npt.NDArray[np.uint64]


class CallStore:
    """Takes calls as they are read and gives them back partition by partition.

    Parameters
    ----------
    n_holdings : int
    max_bytes : int, optional
        Spill to disk what goes beyond; default keep everything in memory.
    temp_dir : str, optional
        Where spilled calls go; default the system's folder for temporary files.
    tolerance_s : int, optional
        Drop calls that repeat another when they are given back, as `drop_repeats` does; default
        keep them.

    Notes
    -----
    Use it in a ``with`` statement: what was spilled is gone when the block is left, however.
    """

    def __init__(
        self,
        n_holdings: int,
        *,
        max_bytes: int | None = None,
        temp_dir: str | None = None,
        tolerance_s: int | None = None,
    ) -> None:
        self.n_holdings = n_holdings
        self.shift = max(0, (max(n_holdings - 1, 0) // N_PARTITIONS).bit_length())
        self.n_partitions = (max(n_holdings - 1, 0) >> self.shift) + 1
        self.max_bytes = max_bytes
        self.tolerance_s = tolerance_s
        self.n_repeats = np.zeros(self.n_partitions, np.int64)
        self._parts: list[CallPart] = []
        self._listing: _Listing | None = None
        self._n_bytes = 0
        self._folder = SpillFolder(temp_dir)

    def __enter__(self) -> CallStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    @property
    def n_spilled(self) -> int:
        """Calls written to disk so far."""
        return self._folder.n_bytes // BYTES_PER_CALL

    def clear(self) -> None:
        """Forget all calls, so that they can be gathered anew."""
        self._parts.clear()
        self._listing = None
        self._n_bytes = 0
        self._folder.close()

    def partition(self, holdings: npt.NDArray[np.int32], words: npt.NDArray[np.uint64]) -> CallPart:
        """Sort calls by partition, in the order they came; any thread may do this."""
        offsets = np.zeros(self.n_partitions + 1, np.int64)
        _core.count_partitions(holdings, self.shift, offsets[1:])
        np.cumsum(offsets, out=offsets)
        part = CallPart(offsets, np.empty_like(holdings), np.empty_like(words))
        _core.partition_calls(
            holdings, words, self.shift, offsets[:-1].copy(), part.holdings, part.words
        )
        return part

    def add(self, part: CallPart) -> None:
        """Take a part; spill all parts held if that is too much.

        Raises
        ------
        DataError
            If the disk doesn't hold them.
        """
        self._parts.append(part)
        self._listing = None
        self._n_bytes += part.holdings.nbytes + part.words.nbytes
        if self.max_bytes is not None and self._n_bytes > self.max_bytes:
            self._spill()

    def calls(self, partition: int, n_calls: npt.NDArray[np.int64]) -> Calls:
        """Return the calls of one partition, sorted by holding; any thread may ask.

        Parameters
        ----------
        partition : int
            0 to `n_partitions` - 1.
        n_calls : int64 array, shape (n_holdings,)
            Calls of each holding, repeats among them.

        Notes
        -----
        ``n_repeats[partition]`` is then the number of records that were dropped.
        """
        first = partition << self.shift
        stop = min(first + (1 << self.shift), self.n_holdings)
        indptr = np.zeros(stop - first + 1, np.int64)
        np.cumsum(n_calls[first:stop], out=indptr[1:])
        words = np.empty(2 * int(indptr[-1]), np.uint64)
        cursor = indptr[:-1].copy()
        spilled = self._read_spilled(partition)
        _Listing([spilled]).scatter(0, first, cursor, words)
        if self._listing is None:
            self._listing = _Listing(self._parts)
        self._listing.scatter(partition, first, cursor, words)
        if self.tolerance_s is not None:
            indptr, words, n_repeats = drop_repeats(indptr, words, self.tolerance_s)
            self.n_repeats[partition] = n_repeats
        return Calls(first, indptr, words)

    def _read_spilled(self, partition: int) -> CallPart:
        holdings = self._folder.read(f"{partition}.holdings", np.int32)
        words = self._folder.read(f"{partition}.words", np.uint64)
        return CallPart(np.array([0, len(holdings)]), holdings, words)

    def _spill(self) -> None:
        with self._folder.writing(self._n_bytes):
            for partition in range(self.n_partitions):
                bounds = [part.offsets[partition : partition + 2].tolist() for part in self._parts]
                pieces = list(zip(self._parts, bounds, strict=True))
                self._folder.append(
                    f"{partition}.holdings", (part.holdings[a:b] for part, (a, b) in pieces)
                )
                self._folder.append(
                    f"{partition}.words", (part.words[2 * a : 2 * b] for part, (a, b) in pieces)
                )
        self._parts.clear()
        self._listing = None
        self._n_bytes = 0


class _Listing:
    """Where the calls of some parts lie, so that a kernel finds those of a partition in all."""

    def __init__(self, parts: list[CallPart]) -> None:
        self._parts = list(parts)  # kept alive, for a kernel reads behind their addresses
        self._holdings_at = np.array([part.holdings.ctypes.data for part in parts], np.uint64)
        self._words_at = np.array([part.words.ctypes.data for part in parts], np.uint64)
        # Partition by partition, the start in each part.
        self._offsets = np.array([part.offsets for part in parts], np.int64).T.copy()

    def scatter(
        self,
        partition: int,
        first: int,
        cursor: npt.NDArray[np.int64],
        words: npt.NDArray[np.uint64],
    ) -> None:
        """Put the words of a partition where the cursor of their holding says, and move it on."""
        if not self._parts:
            return
        starts, stops = self._offsets[partition], self._offsets[partition + 1]
        _core.scatter_parts(
            self._holdings_at + (4 * starts).astype(np.uint64),
            self._words_at + (16 * starts).astype(np.uint64),
            stops - starts,
            first,
            cursor,
            words,
        )
