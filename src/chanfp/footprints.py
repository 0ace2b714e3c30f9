"""Memory that a join asks for beyond its input, from the sizes of its arrays."""

from __future__ import annotations

from .buckets import bands_at_once, bucket_bits
from .csr import SparseRows
from .overlaps import LISTS_HELD, MATCHES_HELD

__all__ = ["exact_bytes", "lsh_bytes"]

_PER_PAIR = 84  # found, laid end to end, ordered
_PLACES = 1 << 16
_COUNTS = 1 << 20


def exact_bytes(
    queries: SparseRows, posted: SparseRows, *, n_used: int, n_pairs: float, n_threads: int
) -> float:
    """Return the bytes of an exact join of `queries` with `posted`, which gets posting lists.

    Parameters
    ----------
    queries, posted : SparseRows
    n_used : int
        Columns that `posted` uses.
    n_pairs : float
        Pairs found.
    n_threads : int
    """
    entry = posted.indices.itemsize + 4  # its column, its place in a list
    postings = entry * posted.n_entries + 16 * posted.n_rows + 8 * n_used + posted.n_cols / 4
    worker = 8 * posted.n_rows + 8 * max(posted.n_rows, MATCHES_HELD) + 24 * LISTS_HELD
    ranking = 8 * (queries.n_rows + posted.n_rows)
    return postings + 4 * queries.n_rows + n_threads * worker + ranking + _PER_PAIR * n_pairs


def lsh_bytes(
    a: SparseRows, b: SparseRows, n_bands: int, *, n_pairs: float, n_threads: int
) -> float:
    """Return the bytes of a join of `n_bands` bands."""
    n_rows = a.n_rows + b.n_rows
    worker = (
        (4 * bands_at_once(n_bands) + 8) * n_rows
        + 4 * a.n_rows
        + 8 * (1 << bucket_bits(max(a.n_rows, b.n_rows)))
        + 20 * max(b.n_rows, _PLACES)
    )
    return (4 * n_bands + 16) * n_rows + _COUNTS + n_threads * worker + _PER_PAIR * n_pairs
