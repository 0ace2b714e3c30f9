"""Sizes of memory as people write them."""

from __future__ import annotations

import re

import click

__all__ = ["read_size"]

UNIT_BYTES = {
    "": 1,
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{letter: 1024**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)},
}


def read_size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Return a size in bytes: ``2GB``, ``500 MB``, ``1.5GiB``, ``2000000000``; None for none."""
    if value is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value)
    if not found or found[2].upper() not in UNIT_BYTES:
        raise click.BadParameter(f"{value!r} is no size; write one such as 2GB or 500MB.")
    return int(float(found[1]) * UNIT_BYTES[found[2].upper()])
