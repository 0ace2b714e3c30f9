"""What the benchmarks of reading share: made-up carriers, clocks and tables of figures."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

EVENTS_PER_PERSON = 54 / 30  # a day, as `chanfp simulate` draws them
DAYS = 90
# Peak memory comes in KiB, on macOS in bytes.
KIBIBYTE = 1 if sys.platform == "darwin" else 1024


def make_carrier(data: Path, n_rows: int, file_format: str = "parquet", *, seed: int = 1) -> Path:
    """Return the folder of a made-up carrier with about `n_rows` records, made if it is missing."""
    people = max(200, round(n_rows / (EVENTS_PER_PERSON * DAYS)))
    folder = data / f"carrier-{people}-{file_format}"
    if not (folder / "truth.csv").exists():
        print(f"making {folder} …", file=sys.stderr, flush=True)
        subprocess.run(
            [sys.executable, "-m", "chanfp", "simulate", folder, "--people", str(people),
             "--seed", str(seed), "--days", str(DAYS), "--format", file_format, "--quiet",
             "--overwrite"],
            check=True,
        )  # fmt: skip
    return folder


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return elapsed seconds and processor seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], n_runs: int
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the times of both, run in turn, after one run of each that doesn't count."""
    ours(), theirs()
    return [(seconds(ours), seconds(theirs)) for _ in range(n_runs)]


def describe_machine() -> str:
    """Return one line on the machine and the versions that matter."""
    import duckdb
    import numpy
    import pyarrow

    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return (
        f"{model}; Python {platform.python_version()}, duckdb {duckdb.__version__}, "
        f"pyarrow {pyarrow.__version__}, numpy {numpy.__version__}"
    )


def median_of(values: list[float]) -> str:
    """Return median and range as text."""
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
