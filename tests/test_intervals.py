"""Shares of small and large nodes: shrinkage, bounds, false discoveries."""

import math

import numpy as np
import pytest
from scipy.stats import beta, binom

from chanfp.audit.intervals import (
    LEAST_SIBLINGS,
    Posterior,
    control_false_discoveries,
    fit_posterior,
    tail_probability,
)
from chanfp.audit.standing import Bounds, rest_of_region, stand
from chanfp.audit.tree import OutletTree


def together(n):
    return [np.zeros(n, np.int64)]


def test_quantiles_and_moments_are_those_of_the_beta_distribution():
    posterior = Posterior(np.array([2.0, 30.5]), np.array([7.0, 11.0]))
    reference = beta(posterior.alpha, posterior.beta)
    assert posterior.mean == pytest.approx(reference.mean())
    assert posterior.variance == pytest.approx(reference.var())
    assert posterior.quantile(0.05) == pytest.approx(reference.ppf(0.05))


def test_two_of_three_rank_below_eighty_of_four_hundred():
    rng = np.random.default_rng(1)
    trials = np.append(rng.integers(5, 400, 40), [3, 400]).astype(float)
    successes = np.append(rng.binomial(trials[:-2].astype(int), 0.1), [2, 80]).astype(float)
    low = fit_posterior(successes, trials, together(42)).quantile(0.05)
    assert low[-1] > low[-2]


def test_the_prior_is_recovered():
    rng = np.random.default_rng(2)
    trials = rng.integers(20, 200, 400).astype(float)
    shares = rng.beta(4.0, 16.0, 400)
    successes = rng.binomial(trials.astype(int), shares).astype(float)
    posterior = fit_posterior(successes, trials, together(400))
    size = (posterior.alpha + posterior.beta - trials)[0]
    assert 14 < size < 28
    assert (posterior.alpha - successes)[0] / size == pytest.approx(0.2, abs=0.02)
    covered = (posterior.quantile(0.05) < shares) & (shares < posterior.quantile(0.95))
    assert 0.86 < covered.mean() < 0.94


def test_one_among_many_alike_is_not_drawn_to_them():
    posterior = fit_posterior(np.append(np.full(30, 4.0), [14.0, 2.0]), np.append(
        np.full(31, 40.0), 3.0), together(32))  # fmt: skip
    assert 0.2 < posterior.mean[-2] < 0.3
    assert posterior.mean[-1] < 0.2  # 2 of 3 are


def test_few_siblings_borrow_from_wider_groups():
    n = LEAST_SIBLINGS
    trials = np.full(2 * n - 1, 50.0)
    successes = np.append(np.full(n, 5.0), np.full(n - 1, 40.0))
    siblings = np.append(np.zeros(n), np.ones(n - 1)).astype(np.int64)
    alone = fit_posterior(successes[n:], trials[n:], together(n - 1)).mean[0]
    mixed = fit_posterior(successes, trials, [siblings, *together(2 * n - 1)])
    assert mixed.mean[0] == pytest.approx(0.1, abs=0.02)  # enough siblings: their own prior
    assert mixed.mean[-1] < alone  # too few: the prior of all
    nothing = fit_posterior(np.zeros(2), np.zeros(2), together(2))
    assert np.isnan(nothing.mean).all()


@pytest.mark.parametrize(("k", "n", "share"), [(1, 1, 0.3), (5, 20, 0.1), (20, 20, 0.9)])
def test_the_tail_is_the_binomial_one(k, n, share):
    found = tail_probability(np.array([float(k)]), np.array([float(n)]), np.array([share]))
    assert found[0] == pytest.approx(binom.sf(k - 1, n, share))


def test_the_tail_of_nothing():
    found = tail_probability(np.array([0.0, 0.0]), np.array([5.0, 0.0]), np.array([0.1, 0.1]))
    assert found.tolist() == [1.0, 1.0]


def test_false_discoveries_by_hand():
    # Sorted 0.01, 0.02, 0.04, 0.5 of four tests: 0.04, 0.04, 0.0533, 0.5.
    found = control_false_discoveries(np.array([0.5, 0.01, math.nan, 0.04, 0.02]))
    assert found == pytest.approx([0.5, 0.04, math.nan, 0.16 / 3, 0.04], nan_ok=True)
    assert control_false_discoveries(np.array([0.9, 0.8])).tolist() == [0.9, 0.9]


def shops(successes, trials, regions=None):
    n = len(trials)
    tree = OutletTree(
        ["top", *(f"s{row:03}" for row in range(n))],
        np.append(-1, np.zeros(n)).astype(np.int64),
        ["top", *["retail"] * n],
        [None, *(regions or ["r"] * n)],
        [None] * (n + 1),
    )
    return tree, np.append(0.0, successes), np.append(0.0, trials)


def test_the_rest_of_the_region_leaves_the_node_out():
    tree, successes, trials = shops([10, 5, 30, 8], [40, 50, 60, 80], ["a", "a", "a", "b"])
    found = rest_of_region(tree, successes, trials)
    # At the last one nothing of its region is left: everything else.
    assert found == pytest.approx([math.nan, 35 / 110, 40 / 100, 15 / 90, 45 / 150], nan_ok=True)


def test_both_the_bound_and_the_false_discoveries_decide():
    given = shops([4.0] * 20 + [14.0], [40.0] * 21)
    tree, successes, trials = given

    def flagged(**changes):
        bounds = {"factor": 1.25, "least_share": 0.0, "fdr": 0.05, "interval": 0.9, **changes}
        return np.flatnonzero(stand(tree, successes, trials, Bounds(**bounds)).is_flagged).tolist()

    standing = stand(tree, successes, trials, Bounds(1.25, 0.0, 0.05, 0.9))
    assert standing.q_value[-1] < 0.05
    assert standing.low[-1] > standing.threshold[-1]
    assert flagged() == [21]
    assert flagged(interval=0.9999) == []  # significant, but the lower bound doesn't reach
    assert flagged(fdr=float(standing.q_value[-1]) / 2) == []  # the bound does, but not that
    assert flagged(least_share=0.3) == []
    may = np.ones(22, bool)
    may[21] = False
    judged = stand(tree, successes, trials, Bounds(1.25, 0.0, 0.05, 0.9), may_flag=may)
    assert not judged.is_flagged.any()


def test_honest_shops_are_hardly_ever_flagged():
    rng = np.random.default_rng(3)
    n_flagged = 0
    for _ in range(40):
        trials = rng.integers(5, 120, 60).astype(float)
        successes = rng.binomial(trials.astype(int), 0.18).astype(float)
        standing = stand(*shops(successes, trials), Bounds(1.25, 0.0, 0.05, 0.9))
        n_flagged += int(standing.is_flagged.any())
    assert n_flagged <= 2
