"""``chanfp simulate``: a made-up carrier with known truth, into a folder."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click

from ..errors import ParameterError
from .progress import show_progress

__all__ = ["simulate"]

# These have options of their own.
OPTIONS = ("people", "seed", "days", "corrupt_share", "farming_share", "cross_region_share")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--people", type=int, required=True, help="Customers over the whole span.")
@click.option("--seed", type=int, required=True, help="Same seed, same files.")
@click.option("--days", type=int, default=90, show_default=True, help="Length of the span.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Format of the call records; the tables are always CSV.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other argument of chanfp.simulate, such as returner_share=0.02; may be repeated.",
)
@click.option(
    "--cheating-outlets",
    type=click.FloatRange(0, 0.5),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Share of the points of sale that cheat: a third each lure returners, farm cards, sell "
    "across regions.",
)
@click.option("--overwrite", is_flag=True, help="Replace files in a folder that isn't empty.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
def simulate(
    directory: Path,
    *,
    people: int,
    seed: int,
    days: int,
    file_format: str,
    settings: tuple[str, ...],
    cheating_outlets: float,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write a made-up carrier with known truth into DIRECTORY.

    The folder gets call records (cdr/part-*), subscribers.csv, sales.csv, outlets.csv, cells.csv,
    truth.csv, which says for each new subscription which old one it replaces, and
    outlet_truth.csv, which says what each point of sale does.
    """
    from ..simulation import simulate as make

    third = cheating_outlets / 3
    carrier = make(
        people,
        seed,
        days=days,
        corrupt_share=third,
        farming_share=third,
        cross_region_share=third,
        **_read_settings(settings),
    )
    with show_progress(quiet) as progress:
        carrier.write(directory, format=file_format, overwrite=overwrite, progress=progress)
    if not quiet:
        click.echo(f"{directory}: {carrier!r}")


def _read_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments that `--set` gives, by name."""
    from ..simulation import simulate as make

    options = inspect.signature(make).parameters.values()
    kinds = {
        one.name: type(one.default)
        for one in options
        if one.default is not None and one.name not in OPTIONS
    }
    found: dict[str, Any] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in kinds:
            raise ParameterError(
                f"--set {setting}: must set one of {', '.join(kinds)}; got {name!r}."
            )
        try:
            found[name] = kinds[name](value)
        except ValueError:
            word = "a whole number" if kinds[name] is int else "a number"
            raise ParameterError(f"--set {setting}: must be {word}, got {value!r}.") from None
    return found
