"""Reading tables: every form gives the same rows under the same numbers; dirt costs its own row."""

import errno
import gzip
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp.errors import ChanfpWarning, ColumnError, DataError, ParameterError
from chanfp.tables import check_output, csvfiles, find_sources, parquet, write_table

NAMES = ["主叫号码", "被叫号码", "kind"]
ROWS = [(f"1380000{n:04}", f"0{n}", "通话" if n % 3 else "短信, 彩信") for n in range(300)]


def table(rows=ROWS, names=NAMES):
    return pa.table([pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)],
                    names=names)  # fmt: skip


def text(delimiter=",", end="\n", rows=ROWS):
    def cell(value):
        return f'"{value}"' if delimiter in value else value

    return "".join(delimiter.join(map(cell, row)) + end for row in [NAMES, *rows])


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(source, columns=NAMES, **options):
    """Return the rows, their numbers and the rejects of all sources."""
    rows, numbers, rejects = [], [], []
    for opened in find_sources(source, **options):
        for batch in opened.batches(columns):
            rows += zip(*(column.to_pylist() for column in batch.records.columns), strict=True)
            numbers += batch.row_numbers.tolist()
            rejects += batch.rejects
            for at, number in enumerate(batch.row_numbers[:3]):
                assert batch.row_number(at) == number
    return rows, numbers, rejects


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


FILES = {
    "plain.csv": text().encode(),
    "windows.csv": text(end="\r\n").encode(),
    "open end.csv": text().rstrip("\n").encode(),
    "marked.csv": text().encode("utf-8-sig"),
    "small.csv.gz": gzip.compress(text().encode()),
    "members.csv.gz": gzip.compress(text()[:9].encode()) + gzip.compress(text()[9:].encode()),
    "small.CSV.ZST": zstd(text().encode()),
    "two frames.csv.zst": zstd(text()[:999].encode()) + zstd(text()[999:].encode()),
    "tab.tsv": text("\t").encode(),
    "semicolon.csv": text(";").encode(),
    "bar.csv": text("|").encode("gb18030"),
    "china.csv": text().encode("gb18030"),
    "china.csv.gz": gzip.compress(text().encode("gb18030")),
    "wide.csv": text().encode("utf-16"),
    "big end.csv": b"\xfe\xff" + text().encode("utf-16-be"),
}  # fmt: skip


@pytest.mark.parametrize("block_bytes", [50, 1000, 1 << 22])
@pytest.mark.parametrize("name", FILES)
def test_every_form_of_csv_gives_the_same_rows(name, block_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", block_bytes)
    rows, numbers, rejects = read(write(tmp_path / name, FILES[name]))
    assert rows == ROWS
    assert numbers == list(range(2, len(ROWS) + 2))
    assert rejects == []


STREAMS = {
    "pyarrow": table,
    "pandas": lambda: table().to_pandas(),
    "polars": lambda: pl.from_arrow(table()),
    "duckdb": lambda: duckdb.from_arrow(table()),
    "batch": lambda: table().to_batches()[0],
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_are_read_again_and_again(name):
    (source,) = find_sources(STREAMS[name]())
    for _ in range(3):
        rows = [row for batch in source.batches(NAMES[:1]) for row in batch.records[0].to_pylist()]
        assert rows == [row[0] for row in ROWS]
    assert source.is_rereadable


def test_a_reader_is_read_once():
    (source,) = find_sources(table().to_reader(max_chunksize=100))
    assert [batch.first_row for batch in source.batches(NAMES)] == [1, 101, 201]
    assert not source.is_rereadable
    with pytest.raises(DataError, match="can be read only once"):
        list(source.units(NAMES))


def test_an_unknown_object_that_runs_dry_is_noticed():
    class Tap:
        def __init__(self):
            self.reader = table().to_reader()

        def __arrow_c_stream__(self, requested_schema=None):
            reader, self.reader = self.reader, table().slice(0, 0).to_reader()
            return reader.__arrow_c_stream__(requested_schema)

    (source,) = find_sources(Tap())
    assert sum(batch.records.num_rows for batch in source.batches(NAMES)) == len(ROWS)
    with pytest.raises(DataError, match="must give the rows of the first, found 0 instead of 300"):
        list(source.batches(NAMES))


def test_columns_come_in_the_order_asked_for_whatever_the_file(tmp_path):
    write(tmp_path / "a.csv", "x,y\n1,2\n")
    write(tmp_path / "b.csv", "y;z;x\n4;5;3\n")
    pq.write_table(pa.table({"y": [6], "x": ["5"]}), tmp_path / "c.parquet")
    assert read(tmp_path, ["y", "x"])[0] == [("2", "1"), ("4", "3"), (6, "5")]


def test_a_column_missing_in_one_part_names_the_part(tmp_path):
    pq.write_table(pa.table({"x": [1], "y": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [1.5]}), tmp_path / "b.parquet")
    assert read(tmp_path, ["x"])[0] == [(1,), (1.5,)]
    with pytest.raises(ColumnError, match=r"b.parquet: column 'y' is missing.*found are 'x'"):
        read(tmp_path, ["x", "y"])


# Folders


def test_folder_names_become_columns(tmp_path):
    for day in ("2024-01-31", "2024-02-01"):
        write(tmp_path / "province=%E5%8C%97" / f"day={day}" / "part.csv", "x\n1\n")
    pq.write_table(
        pa.table({"x": ["2"], "day": ["inside"]}),
        write(tmp_path / "province=__HIVE_DEFAULT_PARTITION__" / "day=out" / "a.parquet", b""),
    )
    expected = [
        ("2024-01-31", "1", "北"),
        ("2024-02-01", "1", "北"),
        ("inside", "2", None),
    ]
    assert read(tmp_path, ["day", "x", "province"])[0] == expected
    assert read(str(tmp_path / "prov*"), ["day", "x", "province"])[0] == expected
    assert read(str(tmp_path / "p*" / "*" / "*.*"), ["day", "x", "province"])[0] == expected
    assert read(tmp_path, ["province"])[0] == [("北",), ("北",), (None,)]
    schema = find_sources(tmp_path)[0].schema
    assert schema.field("day").type == pa.string()


def test_folders_are_searched_and_foreign_files_remembered(tmp_path):
    write(tmp_path / "b" / "x.csv", "x\n2\n")
    write(tmp_path / "a.csv" / "part-0.csv", "x\n1\n")
    write(tmp_path / "readme.txt", "no table")
    os.symlink(tmp_path / "b", tmp_path / "c")
    os.symlink(tmp_path, tmp_path / "b" / "loop")
    os.symlink(tmp_path / "gone.csv", tmp_path / "b" / "gone.dat")
    for name in (".x.csv", "_SUCCESS", "_delta/x.csv", ".part.csv.crc", "x.csv.crc", ".h/x.csv"):
        write(tmp_path / name, b"\xff")
    sources = find_sources(tmp_path)
    assert [Path(source.name).relative_to(tmp_path).parts for source in sources] == [
        ("a.csv", "part-0.csv"),
        ("b", "x.csv"),
    ]
    assert sorted(Path(path).name for path in sources.skipped) == ["gone.dat", "readme.txt"]


def test_files_passed_over_are_told_in_one_line(tmp_path):
    write(tmp_path / "x.csv", "x\n1\n")
    for name in ("a.txt", "b.log", "c", "d.doc"):
        write(tmp_path / name, "no table")
    with pytest.warns(
        ChanfpWarning, match=r"^4 files .*a.txt, .*b.log, .*c and 1 more; ren"
    ) as told:
        find_sources(tmp_path).warn_of_skipped()
    assert len(told) == 1
    find_sources(tmp_path / "x.csv").warn_of_skipped()


def test_a_recursive_glob_takes_each_file_once(tmp_path):
    write(tmp_path / "a" / "x.csv", "x\n1\n")
    write(tmp_path / "a" / "b" / "y.csv", "x\n2\n")
    assert read(str(tmp_path / "**"), ["x"])[0] == [("2",), ("1",)]
    assert read(str(tmp_path / "**" / "*.csv"), ["x"])[0] == [("2",), ("1",)]


# Dirty rows: text behind the header "a,b,c", rows expected with their numbers, rejects expected

GOOD = "1,2,3\n"
DIRT = {
    "ragged": ("1,2\n" + GOOD + "1,2,3,4\n", [3], [(2, "ragged-row"), (4, "ragged-row")]),
    "blank lines": ("\n" + GOOD + "\r\n\n" + GOOD + "\n", [3, 6], []),
    "nul": (GOOD + "1,\0,3\n" + GOOD, [2, 4], [(3, "nul-byte")]),
    "open quote": (GOOD + '1,"2,3\n' + GOOD * 3, [2, 4, 5, 6], [(3, "stray-quote")]),
    "open quote at the end": (GOOD + '1,2,"3\n', [2], [(3, "stray-quote")]),
    "two open quotes": ('1,"2,3\n' + GOOD + '1,"2,3\n' + GOOD, [3, 5],
                        [(2, "stray-quote"), (4, "stray-quote")]),
    "open quote after a whole one": ('1"2,"2,3\n' + GOOD, [3], [(2, "stray-quote")]),
    "row between two stray quotes": ('1,"2,3\n' + GOOD + '7",8\n', [3],
                                     [(2, "stray-quote"), (4, "ragged-row")]),
    "bad bytes": (b"1,\xff,3\n" + GOOD.encode(), [3], [(2, "bad-encoding")]),
    "lone return": ("1,2\r4,5,6\n" + GOOD, [3], [(2, "stray-line-break")]),
    "long field": ("1," + "x" * (1 << 20) + ",3\n" + GOOD, [3], [(2, "field-too-long")]),
    "longer field": (GOOD + "1," + "x" * 10_000_000 + ",3\n" + GOOD, [2, 4],
                     [(3, "field-too-long")]),
    "longest field at the end": (GOOD + "x" * 9_000_000, [2], [(3, "field-too-long")]),
    "all at once": (GOOD + '\n1\n"1,2,3\n\0\n' + GOOD + '1,"2,3\n1\n' + GOOD, [2, 7, 10],
                    [(4, "ragged-row"), (5, "stray-quote"), (6, "nul-byte"), (8, "stray-quote"),
                     (9, "ragged-row")]),
    "only dirt": ("1\n2\n", [], [(2, "ragged-row"), (3, "ragged-row")]),
    "only blank": ("\n\n", [], []),
    "nothing": ("", [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", DIRT)
def test_dirt_costs_its_own_row(name, tmp_path):
    body, expected, rejected = DIRT[name]
    body = body if isinstance(body, bytes) else body.encode()
    path = write(tmp_path / "x.csv", b"a,b,c\n" + body)
    rows, numbers, rejects = read(path, ["c", "a"], encoding="utf-8")
    assert rows == [("3", "1")] * len(expected)
    assert numbers == expected
    assert [(reject.row, reject.reason) for reject in rejects] == rejected


def test_rejects_keep_the_raw_text(tmp_path):
    path = write(tmp_path / "x.csv", b'a,b\n1\xff,"2"\n"3,4\n5\n' + b"x" * (2 << 20) + b",\n")
    texts = [reject.text for reject in read(path, ["a"], encoding="utf-8")[2]]
    assert texts[:3] == ['1\ufffd,"2"', '"3,4', "5"]
    assert texts[3] == "x" * 1000 + "…"


def test_bytes_that_are_no_gb18030_cost_their_own_row(tmp_path):
    good = "通话,1\n".encode("gb18030")
    path = write(tmp_path / "x.csv", b"a,b\n" + good * 250_000 + b"\xff,2\n" + good)
    rows, numbers, rejects = read(path, ["a"])
    assert rows == [("通话",)] * 250_001
    assert numbers[-2:] == [250_001, 250_003]
    assert [(reject.row, reject.reason) for reject in rejects] == [(250_002, "bad-encoding")]


def test_records_with_line_breaks_are_records(tmp_path):
    body = '1,"x\n\ny",3\n4,5,6\r\n7,"say ""no""\r\n",9\n1,"2,3\n' + GOOD
    rows, numbers, rejects = read(write(tmp_path / "x.csv", "a,b,c\n" + body), ["a", "b", "c"])
    assert rows == [("1", "x\n\ny", "3"), ("4", "5", "6"), ("7", 'say "no"\r\n', "9"),
                    ("1", "2", "3")]  # fmt: skip
    assert numbers == [2, 5, 6, 9]
    assert [(reject.row, reject.reason) for reject in rejects] == [(8, "stray-quote")]


ITEMS = [
    ("1,2,3", ("1", "2", "3")),
    ('"1","2, 2","3"', ("1", "2, 2", "3")),
    ('1,"2""2",3', ("1", '2"2', "3")),
    ('1,2"2,3', ("1", '2"2', "3")),
    ("号,码,", ("号", "码", "")),
    ("1,2", "ragged-row"),
    ("1,2,3,4", "ragged-row"),
    ('"1,2,3', "stray-quote"),
    ('1,2,"3', "stray-quote"),
    ("1,\0,3", "nul-byte"),
    ("1,\r,3", "stray-line-break"),
    (b"1,\x80,3", "bad-encoding"),
    ("", None),
]


@given(
    items=st.lists(st.sampled_from(ITEMS), max_size=40),
    end=st.sampled_from([b"\n", b"\r\n"]),
    block_bytes=st.integers(10, 300),
)
def test_no_dirt_harms_another_row(items, end, block_bytes, tmp_path_factory):
    lines = [raw if isinstance(raw, bytes) else raw.encode() for raw, _ in items]
    path = tmp_path_factory.mktemp("dirt") / "x.csv"
    path.write_bytes(end.join([b"a,b,c", *lines, b""]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfiles, "BLOCK_BYTES", block_bytes)
        rows, numbers, rejects = read(path, ["a", "b", "c"], encoding="utf-8")
    outcomes = [(at, outcome) for at, (_, outcome) in enumerate(items, start=2)]
    good = [(at, outcome) for at, outcome in outcomes if isinstance(outcome, tuple)]
    assert list(zip(numbers, rows, strict=True)) == good
    assert [(reject.row, reject.reason) for reject in rejects] == [
        (at, outcome) for at, outcome in outcomes if isinstance(outcome, str)
    ]


@given(
    rows=st.lists(
        st.tuples(*[st.text('ab ,"\n\v号', max_size=4)] * 3).map(
            lambda row: tuple(cell.replace("\v", "\r\n") for cell in row)
        ),
        max_size=12,
    ),
    block_bytes=st.integers(20, 200),
)  # fmt: skip
def test_whatever_is_quoted_whole_comes_back(rows, block_bytes, tmp_path_factory):
    path = tmp_path_factory.mktemp("quoted") / "x.csv"
    rows = [row for row in rows if "," not in "".join(row) or "\n" not in "".join(row)]
    pa_csv.write_csv(table([("h", "h", "h"), *rows], ["a", "b", "c"]), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfiles, "BLOCK_BYTES", block_bytes)
        found, numbers, rejects = read(path, ["a", "b", "c"])
    assert (found[1:], rejects) == (rows, [])
    lines = np.cumsum([2, 1, *(1 + "".join(row).count("\n") for row in rows)])
    assert numbers == lines[: len(numbers)].tolist()


def test_strict_reading_refuses_the_first_reject(tmp_path):
    (source,) = find_sources(write(tmp_path / "x.csv", "a,b\n1,2\n3\n"))
    with pytest.raises(DataError, match=r"x.csv, row 3: every row must be.*ragged-row: '3'"):
        list(source.batches(["a"], is_strict=True))


def test_places_name_the_line(tmp_path):
    (source,) = find_sources(write(tmp_path / "x.csv", "a,b\n1\n\n3,4\n"))
    (batch,) = source.batches(["a"])
    assert batch.place(0, "a") == f"{tmp_path / 'x.csv'}, row 4, column 'a'"


def test_a_batch_left_early_leaves_no_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", 100)
    (source,) = find_sources(write(tmp_path / "x.csv", text()))
    batches = source.batches(NAMES)
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if "chanfp" in thread.name]


# Encodings and delimiters given by the user


UTF8_ROW = "小区一,1\n".encode()
GBK_ROW = "小区一,1\n".encode("gb18030")


@pytest.mark.parametrize(
    ("content", "encoding", "n_bad"),
    [
        (b"a,b\n" + 18 * UTF8_ROW + 2 * GBK_ROW, "utf-8", 2),
        (b"a,b\n" + GBK_ROW + 100_000 * UTF8_ROW, "utf-8", 1),
        ("号码,b\n".encode() + 3 * GBK_ROW + b"1,1\n", "utf-8", 3),
        ("号码,b\n".encode("gb18030") + 30 * UTF8_ROW + b"1,1\n", "gb18030", 30),
        (b"a,b\n" + 18 * GBK_ROW + 2 * b"1,\xff\n", "gb18030", 2),
        (b"a,b\n" + GBK_ROW, "gb18030", 0),
    ],
)
def test_a_few_lines_do_not_change_the_encoding(content, encoding, n_bad, tmp_path):
    path = write(tmp_path / "x.csv", content)
    (source,) = find_sources(path)
    assert source.layout.encoding == encoding
    rejects = read(path, source.schema.names)[2]
    assert [reject.reason for reject in rejects] == ["bad-encoding"] * n_bad


def test_a_file_half_in_each_encoding_is_refused(tmp_path):
    path = write(tmp_path / "x.csv", b"a,b\n" + 9 * UTF8_ROW + 9 * GBK_ROW)
    with pytest.raises(DataError, match="text must be UTF-8, GB18030, or UTF-16 with"):
        find_sources(path)


def test_encoding_and_delimiter_may_be_given(tmp_path):
    path = write(tmp_path / "x.csv", "a;b,c\n1;2,é\n".encode("latin-1"))
    rows, *_ = read(path, ["b,c"], encoding="latin-1", delimiter=";")
    assert rows == [("2,é",)]
    assert read(path, ["a;b"], encoding="latin-1", delimiter=",")[0] == [("1;2",)]
    for options, message in (
        ({"encoding": "klingon"}, "`encoding` must be an encoding of text"),
        ({"encoding": "hex"}, "`encoding` must be an encoding of text"),
        ({"delimiter": ""}, "`delimiter` must be one ASCII character"),
        ({"delimiter": '"'}, "`delimiter` must be one ASCII character"),
    ):
        with pytest.raises(ParameterError, match=message):
            find_sources(path, **options)


# Units


def test_units_may_run_on_any_thread_in_any_order(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", 400)
    monkeypatch.setattr(parquet, "UNIT_ROWS", 64)
    write(tmp_path / "a.csv", text())
    pq.write_table(table(), tmp_path / "b.parquet", row_group_size=50)
    for source in find_sources([tmp_path, table()]):
        units = list(source.units(NAMES[:2]))
        with ThreadPoolExecutor(3) as pool:
            done = list(pool.map(lambda unit: unit(), reversed(units)))[::-1]
        batches = [batch for part in done for batch in part]
        numbers = np.concatenate([batch.row_numbers for batch in batches]) - source.first_row
        assert numbers.tolist() == list(range(len(ROWS)))
        found = [value for batch in batches for value in batch.records[1].to_pylist()]
        assert found == [row[1] for row in ROWS]
        assert len(units) == 1 or len(units) >= 3


def test_dictionaries_are_kept_where_they_pay(tmp_path):
    few = pa.array([f"1380000{n % 40:04}" for n in range(5000)])
    many = pa.array([f"2024-01-01 {n:015}" for n in range(5000)])
    path = tmp_path / "x.parquet"
    columns = {"few": few, "many": many, "number": pa.array(range(5000)), "plain": few}
    pq.write_table(pa.table(columns), path, row_group_size=2000, use_dictionary=["few", "many"])
    (source,) = find_sources(path)
    names = list(columns)
    from_units = [batch for unit in source.units(names) for batch in unit()]
    for batches in (list(source.batches(names)), from_units):
        for batch in batches:
            kinds = [pa.types.is_dictionary(kind) for kind in batch.records.schema.types]
            assert kinds == [True, False, False, False]
        assert pa.chunked_array([b.records["few"] for b in batches]).to_pylist() == few.to_pylist()
    assert source.schema.field("few").type == pa.string()


# Damage


def noise(n_bytes):
    return np.random.default_rng(5).integers(0, 256, n_bytes, np.uint8).tobytes()


def test_cut_compressed_files_tell_how_far_they_go(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", 1 << 20)
    rows = b"".join(b"%d,%d\n" % (n, n * n % 1_000_003) for n in range(300_000))
    for name, pack in (("x.csv.gz", gzip.compress), ("x.csv.zst", zstd)):
        packed = pack(b"a,b\n" + rows)
        path = write(tmp_path / name, packed[: len(packed) - 20])
        with pytest.raises(DataError, match=rf"{name}: damaged after row \d\d+: Truncated"):
            read(path, ["a"])
        path = write(tmp_path / name, packed[: len(packed) // 9])
        with pytest.raises(DataError, match=rf"{name}: damaged at its beginning: Truncated"):
            read(path, ["a"])


def test_damaged_parquet_is_named(tmp_path):
    path = tmp_path / "x.parquet"
    rows = pa.table({"a": [noise(8).hex() + str(n) for n in range(5000)]})
    pq.write_table(rows, path, row_group_size=1000, use_dictionary=False, compression="zstd")
    whole = path.read_bytes()
    write(path, whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"x.parquet: can't be read as Parquet: .*copy it again"):
        find_sources(path)
    write(path, whole[: len(whole) // 2] + b"\xee" * 500 + whole[len(whole) // 2 + 500 :])
    (source,) = find_sources(path)
    with pytest.raises(DataError, match=r"x.parquet: damaged after row \d+: "):
        list(source.batches(["a"]))
    with pytest.raises(DataError, match=r"x.parquet: damaged after row \d+: "):
        [unit() for unit in source.units(["a"])]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "is empty, not even a header"),
        ("x.csv", b"PK\x03\x04", "begins like a zip archive or an Excel workbook; rename"),
        ("x.csv.zst", b"a,b\n", "the suffix says zstd, but the content begins like text"),
        ("x.csv", b"a,b\n1,\xff\n", "text must be UTF-8, GB18030, or UTF-16 .* byte 0xff near"),
        ("x.csv", b"a,b\r1,2\r", r"lines must end in \\n or \\r\\n, found \\r alone"),
        ("x.csv", b"a" * (2 << 20), "found a first line of more than 1,048,576 bytes"),
        ("x.csv", b"a,b,a\n", "'a' stands there twice"),
        ("x.csv", b",\n", "a header with column names is needed"),
        ("x.txt", b"a,b\n", "the suffix must be one of .csv"),
        ("x.csv.gz", gzip.compress(b"a,b\n", mtime=0)[:-9], "damaged at its beginning: Truncated"),
    ],
)
def test_files_that_cannot_be_opened(name, content, message, tmp_path):
    path = write(tmp_path / name, content)
    with pytest.raises(DataError, match=message) as caught:
        find_sources(path)
    assert "\n" not in str(caught.value)


def test_paths_that_lead_nowhere(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "other" / "x.doc", b"")
    for path, message in (
        (tmp_path / "no.csv", "no such file or folder"),
        (str(tmp_path / "no*"), "the pattern matches no file"),
        (tmp_path / "empty", r"holds no file ending in .*\(it is empty\)"),
        (tmp_path / "other", r"holds no file ending in .*\(found only '.*x.doc'\)"),
        (tmp_path / "pipe.csv", "must be a file, found a pipe"),
    ):
        with pytest.raises(DataError, match=message):
            find_sources(path)


def test_unreadable_files_and_folders(tmp_path, monkeypatch):
    path = write(tmp_path / "x.csv", "a\n1\n")
    (source,) = find_sources(path)

    def refuse(name, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(name))

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refuse)
        with pytest.raises(DataError, match=r"x.csv: can't be opened: Permission denied; check"):
            find_sources(path)
        with pytest.raises(DataError, match=r"x.csv: can't be opened any more: Permission denied"):
            list(source.batches(["a"]))
    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", refuse)
        with pytest.raises(DataError, match="can't be opened: Permission denied"):
            find_sources(tmp_path)


# Output


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_output_appears_whole_or_not_at_all(name, tmp_path, monkeypatch):
    write_table(table(), tmp_path / name)
    assert read(tmp_path / name)[0] == ROWS
    before = (tmp_path / name).read_bytes()

    def fill_up(_, path, *__):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq, "write_table", fill_up)
    monkeypatch.setattr(pa_csv, "write_csv", fill_up)
    with pytest.raises(DataError, match=rf"{name}: can't be written: No space left on device"):
        write_table(table(), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == before


def test_a_folder_named_like_an_output_file_is_refused(tmp_path):
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(DataError, match="can't be written there"):
        check_output(str(tmp_path / "x.csv"))


def test_a_data_frame_that_arrow_cannot_hold_is_named():
    twice = pd.DataFrame([["1", "2"]], columns=["a", "a"])
    with pytest.raises(ColumnError, match=r"<pandas.DataFrame>: column names must differ, 'a' st"):
        find_sources(twice)
    with pytest.raises(ColumnError, match=r"<pyarrow.Table>: column names must differ, 'a' st"):
        find_sources(pa.table([["1"], ["2"]], names=["a", "a"]))
    odd = pd.DataFrame({"a": ["x", 1, object()]})
    with pytest.raises(
        ColumnError, match=r"<pandas.DataFrame>: the columns can't be read as Arrow"
    ):
        find_sources(odd)


def test_pandas_is_converted_once_for_the_first_pass():
    class Counting(pd.DataFrame):
        n_streams = 0

        def __arrow_c_stream__(self, requested_schema=None):
            Counting.n_streams += 1
            return super().__arrow_c_stream__(requested_schema)

    (source,) = find_sources(Counting(table().to_pandas()))
    list(source.batches(NAMES))
    assert Counting.n_streams == 1
