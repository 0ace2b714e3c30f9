"""``chanfp chains``: matches of many runs in, the numbers of each person over time out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from .sections import SectionedCommand

if TYPE_CHECKING:
    from ..chains import Chains

__all__ = ["chains"]

SHOWN_PEOPLE = 10
SECTIONS = {
    "Files": ("--matches", "--subscribers", "--out"),
    "What is a chain": ("--least-probability", "--re-entries", "--within-days"),
    "What is shown": ("--format", "--json", "--quiet"),
    "How the tables are read": ("--numbers", "--timezone"),
}


@click.command(
    cls=SectionedCommand,
    sections=SECTIONS,
    help="""Link the matches of several runs into chains: old number, new number, newer one.

    \b
    chanfp chains --matches march.parquet april.parquet may.parquet \\
        --subscribers subscribers.csv --out chains
    """,
    epilog="Runs are given earliest first. Exit status: 0 done, 1 bad input, 2 wrong usage.",
)
@click.argument("more_matches", nargs=-1, metavar="")
@click.option(
    "--matches",
    multiple=True,
    required=True,
    metavar="FILE...",
    help="Results of chanfp match, earliest first.",
)
@click.option(
    "--subscribers",
    metavar="FILE",
    help="Table of subscribers: activations, departures, outlets.  [default: re-entries have no "
    "dates]",
)
@click.option(
    "--out", required=True, metavar="DIRECTORY", help="Where the tables people and links go."
)
@click.option(
    "--least-probability",
    type=float,
    default=0.5,
    show_default=True,
    metavar="P",
    help="Less probable candidates are no links.",
)
@click.option(
    "--re-entries",
    type=int,
    default=2,
    show_default=True,
    metavar="N",
    help="Whoever comes back so often within --within-days is a wanderer; partial replacements "
    "don't count.",
)
@click.option(
    "--within-days",
    type=float,
    default=182.5,
    show_default=True,
    metavar="DAYS",
    help="Half a year.",
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
    "--numbers",
    default="CN",
    show_default=True,
    metavar="PLAN",
    help="Region of the numbering plan, or 'opaque' for hashed or made-up ids.",
)
@click.option(
    "--timezone",
    metavar="ZONE",
    help="Zone of times written without one, such as Asia/Shanghai.",
)
@click.option("--quiet", is_flag=True, help="No summary.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on standard output.")
def chains(
    *,
    matches: tuple[str, ...],
    more_matches: tuple[str, ...],
    subscribers: str | None,
    out: str,
    least_probability: float,
    re_entries: int,
    within_days: float,
    file_format: str,
    numbers: str,
    timezone: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the command."""
    from ..chains import link_chains
    from ..tables import make_folder

    make_folder(out)
    found = link_chains(
        *matches,
        *more_matches,
        subscribers=subscribers,
        least_probability=least_probability,
        re_entries=re_entries,
        within_days=within_days,
        numbers=numbers,
        timezone=timezone,
    )
    found.write(out, format=file_format)
    if as_json:
        click.echo(json.dumps({**found.summary, "out": out}, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(chains_text(found, out))


def chains_text(found: Chains, out: str) -> str:
    """Return what was linked, one line for each matter."""
    from ..terminal import LABEL_WIDTH

    summary = found.summary
    wanderers = summary["wanderers"]
    rows = [
        ("Runs", f"{summary['runs']:,} with {summary['candidates']:,} candidates"),
        (
            "People",
            f"{_n_came_back(found):,} came back, "
            f"{summary['with_several']:,} of them more than once; "
            f"{summary['re_entries']:,} re-entries, {summary['expected_re_entries']:,.1f} of them "
            "right by expectation",
        ),
        *(
            [("", f"{summary['partial']:,} partial replacements: the old number is still in use")]
            if summary["partial"]
            else []
        ),
        ("Wanderers", "not known without dates" if wanderers is None else f"{wanderers:,}"),
        *(
            (
                "" if place else "Decay",
                f"step {step['step']}: {step['links']:,} links of mean probability "
                f"{step['probability']:.3f}, with all before {step['chain_probability']:.3f}",
            )
            for place, step in enumerate(summary["decay"])
        ),
        ("Lost", f"{summary['days_lost']:,.1f} days without a number"),
        *(("Longest" if place == 0 else "", line) for place, line in enumerate(_longest(found))),
        ("Results", out),
    ]
    return "\n".join(f"{label:<{LABEL_WIDTH}}{text}" for label, text in rows)


def _n_came_back(found: Chains) -> int:
    """Count the people with a re-entry; others have partial replacements only."""
    return sum(n > 0 for n in found.people.column("n_re_entries").to_pylist())


def _longest(found: Chains) -> list[str]:
    """Return the first people who came back more than once."""
    rows = found.people.slice(0, SHOWN_PEOPLE).to_pylist()
    return [
        f"{row['numbers']} ({row['probability']:.3f})" for row in rows if row["n_re_entries"] > 1
    ]
