"""Similarity tiers: every limit just reached and just missed."""

import numpy as np
import pytest

import chanfp
from chanfp.errors import ParameterError


def grade(tiers, *rows):
    jaccard, n_shared, n_calls = (np.array(column) for column in zip(*rows, strict=True))
    grades, reasons = tiers.grade(jaccard, n_shared.astype(np.int32), n_calls)
    return list(zip(grades, reasons, strict=True))


@pytest.mark.parametrize(
    ("jaccard", "n_shared", "n_calls", "expected"),
    [
        (0.5, 5, 10, "A"),
        (1.0, 900, 9000, "A"),
        (0.4999, 5, 10, "B"),
        (0.5, 4, 10, "B"),
        (0.5, 5, 9, "B"),
        (0.3, 4, 8, "B"),
        (0.2999, 4, 8, "C"),
        (0.3, 3, 8, "C"),
        (0.3, 4, 7, "C"),
        (1.0, 4, 10, "B"),
        (0.15, 3, 5, "C"),
        (0.1499, 3, 5, "D"),
        (0.15, 2, 5, "D"),
        (0.15, 3, 4, "D"),
        (1.0, 3, 4, "D"),
        (0.0, 2, 3, "D"),
        (0.001, 2, 3, "D"),
        (0.9, 1, 3, "U"),
        (0.9, 2, 2, "U"),
        (1.0, 1, 2, "U"),
        (1.0, 1, 900, "U"),
        (1.0, 900, 2, "U"),
        (0.0, 0, 0, "U"),
    ],
)
def test_each_limit_just_reached_and_just_missed(jaccard, n_shared, n_calls, expected):
    reason = "thin-evidence" if expected == "U" else ""
    assert grade(chanfp.SimilarityTiers(), (jaccard, n_shared, n_calls)) == [(expected, reason)]


def test_rows_are_graded_one_by_one():
    rows = [(0.5, 5, 10), (0.9, 1, 50), (0.3, 4, 8), (0.1, 3, 9), (0.2, 3, 9)]
    assert grade(chanfp.SimilarityTiers(), *rows) == [
        ("A", ""),
        ("U", "thin-evidence"),
        ("B", ""),
        ("D", ""),
        ("C", ""),
    ]
    nothing = np.zeros(0)
    assert chanfp.SimilarityTiers().grade(nothing, nothing.astype(np.int32), nothing) == ([], [])


def test_own_tiers_are_tried_in_their_order():
    gold = chanfp.SimilarityTier("gold", 0.5, 3, 4)
    silver = chanfp.SimilarityTier("silver", 0.2, 1, 1)
    rows = [(0.5, 3, 4), (0.49, 3, 4), (0.5, 2, 4), (0.5, 3, 3), (0.2, 2, 3), (0.19, 9, 9)]
    for tiers, expected in (
        ((gold, silver), ["gold", "silver", "silver", "silver", "silver", "U"]),
        ((silver, gold), ["silver"] * 5 + ["U"]),
        ((gold,), ["gold", "U", "U", "U", "U", "U"]),
        ((), ["U"] * 6),
    ):
        found = grade(chanfp.SimilarityTiers(tiers=tiers), *rows)
        assert [letter for letter, _ in found] == expected
        reasons = ["below-tiers" if letter == "U" else "" for letter in expected]
        assert [reason for _, reason in found] == reasons


def test_thin_evidence_goes_before_tiers_and_can_be_set():
    lenient = chanfp.SimilarityTiers(min_shared=1, min_calls=1)
    assert grade(lenient, (1.0, 1, 1), (1.0, 1, 0), (1.0, 0, 1)) == [
        ("D", ""),
        ("U", "thin-evidence"),
        ("U", "thin-evidence"),
    ]
    strict = chanfp.SimilarityTiers(min_shared=7, min_calls=20)
    assert grade(strict, (0.5, 7, 20), (0.5, 6, 20), (0.5, 7, 19)) == [
        ("A", ""),
        ("U", "thin-evidence"),
        ("U", "thin-evidence"),
    ]
    # Thin and below the tiers: thin is what is said.
    none = chanfp.SimilarityTiers(tiers=())
    assert grade(none, (0.0, 1, 9), (0.0, 2, 3)) == [("U", "thin-evidence"), ("U", "below-tiers")]


@pytest.mark.parametrize("jaccard", [-0.001, 1.001, float("nan")])
def test_a_tier_needs_a_similarity(jaccard):
    with pytest.raises(ParameterError, match="`jaccard` of grade X must lie between 0 and 1, got"):
        chanfp.SimilarityTier("X", jaccard, 1, 1)
    for edge in (0, 1):
        assert chanfp.SimilarityTier("X", edge, 1, 1).jaccard == edge


@pytest.mark.parametrize("name", ["min_shared", "min_calls"])
def test_no_match_shares_less_than_one(name):
    with pytest.raises(ParameterError, match=f"`{name}` must be at least 1, got 0"):
        chanfp.SimilarityTiers(**{name: 0})
    assert getattr(chanfp.SimilarityTiers(**{name: 1}), name) == 1


def test_the_page_shows_the_tiers_as_they_are():
    tiers = chanfp.SimilarityTiers()
    assert [(tier.grade, tier.jaccard, tier.n_shared, tier.n_calls) for tier in tiers.tiers] == [
        ("A", 0.5, 5, 10),
        ("B", 0.3, 4, 8),
        ("C", 0.15, 3, 5),
        ("D", 0.0, 0, 0),
    ]
    assert (tiers.min_shared, tiers.min_calls) == (2, 3)
