"""Compare stated with true false-match shares on made-up carriers.

    python benchmarks/accuracy/made_up_carriers.py [--people 60000] [--seeds 3]
        [--variants default dense ...] [--work DIR]

A match with another number of the same person (a wanderer's) counts as right. Prints Markdown: per
variant and seed the matches at q-values of 0.01, 0.05 and 0.20 with the share of false ones, the
recall at 0.05 and plain Jaccard's at the same true precision; the number of returners, true,
estimated with its interval, and summed from probabilities; and, pooled over seeds, the false share
at 0.05 in each quarter of partner count, community density and days observed. Exits with 1 where
an aim is missed. With `--work` carriers are simulated once and kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from judged_carriers import VARIANTS, Judged, Truth, make_carrier, recall_of_jaccard

import chanfp

LIMITS = (0.01, 0.05, 0.20)
# In no carrier with so many matches more false ones than so many times the stated share.
ENOUGH, MOST_TIMES = 200, 1.5
MOST_IN_CORNER = 0.075
# Of the number of returners, how far the sum of probabilities may lie from it.
WITHIN = 0.10
# Grades A and B where nobody came back.
HANDFUL = 5


@dataclass
class Tally:
    """What one variant shows, over seeds."""

    variant: str
    claimed: list[list[tuple[int, int]]] = field(default_factory=list)
    recalls: list[tuple[float, float]] = field(default_factory=list)
    returners: list[tuple[int, float, float, float, float]] = field(default_factory=list)
    corners: dict[str, list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]] = field(
        default_factory=dict
    )

    def add(self, judged: Judged) -> None:
        """Take in one carrier."""
        claimed = [judged.claimed(limit) for limit in LIMITS]
        self.claimed.append(claimed)
        n, n_false = claimed[1]
        jaccard = recall_of_jaccard(judged, 1 - n_false / n) if n else np.nan
        self.recalls.append((judged.recall(LIMITS[1]), jaccard))
        found = judged.matches.summary["returners"] or dict.fromkeys(
            ("estimate", "low", "high"), np.nan
        )
        total = float(np.nansum(judged.matches.table["probability"].to_numpy()))
        ends = (found["estimate"], found["low"], found["high"])
        self.returners.append((judged.n_returners, *ends, total))
        chosen = judged.q_values <= LIMITS[1]
        if chosen.any():
            for name, values in judged.corners().items():
                self.corners.setdefault(name, []).append((values[chosen], ~judged.is_right[chosen]))

    def missed(self) -> Iterator[str]:
        """Say which aims are missed."""
        for at, limit in enumerate(LIMITS):
            several = [one[at] for one in self.claimed]
            shares = [n_false / n for n, n_false in several if n]
            if self.variant != "no-returners" and shares and np.mean(shares) > limit:
                yield f"at {limit} the false share is {np.mean(shares):.3f} in the mean"
            for n, n_false in several:
                if n >= ENOUGH and n_false > MOST_TIMES * limit * n:
                    yield f"at {limit} one of {n} matches has a false share of {n_false / n:.3f}"
        if self.variant == "no-returners":
            for ((n, _),) in ([one[1]] for one in self.claimed):
                if n > HANDFUL:
                    yield f"{n} grades A and B where nobody came back"
        elif self.variant.startswith("share-"):
            for true, *_, total in self.returners:
                if abs(total - true) > WITHIN * true:
                    yield f"probabilities add up to {total:.0f} for {true} returners"
        for name, _, _, share in self.quarters():
            if self.variant != "no-returners" and share > MOST_IN_CORNER:
                yield f"a quarter of {name} has a false share of {share:.3f}"

    def quarters(self) -> Iterator[tuple[str, int, int, float]]:
        """Yield each corner: by what, which quarter, how many matches, share of false ones."""
        for name, parts in self.corners.items():
            values, is_false = (np.concatenate(one) for one in zip(*parts, strict=True))
            known = ~np.isnan(values)
            values, is_false = values[known], is_false[known]
            edges = np.quantile(values, (0.25, 0.5, 0.75)) if len(values) else np.zeros(3)
            quarter = np.searchsorted(edges, values, "left")
            for at in range(4):
                inside = is_false[quarter == at]
                yield name, at + 1, len(inside), float(inside.mean()) if len(inside) else 0.0


def share_text(n: int, n_false: int) -> str:
    """Return matches and the share of false ones as two cells."""
    return f"{n} | {n_false / n:.3f}" if n else "0 | –"


def print_tables(tallies: list[Tally], seeds: list[int]) -> None:
    """Print the three tables."""
    heads = " | ".join(f"at {limit} | false" for limit in LIMITS)
    print(f"| carrier | seed | {heads} | recall at 0.05 | plain Jaccard |")
    print(f"|---|---|{'---|' * (2 * len(LIMITS) + 2)}")
    for tally in tallies:
        for seed, claimed, (recall, plain) in zip(seeds, tally.claimed, tally.recalls, strict=True):
            cells = " | ".join(share_text(*one) for one in claimed)
            print(f"| {tally.variant} | {seed} | {cells} | {recall:.3f} | {plain:.3f} |")
    print("\n| carrier | seed | came back | estimated | interval | sum of probabilities |")
    print("|---|---|---|---|---|---|")
    for tally in tallies:
        for seed, (true, middle, low, high, total) in zip(seeds, tally.returners, strict=True):
            print(
                f"| {tally.variant} | {seed} | {true} | {middle:.0f} | {low:.0f} to {high:.0f} "
                f"| {total:.0f} |"
            )
    print("\n| carrier | quarter by | 1st | 2nd | 3rd | 4th |\n|---|---|---|---|---|---|")
    for tally in tallies:
        rows: dict[str, list[str]] = {}
        for name, _, n, share in tally.quarters():
            rows.setdefault(name, []).append(f"{share:.3f} of {n}")
        for name, cells in rows.items():
            print(f"| {tally.variant} | {name} | {' | '.join(cells)} |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--work", type=Path, help="keep the carriers here")
    arguments = parser.parse_args()
    seeds = list(range(1, arguments.seeds + 1))
    tallies = [Tally(variant) for variant in arguments.variants]
    with tempfile.TemporaryDirectory() as folder:
        for tally in tallies:
            for seed in seeds:
                work = arguments.work or Path(folder)
                carrier = make_carrier(work, arguments.people, seed, tally.variant)
                prints = chanfp.build_fingerprints(
                    carrier / "cdr", carrier / "subscribers.csv", new_days=90
                )
                matches = chanfp.Matcher().fit(prints).match()
                tally.add(Judged(prints, Truth.read(carrier), matches))
                print(f"{tally.variant}, seed {seed}: done", file=sys.stderr, flush=True)
    print_tables(tallies, seeds)
    missed = [f"* {tally.variant}: {what}" for tally in tallies for what in tally.missed()]
    if missed:
        print("\nMissed:\n\n" + "\n".join(missed))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
