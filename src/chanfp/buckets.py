"""Buckets of equal band keys: the run of a join by locality-sensitive hashing.

Signatures are folded into one key per band, buckets made by a radix sort band by band, and the
pairs of a bucket filtered by bitmaps and verified exactly. A pair counts in the first band where it
meets, so that no list of candidates is ever kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks
from .csr import SparseRows
from .rarejoin import BandKeys, FoundPairs, join_few, merge_found, sketch_rows
from .signatures import sign_rows, slot_keys, usable_backend

__all__ = ["MOST_PAIRS", "BandResult", "BandedJoin", "bands_at_once", "bucket_bits"]

_BLOCK_ROWS = 2048  # of signatures, so that a block stays in a second-level cache
_LEAST_BANDS_AT_ONCE, _MOST_BANDS_AT_ONCE = 4, 16  # keys of 16 bands fill a cache line
MOST_PAIRS = 1 << 18  # of a bucket that is looked at pair by pair
_PLACES = 1 << 16


@dataclass(eq=False)
class BandResult:
    """What some bands gave.

    Parameters
    ----------
    parts : list of FoundPairs
    n_candidates : int
        Pairs looked at in buckets, each once per band it met in.
    n_merged : int
        Those of them whose rows were merged, each once.
    oversized : list of tuple
        Rows of a and rows of b of each bucket of too many pairs to be looked at one by one.
    """

    parts: list[FoundPairs] = field(default_factory=list)
    n_candidates: int = 0
    n_merged: int = 0
    oversized: list[tuple[int, int]] = field(default_factory=list)

    @property
    def found(self) -> FoundPairs:
        """All pairs found."""
        return merge_found(self.parts)

    def add(self, other: BandResult) -> None:
        """Take over what other bands gave."""
        self.parts += other.parts
        self.n_candidates += other.n_candidates
        self.n_merged += other.n_merged
        self.oversized += other.oversized


class _Scratch(threading.local):
    """One worker's buckets and places for pairs."""

    def __init__(self, n_a: int, n_b: int, bands_at_once: int, bits: int) -> None:
        self.columns = [np.empty(bands_at_once * n, dtype=np.uint32) for n in (n_a, n_b)]
        self.entries = [np.zeros(n + 4, dtype=np.uint64) for n in (n_a, n_b)]
        self.live = np.empty(n_a + 1, dtype=np.int32)
        self.ends = [np.empty(1 << bits, dtype=np.int32) for _ in range(2)]
        n_places = max(_PLACES, n_b)
        self.places: FoundPairs = (
            np.empty(n_places, dtype=np.int64),
            np.empty(n_places, dtype=np.int64),
            np.empty(n_places, dtype=np.int32),
        )


class BandedJoin:
    """Rows of two sides in buckets, `n_bands` times, by `band_rows` slots each time.

    Parameters
    ----------
    a, b : SparseRows
        Over the same columns, at most 2**31 - 1 rows each; nothing is checked here.
    min_jaccard : float
    band_rows, n_bands : int
    seed : int
        Of the signatures.
    n_threads : int
    most_pairs : int
        Of a bucket that is looked at pair by pair; others are joined by posting lists.
    sketches : tuple of ndarray of uint64, optional
        Of `a` and of `b`, as `sketch_rows` makes them; made here by default.
    """

    def __init__(
        self,
        a: SparseRows,
        b: SparseRows,
        min_jaccard: float,
        band_rows: int,
        n_bands: int,
        *,
        seed: int,
        n_threads: int,
        most_pairs: int | None = None,
        sketches: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]] | None = None,
    ) -> None:
        self.a, self.b = a, b
        self.min_jaccard = min_jaccard
        self.band_rows, self.n_bands = band_rows, n_bands
        self.most_pairs = MOST_PAIRS if most_pairs is None else most_pairs
        self.seed = seed
        self.n_threads = n_threads
        self.backend = usable_backend()
        self.keys = BandKeys(self._fold_keys(a), self._fold_keys(b), n_bands)
        self.sketches = sketches or (
            sketch_rows(a, n_threads=n_threads),
            sketch_rows(b, n_threads=n_threads),
        )
        self.bits = bucket_bits(max(a.n_rows, b.n_rows))
        self.bands_at_once = bands_at_once(n_bands)
        self.scratch = _Scratch(a.n_rows, b.n_rows, self.bands_at_once, self.bits)

    def run(self, n_joined: int | None = None) -> BandResult:
        """Join band by band, all of them or the first `n_joined`."""
        result = BandResult()
        for part in map_blocks(
            self._join_bands,
            self.n_bands if n_joined is None else n_joined,
            block_rows=self.bands_at_once,
            n_threads=self.n_threads,
        ):
            result.add(part)
        return result

    def _fold_keys(self, rows: SparseRows) -> npt.NDArray[np.uint32]:
        """Return the keys of all bands, row by row; signatures live for a block only."""
        n_bands, n_slots = self.n_bands, self.n_bands * self.band_rows
        slots = slot_keys(n_slots, self.seed)
        keys = np.empty(rows.n_rows * n_bands, dtype=np.uint32)

        def fold_block(start: int, stop: int) -> None:
            signatures = np.empty((stop - start, n_slots), dtype=np.uint32)
            sign_rows(rows, slots, signatures, start, stop, self.backend)
            _core.fold_bands(
                signatures.ravel(), n_slots, self.band_rows, n_bands, keys, start, stop
            )

        block_rows = max(64, _BLOCK_ROWS * 64 // max(n_slots, 64))
        for _ in map_blocks(
            fold_block, rows.n_rows, block_rows=block_rows, n_threads=self.n_threads
        ):
            pass
        return keys

    def _join_bands(self, start: int, stop: int) -> BandResult:
        scratch = self.scratch
        for side, (rows, keys) in enumerate(((self.a, self.keys.a), (self.b, self.keys.b))):
            _core.gather_bands(
                keys, self.n_bands, start, stop - start, scratch.columns[side], rows.n_rows
            )
        result = BandResult()
        for band in range(start, stop):
            for side, rows in enumerate((self.a, self.b)):
                _core.sort_band(
                    scratch.columns[side], (band - start) * rows.n_rows, rows.indptr,
                    32 - self.bits, scratch.ends[side], scratch.entries[side],
                )  # fmt: skip
            self._join_band(band, result)
        return result

    def _join_band(self, band: int, result: BandResult) -> None:
        """Add the pairs of one band to `result`."""
        a, b, scratch = self.a, self.b, self.scratch
        state = np.zeros(8, dtype=np.int64)
        n_live = _core.find_live(
            scratch.entries[0], scratch.ends[0], scratch.entries[1], scratch.ends[1],
            32 - self.bits, scratch.live,
        )  # fmt: skip
        ended = -1
        while ended != 0:
            ended = _core.join_band(
                a.indptr, a.indices, self.sketches[0], self.keys.a, scratch.entries[0],
                scratch.ends[0], b.indptr, b.indices, self.sketches[1], self.keys.b,
                scratch.entries[1], scratch.ends[1], scratch.live, n_live,
                self.min_jaccard, self.n_bands, band, self.most_pairs, state, *scratch.places,
            )  # fmt: skip
            n_found = int(state[2])
            result.parts.append(
                (
                    scratch.places[0][:n_found].copy(),
                    scratch.places[1][:n_found].copy(),
                    scratch.places[2][:n_found].copy(),
                )
            )
            if ended == 2:
                a_rows, b_rows = (
                    (scratch.entries[side][first:last] & np.uint64(0xFFFFFFFF)).astype(np.int64)
                    for side, first, last in ((0, state[4], state[1]), (1, state[5], state[6]))
                )
                result.oversized.append((len(a_rows), len(b_rows)))
                result.parts.append(self._join_oversized(a_rows, b_rows, band))
        result.n_candidates += int(state[3])
        result.n_merged += int(state[7])

    def _join_oversized(
        self, a_rows: npt.NDArray[np.int64], b_rows: npt.NDArray[np.int64], band: int
    ) -> FoundPairs:
        """Join a large bucket exactly, unless the same rows met in an earlier band already."""
        n_bands = self.n_bands
        a_keys = self.keys.a.reshape(-1, n_bands)[a_rows, :band]
        b_keys = self.keys.b.reshape(-1, n_bands)[b_rows, :band]
        is_known = (a_keys == a_keys[0]).all(axis=0) & (b_keys == a_keys[0]).all(axis=0)
        if is_known.any():
            return merge_found([])
        return join_few(self.a, a_rows, self.b, b_rows, self.min_jaccard, keys=self.keys, band=band)


def bands_at_once(n_bands: int) -> int:
    """Return how many bands a thread takes; few where there are few, so that all have some."""
    return min(max(n_bands // 16, _LEAST_BANDS_AT_ONCE), _MOST_BANDS_AT_ONCE)


def bucket_bits(n_rows: int) -> int:
    """Return how many bits of a key choose the bucket, a few rows to each."""
    return min(max((n_rows // 2).bit_length(), 1), 20)
