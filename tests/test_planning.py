"""The planner: what it predicts, what it chooses, and what the run then did."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import chanfp
from chanfp import _core, _reference, joinsamples, planning
from chanfp.csr import SparseRows
from chanfp.errors import ParameterError
from chanfp.joinsamples import count_sample
from chanfp.lsh import LshPairs
from chanfp.similarity import jaccard_join
from sparse_cases import as_matrix, pack, pairs_of_tables, random_rows, widen

NAMES = ("a_rows", "b_rows", "jaccard", "n_shared")


def even_rows(seed, n_rows, n_cols, size):
    """Rows of `size` columns, all columns as likely, and a copy of each with some replaced."""
    rng = np.random.default_rng(seed)
    old = rng.integers(0, n_cols, (n_rows, size))
    new = np.where(rng.random(old.shape) < 0.3, rng.integers(0, n_cols, old.shape), old)
    return [
        sparse.csr_array(
            (np.ones(side.size), side.ravel(), np.arange(0, side.size + 1, size)),
            shape=(n_rows, n_cols),
        )
        for side in (new, old)
    ]


def test_plan_sees_that_lsh_wins_where_nobody_is_rare():
    a, b = even_rows(1, 20_000, 5_000, 20)
    plan = chanfp.plan_join(a, b, 0.5, n_threads=1)
    assert plan.method == "lsh"
    assert 1.5 * plan.lsh.seconds < plan.exact.seconds
    pairs = jaccard_join(a, b, 0.5, n_threads=1)
    assert isinstance(pairs, LshPairs)
    assert pairs.plan.method == "lsh"
    assert pairs.plan.lsh == plan.lsh
    assert pairs.measured_recall.share >= 0.95


def test_plan_takes_the_exact_join_where_most_are_rare():
    a, b = even_rows(2, 20_000, 2_000_000, 20)
    for least in (0.1, 0.5):
        assert chanfp.plan_join(a, b, least).method == "exact"
        pairs = jaccard_join(a, b, least)
        assert pairs.plan.method == "exact"
        assert not isinstance(pairs, LshPairs)


def test_a_recall_of_one_is_an_exact_join():
    a, b = even_rows(1, 20_000, 5_000, 20)
    plan = chanfp.plan_join(a, b, 0.5, recall=1.0)
    assert plan.method == "exact"
    assert "no other method finds every pair" in repr(plan)
    assert plan.lsh is None


def test_few_rows_are_joined_without_a_plan():
    a = sparse.csr_array(np.eye(3))
    pairs = jaccard_join(a, a, 0.5)
    assert pairs.plan.method == "exact"
    assert pairs.plan.exact is None
    assert pairs.plan.actual.candidates == 3
    complete = chanfp.plan_join(a, a, 0.5)
    assert complete.exact is not None
    assert complete.lsh is not None


@pytest.mark.parametrize("least", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("n_cols", [400, 20_000])
def test_predicted_work_is_about_what_the_run_does(least, n_cols):
    rng = np.random.default_rng(3)
    a, b = (as_matrix(random_rows(rng, n, n_cols, 15)) for n in (4000, 12_000))
    plan = chanfp.plan_join(a, b, least, n_threads=1)
    for method in ("exact", "lsh"):
        predicted = getattr(plan, method)
        actual = jaccard_join(a, b, least, method=method, n_threads=1).plan.actual
        assert 0.6 < (predicted.postings + 100) / (actual.postings + 100) < 1.6
        assert 0.6 < (predicted.candidates + 1e4) / (actual.candidates + 1e4) < 1.6
        assert 0.5 < (predicted.verifications + 1e4) / (actual.verifications + 1e4) < 2


def test_threads_change_neither_plan_nor_pairs():
    a, b = even_rows(1, 20_000, 5_000, 20)
    one, many = (jaccard_join(a, b, 0.5, n_threads=n) for n in (1, 3))
    for name in NAMES:
        assert getattr(one, name).tobytes() == getattr(many, name).tobytes()
    plans = [replace(pairs.plan, lsh=None, exact=None, actual=None) for pairs in (one, many)]
    assert plans[0] == plans[1]
    assert one.plan.lsh.n_bytes < many.plan.lsh.n_bytes


@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_memory_is_about_what_is_asked_for(method):
    sides = even_rows(4, 30_000, 20_000, 20)
    jaccard_join(*(side[:100] for side in sides), 0.5, method=method, n_threads=1)
    a, b = (planning.check_csr(side, "side", with_values=False) for side in sides)
    tracemalloc.start()
    pairs = jaccard_join(a, b, 0.5, method=method, n_threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.6 < pairs.plan.actual.n_bytes / peak < 1.6
    predicted = getattr(chanfp.plan_join(a, b, 0.5, n_threads=1), method).n_bytes
    assert 0.8 < predicted / pairs.plan.actual.n_bytes < 1.25


def test_plan_is_readable():
    a, b = even_rows(1, 20_000, 5_000, 20)
    plan = jaccard_join(a, b, 0.5).plan
    lines = repr(plan).splitlines()
    assert lines[0].startswith("JoinPlan(20,000 x 20,000 rows, jaccard >= 0.5: lsh, because")
    assert [line.split()[0] for line in lines[2:5]] == ["exact", "lsh", "lsh,"]
    assert "bands of" in lines[-1]
    assert plan._repr_html_().count("<tr>") == 4
    assert plan.predicted == plan.lsh


def test_lsh_ranks_as_the_exact_join_does():
    rng = np.random.default_rng(5)
    a, b = (as_matrix(random_rows(rng, n, 60, 9)) for n in (400, 500))
    weights = rng.random(60)
    for options in ({"top_k": 2}, {"weights": weights}, {"top_k": 3, "weights": weights}):
        exact = jaccard_join(a, b, 0.4, method="exact", **options)
        found = jaccard_join(a, b, 0.4, method="lsh", recall=1 - 1e-9, **options)
        for name in (*NAMES, *(["weighted_overlap"] if "weights" in options else [])):
            assert getattr(found, name).tobytes() == getattr(exact, name).tobytes()
        assert found.measured_recall.share == 1.0


def test_wrong_arguments_are_refused():
    a = sparse.csr_array((2, 3))
    for options, message in (
        ({"recall": 0.0}, "`recall` must be above 0"),
        ({"top_k": 0}, "`top_k` must be at least 1"),
        ({"weights": [1.0]}, "`weights` must have one weight per column"),
        ({"n_threads": 0}, "`n_threads` must be at least 1"),
    ):
        with pytest.raises(ParameterError, match=message):
            chanfp.plan_join(a, a, 0.5, **options)
    with pytest.raises(ParameterError, match="`min_jaccard` must be above 0"):
        chanfp.plan_join(a, a, 0.0)
    with pytest.raises(ParameterError, match="same columns"):
        chanfp.plan_join(a, sparse.csr_array((2, 4)), 0.5)


@given(case=pairs_of_tables(), least=st.sampled_from([0.05, 1 / 3, 0.5, 1.0]))
def test_a_sample_of_everything_counts_what_the_join_does(case, least):
    a, b, rarity = case
    queries, posted = (pack(rows, len(rarity)) for rows in (a, b))
    if queries.n_entries < posted.n_entries:
        queries, posted = posted, queries
    if not posted.n_entries:
        return
    counts = count_sample(queries, posted, least)
    actual = jaccard_join(queries, posted, least, method="exact").plan.actual
    assert counts.postings == actual.postings
    assert counts.candidates == actual.candidates
    assert counts.verifications == actual.verifications


@given(case=pairs_of_tables(), step=st.integers(1, 5), wide=st.booleans())
def test_listed_columns_are_counted_as_by_their_twin(case, step, wide):
    a, b, rarity = case
    rows = widen(pack(b, len(rarity))) if wide else pack(b, len(rarity))
    listed = sorted({column for row in a for column in row})
    columns = np.array(listed, dtype=np.int64)
    table, marks = np.full(64, -1, dtype=np.int32), np.zeros(1, dtype=np.uint64)
    counts = np.zeros(len(listed), dtype=np.int64)
    _core.list_columns(columns, 58, table, marks)
    _core.count_listed(rows.indptr, rows.indices, step, columns, 58, table, marks, counts)
    assert counts.tolist() == _reference.count_listed(b, step, listed)


def test_many_entries_are_sampled_and_lists_estimated():
    """Only a part of the entries is looked at, and rare lists stand for those that weren't met."""
    a, b = even_rows(6, 30_000, 1_500_000, 20)
    rows = [planning.check_csr(side, "side", with_values=False) for side in (a, b)]
    step = rows[1].n_entries // joinsamples._LEAST_COUNTED
    assert step > 1
    counts = count_sample(*rows, 0.3)
    held = np.isin(rows[0].indices, rows[1].indices).sum()
    assert 0.7 < counts.lists / held < 1.4


def test_no_rows_no_work():
    none = SparseRows(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int32), None, 5)
    plan = chanfp.plan_join(none, none, 0.5)
    assert plan.method == "exact"
    assert plan.exact.postings == 0
