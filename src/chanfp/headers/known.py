"""What is known of headers, directions and kinds, from ``known.toml``."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Known", "fold_header", "fold_value", "load_known", "nearest"]

LETTER_GAP = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")


@dataclass(frozen=True)
class Known:
    """Known headers, directions and kinds, folded.

    Parameters
    ----------
    strong, weak : dict of str to frozenset of str
        For each word the headers that say it.
    directions : dict of str to str
        ``"out"`` or ``"in"`` for each known value.
    kinds : dict of str to str
        ``"call"`` or ``"message"`` for each known value.
    tables : dict of str to frozenset of str
        For each word of the tables beside CDRs the headers that say it.
    values : dict of str to dict of str to str
        For each word whose column takes certain values only, what a value written there means.
    """

    strong: dict[str, frozenset[str]]
    weak: dict[str, frozenset[str]]
    directions: dict[str, str]
    kinds: dict[str, str]
    tables: dict[str, frozenset[str]]
    values: dict[str, dict[str, str]]


@cache
def load_known() -> Known:
    """Return what ``known.toml`` holds."""
    text = files(__package__).joinpath("known.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)

    def folded(strength: str) -> dict[str, frozenset[str]]:
        return {
            word: frozenset(map(fold_header, names)) for word, names in tables[strength].items()
        }

    def meanings(table: dict[str, list[str]]) -> dict[str, str]:
        return {fold_value(value): meant for meant, values in table.items() for value in values}

    return Known(
        strong=folded("strong"),
        weak=folded("weak"),
        directions=meanings(tables["directions"]),
        kinds=meanings(tables["kinds"]),
        tables=folded("tables"),
        values={word: meanings(table) for word, table in tables["values"].items()},
    )


def fold_header(name: str) -> str:
    """Return a header without what makes no difference: case, width, blanks, signs."""
    return "".join(
        sign for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum()
    )


def fold_value(value: str) -> str:
    """Return a direction or kind without case, width, and gaps between letters."""
    return LETTER_GAP.sub("", unicodedata.normalize("NFKC", value).casefold().strip())


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name nearest to an unknown one, or nothing."""
    found = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {found[0]!r}?)" if found else ""
