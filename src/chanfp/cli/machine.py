"""The options that say what of the machine a command may use; shared by all that read records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from .sizes import read_size

__all__ = ["MACHINE_SECTION", "machine_options"]

MACHINE_SECTION = {"The machine": ("--threads", "--memory-limit", "--temp-dir")}


def machine_options(default_memory: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command ``threads``, ``memory_limit`` and ``temp_dir``.

    Parameters
    ----------
    default_memory : str
        What the help says of the limit where none is given.
    """
    options = (
        click.option(
            "--memory-limit",
            callback=read_size,
            metavar="SIZE",
            help="Memory to use, such as 2GB; what goes beyond a quarter of it waits on disk.  "
            f"[default: {default_memory}]",
        ),
        click.option(
            "--temp-dir",
            metavar="DIRECTORY",
            help="Where it waits.  [default: the system's folder for temporary files]",
        ),
        click.option(
            "--threads",
            type=click.IntRange(1),
            metavar="N",
            help="Threads; the result doesn't depend on them.  [default: every usable core]",
        ),
    )

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return give
