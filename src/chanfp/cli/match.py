"""``chanfp match``: CDR files and a subscriber table in, graded matches out."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from .progress import show_progress
from .reading import ReadingOptions, open_records, reading_options

__all__ = ["match"]


@click.command(
    help="""Match new subscribers with departed ones and grade the matches.

    \b
    chanfp match --cdr cdr/*.parquet --subscribers subscribers.csv --out matches.csv
    """,
    epilog="An existing result is replaced. Ranks follow jaccard, then tfidf_jaccard. Exit "
    "status: 0 done, 1 bad input, 2 wrong usage.",
)
@reading_options
@click.option(
    "--subscribers",
    required=True,
    metavar="FILE",
    help="Table with subscriber, activated_at, departed_at (empty = still active).",
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="Where matches go: .csv or .parquet; - for CSV on standard output.",
)
@click.option(
    "--cells", metavar="FILE", help="Table cell, region: fills region_new and region_old."
)
@click.option(
    "--window-days", type=float, default=30, show_default=True, help="Length of the windows."
)
@click.option(
    "--reference-time",
    metavar="TIME",
    help="Judge by the records up to this time; later ones only tell who is still alive.  "
    "[default: the end of the CDRs]",
)
@click.option("--horizon-days", type=float, help="Leave out departures longer ago than this.")
@click.option(
    "--new-days",
    type=float,
    help="How long ago a new subscription may have begun.  [default: the window]",
)
@click.option(
    "--silence-days",
    type=float,
    help="Who is silent for this long has departed.  [default: only the table tells]",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Candidates kept per new number.",
)
@click.option(
    "--min-shared",
    type=click.IntRange(1),
    help="List only candidates sharing this many partners.  [default: list all, and grade those "
    "sharing fewer than 2 U]",
)
@click.option(
    "--max-reject-share",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Stop if a larger share of the CDRs can't be used.",
)
@click.option(
    "--rejects",
    metavar="FILE",
    help="Write every row of the CDRs that can't be used to this file: .csv, .csv.gz or .parquet.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads.  [default: every usable core]")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on standard output.")
def match(
    *,
    reading: ReadingOptions,
    subscribers: str,
    out: str,
    cells: str | None,
    window_days: float,
    reference_time: str | None,
    horizon_days: float | None,
    new_days: float | None,
    silence_days: float | None,
    top: int,
    min_shared: int | None,
    max_reject_share: float,
    rejects: str | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the command."""
    if out == "-" and as_json:
        raise click.UsageError("--json and --out - both want standard output; give --out a file.")
    from ..fingerprints import build_fingerprints
    from ..matcher import Matcher
    from ..subscribers import read_subscribers
    from ..tables import check_output, check_survival, open_rejects, write_table
    from .summary import summary_text

    records = open_records(reading)
    inputs = [
        subscribers,
        *(source.name for source in records.sources),
        *([cells] if cells else []),
    ]
    if out != "-":
        check_output(out)
        check_survival(out, inputs, "out")
    with (
        show_progress(quiet) as progress,
        open_rejects(rejects, [*inputs, out]) as reject_file,
    ):
        matcher = Matcher(
            top=top, min_shared=min_shared, cells=cells, n_threads=threads, progress=progress
        )
        fingerprints = build_fingerprints(
            records,
            read_subscribers(subscribers, timezone=records.timezone),
            window_days=window_days,
            reference_time=reference_time,
            horizon_days=horizon_days,
            new_days=new_days,
            silence_days=silence_days,
            max_reject_share=max_reject_share,
            rejects=reject_file,
            n_threads=threads,
            progress=progress,
        )
        matches = matcher.fit(fingerprints).match()
        write_table(matches.table, sys.stdout.buffer if out == "-" else out)
    summary: dict[str, Any] = {**matches.summary, "out": out}
    if rejects is not None:
        summary["rejects"] = rejects
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(summary_text(summary), err=out == "-")
