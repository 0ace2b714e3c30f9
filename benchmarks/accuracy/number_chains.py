"""Link the matches of made-up carriers into chains and compare them with the truth.

    python benchmarks/accuracy/number_chains.py [--people N] [--seeds N]

Prints a Markdown table with one row for each seed and one for all: re-entries found and right,
chains of three numbers found and right, and their recall over the square of the recall of single
returns. Exits with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import chanfp

SILENCE_DAYS = 14
AIM_OVER_SQUARE = 0.9
AIM = 0.9


def link_seed(people: int, seed: int) -> Counter[str]:
    """Count what is true, found and right."""
    carrier = chanfp.simulate(people, seed, returner_share=0.02, wanderer_share=0.01)
    cdrs = chanfp.read_cdrs(carrier.cdrs.to_table())
    fingerprints = chanfp.build_fingerprints(
        cdrs, carrier.subscribers, new_days=90, silence_days=SILENCE_DAYS
    )
    matches = chanfp.Matcher().fit(fingerprints).match()
    chains = chanfp.link_chains(matches)
    truth = carrier.truth.to_pylist()
    return Counter(
        count("returns", links_of(truth, {"returner"}), links_of(chains.links.to_pylist()))
        | count("chains", triples(links_of(truth)), triples(links_of(chains.links.to_pylist())))
    )


def links_of(rows: list[dict], kinds: set[str] | None = None) -> dict[str, str]:
    """Return the old subscription of each new one."""
    return {
        row["new_subscription"]: row["old_subscription"]
        for row in rows
        if row["old_subscription"] and (kinds is None or row["kind"] in kinds)
    }


def triples(old_of: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return for each last number of three the two before it."""
    return {new: (old, old_of[old]) for new, old in old_of.items() if old in old_of}


def count(name: str, true: dict, found: dict) -> dict[str, int]:
    """Count the true ones, the right ones among those said, and those said."""
    return {
        name: len(true),
        f"{name} found": sum(found.get(new) == old for new, old in true.items()),
        f"{name} said": len(found),
    }


def row_of(counts: Counter[str]) -> tuple[str, float, float, float]:
    """Return a row of the table, and for the chains ratio, precision and recall."""
    single = counts["returns found"] / max(counts["returns"], 1)
    recall = counts["chains found"] / max(counts["chains"], 1)
    precision = counts["chains found"] / max(counts["chains said"], 1)
    ratio = recall / single**2 if single else 0.0
    text = (
        f"{counts['returns found']} of {counts['returns']} | {single:.3f} | "
        f"{counts['chains found']} of {counts['chains']} | {recall:.3f} | {ratio:.2f} | "
        f"{counts['chains found']} of {counts['chains said']} | {precision:.3f}"
    )
    return text, ratio, precision, recall


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print("| seed | returns found | recall | chains of three found | recall | over square | "
          "right of those said | precision |")  # fmt: skip
    print("|---" * 8 + "|")
    total: Counter[str] = Counter()
    for seed in range(1, arguments.seeds + 1):
        counts = link_seed(arguments.people, seed)
        total += counts
        print(f"| {seed} | {row_of(counts)[0]} |", flush=True)
    text, ratio, precision, recall = row_of(total)
    print(f"| all | {text} |")
    sys.exit(0 if ratio >= AIM_OVER_SQUARE and precision >= AIM and recall >= AIM else 1)


if __name__ == "__main__":
    main()
