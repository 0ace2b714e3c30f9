"""What makes a grade trustworthy: competition, decoys, the model, the policy."""

import json

import numpy as np
import pytest

import chanfp
from chanfp.competition import Competition
from chanfp.decoys import Traits, estimate_returners, measure_nearness, q_values, weigh_decoys
from chanfp.errors import DataError, ParameterError
from chanfp.features import FEATURES
from chanfp.model import N_FOLDS, MatchModel, RoundModel

NAN = np.nan


def compete(queries, olds, odds, *, rivals=None, decoys=None):
    n = len(odds)
    return Competition(
        np.array(queries),
        np.array(olds),
        np.array(odds, float),
        np.ones(n, bool) if rivals is None else np.array(rivals),
        np.zeros(n, bool) if decoys is None else np.array(decoys),
        int(max(queries)) + 1,
        int(max(olds)) + 1,
    )


def test_rivals_on_either_side_and_nobody():
    """New 0 has candidates 0 and 1, new 1 has candidate 0."""
    pairs = compete([0, 0, 1], [0, 1, 0], [6, 2, 4])
    assert pairs.probabilities(1.0).tolist() == pytest.approx([6 / 13, 2 / 9, 4 / 11])
    assert pairs.scores(1.0).tolist() == pairs.probabilities(1.0).tolist()
    assert pairs.winners(pairs.scores(1.0)).tolist() == [0, 2]


def test_controls_take_nothing_from_others():
    pairs = compete([0, 1], [0, 0], [6, 4], rivals=[True, False])
    assert pairs.scores(1.0).tolist() == pytest.approx([6 / 7, 4 / 11])


def test_decoys_rival_in_scores_and_are_nobody_in_probabilities():
    pairs = compete([0, 0], [0, 1], [6, 2], decoys=[False, True])
    assert pairs.scores(1.0).tolist() == pytest.approx([6 / 9, 2 / 9])
    assert pairs.probabilities(1.0).tolist() == pytest.approx([6 / 7, 0])


def test_an_assignment_takes_what_adds_up_to_most():
    """New 0 would rather have old 0, but leaves it to new 1, who has nobody else."""
    pairs = compete([0, 0, 1, 2], [0, 1, 0, 1], [1, 1, 1, 1])
    score = np.array([0.6, 0.5, 0.5, 0.1])
    every = np.ones(4, bool)
    assert pairs.assign(score, every).tolist() == [1, 2]
    assert pairs.assign(score, np.array([True, False, True, True])).tolist() == [0, 3]
    assert pairs.assign(score, ~every).tolist() == []


@pytest.mark.parametrize("wanted", [0.01, 0.5, 1.2])
def test_probabilities_add_up_to_the_returners(wanted):
    pairs = compete([0, 0, 1, 2], [0, 1, 0, 2], [6, 2, 4, 1])
    nobody = pairs.nobody_for(np.ones(4, bool), wanted)
    assert pairs.probabilities(nobody).sum() == pytest.approx(wanted, rel=1e-6)


def test_more_returners_than_the_odds_bear_leave_room_for_nobody():
    pairs = compete([0], [0], [0.1])
    assert pairs.nobody_for(np.ones(1, bool), 1.0) == pytest.approx(0.2)


def test_q_values_by_hand():
    """Departed, departed, decoy that stands for two, departed, departed; two departed a decoy."""
    weights = np.array([NAN, NAN, 2.0, NAN, NAN])
    found = q_values(np.array([0.9, 0.8, 0.7, 0.6, 0.5]), weights, 2.0)
    assert found.tolist() == pytest.approx([1.0, 1.0, NAN, 1.0, 1.0], nan_ok=True)
    found = q_values(np.linspace(0.9, 0.1, 101), np.full(101, NAN), 0.5)
    assert found.tolist() == pytest.approx([0.5 / 101] * 101)
    one_decoy = np.full(100, NAN)
    one_decoy[50] = 1.0
    found = q_values(np.linspace(0.9, 0.1, 100), one_decoy, 1.0)
    assert found[:50].tolist() == pytest.approx([1 / 50] * 50)
    assert found[51:].tolist() == pytest.approx([2 / 99] * 49)


def test_equal_probabilities_get_equal_q_values():
    weights = np.array([NAN, 1.0, NAN, NAN])
    for order in ([0, 1, 2, 3], [1, 0, 3, 2], [3, 2, 1, 0]):
        found = q_values(np.full(4, 0.5), weights[order], 1.0)
        assert found[np.isnan(weights[order])].tolist() == pytest.approx([2 / 3] * 3)


def test_q_values_are_monotone_and_honest_on_random_scores():
    rng = np.random.default_rng(1)
    n_true, n_false = 400, 2000
    score = np.concatenate([rng.beta(8, 2, n_true), rng.beta(2, 5, n_false)])
    is_true = np.arange(n_true + n_false) < n_true
    is_decoy = ~is_true & (rng.random(n_true + n_false) < 1 / 3)  # one decoy for two departed
    found = q_values(score, np.where(is_decoy, 2.0, NAN), 2.0)
    order = np.argsort(-score)
    kept = order[~is_decoy[order]]
    assert (np.diff(found[kept]) >= 0).all()
    for limit in (0.05, 0.2):
        accepted = kept[found[kept] <= limit]
        assert len(accepted) > 100
        assert (~is_true[accepted]).mean() <= 1.5 * limit


def traits(sizes, calls=None, region=None):
    sizes = np.asarray(sizes)
    calls = np.full(len(sizes), 9) if calls is None else np.asarray(calls)
    region = np.full(len(sizes), -1) if region is None else np.asarray(region)
    return Traits(sizes, calls, region)


def test_decoys_stand_for_departed_of_their_size():
    sizes = np.repeat([2, 20], [100, 50])
    weights = weigh_decoys(traits(np.repeat([2, 20], [300, 50])), traits(sizes))
    assert weights.sum() == pytest.approx(350)
    assert weights[:100].tolist() == pytest.approx([3.0] * 100)
    assert weights[100:].tolist() == pytest.approx([1.0] * 50)
    assert len(weigh_decoys(traits(sizes), traits(sizes[:0]))) == 0
    assert weigh_decoys(traits(sizes), traits([5])).tolist() == [150]


def test_decoys_stand_for_departed_who_call_as_much():
    few, many = np.repeat([5, 50], [30, 20]), np.repeat([5, 50], [60, 10])
    weights = weigh_decoys(traits(np.full(70, 3), many), traits(np.full(50, 3), few))
    assert weights.tolist() == pytest.approx([2.0] * 30 + [0.5] * 20)
    too_few = np.repeat([5, 50], [31, 19])
    weights = weigh_decoys(traits(np.full(70, 3), many), traits(np.full(50, 3), too_few))
    assert weights.tolist() == pytest.approx([70 / 50] * 50)


def test_decoys_stand_for_departed_of_their_region():
    """Region 0 has 40 decoys, 1 has 30, 2 and 3 and nowhere have 10 each, 4 none."""
    decoys = np.repeat([0, 1, 2, 3, -1], [40, 30, 10, 10, 10])
    departed = np.repeat([0, 1, 2, 3, -1, 4], [20, 90, 12, 12, 12, 54])
    calls = np.full(200, 9)  # all alike, so nothing is cut by calls
    weights = weigh_decoys(traits(calls, calls, departed), traits(calls[:100], calls[:100], decoys))
    assert weights.tolist() == pytest.approx([0.5] * 40 + [3.0] * 30 + [3.0] * 30)
    # Without region 3 and nowhere the rest is too small, and stays with the smallest region.
    some = np.isin(decoys, [0, 1, 2])
    weights = weigh_decoys(
        traits(calls, calls, departed), traits(calls[:80], calls[:80], decoys[some])
    )
    assert weights.sum() == pytest.approx(200)
    assert weights.tolist() == pytest.approx([0.5] * 40 + [180 / 40] * 40)


def test_near_misses_tell_how_much_nearer_the_departed_are():
    rng = np.random.default_rng(2)
    decoys, departed, own = (rng.uniform(-6, 2, n) for n in (800, 1600, 800))
    none = np.zeros(0)

    def near(departed, weight, own, own_weight):
        found = measure_nearness(departed, decoys, np.full(800, weight), own, own_weight)
        return found.at(np.array([-1.0, 9.0]))

    assert near(departed, 1.0, none, 0.0) == pytest.approx([2, 2], rel=0.25)
    assert near(departed, 2.0, none, 0.0) == pytest.approx([1, 1], abs=0.25)
    # As many true pairs that don't look alike explain what there is too much.
    assert near(departed, 1.0, own, 1.0) == pytest.approx([1, 1], abs=0.25)
    assert near(none, 1.0, none, 0.0).tolist() == [1, 1]
    # Ever nearer the more alike they are, up to where nothing is known any more.
    chance = np.exp(0.3 * decoys)
    nearer = rng.choice(decoys, 4000, p=chance / chance.sum())
    at = np.array([-5.0, -1.0, 3.0, 4.0, 9.0])
    found = measure_nearness(nearer, decoys, np.ones(800), none, 0.0).at(at)
    assert found[1] / found[0] == pytest.approx(np.exp(1.2), rel=0.2)
    assert found[2] / found[1] == pytest.approx(np.exp(1.2), rel=0.2)
    assert found[3] == found[4] > found[2]


def test_returners_are_what_decoys_leave_over_by_what_one_counts():
    weight = np.ones(120)
    decoy = np.where(np.arange(120) < 20, 2.0, NAN)
    found = estimate_returners(weight, decoy, np.repeat([1.0, 0.0], [60, 40]), 500)
    assert found.estimate == pytest.approx((100 - 40) / 0.6)
    assert 0 <= found.low < found.estimate < found.high <= 500
    nobody = estimate_returners(weight[:0], decoy[:0], np.zeros(10), 7)
    assert (nobody.estimate, nobody.low, nobody.high) == (0, 0, 7)


def labelled(n=400, seed=3):
    """Pairs of which the first feature tells the true ones, and nothing else does."""
    rng = np.random.default_rng(seed)
    is_true = rng.random(n) < 0.3
    values = rng.normal(size=(n, len(FEATURES)))
    values[:, 0] += 3 * is_true
    return values, is_true, rng.integers(0, N_FOLDS, (n, 2))


def test_the_model_learns_what_tells_true_pairs():
    values, is_true, folds = labelled()
    model = RoundModel.fit(values, is_true, folds)
    log_odds = model.log_odds(values, folds[:, 1])
    assert np.median(log_odds[is_true]) > 0 > np.median(log_odds[~is_true])
    assert MatchModel([model]).table()["feature"][0].as_py() == next(iter(FEATURES))
    again = RoundModel.fit(values, is_true, folds)
    assert again.coefficients.tobytes() == model.coefficients.tobytes()


def test_a_fold_is_judged_by_others_alone():
    values, is_true, folds = labelled()
    model = RoundModel.fit(values, is_true, folds)
    touched = (folds == 0).any(axis=1)
    rest = RoundModel.fit(
        np.where(touched[:, None], values[::-1], values), is_true ^ touched, folds
    )
    # What fold 0 is judged by saw none of the pairs touched; only the scale of features did.
    standard = (model.coefficients[0] / model.scale, rest.coefficients[0] / rest.scale)
    assert np.abs(standard[0] - standard[1]).max() < 0.05
    assert np.abs(model.coefficients[1] - rest.coefficients[1]).max() > 0.1


def test_missing_evidence_says_nothing():
    values, is_true, folds = labelled()
    values[::2, 5] = NAN
    model = RoundModel.fit(values, is_true, folds)
    missing = np.full((1, len(FEATURES)), NAN)
    assert model.contributions(missing, 0).tolist() == [[0.0] * len(FEATURES)]
    assert model.log_odds(missing, np.array([2]))[0] == pytest.approx(model.intercepts[2], abs=1e-8)


def test_nothing_is_learned_from_one_kind_of_pairs():
    values, is_true, folds = labelled()
    assert RoundModel.fit(values, np.zeros_like(is_true), folds) is None
    assert RoundModel.fit(values[:0], is_true[:0], folds[:0]) is None


def test_a_saved_model_is_the_same(tmp_path):
    values, is_true, folds = labelled()
    model = MatchModel([RoundModel.fit(values, is_true, folds)])
    model.save(tmp_path / "model.json")
    loaded = MatchModel.load(tmp_path / "model.json")
    assert loaded.table().equals(model.table())
    wanted = model.rounds[0].log_odds(values, folds[:, 1])
    assert loaded.rounds[0].log_odds(values, folds[:, 1]).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "no model of chanfp"),
        ('{"format": "chanfp.model", "version": 99}', "version 99"),
    ],
)
def test_a_bad_model_is_refused(content, message, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        MatchModel.load(path)
    with pytest.raises(DataError, match=r"missing\.json"):
        MatchModel.load(tmp_path / "missing.json")


def test_features_that_a_saved_model_lacks_contribute_nothing(tmp_path):
    values, is_true, folds = labelled()
    fitted = RoundModel.fit(values, is_true, folds)
    path = tmp_path / "model.json"
    MatchModel([fitted]).save(path)
    content = json.loads(path.read_text())
    content["version"] = 1
    content["features"] = content["features"][:-2]
    (one,) = content["rounds"]
    for name in ("mean", "scale"):
        one[name] = one[name][:-2]
    one["coefficients"] = [row[:-2] for row in one["coefficients"]]
    path.write_text(json.dumps(content))
    (loaded,) = MatchModel.load(path).rounds
    np.testing.assert_array_equal(loaded.coefficients[:, :-2], fitted.coefficients[:, :-2])
    assert (loaded.coefficients[:, -2:] == 0).all()
    parts = loaded.contributions(values, 0)
    np.testing.assert_allclose(parts[:, :-2], fitted.contributions(values, 0)[:, :-2])
    assert (parts[:, -2:] == 0).all()
    content["features"][0] = "zodiac"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="other features"):
        MatchModel.load(path)


def test_a_damaged_model_is_refused(tmp_path):
    values, is_true, folds = labelled()
    path = tmp_path / "model.json"
    MatchModel([RoundModel.fit(values, is_true, folds)]).save(path)
    path.write_text(path.read_text().replace('"intercepts": [', '"intercepts": [1.0,'))
    with pytest.raises(DataError, match="damaged"):
        MatchModel.load(path)
    with pytest.raises(DataError, match="give another path"):
        MatchModel([RoundModel.fit(values, is_true, folds)]).save(tmp_path / "no" / "model.json")


def grade(policy, q, *, shared=9.0, calls=99, active_score=NAN, **known):
    known = {name: [value] for name, value in known.items()}
    ((letter,), (reason,)) = policy.grade(
        np.array([q]), np.array([shared]), np.array([calls]), np.array([active_score]), known
    )
    return letter, reason


@pytest.mark.parametrize(
    ("q", "letter"),
    [(0.01, "A"), (0.0101, "B"), (0.05, "B"), (0.0501, "C"), (0.2, "C"), (0.21, "D"), (NAN, "D")],
)
def test_grades_by_q_value(q, letter):
    assert grade(chanfp.GradePolicy(), q) == (letter, "")


def test_thin_evidence_is_not_graded():
    policy = chanfp.GradePolicy()
    assert grade(policy, 0.001, shared=1.49) == ("U", "thin-evidence")
    assert grade(policy, 0.001, shared=1.5) == ("A", "")
    assert grade(policy, 0.001, calls=2) == ("U", "thin-evidence")
    assert grade(policy, 1.0, active_score=0.79) == ("D", "lost-to-active")
    assert grade(policy, 1.0, active_score=0.8) == ("D", "additional-number")


def test_corroboration_may_be_required_or_veto():
    strict = chanfp.GradePolicy(require=("same_id",))
    assert grade(strict, 0.001, same_id=True) == ("A", "")
    assert grade(strict, 0.001, same_id=None) == ("D", "lacks-same_id")
    assert grade(strict, 0.001) == ("D", "lacks-same_id")
    wary = chanfp.GradePolicy(veto=("same_id",))
    assert grade(wary, 0.001, same_id=False) == ("D", "vetoed-same_id")
    assert grade(wary, 0.001, same_id=None) == ("A", "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limits": {"A": 0.2, "B": 0.1}}, "must rise"),
        ({"limits": {}}, "must rise"),
        ({"limits": {"A": 0.0}}, "must rise"),
        ({"min_shared": 0}, "`min_shared`"),
        ({"require": ("zodiac",)}, "'zodiac'"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        chanfp.GradePolicy(**settings)
