"""Measure top-1, recall at fixed precision and the honesty of q-values on re-entry cases.

    python benchmarks/accuracy/trusted_grades.py DATA [--tool FILE] [--seeds 3] [--work DIR]

DATA holds one folder per data set with `events.csv.gz`. The tool makes cases (`build`) and scores
answers (`score`), as for `reentry_cases.py`. No setting is tuned per data set: `window_days` is the
window of the case, all else is the default. Prints Markdown: per data set the mean over cases and
seeds, with each step left out in turn; and, pooled, how many matches were false at each q-value.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
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


def full(case: Case) -> chanfp.Matches:
    """Match with every step."""
    return chanfp.Matcher().fit(case.fingerprints).match()


def no_rounds(case: Case) -> chanfp.Matches:
    """Match without collective rounds."""
    return chanfp.Matcher(n_rounds=0).fit(case.fingerprints).match()


def one_round(case: Case) -> chanfp.Matches:
    """Match with one collective round."""
    return chanfp.Matcher(n_rounds=1).fit(case.fingerprints).match()


def no_competition(case: Case) -> chanfp.Matches:
    """Match with rounds, and rank by the odds of each pair alone."""
    matches = full(case)
    if matches.judgement is None:
        return matches
    alone = 1 / (1 + np.exp(-matches.judgement.log_odds))
    column = matches.table.schema.get_field_index("probability")
    return replace(matches, table=matches.table.set_column(column, "probability", [alone]))


def similarity(case: Case) -> chanfp.Matches:
    """Match by similarity tiers: no model."""
    matches = chanfp.Matcher(learn=False, n_rounds=0).fit(case.fingerprints).match()
    column = matches.table.schema.get_field_index("probability")
    jaccard = matches.table.column("jaccard")
    return replace(matches, table=matches.table.set_column(column, "probability", jaccard))


STEPS: dict[str, Callable[[Case], chanfp.Matches]] = {
    "everything": full,
    "one round instead of two": one_round,
    "no collective rounds": no_rounds,
    "no competition": no_competition,
    "no model: Jaccard, then tf-idf": similarity,
}


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


def report(tool: Path, data: Path, work: Path, n_seeds: int) -> None:
    """Print both tables."""
    scores: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    counts: dict[str, list[list[tuple[int, int]]]] = defaultdict(list)
    for case in build_cases(tool, data, work, n_seeds):
        for step, match in STEPS.items():
            matches = match(case)
            found = score(tool, case, matches)
            scores[case.name, step].append(tuple(found[name] for name in MEASURES))
            if match is full:
                counts[case.name].append(count_false(case, matches))
        plain = tuple(found["jaccard"][name] for name in MEASURES)
        scores[case.name, "plain Jaccard"].append(plain)
    print("| data | step | top-1 | recall at 99 % precision | at 95 % |\n|---|---|---|---|---|")
    for (name, step), rows in scores.items():
        means = (f"{mean(column):.3f}" for column in zip(*rows, strict=True))
        print(f"| {name} | {step} | {' | '.join(means)} |")
    print("\n| data | q-value at most | matches | false | share |\n|---|---|---|---|---|")
    pooled = {**counts, "all": [one for several in counts.values() for one in several]}
    for name, several in pooled.items():
        for limit, column in zip(LIMITS, np.sum(several, axis=0).tolist(), strict=True):
            share = f"{column[1] / column[0]:.3f}" if column[0] else "–"
            print(f"| {name} | {limit} | {column[0]} | {column[1]} | {share} |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--tool", type=Path, help="the case maker and scorer")
    parser.add_argument("--work", type=Path, help="keep the cases and matches here")
    parser.add_argument("--seeds", type=int, default=3, help="cases of each kind")
    arguments = parser.parse_args()
    tool = arguments.tool or arguments.data.parent / "tools" / "reentry_case.py"
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        report(tool, arguments.data, work, arguments.seeds)


if __name__ == "__main__":
    main()
