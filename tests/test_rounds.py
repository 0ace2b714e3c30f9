"""The whole way to a grade, on a made-up carrier whose truth is known."""

import numpy as np
import pyarrow.compute as pc
import pytest

import chanfp
from chanfp.errors import ParameterError
from chanfp.features import FEATURES
from chanfp.rounds import judge


@pytest.fixture(scope="module")
def carrier():
    return chanfp.simulate(2500, seed=4)


@pytest.fixture(scope="module")
def fingerprints(carrier):
    return chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)


@pytest.fixture(scope="module")
def matcher(fingerprints):
    return chanfp.Matcher().fit(fingerprints)


@pytest.fixture(scope="module")
def matches(matcher):
    return matcher.match()


def right(matches, carrier):
    old_of = dict(zip(*(carrier.truth[name].to_pylist() for name in ("new", "old")), strict=True))
    rows = matches.table.filter(pc.equal(matches.table["rank"], 1)).to_pylist()
    rows.sort(key=lambda row: -row["probability"])
    return [old_of.get(row["new"]) == row["old"] for row in rows]


def test_controls_imitate_those_who_are_judged(fingerprints):
    old, new = fingerprints.control_old, fingerprints.control_new
    assert old.role.holdings.tolist() == new.role.holdings.tolist()
    assert set(old.role.holdings.tolist()) <= set(fingerprints.active.role.holdings.tolist())
    assert (new.role.start_s > old.role.end_s).all()
    assert set(old.role.end_s.tolist()) <= set(fingerprints.departed.role.end_s.tolist())

    def windows(role):
        return set(zip(role.start_s.tolist(), role.end_s.tolist(), strict=True))

    assert windows(new.role) <= windows(fingerprints.new.role)


def test_returners_come_first(matches, carrier):
    found = right(matches, carrier)
    assert sum(found) >= 18
    assert np.mean(found[:15]) >= 0.8


def test_probabilities_add_up_to_the_returners(matches):
    returners = matches.summary["returners"]
    total = pc.sum(matches.table["probability"]).as_py()
    assert total == pytest.approx(returners["estimate"], rel=0.05)
    assert returners["low"] < 27 < returners["high"]  # so many have come back
    assert matches.summary["rate_known"]


def test_rates_stand_at_rank_1_and_follow_the_order(matches):
    rows = matches.table.to_pylist()
    assert all((row["q_value"] is None) == (row["rank"] > 1) for row in rows)
    assert all(0 < row["q_value"] <= 1 for row in rows if row["rank"] == 1)
    by_new = {}
    for row in rows:
        by_new.setdefault(row["new"], []).append(row["probability"])
    assert all(one == sorted(one, reverse=True) for one in by_new.values())
    assert max(map(len, by_new.values())) == 5
    limits = {"A": 0.01, "B": 0.05, "C": 0.2}
    graded = [row for row in rows if row["grade"] in limits]
    assert graded
    assert all(row["q_value"] <= limits[row["grade"]] for row in graded)


def test_the_same_for_any_number_of_threads(fingerprints, matches):
    again = chanfp.Matcher(n_threads=1).fit(fingerprints).match()
    assert again.table.equals(matches.table)


def test_a_model_of_another_run_judges_the_same(matcher, matches, fingerprints, tmp_path):
    matcher.model.save(tmp_path / "model.json")
    again = chanfp.Matcher(model=tmp_path / "model.json").fit(fingerprints).match()
    assert again.table.equals(matches.table)
    assert matcher.model_table()["feature"].to_pylist() != list(FEATURES)  # strongest first
    assert len(matcher.model.rounds) == 3


def test_contributions_add_up_to_the_log_odds(matches):
    judgement = matches.judgement
    for pair in range(0, len(judgement), 50):
        total = sum(judgement.contributions(pair).values())
        assert total == pytest.approx(judgement.log_odds[pair], abs=1e-8)


def test_fewer_partners_than_asked_for_are_not_listed(fingerprints):
    matches = chanfp.Matcher(min_shared=3, top=2).fit(fingerprints).match()
    assert pc.min(matches.table["n_shared"]).as_py() == 3
    assert pc.max(matches.table["rank"]).as_py() <= 2


def test_every_old_number_at_most_once(fingerprints, matches, carrier):
    once = chanfp.Matcher(one_to_one=True).fit(fingerprints).match()
    rows = once.table.to_pylist()
    assert len({row["old"] for row in rows}) == len({row["new"] for row in rows}) == len(rows)
    assert len(rows) < matches.summary["new_with_candidate"]
    assert all(row["rank"] == 1 and 0 < row["q_value"] <= 1 for row in rows)
    assert sum(right(once, carrier)) >= sum(right(matches, carrier)) - 2


def test_similarity_tiers_on_request(fingerprints):
    matches = chanfp.Matcher(learn=False).fit(fingerprints).match()
    assert matches.judgement is None
    assert matches.table["q_value"].null_count == len(matches)
    assert "nothing was learned" in matches.summary["notices"][0]
    assert not matches.summary["rate_known"]


def test_without_controls_nothing_is_judged():
    carrier = chanfp.simulate(100, seed=1, days=14)
    subscribers = carrier.subscribers.slice(0, 30)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, subscribers)
    assert len(fingerprints.control_old) < 40
    assert judge(fingerprints, n_rounds=1, top=5) is None
    with pytest.raises(ParameterError, match="no model"):
        chanfp.Matcher().fit(fingerprints).model_table()


def test_rounds_out_of_range_are_refused():
    with pytest.raises(ParameterError, match="`n_rounds`"):
        chanfp.Matcher(n_rounds=-1)


def test_nobody_came_back_and_hardly_anybody_is_found():
    nobody = {f"{kind}_share": 0.0 for kind in ("returner", "partial", "wanderer")}
    carrier = chanfp.simulate(2500, seed=6, **nobody)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    matches = chanfp.Matcher().fit(fingerprints).match()
    grades = matches.summary["grades"]
    assert grades.get("A", 0) + grades.get("B", 0) <= 4
