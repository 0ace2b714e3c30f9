"""Messages in the words of the command line."""

from __future__ import annotations

import re

__all__ = ["in_options"]

# What parameters of the library are called as options, where the name differs.
OTHER_NAMES = {
    "columns": "--map",
    "dedupe_s": "--dedupe",
    "directions": "--direction",
    "directory": "DIRECTORY",
    "n_threads": "--threads",
    "region": "--numbers",
}
PARAMETERS = (
    "allow_partners",
    "area_code",
    "by",
    "calibration",
    "compare_days",
    "days",
    "delimiter",
    "deny_partners",
    "encoding",
    "explanations",
    "horizon_days",
    "hub_count",
    "hub_share",
    "max_reject_share",
    "memory_limit",
    "least_probability",
    "lenient",
    "min_shared",
    "new_days",
    "new_since",
    "new_subscription",
    "numbers",
    "old_subscription",
    "on_net",
    "overwrite",
    "out",
    "people",
    "picture",
    "policy",
    "re_entries",
    "reference_time",
    "rejects",
    "rules",
    "seed",
    "settings",
    "short_numbers",
    "silence_days",
    "subscribers",
    "temp_dir",
    "timezone",
    "top",
    "window_days",
    "within_days",
)


def in_options(message: str) -> str:
    """Return a message of the library with its parameters named as options.

    Examples
    --------
    >>> in_options("`window_days` must be more than 0")
    '--window-days must be more than 0'
    """
    message = message.replace("`overwrite=True`", "--overwrite")
    return re.sub(r"`(\w+)`", _option, message)


def _option(found: re.Match[str]) -> str:
    name = found[1]
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    return f"--{name.replace('_', '-')}" if name in PARAMETERS else found[0]
