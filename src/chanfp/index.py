"""The index of the departed: posting lists built once, asked again and again."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .blocks import usable_threads
from .csr import SparseRows, check_at_least_one, check_csr, check_ratio, check_same_columns
from .errors import ParameterError
from .indexfiles import read_index, write_index
from .pairs import Pairs
from .postings import OrderedPostings
from .similarity import join_postings

__all__ = ["PartnerIndex"]


@dataclass(frozen=True, eq=False)
class _Content:
    """What an index holds at one moment; never modified, so that readers need no lock."""

    ids: pa.Array
    postings: OrderedPostings


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
    as it was when it began. Memory is that of `jaccard_join`'s posting lists. What is asked must
    stand over the same columns.

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
        self._content = _Content(
            _check_ids(ids, rows.n_rows), OrderedPostings.from_rows(rows, "departed")
        )
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
        return self._content.postings.n_cols

    def __len__(self) -> int:
        return len(self._content.ids)

    def __repr__(self) -> str:
        postings = self._content.postings
        return (
            f"<PartnerIndex: {postings.n_rows:,} departed, {len(postings.places):,} entries, "
            f"{len(postings.offsets) - 1:,} of {postings.n_cols:,} partners in use>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return PartnerIndex._of, (self._content,)

    def query(self, row: Any, *, min_jaccard: float = 0.3, top_k: int | None = None) -> Pairs:
        """Return the departed rows similar to one row.

        Parameters
        ----------
        row : CSR matrix of shape (1, n_cols), or array_like of int
            One row, or the columns it holds, in any order.
        min_jaccard, top_k
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
        return self.join(rows, min_jaccard=min_jaccard, top_k=top_k, n_threads=1)

    def join(
        self,
        new: Any,
        *,
        min_jaccard: float = 0.3,
        top_k: int | None = None,
        n_threads: int | None = None,
    ) -> Pairs:
        """Return every pair of a new and a departed row whose Jaccard index reaches a threshold.

        Parameters
        ----------
        new : FingerprintSet, or CSR matrix of shape (n_new, n_cols)
        min_jaccard, top_k, n_threads
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
        postings = self._content.postings
        least = check_ratio(min_jaccard, "min_jaccard", "0.3")
        top_k = None if top_k is None else check_at_least_one(top_k, "top_k")
        rows = check_csr(getattr(new, "matrix", new), "new", with_values=False)
        check_same_columns(rows, SparseRows(*_no_rows(postings)), "new", "departed")
        return join_postings(
            rows,
            postings,
            least,
            of_union=True,
            top_k=top_k,
            n_threads=usable_threads(n_threads),
        )

    def add(self, departed: Any, *, ids: Any = None) -> None:
        """Add rows behind those that are there, over the same columns.

        Takes as long as building the index anew, so add many rows at once. Arguments and errors
        are those of the constructor; an id that is in the index already is refused.
        """
        rows = check_csr(getattr(departed, "matrix", departed), "departed", with_values=False)
        with self._changing:
            content = self._content
            old = content.postings.to_rows()
            check_same_columns(rows, old, "departed", "the index")
            if ids is None:
                ids = getattr(departed, "ids", len(old.indptr) - 1 + np.arange(rows.n_rows))
            added = _check_ids(ids, rows.n_rows)
            if added.type != content.ids.type:
                raise ParameterError(
                    f"`ids` must be {content.ids.type} as in the index, got {added.type}."
                )
            all_ids = pa.concat_arrays([content.ids, added])
            both = SparseRows(
                np.concatenate([old.indptr, old.n_entries + rows.indptr[1:]]),
                np.concatenate([old.indices, rows.indices]),
                None,
                old.n_cols,
            )
            self._content = _Content(
                _check_ids(all_ids, both.n_rows), OrderedPostings.from_rows(both, "departed")
            )

    def remove(self, ids: Any) -> None:
        """Remove the rows of some ids; those behind them move up.

        Raises
        ------
        ParameterError
            If one of them isn't in the index; nothing is removed then.
        """
        wanted = ids if isinstance(ids, pa.Array) else pa.array(ids)
        with self._changing:
            content = self._content
            wanted = wanted.cast(content.ids.type)
            unknown = wanted.filter(pc.invert(pc.is_in(wanted, value_set=content.ids)))
            if len(unknown):
                raise ParameterError(
                    f"`ids` must be in the index, got {unknown[0].as_py()!r}; see `index.ids`."
                )
            kept = pc.invert(pc.is_in(content.ids, value_set=wanted))
            rows = _keep_rows(content.postings.to_rows(), kept.to_numpy(zero_copy_only=False))
            self._content = _Content(
                content.ids.filter(kept), OrderedPostings.from_rows(rows, "departed")
            )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the index as Arrow files and a JSON header into a new folder.

        The folder appears complete or not at all.

        Raises
        ------
        ParameterError
            If `folder` exists already.
        """
        write_index(Path(folder), self._content.ids, self._content.postings)

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
        ids, postings = read_index(Path(folder), verify=verify)
        return cls._of(_Content(ids, postings))

    def _row_of(self, columns: Any) -> SparseRows:
        """Make one row of the columns it holds."""
        held = np.unique(np.asarray(columns))
        if held.size and (held.dtype.kind not in "iu" or held[0] < 0 or held[-1] >= self.n_cols):
            raise ParameterError(
                f"`row` must be columns from 0 to {self.n_cols - 1}, got {held.dtype} from "
                f"{held[0]} to {held[-1]}."
            )
        dtype = self._content.postings.columns.dtype
        indptr = np.array([0, held.size], dtype=np.int64)
        return SparseRows(indptr, held.astype(dtype), None, self.n_cols)


def _no_rows(
    postings: OrderedPostings,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.integer[Any]], None, int]:
    return np.zeros(1, dtype=np.int64), postings.columns[:0], None, postings.n_cols


def _check_ids(ids: Any, n_rows: int) -> pa.Array:
    """Return one id per row, each once, as an Arrow array of strings or integers."""
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    array = array if isinstance(array, pa.Array) else pa.array(array)
    if len(array) != n_rows:
        raise ParameterError(f"`ids` must be one per row, {n_rows}, got {len(array)}.")
    if array.null_count or pc.count_distinct(array).as_py() != n_rows:
        raise ParameterError(
            "`ids` must name each row, and no two alike; give a recycled number's rows ids of "
            "their own."
        )
    return array


def _keep_rows(rows: SparseRows, kept: npt.NDArray[np.bool_]) -> SparseRows:
    sizes = np.diff(rows.indptr)
    indptr = np.zeros(int(np.count_nonzero(kept)) + 1, dtype=np.int64)
    np.cumsum(sizes[kept], out=indptr[1:])
    return SparseRows(indptr, rows.indices[np.repeat(kept, sizes)], None, rows.n_cols)
