"""Twins of the kernels that screen, gather and group calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

TIME_MISSING, TIME_INVALID = 3, 4


class Call(NamedTuple):
    """One accepted row; a party's key is 0 where it is a service; served as in the kernel."""

    caller: int
    callee: int
    start_s: int
    duration_s: int
    is_message: bool
    is_pair: bool
    served: int = 3


class Holding(NamedTuple):
    """A number held from one second to another, both included."""

    key: int
    first_s: int
    last_s: int


class Entry(NamedTuple):
    """One call of one holding; talk time is -1 where unknown."""

    holding: int
    partner: int
    start_s: int
    seconds: int
    outgoing: int
    is_message: int = 0
    counts_here: int = 1


def screen_row(
    keys: tuple[int, int],
    codes: tuple[int, int],
    faults: set[int],
    direction: int,
    start_s: int,
    status: int,
    span: tuple[int, int],
) -> tuple[int, str]:
    """Return verdict and reason of one row, like ``_core.screen_rows``."""
    first_code, second_code = codes
    if first_code in faults:
        return 2, f"first {first_code}"
    if second_code in faults:
        return 2, f"second {second_code}"
    if direction < 0:
        return 2, "direction missing" if direction == -2 else "direction unreadable"
    if status == TIME_MISSING:
        return 2, "time missing"
    if status == TIME_INVALID or not 0 <= start_s < 2**32:
        return 2, "time invalid"
    if not span[0] <= start_s <= span[1]:
        return 2, "time stray"
    if first_code or second_code:
        return 1, f"service {second_code or first_code}"
    return (2, "own number") if keys[0] == keys[1] else (0, "")


def count_days(times_s: Iterable[int]) -> Counter[int]:
    """Return the records of each day since 1970."""
    return Counter(time_s // 86_400 for time_s in times_s)


def count_active_days(entries: Iterable[Entry], first_day: int) -> dict[int, Counter[int]]:
    """Return, by holding, the days of each week with a sign of life to a partner."""
    days: dict[int, set[int]] = {}
    for entry in entries:
        if entry.outgoing or entry.is_message or entry.seconds > 0:
            days.setdefault(entry.holding, set()).add(entry.start_s // 86_400 - first_day)
    return {holding: Counter(day // 7 for day in found) for holding, found in days.items()}


def find_holding(holdings: Sequence[Holding], key: int, time_s: int) -> int:
    """Return who held a number at a time, -1 for nobody."""
    for place, holding in enumerate(holdings):
        if holding.key == key and holding.first_s <= time_s <= holding.last_s:
            return place
    return -1


def gather_calls(
    calls: Iterable[Call], holdings: Sequence[Holding], reference_s: int
) -> tuple[list[Entry], list[list[int]], list[list[int]], set[int], tuple[int, int, int]]:
    """Return what ``_core.gather_calls`` writes.

    The entries; for each holding the times of its signs of life, and of all its records; who is
    alive after the reference time; and how many parties were outside any period, calls without a
    known party, and calls after the reference time there were.
    """
    known = {holding.key for holding in holdings}
    entries: list[Entry] = []
    own: list[list[int]] = [[] for _ in holdings]
    seen: list[list[int]] = [[] for _ in holdings]
    alive_later: set[int] = set()
    n_outside = n_unknown = n_later = 0
    for call in calls:
        is_later = call.start_s > reference_s
        n_later += is_later
        was_reached = call.is_pair and (call.is_message or call.duration_s > 0)
        sides = [(call.caller, call.callee, 1)] if call.served & 1 else []
        sides += [(call.callee, call.caller, 0)] if call.served & 2 else []
        n_unknown += all(number not in known for number, _, _ in sides)
        counts_here = 1
        for number, other, outgoing in sides:
            holding = find_holding(holdings, number, call.start_s)
            if holding < 0:
                n_outside += number in known
                continue
            is_own = bool(outgoing) or was_reached
            if is_later:
                alive_later |= {holding} if is_own else set()
                continue
            seen[holding].append(call.start_s)
            if is_own:
                own[holding].append(call.start_s)
            if call.is_pair:
                entries.append(
                    Entry(
                        holding,
                        other,
                        call.start_s,
                        call.duration_s,
                        outgoing,
                        int(call.is_message),
                        counts_here,
                    )
                )
                counts_here = 0
    return entries, own, seen, alive_later, (n_outside, n_unknown, n_later)


def _earliest(entry: Entry) -> tuple[int, bool, int, int]:
    return entry.start_s, entry.seconds < 0, entry.seconds, entry.counts_here


def drop_repeats(entries: Iterable[Entry], tolerance_s: int) -> tuple[list[Entry], int]:
    """Return the entries that repeat no other, and how many records fall away.

    Like ``_core.drop_repeats`` for all holdings.
    """
    kept: list[Entry] = []
    n_records = 0
    for entry in sorted(entries, key=_earliest):
        for place, other in reversed(list(enumerate(kept))):
            is_alike = (
                (other.holding, other.partner, other.outgoing, other.is_message)
                == (entry.holding, entry.partner, entry.outgoing, entry.is_message)
                and entry.start_s - other.start_s <= tolerance_s
                and (
                    min(entry.seconds, other.seconds) < 0
                    or abs(entry.seconds - other.seconds) <= tolerance_s
                )
            )
            if is_alike:
                n_records += entry.counts_here
                if other.seconds < 0:
                    kept[place] = other._replace(seconds=entry.seconds)
                break
        else:
            kept.append(entry)
    return kept, n_records


def group_calls(
    entries: Iterable[Entry], windows: Sequence[tuple[int, int, int]]
) -> list[list[tuple[int, int, int, int]]]:
    """Return, per (holding, first, last second), its (partner, calls, seconds, outgoing), sorted.

    Like ``_core.scatter_parts`` and ``_core.group_calls`` together.
    """
    entries = list(entries)
    rows = []
    for holding, first_s, last_s in windows:
        row: dict[int, tuple[int, int, int]] = {}
        for entry in entries:
            if entry.holding == holding and first_s <= entry.start_s <= last_s:
                calls, seconds, outgoing = row.get(entry.partner, (0, 0, 0))
                row[entry.partner] = (
                    calls + 1,
                    seconds + max(entry.seconds, 0),
                    outgoing + entry.outgoing,
                )
        rows.append([(partner, *sums) for partner, sums in sorted(row.items())])
    return rows
