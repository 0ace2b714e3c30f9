"""Twins of the kernels that read time stamps and durations."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
TIME_TEXT = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2})"
    r"(?:[ T](?P<clock>\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,9})?)?)"
    r"(?P<zone>[Zz]|[+-]\d{1,2}(?::?\d{1,2})?)?)?",
    re.ASCII,
)
DURATION_TEXT = re.compile(
    r"(?P<sign>-?)(?:(?P<seconds>\d{1,12})(?:\.\d*)?|(?P<clock>\d{1,12}:\d{1,2}:\d{1,2}))", re.ASCII
)
TIME_NAIVE, TIME_ZONED, TIME_DATE, TIME_MISSING, TIME_INVALID = range(5)
BLANKS = "".join(map(chr, range(33)))


def parse_time(text: str) -> tuple[int, int]:
    """Return seconds since 1970 and status of one time stamp, like ``_core.parse_times``."""
    text = text.strip(BLANKS)
    if not text:
        return 0, TIME_MISSING
    try:
        if re.fullmatch(r"\d+", text, re.ASCII):
            return _parse_digits(text)
        found = TIME_TEXT.fullmatch(text)
        return (0, TIME_INVALID) if found is None else _parse_fields(found)
    except ValueError:
        return 0, TIME_INVALID


def _parse_digits(text: str) -> tuple[int, int]:
    if len(text) in (9, 10):
        return int(text), TIME_ZONED
    if len(text) in (12, 13):
        return int(text) // 1000, TIME_ZONED
    if len(text) not in (8, 14):
        return 0, TIME_INVALID
    moment = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]))
    clock = [int(text[at : at + 2]) for at in range(8, len(text), 2)]
    return _seconds(moment, clock), TIME_NAIVE if clock else TIME_DATE


def _parse_fields(found: re.Match[str]) -> tuple[int, int]:
    moment = datetime(*map(int, re.split("[-/]", found["date"])))  # type: ignore[arg-type]
    if found["clock"] is None:
        return _seconds(moment, []), TIME_DATE
    seconds = _seconds(moment, [int(part.split(".")[0]) for part in found["clock"].split(":")])
    if found["zone"] is None:
        return seconds, TIME_NAIVE
    if found["zone"] in "Zz":
        return seconds, TIME_ZONED
    digits = found["zone"][1:]
    hours, minutes = digits.split(":") if ":" in digits else (digits[:2], digits[2:] or "0")
    if int(hours) > 15 or int(minutes) > 59:
        return 0, TIME_INVALID
    offset = int(hours) * 3600 + int(minutes) * 60
    return seconds + (offset if found["zone"][0] == "-" else -offset), TIME_ZONED


def _seconds(moment: datetime, clock: list[int]) -> int:
    hour, minute, second = [*clock, 0, 0, 0][:3]
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("not a time of day")
    return (moment - EPOCH) // timedelta(seconds=1) + hour * 3600 + minute * 60 + second


def parse_duration(text: str) -> int:
    """Return seconds, or -1 missing, -2 unreadable, -3 negative, like ``_core.parse_durations``."""
    text = text.strip(BLANKS)
    if not text:
        return -1
    found = DURATION_TEXT.fullmatch(text)
    if found is None or (found["sign"] and found["clock"]):
        return -2
    if found["clock"]:
        hours, minutes, seconds = map(int, found["clock"].split(":"))
        if minutes > 59 or seconds > 59:
            return -2
        value = hours * 3600 + minutes * 60 + seconds
    else:
        value = int(found["seconds"])
    if value >= 2**31:
        return -2
    return -3 if found["sign"] and value else value
