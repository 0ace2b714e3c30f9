"""Roles, windows and fingerprints of small carriers written by hand."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

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
)
from chanfp.errors import DataError, ParameterError

NAMES = ("caller", "callee", "start_time", "duration_s", "kind")


def build(calls, subscribers, **settings):
    calls = [(*call, "60", "call")[:5] if len(call) < 5 else call for call in calls]
    cdrs = pa.table([list(column) for column in zip(*calls, strict=True)], names=list(NAMES))
    table = pa.table(
        [list(column) for column in zip(*subscribers, strict=True)],
        names=["subscriber", "activated_at", "departed_at"],
    )
    return chanfp.build_fingerprints(cdrs, table, **settings)


def partners_of(fingerprint_set, fingerprints, number):
    row = fingerprint_set.ids.to_pylist().index(number)
    start, stop = fingerprint_set.matrix.indptr[row : row + 2]
    keys = fingerprints.partners[fingerprint_set.matrix.indices[start:stop]]
    numbers = [text.removeprefix("+86") for text in fingerprints.cdrs.plan.format(keys)]
    return dict(zip(numbers, fingerprint_set.matrix.data[start:stop].tolist(), strict=True))


@pytest.fixture
def fingerprints(tmp_path):
    return chanfp.build_fingerprints(*write_carrier(tmp_path))


def test_roles(fingerprints):
    assert fingerprints.departed.ids.to_pylist() == [OLD, LEAVER]
    assert fingerprints.new.ids.to_pylist() == [NEW]
    assert fingerprints.active.ids.to_pylist() == [STAYER]
    assert fingerprints.active_later.ids.to_pylist() == [STAYER]
    assert "2 departed, 1 new, 1 active" in repr(fingerprints)
    assert repr(fingerprints.departed) == "<FingerprintSet: 2 departed, 8.0 partners on average>"


def test_counts_seconds_and_directions(fingerprints):
    found = partners_of(fingerprints.new, fingerprints, NEW)
    assert sum(found.values()) == 50
    assert set(found) == set(FRIENDS[:8])
    new = fingerprints.new
    assert isinstance(new.matrix, sparse.csr_array)
    assert new.seconds.sum() == 50 * 60
    assert new.outgoing.sum() == 25
    assert new.n_calls.tolist() == [50]
    assert new.n_partners.tolist() == [8]
    assert np.all(np.diff(fingerprints.partners.astype(np.int64)) > 0)


def test_active_windows_adjoin(fingerprints):
    active, later = fingerprints.active, fingerprints.active_later
    assert active.n_calls.sum() + later.n_calls.sum() == 60
    assert abs(int(active.n_calls[0]) - int(later.n_calls[0])) <= 2
    assert active.role.end_s[0] == later.role.start_s[0] - 1


def test_rarity_counts_each_fingerprint_once(fingerprints):
    n_all = len(fingerprints.departed) + len(fingerprints.new) + len(fingerprints.active)
    column = fingerprints.partners.tolist().index(8613800000000)
    assert fingerprints.n_subscribers[column] == 2
    assert fingerprints.partner_rarity[column] == np.log((1 + n_all) / 3)


def test_the_old_window_ends_with_the_last_sign_of_life():
    calls = [(OLD, FRIENDS[day], stamp(day + 0.5)) for day in range(20)]
    # Others still dial the dead number; nobody answers.
    calls += [(FRIENDS[30], OLD, stamp(30 + day), "0", "call") for day in range(20)]
    calls += [(FRIENDS[31], OLD, stamp(50), "", "call"), (STAYER, FRIENDS[0], stamp(60))]
    fingerprints = build(calls, [(OLD, stamp(-9), stamp(90))], window_days=10)
    assert set(partners_of(fingerprints.departed, fingerprints, OLD)) == set(FRIENDS[9:20])
    assert fingerprints.departed.role.end_s[0] == fingerprints.activity.last_own_s[0]


def test_answered_calls_and_messages_received_are_signs_of_life():
    for last in (
        (FRIENDS[1], OLD, stamp(15), "9", "call"),
        (FRIENDS[1], OLD, stamp(15), "", "sms"),
    ):
        calls = [(OLD, FRIENDS[0], stamp(10)), last, (STAYER, FRIENDS[0], stamp(20))]
        fingerprints = build(calls, [(OLD, stamp(-9), stamp(90))])
        assert set(partners_of(fingerprints.departed, fingerprints, OLD)) == set(FRIENDS[:2])


def test_who_was_only_ever_called_is_seen_through_what_there_is():
    calls = [(FRIENDS[day], OLD, stamp(day), "0", "call") for day in range(5)]
    fingerprints = build(calls, [(OLD, stamp(-9), stamp(90))])
    assert set(partners_of(fingerprints.departed, fingerprints, OLD)) == set(FRIENDS[:5])


def test_the_new_window_starts_with_the_first_own_call():
    calls = [(STAYER, FRIENDS[0], stamp(0)), (FRIENDS[9], NEW, stamp(20), "0", "call")]
    calls += [(NEW, FRIENDS[day - 30], stamp(day)) for day in range(30, 60)]
    table = [(NEW, stamp(-30), ""), (STAYER, stamp(-30), "")]
    fingerprints = build(calls, table, window_days=10, new_days=40)
    assert set(partners_of(fingerprints.new, fingerprints, NEW)) == set(FRIENDS[:11])
    assert len(build(calls, table, window_days=10).new) == 0


def test_a_hotline_call_is_a_sign_of_life_but_no_partner():
    calls = [(OLD, FRIENDS[0], stamp(5)), (OLD, "10086", stamp(9)), (STAYER, FRIENDS[0], stamp(20))]
    fingerprints = build(calls, [(OLD, stamp(-9), stamp(90))])
    assert set(partners_of(fingerprints.departed, fingerprints, OLD)) == {FRIENDS[0]}
    assert fingerprints.departed.role.end_s[0] - fingerprints.activity.start_s == 4 * 86_400


def test_horizon_and_reference_time(tmp_path):
    files = write_carrier(tmp_path)
    assert len(chanfp.build_fingerprints(*files, horizon_days=30).departed) == 0
    assert len(chanfp.build_fingerprints(*files, horizon_days=40).departed) == 2
    early = chanfp.build_fingerprints(*files, reference_time=stamp(20))
    # On day 20 both are still alive, whatever the table says of later.
    assert len(early.departed) == len(early.new) == 0
    assert early.summary()["records"]["after_reference_time"] > 0
    late = chanfp.build_fingerprints(*files, reference_time=stamp(40))
    assert late.new.n_calls.sum() < 15
    assert len(late.departed) == 2


def test_early_activation_does_not_make_the_long_known_new():
    calls = [(number, FRIENDS[0], stamp(day)) for day in range(28) for number in (STAYER, OLD)]
    calls += [(NEW, FRIENDS[0], stamp(day)) for day in range(15, 28)]
    table = [(STAYER, stamp(-99), ""), (OLD, stamp(-99), ""), (NEW, stamp(-99), "")]
    fingerprints = build(calls, table)
    assert fingerprints.new.ids.to_pylist() == [NEW]
    assert len(fingerprints.active) == 2


def test_who_was_activated_long_ago_and_rarely_calls_is_not_new():
    calls = [(STAYER, FRIENDS[0], stamp(day)) for day in range(28)]
    calls += [(number, FRIENDS[1], stamp(20)) for number in (OLD, NEW, LEAVER)]
    table = [(OLD, stamp(-161), ""), (NEW, stamp(-160), ""), (LEAVER, "", ""), (STAYER, "", "")]
    fingerprints = build(calls, table)
    assert fingerprints.new.ids.to_pylist() == [NEW, LEAVER]
    assert fingerprints.summary()["subscribers"]["without_role"] == 1


def test_active_are_seen_in_both_windows():
    calls = [(STAYER, FRIENDS[day % 3], stamp(day)) for day in range(60)]
    calls += [(OLD, FRIENDS[0], stamp(1)), (OLD, FRIENDS[0], stamp(55))]
    calls += [(NEW, FRIENDS[0], stamp(45)), (NEW, "10086", stamp(55))]
    calls += [(NEW, FRIENDS[0], stamp(2))]
    table = [(number, stamp(-99), "") for number in (STAYER, OLD, NEW)]
    fingerprints = build(calls, table, window_days=10)
    # OLD has no call in the earlier window, NEW none with a partner in the later one.
    assert fingerprints.active.ids.to_pylist() == [STAYER]
    assert fingerprints.active_later.ids.to_pylist() == [STAYER]
    assert len(fingerprints.active_later.seconds) == fingerprints.active_later.matrix.nnz == 3
    assert fingerprints.summary()["subscribers"]["without_role"] == 2


def test_silence_is_a_departure_the_table_does_not_know_of():
    calls = [(STAYER, FRIENDS[0], stamp(day)) for day in range(60)]
    calls += [(OLD, FRIENDS[1], stamp(day)) for day in range(20)]
    table = [(OLD, stamp(-99), ""), (STAYER, stamp(-99), "")]
    assert len(build(calls, table).departed) == 0
    for silence_days, departed in ((40, [OLD]), (40.01, [])):
        fingerprints = build(calls, table, silence_days=silence_days)
        assert fingerprints.departed.ids.to_pylist() == departed
        assert fingerprints.active.ids.to_pylist() == [STAYER]
    # Seen again after the reference time: silent, but not gone.
    calls += [(OLD, FRIENDS[1], stamp(75)), (STAYER, FRIENDS[0], stamp(75))]
    later = build(calls, table, silence_days=30, reference_time=stamp(59))
    assert len(later.departed) == 0


def test_stray_times_are_rejected_and_move_nothing(tmp_path):
    _, subscribers = write_carrier(tmp_path)
    calls = [*returner_calls()] * 20  # a handful must be few among many
    table = pa.table([list(column) for column in zip(*calls, strict=True)], names=list(CDR_HEADER))
    plain = chanfp.build_fingerprints(table, subscribers)
    calls += [(OLD, FRIENDS[0], "2042-05-05 10:00:00", "9", "call", "c1", "")]
    calls += [(NEW, FRIENDS[0], "1970-01-01 08:00:00", "9", "call", "c1", "")]
    table = pa.table([list(column) for column in zip(*calls, strict=True)], names=list(CDR_HEADER))
    fingerprints = chanfp.build_fingerprints(table, subscribers)
    records = fingerprints.summary()["records"]
    assert records["rejected_by_reason"] == {"start-time-stray": 2}
    assert records["examples"]["start-time-stray"].endswith("'2042-05-05 10:00:00'")
    assert fingerprints.activity.reference_s == plain.activity.reference_s
    assert fingerprints.activity.start_s == plain.activity.start_s
    for role in ("departed", "new", "active", "active_later"):
        assert getattr(fingerprints, role).ids.equals(getattr(plain, role).ids)
        assert (getattr(fingerprints, role).matrix != getattr(plain, role).matrix).nnz == 0
    ours, theirs = (chanfp.Matcher().fit(found).match() for found in (fingerprints, plain))
    assert ours.table.equals(theirs.table)
    with pytest.raises(DataError, match="2 of 3,702 CDRs lie far from all others, outside 2024"):
        chanfp.build_fingerprints(table.to_reader(), subscribers)


def test_rejects_replace_no_list_that_is_read(tmp_path):
    files = write_carrier(tmp_path)
    listed = tmp_path / "deny.csv"
    listed.write_text(f"number\n{FRIENDS[0]}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"deny\.csv is an input"):
        chanfp.build_fingerprints(*files, deny_partners=[listed], rejects=listed)
    assert listed.read_text(encoding="utf-8").startswith("number")


def test_lengths_may_be_numpy_numbers(tmp_path):
    files = write_carrier(tmp_path)
    assert len(chanfp.build_fingerprints(*files, window_days=np.int64(30)).new) == 1


def test_a_recycled_number_is_two_fingerprints():
    calls = [(OLD, FRIENDS[0], stamp(day)) for day in range(5)]
    calls += [(OLD, FRIENDS[1], stamp(day)) for day in range(50, 60)]
    calls += [(OLD, FRIENDS[2], stamp(30))]
    fingerprints = build(calls, [(OLD, stamp(-9), stamp(10)), (OLD, stamp(45), "")])
    assert partners_of(fingerprints.departed, fingerprints, OLD) == {FRIENDS[0]: 5}
    assert partners_of(fingerprints.new, fingerprints, OLD) == {FRIENDS[1]: 10}
    assert fingerprints.summary()["records"]["outside_any_period"] == 1


def test_no_calls_at_all_and_subscribers_without_calls(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    with subscribers.open("a") as file:
        file.write(f"13911119999,{stamp(0)},\n")
    assert (
        chanfp.build_fingerprints(cdrs, subscribers).summary()["subscribers"]["without_calls"] == 1
    )
    header = cdrs.read_text().splitlines()[0]
    (tmp_path / "none.csv").write_text(header + "\n")
    empty = chanfp.build_fingerprints(tmp_path / "none.csv", subscribers)
    assert empty.departed.matrix.shape == (0, 0)
    assert empty.summary()["subscribers"]["without_calls"] == 5


def test_row_order_of_the_input_changes_nothing():
    calls = returner_calls()
    table = [(OLD, stamp(-300), stamp(26)), (NEW, stamp(34), ""), (STAYER, stamp(-300), "")]
    one = build([call[:5] for call in calls], table)
    other = build([call[:5] for call in reversed(calls)], table[::-1])
    for role in ("departed", "new", "active", "active_later"):
        left, right = getattr(one, role), getattr(other, role)
        assert left.ids.equals(right.ids)
        assert np.array_equal(left.matrix.indices, right.matrix.indices)
        assert np.array_equal(left.matrix.data, right.matrix.data)


@pytest.mark.parametrize("setting", ["window_days", "horizon_days", "new_days", "silence_days"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), 1e9, "x"])
def test_lengths_must_be_sensible(setting, value):
    with pytest.raises(ParameterError, match=f"`{setting}` must be more than 0"):
        build([(OLD, FRIENDS[0], stamp(0))], [(OLD, "", "")], **{setting: value})


def test_a_limit_of_memory_must_be_some(tmp_path):
    files = write_carrier(tmp_path)
    with pytest.raises(ParameterError, match="`memory_limit` must be at least 1 byte, got 0"):
        chanfp.build_fingerprints(*files, memory_limit=0)
    plain = chanfp.build_fingerprints(*files).new
    assert np.array_equal(
        chanfp.build_fingerprints(*files, memory_limit=1).new.matrix.data, plain.matrix.data
    )


def test_the_reference_time_may_be_the_first_record(tmp_path):
    calls = [(OLD, FRIENDS[0], stamp(3)), (OLD, FRIENDS[1], stamp(9))]
    table = [(OLD, stamp(-9), stamp(90))]
    fingerprints = build(calls, table, reference_time=stamp(3))
    assert fingerprints.summary()["records"]["after_reference_time"] == 1
    assert len(fingerprints.departed) == 0
    with pytest.raises(ParameterError, match="lies before the first record, 2024-01-04 00:00:00"):
        build(calls, table, reference_time="2024-01-03 23:59:59")
