"""Lists of numbers and prefixes: what is in them, and entries that mean nothing."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers import write_csv
from chanfp import NumberingPlan, NumberList
from chanfp.errors import ColumnError, DataError, ParameterError
from chanfp.keys import KeyTable
from chanfp.numbering import international_prefix, key_ranges

CHINA = NumberingPlan("CN")
INSIDE = ["13912345678", "+8613900000000", "0755 8234 5678", "+44 7911 123456"]
OUTSIDE = ["13812345678", "010 8234 5678", "+1 212 555 0123", "13011112222"]


def listed(tmp_path, text, plan=CHINA, name="list.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return NumberList.read(path, plan)


@pytest.mark.parametrize(
    "text",
    [
        "139\n0755\n+44\n",
        "\ufeff139*  # mobile\r\n\r\n# landlines\r\n0755\r\n0044\r\n",
        "+86139\n+86 755\n13912345678\n+44\n",
        "139 # 移动\n755\n+44*\n".encode("gb18030"),
    ],
)
def test_text_files_of_prefixes(text, tmp_path):
    found = listed(tmp_path, text)
    assert found.contains(CHINA.normalise(INSIDE)).tolist() == [True] * 4
    assert found.contains(CHINA.normalise(OUTSIDE)).tolist() == [False] * 4
    assert found.n_prefixes == 3


def test_tables_of_numbers_and_prefixes(tmp_path):
    rows = [("13011112222", "", "x"), ("", "139", ""), ("010-82345678", "+44", "")]
    path = write_csv(tmp_path / "list.csv", ("number", "prefix", "why"), rows)
    found = NumberList.read(path, CHINA)
    keys = CHINA.normalise([*INSIDE, *OUTSIDE, "10086"])
    expected = [True, True, False, True, False, True, False, True, False]
    assert found.contains(keys).tolist() == expected
    assert repr(found) == "<NumberList: 2 numbers, 2 prefixes>"
    chinese = pa.table({"号段": pa.array([139, 755, None]), "号码": [None, None, "13011112222"]})
    assert NumberList.read(chinese, CHINA).contains(keys)[:3].all()
    both = NumberList.read([path, chinese], CHINA)
    assert both.contains(keys).tolist() == [True, True, True, *expected[3:]]


def test_numbers_are_listed_however_written(tmp_path):
    found = listed(tmp_path, "0086 139-1234-5678\n+86 13912345679 # ours\n13912345678\n")
    assert (found.n_numbers, found.n_prefixes) == (2, 0)
    keys = CHINA.normalise(["13912345678", "17951013912345679", "13912345670"])
    assert found.contains(keys).tolist() == [True, True, False]


def test_nothing_is_in_an_empty_list(tmp_path):
    found = listed(tmp_path, "# nothing yet\n")
    assert found.contains(np.array([0, 1, 2**64 - 1], np.uint64)).tolist() == [False] * 3
    assert found.contains(np.zeros(0, np.uint64)).dtype == bool
    assert not listed(tmp_path, "139\n").contains(np.array([0, 2**64 - 1], np.uint64)).any()


DIGITS = st.integers(1, 10**15 - 1).map(str)


@given(
    prefixes=st.lists(st.integers(1, 9999).map(str), max_size=8),
    keys=st.lists(st.one_of(st.integers(1, 99_999), st.integers(1, 10**15 - 1)), max_size=30),
)
def test_ranges_hold_what_begins_with_a_prefix(prefixes, keys):
    begins, ends = key_ranges(prefixes)
    assert (begins < ends).all()
    assert (begins[1:] > ends[:-1]).all()
    for key in keys:
        inside = bool(((begins <= key) & (key < ends)).any())
        assert inside == any(str(key).startswith(digits) for digits in prefixes)


def test_bounds_of_ranges():
    begins, ends = key_ranges(["138", "139", "14", "141"])
    assert (len(begins), len(ends)) == (14, 14)
    found = NumberList(
        KeyTable.of(np.zeros(0, np.uint64), np.zeros(0, np.int64)), begins, ends, 0, 4
    )
    for prefix, inside in ((1380, True), (1379, False), (1499, True), (1500, False)):
        keys = [prefix, prefix * 10**9, prefix * 10**9 + 10**9 - 1, prefix * 10**11]
        assert found.contains(np.array(keys, np.uint64)).tolist() == [inside] * 4, prefix


@pytest.mark.parametrize(
    ("region", "text", "digits"),
    [
        ("CN", "139", "86139"), ("CN", "0755", "86755"), ("CN", "00861390", "861390"),
        ("CN", " １３９* ", "86139"), ("IN", "91981", "9191981"), ("BR", "559", "55559"),
        ("US", "1-212", "1212"), ("US", "212", "1212"), ("US", "01186", "86"),
        ("GB", "07911", "447911"), ("DE", "0171", "49171"), ("IT", "06", "3906"),
        ("HU", "0620", "3620"),
    ],
)  # fmt: skip
def test_prefixes(region, text, digits):
    assert international_prefix(text, NumberingPlan(region)) == digits


@pytest.mark.parametrize("text", ["", "*", "+", "0", "13x", "+0139", "1" * 14, "86139", "1*3"])
def test_what_is_no_prefix_is_refused(text):
    with pytest.raises(ParameterError, match=r"a prefix must be|no number of CN begins with '86"):
        international_prefix(text, CHINA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("139\n10086\n", r"row 2: .*'10086' .operator-hotline .*write 10086\* for"),
        ("166\n", r"row 1: .*'166' .voicemail .*write 166\*"),
        ("\n1391234567\n", r"row 2: .*'1391234567' .invalid"),
        ("5512345\n", r"row 1: .*'5512345' .no-area-code"),
        ("Alipay\n", r"row 1: .*'Alipay' .alphanumeric"),
        ("86139\n", r"row 1: no number of CN begins with '86139'; put \+ in front"),
    ],
)
def test_entries_that_mean_nothing_are_named(text, message, tmp_path):
    with pytest.raises(DataError, match=r"list.txt, " + message) as caught:
        listed(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert listed(tmp_path, "166*\n").n_prefixes == 1


def test_rows_that_mean_nothing_are_named(tmp_path):
    for rows, message in (
        ([("139", "")], r"row 2, column 'number': a subscriber number is needed, found '139'"),
        ([("", "139"), ("", "")], r"row 3: a number or a prefix is needed in every row"),
        ([("", "13x")], r"row 2, column 'prefix': a prefix must be"),
    ):
        path = write_csv(tmp_path / "list.csv", ("number", "prefix"), rows)
        with pytest.raises(DataError, match=message):
            NumberList.read(path, CHINA)
    path = write_csv(tmp_path / "list.csv", ("x", "y"), [])
    with pytest.raises(ColumnError, match=r"needs a column 'number' or 'prefix'; .*'x', 'y'"):
        NumberList.read(path, CHINA)
    with pytest.raises(DataError, match=r"none.txt: can't be opened: No such file"):
        NumberList.read(tmp_path / "none.txt", CHINA)


def test_opaque_ids_are_listed_whole(tmp_path):
    plan = NumberingPlan("opaque")
    key = plan.format(plan.normalise(["b"]))[0]
    found = listed(tmp_path, f"a # one\n{key}\n{key} # the same\n#gone\n", plan)
    assert found.contains(plan.normalise(["a", "b", "gone"])).tolist() == [True, True, False]
    with pytest.raises(DataError, match=r"list.txt, row 1: opaque ids have no prefixes"):
        listed(tmp_path, "139*\n", plan)
