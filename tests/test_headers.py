"""Headers: columns recognised or refused with a way out; directions; settings files."""

import doctest
import tomllib
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp import headers
from chanfp.errors import ColumnError, DataError, ParameterError
from chanfp.headers import WORDS, read_direction, read_settings, recognise
from chanfp.headers.known import fold_header, load_known

CALLS = ["caller", "callee", "start_time"]

# Headers of real exports, and what they mean; None where a column means nothing.
EXPORTS = {
    "own words": dict.fromkeys([*CALLS, "duration_s", "kind", "cell", "imei", "callee_cell"], ...),
    "carrier's detail": {
        "本机号码": "subscriber", "对方号码": "other_party", "呼叫类型": "direction",
        "通话类型": None, "起始时间": "start_time", "时长(秒)": "duration_s", "串号": "imei",
        "基站小区": "cell", "费用": None,
    },
    "call-centred": {
        "主叫号码": "caller", "被叫号码": "callee", "通话开始时间": "start_time",
        "通话时长（秒）": "duration_s", "呼叫类型": None, "LAC-CI": "cell", "IMEI": "imei",
    },
    "asiainfo": {
        "user_id": None, "product_no": "subscriber", "opp_number": "other_party",
        "calltype_id": "direction", "START_TIME": "start_time", "call_duration": "duration_s",
        "call_duration_m": None,
    },
    "billing": {
        "DAY_ID": None, "CALLING_NBR": "caller", "CALLED_NBR": "callee",
        "START_DATETIME": "start_time", "RAW_DUR": "duration_s", "CALL_TYPE": None,
        "CALLING_CELL": "cell",
    },
    "flowkit": {
        "id": None, "outgoing": "direction", "datetime": "start_time", "duration": "duration_s",
        "msisdn": "subscriber", "msisdn_counterpart": "other_party", "location_id": "cell",
        "imei": "imei", "tac": None,
    },
    "cider": {
        "txn_type": "kind", "caller_id": "caller", "recipient_id": "callee",
        "timestamp": "start_time", "duration": "duration_s", "caller_antenna": "cell",
        "recipient_antenna": "callee_cell", "international": None,
    },
    "airtel": {
        "Target No": "subscriber", "B Party No": "other_party", "Call Type": "direction",
        "Call DateTime": "start_time", "Dur(s)": "duration_s", "First CGI": "cell",
        "Service Type": "kind", "IMEI": "imei", "IMSI": None,
    },
    "3gpp": {
        "servedMSISDN": None, "callingNumber": "caller", "calledNumber": "callee",
        "callStartTime": "start_time", "callDuration": "duration_s", "servedIMEI": "imei",
    },
    "a and b": {"A_NUMBER": "caller", "B_NUMBER": "callee", "start_dt": "start_time"},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_recognised(name):
    meanings = EXPORTS[name]
    expected = {
        word if word is not ... else column: column
        for column, word in meanings.items()
        if word is not None
    }
    found = recognise(list(meanings))
    assert found.columns == expected
    assert list(found.unrecognised) == [name for name, word in meanings.items() if word is None]
    is_subscriber_centred = "subscriber" in expected
    assert found.shape == ("subscriber-centred" if is_subscriber_centred else "call-centred")


def test_how_a_column_was_found_is_told():
    found = recognise(["A", "callee", "开始时间"], {"caller": "A"}).as_dict()
    assert found == {
        "shape": "call-centred",
        "columns": {
            "caller": {"column": "A", "how": "given"},
            "callee": {"column": "callee", "how": "same name"},
            "start_time": {"column": "开始时间", "how": "known header"},
        },
        "unrecognised": [],
    }


@given(data=st.data())
def test_writing_makes_no_difference(data):
    header = data.draw(st.sampled_from([*CALLS, "call_start", "时长(秒)", "lac_ci", "IMEI"]))
    gaps = st.text(" _-()（）　", max_size=2)
    wide = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
    written = "".join(
        data.draw(st.sampled_from([sign.upper(), sign.lower(), wide.get(sign, sign)]))
        + data.draw(gaps)
        for sign in header
    )
    assert fold_header(written) == fold_header(header)


@given(
    names=st.lists(
        st.one_of(
            st.sampled_from(sorted({name for export in EXPORTS.values() for name in export})),
            st.text(max_size=5),
        ),
        unique=True,
    ),
    columns=st.dictionaries(st.sampled_from(WORDS), st.sampled_from(["caller", "msisdn", ""])),
)
def test_every_column_means_one_thing_or_the_error_is_clear(names, columns):
    try:
        found = recognise(names, columns, place="x.csv")
    except ColumnError as error:
        message = str(error)
        assert message.startswith("x.csv: ")
        assert "\n" not in message
        return
    used = list(found.columns.values())
    assert len(set(used)) == len(used)
    assert sorted([*used, *found.unrecognised]) == sorted(names)
    for word, column in columns.items():
        assert found.column(word) in (column or None, None)


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (["caller", "x", "start_time"], {}, r"a column 'callee' \(call-centred files have caller, "
         r"callee, start_time\); .* found are 'caller', 'x', 'start_time'; .*such as callee="),
        (["msisdn", "对端号码", "x"], {}, "columns 'direction', 'start_time' .subscriber-centred"),
        (["caller", "callee"], {}, "a column 'start_time'"),
        ([], {}, "columns 'caller', 'callee', 'start_time'.*found are none"),
        ([*CALLS, "时长", "通话时长"], {}, r"one column can be 'duration_s', found '时长', "
         r"'通话时长'; .*`columns`, such as duration_s=时长 .or duration_s= if there is none"),
        (["calling_number", "a_number", *CALLS[1:]], {}, "one column can be 'caller'"),
        ([*CALLS, "msisdn", "对端号码", "呼叫方向"], {}, r"found both: 'caller', 'callee', "
         r"'msisdn', '对端号码'; .* `columns`, such as caller=caller or subscriber=msisdn"),
        (CALLS, {"caller": "coller"}, r"'coller', given for 'caller', is .*mean 'caller'"),
        (CALLS, {"caller": "callee", "callee": "callee"}, "'callee' is given for 'caller' and"),
        (["a b", "a_b", "callee", "start_time"], {"caller": "ab"}, "'ab', given for 'caller', is"),
        (CALLS, {"start_time": ""}, "a column 'start_time'"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_with_a_way_out(names, columns, message):
    with pytest.raises(ColumnError, match=r"^x.csv: .*" + message):
        recognise(names, columns, place="x.csv")


def test_the_user_settles_what_is_open():
    names = [*CALLS, "时长", "通话时长", "msisdn", "对端号码", "呼叫方向"]
    found = recognise(names, {"duration_s": "通话时长", "subscriber": "MSISDN"})
    assert found.shape == "subscriber-centred"
    assert found.column("duration_s") == "通话时长"
    assert found.unrecognised == ("caller", "callee", "时长")
    found = recognise(names, {"duration_s": "", "caller": "caller"})
    assert found.shape == "call-centred"
    assert found.column("duration_s") is None
    assert recognise(["a b", "ab", *CALLS[1:]], {"caller": "ab"}).column("caller") == "ab"


def test_an_unknown_word_names_the_nearest():
    with pytest.raises(ParameterError, match=r"'calller' is no column word .*mean 'caller'"):
        recognise(CALLS, {"calller": "caller"})


def test_known_headers_stand_once_and_name_their_source():
    tables = tomllib.loads(
        files("chanfp.headers").joinpath("known.toml").read_text(encoding="utf-8")
    )
    seen: dict[str, set[str]] = {}
    for strength in ("strong", "weak"):
        assert set(tables[strength]) <= set(WORDS)
        for word, names in tables[strength].items():
            assert set(names.values()) <= set(tables["sources"])
            assert len({fold_header(name) for name in names}) == len(names)
            assert fold_header(word) not in map(fold_header, names)
            for name in names:
                seen.setdefault(fold_header(name), set()).add(word)
    shared = {frozenset(words) for words in seen.values() if len(words) > 1}
    assert shared == {frozenset({"callee", "other_party"})}
    directions = [value for values in tables["directions"].values() for value in values]
    assert len(load_known().directions) == len(directions)


# Directions


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["主叫", "呼出", "MO", "moc", "out", "Outgoing", " originating ", "ＭＯ"], 1),
        (["被叫", "呼入", "MT", "mtc", "IN", "incoming", "TERMINATING", "in-coming", "来电"], 0),
        (["0", "1", "呼叫转移", "-1", "true", "mo2", "NULL"], -1),
        (["", None, "  ", "\t"], -2),
    ],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int8(), pa.string())])
def test_directions(values, expected, kind):
    codes = read_direction(pa.array(values, pa.string()).cast(kind))
    assert codes.tolist() == [expected] * len(values)
    assert codes.dtype == np.int8


def test_directions_given_go_before_known_ones():
    given = {"0": "out", "1": "IN", "-1": "in", "out": "被叫", "True": "out"}
    for column, expected in (
        (pa.array(["0", "1", "-1", "out", "1 "]), [1, 0, 0, 0, 0]),
        (pa.array([0, 1, None, 2]), [1, 0, -2, -1]),
        (pa.array([0.0, 1.0, 0.5]), [1, 0, -1]),
        (pa.array([True, False]), [1, -1]),
        (pa.chunked_array([["0"], [], ["1"]], pa.string()), [1, 0]),
        (pa.array([], pa.string()), []),
        (pa.nulls(2), [-2, -2]),
    ):
        assert read_direction(column, given).tolist() == expected
    with pytest.raises(ParameterError, match="'0' must mean 'out' or 'in', got 'sideways'"):
        read_direction(pa.array(["0"]), {"0": "sideways"})


@given(values=st.lists(st.one_of(st.none(), st.sampled_from(["主叫", "mt", "0"]), st.text())))
def test_dictionaries_and_slices_read_like_plain_text(values):
    plain = pa.array(["x", *values], pa.string()).slice(1)
    expected = read_direction(plain).tolist()
    assert read_direction(plain.dictionary_encode()).tolist() == expected
    assert read_direction(plain.cast(pa.large_string())).tolist() == expected


# Settings


def settings_file(folder, text):
    path = folder / "chanfp.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_settings_are_read(tmp_path):
    text = '\ufeff[columns]\ncaller = "主叫号码"\nkind = ""\n[directions]\n"0" = "out"\n'
    settings = read_settings(settings_file(tmp_path, text))
    assert settings.columns == {"caller": "主叫号码", "kind": ""}
    assert settings.directions == {"0": "out"}
    assert read_settings(settings_file(tmp_path, "")) == headers.Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[colums]", r"'colums' is no setting .*mean 'columns'.*tables are \[columns\], \[dir"),
        ("x = 1", "'x' is no setting; the tables are"),
        ('columns = "caller"', r"\[columns\] must be a table, found str"),
        ("[columns]\ncaller = 5", r"\[columns\] caller must be text in quotes, found 5"),
        ('[columns]\ncaler = "A"', "'caler' is no column word .*mean 'caller'"),
        ('[directions]\n0 = "up"', "'0' must mean 'out' or 'in', got 'up'"),
        ("[columns", "settings must be TOML: Expected .*; correct the line"),
        ('[columns]\ncaller = "主叫"'.encode("gb18030"), "settings must be UTF-8, found byte 0xd6"),
    ],
)
def test_settings_that_mean_nothing_are_refused(text, message, tmp_path):
    with pytest.raises(DataError, match=r"chanfp.toml: .*" + message) as caught:
        read_settings(settings_file(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_settings_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match=r"none.toml: settings can't be opened: No such file"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("module", [headers.columns, headers.directions, headers.kinds])
def test_examples(module):
    assert doctest.testmod(module).failed == 0
