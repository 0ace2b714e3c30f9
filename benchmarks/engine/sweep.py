"""Recall against time: both methods over thresholds and recalls, exact search as an entrant.

    python benchmarks/engine/sweep.py [--size 50000x200000] [--shapes hubs dropped even]
        [--thresholds 0.1 … 0.8] [--recalls 0.5 0.7 0.8 0.9 0.95 0.99] [--runs 3]
        [--csv benchmarks/engine/sweep.csv] [--figure benchmarks/engine/sweep.svg] [--draw-only]

A line for each shape, threshold, method and stated recall: least processor seconds of some runs on
one thread, the share of the exact join's pairs that were found, and the recall that the run itself
measured. `--draw-only` draws an earlier CSV again. The figure needs matplotlib (extra `bench`).
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Iterator
from pathlib import Path

from made_sets import SHAPES
from ratios import describe_machine

from chanfp import Pairs, jaccard_join
from chanfp.csr import SparseRows, check_csr

HERE = Path(__file__).parent
FIELDS = [
    "shape", "size", "min_jaccard", "method", "recall_stated", "seconds", "recall", "measured",
    "measured_low", "measured_high", "band_rows", "n_bands", "postings", "candidates",
    "verifications", "mebibytes", "n_pairs",
]  # fmt: skip
Line = dict[str, object]


def run(
    a: SparseRows, b: SparseRows, min_jaccard: float, method: str, recall: float, n_runs: int
) -> tuple[Line, Pairs]:
    """Return a line of the table, but for what needs the true pairs."""
    least = math.inf
    for _ in range(n_runs):
        begin = time.process_time()
        pairs = jaccard_join(a, b, min_jaccard, method=method, recall=recall, n_threads=1)
        least = min(least, time.process_time() - begin)
    actual, bands = pairs.plan.actual, pairs.plan.bands
    line: Line = {
        "min_jaccard": min_jaccard,
        "method": method,
        "recall_stated": recall,
        "seconds": round(least, 5),
        "postings": actual.postings,
        "candidates": actual.candidates,
        "verifications": actual.verifications,
        "mebibytes": round(actual.n_bytes / 2**20, 1),
        "n_pairs": len(pairs),
    }
    if method == "lsh":
        low, high = pairs.measured_recall.interval
        line |= {
            "measured": round(pairs.measured_recall.share, 4),
            "measured_low": round(low, 4),
            "measured_high": round(high, 4),
            "band_rows": bands.band_rows,
            "n_bands": bands.n_bands,
        }
    return line, pairs


def sweep(
    shape: str, size: str, thresholds: list[float], recalls: list[float], n_runs: int
) -> Iterator[Line]:
    """Yield the lines of one shape."""
    a, b = (
        check_csr(matrix, "matrix", with_values=False)
        for matrix in SHAPES[shape](*map(int, size.split("x")))
    )
    for least in thresholds:
        n_true = 0
        for method, recall in [("exact", 1.0), *(("lsh", recall) for recall in recalls)]:
            line, pairs = run(a, b, least, method, recall, n_runs)
            n_true = n_true or len(pairs)
            share = round(len(pairs) / n_true, 5) if n_true else 1.0
            yield {"shape": shape, "size": size, "recall": share, **line}


def draw(lines: list[dict[str, str]], figure: Path) -> None:
    """Draw recall against seconds, a panel for each shape and threshold."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "chanfp", "svg.fonttype": "none"}  # same lines, same file
    from matplotlib import pyplot as plt

    shapes = list(dict.fromkeys(line["shape"] for line in lines))
    thresholds = sorted({float(line["min_jaccard"]) for line in lines})
    panels, axes = plt.subplots(
        len(shapes), len(thresholds), figsize=(2 * len(thresholds) + 1, 2.2 * len(shapes) + 0.6),
        sharex="row", sharey=True, squeeze=False,
    )  # fmt: skip
    for row, shape in zip(axes, shapes, strict=True):
        for panel, least in zip(row, thresholds, strict=True):
            for method, marker, colour in (("lsh", "o-", "#1f77b4"), ("exact", "D", "#d62728")):
                shown = [
                    (float(line["seconds"]), float(line["recall"]))
                    for line in lines
                    if (line["shape"], float(line["min_jaccard"]), line["method"])
                    == (shape, least, method)
                ]
                panel.plot(*zip(*shown, strict=True), marker, color=colour, label=method, ms=4)
            panel.set_xscale("log")
            panel.set_ylim(0.7, 1.02)
            panel.grid(alpha=0.3)
            panel.set_title(f"{shape}, jaccard ≥ {least:g}", fontsize=8)
            panel.tick_params(labelsize=7, which="both")
        row[0].set_ylabel("recall", fontsize=8)
    for panel in axes[-1]:
        panel.set_xlabel("seconds, one thread", fontsize=8)
    axes[0][0].legend(fontsize=7, loc="lower left")
    panels.tight_layout()
    panels.savefig(figure, metadata={"Date": None})


def main() -> None:
    """Sweep, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="50000x200000")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    parser.add_argument("--thresholds", nargs="+", type=float, default=thresholds)
    recalls = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99]
    parser.add_argument("--recalls", nargs="+", type=float, default=recalls)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--csv", type=Path, default=HERE / "sweep.csv")
    parser.add_argument("--figure", type=Path, help="default none")
    parser.add_argument("--draw-only", action="store_true")
    wanted = parser.parse_args()
    if not wanted.draw_only:
        print(describe_machine())
        with wanted.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            for shape in wanted.shapes:
                for line in sweep(
                    shape, wanted.size, wanted.thresholds, wanted.recalls, wanted.runs
                ):
                    writer.writerow(line)
                    print(
                        f"{shape:<8} {line['min_jaccard']:g}  {line['method']:<5} "
                        f"{line['recall_stated']:<5g} {line['seconds']:9.4f} s  "
                        f"recall {line['recall']:.4f}",
                        flush=True,
                    )
    if wanted.figure:
        with wanted.csv.open(newline="") as file:
            draw(list(csv.DictReader(file)), wanted.figure)


if __name__ == "__main__":
    main()
