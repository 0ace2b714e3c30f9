"""Time zones: moments as wall-clock time, and runs that mix clocks."""

import warnings
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chanfp
from carriers import SUBSCRIBER_HEADER
from chanfp.clock import DATE_ONLY, DAY_S, parse_time, read_durations, read_times
from chanfp.errors import ChanfpWarning, DataError, ParameterError
from chanfp.zones import check_timezone, to_wall_clock

EPOCH = datetime(1970, 1, 1)
ME, FRIEND = "13800000001", "13800000002"
MOMENT, WALL = "2024-01-31T23:59:59Z", "2024-01-31 23:59:59"


@given(
    seconds=st.lists(st.integers(-(10**6), 2**32 + 10**6), max_size=20),
    zone=st.sampled_from(
        ["Asia/Shanghai", "America/St_Johns", "Europe/Berlin", "Asia/Kathmandu", "UTC"]
    ),
)
def test_wall_clocks_show_what_the_zone_says(seconds, zone):
    zone = ZoneInfo(zone)
    expected = [
        (datetime.fromtimestamp(second, zone).replace(tzinfo=None) - EPOCH) // timedelta(seconds=1)
        if 0 <= second < 2**32
        else second
        for second in seconds
    ]
    assert to_wall_clock(np.array(seconds, np.int64), zone).tolist() == expected


def test_both_sides_of_a_change_of_the_clock():
    change_s = int(datetime(2024, 3, 31, 1, tzinfo=UTC).timestamp())
    seconds = np.array([change_s - 1, change_s])
    found = to_wall_clock(seconds, ZoneInfo("Europe/Berlin")) - seconds
    assert found.tolist() == [3600, 7200]


def test_only_moments_move():
    texts = ["2024-01-01 00:00:00", "2024-01-01", "2024-01-01T00:00:00Z", "1704067200", "", "x"]
    plain, status = read_times(pa.array(texts), "column")
    moved, same_status = read_times(pa.array(texts), "column", ZoneInfo("Asia/Shanghai"))
    assert ((moved - plain) / 3600).tolist() == [0, 0, 8, 8, 0, 0]
    assert status.tolist() == same_status.tolist() == [0, 2, 1, 1, 3, 4]
    typed = pa.array([datetime(2024, 1, 1, tzinfo=UTC)])
    assert read_times(typed, "column", ZoneInfo("Asia/Shanghai"))[0].tolist() == [moved[2]]
    for value, hours in ((MOMENT, 8), (WALL, 0), (1_704_067_200, 8), (date(2024, 1, 1), 0)):
        shifted = parse_time(value, "t", ZoneInfo("Asia/Shanghai")) - parse_time(value, "t")
        assert shifted == hours * 3600


@pytest.mark.parametrize("name", ["Asia/Peking", "", "../etc", "/usr"])
def test_zones_that_do_not_exist(name):
    with pytest.raises(ParameterError, match=f"`timezone` must be an IANA name .* got '{name}'"):
        check_timezone(name)
    with pytest.raises(ParameterError, match="`timezone` must be"):
        chanfp.read_cdrs(cdrs_at(MOMENT), timezone=name)
    with pytest.raises(ParameterError, match="`timezone` must be"):
        chanfp.read_subscribers(table_at("", ""), timezone=name)


def test_decimals_are_read_like_whole_numbers():
    for kind in (pa.decimal128(20, 3), pa.decimal256(40, 2), pa.decimal128(14, 0)):
        times = pa.array([Decimal(20240101000000), Decimal(1704067200), None], kind)
        seconds, status = read_times(times, "column")
        assert seconds.tolist() == [1704067200, 1704067200, 0]
        assert status.tolist() == [0, 1, 3]
    lengths = pa.array([Decimal("5.9"), None, Decimal("-1.0"), Decimal(3 * 10**9)])
    assert read_durations(lengths, "column").tolist() == [5, -1, -3, -2]
    assert read_durations(lengths.cast(pa.decimal256(50, 4)), "c").tolist() == [5, -1, -3, -2]


# Runs that mix clocks


def cdrs_at(*times):
    return pa.table(
        {"caller": [ME] * len(times), "callee": [FRIEND] * len(times), "start_time": times}
    )


def table_at(activated, departed):
    return pa.table([[ME], [activated], [departed]], names=list(SUBSCRIBER_HEADER))


@pytest.mark.parametrize(
    ("times", "activated", "reference", "message"),
    [
        ([MOMENT, WALL], "", None, r"<pyarrow.Table>, row 1, column 'start_time': '2024-01-31T23"),
        ([MOMENT], WALL, None, r"row 1, column 'activated_at': '2024-01-31 23:59:59' is wall-cl"),
        ([WALL], MOMENT, None, r"column 'activated_at': '2024-01-31T23:59:59Z' is a moment"),
        (["1706745599"], "2024-01-31", None, r"'1706745599' is a moment .*'2024-01-31' is wall"),
        ([MOMENT], "", "2024-02-09", r"`reference_time` '2024-02-09' is wall-clock time"),
        ([WALL], "", 1_706_745_599, r"`reference_time` '1706745599' is a moment and counts as UTC"),
    ],
)
def test_mixed_clocks_are_told_with_a_way_out(times, activated, reference, message):
    with pytest.warns(ChanfpWarning, match=message) as told:
        chanfp.build_fingerprints(
            cdrs_at(*times), table_at(activated, ""), reference_time=reference
        )
    (warning,) = told
    assert "name the zone of the clock on the wall in `timezone`" in str(warning.message)
    assert "\n" not in str(warning.message)
    cdrs = chanfp.read_cdrs(cdrs_at(*times), timezone="Asia/Shanghai")
    chanfp.build_fingerprints(cdrs, table_at(activated, ""), reference_time=reference)


def test_one_clock_is_no_reason_to_warn():
    chanfp.build_fingerprints(cdrs_at(MOMENT, "1706745599"), table_at(MOMENT, ""))
    chanfp.build_fingerprints(cdrs_at(WALL, "2024-01-31"), table_at(WALL, ""), reference_time=WALL)


def test_a_table_read_without_the_zone_of_the_records_is_told():
    cdrs = chanfp.read_cdrs(cdrs_at(MOMENT), timezone="Asia/Shanghai")
    with pytest.warns(ChanfpWarning, match="'activated_at': '2024-01-31T23:59:59Z' is a moment"):
        chanfp.build_fingerprints(cdrs, chanfp.read_subscribers(table_at(MOMENT, "")))
    with warnings.catch_warnings():
        table = chanfp.read_subscribers(table_at(MOMENT, ""), timezone="Asia/Shanghai")
        built = chanfp.build_fingerprints(cdrs, table)
    assert built.activity.start_s == built.subscriptions.activated_s[0]


# Dates that a data frame keeps as time stamps


def frame(*departed, activated="2024-01-01"):
    return pd.DataFrame(
        {
            "subscriber": [f"1380000000{n}" for n in range(len(departed))],
            "activated_at": pd.to_datetime([activated] * len(departed)),
            "departed_at": pd.to_datetime(list(departed), format="ISO8601"),
        }
    )


def test_a_column_of_midnights_is_a_column_of_dates():
    days = chanfp.read_subscribers(frame("2024-01-31", None, "2024-02-05"))
    assert days.departed_s[0] == parse_time("2024-02-01", "t") - 1
    assert days.is_departed.tolist() == [True, False, True]
    times = chanfp.read_subscribers(frame("2024-01-31", "2024-02-05 00:00:01"))
    assert times.departed_s[0] == parse_time("2024-01-31", "t")
    same_day = frame("2024-01-31", activated="2024-01-31 10:00:00")
    assert chanfp.read_subscribers(same_day).departed_s[0] % DAY_S == DAY_S - 1
    with pytest.raises(DataError, match="row 2, column 'departed_at': a subscription can't end"):
        chanfp.read_subscribers(frame("2024-01-31", "2023-12-30"))
    zoned = frame("2024-01-31")
    zoned["departed_at"] = zoned["departed_at"].dt.tz_localize("Asia/Shanghai")
    found = chanfp.read_subscribers(zoned, timezone="Asia/Shanghai")
    assert found.departed_s[0] == days.departed_s[0]


def test_midnights_among_texts_are_times():
    texts = table_at("2024-01-01", "2024-01-31 00:00:00")
    assert chanfp.read_subscribers(texts).departed_s[0] == parse_time("2024-01-31", "t")
    assert read_times(pa.array([date(2024, 1, 31)]), "c")[1].tolist() == [DATE_ONLY]
