"""Partner evidence: what two rows have in common, measured exactly in one pass over both."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .blocks import Progress, map_blocks, usable_threads
from .csr import (
    SparseRows,
    check_calls,
    check_csr,
    check_partner_rarity,
    check_same_columns,
    sum_rows,
)
from .errors import ParameterError
from .own_evidence import OwnEvidence, OwnMeasure, check_own_evidence

__all__ = ["PartnerEvidence", "measure_pairs"]

_BLOCK_PAIRS = 1 << 16


@dataclass(frozen=True, eq=False)
class PartnerEvidence:
    """How alike the partners of each pair are; every array has shape (n_pairs,).

    All between the first and the last are float64 from 0 to 1. NaN says that a measure is
    undefined: both rows are empty, or it divides by zero, as `cosine` and the containment in an
    empty row do; the other measures are 0 where one row is empty. x and y are the calls of the
    two sides.

    Parameters
    ----------
    n_shared : ndarray of int32
        Number of shared partners.
    jaccard : ndarray
        Shared partners over all partners of the two.
    weighted_jaccard : ndarray
        Sum of min(x, y) over sum of max(x, y) (Ruzicka).
    idf_jaccard : ndarray
        Rarity of the shared partners over rarity of all partners of the two.
    hellinger : ndarray
        Sum of sqrt(p q), with p and q the shares of each side's calls (Bhattacharyya
        coefficient, Hellinger affinity); 0 where only one row is empty.
    cosine : ndarray
        Sum of xy over the product of the two Euclidean norms.
    containment_new, containment_old : ndarray
        Shared partners over the partners of the new, of the departed row.
    shared_rarity : ndarray of float64
        Sum, over the shared partners in ascending column order, of the rarity times the smaller
        of p and q; at least 0, never NaN.
    own : dict of str to ndarray of float64
        What each function of `own_evidence` returned.
    """

    n_shared: npt.NDArray[np.int32]
    jaccard: npt.NDArray[np.float64]
    weighted_jaccard: npt.NDArray[np.float64]
    idf_jaccard: npt.NDArray[np.float64]
    hellinger: npt.NDArray[np.float64]
    cosine: npt.NDArray[np.float64]
    containment_new: npt.NDArray[np.float64]
    containment_old: npt.NDArray[np.float64]
    shared_rarity: npt.NDArray[np.float64]
    own: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def unmeasured(cls, n_pairs: int, own_names: Iterable[str] = ()) -> PartnerEvidence:
        """Return evidence with room for `n_pairs` and nothing in it yet."""
        arrays: dict[str, Any] = {name: np.empty(n_pairs) for name in cls.names()}
        arrays["n_shared"] = np.empty(n_pairs, dtype=np.int32)
        return cls(**arrays, own={name: np.empty(n_pairs) for name in own_names})

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the measures, without own ones."""
        return [spec.name for spec in fields(cls) if spec.name != "own"]

    def __len__(self) -> int:
        return len(self.n_shared)

    def __repr__(self) -> str:
        return f"PartnerEvidence({len(self)} pairs, {len(self.columns())} measures)"

    def columns(self) -> dict[str, npt.NDArray[np.int32] | npt.NDArray[np.float64]]:
        """Return the arrays by name, in the order above, own ones last."""
        return {name: getattr(self, name) for name in self.names()} | self.own


def measure_pairs(
    new: Any,
    departed: Any,
    new_rows: npt.ArrayLike,
    departed_rows: npt.ArrayLike,
    *,
    partner_rarity: npt.ArrayLike,
    own_evidence: Mapping[str, Any] | None = None,
    n_threads: int | None = None,
    block_pairs: int = _BLOCK_PAIRS,
    progress: Progress | None = None,
) -> PartnerEvidence:
    """Return the partner evidence of given pairs of rows.

    Parameters
    ----------
    new, departed : csr_matrix or csr_array, shapes (n_new, n_cols) and (n_departed, n_cols)
        Values are calls per partner, above 0.
    new_rows, departed_rows : array_like of int, shape (n_pairs,)
        The pairs, in any order, repeats allowed.
    partner_rarity : array_like of float64, shape (n_cols,)
        Weight of each partner, finite and at least 0.
    own_evidence : dict of str to compiled function, optional
        Measures of your own by column name: numba cfuncs, `scipy.LowLevelCallable` or ctypes
        functions. ``docs/own-evidence.md`` has the signature and what they must keep to.
    n_threads : int, optional
        Default every usable core.
    block_pairs : int
        Pairs per block of work, at least 1; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress("evidence", pairs_done, n_pairs)`` after each block.

    Returns
    -------
    PartnerEvidence
        In the order of the pairs; empty for no pairs.

    Raises
    ------
    ParameterError
        If an argument is outside its range or doesn't fit another.

    Notes
    -----
    Totals and norms are computed once per row. A pair takes time proportional to its shorter row
    and the logarithm of the longer one, or to both where they are of like length. Unions are
    total + total - shared, by which no ratio passes 1 and equal rows give exactly 1.
    """
    n_threads = usable_threads(n_threads)
    new, departed = check_csr(new, "new"), check_csr(departed, "departed")
    check_same_columns(new, departed, "new", "departed")
    block_pairs = operator.index(block_pairs)
    if block_pairs < 1:
        raise ParameterError(f"`block_pairs` must be at least 1, got {block_pairs}.")
    rarity = check_partner_rarity(partner_rarity, new.n_cols)
    own_measures = check_own_evidence(own_evidence, PartnerEvidence.names())
    measure = _PairMeasure(
        new=_MeasuredRows.measure(new, rarity, "new", n_threads),
        departed=_MeasuredRows.measure(departed, rarity, "departed", n_threads),
        new_rows=_check_rows(new_rows, new.n_rows, "new_rows"),
        departed_rows=_check_rows(departed_rows, departed.n_rows, "departed_rows"),
        partner_rarity=rarity,
        own_measures=own_measures,
    )
    if len(measure.new_rows) != len(measure.departed_rows):
        raise ParameterError(
            f"`new_rows` and `departed_rows` must be equally long, one entry per pair; "
            f"got {len(measure.new_rows)} and {len(measure.departed_rows)}."
        )
    return measure.run(block_pairs=block_pairs, n_threads=n_threads, progress=progress)


@dataclass(frozen=True, eq=False)
class _MeasuredRows:
    """Rows with what every pair needs of one row alone."""

    rows: SparseRows
    calls: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    totals: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
    rarities: npt.NDArray[np.float64]

    @classmethod
    def measure(
        cls, rows: SparseRows, rarity: npt.NDArray[np.float64], name: str, n_threads: int
    ) -> _MeasuredRows:
        """Check `rows` and add up calls, squared calls and rarities of each row."""
        calls, totals = check_calls(rows, name, n_threads=n_threads)
        return cls(
            rows=rows,
            calls=calls,
            sizes=np.diff(rows.indptr),
            totals=totals,
            squares=sum_rows(rows, lambda part: np.square(calls[part]), n_threads=n_threads),
            rarities=sum_rows(rows, lambda part: rarity[rows.indices[part]], n_threads=n_threads),
        )


@dataclass(frozen=True, eq=False)
class _PairMeasure:
    """Two measured tables and the pairs of rows to compare."""

    new: _MeasuredRows
    departed: _MeasuredRows
    new_rows: npt.NDArray[np.int64]
    departed_rows: npt.NDArray[np.int64]
    partner_rarity: npt.NDArray[np.float64]
    own_measures: tuple[OwnMeasure, ...] = ()

    def run(
        self, *, block_pairs: int, n_threads: int, progress: Progress | None
    ) -> PartnerEvidence:
        names = [measure.name for measure in self.own_measures]
        evidence = PartnerEvidence.unmeasured(len(self.new_rows), names)
        own = OwnEvidence(
            self.own_measures, self.new.rows, self.departed.rows, self.new_rows, self.departed_rows
        )
        own.check()

        def measure_block(start: int, stop: int) -> None:
            self._add_up(evidence, start, stop)
            own.fill(evidence.own, start, stop)
            self._divide(evidence, slice(start, stop))

        for _ in map_blocks(
            measure_block,
            len(self.new_rows),
            block_rows=block_pairs,
            n_threads=n_threads,
            progress=progress,
            stage="evidence",
        ):
            pass
        return evidence

    def _add_up(self, evidence: PartnerEvidence, start: int, stop: int) -> None:
        """Write the sums over the shared partners where the measures made of them will stand."""
        _core.refine_pairs(
            self.new.rows.indptr,
            self.new.rows.indices,
            self.new.calls,
            self.new.totals,
            self.departed.rows.indptr,
            self.departed.rows.indices,
            self.departed.calls,
            self.departed.totals,
            self.partner_rarity,
            self.new_rows,
            self.departed_rows,
            evidence.n_shared,
            evidence.weighted_jaccard,
            evidence.idf_jaccard,
            evidence.hellinger,
            evidence.cosine,
            evidence.shared_rarity,
            start,
            stop,
        )

    def _divide(self, evidence: PartnerEvidence, block: slice) -> None:
        """Turn a block's sums into measures."""
        new, departed = self.new, self.departed
        i, j = self.new_rows[block], self.departed_rows[block]
        shared = evidence.n_shared[block]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            evidence.jaccard[block] = shared / (new.sizes[i] + departed.sizes[j] - shared)
            evidence.containment_new[block] = shared / new.sizes[i]
            evidence.containment_old[block] = shared / departed.sizes[j]
            _divide_by_union(evidence.weighted_jaccard[block], new.totals[i], departed.totals[j])
            _divide_by_union(evidence.idf_jaccard[block], new.rarities[i], departed.rarities[j])
            _divide_by_mean(evidence.hellinger[block], new.totals[i], departed.totals[j])
            _divide_by_mean(evidence.cosine[block], new.squares[i], departed.squares[j])
        one_empty = (new.sizes[i] == 0) != (departed.sizes[j] == 0)
        evidence.hellinger[block][one_empty] = 0.0


def _divide_by_union(
    shared: npt.NDArray[np.float64], new: npt.NDArray[np.float64], departed: npt.NDArray[np.float64]
) -> None:
    shared /= new + departed - shared


def _divide_by_mean(
    shared: npt.NDArray[np.float64], new: npt.NDArray[np.float64], departed: npt.NDArray[np.float64]
) -> None:
    """Divide by the geometric mean: the root of the product, so that equal rows give exactly 1."""
    mean = np.sqrt(new * departed)
    shared /= mean
    # Rows in exact proportion may end one rounding above 1.
    np.minimum(shared, 1.0, out=shared)
    # Squares of tiny calls may vanish where their products don't.
    shared[mean == 0] = np.nan


def _check_rows(rows: npt.ArrayLike, n_rows: int, name: str) -> npt.NDArray[np.int64]:
    checked = np.asarray(rows)
    if checked.size == 0:
        checked = checked.astype(np.int64)
    if checked.ndim != 1 or checked.dtype.kind not in "iu":
        raise ParameterError(
            f"`{name}` must be a vector of row numbers, got {checked.dtype} of shape "
            f"{checked.shape}."
        )
    outside = np.flatnonzero((checked < 0) | (checked >= n_rows))
    if len(outside):
        raise ParameterError(
            f"`{name}` must be rows from 0 to {n_rows - 1}, got {checked[outside[0]]} at "
            f"position {outside[0]}."
        )
    return np.ascontiguousarray(checked, dtype=np.int64)
