"""What the benchmarks of reading share: made-up carriers, clocks and tables of figures."""

from __future__ import annotations

import multiprocessing
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
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


class Contender:
    """Work done again and again in a process of its own, so that no other's memory is in its way.

    Parameters
    ----------
    prepare : callable
        Called in that process (so it must be picklable); returns the work.
    """

    def __init__(self, prepare: Callable[[], Callable[[], object]]) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, other_end = context.Pipe()
        self._process = context.Process(target=_work, args=(other_end, prepare), daemon=True)
        self._process.start()
        other_end.close()

    def run(self) -> tuple[float, float]:
        """Work once; return elapsed seconds and processor seconds."""
        self._line.send(True)
        found: tuple[float, float] = self._line.recv()
        return found

    def stop(self) -> None:
        """End the process."""
        self._line.send(False)
        self._process.join()


def _work(line: Connection, prepare: Callable[[], Callable[[], object]]) -> None:
    work = prepare()
    while line.recv():
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        line.send((time.perf_counter() - wall, time.process_time() - cpu))


def alternate(
    ours: Callable[[], Callable[[], object]],
    theirs: Callable[[], Callable[[], object]],
    n_runs: int,
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the times of two contenders, run in turn, after one run of each that doesn't count."""
    contenders = Contender(ours), Contender(theirs)
    runs = [(contenders[0].run(), contenders[1].run()) for _ in range(n_runs + 1)]
    for contender in contenders:
        contender.stop()
    return runs[1:]


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
