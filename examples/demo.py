"""Simulate a small carrier, find its returners, and compare the answer with the truth.

python examples/demo.py FOLDER [--people 5000] [--seed 1]
"""

import argparse
import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path


def chanfp(*arguments: object) -> None:
    """Run the command line as an analyst would."""
    words = [str(argument) for argument in arguments]
    print("$ chanfp", *words, flush=True)
    subprocess.run([sys.executable, "-m", "chanfp", *words], check=True)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def compare(matches: Path, carrier: Path) -> None:
    """Print how many of the best matches of each grade are right."""
    old_of = {row["new"]: row["old"] for row in read_rows(carrier / "truth.csv")}
    closed = {
        row["subscriber"] for row in read_rows(carrier / "subscribers.csv") if row["departed_at"]
    }
    best = [row for row in read_rows(matches) if row["rank"] == "1"]
    n_all = Counter(row["grade"] for row in best)
    n_right = Counter(row["grade"] for row in best if old_of.get(row["new"]) == row["old"])
    returners = [old for old in old_of.values() if old]
    n_closed = sum(old in closed for old in returners)
    print(
        f"\nA made-up carrier knows the truth: {len(returners)} of its new numbers came back from "
        f"an old one; for {n_closed} of them the old number is closed in the subscriber table."
    )
    for grade in sorted(n_all):
        print(f"  grade {grade}: {n_right[grade]:>4} of {n_all[grade]:>4} best matches are right")
    print(f"  together {sum(n_right.values())} returners found")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    carrier = arguments.folder / f"carrier-{arguments.people}-{arguments.seed}"
    matches = arguments.folder / "matches.csv"
    if not (carrier / "truth.csv").exists():  # written last
        size = ("--people", arguments.people, "--seed", arguments.seed)
        chanfp("simulate", carrier, *size, "--overwrite")
    chanfp(
        "match",
        *("--cdr", carrier / "cdr"),
        *("--subscribers", carrier / "subscribers.csv"),
        *("--cells", carrier / "cells.csv"),
        *("--out", matches),
        *("--new-days", 90),
    )
    compare(matches, carrier)
    print(f"\nThe matches are in {matches}, the carrier's files in {carrier}.")


if __name__ == "__main__":
    main()
