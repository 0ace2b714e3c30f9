"""How many bands of how many rows: the plan of a join by locality-sensitive hashing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .csr import SparseRows
from .signatures import sign_rows, slot_keys, usable_backend

__all__ = ["LshPlan", "bucket_bits", "plan_lsh", "sample_rows"]

# A pair right at the threshold meets with a chance that leaves this share of the allowed misses,
# so that chance alone rarely takes the recall of a whole run below the stated one.
_SAFETY = 0.8
_MOST_SLOTS = 1 << 16
_MOST_BAND_ROWS = 8
_TRIAL_ROWS = 8192  # per side
_TRIAL_BANDS = 4

# Seconds on one core of 2024; only their ratios decide.
_PER_ENTRY_SLOT = 0.03e-9
_PER_ROW_BAND = 6e-9
_PER_CANDIDATE = 8e-9  # turned away by its bitmap
_PER_MERGE = 150e-9
_PER_ROW = 150e-9


@dataclass(frozen=True)
class LshPlan:
    """How a join by locality-sensitive hashing is to run, and what it is expected to cost.

    Parameters
    ----------
    min_jaccard, recall : float
        What was asked for.
    band_rows, n_bands : int
        Two rows meet in a band if they agree in all its `band_rows` slots; they are candidates if
        they meet in one of `n_bands`.
    candidates : float
        Candidates expected, each counted once per band.
    seconds : float
        Expected on one thread, roughly.
    n_bytes : int
        Memory for the keys of all bands.
    """

    min_jaccard: float
    recall: float
    band_rows: int
    n_bands: int
    candidates: float
    seconds: float
    n_bytes: int

    @property
    def n_slots(self) -> int:
        """Slots per signature."""
        return self.band_rows * self.n_bands

    def chance(self, jaccard: float) -> float:
        """Return the chance that two rows with this Jaccard index are found."""
        return 1.0 - (1.0 - jaccard**self.band_rows) ** self.n_bands

    def __repr__(self) -> str:
        return (
            f"LshPlan({self.n_bands} bands of {self.band_rows}, finds "
            f"{self.chance(self.min_jaccard):.3f} at jaccard {self.min_jaccard:g}, "
            f"~{self.candidates:.3g} candidates, ~{self.seconds:.2g} s, "
            f"{self.n_bytes / 2**20:.1f} MiB)"
        )


def plan_lsh(a: SparseRows, b: SparseRows, min_jaccard: float, recall: float, seed: int) -> LshPlan:
    """Return the cheapest plan that finds a pair at the threshold with a safe chance.

    Parameters
    ----------
    a, b : SparseRows
        Over the same columns.
    min_jaccard : float
        Above 0 and at most 1.
    recall : float
        Above 0 and below 1.
    seed : int
        Of the signatures, and of the rows looked at.

    Notes
    -----
    For each number of rows per band, the bands follow from 1 - (1 - t**r)**b >= recall (Leskovec,
    Rajaraman, Ullman, Mining of Massive Datasets, section 3.4), with a safety; the candidates from
    trial bands over a sample of both sides. Deterministic: nothing is timed.
    """
    trials = _Trials(a, b, seed)
    chance = 1.0 - _SAFETY * (1.0 - recall)
    n_rows = a.n_rows + b.n_rows
    per_candidate = _candidate_cost((a.n_entries + b.n_entries) / max(n_rows, 1), min_jaccard)
    best = LshPlan(min_jaccard, recall, 1, 1, math.inf, math.inf, 0)
    for band_rows in range(1, _MOST_BAND_ROWS + 1):
        n_bands = _bands_for(chance, min_jaccard, band_rows)
        seconds = (
            (a.n_entries + b.n_entries) * band_rows * n_bands * _PER_ENTRY_SLOT
            + n_rows * n_bands * _PER_ROW_BAND
            + n_rows * _PER_ROW
        )
        if seconds >= best.seconds or (band_rows > 1 and band_rows * n_bands > _MOST_SLOTS):
            break  # longer bands cost still more, whatever candidates they save
        candidates = trials.count(band_rows) * n_bands
        seconds += candidates * per_candidate
        if seconds < best.seconds:
            n_bytes = 4 * n_bands * n_rows
            best = LshPlan(min_jaccard, recall, band_rows, n_bands, candidates, seconds, n_bytes)
    return best


def _candidate_cost(mean_size: float, min_jaccard: float) -> float:
    """Return the seconds a candidate takes: few, unless its bitmaps are too full to tell."""
    by_chance = mean_size * -math.expm1(-mean_size / 128)  # bits in common of unrelated rows
    needed = 2 * mean_size * min_jaccard / (1 + min_jaccard)
    return _PER_MERGE if by_chance > 0.8 * needed else _PER_CANDIDATE


def _bands_for(chance: float, jaccard: float, band_rows: int) -> int:
    """Return the fewest bands that find a pair at `jaccard` with this chance."""
    meets = jaccard**band_rows
    if meets >= 1.0:
        return 1
    return max(1, math.ceil(math.log1p(-chance) / math.log1p(-meets) - 1e-9))


def bucket_bits(n_rows: int) -> int:
    """Return how many bits of a key choose the bucket, a few rows to each."""
    return min(max((n_rows // 2).bit_length(), 1), 20)


def sample_rows(rows: SparseRows, n_wanted: int, seed: int) -> npt.NDArray[np.int64]:
    """Return at most `n_wanted` rows that aren't empty, drawn at random, ascending."""
    filled = np.flatnonzero(np.diff(rows.indptr))
    if len(filled) <= n_wanted:
        return filled
    drawn = np.random.default_rng(seed).choice(len(filled), n_wanted, replace=False)
    return filled[np.sort(drawn)]


class _Trials:
    """Trial bands over a sample of both sides."""

    def __init__(self, a: SparseRows, b: SparseRows, seed: int) -> None:
        self.sides = []
        self.scale = 1.0
        for rows in (a, b):
            sample = sample_rows(rows, _TRIAL_ROWS, seed)
            self.scale *= np.count_nonzero(np.diff(rows.indptr)) / max(len(sample), 1)
            self.sides.append(_sign_trials(_take_rows(rows, sample), seed))
        self.bits = bucket_bits(max(len(side) for side in self.sides))

    def count(self, band_rows: int) -> float:
        """Return how many pairs of all rows are expected to meet in a band of `band_rows`."""
        n_met = 0
        packed = [_pack_trial(side, band_rows) for side in self.sides]
        for band in range(_TRIAL_BANDS):
            arrays = [_sort_trial(keys, band, self.bits) for keys in packed]
            n_met += _core.count_collisions(*arrays[0], *arrays[1])
        return self.scale * n_met / _TRIAL_BANDS


def _take_rows(rows: SparseRows, taken: npt.NDArray[np.int64]) -> SparseRows:
    lengths = rows.indptr[taken + 1] - rows.indptr[taken]
    indptr = np.zeros(len(taken) + 1, dtype=np.int64)
    np.cumsum(lengths, out=indptr[1:])
    entries = np.repeat(rows.indptr[taken] - indptr[:-1], lengths) + np.arange(indptr[-1])
    return SparseRows(indptr, rows.indices[entries], None, rows.n_cols)


def _sign_trials(rows: SparseRows, seed: int) -> npt.NDArray[np.uint32]:
    signatures = np.empty((rows.n_rows, _MOST_BAND_ROWS * _TRIAL_BANDS), dtype=np.uint32)
    keys = slot_keys(signatures.shape[1], seed)
    sign_rows(rows, keys, signatures, 0, rows.n_rows, usable_backend())
    return signatures


def _pack_trial(signatures: npt.NDArray[np.uint32], band_rows: int) -> npt.NDArray[np.uint32]:
    """Return the keys of the trial bands, band by band."""
    n_rows, n_slots = signatures.shape
    keys = np.empty(n_rows * _TRIAL_BANDS, dtype=np.uint32)
    _core.fold_bands(signatures.ravel(), n_slots, band_rows, _TRIAL_BANDS, keys, 0, n_rows)
    return np.ascontiguousarray(keys.reshape(n_rows, _TRIAL_BANDS).T).ravel()


def _sort_trial(
    keys: npt.NDArray[np.uint32], band: int, bits: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    n_rows = len(keys) // _TRIAL_BANDS
    entries, ends = np.empty(n_rows, dtype=np.uint64), np.empty(1 << bits, dtype=np.int32)
    filled = np.arange(n_rows + 1)
    _core.sort_band(keys, band * n_rows, filled, 32 - bits, ends, entries)
    return entries, ends
