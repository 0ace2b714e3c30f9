"""The subscriber table: periods, recycled numbers, and errors that name the row."""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import chanfp
from carriers import SUBSCRIBER_HEADER, write_csv
from chanfp.clock import DAY_S, parse_time
from chanfp.errors import ChanfpWarning, ColumnError, DataError

FIRST, SECOND = "13800000001", "13800000002"


@pytest.fixture
def make(tmp_path):
    def make_table(*rows, header=SUBSCRIBER_HEADER):
        return write_csv(tmp_path / "subscribers.csv", header, rows)

    return make_table


def test_ids_stay_as_they_stand_in_the_table(make):
    subscribers = chanfp.read_subscribers(make(("+86 138-0000-0001", "2024-01-01", "")))
    assert subscribers.ids.to_pylist() == ["+86 138-0000-0001"]
    assert repr(subscribers) == "<Subscribers: 1 subscriptions, 0 of them departed>"


def test_a_departure_date_lasts_to_the_end_of_its_day(make):
    subscribers = chanfp.read_subscribers(make((FIRST, "2024-01-01", "2024-01-02")))
    assert subscribers.departed_s[0] == parse_time("2024-01-03", "t") - 1
    typed = pa.table(
        {
            "subscriber": [FIRST],
            "activated_at": [date(2024, 1, 1)],
            "departed_at": [date(2024, 1, 2)],
        }
    )
    assert chanfp.read_subscribers(typed).departed_s[0] == subscribers.departed_s[0]


def test_recycled_numbers_are_told_apart_by_time(make):
    path = make(
        (FIRST, "2024-03-01", ""),
        (SECOND, "2024-01-01", ""),
        (FIRST, "2024-01-01", "2024-01-31"),
    )
    subscribers = chanfp.read_subscribers(path)
    index = subscribers.index(chanfp.NumberingPlan("CN"))
    key = chanfp.NumberingPlan("CN").normalise([FIRST, SECOND, "13999999999"])
    days = ["2024-01-15", "2024-02-15", "2024-03-01", "2023-12-31"]
    times = np.array([parse_time(day, "t") for day in days])
    assert index.rows.tolist() == [2, 0, 1]
    assert index.find(np.repeat(key[:1], 4), times).tolist() == [0, -1, 1, -1]
    assert index.find(key, np.repeat(times[:1], 3)).tolist() == [0, 2, -1]


def test_overlapping_periods_name_both_rows(make):
    path = make(
        (FIRST, "2024-01-01", "2024-03-01"),
        (SECOND, "2024-01-01", ""),
        ("+86" + FIRST, "2024-02-01", ""),
    )
    subscribers = chanfp.read_subscribers(path)
    with pytest.raises(DataError, match=r"row 2 and .*row 4: one number can't be two"):
        subscribers.index(chanfp.NumberingPlan("CN"))


def test_the_same_row_twice_names_both(make):
    subscribers = chanfp.read_subscribers(make((FIRST, "", ""), (FIRST, "", "")))
    with pytest.raises(DataError, match=r"is activated at an unknown time while .* ends never"):
        subscribers.index(chanfp.NumberingPlan("CN"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((FIRST, "2024-02-01", "2024-01-01"), r"row 3, column 'departed_at': .*can't end before"),
        ((FIRST, "soon", ""), r"row 3, column 'activated_at': a time such as .*found 'soon'"),
        ((FIRST, "2024-02-01", "31.12.2024"), r"row 3, column 'departed_at': .*'31.12.2024'"),
    ],
)
def test_bad_rows_are_named(row, message, make):
    with pytest.raises(DataError, match=message):
        chanfp.read_subscribers(make((SECOND, "2024-01-01", ""), row))


def test_a_missing_column_is_named(make):
    path = make(header=("subscriber", "activated_at", "left_at"))
    with pytest.raises(ColumnError, match=r"needs a column 'departed_at'.*'left_at'"):
        chanfp.read_subscribers(path)


def test_a_table_of_other_numbers_is_refused(make):
    path = make(*((f"user-{n}", "2024-01-01", "") for n in range(5)))
    subscribers = chanfp.read_subscribers(path)
    with pytest.raises(DataError, match=r"row 2, column 'subscriber': 5 of 5 .*'opaque'"):
        subscribers.index(chanfp.NumberingPlan("CN"))
    assert len(subscribers.index(chanfp.NumberingPlan("opaque")).keys) == 5


def test_single_unusable_numbers_are_counted(make):
    path = make((FIRST, "2024-01-01", ""), ("10086", "2024-01-01", ""), (SECOND, "", ""))
    index = chanfp.read_subscribers(path).index(chanfp.NumberingPlan("CN"))
    assert dict(index.unusable) == {"operator-hotline": 1}


def test_integer_ids_warn_and_float_ids_are_refused():
    frame = pd.DataFrame({"subscriber": [int(FIRST)], "activated_at": "", "departed_at": ""})
    with pytest.warns(ChanfpWarning, match="'subscriber' is stored as integers"):
        assert chanfp.read_subscribers(frame).ids.to_pylist() == [FIRST]
    frame["subscriber"] = frame["subscriber"].astype(float)
    with pytest.raises(ColumnError, match="floating-point number has lost"):
        chanfp.read_subscribers(frame)


def test_several_tables_are_one(tmp_path):
    one = write_csv(tmp_path / "a.csv", SUBSCRIBER_HEADER, [(FIRST, "2024-01-01", "")])
    header = (*SUBSCRIBER_HEADER, "outlet")
    two = write_csv(tmp_path / "b.csv", header, [(SECOND, "", "2024-01-05", "o1")])
    subscribers = chanfp.read_subscribers([one, two])
    assert len(subscribers) == 2
    assert subscribers.attributes["outlet"].to_pylist() == [None, "o1"]
    assert subscribers.place(1).endswith("b.csv, row 2")
    assert subscribers.departed_s[1] - parse_time("2024-01-05", "t") == DAY_S - 1


def test_an_empty_table_has_no_subscriptions(make):
    subscribers = chanfp.read_subscribers(make())
    assert len(subscribers) == 0
    index = subscribers.index(chanfp.NumberingPlan("CN"))
    assert index.find(np.array([5], np.uint64), np.array([0])).tolist() == [-1]
