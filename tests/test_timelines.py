"""Days active per week, against a count one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chanfp
from call_cases import as_words, entries
from chanfp import _core, _reference
from slow_matches import DAY_S
from town import START_S, call_table, holder_table, random_town, town_calls, town_holders


@given(entries, st.integers(0, 3))
def test_counting_days_equals_its_twin(found, first_day):
    """One second of the case is a third of a day, within three weeks."""
    third_s = DAY_S // 3
    found = [one._replace(start_s=one.start_s % 63 * third_s + first_day * DAY_S) for one in found]
    found.sort(key=lambda one: one.holding)
    holdings, words = as_words(found)
    n = int(holdings.max(initial=0)) + 2
    indptr = np.searchsorted(holdings, np.arange(n + 1)).astype(np.int64)
    n_weeks = 3
    rows = np.arange(n - 1, -1, -2)
    seen, days = np.zeros(7 * n_weeks, np.uint8), np.zeros(len(rows) * n_weeks, np.uint8)
    _core.count_active_days(indptr, words, rows, first_day, seen, days)
    expected = _reference.count_active_days(found, first_day)
    for row, weeks in zip(rows.tolist(), days.reshape(len(rows), n_weeks).tolist(), strict=True):
        assert dict(expected.get(row, {})) == {at: n for at, n in enumerate(weeks) if n}
    assert not seen.any()


def slow_days(calls, holder, reference_s):
    """Return the days of each week on which a holder showed a sign of life to a subscriber."""
    days = set()
    for call in calls:
        begin, end = holder.activated_s or -(2**40), holder.departed_s or 2**40
        if call.start_s > reference_s or not begin <= call.start_s <= end or "10086" in call:
            continue
        heard = call.kind != "call" or (call.duration_s or 0) > 0
        if call.caller == holder.number or (call.callee == holder.number and heard):
            days.add((call.start_s - START_S) // DAY_S)
    return days


def assert_counted(calls, holders, **settings):
    found = chanfp.build_fingerprints(call_table(calls), holder_table(holders), **settings)
    counted = found.timelines
    begin = counted.start_s // DAY_S - START_S // DAY_S
    assert begin == min(call.start_s for call in calls) // DAY_S - START_S // DAY_S
    rows = found.subscriptions.rows[counted.holdings].tolist()
    for row, weeks in zip(rows, counted.days.tolist(), strict=True):
        days = slow_days(calls, holders[row], found.activity.reference_s)
        expected = [0] * len(weeks)
        for day in days:
            expected[(day - begin) // 7] += 1
        assert weeks == expected, holders[row]
    return found


def test_days_of_the_town():
    found = assert_counted(
        [call for call in town_calls() if call.callee != "110"],
        town_holders(),
        window_days=20,
        new_days=25,
    )
    wanted = np.concatenate([found.old.role.holdings, found.new.role.holdings])
    assert found.timelines.days.sum() > 80
    assert set(found.timelines.holdings.tolist()) == set(wanted.tolist())
    assert [len(weeks) for weeks in found.timelines.of(wanted[::-1])] == [11] * len(wanted)


@pytest.mark.parametrize("seed", range(12))
def test_days_of_random_towns(seed):
    calls, holders = random_town(seed)
    assert_counted(calls, holders, window_days=8, new_days=20, memory_limit=100_000)


def test_nobody_has_no_days():
    nothing = call_table(town_calls()[:1]).slice(1)
    found = chanfp.build_fingerprints(nothing, holder_table(town_holders()))
    assert found.timelines.days.shape == (0, 1)
