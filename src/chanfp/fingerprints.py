"""Fingerprints: the partner vectors of subscriptions over their windows, as sparse rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

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
    control_old, control_new : FingerprintSet
        Windows of active subscriptions seen as if they had departed and come back, row for row.
    partners : uint64 array
        Number key of each column, ascending.
    n_subscribers : int64 array
        How many departed, new and active fingerprints each partner is in.
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
            f"{len(self.active):,} active; {len(self.partners):,} partners; windows of "
            f"{self.settings.window_days:g} days; reference time {self.reference_time}>"
        )

    @cached_property
    def hub_names(self) -> list[str]:
        """Numbers of the largest hubs, as far as the records can still tell them."""
        return self.cdrs.partner_names(self.hubs.partners[self.hubs.largest])

    @property
    def partner_rarity(self) -> npt.NDArray[np.float64]:
        """Inverse document frequency of each partner: ln((1 + N) / (1 + n)), never below 0.

        `N` is the number of departed, new and active fingerprints and `n` how many of them have
        the partner (Spärck Jones, Journal of Documentation 28, 1972).
        """
        n_all = len(self.departed) + len(self.new) + len(self.active)
        ratio = (1.0 + n_all) / (1.0 + self.n_subscribers)
        return np.asarray(np.maximum(np.log(ratio), 0.0), np.float64)

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
