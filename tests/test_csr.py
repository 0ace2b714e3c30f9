from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from chanfp import _core, _reference
from chanfp.csr import SparseRows, check_calls, check_csr, check_partner_rarity, sum_rows
from chanfp.errors import ParameterError
from sparse_cases import KINDS, as_matrix, pack, random_rows, tables, widen


@st.composite
def raw_matrices(draw):
    """Matrices as they come: columns unsorted and repeated, zeros stored."""
    n_cols = draw(st.integers(1, 6))
    entry = st.tuples(
        st.integers(0, n_cols - 1),
        st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0]), st.floats(-1e6, 1e6)),
    )
    rows = draw(st.lists(st.lists(entry, max_size=25), max_size=6))
    indptr = np.cumsum([0] + [len(row) for row in rows])
    columns = np.array([column for row in rows for column, _ in row], dtype=np.int32)
    data = np.array([value for row in rows for _, value in row], dtype=np.float64)
    matrix = sparse.csr_array((len(rows), n_cols))
    matrix.data, matrix.indices, matrix.indptr = data, columns, indptr
    return matrix


def unpack(rows):
    return [
        dict(zip(rows.indices[start:stop].tolist(), rows.values[start:stop].tolist(), strict=True))
        for start, stop in pairwise(rows.indptr)
    ]


@given(raw_matrices())
def test_check_csr_equals_its_twin_and_leaves_the_matrix_alone(matrix):
    arrays = matrix.data, matrix.indices, matrix.indptr
    before = [array.copy() for array in arrays]
    rows = check_csr(matrix, "a")
    expected = _reference.canonical_rows(matrix.indptr, matrix.indices.tolist(), matrix.data)
    assert unpack(rows) == expected
    assert [list(row) for row in unpack(rows)] == [list(row) for row in expected]
    presence = check_csr(matrix, "a", with_values=False)
    assert presence.values is None
    np.testing.assert_array_equal(presence.indices, rows.indices)
    for array, kept, copy in zip(
        arrays, (matrix.data, matrix.indices, matrix.indptr), before, strict=True
    ):
        assert kept is array
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_rows(kind, tmp_path):
    rows = random_rows(np.random.default_rng(1), 50, 30, 6)
    matrix = as_matrix(rows, kind, tmp_path)
    checked = check_csr(matrix, "a")
    assert checked.indices.dtype == np.int32
    for name in ("indptr", "indices", "values"):
        np.testing.assert_array_equal(getattr(checked, name), getattr(rows, name))
    assert np.shares_memory(checked.values, matrix.data)
    assert np.shares_memory(checked.indices, matrix.indices) == (kind != "int64")
    assert np.shares_memory(checked.indptr, matrix.indptr) == (kind == "int64")


def test_columns_are_64_bit_only_in_a_universe_that_needs_it():
    matrix = sparse.csr_array((np.ones(2), np.array([0, 2**40]), [0, 2]), shape=(1, 2**41))
    rows = check_csr(matrix, "a")
    assert rows.indices.dtype == np.int64
    assert np.shares_memory(rows.indices, matrix.indices)
    narrow = sparse.csr_array((np.ones(1), np.array([5]), [0, 1]), shape=(1, 2**31 - 1))
    assert check_csr(narrow, "a").indices.dtype == np.int32


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32, np.longdouble])
def test_any_real_values_become_float64(dtype):
    matrix = sparse.csr_array(np.array([[1, 0, 3], [0, 0, 0]], dtype=dtype))
    rows = check_csr(matrix, "a")
    assert rows.values.dtype == np.float64
    assert rows.values.tolist() == [1.0, float(dtype(3))]


def test_small_integers_add_up_without_wrapping():
    matrix = sparse.csr_array((np.array([200, 100], np.uint8), [1, 1], [0, 2]), shape=(1, 2))
    assert unpack(check_csr(matrix, "a")) == [{1: 300.0}]


def test_stored_entries_beyond_the_last_row_are_ignored():
    matrix = sparse.csr_array((1, 3))
    matrix.data, matrix.indices = np.array([1.0, np.nan]), np.array([2, 99])
    matrix.indptr = np.array([0, 1])
    assert unpack(check_csr(matrix, "a")) == [{2: 1.0}]


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (3, 5)])
def test_empty_matrices_are_legal(shape):
    for make in (sparse.csr_matrix, sparse.csr_array):
        rows = check_csr(make(shape), "a")
        assert (rows.n_rows, rows.n_cols, rows.n_entries) == (*shape, 0)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), r"`left` .* got ndarray; .*\.tocsr\(\)"),
        ([[1, 0]], r"got list"),
        (sparse.csc_array(np.eye(2)), r"got format 'csc'; call `\.tocsr\(\)`"),
        (sparse.coo_matrix(np.eye(2)), r"got format 'coo'; call `\.tocsr\(\)`"),
        (sparse.csr_array(np.eye(2) * 1j), r"real numbers, got complex128"),
        (sparse.csr_array(np.array([[0, np.nan]])), r"finite values, got nan at row 0, entry 0"),
        (sparse.csr_array(np.array([[0, 0], [1, -np.inf]])), r"got -inf at row 1, entry 1"),
    ],
)
def test_other_kinds_and_values_are_refused(matrix, message):
    with pytest.raises(ParameterError, match=message):
        check_csr(matrix, "left")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indptr": [0, 2]}, r"`a\.indptr` must be 3 integers"),
        ({"indptr": [0.0, 1.0, 2.0]}, r"`a\.indptr` must be 3 integers.*float64"),
        ({"indptr": [1, 1, 2]}, r"must begin with 0, got 1"),
        ({"indptr": [0, 3, 2]}, r"must never fall, got 3 then 2 at row 1"),
        ({"indptr": [0, 1, 3]}, r"end within the stored entries, got 3 for 2"),
        ({"indptr": [0, 2**31, 2**31]}, r"at most 2\*\*31 - 1 entries, got 2147483648 at row 0"),
        ({"indices": [0, 2]}, r"columns from 0 to 1, got 2 at row 1, entry 0"),
        ({"indices": [-1, 0]}, r"columns from 0 to 1, got -1 at row 0, entry 0"),
        ({"indices": [0.0, 1.0]}, r"`a\.indices` must be a vector of integers"),
        ({"data": [1.7e308, 1.7e308], "indices": [0, 0], "indptr": [0, 2, 2]}, r"got inf"),
    ],
)
def test_damaged_matrices_are_refused(changes, message):
    matrix = sparse.csr_array(np.eye(2))
    for name, array in changes.items():
        setattr(matrix, name, np.array(array))
    with pytest.raises(ParameterError, match=message), np.errstate(over="ignore"):
        check_csr(matrix, "a")


@pytest.mark.parametrize(
    "changes",
    [
        {"indptr": np.array([0, 1], dtype=np.int32)},
        {"indptr": np.array([0, 2])},
        {"indptr": np.array([1, 1])},
        {"indptr": np.empty(0, dtype=np.int64)},
        {"indices": np.array([0], dtype=np.int64)},
        {"indices": np.zeros((1, 1), dtype=np.int32)},
        {"values": np.ones(1, dtype=np.float32)},
        {"values": np.ones(2)},
        {"indptr": np.array([0, 2]), "indices": np.zeros(4, np.int32)[::2], "values": None},
    ],
)
def test_sparse_rows_refuse_arrays_that_do_not_fit(changes):
    arrays = {
        "indptr": np.array([0, 1]),
        "indices": np.array([0], dtype=np.int32),
        "values": np.ones(1),
    }
    assert SparseRows(**arrays, n_cols=3).n_rows == 1
    with pytest.raises(ParameterError, match="must"):
        SparseRows(**(arrays | changes), n_cols=3)


@pytest.mark.parametrize("wide", [False, True])
@given(rows=tables(7), data=st.data())
def test_disorder_is_found_where_the_twin_finds_it(wide, rows, data):
    packed = pack(rows, 7)
    if wide:
        widen(packed)
    assert _core.find_disorder(packed.indptr, packed.indices) == -1
    shuffled = packed.indices.copy()
    for position in data.draw(st.lists(st.integers(0, max(len(shuffled) - 1, 0)), max_size=3)):
        shuffled[position : position + 1] = 3
    assert _core.find_disorder(packed.indptr, shuffled) == _reference.find_disorder(
        packed.indptr, shuffled
    )


@given(rows=tables(7), n_threads=st.sampled_from([1, 2, 7]))
def test_row_sums_equal_their_twin(rows, n_threads):
    packed = pack(rows, 7)
    sums = sum_rows(packed, lambda entries: packed.values[entries], n_threads=n_threads)
    assert sums.tolist() == [_reference.add_up(list(row.values())) for row in rows]


def test_calls_must_be_positive_and_countable():
    rows = pack([{0: 1.0}, {1: 2.0, 2: -3.0}], 3)
    with pytest.raises(ParameterError, match=r"above 0, got -3\.0 at row 1, entry 1"):
        check_calls(rows, "new")
    with pytest.raises(ParameterError, match=r"at most 2\*\*53, got .* at row 1"):
        check_calls(pack([{}, {0: 2.0**53, 1: 2.0}], 2), "new")
    with pytest.raises(ParameterError, match=r"`new` must have values"):
        check_calls(SparseRows(rows.indptr, rows.indices, None, 3), "new")
    calls, totals = check_calls(pack([{}, {0: 2.0, 1: 3.0}], 2), "new")
    assert (calls.tolist(), totals.tolist()) == ([2.0, 3.0], [0.0, 5.0])


def test_partner_rarity_is_one_usable_weight_per_column():
    assert check_partner_rarity([1, 0], 2).dtype == np.float64
    assert check_partner_rarity([], 0).shape == (0,)
    with pytest.raises(ParameterError, match=r"shape \(3,\), got \(2,\)"):
        check_partner_rarity([1.0, 2.0], 3)
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(ParameterError, match=r"at column 1"):
            check_partner_rarity([1.0, bad], 2)


def test_repr_tells_size_and_kind():
    rows = pack([{0: 1.0}, {}], 3)
    assert repr(rows) == "SparseRows(2 x 3, 1 entries, with values)"
