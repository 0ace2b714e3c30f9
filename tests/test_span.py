"""The span of records: stray times left out, pauses bridged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _core, _reference
from chanfp.clock import DAY_S
from chanfp.span import MOST_DAYS, find_span

DAY_2024 = 19_723


def span_of(records):
    counts = np.zeros(MOST_DAYS, np.int64)
    for day, n_records in records.items():
        counts[day] = n_records
    span = find_span(counts)
    assert span.last_s % DAY_S == DAY_S - 1 or span.n_stray == 0
    return span.first_s // DAY_S, span.last_s // DAY_S, span.n_stray


MONTH = {DAY_2024 + day: 1000 for day in range(30)}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({}, (DAY_2024, DAY_2024 + 29, 0)),
        # One clock in 2042, one in 1970.
        ({26_300: 1, 0: 2}, (DAY_2024, DAY_2024 + 29, 3)),
        # A handful a fortnight ahead is stray, a real day after a pause is not.
        ({DAY_2024 + 45: 29}, (DAY_2024, DAY_2024 + 29, 29)),
        ({DAY_2024 + 45: 40}, (DAY_2024, DAY_2024 + 45, 0)),
        # A thin day right behind the others belongs to them.
        ({DAY_2024 + 36: 1}, (DAY_2024, DAY_2024 + 36, 0)),
        # What lies in between belongs, however little it is.
        ({DAY_2024 - 30: 1, DAY_2024 - 60: 500}, (DAY_2024 - 60, DAY_2024 + 29, 0)),
        # A batch of switches that lost their date: a year away even 4 in 100 are stray.
        ({0: 1200}, (DAY_2024, DAY_2024 + 29, 1200)),
        ({0: 2000}, (0, DAY_2024 + 29, 0)),
    ],
)
def test_stray_times_are_left_out(others, expected):
    assert span_of(MONTH | others) == expected


def test_few_records_are_not_stray_because_they_are_few():
    assert span_of({DAY_2024: 1, DAY_2024 + 50: 1, DAY_2024 + 300: 1}) == (
        DAY_2024,
        DAY_2024 + 300,
        0,
    )
    assert span_of({}) == (0, -1, 0)
    assert span_of({MOST_DAYS - 1: 1}) == (MOST_DAYS - 1, MOST_DAYS - 1, 0)


@given(st.lists(st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 86_399, 86_400]))))
def test_the_kernel_counts_days_as_its_twin_does(times):
    counts = np.zeros(MOST_DAYS, np.int64)
    counts[0] = 5
    _core.count_days(np.array(times, np.int64), counts)
    counts[0] -= 5
    found = {int(day): int(counts[day]) for day in np.flatnonzero(counts)}
    assert found == dict(_reference.count_days(times))
