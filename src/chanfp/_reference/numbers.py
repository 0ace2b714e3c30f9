"""Twins of the kernels that read and hash numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

URI = re.compile(r"(?:tel|sips?):([^;@?]*)", re.IGNORECASE | re.ASCII)
ASCII_SEPARATORS = "\t\n\v\f\r -.()[]/'\""
INVISIBLE = "\u00a0\u00ad\u3000\ufeff\u2212\uff08\uff09\uff0d\uff0e" + "".join(
    map(chr, [*range(0x2000, 0x2016), *range(0x2028, 0x2030), *range(0x205F, 0x2070)])
)
FULL_WIDTH = str.maketrans("０１２３４５６７８９＋＊＃", "0123456789+*#")


def number_signs(text: str) -> str:
    """Return what a numbering plan sees of a text: ``0-9+*#``, A for letters, ! for the rest."""
    uri = URI.match(text)
    signs = (uri[1] if uri else text).translate(FULL_WIDTH)
    for sign in ASCII_SEPARATORS + INVISIBLE:
        signs = signs.replace(sign, "")
    return "".join(
        sign if sign in "0123456789+*#" else "A" if sign >= "\x80" or sign.isalpha() else "!"
        for sign in signs
    )


@cache
def pattern_regex(pattern: str) -> str:
    """Translate the pattern language of the rule files into a regular expression."""
    words = {"...": "[0-9]*", "%": ".*", "x": "[0-9]", "+": r"\+", "*": r"\*"}
    tokens = re.findall(r"\.\.\.|.", pattern)
    return "".join(words.get(token, token) for token in tokens)


def resolve_number(
    text: str | None, families: Sequence[Any], default_code: int, codes: dict[str, int]
) -> tuple[int, int]:
    """Return key and code of a text: the first form that fits the whole text decides."""
    if text is None:
        return 0, codes["missing"]
    signs = number_signs(text)
    digits = "".join(sign for sign in signs if sign.isdigit())
    code, key = default_code, 0
    for verdict in _fitting_verdicts(signs, families):
        code = verdict.code
        if verdict.key_digits:
            key = verdict.key_base + int(digits[-verdict.key_digits :])
        break
    if len(text) > 2 and text.endswith(".0") and (key or code not in codes.values()):
        return 0, codes["invalid"]
    return key, code


def _fitting_verdicts(signs: str, families: Sequence[Any]) -> Any:
    for family in families:
        for ending in family.endings:
            whole = pattern_regex(family.prefix) + "(?:" + pattern_regex(ending.pattern) + ")"
            if re.fullmatch(whole, signs):
                yield ending.verdict


def siphash(data: bytes, key: bytes) -> int:
    """Return SipHash-2-4 of `data` under a 16-byte key (Aumasson and Bernstein 2012)."""
    mask = 2**64 - 1
    low, high = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    v = [
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    ]

    def rotated(word: int, bits: int) -> int:
        return (word << bits | word >> (64 - bits)) & mask

    def rounds(n: int) -> None:
        for _ in range(n):
            for a, b, turn_b, turn_a in (
                (0, 1, 13, 32),
                (2, 3, 16, 0),
                (2, 1, 17, 32),
                (0, 3, 21, 0),
            ):
                v[a] = (v[a] + v[b]) & mask
                v[b] = rotated(v[b], turn_b) ^ v[a]
                v[a] = rotated(v[a], turn_a)

    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def hash_text(text: str | None, key: bytes) -> int:
    """Return the 64-bit key of an opaque id; 0 for a missing one."""
    stripped = (text or "").strip("\t\n\v\f\r ")
    if not stripped:
        return 0
    if re.fullmatch("#[0-9a-f]{16}", stripped):
        return int(stripped[1:], 16) or 1
    return siphash(stripped.encode(), key) or 1
