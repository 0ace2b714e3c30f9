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
    from ..model import MatchModel

__all__ = ["Extras"]


@dataclass(frozen=True)
class Extras:
    """Where all but the matches goes; None for what is not wanted.

    Parameters
    ----------
    out : str
        Where the matches go.
    explanations, calibration, additional, save_model, rejects : str, optional
    """

    out: str
    explanations: str | None = None
    calibration: str | None = None
    additional: str | None = None
    save_model: str | None = None
    rejects: str | None = None

    @classmethod
    def of(cls, out: str, explanations: str | None, **others: str | None) -> Extras:
        """Take what the command line says; explanations without a name go beside the matches."""
        if explanations == "":
            if out == "-":
                raise click.UsageError("--explanations needs a FILE where --out is -.")
            from ..explanation import explanations_beside

            explanations = explanations_beside(out)
        return cls(out, explanations, **others)

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse paths that can't be written or would replace a file that is needed."""
        from ..calibration import check_calibration_output
        from ..tables import check_output, check_survival

        if self.explanations is not None:
            check_output(self.explanations, (".parquet",))
        if self.calibration is not None:
            check_calibration_output(self.calibration)
        if self.additional is not None:
            check_output(self.additional)
        taken = [*inputs, self.out]
        for name in ("explanations", "calibration", "additional", "save_model", "rejects"):
            path = getattr(self, name)
            if path is not None:
                check_survival(path, taken, name)
                taken.append(path)

    def write(
        self, matches: Matches, model: MatchModel | None, progress: Progress | None
    ) -> dict[str, str]:
        """Write what is wanted, but for rejects; return the files by name."""
        written = {}
        if self.additional is not None:
            from ..tables import write_table

            write_table(matches.additional_numbers(), self.additional)
            written["additional"] = self.additional
        if self.save_model is not None and model is not None:
            model.save(self.save_model)
            written["save_model"] = self.save_model
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
