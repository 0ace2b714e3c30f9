import math
import os
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from chanfp import _core, _reference, buckets, lsh, overlaps, planning
from chanfp import recall as recalls
from chanfp.bands import LshPlan, plan_lsh
from chanfp.csr import SparseRows
from chanfp.errors import ParameterError
from chanfp.lsh import lsh_join
from chanfp.rarejoin import BandKeys, join_few, sketch_rows
from chanfp.recall import MeasuredRecall
from chanfp.similarity import jaccard_join
from sparse_cases import KINDS, as_matrix, random_rows

NAMES = ("a_rows", "b_rows", "jaccard", "n_shared")
THRESHOLDS = st.one_of(st.sampled_from([0.05, 1 / 3, 0.5, 2 / 3, 1.0]), st.floats(0.01, 1.0))


def rows_of(sets, n_cols):
    indptr = np.zeros(len(sets) + 1, dtype=np.int64)
    np.cumsum([len(members) for members in sets], out=indptr[1:])
    dtype = np.int32 if n_cols < 2**31 else np.int64
    indices = np.array([column for members in sets for column in sorted(members)], dtype=dtype)
    return SparseRows(indptr, indices, None, n_cols)


def as_tuples(pairs):
    return list(zip(*(getattr(pairs, name).tolist() for name in NAMES), strict=True))


def as_bytes(pairs):
    return [getattr(pairs, name).tobytes() for name in NAMES]


def plan_of(min_jaccard, band_rows, n_bands):
    return LshPlan(min_jaccard, 0.9, band_rows, n_bands, 1.0, 1.0, 1.0, 1.0, 1)


@st.composite
def families(draw):
    """Two lists of sets over few columns, so that they overlap, repeat and fill buckets."""
    columns = draw(st.sampled_from([list(range(9)), [0, 1, 2**31 + 5, 2**40, 2**62 - 1]]))
    row = st.sets(st.sampled_from(columns), max_size=7)
    sides = [draw(st.lists(row, max_size=n)) for n in (9, 30)]
    return *sides, max(columns) + 1


@given(
    family=families(),
    min_jaccard=THRESHOLDS,
    band_rows=st.integers(1, 3),
    n_bands=st.sampled_from([1, 2, 5, 9]),
    seed=st.integers(0, 3),
    most_pairs=st.sampled_from([1, 6, 1 << 18]),
    few=st.integers(1, 40),
    n_threads=st.sampled_from([1, 3]),
)
def test_lsh_join_equals_its_twin(
    *, family, min_jaccard, band_rows, n_bands, seed, most_pairs, few, n_threads
):
    a, b, n_cols = family
    plan = plan_of(min_jaccard, band_rows, n_bands)
    with (
        patch.object(planning, "plan_lsh", lambda *_: plan),
        patch.multiple(buckets, MOST_PAIRS=most_pairs, _PLACES=few, _BLOCK_ROWS=few),
        patch.object(recalls, "_CHECKED_ROWS", 4),
        patch.object(lsh, "_MOST_ROUNDS", 1),
        patch.multiple(overlaps, MATCHES_HELD=few, LISTS_HELD=few, _BLOCK_ROWS=few),
    ):
        sides = (rows_of(a, n_cols), rows_of(b, n_cols))
        pairs = lsh_join(*sides, min_jaccard, 0.9, seed, n_threads)
    expected = _reference.lsh_join(
        a, b, min_jaccard, band_rows=band_rows, n_bands=n_bands, seed=seed
    )
    assert as_tuples(pairs) == expected
    assert [getattr(pairs, name).dtype for name in NAMES] == [
        np.int64,
        np.int64,
        np.float64,
        np.int32,
    ]
    assert pairs.plan.actual.candidates >= len(pairs) or pairs.n_oversized


@given(family=families(), min_jaccard=THRESHOLDS, few=st.integers(1, 30))
def test_join_few_finds_every_pair_and_no_other(family, min_jaccard, few):
    a, b, n_cols = family
    a_rows, b_rows = rows_of(a, n_cols), rows_of(b, n_cols)
    taken = np.arange(0, len(a), 2)
    with patch.multiple(overlaps, MATCHES_HELD=few, LISTS_HELD=few, _BLOCK_ROWS=few):
        found = join_few(a_rows, taken, b_rows, np.arange(len(b)), min_jaccard)
    expected = {
        (i, j, len(a[i] & b[j]))
        for i in taken.tolist()
        for j in range(len(b))
        if a[i] & b[j] and len(a[i] & b[j]) / len(a[i] | b[j]) >= min_jaccard
    }
    triples = list(zip(*(column.tolist() for column in found), strict=True))
    assert len(triples) == len(set(triples))
    assert set(triples) == expected


@given(family=families(), n_bands=st.integers(1, 4), band=st.integers(0, 4), seed=st.integers(0, 9))
def test_join_few_leaves_out_pairs_that_met(family, n_bands, band, seed):
    a, b, n_cols = family
    band = min(band, n_bands)
    a_rows, b_rows = rows_of(a, n_cols), rows_of(b, n_cols)
    rng = np.random.default_rng(seed)
    keys = [rng.integers(0, 3, n * n_bands).astype(np.uint32) for n in (len(a), len(b))]
    taken = np.arange(len(a) % 2, len(a), 2), np.arange(len(b) // 3, len(b))
    all_pairs = join_few(a_rows, taken[0], b_rows, taken[1], 0.1)
    found = join_few(
        a_rows, taken[0], b_rows, taken[1], 0.1, keys=BandKeys(*keys, n_bands), band=band
    )
    met = [
        any(keys[0][i * n_bands + k] == keys[1][j * n_bands + k] for k in range(band))
        for i, j in zip(*(column.tolist() for column in all_pairs[:2]), strict=True)
    ]
    for column, everything in zip(found, all_pairs, strict=True):
        assert column.tolist() == everything[~np.array(met, dtype=bool)].tolist()


@given(family=families())
def test_sketches_and_keys_equal_their_twins(family):
    a, _, n_cols = family
    rows = rows_of(a, n_cols)
    expected = [word for members in a for word in _reference.sketch_row(members)]
    assert sketch_rows(rows).tolist() == expected
    signatures = np.arange(6 * len(a), dtype=np.uint32) * np.uint32(2654435761)
    keys = np.empty(3 * len(a), dtype=np.uint32)
    _core.fold_bands(signatures, 6, 2, 3, keys, 0, len(a))
    assert keys.tolist() == [
        key
        for signature in signatures.reshape(-1, 6).tolist()
        for key in _reference.fold_bands(signature, 2, 3)
    ]


def made_rows(rng, n, n_cols):
    """Rows of 12 columns, and copies of them of which each keeps a share of its columns."""
    old = rng.integers(0, n_cols, (n, 12))
    new = old.copy()
    is_fresh = rng.random((n, 12)) < rng.uniform(0, 0.6, (n, 1))
    new[is_fresh] = rng.integers(0, n_cols, int(is_fresh.sum()))
    return [rows_of([set(row) for row in side.tolist()], n_cols) for side in (new, old)]


@pytest.mark.parametrize("min_jaccard", [0.2, 0.3, 0.5, 0.8])
def test_the_stated_recall_is_reached(min_jaccard):
    """In at least 19 of 20 seeds, and the measured recall is close to the true one."""
    rng = np.random.default_rng(7)
    a, b = made_rows(rng, 900, 4000)
    exact = {(i, j) for i, j, _, _ in as_tuples(jaccard_join(a, b, min_jaccard))}
    n_reached = 0
    for seed in range(20):
        pairs = lsh_join(a, b, min_jaccard, 0.9, seed, 1)
        found = {(i, j) for i, j, _, _ in as_tuples(pairs)}
        assert found <= exact
        recall = len(found) / len(exact)
        n_reached += recall >= 0.9
        measured = pairs.measured_recall
        assert measured.n_found <= measured.n_true
        assert abs(measured.share - recall) < 0.05
    assert n_reached >= 19


def test_pairs_right_at_the_threshold_are_found_at_the_planned_rate():
    """Every pair shares exactly a third: the recall then is the plan's, no more and no less."""
    n = 1500
    a = [set(range(9 * i, 9 * i + 6)) for i in range(n)]
    b = [set(range(9 * i + 3, 9 * i + 9)) for i in range(n)]
    sides = rows_of(a, 9 * n), rows_of(b, 9 * n)
    shares = []
    for seed in range(10):
        pairs = lsh_join(*sides, 1 / 3, 0.9, seed, 1)
        assert (pairs.jaccard == 1 / 3).all()
        assert len(pairs) >= 0.9 * n
        shares.append(len(pairs) / n)
    assert abs(np.mean(shares) - pairs.plan.bands.chance(1 / 3)) < 0.006


def test_threads_and_backends_change_no_byte():
    a, b = made_rows(np.random.default_rng(8), 700, 900)
    expected = lsh_join(a, b, 0.25, 0.95, 3, 1)
    assert len(expected) > 300
    for backend in _core.usable_backends():
        for n_threads in (1, 2, 5):
            with patch.dict(os.environ, CHANFP_BACKEND=backend):
                pairs = lsh_join(a, b, 0.25, 0.95, 3, n_threads)
            assert as_bytes(pairs) == as_bytes(expected)
            assert pairs.plan.bands == expected.plan.bands
            assert pairs.measured_recall == expected.measured_recall
            assert pairs.plan.actual.candidates == expected.plan.actual.candidates


def test_every_kind_of_matrix_gives_the_same_pairs(tmp_path):
    rows = random_rows(np.random.default_rng(9), 200, 60, 8)
    expected = lsh_join(rows, rows, 0.4)
    for kind in KINDS:
        matrix = as_matrix(rows, kind, tmp_path)
        assert as_bytes(lsh_join(matrix, matrix, 0.4)) == as_bytes(expected)


def test_equal_rows_are_one_giant_bucket_and_no_trouble():
    sets = [{1, 5, 9, 10}] * 900
    pairs = lsh_join(rows_of(sets, 20), rows_of(sets, 20), 0.5, 0.95, 1, 1)
    assert len(pairs) == 900 * 900
    assert (pairs.jaccard == 1).all()
    assert pairs.largest_bucket == 900 * 900
    assert pairs.n_oversized == pairs.plan.bands.n_bands
    assert pairs.plan.actual.candidates == 0
    assert pairs.measured_recall.share == 1


def test_a_giant_bucket_without_true_pairs_costs_no_pair_by_pair():
    """Three hubs that all call fill buckets; the rare columns tell that nobody is similar."""
    n = 3000
    sides = [
        rows_of([{0, 1, 2, *range(side + 10 * i, side + 10 * i + 3)} for i in range(n)], 10**6)
        for side in (10, 500_000)
    ]
    plan = plan_of(0.6, 2, 20)
    with patch.object(planning, "plan_lsh", lambda *_: plan):
        pairs = lsh_join(*sides, 0.6, 0.95, 1, 1)
    assert len(pairs) == 0
    assert pairs.n_oversized > 0
    assert pairs.largest_bucket > 1 << 18
    assert pairs.plan.actual.candidates < 10**6
    assert math.isnan(pairs.measured_recall.share)
    assert pairs.measured_recall.interval == (0.0, 1.0)


def test_rows_of_one_column_and_empty_rows():
    sets = [set(), {3}, {4}, set(), {3}]
    pairs = lsh_join(rows_of(sets, 5), rows_of([{3}, set(), {0}], 5), 1.0)
    assert as_tuples(pairs) == [(1, 0, 1.0, 1), (4, 0, 1.0, 1)]
    for a, b in (([], []), ([set()], [set()]), ([], [{1}]), ([{1}], [])):
        assert len(lsh_join(rows_of(a, 5), rows_of(b, 5), 0.5)) == 0
    nobody = sparse.csr_array((4, 0))
    assert repr(lsh_join(nobody, nobody, 0.5)).startswith("LshPairs(none, MeasuredRecall(nan")


def test_plan_asks_for_more_bands_where_less_is_similar():
    rows = random_rows(np.random.default_rng(10), 500, 3000, 20)
    plans = [plan_lsh(rows, rows, 0.3, recall, 1) for recall in (0.5, 0.9, 0.99)]
    for plan, recall in zip(plans, (0.5, 0.9, 0.99), strict=True):
        assert plan.chance(0.3) >= recall
        assert plan.n_slots == plan.band_rows * plan.n_bands
        assert plan.n_bytes == 4 * plan.n_bands * 1000
    assert plans[0].seconds < plans[1].seconds < plans[2].seconds
    assert plan_lsh(rows, rows, 1.0, 0.9, 1).n_bands == 1
    assert "bands of" in repr(plans[0])


def test_predicted_candidates_are_about_right():
    rng = np.random.default_rng(11)
    a, b = (random_rows(rng, n, 400, 15) for n in (3000, 12_000))
    pairs = lsh_join(a, b, 0.3, 0.95, 1, 1)
    assert 0.5 < pairs.plan.bands.candidates / pairs.plan.actual.candidates < 2


def test_bands_are_added_while_the_measured_recall_falls_short():
    a, b = made_rows(np.random.default_rng(12), 900, 4000)
    exact = len(jaccard_join(a, b, 0.3, method="exact"))
    few = LshPlan(0.3, 0.97, 2, 5, 1.0, 1.0, 1.0, 1.0, 1)
    with patch.object(planning, "plan_lsh", lambda *_: few):
        pairs = lsh_join(a, b, 0.3, 0.97, 1, 1)
        with patch.object(lsh, "_MOST_ROUNDS", 1):
            once = lsh_join(a, b, 0.3, 0.97, 1, 1)
    assert once.n_rounds == 1
    assert len(once) < 0.95 * exact
    assert pairs.n_rounds > 1
    assert len(pairs) >= 0.97 * exact
    assert len({(i, j) for i, j, _, _ in as_tuples(pairs)}) == len(pairs)
    assert pairs.plan.actual.candidates > once.plan.actual.candidates


def test_pairs_that_hang_on_a_hub_reach_the_stated_recall_too():
    """Rows of a hub and few others are found or missed together, all of them by a few hashes."""
    n_reached = 0
    rng = np.random.default_rng(13)
    sides = [
        rows_of([{0, *map(int, row)} for row in rng.integers(1, 10**6, (400, 3))], 10**6)
        for _ in range(2)
    ]
    for seed in range(20):
        pairs = lsh_join(*sides, 0.14, 0.9, seed, 1)
        n_reached += len(pairs) >= 0.9 * 400 * 400
    assert n_reached >= 19


def test_interval_widens_where_pairs_of_a_row_hang_together():
    rng = np.random.default_rng(14)
    true = rng.integers(1, 9, 400)
    together = np.where(rng.random(400) < 0.8, true, 0)
    apart = rng.binomial(true, 0.8)
    widths = []
    for found in (together, apart):
        measured = MeasuredRecall.of_rows(true, found, 10**9)
        low, high = measured.interval
        assert low < measured.share < high
        widths.append(high - low)
    assert widths[0] > 1.5 * widths[1]
    plain = MeasuredRecall(400, int(true.sum()), int(apart.sum())).interval
    assert widths[1] == pytest.approx(plain[1] - plain[0], rel=0.2)


def test_interval_holds_the_truth_as_often_as_it_says():
    """Also where few rows hold most of the pairs, which are found or missed row by row."""
    rng = np.random.default_rng(15)
    true = rng.geometric(0.1, 20_000) ** 2
    found = np.where(rng.random(20_000) < 0.7, true, rng.binomial(true, 0.5))
    truth = found.sum() / true.sum()
    n_held = 0
    for _ in range(200):
        taken = rng.choice(20_000, 500, replace=False)
        low, high = MeasuredRecall.of_rows(true[taken], found[taken], 20_000).interval
        n_held += low <= truth <= high
    assert n_held >= 180


def test_a_recall_of_all_rows_is_exact():
    true, found = np.array([3, 1, 0]), np.array([2, 1, 0])
    assert MeasuredRecall.of_rows(true, found, 3).interval == (0.75, 0.75)
    assert MeasuredRecall.of_rows(true, found, 9).interval[0] < 0.75
    assert MeasuredRecall.of_rows(true, true, 9).interval[1] == 1.0


def test_interval_is_that_of_wilson():
    # Newcombe (1998), table I: 81 of 263 and 15 of 148.
    assert MeasuredRecall(1, 263, 81).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert MeasuredRecall(1, 148, 15).interval == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert "81 of 263" in repr(MeasuredRecall(1, 263, 81))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "`min_jaccard` must be above 0 and at most 1, got 0.0"),
        ((1.1,), "`min_jaccard` must be"),
        ((0.5, 1.0), "`recall` must be above 0 and below 1, got 1.0"),
        ((0.5, 0.0), "`recall` must be"),
        ((0.5, 0.9, -1), "`seed` must be"),
        ((0.5, 0.9, 1, 0), "`n_threads` must be"),
    ],
)
def test_arguments_outside_their_range(arguments, message):
    rows = rows_of([{1}], 3)
    with pytest.raises(ParameterError, match=message):
        lsh_join(rows, rows, *arguments)
    with pytest.raises(ParameterError, match="same columns"):
        lsh_join(rows, rows_of([{1}], 4), 0.5)
