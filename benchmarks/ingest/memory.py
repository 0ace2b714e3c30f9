"""Memory and time per row as the records grow, under one memory limit.

    python benchmarks/ingest/memory.py DATA [--rows 10000000 100000000] [--limit 2000000000]

DATA is a folder; made-up carriers are written there with `chanfp simulate` unless they are there.
Each size runs in a process of its own, which tells its peak resident memory; spilled calls go to a
folder in DATA that must be empty afterwards.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_data import KIBIBYTE, describe_machine, make_carrier

MOST_SLOWDOWN = 1.3


def build(folder: Path, limit: int, temp_dir: str, n_threads: int) -> None:
    """Build fingerprints and print what that took, as JSON."""
    from chanfp import build_fingerprints

    started = time.perf_counter()
    found = build_fingerprints(
        str(folder / "cdr"), str(folder / "subscribers.csv"), memory_limit=limit,
        temp_dir=temp_dir, n_threads=n_threads,
    )  # fmt: skip
    took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    print(json.dumps({"rows": found.activity.counts.total, "seconds": took, "peak": peak,
                      "processor_s": time.process_time()}))  # fmt: skip


def measure(folder: Path, limit: int, n_threads: int, data: Path) -> tuple[dict[str, float], int]:
    """Return the figures of one size, and how many temporary files were left."""
    with tempfile.TemporaryDirectory(dir=data, prefix="spill-") as temp_dir:
        words = (sys.executable, __file__, data, "--build", folder, "--limit", limit,
                 "--threads", n_threads, "--temp-dir", temp_dir)  # fmt: skip
        done = subprocess.run(
            [str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True
        )
        n_left = len(list(Path(temp_dir).iterdir()))
    return json.loads(done.stdout), n_left


def main() -> int:
    """Run all sizes; 0 if memory, time per row and temporary files are as they should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000_000, 100_000_000])
    parser.add_argument("--limit", type=int, default=2_000_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--temp-dir", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.build is not None:
        build(wanted.build, wanted.limit, wanted.temp_dir, wanted.threads)
        return 0
    print(describe_machine())
    print(f"limit {wanted.limit / 1e9:.2f} GB, {wanted.threads} threads")
    per_row, is_kept = [], True
    for n_rows in wanted.rows:
        folder = make_carrier(wanted.data, n_rows)
        figures, n_left = measure(folder, wanted.limit, wanted.threads, wanted.data)
        per_row.append(1e9 * figures["seconds"] / figures["rows"])
        of_processors = 1e9 * figures["processor_s"] / figures["rows"]
        is_kept = is_kept and figures["peak"] < wanted.limit and n_left == 0
        print(
            f"  {figures['rows']:>11,} rows: {figures['seconds']:7.1f} s, "
            f"{per_row[-1]:5.0f} ns a row ({of_processors:.0f} of processors), "
            f"{figures['peak'] / 1e9:.2f} GB at most, {n_left} temporary files left"
        )
    slowdown = per_row[-1] / per_row[0]
    print(f"  time per row, last to first: {slowdown:.2f}; aim at most {MOST_SLOWDOWN}")
    return 0 if is_kept and slowdown <= MOST_SLOWDOWN else 1


if __name__ == "__main__":
    sys.exit(main())
