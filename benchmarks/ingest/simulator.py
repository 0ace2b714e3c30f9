"""How fast `chanfp.simulate` makes records, and in how much memory.

    python benchmarks/ingest/simulator.py DATA [--rows 100000000] [--threads 2]

Two ways: records drawn and handed out through the Arrow stream, batch by batch, and dropped; and
the same written to DATA as Parquet with zstd, which the compression holds up.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from made_data import DAYS, EVENTS_PER_PERSON, KIBIBYTE, describe_machine

LEAST_SPEED, MOST_BYTES = 2_000_000, 2_000_000_000


def draw(n_rows: int, n_threads: int, folder: str) -> None:
    """Make one carrier and print what that took, as JSON."""
    import pyarrow as pa

    from chanfp.simulation import simulate

    people = max(200, round(n_rows / (EVENTS_PER_PERSON * DAYS)))
    started = time.perf_counter()
    carrier = simulate(people, 1, days=DAYS, n_threads=n_threads)
    made = time.perf_counter()
    if folder:
        carrier.write(folder)
        found = carrier.cdrs.expected_rows
    else:
        found = sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(carrier.cdrs))
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    print(json.dumps({"rows": found, "people": made - started, "records": ended - made,
                      "peak": peak}))  # fmt: skip


def main() -> int:
    """Run both ways; 0 if the stream is fast enough and memory small enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draw", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.draw is not None:
        draw(wanted.rows, wanted.threads, wanted.draw)
        return 0
    print(describe_machine())
    is_good = True
    folder = wanted.data / "simulated"
    for name, target in (("Arrow stream", ""), ("Parquet files", str(folder))):
        words = (sys.executable, __file__, wanted.data, "--rows", wanted.rows, "--threads",
                 wanted.threads, "--draw", target)  # fmt: skip
        done = subprocess.run(
            [str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True
        )
        figures = json.loads(done.stdout)
        speed = figures["rows"] / figures["records"]
        is_good = (
            is_good and figures["peak"] < MOST_BYTES and (speed >= LEAST_SPEED or bool(target))
        )
        print(
            f"  {name:13}: {figures['rows']:,} records, {speed / 1e6:.2f} million a second "
            f"(people before that: {figures['people']:.1f} s), "
            f"{figures['peak'] / 1e9:.2f} GB at most"
        )
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
