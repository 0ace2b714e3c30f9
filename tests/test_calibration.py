"""Calibration: stated against observed on controls, scores of winners, rates, and their picture."""

import json
import math

import numpy as np
import pyarrow.compute as pc
import pytest

import chanfp
from chanfp.calibration.tables import EDGES, rate_table, score_table, share_table
from chanfp.competition import Competition
from chanfp.errors import DataError, ParameterError
from chanfp.outcomes import ControlOutcomes, Outcomes
from test_explained_run import assert_readable

NAN = np.nan


@pytest.fixture(scope="module")
def calibration(judged_matches):
    return judged_matches.calibration()


def test_controls_compete_by_hand():
    """New 0; controls 1 to 3. Old 0 and 1 have departed, 2 to 4 are the controls' own.

    Control 1 has its own at 6 and old 0 at 2, which the new one wants at 3; control 2 its own at
    1, another control's at 9, which can't be, and old 1 at 4; control 3 no candidate at all.
    """
    pairs = Competition(
        np.array([0, 1, 1, 2, 2, 2]),
        np.array([0, 2, 0, 3, 2, 1]),
        np.array([3.0, 6, 2, 1, 9, 4]),
        np.array([True, False, False, False, False, False]),
        np.array([False, True, False, True, True, False]),
        4,
        5,
    )
    own = np.array([False, True, False, True, False, False])
    found = ControlOutcomes.of(pairs, own, 0.5, 3)
    with_own, without = found.probability
    assert with_own[:2] == pytest.approx([6 / 8.5, 4 / 5.5])
    assert without[:2] == pytest.approx([2 / (0.5 + 2 + 3), 4 / 4.5])
    assert np.isnan([with_own[2], without[2]]).all()
    assert found.is_right.tolist() == [True, False, False]


def test_among_equals_the_first_candidate_is_best():
    pairs = Competition(
        np.array([0, 0]), np.array([0, 1]), np.ones(2), np.zeros(2, bool), np.array([True, False]),
        1, 2,
    )  # fmt: skip
    own = np.array([True, False])
    assert ControlOutcomes.of(pairs, own, 1.0, 1).is_right.tolist() == [True]
    swapped = Competition(
        np.array([0, 0]), np.array([1, 0]), np.ones(2), np.zeros(2, bool), np.array([False, True]),
        1, 2,
    )  # fmt: skip
    assert ControlOutcomes.of(swapped, ~own, 1.0, 1).is_right.tolist() == [False]


def outcomes_of(with_own, without, right):
    return ControlOutcomes(np.array([with_own, without], float), np.array(right))


def test_controls_count_by_the_share_that_came_back():
    """Of the new a quarter came back: three right ones weigh 0.75, one wrong one 0.75, too."""
    found = share_table(
        outcomes_of([0.92, 0.94, 0.93, 0.02], [0.91, NAN, 0.001, 0.0], [True, True, True, False]),
        0.25,
    ).to_pylist()
    (row,) = [row for row in found if row["low"] == 0.9]
    assert (row["high"], row["n_with"], row["n_without"]) == (0.95, 3, 1)
    assert row["share"] == pytest.approx(0.5)
    stated = (0.25 * (0.92 + 0.94 + 0.93) + 0.75 * 0.91) / 1.5
    assert row["probability"] == pytest.approx(stated)
    # The first control is right once and wrong once, and counts as one of three.
    variance = ((0.25 - 0.75) ** 2 + 2 * 0.25**2) * 0.25 / 1.5**2
    assert (row["share_low"], row["share_high"]) == pytest.approx(wilson(0.5, 0.25 / variance))
    lowest = found[0]
    assert (lowest["n_with"], lowest["n_without"], lowest["share"]) == (0, 2, 0.0)
    assert lowest["share_low"] == 0
    assert lowest["share_high"] == pytest.approx(wilson(0.0, 2)[1])
    empty = [row for row in found if row["low"] == 0.5]
    assert empty[0]["n_with"] == 0
    assert empty[0]["share"] is None
    assert [row["low"] for row in found] == list(EDGES[:-1])


def wilson(share, n):
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(middle - half, 0), min(middle + half, 1)


def test_intervals_hold_the_truth():
    """Where one in five came back, the truth lies in 95 of 100 intervals, or a few less."""
    rng = np.random.default_rng(5)
    returner_share, held, n_bins = 0.2, 0, 0
    for _ in range(150):
        is_own = rng.random(300) < 0.8
        with_own = np.where(is_own, 0.8, 0.3) + 0.05
        without = np.where(rng.random(300) < 0.1, 0.85, 0.35)
        truth = {
            0.8: 0.2 * 0.8 / (0.2 * 0.8 + 0.8 * 0.1),
            0.3: 0.2 * 0.2 * 0 / (0.2 * 0.2 + 0.8 * 0.9),
        }
        table = share_table(outcomes_of(with_own, without, is_own), returner_share).to_pylist()
        for row in table:
            if row["share"] is not None:
                held += row["share_low"] <= truth[row["low"]] <= row["share_high"]
                n_bins += 1
    assert n_bins == 300
    assert 0.93 <= held / n_bins <= 1.0


def test_probabilities_that_are_right_are_seen_to_be():
    """Draw truth by the stated probability: nearly every interval holds what is stated."""
    rng = np.random.default_rng(6)
    stated = rng.random(20_000)
    right = rng.random(20_000) < stated
    table = share_table(outcomes_of(stated, np.full(20_000, NAN), right), 1.0).to_pylist()
    held = [row["share_low"] <= row["probability"] <= row["share_high"] for row in table]
    assert sum(held) >= len(held) - 2
    wrong = share_table(outcomes_of(stated**3, np.full(20_000, NAN), right), 1.0).to_pylist()
    held = [row["share_low"] <= row["probability"] <= row["share_high"] for row in wrong]
    assert sum(held) <= 2


def test_nobody_who_came_back_counts_nothing():
    table = share_table(outcomes_of([0.9], [0.2], [True]), 0.0).to_pylist()
    assert [row["share"] for row in table if row["n_with"] or row["n_without"]] == [0.0, None]


def outcomes(score, n_false, q_value):
    nothing = outcomes_of([], [], [])
    return Outcomes(*(np.array(one, float) for one in (score, n_false, q_value)), nothing, 0.1)


def test_scores_and_rates_by_hand():
    weights, rates = [0.25, 0.0, 2.5, 0.125, 1.5], [0.2, 0.2, NAN, 0.1, NAN]
    found = outcomes([0.5, 0.6, 0.61, 1.0, 0.0], weights, rates)
    scores = [row for row in score_table(found).to_pylist() if row["n_old"] + row["n_decoys"]]
    assert scores == [
        {"low": -10.0, "high": -9.5, "n_old": 0, "n_decoys": 1, "expected_false": 1.5},
        {"low": 0.0, "high": 0.5, "n_old": 2, "n_decoys": 1, "expected_false": 2.75},
        {"low": 9.5, "high": 10.0, "n_old": 1, "n_decoys": 0, "expected_false": 0.125},
    ]
    assert rate_table(found).to_pydict() == {"q_value": [0.1, 0.2], "n_matches": [1, 3]}


def test_a_run_is_summed_up(judged_matches, calibration):
    matches = judged_matches
    summary = matches.summary
    counts = {name: pc.sum(calibration.scores[name]).as_py() for name in ("n_old", "n_decoys")}
    assert counts["n_old"] == matches.judgement.n_winners
    assert counts["n_decoys"] == summary["decoys"]["wins"]
    best = [row for row in matches.table.to_pylist() if row["rank"] == 1]
    for q in (0.01, 0.05, 0.2, 0.5):
        # Somebody whom a decoy won has a rate of 1 in the table and none here.
        assert calibration.n_matches(q) == sum(row["q_value"] <= q for row in best)
    assert calibration.n_controls == len(matches.judgement.outcomes.controls.is_right)
    n_new = summary["subscribers"]["new"]
    assert calibration.returner_share * n_new == pytest.approx(
        summary["returners"]["estimate"], abs=0.06
    )


def test_winning_controls_are_mostly_right(calibration):
    rows = [row for row in calibration.shares.to_pylist() if row["share"] is not None]
    assert rows[-1]["high"] == 1.0
    assert rows[-1]["share"] > 0.95
    assert rows[0]["share"] < 0.05
    n_with, n_without = (
        sum(row[name] for row in calibration.shares.to_pylist()) for name in ("n_with", "n_without")
    )
    assert 0.5 * calibration.n_controls < n_without <= n_with <= calibration.n_controls
    assert all(row["share_low"] <= row["share"] <= row["share_high"] for row in rows)


def test_as_text_and_values(calibration):
    lines = repr(calibration).splitlines()
    assert lines[0].startswith(f"Calibration on {calibration.n_controls:,} active subscribers")
    assert lines[2].split()[:3] == ["probability", "stated", "right"]
    n_rows = sum(share is not None for share in calibration.shares["share"].to_pylist())
    assert lines[3 + n_rows] == ""
    assert lines[-1].startswith("Matches by q-value: ")
    assert f"{calibration.n_matches(0.2):,} at 0.2." in lines[-1]
    values = calibration.to_dict()
    assert json.loads(json.dumps(values)) == values


def test_written_by_suffix(calibration, tmp_path):
    calibration.write(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text()) == calibration.to_dict()
    for name, begins in (("c.png", b"\x89PNG"), ("c.svg", b"<?xml")):
        found = set()
        for _ in range(2):
            calibration.write(tmp_path / name)
            found.add((tmp_path / name).read_bytes())
        (content,) = found
        assert content.startswith(begins)
        assert len(content) > 10_000
    with pytest.raises(ParameterError, match=r"must end in \.json or \.png or \.svg"):
        calibration.write(tmp_path / "c.pdf")
    with pytest.raises(DataError, match="does not exist"):
        calibration.write(tmp_path / "no" / "c.json")


def test_the_picture_has_three_readable_panels(calibration):
    figure = calibration.plot()
    assert len(figure.axes) == 3
    assert all(axes.get_title(loc="left") and axes.get_xlabel() for axes in figure.axes)
    assert f"{calibration.n_controls:,} active subscribers" in figure.get_suptitle()
    assert_readable(figure)
    assert "data:image/svg+xml;base64," in calibration._repr_html_()


def test_similarity_tiers_have_none(judged_matches):
    tiers = chanfp.Matcher(learn=False).fit(judged_matches.fingerprints).match()
    with pytest.raises(ParameterError, match="no calibration: the grades are similarity tiers"):
        tiers.calibration()
