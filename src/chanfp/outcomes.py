"""Outcomes: what the winners reached, of the new and of controls, whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .competition import Competition

__all__ = ["ControlOutcomes", "Outcomes"]


@dataclass(frozen=True, eq=False)
class ControlOutcomes:
    """What the best candidate of each control got that asks as if it were new.

    Each is looked at twice: as somebody who came back, with the own old number in the pool, and as
    somebody who didn't, without it. The coefficients that judge the own pair never saw the control.

    Parameters
    ----------
    probability : float64 array, shape (2, n_controls)
        Of the best candidate among the departed and, in the first row, the own old number; NaN
        where there is none. Other decoys are told apart from departed ones, as for the new.
    is_right : bool array, shape (n_controls,)
        Whether the best candidate of the first row is the own old number.
    """

    probability: npt.NDArray[np.float64]
    is_right: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        competition: Competition,
        own: npt.NDArray[np.bool_],
        nobody: float,
        n_controls: int,
    ) -> ControlOutcomes:
        """Let controls compete as the new do.

        Parameters
        ----------
        competition : Competition
            Its last `n_controls` queries are the controls.
        own : bool array, shape (n_pairs,)
            True where a pair is a control and its own old number.
        nobody : float
            Odds that the person behind a new number is not among the old ones.
        n_controls : int
        """
        first = competition.n_queries - n_controls
        taken = np.bincount(
            competition.olds, competition.odds * competition.rivals, competition.n_olds
        )
        asks = np.flatnonzero(competition.queries >= first)
        controls = competition.queries[asks] - first
        odds, own = competition.odds[asks], own[asks]
        departed = ~competition.decoys[asks]
        best: list[npt.NDArray[np.float64]] = []
        is_right = np.zeros(n_controls, bool)
        for counted in (departed | own, departed):
            of_control = np.bincount(controls, np.where(counted, odds, 0.0), n_controls)[controls]
            share = odds / (nobody + of_control + taken[competition.olds[asks]])
            probability = np.full(n_controls, np.nan)
            # The last one written stays: the most probable, among equals the first.
            order = np.lexsort((-np.arange(len(asks)), share))
            order = order[counted[order]]
            probability[controls[order]] = share[order]
            if not best:
                is_right[controls[order]] = own[order]
            best.append(probability)
        return cls(np.array(best), is_right)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What rates and probabilities rest on, small enough to keep.

    Parameters
    ----------
    score : float64 array, shape (n_winners,)
        Of each new number's winner, departed or decoy.
    n_false : float64 array, shape (n_winners,)
        False matches expected for each: of a decoy the departed that it stands for, of a departed
        one how likely it is a near miss that decoys don't show.
    q_value : float64 array, shape (n_winners,)
        NaN for decoys.
    controls : ControlOutcomes
    returner_share : float
        Of the new that came back, as estimated.
    """

    score: npt.NDArray[np.float64]
    n_false: npt.NDArray[np.float64]
    q_value: npt.NDArray[np.float64]
    controls: ControlOutcomes
    returner_share: float
