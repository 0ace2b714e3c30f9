"""Cleaning: a batch of rows as an export has them in, clean calls out, every row accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from . import _core
from .blocks import Tally
from .clock import DAY_S, clock_rows, read_durations, read_times
from .counts import RecordCounts
from .exports import Export
from .headers import CALL, OUTGOING, UNKNOWN_KIND, read_direction, read_kind
from .mixtures import find_mixture
from .screening import PAIR, Screening, screen
from .tables import Batch, as_label, as_text

__all__ = [
    "FOR_BOTH",
    "FOR_CALLEE",
    "FOR_CALLER",
    "INTEGER_NOTE",
    "CleanCalls",
    "CleanedBatch",
    "Watch",
    "clean_unit",
]

FOR_CALLER, FOR_CALLEE, FOR_BOTH = 1, 2, 3
SHOWN_CHARACTERS = 80
LOOKED_AT_ROWS = 1 << 12  # of each file, for ids that are hashed
LONGEST_CALL_S = 7 * DAY_S
INTEGER_NOTE = "number-column-integer"
# Which column of the subscriber tells this of the callee, where the subscriber was called.
OWN_WORD = {"callee_cell": "cell", "callee_imei": "imei"}

Keys = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]


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
    served : uint8 array
        For whom the row speaks: bit 1 the caller, bit 2 the callee. A row of a call-centred
        export speaks for both (3). A call inside the network stands twice in a
        subscriber-centred export, and each row speaks for its subscriber only.
    extra : dict of str to pyarrow.Array
        The optional columns asked for: ``cell`` and ``imei`` of the caller, ``callee_cell`` and
        ``callee_imei`` of the callee; null where unknown.
    """

    caller: npt.NDArray[np.uint64]
    callee: npt.NDArray[np.uint64]
    start_s: npt.NDArray[np.int64]
    duration_s: npt.NDArray[np.int32]
    is_message: npt.NDArray[np.bool_]
    is_pair: npt.NDArray[np.bool_]
    served: npt.NDArray[np.uint8]
    extra: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.start_s)

    def only(self, chosen: npt.NDArray[np.bool_]) -> CleanCalls:
        """Return the chosen rows."""
        columns = (
            self.caller,
            self.callee,
            self.start_s,
            self.duration_s,
            self.is_message.view(np.uint8),
            self.is_pair.view(np.uint8),
            self.served,
        )
        n_chosen = int(np.count_nonzero(chosen))
        kept = [np.empty(n_chosen, column.dtype) for column in columns]
        _core.keep_calls(chosen.view(np.uint8), *columns, *kept)
        caller, callee, start_s, duration_s, is_message, is_pair, served = kept
        return CleanCalls(
            caller,
            callee,
            start_s,
            duration_s,
            is_message.view(bool),
            is_pair.view(bool),
            served,
            {name: column.filter(pa.array(chosen)) for name, column in self.extra.items()},
        )


@dataclass(frozen=True, eq=False)
class CleanedBatch:
    """A batch and all that was found out about its rows.

    Parameters
    ----------
    batch : Batch
    export : Export
    codes : two uint8 arrays
        Reason codes of the first and of the second party of every row.
    directions : int8 array
        As `headers.read_direction` gives them.
    time_status : uint8 array
        As `clock.read_times` gives it.
    calls : CleanCalls
        The accepted rows.
    """

    batch: Batch
    export: Export
    codes: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
    directions: npt.NDArray[np.int8]
    time_status: npt.NDArray[np.uint8]
    calls: CleanCalls


Watch = Callable[[CleanedBatch], None]


def clean_unit(
    unit: Callable[[], list[Batch]],
    export: Export,
    extra: Sequence[str],
    *,
    is_first: bool = False,
    watch: Watch | None = None,
    keeps_rejects: bool = False,
    numbering: Tally | None = None,
) -> tuple[list[CleanCalls], RecordCounts]:
    """Read and clean some rows of an export.

    Parameters
    ----------
    unit : callable
        Reads them.
    export : Export
        Where they come from.
    extra : sequence of str
        Further columns wanted: ``cell``, ``imei``, ``callee_cell``, ``callee_imei``.
    is_first : bool
        Whether these are the first rows of the export: ids are looked at whether they are hashed.
    watch : callable, optional
        Shown every batch when it is clean.
    keeps_rejects : bool, default False
        Keep the rejected rows beside the counts; the unit must have read all columns.
    numbering : Tally, optional
        Told how many distinct numbers were looked up in phonenumbers, which is slow.

    Returns
    -------
    calls : list of CleanCalls
        The accepted rows, batch by batch.
    counts : RecordCounts
        What became of all rows.

    Raises
    ------
    DataError
        If the ids of the first rows are hashed and the plan is one of numbers.
    """
    counts = RecordCounts()
    calls = []
    for batch in unit():
        if is_first and batch.records.num_rows:
            _look_at_ids(batch, export, counts)
            is_first = False
        for reject in batch.rejects:
            counts.total += 1
            counts.rejected[reject.reason] += 1
            place = f"{batch.source.name}, row {reject.row}: {reject.text[:SHOWN_CHARACTERS]!r}"
            counts.examples.setdefault(reject.reason, place)
        cleaned, screening = _clean_batch(batch, export, extra, counts, numbering)
        calls.append(cleaned.calls)
        if keeps_rejects:
            counts.rejected_rows.append(screening.rejected_rows(batch))
        if watch is not None:
            watch(cleaned)
    return calls, counts


def _clean_batch(
    batch: Batch,
    export: Export,
    extra: Sequence[str],
    counts: RecordCounts,
    numbering: Tally | None,
) -> tuple[CleanedBatch, Screening]:
    """Return the accepted rows of a batch; the one place where rows are judged and counted."""
    keys, codes = _resolve_parties(batch, export, counts, numbering)
    directions = _read_directions(batch, export)
    start_s, time_status = _read_starts(batch, export, counts)
    screening = screen(export, keys, codes, directions, start_s, time_status)
    screening.count(batch, counts)
    is_out = directions == OUTGOING
    served = np.full(len(start_s), FOR_BOTH, np.uint8)
    caller, callee = keys
    if export.is_subscriber_centred:
        served = np.where(is_out, FOR_CALLER, FOR_CALLEE).astype(np.uint8)
        caller, callee = np.where(is_out, caller, callee), np.where(is_out, callee, caller)
    calls = CleanCalls(
        caller,
        callee,
        start_s,
        _read_duration(batch, export, counts),
        _read_is_message(batch, export, counts),
        screening.verdicts == PAIR,
        served,
        {word: _extra_column(batch, export, word, is_out) for word in extra},
    )
    is_accepted = screening.is_accepted
    calls = calls if is_accepted.all() else calls.only(is_accepted)
    return CleanedBatch(batch, export, codes, directions, time_status, calls), screening


def _look_at_ids(batch: Batch, export: Export, counts: RecordCounts) -> None:
    """Note parties whose ids are partly hashed; refuse those wholly hashed under a plan."""
    for party in export.parties:
        column = export.needed(party)
        values = batch.records.column(column).slice(0, LOOKED_AT_ROWS)
        texts, _ = as_text(values, batch.place(0, column))
        message = find_mixture(export, party, texts)
        if message is not None:
            counts.mixtures[export.source.name, column] = message


def _resolve_parties(
    batch: Batch, export: Export, counts: RecordCounts, numbering: Tally | None
) -> tuple[tuple[Keys, Keys], tuple[Codes, Codes]]:
    """Return keys and reason codes of both parties; short numbers of groups by the other party."""
    texts = [_party_texts(batch, export, party, counts) for party in export.parties]
    (one, one_codes), (other, other_codes) = (
        export.plan.resolve(numbers, progress=None if numbering is None else numbering.piece())
        for numbers in texts
    )
    short_numbers = export.short_numbers
    if short_numbers is not None:
        ones, one_found = short_numbers.resolve(other, texts[0], one_codes)
        others, other_found = short_numbers.resolve(one, texts[1], other_codes)
        one, other = np.where(ones, ones, one), np.where(others, others, other)
        one_codes, other_codes = one_found, other_found
    return (one, other), (one_codes, other_codes)


def _party_texts(batch: Batch, export: Export, party: str, counts: RecordCounts) -> pa.Array:
    """Return the numbers of one party as they stand there."""
    column = export.needed(party)
    values, was_integer = as_text(batch.records.column(column), batch.place(0, column))
    if was_integer:
        counts.notes[INTEGER_NOTE] += len(values)
    return values


def _read_directions(batch: Batch, export: Export) -> npt.NDArray[np.int8]:
    """Return which way each call went; in call-centred exports the first party made it."""
    if not export.is_subscriber_centred:
        return np.full(batch.records.num_rows, OUTGOING, np.int8)
    return read_direction(batch.records.column(export.needed("direction")), export.directions)


def _read_starts(
    batch: Batch, export: Export, counts: RecordCounts
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return start times and how they were written; note by which clock the first ones go."""
    column = export.needed("start_time")
    values = batch.records.column(column)
    start_s, status = read_times(values, batch.place(0, column), export.zone)
    for clock, row in clock_rows(status, export.zone).items():
        counts.clocks.setdefault(clock, f"{batch.place(row, column)}: {str(values[row])!r}")
    return start_s, status


def _read_duration(batch: Batch, export: Export, counts: RecordCounts) -> npt.NDArray[np.int32]:
    """Return durations; a negative one (some systems' mark of a missed call) counts as 0.

    One beyond all sense is unknown.
    """
    column = export.column("duration_s")
    if column is None:
        return np.full(batch.records.num_rows, -1, np.int32)
    duration_s = read_durations(batch.records.column(column), batch.place(0, column))
    if duration_s.min(initial=0) >= -1 and duration_s.max(initial=0) <= LONGEST_CALL_S:
        return duration_s
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


def _read_is_message(batch: Batch, export: Export, counts: RecordCounts) -> npt.NDArray[np.bool_]:
    """Return which rows are messages: a row without a kind is a call, of an unknown one isn't."""
    column = export.column("kind")
    if column is None:
        return np.zeros(batch.records.num_rows, bool)
    kinds = read_kind(batch.records.column(column), batch.place(0, column))
    n_unknown = int(np.count_nonzero(kinds == UNKNOWN_KIND))
    if n_unknown:
        counts.notes["kind-unknown"] += n_unknown
    return np.asarray(kinds != CALL, bool)


def _extra_column(
    batch: Batch, export: Export, word: str, is_out: npt.NDArray[np.bool_]
) -> pa.Array:
    """Return a column of the caller or the callee; the subscriber of a row is one of the two."""
    nothing = pa.nulls(batch.records.num_rows, pa.string())
    own_word = OWN_WORD.get(word, word) if export.is_subscriber_centred else word
    column = export.column(own_word)
    if column is None:
        return nothing
    values = as_label(batch.records.column(column), batch.place(0, column))
    if not export.is_subscriber_centred:
        return values
    return pc.if_else(pa.array(is_out == (word not in OWN_WORD)), values, nothing)
