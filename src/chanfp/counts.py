"""Counts: what became of every row that was read."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import ChanfpWarning, DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from .tables import RejectFile

__all__ = ["MAX_REJECT_SHARE", "RecordCounts", "most_first"]

# Beyond it a run stops unless the user says otherwise.
MAX_REJECT_SHARE = 0.05

# A value that ends as text of a floating-point number does: 13912345678.0, 1.39123E+10.
AS_FLOAT = re.compile(r"'\d+(\.0+|\.\d+[eE]\+?\d+)'$")


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
        Cells taken with a loss, by kind of loss.
    examples : dict
        File, row, column and value of the first row of each reason.
    clocks : dict
        By which clocks times go (as in `chanfp.zones`), each with its first place and value.
    rejected_rows : list of pyarrow.Table
        The rejected rows themselves, where they were kept, on their way to the file.
    reject_file : RejectFile, optional
        Takes the rejected rows of all that is added, so add in the order of reading.
    mixtures : dict
        For each column that holds hashed and plain ids what there is to say of it.
    """

    total: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    clocks: dict[str, str] = field(default_factory=dict)
    rejected_rows: list[pa.Table] = field(default_factory=list)
    reject_file: RejectFile | None = None
    mixtures: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def n_rejected(self) -> int:
        """How many rows can't be used."""
        return sum(self.rejected.values())

    def add(self, other: RecordCounts) -> None:
        """Add the counts of further rows."""
        self.total += other.total
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.filtered += other.filtered
        self.notes += other.notes
        self.examples = other.examples | self.examples
        self.clocks = other.clocks | self.clocks
        if self.reject_file is not None:
            for rows in other.rejected_rows:
                self.reject_file.write(rows)
        self.mixtures |= other.mixtures

    def check(self) -> None:
        """Raise AssertionError if a row got lost."""
        if self.accepted + self.n_rejected != self.total:
            raise AssertionError(f"rows got lost: {self}")
        if self.reject_file is not None and self.reject_file.n_rows != self.n_rejected:
            raise AssertionError(f"rows got lost on their way to {self.reject_file.path}")

    def finish(self) -> None:
        """Check, and say that the reject file is whole now."""
        self.check()
        if self.reject_file is not None:
            self.reject_file.finish()

    def refuse(self, max_reject_share: float) -> None:
        """Raise DataError if too few rows can be used to work on.

        Parameters
        ----------
        max_reject_share : float
            Largest share of rejected rows that is let pass, 0 to 1.
        """
        if self.n_rejected > max_reject_share * self.total:
            reason, count = self.rejected.most_common(1)[0]
            found = "" if self.reject_file is None else f"; all are in {self.reject_file.path}"
            raise DataError(
                f"{self.n_rejected:,} of {self.total:,} CDRs can't be used, more than a share of "
                f"{max_reject_share:g}; {count:,} are {reason}, the first one "
                f"{self.examples[reason]}{found}; {_way_out(reason, self.examples[reason])} or "
                "raise `max_reject_share`."
            )
        if self.accepted and sum(self.filtered.values()) == self.accepted:
            reason, count = self.filtered.most_common(1)[0]
            raise DataError(
                f"none of {self.accepted:,} CDRs has two subscriber numbers; {count:,} are "
                f"{reason}, the first one {self.examples[reason]}; name the region in `numbers`, "
                "or 'opaque' for hashed or made-up ids."
            )

    def warn(self) -> None:
        """Warn of columns that hold hashed and plain ids."""
        for message in self.mixtures.values():
            warnings.warn(message, ChanfpWarning, stacklevel=4)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain values, reasons in the order of their names."""
        return {
            "total": self.total,
            "accepted": self.accepted,
            "rejected": self.n_rejected,
            "rejected_by_reason": dict(sorted(self.rejected.items())),
            "filtered_by_reason": dict(sorted(self.filtered.items())),
            "notes": dict(sorted(self.notes.items())),
            "examples": dict(sorted(self.examples.items())),
        }


def _way_out(reason: str, example: str) -> str:
    """Return what to do about rows rejected for a reason, given the first of them."""
    if reason == "direction-unreadable":
        return "say what the values mean in `directions`, such as 0=out and 1=in,"
    if reason.endswith("-invalid") and AS_FLOAT.search(example):
        return (
            "a spreadsheet has made floating-point numbers of them and may have lost digits; "
            "export the column as text"
        )
    if reason == "start-time-invalid":
        return "export times as 2024-01-31 23:59:59"
    if reason.endswith("-invalid"):
        return "name their region in `numbers` if they are another's, correct the export"
    return "correct the export"


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return reasons with their counts, the most frequent first, then by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
