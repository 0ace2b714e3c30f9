"""The first look itself: read the records once and put together what was found."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..activity import gather_activity
from ..blocks import Progress, map_ordered
from ..calls import CallPart, CallStore
from ..cdr import CallRecords, read_cdrs
from ..counts import RecordCounts
from ..errors import ParameterError
from ..roles import WindowSettings, assign_roles
from ..subscribers import Subscribers, Subscriptions, read_subscribers
from ..tables import RejectFile
from .files import find_copies
from .result import Inspection
from .survey import Survey
from .ties import Ties

__all__ = ["inspect_cdrs"]

N_HUBS = 10
TIE_BYTES = 1 << 29


def inspect_cdrs(
    cdrs: Any,
    subscribers: Any = None,
    *,
    window_days: float = 30,
    rejects: str | os.PathLike[str] | None = None,
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
    window_days : float, default 30
        Length of the windows that roles are judged by.
    rejects : path, optional
        Write every row that can't be used to this file (``.csv``, ``.csv.gz`` or ``.parquet``).
    memory_limit : int, optional
        Bytes. Pairs of subscriber and partner take a quarter of it at most; what goes beyond
        waits on disk. Default a quarter of 2 GiB.
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
        If a file can't be read, or lacks a column. Rows that can't be used are only counted.
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
    cdrs = cdrs if isinstance(cdrs, CallRecords) else read_cdrs(cdrs)
    subscriptions = None
    if subscribers is not None:
        if not isinstance(subscribers, Subscribers):
            subscribers = read_subscribers(subscribers, timezone=cdrs.timezone)
        subscriptions = subscribers.index(cdrs.plan)
    is_served = subscriptions is not None or all(
        export.is_subscriber_centred for export in cdrs.exports
    )
    with Ties(is_served=is_served, max_bytes=_tie_bytes(memory_limit), temp_dir=temp_dir) as ties:
        survey = Survey(cdrs, None if subscriptions is None else subscriptions.table, ties)
        watched = replace(cdrs, watch=survey.watch)
        with cdrs.rejects_to(rejects, subscribers) as file:
            ...
        found = ties.survey(N_HUBS, n_threads=n_threads)
    names = cdrs.partner_names(found.hub_keys)
