"""Fading subscriptions: who they are, and what becomes of them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import chanfp
from carriers import FRIENDS, stamp
from chanfp.errors import ParameterError
from chanfp.fading import find_fading
from chanfp.pools import Pools
from chanfp.renaming import Renames
from chanfp.roles import WindowSettings


def volumes(*people, n_steady=60):
    """Return calls in two windows of some people among others who all stay about the same."""
    steady = [(40 + n % 9, 40 + (7 * n) % 9) for n in range(n_steady)]
    return np.array([*people, *steady])


def fading(*people, n_steady=60, **settings):
    found = find_fading(volumes(*people, n_steady=n_steady), WindowSettings(**settings))
    assert not found[len(people) :].any()
    return found[: len(people)].tolist()


def test_who_calls_half_as_much_and_not_by_chance():
    assert fading((60, 20), (60, 45), (20, 60)) == [True, False, False]
    assert fading((8, 2), (2, 1)) == [False, False]  # a third, but of next to nothing
    assert fading((60, 20), fading_ratio=0.2) == [False]
    assert fading((60, 20), fading_ratio=0) == [False]
    assert fading((60, 20), fading_chance=1e-9) == [False]
    assert fading((8, 2), fading_chance=0.2) == [True]


def test_who_was_not_seen_in_both_windows_is_not_fading():
    assert fading((60, 0), (0, 60)) == [False, False]


def test_a_change_of_all_is_nobodys():
    """Half of the later window is missing, say."""
    calls = volumes((60, 30), (60, 10))
    calls[:, 1] = (calls[:, 1] + 1) // 2
    assert find_fading(calls, WindowSettings())[:2].tolist() == [False, True]


def test_where_volumes_vary_more_it_takes_more():
    assert fading((34, 10)) == [True]
    rng = np.random.default_rng(1)
    calls = np.vstack([(34, 10), rng.poisson(rng.gamma(2, 20, (400, 2))) + 1])
    found = find_fading(calls, WindowSettings())
    assert not found[0]
    assert found.mean() < 0.01


def test_few_of_those_who_dont_change_are_taken_for_fading():
    rng = np.random.default_rng(2)
    calls = rng.poisson(rng.gamma(2, 15, (20_000, 1)), (20_000, 2))
    assert find_fading(calls, WindowSettings()).mean() <= 0.001


def test_nobody_is_nobody():
    assert find_fading(np.zeros((0, 2), np.int64), WindowSettings()).tolist() == []


@pytest.mark.parametrize(
    "settings",
    [{"fading_ratio": 1.0}, {"fading_ratio": -0.1}, {"fading_chance": 0}, {"fading_chance": "x"}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ParameterError, match="must lie between"):
        WindowSettings(**settings)


MOVER, SECOND = "13911110001", "13911110002"


def small_town():
    """Sixty who go on as they did, and one who moves over to a second number on day 31."""
    steady = [f"13922220{n:03}" for n in range(60)]
    rows = []
    for n, number in enumerate(steady):
        rows += [(number, FRIENDS[(n + k) % 40], k % 58 + 0.2 + n / 300) for k in range(58)]
    mine = [f"1370000{n:04}" for n in range(6)]
    rows += [(MOVER, mine[day % 6], day + 0.5) for day in range(31)]
    rows += [(MOVER, mine[day % 2], day + 0.5) for day in range(31, 60, 6)]
    rows += [(SECOND, mine[day % 6], day + 0.6) for day in range(31, 60)]
    rows = sorted((stamp(day), caller, callee) for caller, callee, day in rows)
    names = ("start_time", "caller", "callee")
    cdrs = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    people = pa.table(
        {
            "subscriber": [MOVER, SECOND, *steady],
            "activated_at": ["", stamp(30), *[""] * 60],
            "departed_at": [""] * 62,
        }
    )
    return chanfp.build_fingerprints(cdrs, people)


def test_who_moves_over_bit_by_bit_is_found():
    fingerprints = small_town()
    assert fingerprints.fading.ids.to_pylist() == [MOVER]
    assert fingerprints.old.ids.to_pylist() == [MOVER]
    assert MOVER not in fingerprints.active.ids.to_pylist()
    assert fingerprints.fading.role.end_s[0] == fingerprints.active.role.end_s[0]
    assert fingerprints.fading.n_partners.tolist() == [6]
    counts = fingerprints.roles.as_dict()
    assert (counts["active"], counts["fading"], counts["new"], counts["departed"]) == (60, 1, 1, 0)
    matches = chanfp.Matcher().fit(fingerprints).match()
    (row,) = matches.table.to_pylist()
    assert (row["new"], row["old"], row["link"]) == (SECOND, MOVER, "partial-replacement")
    assert row["gap_days"] < 0
    assert row["jaccard"] == 1
    assert row["volume_ratio"] == pytest.approx(29 / 28.1 / (31 / 30.5), rel=0.05)
    assert matches.summary["links"] == {"replacement": 0, "partial-replacement": 1}
    said = repr(matches.explain(SECOND))
    assert "alive together" in said.lower()
    assert "old  in use, not counted" in said


@pytest.fixture(scope="module")
def carrier():
    return chanfp.simulate(2500, seed=4, partial_share=0.04)


@pytest.fixture(scope="module")
def fingerprints(carrier):
    return chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)


def test_roles_add_up(fingerprints):
    counts = fingerprints.roles.as_dict()
    total = len(fingerprints.subscribers) - fingerprints.subscriptions.unusable.total()
    once = ("departed", "new", "active", "fading", "without_calls", "departed_beyond_horizon")
    n_once = sum(counts[name] for name in (*once, "without_role"))
    assert n_once - counts["both_departed_and_new"] == total
    assert counts["fading"] > 5


def test_the_fading_are_neither_controls_nor_decoys_but_in_the_pool(fingerprints):
    fading = set(fingerprints.fading.role.holdings.tolist())
    for name in ("active", "active_later", "control_old", "control_new"):
        assert not fading & set(getattr(fingerprints, name).role.holdings.tolist())
    n_departed = len(fingerprints.departed)
    old = fingerprints.old
    assert old.role.holdings[n_departed:].tolist() == fingerprints.fading.role.holdings.tolist()
    assert old.ids.to_pylist()[n_departed:] == fingerprints.fading.ids.to_pylist()
    assert (
        old.matrix[n_departed:].toarray().tolist() == fingerprints.fading.matrix.toarray().tolist()
    )
    assert old.n_calls.tolist() == [*fingerprints.departed.n_calls, *fingerprints.fading.n_calls]


def test_rates_take_the_fading_into_account(fingerprints):
    pools = Pools(fingerprints)
    n_old, n_decoys = len(fingerprints.departed) + len(fingerprints.fading), len(pools.pool)
    n_decoys -= n_old
    assert pools.n_old == n_old
    assert pools.ratio == pytest.approx(n_old / n_decoys)
    weights = pools.decoy_weights
    assert np.isnan(weights[:n_old]).all()
    assert weights[n_old:].sum() == pytest.approx(n_old)
    # Who is fading can still be called, so his number is not gone.
    _, gone = pools.absences(Renames.of(*(np.zeros(0, np.int64),) * 2, np.zeros(0)), 10**6)
    columns = fingerprints.find_columns(
        fingerprints.subscriptions.keys[fingerprints.fading.role.holdings]
    )
    assert not gone[columns[columns >= 0]].any()
    assert gone.sum() > 20


def test_partial_replacements_come_out_with_rates(carrier, fingerprints):
    matches = chanfp.Matcher().fit(fingerprints).match()
    assert matches.judgement.n_old == len(fingerprints.departed) + len(fingerprints.fading)
    rows = [row for row in matches.table.to_pylist() if row["rank"] == 1]
    fading = set(fingerprints.fading.ids.to_pylist())
    assert all((row["link"] == "partial-replacement") == (row["old"] in fading) for row in rows)
    truth = {
        row["new"]: row["old"]
        for row in carrier.truth.to_pylist()
        if row["kind"] == "partial-replacement" and row["old"] in fading
    }
    found = [row for row in rows if truth.get(row["new"]) == row["old"]]
    assert len(found) >= 0.5 * len(truth) > 3
    assert pc.max(matches.table["q_value"]).as_py() <= 1
    assert sum(matches.summary["links"].values()) == len(rows)


def test_without_a_ratio_nobody_is_fading(carrier):
    none = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90, fading_ratio=0)
    assert len(none.fading) == 0
    assert none.old is none.departed
