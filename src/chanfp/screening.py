"""Screening: the verdict on every row of a batch, and its reason; where rejects are counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from . import _core
from .counts import RecordCounts
from .exports import Export
from .numbering import NumberingPlan
from .tables import Batch, csv_lines, reject_table

__all__ = ["N_CODES", "PAIR", "REJECTED", "Screening", "screen"]

PAIR, REJECTED = 0, 2
# As _core.screen_rows lays out its tally.
N_CODES, TALLY_SIZE = 256, 774
SECOND_PARTY, SERVICE, OTHER = 1, 2, 3
OTHER_FAULTS = (
    ("start-time-missing", "start_time"),
    ("start-time-invalid", "start_time"),
    ("own-number", None),
    ("direction-missing", "direction"),
    ("direction-unreadable", "direction"),
    ("start-time-stray", "start_time"),
)


@dataclass(frozen=True, eq=False)
class Screening:
    """What becomes of every row of one batch.

    Parameters
    ----------
    export : Export
    verdicts : uint8 array
        ``PAIR``, 1 for an accepted row with a party that is no subscriber number, ``REJECTED``.
    reasons : uint16 array
        For each row the place of its reason in `tally`, 0 for none.
    tally, first_rows : int64 array
        How many rows have each reason, and the first of them.
    second_codes : uint8 array
        The reason code of the second party of each row.
    """

    export: Export
    verdicts: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint16]
    tally: npt.NDArray[np.int64]
    first_rows: npt.NDArray[np.int64]
    second_codes: npt.NDArray[np.uint8]

    @property
    def is_accepted(self) -> npt.NDArray[np.bool_]:
        """Which rows can be used."""
        return np.asarray(self.verdicts != REJECTED, bool)

    def rejected_rows(self, batch: Batch) -> pa.Table:
        """Return the rows that can't be used, parsed or not, by row number, for a reject file."""
        rows = np.flatnonzero(self.verdicts == REJECTED)
        places, which = np.unique(self.reasons[rows], return_inverse=True)
        reasons = pa.array([self.reason(int(place)) for place in places], pa.string())
        columns = [self._column(int(place), 0) for place in places]
        stored = batch.records.select(self.export.source.stored.names)
        parsed = reject_table(
            batch.source.name,
            batch.row_numbers[rows],
            reasons.take(pa.array(which)),
            pa.array(columns, pa.string()).take(pa.array(which)),
            csv_lines(stored.take(pa.array(rows))),
        )
        if not batch.rejects:
            return parsed
        numbers, faults, texts = zip(*batch.rejects, strict=True)
        unparsed = reject_table(batch.source.name, numbers, faults, [None] * len(numbers), texts)
        return pa.concat_tables([parsed, unparsed]).sort_by("row") if len(rows) else unparsed

    def reason(self, place: int) -> str:
        """Return the name of a reason, such as ``caller-missing`` or ``own-number``."""
        block, code = divmod(place, N_CODES)
        if block == OTHER:
            return OTHER_FAULTS[code][0]
        name = self.export.plan.reasons[code]
        return name if block == SERVICE else f"{self._party(block)}-{name}"

    def count(self, batch: Batch, counts: RecordCounts) -> None:
        """Add rows, reasons and the first example of each reason to the counts."""
        for place in np.flatnonzero(self.tally).tolist():
            block, row, reason = place // N_CODES, int(self.first_rows[place]), self.reason(place)
            counter = counts.filtered if block == SERVICE else counts.rejected
            counter[reason] += int(self.tally[place])
            if reason not in counts.examples:
                column = self._column(place, row)
                value = batch.records.column(column)[row].as_py()
                counts.examples[reason] = f"{batch.place(row, column)}: {value!r}"
        n_rejected = int(np.count_nonzero(self.verdicts == REJECTED))
        counts.total += len(self.verdicts)
        counts.accepted += len(self.verdicts) - n_rejected

    def _party(self, block: int) -> str:
        return self.export.parties[block].replace("_", "-")

    def _column(self, place: int, row: int) -> str:
        """Return the column that shows why a row has its reason."""
        block, code = divmod(place, N_CODES)
        first, second = (self.export.needed(party) for party in self.export.parties)
        if block == OTHER:
            word = OTHER_FAULTS[code][1]
            return second if word is None else self.export.needed(word)
        if block == SERVICE:
            # The second party's if both are services.
            return second if self.second_codes[row] == code else first
        return second if block == SECOND_PARTY else first


def screen(
    export: Export,
    keys: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]],
    codes: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
    directions: npt.NDArray[np.int8],
    start_s: npt.NDArray[np.int64],
    time_status: npt.NDArray[np.uint8],
) -> Screening:
    """Give every row a verdict.

    Parameters
    ----------
    export : Export
    keys : two uint64 arrays
        Number keys of the first and of the second party (caller and callee, or subscriber and
        other party).
    codes : two uint8 arrays
        Their reason codes.
    directions : int8 array
        As `headers.read_direction` gives them.
    start_s, time_status : int64 array, uint8 array
        As `clock.read_times` gives them.
    """
    n_rows = len(start_s)
    found = Screening(
        export,
        np.empty(n_rows, np.uint8),
        np.empty(n_rows, np.uint16),
        np.zeros(TALLY_SIZE, np.int64),
        np.zeros(TALLY_SIZE, np.int64),
        codes[1],
    )
    _core.screen_rows(
        *keys,
        *codes,
        _fault_flags(export.plan),
        directions,
        start_s,
        time_status,
        export.span.first_s,
        export.span.last_s,
        found.verdicts,
        found.reasons,
        found.tally,
        found.first_rows,
    )
    return found


def _fault_flags(plan: NumberingPlan) -> npt.NDArray[np.uint8]:
    """Return for each reason code whether it makes a row unusable."""
    flags = np.zeros(N_CODES, np.uint8)
    for reason in plan.fault_reasons:
        flags[plan.reasons.index(reason)] = 1
    return flags
