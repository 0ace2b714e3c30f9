"""Linking: matches of many runs in, chains out; the one place that knows the order of the steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..matches import Matches
from ..numbering import NumberingPlan
from ..subscribers import Subscribers, read_subscribers
from .histories import Histories
from .pooling import pool_probabilities
from .resolution import find_paths, in_last_run, resolve_links
from .result import Chains
from .runs import read_runs
from .vertices import find_vertices

__all__ = ["link_chains"]


def link_chains(
    *matches: Any,
    subscribers: Any = None,
    least_probability: float = 0.5,
    re_entries: int = 2,
    within_days: float = 182.5,
    numbers: str | NumberingPlan = "CN",
    timezone: str | None = None,
) -> Chains:
    """Return the numbers of each person over time, old, new and newer.

    Parameters
    ----------
    *matches : Matches, or whatever `read_sales` takes
        Runs of the match, earliest first, or tables of them as `Matches.write` writes them.
    subscribers : Subscribers, or whatever `read_subscribers` takes, optional
        Tells activations, departures and outlets; default those that the last of `matches` was
        made from. Without one no re-entry has a date, and nobody is known to be a wanderer.
    least_probability : float, default 0.5
        Candidates below it are no links.
    re_entries : int, default 2
        Whoever comes back so often ...
    within_days : float, default 182.5
        ... within so many days is a wanderer (China Mobile data interface 02038, 2012: twice within
        half a year).
    numbers : str or NumberingPlan, default "CN"
        As in `read_cdrs`; that of `Matches` goes before it.
    timezone : str, optional
        As in `read_subscribers`.

    Returns
    -------
    Chains
        Without rows where no candidate is probable enough.

    Raises
    ------
    ColumnError
        If a table lacks a required column.
    DataError
        If a cell can't be used; file and row are named.
    ParameterError
        If there are no matches, or a value makes no sense.

    Notes
    -----
    Of the candidates of a new number those of the last run that names it count. Every number has
    one predecessor and one successor at most, chosen so that the probabilities add up to the most
    there can be. Two candidates that are both too probable to be rivals vouch for each other: the
    probability of their own link is at least the sum of both less 1. Without ``subscription_id`` a
    number that departed in an earlier run than it was
    new in is taken for two subscriptions. Partial replacements are links, but no re-entries.
    """
    _check(matches, least_probability, re_entries, within_days)
    plan = numbers if isinstance(numbers, NumberingPlan) else NumberingPlan(numbers)
    made = [run for run in matches if isinstance(run, Matches)]
    if made:
        plan = made[-1].fingerprints.cdrs.plan
        subscribers = made[-1].fingerprints.subscribers if subscribers is None else subscribers
    if subscribers is not None and not isinstance(subscribers, Subscribers):
        subscribers = read_subscribers(subscribers, timezone=timezone)
    candidates = read_runs(matches, plan)
    vertices = find_vertices(candidates, plan, subscribers)
    counts = in_last_run(vertices.new, candidates.run)
    new, old = vertices.new[counts], vertices.old[counts]
    pooled = pool_probabilities(new, old, candidates.probability[counts])
    candidates.probability[counts] = pooled
    rows = counts[resolve_links(new, old, pooled, least_probability)]
    person, step = find_paths(vertices.new[rows], vertices.old[rows], len(vertices))
    histories = Histories.arrange(vertices, candidates, rows, person, step)
    links = histories.links()
    people = histories.people(links, re_entries, within_days)
    return Chains(people, links, _summary(histories, people, len(matches)))


def _check(
    matches: tuple[Any, ...], least_probability: float, re_entries: int, within_days: float
) -> None:
    if not matches:
        raise ParameterError("`matches` must be one run at least; give the result of a match.")
    if not 0.0 < least_probability <= 1.0:
        raise ParameterError(
            f"`least_probability` must be above 0 and at most 1, got {least_probability!r}."
        )
    if isinstance(re_entries, bool) or not isinstance(re_entries, int) or re_entries < 1:
        raise ParameterError(f"`re_entries` must be a whole number from 1, got {re_entries!r}.")
    if not (within_days > 0 and math.isfinite(within_days)):
        raise ParameterError(f"`within_days` must be a number above 0, got {within_days!r}.")


def _summary(histories: Histories, people: Any, n_runs: int) -> dict[str, Any]:
    candidates, counts = histories.candidates, histories.is_re_entry
    step, probability = histories.step[counts], histories.probability[counts]
    chain = histories.chain_probability[counts]
    wanderers = people.column("is_wanderer")
    return {
        "runs": n_runs,
        "candidates": len(candidates),
        "probability_by_grade": candidates.n_by_grade,
        "people": histories.n_people,
        "re_entries": len(step),
        "expected_re_entries": float(probability.sum()),
        "partial": len(counts) - len(step),
        "with_several": int(np.count_nonzero(histories.n_re_entries > 1)),
        "longest": int(histories.n_re_entries.max(initial=0)),
        "wanderers": None
        if len(wanderers) and wanderers.null_count == len(wanderers)
        else sum(wanderers.fill_null(False).to_pylist()),
        "days_lost": float(np.nansum(people.column("days_lost").to_numpy())),
        "decay": [
            {
                "step": number,
                "links": int(np.count_nonzero(step == number)),
                "probability": float(probability[step == number].mean()),
                "chain_probability": float(chain[step == number].mean()),
            }
            for number in np.unique(step).tolist()
        ],
    }
