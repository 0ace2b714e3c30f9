"""Call detail records: files or tables in, opened and understood, to be read when needed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .areacodes import AreaPlans, check_globs
from .blocks import Progress, Tally, map_ordered
from .cleaning import CleanCalls, Watch, clean_unit
from .counts import RecordCounts
from .errors import ChanfpWarning
from .exports import Export
from .headers import Settings, find_column, read_settings, recognise
from .numbering import NumberingPlan
from .shortnumbers import ShortNumbers
from .span import Span
from .tables import TableSource, as_text, find_sources
from .zones import check_timezone

__all__ = ["CallRecords", "read_cdrs"]

START_TIME = "start_time"
OPTIONAL_WORDS = ("duration_s", "kind")
MANY_NUMBERS = 1_000  # fewer are looked up in no time


@dataclass(frozen=True)
class CallRecords:
    """CDRs that are read when needed, as often as needed. Made by `read_cdrs`.

    Parameters
    ----------
    exports : list of Export
        Files and tables and what their columns mean, in the order they are read.
    plan : NumberingPlan
        How numbers are normalised and classified; exports may add their own area code.
    timezone : str or None
        The zone of the clock on the wall that times with a zone are turned into.
    short_numbers : ShortNumbers or None
        Whom the short numbers of groups reach.
    skipped, repeated : tuple of str
        Files passed over, because their names are those of no tables; files given more than once.
    """

    exports: list[Export]
    plan: NumberingPlan
    timezone: str | None = None
    short_numbers: ShortNumbers | None = None
    skipped: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def __repr__(self) -> str:
        n_rows = self.n_rows
        rows = "rows not counted yet" if n_rows is None else f"{n_rows:,} rows"
        names = ", ".join(source.name for source in self.sources[:3])
        more = f" and {len(self.sources) - 3} more" if len(self.sources) > 3 else ""
        return f"<CallRecords: {names}{more}; {rows}; numbers {self.plan.region}>"

    @property
    def sources(self) -> list[TableSource]:
        """Files and tables, in the order they are read."""
        return [export.source for export in self.exports]

    @property
    def n_rows(self) -> int | None:
        """Rows of all sources together, where known without reading."""
        known = [source.n_rows for source in self.sources]
        return None if None in known else sum(count for count in known if count is not None)

    @property
    def is_rereadable(self) -> bool:
        """Whether a second pass is possible; a stream reader gives its rows only once."""
        return all(source.is_rereadable for source in self.sources)

    def within(self, span: Span) -> CallRecords:
        """Return the same records, but rows outside a span are rejected as ``start-time-stray``."""
        return replace(self, exports=[replace(export, span=span) for export in self.exports])

    def partner_names(self, keys: npt.NDArray[np.uint64]) -> list[str]:
        """Return readable numbers for keys.

        Under a numbering plan these are E.164 numbers, or ``group:short``. The keys of opaque ids
        tell nothing, so the records are read again until the texts behind them are found.
        """
        if self.short_numbers is not None:
            return self.short_numbers.format(keys)
        if not self.plan.is_opaque or not self.is_rereadable:
            return list(self.plan.format(keys))
        found: dict[int, str] = {}
        wanted = np.unique(keys)
        units = (unit for export in self.exports for unit in export.units(export.parties))
        for unit in units if len(wanted) else ():
            for batch in unit():
                for name in batch.records.schema.names:
                    texts, _ = as_text(batch.records.column(name), batch.place(0, name))
                    seen, _ = self.plan.resolve(texts)
                    rows = np.flatnonzero(np.isin(seen, wanted))
                    for key, text in zip(seen[rows], texts.take(rows).to_pylist(), strict=True):
                        found.setdefault(int(key), text.strip())
            if len(found) == len(wanted):
                break
        return [found.get(int(key), "") for key in keys]

    def clean_batches(
        self,
        *,
        extra: Sequence[str] = (),
        watch: Watch | None = None,
        keeps_rejects: bool = False,
        is_lenient: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[Callable[[], tuple[list[CleanCalls], RecordCounts]]]:
        """Yield pieces of work in the order of the sources; each may run on any thread.

        Parameters
        ----------
        extra : sequence of str
            Further columns wanted (``cell``, ``imei``, ``callee_cell``, ``callee_imei``); an
            export without one gives nulls.
        watch : callable, optional
            Shown every batch when it is clean, on the thread that cleaned it.
        keeps_rejects : bool, default False
            Read all columns, and keep the rejected rows beside the counts.
        is_lenient : bool, default False
            Let hashed ids pass under a numbering plan, for a first look at them.
        progress : callable, optional
            Called as ``progress("numbering", done, None)`` with the distinct numbers that
            phonenumbers was asked about, where they are many; from any thread, one at a time.

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
        numbering = None if progress is None else Tally(progress, MANY_NUMBERS)
        for export in self.exports:
            for party in export.parties:
                export.source.warn_of_integers(export.needed(party))
            words = [*export.parties, "direction", START_TIME, *OPTIONAL_WORDS, *extra]
            units = (
                export.source.units(export.source.schema.names)
                if keeps_rejects
                else export.units(words)
            )
            for place, unit in enumerate(units):
                yield partial(
                    clean_unit,
                    unit,
                    export,
                    tuple(extra),
                    is_first=place == 0 and not is_lenient,
                    watch=watch,
                    keeps_rejects=keeps_rejects,
                    numbering=numbering,
                )

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
            Filled while reading; its reject file, if it has one, is whole at the end.
        n_threads : int, optional
            Default every usable core.
        progress : callable, optional
            Told the rows read.
        stage : str
            The stage named to `progress`.
        """
        counts = RecordCounts() if counts is None else counts
        batches = self.clean_batches(
            extra=extra, keeps_rejects=counts.reject_file is not None, progress=progress
        )
        for calls, found in map_ordered(lambda read: read(), batches, n_threads=n_threads):
            counts.add(found)
            yield from calls
            if progress is not None:
                progress(stage, counts.total, self.n_rows)
        counts.finish()


def read_cdrs(
    source: Any,
    *,
    numbers: str | NumberingPlan = "CN",
    columns: Mapping[str, str] | None = None,
    directions: Mapping[str, str] | None = None,
    settings: str | os.PathLike[str] | Settings | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    timezone: str | None = None,
    area_code: str | Mapping[str, str] | None = None,
    short_numbers: Any = None,
) -> CallRecords:
    """Open call detail records, to be read when needed.

    Parameters
    ----------
    source : str, path, object with ``__arrow_c_stream__``, or a list of these
        CSV (.gz, .zst) or Parquet files, folders and globs of them, or tables of pandas, polars,
        DuckDB or pyarrow. Each is call-centred (``caller, callee, start_time``) or
        subscriber-centred (``subscriber, other_party, direction, start_time``: each row speaks for
        its subscriber only); ``duration_s, kind, cell, imei, callee_cell, callee_imei`` are used
        where they are there. Known English and Chinese headers are recognised.
    numbers : str or NumberingPlan, default "CN"
        The region whose numbering plan applies, or ``"opaque"`` for hashed or made-up ids, which
        are then told apart but neither normalised nor filtered.
    columns : mapping of str to str, optional
        Word to column, such as ``{"caller": "主叫号码"}``, where headers are not recognised; an
        empty column means that there is none. In a file that lacks a column that others have, the
        word is recognised as if nothing was said.
    directions : mapping of str to str, optional
        What values of the direction column mean, such as ``{"0": "out", "1": "in"}``.
    settings : path or Settings, optional
        A TOML file with the tables ``[columns]``, ``[directions]`` and ``[area_codes]`` (glob to
        code) and the keys ``timezone``, ``encoding``, ``delimiter``, ``area_code``; what is given
        here goes before it.
    encoding, delimiter : str, optional
        Of CSV files; default found out file by file.
    timezone : str, optional
        IANA name of the zone of the clock on the wall, such as ``"Asia/Shanghai"``: times with a
        zone and epochs become its time, times without a zone are its time already. Without it,
        times with a zone become UTC.
    area_code : str or mapping of str to str, optional
        Where landlines without an area code belong, or for each glob of file names where; the
        first glob that fits counts. Without it such landlines are counted as ``no-area-code``.
    short_numbers : ShortNumbers, or whatever `read_subscribers` takes, optional
        Table ``subscriber, group, short, number`` of the short numbers inside family and company
        groups (see `ShortNumbers.read`): they become the real number, or a partner kept apart by
        group. Without it, and where the group isn't known, they are nobody's number.

    Returns
    -------
    CallRecords
        Nothing is read yet but headers.

    Raises
    ------
    DataError
        If a file is missing, empty, or not what its suffix says.
    ColumnError
        If a required column is missing, or it can't be told which one is meant.
    ParameterError
        If there is no such zone, area code, encoding, column word or direction.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"主叫号码": ["13912345678"], "被叫号码": ["+8613800000001"],
    ...                   "开始时间": ["2024-01-31 12:00:00"]})
    >>> read_cdrs(table)
    <CallRecords: <pyarrow.Table>; 1 rows; numbers CN>
    """
    if settings is None:
        settings = Settings()
    elif not isinstance(settings, Settings):
        settings = read_settings(settings)
    settings = settings.updated(
        columns=columns,
        directions=directions,
        encoding=encoding,
        delimiter=delimiter,
        timezone=timezone,
        area_code=area_code,
    )
    zone = check_timezone(settings.timezone)
    plan = numbers if isinstance(numbers, NumberingPlan) else NumberingPlan(numbers)
    plans = AreaPlans(plan, settings.area_code, settings.area_codes)
    if short_numbers is not None and not isinstance(short_numbers, ShortNumbers):
        short_numbers = ShortNumbers.read(short_numbers, plans.base)
    found = find_sources(source, encoding=settings.encoding, delimiter=settings.delimiter)
    found.warn_of_skipped()
    sources, repeated = _each_once(found)
    if isinstance(area_code, Mapping):
        check_globs(area_code, [opened.name for opened in sources])
    exports = []
    given_for_each = _given_for_each(sources, settings.columns)
    for opened, given in zip(sources, given_for_each, strict=True):
        columns_found = recognise(opened.schema.names, given, place=opened.name)
        exports.append(
            Export(
                opened,
                columns_found,
                plans.of(opened.name),
                settings.directions,
                zone,
                short_numbers,
            )
        )
    return CallRecords(
        exports,
        plans.base,
        settings.timezone,
        short_numbers,
        tuple(found.skipped),
        tuple(repeated),
    )


def _given_for_each(
    sources: Sequence[TableSource], columns: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return what the user said of the columns of each source.

    A column that only other sources have says nothing of this one; one that nobody has is wrong
    everywhere.
    """
    has = [
        {
            column
            for column in columns.values()
            if column and find_column(source.schema.names, column) is not None
        }
        for source in sources
    ]
    somewhere: set[str] = set().union(*has)
    return [
        {
            word: column
            for word, column in columns.items()
            if column in present or column not in somewhere
        }
        for present in has
    ]


def _each_once(sources: Sequence[TableSource]) -> tuple[list[TableSource], list[str]]:
    """Leave out files given twice, as by a folder and a file in it; their calls count once."""
    seen: set[str] = set()
    kept, repeated = [], []
    for source in sources:
        path = os.path.realpath(source.name)
        if os.path.exists(path) and path in seen:
            warnings.warn(
                f"{source.name}: given more than once, read once.", ChanfpWarning, stacklevel=3
            )
            repeated.append(source.name)
            continue
        seen.add(path)
        kept.append(source)
    return kept, repeated
