"""The subscriber table: which number was held from when to when, and what else is known of it."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .clock import DATE_ONLY, DAY_S, INVALID, MISSING, clock_rows, format_time, read_times
from .errors import ChanfpWarning, ColumnError, DataError
from .headers import find_words
from .keys import KeyTable
from .numbering import NumberingPlan
from .sidetables import Column, read_column
from .subscriptions import Subscriptions
from .tables import Batch, TableSource, as_text, describe_columns, find_sources
from .zones import check_timezone

__all__ = ["BEGINNING_S", "Subscribers", "read_subscribers"]

REQUIRED_COLUMNS = ("subscriber", "activated_at", "departed_at")
ATTRIBUTES = (
    Column("subscription_id", "text", "told apart where a number is recycled"),
    Column("status", "text", "active, suspended or closed", takes_words=True),
    Column("suspended_at", "time", "when the number was barred"),
    Column("id_hash", "text", "identity card, hashed"),
    Column("name_hash", "text", "name, hashed"),
    Column("imei", "text", "handset last seen"),
    Column("outlet", "text", "point of sale"),
    Column("seller", "text", "person who sold it"),
    Column("product", "text", "what was sold"),
    Column("plan", "text", "tariff"),
    Column("monthly_fee", "money", "fee of the tariff"),
    Column("activation_cell", "text", "cell of the first use"),
    Column("arrears", "money", "owed, at departure if it has departed"),
    Column("leaving_score", "quantity", "how surely it was expected to leave, 0 to 1"),
)
WORDS = (*REQUIRED_COLUMNS, *(column.name for column in ATTRIBUTES))
BEGINNING_S, END_S = -(2**62), 2**62
MOST_UNUSABLE_SHARE = 0.5


@dataclass(frozen=True)
class Subscribers:
    """The subscriber table, one subscription a row. Made by `read_subscribers`.

    Parameters
    ----------
    ids : pyarrow.Array of string
        Numbers exactly as they stand in the table.
    activated_s, departed_s : int64 array
        The period in seconds since 1970, both ends included; far away where open.
    is_departed : bool array
        True where the table gives a departure.
    attributes : dict of str to pyarrow.Array
        The optional columns found; text but for ``suspended_at`` (time stamp in seconds) and
        ``monthly_fee``, ``arrears``, ``leaving_score`` (float64); null where empty.
    places : list of (str, int, int)
        For each source its name, its first row here, and the number messages use for that row.
    clocks : dict of str to str
        By which clocks the dates go (as in `chanfp.zones`), each with its first place and value.
    """

    ids: pa.Array
    activated_s: npt.NDArray[np.int64]
    departed_s: npt.NDArray[np.int64]
    is_departed: npt.NDArray[np.bool_]
    attributes: dict[str, pa.Array]
    places: list[tuple[str, int, int]]
    clocks: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        n_departed = int(np.count_nonzero(self.is_departed))
        return f"<Subscribers: {len(self):,} subscriptions, {n_departed:,} of them departed>"

    @property
    def sources(self) -> list[str]:
        """The names of the files or tables read."""
        return [name for name, *_ in self.places]

    @classmethod
    def without_dates(cls, ids: pa.Array, place: str) -> Subscribers:
        """Return a table of numbers (string array) alone, held for ever as far as it knows.

        `place` is what messages call it.
        """
        n_rows = len(ids)
        return cls(
            ids,
            np.full(n_rows, BEGINNING_S),
            np.full(n_rows, END_S),
            np.zeros(n_rows, bool),
            {},
            [(place, 0, 1)],
        )

    def place(self, row: int) -> str:
        """Name the file and row of a subscription, for messages."""
        for name, begin, first_row in reversed(self.places):
            if row >= begin:
                return f"{name}, row {first_row + row - begin}"
        return f"row {row}"

    def index(self, plan: NumberingPlan) -> Subscriptions:
        """Return the look-up from number and time to subscription.

        Raises
        ------
        DataError
            If two periods of one number overlap, or most numbers can't be read under `plan`.
        """
        keys, codes = plan.resolve(self.ids)
        unusable = Counter(plan.reasons[code] for code in codes[codes != 0])
        if sum(unusable.values()) > MOST_UNUSABLE_SHARE * len(self):
            row = int(np.flatnonzero(codes)[0])
            raise DataError(
                f"{self.place(row)}, column 'subscriber': {sum(unusable.values()):,} of "
                f"{len(self):,} subscribers are no subscriber numbers under the plan "
                f"{plan.region!r}, such as {self.ids[row].as_py()!r} "
                f"({plan.reasons[codes[row]]}); name another region, or 'opaque' for hashed or "
                "made-up ids."
            )
        rows = np.flatnonzero(codes == 0)
        order = rows[np.lexsort((self.activated_s[rows], keys[rows]))]
        sorted_keys = keys[order]
        begin_s, end_s = self.activated_s[order], self.departed_s[order]
        clash = np.flatnonzero((sorted_keys[1:] == sorted_keys[:-1]) & (begin_s[1:] <= end_s[:-1]))
        if len(clash):
            self._refuse_overlap(int(order[clash[0]]), int(order[clash[0] + 1]))
        first = np.flatnonzero(np.append(True, sorted_keys[1:] != sorted_keys[:-1])[: len(order)])
        return Subscriptions(
            rows=order,
            keys=sorted_keys,
            periods=np.stack([begin_s, end_s], axis=1).reshape(-1),
            is_departed=self.is_departed[order],
            table=KeyTable.of(sorted_keys[first], first),
            unusable=unusable,
        )

    def _refuse_overlap(self, earlier: int, later: int) -> None:
        raise DataError(
            f"{self.place(earlier)} and {self.place(later)}: one number can't be two subscriptions "
            f"at once; {self.ids[later].as_py()!r} is activated "
            f"{_format_bound(int(self.activated_s[later]), 'at an unknown time')} while the other "
            f"period ends {_format_bound(int(self.departed_s[earlier]), 'never')}; correct one of "
            "the dates or drop a row."
        )


def read_subscribers(source: Any, *, timezone: str | None = None) -> Subscribers:
    """Read the subscriber table.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        With the columns ``subscriber, activated_at, departed_at`` (empty = still active) and
        optionally ``subscription_id, status`` (active, suspended, closed)``, suspended_at, id_hash,
        name_hash, imei, outlet, seller, product, plan, monthly_fee, activation_cell, arrears,
        leaving_score``, or known
        Chinese headers for these.
    timezone : str, optional
        IANA name of the zone of the clock on the wall, as in `read_cdrs`: times with a zone and
        epochs become its time. Without it they become UTC.

    Returns
    -------
    Subscribers
        In the order of the table; empty where the table is.

    Raises
    ------
    ColumnError
        If a required column is missing, or ids are stored as floating-point numbers.
    DataError
        If a date, status or fee can't be read, or a period ends before it starts; file, row and
        column are named.
    ParameterError
        If there is no such zone.

    Warns
    -----
    ChanfpWarning
        If a subscription is closed but has no departure: it counts as still active.

    Notes
    -----
    A departure given as a date only lasts to the end of that day; so does one given as a time
    stamp if all departures of the column lie at midnight, as data frames keep dates. The dates
    bound a subscription; the windows that are compared hang on its first and last own call or
    message.
    """
    pieces: list[Piece] = []
    places: list[tuple[str, int, int]] = []
    clocks: dict[str, str] = {}
    zone = check_timezone(timezone)
    n_rows = 0
    sources = find_sources(source)
    sources.warn_of_skipped()
    for opened in sources:
        columns = find_words(opened.schema.names, WORDS, place=opened.name)
        missing = [name for name in REQUIRED_COLUMNS if name not in columns]
        if missing:
            raise ColumnError(
                f"{opened.name}: the subscriber table needs a column {missing[0]!r}; the columns "
                f"found are {describe_columns(opened.schema.names)}; rename the one that is meant."
            )
        places.append((opened.name, n_rows, opened.first_row))
        for piece in _read_source(opened, columns, zone, clocks):
            pieces.append(piece)
            n_rows += len(piece[0])
    subscribers = replace(_join_pieces(pieces, places), clocks=clocks)
    _warn_of_open_ends(subscribers)
    return subscribers


Piece = tuple[
    pa.Array,
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.bool_],
    dict[str, pa.Array],
]


def _read_source(
    source: TableSource, columns: dict[str, str], zone: ZoneInfo | None, clocks: dict[str, str]
) -> list[Piece]:
    attributes = [column for column in ATTRIBUTES if column.name in columns]
    number, departed_at = columns["subscriber"], columns["departed_at"]
    pieces: list[Piece] = []
    batches: list[Batch] = []
    source.warn_of_integers(number)
    for batch in source.batches(list(columns.values()), is_strict=True):
        ids, _ = as_text(batch.records.column(number), batch.place(0, number))
        activated_s, _ = _read_dates(batch, columns["activated_at"], BEGINNING_S, zone, clocks)
        departed_s, is_departed = _read_dates(batch, departed_at, END_S, zone, clocks, lasts=True)
        values = {
            column.name: read_column(batch, columns[column.name], column, zone)
            for column in attributes
        }
        pieces.append((ids.cast(pa.string()), activated_s, departed_s, is_departed, values))
        # For places only; the rest of the rows need not stay.
        batches.append(replace(batch, records=batch.records.select([departed_at])))
    if pa.types.is_timestamp(source.schema.field(departed_at).type):
        _stretch_midnights(pieces)
    for batch, (_, activated_s, departed_s, _, _) in zip(batches, pieces, strict=True):
        _check_order(batch, departed_at, activated_s, departed_s)
    return pieces


def _stretch_midnights(pieces: list[Piece]) -> None:
    """Let departures last to the end of the day if all of them are midnights: dates, that is."""
    if all(not (departed[given] % DAY_S).any() for _, _, departed, given, _ in pieces):
        for _, _, departed_s, is_departed, _ in pieces:
            departed_s[is_departed] += DAY_S - 1


def _read_dates(
    batch: Batch,
    column: str,
    when_empty: int,
    zone: ZoneInfo | None,
    clocks: dict[str, str],
    *,
    lasts: bool = False,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return a date column in seconds and which rows have a date; note by which clocks they go.

    A date `lasts` to the end of its day.
    """
    values = batch.records.column(column)
    seconds, status = read_times(values, batch.place(0, column), zone)
    bad = np.flatnonzero(status == INVALID)
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f"{batch.place(row, column)}: a time such as '2024-01-31 23:59:59' is needed, found "
            f"{values[row].as_py()!r}; correct the cell or leave it empty."
        )
    for clock, row in clock_rows(status, zone).items():
        clocks.setdefault(clock, f"{batch.place(row, column)}: {str(values[row])!r}")
    is_given = status != MISSING
    if lasts:
        seconds = np.where(status == DATE_ONLY, seconds + DAY_S - 1, seconds)
    return np.where(is_given, seconds, when_empty), is_given


def _check_order(
    batch: Batch,
    column: str,
    activated_s: npt.NDArray[np.int64],
    departed_s: npt.NDArray[np.int64],
) -> None:
    wrong = np.flatnonzero(departed_s < activated_s)
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{batch.place(row, column)}: a subscription can't end before it starts; "
            f"departed_at {format_time(int(departed_s[row]))} lies before activated_at "
            f"{format_time(int(activated_s[row]))}; correct one of the two."
        )


def _warn_of_open_ends(subscribers: Subscribers) -> None:
    """Say that closed subscriptions without a departure count as active."""
    status = subscribers.attributes.get("status")
    if status is None:
        return
    is_closed = pc.equal(status, "closed").fill_null(False).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(is_closed & ~subscribers.is_departed)
    if len(rows):
        warnings.warn(
            f"{subscribers.place(int(rows[0]))}: {len(rows):,} subscriptions are closed but have "
            "no departed_at, this one first; they count as still active, give the date.",
            ChanfpWarning,
            stacklevel=3,
        )


def _join_pieces(pieces: list[Piece], places: list[tuple[str, int, int]]) -> Subscribers:
    def joined(part: int, dtype: Any) -> Any:
        return np.concatenate([np.zeros(0, dtype), *(piece[part] for piece in pieces)])

    found = {name for piece in pieces for name in piece[4]}
    attributes = {}
    for column in ATTRIBUTES:
        if column.name in found:
            kind = column.field.type
            parts = [piece[4].get(column.name, pa.nulls(len(piece[0]), kind)) for piece in pieces]
            attributes[column.name] = pa.concat_arrays(parts)
    ids = pa.concat_arrays([pa.array([], pa.string()), *(piece[0] for piece in pieces)])
    return Subscribers(
        ids, joined(1, np.int64), joined(2, np.int64), joined(3, bool), attributes, places
    )


def _format_bound(seconds: int, when_open: str) -> str:
    """Word one end of a period."""
    return f"at {format_time(seconds)}" if BEGINNING_S < seconds < END_S else when_open
