"""Compiled functions of the user's own, called for every pair."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import carray, cfunc, njit, types
from scipy import LowLevelCallable

import chanfp
from chanfp import _reference
from chanfp.csr import check_csr
from chanfp.errors import ParameterError
from chanfp.own_evidence import _partner_dtype
from chanfp.partner_evidence import measure_pairs
from sparse_cases import KINDS, as_matrix, pack, pairs_of_tables, random_rows, widen


def numba_signature(partner):
    row = (types.CPointer(partner), types.CPointer(types.float64), types.int64)
    return types.float64(*row, *row, types.voidptr)


def c_types(partner):
    row = (ctypes.POINTER(partner), ctypes.POINTER(ctypes.c_double), ctypes.c_int64)
    return (ctypes.c_double, *row, *row, ctypes.c_void_p)


def mix(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    """Depend on each value of either row, and on the order of the sides."""
    total = 0.5 * n_new - 0.25 * n_old
    for i in range(n_new):
        total += new_calls[i] * (1 + new_partners[i])
    for j in range(n_old):
        total = total * 0.75 + old_calls[j] / (1 + old_partners[j])
    return total


def jaccard(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    new, old = carray(new_partners, n_new), carray(old_partners, n_old)
    i = j = shared = 0
    while i < n_new and j < n_old:
        if new[i] < old[j]:
            i += 1
        elif new[i] > old[j]:
            j += 1
        else:
            shared += 1
            i += 1
            j += 1
    union = n_new + n_old - shared
    return shared / union if union > 0 else np.nan


MIX = {np.int32: cfunc(numba_signature(types.int32))(mix)}
MIX[np.int64] = cfunc(numba_signature(types.int64))(mix)
JACCARD = cfunc(numba_signature(types.int32))(jaccard)


def all_pairs(n_new, n_departed):
    return np.repeat(np.arange(n_new), n_departed), np.tile(np.arange(n_departed), n_new)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(11)
    new, departed = random_rows(rng, 40, 60, 6), random_rows(rng, 50, 60, 6)
    return new, departed, *all_pairs(40, 50)


def measure(case, own_evidence, **options):
    rarity = np.ones(case[0].n_cols)
    return measure_pairs(*case, partner_rarity=rarity, own_evidence=own_evidence, **options)


@pytest.mark.parametrize(
    ("dtype", "wide"), [(np.int32, False), (np.int64, False), (np.int64, True)]
)
@given(case=pairs_of_tables(), n_threads=st.sampled_from([1, 2, 7]), block_pairs=st.integers(1, 50))
def test_own_evidence_equals_its_twin(dtype, wide, case, n_threads, block_pairs):
    new, departed, rarity = case
    departed = departed[:12]
    pairs = all_pairs(len(new), len(departed))
    sides = [pack(rows, len(rarity)) for rows in (new, departed)]
    if wide:
        sides = [widen(rows) for rows in sides]
    found = measure_pairs(
        *sides,
        *pairs,
        partner_rarity=rarity,
        own_evidence={"mine": MIX[dtype]},
        n_threads=n_threads,
        block_pairs=block_pairs,
    ).own["mine"]
    expected = [
        _reference.measure_own(new[i], departed[j], mix) for i, j in zip(*pairs, strict=True)
    ]
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


def test_a_numba_jaccard_is_the_built_in_one(case):
    evidence = measure(case, {"mine": JACCARD, "other": MIX[np.int64]})
    assert evidence.own["mine"].tobytes() == evidence.jaccard.tobytes()
    assert list(evidence.columns())[-2:] == ["mine", "other"]
    assert repr(evidence) == "PartnerEvidence(2000 pairs, 11 measures)"
    plain = measure(case, None)
    assert plain.own == {}
    for name, column in plain.columns().items():
        assert column.tobytes() == evidence.columns()[name].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_blocks_and_forms_change_no_byte(kind, case, tmp_path):
    new, departed, *pairs = case
    expected = measure(case, {"mine": MIX[np.int32]}).own["mine"].tobytes()
    folders = [tmp_path / side for side in ("new", "departed")]
    for folder in folders:
        folder.mkdir()
    sides = [
        check_csr(as_matrix(rows, kind, folder), "rows")
        for rows, folder in zip((new, departed), folders, strict=True)
    ]
    for n_threads, block_pairs in [(1, 7), (2, 33), (7, 100), (None, 5000)]:
        options = {"n_threads": n_threads, "block_pairs": block_pairs}
        found = measure((*sides, *pairs), {"mine": MIX[np.int32]}, **options)
        assert found.own["mine"].tobytes() == expected


@pytest.mark.parametrize("partner", [ctypes.c_int32, ctypes.c_int64])
def test_a_ctypes_function_with_user_data(case, partner):
    factor = ctypes.c_double(3.0)

    def scaled(*arguments):
        return mix(*arguments) * ctypes.cast(arguments[-1], ctypes.POINTER(ctypes.c_double))[0]

    function = ctypes.CFUNCTYPE(*c_types(partner))(scaled)
    data = ctypes.cast(ctypes.pointer(factor), ctypes.c_void_p)
    expected = measure(case, {"mine": MIX[np.int32]}).own["mine"] * 3.0
    found = measure(case, {"mine": LowLevelCallable(function, data)}, n_threads=2)
    assert found.own["mine"].tobytes() == expected.tobytes()
    bare = ctypes.CFUNCTYPE(*c_types(partner))(mix)
    found = measure(case, {"mine": bare}).own["mine"] * 3.0
    assert found.tobytes() == expected.tobytes()


C_CODE = """
#include <stdint.h>
typedef struct { volatile int64_t here; double factor; } Data;
double total(const int32_t *new_partners, const double *new_calls, int64_t n_new,
             const int32_t *old_partners, const double *old_calls, int64_t n_old, void *user_data) {
    double sum = 0.0;
    for (int64_t i = 0; i < n_new; i++) sum += new_calls[i] * new_partners[i];
    for (int64_t j = 0; j < n_old; j++) sum -= old_calls[j];
    return sum * ((Data *)user_data)->factor;
}
double meet(const int32_t *a, const double *b, int64_t c, const int32_t *d, const double *e,
            int64_t f, void *user_data) {
    Data *data = user_data;
    __atomic_add_fetch(&data->here, 1, __ATOMIC_SEQ_CST);
    for (int64_t spin = 0; spin < 4000000000; spin++)
        if (data->here >= 2) return 1.0;
    return 0.0;
}
"""


class Data(ctypes.Structure):
    _fields_ = [("here", ctypes.c_int64), ("factor", ctypes.c_double)]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("c")
    (folder / "own.c").write_text(C_CODE)
    command = [compiler, "-O1", "-ffp-contract=off", "-shared", "-fPIC", "own.c", "-o", "own.so"]
    subprocess.run(command, cwd=folder, check=True)
    loaded = ctypes.CDLL(str(folder / "own.so"))
    for function in (loaded.total, loaded.meet):
        function.restype, *function.argtypes = c_types(ctypes.c_int32)
    return loaded


def low_level(function, data):
    return LowLevelCallable(function, ctypes.cast(ctypes.pointer(data), ctypes.c_void_p))


def test_a_function_of_c(case, library):
    new, departed, new_rows, departed_rows = case
    found = measure(case, {"mine": low_level(library.total, Data(0, 0.5))}, n_threads=2)
    weights = np.zeros(new.n_rows)
    np.add.at(weights, np.repeat(np.arange(40), np.diff(new.indptr)), new.values * new.indices)
    calls = np.zeros(departed.n_rows)
    np.add.at(calls, np.repeat(np.arange(50), np.diff(departed.indptr)), departed.values)
    expected = 0.5 * (weights[new_rows] - calls[departed_rows])
    np.testing.assert_array_equal(found.own["mine"], expected)


def test_functions_run_at_once_on_two_threads(case, library):
    new, departed, *_ = case
    one = (new, departed, [0, 1], [0, 1])
    callback = low_level(library.meet, Data(0, 0.0))
    # Each waits for the other; under the interpreter's lock the first would wait in vain.
    found = measure(one, {"mine": callback}, n_threads=2, block_pairs=1)
    assert found.own["mine"].tolist() == [1.0, 1.0]


def test_no_pairs_and_empty_rows():
    rows = pack([{}, {0: 2.0}], 1)
    nobody = pack([], 0)
    evidence = measure((nobody, nobody, [], []), {"mine": JACCARD})
    assert evidence.own["mine"].shape == (0,)
    found = measure((rows, rows, [0, 0, 1, 1], [0, 1, 0, 1]), {"mine": JACCARD}).own["mine"]
    np.testing.assert_array_equal(found, [np.nan, 0, 0, 1])
    nothing = pack([{}], 0)
    found = measure((nothing, nothing, [0], [0]), {"mine": MIX[np.int64]}).own["mine"]
    assert found.tolist() == [0.25 - 0.25 + 0.25 - 0.25]


INTEGER = np.int64 if ctypes.sizeof(ctypes.c_long) == 8 else np.int32


@pytest.mark.parametrize(
    ("signature", "dtype"),
    [
        ("double (int32_t *, double *, int64_t, int32_t *, double *, int64_t, void *)", np.int32),
        (
            "double (int32_t const *, double const *, int64_t, int32_t const *, double const *, "
            "int64_t, void *)",
            np.int32,
        ),
        (
            "double(const int64_t*,const double*,int64_t,const int64_t*,const double*,int64_t,"
            "void*)",
            np.int64,
        ),
        ("double (long *, double *, int64_t, long *, double *, int64_t, void *)", INTEGER),
        (
            "double (long long *, double *, long long, long long *, double *, long long, void *)",
            np.int64,
        ),
        ("float (int32_t *, double *, int64_t, int32_t *, double *, int64_t, void *)", None),
        ("double (int32_t *, float *, int64_t, int32_t *, double *, int64_t, void *)", None),
        ("double (int32_t *, double *, int32_t, int32_t *, double *, int64_t, void *)", None),
        ("double (uint32_t *, double *, int64_t, int32_t *, double *, int64_t, void *)", None),
        ("double (unsigned int *, double *, int64_t, int *, double *, int64_t, void *)", None),
        ("double (int32_t *, double *, int64_t, int64_t *, double *, int64_t, void *)", None),
        ("double (int32_t **, double *, int64_t, int32_t *, double *, int64_t, void *)", None),
        ("double (int32_t *, double *, int64_t, int32_t *, double *, int64_t)", None),
        ("double (double)", None),
        ("double", None),
    ],
)
def test_signatures(signature, dtype):
    assert _partner_dtype(signature) is dtype


def raising(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    return 1.0 / (n_new - n_new)


def straying(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    return carray(new_calls, n_new)[n_new]


def differing(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    return 0.0 if isinstance(user_data, ctypes.c_void_p) else 1.0


class Differing:
    """A function whose Python form says something else."""

    address = MIX[np.int32].address
    ctypes = MIX[np.int32].ctypes
    __wrapped__ = staticmethod(differing)


@pytest.mark.parametrize(
    ("own_evidence", "message"),
    [
        ({"jaccard": JACCARD}, r"must be new, got 'jaccard', which is a column already"),
        ({"my score": JACCARD}, r"must be like 'my_score', got 'my score'"),
        ({1: JACCARD}, r"must be like 'my_score', got 1"),
        ([JACCARD], r"by column name, such as .*, got list"),
        ({"mine": jaccard}, r"'mine' must be a numba cfunc, .* got function .*compile"),
        ({"mine": njit(jaccard)}, r"'mine' must be a numba cfunc"),
        ({"mine": 5}, r"'mine' must be a numba cfunc, .* got int"),
        ({"mine": ctypes.CDLL(None).getpid}, r"with its types declared"),
        (
            {"mine": cfunc(types.float64(types.float64))(lambda x: x)},
            r"'mine' must have the signature double \(const P .*; got 'double \(double\)'",
        ),
        (
            {"mine": ctypes.PYFUNCTYPE(*c_types(ctypes.c_int32))(mix)},
            r"must not need the interpreter's lock",
        ),
        (
            {"mine": LowLevelCallable(ctypes.PYFUNCTYPE(*c_types(ctypes.c_int32))(mix))},
            r"must not need the interpreter's lock",
        ),
        (
            {"mine": cfunc(numba_signature(types.int32))(raising)},
            r"must not raise, got ZeroDivisionError \(.*zero\) .* at new row 0 and departed row 0",
        ),
        (
            {"mine": cfunc(numba_signature(types.int32))(straying)},
            r"must not raise, got IndexError \(.*\) .* at new row 0 and departed row 0",
        ),
        ({"mine": Differing()}, r"must be the same compiled and in Python, got .* and 0\.0 at"),
    ],
)
def test_what_cannot_be_used_is_refused(case, own_evidence, message):
    with pytest.raises(ParameterError, match=message):
        measure(case, own_evidence)


def test_narrow_functions_are_refused_where_columns_are_wide():
    sides = [widen(pack([{0: 1.0}], 1)) for _ in range(2)]
    with pytest.raises(ParameterError, match=r"'mine' must take partners as int64_t"):
        measure((*sides, [0], [0]), {"mine": JACCARD})


@pytest.fixture(scope="module")
def fingerprints():
    carrier = chanfp.simulate(800, seed=2)
    return chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)


def same_or_none(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    return np.nan if new_partners[0] != old_partners[0] else new_calls[0] + old_calls[0]


def test_the_matcher_adds_a_column(fingerprints):
    own = {"mine": JACCARD, "first": cfunc(numba_signature(types.int32))(same_or_none)}
    table = chanfp.Matcher(own_evidence=own).fit(fingerprints).match().table
    assert len(table) > 20
    assert table.column_names == [*chanfp.MATCH_SCHEMA.names, "mine", "first"]
    assert table["mine"].equals(table["jaccard"])
    assert 0 < table["first"].null_count < len(table)
    assert not np.isnan(table["first"].drop_null().to_numpy()).any()
    plain = chanfp.Matcher(n_threads=2).fit(fingerprints).match().table
    assert table.select(plain.column_names).equals(plain)
    for name in ("grade", "shared_rarity", "tfidf_jaccard"):
        with pytest.raises(ParameterError, match="which is a column already"):
            chanfp.Matcher(own_evidence={name: JACCARD})
    with pytest.raises(ParameterError, match="must be a numba cfunc"):
        chanfp.Matcher(own_evidence={"mine": jaccard})
