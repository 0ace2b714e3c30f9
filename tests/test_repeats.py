"""Calls delivered more than once count once."""

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chanfp
from call_cases import as_entries, as_words, entries
from carriers import CDR_HEADER, FRIENDS, OLD, SUBSCRIBER_HEADER, returner_calls, subscriber_rows
from chanfp import ParameterError, _reference
from chanfp._reference import Entry
from chanfp.calls import CallStore
from chanfp.repeats import check_tolerance, find_repeats

tolerances = st.sampled_from([0, 1, 2, 3600])


def drop(found, tolerance_s, *, max_bytes=None):
    """Hand entries to a store and take them out again; return them and how many records fell."""
    holdings, words = as_words(found)
    n_calls = np.bincount(holdings, minlength=200).astype(np.int64)
    kept = []
    with CallStore(200, max_bytes=max_bytes, tolerance_s=tolerance_s) as store:
        store.add(store.partition(holdings, words))
        for partition in range(store.n_partitions):
            calls = store.calls(partition, n_calls)
            owners = np.repeat(np.arange(calls.first, calls.stop), np.diff(calls.indptr))
            kept += as_entries(owners, calls.words)
        return kept, int(store.n_repeats.sum())


@given(found=entries)
def test_words_hold_all_of_a_call(found):
    assert as_entries(*as_words(found)) == found


@given(found=entries, tolerance_s=tolerances, max_bytes=st.sampled_from([None, 0]))
def test_dropping_equals_its_twin(found, tolerance_s, max_bytes):
    kept, n_records = drop(found, tolerance_s, max_bytes=max_bytes)
    expected, expected_records = _reference.drop_repeats(found, tolerance_s)
    assert Counter(kept) == Counter(expected)
    assert n_records == expected_records


@given(found=entries, tolerance_s=tolerances)
def test_finding_drops_the_same(found, tolerance_s):
    holdings, words = as_words(found)
    ties = (np.zeros(len(found), np.int64),)
    order, originals = find_repeats(
        holdings.astype(np.int64), words[::2].copy(), words[1::2].copy(), ties, tolerance_s
    )
    kept = order[originals == np.arange(len(order))]
    expected, _ = _reference.drop_repeats(found, tolerance_s)
    places = [(entry.holding, entry.partner, entry.start_s) for entry in expected]
    assert Counter(found[at][:3] for at in kept) == Counter(places)


def test_many_calls_of_one_holding():
    rng = np.random.default_rng(7)
    columns = [rng.integers(0, high, 700).tolist() for high in (9, 300, 2, 2)]
    found = [
        Entry(0, 1 + partner, start_s, 5, outgoing, is_message)
        for partner, start_s, outgoing, is_message in zip(*columns, strict=True)
    ]
    expected = Counter(_reference.drop_repeats(found, 1)[0])
    assert 100 < expected.total() < 700
    for one_order in (found, sorted(found), sorted(found)[::-1]):
        assert Counter(drop(one_order, 1)[0]) == expected


def calls_at(*times_and_seconds):
    return [Entry(0, 7, start_s, seconds, 1) for start_s, seconds in times_and_seconds]


@pytest.mark.parametrize(
    ("calls", "tolerance_s", "kept"),
    [
        (calls_at((5, 60), (5, 60), (5, 60)), 0, [(5, 60)]),
        (calls_at((5, 60), (6, 60)), 0, [(5, 60), (6, 60)]),
        (calls_at((5, 60), (5, 61)), 0, [(5, 60), (5, 61)]),
        (calls_at((5, 60), (6, 61)), 1, [(5, 60)]),
        # A chain: each is compared with what is kept.
        (calls_at((4, 60), (0, 60), (2, 60)), 2, [(0, 60), (4, 60)]),
        # Two calls by turns, each delivered twice.
        (calls_at((0, 60), (1, 5), (2, 60), (2, 5)), 2, [(0, 60), (1, 5)]),
        # An unknown talk time fits any, but two known ones remain two.
        (calls_at((5, -1), (5, 60), (5, 600)), 0, [(5, 60), (5, 600)]),
        (calls_at((4, -1), (5, 60), (5, 600)), 1, [(4, 60), (5, 600)]),
        (calls_at((5, -1), (5, -1)), 0, [(5, -1)]),
    ],
)
def test_what_counts_as_one_call(calls, tolerance_s, kept):
    for one_order in (calls, calls[::-1]):
        found, n_records = drop(one_order, tolerance_s)
        assert sorted((entry.start_s, entry.seconds) for entry in found) == kept
        assert n_records == len(calls) - len(kept)


def test_kind_and_direction_tell_calls_apart():
    calls = [
        Entry(0, 7, 5, 1, 0, is_message=0),
        Entry(0, 7, 5, 1, 0, is_message=1),
        Entry(0, 7, 5, 1, 1, is_message=0),
        Entry(0, 8, 5, 1, 1, is_message=0),
        Entry(1, 7, 5, 1, 1, is_message=0),
    ]
    assert Counter(drop(calls, 3600)[0]) == Counter(calls)


@pytest.mark.parametrize("dedupe_s", [-1, 3601, float("nan")])
def test_the_tolerance_is_checked(dedupe_s):
    with pytest.raises(ParameterError, match=r"`dedupe_s` must be from 0 to 3,600 seconds"):
        check_tolerance(dedupe_s)


def test_a_tolerance_in_whole_seconds():
    assert [check_tolerance(value) for value in (None, 0, 2.9)] == [None, 0, 2]


def as_table(rows):
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in range(len(CDR_HEADER))]
    return pa.table(columns, names=list(CDR_HEADER))


def matched(rows, **settings):
    people = pa.table(
        [pa.array(column, pa.string()) for column in zip(*subscriber_rows(), strict=True)],
        names=list(SUBSCRIBER_HEADER),
    )
    fingerprints = chanfp.build_fingerprints(as_table(rows), people, **settings)
    return chanfp.Matcher(n_threads=settings.get("n_threads")).fit(fingerprints).match()


@pytest.mark.parametrize("settings", [{}, {"n_threads": 3, "memory_limit": 1}])
def test_a_file_delivered_twice_changes_nothing_when_told(settings):
    once = returner_calls()
    # The second exchange sees the call a second later, and only it knows the cell.
    again = [(*row[:2], stamp_later(row[2]), *row[3:]) for row in once]
    rows = [(*row[:5], "", row[6]) for row in once] + again
    rows = [rows[at] for at in np.random.default_rng(3).permutation(len(rows))]
    expected, plain = untimed(matched(once)), matched(rows)
    assert not untimed(plain).equals(expected)
    assert plain.summary["records"]["duplicates"] == 0
    found = matched(rows, dedupe_s=1, **settings)
    assert untimed(found).equals(expected)
    assert found.summary["records"]["duplicates"] == len(once)
    assert matched(rows, dedupe_s=0).summary["records"]["duplicates"] == 0


def untimed(matches):
    """Leave out what hangs on the very last second of a window."""
    return matches.table.drop_columns(
        ["gap_days", "days_observed_new", "days_observed_old", "volume_ratio"]
    )


def stamp_later(text):
    return (datetime.fromisoformat(text) + timedelta(seconds=1)).isoformat(sep=" ")


def test_names_of_repeats_dont_hang_on_their_order():
    calls = returner_calls()
    again = [(*row[:5], "c9", row[6]) for row in calls[::2]]
    forward = matched(calls + again, dedupe_s=0)
    assert matched((calls + again)[::-1], dedupe_s=0).table.equals(forward.table)


def test_an_absurd_duration_is_unknown():
    rows = [(*row[:3], str(8 * 86_400), *row[4:]) for row in returner_calls()]
    summary = matched(rows).summary
    assert summary["records"]["notes"] == {"duration-absurd": len(rows)}


def test_two_sides_of_a_call_are_no_repeat():
    rows = []
    for caller, callee, *rest in returner_calls():
        rows.append((caller, "out", callee, *rest))
        rows.append((callee, "in", caller, *rest))
    names = ["subscriber", "direction", "other_party", *CDR_HEADER[2:]]
    people = sorted({row[0] for row in rows})
    table = pa.table(
        {
            "subscriber": people,
            "activated_at": [""] * len(people),
            "departed_at": [""] * len(people),
        }
    )

    def build(rows):
        cdrs = pa.table([list(column) for column in zip(*rows, strict=True)], names=names)
        return chanfp.build_fingerprints(cdrs, table, dedupe_s=0)

    once, twice = build(rows), build(rows + rows[::-1])
    assert (once.n_duplicates, twice.n_duplicates) == (0, len(rows))
    assert once.active.matrix.data.tolist() == twice.active.matrix.data.tolist()


def test_a_record_that_both_sides_have_counts_once():
    """Both parties of these calls are subscribers, so each record gives two entries."""
    rows = [row for row in returner_calls() if {row[0], row[1]} <= {OLD, FRIENDS[0]}]
    people = [(OLD, "", ""), (FRIENDS[0], "", "")]
    table = pa.table(
        [pa.array(column, pa.string()) for column in zip(*people, strict=True)],
        names=list(SUBSCRIBER_HEADER),
    )
    found = chanfp.build_fingerprints(as_table(rows * 3), table, dedupe_s=0)
    assert found.n_duplicates == 2 * len(rows) > 0
