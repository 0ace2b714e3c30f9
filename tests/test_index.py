import doctest
import json
import pickle
import threading
import time
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from chanfp import _reference
from chanfp import index as index_module
from chanfp import indexfiles as index_files
from chanfp import segments as segments_module
from chanfp.errors import DataError, ParameterError
from chanfp.index import PartnerIndex
from chanfp.rowids import RowIds
from chanfp.similarity import containment_join, jaccard_join
from sparse_cases import as_matrix, pack, random_rows
from sparse_cases import tables as tables_of_rows

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_ROWS = [[0, 3, 7, 64, 70], [3, 7, 64], [], [1, 2, 3, 70], [0, 3, 7, 64, 70, 99], [99]]


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(5)
    return tuple(as_matrix(random_rows(rng, n, 90, 8)) for n in (60, 150))


def as_columns(pairs):
    return pairs.to_arrow().to_pydict()


def as_bytes(pairs):
    return [column.to_numpy().tobytes() for column in pairs.to_arrow().columns]


def grow(departed, names, sizes):
    index = PartnerIndex(departed[:0], ids=pa.array([], pa.string()))
    for start, stop in pairwise(np.cumsum([0, *sizes])):
        index.add(departed[start:stop], ids=names[start:stop])
    return index


def shrink(departed, names):
    """Rows that are wanted among others, which go one after the other."""
    n, n_more = departed.shape[0], departed.shape[0] // 2
    places = np.sort(np.random.default_rng(6).permutation(n + n_more)[:n])
    order = np.arange(n + n_more) % n
    order[places] = np.arange(n)
    all_names = [f"more{i}" for i in range(n + n_more)]
    for place, name in zip(places, names, strict=True):
        all_names[place] = name
    index = grow(departed[order], all_names, [60, n + n_more - 60])
    more = [name for name in all_names if name.startswith("more")]
    for name in more[:9]:
        index.remove([name])
    index.remove(more[9:])
    return index


def save_and_load(index, folder):
    index.save(folder / "index")
    return PartnerIndex.load(folder / "index")


def pickled(index):
    return pickle.loads(pickle.dumps(index))  # noqa: S301


KINDS = {
    "fresh": lambda departed, names, _: PartnerIndex(departed, ids=names),
    "grown": lambda departed, names, _: grow(departed, names, [90, 0, 30, 9, 10, 6, 1, 1, 3]),
    "shrunk": lambda departed, names, _: shrink(departed, names),
    "saved": lambda departed, names, folder: save_and_load(
        grow(departed, names, [120, 25, 5]), folder
    ),
    "saved shrunk": lambda departed, names, folder: save_and_load(shrink(departed, names), folder),
    "pickled": lambda departed, names, _: pickled(shrink(departed, names)),
    "pickled map": lambda departed, names, folder: pickled(
        save_and_load(grow(departed, names, [120, 25, 5]), folder)
    ),
}


@pytest.fixture(params=KINDS)
def named_index(request, tables, tmp_path):
    departed = tables[1]
    return KINDS[request.param](departed, [f"n{i}" for i in range(departed.shape[0])], tmp_path)


@pytest.mark.parametrize("n_threads", [1, 2, 7])
@pytest.mark.parametrize("top_k", [None, 2])
def test_join_equals_jaccard_join(named_index, tables, top_k, n_threads):
    new, departed = tables
    pairs = named_index.join(new, min_jaccard=0.2, top_k=top_k, n_threads=n_threads)
    assert len(pairs) > 0
    assert as_bytes(pairs) == as_bytes(jaccard_join(new, departed, 0.2, top_k=top_k))


def test_containment_and_weights_are_those_of_the_joins(named_index, tables):
    new, departed = tables
    weights = np.random.default_rng(7).random(90)
    pairs = named_index.containment_join(new, min_containment=0.4)
    assert len(pairs) > 0
    assert as_bytes(pairs) == as_bytes(containment_join(new, departed, 0.4))
    for top_k in (None, 1):
        pairs = named_index.join(new, min_jaccard=0.15, top_k=top_k, weights=weights)
        expected = jaccard_join(new, departed, 0.15, top_k=top_k, weights=weights)
        assert as_bytes(pairs) == as_bytes(expected)


def test_query_equals_a_join_of_one_row(named_index, tables):
    new, departed = tables
    for row in range(5):
        expected = as_columns(jaccard_join(new[[row]], departed, 0.15))
        assert as_columns(named_index.query(new[[row]], min_jaccard=0.15)) == expected
        columns = new[[row]].indices[::-1]
        assert as_columns(named_index.query(columns, min_jaccard=0.15)) == expected
    assert len(named_index.query([])) == 0


def test_add_and_remove_equal_an_index_built_at_once(named_index, tables):
    new, departed = tables
    names = [f"n{i}" for i in range(150)]
    assert named_index.ids.to_pylist() == names
    kept = np.ones(150, dtype=bool)
    kept[[0, 7, 119, 149]] = False
    named_index.remove(["n7", "n149", "n0", "n119"])
    left = [name for name, stays in zip(names, kept, strict=True) if stays]
    assert named_index.ids.to_pylist() == left
    assert as_bytes(named_index.join(new)) == as_bytes(jaccard_join(new, departed[kept], 0.3))
    # A name that was removed is free again, and its row now stands at the end.
    named_index.add(departed[[7]], ids=["n7"])
    assert named_index.ids.to_pylist() == [*left, "n7"]
    assert len(named_index) == 147
    order = [*np.flatnonzero(kept), 7]
    assert as_bytes(named_index.join(new)) == as_bytes(jaccard_join(new, departed[order], 0.3))
    named_index.remove(named_index.ids)
    assert len(named_index) == 0
    assert len(named_index.join(new)) == 0
    named_index.add(departed, ids=np.arange(150))  # nothing is left to differ from in type
    assert as_bytes(named_index.join(new)) == as_bytes(jaccard_join(new, departed, 0.3))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), tables_of_rows(12, max_rows=30)),
        st.tuples(st.just("remove"), st.integers(0, 2**32)),
        st.tuples(st.just("pickle"), st.none()),
    ),
    max_size=8,
)


@given(
    steps=steps,
    queries=tables_of_rows(12, max_rows=6),
    least=st.sampled_from([0.1, 1 / 3, 0.5, 1.0]),
    top_k=st.sampled_from([None, 1, 3]),
)
def test_any_history_equals_its_twin(steps, queries, least, top_k):
    index, twin = PartnerIndex(pack([], 12), ids=np.arange(0)), _reference.RowList()
    n_added = 0
    for step, given_ in steps:
        if step == "add":
            ids = list(range(n_added, n_added + len(given_)))
            n_added += len(ids)
            index.add(pack(given_, 12), ids=np.array(ids, dtype=np.int64))
            twin.add(given_, ids)
        elif step == "remove":
            share = [0.05, 0.2, 0.5, 1][given_ % 4]
            gone = np.random.default_rng(given_).random(len(twin.ids)) < share
            ids = [name for name, goes in zip(twin.ids, gone, strict=True) if goes]
            index.remove(ids)
            twin.remove(ids)
        else:
            index = pickled(index)
        pairs = index.join(pack(queries, 12), min_jaccard=least, top_k=top_k)
        found = zip(*as_columns(pairs).values(), strict=True)
        assert list(found) == twin.join(queries, least, top_k)
        assert index.ids.to_pylist() == twin.ids


def test_segments_stay_few_and_work_small():
    rng = np.random.default_rng(8)
    departed = as_matrix(random_rows(rng, 3000, 500, 5))
    built = []
    make = segments_module.Segment.from_rows

    def count(ids, rows):
        built.append(rows.n_rows)
        return make(ids, rows)

    index = PartnerIndex(departed[:2000])
    with patch.object(segments_module.Segment, "from_rows", count):
        for start in range(2000, 3000, 20):
            index.add(departed[start : start + 20])
            sizes = [segment.weight for segment in index._content.segments]
            assert all(one >= 3 * other for one, other in pairwise(sizes))
    assert len(index) == 3000
    # Each of the 50 additions, and each row a few times over; anew each time would be 125,000.
    assert sum(built) < 10_000


def test_dead_rows_are_left_behind_in_time():
    departed = as_matrix(random_rows(np.random.default_rng(9), 400, 50, 5))
    index = PartnerIndex(departed)
    first = index._content.segments[0].postings
    index.remove(np.arange(100))
    assert index._content.segments[0].postings is first  # marked only
    assert index._content.segments[0].n_dead == 100
    index.remove([100])
    (segment,) = index._content.segments
    assert (segment.postings.n_rows, segment.n_dead) == (299, 0)


def test_ids_are_told_apart_where_their_keys_are_equal():
    # Hashes are of texts without outer white space, and an empty one has none.
    names = ["a", " a", "a ", "", " ", "#00000000000000ff", "b", "号"]
    row_ids = RowIds.of(pa.array(names))
    assert row_ids.find(pa.array([*reversed(names), "  a", "c"])).tolist() == [
        7, 6, 5, 4, 3, 2, 1, 0, -1, -1,
    ]  # fmt: skip
    assert row_ids.find(pa.array(names).slice(2, 2)).tolist() == [2, 3]
    assert RowIds.of(pa.array(names).slice(3)).find(pa.array(["b", "a"])).tolist() == [3, -1]
    numbers = pa.array([3, -1, 2**40])
    assert RowIds.of(numbers).find(pa.array([-1, 4, 2**40])).tolist() == [1, -1, 2]
    assert RowIds.of(numbers[:0]).find(numbers).tolist() == [-1, -1, -1]


@pytest.mark.parametrize("version", [1, 2])
def test_every_format_version_stays_readable(version):
    index = PartnerIndex.load(GOLDEN / f"partner-index-{version}")
    assert index.n_cols == 100
    assert index.ids.to_pylist() == ["a", "b", "c", "d", "e", "号"]
    for row in GOLDEN_ROWS:
        expected = _reference.RowList()
        expected.add([dict.fromkeys(row, 1.0) for row in GOLDEN_ROWS], range(6))
        found = zip(*as_columns(index.query(row)).values(), strict=True)
        assert list(found) == expected.join([dict.fromkeys(row, 1.0)], 0.3)
    if version == index_files.FORMAT_VERSION:
        assert [(s.postings.n_rows, s.n_dead) for s in index._content.segments] == [(5, 1), (2, 0)]


def test_saving_leaves_whole_files_that_are_mapped(tables, tmp_path, monkeypatch):
    index = grow(tables[1], [f"n{i}" for i in range(150)], [120, 30])
    loaded = save_and_load(index, tmp_path)
    assert len(loaded._content.segments) == len(index._content.segments) == 2
    assert not loaded._content.segments[1].postings.places.flags.owndata
    loaded.remove(["n3"])
    assert len(loaded) == 149
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]
    with pytest.raises(ParameterError, match="must not exist"):
        index.save(tmp_path / "index")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_files.json, "dumps", fail)
    with pytest.raises(OSError, match="No space"):
        index.save(tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


def test_damaged_or_newer_files_are_refused(tables, tmp_path):
    grow(tables[1], [f"n{i}" for i in range(150)], [120, 30]).save(tmp_path / "index")
    header = tmp_path / "index" / "header.json"
    good = header.read_text()
    for name, value, message in [
        ("format_version", 3, "format version 3"),
        ("hash_version", 9, "hash version 9"),
        ("format", "other", "not the header"),
        ("n_rows", 7, "don't fit"),
        ("n_rows", "7", "not the header"),
        ("segments", [], "not the header"),
        ("segments", json.loads(good)["segments"][:1], "don't fit"),
        ("segments", [json.loads(good)["segments"][0] | {"n_dead": 1}], "missing"),
    ]:
        header.write_text(json.dumps(json.loads(good) | {name: value}))
        with pytest.raises(DataError, match=message):
            PartnerIndex.load(tmp_path / "index")
    header.write_text(good[:40])
    with pytest.raises(DataError, match="not the header"):
        PartnerIndex.load(tmp_path / "index")
    header.write_text(good)
    places = tmp_path / "index" / "segment-1" / "places.arrow"
    content = bytearray(places.read_bytes())
    content[len(content) // 2] ^= 1
    places.write_bytes(content)
    with pytest.raises(DataError, match="checksum"):
        PartnerIndex.load(tmp_path / "index")
    places.write_bytes(content[:-9])
    with pytest.raises(DataError, match="cut short"):
        PartnerIndex.load(tmp_path / "index", verify=False)
    places.unlink()
    with pytest.raises(DataError, match="missing"):
        PartnerIndex.load(tmp_path / "index")


def test_an_empty_index_can_be_saved(tmp_path):
    PartnerIndex(sparse.csr_array((0, 5))).save(tmp_path / "index")
    index = PartnerIndex.load(tmp_path / "index")
    assert len(index) == 0
    assert len(index.query([1, 2])) == 0


def test_queries_run_while_rows_come_and_go(tables):
    new, departed = tables
    index = PartnerIndex(departed[:100])
    moments = [slice(0, 100)]
    for size in range(10, 60, 10):
        moments += [slice(first, 100 + size) for first in (5 * (size - 10) // 10, 5 * size // 10)]
    allowed = {tuple(as_bytes(jaccard_join(new, departed[moment], 0.3))) for moment in moments}
    seen, is_over = [], threading.Event()

    def ask():
        while not is_over.is_set():
            seen.append(tuple(as_bytes(index.join(new, n_threads=1))))

    def await_more():
        n_before = len(seen)
        while len(seen) < n_before + 4 and any(thread.is_alive() for thread in threads):
            time.sleep(0.001)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for size in range(10, 60, 10):
        index.add(departed[90 + size : 100 + size], ids=np.arange(90 + size, 100 + size))
        await_more()
        index.remove(np.arange(5 * (size - 10) // 10, 5 * size // 10))
        await_more()
    is_over.set()
    for thread in threads:
        thread.join()
    assert len(seen) >= 40  # between any two changes, some
    assert set(seen) <= allowed
    assert as_bytes(index.join(new)) == as_bytes(jaccard_join(new, departed[25:], 0.3))


def test_threads_that_add_at_once_lose_nothing(tables):
    _, departed = tables
    index = PartnerIndex(departed[:0])
    parts = [np.arange(start, 150, 15) for start in range(15)]
    threads = [
        threading.Thread(target=index.add, args=(departed[part],), kwargs={"ids": part})
        for part in parts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    order = index.ids.to_numpy()
    assert sorted(order) == list(range(150))
    expected = jaccard_join(departed, departed[order], 0.5)
    assert as_bytes(index.join(departed, min_jaccard=0.5)) == as_bytes(expected)


def test_wrong_arguments_are_refused(tables):
    new, departed = tables
    index = PartnerIndex(departed)
    with pytest.raises(ParameterError, match="one per row"):
        PartnerIndex(departed, ids=[1])
    with pytest.raises(ParameterError, match="no two alike"):
        PartnerIndex(departed[:2], ids=pa.array(["a", "a"]))
    with pytest.raises(ParameterError, match="no two alike"):
        index.add(departed[:1], ids=[0])
    with pytest.raises(ParameterError, match="int64 as in the index, got string"):
        index.add(departed[:1], ids=["x"])
    with pytest.raises(ParameterError, match="int64 as in the index"):
        index.remove(["x"])
    with pytest.raises(ParameterError, match="strings or integers, got double"):
        PartnerIndex(departed[:1], ids=[1.5])
    with pytest.raises(ParameterError, match="same columns"):
        index.join(sparse.csr_array((1, 3)))
    with pytest.raises(ParameterError, match="must be in the index, got 400"):
        index.remove([1, 400])
    with pytest.raises(ParameterError, match="one row"):
        index.query(new)
    with pytest.raises(ParameterError, match="columns from 0 to 89"):
        index.query([90])
    with pytest.raises(ParameterError, match="min_containment"):
        index.containment_join(new, min_containment=2)
    with pytest.raises(ParameterError, match="one weight per column"):
        index.join(new, weights=[1.0])
    with pytest.raises(ParameterError, match="min_jaccard"):
        index.join(new, min_jaccard=0)
    assert len(index) == 150


def test_the_example_in_the_docstring_runs():
    results = doctest.testmod(index_module)
    assert (results.failed, results.attempted > 0) == (0, True)
