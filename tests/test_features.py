"""Features of pairs, and probable partners: the kernel against its twin, and what they mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from chanfp import _reference
from chanfp.features import FEATURES, ProbableRows, expect_overlaps, measure_features
from chanfp.renaming import Renames

N_COLUMNS = 12
CALLS = st.integers(1, 9)


def rows_of(table, n_columns=N_COLUMNS):
    """Make rows of {column: (calls, made, presence)}."""
    entries = [sorted(row.items()) for row in table]
    flat = [(column, *values) for row in entries for column, values in row]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in entries])])
    columns, calls, made, presence = (
        np.array([one[place] for one in flat], float) for place in range(4)
    )
    matrix = csr_array(
        (calls, columns.astype(np.int32), indptr.astype(np.int32)), shape=(len(table), n_columns)
    )
    return ProbableRows(matrix, made, presence)


@st.composite
def tables(draw, *, certain):
    presence = st.just(1.0) if certain else st.floats(0.05, 1.0)
    entry = st.builds(
        lambda calls, share, sure: (calls * sure, round(calls * share) * sure, sure),
        CALLS,
        st.floats(0, 1),
        presence,
    )
    row = st.dictionaries(st.integers(0, N_COLUMNS - 1), entry, max_size=8)
    return draw(st.lists(row, min_size=1, max_size=6))


def all_pairs(queries, pool):
    return (
        np.repeat(np.arange(len(queries)), len(pool)),
        np.tile(np.arange(len(pool)), len(queries)),
    )


@given(queries=tables(certain=False), pool=tables(certain=True), threads=st.sampled_from([1, 2]))
def test_the_kernel_equals_its_twin(queries, pool, threads):
    rarity = np.linspace(0, 3, N_COLUMNS)
    pairs = all_pairs(queries, pool)
    sums = expect_overlaps(
        rows_of(queries), rows_of(pool), *pairs, partner_rarity=rarity, n_threads=threads
    )
    old = [{column: values[:2] for column, values in row.items()} for row in pool]
    twins = [
        _reference.expect_overlap(queries[i], old[j], rarity) for i, j in zip(*pairs, strict=True)
    ]
    np.testing.assert_array_equal(np.column_stack(sums), twins)


def measure(queries, pool, *, began=(), gone=(), pool_columns=None):
    flags = [np.isin(np.arange(N_COLUMNS), list(one)).astype(float) for one in (began, gone)]
    columns = np.full(len(pool), -1) if pool_columns is None else np.array(pool_columns)
    found = measure_features(
        rows_of(queries),
        rows_of(pool),
        *all_pairs(queries, pool),
        partner_rarity=np.ones(N_COLUMNS),
        began=flags[0],
        gone=flags[1],
        pool_columns=columns,
        days=(rows_of(queries), rows_of(pool)),
    )
    assert found.values.shape == (len(queries) * len(pool), len(FEATURES))
    return [dict(zip(FEATURES, row, strict=True)) for row in found.values]


def plain(*columns, calls=2.0, made=1.0):
    return dict.fromkeys(columns, (calls, made, 1.0))


def test_equal_rows_agree_in_everything():
    (row,) = measure([plain(0, 1, 2)], [plain(0, 1, 2)])
    for name in ("jaccard", "idf_jaccard", "weighted_jaccard", "hellinger", "direction"):
        assert row[name] == pytest.approx(1), name
    assert row["shared"] == pytest.approx(np.log(4))
    assert row["volume"] == row["outgoing"] == 0


def test_partners_who_came_or_went_are_no_sign_of_difference():
    """Column 5 is a new number, 6 one that has departed: neither could be on both sides."""
    (row,) = measure([plain(0, 1, 5)], [plain(0, 1, 6)], began=[5], gone=[6])
    assert row["jaccard"] == pytest.approx(np.sqrt(2 / 4))
    for name in ("jaccard_alive", "containment_new_alive", "calls_old_alive"):
        assert row[name] == pytest.approx(1), name
    assert row["partners_new_alive"] == pytest.approx(np.log(3))


def test_direction_tells_callers_from_called():
    (row,) = measure([plain(0, made=2.0)], [plain(0, made=0.0)])
    assert row["hellinger"] == pytest.approx(1)
    assert row["direction"] == 0
    assert row["outgoing"] == pytest.approx(2 * np.log(3))


def test_calls_to_a_decoy_itself_dont_count():
    """Who has departed can't be called, so a decoy must not lose by being called."""
    queries, pool = [plain(0, 1, 7)], [plain(0, 1)]
    (called,) = measure(queries, pool, pool_columns=[7])
    (never,) = measure([plain(0, 1)], pool)
    assert called == pytest.approx(never, nan_ok=True)  # habits are unknown
    (other,) = measure(queries, pool, pool_columns=[3])
    assert other["jaccard"] < called["jaccard"]


def test_probable_partners_count_by_their_probability():
    renames = Renames.of(np.array([5, 5, 4]), np.array([1, 2, 3]), np.array([0.75, 0.2, 0.001]))
    assert len(renames) == 2  # what is improbable is left out
    rows = renames.rename(rows_of([{1: (4.0, 1.0, 1.0), 5: (8.0, 8.0, 1.0)}, plain(0)]))
    assert rows.calls.toarray()[0].tolist() == pytest.approx(
        [0, 4 + 6, 1.6, 0, 0, 0.4, 0, 0, 0, 0, 0, 0]
    )
    assert rows.presence.tolist() == pytest.approx([1.0, 0.2, 0.05, 1.0])
    assert rows.outgoing.tolist() == pytest.approx([1 + 6, 1.6, 0.4, 1.0])
    assert rows.calls.toarray()[1].tolist() == rows_of([plain(0)]).calls.toarray()[0].tolist()


def test_whoever_is_certainly_renamed_leaves_nothing_behind():
    renames = Renames.of(np.array([5]), np.array([1]), np.array([1.0]))
    rows = renames.rename(rows_of([plain(5)]))
    assert rows.calls.indices.tolist() == [1]
    assert rows.presence.tolist() == pytest.approx([1.0])
    nobody = Renames.of(np.array([-1]), np.array([1]), np.array([1.0]))
    rows = rows_of([plain(5)])
    assert nobody.rename(rows) is rows


@given(table=tables(certain=True), data=st.data())
def test_renaming_keeps_every_call(table, data):
    probability = data.draw(st.lists(st.floats(0.02, 0.3), min_size=3, max_size=3))
    renames = Renames.of(np.array([2, 2, 7]), np.array([0, 1, 2]), np.array(probability))
    before, after = rows_of(table), renames.rename(rows_of(table))
    assert after.calls.sum(axis=1) == pytest.approx(before.calls.sum(axis=1))
    assert after.outgoing.sum() == pytest.approx(before.outgoing.sum())
    assert ((after.presence > 0) & (after.presence <= 1)).all()
    assert all(
        np.diff(after.calls.indices)[
            np.diff(np.repeat(np.arange(len(table)), np.diff(after.calls.indptr))) == 0
        ]
        > 0
    )
