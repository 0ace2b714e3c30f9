"""Partners that both sides of a pair call: the same number, or one that was probably renamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from ..fingerprints import Fingerprints, FingerprintSet
from ..renaming import Renames

__all__ = ["RENAMED_SCHEMA", "SHARED_SCHEMA", "PartnerLists", "list_partners"]

SHARED_SCHEMA = pa.schema(
    [
        ("partner", pa.string()),
        ("calls_new", pa.int32()),
        ("calls_old", pa.int32()),
        ("minutes_new", pa.float64()),
        ("minutes_old", pa.float64()),
        ("outgoing_new", pa.int32()),
        ("outgoing_old", pa.int32()),
        ("n_subscribers", pa.int64()),
        ("rarity", pa.float64()),
    ]
)
RENAMED_SCHEMA = pa.schema(
    [
        ("partner", pa.string()),
        ("formerly", pa.string()),
        ("probability", pa.float64()),
        ("calls_new", pa.int32()),
        ("calls_old", pa.int32()),
        ("rarity", pa.float64()),
    ]
)
_BLOCK_PAIRS = 1 << 13

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PartnerLists:
    """A list of partners for each of some pairs, one behind the other.

    Parameters
    ----------
    offsets : int64 array, shape (n_pairs + 1,)
        The list of pair i is rows ``offsets[i]`` to ``offsets[i + 1]``.
    table : pyarrow.Table
    """

    offsets: Rows
    table: pa.Table

    def of(self, pair: int) -> pa.Table:
        """Return the list of one pair."""
        start, stop = self.offsets[pair : pair + 2].tolist()
        return self.table.slice(start, stop - start)

    def between(self, start: int, stop: int) -> pa.ListArray:
        """Return the lists of some pairs as an array of lists of structs."""
        offsets = self.offsets[start : stop + 1]
        part = self.table.slice(offsets[0], offsets[-1] - offsets[0]).combine_chunks()
        columns = [
            column.chunk(0) if column.num_chunks else pa.array([], column.type)
            for column in part.columns
        ]
        structs = pa.StructArray.from_arrays(columns, fields=list(part.schema))
        return pa.ListArray.from_arrays(pa.array(offsets - offsets[0], pa.int32()), structs)


@dataclass(frozen=True, eq=False)
class _Shared:
    """Entries that pairs share: of which pair, and where they stand on either side."""

    pairs: Rows
    at_new: Rows
    at_old: Rows
    # For partners who were probably renamed: which of the renames.
    renames: Rows

    @classmethod
    def joined(cls, parts: list[_Shared]) -> _Shared:
        columns = ([getattr(part, name) for part in parts] for name in cls.__annotations__)
        return cls(*(np.concatenate(column) for column in columns))


def list_partners(
    fingerprints: Fingerprints, new_rows: Rows, old_rows: Rows, renames: Renames | None
) -> tuple[PartnerLists, PartnerLists]:
    """Return the partners that pairs share.

    Parameters
    ----------
    fingerprints : Fingerprints
    new_rows, old_rows : int64 array, shape (n_pairs,)
    renames : Renames, optional
        Who partners probably are.

    Returns
    -------
    shared : PartnerLists
        Of `SHARED_SCHEMA`; the partner with most of the calls on both sides, times its rarity,
        first.
    renamed : PartnerLists
        Of `RENAMED_SCHEMA`: numbers of the new side that are probably those of the old side; the
        most probable first.
    """
    same, renamed = _find_shared(fingerprints, new_rows, old_rows, renames)
    new, old = fingerprints.new, fingerprints.old
    columns = new.matrix.indices[same.at_new]
    former = old.matrix.indices[renamed.at_old]
    latter = new.matrix.indices[renamed.at_new]
    used, places = np.unique(np.concatenate([columns, former, latter]), return_inverse=True)
    # One look for all of them: of hashed ids the names stand in the records alone.
    names = pa.array(fingerprints.cdrs.partner_names(fingerprints.partners[used]), pa.string())
    n_same, n_renamed = len(columns), len(former)
    of_columns, of_former, of_latter = (
        names.take(pa.array(part)) for part in np.split(places, [n_same, n_same + n_renamed])
    )
    rarity = fingerprints.partner_rarity
    calls_new, calls_old = new.matrix.data[same.at_new], old.matrix.data[same.at_old]
    weight = rarity[columns] * np.minimum(
        calls_new / new.n_calls[new_rows[same.pairs]], calls_old / old.n_calls[old_rows[same.pairs]]
    )
    shared_table = {
        "partner": of_columns,
        "calls_new": calls_new,
        "calls_old": calls_old,
        "minutes_new": new.seconds[same.at_new] / 60,
        "minutes_old": old.seconds[same.at_old] / 60,
        "outgoing_new": new.outgoing[same.at_new],
        "outgoing_old": old.outgoing[same.at_old],
        "n_subscribers": fingerprints.n_subscribers[columns],
        "rarity": rarity[columns],
    }
    probability = np.zeros(0) if renames is None else renames.probability[renamed.renames]
    renamed_table = {
        "partner": of_latter,
        "formerly": of_former,
        "probability": probability,
        "calls_new": new.matrix.data[renamed.at_new],
        "calls_old": old.matrix.data[renamed.at_old],
        "rarity": rarity[former],
    }
    n_pairs = len(new_rows)
    return (
        _lists(shared_table, SHARED_SCHEMA, same.pairs, (columns, -weight), n_pairs),
        _lists(renamed_table, RENAMED_SCHEMA, renamed.pairs, (latter, -probability), n_pairs),
    )


def _lists(
    columns: dict[str, Any],
    schema: pa.Schema,
    pairs: Rows,
    order_by: tuple[npt.NDArray[Any], ...],
    n_pairs: int,
) -> PartnerLists:
    """Put rows into the order of pairs, and of the last of some keys within them."""
    order = np.lexsort((*order_by, pairs))
    table = pa.table(columns, schema=schema).take(pa.array(order))
    return PartnerLists(np.searchsorted(pairs[order], np.arange(n_pairs + 1)), table)


def _find_shared(
    fingerprints: Fingerprints, new_rows: Rows, old_rows: Rows, renames: Renames | None
) -> tuple[_Shared, _Shared]:
    """Return the entries that pairs share, those of one number and those probably renamed."""
    found: tuple[list[_Shared], list[_Shared]] = ([], [])
    for start in range(0, max(len(new_rows), 1), _BLOCK_PAIRS):
        stop = start + _BLOCK_PAIRS
        sides = (
            _Entries.of(fingerprints.new, new_rows[start:stop]),
            _Entries.of(fingerprints.old, old_rows[start:stop]),
        )
        n_columns = fingerprints.new.matrix.shape[1]
        for parts, shared in zip(found, _meet(*sides, n_columns, renames), strict=True):
            pairs = shared.pairs + start
            parts.append(_Shared(pairs, shared.at_new, shared.at_old, shared.renames))
    return _Shared.joined(found[0]), _Shared.joined(found[1])


@dataclass(frozen=True, eq=False)
class _Entries:
    """All entries of some rows, those of one pair behind those of the other."""

    pairs: Rows
    at: Rows
    columns: Rows

    @classmethod
    def of(cls, fingerprints: FingerprintSet, rows: Rows) -> _Entries:
        matrix: csr_array = fingerprints.matrix
        starts = matrix.indptr[rows].astype(np.int64)
        lengths = matrix.indptr[rows + 1] - starts
        before = np.cumsum(lengths) - lengths
        at = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
        pairs = np.repeat(np.arange(len(rows)), lengths)
        return cls(pairs, at, matrix.indices[at].astype(np.int64))


def _meet(
    new: _Entries, old: _Entries, n_columns: int, renames: Renames | None
) -> tuple[_Shared, _Shared]:
    """Join the entries of both sides by pair and partner."""
    places = old.pairs * n_columns + old.columns
    _, in_new, in_old = np.intersect1d(
        new.pairs * n_columns + new.columns, places, assume_unique=True, return_indices=True
    )
    nothing = np.zeros(0, np.int64)
    same = _Shared(new.pairs[in_new], new.at[in_new], old.at[in_old], nothing)
    if renames is None or not len(renames) or not len(places):
        return same, _Shared(*(nothing,) * 4)
    first = np.searchsorted(renames.new, new.columns, "left")
    n_names = np.searchsorted(renames.new, new.columns, "right") - first
    entry = np.repeat(np.arange(len(n_names)), n_names)
    rename = np.arange(len(entry)) - np.repeat(np.cumsum(n_names) - n_names, n_names)
    rename += first[entry]
    wanted = new.pairs[entry] * n_columns + renames.old[rename]
    place = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
    hit = places[place] == wanted
    entry, rename, place = entry[hit], rename[hit], place[hit]
    return same, _Shared(new.pairs[entry], new.at[entry], old.at[place], rename)
