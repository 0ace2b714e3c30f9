"""Call detail records: files or tables in, clean calls out, every row accounted for."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .blocks import Progress
from .clock import INVALID, MISSING, read_durations, read_times
from .errors import ChanfpWarning, ColumnError
from .numbering import NumberingPlan
from .tables import Batch, TableSource, as_text, describe_columns, find_sources

__all__ = ["CallRecords", "CleanCalls", "RecordCounts", "read_cdrs"]

REQUIRED_COLUMNS = ("caller", "callee", "start_time")
OPTIONAL_COLUMNS = ("duration_s", "kind")
CALL_KINDS = ("", "call", "voice", "moc", "mtc", "通话", "语音")
OPAQUE = "opaque"
INTEGER_NOTE = "number-column-integer"


@dataclass
class RecordCounts:
    """What became of every row: ``accepted + rejected == total``, always.

    Parameters
    ----------
    total, accepted : int
        Rows read, and rows whose parties and time could be read.
    rejected : Counter
        Unusable rows by reason.
    filtered : Counter
        Accepted rows with a party that is no subscriber number (hotlines, toll-free …) by reason;
        such a party is never a partner.
    notes : Counter
        Accepted rows with a loss, by kind of loss.
    """

    total: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def check(self) -> None:
        """Raise AssertionError if a row got lost."""
        if self.accepted + sum(self.rejected.values()) != self.total:
            raise AssertionError(f"rows got lost: {self}")

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain values, reasons in the order of their names."""
        return {
            "total": self.total,
            "accepted": self.accepted,
            "rejected": sum(self.rejected.values()),
            "rejected_by_reason": dict(sorted(self.rejected.items())),
            "filtered_by_reason": dict(sorted(self.filtered.items())),
            "notes": dict(sorted(self.notes.items())),
        }


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
        0 for an unanswered call, -1 where unknown.
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

    def clean_calls(
        self,
        *,
        extra: Sequence[str] = (),
        counts: RecordCounts | None = None,
        progress: Progress | None = None,
        stage: str = "reading CDRs",
    ) -> Iterator[CleanCalls]:
        """Yield the accepted rows batch by batch, in the order of the sources.

        Parameters
        ----------
        extra : sequence of str
            Further columns wanted (``cell``, ``imei``); a source without one gives nulls.
        counts : RecordCounts, optional
            Filled while reading.
        progress : callable, optional
            Told the rows read.
        stage : str
            The stage named to `progress`.

        Raises
        ------
        ColumnError
            If a required column is missing or its type would lose data.
        DataError
            If a file is damaged.
        """
        counts = RecordCounts() if counts is None else counts
        for source in self.sources:
            wanted = [*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, *extra]
            present = [name for name in wanted if name in source.schema.names]
            for batch in source.batches(present):
                counts.total += len(batch.rejects)
                counts.rejected.update(reject.reason for reject in batch.rejects)
                yield _clean_batch(batch, self.plan, extra, counts)
                if progress is not None:
                    progress(stage, counts.total, self.n_rows)
        counts.check()


def read_cdrs(source: Any, *, numbers: str | NumberingPlan = "CN") -> CallRecords:
    """Open call detail records, to be read when needed.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        CSV, CSV.gz or Parquet files, folders and globs of them, or tables of pandas, polars,
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
    sources = find_sources(source)
    for opened in sources:
        for column in REQUIRED_COLUMNS:
            if column not in opened.schema.names:
                raise ColumnError(
                    f"{opened.name}: CDRs need a column {column!r}; the columns found are "
                    f"{describe_columns(opened.schema.names)}; rename the one that is meant."
                )
    return CallRecords(sources, plan)


def _clean_batch(
    batch: Batch, plan: NumberingPlan, extra: Sequence[str], counts: RecordCounts
) -> CleanCalls:
    records = batch.records
    caller, caller_code = _resolve(batch, "caller", plan, counts)
    callee, callee_code = _resolve(batch, "callee", plan, counts)
    start_s, status = read_times(records.column("start_time"), batch.place(0, "start_time"))
    is_good = _reject(plan, (caller_code, callee_code), caller == callee, status, counts)
    filtered = np.where(callee_code != 0, callee_code, caller_code)[is_good]
    for code, count in enumerate(np.bincount(filtered, minlength=1)):
        if code and count:
            counts.filtered[plan.reasons[code]] += int(count)
    duration_s = _read_duration(batch, counts)
    return CleanCalls(
        caller[is_good],
        callee[is_good],
        start_s[is_good],
        duration_s[is_good],
        _read_is_message(records)[is_good],
        filtered == 0,
        {name: _extra_column(records, name).filter(pa.array(is_good)) for name in extra},
    )


def _resolve(
    batch: Batch, column: str, plan: NumberingPlan, counts: RecordCounts
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """Return keys and reason codes of one party; warn once where the column holds integers."""
    values, was_integer = as_text(batch.records.column(column), batch.place(0, column))
    if was_integer:
        if not counts.notes[INTEGER_NOTE]:
            warnings.warn(
                f"{batch.source.name}: column {column!r} is stored as integers; leading zeros and "
                "plus signs are lost and landlines may be ambiguous; export it as text.",
                ChanfpWarning,
                stacklevel=2,
            )
        counts.notes[INTEGER_NOTE] += len(values)
    return plan.resolve(values)


def _reject(
    plan: NumberingPlan,
    codes: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
    is_same: npt.NDArray[np.bool_],
    status: npt.NDArray[np.uint8],
    counts: RecordCounts,
) -> npt.NDArray[np.bool_]:
    """Count the unusable rows by their first fault and return which rows are usable."""
    is_good = np.ones(len(status), bool)

    def count(is_bad: npt.NDArray[np.bool_], reason: str) -> None:
        found = is_good & is_bad
        n_found = int(np.count_nonzero(found))
        if n_found:
            counts.rejected[reason] += n_found
            is_good[found] = False

    for party, code in zip(("caller", "callee"), codes, strict=True):
        for reason in sorted(plan.fault_reasons):
            count(code == plan.reasons.index(reason), f"{party}-{reason}")
    count(status == MISSING, "start-time-missing")
    count(status == INVALID, "start-time-invalid")
    count(is_same & (codes[0] == 0), "own-number")
    counts.total += len(status)
    counts.accepted += int(np.count_nonzero(is_good))
    return is_good


def _read_duration(batch: Batch, counts: RecordCounts) -> npt.NDArray[np.int32]:
    """Return durations; a negative one (some systems' mark of a missed call) counts as 0."""
    if "duration_s" not in batch.records.schema.names:
        return np.full(batch.records.num_rows, -1, np.int32)
    column = batch.records.column("duration_s")
    duration_s = read_durations(column, batch.place(0, "duration_s"))
    for code, note, meaning in ((-2, "duration-unreadable", -1), (-3, "duration-negative", 0)):
        found = duration_s == code
        if found.any():
            counts.notes[note] += int(np.count_nonzero(found))
            duration_s[found] = meaning
    return duration_s


def _read_is_message(records: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Return which rows are messages; a row without a kind is a call."""
    if "kind" not in records.schema.names:
        return np.zeros(records.num_rows, bool)
    kind = records.column("kind")
    if not pa.types.is_dictionary(kind.type):
        kind = kind.dictionary_encode()
    names = [str(name or "").strip().lower() for name in kind.dictionary.to_pylist()]
    is_message = np.array([name not in CALL_KINDS for name in names] + [False])
    codes = kind.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return np.asarray(is_message[codes.astype(np.int64)], bool)


def _extra_column(records: pa.RecordBatch, name: str) -> pa.Array:
    if name not in records.schema.names:
        return pa.nulls(records.num_rows, pa.string())
    column = records.column(name)
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
