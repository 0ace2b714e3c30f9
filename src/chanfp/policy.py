"""Policy: which grade a match gets, given its false-match rate and what else is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .corroboration import CIRCUMSTANCES, CORROBORATION
from .errors import ParameterError
from .grading import THIN_EVIDENCE

__all__ = ["ADDITIONAL_SCORE", "ASKED", "GradePolicy"]

ADDITIONAL_SCORE = 0.8
LOST_TO_ACTIVE, ADDITIONAL_NUMBER = "lost-to-active", "additional-number"
NOT_GRADED, LOWEST = "U", "D"
# What a policy may ask for, as it stands or denied; the model never sees it.
ASKED = (*CORROBORATION, *CIRCUMSTANCES)
DENIED = "not_"


@dataclass(frozen=True)
class GradePolicy:
    """Grades by q-value: of the matches with a grade or a better one, so many are false at most.

    Parameters
    ----------
    limits : dict of str to float
        Largest q-value of each grade, best grade first, above 0 to 1.
    min_shared : int, default 2
        A match with fewer partners in common, counting those that were probably renamed, is graded
        U, ``thin-evidence``.
    min_calls : int, default 3
        So is one with fewer calls on either side.
    require : tuple of str
        Corroboration that must be there for a grade above D, such as ``same_id``; where it is
        missing or false the reason is ``lacks-same_id``. With ``not_`` in front it must be
        false, as in ``not_alive_at_once``.
    prefer : tuple of str
        Corroboration that should be there: where it is known to be false the grade is one step
        lower, ``unlike-same_id``. No grade is raised by it, so that stated rates hold.
    veto : tuple of str
        Corroboration that must not be contradicted: where it is known to be false the grade is D,
        ``vetoed-same_id``.
    additional_score : float, default 0.8
        A new number that a subscription still in use wins with at least this score is an additional
        number of the same person, ``additional-number``; above 0 to 1.

    Raises
    ------
    ParameterError
        If limits don't rise from above 0 to at most 1, or corroboration is unknown.

    Examples
    --------
    >>> GradePolicy(limits={"A": 0.005, "B": 0.05}, veto=("same_id",)).min_shared
    2
    """

    limits: Mapping[str, float] = field(default_factory=lambda: {"A": 0.01, "B": 0.05, "C": 0.20})
    min_shared: int = 2
    min_calls: int = 3
    require: tuple[str, ...] = ()
    veto: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    additional_score: float = ADDITIONAL_SCORE

    def __post_init__(self) -> None:
        values = list(self.limits.values())
        if not values or not all(0 < one <= 1 for one in values) or values != sorted(values):
            raise ParameterError(
                "`limits` must rise from the best grade to the worst, above 0 to 1; got "
                f"{dict(self.limits)}."
            )
        for name in ("min_shared", "min_calls"):
            if getattr(self, name) < 1:
                raise ParameterError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if not 0 < self.additional_score <= 1:
            raise ParameterError(
                f"`additional_score` must lie above 0 and up to 1, got {self.additional_score}; it "
                "is compared with something like a probability."
            )
        asked = {*self.require, *self.veto, *self.prefer}
        unknown = sorted(name for name in asked if name.removeprefix(DENIED) not in ASKED)
        if unknown:
            raise ParameterError(
                f"`require`, `veto` and `prefer` take {', '.join(ASKED)}, also with {DENIED!r} in "
                f"front; got {unknown[0]!r}."
            )

    def grade(
        self,
        q_value: npt.NDArray[np.float64],
        n_shared: npt.NDArray[np.float64],
        n_calls: npt.NDArray[np.int64],
        active_score: npt.NDArray[np.float64],
        corroboration: Mapping[str, Any],
    ) -> tuple[list[str], list[str]]:
        """Grade matches.

        Parameters
        ----------
        q_value : float64 array, shape (n_matches,)
            NaN where a match is not the best of its new number.
        n_shared : float64 array, shape (n_matches,)
            Partners in common, those probably renamed among them.
        n_calls : int64 array, shape (n_matches,)
            Calls of the side that has fewer.
        active_score : float64 array, shape (n_matches,)
            Score of a subscription still in use where that is more probable, else NaN.
        corroboration : dict of str to list of bool or None
            Columns of `ASKED`; those not given are unknown.

        Returns
        -------
        grades : list of str
            A grade of `limits`, D, or U.
        reasons : list of str
            Why it is no better, or empty.
        """
        n = len(q_value)
        grades, reasons = np.full(n, LOWEST, object), np.full(n, "", object)
        for grade, limit in reversed(list(self.limits.items())):
            grades[(q_value <= limit) & np.isnan(active_score)] = grade
        reasons[~np.isnan(active_score)] = LOST_TO_ACTIVE
        reasons[active_score >= self.additional_score] = ADDITIONAL_NUMBER
        steps = [*self.limits, LOWEST]
        lower = dict(zip(steps, [*steps[1:], LOWEST], strict=True))
        for names, word, wrong in (
            (self.prefer, "unlike", (False,)),
            (self.require, "lacks", (None, False)),
            (self.veto, "vetoed", (False,)),
        ):
            for name in names:
                known = _known(name, corroboration, n)
                fails = np.array([one in wrong for one in known], bool) & (grades != LOWEST)
                grades[fails] = [
                    lower[grade] if names is self.prefer else LOWEST for grade in grades[fails]
                ]
                reasons[fails] = f"{word}-{name}"
        # Half a partner short is rounding: probable partners add up to fractions.
        is_thin = (n_shared < self.min_shared - 0.5) | (n_calls < self.min_calls)
        grades[is_thin], reasons[is_thin] = NOT_GRADED, THIN_EVIDENCE
        return grades.tolist(), reasons.tolist()


def _known(name: str, corroboration: Mapping[str, Any], n: int) -> list[bool | None]:
    """Return what is known of a column, the contrary of it if its name begins with ``not_``."""
    known = list(corroboration.get(name.removeprefix(DENIED), [None] * n))
    if not name.startswith(DENIED):
        return known
    return [None if one is None else not one for one in known]
