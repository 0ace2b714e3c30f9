"""Usage: what the records tell of the first weeks of each subscription sold, in one pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..blocks import Progress
from ..cdr import CallRecords
from ..cleaning import FOR_CALLEE, FOR_CALLER, CleanCalls
from ..clock import DAY_S
from ..counts import RecordCounts
from ..keys import KeyTable
from ..subscribers import BEGINNING_S
from ..subscriptions import Subscriptions
from .sold import Sold

__all__ = ["Usage", "read_usage_of"]

# Who sells late in the day may book the sale after the first call.
LEAD_S = DAY_S
MOST_WAITING = 1 << 21
SIDES = ((FOR_CALLER, "cell", "imei"), (FOR_CALLEE, "callee_cell", "callee_imei"))

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


class Usage:
    """Counts of the first days of each sale, one entry each.

    Attributes
    ----------
    n_made, n_received, n_messages, n_service : int64 array
        Records; `n_service` are those with a service or a party that is no subscriber number.
    talk_s : int64 array
        Seconds of calls made and received; records without a duration count 0.
    n_partners, n_reciprocal : int64 array
        Distinct partners; those called and calling.
    n_cells : int64 array
        Distinct own cells, 0 where none is recorded.
    imei : int64 array
        The handset of the first record that names one, -1 where none does; equal where equal.
    n_on_imei : int64 array
        Most subscriptions sold that any handset of this one was used with.
    first_s, last_s : int
        First and last second of the records.
    has_durations, has_cells, has_imeis : bool
        Whether any record names one.
    counts : RecordCounts
    """

    def __init__(self, n_sales: int) -> None:
        self.n_sales = n_sales
        self.n_made, self.n_received, self.n_messages, self.n_service, self.talk_s = (
            np.zeros(n_sales, np.int64) for _ in range(5)
        )
        self.n_partners, self.n_reciprocal, self.n_cells, self.n_on_imei = (
            np.zeros(n_sales, np.int64) for _ in range(4)
        )
        self.imei = np.full(n_sales, -1, np.int64)
        self.first_s, self.last_s = 2**62, -(2**62)
        self.has_durations = False
        self.counts = RecordCounts()
        self._partners = _Pairs(np.bitwise_or)
        self._cells = _Pairs(np.add)
        self._imeis = _Pairs(np.minimum)
        self._cell_names, self._imei_names = _Names(), _Names()

    @property
    def has_cells(self) -> bool:
        """Whether any record names a cell of a subscription sold."""
        return bool(self._cell_names.codes)

    @property
    def has_imeis(self) -> bool:
        """Whether any record names a handset of a subscription sold."""
        return bool(self._imei_names.codes)

    def cells(self) -> Iterator[tuple[int, str, int, int]]:
        """Yield (sale, cell, calls and messages made, seconds), ascending by sale."""
        sales, codes, values = self._cells.joined()
        names = list(self._cell_names.codes)
        for sale, code, calls, seconds in zip(
            sales.tolist(), codes.tolist(), *values.T.tolist(), strict=True
        ):
            yield sale, names[code], calls, seconds

    def add(self, calls: CleanCalls, holdings: Subscriptions, until_s: Ints) -> None:
        """Count a batch of records; `until_s` is where the first days of each sale end."""
        if not len(calls):
            return
        self.first_s = min(self.first_s, int(calls.start_s.min()))
        self.last_s = max(self.last_s, int(calls.start_s.max()))
        self.has_durations |= bool((calls.duration_s >= 0).any())
        for side, cell, imei in SIDES:
            is_caller = side == FOR_CALLER
            own, other = (calls.caller, calls.callee) if is_caller else (calls.callee, calls.caller)
            found = holdings.find(own, calls.start_s)
            found[(calls.served & side == 0) | (own == 0)] = -1
            sales = np.append(holdings.rows, -1)[found]
            rows = np.flatnonzero((sales >= 0) & (calls.start_s < np.append(until_s, 0)[sales]))
            if len(rows):
                self._count(calls, rows, sales[rows], other[rows], is_caller)
                self._note(calls, rows, sales[rows], calls.extra[cell], calls.extra[imei])

    def _count(
        self, calls: CleanCalls, rows: Ints, sales: Ints, other: Keys, is_caller: bool
    ) -> None:
        n = self.n_sales
        is_message = calls.is_message[rows]
        is_pair = calls.is_pair[rows]
        (self.n_made if is_caller else self.n_received)[:] += np.bincount(sales, minlength=n)
        self.n_messages += np.bincount(sales[is_message], minlength=n)
        self.n_service += np.bincount(sales[~is_pair], minlength=n)
        np.add.at(self.talk_s, sales, np.maximum(calls.duration_s[rows], 0).astype(np.int64))
        direction = np.full((int(is_pair.sum()), 1), 1 if is_caller else 2, np.int64)
        self._partners.add(sales[is_pair], other[is_pair].view(np.int64), direction)

    def _note(
        self, calls: CleanCalls, rows: Ints, sales: Ints, cells: pa.Array, imeis: pa.Array
    ) -> None:
        """Keep cells with their calls and seconds, and handsets with the first time."""
        chosen = pa.array(rows)
        codes = self._cell_names.encode(cells.take(chosen))
        seconds = np.maximum(calls.duration_s[rows], 0).astype(np.int64)
        known = codes >= 0
        values = np.stack([np.ones(len(rows), np.int64), seconds], axis=1)
        self._cells.add(sales[known], codes[known], values[known])
        codes = self._imei_names.encode(imeis.take(chosen))
        known = codes >= 0
        self._imeis.add(sales[known], codes[known], calls.start_s[rows][known][:, None])

    def finish(self) -> None:
        """Sum up what was kept."""
        n = self.n_sales
        sales, _, directions = self._partners.joined()
        self.n_partners = np.bincount(sales, minlength=n)
        self.n_reciprocal = np.bincount(sales[directions[:, 0] == 3], minlength=n)
        self.n_cells = np.bincount(self._cells.joined()[0], minlength=n)
        sales, codes, times = self._imeis.joined()
        ranks = self._imei_names.ranks()
        order = np.lexsort((ranks[codes], times[:, 0], sales))
        is_first = np.append(True, sales[order][1:] != sales[order][:-1])[: len(order)]
        self.imei[sales[order][is_first]] = ranks[codes[order][is_first]]
        on_imei = np.bincount(codes, minlength=len(ranks))
        np.maximum.at(self.n_on_imei, sales, on_imei[codes])


def read_usage_of(
    sold: Sold,
    cdrs: CallRecords,
    *,
    window_days: float,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Usage:
    """Read the records once and count what each subscription sold did in its first days.

    Parameters
    ----------
    sold : Sold
    cdrs : CallRecords
    window_days : float
        Days from the sale that count; use between activation and sale counts, too.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Told the rows read.

    Notes
    -----
    Memory follows the distinct partners, cells and handsets of the subscriptions sold. A record
    counts for the side it speaks for.
    """
    usage = Usage(len(sold))
    holdings = _holdings(sold)
    until_s = sold.sold_s + round(window_days * DAY_S)
    for calls in cdrs.clean_calls(
        extra=[column for _, *columns in SIDES for column in columns],
        counts=usage.counts,
        n_threads=n_threads,
        progress=progress,
        stage="reading usage",
    ):
        usage.add(calls, holdings, until_s)
    usage.finish()
    return usage


def _holdings(sold: Sold) -> Subscriptions:
    """Return which sale a number belongs to at which time; a number sold again changes hands."""
    activated_s = sold.activated_s
    begin_s = np.minimum(
        np.where(activated_s == BEGINNING_S, sold.sold_s, activated_s), sold.sold_s - LEAD_S
    )
    end_s = np.full(len(sold), 2**62)
    if sold.subscribers is not None:
        departed_s = np.append(sold.subscribers.departed_s, 2**62)[sold.rows]
        end_s = np.where(departed_s > begin_s, departed_s, end_s)
    order = np.lexsort((sold.sold_s, sold.keys))
    keys, begin_s, end_s = sold.keys[order], begin_s[order], end_s[order]
    again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
    # The next buyer's period begins when the last one's is over, or with the sale.
    begin_s[again] = np.maximum(begin_s[again], sold.sold_s[order][again - 1] + 1)
    end_s[again - 1] = np.minimum(end_s[again - 1], begin_s[again] - 1)
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    return Subscriptions(
        rows=order,
        keys=keys,
        periods=np.stack([begin_s, end_s], axis=1).reshape(-1),
        is_departed=np.zeros(len(keys), bool),
        table=KeyTable.of(keys[first], first),
        unusable=RecordCounts().notes,
    )


class _Names:
    """Numbers names as they appear."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def encode(self, column: pa.Array) -> Ints:
        """Return the code of each text, -1 for null or empty text."""
        encoded = column.dictionary_encode()
        codes = [
            self.codes.setdefault(name, len(self.codes)) if name else -1
            for name in encoded.dictionary.to_pylist()
        ]
        indices = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        return np.asarray(np.array([*codes, -1], np.int64)[indices], np.int64)

    def ranks(self) -> Ints:
        """Return the place of each code among the sorted names, for an order of their own."""
        ranks = np.empty(len(self.codes), np.int64)
        ranks[[self.codes[name] for name in sorted(self.codes)]] = np.arange(len(self.codes))
        return ranks


class _Pairs:
    """Values of distinct (sale, thing) pairs, put together by a ufunc."""

    def __init__(self, united: np.ufunc) -> None:
        self._united = united
        self._parts: list[tuple[Ints, Ints, Ints]] = []
        self._n_waiting = 0

    def add(self, sales: Ints, things: Ints, values: Ints) -> None:
        """Take pairs with their values (n, n_values), repeated or not."""
        self._parts.append((sales, things, values))
        self._n_waiting += len(sales)
        if self._n_waiting > MOST_WAITING:
            self.joined()

    def joined(self) -> tuple[Ints, Ints, Ints]:
        """Return distinct pairs and their values, ascending by sale and thing."""
        if not self._parts:
            nothing = np.zeros(0, np.int64)
            return nothing, nothing, nothing.reshape(0, 2)
        sales, things, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.lexsort((things, sales))
        sales, things, values = sales[order], things[order], values[order]
        differs = (sales[1:] != sales[:-1]) | (things[1:] != things[:-1])
        first = np.flatnonzero(np.append(True, differs)[: len(sales)])
        joined = sales[first], things[first], values[first]
        if len(first) < len(sales):
            joined = (*joined[:2], self._united.reduceat(values, first, axis=0))
        self._parts, self._n_waiting = [joined], 0
        return joined
