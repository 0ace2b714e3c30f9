"""Small carriers written by hand, for tests of files and commands."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2024, 1, 1)
FRIENDS = [f"1380000{n:04}" for n in range(40)]
OLD, NEW, STAYER, LEAVER = "13911110001", "13911110002", "13911110003", "13911110004"
CDR_HEADER = ("caller", "callee", "start_time", "duration_s", "kind", "cell", "imei")
SUBSCRIBER_HEADER = ("subscriber", "activated_at", "departed_at")


def stamp(day: float) -> str:
    """Return a day since the start as text."""
    return (START + timedelta(days=day)).strftime("%Y-%m-%d %H:%M:%S")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write rows under a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def returner_calls() -> list[tuple[str, str, str, str, str, str, str]]:
    """Sixty days: OLD leaves on day 25, NEW starts on day 35 with the same friends.

    LEAVER leaves with friends of its own, STAYER stays.
    """
    rows = []

    def call(day: float, caller: str, callee: str, cell: str = "c1") -> None:
        imei = f"86{caller}00"
        rows.append((caller, callee, stamp(day), "60", "call", cell, imei))

    for day in range(25):
        call(day + 0.3, OLD, FRIENDS[day % 8])
        call(day + 0.5, FRIENDS[day % 4], OLD)
        call(day + 0.4, LEAVER, FRIENDS[20 + day % 8], "c2")
    for day in range(35, 60):
        call(day + 0.3, NEW, FRIENDS[day % 8])
        call(day + 0.5, FRIENDS[day % 4], NEW)
    for day in range(60):
        call(day + 0.1, STAYER, FRIENDS[10 + day % 6])
    return sorted(rows, key=lambda row: row[2])


def subscriber_rows() -> list[tuple[str, str, str]]:
    """Return the subscriber table of `returner_calls`."""
    return [
        (OLD, stamp(-300), stamp(26)),
        (LEAVER, stamp(-200), stamp(26)),
        (NEW, stamp(34), ""),
        (STAYER, stamp(-300), ""),
    ]


def write_carrier(folder: Path) -> tuple[Path, Path]:
    """Write the carrier of `returner_calls`; return its CDR file and subscriber table."""
    return (
        write_csv(folder / "cdr.csv", CDR_HEADER, returner_calls()),
        write_csv(folder / "subscribers.csv", SUBSCRIBER_HEADER, subscriber_rows()),
    )
