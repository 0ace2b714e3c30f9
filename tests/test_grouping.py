"""Grouping of calls into sparse rows: the kernels against their twin."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _reference
from chanfp.fingerprints import count_entries

entries = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(0, 1)
    ),
    max_size=60,
)
crowded = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 9), st.integers(0, 1)),
    max_size=60,
)


def grouped(calls, n_rows, **options):
    rows, columns, seconds, outgoing = np.array(calls, np.int64).reshape(-1, 4).T
    return count_entries(
        rows.astype(np.int32),
        columns.astype(np.int32),
        seconds.astype(np.int32),
        outgoing.astype(np.uint8),
        n_rows=n_rows,
        **options,
    )


def as_rows(result):
    indptr, *columns = result
    triples = list(zip(*(column.tolist() for column in columns), strict=True))
    return [triples[a:b] for a, b in pairwise(indptr)]


@given(calls=st.one_of(entries, crowded), n_rows=st.integers(7, 9))
def test_grouping_equals_its_twin(calls, n_rows):
    assert as_rows(grouped(calls, n_rows)) == _reference.count_entries(calls, n_rows)


@pytest.mark.parametrize("n_threads", [1, 2, 7])
@pytest.mark.parametrize("block_rows", [1, 3, 1000])
def test_threads_and_blocks_change_nothing(n_threads, block_rows):
    rng = np.random.default_rng(5)
    calls = np.stack([rng.integers(0, high, 5000) for high in (50, 40, 300, 2)], axis=1)
    expected = grouped(calls, 60)
    found = grouped(calls, 60, n_threads=n_threads, block_rows=block_rows)
    for one, other in zip(expected, found, strict=True):
        assert one.tobytes() == other.tobytes()


def test_no_calls_and_no_rows():
    assert as_rows(grouped([], 3)) == [[], [], []]
    assert as_rows(grouped([], 0)) == []


def test_a_row_of_one_partner_and_one_of_very_many():
    calls = [(0, 5, 1, 1)] * 3 + [(1, column, 2, 0) for column in range(100_000)]
    rows = as_rows(grouped(calls, 2))
    assert rows[0] == [(5, 3, 3, 3)]
    assert len(rows[1]) == 100_000
