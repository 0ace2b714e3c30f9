"""Explanations: the shared partners of one pair, their numbers and their order."""

import json
import math

import pyarrow as pa
import pytest

import chanfp
from carriers import FRIENDS, stamp
from chanfp.errors import ParameterError
from chanfp.explanation import explanation_lines
from chanfp.terminal import display_width, plain
from slow_matches import Call, Holder, Settings, Town, own_side
from town import (
    BOTH,
    COUSIN,
    EDGE,
    KEEPER,
    MOVER,
    RECYCLED,
    REGIONS,
    RETIRED,
    RETURNER,
    TINY,
    at,
    call_table,
    cell_table,
    holder_table,
    town_calls,
    town_holders,
)


@pytest.fixture(scope="module")
def town():
    settings = Settings(window_days=20, horizon_days=45, new_days=25)
    return Town(town_calls(), town_holders(), settings, REGIONS)


@pytest.fixture(scope="module")
def matches(town):
    fingerprints = chanfp.build_fingerprints(
        call_table(town.calls),
        holder_table(town.holders),
        window_days=20,
        horizon_days=45,
        new_days=25,
    )
    return chanfp.Matcher(cells=cell_table()).fit(fingerprints).match()


def talk(town, row, window, partner):
    """Return calls, minutes and calls made with one partner, counted one by one."""
    sides = [
        (call, is_caller)
        for call in town.calls
        if window[0] <= call.start_s <= window[1] and partner in (call.caller, call.callee)
        for is_caller in own_side(call, town.holders[row])
    ]
    seconds = sum(call.duration_s or 0 for call, _ in sides)
    return len(sides), seconds / 60, sum(is_caller for _, is_caller in sides)


def slow_explanation(town, new_row, old_row):
    new, old = town.new[new_row], town.old[old_row]
    rows = []
    for partner in new.keys() & old.keys():
        of_new = talk(town, new_row, town.cast.new[new_row], partner)
        of_old = talk(town, old_row, town.cast.departed[old_row], partner)
        row = {"partner": f"+86{partner}"}
        for name, left, right in zip(("calls", "minutes", "outgoing"), of_new, of_old, strict=True):
            row |= {f"{name}_new": left, f"{name}_old": right}
        row |= {"n_subscribers": town.n_prints[partner], "rarity": town.rarity[partner]}
        weight = row["rarity"] * min(of_new[0] / new.total(), of_old[0] / old.total())
        rows.append((-round(weight, 12), partner, row))
    return [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]


def assert_rows_close(found, expected):
    for row, twin in zip(found, expected, strict=True):
        assert row.pop("partner") == twin.pop("partner")
        assert row == pytest.approx(twin, rel=1e-12)


def test_every_explanation_of_the_town(town, matches):
    for new_row, old_row in town.pairs():
        new, old = town.holders[new_row].number, town.holders[old_row].number
        explanation = matches.explain(new, old)
        assert_rows_close(explanation.shared.to_pylist(), slow_explanation(town, new_row, old_row))
        (row,) = [
            row for row in matches.table.to_pylist() if (row["new"], row["old"]) == (new, old)
        ]
        assert explanation.match == row
    assert len(matches.explain(RETURNER, COUSIN).shared) == 3


def test_explained_by_hand(matches):
    """Friend 4 weighs ln(15 / 6) × 2 / 15, friend 0 only ln(15 / 10) × 4 / 15.

    Friend 2 weighs ln(15 / 7) × 2 / 19, friend 1 ln(15 / 5) × 1 / 15, friend 6
    ln(15 / 4) × 1 / 19.
    """
    explanation = matches.explain(RETURNER)
    assert explanation.match["old"] == RETIRED
    shared = explanation.shared.to_pylist()
    friends = [FRIENDS.index(row["partner"].removeprefix("+86")) for row in shared]
    assert friends == [4, 0, 2, 1, 6]
    assert shared[0].pop("partner") == f"+86{FRIENDS[4]}"
    assert shared[0] == pytest.approx(
        {
            "calls_new": 2,
            "calls_old": 3,
            "minutes_new": 2.0,
            "minutes_old": 0.75,
            "outgoing_new": 2,
            "outgoing_old": 0,
            "n_subscribers": 5,
            "rarity": math.log(15 / 6),
        }
    )
    assert (shared[1]["minutes_new"], shared[1]["minutes_old"]) == (6.75, 15.5)
    assert (shared[1]["outgoing_new"], shared[1]["outgoing_old"]) == (4, 5)


SAID = """\
13911110200, new, and 13911110101, old
Verdict       grade A, very alike, best candidate.
              A similarity tier: no false-match rate is known.
Partners      5 shared of 7 new and 7 old ones; Jaccard 0.556.
Alike         cells 0.74, hours 0.12 of 1.

Shared partners (5)
                  calls new  old  minutes new   old  subscribers  rarity
  +8613800000004          2    3          2.0   0.8            5    0.92
  +8613800000000          4    7          6.8  15.5            9    0.41
  +8613800000002          3    2          1.6   2.0            6    0.76
  +8613800000001          1    4          1.0   1.5            4    1.10
  +8613800000006          2    1          0.0   0.0            3    1.32

Time line
       first sign of life  last
  old  2024-01-03 10:00    2024-02-08 10:00
  new  2024-02-15 00:00    2024-03-09 10:00
  6.6 days between the last of the old and the first of the new.
  Days active, a sign each week from 2024-01-01 (· none, ▁ one a week, █ all):
  old  ▂▁▅█▇▂·····
  new  ······▅▆▅▅·

Other candidates
  rank  old          grade  probability  Jaccard  shared
     2  13911110102  C                     0.375       3
     3  13911110103  D                     0.250       2
     4  13911110104  D                     0.250       2
     5  13911110106  U                     0.125       1

Corroboration, outside the model
  Same handset, same identity card, other name, same outlet, other seller, same plan; that moves no
  probability and no q-value."""


def test_what_is_said_in_words(matches):
    assert repr(matches.explain(RETURNER)) == SAID
    without_others = repr(matches.explain(RETURNER, RETIRED))
    start, stop = SAID.index("Other candidates"), SAID.index("Corroboration")
    assert without_others == SAID[:start] + SAID[stop:]
    second = repr(matches.explain(RETURNER, COUSIN))
    assert "grade C, somewhat alike, candidate 2." in second
    assert "Other handset, other identity card, same name, same seller, other plan;" in second
    assert "outlet" not in second
    assert "hardly alike, candidate 2." in repr(matches.explain(MOVER, COUSIN))
    thin = repr(matches.explain(RETURNER, EDGE))
    assert "grade U, too little evidence to say, candidate 5." in thin
    assert "Alive together for 9.0 days." in repr(matches.explain(MOVER, BOTH))
    tiny = repr(matches.explain(TINY, BOTH))
    assert "Alike         hours 0.00 of 1." in tiny
    assert "Nothing known." in tiny


@pytest.mark.parametrize("width", [40, 60, 75, 80, 120, 500])
def test_no_line_is_wider_than_the_terminal(matches, width):
    for new, old in ((RETURNER, None), (TINY, RECYCLED)):
        lines = explanation_lines(matches.explain(new, old), width)
        assert max(map(display_width, plain(lines).splitlines())) <= max(min(width, 120), 60)


def test_what_is_said_as_values(matches):
    values = matches.explain(RETURNER).to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["timeline"] == {
        "first_new": stamp(45),
        "last_new": stamp(68 + 10 / 24),
        "first_old": stamp(2 + 10 / 24),
        "last_old": stamp(38 + 10 / 24),
        "weeks_from": stamp(0),
        "days_new": [0, 0, 0, 0, 0, 0, 4, 5, 4, 4, 0],
        "days_old": [2, 1, 4, 7, 6, 2, 0, 0, 0, 0, 0],
    }
    assert [row["old"] for row in values["candidates"]][:1] == [COUSIN]
    assert (values["rivals"], values["contributions"], values["renamed"]) == (None, None, [])


def test_a_recycled_number_is_explained_by_its_best_row(matches):
    assert matches.explain(RECYCLED).match["new_subscription"] == "r-2"
    assert matches.explain(TINY, RECYCLED).match["old_subscription"] == "r-1"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((KEEPER,), f"`new` '{KEEPER}'.* not in the matches"),
        ((RETURNER, BOTH), f"`old` '{BOTH}': not in the matches of {RETURNER}; its candidates are"),
        (
            (RETIRED, RETURNER),
            f"`new` '{RETIRED}': not in the matches as new, but as the old one of .*{RETURNER}",
        ),
        (("nobody",), "`new` 'nobody'.* not in the matches"),
    ],
)
def test_what_was_not_matched_is_refused(asked, said, matches):
    with pytest.raises(ParameterError, match=said):
        matches.explain(*asked)


@pytest.mark.parametrize(("n_shared", "last"), [(20, "+86"), (21, "… and 1 more")])
def test_twenty_partners_are_shown(n_shared, last):
    calls = [Call(KEEPER, FRIENDS[39], at(0)), Call(KEEPER, FRIENDS[39], at(60))]
    for who, day in ((RETIRED, 15), (RETURNER, 45)):
        calls += [Call(who, friend, at(day)) for friend in FRIENDS[:n_shared]]
    holders = [Holder(RETIRED, None, at(20)), Holder(RETURNER, at(40))]
    fingerprints = chanfp.build_fingerprints(call_table(calls), holder_table(holders))
    explanation = chanfp.Matcher().fit(fingerprints).match().explain(RETURNER)
    lines = repr(explanation).splitlines()
    head = lines.index(f"Shared partners ({n_shared})")
    assert lines[head + 22 - (n_shared == 20)].strip().startswith(last)
    assert lines[head + 22 + (n_shared == 21)] == ""
    # All weigh the same: by number then.
    shown = explanation.shared.column("partner").to_pylist()
    assert shown == [f"+86{friend}" for friend in FRIENDS[:n_shared]]
    assert isinstance(explanation.shared, pa.Table)
