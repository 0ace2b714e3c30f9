"""Twin of the kernels of locality-sensitive hashing: every pair looked at, every band."""

from __future__ import annotations

from collections.abc import Sequence

from .signatures import minhash

_WORD = (1 << 32) - 1


def fold_bands(signature: Sequence[int], band_rows: int, n_bands: int) -> list[int]:
    """Return the key of each band; band j takes the slots j, j + n_bands, …."""
    keys = []
    for band in range(n_bands):
        key = 0
        for member in range(band_rows):
            key = key * 0x9E3779B1 + signature[member * n_bands + band] & _WORD
        key = (key ^ key >> 15) * 0x85EBCA77 & _WORD
        keys.append((key ^ key >> 13) * 0xC2B2AE3D & _WORD)
    return keys


def sketch_row(columns: Sequence[int]) -> tuple[int, int]:
    """Return the lower and the upper 64 bits of a row's bitmap."""
    bits = 0
    for column in columns:
        bits |= 1 << (column * 0x9E3779B97F4A7C15 % (1 << 64) >> 57)
    return bits % (1 << 64), bits >> 64


def lsh_join(
    a: Sequence[set[int]],
    b: Sequence[set[int]],
    min_jaccard: float,
    *,
    band_rows: int,
    n_bands: int,
    seed: int,
) -> list[tuple[int, int, float, int]]:
    """Return (row of a, row of b, Jaccard, shared columns) of the similar pairs that meet."""
    a_keys, b_keys = (
        [fold_bands(minhash(row, band_rows * n_bands, seed), band_rows, n_bands) for row in side]
        for side in (a, b)
    )
    pairs = []
    for i, one in enumerate(a):
        found = []
        for j, other in enumerate(b):
            n_shared = len(one & other)
            meets = any(x == y for x, y in zip(a_keys[i], b_keys[j], strict=True))
            if n_shared and meets and n_shared / len(one | other) >= min_jaccard:
                found.append((i, j, n_shared / len(one | other), n_shared))
        found.sort(key=lambda pair: (-pair[2], pair[1]))
        pairs.extend(found)
    return pairs
