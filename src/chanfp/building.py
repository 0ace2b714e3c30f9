"""Building: from files and tables to fingerprints, step by step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .activity import Activity, CleanUnit, gather_activity
from .blocks import HeadStart, Progress
from .calls import CallStore
from .cdr import CallRecords, read_cdrs
from .clock import has_zone, parse_time
from .controls import draw_controls
from .counts import MAX_REJECT_SHARE
from .errors import ParameterError
from .fading import find_fading, take_rows
from .fingerprints import Fingerprints, FingerprintSet
from .grouping import Grouped, group_calls
from .hubs import HubSettings, screen_partners
from .memory import MemorySettings
from .numbering import NumberingPlan
from .numberlists import NumberList
from .repeats import check_tolerance
from .roles import Role, Roles, WindowSettings, assign_roles
from .served import find_served
from .subscribers import Subscribers, read_subscribers
from .subscriptions import Subscriptions
from .tables import RejectFile, open_rejects
from .timelines import DayCounter, Timelines
from .zones import UTC_CLOCK, WALL_CLOCK, check_timezone, warn_of_mixed_clocks

__all__ = ["build_fingerprints"]


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
    max_reject_share: float = MAX_REJECT_SHARE,
    rejects: str | os.PathLike[str] | RejectFile | None = None,
    fading_ratio: float = 0.5,
    fading_chance: float = 0.001,
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
    fading_ratio : float, default 0.5
        Active subscriptions whose calls are down to this part of the window before, compared with
        all active ones, are fading: candidates for a partial replacement. 0 for nobody is.
    fading_chance : float, default 0.001
        Not if chance does that to more than this share of those who didn't change.
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
    windows = WindowSettings(
        window_days, horizon_days, new_days, silence_days, fading_ratio, fading_chance
    )
    tolerance_s = check_tolerance(dedupe_s)
    memory = MemorySettings(memory_limit, temp_dir)
    memory.check_folder()
    cdrs = cdrs if isinstance(cdrs, CallRecords) else read_cdrs(cdrs)
    lists = (_read_list(one, cdrs.plan) for one in (allow_partners, deny_partners))
    hub_settings = HubSettings(hub_share, hub_count, *lists)
    reference_s = None
    if reference_time is not None:
        zone = check_timezone(cdrs.timezone)
        reference_s = parse_time(reference_time, "reference_time", zone)
    # The table of subscribers is read on one core; meanwhile the first records can be cleaned.
    units = cdrs.clean_batches(keeps_rejects=rejects is not None, progress=progress)
    is_ready = subscribers is None or isinstance(subscribers, Subscribers)
    with HeadStart(units, n_threads=1 if is_ready else n_threads) as begun:
        found = _find_subscribers(cdrs, subscribers, on_net, n_threads, progress)
        run = _Run(cdrs, found, windows, tolerance_s, memory, n_threads, progress)
        inputs = [
            *(source.name for source in cdrs.sources),
            *found.sources,
            *_files_of([on_net, allow_partners, deny_partners]),
        ]
        with open_rejects(rejects, inputs) as reject_file:
            gathered = run.gather(reference_s, max_reject_share, reject_file, begun)
    warn_of_mixed_clocks(
        gathered.activity.counts.clocks, found.clocks, _clock_of(reference_time, cdrs.timezone)
    )
    return run.assemble(gathered, hub_settings)


@dataclass(frozen=True, eq=False)
class _Gathered:
    """What was read: who did what, in which role, and the calls of each role by partner."""

    activity: Activity
    roles: Roles
    controls: tuple[Role, Role]
    grouped: list[list[Grouped]]
    timelines: Timelines
    n_duplicates: int


@dataclass(frozen=True, eq=False)
class _Run:
    """One way from calls to fingerprints: what is read, how it is judged, what it may use."""

    cdrs: CallRecords
    subscribers: Subscribers
    windows: WindowSettings
    tolerance_s: int | None
    memory: MemorySettings
    n_threads: int | None
    progress: Progress | None

    @cached_property
    def subscriptions(self) -> Subscriptions:
        return self.subscribers.index(self.cdrs.plan)

    def gather(
        self,
        reference_s: int | None,
        max_reject_share: float,
        reject_file: RejectFile | None,
        begun: Iterable[CleanUnit],
    ) -> _Gathered:
        """Read the records and group the calls of each role; no call is kept."""
        subscriptions = self.subscriptions
        self.memory.give_back()
        with CallStore(
            len(subscriptions.keys),
            max_bytes=self.memory.room_for_calls,
            temp_dir=self.memory.temp_dir,
            tolerance_s=self.tolerance_s,
        ) as store:
            activity = gather_activity(
                self.cdrs,
                subscriptions,
                store,
                begun=begun,
                reference_s=reference_s,
                max_reject_share=max_reject_share,
                reject_file=reject_file,
                n_threads=self.n_threads,
                progress=self.progress,
            )
            roles = assign_roles(activity, subscriptions, self.windows)
            controls = draw_controls(activity, subscriptions, roles)
            self.memory.give_back()
            windows = (*roles.windows, *controls)
            both_controls = (len(windows) - 2, len(windows) - 1)
            # The fading are known only when all calls are grouped; counting the days of all active
            # ones for a few of them would cost a tenth of the time.
            counter = DayCounter((roles.departed, roles.new), activity)
            grouped, (active_calls, control_calls) = group_calls(
                store,
                activity.n_calls,
                windows,
                pairs=(Roles.BOTH_ACTIVE, both_controls),
                watch=counter.watch,
                n_threads=self.n_threads,
            )
        roles, controls = self._set_apart(grouped, roles, controls, active_calls, control_calls)
        self.memory.give_back()
        timelines = counter.timelines([roles.departed, roles.new])
        n_duplicates = int(store.n_repeats.sum())
        return _Gathered(activity, roles, controls, grouped, timelines, n_duplicates)

    def _set_apart(
        self,
        grouped: list[list[Grouped]],
        roles: Roles,
        controls: tuple[Role, Role],
        active_calls: npt.NDArray[np.int64],
        control_calls: npt.NDArray[np.int64],
    ) -> tuple[Roles, tuple[Role, Role]]:
        """Take the fading from the active and from the controls; give them a place of their own.

        `grouped` then has those of `departed, new, active, fading, active_later, *controls`.
        """
        is_seen = active_calls.min(axis=1) > 0
        is_fading = find_fading(active_calls, self.windows)
        found = roles.with_active(is_seen, is_fading)
        earlier, later = Roles.BOTH_ACTIVE
        fading = take_rows(grouped, earlier, ~is_fading[is_seen])
        take_rows(grouped, later, ~is_fading[is_seen])
        is_control = control_calls.min(axis=1) > 0
        steady = ~np.isin(controls[0].holdings, found.fading.holdings)
        for place in (-2, -1):
            take_rows(grouped, place, steady[is_control])
        for pieces, piece in zip(grouped, fading, strict=True):
            pieces.insert(later, piece)
        kept = is_control & steady
        return found, (controls[0].only(kept), controls[1].only(kept))

    def assemble(self, gathered: _Gathered, hub_settings: HubSettings) -> Fingerprints:
        """Make sparse rows of what was gathered.

        No array of entries is kept longer than it is needed, for there is no larger one.
        """
        screened = screen_partners(
            gathered.grouped,
            hub_settings,
            n_threads=self.n_threads,
            give_back=self.memory.give_back,
        )
        self.memory.give_back()
        roles = gathered.roles
        departed, new, active, fading, active_later, control_old, control_new = (
            FingerprintSet(
                role,
                self.subscribers.ids.take(pa.array(role.rows)),
                rows.matrix(len(screened.partners)),
                rows.seconds,
                rows.outgoing,
            )
            for role, rows in zip(
                (*roles.windows[:3], roles.fading, roles.active_later, *gathered.controls),
                screened.rows,
                strict=True,
            )
        )
        return Fingerprints(
            departed=departed,
            new=new,
            active=active,
            active_later=active_later,
            fading=fading,
            control_old=control_old,
            control_new=control_new,
            partners=screened.partners,
            n_subscribers=screened.n_subscribers,
            hubs=screened.hubs,
            settings=self.windows,
            roles=roles,
            activity=gathered.activity,
            subscriptions=self.subscriptions,
            cdrs=self.cdrs.within(gathered.activity.span),
            subscribers=self.subscribers,
            dedupe_s=self.tolerance_s,
            n_duplicates=gathered.n_duplicates,
            timelines=gathered.timelines,
        )


def _find_subscribers(
    cdrs: CallRecords,
    subscribers: Any,
    on_net: Any,
    n_threads: int | None,
    progress: Progress | None,
) -> Subscribers:
    """Return the table of subscribers or, without one, everybody served."""
    if subscribers is None:
        own = _read_list(on_net, cdrs.plan)
        return find_served(cdrs, own, n_threads=n_threads, progress=progress)
    if on_net is not None:
        raise ParameterError(
            "`on_net` says who is served where there is no table of subscribers; leave out "
            "`on_net` or `subscribers`."
        )
    if isinstance(subscribers, Subscribers):
        return subscribers
    return read_subscribers(subscribers, timezone=cdrs.timezone)


def _read_list(listed: Any, plan: NumberingPlan) -> NumberList | None:
    if listed is None or isinstance(listed, NumberList):
        return listed
    return NumberList.read(listed, plan)


def _files_of(listed: Any) -> Iterator[str]:
    """Yield the files that a user named, alone or in lists."""
    if isinstance(listed, str | os.PathLike):
        yield os.fspath(listed)
    elif isinstance(listed, list | tuple):
        for one in listed:
            yield from _files_of(one)


def _clock_of(reference_time: Any, timezone: str | None) -> dict[str, str]:
    """Return by which clock the reference time goes, as `RecordCounts` notes it."""
    if reference_time is None:
        return {}
    is_moment = timezone is None and has_zone(reference_time)
    return {UTC_CLOCK if is_moment else WALL_CLOCK: f"`reference_time` {str(reference_time)!r}"}
