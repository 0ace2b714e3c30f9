"""The forms a number can be typed in: every rule of a region behind every prefix, in order.

A form is a pattern over signs: digits, ``+``, ``*``, ``#``, ``A`` for a letter and ``!`` for
anything else; separators are gone before. The first form that fits a whole text decides. The
pattern language is described in ``rules/CN.toml`` and ``rules/world.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import DataError
from .reasons import CODES, UNRESOLVED
from .rulebook import Rule, Rulebook, World

__all__ = ["Ending", "Family", "Verdict", "build_families", "default_verdict", "fixed_length"]

SHORT_DIGITS = 8
"""Longest number that may count as a short number; a landline's local part has no more."""


@dataclass(frozen=True)
class Verdict:
    """What a form says of a text: a reason code and, for an ordinary number, how its key is made.

    The key is ``key_base`` plus the last ``key_digits`` digits of the text; 0 digits: no key.
    """

    code: int
    key_base: int = 0
    key_digits: int = 0


@dataclass(frozen=True)
class Ending:
    """What may stand behind the prefix of a family, and what it then means."""

    pattern: str
    verdict: Verdict


@dataclass(frozen=True)
class Family:
    """Forms that share a prefix, which may be absent where its pattern allows it."""

    prefix: str
    endings: tuple[Ending, ...]


def default_verdict(book: Rulebook | None) -> Verdict:
    """Return what a text means that no form fits."""
    complete = book is not None and book.complete
    return Verdict(CODES["invalid"] if complete else UNRESOLVED)


def build_families(book: Rulebook | None, world: World, area_code: str | None) -> list[Family]:
    """Return the forms of a region in the order they are tried.

    Parameters
    ----------
    book : Rulebook or None
        None: only what holds in every region.
    world : World
        What holds in every region.
    area_code : str or None
        Without the trunk prefix; completes landlines typed without one.
    """
    families = [] if book is None else list(_regional_families(book, area_code))
    if book is not None and book.complete:
        families += _foreign_families(book, world)
    families.append(Family("", tuple(_ending(rule, "") for rule in world.texts)))
    return families


def fixed_length(pattern: str) -> int:
    """Return how many signs every text of a pattern without ``?``, ``...`` and ``%`` has."""
    length, at = 0, 0
    while at < len(pattern):
        if pattern[at] in "?.%|(":
            raise DataError(f"a pattern with a key must have one length, got {pattern!r}.")
        at = pattern.index("]", at) + 1 if pattern[at] == "[" else at + 1
        length += 1
    return length


def _regional_families(book: Rulebook, area_code: str | None) -> Iterator[Family]:
    dial = _optional(rule.pattern for rule in book.services if rule.reason == "ip-prefix")
    abroad = _either(["+", *book.international_prefixes]) + book.country_code
    trunk = book.trunk_prefix
    # Where trunk prefix and country code are the same digit (North America), it is typed once.
    inner_trunk = "" if trunk == book.country_code else _optional([trunk])
    typed_country = _optional([*("+", *book.international_prefixes)]) + book.country_code
    led = _either([trunk, typed_country + inner_trunk])
    code = book.country_code
    services = tuple(_ending(rule, code) for rule in book.services)
    any_area = _optional(book.area_codes) if book.services_behind_area_codes else ""
    landlines = list(_landlines(book))

    yield Family(dial + _optional([led]), tuple(_ending(rule, code) for rule in book.national))
    yield from (Family(dial + led + areas, endings) for areas, endings in landlines)
    yield Family(dial, services)
    yield Family(dial + _either([trunk, abroad + inner_trunk]) + any_area, services)
    yield from (Family(dial + areas, endings) for areas, endings in landlines)
    yield Family(dial + _optional([abroad]), tuple(_local_endings(book, area_code)))
    if book.complete:
        short = Verdict(CODES["short-number"])
        digits = "[1-9]" + "x?" * (SHORT_DIGITS - 1)
        yield Family(dial + _optional([abroad]), (Ending(digits, short),))
    # The country code without + comes last: 8610086 is rather a local number than 86 and 10086.
    yield Family(dial + book.country_code + inner_trunk + any_area, services)


def _landlines(book: Rulebook) -> Iterator[tuple[str, tuple[Ending, ...]]]:
    """Yield, for each length of area code, the codes and the numbers that may follow."""
    for n_digits, patterns in sorted(book.local_patterns.items()):
        areas = [code for code in book.area_codes if len(code) == n_digits]
        endings = []
        for pattern in patterns + book.guarded_patterns.get(n_digits, ()):
            n_key = n_digits + fixed_length(_without_groups(pattern))
            verdict = Verdict(CODES[""], int(book.country_code) * 10**n_key, n_key)
            endings.append(Ending(pattern, verdict))
        if areas:
            yield _either(areas), tuple(endings)


def _local_endings(book: Rulebook, area_code: str | None) -> Iterator[Ending]:
    for n_digits, patterns in sorted(book.local_patterns.items()):
        if area_code is not None and len(area_code) == n_digits:
            for pattern in patterns:
                n_key = fixed_length(pattern)
                base = int(book.country_code + area_code) * 10**n_key
                yield Ending(pattern, Verdict(CODES[""], base, n_key))
    if area_code is None:
        for patterns in book.local_patterns.values():
            for pattern in patterns:
                yield Ending(pattern, Verdict(CODES["no-area-code"]))


def _foreign_families(book: Rulebook, world: World) -> Iterator[Family]:
    """Yield the numbers of other countries: a code in use and a length that E.164 allows."""
    dial = _optional(rule.pattern for rule in book.services if rule.reason == "ip-prefix")
    out = dial + _either(["+", *book.international_prefixes])
    n_digits = fixed_length(world.north_america)
    one = Ending(world.north_america, Verdict(CODES[""], 0, n_digits))
    if book.country_code != "1":
        yield Family(out, (one,))
    codes = [code for code in world.country_codes if code not in ("1", book.country_code)]
    for n_code in sorted({len(code) for code in codes}):
        endings = tuple(
            Ending("x" * (n_digits - n_code), Verdict(CODES[""], 0, n_digits))
            for n_digits in range(world.min_digits, world.max_digits + 1)
        )
        yield Family(out + _either(code for code in codes if len(code) == n_code), endings)


def _ending(rule: Rule, country_code: str) -> Ending:
    if rule.reason:
        return Ending(rule.pattern, Verdict(CODES[rule.reason]))
    n_key = fixed_length(_without_groups(rule.pattern))
    return Ending(rule.pattern, Verdict(CODES[""], int(country_code) * 10**n_key, n_key))


def _without_groups(pattern: str) -> str:
    """Put the first choice of each ``(a|b)`` in place of the group; all must be equally long."""
    while "(" in pattern:
        head, _, rest = pattern.partition("(")
        inside, _, tail = rest.partition(")")
        choices = inside.split("|")
        if len({fixed_length(choice) for choice in choices}) > 1:
            raise DataError(f"a pattern with a key must have one length, got ({inside}).")
        pattern = head + choices[0] + tail
    return pattern


def _either(patterns: Iterable[str]) -> str:
    return "(" + "|".join(patterns) + ")"


def _optional(patterns: Iterable[str]) -> str:
    """Return a pattern for one of `patterns` or nothing; nothing where there are none."""
    choices = list(patterns)
    return _either(choices) + "?" if choices else ""
