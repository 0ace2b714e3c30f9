"""What an inspection is made of: ties, days and text, each against something obvious."""

from collections import Counter, defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chanfp import _core, _reference
from chanfp.errors import DataError
from chanfp.inspection.days import DaySurvey
from chanfp.inspection.shuffle import Shuffle
from chanfp.inspection.ties import IN, OUT, Ties
from chanfp.span import MOST_DAYS
from chanfp.terminal import bar, block, cut, display_width, grid, plain, share, wrap

KEYS = st.one_of(st.integers(1, 5), st.sampled_from([2**64 - 1, 2**63, 8613912345678]))
ties = st.lists(st.tuples(KEYS, KEYS, st.sampled_from([OUT, IN])), max_size=60)


@given(ties)
def test_each_tie_is_kept_once(entries):
    words = np.array([entry[:2] for entry in entries], np.uint64).reshape(-1)
    ways = np.array([entry[2] for entry in entries], np.uint8)
    slots = np.zeros(max(2, 1 << (2 * len(entries)).bit_length()), np.int32)
    n_ties = _core.unite_ties(words, ways, slots)
    found = zip(words[::2].tolist(), words[1::2].tolist(), ways.tolist(), strict=True)
    assert list(found)[:n_ties] == _reference.unite_ties(entries)


def expected_survey(entries, is_served):
    """Count ties the slow way: degrees, hubs, and who never calls or is never called."""
    partners, ways = defaultdict(set), defaultdict(int)
    for subscriber, partner, way in entries:
        partners[subscriber].add(partner)
        ways[subscriber] |= way
    people = {who for who in partners if is_served or ways[who] & OUT}
    callers = defaultdict(set)
    for subscriber, partner, way in entries:
        if way == OUT:
            callers[partner].add(subscriber)
    return (
        Counter(len(partners[who]) for who in people),
        sorted(((key, len(who)) for key, who in callers.items()), key=lambda t: (-t[1], t[0])),
        sum(ways[who] == IN for who in people),
        sum(ways[who] == OUT for who in people),
    )


@settings(max_examples=25)
@given(ties, st.booleans(), st.sampled_from([1, 3]), st.sampled_from([0, 1 << 20]))
def test_partners_and_hubs_are_exact(entries, is_served, n_threads, max_bytes):
    degrees, hubs, n_never_calling, n_never_called = expected_survey(entries, is_served)
    with Ties(is_served=is_served, max_bytes=max_bytes) as kept:
        for subscriber, partner, way in entries:
            kept.add(
                np.array([subscriber], np.uint64),
                np.array([partner], np.uint64),
                is_calling=way == OUT,
            )
        found = kept.survey(3, n_threads=n_threads)
    assert found.degrees == degrees
    assert found.n_subscribers == sum(degrees.values())
    assert found.n_ties == sum(degree * count for degree, count in degrees.items())
    assert (found.n_never_calling, found.n_never_called) == (n_never_calling, n_never_called)
    pairs = zip(found.hub_keys.tolist(), found.hub_subscribers.tolist(), strict=True)
    assert list(pairs) == hubs[:3]


def test_quantiles_are_degrees_that_occur():
    with Ties(is_served=True, max_bytes=1 << 20) as kept:
        for subscriber in range(1, 101):
            partners = np.arange(1000, 1000 + subscriber, dtype=np.uint64)
            kept.add(np.full(subscriber, subscriber, np.uint64), partners, is_calling=True)
        found = kept.survey(1)
    assert [found.quantile(share) for share in (0, 0.05, 0.5, 0.99, 1)] == [1, 5, 50, 99, 100]


def test_spilled_rows_come_back_and_leave_nothing(tmp_path):
    rows = np.arange(1, 20_001, dtype=np.uint64).reshape(-1, 2)
    shuffle = Shuffle(2, max_bytes=10_000, temp_dir=str(tmp_path))
    for start in range(0, len(rows), 1000):
        shuffle.add(rows[start : start + 1000])
    assert shuffle.n_spilled > 5_000
    parts = [shuffle.take(partition) for partition in range(Shuffle.N_PARTITIONS)]
    assert max(len(part) for part in parts) < 3 * len(rows) / Shuffle.N_PARTITIONS
    assert sorted(map(tuple, np.concatenate(parts))) == list(map(tuple, rows))
    shuffle.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_spilled_rows_is_named(tmp_path):
    shuffle = Shuffle(1, max_bytes=0, temp_dir=str(tmp_path / "gone"))
    with pytest.raises(DataError, match="gone: temporary files can't be written there: No such"):
        shuffle.add(np.ones((1, 1), np.uint64))


def survey_days(counts):
    days = np.zeros(MOST_DAYS, np.int64)
    for day, n_records in counts.items():
        days[(day - date(1970, 1, 1)).days] = n_records
    return DaySurvey.of(days)


def test_missing_and_thin_days_are_found():
    start = date(2024, 1, 1)
    counts = {start + timedelta(days=n): 100 for n in range(20) if n not in (4, 10, 11)}
    counts[start] = 1  # an export that begins in the middle of a day
    counts[start + timedelta(days=7)] = 33
    counts[start + timedelta(days=8)] = 34
    found = survey_days(counts)
    assert (found.first, found.last, found.median) == (start, date(2024, 1, 20), 100)
    assert [str(span) for span in found.missing] == ["2024-01-05", "2024-01-11 to 2024-01-12"]
    assert [(str(span), span.n_records) for span in found.thin] == [("2024-01-08", 33)]
    assert found.strays == ()


def test_stray_times_do_not_stretch_the_span():
    counts = {date(2024, 1, 1) + timedelta(days=n): 100 for n in range(30)}
    found = survey_days({date(1970, 1, 1): 2, **counts, date(2099, 5, 6): 1, date(2099, 5, 7): 3})
    assert (found.first, found.last) == (date(2024, 1, 1), date(2024, 1, 30))
    assert [(str(span), span.n_records) for span in found.strays] == [
        ("1970-01-01", 2),
        ("2099-05-06 to 2099-05-07", 4),
    ]
    assert found.missing == []
    halves = survey_days({date(2020, 1, 1): 1000, **counts})
    assert halves.first == date(2020, 1, 1)  # too many to be stray: a hole is pointed out
    assert [str(span) for span in halves.missing] == ["2020-01-02 to 2023-12-31"]


def test_no_day_at_all():
    found = survey_days({})
    assert (found.first, found.last, found.median, found.missing, found.thin) == (
        None, None, 0, [], []
    )  # fmt: skip


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40))
def test_every_record_is_in_the_span_or_stray(times):
    days = np.zeros(MOST_DAYS, np.int64)
    _core.count_days(np.array(times, np.int64), days)
    found = DaySurvey.of(days)
    assert found.per_day.sum() + sum(span.n_records for span in found.strays) == len(times)


def test_text_fits_its_width():
    assert display_width("主叫号码 x") == 10
    assert cut("主叫号码", 8) == "主叫号码"
    assert cut("主叫号码", 6) == "主叫…"
    assert cut("a\x1b[31mb\n", 20) == "a�[31mb�"
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("in /a/long/path\t.", 6) == ["in", "/a/lon", "g/path", "�."]
    rows = [("主叫", "1", "a long remark"), ("b", "100", "short")]
    assert plain(grid(rows, "<><", 20)).splitlines() == [
        "  主叫    1  a long…",
        "  b     100  short",
    ]


def test_bars_and_shares_never_hide_what_is_there():
    assert [bar(value, 100, 10) for value in (0, 0.001, 50, 100)] == ["", "▏", "█" * 5, "█" * 10]
    assert "".join(block(value, 8) for value in range(1, 9)) == "▁▂▃▄▅▆▇█"
    assert [share(part, 100_000) for part in (0, 1, 99_999, 100_000)] == [
        "0.0 %", "< 0.1 %", "> 99.9 %", "100.0 %"
    ]  # fmt: skip
