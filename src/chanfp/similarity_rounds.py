"""Similarity rounds: candidates by Jaccard, with partners called by whom they clearly were.

Friends who come back together share nothing but each other's new numbers. Where nothing can be
learned there are no probabilities to rename them by, so only clear matches rename.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .blocks import Progress
from .candidates import find_candidates
from .csr import check_csr
from .features import ProbableRows
from .fingerprints import Fingerprints
from .grading import SimilarityTiers
from .judgement import measure_tfidf
from .pairs import Pairs
from .renaming import Renames

__all__ = ["find_clear", "find_similar"]

# A match is clear if nobody else on either side is half as similar, and it is similar itself.
LEAST_JACCARD = 0.2
LEAST_SHARED = 3
AHEAD = 2.0
# Candidates looked at for rivals, however few are listed.
FEWEST_CANDIDATES = 5


def find_similar(
    fingerprints: Fingerprints,
    tiers: SimilarityTiers,
    *,
    top: int,
    min_shared: int | None = None,
    n_rounds: int,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Pairs, Renames]:
    """Return the most similar old ones of each new subscription after some collective rounds.

    Parameters
    ----------
    fingerprints : Fingerprints
    tiers : SimilarityTiers
        Matches of fewer calls than its ``min_calls`` are never clear.
    top : int
        Old ones returned per new subscription.
    min_shared : int, optional
        Fewest partners in common, renamed ones among them; default 1.
    n_rounds : int
        How often at most clear matches rename; 0 compares numbers as they stand.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    pairs : Pairs
        New row ascending, then most similar over renamed partner lists first; equals by
        ``tfidf_jaccard`` over these, then by old row. ``jaccard`` and ``n_shared`` count
        renamed partners, ``tfidf_jaccard`` is that of the lists as they were read.
    renames : Renames
        Who partners clearly are.

    Notes
    -----
    Each round starts from the lists as they were read, renames by the clear matches of the last
    one, and looks for candidates anew. It ends when these stay the same.
    """
    new, old = fingerprints.new, fingerprints.old
    numbers = tuple(
        fingerprints.find_columns(fingerprints.subscriptions.keys[one.role.holdings])
        for one in (new, old)
    )
    begins = fingerprints.begins_s

    def find(matrix: object) -> Pairs:
        return find_candidates(
            check_csr(matrix, "new"),
            check_csr(old.matrix, "departed"),
            partner_rarity=fingerprints.partner_rarity,
            top_k=max(top, FEWEST_CANDIDATES),
            min_shared=min_shared or 1,
            new_begins=begins[0],
            departed_begins=begins[1],
            n_threads=n_threads,
            progress=progress,
        )

    pairs = find(new.matrix)
    nobody = np.zeros(0, np.int64)
    used = Renames.of(nobody, nobody, np.zeros(0))
    for _ in range(n_rounds):
        enough = np.minimum(new.n_calls[pairs.a_rows], old.n_calls[pairs.b_rows])
        clear = find_clear(pairs) & (enough >= tiers.min_calls)
        renames = Renames.of(
            numbers[0][pairs.a_rows[clear]],
            numbers[1][pairs.b_rows[clear]],
            np.ones(int(np.count_nonzero(clear))),
        )
        if all(
            np.array_equal(*both) for both in ((renames.new, used.new), (renames.old, used.old))
        ):
            break
        used = renames
        pairs = find(renames.rename(ProbableRows.certain(new.matrix, new.outgoing)).calls)
    pairs = _first(pairs, top)
    if not len(used):
        return pairs, used
    tfidf = measure_tfidf(fingerprints, pairs.a_rows, pairs.b_rows, n_threads)
    return replace(pairs, tfidf_jaccard=tfidf), used


def find_clear(pairs: Pairs) -> npt.NDArray[np.bool_]:
    """Return which pairs are the best of both their sides, by far.

    Parameters
    ----------
    pairs : Pairs
        New row ascending, best first.

    Returns
    -------
    bool array, shape (n_pairs,)
        True where Jaccard similarity is at least 0.2 and twice that of every other pair of either
        side, with at least 3 partners shared; so at most one for each new and each old row.
    """
    similar = pairs.jaccard
    is_clear = (similar >= LEAST_JACCARD) & (pairs.n_shared >= LEAST_SHARED)
    for rows in (pairs.a_rows, pairs.b_rows):
        is_clear &= similar >= AHEAD * _best_other(rows, similar)
    return is_clear


def _best_other(
    rows: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the greatest value among the other pairs of each pair's row, 0 where it is alone."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    best, second = (np.zeros(int(rows.max(initial=-1)) + 1) for _ in range(2))
    best[ordered[place == 0]] = values[order[place == 0]]
    second[ordered[place == 1]] = values[order[place == 1]]
    is_first = np.zeros(len(rows), bool)
    is_first[order[place == 0]] = True
    return np.where(is_first, second[rows], best[rows])


def _first(pairs: Pairs, top: int) -> Pairs:
    """Return the first pairs of each new row."""
    place = np.arange(len(pairs)) - np.searchsorted(pairs.a_rows, pairs.a_rows)
    kept = np.flatnonzero(place < top)
    found = {name: getattr(pairs, name) for name in ("a_rows", "b_rows", "jaccard", "n_shared")}
    tfidf = None if pairs.tfidf_jaccard is None else pairs.tfidf_jaccard[kept]
    return Pairs(**{name: one[kept] for name, one in found.items()}, tfidf_jaccard=tfidf)
