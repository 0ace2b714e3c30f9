"""Candidates: the best departed of each new subscription, against walking every posting list.

    python benchmarks/engine/candidates.py [--new 50000] [--departed 200000] [--rounds 5]
        [--top 5 20] [--clock wall]

Both answers are the same, byte for byte; the lists of hubs are walked only where they can matter.
`--clock cpu` takes the process's processor time instead of the wall's, for a machine that others
use.
"""

from __future__ import annotations

import argparse
import statistics
import time
from unittest.mock import patch

import numpy as np
from made_sets import make_hub_sets

from chanfp import joins
from chanfp.candidates import find_candidates
from chanfp.csr import check_csr
from chanfp.pairs import Pairs


def main() -> None:
    """Print a line for each ranking and number of candidates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--new", type=int, default=50_000)
    parser.add_argument("--departed", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--top", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    wanted = parser.parse_args()
    clock = {"wall": time.perf_counter, "cpu": time.process_time}[wanted.clock]
    new, departed = make_hub_sets(wanted.new, wanted.departed)
    rng = np.random.default_rng(1)
    for matrix in (new, departed):
        matrix.data = rng.integers(1, 10, matrix.nnz).astype(np.float64)
    n_calling = np.bincount(departed.indices, minlength=departed.shape[1])
    rarity = np.log((1 + wanted.departed) / (1 + n_calling))
    tables = check_csr(new, "new"), check_csr(departed, "departed")

    def find(top_k: int, rank_by: str) -> tuple[float, Pairs]:
        begin = clock()
        pairs = find_candidates(
            *tables, partner_rarity=rarity, top_k=top_k, rank_by=rank_by, n_threads=1
        )
        return clock() - begin, pairs

    for rank_by in ("jaccard", "rarity"):
        for top_k in wanted.top:
            seconds: list[tuple[float, float]] = []
            for _ in range(wanted.rounds):
                ours, pairs = find(top_k, rank_by)
                with patch.object(joins, "_SHORT_LIST", wanted.departed):
                    every, expected = find(top_k, rank_by)
                if pairs.to_arrow() != expected.to_arrow():
                    raise SystemExit("the answers differ")
                seconds.append((ours, every))
            ratio = statistics.median(every / ours for ours, every in seconds)
            ours, every = (1e3 * statistics.median(one) for one in zip(*seconds, strict=True))
            print(
                f"top {top_k:2} by {rank_by:<8} {ours:8.1f} ms, every list walked {every:8.1f} ms"
                f"   {ratio:5.1f} x",
                flush=True,
            )


if __name__ == "__main__":
    main()
