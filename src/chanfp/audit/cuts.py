"""Cuts: the figures by outlet, region, week and product, and how shares change over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtri

from ..clock import DAY_S
from ..errors import ParameterError
from .findings import Findings, Money
from .intervals import Posterior, fit_posterior
from .nodes import as_table
from .schemas import AUDIT_SCHEMA_VERSION, CUT_FIGURES
from .steps import as_money, as_probability

__all__ = ["CUTS", "check_cuts", "cut_table"]

CUTS = ("outlet", "region", "week", "product")
TYPES = {"week": pa.date32()}

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def check_cuts(by: Sequence[str], compare_days: float = 30.0) -> tuple[str, ...]:
    """Return the cuts without repeats.

    Raises
    ------
    ParameterError
        If one is none of `CUTS`, or the days to compare are no number above 0.
    """
    if not (compare_days > 0 and math.isfinite(compare_days)):
        raise ParameterError(f"`compare_days` must be a number above 0, got {compare_days!r}.")
    for name in by:
        if name not in CUTS:
            raise ParameterError(f"`by` must name some of {', '.join(CUTS)}, got {name!r}.")
    return tuple(dict.fromkeys(by))


def cut_table(
    findings: Findings,
    money: Money | None,
    by: Sequence[str],
    interval: float,
    *,
    compare_days: float = 30.0,
) -> pa.Table:
    """Return one row for each combination of `by` that has sales, ordered by it, nulls first.

    Parameters
    ----------
    findings : Findings
    money : Money or None
    by : sequence of str
        Some of `CUTS`, at least one. ``week`` is the Monday of the sale; with it every row is
        compared with the week before of the same outlet, region and product.
    interval : float
        Probability that an interval holds the true value.
    compare_days : float
        Without ``week`` the last so many days of sales are compared with as many before.
    """
    keys = {name: _values(findings, name) for name in by}
    codes = np.zeros(len(findings.sold), np.int64)
    labels: list[pa.Array] = []
    for values in keys.values():
        ranks, distinct = _ranks(values)
        codes = codes * (len(distinct) + 1) + ranks
        labels.append(distinct)
    cells, first, which = np.unique(codes, return_index=True, return_inverse=True)
    counts = findings.counts() | ({} if money is None else money.amounts())
    totals = {name: _sums(which.reshape(-1), values, len(cells)) for name, values in counts.items()}
    n_new = totals["n_new"].astype(np.float64)
    expected = as_probability(totals["returner_steps"])
    posterior = fit_posterior(expected, n_new, [np.zeros(len(cells), np.int64)])
    rows = pa.array(first)
    chosen = {name: values.take(rows) for name, values in keys.items()}
    columns: dict[str, object] = {
        **chosen,
        **totals,
        "expected_returners": expected,
        "returner_share": np.divide(
            expected, n_new, out=np.full(len(cells), np.nan), where=n_new > 0
        ),
        "returner_low": posterior.quantile((1 - interval) / 2),
        "returner_high": posterior.quantile((1 + interval) / 2),
    }
    if money is not None:
        columns["commission_paid"] = as_money(totals["paid"])
        columns["commission_at_risk"] = as_money(totals["at_risk"])
    if "week" in by:
        before = _weeks_before(chosen)
        can_tell = (before >= 0) & (n_new > 0) & (np.append(n_new, 0)[before] > 0)
        earlier = Posterior(
            np.append(posterior.alpha, 1)[before], np.append(posterior.beta, 1)[before]
        )
        columns |= _changes(posterior, earlier, can_tell, interval)
    else:
        columns |= _changes(*_two_periods(findings, which.reshape(-1), compare_days), interval)
    schema = pa.schema(
        [(name, TYPES.get(name, pa.string())) for name in by] + CUT_FIGURES,
        metadata={
            "chanfp.schema": "audit cuts",
            "chanfp.schema_version": str(AUDIT_SCHEMA_VERSION),
        },
    )
    return as_table(columns, schema, len(cells))


def _values(findings: Findings, name: str) -> pa.Array:
    if name == "region":
        regions = [findings.tree.regions[at] for at in findings.outlets.tolist()]
        return pa.array(regions, pa.string())
    if name == "week":
        weeks = pc.floor_temporal(findings.sold.column("sold_at"), unit="week")
        return weeks.cast(pa.date32())
    return findings.sold.column(name)


def _ranks(values: pa.Array) -> tuple[Ints, pa.Array]:
    """Return the place of each value among the sorted distinct ones, 0 for null."""
    encoded = values.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order) + 1, np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    ranks[-1] = 0
    indices = encoded.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)
    return ranks[indices], encoded.dictionary


def _sums(which: Ints, values: Ints, n_cells: int) -> Ints:
    totals = np.zeros(n_cells, np.int64)
    np.add.at(totals, which, values)
    return totals


def _weeks_before(chosen: Mapping[str, pa.Array]) -> Ints:
    """Return the row of the week before of the same outlet, region and product, -1 without one."""
    weeks = chosen["week"].cast(pa.int32()).fill_null(-(2**30)).to_pylist()
    others = [chosen[name].to_pylist() for name in chosen if name != "week"]
    # One empty text for each row where nothing but the week is cut by.
    sames = list(zip(*others, strict=True)) if others else [()] * len(weeks)
    row_of = {key: row for row, key in enumerate(zip(sames, weeks, strict=True))}
    return np.array(
        [row_of.get((same, week - 7), -1) for same, week in zip(sames, weeks, strict=True)],
        np.int64,
    ).reshape(len(weeks))


def _two_periods(
    findings: Findings, which: Ints, compare_days: float
) -> tuple[Posterior, Posterior, Mask]:
    """Return what is known of each cell's share in the last period and in the one before.

    And whether both sold new subscriptions. Both periods share one prior, so that neither is
    drawn farther to it than its own sales allow.
    """
    sold, counts = findings.sold, findings.counts()
    n_cells = int(which.max(initial=-1)) + 1
    ago = (int(sold.sold_s.max(initial=0)) - sold.sold_s) // round(compare_days * DAY_S)
    trials, successes = np.zeros((2, n_cells)), np.zeros((2, n_cells))
    for when in (0, 1):
        rows = ago == when
        trials[when] = _sums(which[rows], counts["n_new"][rows], n_cells)
        successes[when] = as_probability(
            _sums(which[rows], counts["returner_steps"][rows], n_cells)
        )
    both = fit_posterior(successes.ravel(), trials.ravel(), [np.zeros(2 * n_cells, np.int64)])
    last, before = (
        Posterior(both.alpha[part], both.beta[part])
        for part in (slice(n_cells), slice(n_cells, None))
    )
    return last, before, (trials[0] > 0) & (trials[1] > 0)


def _changes(
    now: Posterior, before: Posterior, can_tell: Mask, interval: float
) -> dict[str, Floats]:
    """Return the change of the estimated share, with its interval, NaN where it can't be told.

    The two posteriors are independent; their difference is taken for normal.
    """
    change = np.where(can_tell, now.mean - before.mean, np.nan)
    spread = np.sqrt(now.variance + before.variance) * ndtri((1 + interval) / 2)
    return {"change": change, "change_low": change - spread, "change_high": change + spread}
