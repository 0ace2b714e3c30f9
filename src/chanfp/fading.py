"""Fading: active subscriptions whose own volume is clearly down, before anything is matched.

Somebody who buys a second SIM and moves over bit by bit keeps the first one alive: the new number
replaces the old one partly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from .grouping import Grouped
from .roles import WindowSettings

__all__ = ["find_fading", "take_rows"]

# The median square of a standard normal variable.
MEDIAN_SQUARE = 0.454936423119572


def find_fading(n_calls: npt.NDArray[np.int64], settings: WindowSettings) -> npt.NDArray[np.bool_]:
    """Return which active subscriptions are fading.

    Parameters
    ----------
    n_calls : int64 array, shape (n_active, 2)
        Calls and messages with partners in the earlier and the later window.
    settings : WindowSettings
        ``fading_ratio`` and ``fading_chance``.

    Returns
    -------
    bool array, shape (n_active,)
        True where the later volume is at most ``fading_ratio`` of what the earlier one and the
        change of all active ones together let expect, and chance would do that to fewer than
        ``fading_chance`` of those who didn't change.

    Notes
    -----
    Calls come in bursts, so volumes vary more than those of independent calls would. How much is
    taken from the median of all: half of the people change by less than that. Counts are divided
    by it before the binomial test.
    """
    is_seen = n_calls.min(axis=1) > 0
    counts = n_calls[is_seen].astype(np.float64)
    if not len(counts) or not settings.fading_ratio:
        return np.zeros(len(n_calls), bool)
    share = counts[:, 1].sum() / counts.sum()
    spread = np.square(counts[:, 1] - share * counts.sum(axis=1))
    spread /= share * (1 - share) * counts.sum(axis=1)
    burst = max(float(np.median(spread)) / MEDIAN_SQUARE, 1.0)
    earlier, later = n_calls.astype(np.float64).T
    ratio = later / np.maximum(earlier, 1.0) * (1 - share) / share
    # Chance of a later count so low or lower, given the sum of both (Clopper and Pearson 1934).
    chance = betainc(np.maximum(earlier / burst, 1e-9), later / burst + 1.0, 1 - share)
    return np.asarray(
        is_seen & (ratio <= settings.fading_ratio) & (chance < settings.fading_chance),
        bool,
    )


def take_rows(
    grouped: list[list[Grouped]], place: int, chosen: npt.NDArray[np.bool_]
) -> Sequence[Grouped]:
    """Leave only the chosen rows of one role in all pieces, and return the others.

    Parameters
    ----------
    grouped : list of list of Grouped
        Piece by piece those of each role; changed in place, so that nothing is there twice.
    place : int
        Which role.
    chosen : bool array
        Of each row of the role.
    """
    others, start = [], 0
    for pieces in grouped:
        stop = start + len(pieces[place].n_partners)
        kept = chosen[start:stop]
        others.append(pieces[place].only(~kept))
        pieces[place] = pieces[place].only(kept)
        start = stop
    return others
