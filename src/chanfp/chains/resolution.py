"""Resolution: which candidates are kept, so that every number has one successor at most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

__all__ = ["find_paths", "in_last_run", "resolve_links"]

# What staying alone counts: less than any candidate that may be kept.
ALONE = 1e-9

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def in_last_run(new: Ints, run: Ints) -> Ints:
    """Return the candidates of the last run that names their new number; it saw most of it."""
    last = np.full(int(new.max(initial=-1)) + 1, -1)
    np.maximum.at(last, new, run)
    return np.flatnonzero(run == last[new]).astype(np.int64)


def resolve_links(new: Ints, old: Ints, probability: Floats, least_probability: float) -> Ints:
    """Return the candidates that become links, ascending.

    Parameters
    ----------
    new, old : int64 array, shape (n_candidates,)
        Vertices.
    probability : float64 array
    least_probability : float
        Candidates below it are no links.

    Notes
    -----
    Of every new and every old number one link is kept at most, so that their probabilities add up
    to the most there can be: the expected number of right ones. Where links run in a circle the
    weakest goes, among equals the first.
    """
    n_vertices = int(max(new.max(initial=-1), old.max(initial=-1))) + 1
    is_kept = (probability >= max(least_probability, 2 * ALONE)) & (new != old)
    kept = np.flatnonzero(is_kept).astype(np.int64)
    kept = kept[_assign(new[kept], old[kept], probability[kept])]
    return _without_circles(kept, new, old, probability, n_vertices)


def find_paths(new: Ints, old: Ints, n_vertices: int) -> tuple[Ints, Ints]:
    """Return for each link its person, numbered from 0, and its step along the chain, from 1.

    Parameters
    ----------
    new, old : int64 array, shape (n_links,)
        Every vertex once at most in each, and no circle.
    n_vertices : int
    """
    _, person_of = _components(new, old, n_vertices, "weak")
    link_to = np.full(n_vertices, -1)
    link_to[new] = np.arange(len(new))
    before = link_to[old]
    step = np.ones(len(new), np.int64)
    at = before.copy()
    for _ in range(len(new)):
        has = at >= 0
        if not has.any():
            break
        step += has
        at = np.where(has, before[at], -1)
    _, person = np.unique(person_of[new], return_inverse=True)
    return person.reshape(-1).astype(np.int64), step


def _assign(new: Ints, old: Ints, probability: Floats) -> Ints:
    """Return the pairs that use every new and every old number once at most, ascending."""
    if not len(new):
        return np.zeros(0, np.int64)
    new_names, rows = np.unique(new, return_inverse=True)
    old_names, columns = np.unique(old, return_inverse=True)
    rows, columns = rows.reshape(-1), columns.reshape(-1)
    n_new, n_old = len(new_names), len(old_names)
    # A pair that two subscriptions of one run name twice counts once, at its best.
    order = np.lexsort((np.arange(len(new)), -probability, columns, rows))
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(rows[order]) != 0) | (np.diff(columns[order]) != 0)
    pairs = order[is_first]
    alone = np.arange(n_new)
    weights = coo_array(
        (
            np.concatenate([probability[pairs], np.full(n_new, ALONE)]),
            (
                np.concatenate([rows[pairs], alone]),
                np.concatenate([columns[pairs], n_old + alone]),
            ),
        ),
        shape=(n_new, n_old + n_new),
    ).tocsr()
    chosen = np.full(n_new, -1)
    at, to = min_weight_full_bipartite_matching(weights, maximize=True)
    chosen[at] = to
    return np.sort(pairs[chosen[rows[pairs]] == columns[pairs]]).astype(np.int64)


def _without_circles(
    kept: Ints, new: Ints, old: Ints, probability: Floats, n_vertices: int
) -> Ints:
    """Take the weakest link out of every circle; with one successor each, that opens it."""
    _, circle = _components(new[kept], old[kept], n_vertices, "strong")
    inside = np.flatnonzero(circle[new[kept]] == circle[old[kept]])
    order = inside[np.lexsort((inside, probability[kept[inside]], circle[new[kept[inside]]]))]
    names = circle[new[kept[order]]]
    weakest = order[np.append(True, names[1:] != names[:-1])[: len(order)]]
    return np.delete(kept, weakest)


def _components(new: Ints, old: Ints, n_vertices: int, connection: str) -> tuple[int, Ints]:
    edges = coo_array(
        (np.ones(len(new), np.int8), (old, new)), shape=(n_vertices, n_vertices)
    ).tocsr()
    if not n_vertices:
        return 0, np.zeros(0, np.int64)
    n_found, of_vertex = connected_components(edges, directed=True, connection=connection)
    return int(n_found), of_vertex.astype(np.int64)
