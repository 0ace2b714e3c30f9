"""Trust: what is said of how far the grades of a run can be trusted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .corroboration import CORROBORATION
from .judgement import Judgement
from .policy import GradePolicy

__all__ = ["decoy_notices", "tiers_notice", "trust_summary"]


def trust_summary(
    best: pa.Table, judgement: Judgement | None, policy: GradePolicy
) -> dict[str, Any]:
    """Return what is known of how far the grades can be trusted, as plain values."""
    corroborated = _corroborated(best)
    if judgement is None:
        return {
            "rate_known": False,
            "returners": None,
            "decoys": None,
            "additional_numbers": None,
            "corroborated": corroborated,
        }
    found = judgement.returners
    return {
        "rate_known": True,
        "returners": {name: round(getattr(found, name), 1) for name in ("estimate", "low", "high")},
        "decoys": {
            "total": judgement.n_decoys,
            "wins": judgement.n_decoy_wins,
            "nearness": round(judgement.nearness, 4),
            "least_q_value": round(judgement.least_q, 6),
        },
        "additional_numbers": len(judgement.decoy_wins.only(policy.additional_score)),
        "corroborated": corroborated,
    }


def tiers_notice(n_controls: int, n_needed: int, *, learns: bool) -> str:
    """Say that no false-match rate is known, and why."""
    why = (
        f"only {n_controls} active subscriptions can serve as controls, fewer than {n_needed}"
        if learns and n_controls < n_needed
        else "nothing was learned from active ones"
    )
    return f"grades are similarity tiers; no false-match rate is known for them: {why}"


def decoy_notices(judgement: Judgement, policy: GradePolicy) -> list[str]:
    """Say which grades are out of reach for want of decoys."""
    out_of_reach = [grade for grade, limit in policy.limits.items() if judgement.least_q > limit]
    if not out_of_reach:
        return []
    strictest = policy.limits[out_of_reach[0]]
    if not judgement.n_winners:
        return []
    wanted = math.ceil(judgement.n_decoys * judgement.least_q / strictest)
    return [
        f"with {judgement.n_decoys:,} decoys for {judgement.n_old:,} old subscriptions "
        f"and {judgement.n_winners:,} matches no false-match rate below {judgement.least_q:.3f} "
        f"can be shown, so there is no grade {', '.join(out_of_reach)}; grade {out_of_reach[0]} "
        f"needs {wanted:,} decoys"
    ]


def _corroborated(best: pa.Table) -> dict[str, dict[str, float]]:
    """Return, per grade, the share of best matches that agree in what the model didn't see.

    A check of the grades that is independent of them; what is unknown is left out.
    """
    shares: dict[str, dict[str, float]] = {}
    for grade in sorted(set(best.column("grade").to_pylist())):
        rows = best.filter(pc.equal(best.column("grade"), grade))
        known = {name: rows.column(name).drop_null().to_numpy() for name in CORROBORATION}
        shares[grade] = {
            name: round(float(np.mean(values)), 4) for name, values in known.items() if len(values)
        }
    return shares
