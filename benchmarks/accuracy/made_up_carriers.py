"""Compare stated with true false-match shares on made-up carriers.

    python benchmarks/accuracy/made_up_carriers.py [--people 60000] [--seeds 3] [--returners 0.01]

A match with another number of the same person (a wanderer's) counts as right. Prints Markdown: for
each seed and q-value the matches, the share of false ones and the recall; and the number of
returners whose old number is among the departed, true and estimated.
"""

from __future__ import annotations

import argparse

import numpy as np
import pyarrow as pa

import chanfp

LIMITS = (0.01, 0.05, 0.20)


def chains(truth: pa.Table) -> dict[str, str]:
    """Return the first number of each person's chain, by every later one."""
    old_of = dict(zip(truth["new"].to_pylist(), truth["old"].to_pylist(), strict=True))

    def first(number: str) -> str:
        while old_of.get(number):
            number = old_of[number]
        return number

    return {number: first(number) for number in old_of}


def judge_carrier(people: int, seed: int, returner_share: float) -> None:
    """Print the rows of one seed."""
    carrier = chanfp.simulate(people, seed=seed, returner_share=returner_share)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    matches = chanfp.Matcher().fit(fingerprints).match()
    old_of = {row["new"]: row["old"] for row in carrier.truth.to_pylist() if row["old"]}
    departed = set(fingerprints.departed.ids.to_pylist())
    n_back = sum(old_of.get(new) in departed for new in fingerprints.new.ids.to_pylist())
    first = chains(carrier.truth)
    best = [row for row in matches.table.to_pylist() if row["rank"] == 1]
    is_right = np.array(
        [first.get(row["new"], row["new"]) == first.get(row["old"], row["old"]) for row in best]
    )
    q_values = np.array([np.nan if row["q_value"] is None else row["q_value"] for row in best])
    returners = matches.summary["returners"] or {"estimate": None}
    for limit in LIMITS:
        claimed = q_values <= limit
        false = f"{np.mean(~is_right[claimed]):.3f}" if claimed.any() else "–"
        recall = f"{(claimed & is_right).sum() / n_back:.3f}" if n_back else "–"
        print(
            f"| {seed} | {limit} | {claimed.sum()} | {false} | {recall} | {n_back} "
            f"| {returners['estimate']} |",
            flush=True,
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--returners", type=float, default=0.01, help="share of the people")
    arguments = parser.parse_args()
    print("| seed | q-value at most | matches | false | recall | came back | estimated |")
    print("|---|---|---|---|---|---|---|")
    for seed in range(1, arguments.seeds + 1):
        judge_carrier(arguments.people, seed, arguments.returners)


if __name__ == "__main__":
    main()
