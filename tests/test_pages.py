"""Parquet texts read from their pages: what pyarrow reads, or nothing."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _core, _reference
from chanfp.errors import DataError
from chanfp.tables import find_sources, pages
from chanfp.tables.pages import has_plain_pages, is_stored_as_read, read_plain
from chanfp.tables.thrift import read_struct

TEXTS = ["13912345678", "", "a" * 15, "b" * 16, "c" * 17, "d" * 400, "一二三", "1"]
VALUES = st.lists(st.binary(max_size=40), max_size=30)


def column_of(n_rows, *, nulls, seed=0):
    random = np.random.default_rng(seed)
    texts = np.array(TEXTS, object)[random.integers(0, len(TEXTS), n_rows)]
    if nulls == "some":
        texts[random.random(n_rows) < 0.1] = None
    elif nulls == "runs":
        texts[1000:3000] = None
    elif nulls == "all":
        texts[:] = None
    return pa.array(texts, pa.string())


def write(path, column, *, kind=None, **options):
    options = {"use_dictionary": False, "compression": "zstd", "data_page_size": 9000} | options
    schema = pa.schema(
        [pa.field("caller", kind or pa.string(), nullable=options.pop("nullable", True))]
    )
    pq.write_table(pa.Table.from_arrays([column], schema=schema), path, **options)
    return path


def read_pages(path, kind=None):
    """Return what the pages give, and whether they should be tried at all."""
    metadata = pq.read_metadata(path)
    chunk, column = metadata.row_group(0).column(0), metadata.schema.column(0)
    with open(path, "rb") as file:
        is_nullable = column.max_definition_level == 1
        found = read_plain(file, chunk, kind or pa.string(), is_nullable=is_nullable)
    return found, has_plain_pages(chunk, column)


@pytest.mark.parametrize("nulls", ["none", "some", "runs", "all"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("checksum", [False, True])
def test_pages_give_what_pyarrow_reads(tmp_path, nulls, compression, checksum):
    column = column_of(5_000, nulls=nulls)
    path = write(
        tmp_path / "a.parquet", column, compression=compression, write_page_checksum=checksum
    )
    found, is_tried = read_pages(path)
    assert is_tried
    found.validate(full=True)
    assert found.equals(column)


def test_a_column_that_can_hold_no_null_has_no_levels(tmp_path):
    column = column_of(5_000, nulls="none")
    found, is_tried = read_pages(write(tmp_path / "a.parquet", column, nullable=False))
    assert is_tried
    assert found.equals(column)


@pytest.mark.parametrize("nulls", [0, 0.1, 1])
@pytest.mark.parametrize(
    "kind",
    [pa.int32(), pa.int64(), pa.timestamp("ms"), pa.timestamp("us", "Asia/Shanghai"),
     pa.timestamp("ns")],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_numbers_and_times_give_what_pyarrow_reads(tmp_path, kind, nulls, compression):
    random = np.random.default_rng(3)
    bits = kind.bit_width
    values = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 9_000, f"i{bits // 8}")
    column = pa.array(values, mask=random.random(9_000) < nulls).cast(kind)
    path = write(tmp_path / "a.parquet", column, compression=compression, kind=kind)
    found, is_tried = read_pages(path, kind)
    assert is_tried
    found.validate(full=True)
    assert found.equals(column)
    (source,) = find_sources(str(path))
    assert source.stored.field("caller").type == kind
    read = [batch.records for unit in source.units(["caller"]) for batch in unit()]
    assert pa.Table.from_batches(read).column("caller").combine_chunks().equals(column)


@pytest.mark.parametrize("kind", [pa.date32(), pa.int16(), pa.uint32(), pa.float64(), pa.binary()])
def test_values_that_arrow_holds_otherwise_are_left_to_pyarrow(tmp_path, kind):
    column = pa.array([b"1"] * 5_000)
    if kind != pa.binary():
        column = pa.array(range(5_000), pa.int32()).cast(kind, safe=False)
    path = write(tmp_path / "a.parquet", column, kind=kind)
    schema = pq.read_metadata(path).schema
    assert not is_stored_as_read(schema.to_arrow_schema().field(0).type, schema.column(0))
    (source,) = find_sources(str(path))
    read = [batch.records for unit in source.units(["caller"]) for batch in unit()]
    assert pa.Table.from_batches(read).column("caller").combine_chunks().equals(column)


@pytest.mark.parametrize(
    "options",
    [
        {"use_dictionary": True},
        {"data_page_version": "2.0"},
        {"compression": "gzip"},
        {"column_encoding": {"caller": "DELTA_BYTE_ARRAY"}},
    ],
)
def test_other_pages_are_left_to_pyarrow(tmp_path, options):
    column = column_of(5_000, nulls="some")
    path = write(tmp_path / "a.parquet", column, **options)
    metadata = pq.read_metadata(path)
    if has_plain_pages(metadata.row_group(0).column(0), metadata.schema.column(0)):
        assert read_pages(path)[0] is None
    (source,) = find_sources(str(path))
    found = [
        batch.records.column("caller").cast(pa.string()) for batch in source.batches(["caller"])
    ]
    assert pa.chunked_array(found).to_pylist() == column.to_pylist()


def test_the_source_reads_pages_beside_other_columns(tmp_path, monkeypatch):
    table = pa.table({"n": range(30_000), "caller": column_of(30_000, nulls="some"),
                      "kind": pa.array(["call", "sms"] * 15_000),
                      "callee": column_of(30_000, nulls="none", seed=1)})  # fmt: skip
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, use_dictionary=["kind"], row_group_size=10_000)
    for columns in (["callee", "n", "caller"], ["caller"], ["n", "kind"], table.column_names):
        (source,) = find_sources(str(path))
        units = [batch.records for unit in source.units(columns) for batch in unit()]
        found = pa.Table.from_batches(units)
        assert found.schema.names == columns
        assert found.to_pylist() == table.select(columns).to_pylist()
    calls = []
    monkeypatch.setattr(_core, "cut_values", lambda *words: calls.append(words) or -1)
    (source,) = find_sources(str(path))
    found = [batch.records for unit in source.units(["caller"]) for batch in unit()]
    assert calls
    assert pa.Table.from_batches(found).column("caller").to_pylist() == table["caller"].to_pylist()


@given(seed=st.integers(0, 2**32 - 1), n_flips=st.integers(1, 3))
def test_damaged_pages_give_nothing(tmp_path_factory, seed, n_flips):
    path = tmp_path_factory.mktemp("damaged") / "a.parquet"
    write(path, column_of(4_500, nulls="some"), write_page_checksum=True, compression="snappy")
    metadata = pq.read_metadata(path)
    chunk = metadata.row_group(0).column(0)
    random = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    places = chunk.data_page_offset + random.integers(0, chunk.total_compressed_size, n_flips)
    for place in places:
        data[place] ^= int(random.integers(1, 256))
    whole = read_pages(path)[0]
    path.write_bytes(data)
    with open(path, "rb") as file:
        found = read_plain(file, chunk, pa.string(), is_nullable=True)
    # A flip may hit what means nothing, such as a statistic.
    assert found is None or found.equals(whole)


def test_damage_is_told_by_file_and_row(tmp_path):
    path = write(tmp_path / "a.parquet", column_of(5_000, nulls="none"), write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    (source,) = find_sources(str(path))
    with pytest.raises(DataError, match=r"a\.parquet: damaged after row 0"):
        [unit() for unit in source.units(["caller"])]


def test_a_chunk_cut_short_gives_nothing(tmp_path):
    path = write(tmp_path / "a.parquet", column_of(5_000, nulls="none"), compression="none")
    chunk = pq.read_metadata(path).row_group(0).column(0)
    path.write_bytes(path.read_bytes()[: chunk.total_compressed_size // 2])
    with open(path, "rb") as file:
        assert read_plain(file, chunk, pa.string(), is_nullable=True) is None


LEVEL_RUNS = st.lists(
    st.one_of(
        st.builds(lambda n, bit: bytes([n << 1, bit]), st.integers(0, 40), st.integers(0, 2)),
        st.binary(min_size=1, max_size=4).map(lambda bits: bytes([len(bits) << 1 | 1]) + bits),
        st.binary(max_size=6),
    ),
    max_size=6,
).map(b"".join)


@given(levels=LEVEL_RUNS, n_values=st.integers(0, 120))
def test_levels_equal_their_twin(levels, n_values):
    flags = np.full(n_values, 7, np.uint8)
    n_present = _core.read_levels(np.frombuffer(levels, np.uint8), flags)
    expected = _reference.read_levels(levels, n_values)
    assert n_present == (-1 if expected is None else sum(expected))
    if expected is not None:
        assert flags.tolist() == expected


@given(texts=VALUES, drawn=st.randoms(use_true_random=False), slack=st.integers(-3, 20))
def test_cut_values_equal_their_twin(texts, drawn, slack):
    is_present = [int(drawn.random() < 0.8) for _ in texts]
    plain = b"".join(
        len(text).to_bytes(4, "little") + text
        for text, present in zip(texts, is_present, strict=True)
        if present
    )
    plain = plain[:slack] if slack < 0 else plain
    expected = _reference.cut_values(plain, is_present)
    flags = np.array(is_present, np.uint8)
    ends = np.zeros(len(texts), np.int32)
    room = np.zeros(3 + sum(map(len, texts)) + max(slack, 0), np.uint8)
    end = _core.cut_values(np.frombuffer(plain, np.uint8), flags, 3, ends, room)
    if expected is None:
        assert end == -1
        return
    assert end == 3 + sum(map(len, expected))
    starts = [3, *ends.tolist()]
    cut = [room[a:b].tobytes() for a, b in pairwise(starts)]
    assert cut == expected
    assert _core.cut_values(
        np.frombuffer(plain, np.uint8), flags, 3, ends, room[: end - 1]
    ) == -1 or (end == 3)


def test_headers_keep_integers_and_skip_the_rest():
    # 1: i32 -1, 2: true, 3: binary "ab", 4: list of 2 i32, 5: struct of 1: i32 3, 16: double, end
    data = bytes([0x15, 1, 0x11, 0x18, 2, 97, 98, 0x19, 0x25, 2, 4, 0x1C, 0x15, 6, 0,
                  0x07, 32, *bytes(8), 0])  # fmt: skip
    assert read_struct(data, 0) == ({1: -1, 2: True, 5: {1: 3}}, len(data))
    with pytest.raises(IndexError):
        read_struct(data[:5], 0)
    assert pages.FEWEST_ROWS > 0
