"""The index of the departed: posting lists built once, asked again and again, kept up to date."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .blocks import usable_threads
from .csr import (
    SparseRows,
    check_at_least_one,
    check_csr,
    check_partner_rarity,
    check_ratio,
    check_same_columns,
)
from .errors import ParameterError
from .indexfiles import read_index, write_index
from .pairs import Pairs
from .ranking import rank_pairs, weigh_shared
from .rowids import as_ids, check_ids
from .segments import Segment, settle

__all__ = ["PartnerIndex"]


@dataclass(frozen=True, eq=False)
class _Content:
    """What an index holds at one moment; never modified, so that readers need no lock."""

    segments: tuple[Segment, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return _Content, (self.segments,)

    @cached_property
    def ids(self) -> pa.Array:
        return pa.concat_arrays([segment.left_ids() for segment in self.segments])

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Columns of each row."""
        return np.concatenate([segment.sizes for segment in self.segments])

    @property
    def n_rows(self) -> int:
        return sum(segment.n_rows for segment in self.segments)

    @property
    def id_type(self) -> pa.DataType:
        return self.segments[0].ids.type

    @property
    def no_rows(self) -> SparseRows:
        """A table without rows over the columns of the index."""
        postings = self.segments[0].postings
        return SparseRows(np.zeros(1, np.int64), postings.columns[:0], None, postings.n_cols)


class PartnerIndex:
    """Departed subscriptions with their posting lists, for repeated exact joins.

    Parameters
    ----------
    departed : FingerprintSet, or scipy.sparse.csr_matrix or csr_array, shape (n_rows, n_cols)
        Each row is the set of partners where it isn't zero.
    ids : array_like or pyarrow.Array of str or int, shape (n_rows,), optional
        Name of each row, each once; default the ids of a FingerprintSet, or 0, 1, 2 ...

    Raises
    ------
    ParameterError
        If `departed` isn't a CSR matrix, or the ids don't fit it.

    Notes
    -----
    Queries may run in any number of threads while another adds or removes: each sees the index
    as it was when it began. Answers are those of an index built anew of the same rows. Memory is
    that of `jaccard_join`'s posting lists, and 16 bytes a row once some were added or removed. What
    is asked must stand over the same columns.

    Rows stand in few segments, each several times the size of the next one, so that adding k
    rows to n takes k log n in the long run; most calls take much less, and one now and then
    builds a large part of the index anew.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> index = PartnerIndex(csr_array([[1, 1, 1, 0], [0, 0, 1, 1]]), ids=["old", "older"])
    >>> pairs = index.join(csr_array([[1, 1, 0, 0]]), min_jaccard=0.5)
    >>> index.ids.take(pairs.b_rows).to_pylist()
    ['old']
    """

    def __init__(self, departed: Any, *, ids: Any = None) -> None:
        matrix = getattr(departed, "matrix", departed)
        rows = check_csr(matrix, "departed", with_values=False)
        if ids is None:
            ids = getattr(departed, "ids", np.arange(rows.n_rows))
        self._content = _Content((Segment.from_rows(check_ids(ids, rows.n_rows), rows),))
        self._changing = threading.Lock()

    @classmethod
    def _of(cls, content: _Content) -> PartnerIndex:
        index = cls.__new__(cls)
        index._content = content
        index._changing = threading.Lock()
        return index

    @property
    def ids(self) -> pa.Array:
        """Name of each row, in the order of ``Pairs.b_rows``."""
        return self._content.ids

    @property
    def n_cols(self) -> int:
        """Size of the column universe."""
        return self._content.no_rows.n_cols

    def __len__(self) -> int:
        return self._content.n_rows

    def __repr__(self) -> str:
        content = self._content
        return (
            f"<PartnerIndex: {content.n_rows:,} departed over {self.n_cols:,} partners, "
            f"{int(content.sizes.sum()):,} entries in {len(content.segments)} segments>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return PartnerIndex._of, (self._content,)

    def query(
        self,
        row: Any,
        *,
        min_jaccard: float = 0.3,
        top_k: int | None = None,
        weights: npt.ArrayLike | None = None,
    ) -> Pairs:
        """Return the departed rows similar to one row.

        Parameters
        ----------
        row : CSR matrix of shape (1, n_cols), or array_like of int
            One row, or the columns it holds, in any order.
        min_jaccard, top_k, weights
            As in `jaccard_join`.

        Returns
        -------
        Pairs
            All of row 0; ``ids.take(pairs.b_rows)`` names the departed.

        Raises
        ------
        ParameterError
            If an argument is outside its range, or the row has other columns.
        """
        if not hasattr(row, "indptr"):
            row = self._row_of(row)
        rows = check_csr(row, "row", with_values=False)
        if rows.n_rows != 1:
            raise ParameterError(f"`row` must be one row, got {rows.n_rows}; `join` takes a table.")
        return self.join(rows, min_jaccard=min_jaccard, top_k=top_k, weights=weights, n_threads=1)

    def join(
        self,
        new: Any,
        *,
        min_jaccard: float = 0.3,
        top_k: int | None = None,
        weights: npt.ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Pairs:
        """Return every pair of a new and a departed row whose Jaccard index reaches a threshold.

        Parameters
        ----------
        new : FingerprintSet, or CSR matrix of shape (n_new, n_cols)
        min_jaccard, top_k, weights, n_threads
            As in `jaccard_join`.

        Returns
        -------
        Pairs
            What ``jaccard_join(new, departed, min_jaccard)`` returns.

        Raises
        ------
        ParameterError
            If an argument is outside its range, or `new` has other columns.
        """
        least = check_ratio(min_jaccard, "min_jaccard", "0.3")
        return self._join(new, least, True, top_k, weights, n_threads)

    def containment_join(
        self,
        new: Any,
        *,
        min_containment: float = 0.5,
        top_k: int | None = None,
        weights: npt.ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Pairs:
        """Return every pair where the departed row holds at least so much of the new one.

        Parameters
        ----------
        new : FingerprintSet, or CSR matrix of shape (n_new, n_cols)
        min_containment, top_k, weights, n_threads
            As in `containment_join`.

        Returns
        -------
        Pairs
            What ``containment_join(new, departed, min_containment)`` returns.

        Raises
        ------
        ParameterError
            If an argument is outside its range, or `new` has other columns.
        """
        least = check_ratio(min_containment, "min_containment", "0.5")
        return self._join(new, least, False, top_k, weights, n_threads)

    def _join(
        self,
        new: Any,
        least: float,
        of_union: bool,
        top_k: int | None,
        weights: npt.ArrayLike | None,
        n_threads: int | None,
    ) -> Pairs:
        content, threads = self._content, usable_threads(n_threads)
        top_k = None if top_k is None else check_at_least_one(top_k, "top_k")
        rows = check_csr(getattr(new, "matrix", new), "new", with_values=False)
        check_same_columns(rows, content.no_rows, "new", "departed")
        checked = None if weights is None else check_partner_rarity(weights, rows.n_cols, "weights")
        parts, overlaps, first = [], [], 0
        for segment in content.segments:
            a_rows, b_rows, shared = segment.join(rows, least, of_union=of_union, n_threads=threads)
            parts.append((a_rows, first + segment.numbers(b_rows), shared))
            first += segment.n_rows
            if checked is not None:
                placed = segment.placed_rows(b_rows)
                overlaps.append(weigh_shared(rows, placed[0], a_rows, placed[1], checked, threads))
        a_rows, b_rows, shared = (np.concatenate(column) for column in zip(*parts, strict=True))
        return rank_pairs(
            np.diff(rows.indptr),
            content.sizes,
            (a_rows, b_rows, shared),
            of_union=of_union,
            top_k=top_k,
            overlaps=None if checked is None else np.concatenate(overlaps),
        )

    def add(self, departed: Any, *, ids: Any = None) -> None:
        """Add rows behind those that are there, over the same columns.

        Arguments and errors are those of the constructor; an id that is in the index already is
        refused, and nothing is added then.
        """
        rows = check_csr(getattr(departed, "matrix", departed), "departed", with_values=False)
        with self._changing:
            content = self._content
            check_same_columns(rows, content.no_rows, "departed", "the index")
            if ids is None:
                ids = getattr(departed, "ids", content.n_rows + np.arange(rows.n_rows))
            added = check_ids(ids, rows.n_rows)
            if content.n_rows and added.type != content.id_type:
                raise ParameterError(
                    f"`ids` must be {content.id_type} as in the index, got {added.type}."
                )
            for _, found in _places_of(content, added):
                if (found >= 0).any():
                    known = added[int(np.argmax(found >= 0))].as_py()
                    raise ParameterError(
                        f"`ids` must not be in the index yet, no two alike, got {known!r}; give a "
                        "recycled number's rows ids of their own."
                    )
            segments = (*content.segments, Segment.from_rows(added, rows))
            self._content = _Content(settle(segments))

    def remove(self, ids: Any) -> None:
        """Remove the rows of some ids; those behind them move up.

        Raises
        ------
        ParameterError
            If one of them isn't in the index; nothing is removed then.
        """
        wanted = as_ids(ids)
        with self._changing:
            content = self._content
            if not len(wanted):
                return
            wanted = _as_type(wanted, content.id_type)
            unknown, segments = np.ones(len(wanted), dtype=bool), []
            for segment, found in _places_of(content, wanted):
                segments.append(segment.without(found[found >= 0]))
                unknown &= found < 0
            if unknown.any():
                raise ParameterError(
                    f"`ids` must be in the index, got {wanted[int(np.argmax(unknown))].as_py()!r}; "
                    "see `index.ids`."
                )
            self._content = _Content(settle(segments))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the index as Arrow files and a JSON header into a new folder.

        The folder appears complete or not at all.

        Raises
        ------
        ParameterError
            If `folder` exists already.
        """
        write_index(Path(folder), self._content.segments)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, verify: bool = True) -> PartnerIndex:
        """Open a saved index, memory-mapped.

        Parameters
        ----------
        folder : path
        verify : bool
            Compare the checksums, which reads every byte once. Leave it out only for files that
            nobody else can write: joins trust them.

        Raises
        ------
        DataError
            If files are missing or damaged, or of a newer format or another hash version.
        """
        return cls._of(_Content(read_index(Path(folder), verify=verify)))

    def _row_of(self, columns: Any) -> SparseRows:
        """Make one row of the columns it holds."""
        held = np.unique(np.asarray(columns))
        if held.size and (held.dtype.kind not in "iu" or held[0] < 0 or held[-1] >= self.n_cols):
            raise ParameterError(
                f"`row` must be columns from 0 to {self.n_cols - 1}, got {held.dtype} from "
                f"{held[0]} to {held[-1]}."
            )
        dtype = self._content.no_rows.indices.dtype
        indptr = np.array([0, held.size], dtype=np.int64)
        return SparseRows(indptr, held.astype(dtype), None, self.n_cols)


def _places_of(content: _Content, ids: pa.Array) -> Iterator[tuple[Segment, npt.NDArray[np.int64]]]:
    """Yield each segment with the row of each id there, -1 where it isn't."""
    for segment in content.segments:
        if segment.ids.type == ids.type:
            yield segment, segment.find(ids)


def _as_type(ids: pa.Array, id_type: pa.DataType) -> pa.Array:
    try:
        return ids.cast(id_type)
    except pa.ArrowInvalid as error:
        raise ParameterError(f"`ids` must be {id_type} as in the index ({error}).") from None
