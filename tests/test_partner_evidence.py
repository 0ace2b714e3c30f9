import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _reference
from chanfp.candidates import find_candidates
from chanfp.csr import check_csr
from chanfp.errors import ParameterError
from chanfp.partner_evidence import measure_pairs
from chanfp.similarity import jaccard_join
from sparse_cases import KINDS, as_matrix, pack, pairs_of_tables, random_rows, tables, widen


def all_pairs(n_new, n_departed):
    return np.repeat(np.arange(n_new), n_departed), np.tile(np.arange(n_departed), n_new)


def assert_equals_twin(evidence, new, departed, pairs, rarity):
    twins = [
        _reference.refine_pair(new[i], departed[j], rarity) for i, j in zip(*pairs, strict=True)
    ]
    for name, column in evidence.columns().items():
        np.testing.assert_array_equal(
            column, np.array([twin[name] for twin in twins], dtype=column.dtype), err_msg=name
        )


@pytest.mark.parametrize("wide", [False, True])
@given(case=pairs_of_tables(), n_threads=st.sampled_from([1, 2, 7]), block_pairs=st.integers(1, 50))
def test_evidence_equals_its_twin(wide, case, n_threads, block_pairs):
    new, departed, rarity = case
    departed = departed[:12]
    pairs = all_pairs(len(new), len(departed))
    sides = [pack(rows, len(rarity)) for rows in (new, departed)]
    if wide:
        sides = [widen(rows) for rows in sides]
    evidence = measure_pairs(
        *sides, *pairs, partner_rarity=rarity, n_threads=n_threads, block_pairs=block_pairs
    )
    assert_equals_twin(evidence, new, departed, pairs, rarity)


@given(
    one=tables(400, max_rows=3),
    other=tables(400, max_rows=3),
    step=st.integers(1, 20),
    length=st.integers(0, 400),
)
def test_galloping_through_long_rows_equals_the_twin(one, other, step, length):
    long = dict.fromkeys(range(0, length, step), 1.5)
    new, departed = [*one, long], [long, *other]
    rarity = [1.0 + column % 3 for column in range(400)]
    pairs = all_pairs(len(new), len(departed))
    evidence = measure_pairs(
        pack(new, 400), pack(departed, 400), *pairs, partner_rarity=rarity, n_threads=1
    )
    assert_equals_twin(evidence, new, departed, pairs, rarity)


@given(case=pairs_of_tables())
def test_measures_stay_in_their_range(case):
    new, departed, rarity = case
    evidence = measure_pairs(
        pack(new, len(rarity)),
        pack(departed, len(rarity)),
        *all_pairs(len(new), len(departed)),
        partner_rarity=rarity,
    )
    for name, column in evidence.columns().items():
        known = column[~np.isnan(column)]
        assert (known >= 0).all()
        if name not in ("n_shared", "shared_rarity"):
            assert (known <= 1).all(), name


def test_the_join_and_the_evidence_agree_to_the_bit():
    rng = np.random.default_rng(1)
    new, departed = random_rows(rng, 100, 50, 8), random_rows(rng, 200, 50, 8)
    rarity = np.ones(50)
    pairs = find_candidates(new, departed, partner_rarity=rarity, top_k=9)
    evidence = measure_pairs(new, departed, pairs.a_rows, pairs.b_rows, partner_rarity=rarity)
    assert len(evidence) == len(pairs) > 0
    for name in ("n_shared", "jaccard"):
        assert getattr(evidence, name).tobytes() == getattr(pairs, name).tobytes()
    # Where every partner weighs 1, calls times rarity are calls.
    assert evidence.weighted_jaccard.tobytes() == pairs.tfidf_jaccard.tobytes()
    joined = jaccard_join(as_matrix(new), as_matrix(departed), 0.1)
    evidence = measure_pairs(new, departed, joined.a_rows, joined.b_rows, partner_rarity=rarity)
    assert evidence.jaccard.tobytes() == joined.jaccard.tobytes()


def test_known_values():
    new, departed = pack([{0: 1.0, 1: 3.0}], 4), pack([{1: 1.0, 2: 1.0, 3: 2.0}], 4)
    evidence = measure_pairs(new, departed, [0], [0], partner_rarity=[1.0, 2.0, 3.0, 4.0])
    expected = {
        "n_shared": 1,
        "jaccard": 1 / 4,
        "weighted_jaccard": 1 / 7,
        "idf_jaccard": 2 / 10,
        "hellinger": np.sqrt(3 / 4 * 1 / 4),
        "cosine": 3 / np.sqrt(10 * 6),
        "containment_new": 1 / 2,
        "containment_old": 1 / 3,
        "shared_rarity": 2 * 1 / 4,
    }
    measured = {name: column[0] for name, column in evidence.columns().items()}
    assert measured == pytest.approx(expected)
    assert list(measured) == list(expected)


def test_equal_rows_score_exactly_one():
    rng = np.random.default_rng(2)
    row = dict(enumerate(rng.random(37) * 100 + 0.01))
    rows = pack([row], 37)
    evidence = measure_pairs(rows, rows, [0], [0], partner_rarity=rng.random(37))
    for name, column in evidence.columns().items():
        if name not in ("n_shared", "shared_rarity"):
            assert column[0] == 1.0, name


def test_empty_rows_and_zero_denominators():
    rows = pack([{}, {0: 2.0}, {1: 1.0}], 2)
    evidence = measure_pairs(
        rows, rows, [0, 0, 1, 1], [0, 1, 0, 2], partner_rarity=[1.0, 0.0]
    ).columns()
    nan = np.nan
    expected = {
        "n_shared": [0, 0, 0, 0],
        "jaccard": [nan, 0, 0, 0],
        "weighted_jaccard": [nan, 0, 0, 0],
        "idf_jaccard": [nan, 0, 0, 0],
        "hellinger": [nan, 0, 0, 0],
        "cosine": [nan, nan, nan, 0],
        "containment_new": [nan, nan, 0, 0],
        "containment_old": [nan, 0, nan, 0],
        "shared_rarity": [0, 0, 0, 0],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(evidence[name], values, err_msg=name)
    worthless = measure_pairs(rows, rows, [1], [1], partner_rarity=[0.0, 0.0])
    assert np.isnan(worthless.idf_jaccard[0])
    tiny = pack([{0: 1e-200}, {0: 1.0}], 1)
    assert np.isnan(measure_pairs(tiny, tiny, [0], [1], partner_rarity=[1.0]).cosine[0])


def test_a_row_of_one_partner_and_one_of_a_hundred_thousand():
    n_cols = 100_000
    rarity = np.random.default_rng(3).random(n_cols)
    everyone = {column: 1.0 + column % 5 for column in range(n_cols)}
    new, departed = [{17: 2.0, 99_999: 1.0}, everyone], [everyone, {50_000: 1.0}]
    pairs = all_pairs(2, 2)
    evidence = measure_pairs(
        pack(new, n_cols), pack(departed, n_cols), *pairs, partner_rarity=rarity
    )
    assert_equals_twin(evidence, new, departed, pairs, rarity.tolist())


def test_no_pairs_give_empty_evidence():
    for rows in (pack([], 0), pack([{0: 1.0}], 1)):
        evidence = measure_pairs(rows, rows, [], [], partner_rarity=np.ones(rows.n_cols))
        assert len(evidence) == 0
        assert evidence.n_shared.dtype == np.int32
        assert repr(evidence) == "PartnerEvidence(0 pairs, 9 measures)"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_matrix_gives_the_same_bytes(kind, tmp_path):
    rng = np.random.default_rng(4)
    rows = random_rows(rng, 40, 30, 6)
    pairs, rarity = all_pairs(40, 40), rng.random(30)
    expected = measure_pairs(rows, rows, *pairs, partner_rarity=rarity).columns()
    checked = check_csr(as_matrix(rows, kind, tmp_path), "a")
    for n_threads in (1, 2, 7):
        evidence = measure_pairs(
            checked,
            checked,
            *pairs,
            partner_rarity=rarity,
            n_threads=n_threads,
            block_pairs=int(rng.integers(1, 2000)),
        ).columns()
        for name, column in evidence.items():
            assert column.tobytes() == expected[name].tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"new_rows": [2]}, r"`new_rows` must be rows from 0 to 1, got 2 at position 0"),
        ({"departed_rows": [-1]}, r"`departed_rows` must be rows from 0 to 1, got -1"),
        ({"new_rows": [0, 1]}, r"equally long, one entry per pair; got 2 and 1"),
        ({"new_rows": [0.0]}, r"`new_rows` must be a vector of row numbers, got float64"),
        ({"new_rows": [[0]]}, r"of shape \(1, 1\)"),
        ({"partner_rarity": [1.0, np.nan]}, r"`partner_rarity` must be finite"),
        ({"block_pairs": 0}, r"`block_pairs` must be at least 1"),
        ({"n_threads": 0}, r"`n_threads` must be at least 1"),
        ({"departed": pack([], 3)}, r"`new` and `departed` must have the same columns"),
        ({"departed": pack([{0: -1.0}], 2)}, r"Calls in `departed` must be above 0"),
    ],
)
def test_arguments_outside_their_range_are_refused(changes, message):
    rows = pack([{0: 1.0}, {1: 1.0}], 2)
    arguments = {
        "new": rows,
        "departed": rows,
        "new_rows": [0],
        "departed_rows": [0],
        "partner_rarity": [1.0, 1.0],
    }
    with pytest.raises(ParameterError, match=message):
        measure_pairs(**(arguments | changes))


def test_progress_counts_the_pairs():
    rows, seen = pack([{0: 1.0}], 1), []
    measure_pairs(
        rows,
        rows,
        [0] * 5,
        [0] * 5,
        partner_rarity=[1.0],
        block_pairs=3,
        progress=lambda *step: seen.append(step),
    )
    assert seen == [("evidence", 3, 5), ("evidence", 5, 5)]
