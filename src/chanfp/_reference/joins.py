"""Twins of the kernels on sparse rows: canonical form, counting join, refinement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

Row = dict[int, float]  # the value of each column a row holds


def find_disorder(indptr: Sequence[int], indices: Sequence[int]) -> int:
    """Return the first entry whose column doesn't rise above its row's previous one, or -1."""
    for start, stop in pairwise(indptr):
        for entry in range(start + 1, stop):
            if indices[entry] <= indices[entry - 1]:
                return entry
    return -1


def canonical_rows(
    indptr: Sequence[int], indices: Sequence[int], values: Sequence[float]
) -> list[Row]:
    """Return each row with its columns sorted, duplicates added up in order, zeros dropped."""
    rows = []
    for start, stop in pairwise(indptr):
        row: Row = {}
        for entry in range(start, stop):
            row[indices[entry]] = row.get(indices[entry], 0.0) + values[entry]
        rows.append({column: row[column] for column in sorted(row) if row[column] != 0})
    return rows


def add_up(weights: Sequence[float]) -> float:
    """Add one by one, from left to right; the built-in sum may compensate rounding."""
    total = 0.0
    for weight in weights:
        total += weight
    return total


def transpose_rows(rows: Sequence[Row], n_cols: int) -> list[list[tuple[int, float]]]:
    """Return, per column, the rows that hold it and the value there."""
    return [
        [(row, entries[column]) for row, entries in enumerate(rows) if column in entries]
        for column in range(n_cols)
    ]


def join_rows(
    a: Sequence[Row],
    b: Sequence[Row],
    *,
    min_jaccard: float = 0.0,
    min_shared: int = 1,
    top_k: int | None = None,
    partner_rarity: Sequence[float] | None = None,
    by_rarity: bool = False,
    a_begins: Sequence[int] | None = None,
    b_begins: Sequence[int] | None = None,
) -> list[tuple[int, int, float, int, float]]:
    """Return (row of a, row of b, Jaccard, shared partners, weighted Jaccard) of every match.

    Every pair is looked at; the best `top_k` of each row of a come first. `by_rarity` ranks them
    by the summed rarity of the shared columns before anything else.
    """

    def overlap(i: int, j: int) -> float:
        if not by_rarity or partner_rarity is None:
            return 0.0
        return add_up([partner_rarity[column] for column in sorted(a[i].keys() & b[j].keys())])

    matches = []
    for i, one in enumerate(a):
        found = []
        for j, other in enumerate(b):
            n_shared = len(one.keys() & other.keys())
            if n_shared < min_shared or n_shared == 0:
                continue
            if a_begins is not None and b_begins is not None and b_begins[j] >= a_begins[i]:
                continue
            jaccard = n_shared / (len(one) + len(other) - n_shared)
            if jaccard < min_jaccard:
                continue
            weight = tfidf_jaccard(one, other, partner_rarity) if partner_rarity else 0.0
            found.append((i, j, jaccard, n_shared, weight))
        found.sort(key=lambda match: (-overlap(match[0], match[1]), -match[2], -match[4], match[1]))
        matches.extend(found[:top_k])
    return matches


def tfidf_jaccard(one: Row, other: Row, partner_rarity: Sequence[float]) -> float:
    """Return the sum of the lesser weights, calls times rarity, over the sum of the greater."""
    one, other = (
        {column: calls * partner_rarity[column] for column, calls in row.items()}
        for row in (one, other)
    )
    shared = sorted(one.keys() & other.keys())
    lesser = add_up([min(one[column], other[column]) for column in shared])
    greater = add_up(list(one.values())) + add_up(list(other.values())) - lesser
    return lesser / greater if greater > 0 else 0.0


def shared_rarity(one: Row, other: Row, partner_rarity: Sequence[float]) -> float:
    """Add up, over the shared columns ascending, the rarity times the smaller share."""
    one_total, other_total = add_up(list(one.values())), add_up(list(other.values()))
    return add_up(
        [
            partner_rarity[column] * min(one[column] / one_total, other[column] / other_total)
            for column in sorted(one.keys() & other.keys())
        ]
    )


def refine_pair(new: Row, departed: Row, partner_rarity: Sequence[float]) -> dict[str, float]:
    """Return every partner measure of one pair, NaN where it is undefined."""
    shared = sorted(new.keys() & departed.keys())
    n_shared = len(shared)

    def of_union(common: float, one: float, other: float) -> float:
        return _ratio(common, one + other - common)

    def of_mean(common: float, one: float, other: float) -> float:
        ratio = _ratio(common, math.sqrt(one * other))
        return ratio if math.isnan(ratio) else min(ratio, 1.0)

    def row_sums(row: Row) -> tuple[float, float, float]:
        return (
            add_up(list(row.values())),
            add_up([calls * calls for calls in row.values()]),
            add_up([partner_rarity[column] for column in row]),
        )

    calls, squares, rarity = row_sums(new)
    other_calls, other_squares, other_rarity = row_sums(departed)
    both = [(new[column], departed[column]) for column in shared]
    hellinger = of_mean(add_up([math.sqrt(x * y) for x, y in both]), calls, other_calls)
    return {
        "n_shared": n_shared,
        "jaccard": of_union(n_shared, len(new), len(departed)),
        "weighted_jaccard": of_union(add_up([min(pair) for pair in both]), calls, other_calls),
        "idf_jaccard": of_union(
            add_up([partner_rarity[column] for column in shared]), rarity, other_rarity
        ),
        "hellinger": 0.0 if bool(new) != bool(departed) else hellinger,
        "cosine": of_mean(add_up([x * y for x, y in both]), squares, other_squares),
        "containment_new": _ratio(n_shared, len(new)),
        "containment_old": _ratio(n_shared, len(departed)),
        "shared_rarity": shared_rarity(new, departed, partner_rarity),
    }


def measure_own(
    new: Row, departed: Row, function: Callable[..., float], user_data: object = None
) -> float:
    """Return what a function makes of the partners, calls and length of either row."""
    return function(
        list(new), list(new.values()), len(new),
        list(departed), list(departed.values()), len(departed), user_data,
    )  # fmt: skip


def expect_overlap(
    query: Mapping[int, tuple[float, float, float]],
    old: Mapping[int, tuple[float, float]],
    partner_rarity: Sequence[float],
) -> list[float]:
    """Return the eight sums over shared partners that `_core.expect_overlaps` writes for a pair.

    A query has calls, calls made and presence by column; an old row calls and calls made.
    """
    sums = [0.0] * 8
    for column in sorted(query.keys() & old.keys()):
        (x, x_made, presence), (y, y_made) = query[column], old[column]
        rarity, root = partner_rarity[column], math.sqrt(presence * x * y)
        parts = [presence, presence * rarity, min(x, presence * y), root, rarity * root]
        for place, part in enumerate(parts):
            sums[place] += part
        sums[5] += math.sqrt(presence * x_made * y_made)
        sums[5] += math.sqrt(presence * max(x - x_made, 0.0) * (y - y_made))
        sums[6] += x
        sums[7] += presence * y
    return sums


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def count_listed(rows: Sequence[Row], step: int, listed: list[int]) -> list[int]:
    """Return how many of every `step`-th row hold each of the listed columns."""
    return [sum(column in row for row in rows[::step]) for column in listed]
