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

_EXACT_START = 0.11e-3
_EXACT_PER_POSTED = 6.4e-9
_EXACT_PER_QUERIED = 1.8e-9
_EXACT_PER_LIST, _EXACT_PER_LIST_FAR = 2.4e-9, 1.8e-9
_EXACT_PER_RANKED = 39e-9
_EXACT_PER_POSTING, _EXACT_PER_POSTING_FAR = 2.3e-9, 0.36e-9
_EXACT_PER_VERIFICATION, _EXACT_PER_VERIFICATION_FAR = 4.4e-9, 6.3e-9
_EXACT_PER_PAIR = 140e-9

_LSH_START = 0.94e-3
_LSH_PER_ROW_BAND, _LSH_PER_ROW_BAND_FAR = 5.5e-9, 1.2e-9
_LSH_PER_ENTRY = 2.9e-9
_LSH_PER_ENTRY_SLOT = 0.03e-9
_LSH_PER_CANDIDATE, _LSH_PER_CANDIDATE_FAR = 9.5e-9, 0.75e-9
_LSH_PER_VERIFICATION, _LSH_PER_VERIFICATION_FAR = 98e-9, 26e-9  # of two rows of 30 entries
_LSH_PER_VERIFICATION_BAND = 0.52e-9
_LSH_PER_OVERSIZED_ROW = 950e-9
_USUAL_ENTRIES = 60  # of the two rows of a pair in the runs that the costs were fitted to


def exact_seconds(
    n_posted: int, posted_entries: int, queried_entries: int, counts: ExactCounts
) -> float:
    """Return the seconds of an exact join: `n_posted` rows get posting lists, others look them up.

    `counts` is what `count_sample` predicts, or what a run did.
    """
    far = doublings(n_posted)
    return (
        _EXACT_START
        + posted_entries * _EXACT_PER_POSTED
        + queried_entries * _EXACT_PER_QUERIED
        + counts.lists * (_EXACT_PER_LIST + far * _EXACT_PER_LIST_FAR)
        + counts.ranked * _EXACT_PER_RANKED
        + counts.postings * (_EXACT_PER_POSTING + far * _EXACT_PER_POSTING_FAR)
        + counts.verifications * (_EXACT_PER_VERIFICATION + far * _EXACT_PER_VERIFICATION_FAR)
        + counts.pairs * _EXACT_PER_PAIR
    )


def lsh_fixed_seconds(n_rows: int, n_entries: int, band_rows: int, n_bands: int) -> float:
    """Return the seconds that signatures and buckets of both sides take, whatever they hold."""
    per_band = _LSH_PER_ROW_BAND + doublings(n_rows) * _LSH_PER_ROW_BAND_FAR
    return (
        _LSH_START
        + n_rows * n_bands * per_band
        + n_entries * (_LSH_PER_ENTRY + band_rows * n_bands * _LSH_PER_ENTRY_SLOT)
    )


def lsh_seconds(
    n_rows: int,
    mean_entries: float,
    n_bands: int,
    *,
    candidates: float,
    verifications: float,
    oversized_rows: float,
) -> float:
    """Return the seconds that what stands in the buckets takes.

    `n_rows` are those of both sides, `mean_entries` those of a row, `oversized_rows` rows of
    buckets that are joined by posting lists. Rows are merged in time linear in their entries.
    """
    far = doublings(n_rows)
    size = 2 * mean_entries / _USUAL_ENTRIES
    per_verification = (
        size * (_LSH_PER_VERIFICATION + far * _LSH_PER_VERIFICATION_FAR)
        + n_bands * _LSH_PER_VERIFICATION_BAND
    )
    return (
        candidates * (_LSH_PER_CANDIDATE + far * _LSH_PER_CANDIDATE_FAR)
        + verifications * per_verification
        + oversized_rows * size * _LSH_PER_OVERSIZED_ROW
    )


def doublings(n_rows: int) -> float:
    """Return how often the rows double from where they fit a cache."""
    return max(0.0, math.log2(max(n_rows, 1) / _CACHED_ROWS))
