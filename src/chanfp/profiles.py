"""Profiles: the cells, handsets and hours of subscriptions in their windows.

Read in a second pass, for the subscriptions that are judged only, so that all others cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array, csr_array

from .blocks import Progress
from .cleaning import FOR_CALLEE, FOR_CALLER, CleanCalls
from .fingerprints import Fingerprints, FingerprintSet
from .repeats import find_repeats, pack_calls
from .sidetables import read_cells

__all__ = ["Profile", "read_cell_regions", "read_profiles"]

HOURS_PER_WEEK, HOURS_PER_DAY = 168, 24
HOUR_S = 3600
# Monday to Friday, from when to when; weeks are counted from a Thursday, as 1970 began on one.
FIRST_WEEKDAY, WORKDAYS = 3, 5
WORK_HOURS = (9, 18)
# The sides of a call and the columns that tell of each.
SIDES = ((FOR_CALLER, "cell", "imei"), (FOR_CALLEE, "callee_cell", "callee_imei"))


@dataclass(frozen=True)
class Profile:
    """Cells, handsets and hours of one fingerprint set, row for row.

    Parameters
    ----------
    home_cells, work_cells : csr_array of int32, shape (n_subscriptions, n_cells)
        Calls made and received per own cell outside and in working hours, Monday to Friday from 9
        to 18; empty rows where none is recorded or none was wanted.
    handsets : csr_array of int32, shape (n_subscriptions, n_handsets)
        The same per own IMEI, at any hour.
    hours : csr_array of int32, shape (n_subscriptions, 168)
        Calls made per hour of the week.
    cell_names : list of str
        The columns of both tables of cells.
    """

    home_cells: csr_array
    work_cells: csr_array
    handsets: csr_array
    hours: csr_array
    cell_names: list[str]

    @cached_property
    def cells(self) -> csr_array:
        """Calls per own cell at any hour."""
        return csr_array(self.home_cells + self.work_cells)

    def hours_of_day(self) -> npt.NDArray[np.int64]:
        """Return the calls made per hour of the day, shape (n_subscriptions, 24)."""
        rows = np.repeat(np.arange(self.hours.shape[0]), np.diff(self.hours.indptr))
        found = np.zeros((self.hours.shape[0], HOURS_PER_DAY), np.int64)
        np.add.at(found, (rows, self.hours.indices % HOURS_PER_DAY), self.hours.data)
        return found

    def only(self, rows: npt.NDArray[np.int64]) -> Profile:
        """Return the profile of some rows."""
        return Profile(
            csr_array(self.home_cells[rows]),
            csr_array(self.work_cells[rows]),
            csr_array(self.handsets[rows]),
            csr_array(self.hours[rows]),
            self.cell_names,
        )

    def with_cells_of(self, rows: npt.NDArray[np.int64]) -> Profile:
        """Return the profile with the cells of other rows of it, one for each row."""
        return replace(
            self,
            home_cells=csr_array(self.home_cells[rows]),
            work_cells=csr_array(self.work_cells[rows]),
        )

    def regions(self, region_of_cell: dict[str, str]) -> list[str | None]:
        """Return the region with most calls in own cells of each row; None where no cell is known.

        Among equals the first by name wins.
        """
        names = sorted(set(region_of_cell.values()))
        column_of = {name: column for column, name in enumerate(names)}
        known = [
            (cell, column_of[region_of_cell[name]])
            for cell, name in enumerate(self.cell_names)
            if name in region_of_cell
        ]
        found: list[str | None] = [None] * self.cells.shape[0]
        if not known:
            return found
        to_region = csr_array(
            (np.ones(len(known), np.int64), tuple(np.array(known).T)),
            shape=(self.cells.shape[1], len(names)),
        )
        calls = (self.cells @ to_region).tocsr()
        calls.sort_indices()
        for row in np.flatnonzero(np.diff(calls.indptr)):
            part = slice(calls.indptr[row], calls.indptr[row + 1])
            found[row] = names[calls.indices[part][np.argmax(calls.data[part])]]
        return found


class _Names:
    """Numbers names as they appear; `ranks` gives them the order of the alphabet."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def encode(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """Return the code of each text, -1 for null or empty text."""
        encoded = column.dictionary_encode()
        codes = [
            self.codes.setdefault(name, len(self.codes)) if name else -1
            for name in encoded.dictionary.to_pylist()
        ]
        indices = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        return np.asarray(np.array([*codes, -1], np.int64)[indices], np.int64)

    def ranks(self) -> npt.NDArray[np.int64]:
        """Return the place of each code among the sorted names, and -1 for -1.

        So columns, and with them the order of sums, don't hang on the order of the records.
        """
        ranks = np.empty(len(self.codes) + 1, np.int64)
        ranks[[self.codes[name] for name in sorted(self.codes)]] = np.arange(len(self.codes))
        ranks[-1] = -1
        return ranks


class _Collector:
    """Gathers the calls of one fingerprint set."""

    def __init__(
        self, fingerprints: FingerprintSet, wanted: npt.NDArray[np.int64], n_holdings: int
    ) -> None:
        self.role = fingerprints.role
        self.wanted = wanted
        self.row_of = np.full(n_holdings + 1, -1, np.int64)  # the last one stands for "nobody"
        self.row_of[self.role.holdings[wanted]] = wanted
        self.parts: list[tuple[npt.NDArray[Any], ...]] = []
        # Partner and call of each, part for part; only where repeats are to be dropped.
        self.identities: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]] = []

    def choose(
        self, holdings: npt.NDArray[np.int64], times_s: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the row of this set for each call, -1 outside its window."""
        rows = self.row_of[holdings]
        known = np.flatnonzero(rows >= 0)
        at = rows[known]
        outside = (times_s[known] < self.role.start_s[at]) | (times_s[known] > self.role.end_s[at])
        rows[known[outside]] = -1
        return rows

    def add(
        self,
        rows: npt.NDArray[np.int64],
        cells: npt.NDArray[np.int64],
        handsets: npt.NDArray[np.int64],
        hours: npt.NDArray[np.int64],
    ) -> None:
        """Note calls: the row, codes of cell and handset, and hour, a week later if received."""
        self.parts.append(tuple(part.astype(np.int32) for part in (rows, cells, handsets, hours)))

    def add_identities(
        self, calls: CleanCalls, chosen: npt.NDArray[np.int64], is_caller: bool
    ) -> None:
        """Note what tells the calls chosen apart, so that repeats can be dropped."""
        words = pack_calls(
            calls.start_s[chosen],
            calls.duration_s[chosen],
            calls.is_message[chosen],
            np.full(len(chosen), is_caller),
        )
        partners = calls.callee if is_caller else calls.caller
        self.identities.append((partners[chosen], words))

    def drop_repeats(self, cells: _Names, handsets: _Names, tolerance_s: int) -> None:
        """Keep each call once; what it doesn't name is taken from its first repeat that does."""
        if not self.parts:
            return
        rows, cell, handset, hours = (
            np.concatenate(part) for part in zip(*self.parts, strict=True)
        )
        partners, calls = (np.concatenate(part) for part in zip(*self.identities, strict=True))
        # Names decide among equal calls, so that the order of the records doesn't.
        ties = (cells.ranks()[cell], handsets.ranks()[handset])
        order, originals = find_repeats(rows, partners, calls, ties, tolerance_s)
        kept = np.flatnonzero(originals == np.arange(len(order)))
        self.parts = [
            (
                rows[order[kept]],
                _first_named(cell[order], originals)[kept],
                _first_named(handset[order], originals)[kept],
                hours[order[kept]],
            )
        ]
        self.identities.clear()

    def add_table_handsets(self, imeis: pa.Array, handsets: _Names) -> None:
        """Count the handset that the subscriber table names like one more call."""
        nothing = np.full(len(self.wanted), -1, np.int64)
        codes = handsets.encode(imeis.take(pa.array(self.role.rows[self.wanted])))
        self.add(self.wanted, nothing, codes, nothing)

    def profile(self, cells: _Names, handsets: _Names) -> Profile:
        joined = [
            np.concatenate([np.zeros(0, np.int64), *(part[which] for part in self.parts)])
            for which in range(4)
        ]
        rows, cell, handset, hours = joined
        n_rows, cell = len(self.role.rows), cells.ranks()[cell]
        is_work = _is_work(hours)
        return Profile(
            _count_names(rows, np.where(is_work, -1, cell), n_rows, len(cells.codes)),
            _count_names(rows, np.where(is_work, cell, -1), n_rows, len(cells.codes)),
            _count_names(rows, handsets.ranks()[handset], n_rows, len(handsets.codes)),
            _count_names(rows, np.where(hours < HOURS_PER_WEEK, hours, -1), n_rows, HOURS_PER_WEEK),
            sorted(cells.codes),
        )


def read_profiles(
    fingerprints: Fingerprints,
    wanted: Sequence[tuple[FingerprintSet, npt.NDArray[np.int64]]],
    *,
    watch: Callable[[CleanCalls], None] | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> list[Profile]:
    """Read the CDRs once more and profile some subscriptions of some fingerprint sets.

    Parameters
    ----------
    fingerprints : Fingerprints
    wanted : sequence of (FingerprintSet, int64 array)
        Sets of `fingerprints`, and the rows of each that are wanted.
    watch : callable, optional
        Shown every batch, in the order of the records.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Told the rows read.

    Returns
    -------
    list of Profile
        Of each set, over the same columns; rows that were not wanted are empty.

    Raises
    ------
    DataError
        If the CDRs came from a reader that can be read only once.

    Notes
    -----
    A call counts for the side that its record speaks for: one made with its hour and the caller's
    cell and handset, one received only where the callee's own cell or handset is known. Calls
    delivered more than once count once if the fingerprints were built so. Takes 16 bytes a call of
    those wanted while reading.
    """
    n_holdings = len(fingerprints.subscriptions.keys)
    collectors = [_Collector(prints, np.unique(rows), n_holdings) for prints, rows in wanted]
    cells, handsets = _Names(), _Names()
    for calls in fingerprints.cdrs.clean_calls(
        extra=[column for _, *columns in SIDES for column in columns],
        n_threads=n_threads,
        progress=progress,
        stage="reading cells and hours",
    ):
        _collect(calls, fingerprints, collectors, cells, handsets)
        if watch is not None:
            watch(calls)
    if fingerprints.dedupe_s is not None:
        for collector in collectors:
            collector.drop_repeats(cells, handsets, fingerprints.dedupe_s)
    imeis = fingerprints.subscribers.attributes.get("imei")
    if imeis is not None:
        for collector in collectors:
            collector.add_table_handsets(imeis, handsets)
    return [collector.profile(cells, handsets) for collector in collectors]


def _collect(
    calls: CleanCalls,
    fingerprints: Fingerprints,
    collectors: Sequence[_Collector],
    cells: _Names,
    handsets: _Names,
) -> None:
    for side, *names in SIDES:
        columns = [calls.extra[name] for name in names]
        is_caller = side == FOR_CALLER
        if not is_caller and all(column.null_count == len(column) for column in columns):
            continue
        numbers = calls.caller if is_caller else calls.callee
        holdings = fingerprints.subscriptions.find(numbers, calls.start_s)
        holdings[calls.served & side == 0] = -1
        rows_of_each = [one.choose(holdings, calls.start_s) for one in collectors]
        # Names are read once, whoever wants them.
        asked = np.flatnonzero(np.max(rows_of_each, axis=0) >= 0)
        cell, imei = (
            names.encode(column.take(pa.array(asked)))
            for names, column in zip((cells, handsets), columns, strict=True)
        )
        hours = calls.start_s[asked] // HOUR_S % HOURS_PER_WEEK
        hours += 0 if is_caller else HOURS_PER_WEEK
        for collector, rows in zip(collectors, rows_of_each, strict=True):
            chosen = np.flatnonzero(rows[asked] >= 0)
            collector.add(rows[asked[chosen]], cell[chosen], imei[chosen], hours[chosen])
            if fingerprints.dedupe_s is not None:
                collector.add_identities(calls, asked[chosen], is_caller)


def _is_work(hours: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which hours, counted from Thursday at midnight, are working hours."""
    day = (hours // HOURS_PER_DAY + FIRST_WEEKDAY) % 7
    hour = hours % HOURS_PER_DAY
    return (day < WORKDAYS) & (hour >= WORK_HOURS[0]) & (hour < WORK_HOURS[1]) & (hours >= 0)


def _first_named(
    codes: npt.NDArray[np.int64], originals: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return for each original the first code that it or a repeat of it has, -1 if none."""
    found = np.full(len(codes), -1)
    backwards = np.flatnonzero(codes >= 0)[::-1]
    found[originals[backwards]] = codes[backwards]  # the last one assigned stays
    return found


def _count_names(
    rows: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], n_rows: int, n_names: int
) -> csr_array:
    kept = codes >= 0
    ones = np.ones(int(np.count_nonzero(kept)), np.int32)
    # Coordinates that repeat are summed, and the columns of each row come out sorted.
    counts = coo_array((ones, (rows[kept], codes[kept])), shape=(n_rows, n_names)).tocsr()
    counts.sort_indices()
    return counts


def read_cell_regions(source: Any) -> dict[str, str]:
    """Read the table of cells and return the region of each cell.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``cell, region``.

    Raises
    ------
    ColumnError
        If a column is missing.
    DataError
        If one cell stands in two regions; both rows are named.
    """
    table = read_cells(source).table
    pairs = zip(table.column("cell").to_pylist(), table.column("region").to_pylist(), strict=True)
    return {cell: region for cell, region in pairs if region is not None}
