"""The options that say which CDRs are read and how; shared by every command that reads them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..cdr import CallRecords

__all__ = ["READING_SECTION", "ReadingOptions", "open_records", "reading_options"]

# Where these options stand in the help of a command.
READING_SECTION = {
    "How the CDRs are read": (
        "--map", "--direction", "--settings", "--numbers", "--timezone", "--encoding",
        "--delimiter", "--area-code", "--short-numbers",
    ),
}  # fmt: skip

# A tab is hard to type where a shell or a task runner stands in between.
TABS = ("tab", r"\t")


@dataclass(frozen=True)
class ReadingOptions:
    """What the user said of the CDRs, as `read_cdrs` takes it.

    Parameters
    ----------
    paths : list of str
        Files, folders and globs.
    numbers, settings, timezone, encoding, delimiter : str or None
    columns, directions : dict of str to str
    area_code : dict of str to str, or None
        Code for each glob.
    short_numbers : str or None
    """

    paths: list[str]
    numbers: str
    columns: dict[str, str]
    directions: dict[str, str]
    settings: str | None
    timezone: str | None
    encoding: str | None
    delimiter: str | None
    area_code: dict[str, str] | None
    short_numbers: str | None

    @property
    def tables(self) -> tuple[str | None, ...]:
        """The files that are read beside the CDRs."""
        return self.settings, self.short_numbers


def open_records(reading: ReadingOptions) -> CallRecords:
    """Open the CDRs that the options name; files are read later.

    The time zone in force, of the options or the settings file, is ``.timezone`` of the result.
    """
    from ..cdr import read_cdrs

    return read_cdrs(
        reading.paths,
        numbers=reading.numbers,
        columns=reading.columns,
        directions=reading.directions,
        settings=reading.settings,
        timezone=reading.timezone,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        area_code=reading.area_code,
        short_numbers=reading.short_numbers,
    )


def reading_options(
    command: Callable[..., Any] | None = None, *, is_required: bool = True
) -> Callable[..., Any]:
    """Give a command the options and pass them on as one argument, ``reading``.

    Unless `is_required`, a command does without CDRs; then ``reading.paths`` is empty.
    """
    if command is None:
        return functools.partial(reading_options, is_required=is_required)

    @functools.wraps(command)
    def with_reading(
        *,
        cdrs: tuple[str, ...],
        more_cdrs: tuple[str, ...],
        delimiter: str | None,
        area_code: dict[str, str],
        **others: Any,
    ) -> Any:
        named = (
            "numbers", "columns", "directions", "settings", "timezone", "encoding", "short_numbers",
        )  # fmt: skip
        reading = ReadingOptions(
            paths=[*cdrs, *more_cdrs],
            delimiter="\t" if delimiter in TABS else delimiter,
            area_code=area_code or None,
            **{name: others.pop(name) for name in named},
        )
        return command(reading=reading, **others)

    options = (cdr_option(is_required=is_required), *OPTIONS)
    return functools.reduce(lambda wrapped, option: option(wrapped), options[::-1], with_reading)


def _pairs(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return WORD=COLUMN texts as a mapping; a column's name may hold an equals sign."""
    return _as_mapping([_halves(value, value.partition("=")) for value in values])


def _meanings(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return VALUE=out|in texts as a mapping; the value may hold an equals sign."""
    return _as_mapping([_halves(value, value.rpartition("=")) for value in values])


def _codes(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return GLOB=CODE texts as a mapping, and a CODE alone for all files that no glob fits."""
    globs = [_halves(value, value.rpartition("=")) for value in values if "=" in value]
    return _as_mapping([*globs, *(("*", value) for value in values if "=" not in value)])


def _halves(value: str, parts: tuple[str, str, str]) -> tuple[str, str]:
    left, sign, right = parts
    if not sign or not left:
        raise click.BadParameter(f"{value!r} must hold an equals sign with something before it.")
    return left, right


def _as_mapping(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            raise click.BadParameter(f"{key!r} is given as {found[key]!r} and as {value!r}.")
    return found


def cdr_option(*, is_required: bool) -> Callable[..., Any]:
    """Return the option that names the files."""
    return click.option(
        "--cdr",
        "cdrs",
        multiple=True,
        required=is_required,
        metavar="PATH...",
        help="CDR files (CSV, also .gz or .zst, or Parquet), folders or globs.",
    )


OPTIONS = (
    click.argument("more_cdrs", nargs=-1, metavar=""),
    click.option(
        "--numbers",
        default="CN",
        show_default=True,
        metavar="PLAN",
        help="Region of the numbering plan, or 'opaque' for hashed or made-up ids.",
    ),
    click.option(
        "--map",
        "columns",
        multiple=True,
        metavar="WORD=COLUMN",
        callback=_pairs,
        help="What a column of the CDRs means, such as caller=A_NUMBER; an empty column for none. "
        "Repeat it.",
    ),
    click.option(
        "--direction",
        "directions",
        multiple=True,
        metavar="VALUE=out|in",
        callback=_meanings,
        help="What a value of the direction column means. Repeat it.",
    ),
    click.option(
        "--settings",
        metavar="FILE",
        help="TOML file with [columns], [directions], [area_codes], timezone, encoding, "
        "delimiter, area_code; options go before it.",
    ),
    click.option(
        "--timezone",
        metavar="ZONE",
        help="Zone of times written without one, such as Asia/Shanghai; times with a zone and "
        "epochs become its time.  [default: these become UTC]",
    ),
    click.option(
        "--encoding", metavar="NAME", help="Encoding of CSV files.  [default: found out per file]"
    ),
    click.option(
        "--delimiter",
        metavar="SIGN",
        help="Sign between the fields of CSV files, or 'tab'.  [default: found out per file]",
    ),
    click.option(
        "--area-code",
        multiple=True,
        metavar="[GLOB=]CODE",
        callback=_codes,
        help="Where landlines without an area code belong, in all files or those a glob fits. "
        "Repeat it.",
    ),
    click.option(
        "--short-numbers",
        metavar="FILE",
        help="Table subscriber, group, short, number of the short numbers inside groups.",
    ),
)
