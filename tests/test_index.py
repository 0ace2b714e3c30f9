import doctest
import json
import pickle
import threading

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from chanfp import index as index_module
from chanfp.errors import DataError, ParameterError
from chanfp.index import PartnerIndex
from chanfp.similarity import jaccard_join
from sparse_cases import as_matrix, random_rows


@pytest.fixture
def tables():
    rng = np.random.default_rng(5)
    return tuple(as_matrix(random_rows(rng, n, 90, 8)) for n in (60, 150))


def as_columns(pairs):
    return pairs.to_arrow().to_pydict()


@pytest.mark.parametrize("n_threads", [1, 2, 7])
@pytest.mark.parametrize("top_k", [None, 2])
def test_join_equals_jaccard_join(tables, top_k, n_threads):
    new, departed = tables
    pairs = PartnerIndex(departed).join(new, min_jaccard=0.2, top_k=top_k, n_threads=n_threads)
    assert len(pairs) > 0
    assert as_columns(pairs) == as_columns(jaccard_join(new, departed, 0.2, top_k=top_k))


def test_query_equals_a_join_of_one_row(tables):
    new, departed = tables
    index = PartnerIndex(departed)
    for row in range(5):
        expected = as_columns(jaccard_join(new[[row]], departed, 0.15))
        assert as_columns(index.query(new[[row]], min_jaccard=0.15)) == expected
        columns = new[[row]].indices[::-1]
        assert as_columns(index.query(columns, min_jaccard=0.15)) == expected
    assert len(index.query([])) == 0


def test_add_and_remove_equal_an_index_built_at_once(tables):
    new, departed = tables
    names = [f"n{i}" for i in range(150)]
    index = PartnerIndex(departed[:100], ids=names[:100])
    index.add(departed[100:], ids=names[100:])
    assert index.ids.to_pylist() == names
    assert as_columns(index.join(new)) == as_columns(jaccard_join(new, departed, 0.3))
    kept = np.ones(150, dtype=bool)
    kept[[0, 7, 149]] = False
    index.remove(["n7", "n149", "n0"])
    assert index.ids.to_pylist() == [name for name, stays in zip(names, kept, strict=True) if stays]
    assert as_columns(index.join(new)) == as_columns(jaccard_join(new, departed[kept], 0.3))
    index.remove(index.ids)
    assert len(index) == 0
    assert len(index.join(new)) == 0


def test_a_saved_index_gives_the_same_pairs(tables, tmp_path):
    new, departed = tables
    index = PartnerIndex(departed)
    index.save(tmp_path / "index")
    loaded = PartnerIndex.load(tmp_path / "index")
    assert not loaded._content.postings.places.flags.owndata
    for other in (loaded, pickle.loads(pickle.dumps(index)), pickle.loads(pickle.dumps(loaded))):  # noqa: S301
        assert as_columns(other.join(new)) == as_columns(index.join(new))
        assert other.ids.equals(index.ids)
    loaded.remove([3])
    assert len(loaded) == 149
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]
    with pytest.raises(ParameterError, match="must not exist"):
        index.save(tmp_path / "index")


def test_damaged_or_newer_files_are_refused(tables, tmp_path):
    PartnerIndex(tables[1]).save(tmp_path / "index")
    header = tmp_path / "index" / "header.json"
    good = header.read_text()
    for name, value, message in [
        ("format_version", 2, "format version 2"),
        ("hash_version", 9, "hash version 9"),
        ("format", "other", "not the header"),
        ("n_rows", 7, "don't fit"),
    ]:
        header.write_text(json.dumps(json.loads(good) | {name: value}))
        with pytest.raises(DataError, match=message):
            PartnerIndex.load(tmp_path / "index")
    header.write_text(good[:40])
    with pytest.raises(DataError, match="not the header"):
        PartnerIndex.load(tmp_path / "index")
    header.write_text(good)
    places = tmp_path / "index" / "places.arrow"
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


def test_queries_run_while_rows_are_added(tables):
    new, departed = tables
    index = PartnerIndex(departed[:100])
    first = as_columns(index.join(new))
    last = as_columns(PartnerIndex(departed).join(new))
    seen = []

    def ask():
        seen.extend(as_columns(index.join(new)) for _ in range(30))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    index.add(departed[100:])
    for thread in threads:
        thread.join()
    assert len(seen) == 120
    assert all(found in (first, last) for found in seen)
    assert as_columns(index.join(new)) == last


def test_wrong_arguments_are_refused(tables):
    new, departed = tables
    index = PartnerIndex(departed)
    with pytest.raises(ParameterError, match="one per row"):
        PartnerIndex(departed, ids=[1])
    with pytest.raises(ParameterError, match="no two alike"):
        PartnerIndex(departed[:2], ids=pa.array(["a", "a"]))
    with pytest.raises(ParameterError, match="no two alike"):
        index.add(departed[:1], ids=[0])
    with pytest.raises(ParameterError, match="as in the index"):
        index.add(departed[:1], ids=["x"])
    with pytest.raises(ParameterError, match="same columns"):
        index.join(sparse.csr_array((1, 3)))
    with pytest.raises(ParameterError, match="must be in the index, got 400"):
        index.remove([1, 400])
    with pytest.raises(ParameterError, match="one row"):
        index.query(new)
    with pytest.raises(ParameterError, match="columns from 0 to 89"):
        index.query([90])
    with pytest.raises(ParameterError, match="min_jaccard"):
        index.join(new, min_jaccard=0)
    assert len(index) == 150


def test_the_example_in_the_docstring_runs():
    results = doctest.testmod(index_module)
    assert (results.failed, results.attempted > 0) == (0, True)
