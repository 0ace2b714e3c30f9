"""Decoys: old numbers that nobody can have come back from, because they are still in use.

The share of new numbers that they win tells how many of the others are won falsely.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Nearness",
    "Returners",
    "Traits",
    "estimate_returners",
    "measure_nearness",
    "q_values",
    "weigh_decoys",
]

# Strata by partner count in which decoys stand for departed, and how many decoys any stratum needs.
MOST_STRATA = 8
DECOYS_PER_STRATUM = 20
# Bands of log-odds in which near misses are counted, and how far what they show is followed.
BANDS = np.arange(-6.0, 3.0)
FURTHEST = 4.0
# Pairs in each band that speak for departed and decoys being equally near, before any is counted.
PRIOR_PAIRS = 1.0
# Last places of fits may differ between machines; rates must not hang on them.
DECIMALS = 9
Floats: TypeAlias = npt.NDArray[np.float64]
# Standard errors on either side of an estimate: 95 of 100 intervals hold the truth.
N_ERRORS = 1.96


@dataclass(frozen=True, eq=False)
class Traits:
    """What decoys are matched to the departed by; int64 arrays of shape (n_numbers,).

    Parameters
    ----------
    n_partners, n_calls : int64 array
    region : int64 array
        A number for each region, -1 where it isn't known.
    """

    n_partners: npt.NDArray[np.int64]
    n_calls: npt.NDArray[np.int64]
    region: npt.NDArray[np.int64]


def weigh_decoys(departed: Traits, decoys: Traits) -> npt.NDArray[np.float64]:
    """Return how many departed numbers each decoy stands for.

    Parameters
    ----------
    departed, decoys : Traits

    Returns
    -------
    float64 array, one per decoy
        Adds up to the number of departed. Decoys stand for the departed of their own stratum, so
        that few busy ones, or those of a place that many leave, weigh no more than they should.

    Notes
    -----
    Strata are cut by partner count first, then by calls, then by region, as far as at least 20
    decoys are left in each; regions with fewer stay together.
    """
    n_decoys = len(decoys.n_partners)
    if not n_decoys:
        return np.zeros(0)
    n_strata = max(1, min(MOST_STRATA, n_decoys // DECOYS_PER_STRATUM))
    edges = np.unique(np.quantile(decoys.n_partners, np.arange(1, n_strata) / n_strata))
    edges = edges[edges > decoys.n_partners.min()]  # nobody is left without decoys below
    both = [
        np.concatenate(pair)
        for pair in zip(_columns_of(departed), _columns_of(decoys), strict=True)
    ]
    is_decoy = np.arange(len(both[0])) >= len(departed.n_partners)
    strata = np.searchsorted(edges, both[0], "right")
    strata = _cut_by_calls(strata, both[1], is_decoy)
    strata = _cut_by_region(strata, both[2], is_decoy)
    n_departed_in, n_decoys_in = (
        np.bincount(strata[chosen], minlength=int(strata.max()) + 1)
        for chosen in (~is_decoy, is_decoy)
    )
    return np.asarray((n_departed_in / np.maximum(n_decoys_in, 1))[strata[is_decoy]], np.float64)


def _columns_of(traits: Traits) -> tuple[npt.NDArray[np.int64], ...]:
    return traits.n_partners, traits.n_calls, traits.region


def _cut_by_calls(
    strata: npt.NDArray[np.int64], n_calls: npt.NDArray[np.int64], is_decoy: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Cut each stratum at the median calls of its decoys, where either half has enough of them."""
    found = 2 * strata
    for stratum in np.unique(strata[is_decoy]):
        inside = strata == stratum
        upper = inside & (n_calls > np.median(n_calls[inside & is_decoy]))
        halves = (np.count_nonzero(part & is_decoy) for part in (upper, inside & ~upper))
        if min(halves) >= DECOYS_PER_STRATUM:
            found[upper] += 1
    return found


def _cut_by_region(
    strata: npt.NDArray[np.int64], region: npt.NDArray[np.int64], is_decoy: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Cut each stratum into the regions with enough decoys and one stratum of all others.

    Where these others have too few, they stay with the region that has fewest.
    """
    n_regions = int(region.max(initial=-1)) + 2
    keys = strata * n_regions + region + 1
    names, places = np.unique(keys, return_inverse=True)
    counts = np.bincount(places[is_decoy], minlength=len(names))
    # Regions of few decoys share the place 0 of their stratum.
    target = np.where(counts >= DECOYS_PER_STRATUM, np.arange(1, len(names) + 1), 0)
    of_stratum = names // n_regions
    for stratum in np.unique(of_stratum):
        inside = np.flatnonzero(of_stratum == stratum)
        small = inside[target[inside] == 0]
        large = inside[target[inside] > 0]
        together = -1 - stratum
        if len(large) and counts[small].sum() < DECOYS_PER_STRATUM:
            together = target[large[np.argmin(counts[large])]]
        target[small] = together
    return np.asarray(np.unique(target[places], return_inverse=True)[1], np.int64)


@dataclass(frozen=True)
class Nearness:
    """How much nearer departed numbers are to new ones than decoys are, the more alike the more.

    Newcomers turn up where somebody just left: in the same family, shop or office. So there are
    more near misses among the departed than decoys show.

    Parameters
    ----------
    level : float
        Departed pairs for each that decoys let expect, at log-odds of 0.
    slope : float
        By how much its logarithm grows with the log-odds, at least 0.
    """

    level: float = 1.0
    slope: float = 0.0

    def at(self, log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return how much a decoy pair of these log-odds counts for, at least 1."""
        reach = np.minimum(log_odds, FURTHEST)
        return np.asarray(np.maximum(self.level * np.exp(self.slope * reach), 1.0), np.float64)


def measure_nearness(
    departed: npt.NDArray[np.float64],
    decoys: npt.NDArray[np.float64],
    decoy_weight: npt.NDArray[np.float64],
    own: npt.NDArray[np.float64],
    own_weight: float,
) -> Nearness:
    """Learn from pairs that look somewhat alike, but hardly ever are one person.

    Parameters
    ----------
    departed, decoys : float64 array, shapes (n_departed_pairs,) and (n_decoy_pairs,)
        Log-odds of the pairs of new numbers with either.
    decoy_weight : float64 array, shape (n_decoy_pairs,)
        Departed that each stands for.
    own : float64 array, shape (n_own_pairs,)
        Log-odds of controls with their own old number, which tell how many of the departed pairs
        are true although they don't look alike.
    own_weight : float
        Returners per control that asks.

    Notes
    -----
    A line through the logarithms of departed over decoys, band by band from -6 to 2, by weighted
    least squares; it is not followed beyond 4, and never falls.
    """

    def count(log_odds: Floats, weight: Any) -> Floats:
        weights = np.broadcast_to(np.asarray(weight, np.float64), log_odds.shape)
        return np.asarray(np.histogram(log_odds, BANDS, weights=weights)[0], np.float64)

    n_departed, n_decoys = count(departed, 1.0), count(decoys, 1.0)
    weight = count(decoys, decoy_weight)
    n_false = np.maximum(n_departed - count(own, own_weight), 0.0) + PRIOR_PAIRS
    heights = np.log(n_false / (weight + PRIOR_PAIRS))
    # Errors of both counts; where most of the departed are true, little is known of the others.
    variance = (n_departed + PRIOR_PAIRS) / n_false**2 + 1.0 / (n_decoys + PRIOR_PAIRS)
    middles = (BANDS[:-1] + BANDS[1:]) / 2
    slope, level = np.polyfit(middles, heights, 1, w=1.0 / np.sqrt(variance))
    if slope < 0:
        slope, level = 0.0, np.average(heights, weights=1.0 / variance)
    return Nearness(round(math.exp(level), DECIMALS), round(float(slope), DECIMALS))


def q_values(
    probability: npt.NDArray[np.float64],
    decoy_weight: npt.NDArray[np.float64],
    ratio: float,
    unseen: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Return the least false-match rate at which each winner is accepted.

    Parameters
    ----------
    probability : float64 array, shape (n_winners,)
        Of each new number's winner.
    decoy_weight : float64 array, shape (n_winners,)
        How many departed the winner stands for if it is a decoy; NaN if it has departed.
    ratio : float
        Departed per decoy, for the correction by one decoy.
    unseen : float64 array, shape (n_winners,), optional
        How likely each is a false match that decoys don't show.

    Returns
    -------
    float64 array
        At most 1; NaN for decoys. Equal probabilities get equal values.

    Notes
    -----
    Target-decoy competition: decoys won at a probability or above, plus one, over departed won
    there (Levitsky et al., J. Proteome Res. 16:393, 2017), and the false matches that decoys don't
    show added; made monotone from below.
    """
    is_decoy = ~np.isnan(decoy_weight)
    order = np.argsort(-probability, kind="stable")
    shares = np.zeros(len(order)) if unseen is None else unseen
    n_false = ratio + np.cumsum(np.where(is_decoy, decoy_weight, shares)[order])
    n_accepted = np.cumsum(~is_decoy[order])
    ordered = probability[order]
    # The last of equal ones speaks for all of them.
    last = np.searchsorted(-ordered, -ordered, "right") - 1
    rate = np.minimum(n_false[last] / np.maximum(n_accepted[last], 1), 1.0)
    found = np.empty(len(order))
    found[order] = np.minimum.accumulate(rate[::-1])[::-1]
    found[is_decoy] = np.nan
    return found


@dataclass(frozen=True)
class Returners:
    """How many of the new came back, estimated, with a 95 % interval.

    Parameters
    ----------
    estimate, low, high : float
    """

    estimate: float
    low: float
    high: float


def estimate_returners(
    weight: npt.NDArray[np.float64],
    decoy_weight: npt.NDArray[np.float64],
    control_weight: npt.NDArray[np.float64],
    n_new: int,
) -> Returners:
    """Estimate how many of the new came back.

    Parameters
    ----------
    weight : float64 array, shape (n_winners,)
        What each new number's winner counts, 0 to 1: its probability before the number of
        returners is known, so that clear winners count most.
    decoy_weight : float64 array, shape (n_winners,)
        How many departed the winner stands for if it is a decoy, else NaN.
    control_weight : float64 array, shape (n_controls,)
        The same of each control that its own old number won; 0 if it didn't.
    n_new : int
        New numbers, with or without a winner.

    Notes
    -----
    Departed winners less what decoys say are false, over what a returner counts on average, which
    the controls tell. The interval takes winners as independent of each other.
    """
    is_decoy = ~np.isnan(decoy_weight)
    counted = np.where(is_decoy, -np.nan_to_num(decoy_weight), 1.0) * weight
    n_controls = max(len(control_weight), 1)
    yield_ = float(control_weight.sum()) / n_controls
    if yield_ <= 0:
        return Returners(0.0, 0.0, float(n_new))
    estimate = float(counted.sum()) / yield_
    spread_of_yield = float(control_weight.std()) / math.sqrt(n_controls)
    error = math.sqrt(
        float(np.square(counted).sum()) / yield_**2 + (estimate * spread_of_yield / yield_) ** 2
    )
    low, middle, high = (
        min(max(value, 0.0), float(n_new))
        for value in (estimate - N_ERRORS * error, estimate, estimate + N_ERRORS * error)
    )
    return Returners(middle, low, high)
