"""Partner rows: grouped calls laid together over one set of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from . import _core
from .blocks import map_ordered
from .grouping import Grouped
from .keys import KeyTable

__all__ = ["PartnerRows", "PlacedPiece", "lay_rows", "place_pieces"]

PIECES_LET_GO = 16  # between two times that memory is given back

Piece = TypeVar("Piece")


@dataclass(frozen=True, eq=False)
class PlacedPiece:
    """Calls of consecutive rows by partner, as `Grouped`, but by a partner's place in a list.

    Parameters
    ----------
    n_partners : int64 array
        Entries of each row.
    places : int32 array
        Ascending within a row.
    calls : int32 array
    seconds : int64 array
    outgoing : int32 array
    """

    n_partners: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    calls: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.int64]
    outgoing: npt.NDArray[np.int32]


def place_pieces(
    grouped: list[list[Grouped]], table: KeyTable, *, n_threads: int | None = None
) -> list[list[PlacedPiece]]:
    """Look up all partners in a table that has them all; the list is emptied."""

    def place(pieces: list[Grouped]) -> list[PlacedPiece]:
        return [
            PlacedPiece(
                piece.n_partners,
                table.find(piece.partners, n_threads=1),
                piece.calls,
                piece.seconds,
                piece.outgoing,
            )
            for piece in pieces
        ]

    return list(map_ordered(place, _taken(grouped), n_threads=n_threads))


@dataclass(frozen=True, eq=False)
class PartnerRows:
    """Calls of the rows of one role by column.

    Parameters
    ----------
    indptr : int64 array
        Entries of row i are ``indptr[i]`` to ``indptr[i + 1]``.
    columns : int32 array
        Ascending within a row, each once.
    calls : int32 array
    seconds : int64 array
    outgoing : int32 array
        Calls and messages, talk time, and calls made, of each entry.
    """

    indptr: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    calls: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.int64]
    outgoing: npt.NDArray[np.int32]

    @classmethod
    def room(cls, n_entries: npt.NDArray[np.int64]) -> PartnerRows:
        """Return room for rows of so many entries each."""
        indptr = np.zeros(len(n_entries) + 1, np.int64)
        np.cumsum(n_entries, out=indptr[1:])
        size = int(indptr[-1])
        return cls(
            indptr,
            np.empty(size, np.int32),
            np.empty(size, np.int32),
            np.empty(size, np.int64),
            np.empty(size, np.int32),
        )

    def fill(
        self, piece: PlacedPiece, columns: npt.NDArray[np.int32], start: int, stop: int
    ) -> None:
        """Copy those entries of a piece whose partner has a column to places in these."""
        _core.keep_entries(
            piece.places,
            piece.calls,
            piece.seconds,
            piece.outgoing,
            columns,
            start,
            stop,
            self.columns,
            self.calls,
            self.seconds,
            self.outgoing,
        )

    def matrix(self, n_columns: int) -> csr_array:
        """Return the calls as a sparse matrix.

        Indices have 32 bits where offsets fit into these, for SciPy has one width for both.
        """
        indptr = self.indptr.astype(np.int32) if len(self.columns) < 2**31 else self.indptr
        return csr_array((self.calls, self.columns, indptr), shape=(len(indptr) - 1, n_columns))


def lay_rows(
    placed: list[list[PlacedPiece]],
    columns: npt.NDArray[np.int32],
    *,
    n_threads: int | None = None,
    give_back: Callable[[], None] | None = None,
) -> list[PartnerRows]:
    """Lay the pieces of each role one behind the other.

    Parameters
    ----------
    placed : list of list of PlacedPiece
        Piece by piece those of each role. The list is emptied as they are copied.
    columns : int32 array
        Column of the partner at each place, ascending, -1 for a partner that is dropped.
    n_threads : int, optional
        Default every usable core.
    give_back : callable, optional
        Called now and then when pieces were let go.
    """

    def count(pieces: list[PlacedPiece]) -> list[npt.NDArray[np.int64]]:
        counts = []
        for piece in pieces:
            n_kept = np.empty(len(piece.n_partners), np.int64)
            _core.count_kept(piece.n_partners, piece.places, columns, n_kept)
            counts.append(n_kept)
        return counts

    n_kept = list(map_ordered(count, placed, n_threads=n_threads))
    rows = [PartnerRows.room(np.concatenate(counts)) for counts in zip(*n_kept, strict=True)]
    sizes = np.array([[counts.sum() for counts in of_piece] for of_piece in n_kept], np.int64)
    stops = np.cumsum(sizes, axis=0)

    def copy(piece_by_role: tuple[list[PlacedPiece], list[int], list[int]]) -> None:
        for whole, piece, start, stop in zip(rows, *piece_by_role, strict=True):
            whole.fill(piece, columns, start, stop)

    pieces = zip(_taken(placed), (stops - sizes).tolist(), stops.tolist(), strict=True)
    for n_done, _ in enumerate(map_ordered(copy, pieces, n_threads=n_threads)):
        if give_back is not None and n_done % PIECES_LET_GO == 0:
            give_back()
    return rows


def _taken(pieces: list[Piece]) -> Iterator[Piece]:
    """Yield the pieces and hold none of them any longer."""
    pieces.reverse()
    while pieces:
        yield pieces.pop()
