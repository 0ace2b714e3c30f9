"""``chanfp match``: CDR files and a subscriber table in, graded matches out."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from .progress import show_progress

__all__ = ["match"]


@click.command(
    epilog="Exit status: 0 done, 1 bad input, 2 wrong usage. Ranks follow Jaccard similarity, then "
    "weighted Jaccard of calls times the partner's rarity."
)
@click.option(
    "--cdr",
    "cdrs",
    multiple=True,
    required=True,
    metavar="PATH...",
    help="CDR files (CSV, CSV.gz, Parquet), folders or globs.",
)
@click.argument("more_cdrs", nargs=-1, metavar="")
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
    "--numbers",
    default="CN",
    show_default=True,
    metavar="PLAN",
    help="Region of the numbering plan, or 'opaque' for hashed or made-up ids.",
)
@click.option(
    "--window-days", type=float, default=30, show_default=True, help="Length of the windows."
)
@click.option(
    "--reference-time",
    metavar="TIME",
    help="Judge roles as of this time and leave out later records.  [default: the end of the CDRs]",
)
@click.option("--horizon-days", type=float, help="Leave out departures longer ago than this.")
@click.option(
    "--new-days",
    type=float,
    help="How long ago a new subscription may have begun.  [default: the window]",
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
@click.option("--threads", type=click.IntRange(1), help="Threads.  [default: every usable core]")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on standard output.")
def match(
    cdrs: tuple[str, ...],
    more_cdrs: tuple[str, ...],
    subscribers: str,
    out: str,
    cells: str | None,
    numbers: str,
    window_days: float,
    reference_time: str | None,
    horizon_days: float | None,
    new_days: float | None,
    top: int,
    min_shared: int | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    r"""Match new subscribers with departed ones and grade the matches.

    \b
    chanfp match --cdr cdr/*.parquet --subscribers subscribers.csv --out matches.csv
    """
    if out == "-" and as_json:
        raise click.UsageError("--json and --out - both want standard output; give --out a file.")
    from ..cdr import read_cdrs
    from ..fingerprints import build_fingerprints
    from ..matcher import Matcher
    from ..subscribers import read_subscribers
    from ..tables import check_output, write_table

    if out != "-":
        check_output(out)
    with show_progress(quiet) as progress:
        matcher = Matcher(
            top=top, min_shared=min_shared, cells=cells, n_threads=threads, progress=progress
        )
        fingerprints = build_fingerprints(
            read_cdrs([*cdrs, *more_cdrs], numbers=numbers),
            read_subscribers(subscribers),
            window_days=window_days,
            reference_time=reference_time,
            horizon_days=horizon_days,
            new_days=new_days,
            n_threads=threads,
            progress=progress,
        )
        matches = matcher.fit(fingerprints).match()
    write_table(matches.table, sys.stdout.buffer if out == "-" else out)
    summary = {**matches.summary, "out": out}
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(_summary_text(summary), err=out == "-")


def _summary_text(summary: dict[str, Any]) -> str:
    records, people = summary["records"], summary["subscribers"]
    lines = [
        (
            "Records",
            f"{records['total']:,} read, {records['accepted']:,} accepted, "
            f"{records['rejected']:,} rejected{_by_reason(records['rejected_by_reason'])}",
        ),
        (
            "Period",
            f"{summary['start_time'] or 'none'} to {summary['reference_time']}, windows of "
            f"{summary['window_days']:g} days",
        ),
        (
            "Filtered",
            f"{sum(records['filtered_by_reason'].values()):,} records with a party that is no "
            f"subscriber number{_by_reason(records['filtered_by_reason'])}",
        ),
        ("Notes", _reasons(records["notes"])),
        (
            "Subscribers",
            f"{people['total']:,}: {people['departed']:,} departed, {people['new']:,} new, "
            f"{people['active']:,} active, {people['without_calls']:,} without calls"
            f"{_by_reason(people['unusable_by_reason'])}",
        ),
        (
            "Matches",
            f"{summary['candidates']:,} candidates for {summary['new_with_candidate']:,} of "
            f"{people['new']:,} new subscriptions",
        ),
        ("Grades", ", ".join(f"{grade} {n:,}" for grade, n in summary["grades"].items())),
        *(("Note", notice) for notice in summary["notices"]),
        ("Results", "standard output" if summary["out"] == "-" else summary["out"]),
    ]
    return "\n".join(f"{label:<12}{text}" for label, text in lines if text)


def _reasons(counts: dict[str, int]) -> str:
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in most_first)


def _by_reason(counts: dict[str, int]) -> str:
    return f" ({_reasons(counts)})" if counts else ""
