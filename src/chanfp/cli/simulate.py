"""The command that writes a made-up carrier into a folder."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["simulate"]


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
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
@click.option("--overwrite", is_flag=True, help="Replace files in a folder that isn't empty.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
def simulate(
    directory: Path,
    *,
    people: int,
    seed: int,
    days: int,
    file_format: str,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write a made-up carrier with known truth into DIRECTORY.

    The folder gets call records (cdr/part-*), subscribers.csv, sales.csv, outlets.csv, cells.csv
    and truth.csv, which says for each new subscription which old one it replaces.
    """
    from ..errors import ChanfpError  # noqa: PLC0415 - keeps --help fast
    from ..simulation import simulate as make  # noqa: PLC0415

    try:
        carrier = make(people, seed, days=days)
        if quiet:
            carrier.write(directory, format=file_format, overwrite=overwrite)
            return
        with click.progressbar(length=days, label="days", show_pos=True) as bar:
            carrier.write(
                directory,
                format=file_format,
                overwrite=overwrite,
                progress=lambda stage, done, total: bar.update(1),
            )
    except ChanfpError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{directory}: {carrier!r}")
