"""The same records give the same bytes: however split, ordered, packed or handed in."""

import gzip
import random
import warnings

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chanfp
from town import call_table, cell_table, holder_table, town_calls, town_holders

RECORDS, HOLDERS = call_table(town_calls()), holder_table(town_holders())


def matches_of(cdrs, subscribers=HOLDERS, *, n_threads=1, **settings):
    fingerprints = chanfp.build_fingerprints(
        cdrs,
        subscribers,
        window_days=20,
        horizon_days=45,
        new_days=25,
        n_threads=n_threads,
        **settings,
    )
    return chanfp.Matcher(cells=cell_table(), n_threads=n_threads).fit(fingerprints).match()


def as_bytes(matches):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, matches.table.schema) as writer:
        writer.write_table(matches.table.combine_chunks())
    explained = [matches.explain(new).shared for new in matches.table.column("new").to_pylist()]
    return sink.getvalue().to_pybytes(), [table.to_pydict() for table in explained]


@pytest.fixture(scope="module")
def expected():
    found = matches_of(RECORDS)
    assert len(found) == 19
    return as_bytes(found)


def write_part(folder, name, table):
    """Write one part; the suffix says how."""
    path = folder / name
    if name.endswith(".parquet"):
        pq.write_table(table, path, row_group_size=13)
        return path
    header = ",".join(table.column_names)
    rows = [",".join(row.values()) for row in table.to_pylist()]
    text = "\n".join([header, *rows, ""]).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


def write_mixed(folder, table, n_parts, seed):
    """Deal the rows out to files of all kinds, columns in another order in each."""
    draw = random.Random(seed)  # noqa: S311 - a made-up order
    owner = [draw.randrange(n_parts) for _ in range(len(table))]
    paths = []
    for part in range(n_parts):
        rows = [row for row, place in enumerate(owner) if place == part]
        draw.shuffle(rows)
        names = draw.sample(table.column_names, len(table.column_names))
        suffix = ("csv", "parquet", "csv.gz")[part % 3]
        paths.append(write_part(folder, f"{part}.{suffix}", table.take(rows).select(names)))
    return paths


@pytest.mark.parametrize("n_parts", [1, 4, 11])
def test_files_of_all_kinds_in_any_order_on_any_number_of_threads(n_parts, expected, tmp_path):
    paths = write_mixed(tmp_path, RECORDS, n_parts, seed=n_parts)
    for n_threads in (1, 2, 7):
        for order in (paths, paths[::-1], tmp_path):
            found = matches_of(order, n_threads=n_threads)
            assert as_bytes(found) == expected
            assert found.summary["records"]["total"] == len(RECORDS)


def test_calls_spilled_to_disk_change_nothing(expected, tmp_path):
    paths = write_mixed(tmp_path, RECORDS, 5, seed=9)
    (tmp_path / "spilled").mkdir()
    for n_threads in (1, 7):
        found = matches_of(
            paths, n_threads=n_threads, memory_limit=400, temp_dir=str(tmp_path / "spilled")
        )
        assert as_bytes(found) == expected
        assert list((tmp_path / "spilled").iterdir()) == []


@pytest.mark.parametrize("n_threads", [2, 7])
def test_many_batches_on_many_threads(n_threads):
    carrier = chanfp.simulate(1200, seed=5)
    records = carrier.cdrs.to_table()
    batches = [records.slice(start, 997) for start in range(0, len(records), 997)]
    found = [
        matches_of(table, carrier.subscribers, n_threads=threads).table
        for table, threads in ((records, 1), (pa.concat_tables(batches), n_threads))
    ]
    assert len(found[0]) > 10
    assert found[0].equals(found[1])


FORMS = {
    "pandas": lambda table: table.to_pandas(),
    "polars": pl.from_arrow,
    "duckdb": duckdb.from_arrow,
    "pyarrow": lambda table: table,
    "batch": lambda table: table.combine_chunks().to_batches()[0],
    "dictionary": lambda table: table.cast(
        pa.schema([(name, pa.dictionary(pa.int32(), pa.string())) for name in table.column_names])
    ),
    "large strings": lambda table: table.cast(
        pa.schema([(name, pa.large_string()) for name in table.column_names])
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_arrow_stream_gives_the_same_matches(form, expected):
    assert as_bytes(matches_of(FORMS[form](RECORDS))) == expected
    assert as_bytes(matches_of(FORMS[form](RECORDS), FORMS[form](HOLDERS))) == expected


def test_several_relations_of_one_duckdb_connection(expected):
    # A connection has one open result at a time, so none may be held while another is read.
    parts = [duckdb.from_arrow(RECORDS.slice(*part)) for part in ((0, 50), (50, 9), (59,))]
    assert as_bytes(matches_of(parts, duckdb.from_arrow(HOLDERS))) == expected


def test_missing_values_may_be_null_or_empty(expected):
    records, holders = (
        pa.table(
            [
                pa.array([value or None for value in column.to_pylist()], pa.string())
                for column in table.columns
            ],
            names=table.column_names,
        )
        for table in (RECORDS, HOLDERS)
    )
    assert as_bytes(matches_of(records, holders)) == expected
    assert as_bytes(matches_of(records.to_pandas(), pl.from_arrow(holders))) == expected


def test_typed_columns_give_the_same_matches(expected):
    times = pd.to_datetime(RECORDS.column("start_time").to_pandas())
    typed = RECORDS.to_pandas().assign(
        start_time=times, duration_s=RECORDS["duration_s"].to_pandas().astype(int)
    )
    assert as_bytes(matches_of(typed)) == expected


def test_a_reader_gives_the_same_but_for_the_second_pass(expected):
    found = matches_of(RECORDS.to_reader(max_chunksize=7), HOLDERS.to_reader())
    table = matches_of(RECORDS).table
    unknown = {"cell_similarity", "same_home_cell", "hour_similarity", "same_imei"}
    unknown |= {"region_new", "region_old"}
    for name in table.column_names:
        if name in unknown:
            assert found.table.column(name).null_count == len(table)
        else:
            assert found.table.column(name).equals(table.column(name)), name
    assert sum("read only once" in notice for notice in found.summary["notices"]) == 1


def test_numbers_may_be_written_in_any_way(expected):
    ways = ["{}", "+86{}", "0086{}", "+86 {}", "17951{}", "86{}"]
    columns = [
        pa.array(
            [
                number if len(number) < 11 else ways[row % len(ways)].format(number)
                for row, number in enumerate(RECORDS.column(name).to_pylist())
            ]
        )
        for name in ("caller", "callee")
    ]
    odd = RECORDS.set_column(0, "caller", columns[0]).set_column(1, "callee", columns[1])
    with warnings.catch_warnings():
        assert as_bytes(matches_of(odd)) == expected


def test_the_subscriber_table_may_come_in_parts_and_in_any_order(expected, tmp_path):
    order = random.Random(3).sample(range(len(HOLDERS)), len(HOLDERS))  # noqa: S311
    shuffled = HOLDERS.take(order)
    parts = [write_part(tmp_path, "a.csv", shuffled.slice(0, 5))]
    parts += [write_part(tmp_path, "b.parquet", shuffled.slice(5))]
    assert as_bytes(matches_of(RECORDS, parts)) == expected
    assert as_bytes(matches_of(RECORDS, parts[::-1])) == expected
