"""Files: which have the same columns, what was found in them, and which are delivered twice."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..headers import ColumnMap
from ..mixtures import LEAST_SAMPLED
from ..numbering import IdSample
from ..tables import TableSource

__all__ = ["FileGroup", "find_copies", "group_key"]

SAMPLES, SAMPLE_BYTES = 16, 1 << 16


@dataclass
class FileGroup:
    """Files with the same columns, understood in the same way.

    Parameters
    ----------
    columns : ColumnMap
        What their columns mean.
    files : list of str
        In the order they are read.
    n_rows : int
        Rows read, usable or not.
    rows : Counter
        Rows ``outgoing`` and ``incoming`` (seen from the subscriber, accepted ones only), and
        times ``with-zone`` and ``without-zone``.
    hashed, plain : dict of str to float
        For each party the largest share, among the first rows of a file, of ids that look like
        hashes, and of those that look like numbers.
    """

    columns: ColumnMap
    files: list[str] = field(default_factory=list)
    n_rows: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    hashed: dict[str, float] = field(default_factory=dict)
    plain: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first file, and how many more there are."""
        more = f" and {len(self.files) - 1:,} more" if len(self.files) > 1 else ""
        return f"{self.files[0]}{more}"

    def look_at(self, party: str, sample: IdSample) -> None:
        """Take the first ids of a party in one file; few of them tell nothing."""
        if sample.n >= LEAST_SAMPLED:
            for shares, count in (
                (self.hashed, sample.n_long_hashed),
                (self.plain, sample.n_numbers),
            ):
                shares[party] = max(shares.get(party, 0.0), count / sample.n)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "files": self.files,
            "rows": self.n_rows,
            **self.columns.as_dict(),
            "times": {name: self.rows[f"{name}-zone"] for name in ("with", "without")},
            "directions": {name: self.rows[name] for name in ("outgoing", "incoming")},
        }


def group_key(source: TableSource, columns: ColumnMap) -> tuple[object, ...]:
    """Return what files of one group have in common."""
    found = tuple((word, item.column, item.how) for word, item in columns.found.items())
    return (columns.shape, tuple(source.schema.names), found)


def find_copies(sources: Sequence[TableSource]) -> list[list[str]]:
    """Return files that are copies of each other, in the order they are read.

    Files of the same size are compared at 16 places, so that a look costs next to nothing.
    """
    by_size: dict[int, list[str]] = defaultdict(list)
    for source in sources:
        if os.path.isfile(source.name):
            by_size[os.path.getsize(source.name)].append(source.name)
    copies: dict[tuple[int, bytes], list[str]] = defaultdict(list)
    for size, names in by_size.items():
        if len(names) > 1:
            for name in names:
                copies[size, _sample(name, size)].append(name)
    return [names for names in copies.values() if len(names) > 1]


def _sample(path: str, size: int) -> bytes:
    """Return a hash of a file's bytes at evenly spread places, the first and last among them."""
    found = hashlib.blake2b()
    with open(path, "rb") as file:
        for place in _places(size):
            file.seek(place)
            found.update(file.read(SAMPLE_BYTES))
    return found.digest()


def _places(size: int) -> Iterable[int]:
    if size <= SAMPLES * SAMPLE_BYTES:
        return range(0, size, SAMPLE_BYTES)
    return [(size - SAMPLE_BYTES) * at // (SAMPLES - 1) for at in range(SAMPLES)]
