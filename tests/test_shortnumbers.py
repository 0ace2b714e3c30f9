"""Short numbers of groups: resolved, kept apart by group, or counted."""

import csv

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chanfp
from carriers import (
    CDR_HEADER,
    FRIENDS,
    NEW,
    OLD,
    SUBSCRIBER_HEADER,
    returner_calls,
    subscriber_rows,
    write_csv,
)
from chanfp import NumberingPlan, ShortNumbers
from chanfp.cli import main
from chanfp.counts import RecordCounts
from chanfp.errors import DataError, ParameterError

CHINA = NumberingPlan("CN")
ANN, BOB, CAT, DAN, EVE = (f"1380000000{n}" for n in range(1, 6))
HEADER = ("subscriber", "group", "short", "number")
ROWS = [
    (ANN, "farm", "661", ""),  # holder of 661
    (BOB, "farm", "662", BOB),
    (CAT, "farm", "", ""),  # a member without a short number
    (CAT, "mill", "661234", DAN),
    (DAN, "mill", "95588", "0755 8234 5678"),
    (DAN, "mill", "0662", ANN),
]


def read(rows, plan=CHINA):
    return ShortNumbers.read(
        pa.table(dict(zip(HEADER, zip(*rows, strict=True), strict=True))), plan
    )


def resolved(short_numbers, pairs):
    """Resolve (own, text) pairs; return formatted keys and reasons."""
    plan = short_numbers.plan
    texts = pa.array([text for _, text in pairs], pa.string())
    own, _ = plan.resolve([own for own, _ in pairs])
    _, codes = plan.resolve(texts)
    keys, codes = short_numbers.resolve(own, texts, codes)
    again = short_numbers.resolve(own, texts.dictionary_encode(), plan.resolve(texts)[1])
    assert (keys == again[0]).all()
    return list(
        zip(short_numbers.format(keys), [plan.reasons[code] for code in codes], strict=True)
    )


@pytest.mark.parametrize(
    ("own", "text", "number", "reason"),
    [
        (BOB, "661", "+86" + ANN, ""),
        (CAT, "661", "+86" + ANN, ""),
        (ANN, "+86 662", "+86" + BOB, ""),
        (ANN, "８ ６６２", "farm:8662", ""),
        (ANN, "661", "+86" + ANN, ""),  # her own: cleaning refuses it as own-number
        (CAT, "661234", "+86" + DAN, ""),
        (DAN, "661234", "+86" + DAN, ""),
        (DAN, "661", "mill:661", ""),
        (CAT, "699", "farm:699", ""),  # of two groups the first by name
        (ANN, "661234", "farm:661234", ""),
        (EVE, "661", "", "group-short"),
        (EVE, "13912345", "", "short-number"),  # too long for a group
        (ANN, "7", "", "short-number"),
        (DAN, "0662", "+86" + ANN, ""),
        (DAN, "0663", "", "invalid"),
        # Listed, so it goes before the bank's hotline; unlisted services stay what they are.
        (DAN, "95588", "+8675582345678", ""),
        (ANN, "95588", "", "short-code"),
        (DAN, "10086", "", "operator-hotline"),
        (ANN, "110", "", "emergency"),
        (ANN, BOB, "", ""),
        (ANN, None, "", "missing"),
        ("10086", "661", "", "short-number"),  # no subscriber is asking
    ],
)
def test_short_numbers(own, text, number, reason):
    assert resolved(read(ROWS), [(own, text)]) == [(number, reason)]


def test_emergency_numbers_stay_what_they_are():
    found = read([(ANN, "farm", "110", BOB)])
    assert resolved(found, [(ANN, "110")]) == [("", "emergency")]


def test_rows_do_not_hang_on_each_other():
    pairs = [
        (own, text) for own in (ANN, BOB, CAT, DAN, EVE) for text in ("661", "699", "110", ANN)
    ]
    alone = [resolved(read(ROWS), [pair])[0] for pair in pairs]
    assert resolved(read(ROWS[::-1]), pairs) == alone


def test_keys_of_groups_are_for_ever():
    keys, _ = read(ROWS).resolve(
        CHINA.normalise([DAN, DAN]), pa.array(["661", "0661"]), np.array([4, 4], np.uint8)
    )
    assert [f"{key:x}" for key in keys.tolist()] == ["b30b807500a0067d", "b30b807500a029a5"]
    more, _ = read([*ROWS, (EVE, "aardvarks", "", "")]).resolve(
        CHINA.normalise([DAN]), pa.array(["661"]), np.array([4], np.uint8)
    )
    assert more[0] == keys[0]
    assert (keys > 2**63).all()


@given(
    groups=st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=5, unique=True),
    shorts=st.lists(st.from_regex("[0-9]{3,6}", fullmatch=True), min_size=1, max_size=5),
)
def test_groups_and_short_numbers_are_kept_apart(groups, shorts):
    groups = sorted({group.strip() for group in groups} - {"", "null", "nan", "\\n"})
    rows = [(f"1390000{place:04}", group, "", "") for place, group in enumerate(groups)]
    if not rows or any(group.lower() in ("null", "nan", "\\n") for group in groups):
        return
    found = read(rows)
    plain = CHINA.reasons.index("short-number")
    seen = {}
    for (own, group, _, _), short in ((row, short) for row in rows for short in shorts):
        keys, codes = found.resolve(
            CHINA.normalise([own]), pa.array([short]), np.array([plain], np.uint8)
        )
        assert codes[0] == 0
        assert found.format(keys) == [f"{group}:{short}"]
        assert seen.setdefault(int(keys[0]), (group, short)) == (group, short)
        assert keys[0] >= 10**15


def test_a_table_without_rows_knows_nobody():
    empty = ShortNumbers.read(pa.table({name: pa.array([], pa.string()) for name in HEADER}), CHINA)
    assert resolved(empty, [(ANN, "661")]) == [("", "group-short")]
    assert repr(empty) == "<ShortNumbers: 0 groups, 0 members, 0 short numbers>"
    assert repr(read(ROWS)) == "<ShortNumbers: 2 groups, 4 members, 5 short numbers>"


def test_known_headers_and_missing_columns():
    table = pa.table({"手机号码": [ANN, BOB], "集团编码": ["1", "1"], "短号": ["661", "662"]})
    assert resolved(ShortNumbers.read(table, CHINA), [(BOB, "661")]) == [("+86" + ANN, "")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(ANN, "farm", "661", ""), (BOB, "farm", "661", "")],
         "row 1 and .*row 2: a subscriber reaches one number by a short number, 661 of"),
        ([(ANN, "farm", "661", BOB), (ANN, "mill", "", ""), (CAT, "mill", "661", DAN)],
         "row 1 and .*row 3: .*661 of group 'farm' and 661 of group 'mill' are different numbers"),
        ([(ANN, "a", "661", BOB), (ANN, "b", "661", BOB), (ANN, "c", "661", CAT)],
         "row 1 and .*row 3: .*661 of group 'a' and 661 of group 'c'"),
        ([(number, group, short, "") for number, group, short in (
            (DAN, "z", "700"), (EVE, "z", "700"), (ANN, "y", "601"), (BOB, "y", "601"))],
         "row 1 and .*row 2: .*700 of group 'z'"),
        ([(ANN, "farm", "66", "")], "row 1, column 'short': a short number has 3 to 6 digits"),
        ([(ANN, "farm", BOB, "")], "row 1, column 'short': .*found '13800000002'"),
        ([(ANN, "farm", "661", "10086")], "row 1, column 'number': .*found '10086'"),
        ([("x", "farm", "661", "")], "row 1, column 'subscriber': .*found 'x'"),
        ([(ANN, "", "661", "")], "row 1, column 'group': text is needed in every row"),
    ],
)  # fmt: skip
def test_rows_that_contradict_are_named(rows, message):
    with pytest.raises(DataError, match=r"<pyarrow.Table>, " + message) as caught:
        read(rows)
    assert "\n" not in str(caught.value)


def test_groups_may_use_one_short_number_where_nobody_is_in_both():
    found = read([(ANN, "farm", "661", BOB), (CAT, "mill", "661", DAN)])
    assert resolved(found, [(ANN, "661"), (CAT, "661")]) == [("+86" + BOB, ""), ("+86" + DAN, "")]
    same = read([(ANN, "farm", "661", BOB), (ANN, "mill", "661", BOB)])
    assert resolved(same, [(ANN, "661")]) == [("+86" + BOB, "")]


def test_opaque_ids_have_no_short_numbers():
    with pytest.raises(ParameterError, match="`short_numbers` can't be told from other ids"):
        read(ROWS, NumberingPlan("opaque"))


def test_other_regions():
    table = [("07911 123456", "firm", "661", ""), ("07911 123457", "firm", "", "")]
    found = read(table, NumberingPlan("GB"))
    assert resolved(found, [("07911123457", "661")]) == [("+447911123456", "")]


# In CDRs


def calls_of(rows, **settings):
    """Clean rows of (caller, callee); return pairs of formatted keys and the counts."""
    table = pa.table(
        {
            "caller": [caller for caller, _ in rows],
            "callee": [callee for _, callee in rows],
            "start_time": ["2024-01-01"] * len(rows),
        }
    )
    cdrs = chanfp.read_cdrs(table, **settings)
    counts = RecordCounts()
    (calls,) = cdrs.clean_calls(counts=counts)
    names = [cdrs.partner_names(keys) for keys in (calls.caller, calls.callee)]
    return list(zip(*names, calls.is_pair.tolist(), strict=True)), counts


def test_short_numbers_in_cdrs():
    rows = [(BOB, "661"), ("662", ANN), ("699", ANN), (EVE, "661"), (EVE, ANN), (ANN, "661")]
    calls, counts = calls_of(rows, short_numbers=read(ROWS))
    ann, bob, eve = ("+86" + number for number in (ANN, BOB, EVE))
    assert calls == [
        (bob, ann, True), (bob, ann, True), ("farm:699", ann, True), (eve, "", False),
        (eve, ann, True),
    ]  # fmt: skip
    assert counts.filtered == {"group-short": 1}
    assert counts.rejected == {"own-number": 1}
    assert counts.examples["group-short"] == "<pyarrow.Table>, row 4, column 'callee': '661'"
    calls, counts = calls_of(rows)
    assert counts.filtered == {"short-number": 5}
    assert [is_pair for _, _, is_pair in calls] == [False] * 4 + [True, False]


def test_friends_known_by_short_numbers_tell_a_returner(tmp_path):
    shorts = {number: f"6{place:03}" for place, number in enumerate(FRIENDS)}
    rows = [(OLD, "family", "", ""), (NEW, "family", "", "")]
    rows += [(friend, "family", shorts[friend], "") for friend in FRIENDS[:4]]
    table = write_csv(tmp_path / "shorts.csv", HEADER, rows)
    calls = [
        (caller, shorts.get(callee, callee) if caller in (OLD, NEW) else callee, *rest)
        for caller, callee, *rest in returner_calls()
    ]
    cdrs = write_csv(tmp_path / "cdr.csv", CDR_HEADER, calls)
    subscribers = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, subscriber_rows())
    out = tmp_path / "m.csv"
    words = ["match", "--cdr", str(cdrs), "--subscribers", str(subscribers), "--out", str(out)]
    assert command(*words, "--short-numbers", str(table), "--json") == 0
    (row,) = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert (row["new"], row["old"], row["n_shared"]) == (NEW, OLD, "8")
    fingerprints = chanfp.build_fingerprints(
        chanfp.read_cdrs(cdrs, short_numbers=table), subscribers
    )
    explanation = str(chanfp.Matcher().fit(fingerprints).match().explain(NEW))
    assert "+86" + FRIENDS[0] in explanation
    assert "family:6004" in explanation
    assert command(*words[:-1], str(table), "--short-numbers", str(table)) == 2


def command(*words):
    """Run a command in this process and return its exit status."""
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    return stop.value.code
