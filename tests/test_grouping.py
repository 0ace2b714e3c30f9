"""Calls screened, gathered and grouped: the kernels against their twins."""

import contextlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_cases import KEYS, SECONDS, as_entries, as_words, entries
from chanfp import _core, _reference
from chanfp._reference import Call, Entry, Holding
from chanfp.activity import NEVER_S, _Notes
from chanfp.calls import CallStore
from chanfp.cleaning import CleanCalls
from chanfp.grouping import group_calls
from chanfp.keys import KeyTable, distinct_keys
from chanfp.roles import Role
from chanfp.subscriptions import Subscriptions


@st.composite
def holding_lists(draw):
    """Holdings by key and time, with periods of one key that don't overlap."""
    holdings = []
    for key in sorted(draw(st.sets(KEYS, max_size=5))):
        ends = sorted(draw(st.sets(st.integers(0, 22), max_size=6)))
        holdings += [Holding(key, *period) for period in zip(ends[::2], ends[1::2], strict=False)]
    return holdings


calls = st.lists(
    st.builds(
        Call,
        caller=st.one_of(st.just(0), KEYS),
        callee=KEYS,
        start_s=SECONDS,
        duration_s=st.one_of(st.integers(-1, 3), st.just(2**28 - 1)),
        is_message=st.booleans(),
        is_pair=st.booleans(),
        served=st.integers(1, 3),
    ),
    max_size=80,
)


def as_subscriptions(holdings):
    keys = np.array([holding.key for holding in holdings], np.uint64)
    first = np.unique(keys, return_index=True)[1]
    return Subscriptions(
        rows=np.arange(len(keys)),
        keys=keys,
        periods=np.array([holding[1:] for holding in holdings], np.int64).reshape(-1),
        is_departed=np.zeros(len(keys), bool),
        table=KeyTable.of(keys[first], first.astype(np.int64)),
        unusable=Counter(),
    )


def run_gather(rows, holdings, reference_s):
    columns = list(zip(*rows, strict=True)) or [()] * 7
    dtypes = (np.uint64, np.uint64, np.int64, np.int32, np.uint8, np.uint8, np.uint8)
    arrays = [np.array(c, dtype) for c, dtype in zip(columns, dtypes, strict=True)]
    subscriptions = as_subscriptions(holdings)
    notes = _Notes(subscriptions)
    found, words = np.empty(2 * len(rows), np.int32), np.empty(4 * len(rows), np.uint64)
    n_entries = _core.gather_calls(
        *arrays,
        subscriptions.table.slots,
        reference_s,
        notes.signs.reshape(-1),
        notes.alive_later,
        notes.tally,
        found,
        words,
    )
    gathered = as_entries(found[:n_entries], words[: 2 * n_entries])
    return gathered, notes.signs, notes.alive_later, notes.tally


@given(rows=calls, seed=st.integers(0, 99))
def test_the_chosen_rows_are_those_of_masks(rows, seed):
    columns = list(zip(*rows, strict=True)) or [()] * 7
    dtypes = (np.uint64, np.uint64, np.int64, np.int32, bool, bool, np.uint8)
    arrays = [np.array(c, dtype) for c, dtype in zip(columns, dtypes, strict=True)]
    chosen = np.random.default_rng(seed).random(len(rows)) < 0.5
    cells = pa.array([str(n) for n in range(len(rows))], pa.string())
    found = CleanCalls(*arrays, {"cell": cells}).only(chosen)
    for name, array in zip(Call._fields, arrays, strict=True):
        kept = getattr(found, name)
        assert (kept.dtype, kept.tolist()) == (array.dtype, array[chosen].tolist())
    assert found.extra["cell"].to_pylist() == cells.filter(pa.array(chosen)).to_pylist()


@given(rows=calls, holdings=holding_lists(), reference_s=st.integers(0, 25))
def test_gathering_equals_its_twin(rows, holdings, reference_s):
    found, signs, alive_later, tally = run_gather(rows, holdings, reference_s)
    expected, own, seen, later, counted = _reference.gather_calls(rows, holdings, reference_s)
    assert found == expected
    assert set(np.flatnonzero(alive_later)) == later
    assert tuple(tally) == counted
    for holding in range(len(holdings)):
        assert signs[holding, :4].tolist() == [
            min(own[holding], default=NEVER_S),
            max(own[holding], default=-NEVER_S),
            min(seen[holding], default=NEVER_S),
            max(seen[holding], default=-NEVER_S),
        ]
        assert signs[holding, 4] == sum(entry.holding == holding for entry in found)


def stored(found, store):
    """Hand entries to a store in three parts; return how many calls each holding has."""
    holdings, words = as_words(found)
    for third in np.array_split(np.arange(len(found)), 3):
        start, stop = (third[0], third[-1] + 1) if len(third) else (0, 0)
        store.add(store.partition(holdings[start:stop], words[2 * start : 2 * stop]))
    return np.bincount(holdings, minlength=store.n_holdings).astype(np.int64)


def run_group(found, windows, *, n_holdings=5, max_bytes=None, n_threads=1):
    with CallStore(n_holdings, max_bytes=max_bytes) as store:
        n_calls = stored(found, store)
        pieces, _ = group_calls(store, n_calls, [as_role(windows)], n_threads=n_threads)
    return [piece for (piece,) in pieces]


def as_role(windows):
    holdings, first_s, last_s = np.array(windows, np.int64).reshape(-1, 3).T.copy()
    return Role("test", holdings, holdings, first_s, last_s)


def as_rows(pieces):
    rows = []
    for piece in pieces:
        columns = (piece.partners, piece.calls, piece.seconds, piece.outgoing)
        entries = list(zip(*(column.tolist() for column in columns), strict=True))
        bounds = [0, *np.cumsum(piece.n_partners).tolist()]
        rows += [entries[start:stop] for start, stop in pairwise(bounds)]
    return rows


windows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 20), st.integers(0, 2**32)), max_size=8
)


@given(
    found=entries,
    windows=windows,
    n_holdings=st.sampled_from([5, 64, 65, 300]),
    max_bytes=st.sampled_from([None, 0, 600]),
    n_threads=st.integers(1, 3),
)
def test_grouping_equals_its_twin(found, windows, n_holdings, max_bytes, n_threads):
    windows = sorted(windows)
    grouped = run_group(
        found, windows, n_holdings=n_holdings, max_bytes=max_bytes, n_threads=n_threads
    )
    assert as_rows(grouped) == _reference.group_calls(found, windows)


@given(found=entries, windows=windows, n_holdings=st.sampled_from([5, 300]))
def test_who_is_seen_in_one_of_two_windows_only_is_left_out_of_both(found, windows, n_holdings):
    windows = sorted({holding: window for holding, *window in windows}.items())
    early = [(holding, first_s, last_s) for holding, (first_s, last_s) in windows]
    late = [(holding, last_s, last_s + 9) for holding, (_, last_s) in windows]
    with CallStore(n_holdings) as store:
        n_calls = stored(found, store)
        roles = [as_role(early), as_role(early), as_role(late)]
        pieces, (volumes,) = group_calls(store, n_calls, roles, pairs=[(1, 2)])
    expected = [_reference.group_calls(found, one) for one in (early, late)]
    is_seen = volumes.min(axis=1) > 0
    assert is_seen.tolist() == [bool(one and other) for one, other in zip(*expected, strict=True)]
    assert as_rows(piece for piece, _, _ in pieces) == expected[0]
    for place, rows in enumerate(expected, 1):
        kept = [row for row, seen in zip(rows, is_seen, strict=True) if seen]
        assert as_rows(of_role[place] for of_role in pieces) == kept


def random_entries(n_entries, n_partners):
    rng = np.random.default_rng(5)
    highs = (50, n_partners, 1000, 600, 2)
    columns = [
        rng.integers(low, high, n_entries) for low, high in zip((0, 1, 0, 0, 0), highs, strict=True)
    ]
    return [Entry(*map(int, row)) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("n_threads", [1, 2, 7])
@pytest.mark.parametrize("max_bytes", [None, 0, 20_000])
def test_threads_and_spilling_change_nothing(n_threads, max_bytes):
    found = random_entries(5000, 40)
    windows = [(holding, 100, 800) for holding in range(50)]
    expected = run_group(found, windows, n_holdings=400)
    changed = run_group(found, windows, n_holdings=400, n_threads=n_threads, max_bytes=max_bytes)
    for name in ("n_partners", "partners", "calls", "seconds", "outgoing"):
        for one, other in zip(expected, changed, strict=True):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_spilled_calls_are_gone_afterwards(tmp_path):
    for error in (None, KeyboardInterrupt):
        with (
            contextlib.suppress(KeyboardInterrupt),
            CallStore(50, max_bytes=0, temp_dir=str(tmp_path)) as store,
        ):
            stored(random_entries(100, 9), store)
            assert store.n_spilled == 100
            assert any(tmp_path.iterdir())
            if error is not None:
                raise error
        assert not any(tmp_path.iterdir())


def test_no_calls_and_no_rows():
    assert as_rows(run_group([], [(3, 0, 9)])) == [[]]
    assert as_rows(run_group([], [])) == []
    assert as_rows(run_group([], [], n_holdings=0)) == []


def test_a_row_of_one_partner_and_one_of_very_many():
    found = [Entry(0, 5, 1, 1, 1)] * 3
    found += [Entry(1, partner, 1, 2, 0) for partner in range(100_000, 0, -1)]
    rows = as_rows(run_group(found, [(0, 0, 9), (1, 0, 9)]))
    assert rows[0] == [(5, 3, 3, 3)]
    assert rows[1] == [(partner, 1, 2, 0) for partner in range(1, 100_001)]


@given(
    rows=st.lists(
        st.tuples(
            st.tuples(st.integers(0, 3), st.integers(0, 3)),
            st.tuples(st.integers(0, 4), st.integers(0, 4)),
            st.sampled_from([-1, 0, 5, 6, 2**32 - 1, 2**32]),
            st.integers(0, 4),
            st.integers(-2, 1),
        ),
        max_size=60,
    ),
    span=st.sampled_from([(0, 2**32 - 1), (5, 5), (1, 6)]),
)
def test_screening_equals_its_twin(rows, span):
    faults = {3, 4}
    flags = np.zeros(256, np.uint8)
    flags[list(faults)] = 1
    verdicts, tally = np.empty(len(rows), np.uint8), np.zeros(774, np.int64)
    first_rows, reasons = np.zeros(774, np.int64), np.empty(len(rows), np.uint16)
    columns = np.array([(*keys, *codes, *rest) for keys, codes, *rest in rows])
    columns = columns.reshape(-1, 7).T
    _core.screen_rows(
        *(columns[at].astype(np.uint64) for at in (0, 1)),
        *(columns[at].astype(np.uint8) for at in (2, 3)),
        flags,
        columns[6].astype(np.int8),
        columns[4].astype(np.int64),
        columns[5].astype(np.uint8),
        *span,
        verdicts,
        reasons,
        tally,
        first_rows,
    )
    expected = [
        _reference.screen_row(keys, codes, faults, direction, start, status, span)
        for keys, codes, start, status, direction in rows
    ]
    assert verdicts.tolist() == [verdict for verdict, _ in expected]
    names = [f"{party} {code}" for party in ("first", "second", "service") for code in range(256)]
    names += ["time missing", "time invalid", "own number"]
    names += ["direction missing", "direction unreadable", "time stray"]
    found = {name: count for name, count in zip(names, tally.tolist(), strict=True) if count}
    wanted = [reason for _, reason in expected]
    assert found == Counter(reason for reason in wanted if reason)
    assert [names[code] if code else "" for code in reasons.tolist()] == wanted
    for name, first in zip(names, first_rows.tolist(), strict=True):
        assert name not in found or first == wanted.index(name)


@given(parts=st.lists(st.lists(KEYS, max_size=30), max_size=4))
def test_distinct_keys_and_their_places(parts):
    arrays = [np.array(part, np.uint64) for part in parts]
    keys = distinct_keys(arrays)
    assert keys.tolist() == sorted({key for part in parts for key in part})
    table = KeyTable.of(keys, np.arange(len(keys)))
    assert table.find(keys).tolist() == list(range(len(keys)))
    absent = np.array([0, 7, 99], np.uint64)
    assert table.find(absent).tolist() == [-1, -1, -1]


def test_many_keys_grow_the_table():
    rng = np.random.default_rng(1)
    parts = [rng.integers(1, 2**50, 30_000).astype(np.uint64) for _ in range(5)]
    keys = distinct_keys([*parts, parts[0], np.zeros(0, np.uint64)])
    assert np.array_equal(keys, np.unique(np.concatenate(parts)))
    places = KeyTable.of(keys, np.arange(len(keys))).find(parts[3], n_threads=2)
    assert np.array_equal(keys[places], parts[3])
