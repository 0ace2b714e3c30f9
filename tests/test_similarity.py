import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from SetSimilaritySearch import all_pairs

from chanfp import _reference, overlaps
from chanfp.candidates import find_candidates
from chanfp.csr import SparseRows, check_csr
from chanfp.errors import ParameterError
from chanfp.index import PartnerIndex
from chanfp.overlaps import OverlapJoin, fewest_shared
from chanfp.postings import OrderedPostings, order_by_middle
from chanfp.similarity import containment_join, jaccard_join
from sparse_cases import as_matrix, pack, pairs_of_tables, random_rows, widen

exact_join = partial(jaccard_join, method="exact")
RATIOS = st.one_of(st.sampled_from([1e-300, 0.1, 1 / 3, 0.5, 2 / 3, 1.0]), st.floats(0.001, 1.0))


def skewed_rows(rng, n_rows, n_cols, mean_size):
    """Rows of columns of very different popularity, so that there are lists worth skipping."""
    rows = []
    for size in rng.poisson(mean_size, n_rows):
        columns = np.unique((n_cols * rng.random(size) ** 3).astype(int))
        rows.append({int(column): 1.0 for column in columns})
    return pack(rows, n_cols)


def dense_pairs(a, b, least, *, of_union=True):
    """Every pair that reaches the threshold, from a product of whole matrices."""
    ones = [sparse.csr_array((np.ones(m.nnz), m.indices, m.indptr), shape=m.shape) for m in (a, b)]
    shared = (ones[0] @ ones[1].T).toarray()
    sizes = np.diff(a.indptr)[:, None], np.diff(b.indptr)[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = shared / (sizes[0] + sizes[1] - shared if of_union else sizes[0] + 0 * shared)
    a_rows, b_rows = np.nonzero((shared > 0) & (ratio >= least))
    order = np.lexsort((b_rows, -ratio[a_rows, b_rows], a_rows))
    return list(zip(a_rows[order].tolist(), b_rows[order].tolist(), strict=True)), ratio


@given(case=pairs_of_tables(), least=RATIOS, n_threads=st.sampled_from([1, 2]))
def test_containment_join_equals_brute_force(case, least, n_threads):
    a, b, rarity = case
    tables = [as_matrix(pack(rows, len(rarity))) for rows in (a, b)]
    pairs = containment_join(*tables, least, n_threads=n_threads)
    expected = [
        (i, j, shared / len(one), shared)
        for i, one in enumerate(a)
        for j, other in enumerate(b)
        if (shared := len(one.keys() & other.keys())) and shared / len(one) >= least
    ]
    expected.sort(key=lambda pair: (pair[0], -pair[2], pair[1]))
    columns = (pairs.a_rows, pairs.b_rows, pairs.containment, pairs.n_shared)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected


@given(case=pairs_of_tables(), least=RATIOS, top_k=st.one_of(st.none(), st.integers(1, 3)))
def test_weights_rank_by_weighted_overlap(case, least, top_k):
    a, b, weights = case
    tables = [as_matrix(pack(rows, len(weights))) for rows in (a, b)]
    pairs = exact_join(*tables, least, top_k=top_k, weights=weights)
    expected = []
    for i in range(len(a)):
        found = [
            (i, j, _reference.add_up([weights[c] for c in sorted(a[i].keys() & b[j].keys())]), x)
            for _, j, x, *_ in _reference.join_rows(a[i : i + 1], b, min_jaccard=least)
        ]
        found.sort(key=lambda pair: (-pair[2], -pair[3], pair[1]))
        expected += found[:top_k]
    columns = (pairs.a_rows, pairs.b_rows, pairs.weighted_overlap, pairs.jaccard)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected


@pytest.mark.parametrize("least", [0.05, 0.2, 1 / 3, 0.5, 0.8, 1.0])
def test_two_thousand_rows_equal_a_dense_product(least):
    rng = np.random.default_rng(6)
    a, b = (as_matrix(skewed_rows(rng, 2000, 3000, 15)) for _ in range(2))
    b = sparse.vstack([b[:1500], a[:500]]).tocsr()
    for of_union, join in ((True, exact_join), (False, containment_join)):
        pairs = join(a, b, least)
        expected, ratio = dense_pairs(a, b, least, of_union=of_union)
        assert list(zip(pairs.a_rows.tolist(), pairs.b_rows.tolist(), strict=True)) == expected
        found = pairs.jaccard if of_union else pairs.containment
        assert np.array_equal(found, ratio[pairs.a_rows, pairs.b_rows])


def test_either_side_may_be_indexed():
    rng = np.random.default_rng(7)
    small, large = (as_matrix(skewed_rows(rng, n, 500, 12)) for n in (100, 700))
    for a, b in ((small, large), (large, small)):
        pairs = exact_join(a, b, 0.25)
        assert (
            list(zip(pairs.a_rows.tolist(), pairs.b_rows.tolist(), strict=True))
            == (dense_pairs(a, b, 0.25)[0])
        )


@pytest.mark.parametrize("least", [0.3, 0.5, 0.8])
def test_join_equals_set_similarity_search(least):
    rng = np.random.default_rng(8)
    rows = skewed_rows(rng, 400, 300, 10)
    sets = [rows.indices[i:j].tolist() for i, j in zip(rows.indptr, rows.indptr[1:], strict=False)]
    expected = set()
    for i, j, similarity in all_pairs(
        [s or [-1 - k] for k, s in enumerate(sets)],
        similarity_func_name="jaccard",
        similarity_threshold=least,
    ):
        expected.add((min(i, j), max(i, j), similarity))
    pairs = exact_join(as_matrix(rows), as_matrix(rows), least)
    above = pairs.a_rows < pairs.b_rows
    columns = (pairs.a_rows[above], pairs.b_rows[above], pairs.jaccard[above])
    assert set(zip(*(column.tolist() for column in columns), strict=True)) == expected


def test_threads_and_blocks_never_change_a_byte():
    rng = np.random.default_rng(9)
    a, b = (as_matrix(skewed_rows(rng, n, 800, 12)) for n in (900, 700))
    expected = exact_join(a, b, 0.15, n_threads=1)
    assert len(expected) > 500
    for n_threads in (1, 2, 7):
        small = {
            "_BLOCK_ROWS": int(rng.integers(1, 300)),
            "SHORT_LIST": int(rng.integers(0, 100)),
            "LISTS_HELD": int(rng.integers(1, 100)),
            "MATCHES_HELD": 1,
        }
        with patch.multiple(overlaps, **small):
            pairs = exact_join(a, b, 0.15, n_threads=n_threads)
        for name in ("a_rows", "b_rows", "jaccard", "n_shared"):
            assert getattr(pairs, name).tobytes() == getattr(expected, name).tobytes()


@given(least=st.floats(1e-9, 1.0))
def test_fewest_shared_is_the_smallest_count_that_reaches(least):
    for size, fewest in enumerate(fewest_shared(least, 70).tolist()[1:], start=1):
        assert fewest / size >= least
        assert fewest == 1 or (fewest - 1) / size < least


@given(case=pairs_of_tables(), wide=st.booleans())
def test_posting_lists_equal_their_twin(case, wide):
    _, table, rarity = case
    rows = widen(pack(table, len(rarity))) if wide else pack(table, len(rarity))
    postings = OrderedPostings.from_rows(rows, "b")
    assert sorted(postings.order.tolist()) == list(range(len(table)))
    lists = [
        sorted(postings.order[postings.places[start:stop]].tolist())
        for start, stop in zip(postings.offsets, postings.offsets[1:], strict=False)
    ]
    expected = _reference.transpose_rows(table, len(rarity))
    assert lists == [[row for row, _ in column] for column in expected if column]
    if not wide:
        assert np.array_equal(postings.to_rows().indices, rows.indices)
        assert np.array_equal(postings.to_rows().indptr, rows.indptr)


def test_rows_are_ordered_by_their_middle_column():
    rows = pack([{9: 1.0}, {}, {0: 1.0, 5: 1.0, 9: 1.0}, {1: 1.0}], 10)
    assert order_by_middle(rows).tolist() == [3, 2, 0, 1]


def test_offsets_beyond_32_bits(tmp_path):
    """A list and a row that begin 2**32 entries in, in a file that is nearly all hole."""
    far = 2**32 + 7
    ends = [np.array([1, 2, 1, 2], np.int32), np.array([0, 1, 0, 1], np.int32)]
    arrays = []
    for name, last in zip(("columns", "places"), ends, strict=True):
        path = tmp_path / name
        with path.open("wb") as file:
            file.seek(4 * far)
            file.write(last.tobytes())
        arrays.append(np.memmap(path, dtype=np.int32, mode="r"))
    postings = OrderedPostings(
        order=np.array([0, 1], np.int32),
        starts=np.array([far, far + 2, far + 4]),
        columns=arrays[0],
        used=np.array([0b111, 0], np.uint64),
        offsets=np.array([0, far, far + 2, far + 4]),
        places=arrays[1],
        n_cols=3,
    )
    query = SparseRows(np.array([0, 2]), np.array([1, 2], np.int32), None, 3)
    object.__setattr__(postings, "mean_list", 2.0)
    with patch.object(overlaps, "SHORT_LIST", 0):
        found = OverlapJoin(query, postings, 0.6).run(n_threads=1)
    assert [column.tolist() for column in found] == [[0, 0], [0, 1], [2, 2]]


def join_every_way(a, b):
    """Return how many pairs each kind of join finds, on two threads each."""
    rows = [check_csr(matrix, "matrix") for matrix in (a, b)]
    best = find_candidates(
        *rows, partner_rarity=np.ones(a.shape[1]), top_k=3, n_threads=2, rank_by="rarity"
    )
    return [
        len(exact_join(a, b, 0.5, n_threads=2)),
        len(containment_join(a, b, 0.6, n_threads=2)),
        len(PartnerIndex(b).join(a, min_jaccard=0.5, n_threads=2)),
        len(jaccard_join(a, b, 0.5, method="lsh", n_threads=2)),
        len(best),
    ]


def test_joins_work_after_a_fork():
    rng = np.random.default_rng(10)
    a, b = (as_matrix(random_rows(rng, 6000, 300, 8)) for _ in range(2))
    expected = join_every_way(a, b)
    assert min(expected) > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork() if hasattr(os, "fork") else None
    if child == 0:
        os._exit(0 if join_every_way(a, b) == expected else 1)
    if child is not None:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "join",
    [
        "chanfp.jaccard_join(a, b, 0.7, method='exact', n_threads=1)",
        "chanfp.jaccard_join(a, b, 0.7, method='exact', n_threads=2)",
        "chanfp.jaccard_join(a, b, 0.3, method='lsh', n_threads=1)",
        "chanfp.jaccard_join(a, b, 0.3, method='lsh', n_threads=2)",
        "chanfp.containment_join(a, b, 0.8, n_threads=1)",
        "chanfp.PartnerIndex(b).join(a, min_jaccard=0.7, n_threads=2)",
        "find_candidates(*rows, partner_rarity=np.ones(300), top_k=9, n_threads=1)",
        "find_candidates(*rows, partner_rarity=np.ones(300), top_k=9, n_threads=2)",
    ],
)
def test_ctrl_c_stops_a_join_soon(join):
    script = f"""
import numpy as np
from scipy.sparse import csr_array
import chanfp
from chanfp.candidates import find_candidates
from chanfp.csr import check_csr
rng = np.random.default_rng(1)
a, b = (csr_array(rng.random((n, 300)) < 0.3) for n in (30_000, 30_000))
chanfp.jaccard_join(a[:50], b[:50], 0.9, method="exact")
rows = [check_csr(matrix, "rows") for matrix in (a, b)]
print("joining", flush=True)
{join}
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"joining\n"
        time.sleep(0.5)
        assert process.poll() is None
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        errors = process.communicate()[1]
    assert time.monotonic() - begin < 3  # about a second, on a machine that does other things too
    assert b"KeyboardInterrupt" in errors


def test_wrong_arguments_are_refused():
    a = sparse.csr_array((2, 3))
    with pytest.raises(ParameterError, match="`recall` must be above 0 and below 1"):
        jaccard_join(a, a, 0.5, method="lsh", recall=1.0)


def test_lsh_finds_exact_pairs_and_says_its_recall():
    rng = np.random.default_rng(5)
    a = sparse.random_array((300, 400), density=0.02, format="csr", rng=rng)
    exact = exact_join(a, a, 0.3)
    found = jaccard_join(a, a, 0.3, method="lsh", recall=0.9)
    pairs, all_pairs = (
        set(zip(one.a_rows.tolist(), one.b_rows.tolist(), one.jaccard.tolist(), strict=True))
        for one in (found, exact)
    )
    assert pairs <= all_pairs
    assert len(pairs) >= 0.9 * len(all_pairs)
    assert found.measured_recall.share >= 0.9
    with pytest.raises(ParameterError, match="`method` must be one of"):
        jaccard_join(a, a, 0.5, method="fast")
    with pytest.raises(ParameterError, match="`recall` must be above 0"):
        jaccard_join(a, a, 0.5, recall=1.5)
    with pytest.raises(ParameterError, match="`weights` must have one weight per column"):
        exact_join(a, a, 0.5, weights=[1.0])
    with pytest.raises(ParameterError, match="`min_containment`"):
        containment_join(a, a, 0.0)
