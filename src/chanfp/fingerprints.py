"""Fingerprints: the partner vectors of subscriptions over their windows, as sparse rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array, vstack

from .activity import Activity
from .cdr import CallRecords
from .clock import format_time
from .hubs import Hubs
from .roles import Role, Roles, WindowSettings
from .subscribers import Subscribers
from .subscriptions import Subscriptions
from .timelines import Timelines

__all__ = ["FingerprintSet", "Fingerprints"]


@dataclass(frozen=True)
class FingerprintSet:
    """Fingerprints of the subscriptions in one role, one row each.

    Parameters
    ----------
    role : Role
        Rows of the subscriber table and windows, row for row.
    ids : pyarrow.Array of string
        Numbers exactly as they stand in the subscriber table.
    matrix : scipy.sparse.csr_array of int32, shape (n_subscriptions, n_partners)
        Calls and messages per partner; columns ascending, no zeros.
    seconds : int64 array
        Talk time of each entry of `matrix`.
    outgoing : int32 array
        Calls made, not received, of each entry of `matrix`.
    """

    role: Role
    ids: pa.Array
    matrix: csr_array
    seconds: npt.NDArray[np.int64]
    outgoing: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        mean = self.matrix.nnz / len(self) if len(self) else 0.0
        return f"<FingerprintSet: {len(self):,} {self.role.name}, {mean:.1f} partners on average>"

    @property
    def n_partners(self) -> npt.NDArray[np.int64]:
        """Partners of each row (int64)."""
        return np.asarray(np.diff(self.matrix.indptr), np.int64)

    @property
    def n_calls(self) -> npt.NDArray[np.int64]:
        """Calls and messages of each row (int64)."""
        ends = np.concatenate([[0], np.cumsum(self.matrix.data, dtype=np.int64)])
        return np.asarray(np.diff(ends[self.matrix.indptr]), np.int64)


@dataclass(frozen=True)
class Fingerprints:
    """All fingerprints of one run, over the same columns. Made by `build_fingerprints`.

    Parameters
    ----------
    departed, new : FingerprintSet
        Old windows of the departed and new windows of the new subscriptions.
    active, active_later : FingerprintSet
        Earlier and later windows of the active subscriptions, row for row.
    fading : FingerprintSet
        Earlier windows of subscriptions that are still in use, but clearly less.
    control_old, control_new : FingerprintSet
        Windows of active subscriptions seen as if they had departed and come back, row for row.
    partners : uint64 array
        Number key of each column, ascending.
    n_subscribers : int64 array
        How many departed, new, active and fading fingerprints each partner is in.
    hubs : Hubs
        The partners that were dropped from all of them, with the limit that decided.
    settings : WindowSettings
    roles : Roles
    activity : Activity
        First and last signs of life, and the counts of what was read.
    subscriptions : Subscriptions
    cdrs : CallRecords
    subscribers : Subscribers
    dedupe_s : int, optional
        Calls that differ by no more seconds than this count once; None where none were looked for.
    n_duplicates : int
        Records left out because they repeat another: those between subscriber numbers, one of them
        known, up to the reference time.
    timelines : Timelines, optional
        Days with signs of life of the departed and the new.
    """

    departed: FingerprintSet
    new: FingerprintSet
    active: FingerprintSet
    active_later: FingerprintSet
    fading: FingerprintSet
    control_old: FingerprintSet
    control_new: FingerprintSet
    partners: npt.NDArray[np.uint64]
    n_subscribers: npt.NDArray[np.int64]
    hubs: Hubs
    settings: WindowSettings
    roles: Roles
    activity: Activity
    subscriptions: Subscriptions
    cdrs: CallRecords
    subscribers: Subscribers
    dedupe_s: int | None = None
    n_duplicates: int = 0
    timelines: Timelines | None = None

    def __repr__(self) -> str:
        return (
            f"<Fingerprints: {len(self.departed):,} departed, {len(self.new):,} new, "
            f"{len(self.active):,} active, {len(self.fading):,} fading; "
            f"{len(self.partners):,} partners; windows of {self.settings.window_days:g} days; "
            f"reference time {self.reference_time}>"
        )

    @cached_property
    def old(self) -> FingerprintSet:
        """Who a new subscription may have been: the departed, then the fading."""
        if not len(self.fading):
            return self.departed
        sets = (self.departed, self.fading)
        roles = [one.role for one in sets]
        names = ("holdings", "rows", "start_s", "end_s")
        return FingerprintSet(
            Role("old", *(np.concatenate([getattr(one, name) for one in roles]) for name in names)),
            self.subscribers.ids.take(pa.array(np.concatenate([role.rows for role in roles]))),
            csr_array(vstack([one.matrix for one in sets], format="csr")),
            np.concatenate([one.seconds for one in sets]),
            np.concatenate([one.outgoing for one in sets]),
        )

    @cached_property
    def hub_names(self) -> list[str]:
        """Numbers of the largest hubs, as far as the records can still tell them."""
        return self.cdrs.partner_names(self.hubs.partners[self.hubs.largest])

    @property
    def partner_rarity(self) -> npt.NDArray[np.float64]:
        """Inverse document frequency of each partner: ln((1 + N) / (1 + n)), never below 0.

        `N` is the number of departed, new, active and fading fingerprints and `n` how many of them
        have the partner (Spärck Jones, Journal of Documentation 28, 1972).
        """
        n_all = sum(map(len, (self.departed, self.new, self.active, self.fading)))
        ratio = (1.0 + n_all) / (1.0 + self.n_subscribers)
        return np.asarray(np.maximum(np.log(ratio), 0.0), np.float64)

    def find_columns(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the column of each number as a partner, -1 for those that nobody calls."""
        if not len(self.partners):
            return np.full(len(keys), -1, np.int64)
        places = np.minimum(np.searchsorted(self.partners, keys), len(self.partners) - 1)
        return np.where(self.partners[places] == keys, places, -1).astype(np.int64)

    @cached_property
    def begins_s(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """When each new and each old subscription began: nobody comes back before being there.

        The new begin with their own first sign of life, the old with the first record of any
        kind. Who is both begins with the same on either side, so nobody is his own candidate.
        """
        new, old = self.new.role.holdings, self.old.role.holdings
        own, seen = self.activity.first_own_s, self.activity.first_seen_s
        return own[new], np.where(np.isin(old, new), own[old], seen[old])

    @property
    def reference_time(self) -> str | None:
        """The moment as of which roles are judged, as text; None where there are no records."""
        at = self.activity.reference_s
        return format_time(at) if at else None

    def summary(self) -> dict[str, Any]:
        """Return the counts of everything read, kept and left out, as plain values."""
        activity = self.activity
        return {
            "records": {
                **activity.counts.as_dict(),
                "without_known_subscriber": activity.n_unknown,
                "outside_any_period": activity.n_outside_period,
                "after_reference_time": activity.n_after_reference,
                "duplicates": self.n_duplicates,
            },
            "start_time": format_time(activity.start_s) if activity.counts.accepted else None,
            "reference_time": self.reference_time,
            "window_days": self.settings.window_days,
            "subscribers": {
                "total": len(self.subscribers),
                "unusable_by_reason": dict(sorted(self.subscriptions.unusable.items())),
                **self.roles.as_dict(),
            },
            "partners": len(self.partners),
            "hubs": self.hubs.as_dict(self.hub_names),
        }
