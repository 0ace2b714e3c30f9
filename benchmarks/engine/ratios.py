"""What the benchmarks of the engine share: runs in turn, ratios, and a line on the machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

Work = Callable[[], object]


def seconds(work: Work) -> tuple[float, float]:
    """Return elapsed seconds and processor seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def print_ratios(ours: Work, theirs: Work, *, n_runs: int, aim: float, scale: float = 1.0) -> float:
    """Run both in turn, print medians and ranges, and return the median ratio, theirs to ours.

    `scale` is what a run of theirs on part of the work is multiplied by. Processor time is
    printed, too: on a busy machine it is the steadier figure.
    """
    ours(), theirs()
    runs = [(seconds(ours), seconds(theirs)) for _ in range(n_runs)]
    ratios = [scale * theirs[0] / ours[0] for ours, theirs in runs]
    cpu_ratios = [scale * theirs[1] / ours[1] for ours, theirs in runs]
    print(f"  chanfp, s                {spread([ours[0] for ours, _ in runs])}")
    print(f"  peer, s                  {spread([scale * theirs[0] for _, theirs in runs])}")
    print(f"  ratio                    {spread(ratios, 1)}; aim at least {aim:g}")
    print(f"  ratio of processor time  {spread(cpu_ratios, 1)}")
    return median(ratios)


def spread(values: list[float], digits: int = 3) -> str:
    """Return median and range as text."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def describe_machine(*packages: str) -> str:
    """Return one line on the machine, its load and the versions that matter."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", *packages))
    return f"{model}, {os.cpu_count()} cores{load}; Python {platform.python_version()}, {versions}"
