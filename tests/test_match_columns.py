"""Every column of every row of the matches, against values worked out without the library."""

import math
from collections import Counter
from operator import itemgetter

import pytest

import chanfp
from carriers import stamp
from chanfp.matches import MATCH_SCHEMA
from slow_matches import DAY_S, Settings, Town, count_records
from town import (
    BOTH,
    COUSIN,
    EARLIER,
    EDGE,
    FAR,
    KEEPER,
    MOVER,
    NOBODY,
    RECYCLED,
    REGIONS,
    RETIRED,
    RETURNER,
    SILENT,
    START_S,
    TINY,
    TWIN_1,
    TWIN_2,
    at,
    call_table,
    cell_table,
    holder_table,
    random_town,
    town_calls,
    town_holders,
)

# In how many of the 7 old, 5 new and 2 active windows each friend of the two is.
HELD = {0: 9, 1: 4, 2: 6, 3: 1, 4: 5, 5: 1, 6: 3, 30: 1, 31: 3}
# Columns that are null where grades are similarity tiers.
LEARNED = ("probability", "q_value", "margin_new", "margin_old")
MAIN = Settings(window_days=20, horizon_days=45, new_days=25)
SETTINGS = {
    "main": MAIN,
    "top 2": Settings(window_days=20, horizon_days=45, new_days=25, top=2),
    "min_shared 2": Settings(window_days=20, horizon_days=45, new_days=25, min_shared=2),
    "defaults": Settings(),
    "short windows": Settings(window_days=2.5, horizon_days=50.5, new_days=25.25),
    "long windows": Settings(window_days=40),
    "earlier": Settings(window_days=12, new_days=20, reference_s=at(56, 12)),
    "before the return": Settings(window_days=9, reference_s=at(38, 10)),
    "on a record": Settings(window_days=20, reference_s=at(65)),
}


def build(calls, holders, settings):
    reference_s = settings.reference_s
    return chanfp.build_fingerprints(
        call_table(calls),
        holder_table(holders),
        window_days=settings.window_days,
        horizon_days=settings.horizon_days,
        new_days=settings.new_days,
        reference_time=None if reference_s is None else stamp((reference_s - START_S) / DAY_S),
    )


def match(fingerprints, settings):
    min_shared = None if settings.min_shared == 1 else settings.min_shared
    # The twin compares numbers as they stand.
    matcher = chanfp.Matcher(
        top=settings.top, min_shared=min_shared, n_rounds=0, cells=cell_table()
    )
    return matcher.fit(fingerprints).match()


def assert_rows_equal(found, expected):
    assert [(row["new"], row["rank"], row["old"]) for row in found] == [
        (row["new"], row["rank"], row["old"]) for row in expected
    ]
    for row, twin in zip(found, expected, strict=True):
        assert list(row) == MATCH_SCHEMA.names
        for name in row:
            value = twin[name]
            where = f"{name} of {row['new']} and {row['old']}"
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-15), where
            else:
                assert row[name] == value, where


def assert_cast_equals(fingerprints, town):
    """Assert roles, windows, partners and rarity of everybody."""
    cast, rows = town.cast, {id(holder): row for row, holder in enumerate(town.holders)}
    assert len(rows) == len(town.holders)
    for name in ("departed", "new", "active", "active_later", "fading"):
        expected = dict(sorted(getattr(cast, name).items(), key=lambda item: town.order(item[0])))
        built = getattr(fingerprints, name)
        assert built.role.rows.tolist() == list(expected), name
        windows = zip(built.role.start_s.tolist(), built.role.end_s.tolist(), strict=True)
        assert dict(zip(expected, windows, strict=True)) == expected, name
        assert built.ids.to_pylist() == [town.holders[row].number for row in expected]
    for name, twins in (("departed", town.old), ("new", town.new), ("active", town.active)):
        built = getattr(fingerprints, name)
        found = [partners(fingerprints, built, place) for place in range(len(built))]
        assert found == [twins[row] for row in built.role.rows.tolist()], name
    rarity = dict(
        zip(names(fingerprints, fingerprints.partners), fingerprints.partner_rarity, strict=True)
    )
    assert {name: rarity[name] for name in town.rarity} == pytest.approx(town.rarity, rel=1e-14)
    n_subscribers = dict(
        zip(names(fingerprints, fingerprints.partners), fingerprints.n_subscribers, strict=True)
    )
    assert {name: n_subscribers[name] for name in town.n_prints} == town.n_prints
    summary = fingerprints.summary()
    records = summary["records"]
    assert records["total"] == records["accepted"] == len(town.calls)
    assert (
        records["without_known_subscriber"],
        records["outside_any_period"],
        records["after_reference_time"],
    ) == count_records(town.calls, town.holders, town.reference_s)
    summary = summary["subscribers"]
    assert summary["total"] == len(town.holders)
    for name in ("departed", "new", "active", "fading"):
        assert summary[name] == len(getattr(cast, name))
    assert (
        summary["without_calls"],
        summary["departed_beyond_horizon"],
        summary["began_before_new_days"],
        summary["without_role"],
        summary["both_departed_and_new"],
    ) == (
        cast.n_without_calls,
        cast.n_beyond_horizon,
        cast.n_began_earlier,
        cast.n_unassigned,
        len(cast.new.keys() & cast.departed.keys()),
    )


def names(fingerprints, keys):
    return [text.removeprefix("+86") for text in fingerprints.cdrs.plan.format(keys)]


def partners(fingerprints, built, place):
    start, stop = built.matrix.indptr[place : place + 2]
    keys = fingerprints.partners[built.matrix.indices[start:stop]]
    return Counter(
        dict(zip(names(fingerprints, keys), built.matrix.data[start:stop].tolist(), strict=True))
    )


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_column_of_every_row(settings):
    town = Town(town_calls(), town_holders(), settings, REGIONS)
    fingerprints = build(town.calls, town.holders, settings)
    assert_cast_equals(fingerprints, town)
    matches, expected = match(fingerprints, settings), town.matches()
    assert_rows_equal(matches.table.to_pylist(), expected)
    best = [row for row in expected if row["rank"] == 1]
    assert matches.summary["candidates"] == len(expected)
    assert matches.summary["new_with_candidate"] == len(best)
    assert matches.summary["grades"] == Counter(row["grade"] for row in best)
    assert list(matches.summary["grades"]) == sorted(matches.summary["grades"])


@pytest.mark.parametrize("seed", range(60))
def test_towns_drawn_at_random(seed):
    calls, holders = random_town(seed)
    settings = [
        Settings(5, top=100),
        Settings(7.5, horizon_days=12, new_days=6, top=100),
        Settings(10, new_days=20.25, reference_s=at(20.5), top=100),
        Settings(2, horizon_days=20, new_days=30, top=100, min_shared=2),
    ][seed % 4]
    town = Town(calls, holders, settings, REGIONS)
    fingerprints = build(calls, holders, settings)
    assert_cast_equals(fingerprints, town)
    found = match(fingerprints, settings).table.to_pylist()
    # Equals may come in any order here: what is equal on paper may differ in the last bit.
    place = {row: number for number, row in enumerate(town.pairs())}
    ids = [holder.attributes["subscription_id"] for holder in holders]
    keys = [
        (ids.index(row["new_subscription"]), ids.index(row["old_subscription"])) for row in found
    ]
    rankings = [(town.order(new), *town.ranking(new, old)[:2]) for new, old in keys]
    assert rankings == sorted(rankings)
    expected = town.matches()
    assert [row["rank"] for row in found] == [row["rank"] for row in expected]
    found = [
        row for _, row in sorted(zip(map(place.get, keys), found, strict=True), key=itemgetter(0))
    ]
    assert_rows_equal([row | {"rank": 0} for row in found], [row | {"rank": 0} for row in expected])


def test_the_town_has_what_it_is_for():
    town = Town(town_calls(), town_holders(), MAIN, REGIONS)
    cast, numbers = town.cast, [holder.number for holder in town.holders]

    def who(role):
        return sorted(numbers[row] for row in role)

    departed = [RETIRED, COUSIN, TWIN_1, TWIN_2, EDGE, BOTH, RECYCLED]
    assert who(cast.departed) == sorted(departed)
    assert who(cast.new) == sorted([RETURNER, MOVER, TINY, BOTH, RECYCLED])
    assert who(cast.active) == sorted([KEEPER, EARLIER])
    assert (cast.n_without_calls, cast.n_beyond_horizon) == (1, 1)
    assert (cast.n_began_earlier, cast.n_unassigned) == (1, 1)
    assert {NOBODY, FAR, SILENT}.isdisjoint(who(cast.departed) + who(cast.new) + who(cast.active))
    # Friends call each other; RECYCLED calls when it is nobody's, RETIRED is written to after.
    assert count_records(town.calls, town.holders, town.reference_s) == (2, 1, 0)
    rows = town.matches()
    of_returner = [row["old"] for row in rows if row["new"] == RETURNER]
    assert of_returner == [RETIRED, COUSIN, TWIN_1, TWIN_2, EDGE]
    assert BOTH in [row["old"] for row in rows if row["new"] == MOVER]
    for column in MATCH_SCHEMA.names:
        values = {row[column] for row in rows}
        assert len(values) > 1 or column in (*LEARNED, "link"), column
    for column in (
        "same_imei",
        "same_id",
        "same_name",
        "same_outlet",
        "same_seller",
        "same_plan",
        "old_suspended",
    ):
        assert {row[column] for row in rows} == {True, False, None}, column


def test_values_worked_out_by_hand():
    """The returner and the one who retired, on paper.

    Returner, day 45 0:00 to day 65 0:00: friends 0 (4 calls), 1 (1), 4 (2), 2 (3), 6 (2 messages),
    30 (1), 31 (2): 7 partners, 15 calls; the call before day 45 and those after day 65 are out.
    Retired, day 18 10:00 to day 38 10:00: friends 0 (5 + 2), 1 (3 + 1), 2 (2), 3 (1), 4 (3),
    5 (1), 6 (1): 7 partners, 19 calls. Shared: 0, 1, 2, 4, 6.
    """
    fingerprints = build(town_calls(), town_holders(), MAIN)
    row = match(fingerprints, MAIN).table.to_pylist()
    (row,) = [row for row in row if (row["new"], row["old"]) == (RETURNER, RETIRED)]
    exact = {
        "rank": 1,
        "link": "replacement",
        "grade": "A",
        "reason": "",
        "n_shared": 5,
        "expected_shared": 5,
        "n_partners_new": 7,
        "n_partners_old": 7,
        "n_calls_new": 15,
        "n_calls_old": 19,
        "same_imei": True,
        "same_home_cell": True,  # e1: all 5 and all 7 calls are before 9 or after 18
        "same_id": True,
        "same_name": False,
        "same_outlet": True,
        "same_seller": False,
        "same_plan": True,
        "alive_at_once": False,
        "old_status": "suspended",
        "old_suspended": True,
        "old_arrears": 12.5,
        "old_leaving_score": 0.75,
        "region_new": "East",
        "region_old": "East",
        "new_subscription": "n-1",
        "old_subscription": "a-1",
        **dict.fromkeys(LEARNED),
    }
    assert {name: row[name] for name in exact} == exact
    idf = {friend: math.log(15 / (1 + n_held)) for friend, n_held in HELD.items()}
    shared, union = (0, 1, 2, 4, 6), (0, 1, 2, 3, 4, 5, 6, 30, 31)
    new = {0: 4, 1: 1, 4: 2, 2: 3, 6: 2, 30: 1, 31: 2}
    old = {0: 7, 1: 4, 2: 2, 3: 1, 4: 3, 5: 1, 6: 1}
    close = {
        "jaccard": 5 / 9,
        "expected_jaccard": 5 / 9,
        "containment_new": 5 / 7,
        "containment_old": 5 / 7,
        "weighted_jaccard": (4 + 1 + 2 + 2 + 1) / (7 + 4 + 3 + 3 + 2 + 1 + 1 + 1 + 2),
        "idf_jaccard": sum(idf[n] for n in shared) / sum(idf[n] for n in union),
        "tfidf_jaccard": sum(min(new[n], old[n]) * idf[n] for n in shared)
        / sum(max(new.get(n, 0), old.get(n, 0)) * idf[n] for n in union),
        "hellinger": sum(map(math.sqrt, (4 * 7, 1 * 4, 3 * 2, 2 * 3, 2 * 1))) / math.sqrt(15 * 19),
        "cosine": (4 * 7 + 1 * 4 + 3 * 2 + 2 * 3 + 2 * 1)
        / math.sqrt((16 + 1 + 4 + 9 + 4 + 1 + 4) * (49 + 16 + 4 + 1 + 9 + 1 + 1)),
        "idf_shared": sum(idf[n] for n in shared),
        "idf_hellinger": sum(idf[n] * math.sqrt(new[n] * old[n]) for n in shared)
        / math.sqrt(15 * 19),
        # Friend 0: 4 and 5 made, 2 received by the old one; 1: made; 2 and 6: received by the new
        # one, made by the old one; 4: made by the new one, received by the old one.
        "direction_similarity": (math.sqrt(4 * 5) + math.sqrt(1 * 3)) / math.sqrt(15 * 19),
        "call_share_new": (4 + 1 + 2 + 3 + 2) / 15,
        "call_share_old": (7 + 4 + 3 + 2 + 1) / 19,
        "gap_days": 45 - (38 + 10 / 24),
        "days_observed_new": 20,
        "days_observed_old": 20,
        # By calls, then rarity, then number: 0 2 6 31 4 of the new one, 0 1 4 2 3 of the old.
        "rank_agreement": (1 + 1 / 2 + 1 / 3 + 2 / 4 + 3 / 5) / 5,
        "volume_ratio": 15 / 19,
        # Cells: new e1 5, e2 1, w1 2, x9 2 of 10; old e1 7, e2 3 + 2, w1 1, x9 1 of 14.
        "cell_similarity": 5 / 10 + 1 / 10 + 1 / 14 + 1 / 14,
        # Saturdays at 8: two of 10 and one of 14.
        "hour_similarity": math.sqrt(2 / 10 * 1 / 14),
    }
    known = {name: value for name, value in close.items() if name in row}
    assert {name: row[name] for name in known} == pytest.approx(known, rel=1e-12)
    assert set(exact) | set(known) | {"new", "old"} == set(MATCH_SCHEMA.names)
