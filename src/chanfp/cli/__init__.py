"""The command line: one file per command, loaded when its command runs."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from importlib import import_module
from types import FrameType
from typing import Any

import click

__all__ = ["main"]

COMMANDS = ("audit", "chains", "explain", "inspect", "match", "simulate")


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
    """Run the command line and exit: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.

    Ended by another signal it exits with 128 and the signal's number.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        sys.exit(_run(arguments))


def _stop_in_order() -> list[int]:
    """Let a request to end stop a run as Ctrl-C does, so that temporary files go; say which came.

    More of them change nothing.
    """
    received: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, stop)
    return received


def _run(arguments: list[str] | None) -> int:
    from ..errors import ChanfpError, ParameterError
    from .wording import in_options

    received = _stop_in_order()
    try:
        commands.main(arguments, prog_name="chanfp", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("chanfp: interrupted; nothing was written.", err=True)
        return 128 + (received[0] if received else signal.SIGINT)
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
