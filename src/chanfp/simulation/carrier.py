"""Carrier: the made-up carrier as the user sees it."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..blocks import Progress
from ..errors import ParameterError
from .records import CdrStream
from .settings import Settings
from .tables import Tables
from .world import World
from .writing import FORMATS, check_target, write_cdrs, write_csv

__all__ = ["SimulatedCarrier", "simulate"]


class SimulatedCarrier:
    """A made-up carrier with known truth, as `simulate` returns it.

    Attributes
    ----------
    cdrs : CdrStream
        Call detail records, made anew each time they are read.
    subscribers : pyarrow.Table
        `subscription_id, subscriber, activated_at, departed_at, status, suspended_at, id_hash,
        name_hash, imei, outlet, seller, product, plan, monthly_fee, activation_cell`, one row
        per subscription in order of activation, as exported `table_lag_days` after the span.
    sales : pyarrow.Table
        `subscriber, outlet, seller, sold_at, price, commission, activation_cell, product`, one
        row per subscription first used in the span.
    outlets : pyarrow.Table
        `outlet, parent, kind, region`: a tree with one root, whose parent is null.
    cells : pyarrow.Table
        `cell, region`.
    truth : pyarrow.Table
        `new, old, new_subscription, old_subscription, kind, person`, one row per subscription
        first used in the span; `old` is null for newcomers and for additional numbers. `kind` is
        one of "returner", "partial-replacement", "wanderer", "additional-number", "new", "farmed";
        a farmed card has no `person`.
    outlet_truth : pyarrow.Table
        `outlet, scheme, n_new, n_returners, n_farmed, n_elsewhere`, one row per point of sale:
        what it does ("honest", "corrupt", "farming", "cross-region") and how many lines it sold in
        the span, to returners, to nobody, to people of another county.

    Missing values are null, in files empty. All times are local, in seconds.
    """

    def __init__(self, world: World, *, n_threads: int | None = None) -> None:
        self.settings = world.settings
        self.cdrs = CdrStream(world, n_threads=n_threads)
        self._tables = Tables(world)

    @cached_property
    def subscribers(self) -> pa.Table:
        """One row per subscription."""
        return self._tables.subscribers()

    @cached_property
    def sales(self) -> pa.Table:
        """One row per subscription sold in the span."""
        return self._tables.sales()

    @cached_property
    def outlets(self) -> pa.Table:
        """The tree of outlets."""
        return self._tables.outlets.table()

    @cached_property
    def cells(self) -> pa.Table:
        """Cells and their regions."""
        return self._tables.world.places.table()

    @cached_property
    def truth(self) -> pa.Table:
        """Which new subscription is which old one."""
        return self._tables.truth()

    @cached_property
    def outlet_truth(self) -> pa.Table:
        """Which points of sale cheat."""
        return self._tables.outlet_truth()

    def __repr__(self) -> str:
        settings, counts = self.settings, pc.value_counts(self.truth["kind"]).to_pylist()
        kinds = ", ".join(f"{count['counts']:,} {count['values']}" for count in counts)
        return (
            f"SimulatedCarrier({settings.people:,} people, seed {settings.seed}, {settings.days} "
            f"days from {settings.start}: {self.subscribers.num_rows:,} subscriptions, "
            f"about {self.cdrs.expected_rows:,} records; new in the span: {kinds})"
        )

    def write(
        self,
        directory: str | os.PathLike[str],
        *,
        format: str = "parquet",  # noqa: A002 - the word users know
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Write the carrier into a folder and return its path.

        The folder gets `cdr/part-*.parquet` (or `.csv`), `subscribers.csv`, `sales.csv`,
        `outlets.csv`, `cells.csv`, `truth.csv` and `outlet_truth.csv`, UTF-8 with a header line.

        Parameters
        ----------
        directory : path
            A folder that is empty or doesn't exist yet.
        format : {"parquet", "csv"}
            Format of the records; the tables are always CSV.
        overwrite : bool
            Replace files of an earlier run in a folder that isn't empty.
        progress : callable, optional
            Called as ``progress("days", done, total)`` after each day.

        Raises
        ------
        ParameterError
            If the format is unknown, or `directory` holds files and `overwrite` is false.

        Notes
        -----
        A file appears under its name only when it is complete. CSV files are the same on every
        machine; Parquet files for one version of pyarrow.
        """
        if format not in FORMATS:
            raise ParameterError(f'`format` must be "parquet" or "csv", got {format!r}.')
        target = Path(directory)
        check_target(target, overwrite=overwrite)
        target.mkdir(parents=True, exist_ok=True)

        def day_done(done: int, total: int) -> None:
            if progress is not None:
                progress("days", done, total)

        write_cdrs(self.cdrs, target / "cdr", format, day_done)
        for name in ("subscribers", "sales", "outlets", "cells", "truth", "outlet_truth"):
            write_csv(getattr(self, name), target / f"{name}.csv")
        return target


def simulate(
    people: int,
    seed: int,
    *,
    days: int = 90,
    start: str = "2024-03-01",
    events_per_month: float = 54.0,
    leaver_share: float = 0.036,
    newcomer_share: float = 0.055,
    returner_share: float = 0.010,
    partial_share: float = 0.0025,
    wanderer_share: float = 0.001,
    dual_share: float = 0.03,
    added_share: float = 0.002,
    recycled_share: float = 0.06,
    format_noise: float = 0.1,
    dirt: float = 0.002,
    table_lag_days: int = 30,
    successor_share: float = 0.15,
    emigrant_share: float = 0.0,
    kept_handset_share: float = 0.6,
    resold_share: float = 0.12,
    density: float = 1.0,
    hub_factor: float = 1.0,
    corrupt_share: float = 0.0,
    farming_share: float = 0.0,
    cross_region_share: float = 0.0,
    n_threads: int | None = None,
) -> SimulatedCarrier:
    """Return a made-up carrier of one city, with records, tables and the truth.

    Parameters
    ----------
    people : int
        Customers over the whole span, 100 to 50 million; newcomers are among them.
    seed : int
        Any number from 0 to 2**64 - 1; the same arguments give the same carrier everywhere.
    days : int
        Length of the span, 7 to 3650.
    start : str
        First day of the span, "YYYY-MM-DD".
    events_per_month : float
        Mean records per customer and 30 days, 1 to 2000.
    leaver_share, newcomer_share, returner_share, partial_share, wanderer_share, added_share : float
        Shares of `people`, per 90 days, who leave for good, join for the first time, leave and
        come back once, replace their number bit by bit, come back twice or more, take a second
        number beside the first. A share above 0 plants at least one person.
    dual_share : float
        Share of the steady customers who hold two numbers throughout.
    recycled_share : float
        Share of newcomers whose number somebody held before, at least 90 quiet days earlier.
    format_noise : float
        Share of mobile numbers that records write other than in 11 plain digits; called numbers
        more often, calling numbers less.
    dirt : float
        Share of records with an empty or broken number.
    table_lag_days : int
        Days from the end of the span to the export of the subscriber table, 0 to 365; departures
        that are closed later are not in it yet.
    successor_share : float
        Share of newcomers who follow a leaver of their family into a household or shop and keep up
        nine in ten of its contacts: to partners alone they look like returners.
    emigrant_share : float
        Share of those who come back once who do so from another city and with another handset.
    kept_handset_share : float
        Share of further numbers used in the same handset as the number they replace.
    resold_share : float
        Share of departed numbers' handsets that are sold on, and of newcomers who look for one.
    density : float
        How many times as dense communities are, 0.25 to 10: everybody knows as many people, out of
        villages and workplaces so many times smaller.
    hub_factor : float
        How many times as many couriers, city hubs and telesales there are, 0.25 to 10, each as
        busy; their records come on top of `events_per_month`.
    corrupt_share, farming_share, cross_region_share : float
        Shares of the points of sale that lure returners, activate cards nobody uses, sell to
        people of other counties; at most 0.5 together. A share above 0 plants at least one.
    n_threads : int, optional
        Threads that draw records; default 2. The records don't depend on it.

    Returns
    -------
    SimulatedCarrier
        Its tables are made when first asked for, its records while they are read.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Notes
    -----
    The figures behind the defaults and their sources stand in `chanfp.simulation`. Peak
    memory is about 1.3 kilobytes per person, whatever the days.

    Examples
    --------
    >>> carrier = simulate(300, seed=1, days=14)
    >>> carrier.truth.column_names
    ['new', 'old', 'new_subscription', 'old_subscription', 'kind', 'person']
    """
    if n_threads is not None and n_threads < 1:
        raise ParameterError(
            f"`n_threads` must be at least 1, got {n_threads}; leave it out for the default."
        )
    options = {name: value for name, value in locals().items() if name != "n_threads"}
    return SimulatedCarrier(World.draw(Settings(**options)), n_threads=n_threads)
