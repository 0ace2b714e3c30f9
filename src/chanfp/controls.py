"""Controls: active subscriptions, seen as if they had departed and come back under a new number.

A control's own two windows are a true pair, with anybody else's a false one: labelled data without
labels. Its windows are those of a departed and of a new subscription drawn at random, so that
gaps and lengths of observation are those of the pairs to be judged.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .activity import Activity
from .roles import Role, Roles
from .subscriptions import Subscriptions

__all__ = ["draw_controls", "mix_keys"]

# As many controls as departed subscriptions, so that decoys don't crowd the pool; but enough to
# learn from, and no more than a rate of one in a thousand needs.
FEWEST_WANTED, MOST_WANTED = 4000, 20_000
GOLDEN = 0x9E3779B97F4A7C15


def draw_controls(
    activity: Activity, subscriptions: Subscriptions, roles: Roles
) -> tuple[Role, Role]:
    """Return the old and the new windows of the controls, row for row.

    Parameters
    ----------
    activity : Activity
    subscriptions : Subscriptions
    roles : Roles

    Returns
    -------
    control_old, control_new : Role
        Without rows where nobody has departed, is new or is active.

    Notes
    -----
    Each draw hangs on the number alone (SplitMix64 of its key), so the order of the tables doesn't
    matter. A subscription is no control if nobody new began after the departure drawn for it, or
    if it shows no sign of life before the one or after the other.
    """
    departed, new = roles.departed, roles.new
    holdings = roles.active.holdings
    if not (len(departed) and len(new)):
        holdings = holdings[:0]
    keys = subscriptions.keys[holdings]
    chosen = np.sort(np.argsort(mix_keys(keys, 1), kind="stable")[: _n_wanted(len(departed))])
    holdings, keys = holdings[chosen], keys[chosen]
    ends = np.sort(departed.end_s)
    end_s = ends[_pick(keys, 2, np.zeros(len(keys), np.int64), len(ends))] if len(keys) else keys
    order = np.lexsort((new.end_s, new.start_s))
    starts = new.start_s[order]
    first_after = np.searchsorted(starts, end_s.astype(np.int64), "right")
    drawn = first_after < len(starts)
    holdings, keys = holdings[drawn], keys[drawn]
    end_s, first_after = end_s[drawn].astype(np.int64), first_after[drawn]
    picked = order[_pick(keys, 3, first_after, len(starts))] if len(keys) else first_after
    start_s = new.start_s[picked]
    lives = (activity.first_own_s[holdings] <= end_s) & (activity.last_own_s[holdings] >= start_s)
    window_s = int((departed.end_s - departed.start_s).max(initial=0))
    return (
        _role("control_old", subscriptions, holdings[lives], (end_s - window_s, end_s), lives),
        _role("control_new", subscriptions, holdings[lives], (start_s, new.end_s[picked]), lives),
    )


def mix_keys(keys: npt.NDArray[np.uint64], stream: int) -> npt.NDArray[np.uint64]:
    """Return 64 random-looking bits for each key (SplitMix64; Steele, Lea, Flood 2014)."""
    mixed = keys.astype(np.uint64) + np.uint64(stream * GOLDEN & (1 << 64) - 1)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)


def _n_wanted(n_departed: int) -> int:
    return min(max(FEWEST_WANTED, n_departed), MOST_WANTED)


def _pick(
    keys: npt.NDArray[np.uint64], stream: int, first: npt.NDArray[np.int64], stop: int
) -> npt.NDArray[np.int64]:
    """Return a place from `first` to below `stop` for each key."""
    room = (stop - first).astype(np.uint64)
    return first + (mix_keys(keys, stream) % room).astype(np.int64)


def _role(
    name: str,
    subscriptions: Subscriptions,
    holdings: npt.NDArray[np.int64],
    window: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    kept: npt.NDArray[np.bool_],
) -> Role:
    start_s, end_s = (np.ascontiguousarray(edge[kept]) for edge in window)
    return Role(name, holdings, subscriptions.rows[holdings], start_s, end_s)
