"""Fingerprints: the partner vectors of subscriptions over their windows, as sparse rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from .activity import Activity, gather_activity
from .blocks import Progress
from .calls import CallStore
from .cdr import CallRecords, read_cdrs
from .clock import format_time, has_zone, parse_time
from .errors import ParameterError
from .grouping import group_calls
from .hubs import Hubs, HubSettings, screen_partners
from .memory import give_back, room_for_calls
from .numbering import NumberingPlan
from .numberlists import NumberList
from .repeats import check_tolerance
from .roles import Role, Roles, WindowSettings, assign_roles
from .served import find_served
from .spilling import check_folder
from .subscribers import Subscribers, Subscriptions, read_subscribers
from .tables import RejectFile, open_rejects
from .zones import UTC_CLOCK, WALL_CLOCK, check_timezone, warn_of_mixed_clocks

__all__ = ["FingerprintSet", "Fingerprints", "build_fingerprints"]


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
    """

    departed: FingerprintSet
    new: FingerprintSet
    active: FingerprintSet
    active_later: FingerprintSet
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
        activity, roles = self.activity, self.roles
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
                "departed": len(self.departed),
                "new": len(self.new),
                "active": len(self.active),
                "without_calls": roles.n_without_calls,
                "departed_beyond_horizon": roles.n_beyond_horizon,
                "without_role": roles.n_unassigned,
                "began_before_new_days": roles.n_began_earlier,
                "both_departed_and_new": int(
                    np.isin(roles.new.holdings, roles.departed.holdings).sum()
                ),
            },
            "partners": len(self.partners),
            "hubs": self.hubs.as_dict(self.hub_names),
        }


def build_fingerprints(
    cdrs: Any,
    subscribers: Any = None,
    *,
    on_net: Any = None,
    window_days: float = 30,
    reference_time: Any = None,
    horizon_days: float | None = None,
    new_days: float | None = None,
    silence_days: float | None = None,
    max_reject_share: float = 0.05,
    rejects: str | os.PathLike[str] | RejectFile | None = None,
    dedupe_s: float | None = None,
    hub_share: float | None = None,
    hub_count: int | None = None,
    allow_partners: Any = None,
    deny_partners: Any = None,
    memory_limit: int | None = None,
    temp_dir: str | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Fingerprints:
    """Read CDRs and build the fingerprints of departed, new and active subscriptions.

    Parameters
    ----------
    cdrs : CallRecords, or whatever `read_cdrs` takes
    subscribers : Subscribers, or whatever `read_subscribers` takes, optional
        Without it everybody served in the CDRs is a subscriber, and silence decides who departed.
    on_net : NumberList, or whatever `NumberList.read` takes, optional
        The carrier's own numbers or prefixes: who is served, where there is no table of
        subscribers. Call-centred CDRs need it then.
    window_days : float, default 30
        Length of the windows compared.
    reference_time : str, datetime or int (epoch seconds), optional
        The moment as of which roles are judged; later records are left out. Default the last
        record. With a time zone, and as an int, it becomes the clock's time of the CDRs'
        `timezone`.
    horizon_days : float, optional
        Leave out departures longer ago than this.
    new_days : float, optional
        How long ago a new subscription may have begun; default `window_days`.
    silence_days : float, optional
        Who is silent for this long has departed, whatever the table says; default only the table
        tells, and without one `window_days`.
    max_reject_share : float, default 0.05
        Stop if a larger share of the rows can't be used, 0 to 1.
    rejects : path, optional
        Write every row that can't be used to this file (``.csv``, ``.csv.gz`` or ``.parquet``):
        ``file, row, reason, column, record``. It appears at the end, even where the run is stopped
        because of `max_reject_share`.
    dedupe_s : float, optional
        Count once what was delivered more than once, by two exchanges or in two files: calls of the
        same parties, direction and kind whose starts and whose durations, where known, differ by no
        more seconds than this, 0 to 3,600. Default count every record.
    hub_share : float, optional
        Drop partners that more than this share of the subscribers call, above 0 to 1; 1 drops none.
    hub_count : int, optional
        Drop partners that more subscribers than this call. Where neither is given, the limit is
        four times the partners that 99 % of the subscribers don't exceed, and 200 at least.
    allow_partners, deny_partners : NumberList, or whatever `NumberList.read` takes, optional
        Numbers that are never dropped, and numbers that always are.
    memory_limit : int, optional
        Bytes. Calls being gathered take a quarter of it at most; what goes beyond waits on disk.
        Default no limit.
    temp_dir : str, optional
        Where spilled calls go; default the system's folder for temporary files.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    Fingerprints
        Sets without rows where nobody has the role.

    Raises
    ------
    DataError, ColumnError
        If the input can't be used.
    ParameterError
        If a setting is out of range, or `rejects` would replace an input.

    Notes
    -----
    Windows hang on the first and last own call or message inside the period of the table, not on
    its dates, which are late and early by weeks. Partners are subscriber numbers only: what the
    numbering plan calls a service is filtered and counted.
    """
    if subscribers is None and silence_days is None:
        silence_days = window_days
    settings = WindowSettings(window_days, horizon_days, new_days, silence_days)
    tolerance_s = check_tolerance(dedupe_s)
    max_bytes = room_for_calls(memory_limit)
    if max_bytes is not None or temp_dir is not None:
        check_folder(temp_dir)
    cdrs = cdrs if isinstance(cdrs, CallRecords) else read_cdrs(cdrs)
    lists = (_read_list(one, cdrs.plan) for one in (allow_partners, deny_partners))
    hub_settings = HubSettings(hub_share, hub_count, *lists)
    if subscribers is None:
        own = _read_list(on_net, cdrs.plan)
        subscribers = find_served(cdrs, own, n_threads=n_threads, progress=progress)
    elif on_net is not None:
        raise ParameterError(
            "`on_net` says who is served where there is no table of subscribers; leave out "
            "`on_net` or `subscribers`."
        )
    elif not isinstance(subscribers, Subscribers):
        subscribers = read_subscribers(subscribers, timezone=cdrs.timezone)
    subscriptions = subscribers.index(cdrs.plan)
    give_back(memory_limit)
    reference_s = None
    if reference_time is not None:
        zone = check_timezone(cdrs.timezone)
        reference_s = parse_time(reference_time, "reference_time", zone)
    inputs = [*(source.name for source in cdrs.sources), *subscribers.sources]
    with (
        open_rejects(rejects, inputs) as reject_file,
        CallStore(
            len(subscriptions.keys),
            max_bytes=max_bytes,
            temp_dir=temp_dir,
            tolerance_s=tolerance_s,
        ) as store,
    ):
        activity = gather_activity(
            cdrs,
            subscriptions,
            store,
            reference_s=reference_s,
            max_reject_share=max_reject_share,
            reject_file=reject_file,
            n_threads=n_threads,
            progress=progress,
        )
        warn_of_mixed_clocks(
            activity.counts.clocks, subscribers.clocks, _clock_of(reference_time, cdrs.timezone)
        )
        roles = assign_roles(activity, subscriptions, settings)
        give_back(memory_limit)
        grouped = group_calls(store, activity.n_calls, roles.windows, n_threads=n_threads)
    give_back(memory_limit)
    is_seen = (np.diff(grouped[2].indptr) > 0) & (np.diff(grouped[3].indptr) > 0)
    roles = roles.with_active(is_seen)
    for later in (2, 3):
        grouped[later] = grouped[later].only(is_seen)
    # From here on no array of entries is kept longer than it is needed: there is no larger one.
    screened = screen_partners(grouped, hub_settings, n_threads=n_threads)
    give_back(memory_limit)
    sets = [
        FingerprintSet(
            role,
            subscribers.ids.take(pa.array(role.rows)),
            group.matrix(columns, len(screened.partners)),
            group.seconds,
            group.outgoing,
        )
        for role, (group, columns) in zip(roles.windows, screened.take(), strict=True)
    ]
    return Fingerprints(
        departed=sets[0],
        new=sets[1],
        active=sets[2],
        active_later=sets[3],
        partners=screened.partners,
        n_subscribers=screened.n_subscribers,
        hubs=screened.hubs,
        settings=settings,
        roles=roles,
        activity=activity,
        subscriptions=subscriptions,
        cdrs=cdrs.within(activity.span),
        subscribers=subscribers,
        dedupe_s=tolerance_s,
        n_duplicates=int(store.n_repeats.sum()),
    )


def _read_list(listed: Any, plan: NumberingPlan) -> NumberList | None:
    if listed is None or isinstance(listed, NumberList):
        return listed
    return NumberList.read(listed, plan)


def _clock_of(reference_time: Any, timezone: str | None) -> dict[str, str]:
    """Return by which clock the reference time goes, as `RecordCounts` notes it."""
    if reference_time is None:
        return {}
    is_moment = timezone is None and has_zone(reference_time)
    return {UTC_CLOCK if is_moment else WALL_CLOCK: f"`reference_time` {str(reference_time)!r}"}
