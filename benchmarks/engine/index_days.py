"""A partner index that grows and shrinks day by day, against one built anew each day.

    python benchmarks/engine/index_days.py [--departed 200000] [--daily 2000] [--days 50]
        [--new 50000]

Processor seconds of adding and removing the same number of rows each day, of building anew, and of
the join with either at the end of every tenth day.
"""

from __future__ import annotations

import argparse

import numpy as np
from made_sets import make_hub_sets
from ratios import describe_machine, seconds, spread

import chanfp


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--departed", type=int, default=200_000)
    parser.add_argument("--daily", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--new", type=int, default=50_000)
    wanted = parser.parse_args()
    n_all = wanted.departed + wanted.days * wanted.daily
    new, departed = make_hub_sets(wanted.new, n_all)
    index = chanfp.PartnerIndex(departed[: wanted.departed])
    times: dict[str, list[float]] = {
        name: [] for name in ("add", "remove", "build anew", "join", "join, built anew")
    }
    for day in range(wanted.days):
        first, last = day * wanted.daily, wanted.departed + (day + 1) * wanted.daily
        coming = np.arange(last - wanted.daily, last)
        rows = departed[coming]
        times["add"].append(seconds(lambda rows=rows, ids=coming: index.add(rows, ids=ids))[1])
        going = np.arange(first, first + wanted.daily)
        times["remove"].append(seconds(lambda ids=going: index.remove(ids))[1])
        if day % 10 == 9:
            kept, built = departed[first + wanted.daily : last], []
            anew = seconds(lambda kept=kept, built=built: built.append(chanfp.PartnerIndex(kept)))
            times["build anew"].append(anew[1])
            joined = []
            for name, asked in (("join", index), ("join, built anew", built[0])):
                asked.join(new[:1])
                joined.append(asked.join(new, n_threads=1))
                times[name].append(seconds(lambda asked=asked: asked.join(new, n_threads=1))[1])
            if not joined[0].to_arrow().equals(joined[1].to_arrow()):
                raise SystemExit("the two indexes give different pairs")
    print(describe_machine(), "\n" + repr(index))
    for name, found in times.items():
        mean = sum(found) / max(len(found), 1)
        print(f"{name:18} mean {mean:.4f}, median and range {spread(found, 4)} s")
    share = (
        sum(times["add"])
        / len(times["add"])
        / (sum(times["build anew"]) / len(times["build anew"]))
    )
    print(f"an addition takes {share:.1%} of building anew")


if __name__ == "__main__":
    main()
