"""Exports: one CDR file or table each, with what its columns and values mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from .headers import ColumnMap
from .numbering import NumberingPlan
from .shortnumbers import ShortNumbers
from .span import ALL_TIMES, Span
from .tables import Batch, TableSource

__all__ = ["Export"]


@dataclass(frozen=True)
class Export:
    """One source of CDRs, and how its rows are understood.

    Parameters
    ----------
    source : TableSource
        The file or table.
    columns : ColumnMap
        Its shape, and which column means what.
    plan : NumberingPlan
        How its numbers are normalised; files of different cities have different area codes.
    directions : mapping of str to str
        What values of the direction column mean, before what is known.
    zone : ZoneInfo or None
        Where the clock on the wall hangs that times with a zone are turned into.
    short_numbers : ShortNumbers or None
        Whom the short numbers of groups reach.
    span : Span
        Rows of other times are rejected as stray.
    """

    source: TableSource
    columns: ColumnMap
    plan: NumberingPlan
    directions: Mapping[str, str]
    zone: ZoneInfo | None
    short_numbers: ShortNumbers | None = None
    span: Span = ALL_TIMES

    @property
    def is_subscriber_centred(self) -> bool:
        """Whether each row speaks for its subscriber only."""
        return self.columns.is_subscriber_centred

    @property
    def parties(self) -> tuple[str, str]:
        """The words for the two parties of a row."""
        return self.columns.parties

    def units(self, words: Sequence[str]) -> Iterator[Callable[[], list[Batch]]]:
        """Yield pieces of reading work for the columns that mean some words.

        Words without a column are left out. Columns keep their names of the file, so that
        messages name what stands there; `column` gives the name.
        """
        return self.source.units([name for word in words if (name := self.column(word))])

    def column(self, word: str) -> str | None:
        """Return the column that means a word, None where there is none."""
        return self.columns.column(word)

    def needed(self, word: str) -> str:
        """Return the column of a word that no file of this shape lacks."""
        return self.columns.found[word].column
