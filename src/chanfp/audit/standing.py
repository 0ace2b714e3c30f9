"""Standing: how a node's share compares with its region's, and whether it stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .intervals import control_false_discoveries, fit_posterior, tail_probability
from .tree import OutletTree

__all__ = ["Bounds", "Standing", "rest_of_region", "stand"]

# A region with fewer trials outside the node is no yardstick; all other regions are one.
LEAST_REST = 30.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = Ints | Floats


@dataclass(frozen=True)
class Bounds:
    """When a share stands out.

    Parameters
    ----------
    factor : float
        The lower bound must exceed the region's share by this factor ...
    least_share : float
        ... and this share.
    fdr : float
        False discoveries allowed among the flagged nodes of each kind.
    interval : float
        Probability that the interval holds the true share.
    """

    factor: float
    least_share: float
    fdr: float
    interval: float


@dataclass(frozen=True, eq=False)
class Standing:
    """One entry for each node; NaN where there is nothing to judge.

    Parameters
    ----------
    share : float64 array
        As counted.
    mean, variance, low, high : float64 array
        Of the posterior.
    threshold : float64 array
        What the lower bound must exceed.
    rest : float64 array
        The share in the node's region without the node.
    q_value : float64 array
        The smallest false-discovery rate at which the node stands out.
    is_flagged : bool array
    """

    share: Floats
    mean: Floats
    variance: Floats
    low: Floats
    high: Floats
    threshold: Floats
    rest: Floats
    q_value: Floats
    is_flagged: npt.NDArray[np.bool_]


def stand(
    tree: OutletTree,
    successes: Numbers,
    trials: Numbers,
    bounds: Bounds,
    *,
    may_flag: npt.NDArray[np.bool_] | None = None,
) -> Standing:
    """Compare each node with its siblings and its region.

    Parameters
    ----------
    tree : OutletTree
    successes, trials : int64 or float64 array, shape (n_nodes,)
        What belongs to each node itself, not what is below it; both exact in float64.
    bounds : Bounds
    may_flag : bool array, shape (n_nodes,), optional
        Nodes that are looked at at all; default all.

    Returns
    -------
    Standing
        A node is flagged if the interval's lower end and the false-discovery rate both allow it.
        The root has nothing to be compared with.
    """
    successes, trials = successes.astype(np.float64), trials.astype(np.float64)
    rest = rest_of_region(tree, successes, trials)
    k, n = _roll_up(tree, successes), _roll_up(tree, trials)
    posterior = fit_posterior(k, n, _groupings(tree))
    tail = (1.0 - bounds.interval) / 2.0
    threshold = np.maximum(bounds.factor * rest, bounds.least_share)
    low, high = posterior.quantile(tail), posterior.quantile(1.0 - tail)
    can_judge = (n > 0) & ~np.isnan(threshold)
    if may_flag is not None:
        can_judge &= may_flag
    p_values = np.where(can_judge, tail_probability(k, n, np.nan_to_num(threshold)), np.nan)
    q_values = np.full(len(tree), np.nan)
    kinds = _codes([kind or "" for kind in tree.kinds])
    for kind in np.unique(kinds):
        family = kinds == kind
        q_values[family] = control_false_discoveries(p_values[family])
    return Standing(
        share=np.divide(k, n, out=np.full(len(tree), np.nan), where=n > 0),
        mean=np.where(n > 0, posterior.mean, np.nan),
        variance=np.where(n > 0, posterior.variance, np.nan),
        low=np.where(n > 0, low, np.nan),
        high=np.where(n > 0, high, np.nan),
        threshold=threshold,
        rest=rest,
        q_value=q_values,
        is_flagged=can_judge & (low > threshold) & (q_values <= bounds.fdr),
    )


def rest_of_region(tree: OutletTree, successes: Floats, trials: Floats) -> Floats:
    """Return the share of each node's region without the node and all below it.

    Where that leaves hardly anything, the share of everything outside the node; NaN at the root.
    """
    regions = _codes([region or "" for region in tree.regions])
    has_region = np.array([region is not None for region in tree.regions])
    own = np.stack([successes, trials], axis=1)
    of_region = np.zeros((int(regions.max(initial=-1)) + 1, 2))
    np.add.at(of_region, regions, own)
    inside = np.zeros_like(own)
    everything = np.zeros_like(own)
    for rows, nodes in tree.climb(np.arange(len(tree))):
        np.add.at(everything, nodes, own[rows])
        is_same = regions[rows] == regions[nodes]
        np.add.at(inside, nodes[is_same], own[rows[is_same]])
    rest = of_region[regions] - inside
    elsewhere = own.sum(axis=0) - everything
    rest = np.where(((rest[:, 1] >= LEAST_REST) & has_region)[:, None], rest, elsewhere)
    share = np.full(len(tree), np.nan)
    np.divide(rest[:, 0], rest[:, 1], out=share, where=rest[:, 1] > 0)
    return share


def _roll_up(tree: OutletTree, values: Floats) -> Floats:
    totals = np.zeros(len(tree))
    for rows, nodes in tree.climb(np.arange(len(tree))):
        np.add.at(totals, nodes, values[rows])
    return totals


def _groupings(tree: OutletTree) -> list[Ints]:
    """Return siblings of one kind, then kind and region, then kind."""
    kinds = [kind or "" for kind in tree.kinds]
    regions = [region or "" for region in tree.regions]
    return [
        _codes(list(zip(tree.parents.tolist(), kinds, strict=True))),
        _codes(list(zip(kinds, regions, strict=True))),
        _codes(kinds),
    ]


def _codes(values: Sequence[object]) -> Ints:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)
