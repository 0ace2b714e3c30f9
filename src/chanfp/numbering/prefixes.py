"""Prefixes: the first digits of numbers, national or international, as ranges of keys."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .plan import NumberingPlan
from .rulebook import load_rulebook
from .worldwide import KEY_LIMIT, dialling_codes

__all__ = ["international_prefix", "key_ranges"]

MAX_DIGITS = len(str(KEY_LIMIT)) - 1
SEPARATORS = re.compile(r"[\s\-.()/]")
FILLS = "2583146790"


def international_prefix(text: str, plan: NumberingPlan) -> str:
    """Return the digits that E.164 numbers with a prefix begin with.

    Parameters
    ----------
    text : str
        International digits behind ``+`` or the region's international prefix (``+8613``,
        ``0086139``), else digits of national numbers with or without the trunk prefix (``139``,
        ``0755``); separators and one ``*`` at the end make no difference.
    plan : NumberingPlan
        Whose national numbers are meant.

    Raises
    ------
    ParameterError
        If the text is no prefix, or no number of the plan can begin so, or the plan has none.

    Examples
    --------
    >>> international_prefix("0755", NumberingPlan("CN"))
    '86755'
    """
    if plan.is_opaque:
        raise ParameterError(
            f"opaque ids have no prefixes, found {text!r}; list whole ids, or name the region of "
            "the numbers instead of 'opaque'."
        )
    signs = SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).removesuffix("*")
    country_code, trunk, abroad = _dialling(plan.region)
    lead = next((code for code in ("+", *abroad) if signs.startswith(code)), None)
    typed = signs.removeprefix(trunk if lead is None else lead)
    digits = (country_code if lead is None else "") + typed
    if not typed or not re.fullmatch(f"[1-9][0-9]{{0,{MAX_DIGITS - 1}}}", digits):
        raise ParameterError(
            f"a prefix must be up to {MAX_DIGITS} digits, with + in front if it begins with a "
            f"country code, found {text!r}; correct it."
        )
    if digits.startswith(country_code * 2) and not _begins_a_number(digits, plan):
        raise ParameterError(
            f"no number of {plan.region} begins with {text!r}; put + in front if "
            f"{country_code} is meant as the country code."
        )
    return digits


def key_ranges(prefixes: list[str]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the ranges of keys that begin with one of some digits.

    Returns
    -------
    begins, ends : uint64 arrays of one length
        Ascending, apart from each other; the end is outside.
    """
    ranges = sorted(
        (int(digits) * 10**more, (int(digits) + 1) * 10**more)
        for digits in set(prefixes)
        for more in range(MAX_DIGITS - len(digits) + 1)
    )
    merged: list[list[int]] = []
    for begin, end in ranges:
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([begin, end])
    bounds = np.array(merged, np.uint64).reshape(-1, 2)
    return bounds[:, 0].copy(), bounds[:, 1].copy()


def _dialling(region: str) -> tuple[str, str, tuple[str, ...]]:
    """Return a region's country code, trunk prefix and international prefixes."""
    book = load_rulebook(region)
    if book is None:
        return dialling_codes(region)
    return book.country_code, book.trunk_prefix, book.international_prefixes


def _begins_a_number(digits: str, plan: NumberingPlan) -> bool:
    """Return whether the plan knows a number that begins so, by trying some of each length."""
    longer = (
        "+" + digits + fill * more
        for more in range(MAX_DIGITS - len(digits), -1, -1)
        for fill in FILLS
    )
    return any(bool(plan.normalise([text])[0]) for text in longer)
