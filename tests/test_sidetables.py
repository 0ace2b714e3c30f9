"""Side tables: every kind of cell, strict rows, known headers, repeats, forms of input."""

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chanfp
from carriers import SUBSCRIBER_HEADER, write_csv
from chanfp.errors import ChanfpWarning, ColumnError, DataError
from chanfp.headers.known import fold_header, fold_value, load_known
from chanfp.sidetables import Column, Schema, read_table
from chanfp.sidetables.definitions import CELLS, OUTLETS, RECHARGES, SALES, SETTLEMENTS, USAGE
from chanfp.sidetables.values import WANTED
from chanfp.subscribers import WORDS

FIRST, SECOND = "13800000001", "13800000002"
READERS = {
    chanfp.read_usage: USAGE,
    chanfp.read_settlements: SETTLEMENTS,
    chanfp.read_recharges: RECHARGES,
    chanfp.read_cells: CELLS,
    chanfp.read_sales: SALES,
    chanfp.read_outlets: OUTLETS,
}
GOOD_CELL = {
    "number": FIRST, "text": "x", "time": "2024-01-31 12:00:00", "month": "2024-01",
    "money": "-1.5", "quantity": "2.5", "count": "3",
}  # fmt: skip


def read_cell(kind, cell):
    """Read one cell of a kind."""
    table = cell if isinstance(cell, pa.Table) else pa.table({"value": [cell]})
    return (
        read_table(table, Schema("table", (Column("value", kind, ""),))).table["value"][0].as_py()
    )


# Kinds


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("number", " +86 138 0000 0001", "+86 138 0000 0001"),
        ("number", "NULL", None),
        ("text", " a b ", "a b"),
        ("text", "\\N", None),
        ("text", 5, "5"),
        ("time", "2024-01-31", datetime(2024, 1, 31)),
        ("time", "20240131235959", datetime(2024, 1, 31, 23, 59, 59)),
        ("time", datetime(2024, 1, 31, 1), datetime(2024, 1, 31, 1)),
        ("time", datetime(2024, 1, 31, 1, tzinfo=UTC), datetime(2024, 1, 31, 1)),
        ("time", "", None),
        ("month", "2024-01", date(2024, 1, 1)),
        ("month", "2024/1", date(2024, 1, 1)),
        ("month", "202412", date(2024, 12, 1)),
        ("month", "2024年1月", date(2024, 1, 1)),
        ("month", "2024-02-29", date(2024, 2, 1)),
        ("month", "20240229", date(2024, 2, 1)),
        ("month", 202402, date(2024, 2, 1)),
        ("month", date(2024, 2, 29), date(2024, 2, 1)),
        ("month", datetime(2024, 2, 29, 23), date(2024, 2, 1)),
        ("month", None, None),
        ("money", "12.50", 12.5),
        ("money", "-.5", -0.5),
        ("money", "+1e3", 1000.0),
        ("money", 3, 3.0),
        ("money", Decimal("12.50"), 12.5),
        ("money", float("nan"), None),
        ("quantity", "0", 0.0),
        ("count", "12", 12),
        ("count", "12.0", 12),
        ("count", 12.0, 12),
        ("count", 12, 12),
        ("count", " ", None),
    ],
)
def test_cells_are_read(kind, cell, value):
    assert read_cell(kind, cell) == value


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("time", "soon"), ("time", "31.01.2024"), ("month", "2024-13"), ("month", "20241"),
        ("month", "1024-01"), ("month", "2024-00"), ("month", "January"), ("month", 5),
        ("money", "1,234.50"), ("money", "¥12"), ("money", "1e999"), ("money", float("inf")),
        ("money", "--1"), ("quantity", "-1"), ("quantity", -0.5), ("count", "1.5"),
        ("count", "-1"), ("count", -1), ("count", 1.5), ("count", "1" * 30),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_read_are_named(kind, cell):
    with pytest.raises(DataError, match=r"<pyarrow.Table>, row 1, column 'value'") as caught:
        read_cell(kind, cell)
    message = str(caught.value)
    assert f"{WANTED[kind]} is needed, found {cell!r}; correct the cell" in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", ["time", "month", "money", "quantity", "count", "number", "text"])
def test_columns_of_a_wrong_type_are_refused(kind):
    table = pa.table({"value": pa.array([[1]])})
    with pytest.raises(ColumnError, match=r"<pyarrow.Table>, row 1, column 'value'"):
        read_cell(kind, table)


@given(months=st.lists(st.one_of(st.none(), st.dates(date(1970, 1, 1), date(2105, 12, 31)))))
def test_months_however_written(months):
    schema = Schema("table", (Column("m", "month", ""),))
    expected = [None if day is None else day.replace(day=1) for day in months]
    for form in ("{0:%Y}-{0:%m}", "{0:%Y}{0:%m}", "{0:%Y}/{0.month}", "{0:%Y}-{0:%m}-{0:%d}"):
        written = [None if day is None else form.format(day) for day in months]
        table = pa.table({"m": pa.array(written, pa.string())})
        assert read_table(table, schema).table["m"].to_pylist() == expected
    typed = pa.table({"m": pa.array(months, pa.date32())})
    assert read_table(typed, schema).table["m"].to_pylist() == expected


def test_words_are_read_as_what_they_mean():
    table = pa.table({"status": ["正常", "Closed ", "欠费停机", None, "in-use"]})
    schema = Schema("table", (Column("status", "text", "", takes_words=True),))
    values = read_table(table, schema).table["status"].to_pylist()
    assert values == ["active", "closed", "suspended", None, "active"]
    odd = pa.table({"status": ["odd"]})
    with pytest.raises(DataError, match=r"'status': one of 'active', 'suspended', 'closed' is "):
        read_table(odd, schema)


# Tables


@pytest.mark.parametrize("read", READERS)
def test_each_table_is_read_by_its_words(read, tmp_path):
    schema = READERS[read]
    row = [GOOD_CELL[column.kind] for column in schema.columns]
    path = write_csv(tmp_path / "t.csv", ["remark", *reversed(schema.names)], [["", *row[::-1]]])
    read_back = read(path)
    assert read_back.table.schema.equals(schema.arrow, check_metadata=True)
    assert read_back.found == tuple(schema.names)
    assert read_back.unrecognised == ("remark",)
    assert "not recognised: 'remark'" in repr(read_back)
    assert None not in read_back.table.to_pylist()[0].values()
    assert all(field.metadata[b"meaning"] for field in read_back.table.schema)


@pytest.mark.parametrize("read", READERS)
def test_optional_columns_may_be_missing_and_required_ones_not(read, tmp_path):
    schema = READERS[read]
    required = [column for column in schema.columns if column.is_required]
    names = [column.name for column in required]
    row = [GOOD_CELL[column.kind] for column in required]
    few = read(write_csv(tmp_path / "few.csv", names, [row]))
    assert few.found == tuple(names)
    assert few.table.schema == schema.arrow
    empty = read(write_csv(tmp_path / "empty.csv", names, []))
    assert (len(empty), empty.table.schema) == (0, schema.arrow)
    for column in required:
        rest = [name for name in names if name != column.name] or ["x"]
        with pytest.raises(ColumnError, match=f"{schema.title} needs a column '{column.name}'"):
            read(write_csv(tmp_path / "short.csv", rest, []))
        if column.is_filled:
            cells = [
                "" if name == column.name else cell for name, cell in zip(names, row, strict=True)
            ]
            path = write_csv(tmp_path / "gap.csv", names, [row, cells])
            with pytest.raises(DataError, match=f"row 3, column '{column.name}': .*found an empty"):
                read(path)


@pytest.mark.parametrize("read", [read for read, schema in READERS.items() if schema.key])
def test_two_rows_of_one_key_are_both_named(read, tmp_path):
    schema = READERS[read]
    row = {column.name: GOOD_CELL[column.kind] for column in schema.columns}
    other = {"text": "y", "number": SECOND, "count": "4", "money": "9", "quantity": "9"}
    changed = {
        column.name: other.get(column.kind, row[column.name])
        for column in schema.columns
        if column.name not in schema.key
    }
    apart = {**row, schema.key[0]: "other"}
    rows = [list((one).values()) for one in (row, apart, {**row, **changed})]
    path = write_csv(tmp_path / "t.csv", schema.names, rows)
    with pytest.raises(
        DataError, match=r"t.csv, row 2 and .*t.csv, row 4: the table of .* one row"
    ):
        read(path)
    one, two = (
        write_csv(tmp_path / f"{name}.csv", schema.names, [rows[0]]) for name in ("one", "two")
    )
    if not schema.takes_equal_rows:
        with pytest.raises(DataError, match=r"one.csv, row 2 and .*two.csv, row 2"):
            read([one, two])


def test_the_first_row_that_repeats_is_named():
    rows = pa.table({"outlet": ["b", "a", "c", "a", "c", "b"], "parent": [""] * 6})
    with pytest.raises(DataError, match=r"row 2 and .*row 4: .*\(outlet a\)"):
        chanfp.read_outlets(rows)


def test_a_cell_given_twice_alike_is_one_cell():
    rows = pa.table({"cell": ["a", "b", "a", "c", "c"], "region": ["1", "2", "1", None, None]})
    cells = chanfp.read_cells(rows)
    assert cells.table.to_pydict() == {"cell": ["a", "b", "c"], "region": ["1", "2", None]}
    assert cells.place(2) == "<pyarrow.Table>, row 4"
    rows = pa.table({"cell": ["a", "a", "b", "b"], "region": ["1", "1", "2", "3"]})
    with pytest.raises(DataError, match=r"row 3 and .*row 4: .*contradict each other .cell b"):
        chanfp.read_cells(rows)


def test_places_name_the_lines_of_the_file(tmp_path):
    (tmp_path / "a.csv").write_text("subscriber,month\n1,2024-01\n\n2,2024-01\n")
    (tmp_path / "b.csv").write_text("month,subscriber,fee\n2024-01,3,1\n2024-01,4,x\n")
    with pytest.raises(DataError, match=r"b.csv, row 3, column 'fee': an amount"):
        chanfp.read_usage([tmp_path / "a.csv", tmp_path / "b.csv"])
    (tmp_path / "b.csv").write_text("month,subscriber,fee\n2024-01,3,1\n")
    usage = chanfp.read_usage([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert [usage.place(row).split("/")[-1] for row in range(3)] == [
        "a.csv, row 2", "a.csv, row 4", "b.csv, row 2",
    ]  # fmt: skip
    assert usage.table["fee"].to_pylist() == [None, None, 1.0]


def test_rows_that_cannot_be_parsed_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("subscriber,month\n1,2024-01,3\n")
    with pytest.raises(DataError, match=r"t.csv, row 2: every row must be readable"):
        chanfp.read_usage(tmp_path / "t.csv")


def test_chinese_headers_and_gb18030(tmp_path):
    text = "手机号码,账期,费用,短信条数,备注\n13800000001,202401,12.5,3,无\n"
    (tmp_path / "t.csv").write_bytes(text.encode("gb18030"))
    usage = chanfp.read_usage(tmp_path / "t.csv")
    assert usage.unrecognised == ("备注",)
    assert usage.table.to_pylist() == [
        {"subscriber": FIRST, "month": date(2024, 1, 1), "fee": 12.5, "voice_min": None, "sms": 3,
         "data_mb": None},
    ]  # fmt: skip


def test_two_columns_for_one_word_are_refused():
    rows = pa.table({"号码": [FIRST], "手机号码": [FIRST], "月份": ["202401"]})
    with pytest.raises(ColumnError, match=r"one column can be 'subscriber', found '号码', '手机"):
        chanfp.read_usage(rows)
    named = rows.append_column("subscriber", pa.array([SECOND]))
    assert chanfp.read_usage(named).table["subscriber"].to_pylist() == [SECOND]


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame, pa.table])
def test_every_form_of_table_gives_the_same(form):
    rows = form({"subscriber": [FIRST, SECOND], "month": ["2024-01", "202402"], "sms": [1, None]})
    usage = chanfp.read_usage(rows)
    assert usage.table["sms"].to_pylist() == [1, None]
    assert usage.table["month"].to_pylist() == [date(2024, 1, 1), date(2024, 2, 1)]
    assert pl.DataFrame(usage)["subscriber"].to_list() == [FIRST, SECOND]


def test_dictionary_and_view_columns():
    for kind in (pa.dictionary(pa.int8(), pa.string()), pa.string_view(), pa.large_string()):
        rows = pa.table(
            {
                name: pa.array([cell]).cast(kind)
                for name, cell in zip("abcdefg", GOOD_CELL.values(), strict=True)
            }
        )
        schema = Schema("t", tuple(map(Column, "abcdefg", GOOD_CELL, "       ")))
        assert None not in read_table(rows, schema).table.to_pylist()[0].values()


def test_integer_numbers_warn():
    rows = pa.table({"subscriber": [int(FIRST)], "month": ["202401"]})
    with pytest.warns(ChanfpWarning, match="'subscriber' is stored as integers"):
        assert chanfp.read_usage(rows).table["subscriber"].to_pylist() == [FIRST]


def test_keys_of_numbers_are_strict():
    rows = pa.table({"subscriber": [FIRST, "+86 " + SECOND], "month": ["202401"] * 2})
    keys = chanfp.read_usage(rows).number_keys("subscriber", chanfp.NumberingPlan("CN"))
    assert keys.tolist() == [int("86" + FIRST), int("86" + SECOND)]
    rows = pa.table({"subscriber": [FIRST, "10086"], "month": ["202401"] * 2})
    with pytest.raises(DataError, match=r"row 2, column 'subscriber': .*'10086' .operator-hotline"):
        chanfp.read_usage(rows).number_keys("subscriber", chanfp.NumberingPlan("CN"))


def test_the_simulated_tables_are_read(tmp_path):
    chanfp.simulate(200, 1, days=30).write(tmp_path)
    sales = chanfp.read_sales(tmp_path / "sales.csv")
    assert (len(sales) > 0, sales.unrecognised) == (True, ())
    assert len(chanfp.read_outlets(tmp_path / "outlets.csv")) > 0
    assert len(chanfp.read_cells(tmp_path / "cells.csv")) > 0
    subscribers = chanfp.read_subscribers(tmp_path / "subscribers.csv")
    unknown = {"arrears", "leaving_score"}
    assert set(subscribers.attributes) == set(WORDS) - set(SUBSCRIBER_HEADER) - unknown
    assert subscribers.attributes["monthly_fee"].type == pa.float64()


def test_times_follow_the_clock_of_a_zone():
    rows = {"subscriber": [FIRST], "month": ["2024-01-31T23:30:00Z"]}
    assert chanfp.read_usage(pa.table(rows)).table["month"][0].as_py() == date(2024, 1, 1)
    usage = chanfp.read_usage(pa.table(rows), timezone="Asia/Shanghai")
    assert usage.table["month"][0].as_py() == date(2024, 2, 1)
    rows = {"subscriber": [FIRST], "time": [datetime(2024, 1, 31, 23, 30, tzinfo=UTC)]}
    recharges = chanfp.read_recharges(pa.table(rows), timezone="Asia/Shanghai")
    assert recharges.table["time"][0].as_py() == datetime(2024, 2, 1, 7, 30)


# Headers


def test_known_headers_belong_to_words_and_stand_once():
    known = load_known()
    words = {name for schema in READERS.values() for name in schema.names} | set(WORDS)
    words |= {"number", "prefix", "group", "short"}
    assert set(known.tables) <= words
    file = files("chanfp.headers").joinpath("known.toml")
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    for names in tables["tables"].values():
        assert set(names.values()) <= set(tables["sources"])
        assert len({fold_header(name) for name in names}) == len(names)
    for schema in READERS.values():
        for one in schema.names:
            assert fold_header(one) not in known.tables.get(one, ())
            for other in schema.names:
                if one != other:
                    shared = known.tables.get(one, set()) & known.tables.get(other, set())
                    assert not shared, (schema.title, one, other)
                    assert fold_header(other) not in known.tables.get(one, ()), (one, other)
    for word, meanings in known.values.items():
        assert word in words
        assert all(fold_value(meant) in meanings for meant in meanings.values())


# Subscribers


def test_optional_columns_of_subscribers_are_checked_and_kept():
    rows = {
        "用户号码": [FIRST, SECOND], "入网时间": ["2024-01-01"] * 2, "离网时间": ["2024-03-01", ""],
        "用户状态": ["销户", "停机"], "停机时间": ["", "2024-02-01"], "月租": ["8", ""],
        "product": ["card", ""], "套餐": ["P8", ""], "activation_cell": ["c1", None],
    }  # fmt: skip
    attributes = chanfp.read_subscribers(pa.table(rows)).attributes
    assert {name: column.to_pylist() for name, column in attributes.items()} == {
        "status": ["closed", "suspended"],
        "suspended_at": [None, datetime(2024, 2, 1)],
        "product": ["card", None],
        "plan": ["P8", None],
        "monthly_fee": [8.0, None],
        "activation_cell": ["c1", None],
    }
    for column, cell in (("用户状态", "odd"), ("停机时间", "soon"), ("月租", "cheap")):
        with pytest.raises(DataError, match=f"row 2, column '{column}': .*found '{cell}'"):
            chanfp.read_subscribers(pa.table({**rows, column: ["", cell]}))


def test_closed_subscriptions_without_a_date_are_told():
    rows = {
        "subscriber": [FIRST, SECOND],
        "activated_at": [""] * 2,
        "departed_at": ["20240101", ""],
    }
    with pytest.warns(ChanfpWarning, match=r"row 2: 1 subscriptions are closed but have no"):
        chanfp.read_subscribers(pa.table({**rows, "status": ["closed"] * 2}))
    assert np.array(chanfp.read_subscribers(pa.table(rows)).is_departed).tolist() == [True, False]
