"""Kernels on posting lists against their slow twins: values, index widths, read-only maps."""

import types
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _core, _reference, joins, overlaps, postings
from chanfp.candidates import find_candidates
from chanfp.errors import ParameterError
from chanfp.joins import BestJoin, order_by_size
from chanfp.overlaps import OverlapJoin
from chanfp.postings import OrderedPostings
from sparse_cases import pack, read_only_map, widen

RATIOS = st.one_of(st.sampled_from([1e-300, 0.1, 1 / 3, 0.5, 2 / 3, 1.0]), st.floats(0.001, 1.0))
WIDTHS = st.sampled_from([np.int32, np.int64])


@st.composite
def column_sets(draw, max_rows=40):
    """Rows of few columns out of few, and now and then far apart, so that words are crossed."""
    columns = st.sampled_from([0, 1, 2, 3, 5, 8, 62, 63, 64, 65, 127, 128, 199])
    return draw(st.lists(st.lists(columns, unique=True).map(sorted), max_size=max_rows))


def flatten(rows, dtype):
    indptr = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=indptr[1:])
    return indptr, np.array([column for row in rows for column in row], dtype=dtype)


@given(rows=column_sets(), dtype=WIDTHS, width=st.integers(1, 300))
def test_rows_are_ordered_as_their_twin_does(rows, dtype, width):
    indptr, indices = flatten(rows, dtype)
    order = np.empty(len(rows), dtype=np.int32)
    starts = np.empty(200 // width + 3, dtype=np.int64)
    _core.order_by_middle(indptr, indices, width, np.empty(len(rows), np.int32), starts, order)
    assert order.tolist() == _reference.order_by_middle(rows, width)
    copied = [rows[row] for row in order]
    copies = np.empty_like(indices)
    _core.order_rows(indptr, indices, order, flatten(copied, dtype)[0], copies)
    assert copies.tolist() == flatten(copied, dtype)[1].tolist()


@given(rows=column_sets(), dtype=WIDTHS, rank_dtype=st.sampled_from([np.uint32, np.int64]))
def test_columns_in_use_and_their_lists_equal_their_twins(rows, dtype, rank_dtype):
    indptr, indices = flatten(rows, dtype)
    used = np.empty(2 * (200 // 64 + 1), dtype=np.uint64)
    n_used = _core.mark_used(indices, used)
    assert used.tolist() == _reference.mark_used(indices.tolist(), 200)
    offsets = np.full(n_used + 2, 99)
    places = np.empty(len(indices), dtype=np.int32)
    ranks = np.empty(len(indices), dtype=rank_dtype)
    _core.post_rows(indptr, indices, used, ranks, offsets, places)
    lists = [places[i:j].tolist() for i, j in pairwise(offsets[:-1])]
    assert lists == _reference.post_rows(rows)


@given(
    sides=st.tuples(column_sets(max_rows=9), column_sets()),
    least=RATIOS,
    of_union=st.booleans(),
    wide=st.booleans(),
    few=st.integers(1, 50),
    short_list=st.integers(0, 3),
    n_threads=st.sampled_from([1, 2, 5]),
)
def test_overlaps_equal_their_twin(*, sides, least, of_union, wide, few, short_list, n_threads):
    queries, rows = (pack([dict.fromkeys(row, 1.0) for row in side], 200) for side in sides)
    if wide:
        queries, rows = widen(queries), widen(rows)
    small = {"SHORT_LIST": short_list, "MATCHES_HELD": few, "LISTS_HELD": few, "_BLOCK_ROWS": few}
    tally = np.zeros(3, dtype=np.int64)
    with patch.multiple(overlaps, **small):
        join = OverlapJoin(queries, OrderedPostings.from_rows(rows, "b"), least, of_union)
        found = join.run(n_threads=n_threads, tally=tally)
    pairs = sorted(zip(*(column.tolist() for column in found), strict=True))
    assert pairs == _reference.find_overlaps(*sides, least, of_union=of_union)
    assert tally[0] >= tally[1] >= tally[2] >= len(pairs)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), unique=True, max_size=40),
    data=st.data(),
)
def test_pairs_are_ordered_as_their_twin_does(pairs, data):
    a_rows, b_rows = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    values = st.lists(
        st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=len(pairs), max_size=len(pairs)
    )
    scores = np.array(data.draw(values), dtype=np.float64)
    seconds = np.array(data.draw(values), dtype=np.float64)
    for others in (seconds, np.empty(0)):
        ends, order = np.empty(5, dtype=np.int64), np.empty(len(pairs), dtype=np.int64)
        _core.order_pairs(a_rows, b_rows, scores, others, ends, order)
        expected = _reference.order_pairs(
            a_rows.tolist(), b_rows.tolist(), scores.tolist(), others.tolist() or None
        )
        assert order.tolist() == expected
        assert ends[:4].tolist() == [int(np.count_nonzero(a_rows <= row)) for row in range(4)]


@given(
    n_bands=st.integers(1, 4),
    n_rows=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    band=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_pairs_that_met_equal_their_twin(n_bands, n_rows, band, seed):
    band = min(band, n_bands)
    rng = np.random.default_rng(seed)
    keys = [rng.integers(0, 3, (n, n_bands)).astype(np.uint32) for n in n_rows]
    a_rows, b_rows = (grid.ravel() for grid in np.indices(n_rows))
    is_met = np.empty(len(a_rows), dtype=np.uint8)
    _core.find_met(keys[0].ravel(), a_rows, keys[1].ravel(), b_rows, n_bands, band, is_met)
    pairs = list(zip(a_rows.tolist(), b_rows.tolist(), strict=True))
    assert is_met.tolist() == _reference.find_met(*(k.tolist() for k in keys), pairs, band)


def map_read_only(rows, folder):
    """Put rows into files that can't be written to."""
    folder.mkdir()
    for name in ("indptr", "indices", "values"):
        object.__setattr__(rows, name, read_only_map(getattr(rows, name), folder / name))
    return rows


def test_read_only_maps_join_as_arrays_do(tmp_path):
    rng = np.random.default_rng(3)
    sides = [
        [{int(c): 1.0 for c in np.unique((50 * rng.random(8) ** 2).astype(int))} for _ in range(n)]
        for n in (40, 90)
    ]
    plain = [pack(side, 50) for side in sides]
    mapped = [map_read_only(pack(side, 50), tmp_path / str(i)) for i, side in enumerate(sides)]
    rarity = rng.random(50)
    for rank_by in ("jaccard", "rarity"):
        one, other = (
            find_candidates(*tables, partner_rarity=rarity, top_k=4, rank_by=rank_by)
            for tables in (plain, mapped)
        )
        assert len(one) == 160
        assert one.to_arrow() == other.to_arrow()
    lists = [OrderedPostings.from_rows(tables[1], "b") for tables in (plain, mapped)]
    found = [
        OverlapJoin(tables[0], index, 0.2).run(n_threads=1)
        for tables, index in zip((plain, mapped), lists, strict=True)
    ]
    assert len(found[0][0]) > 0
    for left, right in zip(*found, strict=True):
        assert left.tobytes() == right.tobytes()


def far_array(path, last, far):
    """Return an array that holds `last` from place `far` on, in a file that is nearly all hole."""
    last = np.array(last)
    with path.open("wb") as file:
        file.seek(last.itemsize * far)
        file.write(last.tobytes())
    return np.memmap(path, dtype=last.dtype, mode="r")


@pytest.mark.parametrize("by_rarity", [False, True])
def test_best_rows_with_offsets_beyond_32_bits(tmp_path, by_rarity):
    """Lists, rows and values that begin 2**32 entries in."""
    far = 2**32 + 7
    starts = np.array([far, far + 2, far + 4])
    columns = far_array(tmp_path / "columns", np.array([1, 2, 1, 3], np.int32), far)
    index = OrderedPostings(
        order=np.array([0, 1], np.int32),
        starts=starts,
        columns=columns,
        used=np.array([0b1111, 0], np.uint64),
        offsets=np.array([0, far, far + 2, far + 3, far + 4]),
        places=far_array(tmp_path / "places", np.array([0, 1, 0, 1], np.int32), far),
        n_cols=4,
    )
    object.__setattr__(index, "mean_list", 2.0)
    b = types.SimpleNamespace(
        indptr=starts,
        indices=columns,
        values=far_array(tmp_path / "values", np.array([1.0, 2.0, 3.0, 4.0]), far),
        n_rows=2,
    )
    a = types.SimpleNamespace(
        indptr=starts[:2], indices=columns, values=b.values, n_rows=1, n_entries=2, n_cols=4
    )
    object.__setattr__(index, "sizes", np.array([2, 2], np.int32))
    join = BestJoin(
        a, b, index, np.ones(4), np.array([3.0]), np.array([3.0, 7.0]), 2, by_rarity=by_rarity
    )
    with patch.multiple(
        BestJoin,
        _hubs=(np.empty(0, np.int64), np.empty(0, np.uint64)),
        _classes=(np.array([2]), np.array([0, 2])),
    ):
        pairs = join.run(block_rows=8, n_threads=1)
    assert pairs.b_rows.tolist() == [0, 1]
    assert pairs.n_shared.tolist() == [2, 1]
    assert pairs.tfidf_jaccard.tolist() == [1.0, 1.0 / 9.0]
    if by_rarity:
        assert pairs.weighted_overlap.tolist() == [2.0, 1.0]


def test_places_are_ordered_by_classes_of_size():
    rng = np.random.default_rng(4)
    rows = pack(
        [{int(c): 1.0 for c in rng.choice(300, n, replace=False)} for n in rng.integers(0, 99, 80)],
        300,
    )
    sizes = np.diff(rows.indptr)[order_by_size(rows)]
    classes = joins._size_classes(sizes)
    assert sorted(order_by_size(rows).tolist()) == list(range(80))
    assert (np.diff(classes) >= 0).all()
    for low, high in pairwise(sizes):
        assert low <= 1.2 * high


def test_what_does_not_fit_is_refused():
    rows = pack([{0: 1.0, 1: 1.0}] * 3, 2)
    with patch.object(postings, "_MAX_ROWS", 2), pytest.raises(ParameterError, match="at most 2"):
        OrderedPostings.from_rows(rows, "b")
    with (
        patch.object(joins, "_MOST_PARTNERS", 1),
        pytest.raises(ParameterError, match="`rank_by` 'rarity' takes rows of at most 1 partners"),
    ):
        find_candidates(rows, rows, partner_rarity=[1.0, 1.0], top_k=1, rank_by="rarity")
