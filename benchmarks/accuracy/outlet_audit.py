"""Plant outlets that cheat in made-up carriers, audit them, and compare the flags with the truth.

    python benchmarks/accuracy/outlet_audit.py [--people N] [--seeds N]

Prints a Markdown table with one row for each seed and one for all: flagged points of sale that are
right, and planted ones that were found; the commission at risk over the true one, and over the true
one without partial replacements, whose old number is still in use. A corrupt point counts where it
sold at least 30 new lines and a share of returners twice that of the others; a farming or
cross-region one in any case. Exits with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import pyarrow.compute as pc

import chanfp

LEAST_NEW = 30
TWICE = 2.0
SCHEMES = {"returners": "corrupt", "farming": "farming", "cross-region": "cross-region"}
# Share of the flagged that must be right, share of the planted that must be found.
AIMS = {"returners": (0.925, 0.9), "farming": (0.95, 0.9), "cross-region": (0.95, 0.9)}
RISK_AIM = 0.05
# Closure comes weeks after the last use; returners of the last weeks would have no old number.
SILENCE_DAYS = 14
AT_RISK = ("returner", "wanderer", "farmed")


@dataclass
class Tally:
    """Flagged, of these right, planted, of these found."""

    flagged: int = 0
    right: int = 0
    planted: int = 0
    found: int = 0

    def add(self, other: Tally) -> None:
        """Count another one, too."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        return f"{self.right} of {self.flagged} | {self.found} of {self.planted}"


def audit_seed(people: int, seed: int) -> tuple[dict[str, Tally], list[float]]:
    """Return what became of each scheme, and the commission at risk over the two true ones."""
    carrier = chanfp.simulate(
        people, seed, returner_share=0.02, corrupt_share=0.05, farming_share=0.05,
        cross_region_share=0.05,
    )  # fmt: skip
    cdrs = chanfp.read_cdrs(carrier.cdrs.to_table())
    fingerprints = chanfp.build_fingerprints(
        cdrs, carrier.subscribers, new_days=90, silence_days=SILENCE_DAYS
    )
    matches = chanfp.Matcher().fit(fingerprints).match()
    audit = chanfp.audit_outlets(matches, carrier.sales, carrier.outlets, carrier.cells, cdrs)
    flags = {row["outlet"]: row["flags"].split(";") for row in audit.nodes.to_pylist()}
    truth = carrier.outlet_truth.to_pylist()
    return (
        {flag: compare(flag, scheme, flags, truth) for flag, scheme in SCHEMES.items()},
        [
            audit.summary["totals"]["commission_at_risk"] / true_risk(carrier, kinds)
            for kinds in ((*AT_RISK, "partial-replacement"), AT_RISK)
        ],
    )


def compare(
    flag: str, scheme: str, flags: dict[str, list[str]], truth: list[dict[str, object]]
) -> Tally:
    """Compare the flags of points of sale with what the points do."""
    others = [row for row in truth if row["scheme"] != "corrupt"]
    usual = sum(row["n_returners"] for row in others) / sum(row["n_new"] for row in others)
    tally = Tally()
    for row in truth:
        is_flagged = flag in flags[row["outlet"]]
        is_planted = row["scheme"] == scheme
        tally.flagged += is_flagged
        tally.right += is_flagged and is_planted
        if scheme == "corrupt":
            is_planted &= row["n_new"] >= LEAST_NEW
            is_planted &= row["n_returners"] >= TWICE * usual * row["n_new"]
        tally.planted += is_planted
        tally.found += is_flagged and is_planted
    return tally


def true_risk(carrier: chanfp.SimulatedCarrier, kinds: tuple[str, ...]) -> float:
    """Return the commission on new lines of some kinds."""
    kind_of = dict(
        zip(carrier.truth["new"].to_pylist(), carrier.truth["kind"].to_pylist(), strict=True)
    )
    at_risk = [kind_of[new] in kinds for new in carrier.sales["subscriber"].to_pylist()]
    return float(pc.sum(carrier.sales["commission"].filter(at_risk)).as_py())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    print(
        "| seed | "
        + " | ".join(f"{flag}: right | found" for flag in SCHEMES)
        + " | at risk | without partial |"
    )
    print("|---" * (2 * len(SCHEMES) + 3) + "|")
    sums = {flag: Tally() for flag in SCHEMES}
    risks = []
    for seed in range(1, arguments.seeds + 1):
        tallies, risk = audit_seed(arguments.people, seed)
        risks.append(risk)
        for flag, tally in tallies.items():
            sums[flag].add(tally)
        row = " | ".join(map(str, tallies.values()))
        print(f"| {seed} | {row} | {risk[0]:.3f} | {risk[1]:.3f} |", flush=True)
    means = [sum(risk) / len(risks) for risk in zip(*risks, strict=True)]
    ratios = " | ".join(f"{mean:.3f}" for mean in means)
    print(f"| all | {' | '.join(map(str, sums.values()))} | {ratios} |")
    reached = abs(means[0] - 1) <= RISK_AIM
    for flag, (right, found) in AIMS.items():
        tally = sums[flag]
        reached &= tally.right >= right * tally.flagged and tally.found >= found * tally.planted
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()
