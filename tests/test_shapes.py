"""Both shapes of CDRs, mixed files, headers in Chinese: the same calls give the same answers."""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chanfp
from carriers import (
    CDR_HEADER,
    NEW,
    OLD,
    SUBSCRIBER_HEADER,
    returner_calls,
    stamp,
    subscriber_rows,
    write_csv,
)
from chanfp.counts import RecordCounts

CALLS = returner_calls()
BOTH_WAYS = ("departed", "new", "active", "active_later")
CHINESE_HEADER = ("本机号码", "通话类型", "对端号码", "通话开始时间", "时长(秒)", "业务类型")
ME, FRIEND = "13800000001", "13800000002"


def both_sides(calls):
    """Return the rows of a billing export: each call once for the caller and once for the callee.

    The callee's cell and handset end in "-callee".
    """
    rows = []
    for caller, callee, start, duration, kind, cell, imei in calls:
        rows.append((caller, "主叫", callee, start, duration, kind, cell, imei))
        rows.append((callee, "被叫", caller, start, duration, kind, f"{cell}-callee", ""))
    return rows


def write_chinese(path, rows, encoding="gb18030"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow((*CHINESE_HEADER, "小区", "串号"))
        writer.writerows(rows)
    return path


def english_table(rows):
    names = ("duration", "imei", "msisdn", "counterpart", "direction", "start_dt", "kind", "cell")
    order = (4, 7, 0, 2, 1, 3, 5, 6)
    columns = [[row[at] for row in rows] for at in order]
    return pa.table(columns, names=list(names))


def table_of(header, *rows):
    return pa.table([list(column) for column in zip(*rows, strict=True)], names=list(header))


def build(cdrs, **options):
    subscribers = table_of(SUBSCRIBER_HEADER, *subscriber_rows())
    return chanfp.build_fingerprints(chanfp.read_cdrs(cdrs, **options), subscribers)


def assert_equal_fingerprints(found, expected):
    assert np.array_equal(found.partners, expected.partners)
    for role in BOTH_WAYS:
        one, other = getattr(found, role), getattr(expected, role)
        assert one.ids.equals(other.ids), role
        for name in ("indptr", "indices", "data"):
            assert np.array_equal(getattr(one.matrix, name), getattr(other.matrix, name)), role
        assert np.array_equal(one.seconds, other.seconds)
        assert np.array_equal(one.outgoing, other.outgoing)
        assert np.array_equal(one.role.start_s, other.role.start_s)
        assert np.array_equal(one.role.end_s, other.role.end_s)
    assert np.array_equal(found.activity.first_own_s, expected.activity.first_own_s)
    assert np.array_equal(found.activity.is_alive_later, expected.activity.is_alive_later)


@pytest.fixture(scope="module")
def call_centred():
    return build(table_of(CDR_HEADER, *CALLS))


@pytest.fixture
def mixed(tmp_path):
    """Half of the rows in a CSV in GB18030 under Chinese headers, half in Parquet in English."""
    rows = both_sides(CALLS)
    (tmp_path / "cdr").mkdir()
    write_chinese(tmp_path / "cdr" / "一月.csv", rows[::2])
    pq.write_table(english_table(rows[1::2]), tmp_path / "cdr" / "feb.parquet")
    return tmp_path / "cdr"


def test_both_sides_of_a_call_are_one_call(mixed, call_centred):
    found = build(mixed)
    assert_equal_fingerprints(found, call_centred)
    assert found.activity.counts.total == 2 * len(CALLS)
    assert found.activity.counts.rejected == {}
    assert found.activity.counts.notes == {}


def test_a_row_speaks_for_its_subscriber_only():
    rows = [row for row in both_sides(CALLS) if row[0] in (OLD, NEW)]
    found = build(english_table(rows))
    assert found.new.n_calls.tolist() == [50]
    assert found.new.outgoing.sum() == 25
    # Rows of a friend who is a subscriber too say nothing of the other side.
    rows = [row for row in both_sides(CALLS) if row[0] not in (OLD, NEW)]
    found = build(english_table(rows))
    assert (len(found.new), len(found.departed)) == (0, 1)


def test_shapes_may_be_mixed(tmp_path, call_centred):
    write_csv(tmp_path / "a.csv", CDR_HEADER, CALLS[:100])
    shuffled = [row[::-1] for row in CALLS[100:150]]
    write_csv(tmp_path / "b.csv", CDR_HEADER[::-1], shuffled)
    write_chinese(tmp_path / "c.csv", both_sides(CALLS[150:]))
    assert_equal_fingerprints(build(tmp_path), call_centred)


def clean(cdrs, *, extra=(), **options):
    counts = RecordCounts()
    (calls,) = chanfp.read_cdrs(cdrs, **options).clean_calls(counts=counts, extra=extra)
    return calls, counts


def test_caller_and_callee_follow_from_the_direction():
    rows = [(ME, "out", FRIEND, stamp(1)), (ME, "in", FRIEND, stamp(2))]
    table = table_of(("subscriber", "direction", "other_party", "start_time"), *rows)
    calls, _ = clean(table)
    me, friend = chanfp.NumberingPlan("CN").normalise([ME, FRIEND]).tolist()
    assert calls.caller.tolist() == [me, friend]
    assert calls.callee.tolist() == [friend, me]
    assert calls.served.tolist() == [1, 2]
    calls, _ = clean(table_of(("caller", "callee", "start_time"), (ME, FRIEND, stamp(1))))
    assert calls.served.tolist() == [3]


def test_rows_without_a_readable_direction_are_rejected():
    rows = [
        (ME, way, other, stamp(1))
        for way, other in (
            ("呼出", FRIEND),
            ("呼叫转移", FRIEND),
            (None, FRIEND),
            (" ", FRIEND),
            ("", ""),
            ("in", ME),
            ("in", "10086"),
        )
    ]
    table = table_of(("subscriber", "direction", "other_party", "start_time"), *rows)
    calls, counts = clean(table)
    assert len(calls) == 2
    assert counts.rejected == {
        "direction-unreadable": 1,
        "direction-missing": 2,
        "other-party-missing": 1,
        "own-number": 1,
    }
    assert counts.filtered == {"operator-hotline": 1}
    examples = counts.examples
    assert examples["direction-unreadable"].endswith("row 2, column 'direction': '呼叫转移'")
    assert examples["other-party-missing"].endswith("row 5, column 'other_party': ''")
    assert examples["operator-hotline"].endswith("row 7, column 'other_party': '10086'")


def test_directions_may_be_given():
    rows = [(ME, 0, FRIEND, stamp(1)), (ME, 1, FRIEND, stamp(2))]
    table = table_of(("subscriber", "direction", "other_party", "start_time"), *rows)
    assert clean(table)[1].rejected == {"direction-unreadable": 2}
    calls, _ = clean(table, directions={"0": "in", "1": "out"})
    assert calls.served.tolist() == [2, 1]
