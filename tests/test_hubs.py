"""Partners that very many subscribers call are dropped, and those the user lists."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chanfp
from carriers import FRIENDS, returner_calls, subscriber_rows
from chanfp.errors import DataError, ParameterError
from chanfp.grouping import Grouped
from chanfp.hubs import ALLOWED, DENIED, HUB, KEPT, HubSettings, screen_partners
from chanfp.numberlists import NumberList

PLAN = chanfp.NumberingPlan("CN")
HUB_NUMBER = "13700000001"


def listed(*numbers):
    return NumberList.read(pa.table({"number": list(numbers)}), PLAN)


def limit(n_partners, **settings):
    return HubSettings(**settings).limit(np.array(n_partners, np.int64))


def test_the_limit_follows_the_partners_of_subscribers():
    assert limit([10] * 1000)[0] == 200
    found, why = limit([70] * 1000 + [0] * 500 + [5000] * 9)
    assert found == 280
    assert why == "4 times the 70 partners that 99 % of the subscribers don't exceed"
    assert limit([10] * 99 + [5000])[0] == 200
    assert limit([]) == limit([0, 0])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"hub_share": 0.29}, 29),
        ({"hub_share": 1}, 100),
        ({"hub_count": 7}, 7),
        ({"hub_share": 0.5, "hub_count": 7}, 7),
        ({"hub_share": 0.05, "hub_count": 7}, 5),
    ],
)
def test_limits_given(settings, expected):
    assert limit([3] * 100, **settings)[0] == expected


@pytest.mark.parametrize(
    "settings",
    [{"hub_share": 0}, {"hub_share": 1.1}, {"hub_share": float("nan")}, {"hub_count": 0}],
)
def test_limits_are_checked(settings):
    with pytest.raises(ParameterError, match=f"`{next(iter(settings))}` must be"):
        HubSettings(**settings)


groups = st.lists(
    st.lists(st.dictionaries(st.integers(1, 9), st.integers(1, 5), max_size=6), max_size=5),
    min_size=4,
    max_size=4,
)


def as_grouped(rows):
    """Group dicts of calls by partner; talk time and calls made tell the entries apart."""
    entries = [(key, row[key]) for row in rows for key in sorted(row)]
    keys, calls = np.array(entries, np.int64).reshape(-1, 2).T
    return Grouped(
        np.array([len(row) for row in rows], np.int64),
        keys.astype(np.uint64),
        calls.astype(np.int32),
        100 * keys + calls,
        (calls // 2).astype(np.int32),
    )


def as_pieces(sets, n_pieces):
    """Cut the rows of each role into pieces, some of them without rows."""
    bounds = [[round(n * len(rows) / n_pieces) for n in range(n_pieces + 1)] for rows in sets]
    return [
        [as_grouped(rows[at[n] : at[n + 1]]) for rows, at in zip(sets, bounds, strict=True)]
        for n in range(n_pieces)
    ]


@given(
    sets=groups,
    most=st.integers(1, 6),
    denied=st.sets(st.integers(1, 9), max_size=2),
    n_pieces=st.integers(1, 4),
    n_threads=st.integers(1, 2),
)
def test_screening_equals_dictionaries(sets, most, denied, n_pieces, n_threads):
    deny = NumberList.read(
        pa.table({"number": [f"#{key:016x}" for key in denied] or ["#" + "f" * 16]}),
        chanfp.NumberingPlan("opaque"),
    )
    pieces = as_pieces(sets, n_pieces)
    screened = screen_partners(pieces, HubSettings(hub_count=most, deny=deny), n_threads=n_threads)
    assert pieces == []
    counted = [row for rows in sets[:4] for row in rows]
    every = {key for rows in sets for row in rows for key in row}
    n_of = {key: sum(key in row for row in counted) for key in every}
    kept = sorted(key for key in every if n_of[key] <= most and key not in denied)
    assert screened.partners.tolist() == kept
    assert screened.n_subscribers.tolist() == [n_of[key] for key in kept]
    for found, rows in zip(screened.rows, sets, strict=True):
        expected = as_grouped([{key: row[key] for key in row if key in kept} for row in rows])
        assert np.diff(found.indptr).tolist() == expected.n_partners.tolist()
        assert screened.partners[found.columns].tolist() == expected.partners.tolist()
        for name in ("calls", "seconds", "outgoing"):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    calls = screened.hubs.as_dict([""] * len(screened.hubs.largest))["calls_by_reason"]
    dropped = [(key, n) for row in counted for key, n in row.items() if key not in kept]
    assert calls["denied"] == sum(n for key, n in dropped if key in denied)
    assert calls["hub"] == sum(n for key, n in dropped if key not in denied)


def build(**settings):
    """OLD, LEAVER, NEW and STAYER all know one more number."""
    calls = [
        (who, HUB_NUMBER, row[2], "60", "call")
        for row in returner_calls()
        for who in row[:2]
        if not who.startswith("138")
    ]
    calls += [row[:5] for row in returner_calls()]
    names = ["caller", "callee", "start_time", "duration_s", "kind"]
    people = pa.table(
        [pa.array(column, pa.string()) for column in zip(*subscriber_rows(), strict=True)],
        names=["subscriber", "activated_at", "departed_at"],
    )
    cdrs = pa.table([list(column) for column in zip(*calls, strict=True)], names=names)
    return chanfp.build_fingerprints(cdrs, people, **settings)


def key_of(number):
    return PLAN.normalise([number])[0]


def test_a_hub_is_dropped_everywhere():
    plain, screened = build(), build(hub_count=3)
    assert key_of(HUB_NUMBER) in plain.partners
    assert key_of(HUB_NUMBER) not in screened.partners
    at = int(np.searchsorted(plain.partners, key_of(HUB_NUMBER)))
    for name in ("departed", "new", "active", "active_later"):
        one, other = getattr(plain, name), getattr(screened, name)
        is_hub = one.matrix.indices == at
        assert is_hub.any()
        assert other.matrix.shape == (len(one), len(screened.partners))
        assert other.matrix.data.tolist() == one.matrix.data[~is_hub].tolist()
        assert other.seconds.tolist() == one.seconds[~is_hub].tolist()
        assert other.outgoing.tolist() == one.outgoing[~is_hub].tolist()
    hubs = screened.summary()["hubs"]
    assert (hubs["limit"], hubs["why"]) == (3, "`hub_count`")
    assert hubs["partners_by_reason"] == {"hub": 1, "denied": 0, "allowed": 0}
    (largest,) = hubs["largest"]
    n_calls = sum(
        int(getattr(plain, name).matrix.toarray()[:, at].sum())
        for name in ("departed", "new", "active")
    )
    assert largest == {
        "number": f"+86{HUB_NUMBER}",
        "subscribers": 4,
        "calls": n_calls,
        "reason": "hub",
    }
    assert hubs["calls_by_reason"]["hub"] == n_calls
    matches = chanfp.Matcher().fit(screened).match()
    assert matches.table.column("n_partners_new").to_pylist() == [8]


def test_small_data_lose_nobody():
    hubs = build().summary()["hubs"]
    assert hubs["limit"] == 200
    assert hubs["partners_by_reason"] == {"hub": 0, "denied": 0, "allowed": 0}
    assert hubs["largest"] == []


def test_lists_allow_and_deny(tmp_path):
    deny = tmp_path / "deny.txt"
    deny.write_text(f"{FRIENDS[0]}\n# a comment\n", encoding="utf-8")
    found = build(hub_count=3, allow_partners=listed(HUB_NUMBER), deny_partners=str(deny))
    assert key_of(HUB_NUMBER) in found.partners
    assert key_of(FRIENDS[0]) not in found.partners
    verdicts = dict(zip(found.hubs.partners.tolist(), found.hubs.verdicts.tolist(), strict=True))
    assert verdicts[int(key_of(HUB_NUMBER))] == ALLOWED
    assert verdicts[int(key_of(FRIENDS[0]))] == DENIED
    assert sorted(verdicts.values()) == [KEPT] * (len(verdicts) - 2) + [DENIED, ALLOWED]
    reasons = [one["reason"] for one in found.summary()["hubs"]["largest"]]
    assert reasons == ["allowed", "denied"]
    both = listed(HUB_NUMBER)
    with pytest.raises(
        DataError, match=r"1 numbers, the first with key 8613700000001, are on both"
    ):
        build(allow_partners=both, deny_partners=both)


def test_hubs_of_opaque_ids_are_named_as_they_stand():
    calls = [(f"u{n}", "the bank", "2024-01-05 12:00:00") for n in range(9)]
    calls += [(f"u{n}", f"friend {n}", f"2024-01-0{3 + n % 5} 12:00:00") for n in range(9)]
    cdrs = pa.table(
        [list(column) for column in zip(*calls, strict=True)],
        names=["caller", "callee", "start_time"],
    )
    people = pa.table(
        {
            "subscriber": [f"u{n}" for n in range(9)],
            "activated_at": ["2020-01-01"] * 9,
            "departed_at": ["2024-01-20"] * 9,
        }
    )
    found = chanfp.build_fingerprints(chanfp.read_cdrs(cdrs, numbers="opaque"), people, hub_count=8)
    (largest,) = found.summary()["hubs"]["largest"]
    assert (largest["number"], largest["subscribers"]) == ("the bank", 9)


def test_the_simulated_services_are_found_and_no_person_is():
    carrier = chanfp.simulate(people=5000, seed=3, days=60)
    found = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers)
    hubs = found.hubs
    kept, dropped = hubs.n_subscribers[hubs.is_kept], hubs.n_subscribers[hubs.verdicts == HUB]
    # Of 17 couriers, city hubs and telesales; people have a third of the limit at most.
    assert 12 <= len(dropped) <= 17
    assert np.sort(kept)[-10] < hubs.limit / 2
