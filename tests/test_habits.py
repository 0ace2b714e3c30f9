"""Habits: what cells and hours of a pair say, and what is said where nothing is recorded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import chanfp
from chanfp.features import FEATURES
from chanfp.habits import HABITS, Habits, main_cells
from chanfp.model import MatchModel
from chanfp.pools import MOVED_SHARE, Pools, profile_pools
from chanfp.profiles import Profile
from chanfp.rounds import judge

N_CELLS = 4
NAMES = [f"cell{column}" for column in range(N_CELLS)]


def profile(home, work, hours):
    """Make a profile of rows of calls per cell and {hour of the week: calls}."""
    table = np.zeros((len(hours), 168), np.int32)
    for row, calls in enumerate(hours):
        for hour, count in calls.items():
            table[row, hour] = count
    cells = (csr_array(np.array(one, np.int32).reshape(-1, N_CELLS)) for one in (home, work))
    return Profile(*cells, csr_array((len(hours), 0), dtype=np.int32), csr_array(table), NAMES)


def measured(queries, pool):
    habits = Habits.of([queries], [pool])
    pairs = np.meshgrid(
        np.arange(queries.hours.shape[0]), np.arange(pool.hours.shape[0]), indexing="ij"
    )
    values = habits.measure(*(one.reshape(-1) for one in pairs))
    return [dict(zip(HABITS, row, strict=True)) for row in values.tolist()]


def test_the_shares_of_calls_from_the_same_cells():
    asked = profile([[3, 1, 0, 0]], [[0, 0, 2, 0]], [{9: 1}])
    same, other = measured(
        asked, profile([[6, 2, 0, 0], [0, 1, 1, 0]], [[0, 0, 5, 0], [4, 0, 0, 0]], [{9: 1}] * 2)
    )
    assert same["cells_home"] == same["cells_work"] == pytest.approx(1)
    assert other["cells_home"] == pytest.approx(0.25)
    assert other["cells_work"] == 0


def test_missing_is_missing_not_zero():
    nothing, something = [0] * N_CELLS, [1, 0, 0, 0]
    asked = profile([nothing, something], [something, nothing], [{}, {9: 1}])
    first, second = measured(asked, profile([something], [something], [{30: 2}]))
    assert np.isnan(first["cells_home"])
    assert np.isnan(first["hours"])
    assert first["cells_work"] == 1
    assert np.isnan(second["cells_work"])
    assert second["cells_home"] == 1
    assert not np.isnan(second["hours"])


def test_hours_of_the_day_count_on_any_day():
    early, late = {7: 2, 31: 1}, {20: 2, 44: 2}
    asked = profile([[1, 0, 0, 0]] * 2, [[0] * 4] * 2, [early, late])
    rows = measured(asked, profile([[1, 0, 0, 0]] * 2, [[0] * 4] * 2, [{79: 4}, {92: 4}]))
    found = [row["hours"] for row in rows]
    assert found[0] > 0.9
    assert found[3] > 0.9
    assert max(found[1], found[2]) < 0


def test_whoever_calls_when_everybody_does_leans_nowhere():
    asked = profile([[1, 0, 0, 0]], [[0] * 4], [{7: 2, 20: 2}])
    (row,) = measured(asked, profile([[1, 0, 0, 0]], [[0] * 4], [{7: 2, 20: 2}]))
    assert row["hours"] == 0


ROWS = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=6)


@given(rows=ROWS)
def test_the_main_cell_is_the_first_with_most_calls(rows):
    found = main_cells(csr_array(np.array(rows, np.int32)))
    assert found.tolist() == [int(np.argmax(row)) if any(row) else -1 for row in rows]


@pytest.fixture(scope="module")
def fingerprints():
    carrier = chanfp.simulate(2500, seed=4)
    return chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)


def test_some_controls_ask_from_the_cells_of_another(fingerprints):
    profiles = profile_pools(fingerprints)
    pools = Pools(fingerprints, profiles)
    asking = profiles.control_new.only(pools.asking)
    own = Habits.of((profiles.new, asking), (profiles.old, profiles.control_old))
    asked = slice(pools.n_new, None)
    lent = pools.habits.home[0][asked]
    moved = np.unique((lent != own.home[0][asked]).nonzero()[0])
    assert 0.5 * MOVED_SHARE < len(moved) / len(pools.asking) < 1.5 * MOVED_SHARE
    assert (pools.habits.home[0][: pools.n_new] != own.home[0][: pools.n_new]).nnz == 0
    assert lent.sum() == own.home[0][asked].sum()
    np.testing.assert_array_equal(pools.habits.hours[0], own.hours[0])


def test_only_those_who_are_judged_are_profiled(fingerprints):
    profiles = profile_pools(fingerprints)
    pools = Pools(fingerprints, profiles)
    for part, rows in (
        (profiles.new, np.arange(len(fingerprints.new))),
        (profiles.control_new, pools.asking),
    ):
        seen = np.flatnonzero(np.diff(part.hours.indptr))
        assert set(seen.tolist()) <= set(rows.tolist())
        assert len(seen) > 0.9 * len(rows)
    assert len(pools.queries) == pools.habits.home[0].shape[0]
    assert len(pools.pool) == pools.habits.home[1].shape[0]


def test_decoys_stand_for_departed_of_their_place(fingerprints):
    profiles = profile_pools(fingerprints)
    cells = profiles.old.cell_names
    regions = {cell: ("east", "west")[place % 2] for place, cell in enumerate(cells)}
    plain, by_cell, by_region = (
        Pools(fingerprints, *more) for more in ((), (profiles,), (profiles, regions))
    )
    n_old = len(fingerprints.old)
    for pools in (plain, by_cell, by_region):
        assert np.nansum(pools.decoy_weights) == pytest.approx(n_old)
    weights = by_region.decoy_weights[n_old:]
    of_decoys = np.array(profiles.control_old.regions(regions), object)
    of_departed = profiles.old.regions(regions)
    for region in ("east", "west"):
        wanted = of_departed.count(region)
        off, off_plain = (
            abs(one[n_old:][of_decoys == region].sum() - wanted)
            for one in (by_region.decoy_weights, plain.decoy_weights)
        )
        assert off <= max(off_plain, 0.05 * n_old)
    assert len(np.unique(weights)) > len(np.unique(plain.decoy_weights[n_old:]))
    assert not np.array_equal(by_cell.decoy_weights[n_old:], weights)


def test_a_model_of_cells_judges_records_without_them(fingerprints, tmp_path):
    """Records that can be read only once have no habits; a saved model leaves them out."""
    cells = [list(FEATURES).index(name) for name in HABITS]
    found = judge(fingerprints, n_rounds=0, top=2)
    assert not np.isnan(found.features[:, cells]).all()
    assert (found.model.rounds[0].coefficients[:, cells] != 0).all()
    found.model.save(tmp_path / "model.json")
    loaded = MatchModel.load(tmp_path / "model.json")
    carrier = chanfp.simulate(2500, seed=4)
    once = chanfp.build_fingerprints(
        carrier.cdrs.to_table().to_reader(), carrier.subscribers, new_days=90
    )
    blind = judge(once, n_rounds=0, top=2, model=loaded)
    assert blind.profiles is None
    assert np.isnan(blind.features[:, cells]).all()
    parts = blind.contributions(0)
    assert [parts[name] for name in HABITS] == [0, 0, 0]
    assert sum(parts.values()) == pytest.approx(blind.log_odds[0], abs=1e-8)
