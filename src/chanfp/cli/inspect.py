"""``chanfp inspect``: a first look at CDR files, before anything is matched."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .machine import MACHINE_SECTION, machine_options
from .printing import print_lines
from .progress import show_progress
from .reading import READING_SECTION, ReadingOptions, open_records, reading_options
from .sections import SectionedCommand
from .wording import in_options

if TYPE_CHECKING:
    from ..inspection import Inspection

__all__ = ["inspect"]

SIDE_COLUMNS = {
    "usage": "subscriber, month, fee, voice_min, sms, data_mb",
    "settlements": "subscriber, user_month, amount, paid_at",
    "recharges": "subscriber, time, outlet, cell",
    "cells": "cell, region",
}
SECTIONS = {
    "Files": ("--cdr", "--subscribers", *(f"--{name}" for name in SIDE_COLUMNS), "--rejects"),
    "What is shown": ("--window-days", "--json", "--quiet"),
    **READING_SECTION,
    **MACHINE_SECTION,
}


def side_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option for each table beside the records."""
    for name, columns in reversed(SIDE_COLUMNS.items()):
        option = click.option(
            f"--{name}", metavar="FILE", help=f"Table {columns}, checked row by row."
        )
        command = option(command)
    return command


@click.command(
    cls=SectionedCommand,
    sections=SECTIONS,
    help="""Take a first look at CDRs: what is there, what can be used, what is odd.

    \b
    chanfp inspect --cdr cdr/*.csv --subscribers subscribers.csv
    """,
    epilog="Every row is read once; all counts are exact. Exit status: 0 done, 1 bad input, "
    "2 wrong usage. Rows that can't be used are counted and stop nothing.",
)
@reading_options
@click.option(
    "--subscribers",
    metavar="FILE",
    help="Table with subscriber, activated_at, departed_at: whose partners are counted, by role.  "
    "[default: every number that calls]",
)
@side_options
@click.option(
    "--window-days",
    type=float,
    metavar="DAYS",
    default=30,
    show_default=True,
    help="Length of the windows that roles are judged by.",
)
@click.option(
    "--rejects",
    metavar="FILE",
    help="Write every row that can't be used to this file: .csv, .csv.gz or .parquet.",
)
@machine_options("2GB")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
def inspect(
    *,
    reading: ReadingOptions,
    subscribers: str | None,
    usage: str | None,
    settlements: str | None,
    recharges: str | None,
    cells: str | None,
    window_days: float,
    rejects: str | None,
    memory_limit: int | None,
    temp_dir: str | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the command."""
    from ..errors import ChanfpWarning
    from ..inspection import inspect_cdrs
    from ..subscribers import read_subscribers
    from ..tables import open_rejects

    with warnings.catch_warnings():
        # What reading warns of stands among the findings.
        warnings.simplefilter("ignore", ChanfpWarning)
        records = open_records(reading)
    table = None
    if subscribers is not None:
        table = read_subscribers(subscribers, timezone=records.timezone)
    sides = {"usage": usage, "settlements": settlements, "recharges": recharges, "cells": cells}
    inputs = [path for path in (subscribers, *sides.values(), *reading.tables) if path]
    inputs += [source.name for source in records.sources]
    with (
        warnings.catch_warnings(),
        show_progress(quiet) as progress,
        open_rejects(rejects, inputs) as reject_file,
    ):
        warnings.simplefilter("ignore", ChanfpWarning)
        inspection = inspect_cdrs(
            records,
            table,
            **sides,
            window_days=window_days,
            rejects=reject_file,
            memory_limit=memory_limit,
            temp_dir=temp_dir,
            n_threads=threads,
            progress=progress,
        )
    if as_json:
        found = inspection.to_dict()
        for warning in found["warnings"]:
            warning["text"] = in_options(warning["text"])
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(inspection)


def _show(inspection: Inspection) -> None:
    """Print everything, in colour on a terminal."""
    from ..inspection import inspection_lines

    width = shutil.get_terminal_size((80, 24)).columns
    print_lines(inspection_lines(inspection, width, wording=in_options))
