"""Area codes: where landlines without one belong, file by file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache

from .errors import ParameterError
from .numbering import NumberingPlan

__all__ = ["AreaPlans", "check_globs"]


class AreaPlans:
    """The plan for the numbers of each file.

    Parameters
    ----------
    plan : NumberingPlan
        Of the region.
    area_code : str, optional
        Of all files that no glob fits; default the plan's.
    area_codes : mapping of str to str
        For each glob of file names the code; the first one that fits counts.

    Raises
    ------
    ParameterError
        If there is no such area code, here or in `of`.
    """

    def __init__(
        self, plan: NumberingPlan, area_code: str | None, area_codes: Mapping[str, str]
    ) -> None:
        self._codes = area_codes
        self._with_code = cache(lambda code: NumberingPlan(plan.region, area_code=code))
        code = area_codes.get("*", area_code)
        self.base = plan if code is None else self._with_code(code)

    def of(self, name: str) -> NumberingPlan:
        """Return the plan for the numbers of a file."""
        codes = [code for glob, code in self._codes.items() if _fits(name, glob)]
        return self._with_code(codes[0]) if codes else self.base


def check_globs(globs: Iterable[str], names: Sequence[str]) -> None:
    """Refuse a glob that means no file, such as a misspelt one.

    Raises
    ------
    ParameterError
        Naming the glob.
    """
    for glob in globs:
        if not any(_fits(name, glob) for name in names):
            raise ParameterError(
                f"`area_code`: {glob!r} must fit the name of a file, found none among "
                f"{len(names):,} such as {names[0]!r}; correct the pattern."
            )


def _fits(name: str, glob: str) -> bool:
    """Return whether a glob means a file, by its whole path or its name alone."""
    return fnmatchcase(name, glob) or fnmatchcase(os.path.basename(name), glob)
