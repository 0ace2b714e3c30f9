import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from chanfp import _reference, joins, overlaps, postings
from chanfp.candidates import find_candidates
from chanfp.csr import SparseRows
from chanfp.errors import ParameterError
from chanfp.similarity import jaccard_join
from sparse_cases import KINDS, as_matrix, pack, pairs_of_tables, random_rows, widen

THRESHOLDS = st.one_of(
    st.sampled_from([1e-300, 0.1, 1 / 3, 0.5, 2 / 3, 1.0]), st.floats(0.001, 1.0)
)


def as_tuples(pairs):
    rarity = np.zeros(len(pairs)) if pairs.tfidf_jaccard is None else pairs.tfidf_jaccard
    columns = (pairs.a_rows, pairs.b_rows, pairs.jaccard, pairs.n_shared, rarity)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def assert_same_bytes(one, other):
    for name in ("a_rows", "b_rows", "jaccard", "n_shared", "tfidf_jaccard"):
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()


@given(
    case=pairs_of_tables(),
    min_jaccard=THRESHOLDS,
    top_k=st.one_of(st.none(), st.integers(1, 4)),
    n_threads=st.sampled_from([1, 2, 7]),
    block_rows=st.integers(1, 12),
    places=st.integers(1, 60),
    short_list=st.integers(0, 4),
)
def test_jaccard_join_equals_its_twin(
    *, case, min_jaccard, top_k, n_threads, block_rows, places, short_list
):
    a, b, rarity = case
    a_matrix, b_matrix = (as_matrix(pack(rows, len(rarity))) for rows in (a, b))
    small = {"_BLOCK_ROWS": block_rows, "MATCHES_HELD": places, "SHORT_LIST": short_list}
    with patch.multiple(overlaps, LISTS_HELD=places, **small):
        pairs = jaccard_join(a_matrix, b_matrix, min_jaccard, top_k=top_k, n_threads=n_threads)
    assert pairs.tfidf_jaccard is None
    assert as_tuples(pairs) == _reference.join_rows(a, b, min_jaccard=min_jaccard, top_k=top_k)


@pytest.mark.parametrize("rank_by", ["jaccard", "rarity"])
@pytest.mark.parametrize("wide", [False, True])
@given(
    case=pairs_of_tables(),
    top_k=st.integers(1, 6),
    min_shared=st.integers(1, 3),
    begins=st.one_of(st.none(), st.lists(st.integers(-3, 3), min_size=49, max_size=49)),
    n_threads=st.sampled_from([1, 2, 7]),
    block_rows=st.integers(1, 12),
    short_list=st.integers(0, 4),
    places=st.integers(1, 60),
)
def test_find_candidates_equals_its_twin(
    *, rank_by, wide, case, top_k, min_shared, begins, n_threads, block_rows, short_list, places
):
    new, departed, rarity = case
    dates = (None, None) if begins is None else (begins[: len(new)], begins[9:][: len(departed)])
    tables = [pack(rows, len(rarity)) for rows in (new, departed)]
    if wide:
        tables = [widen(rows) for rows in tables]
    with patch.multiple(joins, _SHORT_LIST=short_list, _LISTS_HELD=places, _MATCHES_HELD=places):
        pairs = find_candidates(
            *tables,
            partner_rarity=rarity,
            top_k=top_k,
            min_shared=min_shared,
            rank_by=rank_by,
            new_begins=None if begins is None else np.array(dates[0], dtype=np.int64),
            departed_begins=None if begins is None else np.array(dates[1], dtype=np.int64),
            n_threads=n_threads,
            block_rows=block_rows,
        )
    expected = _reference.join_rows(
        new,
        departed,
        min_shared=min_shared,
        top_k=top_k,
        partner_rarity=rarity,
        by_rarity=rank_by == "rarity",
        a_begins=dates[0],
        b_begins=dates[1],
    )
    assert as_tuples(pairs) == expected
    if rank_by == "rarity":
        assert pairs.weighted_overlap.tolist() == [
            _reference.add_up([rarity[c] for c in sorted(new[i].keys() & departed[j].keys())])
            for i, j, *_ in expected
        ]
    dtypes = [np.int64, np.int64, np.float64, np.int32, np.float64, np.float64]
    assert [column.dtype for column in vars(pairs).values() if column is not None] == (
        dtypes if rank_by == "rarity" else dtypes[:-1]
    )


def hub_rows(rng, n_rows, n_cols, sizes):
    """Rows of very different sizes, over columns a few of which nearly everybody holds."""
    rows = []
    for size in rng.choice(sizes, n_rows):
        columns = np.unique((n_cols * rng.random(size) ** 4).astype(int))
        rows.append({int(column): float(rng.integers(1, 4)) for column in columns})
    return rows


@pytest.mark.parametrize("rank_by", ["jaccard", "rarity"])
@pytest.mark.parametrize("top_k", [1, 5, 40])
@pytest.mark.parametrize("min_shared", [1, 3])
def test_lists_left_out_never_change_the_best(rank_by, top_k, min_shared):
    """Hubs as bitmaps, lists walked in part or not at all: what brute force finds."""
    rng = np.random.default_rng(11)
    n_cols = 300
    departed = hub_rows(rng, 1500, n_cols, [1, 2, 4, 9, 30, 80])
    new = hub_rows(rng, 60, n_cols, [1, 3, 10, 40])
    rarity = np.log(1501 / (1 + np.bincount([c for row in departed for c in row], minlength=300)))
    rarity[::7] = rarity[3]  # ties
    begins = [rng.integers(0, 9, n).tolist() for n in (60, 1500)]
    for short_list in (0, 3, 16):
        with patch.object(joins, "_SHORT_LIST", short_list):
            pairs = find_candidates(
                pack(new, n_cols),
                pack(departed, n_cols),
                partner_rarity=rarity,
                top_k=top_k,
                min_shared=min_shared,
                rank_by=rank_by,
                new_begins=begins[0],
                departed_begins=begins[1],
            )
        assert as_tuples(pairs) == _reference.join_rows(
            new,
            departed,
            min_shared=min_shared,
            top_k=top_k,
            partner_rarity=rarity.tolist(),
            by_rarity=rank_by == "rarity",
            a_begins=begins[0],
            b_begins=begins[1],
        )


def test_three_rare_partners_outrank_a_higher_jaccard_index():
    new = pack([dict.fromkeys(range(30), 1.0)], 100)
    rare, alike = dict.fromkeys((0, 1, 2, *range(40, 100)), 1.0), dict.fromkeys(range(3, 12), 1.0)
    departed = pack([alike, rare], 100)
    rarity = np.where(np.arange(100) < 3, 9.0, 0.5)
    by = {
        rank_by: find_candidates(new, departed, partner_rarity=rarity, top_k=1, rank_by=rank_by)
        for rank_by in ("jaccard", "rarity")
    }
    assert by["jaccard"].b_rows.tolist() == [0]
    assert by["rarity"].b_rows.tolist() == [1]
    assert by["rarity"].weighted_overlap.tolist() == [27.0]
    assert by["rarity"].jaccard[0] < 0.05


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1e300, 1e308])
def test_rarity_of_any_size_ranks(weight):
    rows = [{0: 1.0}, {0: 1.0, 1: 1.0}, {1: 1.0}, {0: 1.0, 1: 1.0, 2: 1.0}]
    rarity = [weight, weight / 2, 1.0]
    pairs = find_candidates(
        pack(rows, 3), pack(rows, 3), partner_rarity=rarity, top_k=2, rank_by="rarity"
    )
    expected = _reference.join_rows(rows, rows, top_k=2, partner_rarity=rarity, by_rarity=True)
    assert as_tuples(pairs)[0][:4] == expected[0][:4]
    assert [pair[:2] for pair in as_tuples(pairs)] == [pair[:2] for pair in expected]


@pytest.mark.parametrize("rank_by", ["jaccard", "rarity"])
def test_threads_and_blocks_never_change_a_byte(rank_by):
    rng = np.random.default_rng(2)
    new, departed = random_rows(rng, 300, 80, 8), random_rows(rng, 900, 80, 8)
    options = {"partner_rarity": rng.random(80), "top_k": 7, "rank_by": rank_by}
    expected = find_candidates(new, departed, **options, n_threads=1)
    assert len(expected) == 7 * np.count_nonzero(np.diff(new.indptr))
    for n_threads in (1, 2, 7):
        for block_rows in rng.integers(1, 400, 4):
            with patch.object(joins, "_SHORT_LIST", int(rng.integers(0, 200))):
                pairs = find_candidates(
                    new, departed, **options, n_threads=n_threads, block_rows=block_rows
                )
            assert_same_bytes(pairs, expected)


@pytest.mark.parametrize("a_kind", KINDS)
@pytest.mark.parametrize("b_kind", KINDS)
def test_every_kind_of_matrix_gives_the_same_pairs(a_kind, b_kind, tmp_path):
    rng = np.random.default_rng(3)
    a, b = random_rows(rng, 40, 30, 5), random_rows(rng, 60, 30, 5)
    for side in "ab":
        (tmp_path / side).mkdir()
    pairs = jaccard_join(
        as_matrix(a, a_kind, tmp_path / "a"), as_matrix(b, b_kind, tmp_path / "b"), 0.2
    )
    assert len(pairs) > 0
    assert as_tuples(pairs) == as_tuples(jaccard_join(as_matrix(a), as_matrix(b), 0.2))


@pytest.mark.parametrize("min_jaccard", [0.05, 0.2, 1 / 3, 0.5])
def test_join_equals_a_dense_product(min_jaccard):
    rng = np.random.default_rng(4)
    a, b = random_rows(rng, 300, 60, 7), random_rows(rng, 300, 60, 7)
    shared = as_matrix(a).astype(bool).astype(int) @ as_matrix(b).astype(bool).astype(int).T
    shared = shared.toarray()
    union = np.diff(a.indptr)[:, None] + np.diff(b.indptr)[None, :] - shared
    with np.errstate(invalid="ignore"):
        jaccard = shared / union
    rows, columns = np.nonzero(jaccard >= min_jaccard)
    order = np.lexsort((columns, -jaccard[rows, columns], rows))
    pairs = jaccard_join(as_matrix(a), as_matrix(b), min_jaccard)
    np.testing.assert_array_equal(pairs.a_rows, rows[order])
    np.testing.assert_array_equal(pairs.b_rows, columns[order])
    np.testing.assert_array_equal(pairs.jaccard, jaccard[rows, columns][order])
    np.testing.assert_array_equal(pairs.n_shared, shared[rows, columns][order])


def test_a_threshold_exactly_on_the_ratio_keeps_the_pair():
    a = sparse.csr_array([[1, 1, 0, 0]])
    b = sparse.csr_array([[1, 0, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]])
    above = np.nextafter
    assert jaccard_join(a, b, 1 / 3).b_rows.tolist() == [2, 1, 0]
    assert jaccard_join(a, b, above(1 / 3, 1)).b_rows.tolist() == [2, 1]
    assert jaccard_join(a, b, 0.5).b_rows.tolist() == [2, 1]
    assert jaccard_join(a, b, above(0.5, 1)).b_rows.tolist() == [2]
    assert jaccard_join(a, b, 1.0).b_rows.tolist() == [2]


@given(size=st.integers(1, 300), shared=st.integers(1, 300))
def test_every_ratio_is_kept_at_its_own_threshold(size, shared):
    shared = min(size, shared)
    a = sparse.csr_array(np.ones((1, size)))
    b = sparse.csr_array(np.arange(size)[None, :] < shared)
    assert len(jaccard_join(a, b, shared / size, n_threads=1)) == 1
    if shared < size:
        assert len(jaccard_join(a, b, np.nextafter(shared / size, 1), n_threads=1)) == 0


def test_the_order_of_b_changes_only_its_row_numbers():
    rng = np.random.default_rng(5)
    a, b = random_rows(rng, 80, 40, 6), random_rows(rng, 90, 40, 6)
    order = rng.permutation(90)
    pairs = jaccard_join(as_matrix(a), as_matrix(b), 0.15)
    moved = jaccard_join(as_matrix(a), as_matrix(b)[order], 0.15)
    back = order[moved.b_rows]
    restored = np.lexsort((back, -moved.jaccard, moved.a_rows))
    np.testing.assert_array_equal(moved.a_rows, pairs.a_rows)
    np.testing.assert_array_equal(moved.jaccard, pairs.jaccard)
    np.testing.assert_array_equal(back[restored], pairs.b_rows)


def test_ties_at_the_boundary_go_to_the_rarer_partner_then_the_lower_row():
    new = pack([{0: 1.0, 1: 1.0}], 4)
    departed = pack([{0: 1.0, 2: 1.0}, {0: 1.0, 3: 1.0}, {1: 1.0, 2: 1.0}, {1: 1.0, 3: 1.0}], 4)
    pairs = find_candidates(new, departed, partner_rarity=[1.0, 2.0, 1.0, 1.0], top_k=3)
    assert pairs.b_rows.tolist() == [2, 3, 0]
    assert pairs.tfidf_jaccard.tolist() == [2 / 4, 2 / 4, 1 / 4]
    equal = jaccard_join(as_matrix(new), as_matrix(departed), 0.1, top_k=3)
    assert equal.b_rows.tolist() == [0, 1, 2]


def test_ties_go_to_more_calls_in_common():
    new = pack([{0: 3.0, 1: 1.0}], 3)
    departed = pack([{1: 3.0, 2: 1.0}, {0: 3.0, 2: 1.0}], 3)
    pairs = find_candidates(new, departed, partner_rarity=[1.0, 1.0, 1.0], top_k=1)
    assert (pairs.b_rows.tolist(), pairs.tfidf_jaccard.tolist()) == ([1], [3 / 5])


def test_partners_that_say_nothing_leave_ties_to_the_lower_row():
    rows = pack([{0: 1.0}, {0: 2.0}], 1)
    pairs = find_candidates(rows, rows, partner_rarity=[0.0], top_k=2)
    assert pairs.b_rows.tolist() == [0, 1, 0, 1]
    assert pairs.tfidf_jaccard.tolist() == [0.0] * 4


def test_the_departed_one_must_have_begun_before_the_new_one():
    new, departed = pack([{0: 1.0}], 1), pack([{0: 1.0}] * 3, 1)
    pairs = find_candidates(
        new,
        departed,
        partner_rarity=[1.0],
        top_k=5,
        new_begins=np.array([10]),
        departed_begins=np.array([10, 9, 11]),
    )
    assert pairs.b_rows.tolist() == [1]


def test_a_row_of_one_partner_meets_one_of_a_hundred_thousand():
    n_cols = 100_000
    rarity = np.random.default_rng(6).random(n_cols)
    everyone = {column: 1.0 + column % 5 for column in range(n_cols)}
    few = {17: 2.0, 99_999: 1.0}
    new, departed = [few, everyone, {5: 1.0}], [everyone, {17: 4.0}, {}]
    pairs = find_candidates(
        pack(new, n_cols), pack(departed, n_cols), partner_rarity=rarity, top_k=3
    )
    expected = _reference.join_rows(new, departed, top_k=3, partner_rarity=rarity.tolist())
    assert as_tuples(pairs) == expected
    assert pairs.n_shared.tolist() == [1, 2, 100_000, 1, 1]


@pytest.mark.parametrize("shapes", [((0, 5), (3, 5)), ((3, 5), (0, 5)), ((0, 0), (0, 0))])
def test_empty_tables_give_no_pairs(shapes):
    a, b = (sparse.csr_matrix(shape) for shape in shapes)
    pairs = jaccard_join(a, b, 0.5, top_k=2)
    assert len(pairs) == 0
    rows = [pack([{}] * shape[0], shape[1]) for shape in shapes]
    pairs = find_candidates(*rows, partner_rarity=np.ones(shapes[0][1]), top_k=2)
    assert len(pairs) == 0
    assert pairs.tfidf_jaccard.dtype == np.float64


def test_duplicates_and_stored_zeros_do_not_count():
    a = sparse.csr_array((1, 4))
    a.data, a.indices = np.array([1.0, 0.0, 2.0, 5.0]), np.array([2, 3, 2, 0])
    a.indptr = np.array([0, 4])
    pairs = jaccard_join(a, sparse.csr_array([[3, 0, 3, 0]]), 1.0)
    assert as_tuples(pairs) == [(0, 0, 1.0, 2, 0.0)]


def test_a_universe_of_hashed_columns_costs_no_memory():
    columns = np.array([1, 3, 2**40, 2**50, 2**61, 2**61 + 1])  # b lacks the odd places
    a = sparse.csr_array((np.ones(6), columns, [0, 6, 6]), shape=(2, 2**62))
    b = sparse.csr_array((np.ones(3), columns[[2, 4, 0]], [0, 2, 3]), shape=(2, 2**62))
    pairs = jaccard_join(a, b, 0.1)
    assert as_tuples(pairs) == [(0, 0, 2 / 6, 2, 0.0), (0, 1, 1 / 6, 1, 0.0)]
    assert len(jaccard_join(a, sparse.csr_array((2, 2**62)), 0.1)) == 0


@pytest.mark.parametrize("min_jaccard", [0, -0.1, 1.5, np.nan, np.inf])
def test_min_jaccard_outside_its_range_is_refused(min_jaccard):
    a = sparse.csr_array(np.eye(2))
    with pytest.raises(ParameterError, match="`min_jaccard` must be above 0 and at most 1"):
        jaccard_join(a, a, min_jaccard)


def test_arguments_outside_their_range_are_refused():
    a, wider = sparse.csr_array(np.eye(2)), sparse.csr_array(np.eye(3))
    with pytest.raises(ParameterError, match="`a` and `b` must have the same columns, got 2 and 3"):
        jaccard_join(a, wider, 0.5)
    with pytest.raises(ParameterError, match="`n_threads` must be at least 1"):
        jaccard_join(a, a, 0.5, n_threads=0)
    with pytest.raises(ParameterError, match="`top_k` must be at least 1, got 0"):
        jaccard_join(a, a, 0.5, top_k=0)
    with pytest.raises(ParameterError, match=r"`b` must be .*\.tocsr\(\)"):
        jaccard_join(a, np.eye(2), 0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top_k": 0}, "`top_k` must be at least 1, got 0"),
        ({"min_shared": 0}, "`min_shared` must be at least 1, got 0"),
        ({"rank_by": "rare"}, "`rank_by` must be one of jaccard, rarity, got 'rare'"),
        ({"block_rows": 0}, "`block_rows` must be at least 1, got 0"),
        ({"n_threads": 0}, "`n_threads` must be at least 1, got 0"),
        ({"partner_rarity": [1.0]}, r"`partner_rarity` must have one weight per column"),
        ({"new_begins": [1]}, "given together or not at all"),
        ({"new_begins": [1, 2], "departed_begins": [1]}, r"`new_begins` must be int64.*\(1,\)"),
        ({"new_begins": [1], "departed_begins": [0.5]}, r"`departed_begins` .* got float64"),
    ],
)
def test_candidate_arguments_outside_their_range_are_refused(changes, message):
    rows = pack([{0: 1.0}], 2)
    with pytest.raises(ParameterError, match=message):
        find_candidates(rows, rows, **({"partner_rarity": [1.0, 1.0], "top_k": 1} | changes))


def test_candidates_need_calls_and_equal_columns():
    rows = pack([{0: 1.0}], 2)
    bare = SparseRows(rows.indptr, rows.indices, None, 2)
    with pytest.raises(ParameterError, match="`departed` must have values"):
        find_candidates(rows, bare, partner_rarity=[1.0, 1.0], top_k=1)
    with pytest.raises(ParameterError, match="`new` and `departed` must have the same columns"):
        find_candidates(rows, pack([], 3), partner_rarity=[1.0, 1.0], top_k=1)
    with patch.object(postings, "_MAX_ROWS", 0), pytest.raises(ParameterError, match="join it in"):
        find_candidates(rows, rows, partner_rarity=[1.0, 1.0], top_k=1)


def test_progress_counts_the_new_rows():
    rows, seen = pack([{0: 1.0}] * 5, 1), []
    find_candidates(
        rows,
        rows,
        partner_rarity=[1.0],
        top_k=1,
        block_rows=2,
        progress=lambda *step: seen.append(step),
    )
    assert seen == [("candidates", done, 5) for done in (2, 4, 5)]


def test_top_k_may_be_far_larger_than_the_table():
    rows = pack([{0: 1.0}] * 3, 1)
    pairs = find_candidates(rows, rows, partner_rarity=[1.0], top_k=2**62)
    assert pairs.b_rows.tolist() == [0, 1, 2] * 3
    with pytest.raises(ParameterError, match="`top_k`"):
        find_candidates(rows, rows, partner_rarity=[1.0], top_k=-1)


def test_pairs_show_themselves_and_go_to_arrow_and_pandas():
    rows = pack([{0: 1.0}, {0: 1.0, 1: 1.0}], 2)
    pairs = find_candidates(rows, rows, partner_rarity=[1.0, 1.0], top_k=5)
    assert len(pairs) == 4
    assert repr(pairs) == "Pairs(4 of 2 rows of a, jaccard 0.500 to 1.000)"
    html = pairs._repr_html_()
    assert html.count("<tr>") == 5
    assert "<td>0.500</td>" in html
    table = pairs.to_arrow()
    names = ["a_row", "b_row", "jaccard", "n_shared", "tfidf_jaccard"]
    assert table.column_names == names
    assert [str(kind) for kind in table.schema.types] == [
        "int64",
        "int64",
        "double",
        "int32",
        "double",
    ]
    assert pairs.to_pandas()["b_row"].tolist() == [0, 1, 1, 0]
    bare = jaccard_join(as_matrix(rows), as_matrix(rows), 0.9)
    assert bare.to_arrow().column_names == names[:-1]
    none = jaccard_join(as_matrix(rows), as_matrix(pack([], 2)), 0.9)
    assert repr(none) == "Pairs(none)"
    assert "<table>" in none._repr_html_()


def test_the_example_of_the_docstring_is_true():
    import doctest

    results = doctest.testmod(sys.modules[jaccard_join.__module__])
    assert results.attempted > 0
    assert results.failed == 0
