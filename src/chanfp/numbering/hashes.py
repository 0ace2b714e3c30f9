"""Hashes among ids: how many values of a column look like hashes, and how many like numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .texts import text_chunks

__all__ = ["IdSample", "sample_ids"]

SAMPLED_TEXTS = 10_000
# At least 8 signs of the alphabets that hashes are written in, a letter and a digit among them.
HASH_LIKE = r"^\s*[0-9A-Za-z+/=_-]{8,}\s*$"
LETTER_AND_DIGIT = r"[A-Za-z].*[0-9]|[0-9].*[A-Za-z]"
# The name of an SMS sender has at most 11 signs (3GPP TS 23.040, section 9.1.2.5).
LONGER_THAN_A_NAME = r"^\s*\S{12,}\s*$"
NUMBER_LIKE = r"^\s*[+]?[0-9][0-9 ()./-]{4,19}\s*$"


@dataclass(frozen=True)
class IdSample:
    """What the first values of a column look like.

    Parameters
    ----------
    n : int
        Values looked at.
    n_hashed : int
        Those that look like hashes: at least 8 signs, letters and digits mixed, and no blank.
    n_long_hashed : int
        Those among them with more signs than the name of an SMS sender may have.
    n_numbers : int
        Those that look like telephone numbers.
    hashed, number : str
        The first long one of the former and the first of the latter; empty where there is none.
    """

    n: int
    n_hashed: int
    n_long_hashed: int
    n_numbers: int
    hashed: str
    number: str


def sample_ids(numbers: Any) -> IdSample:
    """Look at the first 10,000 values of a column that aren't null or empty.

    Raises
    ------
    ColumnError
        If the numbers aren't text.
    """
    texts = pa.array([], pa.large_string())
    for chunk in text_chunks(numbers):
        if len(texts) < SAMPLED_TEXTS:
            head = chunk.slice(0, 2 * SAMPLED_TEXTS).cast(pa.large_string()).drop_null()
            head = head.filter(pc.not_equal(pc.utf8_trim_whitespace(head), ""))
            texts = pa.concat_arrays([texts, head]).slice(0, SAMPLED_TEXTS)
    is_hashed = pc.and_(
        pc.match_substring_regex(texts, HASH_LIKE),
        pc.match_substring_regex(texts, LETTER_AND_DIGIT),
    )
    is_long = pc.and_(is_hashed, pc.match_substring_regex(texts, LONGER_THAN_A_NAME))
    is_number = pc.match_substring_regex(texts, NUMBER_LIKE)
    n_hashed, n_long, n_numbers = (
        int(pc.sum(found).as_py() or 0) for found in (is_hashed, is_long, is_number)
    )
    return IdSample(
        len(texts), n_hashed, n_long, n_numbers, _first(texts, is_long), _first(texts, is_number)
    )


def _first(texts: pa.Array, chosen: pa.Array) -> str:
    found = texts.filter(chosen)
    return str(found[0].as_py()) if len(found) else ""
