"""Exact joins against sparse_dot_topn: ratios, costs per step, memory, growth, threads.

    python benchmarks/engine/exact_joins.py [--new 50000] [--departed 200000] [--rounds 5]
        [--lines raw index growth memory steps large]

Peer and chanfp alternate in one run; each line gives the median of the rounds' ratios. The peer
multiplies 0/1 matrices and keeps the best by shared partners (`sp_matmul_topn`, its fastest call);
chanfp returns every pair that reaches the threshold, verified. `--clock cpu` takes the process's
processor time instead of the wall's, for a machine that others use; not for lines with threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from unittest.mock import patch

import numpy as np
from made_sets import drop_hubs, make_hub_sets
from scipy.sparse import csr_array, csr_matrix
from sparse_dot_topn import sp_matmul_topn

import chanfp
from chanfp import overlaps

MIN_JACCARD = 0.3
TOP_ALL = 10  # what the peer keeps per row, hubs left in
TOP_DROPPED = 50
MAX_DEPARTED = 1000
LINES = ("raw", "index", "growth", "memory", "steps", "large")

Work = Callable[[], object]


def time_alternating(
    works: Sequence[Work], rounds: int, clock: Callable[[], float]
) -> list[list[float]]:
    """Return each work's seconds, one list per work, after one round that doesn't count."""
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 1):
        for work, found in zip(works, seconds, strict=True):
            begin = clock()
            work()
            if turn:
                found.append(clock() - begin)
    return seconds


def show_ratio(line: str, ours: list[float], theirs: list[float], goal: float) -> None:
    """Print one line of the table."""
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    mark = "ok" if ratio >= goal else "BELOW"
    print(
        f"{line:<44} {1e3 * statistics.median(ours):9.1f} ms against "
        f"{1e3 * statistics.median(theirs):9.1f} ms   {ratio:7.1f} x  (goal {goal:g} x) {mark}",
        flush=True,
    )


def compare(
    new: csr_array, departed: csr_array, *, top: int, wanted: argparse.Namespace, name: str
) -> None:
    """Print the lines "from raw CSR" and "index built before" for one data set."""
    dropped = top == TOP_DROPPED
    new_matrix, departed_matrix = csr_matrix(new), csr_matrix(departed)
    turned = departed_matrix.T.tocsr()
    index = chanfp.PartnerIndex(departed)
    seconds = time_alternating(
        [
            departed_matrix.T.tocsr,
            lambda: sp_matmul_topn(new_matrix, turned, top_n=top, n_threads=1),
            lambda: chanfp.jaccard_join(new, departed, MIN_JACCARD, method="exact", n_threads=1),
            lambda: index.join(new, min_jaccard=MIN_JACCARD, n_threads=1),
        ],
        wanted.rounds,
        wanted.clock,
    )
    turning, multiplying, raw, indexed = seconds
    both = [a + b for a, b in zip(turning, multiplying, strict=True)]
    if "raw" in wanted.lines:
        show_ratio(f"{name}, from raw CSR", raw, both, 7 if dropped else 45)
    if "index" in wanted.lines:
        show_ratio(f"{name}, index built before", indexed, multiplying, 12 if dropped else 100)


def measure_growth(wanted: argparse.Namespace) -> None:
    """Print what doubling both sides, the partners and the hubs costs."""
    single = make_hub_sets(wanted.new, wanted.departed)
    double = make_hub_sets(
        2 * wanted.new, 2 * wanted.departed, n_partners=10_000_000, n_hubs=40_000
    )
    one, two = time_alternating(
        [lambda: chanfp.jaccard_join(*single, MIN_JACCARD, method="exact", n_threads=1),
         lambda: chanfp.jaccard_join(*double, MIN_JACCARD, method="exact", n_threads=1)],
        wanted.rounds,
        wanted.clock,
    )  # fmt: skip
    ratio = statistics.median(b / a for a, b in zip(one, two, strict=True))
    print(f"both sides doubled: {ratio:.2f} x the time (at most 2.3 x)", flush=True)


def measure_memory(new: csr_array, departed: csr_array) -> None:
    """Print the most memory beyond the input, and what the goal allows."""
    allowed = 12 * (new.nnz + departed.nnz) + 12 * departed.shape[1]
    index = None
    for name in ("join from raw CSR", "index and join"):
        tracemalloc.start()
        if name == "index and join":
            index = chanfp.PartnerIndex(departed)
            index.join(new, min_jaccard=MIN_JACCARD, n_threads=1)
        else:
            chanfp.jaccard_join(new, departed, MIN_JACCARD, method="exact", n_threads=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"memory, {name}: {peak / 1e6:.0f} MB (at most {allowed / 1e6:.0f} MB)", flush=True)


def measure_steps(new: csr_array, departed: csr_array, wanted: argparse.Namespace) -> None:
    """Print nanoseconds per look-up and per posting walked."""
    index = chanfp.PartnerIndex(departed)
    counts = np.bincount(departed.indices, minlength=departed.shape[1])
    n_postings = int(counts[new.indices].sum())

    def walk_all() -> None:
        with patch.object(overlaps, "SHORT_LIST", departed.shape[0]):
            index.join(new, min_jaccard=MIN_JACCARD, n_threads=1)

    works = [lambda: index.join(new, min_jaccard=MIN_JACCARD, n_threads=1), walk_all]
    (few, every) = time_alternating(works, wanted.rounds, wanted.clock)
    look_up = 1e9 * statistics.median(few) / new.nnz
    posting = 1e9 * statistics.median(every) / n_postings
    print(f"per look-up, short lists and verification included: {look_up:.1f} ns (at most 30)")
    print(f"per posting, all lists walked: {posting:.2f} ns (at most 6)", flush=True)


def measure_large(wanted: argparse.Namespace) -> None:
    """Print the lines of four times the new and five times the departed, hubs dropped."""
    new, departed = drop_hubs(
        *make_hub_sets(4 * wanted.new, 5 * wanted.departed), max_departed=MAX_DEPARTED
    )
    new_matrix, turned = csr_matrix(new), csr_matrix(departed).T.tocsr()
    index = chanfp.PartnerIndex(departed)
    ours, theirs = time_alternating(
        [lambda: index.join(new, min_jaccard=MIN_JACCARD, n_threads=2),
         lambda: sp_matmul_topn(new_matrix, turned, top_n=TOP_DROPPED, n_threads=2)],
        wanted.rounds,
        time.perf_counter,
    )  # fmt: skip
    show_ratio("large, index built before, two threads", ours, theirs, 10)
    rounds = 9 if wanted.rounds > 1 else 1
    for name, join in (
        ("index built before", lambda n: index.join(new, min_jaccard=MIN_JACCARD, n_threads=n)),
        (
            "raw CSR",
            lambda n: chanfp.jaccard_join(new, departed, MIN_JACCARD, method="exact", n_threads=n),
        ),
    ):
        one, two = time_alternating(
            [lambda join=join: join(1), lambda join=join: join(2)], rounds, time.perf_counter
        )
        show_ratio(f"large, two threads against one, {name}", two, one, 1.8)


def main() -> None:
    """Run the lines asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--new", type=int, default=50_000)
    parser.add_argument("--departed", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", nargs="+", choices=LINES, default=LINES)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    wanted = parser.parse_args()
    wanted.clock = {"wall": time.perf_counter, "cpu": time.process_time}[wanted.clock]
    new, departed = make_hub_sets(wanted.new, wanted.departed)
    dropped = drop_hubs(new, departed, max_departed=MAX_DEPARTED)
    if {"raw", "index"} & set(wanted.lines):
        compare(new, departed, top=TOP_ALL, wanted=wanted, name="hubs left in")
        compare(*dropped, top=TOP_DROPPED, wanted=wanted, name="hubs dropped")
    if "steps" in wanted.lines:
        measure_steps(new, departed, wanted)
    if "memory" in wanted.lines:
        measure_memory(new, departed)
    if "growth" in wanted.lines:
        measure_growth(wanted)
    if "large" in wanted.lines:
        measure_large(wanted)


if __name__ == "__main__":
    main()
