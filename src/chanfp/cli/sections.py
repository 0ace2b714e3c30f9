"""Help in sections: what a user needs first stands first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

__all__ = ["SectionedCommand"]

NAME_WIDTH = 24
OTHERS = "Other options"


class SectionedCommand(click.Command):
    """A command whose ``--help`` groups its options.

    Parameters
    ----------
    sections : mapping of str to tuple of str
        Long option names by title, in the order of the help. Options that stand in none come
        last, under "Other options".
    """

    def __init__(
        self, *arguments: Any, sections: Mapping[str, tuple[str, ...]], **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options section by section, with one column for all names."""
        records = {
            parameter.opts[-1]: record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            and (record := parameter.get_help_record(ctx)) is not None
        }
        listed = {name for names in self.sections.values() for name in names}
        others = tuple(name for name in records if name not in listed)
        for title, names in {**self.sections, OTHERS: others}.items():
            rows = [records[name] for name in names]
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{option:<{NAME_WIDTH}}", text) for option, text in rows],
                    col_max=NAME_WIDTH,
                )
