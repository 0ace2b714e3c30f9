"""Orderly CSV blocks, cut into columns: what a general parser reads, or nothing."""

from collections import deque
from io import BytesIO
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import _core, _reference
from chanfp.tables import find_sources
from chanfp.tables.csvfiles import RecordParser
from chanfp.tables.fields import cut_records
from chanfp.tables.layout import CsvLayout
from chanfp.tables.lineblocks import line_blocks

NAMES = ["a", "b", "c"]
LAYOUT = CsvLayout("utf-8", ",", NAMES, 0)
VALUES = st.one_of(
    st.text("0123456789+ ab一", max_size=8),
    st.sampled_from(["", "x" * 15, "y" * 16, "z" * 17, "w" * 70, 'q"', "d,e", "\r"]),
)
ROWS = st.lists(st.lists(VALUES, min_size=2, max_size=4), max_size=12)
CLEAN_ROWS = st.lists(
    st.lists(st.text("0123456789 ab一", min_size=1, max_size=40), min_size=3, max_size=3),
    min_size=1,
    max_size=12,
)


def text_of(rows, line_end="\n"):
    return "".join(",".join(row) + line_end for row in rows).encode()


@given(rows=ROWS | CLEAN_ROWS, line_end=st.sampled_from(["\n", "\r\n"]), cut=st.integers(0, 1))
def test_cutting_equals_its_twin(rows, line_end, cut):
    text = text_of(rows, line_end)
    text = text[: len(text) - cut]
    n_rows = text.count(b"\n")
    places = np.array([1, -1, 0], np.int32)
    ends = np.full(2 * n_rows, -1, np.int32)
    room = np.zeros(2 * (len(text) + 16), np.uint8)
    n_found = _core.cut_fields(
        np.frombuffer(text, np.uint8), ord(","), places, n_rows, ends, room, 2
    )
    expected = _reference.cut_fields(text, b",", 3)
    if expected is None:
        assert n_found == -1
        return
    assert n_found == n_rows == len(expected)
    for place, field in ((1, 0), (0, 2)):
        values = room[place * (len(text) + 16) :]
        bounds = pairwise([0, *ends[place * n_rows : (place + 1) * n_rows].tolist()])
        assert [values[a:b].tobytes() for a, b in bounds] == [row[field] for row in expected]


@pytest.mark.parametrize("columns", [["c"], ["b", "a"], NAMES])
@given(rows=CLEAN_ROWS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_records_equal_those_of_the_general_parser(columns, rows, line_end):
    text = text_of(rows, line_end)
    found = cut_records(text, len(rows), LAYOUT, columns)
    assert found is not None
    found.validate(full=True)
    assert found.equals(RecordParser(LAYOUT, columns).parse(text).records)


def test_too_little_room_is_told():
    text = np.frombuffer(b"12345678901234567890,b\n", np.uint8)
    places, ends = np.array([0, -1], np.int32), np.zeros(1, np.int32)
    assert _core.cut_fields(text, ord(","), places, 1, ends, np.zeros(20, np.uint8), 1) == 1
    assert _core.cut_fields(text, ord(","), places, 1, ends, np.zeros(19, np.uint8), 1) == -1
    assert _core.cut_fields(text, ord(","), places, 0, ends, np.zeros(20, np.uint8), 1) == -1


@pytest.mark.parametrize("text", ["1,2\n\n3,4\n", "1,2\n3\n", '"1",2\n', "1,2\n3,4,5\n"])
def test_what_is_not_orderly_is_left_to_the_general_parser(text):
    layout = CsvLayout("utf-8", ",", ["a", "b"], 0)
    assert cut_records(text.encode(), text.count("\n"), layout, ["a"]) is None


def test_one_column_is_left_to_the_general_parser():
    # A blank line is no record there, but an empty field here.
    assert cut_records(b"1\n\n", 2, CsvLayout("utf-8", ",", ["a"], 0), ["a"]) is None


def test_memory_used_again_holds_no_old_rows(tmp_path):
    numbers = np.arange(1_500_000)
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "\n".join(f"{n},{n % 7}" for n in numbers.tolist()) + "\n")
    (source,) = find_sources(str(path))
    kept = [batch.records for unit in source.units(["b", "a"]) for batch in unit()]
    assert len(kept) > 2
    table = pa.Table.from_batches(kept)
    assert table["a"].cast(pa.int64()).to_numpy().tolist() == numbers.tolist()
    assert table["b"].cast(pa.int64()).to_numpy().tolist() == (numbers % 7).tolist()


def test_a_text_somebody_looks_into_is_not_filled_again():
    text = bytearray(b"1,2\n" * 64)
    spare = deque([text])
    view = memoryview(text)
    (block,) = line_blocks(BytesIO(b"3,4\n" * 32), 1, 256, spare)
    assert block.text == b"3,4\n" * 32
    assert bytes(view) == b"1,2\n" * 64
    view.release()
    spare = deque([text])
    (block,) = line_blocks(BytesIO(b"5,6\n" * 32), 1, 256, spare)
    assert block.text is text
    assert text == b"5,6\n" * 32
