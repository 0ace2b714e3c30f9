"""``chanfp explain``: why a new number was matched with an old one, from the files of a run."""

from __future__ import annotations

import json
import shutil

import click

from .printing import print_lines
from .sections import SectionedCommand

__all__ = ["explain"]

SECTIONS = {
    "Files": ("--matches", "--explanations", "--picture"),
    "Which pair": ("--new-subscription", "--old-subscription"),
    "What is shown": ("--json",),
}


@click.command(
    cls=SectionedCommand,
    sections=SECTIONS,
    help="""Explain why NEW was matched with OLD, by default its best candidate.

    \b
    chanfp match --cdr cdr/*.csv --subscribers subscribers.csv --out matches.csv --explanations
    chanfp explain --matches matches.csv 13912345678
    """,
    epilog="Numbers may be written in any way that the numbering plan knows. Exit status: 0 done, "
    "1 bad input, 2 wrong usage.",
)
@click.argument("new")
@click.argument("old", required=False)
@click.option("--matches", required=True, metavar="FILE", help="Result of chanfp match.")
@click.option(
    "--explanations",
    metavar="FILE",
    help="What chanfp match --explanations wrote.  [default: matches.explanations.parquet beside "
    "matches.csv]",
)
@click.option("--picture", metavar="FILE", help="Draw a picture, too: .png or .svg.")
@click.option(
    "--new-subscription", metavar="ID", help="Which subscription of a recycled new number."
)
@click.option(
    "--old-subscription", metavar="ID", help="Which subscription of a recycled old number."
)
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
def explain(
    *,
    new: str,
    old: str | None,
    matches: str,
    explanations: str | None,
    picture: str | None,
    new_subscription: str | None,
    old_subscription: str | None,
    as_json: bool,
) -> None:
    """Run the command."""
    from ..explanation import explain_files, explanation_lines, explanations_beside
    from ..tables import check_survival

    if picture is not None:
        from ..plotting import check_picture, save_figure

        check_picture(picture)
        inputs = [matches, explanations or explanations_beside(matches)]
        check_survival(picture, inputs, "picture")
    explanation = explain_files(
        matches,
        new,
        old,
        explanations=explanations,
        new_subscription=new_subscription,
        old_subscription=old_subscription,
    )
    if picture is not None:
        save_figure(explanation.plot(), picture)
    if as_json:
        click.echo(json.dumps(explanation.to_dict(), ensure_ascii=False, indent=2))
        return
    width = shutil.get_terminal_size((80, 24)).columns
    print_lines(explanation_lines(explanation, width))
