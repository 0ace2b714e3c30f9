"""Roles: who has departed, who is new, who is active, and the window each is seen through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .activity import Activity
from .clock import DAY_S
from .errors import ParameterError
from .subscribers import BEGINNING_S
from .subscriptions import Subscriptions

__all__ = ["ROLE_WORDS", "Role", "Roles", "WindowSettings", "assign_roles"]

LEAD_DAYS = 7
LEAD_SHARE = 0.25
# Dealers activate cards before they sell them, but not years before.
STOCK_DAYS = 180
NO_LIMIT_S = 2**61
# What reports call the counts of `Roles.as_dict` that add up to all usable subscriptions.
ROLE_WORDS = {
    "departed": "departed",
    "new": "new",
    "active": "active",
    "fading": "fading",
    "departed_beyond_horizon": "departed before the horizon",
    "without_role": "seen too briefly",
    "without_calls": "without calls",
}


@dataclass(frozen=True)
class WindowSettings:
    """How far windows reach and how long ago roles may begin.

    Parameters
    ----------
    window_days : float, default 30
        Length of the windows compared. Consecutive windows of 30 days are the most similar ones
        (Krings et al., EPJ Data Science 1:4, 2012).
    horizon_days : float, optional
        Departures longer ago than this before the reference time are left out; default none are.
    new_days : float, optional
        How long before the reference time a new subscription may have begun; default
        `window_days`.
    silence_days : float, optional
        Who shows no sign of life for this long before the reference time has departed, whatever
        the table says; default only the table tells.
    fading_ratio : float, default 0.5
        Who is active, but makes and receives at most this part of the calls it did in the window
        before, compared with all active ones, is fading; 0 to below 1, 0 for nobody is.
    fading_chance : float, default 0.001
        Nobody is fading whose volume is down by chance: with at least this probability among
        those who didn't change. Above 0, below 1.

    Raises
    ------
    ParameterError
        If a length is not a positive number of days, or a share is out of range.
    """

    window_days: float = 30
    horizon_days: float | None = None
    new_days: float | None = None
    silence_days: float | None = None
    fading_ratio: float = 0.5
    fading_chance: float = 0.001

    def __post_init__(self) -> None:
        for name, least in (("fading_ratio", "0"), ("fading_chance", "above 0")):
            share = getattr(self, name)
            is_number = isinstance(share, Real) and not isinstance(share, bool)
            if not is_number or not 0 <= share < 1 or (share == 0 and least != "0"):
                raise ParameterError(
                    f"`{name}` must lie between {least} and 1, got {share!r}; `fading_ratio` 0 "
                    "takes nobody for fading."
                )
        for name in ("window_days", "horizon_days", "new_days", "silence_days"):
            days = getattr(self, name)
            if days is None and name != "window_days":
                continue
            if not isinstance(days, Real) or not 0 < float(days) < 36_500:
                raise ParameterError(
                    f"`{name}` must be more than 0 and less than 36,500 days, got {days!r}; "
                    "choose a length such as 30."
                )

    @property
    def window_s(self) -> int:
        """Window length in whole seconds."""
        return round(self.window_days * DAY_S)

    @property
    def new_s(self) -> int:
        """Age limit of new subscriptions in whole seconds."""
        return round((self.window_days if self.new_days is None else self.new_days) * DAY_S)

    @property
    def horizon_s(self) -> int:
        """Age limit of departures in whole seconds."""
        return NO_LIMIT_S if self.horizon_days is None else round(self.horizon_days * DAY_S)

    @property
    def silence_s(self) -> int:
        """Silence after which a subscription has departed, in whole seconds."""
        return NO_LIMIT_S if self.silence_days is None else round(self.silence_days * DAY_S)


@dataclass(frozen=True)
class Role:
    """Subscriptions in one role, each with its window, both ends included.

    Parameters
    ----------
    name : str
    holdings : int64 array
        Places in ``Subscriptions``, ascending: ordered by number and time of activation; in
        ``Fingerprints.old`` the departed stand before the fading.
    rows : int64 array
        Their rows in the subscriber table.
    start_s, end_s : int64 array
        The windows.
    """

    name: str
    holdings: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    start_s: npt.NDArray[np.int64]
    end_s: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.holdings)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Role:
        """Return the role with the chosen subscriptions alone."""
        columns = (self.holdings, self.rows, self.start_s, self.end_s)
        return Role(self.name, *(column[chosen] for column in columns))


@dataclass(frozen=True)
class Roles:
    """All roles of one run.

    Parameters
    ----------
    departed, new : Role
        Old windows of the departed, new windows of the new. A subscription may be both.
    active, active_later : Role
        Earlier and later windows of the active subscriptions, row for row.
    fading : Role
        Earlier windows of those whose volume is clearly down; they are among the active until calls
        are counted.
    n_without_calls, n_beyond_horizon, n_began_earlier, n_unassigned : int
        Subscriptions without a record up to the reference time; departed ones beyond the horizon;
        others whose beginning was seen, but more than `new_days` ago; those without a role.
    """

    departed: Role
    new: Role
    active: Role
    active_later: Role
    fading: Role
    n_without_calls: int
    n_beyond_horizon: int
    n_began_earlier: int
    n_unassigned: int

    # Places of the two windows of the active in `windows`.
    BOTH_ACTIVE: ClassVar[tuple[int, int]] = (2, 3)

    @property
    def windows(self) -> tuple[Role, Role, Role, Role]:
        """The roles that are known before calls are counted."""
        return self.departed, self.new, self.active, self.active_later

    def as_dict(self) -> dict[str, int]:
        """Return how many subscriptions have each role, or none and why, as plain values."""
        return {
            "departed": len(self.departed),
            "new": len(self.new),
            "active": len(self.active),
            "fading": len(self.fading),
            "without_calls": self.n_without_calls,
            "departed_beyond_horizon": self.n_beyond_horizon,
            "without_role": self.n_unassigned,
            "began_before_new_days": self.n_began_earlier,
            "both_departed_and_new": int(np.isin(self.new.holdings, self.departed.holdings).sum()),
        }

    def with_active(
        self, is_seen: npt.NDArray[np.bool_], is_fading: npt.NDArray[np.bool_]
    ) -> Roles:
        """Return the roles with those active subscriptions alone that were seen in both windows.

        Those of them that are fading have that role instead.
        """
        is_active = is_seen & ~is_fading
        return replace(
            self,
            active=self.active.only(is_active),
            active_later=self.active_later.only(is_active),
            fading=replace(self.active.only(is_seen & is_fading), name="fading"),
            n_unassigned=self.n_unassigned + int(np.count_nonzero(~is_seen)),
        )


def assign_roles(
    activity: Activity, subscriptions: Subscriptions, settings: WindowSettings
) -> Roles:
    """Give each subscription its roles and windows.

    Parameters
    ----------
    activity : Activity
    subscriptions : Subscriptions
    settings : WindowSettings

    Notes
    -----
    * Departed: the table gives a departure, whatever its date, or the silence lasts
      `silence_days`; and no sign of life follows the reference time. The old window is the
      `window_days` up to the last sign of life.
    * New: the first sign of life lies at most `new_days` before the reference time, and at most
      180 days after the activation: who was activated long before and rarely calls is not new.
      The new window is the `window_days` from it on. Records don't reach back for ever: who shows
      up right after they begin may have been there before, so within the first 7 days (or the
      first quarter of a shorter span) a subscription counts as new only if the table says that it
      was activated after the records began.
    * Active: all others with signs of life before and after the moment at which two adjoining
      windows meet, the later of which ends at the reference time; where the records don't reach
      back for two windows, both are half of what there is. Whoever has no partner in one of the
      two is left out later, and whoever calls clearly less in the later one is fading
      (`Roles.with_active`).

    The dates of the table decide nothing else: closure comes late and activation early.
    """
    reference_s, window_s = activity.reference_s, settings.window_s
    first_s, last_s = activity.first_own_s, activity.last_own_s
    has_calls = first_s <= last_s
    is_silent = reference_s - last_s >= settings.silence_s
    is_departed = has_calls & (subscriptions.is_departed | is_silent) & ~activity.is_alive_later
    is_recent = is_departed & (reference_s - last_s <= settings.horizon_s)
    lead_s = min(LEAD_DAYS * DAY_S, int(LEAD_SHARE * (reference_s - activity.start_s)))
    activated_s = subscriptions.activated_s
    # An activation that the table doesn't give lies before all times and says nothing.
    is_stale = (activated_s > BEGINNING_S) & (first_s - activated_s > STOCK_DAYS * DAY_S)
    is_beginning_seen = (activated_s >= activity.start_s) | (
        (first_s - activity.start_s >= lead_s) & ~is_stale
    )
    is_new = has_calls & (reference_s - first_s <= settings.new_s) & is_beginning_seen
    split_s = reference_s - min(window_s, (reference_s - activity.start_s) // 2)
    is_active = has_calls & ~is_departed & ~is_new & (first_s < split_s) & (last_s >= split_s)

    def role(name: str, is_chosen: npt.NDArray[np.bool_], start_s: object, end_s: object) -> Role:
        chosen = np.flatnonzero(is_chosen)
        starts = np.broadcast_to(np.asarray(start_s, np.int64), is_chosen.shape)[chosen]
        ends = np.broadcast_to(np.asarray(end_s, np.int64), is_chosen.shape)[chosen]
        return Role(name, chosen, subscriptions.rows[chosen], starts, ends)

    is_unassigned = has_calls & ~is_departed & ~is_new & ~is_active
    return Roles(
        role("departed", is_recent, last_s - window_s, last_s),
        role("new", is_new, first_s, np.minimum(first_s + window_s, reference_s)),
        role("active", is_active, split_s - window_s, split_s - 1),
        role("active_later", is_active, split_s, reference_s),
        role("fading", np.zeros(len(is_active), bool), split_s - window_s, split_s - 1),
        int(np.count_nonzero(~has_calls)),
        int(np.count_nonzero(is_departed & ~is_recent)),
        int(np.count_nonzero(has_calls & ~is_departed & ~is_new & is_beginning_seen)),
        int(np.count_nonzero(is_unassigned)),
    )
