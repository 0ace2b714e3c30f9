"""``chanfp match``: CDR files and a subscriber table in, graded matches out."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from ..counts import MAX_REJECT_SHARE
from .extras import Extras
from .machine import MACHINE_SECTION, machine_options
from .progress import show_progress
from .reading import READING_SECTION, ReadingOptions, open_records, reading_options
from .sections import SectionedCommand

__all__ = ["match"]

SECTIONS = {
    "Files": (
        "--cdr", "--subscribers", "--on-net", "--cells", "--out", "--explanations",
        "--calibration", "--additional", "--rejects",
    ),
    "Who is new, who has departed": (
        "--new-days", "--window-days", "--horizon-days", "--silence-days", "--reference-time",
        "--fading-ratio", "--fading-chance",
    ),
    "What is listed": ("--top", "--min-shared", "--json", "--quiet"),
    "How it is judged": ("--rounds", "--one-to-one", "--model", "--save-model", "--similarity"),
    **READING_SECTION,
    "Which records and partners count": (
        "--max-reject-share", "--dedupe", "--hub-share", "--hub-count", "--allow-partners",
        "--deny-partners",
    ),
    **MACHINE_SECTION,
}  # fmt: skip


@click.command(
    cls=SectionedCommand,
    sections=SECTIONS,
    help="""Match new subscribers with departed ones and grade the matches.

    \b
    chanfp match --cdr cdr/*.csv --subscribers subscribers.csv --out matches.csv
    """,
    epilog="An existing result is replaced. Ranks follow probability; without active subscribers "
    "to learn from, expected_jaccard. Exit status: 0 done, 1 bad input, 2 wrong usage.",
)
@reading_options
@click.option(
    "--subscribers",
    metavar="FILE",
    help="Table with subscriber, activated_at, departed_at (empty = still active).  [default: "
    "everybody served, departed by silence; call-centred CDRs then need --on-net]",
)
@click.option(
    "--on-net",
    metavar="FILE",
    help="Own numbers or prefixes (columns number, prefix; or .txt): who is served, where there "
    "is no table of subscribers.",
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="Where matches go: .csv or .parquet; - for CSV on standard output.",
)
@click.option(
    "--additional",
    metavar="FILE",
    help="Write new numbers of people whose other number is still in use to this file: .csv or "
    ".parquet.",
)
@click.option(
    "--cells", metavar="FILE", help="Table cell, region: fills region_new and region_old."
)
@click.option(
    "--window-days",
    type=float,
    metavar="DAYS",
    default=30,
    show_default=True,
    help="Length of the windows that are compared: an old number's last days of use, a new "
    "number's first.",
)
@click.option(
    "--reference-time",
    metavar="TIME",
    help="Judge by the records up to this time; later ones only tell who is still alive.  "
    "[default: the end of the CDRs]",
)
@click.option(
    "--horizon-days",
    type=float,
    metavar="DAYS",
    help="Leave out departures longer ago than this.  [default: no limit]",
)
@click.option(
    "--new-days",
    type=float,
    metavar="DAYS",
    help="How long before the end of the records a new subscription may have begun.  [default: "
    "the window]",
)
@click.option(
    "--silence-days",
    type=float,
    metavar="DAYS",
    help="Who is silent for this long has departed.  [default: only the table tells; without "
    "one, the window]",
)
@click.option(
    "--fading-ratio",
    type=float,
    metavar="SHARE",
    default=0.5,
    show_default=True,
    help="Who is active, but whose calls are down to this part of the window before, is fading: a "
    "candidate for a partial replacement; 0 for nobody.",
)
@click.option(
    "--fading-chance",
    type=float,
    metavar="SHARE",
    default=0.001,
    show_default=True,
    help="Not if chance does that to more than this share of the others.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    default=5,
    show_default=True,
    help="Candidates kept per new number.",
)
@click.option(
    "--min-shared",
    type=click.IntRange(1),
    metavar="N",
    help="List only candidates sharing this many partners.  [default: list all, and grade those "
    "sharing fewer than 2 U]",
)
@click.option(
    "--rounds",
    type=click.IntRange(0, 20),
    metavar="N",
    default=2,
    show_default=True,
    help="How often partners who probably came back themselves are taken for whom they were, and "
    "everything is judged again.",
)
@click.option("--one-to-one", is_flag=True, help="List every old number at most once.")
@click.option(
    "--model",
    metavar="FILE",
    help="Judge by the coefficients of another run (--save-model).  [default: learn from active "
    "subscribers]",
)
@click.option("--save-model", metavar="FILE", help="Write the coefficients to this file, as JSON.")
@click.option(
    "--similarity",
    is_flag=True,
    help="Grade by similarity tiers, for which no false-match rate is known.",
)
@click.option(
    "--explanations",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Keep what explains each match, for chanfp explain; the file names partners of both "
    "sides.  [without a FILE: matches.explanations.parquet beside matches.csv]",
)
@click.option(
    "--calibration",
    metavar="FILE",
    help="Show how far probabilities and rates can be trusted: .json, or a picture as .png or "
    ".svg.",
)
@click.option(
    "--max-reject-share",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    default=MAX_REJECT_SHARE,
    show_default=True,
    help="Stop if a larger share of the CDRs can't be used.",
)
@click.option(
    "--rejects",
    metavar="FILE",
    help="Write every row of the CDRs that can't be used to this file: .csv, .csv.gz or .parquet.",
)
@click.option(
    "--dedupe",
    type=float,
    is_flag=False,
    flag_value=0.0,
    metavar="[SECONDS]",
    help="Count calls delivered more than once only once: same parties and kind, start and "
    "duration within so many seconds.  [without a number: 0]",
)
@click.option(
    "--hub-share",
    type=float,
    metavar="SHARE",
    help="Leave out partners that more than this share of the subscribers call; 1 leaves out "
    "none.  [default: see --hub-count]",
)
@click.option(
    "--hub-count",
    type=click.IntRange(1),
    metavar="N",
    help="Leave out partners that more subscribers than this call.  [default: 4 times the partners "
    "that 99 % of the subscribers don't exceed, 200 at least]",
)
@click.option(
    "--allow-partners", metavar="FILE", help="List of numbers and prefixes never left out."
)
@click.option(
    "--deny-partners", metavar="FILE", help="List of numbers and prefixes always left out."
)
@machine_options("no limit")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on standard output.")
def match(
    *,
    reading: ReadingOptions,
    subscribers: str | None,
    on_net: str | None,
    out: str,
    additional: str | None,
    cells: str | None,
    window_days: float,
    reference_time: str | None,
    horizon_days: float | None,
    new_days: float | None,
    silence_days: float | None,
    fading_ratio: float,
    fading_chance: float,
    top: int,
    min_shared: int | None,
    rounds: int,
    one_to_one: bool,
    model: str | None,
    save_model: str | None,
    similarity: bool,
    explanations: str | None,
    calibration: str | None,
    max_reject_share: float,
    rejects: str | None,
    dedupe: float | None,
    hub_share: float | None,
    hub_count: int | None,
    allow_partners: str | None,
    deny_partners: str | None,
    memory_limit: int | None,
    temp_dir: str | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the command."""
    if out == "-" and as_json:
        raise click.UsageError("--json and --out - both want standard output; give --out a file.")
    if similarity and calibration is not None:
        raise click.UsageError("--calibration needs what --similarity leaves out; drop one.")
    from ..building import build_fingerprints
    from ..matcher import Matcher
    from ..tables import check_output, check_survival, open_rejects, write_table
    from .summary import summary_text

    records = open_records(reading)
    tables = (
        subscribers, on_net, cells, model, allow_partners, deny_partners, *reading.tables,
    )  # fmt: skip
    inputs = [path for path in tables if path] + [source.name for source in records.sources]
    if out != "-":
        check_output(out)
        check_survival(out, inputs, "out")
    extras = Extras.of(
        out,
        explanations,
        calibration=calibration,
        additional=additional,
        save_model=save_model,
        rejects=rejects,
    )
    extras.check(inputs)
    with (
        show_progress(quiet) as progress,
        open_rejects(rejects, [*inputs, out]) as reject_file,
    ):
        matcher = Matcher(
            top=top,
            min_shared=min_shared,
            learn=not similarity,
            n_rounds=rounds,
            one_to_one=one_to_one,
            model=model,
            cells=cells,
            n_threads=threads,
            progress=progress,
        )
        fingerprints = build_fingerprints(
            records,
            subscribers,
            on_net=on_net,
            window_days=window_days,
            reference_time=reference_time,
            horizon_days=horizon_days,
            new_days=new_days,
            silence_days=silence_days,
            fading_ratio=fading_ratio,
            fading_chance=fading_chance,
            max_reject_share=max_reject_share,
            rejects=reject_file,
            dedupe_s=dedupe,
            hub_share=hub_share,
            hub_count=hub_count,
            allow_partners=allow_partners,
            deny_partners=deny_partners,
            memory_limit=memory_limit,
            temp_dir=temp_dir,
            n_threads=threads,
            progress=progress,
        )
        matches = matcher.fit(fingerprints).match()
        write_table(matches.table, sys.stdout.buffer if out == "-" else out)
        written = extras.write(matches, matcher.model, progress)
    summary: dict[str, Any] = {**matches.summary, "out": out, **written}
    if rejects is not None:
        summary["rejects"] = rejects
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(summary_text(summary), err=out == "-")
