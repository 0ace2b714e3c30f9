"""The survey: takes every batch of rows as it is cleaned, on any thread, and keeps counts only."""

from __future__ import annotations

import threading

import numpy as np

from ..cdr import CallRecords
from ..cleaning import FOR_CALLEE, FOR_CALLER, CleanCalls, CleanedBatch
from ..clock import DATE_ONLY, NAIVE, ZONED
from ..headers import INCOMING, OUTGOING
from ..keys import KeyTable
from ..numbering import IdSample, sample_ids
from ..screening import N_CODES
from ..tables import as_text
from .files import FileGroup, group_key
from .numbers import NumberClasses
from .ties import Ties

__all__ = ["Survey"]


class Survey:
    """Counts what batches tell; sums only, so that their order makes no difference.

    Parameters
    ----------
    cdrs : CallRecords
    known : KeyTable or None
        The numbers of the subscriber table, where there is one.
    ties : Ties
        Takes the pairs of subscriber and partner.
    """

    def __init__(self, cdrs: CallRecords, known: KeyTable | None, ties: Ties) -> None:
        self.classes = NumberClasses(cdrs.plan.reasons)
        self._groups: dict[tuple[object, ...], FileGroup] = {}
        self._group_of: dict[int, FileGroup] = {}
        self._known = known
        self._ties = ties
        self._lock = threading.Lock()
        for export in cdrs.exports:
            key = group_key(export.source, export.columns)
            group = self._groups.setdefault(key, FileGroup(export.columns))
            group.files.append(export.source.name)
            self._group_of[id(export)] = group

    @property
    def groups(self) -> list[FileGroup]:
        """Files with the same columns, in the order they are read."""
        return list(self._groups.values())

    def watch(self, cleaned: CleanedBatch) -> None:
        """Take a batch, on any thread."""
        export, calls, status = cleaned.export, cleaned.calls, cleaned.time_status
        codes = [np.bincount(found, minlength=N_CODES) for found in cleaned.codes]
        counted = {
            "with-zone": np.count_nonzero(status == ZONED),
            "without-zone": np.count_nonzero((status == NAIVE) | (status == DATE_ONLY)),
        }
        if export.is_subscriber_centred:
            counted["outgoing"] = np.count_nonzero(cleaned.directions == OUTGOING)
            counted["incoming"] = np.count_nonzero(cleaned.directions == INCOMING)
        sampled = _sample(cleaned) if cleaned.batch.first_row == export.source.first_row else {}
        self._take_ties(calls)
        with self._lock:
            group = self._group_of[id(export)]
            group.n_rows += len(status) + len(cleaned.batch.rejects)
            group.rows.update({name: int(count) for name, count in counted.items() if count})
            for party, sample in sampled.items():
                group.look_at(party, sample)
            for party, found in zip(export.parties, codes, strict=True):
                self.classes.add(party, found)

    def _take_ties(self, calls: CleanCalls) -> None:
        for side, people, others in (
            (FOR_CALLER, calls.caller, calls.callee),
            (FOR_CALLEE, calls.callee, calls.caller),
        ):
            is_tie = calls.is_pair & ((calls.served & side) != 0)
            if self._known is not None:
                is_tie &= self._known.find(people, n_threads=1) >= 0
            self._ties.add(people[is_tie], others[is_tie], is_calling=side == FOR_CALLER)


def _sample(cleaned: CleanedBatch) -> dict[str, IdSample]:
    """Return what the first ids of each party look like."""
    records = cleaned.batch.records
    columns = {party: cleaned.export.needed(party) for party in cleaned.export.parties}
    return {
        party: sample_ids(as_text(records.column(column), cleaned.batch.place(0, column))[0])
        for party, column in columns.items()
    }
