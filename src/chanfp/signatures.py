"""MinHash signatures: sets of partners boiled down to a fixed number of small integers."""

from __future__ import annotations

import operator
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import map_blocks, usable_threads
from .csr import SparseRows, check_csr
from .errors import ParameterError

__all__ = ["EMPTY_SLOT", "check_seed", "minhash", "sign_rows", "slot_keys", "usable_backend"]

EMPTY_SLOT = 0xFFFFFFFF  # in every slot of an empty row
_BLOCK_ROWS = 8192
_GROUP_SLOTS = 32  # the kernel takes so many at a time
_MAX_HASHES = 1 << 16
_GOLDEN = 0x9E3779B97F4A7C15


def minhash(
    matrix: Any, n_hashes: int = 128, seed: int = 1, *, n_threads: int | None = None
) -> npt.NDArray[np.uint32]:
    """Return the MinHash signature of each row of a sparse matrix.

    Parameters
    ----------
    matrix : scipy.sparse.csr_matrix or csr_array, shape (n_rows, n_cols)
        Each row is the set of columns where it isn't zero; 32- or 64-bit indices, sorted or not.
    n_hashes : int
        Slots per signature, from 1 to 65,536. More slots begin with the same values.
    seed : int
        From 0 to 2**64 - 1. Signatures of different seeds can't be compared.
    n_threads : int, optional
        Default every usable core; the values don't depend on it.

    Returns
    -------
    ndarray of uint32, shape (n_rows, n_hashes)
        Two rows agree in a slot with a probability equal to their Jaccard index. An empty row is
        2**32 - 1 throughout; it is similar to nothing, so leave it out before comparing.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or ``CHANFP_BACKEND`` names an instruction set that
        this machine lacks.

    Notes
    -----
    Plain MinHash (Broder 1997). A column goes through the 32-bit finaliser of MurmurHash3
    (Appleby 2011), keyed, and then through one affine permutation per slot, a * h + b mod 2**32
    with a odd; the keys come from SplitMix64 (Steele, Lea, Flood 2014). The values never change
    and are the same on every machine. Columns below 2**32 never collide; above, two columns are
    taken for one with a probability of 2**-32.

    The fastest instruction set is chosen at run time; the environment variable ``CHANFP_BACKEND``
    (``avx512``, ``avx2``, ``plain``) forces one. Memory is 4 bytes per slot.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> minhash(csr_array([[1, 1, 0], [0, 0, 0], [1, 1, 0]]), 2).tolist()
    [[2203742608, 1278493145], [4294967295, 4294967295], [2203742608, 1278493145]]
    """
    n_hashes = operator.index(n_hashes)
    if not 1 <= n_hashes <= _MAX_HASHES:
        raise ParameterError(
            f"`n_hashes` must be from 1 to {_MAX_HASHES}, got {n_hashes}; 128 is a usual number."
        )
    seed = check_seed(seed)
    n_threads = usable_threads(n_threads)
    rows = check_csr(matrix, "matrix", with_values=False)
    keys, backend = slot_keys(n_hashes, seed), usable_backend()
    signatures = np.empty((rows.n_rows, n_hashes), dtype=np.uint32)

    def sign_block(start: int, stop: int) -> None:
        sign_rows(rows, keys, signatures[start:stop], start, stop, backend)

    for _ in map_blocks(sign_block, rows.n_rows, block_rows=_BLOCK_ROWS, n_threads=n_threads):
        pass
    return signatures


def sign_rows(
    rows: SparseRows,
    keys: npt.NDArray[np.uint32],
    signatures: npt.NDArray[np.uint32],
    start: int,
    stop: int,
    backend: str,
) -> None:
    """Write the signatures of rows `start` to `stop`.

    Parameters
    ----------
    rows : SparseRows
    keys : ndarray of uint32
        As `slot_keys` makes them.
    signatures : ndarray of uint32, shape (stop - start, n_hashes)
        Contiguous; `n_hashes` at most what `keys` were made for.
    start, stop : int
    backend : str
        As `usable_backend` says.
    """
    _core.minhash_rows(
        backend, rows.indptr, rows.indices, keys, signatures.shape[1], signatures.ravel(),
        start, stop,
    )  # fmt: skip


def slot_keys(n_hashes: int, seed: int) -> npt.NDArray[np.uint32]:
    """Return the keys of the hash family: two for columns, then all factors, then all terms.

    The n-th output of SplitMix64 gives the n-th key: outputs 0 and 1 the column keys, in their
    upper halves; from output 2 on the slots, the upper half made odd the factor, the lower half
    the term. Factors and terms are padded to a multiple of 32.
    """
    n_padded = -(-n_hashes // _GROUP_SLOTS) * _GROUP_SLOTS
    steps = np.arange(1, n_padded + 3, dtype=np.uint64)
    words = np.uint64(seed) + steps * np.uint64(_GOLDEN)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    upper, lower = (words >> np.uint64(32)).astype(np.uint32), words.astype(np.uint32)
    upper[1:] |= np.uint32(1)
    return np.concatenate([upper, lower[2:]])


def usable_backend() -> str:
    """Return the instruction set to use: the fastest, or the one ``CHANFP_BACKEND`` names.

    Raises
    ------
    ParameterError
        If it names one that this machine or this build lacks.
    """
    usable = _core.usable_backends()
    wanted = os.environ.get("CHANFP_BACKEND")
    if not wanted:
        return usable[0]
    if wanted not in usable:
        raise ParameterError(
            f"`CHANFP_BACKEND` must be one of {', '.join(usable)} on this machine, got "
            f"'{wanted}'; unset it to use the fastest."
        )
    return wanted


def check_seed(seed: int) -> int:
    """Return a seed given by the user, as an int.

    Raises
    ------
    ParameterError
        If it isn't from 0 to 2**64 - 1.
    """
    seed = operator.index(seed)
    if not 0 <= seed < 1 << 64:
        raise ParameterError(f"`seed` must be from 0 to 2**64 - 1, got {seed}; 1 is the default.")
    return seed
