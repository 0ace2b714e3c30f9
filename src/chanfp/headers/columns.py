"""Columns of CDR files: which of them means which of chanfp's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ColumnError, ParameterError
from ..tables import describe_columns
from .known import fold_header, load_known, nearest

__all__ = [
    "CALL_CENTRED",
    "SUBSCRIBER_CENTRED",
    "WORDS",
    "ColumnMap",
    "FoundColumn",
    "check_words",
    "find_column",
    "recognise",
]

CALL_CENTRED, SUBSCRIBER_CENTRED = "call-centred", "subscriber-centred"
# For each shape what tells it, and what it has besides; a start time is needed in both.
PARTIES = {
    CALL_CENTRED: ("caller", "callee"),
    SUBSCRIBER_CENTRED: ("subscriber", "other_party", "direction"),
}
OPTIONAL = {
    CALL_CENTRED: ("duration_s", "kind", "cell", "imei", "callee_cell", "callee_imei"),
    SUBSCRIBER_CENTRED: ("duration_s", "kind", "cell", "imei"),
}
WORDS = (
    *PARTIES[CALL_CENTRED],
    *PARTIES[SUBSCRIBER_CENTRED],
    "start_time",
    *OPTIONAL[CALL_CENTRED],
)
GIVEN, SAME_NAME, KNOWN_HEADER = "given", "same name", "known header"


@dataclass(frozen=True)
class FoundColumn:
    """A column of a file and how its meaning was found: given, same name, or known header."""

    column: str
    how: str


@dataclass(frozen=True)
class ColumnMap:
    """What the columns of one CDR file mean.

    Parameters
    ----------
    shape : str
        ``"call-centred"`` (caller and callee) or ``"subscriber-centred"`` (a subscriber, the
        other party, and the direction).
    found : dict of str to FoundColumn
        For each word the column that means it, parties first.
    unrecognised : tuple of str
        Columns that mean nothing in this shape, in the order of the file.
    """

    shape: str
    found: dict[str, FoundColumn]
    unrecognised: tuple[str, ...]

    @property
    def is_subscriber_centred(self) -> bool:
        """Whether each row speaks for its subscriber only."""
        return self.shape == SUBSCRIBER_CENTRED

    @property
    def parties(self) -> tuple[str, str]:
        """The words for the two parties of a row."""
        first, second, *_ = PARTIES[self.shape]
        return first, second

    def column(self, word: str) -> str | None:
        """Return the column that means a word, or None."""
        found = self.found.get(word)
        return None if found is None else found.column

    @property
    def columns(self) -> dict[str, str]:
        """The column for each word found."""
        return {word: found.column for word, found in self.found.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "shape": self.shape,
            "columns": {
                word: {"column": found.column, "how": found.how}
                for word, found in self.found.items()
            },
            "unrecognised": list(self.unrecognised),
        }


def recognise(
    names: Sequence[str], columns: Mapping[str, str] | None = None, *, place: str = "the table"
) -> ColumnMap:
    """Return what the columns of a CDR file mean.

    What the user gives goes first, then columns named as the word itself, then known headers in
    English and Chinese (``known.toml``). Case, blanks, underscores, hyphens, brackets and
    full-width forms make no difference.

    Parameters
    ----------
    names : sequence of str
        The columns of the file.
    columns : mapping of str to str, optional
        Word to column, as the user gives them; an empty column means that the file has none.
        The words are `WORDS`.
    place : str
        What messages call the file.

    Returns
    -------
    ColumnMap
        With every word that the shape needs; the others where present.

    Raises
    ------
    ParameterError
        If `columns` has an unknown word.
    ColumnError
        If a needed word has no column or any word has two, the shape can't be told, or a column
        given isn't there.

    Examples
    --------
    >>> found = recognise(["主叫号码", "Called Number", "开始时间", "费用"])
    >>> found.columns
    {'caller': '主叫号码', 'callee': 'Called Number', 'start_time': '开始时间'}
    >>> found.unrecognised
    ('费用',)
    """
    given = _match_given(names, check_words(columns or {}), place)
    taken = {column for column in given.values() if column}
    free = [name for name in names if name not in taken]
    candidates = {
        word: _candidates(word, free) if word not in given else ([given[word]], GIVEN)
        for word in WORDS
    }
    shape = _tell_shape(names, candidates, given, place)
    found: dict[str, FoundColumn] = {}
    lacking: list[str] = []
    for word in (*PARTIES[shape], "start_time", *OPTIONAL[shape]):
        options, how = candidates[word]
        if len(options) > 1:
            raise ColumnError(
                f"{place}: one column can be {word!r}, found {describe_columns(options)}; say "
                f"which one is meant in `columns`, such as {word}={options[0]} (or {word}= if "
                "there is none)."
            )
        if options and options[0]:
            found[word] = FoundColumn(options[0], how)
        elif word not in OPTIONAL[shape]:
            lacking.append(word)
    if lacking:
        raise _missing(place, shape, lacking, names)
    used = {column.column for column in found.values()}
    return ColumnMap(shape, found, tuple(name for name in names if name not in used))


def check_words(columns: Mapping[str, str]) -> Mapping[str, str]:
    """Return a mapping from words to columns, or refuse an unknown word.

    Raises
    ------
    ParameterError
        Naming the word and the nearest known one.
    """
    for word in columns:
        if word not in WORDS:
            raise ParameterError(
                f"{word!r} is no column word{nearest(word, WORDS)}; the words are "
                f"{', '.join(WORDS)}."
            )
    return columns


def _match_given(names: Sequence[str], columns: Mapping[str, str], place: str) -> dict[str, str]:
    """Return the columns the user gave as they stand in the file."""
    given: dict[str, str] = {}
    for word, wanted in columns.items():
        found = "" if wanted == "" else find_column(names, wanted)
        if found is None:
            raise ColumnError(
                f"{place}: column {wanted!r}, given for {word!r}, is missing"
                f"{nearest(wanted, names)}; the columns found are {describe_columns(names)}."
            )
        given[word] = found
        for other, column in given.items():
            if other != word and column and column == given[word]:
                raise ColumnError(
                    f"{place}: a column has one meaning, {column!r} is given for {other!r} and "
                    f"{word!r}; leave one out."
                )
    return given


def find_column(names: Sequence[str], wanted: str) -> str | None:
    """Return the column that a user calls by a name, None where there is none or more than one."""
    if wanted in names:
        return wanted
    alike = [name for name in names if fold_header(name) == fold_header(wanted)]
    return alike[0] if len(alike) == 1 else None


def _candidates(word: str, names: Sequence[str]) -> tuple[list[str], str]:
    """Return the columns that can mean a word, by the best reason there is."""
    known = load_known()
    for headers, how in (
        ({fold_header(word)}, SAME_NAME),
        (known.strong.get(word, ()), KNOWN_HEADER),
        (known.weak.get(word, ()), KNOWN_HEADER),
    ):
        found = [name for name in names if fold_header(name) in headers]
        if found:
            return found, how
    return [], KNOWN_HEADER


def _tell_shape(
    names: Sequence[str],
    candidates: Mapping[str, tuple[list[str], str]],
    given: Mapping[str, str],
    place: str,
) -> str:
    """Return the shape whose parties are all there; the user's words decide where both are."""
    n_found = {
        shape: sum(bool(candidates[word][0] and candidates[word][0][0]) for word in parties)
        for shape, parties in PARTIES.items()
    }
    whole = [shape for shape, parties in PARTIES.items() if n_found[shape] == len(parties)]
    if len(whole) == 1:
        return whole[0]
    if not whole:
        # The shape more of which is there is the one meant; the caller says what it lacks.
        share = {shape: n_found[shape] / len(PARTIES[shape]) for shape in PARTIES}
        return max(PARTIES, key=lambda shape: share[shape])
    meant = [shape for shape in whole if any(given.get(word) for word in PARTIES[shape])]
    if len(meant) == 1:
        return meant[0]
    both = [candidates[word][0][0] for word in ("caller", "callee", "subscriber", "other_party")]
    raise ColumnError(
        f"{place}: a file has a caller and a callee, or a subscriber and the other party, found "
        f"both: {describe_columns(both)}; say which is meant in "
        f"`columns`, such as caller={both[0]} or subscriber={both[2]}."
    )


def _missing(place: str, shape: str, lacking: Sequence[str], names: Sequence[str]) -> ColumnError:
    """Return the error that names everything that lacks, so that one look mends it."""
    needed = ", ".join((*PARTIES[shape], "start_time"))
    what, meant = "a column", "the one that is"
    if len(lacking) > 1:
        what, meant = "columns", "those that are"
    way_out = f"name {meant} meant in `columns`, such as {lacking[0]}=COLUMN"
    if any(name.strip("+").isdigit() for name in names):
        way_out = "the first row looks like a record; put a row with column names before it"
    return ColumnError(
        f"{place}: CDRs need {what} {describe_columns(lacking)} ({shape} files have {needed}); the "
        f"columns found are {describe_columns(names)}; {way_out}."
    )
