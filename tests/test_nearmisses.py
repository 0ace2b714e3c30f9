"""Near misses: what decoys don't show of false matches."""

import numpy as np
import pytest

from chanfp.decoys import Nearness, q_values
from chanfp.nearmisses import unseen_misses

NAN = np.nan
FALL = 0.6


def town(seed, n_decoys=300, nearness=4.0, n_true=400, n_doubles=0):
    """Return log-odds, weights and truth of winners: false ones fall off above -6."""
    rng = np.random.default_rng(seed)
    decoys = -6 + rng.exponential(1 / FALL, n_decoys)
    doubles = np.linspace(6, 10, n_doubles)
    false = -6 + rng.exponential(1 / FALL, int(nearness * n_decoys))
    log_odds = np.concatenate([decoys, doubles, false, rng.normal(6, 3, n_true)])
    is_decoy = np.arange(len(log_odds)) < n_decoys + n_doubles
    is_true = np.arange(len(log_odds)) >= len(log_odds) - n_true
    return log_odds, np.where(is_decoy, 1.0, NAN), is_true


def test_as_near_as_decoys_leaves_nothing_unseen():
    log_odds, weights, _ = town(1, nearness=1.0)
    # Below the lowest band nothing is known, so all is taken for false.
    assert not unseen_misses(Nearness(), log_odds, weights, 1.0)[log_odds >= -6].any()


def test_adds_up_to_what_decoys_leave_out():
    log_odds, weights, is_true = town(2)
    found = unseen_misses(Nearness(4.0), log_odds, weights, 1.0)
    assert (found[~np.isnan(weights)] == 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    false = np.isnan(weights) & ~is_true
    for first, stop in ((-4, -2), (-2, 0), (0, 3)):
        inside = (log_odds >= first) & (log_odds < stop)
        # Three of four false ones have no decoy to stand for them.
        assert found[inside].sum() == pytest.approx(0.75 * (inside & false).sum(), rel=0.25)
    assert found[log_odds > 7].max() < 0.01


def test_holders_of_two_numbers_are_no_near_misses():
    alone, among = (
        unseen_misses(Nearness(4.0), *town(3, n_doubles=n)[:2], 1.0)[-400:] for n in (0, 20)
    )
    assert among.tolist() == alone.tolist()


def test_a_curve_that_opens_upwards_becomes_a_line():
    """More decoys at the upper end than before it must not be carried on."""
    heap = np.concatenate([np.full(60, -5.5), np.full(5, -1.5), np.full(12, 3.5)])
    log_odds = np.concatenate([heap, np.full(50, 8.0)])
    weights = np.where(np.arange(len(log_odds)) < len(heap), 1.0, NAN)
    found = unseen_misses(Nearness(2.0), log_odds, weights, 1.0)
    assert found[-1] < 0.05


def test_rates_hold_in_the_mean():
    """Decoys alone understate four times nearer false ones; with the unseen the rates hold."""
    limit, shares, alone = 0.05, [], []
    for seed in range(40):
        log_odds, weights, is_true = town(seed, n_doubles=3)
        unseen = unseen_misses(Nearness(4.0), log_odds, weights, 1.0)
        for found, parts in ((shares, unseen), (alone, None)):
            q = q_values(log_odds, weights, 1.0, parts)
            accepted = q <= limit
            assert parts is None or accepted.sum() > 150
            found.append((~is_true[accepted]).mean() if accepted.any() else 0.0)
    assert 0.3 * limit < np.mean(shares) <= limit
    assert max(shares) < 1.5 * limit
    assert np.mean(alone) > 1.1 * limit


def test_the_unseen_count_as_false():
    weights = np.array([NAN, NAN, 1.0, NAN])
    found = q_values(np.array([0.9, 0.8, 0.7, 0.6]), weights, 0.5, np.array([0.1, 0.2, 0.0, 0.3]))
    assert found.tolist() == pytest.approx([0.4, 0.4, NAN, 0.7], nan_ok=True)


def test_nobody_wins():
    none = np.zeros(0)
    assert len(unseen_misses(Nearness(4.0), none, none, 1.0)) == 0
