"""What a step of a join costs: the constants that plans are made with.

Seconds on one core, fitted to runs of both methods on the shapes of ``benchmarks/engine``
(``calibrate.py`` there); nothing is timed while planning, so that a plan follows from the input
alone. Where memory is looked up at random, a step costs more once the rows outgrow a cache.
"""

from __future__ import annotations

import math

from .joinsamples import ExactCounts

__all__ = ["doublings", "exact_seconds", "lsh_fixed_seconds", "lsh_seconds"]

_CACHED_ROWS = 1 << 14

_EXACT_START = 0.2e-3
_EXACT_PER_POSTED, _EXACT_PER_POSTED_FAR = 5.7e-9, 1.7e-9
_EXACT_PER_QUERIED = 1.7e-9
_EXACT_PER_LIST = 1.6e-9
_EXACT_PER_RANKED = 25e-9
_EXACT_PER_WALKED = 60e-9
_EXACT_PER_POSTING, _EXACT_PER_POSTING_FAR = 3.0e-9, 0.2e-9
_EXACT_PER_VERIFICATION, _EXACT_PER_VERIFICATION_FAR = 15e-9, 9.6e-9
_EXACT_PER_PAIR = 40e-9

_LSH_PER_ENTRY_SLOT = 0.11e-9
_LSH_PER_ROW_BAND = 2.5e-9
_LSH_PER_ROW_BAND_FAR = 2.4e-9
_LSH_PER_ROW = 100e-9
_LSH_PER_CANDIDATE = 14e-9
_LSH_PER_VERIFICATION = 150e-9
_LSH_PER_VERIFICATION_BAND = 0.5e-9
_LSH_START = 1.9e-3


def exact_seconds(
    n_posted: int, posted_entries: int, queried_entries: int, counts: ExactCounts
) -> float:
    """Return the seconds of an exact join: `n_posted` rows get posting lists, others look them up.

    `counts` is what `count_sample` predicts, or what a run did.
    """
    far = doublings(n_posted)
    return (
        _EXACT_START
        + posted_entries * (_EXACT_PER_POSTED + far * _EXACT_PER_POSTED_FAR)
        + queried_entries * _EXACT_PER_QUERIED
        + counts.lists * _EXACT_PER_LIST
        + counts.ranked * _EXACT_PER_RANKED
        + counts.walked * _EXACT_PER_WALKED
        + counts.postings * (_EXACT_PER_POSTING + far * _EXACT_PER_POSTING_FAR)
        + counts.verifications * (_EXACT_PER_VERIFICATION + far * _EXACT_PER_VERIFICATION_FAR)
        + counts.pairs * _EXACT_PER_PAIR
    )


def lsh_fixed_seconds(n_rows: int, n_entries: int, band_rows: int, n_bands: int) -> float:
    """Return the seconds that signatures and buckets of both sides take, whatever they hold."""
    per_band = _LSH_PER_ROW_BAND + _LSH_PER_ROW_BAND_FAR * doublings(n_rows)
    return (
        _LSH_START
        + n_rows * (_LSH_PER_ROW + n_bands * per_band)
        + n_entries * band_rows * n_bands * _LSH_PER_ENTRY_SLOT
    )


def lsh_seconds(n_bands: int, candidates: float, verifications: float, oversized: float) -> float:
    """Return the seconds that what stands in the buckets takes.

    `oversized` is the work in buckets joined by their rare columns, in verifications.
    """
    per_verification = _LSH_PER_VERIFICATION + n_bands * _LSH_PER_VERIFICATION_BAND
    return (
        candidates * _LSH_PER_CANDIDATE
        + verifications * per_verification
        + oversized * _LSH_PER_VERIFICATION
    )


def doublings(n_rows: int) -> float:
    """Return how often the rows double from where they fit a cache."""
    return max(0.0, math.log2(max(n_rows, 1) / _CACHED_ROWS))
