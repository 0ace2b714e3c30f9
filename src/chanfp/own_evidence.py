"""Evidence of the user's own: compiled functions that are called for every pair of rows."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import LowLevelCallable

from . import _core
from .csr import SparseRows
from .errors import ParameterError

__all__ = ["OwnEvidence", "OwnMeasure", "check_own_evidence"]

_SIGNATURE = (
    "double (const P *new_partners, const double *new_calls, int64_t n_new, "
    "const P *old_partners, const double *old_calls, int64_t n_old, void *user_data), P being "
    "int32_t or int64_t"
)
_INTEGER_BYTES = {
    "int": ctypes.sizeof(ctypes.c_int),
    "int32_t": 4,
    "long": ctypes.sizeof(ctypes.c_long),
    "long int": ctypes.sizeof(ctypes.c_long),
    "long long": 8,
    "long long int": 8,
    "longlong": 8,
    "int64_t": 8,
    "Py_ssize_t": ctypes.sizeof(ctypes.c_ssize_t),
    "npy_intp": ctypes.sizeof(ctypes.c_ssize_t),
}
_NEEDS_GIL = 4  # ctypes' flag of PYFUNCTYPE and PyDLL
_SAMPLED_PAIRS = 32


@dataclass(frozen=True, eq=False)
class OwnMeasure:
    """One compiled function, and the name of the column it fills.

    Parameters
    ----------
    name : str
    callback : object
        What the user gave; holding it keeps the code alive.
    function, user_data : int
        Addresses.
    partner_dtype : type
        int32 or int64, as the function takes partners.
    in_python : callable or None
        The Python function that was compiled, if known.
    """

    name: str
    callback: Any
    function: int
    user_data: int
    partner_dtype: type[np.integer[Any]]
    in_python: Callable[..., float] | None

    @classmethod
    def of(cls, name: str, callback: Any) -> OwnMeasure:
        """Read address and signature of a numba cfunc, a LowLevelCallable or a ctypes function.

        Raises
        ------
        ParameterError
            If it is none of these, or has another signature.
        """
        callable_ = _as_low_level(name, callback)
        function, signature, user_data = _core.read_callback(tuple.__getitem__(callable_, 0))
        dtype = _partner_dtype(signature.decode())
        if dtype is None:
            raise ParameterError(
                f"Own evidence {name!r} must have the signature {_SIGNATURE}; got "
                f"{signature.decode()!r}."
            )
        in_python = getattr(callback, "__wrapped__", None)
        return cls(name, (callback, callable_), function, user_data, dtype, in_python)


def check_own_evidence(
    callbacks: Mapping[str, Any] | None, taken: Collection[str]
) -> tuple[OwnMeasure, ...]:
    """Return the measures of callbacks by column name.

    Raises
    ------
    ParameterError
        If a name is no identifier or is one of `taken`, or a callback can't be used.
    """
    if callbacks is None:
        return ()
    if not isinstance(callbacks, Mapping):
        raise ParameterError(
            "`own_evidence` must be compiled functions by column name, such as "
            f"{{'my_score': function}}, got {type(callbacks).__name__}."
        )
    for name in callbacks:
        if not isinstance(name, str) or not name.isidentifier():
            raise ParameterError(f"Names in `own_evidence` must be like 'my_score', got {name!r}.")
        if name in taken:
            raise ParameterError(
                f"Names in `own_evidence` must be new, got {name!r}, which is a column already; "
                "take another."
            )
    return tuple(OwnMeasure.of(name, callback) for name, callback in callbacks.items())


@dataclass(frozen=True, eq=False)
class OwnEvidence:
    """Measures of the user's own, and the pairs of rows they are asked of.

    Parameters
    ----------
    measures : tuple of OwnMeasure
    new, departed : SparseRows
        With values, the calls.
    new_rows, departed_rows : ndarray of int64, shape (n_pairs,)
    """

    measures: tuple[OwnMeasure, ...]
    new: SparseRows
    departed: SparseRows
    new_rows: npt.NDArray[np.int64]
    departed_rows: npt.NDArray[np.int64]

    def check(self) -> None:
        """Compare compiled functions with the Python they were made of, on a few pairs.

        Compiled code can't raise: numba prints what it would raise and returns anything.

        Raises
        ------
        ParameterError
            If a partner's type is too narrow, Python raises, or the two differ.
        """
        sample = self._sampled_pairs()
        for measure in self.measures:
            self._sides(measure)
            if measure.in_python is not None:
                self._check_sample(measure, measure.in_python, sample)

    def fill(self, columns: Mapping[str, npt.NDArray[np.float64]], start: int, stop: int) -> None:
        """Write what each measure makes of pairs `start` to `stop` into its column."""
        for measure in self.measures:
            self._call(
                measure, self.new_rows, self.departed_rows, columns[measure.name], start, stop
            )

    def _call(
        self,
        measure: OwnMeasure,
        new_rows: npt.NDArray[np.int64],
        departed_rows: npt.NDArray[np.int64],
        column: npt.NDArray[np.float64],
        start: int,
        stop: int,
    ) -> None:
        new, departed = self._sides(measure)
        _core.measure_own(
            measure.function,
            measure.user_data,
            self.new.indptr,
            new,
            _calls(self.new),
            self.departed.indptr,
            departed,
            _calls(self.departed),
            new_rows,
            departed_rows,
            column,
            start,
            stop,
        )

    def _sides(
        self, measure: OwnMeasure
    ) -> tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]]]:
        """Return both tables' partners in the type that a measure takes."""
        if measure.partner_dtype == self.new.indices.dtype:
            return self.new.indices, self.departed.indices
        if measure.partner_dtype == np.int32:
            raise ParameterError(
                f"Own evidence {measure.name!r} must take partners as int64_t where there are "
                f"{self.new.n_cols:,} columns, got int32_t."
            )
        return self._wide_sides

    @cached_property
    def _wide_sides(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        return self.new.indices.astype(np.int64), self.departed.indices.astype(np.int64)

    def _sampled_pairs(self) -> npt.NDArray[np.int64]:
        """Return some pairs, evenly spaced, and those with the shortest and the longest rows."""
        n_pairs = len(self.new_rows)
        if not n_pairs:
            return np.empty(0, dtype=np.int64)
        sample = np.linspace(0, n_pairs - 1, min(n_pairs, _SAMPLED_PAIRS)).astype(np.int64)
        new_sizes = np.diff(self.new.indptr)[self.new_rows]
        departed_sizes = np.diff(self.departed.indptr)[self.departed_rows]
        ends = [
            find(sizes) for sizes in (new_sizes, departed_sizes) for find in (np.argmin, np.argmax)
        ]
        return np.unique(np.append(sample, ends))

    def _check_sample(
        self, measure: OwnMeasure, in_python: Callable[..., float], sample: npt.NDArray[np.int64]
    ) -> None:
        new_rows, departed_rows = self.new_rows[sample], self.departed_rows[sample]
        expected = np.empty(len(sample))
        for at, (i, j) in enumerate(zip(new_rows, departed_rows, strict=True)):
            arguments = [
                *_row_pointers(self.new, int(i), measure.partner_dtype),
                *_row_pointers(self.departed, int(j), measure.partner_dtype),
            ]
            try:
                with np.errstate(all="ignore"):
                    expected[at] = in_python(*arguments, ctypes.c_void_p(measure.user_data))
            except Exception as error:
                raise ParameterError(
                    f"Own evidence {measure.name!r} must not raise, got {type(error).__name__} "
                    f"({error}) from the Python function at new row {i} and departed row {j}; "
                    "compiled code can't, so return NaN instead."
                ) from error
        measured = np.empty(len(sample))
        self._call(measure, new_rows, departed_rows, measured, 0, len(sample))
        same = np.isclose(measured, expected, rtol=1e-6, atol=1e-12, equal_nan=True)
        if not same.all():
            at = int(np.argmin(same))
            raise ParameterError(
                f"Own evidence {measure.name!r} must be the same compiled and in Python, got "
                f"{measured[at]} and {expected[at]} at new row {new_rows[at]} and departed row "
                f"{departed_rows[at]}; look for overflow, division by zero and unset memory."
            )


def _calls(rows: SparseRows) -> npt.NDArray[np.float64]:
    if rows.values is None:
        raise ParameterError("Rows must have values, the calls per partner; got none.")
    return rows.values


def _row_pointers(rows: SparseRows, row: int, dtype: type[np.integer[Any]]) -> tuple[Any, Any, int]:
    """Return copies of a row's partners and calls as ctypes pointers, and how many there are."""
    entries = slice(int(rows.indptr[row]), int(rows.indptr[row + 1]))
    partners = np.array(rows.indices[entries], dtype=dtype)
    calls = np.array(_calls(rows)[entries])
    partner_type = ctypes.c_int32 if dtype == np.int32 else ctypes.c_int64
    return (
        partners.ctypes.data_as(ctypes.POINTER(partner_type)),
        calls.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
        len(partners),
    )


def _as_low_level(name: str, callback: Any) -> LowLevelCallable:
    if hasattr(callback, "address") and hasattr(callback, "ctypes"):  # a numba cfunc
        callback = callback.ctypes
    function = callback.function if isinstance(callback, LowLevelCallable) else callback
    if getattr(function, "_flags_", 0) & _NEEDS_GIL:
        raise ParameterError(
            f"Own evidence {name!r} must not need the interpreter's lock, got a function of "
            "`PYFUNCTYPE` or `PyDLL`; use `CFUNCTYPE` or `CDLL`."
        )
    try:
        return LowLevelCallable(callback)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"Own evidence {name!r} must be a numba cfunc, a scipy.LowLevelCallable or a ctypes "
            f"function with its types declared, got {type(callback).__name__} ({error}); compile "
            "a Python function with `numba.cfunc`."
        ) from error


def _partner_dtype(signature: str) -> type[np.integer[Any]] | None:
    """Return in which type a function of this signature takes partners; None for another one."""
    parts = re.fullmatch(r"([^()]*)\(([^()]*)\)", signature.strip())
    if parts is None:
        return None
    kinds = [_kind_of(text) for text in (parts[1], *parts[2].split(","))]
    for dtype, partners in ((np.int32, "int32*"), (np.int64, "int64*")):
        row = [partners, "double*", "int64"]
        if kinds == ["double", *row, *row, "void*"]:
            return dtype
    return None


def _kind_of(text: str) -> str:
    """Return a C type without `const` and blanks, whole numbers by their size."""
    words = [word for word in re.findall(r"\w+", text) if word not in ("const", "signed")]
    name = " ".join(words)
    if name in _INTEGER_BYTES:
        name = f"int{8 * _INTEGER_BYTES[name]}"
    return name + "*" * text.count("*")
