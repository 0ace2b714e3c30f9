"""Records: the stream of call detail records as Arrow batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import ParameterError
from .calls import Records, records_of_day
from .settings import DAY
from .ties import TIE_SHARE
from .world import World

__all__ = ["CDR_SCHEMA", "CdrStream"]

CDR_SCHEMA = pa.schema(
    [
        ("caller", pa.string()),
        ("callee", pa.string()),
        ("start_time", pa.timestamp("s")),
        ("duration_s", pa.int32()),
        ("kind", pa.string()),
        ("cell", pa.string()),
        ("imei", pa.string()),
    ]
)
KINDS = pa.array(["call", "sms"])
BATCH_ROWS = 1 << 17
DEFAULT_THREADS = 2
Result = TypeVar("Result")


class CdrStream:
    """The call detail records of a made-up carrier, made anew each time they are read.

    Columns as in `CDR_SCHEMA`: `caller`, `callee`, `start_time` (local time, seconds),
    `duration_s`, `kind` ("call" or "sms"), `cell` and `imei` of the caller, null where the
    caller is on another network. Records are in order of `start_time`.

    Any Arrow consumer (pandas, polars, DuckDB, pyarrow) reads this through
    ``__arrow_c_stream__``; memory grows with the people and with one day's records, not with the
    days.
    """

    schema: pa.Schema = CDR_SCHEMA

    def __init__(self, world: World, *, n_threads: int | None = None) -> None:
        self._world = world
        self._n_threads = n_threads
        self._cells = pa.concat_arrays([world.places.names, pa.nulls(1, pa.string())])

    @property
    def days(self) -> int:
        """Days of the span."""
        return self._world.settings.days

    def __repr__(self) -> str:
        settings = self._world.settings
        return (
            f"CdrStream({self.days} days from {settings.start}, "
            f"about {self.expected_rows:,} records, columns {', '.join(self.schema.names)})"
        )

    @property
    def expected_rows(self) -> int:
        """About how many records there are; the exact number is known after reading."""
        settings = self._world.settings
        usual = settings.people * settings.events_per_month * settings.days / 30
        return int(usual * (1.0 + (1.0 - TIE_SHARE) * (settings.service_factor - 1.0)))

    def iter_days(self, *, batch_rows: int = BATCH_ROWS) -> Iterator[Iterator[pa.RecordBatch]]:
        """Yield for each day an iterator over its batches.

        Parameters
        ----------
        batch_rows : int
            Most rows per batch, at least 1; a batch never holds two days.

        Raises
        ------
        ParameterError
            If `batch_rows` is below 1.

        Notes
        -----
        The next days are drawn on a thread pool while one is being read; the records don't
        depend on the number of threads.
        """
        if batch_rows < 1:
            raise ParameterError(f"`batch_rows` must be at least 1, got {batch_rows}.")
        for day, records in self._drawn_days():
            yield self._batches(day, records, batch_rows)

    def iter_batches(self, *, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield all records in batches of at most `batch_rows`, day after day."""
        for batches in self.iter_days(batch_rows=batch_rows):
            yield from batches

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the records out as an Arrow C stream."""
        reader = pa.RecordBatchReader.from_batches(self.schema, self.iter_batches())
        return reader.__arrow_c_stream__(requested_schema)

    def to_table(self) -> pa.Table:
        """Return all records as one table, all in memory."""
        return pa.Table.from_batches(self.iter_batches(), schema=self.schema)

    def day(self, day: int) -> pa.Table:
        """Return the records of one day, 0 being the first.

        Raises
        ------
        ParameterError
            If there is no such day.
        """
        if not 0 <= day < self.days:
            raise ParameterError(f"`day` must be from 0 to {self.days - 1}, got {day}.")
        records = records_of_day(self._world, day)
        batches = self._batches(day, records, BATCH_ROWS)
        return pa.Table.from_batches(batches, schema=self.schema)

    def _drawn_days(self) -> Iterator[tuple[int, Records]]:
        def draw(day: int) -> tuple[int, Records]:
            return day, records_of_day(self._world, day)

        return _ahead(draw, range(self.days), self._n_threads)

    def _batches(self, day: int, records: Records, batch_rows: int) -> Iterator[pa.RecordBatch]:
        phones = self._world.handsets.on_day(day)

        def write(low: int) -> pa.RecordBatch:
            return self._batch(day, phones, records[low : low + batch_rows])

        return _ahead(write, range(0, len(records), batch_rows), self._n_threads)

    def _batch(self, day: int, phones: npt.NDArray[np.int32], records: Records) -> pa.RecordBatch:
        numbers, handsets = self._world.numbers, self._world.handsets
        midnight = self._world.settings.first_second + day * DAY
        start_time = pa.array(records.second.astype(np.int64) + midnight, pa.timestamp("s"))
        # Whoever isn't a customer falls on the last entry: no phone known.
        phone = phones[np.minimum(records.caller, len(phones) - 1)]
        columns = [
            numbers.write(records.caller, records.caller_way),
            numbers.write(records.callee, records.callee_way),
            start_time,
            pa.array(records.duration),
            KINDS.take(pa.array(records.is_sms.view(np.uint8))),
            self._cells.take(pa.array(records.cell)),
            handsets.imei.take(pa.array(phone)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _ahead(
    work: Callable[[int], Result], tasks: Iterable[int], n_threads: int | None
) -> Iterator[Result]:
    """Yield `work(task)` for each task in order, worked ahead on a pool of threads."""
    n_threads = n_threads or DEFAULT_THREADS
    if n_threads == 1:
        yield from map(work, tasks)
        return
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="chanfp-simulate")
    try:
        waiting = iter(tasks)
        in_flight = deque(pool.submit(work, task) for task in islice(waiting, n_threads))
        while in_flight:
            result = in_flight.popleft().result()
            in_flight.extend(pool.submit(work, task) for task in islice(waiting, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
