"""A sample of an exact join: what its queries would walk, touch and verify."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _core
from .csr import SparseRows, take_rows
from .overlaps import SHORT_LIST, fewest_shared

__all__ = ["ExactCounts", "count_sample"]

_LEAST_QUERIES, _MOST_QUERIES, _QUERIED_PART = 64, 512, 128
_LEAST_POSTED, _MOST_POSTED, _POSTED_PART = 64, 2048, 16
_LEAST_COUNTED, _COUNTED_PART = 1 << 16, 8  # entries of the posted rows
_LEAST_ALIKE = 100  # lists of one count, from which on they tell their sizes


@dataclass(frozen=True)
class ExactCounts:
    """What an exact join is expected to do, from a sample of its queries.

    Parameters
    ----------
    lists : float
        Posting lists looked up that aren't empty.
    ranked : float
        Those of them that are long enough to be skipped, of queries that may skip some.
    postings, candidates, verifications : float
        As in `JoinWork`.
    pairs : float
        Pairs that reach the threshold; rough, as few of them are in any sample.
    """

    lists: float
    ranked: float
    postings: float
    candidates: float
    verifications: float
    pairs: float


def count_sample(queries: SparseRows, posted: SparseRows, least: float) -> ExactCounts:
    """Predict the work of an exact join by its queries' posting lists.

    Parameters
    ----------
    queries, posted : SparseRows
        Over the same columns; `posted` gets the posting lists.
    least : float
        Least Jaccard index, above 0 and at most 1.

    Notes
    -----
    The lists of up to 512 queries are measured by counting their columns in `posted`, in every
    eighth row if they are many. Which lists are skipped follows from their
    lengths, as in the join; what the walks find is counted among up to 2,048 of the posted rows.
    That takes up to two milliseconds, and 2 ns per entry counted. Rows are drawn by a fixed seed.
    """
    if not queries.n_entries or not posted.n_entries:
        return ExactCounts(0, 0, 0, 0, 0, 0)
    n_queries = min(max(queries.n_rows // _QUERIED_PART, _LEAST_QUERIES), _MOST_QUERIES)
    n_posted = min(max(posted.n_rows // _POSTED_PART, _LEAST_POSTED), _MOST_POSTED)
    sample = _QuerySample(take_rows(queries, _draw(queries.n_rows, n_queries, seed=1)), least)
    sample.choose_lists(posted)
    rows = _draw(posted.n_rows, n_posted, seed=2)
    candidates, verifications, pairs = sample.match(posted, rows)
    scale = queries.n_rows / sample.n_rows
    pair_scale = scale * posted.n_rows / len(rows)
    postings = scale * sample.walked_postings
    is_ranked = sample.is_long & (sample.fewest[sample.owners] > 1)
    return ExactCounts(
        lists=scale * float(sample.n_lists.sum()),
        ranked=scale * float(np.count_nonzero(is_ranked)),
        postings=postings,
        candidates=min(pair_scale * candidates, postings),
        verifications=pair_scale * verifications,
        pairs=pair_scale * pairs,
    )


def _draw(n_rows: int, n_wanted: int, seed: int) -> npt.NDArray[np.int64]:
    """Return about `n_wanted` rows, all if there are no more, ascending.

    Each side has a seed of its own, or a table joined with itself would meet itself too often.
    """
    if n_rows <= n_wanted:
        return np.arange(n_rows)
    return np.unique(np.random.default_rng(seed).integers(0, n_rows, n_wanted))


class _QuerySample:
    """Some queries with their lists, entry by entry in the order of the columns.

    `list_sizes` says how many posted rows hold an entry's column, `is_long` whether the list may
    be skipped, `is_walked` whether the join walks it.
    """

    def __init__(self, queries: SparseRows, least: float) -> None:
        self.least = least
        self.n_rows = queries.n_rows
        self.row_sizes = np.diff(queries.indptr)
        self.fewest = fewest_shared(least, int(self.row_sizes.max(initial=0)))[self.row_sizes]
        by_column = np.argsort(queries.indices, kind="stable")
        self.owners = np.repeat(np.arange(self.n_rows), self.row_sizes)[by_column]
        columns = queries.indices[by_column].astype(np.int64)
        is_first = np.append(True, columns[1:] != columns[:-1])[: len(columns)]
        self.columns = columns[is_first]
        self.list_starts = np.append(np.flatnonzero(is_first), len(columns))
        bits = max((8 * len(self.columns)).bit_length(), 6)
        self.shift = 64 - bits
        self.table = np.full(1 << bits, -1, dtype=np.int32)
        self.marks = np.zeros(1 << (bits - 6), dtype=np.uint64)
        _core.list_columns(self.columns, self.shift, self.table, self.marks)

    def choose_lists(self, posted: SparseRows) -> None:
        """Measure the lists, and find out which ones are walked and which ones skipped."""
        n_counted = max(posted.n_entries // _COUNTED_PART, _LEAST_COUNTED)
        step = max(1, posted.n_entries // n_counted)
        counts = np.zeros(len(self.columns), dtype=np.int64)
        _core.count_listed(
            posted.indptr, posted.indices, step, self.columns, self.shift, self.table, self.marks,
            counts,
        )  # fmt: skip
        owners = self.owners
        self.list_sizes = np.repeat(step * counts, np.diff(self.list_starts))
        is_held = self.list_sizes > 0
        # A list met once may stand for others that weren't met at all.
        met = np.where(self.list_sizes == step, _lists_per_met(counts, step), is_held)
        self.n_lists = np.bincount(owners, weights=met, minlength=self.n_rows)
        asks = (self.n_lists >= self.fewest)[owners]
        is_asked = asks & is_held
        longest_first = np.argsort((owners << np.int64(32)) - self.list_sizes, kind="stable")
        ranks = np.empty(len(owners), dtype=np.int64)
        begins = np.cumsum(self.row_sizes) - self.row_sizes
        ranks[longest_first] = np.arange(len(owners)) - np.repeat(begins, self.row_sizes)
        self.is_long = is_asked & (self.list_sizes > SHORT_LIST)
        self.is_skipped = self.is_long & (ranks < self.fewest[owners] - 1)
        self.is_walked = is_asked & ~self.is_skipped
        expected = np.repeat(_expected_sizes(counts, step), np.diff(self.list_starts))
        self.walked_postings = float(expected[asks & ~self.is_skipped].sum())

    def match(self, posted: SparseRows, rows: npt.NDArray[np.int64]) -> list[int]:
        """Count candidates, verifications and pairs among some of the posted rows."""
        tally = np.zeros(3, dtype=np.int64)
        n_skipped = np.bincount(self.owners, weights=self.is_skipped, minlength=self.n_rows)
        _core.count_sampled(
            posted.indptr, posted.indices, rows, self.columns, self.shift, self.table,
            self.list_starts, self.owners.astype(np.int32), self.is_walked.view(np.uint8),
            self.is_skipped.view(np.uint8), self.row_sizes, self.fewest,
            n_skipped.astype(np.int64), self.least, np.zeros(self.n_rows, dtype=np.int64),
            np.empty(self.n_rows + 1, dtype=np.int32), tally,
        )  # fmt: skip
        return [int(count) for count in tally]


def _expected_sizes(counts: npt.NDArray[np.int64], step: int) -> npt.NDArray[np.float64]:
    """Return the size to expect of each list, given how many of its entries were counted.

    The longest of some lists were counted too often rather than too seldom: where they are skipped,
    the others are longer than they look. Robbins' (1956) estimate, wherever enough lists have a
    count, needs no more than how many have the next one.
    """
    expected = step * np.arange(int(counts.max(initial=0)) + 1, dtype=np.float64)
    if step > 1:
        n_lists = np.bincount(counts, minlength=len(expected) + 1)
        is_known = n_lists[:-1] >= _LEAST_ALIKE
        following = step * np.arange(1, len(n_lists)) * n_lists[1:] / np.maximum(n_lists[:-1], 1)
        expected[is_known] = following[: len(expected)][is_known[: len(expected)]]
    return expected[counts]


def _lists_per_met(counts: npt.NDArray[np.int64], step: int) -> float:
    """Return how many lists a list stands for of which one entry was counted.

    It, and its part of those of which none was: Chao's (1984) estimate from the columns that were
    counted once and twice.
    """
    if step == 1:
        return 1.0
    n_unmet, n_once, n_twice = (int(np.count_nonzero(counts == n)) for n in (0, 1, 2))
    held = n_once * (n_once - 1) / (2 * (n_twice + 1))
    return 1.0 + min(held, n_unmet) / max(n_once, 1)
