"""What importing and starting cost, beyond bare Python.

    python benchmarks/ingest/startup.py DATA [--runs 9]

`import chanfp`, `chanfp --help`, and `chanfp match` over a made-up carrier of 200 people in DATA.
Each is a process of its own, in turn with one that does nothing; medians.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from made_data import make_carrier

AIMS = {"import chanfp": 0.1, "chanfp --help": 0.4}


def main() -> int:
    """Time all starts; 0 if they are within their aims."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=9)
    wanted = parser.parse_args()
    folder = make_carrier(wanted.data, 10_000)
    match = ("-m", "chanfp", "match", "--cdr", folder / "cdr", "--subscribers",
             folder / "subscribers.csv", "--out", wanted.data / "matches.csv", "--quiet",
             )  # fmt: skip
    starts = {
        "bare Python": ("-c", "pass"),
        "import chanfp": ("-c", "import chanfp"),
        "chanfp --help": ("-m", "chanfp", "--help"),
        "chanfp match": match,
    }
    took: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(wanted.runs):
        for name, words in starts.items():
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, *map(str, words)], check=True, stdout=subprocess.DEVNULL
            )
            took[name].append(time.perf_counter() - started)
    bare = median(took["bare Python"])
    is_within = True
    for name, times in took.items():
        beyond = median(times) - (bare if name == "import chanfp" else 0)
        is_within = is_within and beyond < AIMS.get(name, float("inf"))
        note = " beyond bare Python" if name == "import chanfp" else ""
        aim = f"; aim below {AIMS[name]} s" if name in AIMS else ""
        print(f"  {name:13}: {beyond:.3f} s{note}{aim}")
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
