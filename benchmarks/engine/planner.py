"""Does the planner pick the right method? Both run, and the table says how far off it was.

    python benchmarks/engine/planner.py [--sizes 2000x8000 50000x200000] [--shapes hubs even]
        [--thresholds 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8] [--runs 3] [--csv FILE]

One line for each shape, size and threshold: what `method="auto"` took, which method was faster, by
how much the choice missed the faster one (the aim: at most 2), what share of the join the planning
cost, and predicted over actual counts and seconds of both methods. Processor time on one thread,
least of some runs. Exits with 1 if a choice missed by more than 2.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

from made_sets import SHAPES
from ratios import describe_machine

from chanfp import JoinPlan, Pairs, jaccard_join, plan_join
from chanfp.csr import SparseRows, check_csr
from chanfp.planning import plan_rows

AIM = 2.0
FIELDS = [
    "shape", "rows", "jaccard", "chosen", "faster", "missed_by", "exact_s", "lsh_s",
    "planning_share", "postings", "exact_seconds", "candidates", "merged", "lsh_seconds", "recall",
]  # fmt: skip


def least_seconds(work: Callable[[], object], n_runs: int) -> tuple[float, object]:
    """Return the least processor seconds of some runs, and what the last one gave."""
    least, result = math.inf, None
    for _ in range(n_runs):
        begin = time.process_time()
        result = work()
        least = min(least, time.process_time() - begin)
    return least, result


def check_case(a: SparseRows, b: SparseRows, min_jaccard: float, n_runs: int) -> dict[str, object]:
    """Run both methods and compare with the plan."""
    plan: JoinPlan = plan_join(a, b, min_jaccard, n_threads=1)
    seconds, works, recall = {}, {}, 1.0
    for method in ("exact", "lsh"):

        def join(method: str = method) -> Pairs:
            return jaccard_join(a, b, min_jaccard, method=method, n_threads=1)

        seconds[method], pairs = least_seconds(join, n_runs)
        works[method] = pairs.plan.actual
        n_found = len(pairs)
        if method == "exact":
            n_true = n_found
    recall = n_found / n_true if n_true else math.nan
    planning, _ = least_seconds(lambda: plan_rows(a, b, min_jaccard, 0.95, n_threads=1), n_runs)
    fastest = min(seconds.values())
    return {
        "jaccard": min_jaccard,
        "chosen": plan.method,
        "faster": min(seconds, key=seconds.__getitem__),
        "missed_by": seconds[plan.method] / fastest,
        "exact_s": seconds["exact"],
        "lsh_s": seconds["lsh"],
        "planning_share": planning / (seconds[plan.method] + planning),
        "postings": plan.exact.postings / max(works["exact"].postings, 1),
        "exact_seconds": plan.exact.seconds / seconds["exact"],
        "candidates": plan.lsh.candidates / max(works["lsh"].candidates, 1),
        "merged": plan.lsh.verifications / max(works["lsh"].verifications, 1),
        "lsh_seconds": plan.lsh.seconds / seconds["lsh"],
        "recall": recall,
    }


def show(value: object) -> str:
    """Write a cell of the table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main() -> int:
    """Check every case; 0 if no choice missed by more than the aim."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["2000x8000", "50000x200000"])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    parser.add_argument("--thresholds", nargs="+", type=float, default=thresholds)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--csv", type=Path)
    wanted = parser.parse_args()
    print(describe_machine())
    print("predicted over actual: postings, exact_seconds, candidates, merged, lsh_seconds")
    widths = [max(len(name), 8) for name in FIELDS]
    widths[1] = 13
    print("  ".join(name.rjust(width) for name, width in zip(FIELDS, widths, strict=True)))
    cases = []
    for shape in wanted.shapes:
        for size in wanted.sizes:
            sides = [
                check_csr(matrix, "matrix", with_values=False)
                for matrix in SHAPES[shape](*map(int, size.split("x")))
            ]
            for least in wanted.thresholds:
                case = {"shape": shape, "rows": size, **check_case(*sides, least, wanted.runs)}
                cases.append(case)
                cells = [show(case[name]).rjust(w) for name, w in zip(FIELDS, widths, strict=True)]
                print("  ".join(cells), flush=True)
    worst = max(case["missed_by"] for case in cases)
    print(f"worst choice: {worst:.2f} times the faster method (at most {AIM:g})")
    if wanted.csv:
        with wanted.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(cases)
    return 0 if worst <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
