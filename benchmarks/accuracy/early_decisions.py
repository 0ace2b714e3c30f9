"""Match made-up carriers week by week, to see what can be said how long after first use.

    python benchmarks/accuracy/early_decisions.py [--people 20000] [--seeds 3] [--work DIR]

Once a week, from half of the span on, everything up to then is matched, as a carrier would; so
every new number is judged once in the week from 7, from 15 and from 30 days after first use. Prints
Markdown: recall and true false share by days observed and at each of the three ages, and what
acting on any of the three looks does to errors. Exits with 1 where at one age more than 1.5 times
the stated share is false, of 200 or more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from judged_carriers import Judged, Truth, make_carrier

import chanfp

AGES, WEEK = (7, 15, 30), 7
BANDS = (0, 3, 7, 15, 22, 30, 37)
LIMITS = (0.05, 0.20)
FIRST_DAY, LAST_DAY = 45, 87
DAY_S = 86_400
START = np.datetime64("2024-03-01")
ENOUGH, MOST_TIMES = 200, 1.5


@dataclass(frozen=True)
class Look:
    """One new number on one day."""

    number: tuple[int, str]
    age_days: float
    came_back: bool
    q_value: float
    is_right: bool


def look_weekly(carrier: Path, seed: int) -> Iterator[Look]:
    """Yield all looks at the new numbers of a carrier."""
    truth = Truth.read(carrier)
    for day in range(FIRST_DAY, LAST_DAY + 1, WEEK):
        prints = chanfp.build_fingerprints(
            carrier / "cdr",
            carrier / "subscribers.csv",
            reference_time=f"{START + day} 00:00:00",
            new_days=BANDS[-1],
        )
        judged = Judged(prints, truth, chanfp.Matcher().fit(prints).match())
        numbers = judged.best["new"].to_pylist()
        found = dict(zip(numbers, zip(judged.q_values, judged.is_right, strict=True), strict=True))
        pool = set(prints.old.ids.to_pylist())
        begins = prints.activity.first_own_s[prints.new.role.holdings]
        ages = (prints.activity.reference_s - begins) / DAY_S
        for number, age in zip(prints.new.ids.to_pylist(), ages.tolist(), strict=True):
            q_value, is_right = found.get(number, (np.nan, False))
            came_back = truth.old_of.get(number) in pool
            yield Look((seed, number), age, came_back, float(q_value), bool(is_right))


def row_of(looks: list[Look]) -> tuple[list[str], bool]:
    """Return the cells that sum looks up, and whether the rates hold."""
    n_back = sum(look.came_back for look in looks)
    cells, holds = [str(len(looks)), str(n_back)], True
    for limit in LIMITS:
        claimed = [look for look in looks if look.q_value <= limit]
        n_right = sum(look.is_right for look in claimed)
        share = 1 - n_right / len(claimed) if claimed else 0.0
        holds &= len(claimed) < ENOUGH or share <= MOST_TIMES * limit
        cells += [str(len(claimed)), f"{share:.3f}", f"{n_right / n_back:.3f}" if n_back else "–"]
    return cells, holds


def print_ages(looks: list[Look]) -> bool:
    """Print both tables by age; return whether the rates hold."""
    heads = "".join(f" at {limit} | false | recall |" for limit in LIMITS)
    all_hold = True
    for title, spans in (
        ("days observed", list(pairwise(BANDS))),
        ("decision after", [(age, age + WEEK) for age in AGES]),
    ):
        print(f"\n| {title} | new | came back |{heads}\n|---|---|---|{'---|' * 6}")
        for first, stop in spans:
            cells, holds = row_of([look for look in looks if first <= look.age_days < stop])
            name = f"{first} to {stop}" if title == "days observed" else f"{first} days"
            print(f"| {name} | {' | '.join(cells)} |")
            all_hold &= holds
    return all_hold


def print_any(looks: list[Look]) -> None:
    """Print what acting on any look does to errors, for numbers looked at thrice."""
    by_number: dict[tuple[int, str], dict[int, Look]] = defaultdict(dict)
    for look in looks:
        for age in AGES:
            if age <= look.age_days < age + WEEK:
                by_number[look.number][age] = look
    whole = [one for one in by_number.values() if len(one) == len(AGES)]
    print("\n| acted on | at q-value | matches | false | share |\n|---|---|---|---|---|")
    for limit in LIMITS:
        n_false = []
        for name, ages in (*((f"{age} days alone", (age,)) for age in AGES), ("any", AGES)):
            acted = [
                {one[age].is_right for age in ages if one[age].q_value <= limit} for one in whole
            ]
            acted = [one for one in acted if one]
            n_false.append(sum(False in one for one in acted))
            share = f"{n_false[-1] / len(acted):.3f}" if acted else "–"
            print(f"| {name} | {limit} | {len(acted)} | {n_false[-1]} | {share} |")
        single = sum(n_false[:-1]) / len(AGES)
        times = f"{n_false[-1] / single:.2f}" if single else "–"
        print(f"| any, over the mean of one | {limit} | | {times} times | |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep the carriers here")
    arguments = parser.parse_args()
    looks: list[Look] = []
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        for seed in range(1, arguments.seeds + 1):
            carrier = make_carrier(work, arguments.people, seed, "default")
            looks += look_weekly(carrier, seed)
            print(f"seed {seed}: done", file=sys.stderr, flush=True)
    holds = print_ages(looks)
    print_any(looks)
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
