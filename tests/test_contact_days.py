"""Days of contact against a count of one call at a time, and what the model gets of them."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

import chanfp
from chanfp.contact_days import ContactDays
from chanfp.features import FEATURES, ProbableRows, measure_features
from chanfp.pools import Pools, profile_pools
from slow_matches import DAY_S
from town import call_table, holder_table, random_town, town_calls, town_holders

SETS = ("new", "old", "control_new", "control_old")


def count_slowly(calls, holders, fingerprints, prints):
    """Return the days of each entry, from the calls between the two numbers in the window."""
    names = [
        text.removeprefix("+86") for text in fingerprints.cdrs.plan.format(fingerprints.partners)
    ]
    found = []
    for row, place in enumerate(prints.role.rows.tolist()):
        holder, days = holders[place], {}
        for call in calls:
            at_s = call.start_s
            is_inside = prints.role.start_s[row] <= at_s <= prints.role.end_s[row]
            if is_inside and holder.held_at(at_s) and holder.number in (call.caller, call.callee):
                partner = call.callee if call.caller == holder.number else call.caller
                days.setdefault(partner, set()).add(at_s // DAY_S)
        found += [len(days[names[column]]) for column in prints.matrix[[row]].indices]
    return found


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_days_equal_a_slow_count(seed, monkeypatch):
    monkeypatch.setattr("chanfp.contact_days.MOST_WAITING", 3)
    calls, holders = (town_calls(), town_holders()) if seed is None else random_town(seed)
    fingerprints = chanfp.build_fingerprints(
        call_table(calls), holder_table(holders), window_days=10
    )
    sets = [getattr(fingerprints, name) for name in SETS]
    counter = ContactDays(fingerprints, sets)
    for batch in fingerprints.cdrs.clean_calls(extra=[]):
        counter.watch(batch)
    for prints, found in zip(sets, counter.days(), strict=True):
        assert found.tolist() == count_slowly(calls, holders, fingerprints, prints)


def test_without_a_second_reading_there_are_none():
    table = call_table(town_calls())
    once = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    fingerprints = chanfp.build_fingerprints(once, holder_table(town_holders()), window_days=20)
    assert profile_pools(fingerprints) is None
    assert Pools(fingerprints).days is None


def rows(calls):
    matrix = csr_array(np.array([calls], float))
    return ProbableRows.certain(matrix, np.zeros(matrix.nnz))


def measure(days, column):
    calls = rows([9, 9, 9, 9]), rows([9, 9, 9, 0])
    at = np.zeros(1, np.int64)
    found = measure_features(
        *calls,
        at,
        at,
        partner_rarity=np.array([1.0, 2.0, 1.0, 1.0]),
        began=np.zeros(4),
        gone=np.zeros(4),
        pool_columns=np.array([column]),
        days=days,
    )
    return found.values[0, list(FEATURES).index("idf_days")]


def test_the_feature_compares_days_and_leaves_out_the_old_number_itself():
    days = rows([4, 1, 1, 3]), rows([1, 4, 4, 0])
    root = 1 * np.sqrt(4 * 1) + 2 * np.sqrt(1 * 4) + 1 * np.sqrt(1 * 4)
    assert measure(days, -1) == pytest.approx(root / np.sqrt(9 * 9))
    assert measure(days, 3) == pytest.approx(root / np.sqrt(6 * 9))
    assert np.isnan(measure(None, -1))
