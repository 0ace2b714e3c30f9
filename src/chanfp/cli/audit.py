"""``chanfp audit``: matches and sales in, figures of outlets and sellers out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from .progress import show_progress
from .reading import READING_SECTION, ReadingOptions, open_records, reading_options
from .sections import SectionedCommand

__all__ = ["audit"]

TABLES = {
    "cells": "Table cell, region: where cards live.",
    "subscribers": "Table of subscribers: activations, departures, recycled numbers, ids.",
    "additional": "Table of additional numbers that chanfp match --additional wrote.",
    "settlements": "Table subscriber, user_month, amount, paid_at: which instalments were paid.",
    "usage": "Table subscriber, month, fee, voice_min, sms, data_mb.",
    "recharges": "Table subscriber, time, outlet, cell.",
}
SECTIONS = {
    "Files": (
        "--matches", "--sales", "--outlets", "--cdr", *(f"--{name}" for name in TABLES), "--out",
    ),
    "What is judged": ("--rules", "--policy", "--by", "--compare-days", "--new-since", "--lenient"),
    "What is shown": ("--format", "--json", "--quiet"),
    **READING_SECTION,
    "The machine": ("--threads",),
}  # fmt: skip


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command one option for each table that may be missing."""
    for name, text in reversed(TABLES.items()):
        command = click.option(f"--{name}", metavar="FILE", help=text)(command)
    return command


@click.command(
    cls=SectionedCommand,
    sections=SECTIONS,
    help="""Audit outlets: returners, sales across regions, farmed cards, commission.

    \b
    chanfp audit --matches matches.csv --sales sales.csv --outlets outlets.csv \\
        --subscribers subscribers.csv --cells cells.csv --cdr cdr/*.csv --out audit
    """,
    epilog="A rule whose input is missing is not evaluated. Exit status: 0 done, 1 bad input, "
    "2 wrong usage.",
)
@reading_options(is_required=False)
@click.option("--matches", required=True, metavar="FILE", help="Result of chanfp match.")
@click.option(
    "--sales",
    required=True,
    metavar="FILE",
    help="Table subscriber, outlet, sold_at, and seller, price, commission, activation_cell, "
    "product.",
)
@click.option(
    "--outlets", required=True, metavar="FILE", help="Table outlet, parent, kind, region: the tree."
)
@table_options
@click.option(
    "--out",
    required=True,
    metavar="DIRECTORY",
    help="Where nodes, subscriptions and flags go, cuts and recharges where asked for.",
)
@click.option(
    "--rules",
    default="china-mobile-2011",
    show_default=True,
    metavar="NAME|FILE",
    help="Rules for farmed cards and sales across regions; also unicom-low-use, audit-colours, or "
    "a file of your own.",
)
@click.option(
    "--policy",
    default="default",
    show_default=True,
    metavar="NAME|FILE",
    help="Which shares stand out, and what follows from it.",
)
@click.option(
    "--by",
    metavar="NAMES",
    default="",
    help="Figures by some of outlet,region,week,product, with changes from week to week.",
)
@click.option(
    "--compare-days",
    type=float,
    metavar="DAYS",
    default=30,
    show_default=True,
    help="Without week, --by compares the last so many days of sales with as many before.",
)
@click.option(
    "--new-since",
    metavar="TIME",
    help="Sales from this time on count as new.  [default: when 95 % of the sales of matched "
    "numbers were made]",
)
@click.option(
    "--lenient",
    is_flag=True,
    help="Count outlets and sales that don't fit into the tree instead of stopping.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Threads; the result doesn't depend on them.  [default: every usable core]",
)
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on standard output.")
def audit(
    *,
    reading: ReadingOptions,
    matches: str,
    sales: str,
    outlets: str,
    cells: str | None,
    subscribers: str | None,
    additional: str | None,
    settlements: str | None,
    usage: str | None,
    recharges: str | None,
    out: str,
    rules: str,
    policy: str,
    by: str,
    compare_days: float,
    new_since: str | None,
    lenient: bool,
    file_format: str,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the command."""
    from ..audit import audit_outlets
    from ..tables import make_folder
    from .audited import audit_text

    make_folder(out)  # found out before all the reading
    cdrs = open_records(reading) if reading.paths else None
    with show_progress(quiet) as progress:
        result = audit_outlets(
            matches,
            sales,
            outlets,
            cells,
            cdrs,
            rules,
            subscribers=subscribers,
            additional=additional,
            settlements=settlements,
            usage=usage,
            recharges=recharges,
            policy=policy,
            by=[name.strip() for name in by.split(",") if name.strip()],
            compare_days=compare_days,
            new_since=new_since,
            lenient=lenient,
            numbers=reading.numbers,
            timezone=reading.timezone if cdrs is None else cdrs.timezone,
            n_threads=threads,
            progress=progress,
        )
        result.write(out, format=file_format)
    if as_json:
        summary = {**result.summary, "out": out}
        click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(audit_text(result, out))
