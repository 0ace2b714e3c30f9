"""Intervals: shares of small and large nodes made comparable, and which of them stand out.

A node's share is drawn from a beta distribution of its siblings' (empirical Bayes; Casella,
American Statistician 39(2), 1985): 2 of 3 at a village shop says less than 80 of 400. Counts may be
sums of probabilities; gamma functions take fractions as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, gammaln

__all__ = ["Posterior", "control_false_discoveries", "fit_posterior", "tail_probability"]

# A group of fewer nodes tells nothing of how shares spread; a wider one must.
LEAST_SIBLINGS = 8
SIZES = np.geomspace(2.0, 500.0, 40)
# Siblings never weigh more than so many trials, or than the node's own where those are more.
LEAST_WEIGHT = 20.0
# One more success and two more trials keep the mean of a prior off 0 and 1.
PSEUDO_SUCCESSES, PSEUDO_TRIALS = 0.5, 1.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of each node's share: a beta distribution.

    Parameters
    ----------
    alpha, beta : float64 array
        NaN where nothing is known at all.
    """

    alpha: Floats
    beta: Floats

    @property
    def mean(self) -> Floats:
        """Expected share of each node."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def variance(self) -> Floats:
        """Variance of the share of each node."""
        total = self.alpha + self.beta
        return self.alpha * self.beta / (total * total * (total + 1.0))

    def quantile(self, level: float) -> Floats:
        """Return the share that lies above the true one with probability `level`."""
        return np.asarray(betaincinv(self.alpha, self.beta, level), np.float64)


def fit_posterior(successes: Floats, trials: Floats, groupings: Sequence[Ints]) -> Posterior:
    """Return the posterior of each node's share.

    Parameters
    ----------
    successes : float64 array, shape (n_nodes,)
        Counts or sums of probabilities, at most as large as `trials`.
    trials : float64 array, shape (n_nodes,)
    groupings : sequence of int64 array, shape (n_nodes,)
        The group of each node, siblings first, then wider and wider; the first with
        `LEAST_SIBLINGS` nodes that have trials counts, else the last.

    Returns
    -------
    Posterior
        Of a node without trials its siblings' distribution; NaN where they have none, too.

    Notes
    -----
    The prior is a beta-binomial. Over a grid of sizes (alpha + beta), each with the mean that
    weights nodes by their information at that size (Kleinman, Journal of the American Statistical
    Association 68, 1973), size and mean are averaged by likelihood: the likeliest size alone would
    be without bound where siblings happen to look alike. One node among many that are alike would
    be drawn to them whatever its own trials say, so the prior weighs no more than these, or
    `LEAST_WEIGHT` (limited translation; Efron & Morris, Journal of the American Statistical
    Association 66, 1971).
    """
    alpha, beta = np.full(len(trials), np.nan), np.full(len(trials), np.nan)
    is_left = np.ones(len(trials), bool)
    for level, groups in enumerate(groupings):
        is_widest = level == len(groupings) - 1
        for group in np.unique(groups[is_left]):
            members = groups == group
            told = members & (trials > 0)
            if np.count_nonzero(told) < (1 if is_widest else LEAST_SIBLINGS):
                continue
            chosen = members & is_left
            mean, size = _fit_prior(successes[told], trials[told])
            weight = np.minimum(size, np.maximum(trials[chosen], LEAST_WEIGHT))
            alpha[chosen] = mean * weight + successes[chosen]
            beta[chosen] = (1.0 - mean) * weight + trials[chosen] - successes[chosen]
            is_left &= ~members
    return Posterior(alpha, beta)


def _fit_prior(successes: Floats, trials: Floats) -> tuple[float, float]:
    """Return mean and size of the beta distribution that the shares were drawn from."""
    weights = trials / (1.0 + (trials - 1.0) / (SIZES[:, None] + 1.0))
    means = (weights @ (successes / trials) + PSEUDO_SUCCESSES) / (
        weights.sum(axis=1) + PSEUDO_TRIALS
    )
    alpha, beta = (means * SIZES)[:, None], ((1.0 - means) * SIZES)[:, None]
    failures = trials - successes
    likelihood = (
        gammaln(alpha + successes) - gammaln(alpha)
        + gammaln(beta + failures) - gammaln(beta)
        + gammaln(SIZES)[:, None] - gammaln(SIZES[:, None] + trials)
    ).sum(axis=1)  # fmt: skip
    weights = np.exp(likelihood - likelihood.max())
    weights /= weights.sum()
    return float(weights @ means), float(np.exp(weights @ np.log(SIZES)))


def tail_probability(successes: Floats, trials: Floats, share: Floats) -> Floats:
    """Return the chance of so many successes or more if each trial has `share`.

    The binomial tail as an incomplete beta function, which takes fractions; 1 where there is no
    success or no trial.
    """
    has_some = (successes > 0) & (trials > 0)
    k = np.where(has_some, successes, 1.0)
    n = np.where(has_some, np.maximum(trials, successes), 1.0)
    tail = betainc(k, n - k + 1.0, np.clip(share, 0.0, 1.0))
    return np.where(has_some, tail, 1.0)


def control_false_discoveries(p_values: Floats) -> Floats:
    """Return the smallest false-discovery rate at which each is rejected.

    Benjamini & Hochberg, Journal of the Royal Statistical Society B 57, 1995; NaN is no test.
    """
    q_values = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    scaled = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    q_values[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q_values
