"""Ways to match with one step left out, to see what it buys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt

import chanfp
from chanfp import pools, rounds
from chanfp.decoys import Nearness
from chanfp.features import FEATURES
from chanfp.model import RoundModel
from chanfp.renaming import Renames

__all__ = ["STEPS", "Step"]

Step = Callable[[chanfp.Fingerprints], chanfp.Matches]
Floats = npt.NDArray[np.float64]


def full(prints: chanfp.Fingerprints) -> chanfp.Matches:
    """Match with every step."""
    return chanfp.Matcher().fit(prints).match()


def with_rounds(n_rounds: int) -> Step:
    """Match with another number of collective rounds."""
    return lambda prints: chanfp.Matcher(n_rounds=n_rounds).fit(prints).match()


def no_renaming(prints: chanfp.Fingerprints) -> chanfp.Matches:
    """Go through all rounds, but rename nobody."""
    nobody = Renames.of(*(np.zeros(0, np.int64),) * 2, np.zeros(0))
    with mock.patch.object(rounds._Court, "renames", return_value=nobody):
        return full(prints)


def no_competition(prints: chanfp.Fingerprints) -> chanfp.Matches:
    """Match with rounds, and rank by the odds of each pair alone."""
    matches = full(prints)
    if matches.judgement is None:
        return matches
    alone = 1 / (1 + np.exp(-matches.judgement.log_odds))
    return _with_probability(matches, alone)


def no_nearness(prints: chanfp.Fingerprints) -> chanfp.Matches:
    """Take departed for as near to newcomers as decoys are."""
    with mock.patch.object(rounds, "measure_nearness", return_value=Nearness()):
        return full(prints)


def no_strata(prints: chanfp.Fingerprints) -> chanfp.Matches:
    """Let each decoy stand for as many departed, whatever its size."""

    def weigh(departed: Any, decoys: Any) -> Floats:
        n_departed, n_decoys = (len(side.n_partners) for side in (departed, decoys))
        return np.full(n_decoys, n_departed / max(n_decoys, 1))

    with mock.patch.object(pools, "weigh_decoys", weigh):
        return full(prints)


def similarity(prints: chanfp.Fingerprints) -> chanfp.Matches:
    """Match by similarity tiers: no model."""
    matches = chanfp.Matcher(learn=False, n_rounds=0).fit(prints).match()
    return _with_probability(matches, matches.table.column("jaccard"))


def without(features: Iterable[str]) -> Step:
    """Match by a model that doesn't see some features."""
    unseen = [at for at, name in enumerate(FEATURES) if name in set(features)]

    def blind(values: Floats) -> Floats:
        values = values.copy()
        values[:, unseen] = 0.0  # the same everywhere says nothing
        return values

    fit, contributions = RoundModel.fit.__func__, RoundModel.contributions  # type: ignore[attr-defined]

    def match(prints: chanfp.Fingerprints) -> chanfp.Matches:
        with (
            mock.patch.object(
                RoundModel,
                "fit",
                classmethod(lambda cls, values, *rest: fit(cls, blind(values), *rest)),
            ),
            mock.patch.object(
                RoundModel,
                "contributions",
                lambda self, values, fold: contributions(self, blind(values), fold),
            ),
        ):
            return full(prints)

    return match


def _with_probability(matches: chanfp.Matches, probability: Any) -> chanfp.Matches:
    column = matches.table.schema.get_field_index("probability")
    table = matches.table.set_column(column, "probability", [probability])
    return replace(matches, table=table)


def _named(*parts: str) -> list[str]:
    return [name for name in FEATURES if any(part in name for part in parts)]


GROUPS: Mapping[str, list[str]] = {
    "rarity of partners": [name for name in _named("rarity", "idf") if name != "idf_days"],
    "days of contact": _named("days"),
    "partners that could be called": _named("alive"),
    "direction of calls": _named("direction", "outgoing"),
    "agreement of many": _named("hellinger_shared", "direction_shared"),
    "shares of calls": _named("calls_new", "calls_old"),
    "containment": _named("containment"),
    "sizes": _named("partners_", "volume"),
    "cells": _named("cell", "home", "place"),
    "hours": _named("hour"),
}
STEPS: Mapping[str, Step] = {
    "everything": full,
    "one round instead of two": with_rounds(1),
    "no collective rounds": with_rounds(0),
    "rounds without renaming": no_renaming,
    "no competition": no_competition,
    "decoys as near as departed": no_nearness,
    "decoys of any size": no_strata,
    **{f"no {name}": without(features) for name, features in GROUPS.items() if features},
    "no model: Jaccard, then tf-idf": similarity,
}
