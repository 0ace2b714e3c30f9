"""Tables: stated against observed, scores of departed and decoys, rates against matches found."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..outcomes import ControlOutcomes, Outcomes

__all__ = ["rate_table", "score_table", "share_table"]

# Finer where decisions are made.
EDGES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
# Standard errors on either side of an estimate: 95 of 100 intervals hold the truth.
N_ERRORS = 1.96
# Log-odds of scores, in steps; what lies beyond counts with the outermost.
SCORE_EDGES = np.arange(-10.0, 10.5, 0.5)

Floats = npt.NDArray[np.float64]


def share_table(controls: ControlOutcomes, returner_share: float) -> pa.Table:
    """Return stated probability against observed share, one row for each bin of probability.

    Parameters
    ----------
    controls : ControlOutcomes
    returner_share : float
        Of the new that came back: so much counts a control seen with its own old number in the
        pool, and the rest of 1 the same control seen without it.

    Returns
    -------
    pyarrow.Table
        ``low, high`` of the bin, 0 included in the first and 1 in the last; ``n_with, n_without``
        controls in it; the mean ``probability`` stated, the ``share`` that was right, and its 95 %
        interval ``share_low, share_high``; null where a bin is empty.

    Notes
    -----
    Wilson's interval for as many independent observations as would give the variance that the
    weighted ones have; where all of them are right, or all wrong, for as many of the heavier kind
    as weigh the same.
    """
    stated = controls.probability
    right = np.array([controls.is_right, np.zeros(len(controls.is_right), bool)])
    weight = np.array([[returner_share], [1.0 - returner_share]])
    places = np.clip(np.searchsorted(EDGES, stated, "right") - 1, 0, len(EDGES) - 2)
    rows = []
    for at, (low, high) in enumerate(pairwise(EDGES)):
        inside = (places == at) & ~np.isnan(stated)
        counted = inside * weight
        n_with, n_without = inside.sum(axis=1).tolist()
        total = float(counted.sum())
        row = {"low": low, "high": high, "n_with": n_with, "n_without": n_without}
        if total > 0:
            share = float((counted * right).sum()) / total
            # The two looks at one control hang together.
            errors = (counted * (right - share)).sum(axis=0)
            variance = float(np.square(errors).sum()) / total**2
            heaviest = float(counted.max())
            n = share * (1 - share) / variance if variance > 0 else total / heaviest
            row |= {
                "probability": float(np.nansum(counted * stated)) / total,
                "share": share,
                **dict(zip(("share_low", "share_high"), _wilson(share, n), strict=True)),
            }
        rows.append(row)
    names = ("low", "high", "n_with", "n_without", "probability", "share", "share_low")
    kinds = {name: pa.int64() if name[:2] == "n_" else pa.float64() for name in names}
    return pa.Table.from_pylist(rows, pa.schema([*kinds.items(), ("share_high", pa.float64())]))


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of n observations."""
    middle = (share + N_ERRORS**2 / (2 * n)) / (1 + N_ERRORS**2 / n)
    half = N_ERRORS * math.sqrt(share * (1 - share) / n + N_ERRORS**2 / (4 * n**2))
    half /= 1 + N_ERRORS**2 / n
    # Last places aside, the share itself lies inside.
    return max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)


def score_table(outcomes: Outcomes) -> pa.Table:
    """Return how the scores of winners are distributed.

    Returns
    -------
    pyarrow.Table
        ``low, high`` of the log-odds of the score, in steps of 0.5 from -10 to 10, those beyond
        in the outermost; ``n_old`` and ``n_decoys`` winners in it; ``expected_false``, how many of
        the former are false by what decoys and near misses tell.
    """
    score = np.clip(outcomes.score, 1e-12, 1 - 1e-12)
    log_odds = np.clip(np.log(score / (1 - score)), SCORE_EDGES[0], SCORE_EDGES[-1] - 1e-9)
    is_decoy = np.isnan(outcomes.q_value)
    everybody = np.ones(len(is_decoy), bool)

    def count(
        chosen: npt.NDArray[np.bool_], weights: Floats | None = None
    ) -> npt.NDArray[np.float64]:
        counts = np.histogram(log_odds[chosen], SCORE_EDGES, weights=weights)[0]
        return np.asarray(counts, np.float64)

    return pa.table(
        {
            "low": SCORE_EDGES[:-1],
            "high": SCORE_EDGES[1:],
            "n_old": count(~is_decoy).astype(np.int64),
            "n_decoys": count(is_decoy).astype(np.int64),
            "expected_false": count(everybody, outcomes.n_false),
        }
    )


def rate_table(outcomes: Outcomes) -> pa.Table:
    """Return how many matches are found at each q-value.

    Returns
    -------
    pyarrow.Table
        ``q_value`` ascending, each once; ``n_matches`` with it or a lower one.
    """
    known = np.sort(outcomes.q_value[~np.isnan(outcomes.q_value)])
    q_value, counts = np.unique(known, return_counts=True)
    return pa.table({"q_value": q_value, "n_matches": np.cumsum(counts).astype(np.int64)})
