"""Roles and windows: each limit just reached and just missed, to the second.

Records run from day 0 to day 40; KEEPER stands for everybody else.
"""

import pytest

import chanfp
from carriers import FRIENDS, stamp
from slow_matches import Call, Holder
from town import DAY_S, KEEPER, RETIRED, RETURNER, at, call_table, holder_table

LATER = Holder(RETURNER, at(-100), None)
GONE = Holder(RETIRED, at(-100), at(90))


def roles_of(calls, holder, **settings):
    """Return the roles of one holder, each with its window, among records of 40 days."""
    frame = [Call(KEEPER, FRIENDS[9], at(0)), Call(KEEPER, FRIENDS[9], at(40))]
    calls = [Call(holder.number, FRIENDS[0], time_s) for time_s in calls]
    built = chanfp.build_fingerprints(
        call_table([*frame, *calls]), holder_table([holder]), **({"window_days": 10} | settings)
    )
    found = {}
    for name in ("departed", "new", "active", "active_later"):
        role = getattr(built, name).role
        assert role.name == name
        for start_s, end_s in zip(role.start_s.tolist(), role.end_s.tolist(), strict=True):
            found[name] = (start_s, end_s)
    return found


def test_the_old_window_reaches_back_from_the_last_sign_of_life():
    assert roles_of([at(8), at(20)], GONE) == {"departed": (at(10), at(20))}
    assert roles_of([at(20)], GONE) == {"departed": (at(10), at(20))}
    assert roles_of([at(20)], GONE, window_days=2.5) == {"departed": (at(17, 12), at(20))}


@pytest.mark.parametrize(("horizon_days", "expected"), [(20, 1), (20.5, 1), (19.99, 0)])
def test_the_horizon_is_counted_from_the_last_sign_of_life(horizon_days, expected):
    assert len(roles_of([at(8), at(20)], GONE, horizon_days=horizon_days)) == expected


def test_a_subscriber_alive_after_the_reference_time_has_not_departed():
    then = {"reference_time": stamp(25)}
    assert list(roles_of([at(8), at(12)], GONE, **then)) == ["departed"]
    assert roles_of([at(8), at(25)], GONE, **then)["departed"] == (at(15), at(25))
    assert list(roles_of([at(8), at(12), at(25) + 1], GONE, **then)) == []


def test_the_new_window_begins_with_the_first_sign_of_life_and_ends_with_the_records():
    new = {"new_days": 25}
    assert roles_of([at(15), at(36)], LATER, **new) == {"new": (at(15), at(25))}
    assert roles_of([at(30)], LATER, **new) == {"new": (at(30), at(40))}
    assert roles_of([at(31)], LATER, **new) == {"new": (at(31), at(40))}
    assert roles_of([at(15)], LATER, new_days=25, window_days=7.5)["new"] == (at(15), at(22, 12))


def test_how_long_ago_a_new_subscription_may_have_begun():
    for first_s, is_new in ((at(30), True), (at(30) - 1, False)):
        assert ("new" in roles_of([first_s], LATER)) is is_new
    for first_s, is_new in ((at(15), True), (at(15) - 1, False)):
        assert ("new" in roles_of([first_s], LATER, new_days=25)) is is_new
        assert ("new" in roles_of([first_s, at(39)], LATER, new_days=25)) is is_new


@pytest.mark.parametrize(
    ("activated_s", "first_s", "is_new"),
    [
        (at(-100), at(7), True),
        (at(-100), at(7) - 1, False),
        (None, at(7) - 1, False),
        (at(0), at(3), True),
        (at(0) - 1, at(3), False),
        (at(2), at(3), True),
    ],
)
def test_who_shows_up_in_the_first_week_may_have_been_there_before(activated_s, first_s, is_new):
    holder = Holder(RETURNER, activated_s, None)
    assert ("new" in roles_of([first_s, at(39)], holder, new_days=60)) is is_new


@pytest.mark.parametrize(("first_s", "is_new"), [(at(3), True), (at(3) - 1, False)])
def test_the_first_quarter_of_short_records_counts_as_their_first_week(first_s, is_new):
    found = roles_of([first_s, at(11)], LATER, new_days=60, reference_time=stamp(12))
    assert ("new" in found) is is_new


def test_the_active_are_seen_in_both_of_two_adjoining_windows():
    both = {"active": (at(20), at(30) - 1), "active_later": (at(30), at(40))}
    assert roles_of([at(1), at(20), at(35)], LATER) == both
    assert roles_of([at(1), at(25), at(30)], LATER) == both
    assert roles_of([at(1), at(25), at(30) - 1], LATER) == {}
    assert roles_of([at(30) - 1, at(35)], LATER) == both
    assert list(roles_of([at(30), at(35)], LATER)) == ["new"]
    # In the first week nobody is new without an activation date; and not before the later window.
    assert roles_of([at(1), at(35)], Holder(RETURNER, at(-100), at(90))).keys() == {"departed"}


def test_who_began_too_late_for_active_and_too_early_for_new_has_no_role():
    both = {"active": (at(20), at(30) - 1), "active_later": (at(30), at(40))}
    assert roles_of([at(30) - 1, at(39)], LATER, new_days=5) == both
    for first_s in (at(30), at(32), at(35) - 1):
        assert roles_of([first_s, at(39)], LATER, new_days=5) == {}
    assert roles_of([at(35), at(39)], LATER, new_days=5) == {"new": (at(35), at(40))}


def test_short_records_are_halved():
    found = roles_of([at(0), at(39)], LATER, window_days=30)
    assert found == {"active": (at(-10), at(20) - 1), "active_later": (at(20), at(40))}
    found = roles_of([at(0), at(5), at(39)], LATER, window_days=19)
    assert found == {"active": (at(2), at(21) - 1), "active_later": (at(21), at(40))}


def test_a_subscription_may_be_both_departed_and_new():
    found = roles_of([at(32), at(35)], Holder(RETURNER, at(20), at(36)))
    assert found == {"departed": (at(25), at(35)), "new": (at(32), at(40))}


def test_a_length_is_less_than_a_century():
    for setting in ("window_days", "new_days", "horizon_days"):
        with pytest.raises(chanfp.ParameterError, match=f"`{setting}` must be more than 0"):
            roles_of([at(1)], LATER, **{setting: 36_500})
    assert roles_of([at(20)], GONE, window_days=36_499)["departed"][0] == at(20) - 36_499 * DAY_S
