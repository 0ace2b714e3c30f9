"""Call detail records: files or tables in, clean calls out, every row accounted for."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from . import _core
from .blocks import Progress, map_ordered
from .clock import DAY_S, read_durations, read_times
from .counts import RecordCounts
from .errors import ChanfpWarning, ColumnError
from .numbering import NumberingPlan
from .tables import Batch, TableSource, as_label, as_text, describe_columns, find_sources

__all__ = ["CallRecords", "CleanCalls", "read_cdrs"]

REQUIRED_COLUMNS = ("caller", "callee", "start_time")
OPTIONAL_COLUMNS = ("duration_s", "kind")
CALL_KINDS = ("", "call", "voice", "moc", "mtc", "通话", "语音")
OPAQUE = "opaque"
LONGEST_CALL_S = 7 * DAY_S
N_CODES, TALLY_SIZE = 256, 771  # as _core.screen_rows lays out its tally
PAIR, REJECTED = 0, 2
OTHER_FAULTS = (
    ("start-time-missing", "start_time"),
    ("start-time-invalid", "start_time"),
    ("own-number", "callee"),
)
SHOWN_CHARACTERS = 80
INTEGER_NOTE = "number-column-integer"


@dataclass(frozen=True)
class CleanCalls:
    """Accepted rows of one batch, as arrays of one length.

    Parameters
    ----------
    caller, callee : uint64 array
        Number keys; 0 where the party is no subscriber number.
    start_s : int64 array
        Seconds since 1970.
    duration_s : int32 array
        0 for an unanswered call, -1 where unknown, 7 days at most.
    is_message : bool array
        True for everything that is not a call.
    is_pair : bool array
        True where both parties are subscriber numbers.
    extra : dict of str to pyarrow.Array
        The optional columns asked for.
    """

    caller: npt.NDArray[np.uint64]
    callee: npt.NDArray[np.uint64]
    start_s: npt.NDArray[np.int64]
    duration_s: npt.NDArray[np.int32]
    is_message: npt.NDArray[np.bool_]
    is_pair: npt.NDArray[np.bool_]
    extra: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.start_s)

    def only(self, chosen: npt.NDArray[np.bool_]) -> CleanCalls:
        """Return the chosen rows."""
        return CleanCalls(
            self.caller[chosen],
            self.callee[chosen],
            self.start_s[chosen],
            self.duration_s[chosen],
            self.is_message[chosen],
            self.is_pair[chosen],
            {name: column.filter(pa.array(chosen)) for name, column in self.extra.items()},
        )


@dataclass(frozen=True)
class CallRecords:
    """CDRs that are read when needed, as often as needed. Made by `read_cdrs`.

    Parameters
    ----------
    sources : list of TableSource
        Files and tables, in the order they are read.
    plan : NumberingPlan
        How numbers are normalised and classified.
    """

    sources: list[TableSource]
    plan: NumberingPlan

    def __repr__(self) -> str:
        n_rows = self.n_rows
        rows = "rows not counted yet" if n_rows is None else f"{n_rows:,} rows"
        names = ", ".join(source.name for source in self.sources[:3])
        more = f" and {len(self.sources) - 3} more" if len(self.sources) > 3 else ""
        return f"<CallRecords: {names}{more}; {rows}; numbers {self.plan.region}>"

    @property
    def n_rows(self) -> int | None:
        """Rows of all sources together, where known without reading."""
        known = [source.n_rows for source in self.sources]
        return None if None in known else sum(count for count in known if count is not None)

    @property
    def is_rereadable(self) -> bool:
        """Whether a second pass is possible; a stream reader gives its rows only once."""
        return all(source.is_rereadable for source in self.sources)

    def partner_names(self, keys: npt.NDArray[np.uint64]) -> list[str]:
        """Return readable numbers for keys.

        Under a numbering plan these are E.164 numbers. The keys of opaque ids tell nothing, so
        the records are read again for the texts behind them.
        """
        if self.plan.region != OPAQUE or not self.is_rereadable:
            return list(self.plan.format(keys))
        found: dict[int, str] = {}
        wanted = np.unique(keys)
        for source in self.sources:
            for batch in source.batches(["caller", "callee"]):
                for column in ("caller", "callee"):
                    texts, _ = as_text(batch.records.column(column), batch.place(0, column))
                    seen, _ = self.plan.resolve(texts)
                    rows = np.flatnonzero(np.isin(seen, wanted))
                    for key, text in zip(seen[rows], texts.take(rows).to_pylist(), strict=True):
                        found.setdefault(int(key), text.strip())
            if len(found) == len(wanted):
                break
        return [found.get(int(key), "") for key in keys]

    def clean_batches(
        self, *, extra: Sequence[str] = ()
    ) -> Iterator[Callable[[], tuple[list[CleanCalls], RecordCounts]]]:
        """Yield pieces of work in the order of the sources; each may run on any thread.

        Parameters
        ----------
        extra : sequence of str
            Further columns wanted (``cell``, ``imei``); a source without one gives nulls.

        Yields
        ------
        callable
            Reads and cleans some rows: returns the accepted ones and what became of all.

        Raises
        ------
        ColumnError
            If a required column is missing or its type would lose data.
        DataError
            If a file is damaged.
        """
        for source in self.sources:
            wanted = [*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, *extra]
            present = [name for name in wanted if name in source.schema.names]
            self._warn_of_integers(source)
            for unit in source.units(present):
                yield partial(_clean_unit, unit, self.plan, tuple(extra))

    def clean_calls(
        self,
        *,
        extra: Sequence[str] = (),
        counts: RecordCounts | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
        stage: str = "reading CDRs",
    ) -> Iterator[CleanCalls]:
        """Yield the accepted rows batch by batch, in the order of the sources.

        Parameters
        ----------
        extra : sequence of str
            As in `clean_batches`.
        counts : RecordCounts, optional
            Filled while reading.
        n_threads : int, optional
            Default every usable core.
        progress : callable, optional
            Told the rows read.
        stage : str
            The stage named to `progress`.
        """
        counts = RecordCounts() if counts is None else counts
        batches = self.clean_batches(extra=extra)
        for calls, found in map_ordered(lambda read: read(), batches, n_threads=n_threads):
            counts.add(found)
            yield from calls
            if progress is not None:
                progress(stage, counts.total, self.n_rows)
        counts.check()

    def _warn_of_integers(self, source: TableSource) -> None:
        """Warn of number columns stored as integers, once per source."""
        for column in ("caller", "callee"):
            if pa.types.is_integer(source.schema.field(column).type):
                warnings.warn(
                    f"{source.name}: column {column!r} is stored as integers; leading zeros and "
                    "plus signs are lost and landlines may be ambiguous; export it as text.",
                    ChanfpWarning,
                    stacklevel=2,
                )


def read_cdrs(source: Any, *, numbers: str | NumberingPlan = "CN") -> CallRecords:
    """Open call detail records, to be read when needed.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        CSV (.gz, .zst) or Parquet files, folders and globs of them, or tables of pandas, polars,
        DuckDB or pyarrow, with the columns ``caller, callee, start_time`` and optionally
        ``duration_s, kind, cell, imei`` (cell and handset are the caller's).
    numbers : str or NumberingPlan, default "CN"
        The region whose numbering plan applies, or ``"opaque"`` for hashed or made-up ids, which
        are then told apart but neither normalised nor filtered.

    Returns
    -------
    CallRecords
        Nothing is read yet but headers.

    Raises
    ------
    DataError
        If a file is missing, empty, or not what its suffix says.
    ColumnError
        If a required column is missing.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"caller": ["13912345678"], "callee": ["+8613800000001"],
    ...                   "start_time": ["2024-01-31 12:00:00"]})
    >>> read_cdrs(table)
    <CallRecords: <pyarrow.Table>; 1 rows; numbers CN>
    """
    plan = numbers if isinstance(numbers, NumberingPlan) else NumberingPlan(numbers)
    sources = _each_once(find_sources(source))
    for opened in sources:
        for column in REQUIRED_COLUMNS:
            if column not in opened.schema.names:
                raise ColumnError(
                    f"{opened.name}: CDRs need a column {column!r}; the columns found are "
                    f"{describe_columns(opened.schema.names)}; rename the one that is meant."
                )
    return CallRecords(sources, plan)


def _each_once(sources: Sequence[TableSource]) -> list[TableSource]:
    """Leave out files given twice, as by a folder and a file in it; their calls count once."""
    seen: set[str] = set()
    kept = []
    for source in sources:
        path = os.path.realpath(source.name)
        if os.path.exists(path) and path in seen:
            warnings.warn(
                f"{source.name}: given more than once, read once.", ChanfpWarning, stacklevel=3
            )
            continue
        seen.add(path)
        kept.append(source)
    return kept


def _clean_unit(
    unit: Callable[[], list[Batch]], plan: NumberingPlan, extra: Sequence[str]
) -> tuple[list[CleanCalls], RecordCounts]:
    counts = RecordCounts()
    calls = []
    for batch in unit():
        for reject in batch.rejects:
            counts.total += 1
            counts.rejected[reject.reason] += 1
            place = f"{batch.source.name}, row {reject.row}: {reject.text[:SHOWN_CHARACTERS]!r}"
            counts.examples.setdefault(reject.reason, place)
        calls.append(_clean_batch(batch, plan, extra, counts))
    return calls, counts


def _clean_batch(
    batch: Batch, plan: NumberingPlan, extra: Sequence[str], counts: RecordCounts
) -> CleanCalls:
    records = batch.records
    caller, caller_codes = _resolve(batch, "caller", plan, counts)
    callee, callee_codes = _resolve(batch, "callee", plan, counts)
    start_s, status = read_times(records.column("start_time"), batch.place(0, "start_time"))
    verdicts = np.empty(len(start_s), np.uint8)
    tally = np.zeros(TALLY_SIZE, np.int64)
    first_rows = np.zeros(TALLY_SIZE, np.int64)
    _core.screen_rows(
        caller,
        callee,
        caller_codes,
        callee_codes,
        _fault_flags(plan),
        start_s,
        status,
        verdicts,
        tally,
        first_rows,
    )
    _count_rows(batch, plan, tally, first_rows, counts)
    calls = CleanCalls(
        caller,
        callee,
        start_s,
        _read_duration(batch, counts),
        _read_is_message(batch),
        verdicts == PAIR,
        {name: _extra_column(batch, name) for name in extra},
    )
    is_good = verdicts != REJECTED
    return calls if is_good.all() else calls.only(is_good)


def _resolve(
    batch: Batch, column: str, plan: NumberingPlan, counts: RecordCounts
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """Return keys and reason codes of one party."""
    values, was_integer = as_text(batch.records.column(column), batch.place(0, column))
    if was_integer:
        counts.notes[INTEGER_NOTE] += len(values)
    return plan.resolve(values)


def _fault_flags(plan: NumberingPlan) -> npt.NDArray[np.uint8]:
    """Return for each reason code whether it makes a row unusable."""
    flags = np.zeros(N_CODES, np.uint8)
    for reason in plan.fault_reasons:
        flags[plan.reasons.index(reason)] = 1
    return flags


def _count_rows(
    batch: Batch,
    plan: NumberingPlan,
    tally: npt.NDArray[np.int64],
    first_rows: npt.NDArray[np.int64],
    counts: RecordCounts,
) -> None:
    """Add what the kernel tallied, under the names of the reasons, each with its first row."""
    for place in np.flatnonzero(tally).tolist():
        block, code = divmod(place, N_CODES)
        row = int(first_rows[place])
        if block == 3:
            reason, column = OTHER_FAULTS[code]
        elif block == 2:
            reason = plan.reasons[code]
            _, codes = plan.resolve(batch.records.column("callee").slice(row, 1).cast(pa.string()))
            column = "callee" if codes[0] == code else "caller"
        else:
            column = ("caller", "callee")[block]
            reason = f"{column}-{plan.reasons[code]}"
        counter = counts.filtered if block == 2 else counts.rejected
        counter[reason] += int(tally[place])
        value = batch.records.column(column)[row].as_py()
        counts.examples.setdefault(reason, f"{batch.place(row, column)}: {value!r}")
    n_rejected = int(tally[: 2 * N_CODES].sum() + tally[3 * N_CODES :].sum())
    counts.total += batch.records.num_rows
    counts.accepted += batch.records.num_rows - n_rejected


def _read_duration(batch: Batch, counts: RecordCounts) -> npt.NDArray[np.int32]:
    """Return durations; a negative one (some systems' mark of a missed call) counts as 0.

    One beyond all sense is unknown.
    """
    if "duration_s" not in batch.records.schema.names:
        return np.full(batch.records.num_rows, -1, np.int32)
    column = batch.records.column("duration_s")
    duration_s = read_durations(column, batch.place(0, "duration_s"))
    for code, note, meaning in (
        (-2, "duration-unreadable", -1),
        (-3, "duration-negative", 0),
        (LONGEST_CALL_S, "duration-absurd", -1),
    ):
        found = duration_s == code if code < 0 else duration_s > code
        if found.any():
            counts.notes[note] += int(np.count_nonzero(found))
            duration_s[found] = meaning
    return duration_s


def _read_is_message(batch: Batch) -> npt.NDArray[np.bool_]:
    """Return which rows are messages; a row without a kind is a call."""
    if "kind" not in batch.records.schema.names:
        return np.zeros(batch.records.num_rows, bool)
    kind = batch.records.column("kind")
    if not (pa.types.is_dictionary(kind.type) and pa.types.is_string(kind.type.value_type)):
        kind = as_label(kind, batch.place(0, "kind")).dictionary_encode()
    names = [str(name or "").strip().lower() for name in kind.dictionary.to_pylist()]
    is_message = np.array([name not in CALL_KINDS for name in names] + [False])
    codes = kind.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return np.asarray(is_message[codes.astype(np.int64)], bool)


def _extra_column(batch: Batch, name: str) -> pa.Array:
    if name not in batch.records.schema.names:
        return pa.nulls(batch.records.num_rows, pa.string())
    return as_label(batch.records.column(name), batch.place(0, name))
