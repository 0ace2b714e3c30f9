"""How many bands of how many rows: the plan of a join by locality-sensitive hashing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .buckets import MOST_PAIRS, BandedJoin
from .costs import lsh_fixed_seconds, lsh_seconds
from .csr import SparseRows, take_rows
from .rarejoin import sketch_rows

__all__ = ["LshPlan", "least_seconds", "plan_lsh", "sample_rows"]

# A pair right at the threshold meets with a chance that leaves this share of the allowed misses,
# so that chance alone rarely takes the recall of a whole run below the stated one.
_SAFETY = 0.8
_MOST_SLOTS = 1 << 16
_MOST_BAND_ROWS = 8
_LEAST_TRIAL_ROWS, _MOST_TRIAL_ROWS, _TRIAL_PART = 512, 4096, 8  # per side
# Many bands, as a hub fills the buckets of few; the run's own ones, unless these are very many.
_TRIAL_BANDS, _OWN_TRIAL_BANDS, _MOST_OWN_BANDS = 16, 32, 64


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
    verifications : float
        Of these, pairs of rows that are merged, each once.
    pairs : float
        Similar pairs expected to be found; rough, as few of them are in any sample.
    seconds : float
        Expected on one thread.
    n_bytes : int
        Memory for the keys of all bands.
    """

    min_jaccard: float
    recall: float
    band_rows: int
    n_bands: int
    candidates: float
    verifications: float
    pairs: float
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


def plan_lsh(
    a: SparseRows,
    b: SparseRows,
    min_jaccard: float,
    recall: float,
    seed: int,
    band_rows: int | None = None,
) -> LshPlan:
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
        Of the signatures.
    band_rows : int, optional
        Slots per band, 1 to 8; default the cheapest number.

    Notes
    -----
    For each number of rows per band, the bands follow from 1 - (1 - t**r)**b >= recall (Leskovec,
    Rajaraman, Ullman, Mining of Massive Datasets, section 3.4), with a safety; the work from a
    join of trial bands over a sample of both sides. Deterministic: nothing is timed.
    """
    trials = _Trials(a, b, min_jaccard, seed)
    plans: list[LshPlan] = []
    for n_slots, n_bands, fixed in _choices(a, b, min_jaccard, recall):
        if plans and fixed >= min(plan.seconds for plan in plans):
            break  # longer bands cost still more, whatever candidates they save
        if band_rows in (None, n_slots):
            plans.append(trials.plan(recall, n_slots, n_bands, fixed))
    return min(plans, key=lambda plan: plan.seconds)


def least_seconds(a: SparseRows, b: SparseRows, min_jaccard: float, recall: float) -> float:
    """Return the seconds that any plan takes at least: signatures and buckets."""
    return min(fixed for _, _, fixed in _choices(a, b, min_jaccard, recall))


def _choices(
    a: SparseRows, b: SparseRows, min_jaccard: float, recall: float
) -> Iterator[tuple[int, int, float]]:
    """Yield rows per band, bands, and the seconds of signatures and buckets."""
    chance = 1.0 - _SAFETY * (1.0 - recall)
    n_rows, n_entries = a.n_rows + b.n_rows, a.n_entries + b.n_entries
    for band_rows in range(1, _MOST_BAND_ROWS + 1):
        n_bands = _bands_for(chance, min_jaccard, band_rows)
        if band_rows > 1 and band_rows * n_bands > _MOST_SLOTS:
            return
        yield band_rows, n_bands, lsh_fixed_seconds(n_rows, n_entries, band_rows, n_bands)


def _bands_for(chance: float, jaccard: float, band_rows: int) -> int:
    """Return the fewest bands that find a pair at `jaccard` with this chance."""
    meets = jaccard**band_rows
    if meets >= 1.0:
        return 1
    return max(1, math.ceil(math.log1p(-chance) / math.log1p(-meets) - 1e-9))


def sample_rows(rows: SparseRows, n_wanted: int, seed: int) -> npt.NDArray[np.int64]:
    """Return at most `n_wanted` rows that aren't empty, drawn at random, ascending."""
    filled = np.flatnonzero(np.diff(rows.indptr))
    if len(filled) <= n_wanted:
        return filled
    drawn = np.random.default_rng(seed).choice(len(filled), n_wanted, replace=False)
    return filled[np.sort(drawn)]


class _Trials:
    """Joins of trial bands over a sample of both sides."""

    def __init__(self, a: SparseRows, b: SparseRows, min_jaccard: float, seed: int) -> None:
        self.min_jaccard = min_jaccard
        self.seed = seed
        self.n_rows = a.n_rows + b.n_rows
        self.mean_entries = (a.n_entries + b.n_entries) / max(self.n_rows, 1)
        sides = []
        self.scale = 1.0
        # A seed for each side, or a table joined with itself would meet itself too often.
        for rows, row_seed in ((a, 0), (b, 1)):
            n_wanted = min(max(rows.n_rows // _TRIAL_PART, _LEAST_TRIAL_ROWS), _MOST_TRIAL_ROWS)
            sample = sample_rows(rows, n_wanted, row_seed)
            self.scale *= np.count_nonzero(np.diff(rows.indptr)) / max(len(sample), 1)
            sides.append(take_rows(rows, sample))
        self.a, self.b = sides
        self.sketches = sketch_rows(self.a), sketch_rows(self.b)

    def plan(self, recall: float, band_rows: int, n_bands: int, fixed: float) -> LshPlan:
        """Return the plan of so many bands, given the seconds of signatures and buckets."""
        is_own = n_bands <= _MOST_OWN_BANDS
        n_trials = min(n_bands, _OWN_TRIAL_BANDS) if is_own else _TRIAL_BANDS
        trial = BandedJoin(
            self.a, self.b, self.min_jaccard, band_rows, n_bands if is_own else n_trials,
            seed=self.seed, n_threads=1, sketches=self.sketches,
            most_pairs=max(int(MOST_PAIRS / max(self.scale, 1.0)), 1),
        ).run(n_trials)  # fmt: skip
        a_found, b_found, shared = trial.found
        sizes = np.diff(self.a.indptr)[a_found] + np.diff(self.b.indptr)[b_found]
        meets = (shared / (sizes - shared)) ** band_rows
        found = np.sum(_chances(meets, n_bands) / _chances(meets, n_trials))
        times = n_bands / n_trials
        candidates = self.scale * times * trial.n_candidates
        merged = self.scale * (times * max(trial.n_merged - len(shared), 0) + found)
        in_oversized = sum(n_a + n_b for n_a, n_b in trial.oversized)
        seconds = fixed + lsh_seconds(
            self.n_rows, self.mean_entries, n_bands, candidates=candidates, verifications=merged,
            oversized_rows=math.sqrt(self.scale) * times * in_oversized,
        )  # fmt: skip
        return LshPlan(
            self.min_jaccard, recall, band_rows, n_bands, candidates, merged, self.scale * found,
            seconds, 4 * n_bands * self.n_rows,
        )  # fmt: skip


def _chances(meets: npt.NDArray[np.float64], n_bands: int) -> npt.NDArray[np.float64]:
    """Return the chance to meet in one of `n_bands`, given that in each."""
    chances: npt.NDArray[np.float64] = -np.expm1(n_bands * np.log1p(-np.minimum(meets, 1 - 1e-9)))
    return chances
