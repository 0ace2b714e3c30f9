"""The files that ``chanfp match`` writes beside the matches, on request."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..blocks import Progress
    from ..matches import Matches

__all__ = ["Extras"]


@dataclass(frozen=True)
class Extras:
    """Where explanations and calibration go; None for what is not wanted.

    Parameters
    ----------
    out : str
        Where the matches go.
    explanations, calibration : str, optional
    """

    out: str
    explanations: str | None
    calibration: str | None

    @classmethod
    def of(cls, out: str, explanations: str | None, calibration: str | None) -> Extras:
        """Take what the command line says; explanations without a name go beside the matches."""
        if explanations == "":
            if out == "-":
                raise click.UsageError("--explanations needs a FILE where --out is -.")
            from ..explanation import explanations_beside

            explanations = explanations_beside(out)
        return cls(out, explanations, calibration)

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse paths that can't be written or would replace a file that is needed."""
        from ..tables import check_output, check_survival

        taken = [*inputs, self.out]
        if self.explanations is not None:
            check_output(self.explanations, (".parquet",))
            check_survival(self.explanations, taken, "explanations")
            taken.append(self.explanations)
        if self.calibration is not None:
            from ..calibration import check_calibration_output

            check_calibration_output(self.calibration)
            check_survival(self.calibration, taken, "calibration")

    def write(self, matches: Matches, progress: Progress | None) -> dict[str, str]:
        """Write what is wanted; return the files by name."""
        written = {}
        if self.explanations is not None:
            matches.write_explanations(self.explanations, progress=progress)
            written["explanations"] = self.explanations
        if self.calibration is not None and matches.judgement is None:
            from ..errors import ChanfpWarning

            warnings.warn(
                f"{self.calibration} was not written: the grades are similarity tiers, for which "
                "nothing is known.",
                ChanfpWarning,
                stacklevel=2,
            )
        elif self.calibration is not None:
            matches.calibration().write(self.calibration)
            written["calibration"] = self.calibration
        return written
