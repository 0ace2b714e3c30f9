"""Rank re-entry cases made from real communication data by similarity, and score the answers.

    python benchmarks/accuracy/reentry_cases.py DATA [--tool FILE] [--work DIR] [--draws 5]

DATA holds one folder per data set with `events.csv.gz` (caller, callee, timestamp, duration_s,
kind, cell), and `vast2008/answer.csv` (old_id, new_id). The tool splits real people at a moment
into returners, leavers, newcomers and stayers (`build`) and scores an answer (`score`); by default
it is looked for in `tools` beside DATA. Prints a Markdown table of means over
the draws; exits with 1 where one falls below plain Jaccard's or a check fails.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

CASES = {
    "copenhagen": ("--window", "14", "--cut", ".5", "--min-partners", "2"),
    "emaileu": ("--window", "30", "--cut", ".4"),
    "collegemsg": ("--window", "21", "--cut", ".5"),
}
SEEDS = (0, 1, 2)
LATE_DAYS, EARLY_DAYS = 90, 60
VAST_SWITCH = datetime(2006, 6, 8, tzinfo=UTC)
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def run(*command: object, draw: int = 0) -> str:
    """Run a Python script or module and return what it prints.

    The case maker deals numbers from a set of texts, so they hang on Python's hash seed, and plain
    Jaccard breaks ties by number: each draw is another hash seed.
    """
    words = [sys.executable, *(str(part) for part in command)]
    environment = {**os.environ, "PYTHONHASHSEED": str(draw)}
    return subprocess.run(
        words, check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout


def match(case: Path, subscribers: str, out: str, *options: str) -> Path:
    """Match one case and return the file of matches."""
    files = ("--cdr", case / "cdr.csv", "--subscribers", case / subscribers, "--out", case / out)
    run("-m", "chanfp", "match", *files, "--quiet", "--similarity", *options)
    return case / out


def shift_dates(case: Path) -> None:
    """Write a subscriber table with late closures and early activations."""
    with (case / "subscribers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column, days in (("activated_at", -EARLY_DAYS), ("departed_at", LATE_DAYS)):
            if row[column]:
                moment = datetime.strptime(row[column], TIME_FORMAT).replace(tzinfo=UTC)
                row[column] = (moment + timedelta(days=days)).strftime(TIME_FORMAT)
    write_rows(case / "shifted.csv", rows)


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Write dicts as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def score_case(
    tool: Path, data: Path, work: Path, name: str, seed: int, draw: int
) -> dict[str, Any]:
    """Build, match and score one case."""
    options = CASES[name]
    case = work / f"{name}-{seed}-{draw}"
    run(tool, "build", data / name / "events.csv.gz", case, *options, "--seed", seed, draw=draw)
    # One look, as plain Jaccard's: the scorer ranks by the similarity of numbers as they stand.
    window = ("--window-days", options[1], "--rounds", "0")
    matches = match(case, "subscribers.csv", "matches.csv", *window)
    shift_dates(case)
    shifted = match(case, "shifted.csv", "shifted-matches.csv", *window)
    scores = json.loads(run(tool, "score", case, matches, "--score", "jaccard"))
    scores["same_when_shifted"] = matches.read_bytes() == shifted.read_bytes()
    return scores


def vast_found(data: Path, work: Path) -> list[tuple[str, str, str]]:
    """Match the five new phones of vast2008; return (new, true old, old found) of each."""
    case = work / "vast2008"
    case.mkdir(exist_ok=True)
    with gzip.open(data / "vast2008" / "events.csv.gz", "rt", newline="") as file:
        events = list(csv.DictReader(file))
    for event in events:
        moment = datetime.fromtimestamp(int(event.pop("timestamp")), UTC)
        event["start_time"] = moment.strftime(TIME_FORMAT)
    write_rows(case / "cdr.csv", events)
    with (data / "vast2008" / "answer.csv").open(newline="") as file:
        old_of = {row["new_id"]: row["old_id"] for row in csv.DictReader(file)}
    switch = VAST_SWITCH.strftime(TIME_FORMAT)
    last = (VAST_SWITCH - timedelta(seconds=1)).strftime(TIME_FORMAT)
    before = [event for event in events if event["start_time"] < switch]
    pool = sorted({event[side] for event in before for side in ("caller", "callee")})
    rows = [{"subscriber": phone, "activated_at": "", "departed_at": last} for phone in pool]
    rows += [{"subscriber": new, "activated_at": switch, "departed_at": ""} for new in old_of]
    write_rows(case / "subscribers.csv", rows)
    out = match(case, "subscribers.csv", "matches.csv", "--numbers", "opaque", "--new-days", "4")
    with out.open(newline="") as file:
        best = {row["new"]: row["old"] for row in csv.DictReader(file) if row["rank"] == "1"}
    return [(new, old, best.get(new, "")) for new, old in old_of.items()]


def report(tool: Path, data: Path, work: Path, n_draws: int) -> bool:
    """Print the tables; return whether every check holds."""
    holds = True
    print("| case | seed | top-1 | plain Jaccard | draws below | recall at 95 % | same shifted |")
    print("|---|---|---|---|---|---|---|")
    for name, seed in product(CASES, SEEDS):
        draws = [score_case(tool, data, work, name, seed, draw) for draw in range(n_draws)]
        found = [scores["top1"] for scores in draws]
        plain = [scores["jaccard"]["top1"] for scores in draws]
        is_same = all(scores["same_when_shifted"] for scores in draws)
        holds &= mean(found) >= mean(plain) and is_same
        n_below = sum(one < other for one, other in zip(found, plain, strict=True))
        recall = mean(scores["rec_p95"] for scores in draws)
        print(
            f"| {name} | {seed} | {mean(found):.4f} | {mean(plain):.4f} | {n_below} of {n_draws} "
            f"| {recall:.4f} | {'yes' if is_same else 'NO'} |",
            flush=True,
        )
    vast = vast_found(data, work)
    n_right = sum(old == best for _, old, best in vast)
    holds &= n_right == len(vast)
    print(f"\nvast2008: {n_right} of {len(vast)} people who changed phones come out first")
    for new, old, best in vast:
        print(f"  {new}: was {old}, found {best or 'nobody'}")
    return holds


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--tool", type=Path, help="the case maker and scorer")
    parser.add_argument("--work", type=Path, help="keep the cases and matches here")
    parser.add_argument("--draws", type=int, default=5, help="ways to deal the numbers of a case")
    arguments = parser.parse_args()
    tool = arguments.tool or arguments.data.parent / "tools" / "reentry_case.py"
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        sys.exit(0 if report(tool, arguments.data, work, arguments.draws) else 1)


if __name__ == "__main__":
    main()
