"""Draws: random numbers that are the same on every machine and with every version of numpy.

Only the raw words of PCG64 are used, because numpy guarantees the stream of a bit generator but
not that of `Generator` methods, and only arithmetic that IEEE 754 fixes to the last bit. Every
curved distribution is a table of rounded quantiles instead of a call of `exp` or `log`, whose last
bit differs between processors.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["Draws", "exponential", "lognormal", "lomax", "mix", "mix64"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
AnyInts = npt.NDArray[np.int32] | npt.NDArray[np.int64]
N_QUANTILES = 8192


class Draws:
    """One stream of random numbers, named by a seed and a path of integers."""

    def __init__(self, seed: int, *path: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path))

    def words(self, n: int) -> npt.NDArray[np.uint64]:
        """Return `n` raw 64-bit words."""
        return self._bits.random_raw(n).astype("<u8", copy=False)

    def u16(self, n: int) -> npt.NDArray[np.uint16]:
        """Return `n` uniform integers in [0, 65536)."""
        return self.words((n + 3) // 4).view("<u2")[:n]

    def u32(self, n: int) -> npt.NDArray[np.uint32]:
        """Return `n` uniform integers in [0, 2**32)."""
        return self.words((n + 1) // 2).view("<u4")[:n]

    def uniform(self, n: int) -> Floats:
        """Return `n` uniform numbers in [0, 1)."""
        return (self.words(n) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, n: int, bound: int | Ints) -> Ints:
        """Return `n` integers in [0, bound), `bound` one number or one per draw, under 2**32."""
        wide = self.u32(n).astype(np.uint64) * np.asarray(bound).astype(np.uint64)
        return (wide >> np.uint64(32)).astype(np.int64)

    def pick(self, table: npt.NDArray[np.float64], n: int) -> Floats:
        """Return `n` entries of `table`, each as likely as the others."""
        return table[self.below(n, len(table))]

    def order(self, n: int) -> Ints:
        """Return the numbers 0 to n - 1 in random order."""
        return np.argsort(self.words(n), kind="stable").astype(np.int64, copy=False)

    def rounded(self, values: Floats) -> Ints:
        """Round each value up or down at random so that the mean stays."""
        return np.floor(values + self.uniform(len(values))).astype(np.int64)

    def distinct(self, n: int, bound: int) -> Ints:
        """Return `n` different integers in [0, bound), in random order."""
        found = np.unique(self.below(n + n // 8 + 64, bound))
        while len(found) < n:
            found = np.unique(np.concatenate([found, self.below(n, bound)]))
        return found[self.order(len(found))[:n]]

    def lightest(self, weights: Floats, n: int) -> Ints:
        """Return `n` row numbers, chosen without replacement with chances like `weights`."""
        keys = self.pick(exponential(), len(weights)) / weights
        return np.argsort(keys, kind="stable")[:n].astype(np.int64, copy=False)


def mix(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return a hash of 32-bit values (finaliser of MurmurHash3, Appleby 2011)."""
    hashed = values ^ (values >> np.uint32(16))
    hashed *= np.uint32(0x85EBCA6B)
    hashed ^= hashed >> np.uint32(13)
    hashed *= np.uint32(0xC2B2AE35)
    hashed ^= hashed >> np.uint32(16)
    return hashed


def mix64(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a hash of 64-bit values (finaliser of SplitMix64, Steele et al. 2014)."""
    hashed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


def _table(values: list[float]) -> Floats:
    # Nine digits: far coarser than the last bit, in which mathematical libraries differ.
    return np.array([float(f"{value:.9g}") for value in values])


@lru_cache(maxsize=16)
def lognormal(sigma: float) -> Floats:
    """Return the quantiles of a lognormal with mean 1."""
    quantile = NormalDist().inv_cdf
    points = ((row + 0.5) / N_QUANTILES for row in range(N_QUANTILES))
    return _table([math.exp(sigma * quantile(point) - sigma * sigma / 2) for point in points])


@lru_cache(maxsize=1)
def exponential() -> Floats:
    """Return the quantiles of an exponential with mean 1."""
    return _table([-math.log(1 - (row + 0.5) / N_QUANTILES) for row in range(N_QUANTILES)])


@lru_cache(maxsize=4)
def lomax(exponent: float) -> Floats:
    """Return the quantiles of a Lomax (shifted power law) with scale 1."""
    points = ((row + 0.5) / N_QUANTILES for row in range(N_QUANTILES))
    return _table([point ** (-1 / exponent) - 1 for point in points])
