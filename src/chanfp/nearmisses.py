"""Near misses: false matches that decoys don't show, as newcomers turn up where somebody just left.

How many there are at each log-odds is read off the decoys and their nearness. It falls off
smoothly, so a curve through many decoys tells more of the best matches than the one or two decoys
among these, most of whom hold two numbers and are nobody's near miss.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .decoys import Nearness

__all__ = ["unseen_misses"]

Floats = npt.NDArray[np.float64]

# Where decoys are counted, in bands of one; above that the curve goes on straight.
FIRST, STOP = -6, 4
# Least it falls from there on, per unit of log-odds.
LEAST_FALL = 0.5
# Added to each band's number of decoys, as none found doesn't mean that there can be none.
PRIOR_DECOYS = 0.5
# Bands in which misses are shared out among the matches; the last one is open.
EDGES = np.array([*range(FIRST, STOP + 2), 7.0, 9.0, 29.0])
POINTS_PER_BAND = 40
DECIMALS = 9


def unseen_misses(
    nearness: Nearness, log_odds: Floats, decoy_weight: Floats, ratio: float
) -> Floats:
    """Return how likely each winner is a false match beyond those that decoys stand for.

    Parameters
    ----------
    nearness : Nearness
        How many false matches with departed there are for each that a decoy stands for.
    log_odds : float64 array, shape (n_winners,)
        Of each new number's winner.
    decoy_weight : float64 array, shape (n_winners,)
        How many departed the winner stands for if it is a decoy, else NaN.
    ratio : float
        Departed per decoy, above 0.

    Returns
    -------
    float64 array
        From 0 to 1; 0 for decoys. Adds up, in each band of log-odds, to the number expected there.
    """
    is_decoy = ~np.isnan(decoy_weight)
    seen = _seen_misses(log_odds[is_decoy], decoy_weight[is_decoy], ratio)
    band = np.clip(np.searchsorted(EDGES, log_odds, "right") - 1, -1, len(EDGES) - 2)
    n_matches = np.bincount(band[~is_decoy] + 1, minlength=len(EDGES))[1:]
    share = np.zeros(len(EDGES) - 1)
    for at, (first, stop) in enumerate(pairwise(EDGES.tolist())):
        step = (stop - first) / POINTS_PER_BAND
        points = first + step * (np.arange(POINTS_PER_BAND) + 0.5)
        n_unseen = float(((nearness.at(points) - 1.0) * seen(points)).sum()) * step
        share[at] = min(n_unseen / max(n_matches[at], 1), 1.0)
    found = np.where(band < 0, 1.0, np.round(share, DECIMALS)[band])
    return np.where(is_decoy, 0.0, found)


def _seen_misses(log_odds: Floats, weight: Floats, ratio: float) -> Callable[[Floats], Floats]:
    """Return a curve: decoys that win per unit of log-odds, in departed.

    A parabola in logarithms that opens downwards, or else a line, by weighted least squares.
    """
    edges = np.arange(FIRST, STOP + 1)
    counts = np.histogram(log_odds, edges)[0] + PRIOR_DECOYS
    weights = np.histogram(log_odds, edges, weights=weight)[0] + PRIOR_DECOYS * ratio
    middles, heights = edges[:-1] + 0.5, np.log(weights)
    # The error of a logarithm of a count is about one over its root.
    curve = np.polyfit(middles, heights, 2, w=np.sqrt(counts))
    if curve[0] > 0:
        curve = np.polyfit(middles, heights, 1, w=np.sqrt(counts))
    at_stop = float(np.polyval(curve, STOP))
    fall = min(float(np.polyval(np.polyder(curve), STOP)), -LEAST_FALL)

    def curve_at(points: Floats) -> Floats:
        beyond = at_stop + fall * (points - STOP)
        return np.exp(np.where(points < STOP, np.polyval(curve, points), beyond))

    return curve_at
