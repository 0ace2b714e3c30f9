"""The command line: one file per command, loaded when its command runs."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import click

__all__ = ["main"]

COMMANDS = ("inspect", "match", "simulate")


class _LazyGroup(click.Group):
    """Imports a command when it is asked for, so that ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="chanfp", prog_name="chanfp")
def commands() -> None:
    """Find subscribers who left and came back under a new number, from call detail records."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 bad input, 2 wrong usage, 130 interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    from ..errors import ChanfpError, ParameterError
    from .wording import in_options

    try:
        commands.main(arguments, prog_name="chanfp", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("chanfp: interrupted; nothing was written.", err=True)
        return 130
    except ChanfpError as error:
        click.echo(f"chanfp: error: {in_options(str(error))}", err=True)
        return 2 if isinstance(error, ParameterError) else 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        click.echo(f"chanfp: error: {place}{reason}; check the path and its permissions.", err=True)
        return 1
    except MemoryError:
        click.echo("chanfp: error: out of memory; match fewer subscribers at a time.", err=True)
        return 1
    return 0


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    from .wording import in_options

    click.echo(f"chanfp: warning: {in_options(str(message))}", err=True)
