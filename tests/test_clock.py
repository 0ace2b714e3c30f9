"""Time stamps and durations: the kernels against their twins, and whole columns."""

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _reference
from chanfp.clock import (
    DATE_ONLY,
    INVALID,
    MISSING,
    format_time,
    parse_time,
    read_durations,
    read_times,
)
from chanfp.errors import ColumnError, ParameterError

NEW_YEAR_2024_S = 1_704_067_200

time_like = st.one_of(
    st.text("0123456789-/: T.Z+z", max_size=30),
    st.text(max_size=12),
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ")),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.datetimes().map(lambda moment: f"{moment:%Y%m%d%H%M%S}"),
    st.dates().map(lambda day: f"{day.year}/{day.month}/{day.day} 7:05"),
    st.integers(-10, 10**14).map(str),
    st.from_regex(_reference.TIME_TEXT, fullmatch=True),
)
duration_like = st.one_of(
    st.text("0123456789:.- ", max_size=16),
    st.from_regex(_reference.DURATION_TEXT, fullmatch=True),
)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@given(texts=st.lists(time_like, max_size=20))
def test_times_equal_their_twin(kind, texts):
    seconds, status = read_times(pa.array(texts, kind), "column")
    expected = [_reference.parse_time(text) for text in texts]
    assert list(zip(seconds.tolist(), status.tolist(), strict=True)) == expected


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@given(texts=st.lists(duration_like, max_size=20))
def test_durations_equal_their_twin(kind, texts):
    seconds = read_durations(pa.array(texts, kind), "column")
    assert seconds.tolist() == [_reference.parse_duration(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01 00:00:00",
        "2024-01-01T00:00",
        "2024/1/1 0:00:00",
        "20240101000000",
        "1704067200",
        "1704067200999",
        "2024-01-01 00:00:00.999",
        "2024-01-01T08:00:00+08:00",
        "2023-12-31 19:00:00-0500",
        "2024-01-01T00:00:00Z",
        " 2024-01-01 00:00:00\t",
    ],
)
def test_every_form_of_one_moment_is_the_same(text):
    seconds, status = read_times(pa.array([text]), "column")
    assert seconds[0] == NEW_YEAR_2024_S
    assert status[0] in (0, 1)


@pytest.mark.parametrize(
    "text", ["2023-02-29", "2024-13-01", "2024-01-01 24:00:00", "24-01-01", "today", "2024-01/01"]
)
def test_what_is_no_time_is_invalid(text):
    _, status = read_times(pa.array([text]), "column")
    assert status[0] == INVALID


def test_typed_columns_are_times_too():
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    for column in (
        pa.array([moment, None], pa.timestamp("s")),
        pa.array([moment, None], pa.timestamp("ns", "UTC")),
        pa.array([date(2024, 1, 1), None]),
        pa.array([NEW_YEAR_2024_S, None]),
        pa.array(["2024-01-01 00:00:00", None]).dictionary_encode(),
    ):
        seconds, status = read_times(column, "column")
        assert seconds[0] == NEW_YEAR_2024_S
        assert status[1] == MISSING
    assert read_times(pa.array([date(2024, 1, 1)]), "column")[1][0] == DATE_ONLY


def test_typed_durations():
    assert read_durations(pa.array([5, None, -1]), "c").tolist() == [5, -1, -3]
    assert read_durations(pa.array([5.9, 3e9, None]), "c").tolist() == [5, -2, -1]
    assert read_durations(pa.array([5_000], pa.duration("ms")), "c").tolist() == [5]


def test_slices_and_nulls_are_read_in_place():
    column = pa.array(["bad", None, "2024-01-01", "x"]).slice(1, 2)
    seconds, status = read_times(column, "column")
    assert seconds.tolist() == [0, NEW_YEAR_2024_S]
    assert status.tolist() == [MISSING, DATE_ONLY]


def test_other_types_are_refused():
    with pytest.raises(ColumnError, match=r"f.csv, column 'x'.*found bool"):
        read_times(pa.array([True]), "f.csv, column 'x'")
    with pytest.raises(ColumnError, match="found bool"):
        read_durations(pa.array([True]), "f.csv")


def test_settings_take_texts_and_datetimes():
    for value in ("2024-01-01", datetime(2024, 1, 1), date(2024, 1, 1), np.int64(NEW_YEAR_2024_S)):
        assert parse_time(value, "reference_time") == NEW_YEAR_2024_S
    assert format_time(NEW_YEAR_2024_S) == "2024-01-01 00:00:00"
    with pytest.raises(ParameterError, match="`reference_time` must be a time"):
        parse_time("yesterday", "reference_time")
    with pytest.raises(ParameterError, match="from 1970 to 2106"):
        parse_time(1_704_067_200_000, "reference_time")
