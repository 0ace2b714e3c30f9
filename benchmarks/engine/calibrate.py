"""What a step of a join costs on this machine: the constants of `chanfp.costs`, fitted to runs.

    python benchmarks/engine/calibrate.py [--sizes 2000x8000 10000x40000 50000x200000] [--runs 3]
        [--thresholds 0.05 0.1 0.2 0.3 0.5 0.8] [--band-rows 1 2 3] [--shapes hubs dropped even]

Both methods join every shape at every threshold on one thread; the least processor time of some
runs counts. The constants are the non-negative ones with the least squared relative error (Lawson
and Hanson 1974). Printed: the constants, in nanoseconds, the range of predicted to measured
seconds, and the worst rows. A change of a kernel wants new constants; copy them by hand.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from made_sets import SHAPES
from ratios import describe_machine
from scipy.optimize import nnls

from chanfp import costs, jaccard_join, planning
from chanfp.bands import plan_lsh
from chanfp.csr import SparseRows, check_csr
from chanfp.joinsamples import count_sample
from chanfp.planning import turn_sides

MOST_SLOTS = 2000  # more are never worth while
MOST_CANDIDATES = 3e7


@dataclass
class Run:
    """One join: what it is called, its seconds, and how often each step was taken."""

    name: str
    seconds: float
    steps: dict[str, float]


def time_join(a: SparseRows, b: SparseRows, min_jaccard: float, method: str, n_runs: int):
    """Return the least processor seconds, and the pairs."""
    least = math.inf
    for _ in range(n_runs):
        begin = time.process_time()
        pairs = jaccard_join(a, b, min_jaccard, method=method, n_threads=1)
        least = min(least, time.process_time() - begin)
    return least, pairs


def run_exact(a: SparseRows, b: SparseRows, min_jaccard: float, name: str, n_runs: int) -> Run:
    """Join exactly; steps that no kernel counts are those that a sample predicts."""
    seconds, pairs = time_join(a, b, min_jaccard, "exact", n_runs)
    queries, posted = (b, a) if turn_sides(a, b) else (a, b)
    counts = count_sample(queries, posted, min_jaccard)
    actual = pairs.plan.actual
    far = costs.doublings(posted.n_rows)
    steps = {
        "START": 1.0,
        "PER_POSTED": posted.n_entries,
        "PER_QUERIED": queries.n_entries,
        "PER_LIST": counts.lists,
        "PER_LIST_FAR": far * counts.lists,
        "PER_RANKED": counts.ranked,
        "PER_POSTING": actual.postings,
        "PER_POSTING_FAR": far * actual.postings,
        "PER_VERIFICATION": actual.verifications,
        "PER_VERIFICATION_FAR": far * actual.verifications,
        "PER_PAIR": len(pairs),
    }
    return Run(name, seconds, steps)


def run_lsh(a: SparseRows, b: SparseRows, min_jaccard: float, name: str, n_runs: int) -> Run:
    """Join in buckets."""
    seconds, pairs = time_join(a, b, min_jaccard, "lsh", n_runs)
    bands, actual = pairs.plan.bands, pairs.plan.actual
    n_rows = a.n_rows + b.n_rows
    far = costs.doublings(n_rows)
    steps = {
        "START": 1.0,
        "PER_ROW_BAND": n_rows * bands.n_bands,
        "PER_ROW_BAND_FAR": far * n_rows * bands.n_bands,
        "PER_ENTRY": a.n_entries + b.n_entries,
        "PER_ENTRY_SLOT": (a.n_entries + b.n_entries) * bands.n_slots,
        "PER_CANDIDATE": actual.candidates,
        "PER_CANDIDATE_FAR": far * actual.candidates,
        "PER_VERIFICATION": actual.verifications,
        "PER_VERIFICATION_FAR": far * actual.verifications,
        "PER_VERIFICATION_BAND": actual.verifications * bands.n_bands,
        "PER_OVERSIZED_ROW": pairs.n_oversized_rows,
    }
    return Run(f"{name}, {bands.n_bands} bands of {bands.band_rows}", seconds, steps)


def print_fit(method: str, runs: list[Run]) -> None:
    """Fit the constants of a method and print them."""
    seconds = np.array([run.seconds for run in runs])
    steps = np.array([list(run.steps.values()) for run in runs]) / seconds[:, None]
    fitted, _ = nnls(steps, np.ones(len(runs)))
    print(f"{method}, {len(runs)} runs, ns:")
    for step, cost in zip(runs[0].steps, fitted, strict=True):
        print(f"  _{method.upper()}_{step:<22} {1e9 * cost:12.2f}")
    ratios = steps @ fitted
    print(f"  predicted to measured   {ratios.min():.2f} to {ratios.max():.2f}")
    for at in np.argsort(-np.abs(np.log(ratios)))[:8]:
        print(f"    {ratios[at]:.2f}  {runs[at].seconds:.4f} s  {runs[at].name}")


def main() -> None:
    """Run every join and fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = ["2000x8000", "10000x40000", "50000x50000", "50000x200000", "200000x200000"]
    parser.add_argument("--sizes", nargs="+", default=sizes)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument(
        "--thresholds", nargs="+", type=float, default=[0.05, 0.1, 0.2, 0.3, 0.5, 0.8]
    )
    parser.add_argument("--band-rows", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--methods", nargs="+", choices=["exact", "lsh"], default=["exact", "lsh"])
    wanted = parser.parse_args()
    print(describe_machine())
    runs: dict[str, list[Run]] = {method: [] for method in wanted.methods}
    for shape in wanted.shapes:
        for size in wanted.sizes:
            sides = [
                check_csr(matrix, "matrix", with_values=False)
                for matrix in SHAPES[shape](*map(int, size.split("x")))
            ]
            for least in wanted.thresholds:
                name = f"{shape} {size} at {least:g}"
                if "exact" in runs:
                    runs["exact"].append(run_exact(*sides, least, name, wanted.runs))
                for band_rows in wanted.band_rows if "lsh" in runs else ():
                    if band_rows * math.log(0.05) / math.log1p(-(least**band_rows)) > MOST_SLOTS:
                        continue
                    bands = plan_lsh(*sides, least, 0.95, 1, band_rows)
                    if bands.candidates < MOST_CANDIDATES:
                        with patch.object(planning, "plan_lsh", lambda *_, bands=bands: bands):
                            runs["lsh"].append(run_lsh(*sides, least, name, wanted.runs))
    for method, joined in runs.items():
        print_fit(method, joined)


if __name__ == "__main__":
    main()
