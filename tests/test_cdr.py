"""Reading CDRs: every row is accounted for, whatever the file or table."""

import gzip
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chanfp
from carriers import CDR_HEADER, returner_calls, stamp, write_csv
from chanfp.counts import RecordCounts
from chanfp.errors import ChanfpWarning, ColumnError, DataError, ParameterError

ROWS = returner_calls()


def read_all(source, **options):
    counts = RecordCounts()
    parts = list(chanfp.read_cdrs(source, **options).clean_calls(counts=counts))
    callers = np.concatenate([np.zeros(0, np.uint64), *(part.caller for part in parts)])
    return callers, counts


def table():
    return pa.table([list(column) for column in zip(*ROWS, strict=True)], names=list(CDR_HEADER))


@pytest.fixture
def csv_file(tmp_path):
    return write_csv(tmp_path / "cdr.csv", CDR_HEADER, ROWS)


def as_gzip(folder):
    path = folder / "cdr.csv.gz"
    plain = write_csv(folder / "cdr.csv", CDR_HEADER, ROWS)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def as_parquet(folder):
    pq.write_table(table(), folder / "cdr.parquet", row_group_size=50)
    return folder / "cdr.parquet"


def as_folder(folder):
    (folder / "days").mkdir()
    pq.write_table(table().slice(0, 70), folder / "days" / "a.parquet")
    write_csv(folder / "days" / "b.csv", CDR_HEADER, ROWS[70:])
    return folder / "days"


def as_glob(folder):
    as_folder(folder)
    return [folder / "days" / "a.parquet", str(folder / "days" / "*.csv")]


FORMS = {
    "gzip": as_gzip,
    "parquet": as_parquet,
    "folder": as_folder,
    "glob": as_glob,
    "pyarrow": lambda _: table(),
    "reader": lambda _: table().to_reader(),
    "pandas": lambda _: pd.DataFrame(dict(zip(CDR_HEADER, zip(*ROWS, strict=True), strict=True))),
    "polars": lambda _: pl.from_arrow(table()),
    "duckdb": lambda _: duckdb.from_arrow(table()),
    "dictionary": lambda _: table().cast(
        pa.schema([(name, pa.dictionary(pa.int32(), pa.string())) for name in CDR_HEADER])
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_calls(form, tmp_path, csv_file):
    expected, _ = read_all(csv_file)
    callers, counts = read_all(FORMS[form](tmp_path))
    assert np.array_equal(callers, expected)
    assert counts.total == counts.accepted == len(ROWS)


def test_unusable_rows_are_counted_by_reason(tmp_path):
    good = ("13800000001", "13800000002", "2024-01-01 10:00:00")
    rows = [
        good,
        ("", good[1], good[2]),
        (good[0], "12345678901234567890", good[2]),
        (good[0], good[1], ""),
        (good[0], good[1], "yesterday"),
        (good[0], "+86 138-0000-0001", good[2]),
        (good[0], "10086", good[2]),
    ]
    callers, counts = read_all(write_csv(tmp_path / "cdr.csv", CDR_HEADER[:3], rows))
    shown = counts.as_dict()
    examples = shown.pop("examples")
    assert examples["caller-missing"].endswith("cdr.csv, row 3, column 'caller': ''")
    assert examples["operator-hotline"].endswith("cdr.csv, row 8, column 'callee': '10086'")
    assert shown == {
        "total": 7,
        "accepted": 2,
        "rejected": 5,
        "rejected_by_reason": {
            "callee-invalid": 1,
            "caller-missing": 1,
            "own-number": 1,
            "start-time-invalid": 1,
            "start-time-missing": 1,
        },
        "filtered_by_reason": {"operator-hotline": 1},
        "notes": {},
    }
    assert len(callers) == 2


@pytest.mark.parametrize("kind", [pa.int64(), pa.decimal128(38, 0)])
def test_integers_are_taken_with_a_warning(kind):
    callers = pa.array([int(row[0]) for row in ROWS]).cast(kind)
    rows = table().set_column(0, "caller", callers)
    with pytest.warns(ChanfpWarning, match="'caller' is stored as integers; leading zeros"):
        _, counts = read_all(rows)
    assert counts.notes["number-column-integer"] == len(ROWS)
    assert counts.accepted == len(ROWS)


def test_floats_are_refused():
    rows = table().set_column(1, "callee", pa.array([float(row[1]) for row in ROWS]))
    with pytest.raises(ColumnError, match=r"'callee': numbers must be text, found double.*digits"):
        read_all(rows)


def test_a_missing_column_is_named(tmp_path):
    path = write_csv(tmp_path / "cdr.csv", ("caller", "friend", "start_time"), [])
    with pytest.raises(ColumnError, match=r"cdr.csv: CDRs need a column 'callee'.*'friend'"):
        chanfp.read_cdrs(path)
    path = write_csv(tmp_path / "odd.csv", ("who", "whom", "when_at"), [])
    asked = r"CDRs need columns 'caller', 'callee', 'start_time'.*those that are meant in `columns`"
    with pytest.raises(ColumnError, match=asked):
        chanfp.read_cdrs(path)


def test_negative_and_unreadable_durations_are_noted(tmp_path):
    good = ("13800000001", "13800000002", "2024-01-01 10:00:00")
    rows = [(*good, text) for text in ("60", "-1", "long", "", "00:01:00")]
    path = write_csv(tmp_path / "cdr.csv", CDR_HEADER[:4], rows)
    counts = RecordCounts()
    (calls,) = chanfp.read_cdrs(path).clean_calls(counts=counts)
    assert calls.duration_s.tolist() == [60, 0, -1, -1, 60]
    assert counts.notes == {"duration-negative": 1, "duration-unreadable": 1}


KINDS = {
    **dict.fromkeys(("call", "", "通话", "语音", "voice", "MOC", "mtc", " Call ", None), False),
    **dict.fromkeys(("SMS", "email", "mms", "短信", " sms"), True),
}


def test_messages_are_told_from_calls(tmp_path):
    good = ("13800000001", "13800000002", "2024-01-01 10:00:00", "0")
    rows = [(*good, kind) for kind in KINDS]
    (calls,) = chanfp.read_cdrs(write_csv(tmp_path / "c.csv", CDR_HEADER[:5], rows)).clean_calls()
    assert calls.is_message.tolist() == list(KINDS.values())
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    table = pa.table(columns, names=list(CDR_HEADER[:5]))
    encoded = table.set_column(4, "kind", table.column("kind").dictionary_encode())
    for kinds in (table, encoded):
        (calls,) = chanfp.read_cdrs(kinds).clean_calls()
        assert calls.is_message.tolist() == list(KINDS.values())
    (calls,) = chanfp.read_cdrs(table.drop_columns("kind")).clean_calls()
    assert not calls.is_message.any()
    assert calls.duration_s.tolist() == [0] * len(KINDS)
    (calls,) = chanfp.read_cdrs(table.drop_columns("duration_s")).clean_calls()
    assert calls.duration_s.tolist() == [-1] * len(KINDS)


def test_what_is_rejected_takes_nothing_else_along(tmp_path):
    """Row by row, every column of the accepted belongs together."""
    rows = []
    for n in range(12):
        caller = "" if n % 4 == 1 else f"1390000{n:04}"
        callee = "10086" if n % 4 == 2 else f"1380000{n:04}"
        kind = "sms" if n % 3 else "call"
        rows.append((caller, callee, f"2024-01-01 10:00:{n:02}", n, kind, f"c{n}", f"i{n}"))
    path = write_csv(tmp_path / "c.csv", CDR_HEADER, rows)
    counts = RecordCounts()
    (calls,) = chanfp.read_cdrs(path).clean_calls(extra=("cell", "imei"), counts=counts)
    kept = [n for n in range(12) if n % 4 != 1]
    first = int(calls.start_s[0])
    assert (calls.start_s - first).tolist() == kept
    assert calls.caller.tolist() == [86_139_0000_0000 + n for n in kept]
    assert calls.callee.tolist() == [0 if n % 4 == 2 else 86_138_0000_0000 + n for n in kept]
    assert calls.duration_s.tolist() == kept
    assert calls.is_message.tolist() == [n % 3 > 0 for n in kept]
    assert calls.is_pair.tolist() == [n % 4 != 2 for n in kept]
    assert calls.extra["cell"].to_pylist() == [f"c{n}" for n in kept]
    assert calls.extra["imei"].to_pylist() == [f"i{n}" for n in kept]
    assert (counts.total, counts.accepted, len(calls)) == (12, 9, 9)
    assert (counts.rejected, counts.filtered) == ({"caller-missing": 3}, {"operator-hotline": 3})


def test_examples_name_the_party_that_is_a_service(tmp_path):
    time, number = "2024-01-01 10:00:00", "13800000001"
    rows = [("10086", number, time), (number, "110", time), ("8001234567", "4001234567", time)]
    path = write_csv(tmp_path / "c.csv", CDR_HEADER[:3], rows)
    _, counts = read_all(path)
    examples = counts.as_dict()["examples"]
    assert examples["operator-hotline"] == f"{path}, row 2, column 'caller': '10086'"
    assert examples["emergency"] == f"{path}, row 3, column 'callee': '110'"
    assert sum(counts.filtered.values()) == counts.accepted == 3


def test_long_rows_are_cut_short_in_examples(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(f"caller,callee,start_time\n{'x' * 500}\n13800000001,13800000002,2024\n")
    _, counts = read_all(path)
    assert counts.examples["ragged-row"] == f"{path}, row 2: {'x' * 80!r}"


def test_several_sources_are_known_only_where_all_are(csv_file):
    assert chanfp.read_cdrs([table(), table()]).n_rows == 2 * len(ROWS)
    assert chanfp.read_cdrs([table(), csv_file]).n_rows is None
    assert chanfp.read_cdrs([table(), csv_file]).is_rereadable
    mixed = chanfp.read_cdrs([table().to_reader(), csv_file])
    assert not mixed.is_rereadable
    assert sum(len(calls) for calls in mixed.clean_calls()) == 2 * len(ROWS)


def test_notes_add_up_over_batches():
    rows = table().set_column(0, "caller", pa.array([int(row[0]) for row in ROWS]))
    pieces = pa.concat_tables([rows.slice(0, 100), rows.slice(100)])
    with pytest.warns(ChanfpWarning):
        _, counts = read_all(pieces)
    assert counts.notes == {"number-column-integer": len(ROWS)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cdr.csv", b"", "is empty, not even a header"),
        ("cdr.csv", b"PAR1....", "the suffix says text, but the content begins like Parquet"),
        ("cdr.csv", b"\x1f\x8b....", "the suffix says text, but the content begins like gzip"),
        ("cdr.parquet", b"caller,callee\n", "the suffix says Parquet, but the content begins"),
        ("cdr.parquet", b"PAR1 cut off", "can't be read as Parquet"),
        ("cdr.csv.gz", b"caller,callee\n", "the suffix says gzip"),
        ("cdr.csv", b"\n1,2\n", "row 1: a header with column names is needed"),
        ("cdr.csv", b"\xff\xff\x00\n", "text must be UTF-8, GB18030, or UTF-16"),
        ("cdr.csv", b"caller,caller\n", "'caller' stands there twice"),
        ("cdr.xlsx", b"PK", "the suffix must be one of"),
    ],
)
def test_a_file_that_is_not_what_it_says(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        chanfp.read_cdrs(path)


def test_rows_that_cannot_be_parsed_are_counted(tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text("caller,callee,start_time\n13800000001,13800000002,20240101120000\n1,2\n")
    callers, counts = read_all(path)
    assert counts.as_dict()["rejected_by_reason"] == {"ragged-row": 1}
    assert (counts.total, counts.accepted, len(callers)) == (2, 1, 1)


def test_paths_that_lead_nowhere(tmp_path):
    for path, message in (
        (tmp_path / "none.csv", "no such file or folder"),
        (str(tmp_path / "*.csv"), "the pattern matches no file"),
        (tmp_path, "the folder holds no file"),
    ):
        with pytest.raises(DataError, match=message):
            chanfp.read_cdrs(path)
    for wrong in (5, []):
        with pytest.raises(ParameterError, match="a table must be a path"):
            chanfp.read_cdrs(wrong)


def test_names_of_odd_types_are_refused_with_their_place():
    rows = table().set_column(5, "cell", pa.array([["a"]] * len(ROWS)))
    with pytest.raises(ColumnError, match=r"'cell': names must be text or whole numbers"):
        list(chanfp.read_cdrs(rows).clean_calls(extra=("cell",)))
    rows = table().set_column(6, "imei", pa.array([860123456789012.0] * len(ROWS)))
    (calls,) = chanfp.read_cdrs(rows).clean_calls(extra=("imei",))
    assert calls.extra["imei"][0].as_py() == "860123456789012"
    decimals = rows.column("imei").cast(pa.decimal128(20, 2))
    (calls,) = chanfp.read_cdrs(rows.set_column(6, "imei", decimals)).clean_calls(extra=("imei",))
    assert calls.extra["imei"][0].as_py() == "860123456789012"


def test_a_reader_is_read_once():
    cdrs = chanfp.read_cdrs(table().to_reader())
    assert not cdrs.is_rereadable
    assert sum(len(calls) for calls in cdrs.clean_calls()) == len(ROWS)
    with pytest.raises(DataError, match="can be read only once"):
        list(cdrs.clean_calls())


def test_tables_are_read_again_and_again():
    for form in ("pandas", "polars", "duckdb", "pyarrow"):
        cdrs = chanfp.read_cdrs(FORMS[form](None))
        for _ in range(2):
            assert sum(len(calls) for calls in cdrs.clean_calls()) == len(ROWS), form


def test_the_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    path = tmp_path / "cdr.csv"
    path.write_text("\ufeffcaller,callee,start_time\n13800000001,13800000002,20240101120000\n")
    _, counts = read_all(path)
    assert counts.accepted == 1


def test_opaque_ids_keep_their_texts():
    rows = pa.table({"caller": ["a", "b"], "callee": ["b", " c"], "start_time": ["2024-01-01"] * 2})
    cdrs = chanfp.read_cdrs(rows, numbers="opaque")
    (calls,) = cdrs.clean_calls()
    assert cdrs.partner_names(calls.callee) == ["b", "c"]


def test_words_for_nothing_are_nobody_in_opaque_ids_too():
    rows = pa.table(
        {
            "caller": ["NULL", "#N/A", "None", "x1"],
            "callee": ["x1", "x2", "x3", "nan"],
            "start_time": ["2024-01-01"] * 4,
        }
    )
    for numbers in ("opaque", "CN"):
        _, counts = read_all(rows, numbers=numbers)
        assert counts.rejected == {"caller-missing": 3, "callee-missing": 1}


def test_repr_tells_rows_and_plan(csv_file):
    assert "rows not counted yet" in repr(chanfp.read_cdrs(csv_file))
    with warnings.catch_warnings():
        assert f"{len(ROWS)} rows; numbers CN" in repr(chanfp.read_cdrs(table()))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_looking_up_many_numbers_tells_how_far_it_is(n_threads, tmp_path):
    n_rows, n_parts = 1_200, 3
    for part in range(n_parts):
        rows = [(f"0790012{n:04}", f"079{part}0130000", stamp(n / 100)) for n in range(n_rows)]
        write_csv(tmp_path / f"{part}.csv", CDR_HEADER[:3], rows)
    told = []
    chanfp.inspect_cdrs(
        chanfp.read_cdrs(str(tmp_path / "*.csv"), numbers="GB"),
        n_threads=n_threads,
        progress=lambda *call: told.append(call),
    )
    found = [(done, total) for stage, done, total in told if stage == "numbering"]
    assert [total for _, total in found] == [None] * (2 * n_parts)
    done = [done for done, _ in found]
    assert done == sorted(done)
    assert done[-1] == n_parts * n_rows
