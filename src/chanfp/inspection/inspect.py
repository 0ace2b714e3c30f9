"""The first look itself: read the records once and put together what was found."""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa

from ..activity import Activity, gather_activity
from ..blocks import Progress
from ..calls import CallStore
from ..cdr import CallRecords, read_cdrs
from ..fading import find_fading
from ..grouping import count_calls
from ..memory import MemorySettings
from ..roles import WindowSettings, assign_roles
from ..subscribers import Subscribers, read_subscribers
from ..tables import RejectFile, open_rejects
from .days import DaySurvey
from .files import find_copies
from .result import Inspection
from .sidetables import SideLook, look_at_side_tables, read_side_tables
from .survey import Survey
from .ties import Ties, TieSurvey

__all__ = ["inspect_cdrs"]

N_HUBS = 10
DEFAULT_ROOM = 5 * 10**8
NOBODY = Subscribers.without_dates(pa.array([], pa.string()), "no table")


def inspect_cdrs(
    cdrs: Any,
    subscribers: Any = None,
    *,
    usage: Any = None,
    settlements: Any = None,
    recharges: Any = None,
    cells: Any = None,
    window_days: float = 30,
    rejects: str | os.PathLike[str] | RejectFile | None = None,
    memory_limit: int | None = None,
    temp_dir: str | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Inspection:
    """Take a first look at call records: what is there, what can be used, and what is odd.

    Parameters
    ----------
    cdrs : CallRecords, or whatever `read_cdrs` takes
    subscribers : Subscribers, or whatever `read_subscribers` takes, optional
        Whose partners are counted, and by role; without it those of every number that calls.
    usage, settlements, recharges, cells : SideTable, or whatever their readers take, optional
        Tables beside the records (see `read_usage` and its like): every row is checked, and
        counted whose subscribers the subscriber table knows.
    window_days : float, default 30
        Length of the windows that roles are judged by.
    rejects : path, optional
        Write every row that can't be used to this file (``.csv``, ``.csv.gz`` or ``.parquet``).
    memory_limit : int, optional
        Bytes, default 2 GB. Pairs of subscriber and partner, and the calls of a table's
        subscribers, take a quarter of it at most; what goes beyond waits on disk.
    temp_dir : str, optional
        Where they wait; default the system's folder for temporary files.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    Inspection
        Prints as text, shows as HTML in a notebook, and gives plain values by `to_dict`.

    Raises
    ------
    DataError, ColumnError
        If a file can't be read, or lacks a column, a side table has a row that can't be used, or
        `temp_dir` can't be written. Records that can't be used are only counted.
    ParameterError
        If a setting is out of range, or `rejects` would replace an input.

    Notes
    -----
    One pass over the records (two for opaque ids, to learn the names of the hubs). All counts are
    exact. Memory doesn't grow with the number of rows.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"caller": ["13912345678"] * 2, "callee": ["13800000001", "10086"],
    ...                   "start_time": ["2024-01-31 12:00:00", "2024-01-31 12:10:00"]})
    >>> inspect_cdrs(table).classes["callee"]
    {'ordinary': 1, 'operator-hotline': 1}
    """
    settings = WindowSettings(window_days)
    memory = MemorySettings(memory_limit, temp_dir)
    memory.check_folder()
    room = memory.room_for_calls
    # Pairs and calls share it.
    max_bytes = (DEFAULT_ROOM if room is None else room) // 2
    cdrs = cdrs if isinstance(cdrs, CallRecords) else read_cdrs(cdrs)
    if subscribers is not None and not isinstance(subscribers, Subscribers):
        subscribers = read_subscribers(subscribers, timezone=cdrs.timezone)
    known = NOBODY if subscribers is None else subscribers
    subscriptions = known.index(cdrs.plan)
    side_tables = read_side_tables(
        {"usage": usage, "settlements": settlements, "recharges": recharges, "cells": cells},
        cdrs.timezone,
    )
    known_numbers = None if subscribers is None else subscriptions.table
    sides = look_at_side_tables(side_tables, cdrs.plan, known_numbers)
    is_served = subscribers is not None or all(
        export.is_subscriber_centred for export in cdrs.exports
    )
    inputs = [*(source.name for source in cdrs.sources), *known.sources]
    inputs += [path for side in sides for path in side.files]
    with (
        open_rejects(rejects, inputs) as reject_file,
        Ties(is_served=is_served, max_bytes=max_bytes, temp_dir=temp_dir) as ties,
        CallStore(len(subscriptions.keys), max_bytes=max_bytes, temp_dir=temp_dir) as store,
    ):
        survey = Survey(cdrs, known_numbers, ties)
        activity = gather_activity(
            cdrs,
            subscriptions,
            store,
            max_reject_share=None,
            reject_file=reject_file,
            watch=survey.watch,
            n_threads=n_threads,
            progress=progress,
        )
        people = None
        if subscribers is not None:
            roles = assign_roles(activity, subscriptions, settings)
            volumes = count_calls(
                store, activity.n_calls, (roles.active, roles.active_later), n_threads=n_threads
            )
            roles = roles.with_active(volumes.min(axis=1) > 0, find_fading(volumes, settings))
            people = {
                "total": len(known),
                "window_days": window_days,
                **roles.as_dict(),
                "unusable_by_reason": dict(sorted(subscriptions.unusable.items())),
            }
        found = ties.survey(N_HUBS, n_threads=n_threads, progress=progress)
    return _put_together(cdrs, activity, survey, found, people, sides)


def _put_together(
    cdrs: CallRecords,
    activity: Activity,
    survey: Survey,
    ties: TieSurvey,
    people: dict[str, Any] | None,
    sides: list[SideLook],
) -> Inspection:
    names = cdrs.partner_names(ties.hub_keys)
    return Inspection(
        region=cdrs.plan.region,
        timezone=cdrs.timezone,
        counts=activity.counts,
        first_s=activity.start_s if activity.counts.accepted else None,
        last_s=activity.reference_s if activity.counts.accepted else None,
        groups=survey.groups,
        skipped=cdrs.skipped,
        repeated=cdrs.repeated,
        copies=find_copies(cdrs.sources),
        classes=survey.classes.by_party(),
        days=DaySurvey.of(activity.day_counts),
        ties=ties,
        hubs=list(zip(names, ties.hub_subscribers.tolist(), strict=True)),
        people=people,
        sides=sides,
    )
