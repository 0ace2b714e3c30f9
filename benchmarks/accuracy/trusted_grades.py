"""Measure top-1, recall at fixed precision and the honesty of q-values on re-entry cases.

    python benchmarks/accuracy/trusted_grades.py DATA [--tool FILE] [--seeds 3] [--work DIR]
        [--steps everything ...]

DATA holds one folder per data set with `events.csv.gz`. The tool makes cases (`build`) and scores
answers (`score`), as for `reentry_cases.py`. No setting is tuned per data set: `window_days` is the
window of the case, all else is the default. Prints Markdown: per data set the mean over cases and
seeds, with each step left out in turn; and, pooled, how many matches were false at each q-value.
Exits with 1 where, pooled over all, more than 1.5 times the stated share is false.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TypeAlias

import numpy as np
from ablations import STEPS
from reentry_cases import run, write_rows

import chanfp

CASES = {
    "copenhagen": [
        ("--window", "14", "--cut", ".5", "--min-partners", "2"),
        ("--window", "10", "--cut", ".4", "--min-partners", "2"),
    ],
    "emaileu": [("--window", "30", "--cut", ".2"), ("--window", "30", "--cut", ".4")],
    "collegemsg": [("--window", "21", "--cut", ".4"), ("--window", "21", "--cut", ".6")],
}
LIMITS = (0.01, 0.05, 0.20)
MEASURES = ("top1", "rec_p99", "rec_p95")
MOST_TIMES = 1.5
Scores: TypeAlias = dict[tuple[str, str], list[tuple[float, ...]]]
Counts: TypeAlias = list[list[tuple[int, int]]]


@dataclass(frozen=True)
class Case:
    """One case: where its files are and who is who."""

    name: str
    folder: Path
    fingerprints: chanfp.Fingerprints

    @property
    def truth(self) -> dict[str, str]:
        """Old number of each new one, empty for those that had none."""
        with (self.folder / "truth.csv").open(newline="") as file:
            return {row["new"]: row["old"] for row in csv.DictReader(file)}


def build_cases(tool: Path, data: Path, work: Path, n_seeds: int) -> Iterator[Case]:
    """Make every case and read it."""
    for name, several in CASES.items():
        for number, options in enumerate(several):
            for seed in range(n_seeds):
                folder = work / f"{name}-{number}-{seed}"
                events = data / name / "events.csv.gz"
                run(tool, "build", events, folder, *options, "--seed", seed)
                fingerprints = chanfp.build_fingerprints(
                    folder / "cdr.csv", folder / "subscribers.csv", window_days=float(options[1])
                )
                yield Case(name, folder, fingerprints)


def score(tool: Path, case: Case, matches: chanfp.Matches) -> dict[str, dict[str, float]]:
    """Let the tool score an answer."""
    path = case.folder / "matches.csv"
    write_rows(path, matches.table.select(["new", "old", "probability"]).to_pylist())
    found: dict[str, dict[str, float]] = json.loads(run(tool, "score", case.folder, path))
    return found


def count_false(case: Case, matches: chanfp.Matches) -> list[tuple[int, int]]:
    """Return how many matches there are at each q-value, and how many of them are false."""
    truth = case.truth
    rows = [
        (row["q_value"], truth[row["new"]] != row["old"])
        for row in matches.table.select(["new", "old", "q_value"]).to_pylist()
        if row["q_value"] is not None and row["new"] in truth
    ]
    return [
        (sum(q <= limit for q, _ in rows), sum(q <= limit and bad for q, bad in rows))
        for limit in LIMITS
    ]


def measure(
    tool: Path, cases: Iterator[Case], steps: list[str]
) -> tuple[Scores, dict[tuple[str, str], Counts]]:
    """Match every case with each step left out; return scores and counts by data set and step."""
    scores: Scores = defaultdict(list)
    counts: dict[tuple[str, str], Counts] = defaultdict(list)
    for case in cases:
        for step in steps:
            matches = STEPS[step](case.fingerprints)
            found = score(tool, case, matches)
            scores[case.name, step].append(tuple(found[name] for name in MEASURES))
            counts[case.name, step].append(count_false(case, matches))
            counts["all", step].append(counts[case.name, step][-1])
        plain = tuple(found["jaccard"][name] for name in MEASURES)
        scores[case.name, "plain Jaccard"].append(plain)
    return scores, counts


def report(scores: Scores, counts: dict[tuple[str, str], Counts]) -> bool:
    """Print both tables; return whether the rates hold with every step."""
    print("| data | step | top-1 | recall at 99 % precision | at 95 % |\n|---|---|---|---|---|")
    for (name, step), rows in scores.items():
        means = (f"{mean(column):.3f}" for column in zip(*rows, strict=True))
        print(f"| {name} | {step} | {' | '.join(means)} |")
    heads = "".join(f" at {limit} | false |" for limit in LIMITS)
    print(f"\n| data | step |{heads}\n|---|---|{'---|' * (2 * len(LIMITS))}")
    holds = True
    for (name, step), several in counts.items():
        cells = []
        for limit, (n, n_false) in zip(LIMITS, np.sum(several, axis=0).tolist(), strict=True):
            cells += [str(n), f"{n_false / n:.3f}" if n else "–"]
            if (name, step) == ("all", "everything"):
                holds &= n_false <= MOST_TIMES * limit * n
        print(f"| {name} | {step} | {' | '.join(cells)} |")
    return holds


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--tool", type=Path, help="the case maker and scorer")
    parser.add_argument("--work", type=Path, help="keep the cases and matches here")
    parser.add_argument("--seeds", type=int, default=3, help="cases of each kind")
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    arguments = parser.parse_args()
    tool = arguments.tool or arguments.data.parent / "tools" / "reentry_case.py"
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        cases = build_cases(tool, arguments.data, work, arguments.seeds)
        holds = report(*measure(tool, cases, arguments.steps))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
