"""Both shapes of CDRs, mixed files, headers in Chinese: the same calls give the same answers."""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chanfp
import chanfp.cleaning
import chanfp.profiles
from carriers import (
    CDR_HEADER,
    FRIENDS,
    NEW,
    OLD,
    SUBSCRIBER_HEADER,
    returner_calls,
    stamp,
    subscriber_rows,
    write_csv,
)
from chanfp.counts import RecordCounts
from chanfp.errors import ColumnError, DataError, ParameterError

CALLS = returner_calls()
ROLES = ("departed", "new", "active", "active_later")
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
    for role in ROLES:
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


NUMBERS = (OLD, NEW, *FRIENDS[:3], "10086")


@settings(max_examples=30)
@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(NUMBERS),
            st.sampled_from(NUMBERS),
            st.integers(0, 60).map(stamp),
            st.sampled_from(["0", "7", ""]),
            st.sampled_from(["call", "sms"]),
            st.just(""),
            st.just(""),
        ).filter(lambda call: call[0] != call[1]),
        min_size=1,
        max_size=40,
    ),
    data=st.data(),
)
def test_any_calls_are_the_same_in_both_shapes(calls, data):
    # A service's own row would be nobody's, as its side of a call is.
    rows = data.draw(st.permutations(both_sides(calls)))
    reference = {"reference_time": stamp(60), "max_reject_share": 1}
    one, other = (
        chanfp.build_fingerprints(
            table, table_of(SUBSCRIBER_HEADER, *subscriber_rows()), **reference
        )
        for table in (
            table_of(CDR_HEADER, *calls, (FRIENDS[3], FRIENDS[4], stamp(0), "", "", "", "")),
            english_table([*rows, (FRIENDS[3], "in", FRIENDS[4], stamp(0), "", "", "", "")]),
        )
    )
    assert_equal_fingerprints(other, one)


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


def test_every_rejected_row_has_its_reason():
    rows = [(ME, "in", FRIEND, ""), (ME, "in", "95588", stamp(1)), ("nobody", "x", "", stamp(1))]
    rows += [(ME, "", FRIEND, stamp(1)), (ME, "out", ME, stamp(1)), (ME, "in", "", stamp(1))]
    table = table_of(("subscriber", "direction", "other_party", "start_time"), *rows)
    (unit,) = chanfp.read_cdrs(table).clean_batches(keeps_rejects=True)
    _, counts = unit()
    (kept,) = counts.rejected_rows
    assert [tuple(row.values())[1:] for row in kept.to_pylist()] == [
        (1, "start-time-missing", "start_time", f"{ME},in,{FRIEND},"),
        (3, "other-party-missing", "other_party", f"nobody,x,,{stamp(1)}"),
        (4, "direction-missing", "direction", f"{ME},,{FRIEND},{stamp(1)}"),
        (5, "own-number", "other_party", f"{ME},out,{ME},{stamp(1)}"),
        (6, "other-party-missing", "other_party", f"{ME},in,,{stamp(1)}"),
    ]
    assert sum(counts.rejected.values()) == 5


def test_a_run_stopped_by_digits_says_how_to_give_them_a_meaning():
    rows = [(ME, "0", FRIEND, stamp(0)), (ME, "1", FRIEND, stamp(1))]
    table = table_of(("subscriber", "direction", "other_party", "start_time"), *rows)
    subscribers = chanfp.Subscribers.without_dates(pa.array([ME]), "table")
    with pytest.raises(DataError, match=r"'0'; say what .* `directions`, such as 0=out and 1=in"):
        chanfp.build_fingerprints(table, subscribers)
    (finding,) = (
        found.text
        for found in chanfp.inspect_cdrs(table).findings
        if found.kind == "unknown-directions"
    )
    assert "2 rows have a direction that isn't known" in finding
    assert "'0'; say what the values mean in `directions`, such as 0=out" in finding


def test_directions_may_be_given():
    rows = [(ME, 0, FRIEND, stamp(1)), (ME, 1, FRIEND, stamp(2))]
    table = table_of(("subscriber", "direction", "other_party", "start_time"), *rows)
    assert clean(table)[1].rejected == {"direction-unreadable": 2}
    calls, _ = clean(table, directions={"0": "in", "1": "out"})
    assert calls.served.tolist() == [2, 1]


# Columns, settings, area codes


def test_columns_given_hold_where_they_are_there(tmp_path):
    write_csv(tmp_path / "a.csv", ("A", "B", "start_time"), [(ME, FRIEND, stamp(1))])
    write_csv(tmp_path / "b.csv", ("主叫号码", "B", "start_time"), [(FRIEND, ME, stamp(2))])
    cdrs = chanfp.read_cdrs(tmp_path, columns={"caller": "A", "callee": "b"})
    assert [export.column("caller") for export in cdrs.exports] == ["A", "主叫号码"]
    callers = [calls.caller for calls in cdrs.clean_calls()]
    assert np.concatenate(callers).tolist() == [8613800000001, 8613800000002]
    with pytest.raises(ColumnError, match=r"a.csv: column 'C', given for 'caller', is missing"):
        chanfp.read_cdrs(tmp_path, columns={"caller": "C", "callee": "B"})


def write_settings(folder, text):
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_settings_are_defaults_and_arguments_go_before_them(tmp_path):
    settings = write_settings(
        tmp_path,
        'delimiter = "|"\nencoding = "gb18030"\ntimezone = "Asia/Shanghai"\n'
        '[columns]\nsubscriber = "甲"\nother_party = "乙"\ndirection = "向"\n'
        '[directions]\n"0" = "out"\n"1" = "in"\n',
    )
    path = tmp_path / "cdr.csv"
    text = f"甲|乙|向|start_time\n{ME}|{FRIEND}|0|2024-01-01T00:00:00Z\n"
    path.write_text(text, encoding="gb18030")
    calls, _ = clean(path, settings=settings)
    assert calls.served.tolist() == [1]
    assert calls.start_s[0] % 86_400 == 8 * 3600
    assert chanfp.read_cdrs(path, settings=settings).timezone == "Asia/Shanghai"
    calls, _ = clean(path, settings=settings, directions={"0": "in"}, timezone="Asia/Tokyo")
    assert calls.served.tolist() == [2]
    assert calls.start_s[0] % 86_400 == 9 * 3600
    path.write_text(text.replace("|", ";"), encoding="utf-16")
    clean(path, settings=settings, encoding="utf-16", delimiter=";")


LOCAL = "62345678"


@pytest.fixture
def cities(tmp_path):
    for name in ("beijing-1", "shanghai-1", "elsewhere"):
        path = tmp_path / f"{name}.csv"
        write_csv(path, ("caller", "callee", "start_time"), [(ME, LOCAL, stamp(1))])
    return tmp_path


@pytest.mark.parametrize(
    ("area_code", "text", "expected"),
    [
        (None, "", ["", "", ""]),
        ("010", "", ["+861062345678"] * 3),
        (
            {"beijing*": "010", "*/shanghai-?.csv": "021"},
            "",
            ["+861062345678", "", "+862162345678"],
        ),
        (None, '[area_codes]\n"bei*" = "010"\n"gone*" = "021"', ["+861062345678", "", ""]),
        (None, 'area_code = "021"\n[area_codes]\n"b*" = "010"', ["10", "21", "21"]),
        ({"e*": "020"}, 'area_code = "021"\n[area_codes]\n"*" = "010"', ["10", "20", "10"]),
        ("020", 'area_code = "021"\n[area_codes]\n"*" = "010"', ["20", "20", "20"]),
    ],
)
def test_local_landlines_belong_to_the_city_of_their_file(area_code, text, expected, cities):
    path = write_settings(cities.parent, text)
    counts = RecordCounts()
    cdrs = chanfp.read_cdrs(cities, area_code=area_code, settings=path)
    callees = [key for calls in cdrs.clean_calls(counts=counts) for key in calls.callee]
    found = cdrs.plan.format(callees)
    wanted = [f"+86{city}{LOCAL}" if len(city) == 2 else city for city in expected]
    assert found == wanted
    assert counts.filtered["no-area-code"] == expected.count("")


def test_area_codes_that_mean_nothing(cities):
    with pytest.raises(
        ParameterError, match=r"`area_code`: 'bejing\*' must fit the name of a file"
    ):
        chanfp.read_cdrs(cities, area_code={"bejing*": "010"})
    with pytest.raises(ParameterError, match="`area_code` must be one of region CN, got '111'"):
        chanfp.read_cdrs(cities, area_code="111")


def test_parts_and_words_are_named_in_errors(tmp_path):
    with pytest.raises(ParameterError, match=r"'calller' is no column word .did you mean 'caller'"):
        chanfp.read_cdrs(table_of(CDR_HEADER, *CALLS), columns={"calller": "caller"})
    with pytest.raises(ParameterError, match="'0' must mean 'out' or 'in'"):
        chanfp.read_cdrs(table_of(CDR_HEADER, *CALLS), directions={"0": "up"})
    path = write_csv(tmp_path / "x.csv", ("subscriber", "other_party", "start_time"), [])
    with pytest.raises(ColumnError, match=r"x.csv: CDRs need a column 'direction'"):
        chanfp.read_cdrs(path)


# Kinds, cells and handsets


def test_kinds_that_are_not_known_are_noted():
    kinds = ("call", "SMS", "", None, "短信", "Voice Call", "gprs", "email", "gprs")
    rows = [(ME, FRIEND, stamp(1), kind) for kind in kinds]
    calls, counts = clean(table_of(("caller", "callee", "start_time", "kind"), *rows))
    assert calls.is_message.tolist() == [False, True, False, False, True, False, True, True, True]
    assert counts.notes == {"kind-unknown": 3}


EXTRA = ("cell", "imei", "callee_cell", "callee_imei")


def test_cells_and_handsets_belong_to_the_side_that_is_spoken_for():
    header = ("subscriber", "direction", "other_party", "start_time", "cell", "imei")
    rows = [(ME, way, FRIEND, stamp(1), "c1", "i1") for way in ("out", "in")]
    calls, _ = clean(table_of(header, *rows), extra=EXTRA)
    found = {name: column.to_pylist() for name, column in calls.extra.items()}
    assert found == {
        "cell": ["c1", None],
        "imei": ["i1", None],
        "callee_cell": [None, "c1"],
        "callee_imei": [None, "i1"],
    }
    header = ("caller", "callee", "start_time", "cell", "被叫小区")
    calls, _ = clean(table_of(header, (ME, FRIEND, stamp(1), "c1", "c2")), extra=EXTRA)
    assert [calls.extra[name][0].as_py() for name in EXTRA] == ["c1", None, "c2", None]


def profiles_of(cdrs):
    fingerprints = build(cdrs)
    sets = (fingerprints.new, fingerprints.departed)
    new, departed = chanfp.profiles.read_profiles(
        fingerprints, [(prints, np.arange(len(prints))) for prints in sets]
    )
    return new, departed


def cells_of(profile, row):
    counts = profile.cells[[row]].toarray()[0]
    return {profile.cell_names[at]: int(counts[at]) for at in np.flatnonzero(counts)}


def test_calls_received_count_in_the_own_cell_only():
    new, departed = profiles_of(table_of(CDR_HEADER, *CALLS))
    both_new, _ = profiles_of(english_table(both_sides(CALLS)))
    assert cells_of(new, 0) == {"c1": 25}
    assert cells_of(departed, 1) == {"c2": 25}
    assert cells_of(both_new, 0) == {"c1": 25, "c1-callee": 25}
    assert np.array_equal(new.hours.toarray(), both_new.hours.toarray())
    assert new.hours.sum() == 25
    wide = [(*row, f"{row[5]}-callee", "") for row in CALLS]
    wide_new, _ = profiles_of(table_of((*CDR_HEADER, "callee_cell", "callee_imei"), *wide))
    assert cells_of(wide_new, 0) == {"c1": 25, "c1-callee": 25}
    assert np.array_equal(wide_new.handsets.toarray(), both_new.handsets.toarray())
