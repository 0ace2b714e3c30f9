import os
from unittest.mock import patch

import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

import chanfp
from chanfp import _core, _reference
from chanfp.csr import SparseRows
from chanfp.errors import ParameterError
from chanfp.signatures import slot_keys, usable_backend
from sparse_cases import KINDS, as_matrix, random_rows

BACKENDS = _core.usable_backends()
SEEDS = st.one_of(st.sampled_from([0, 1, 2**64 - 1]), st.integers(0, 2**64 - 1))


def rows_of(sets, n_cols=2**31 - 1):
    indptr = np.zeros(len(sets) + 1, dtype=np.int64)
    np.cumsum([len(members) for members in sets], out=indptr[1:])
    dtype = np.int32 if n_cols < 2**31 else np.int64
    indices = np.array([column for members in sets for column in sorted(members)], dtype=dtype)
    return SparseRows(indptr, indices, None, n_cols)


def with_backend(backend, *arguments, **options):
    with patch.dict(os.environ, CHANFP_BACKEND=backend):
        return chanfp.minhash(*arguments, **options)


@st.composite
def families(draw):
    n_cols = draw(st.sampled_from([50, 2**31 - 1, 2**62]))
    sets = draw(st.lists(st.sets(st.integers(0, n_cols - 1), max_size=20), max_size=6))
    lengthy = draw(st.lists(st.sampled_from([15, 16, 17, 1023, 1024, 1025, 2100]), max_size=2))
    return [*sets, *(set(range(min(n, n_cols))) for n in lengthy), *sets[:1]], n_cols


@given(family=families(), n_hashes=st.sampled_from([1, 2, 31, 32, 33, 64, 100]), seed=SEEDS)
def test_every_backend_equals_the_twin(family, n_hashes, seed):
    sets, n_cols = family
    expected = np.array(
        [_reference.minhash(members, min(n_hashes, 3), seed) for members in sets], dtype=np.uint32
    ).reshape(len(sets), min(n_hashes, 3))
    found = [
        with_backend(backend, rows_of(sets, n_cols), n_hashes, seed, n_threads=1)
        for backend in BACKENDS
    ]
    for signatures in found:
        assert signatures.dtype == np.uint32
        assert signatures.shape == (len(sets), n_hashes)
        assert signatures.tobytes() == found[0].tobytes()
    np.testing.assert_array_equal(found[0][:, :3], expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_slots_equal_the_twin(backend):
    sets = [set(), {7}, {0, 2**31 - 2}, set(range(40)), {2**40 + 1, 2**40, 1}]
    expected = [_reference.minhash(members, 131, 5) for members in sets]
    np.testing.assert_array_equal(with_backend(backend, rows_of(sets, 2**62), 131, 5), expected)


# These values are stored by others: they must never change.
KNOWN = {
    (): [4294967295] * 4,
    (0,): [2203742608, 1278493145, 2454742391, 2399316882],
    (1, 2, 3): [1201019651, 1037892540, 1734472364, 997389781],
    (13800138000, 2**62 - 1): [172309383, 3010434402, 2985541896, 723831116],
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_known_answers(backend):
    found = with_backend(backend, rows_of(list(KNOWN), 2**62), 4)
    assert found.tolist() == list(KNOWN.values())


def test_keys_are_those_of_splitmix():
    keys = slot_keys(33, 2**64 - 1)
    assert (keys.dtype, keys.shape) == (np.uint32, (2 + 64 + 64,))
    # The first outputs for seed 1234567, as published with the generator.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [_reference.splitmix(1234567, n) for n in range(3)] == published
    outputs = [_reference.splitmix(2**64 - 1, n) for n in range(66)]
    assert keys[:66].tolist() == [outputs[0] >> 32, *(word >> 32 | 1 for word in outputs[1:])]
    assert keys[66:].tolist() == [word & 0xFFFFFFFF for word in outputs[2:]]


def test_threads_and_kinds_of_matrix_change_nothing(tmp_path):
    rows = random_rows(np.random.default_rng(1), 300, 1000, 12)
    expected = chanfp.minhash(rows, 70, n_threads=1)
    with patch("chanfp.signatures._BLOCK_ROWS", 7):
        for n_threads in (1, 2, 5):
            assert chanfp.minhash(rows, 70, n_threads=n_threads).tobytes() == expected.tobytes()
    for kind in KINDS:
        assert chanfp.minhash(as_matrix(rows, kind, tmp_path), 70).tobytes() == expected.tobytes()
    assert chanfp.minhash(rows, 33).tobytes() == expected[:, :33].tobytes()


def test_unsorted_and_repeated_columns_and_stored_zeros_change_nothing():
    untidy = sparse.csr_array(
        (np.array([1.0, 1, 1, 0, 2]), np.array([5, 2, 5, 3, 1]), np.array([0, 4, 5])), shape=(2, 9)
    )
    tidy = rows_of([{2, 5}, {1}], 9)
    assert chanfp.minhash(untidy).tobytes() == chanfp.minhash(tidy).tobytes()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_values_of_consecutive_columns_are_uniform(seed):
    """Chi-square over the upper and the lower byte of every slot, 16 slots."""
    signatures = chanfp.minhash(rows_of([{column} for column in range(20_000)]), 16, seed)
    for byte in (signatures >> 24, signatures & 255, signatures >> 12 & 255):
        p_values = [stats.chisquare(np.bincount(slot, minlength=256)).pvalue for slot in byte.T]
        # A permutation may be more even than chance, but never less.
        assert min(p_values) > 1e-4


def test_a_flipped_bit_flips_half_of_the_bits():
    rng = np.random.default_rng(4)
    columns = rng.integers(0, 2**62, 2000)
    before = chanfp.minhash(rows_of([{int(c)} for c in columns], 2**62), 8)
    for bit in range(62):
        flipped = [{int(c)} for c in columns ^ (1 << bit)]
        changed = before ^ chanfp.minhash(rows_of(flipped, 2**62), 8)
        # 8 upper bits decide nearly every minimum.
        shares = np.array([np.mean(changed >> place & 1) for place in range(24, 32)])
        assert np.abs(shares - 0.5).max() < 0.05


def structured_pairs(rng, kind, size, overlap):
    """Two sets of `size` columns that share `overlap`."""
    n = 2 * size - overlap
    if kind == "consecutive":
        columns = int(rng.integers(0, 2**31 - 2 * n)) + np.arange(n)
    elif kind == "aligned":
        columns = 4096 * (int(rng.integers(0, 2**18)) + np.arange(n))
    elif kind == "low":
        columns = np.arange(n)
    else:
        columns = np.unique(rng.integers(0, 2**31 - 1, 2 * n))[:n]
    columns = rng.permutation(columns)
    return set(columns[:size].tolist()), set(columns[size - overlap :].tolist())


@pytest.mark.parametrize("kind", ["consecutive", "aligned", "random", "low"])
@pytest.mark.parametrize(("size", "overlap"), [(4, 1), (30, 7), (30, 14), (30, 24), (200, 100)])
def test_rows_agree_at_the_rate_of_their_jaccard_index(kind, size, overlap):
    """Mean within 4 standard errors, and spread as that of independent slots."""
    rng = np.random.default_rng(size + overlap)
    n_hashes, n_seeds, n_pairs = 128, 25, 24
    jaccard = overlap / (2 * size - overlap)
    estimates = []
    for seed in range(n_seeds):
        pairs = [structured_pairs(rng, kind, size, overlap) for _ in range(n_pairs)]
        signatures = chanfp.minhash(rows_of([s for pair in pairs for s in pair]), n_hashes, seed)
        estimates.extend(np.mean(signatures[::2] == signatures[1::2], axis=1))
    error = np.sqrt(jaccard * (1 - jaccard) / n_hashes)
    assert abs(np.mean(estimates) - jaccard) < 4 * error / np.sqrt(len(estimates))
    assert 0.88 < np.std(estimates) / error < 1.12


def test_estimates_agree_with_datasketch():
    rng = np.random.default_rng(6)
    rows = random_rows(rng, 60, 60, 25)
    sets = np.split(rows.indices, rows.indptr[1:-1])
    theirs = datasketch.MinHash.bulk(
        [[str(column).encode() for column in members] for members in sets], num_perm=512
    )
    ours = chanfp.minhash(rows, 512)
    differences = [
        np.mean(ours[i] == ours[j]) - theirs[i].jaccard(theirs[j])
        for i in range(60)
        for j in range(i)
    ]
    assert abs(np.mean(differences)) < 0.01
    assert np.max(np.abs(differences)) < 6 * np.sqrt(2 * 0.25 / 512)


def test_empty_tables_and_rows():
    assert chanfp.minhash(sparse.csr_array((0, 5))).shape == (0, 128)
    assert (chanfp.minhash(sparse.csr_array((3, 0)), 5) == 2**32 - 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_hashes": 0}, "`n_hashes` must be from 1 to 65536, got 0"),
        ({"n_hashes": 65537}, "got 65537"),
        ({"seed": -1}, r"`seed` must be from 0 to 2\*\*64 - 1, got -1"),
        ({"seed": 2**64}, "`seed` must be from"),
        ({"n_threads": 0}, "`n_threads` must be at least 1"),
    ],
)
def test_arguments_outside_their_range(options, message):
    with pytest.raises(ParameterError, match=message):
        chanfp.minhash(rows_of([{1}]), **options)


def test_an_impossible_backend_is_an_error():
    assert usable_backend() == os.environ.get("CHANFP_BACKEND", BACKENDS[0])
    with pytest.raises(ParameterError, match=r"`CHANFP_BACKEND` must be one of .*plain.*'neon'"):
        with_backend("neon", rows_of([{1}]))
