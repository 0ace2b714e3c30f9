"""Twin of the MinHash kernels, in Python's unbounded integers."""

from __future__ import annotations

from collections.abc import Iterable

_WORD = (1 << 32) - 1
_DOUBLE = (1 << 64) - 1


def mix(x: int) -> int:
    """Return the 32-bit finaliser of MurmurHash3 (Appleby 2011)."""
    x ^= x >> 16
    x = x * 0x85EBCA6B & _WORD
    x ^= x >> 13
    x = x * 0xC2B2AE35 & _WORD
    return x ^ x >> 16


def splitmix(seed: int, n: int) -> int:
    """Return output n, from 0 on, of SplitMix64 (Steele, Lea, Flood 2014)."""
    x = seed + (n + 1) * 0x9E3779B97F4A7C15 & _DOUBLE
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _DOUBLE
    x = (x ^ x >> 27) * 0x94D049BB133111EB & _DOUBLE
    return x ^ x >> 31


def mix_column(column: int, seed: int) -> int:
    """Return the 32 bits that stand for a column in every slot."""
    key0, key1 = splitmix(seed, 0) >> 32, splitmix(seed, 1) >> 32 | 1
    return mix(column & _WORD ^ key0 ^ mix((column >> 32) * key1 & _WORD))


def minhash(columns: Iterable[int], n_hashes: int, seed: int) -> list[int]:
    """Return the signature of one row; 2**32 - 1 throughout if it is empty."""
    mixed = [mix_column(column, seed) for column in columns]
    signature = []
    for slot in range(n_hashes):
        key = splitmix(seed, slot + 2)
        factor, term = key >> 32 | 1, key & _WORD
        signature.append(min((factor * h + term & _WORD for h in mixed), default=_WORD))
    return signature
