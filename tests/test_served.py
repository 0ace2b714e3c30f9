"""Roles without a table of subscribers: who is served, and departed by silence."""

import pyarrow as pa
import pytest

import chanfp
from carriers import (
    CDR_HEADER,
    FRIENDS,
    LEAVER,
    NEW,
    OLD,
    STAYER,
    returner_calls,
    stamp,
    write_carrier,
    write_csv,
)
from chanfp.errors import DataError, ParameterError

OURS = [OLD, NEW, STAYER, LEAVER]


def both_sides(own):
    """The calls of `returner_calls` as a billing system exports them, for some subscribers."""
    rows = []
    for caller, callee, start, duration, *_ in returner_calls():
        rows += [(caller, callee, "主叫", start, duration)] if caller in own else []
        rows += [(callee, caller, "被叫", start, duration)] if callee in own else []
    names = ["用户号码", "对端号码", "呼叫类型", "开始时间", "通话时长"]
    return pa.table([list(column) for column in zip(*rows, strict=True)], names=names)


def with_plus(numbers):
    return [f"+86{number}" for number in numbers]


def test_a_subscriber_centred_export_says_who_is_served(tmp_path):
    fingerprints = chanfp.build_fingerprints(both_sides(OURS), window_days=20)
    assert len(fingerprints.subscribers) == 4
    assert fingerprints.departed.ids.to_pylist() == with_plus([OLD, LEAVER])
    assert fingerprints.active.ids.to_pylist() == with_plus([NEW, STAYER])
    assert fingerprints.settings.silence_days == 20
    # Friends are called but not served, so that their silence tells nothing.
    assert not set(with_plus(FRIENDS)) & set(fingerprints.subscribers.ids.to_pylist())
    fingerprints = chanfp.build_fingerprints(both_sides(OURS), new_days=30)
    (row,) = chanfp.Matcher().fit(fingerprints).match().table.to_pylist()
    assert (row["new"], row["old"], row["grade"]) == (f"+86{NEW}", f"+86{OLD}", "A")
    # The table of subscribers only adds dates.
    cdrs, subscribers = write_carrier(tmp_path)
    told = chanfp.build_fingerprints(cdrs, subscribers, new_days=30)
    assert (told.new.matrix != fingerprints.new.matrix).nnz == 0


def test_a_call_centred_export_needs_the_own_numbers(tmp_path):
    cdrs, _ = write_carrier(tmp_path)
    with pytest.raises(ParameterError, match="give `on_net`, a list of their numbers or prefixes"):
        chanfp.build_fingerprints(cdrs)
    listed = write_csv(tmp_path / "own.csv", ("prefix",), [("139",)])
    fingerprints = chanfp.build_fingerprints(cdrs, on_net=listed)
    assert fingerprints.subscribers.ids.to_pylist() == with_plus(OURS)
    assert fingerprints.departed.ids.to_pylist() == with_plus([OLD, LEAVER])
    numbers = write_csv(tmp_path / "numbers.csv", ("number",), [(OLD,), (NEW,)])
    fingerprints = chanfp.build_fingerprints(cdrs, on_net=numbers)
    assert fingerprints.subscribers.ids.to_pylist() == with_plus([OLD, NEW])
    with pytest.raises(ParameterError, match="leave out `on_net` or `subscribers`"):
        chanfp.build_fingerprints(cdrs, tmp_path / "subscribers.csv", on_net=numbers)


def test_the_own_numbers_narrow_a_subscriber_centred_export(tmp_path):
    numbers = write_csv(tmp_path / "numbers.csv", ("number",), [(OLD,), (FRIENDS[0],)])
    fingerprints = chanfp.build_fingerprints(both_sides(OURS), on_net=numbers)
    assert fingerprints.subscribers.ids.to_pylist() == with_plus([OLD])


def test_opaque_ids_are_written_as_they_stand():
    rows = [(f"u{row[0]}", f"u{row[1]}", row[2]) for row in returner_calls()]
    table = pa.table([list(column) for column in zip(*rows, strict=True)], names=CDR_HEADER[:3])
    own = pa.table({"number": [f"u{number}" for number in OURS]})
    cdrs = chanfp.read_cdrs(table, numbers="opaque")
    fingerprints = chanfp.build_fingerprints(cdrs, on_net=own)
    matches = chanfp.Matcher().fit(fingerprints).match().table
    assert matches.select(["new", "old"]).to_pylist() == [{"new": f"u{NEW}", "old": f"u{OLD}"}]


def test_one_pass_is_not_enough():
    with pytest.raises(DataError, match="without a subscriber table the CDRs are read twice"):
        chanfp.build_fingerprints(both_sides(OURS).to_reader())


def test_nobody_is_served():
    fingerprints = chanfp.build_fingerprints(both_sides(OURS).slice(0, 0))
    assert len(fingerprints.subscribers) == len(fingerprints.departed) == 0
    one = [(OLD, FRIENDS[0], stamp(0))]
    table = pa.table([list(column) for column in zip(*one, strict=True)], names=CDR_HEADER[:3])
    nobody = pa.table({"number": [LEAVER]})
    assert len(chanfp.build_fingerprints(table, on_net=nobody).subscribers) == 0
