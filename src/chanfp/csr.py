"""Checked sparse vectors: the one form in which rows of partners reach the kernels."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from . import _core
from .blocks import map_blocks
from .errors import ParameterError

__all__ = [
    "SparseRows",
    "check_at_least_one",
    "check_calls",
    "check_csr",
    "check_partner_rarity",
    "check_ratio",
    "check_same_columns",
    "index_dtype",
    "sum_rows",
    "take_rows",
]

_INT32_MAX = 2**31 - 1
_MAX_TOTAL = 2.0**53
_BLOCK_ROWS = 1 << 16


def index_dtype(n_cols: int) -> type[np.integer[Any]]:
    """Return the dtype of column numbers in a universe of `n_cols`."""
    return np.int32 if n_cols <= _INT32_MAX else np.int64


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Rows of partners in canonical compressed form.

    Every row's columns are strictly ascending and no stored value is zero; whoever makes one
    vouches for that, and `check_csr` sees to it.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_rows + 1,)
        Row i holds the entries ``indptr[i]`` to ``indptr[i + 1]``; begins with 0.
    indices : ndarray of int32 or int64, shape (n_entries,)
        The column of each entry; int64 only where `n_cols` is above 2**31 - 1.
    values : ndarray of float64, shape (n_entries,), or None
        The value of each entry, finite and not zero; None where only presence counts.
    n_cols : int
        Size of the column universe, at least 0.

    Raises
    ------
    ParameterError
        If dtypes, shapes or the two ends of `indptr` don't fit together.
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.integer[Any]]
    values: npt.NDArray[np.float64] | None
    n_cols: int

    def __post_init__(self) -> None:
        arrays: list[tuple[str, npt.NDArray[Any], type[np.generic]]] = [
            ("indptr", self.indptr, np.int64),
            ("indices", self.indices, index_dtype(self.n_cols)),
        ]
        if self.values is not None:
            arrays.append(("values", self.values, np.float64))
        for name, array, dtype in arrays:
            if array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous:
                raise ParameterError(
                    f"`{name}` must be a contiguous vector of {dtype.__name__}, "
                    f"got {array.dtype} of shape {array.shape}; `check_csr` converts a matrix."
                )
        n_entries = len(self.indices)
        ends = (int(self.indptr[0]), int(self.indptr[-1])) if len(self.indptr) else (0, -1)
        if ends != (0, n_entries) or (self.values is not None and len(self.values) != n_entries):
            raise ParameterError(
                f"`indptr` must begin with 0 and end with the number of `indices` and `values`, "
                f"{n_entries}; `check_csr` makes rows from a matrix."
            )

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def n_entries(self) -> int:
        """Number of entries of all rows together."""
        return len(self.indices)

    def __repr__(self) -> str:
        kind = "presence only" if self.values is None else "with values"
        return f"SparseRows({self.n_rows} x {self.n_cols}, {self.n_entries} entries, {kind})"


def take_rows(rows: SparseRows, taken: npt.NDArray[np.integer[Any]]) -> SparseRows:
    """Return the rows `taken`, fewer than 2**31 in all, without their values."""
    indptr = np.zeros(len(taken) + 1, dtype=np.int64)
    np.cumsum(rows.indptr[taken + 1] - rows.indptr[taken], out=indptr[1:])
    indices = np.empty(int(indptr[-1]), dtype=rows.indices.dtype)
    _core.order_rows(rows.indptr, rows.indices, taken.astype(np.int32), indptr, indices)
    return SparseRows(indptr, indices, None, rows.n_cols)


def check_csr(matrix: Any, name: str, *, with_values: bool = True) -> SparseRows:
    """Return a SciPy CSR matrix as canonical rows; the matrix itself is never modified.

    Parameters
    ----------
    matrix : scipy.sparse.csr_matrix or csr_array, shape (n_rows, n_cols), or SparseRows
        Real or boolean values, 32- or 64-bit indices, read-only memory maps too. Columns may
        stand unsorted or twice, and zeros may be stored. Canonical rows are returned as they are.
    name : str
        What the error messages call it.
    with_values : bool
        False leaves `values` out; a stored zero still doesn't count as an entry.

    Returns
    -------
    SparseRows
        Columns sorted, duplicates added up, zeros dropped. An already canonical matrix keeps
        its arrays without a copy, as far as their dtypes are the wanted ones.

    Raises
    ------
    ParameterError
        If `matrix` has another format, its arrays contradict each other, or it holds NaN,
        infinity, or values that aren't real numbers.
    """
    if isinstance(matrix, SparseRows):
        return matrix
    _check_format(matrix, name)
    n_rows, n_cols = (int(size) for size in matrix.shape)
    indptr = _checked_indptr(matrix, n_rows, name)
    n_entries = int(indptr[-1])
    indices = _checked_indices(matrix.indices[:n_entries], n_cols, indptr, name)
    data, is_positive = _checked_data(matrix.data[:n_entries], indptr, name)
    is_full = is_positive or np.count_nonzero(data) == n_entries
    if is_full and _core.find_disorder(indptr, indices) == -1:
        values = np.ascontiguousarray(data, dtype=np.float64) if with_values else None
        return SparseRows(indptr, indices, values, n_cols)
    indptr, indices, values = _canonical_arrays(indptr, indices, data.astype(np.float64), name)
    return SparseRows(indptr, indices, values if with_values else None, n_cols)


def check_at_least_one(value: int, name: str) -> int:
    """Return a count given by the user, as an int; raise ParameterError if it is below 1."""
    count = operator.index(value)
    if count < 1:
        raise ParameterError(f"`{name}` must be at least 1, got {value}.")
    return count


def check_ratio(value: float, name: str, usual: str) -> float:
    """Return a threshold given by the user as a float.

    Raises
    ------
    ParameterError
        If it isn't above 0 and at most 1.
    """
    if not 0 < value <= 1:
        raise ParameterError(
            f"`{name}` must be above 0 and at most 1, got {value}; {usual} is a usual value."
        )
    return float(value)


def check_same_columns(a: SparseRows, b: SparseRows, a_name: str, b_name: str) -> None:
    """Raise ParameterError unless `a` and `b` have the same number of columns."""
    if a.n_cols != b.n_cols:
        raise ParameterError(
            f"`{a_name}` and `{b_name}` must have the same columns, got {a.n_cols} and "
            f"{b.n_cols}; build both over one list of partners."
        )


def check_partner_rarity(
    partner_rarity: npt.ArrayLike, n_cols: int, name: str = "partner_rarity"
) -> npt.NDArray[np.float64]:
    """Return the rarity weight of each column as float64; `name` is what messages call it.

    Raises
    ------
    ParameterError
        If the shape isn't (`n_cols`,), or a weight is negative, NaN or infinite.
    """
    rarity = np.ascontiguousarray(partner_rarity, dtype=np.float64)
    if rarity.shape != (n_cols,):
        raise ParameterError(
            f"`{name}` must have one weight per column, shape ({n_cols},), got {rarity.shape}."
        )
    unusable = np.flatnonzero(~((rarity >= 0) & (rarity < np.inf)))
    if len(unusable):
        column = int(unusable[0])
        raise ParameterError(
            f"`{name}` must be finite and at least 0, got {rarity[column]} at column "
            f"{column}; use 0 for a partner that says nothing."
        )
    return rarity


def check_calls(
    rows: SparseRows, name: str, *, n_threads: int | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Check that the values can be call counts, and return them and each row's total.

    Returns
    -------
    calls : ndarray of float64, shape (n_entries,)
    totals : ndarray of float64, shape (n_rows,)
        Added in column order; 0 for an empty row.

    Raises
    ------
    ParameterError
        If `rows` have no values, a value isn't above 0, or a row's total passes 2**53, from
        where on float64 can't count.
    """
    values = rows.values
    if values is None:
        raise ParameterError(f"`{name}` must have values, the calls per partner; got none.")
    unusable = np.flatnonzero(~(values > 0))
    if len(unusable):
        entry = int(unusable[0])
        raise ParameterError(
            f"Calls in `{name}` must be above 0, got {values[entry]} at "
            f"{_place(rows.indptr, entry)}; leave a partner without calls out."
        )
    totals = sum_rows(rows, lambda entries: values[entries], n_threads=n_threads)
    if totals.size and totals.max() > _MAX_TOTAL:
        row = int(totals.argmax())
        raise ParameterError(
            f"Calls of a row of `{name}` must add up to at most 2**53, got {totals[row]} "
            f"at row {row}; scale the values down."
        )
    return values, totals


def sum_rows(
    rows: SparseRows,
    weigh: Callable[[slice], npt.NDArray[np.float64]],
    *,
    n_threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Return each row's sum of `weigh(entries)`, added one by one in column order; 0 if empty."""
    sums = np.zeros(rows.n_rows)

    def sum_block(start: int, stop: int) -> None:
        entries = slice(int(rows.indptr[start]), int(rows.indptr[stop]))
        weights = np.ascontiguousarray(weigh(entries))
        _core.sum_rows(rows.indptr, weights, sums, start, stop)

    for _ in map_blocks(sum_block, rows.n_rows, block_rows=_BLOCK_ROWS, n_threads=n_threads):
        pass
    return sums


def _place(indptr: npt.NDArray[np.int64], entry: int) -> str:
    """Say where an entry stands, for an error message."""
    row = int(np.searchsorted(indptr, entry, side="right")) - 1
    return f"row {row}, entry {entry - int(indptr[row])}"


def _check_format(matrix: Any, name: str) -> None:
    if not sparse.issparse(matrix):
        raise ParameterError(
            f"`{name}` must be a SciPy CSR matrix or array, got {type(matrix).__name__}; "
            f"wrap it in `scipy.sparse.csr_array(...)`, or call `.tocsr()` on a sparse one."
        )
    if matrix.format != "csr":
        raise ParameterError(
            f"`{name}` must be a SciPy CSR matrix or array, got format '{matrix.format}'; "
            f"call `.tocsr()` on it."
        )
    if matrix.ndim != 2:
        raise ParameterError(
            f"`{name}` must have two dimensions, got shape {matrix.shape}; "
            f"reshape it to (1, {matrix.shape[0]})."
        )


def _checked_indptr(matrix: Any, n_rows: int, name: str) -> npt.NDArray[np.int64]:
    indptr = np.asarray(matrix.indptr)
    if indptr.dtype.kind not in "iu" or indptr.shape != (n_rows + 1,):
        raise ParameterError(
            f"`{name}.indptr` must be {n_rows + 1} integers, one more than the rows, "
            f"got {indptr.dtype} of shape {indptr.shape}; rebuild the matrix."
        )
    indptr = np.ascontiguousarray(indptr, dtype=np.int64)
    if indptr[0] != 0:
        raise ParameterError(
            f"`{name}.indptr` must begin with 0, got {indptr[0]}; rebuild the matrix."
        )
    lengths = np.diff(indptr)
    if (lengths < 0).any():
        row = int(np.flatnonzero(lengths < 0)[0])
        raise ParameterError(
            f"`{name}.indptr` must never fall, got {indptr[row]} then {indptr[row + 1]} at row "
            f"{row}; rebuild the matrix."
        )
    if lengths.size and lengths.max() > _INT32_MAX:
        raise ParameterError(
            f"A row of `{name}` must have at most 2**31 - 1 entries, got {lengths.max()} "
            f"at row {lengths.argmax()}; drop that row."
        )
    n_stored = min(len(matrix.indices), len(matrix.data))
    if indptr[-1] > n_stored:
        raise ParameterError(
            f"`{name}.indptr` must end within the stored entries, got {indptr[-1]} for "
            f"{n_stored}; rebuild the matrix."
        )
    return indptr


def _checked_indices(
    stored: npt.NDArray[Any], n_cols: int, indptr: npt.NDArray[np.int64], name: str
) -> npt.NDArray[np.integer[Any]]:
    indices = np.asarray(stored)
    if indices.dtype.kind not in "iu" or indices.ndim != 1:
        raise ParameterError(
            f"`{name}.indices` must be a vector of integers, got {indices.dtype} of shape "
            f"{indices.shape}; rebuild the matrix."
        )
    if indices.size and not _lie_between(indices, 0, n_cols - 1):
        entry = int(np.flatnonzero((indices < 0) | (indices >= n_cols))[0])
        raise ParameterError(
            f"`{name}.indices` must be columns from 0 to {n_cols - 1}, got {indices[entry]} at "
            f"{_place(indptr, entry)}; rebuild the matrix."
        )
    return np.ascontiguousarray(indices, dtype=index_dtype(n_cols))


def _checked_data(
    stored: npt.NDArray[Any], indptr: npt.NDArray[np.int64], name: str
) -> tuple[npt.NDArray[Any], bool]:
    """Return the values, finite, and whether all of them are known to be above 0."""
    data = np.asarray(stored)
    if data.dtype.kind not in "biuf" or data.ndim != 1:
        raise ParameterError(
            f"`{name}` must hold real numbers, got {data.dtype} of shape {data.shape}; "
            f"convert it with `.astype(float)`."
        )
    if data.dtype.kind == "f" and data.dtype.itemsize > 8:
        data = data.astype(np.float64)
    least = np.finfo(data.dtype).tiny if data.dtype.kind == "f" else 1
    most = np.finfo(data.dtype).max if data.dtype.kind == "f" else None
    if _lie_between(data, least, most):
        return data, True
    if data.dtype.kind == "f":
        _check_finite(data, indptr, name)
    return data, False


def _lie_between(array: npt.NDArray[Any], least: Any, most: Any) -> bool:
    """Tell whether all values do, both ends included; NaN doesn't. No `most` means no upper end.

    Some at a time, so that the second look finds them in the cache and no copy is made.
    """
    for start in range(0, len(array), _BLOCK_ROWS):
        part = array[start : start + _BLOCK_ROWS]
        if not part.min() >= least or (most is not None and not part.max() <= most):
            return False
    return True


def _check_finite(data: npt.NDArray[Any], indptr: npt.NDArray[np.int64], name: str) -> None:
    finite = np.isfinite(data)
    if not finite.all():
        entry = int(np.flatnonzero(~finite)[0])
        raise ParameterError(
            f"`{name}` must hold finite values, got {data[entry]} at {_place(indptr, entry)}; "
            f"leave such entries out."
        )


def _canonical_arrays(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer[Any]],
    values: npt.NDArray[np.float64],
    name: str,
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.integer[Any]],
    npt.NDArray[np.float64],
]:
    """Sort each row, add up duplicates in the order they stand in, drop zeros."""
    n_rows = len(indptr) - 1
    rows = np.repeat(np.arange(n_rows), np.diff(indptr))
    if _core.find_disorder(indptr, indices) != -1:
        order = np.lexsort((indices, rows))
        indices, values = indices[order], values[order]
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (indices[1:] != indices[:-1])
        groups = np.append(np.flatnonzero(first), len(rows))
        rows, indices = rows[first], indices[first]
        sums = np.zeros(len(rows))
        _core.sum_rows(groups, values, sums, 0, len(rows))
        values = sums
    kept = values != 0
    rows, indices, values = rows[kept], indices[kept], values[kept]
    indptr = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
    _check_finite(values, indptr, name)
    return indptr, indices, values
