"""Mixtures: id columns that hold hashes under a numbering plan, or hashes beside plain numbers."""

from __future__ import annotations

import pyarrow as pa

from .errors import DataError
from .exports import Export
from .numbering import sample_ids

__all__ = ["HASHED_SHARE", "LEAST_SAMPLED", "MIXED_SHARE", "find_mixture"]

LEAST_SAMPLED = 20
HASHED_SHARE, MIXED_SHARE = 0.9, 0.01


def find_mixture(export: Export, party: str, texts: pa.Array) -> str | None:
    """Return a warning if the ids of a party are partly hashed, None if they are of one kind.

    Parameters
    ----------
    export : Export
    party : str
        The word for the party.
    texts : pyarrow.Array of text
        Some first rows of its column; fewer than 20 ids tell nothing.

    Raises
    ------
    DataError
        If nearly all of them are hashed and the plan is one of numbers.
    """
    sample = sample_ids(texts)
    if sample.n < LEAST_SAMPLED:
        return None
    place = f"{export.source.name}, column {export.needed(party)!r}"
    hashed = f"{sample.n_long_hashed / sample.n:.0%}"
    is_opaque = export.plan.is_opaque
    if sample.n_long_hashed >= HASHED_SHARE * sample.n and not is_opaque:
        raise DataError(
            f"{place}: ids must be numbers of the plan {export.plan.region!r}, found hashed or "
            f"made-up ids in {hashed} of the first {sample.n:,} rows, such as {sample.hashed!r}; "
            "read them with `numbers` 'opaque'."
        )
    if min(sample.n_long_hashed, sample.n_numbers) < MIXED_SHARE * sample.n:
        return None
    what_happens = (
        "the same subscriber hashed and plain is taken for two"
        if is_opaque
        else "hashed ones are nobody's number and left out"
    )
    return (
        f"{place}: ids are hashed or plain, not both; of the first {sample.n:,} "
        f"{hashed} look like hashes, such as {sample.hashed!r}, and "
        f"{sample.n_numbers / sample.n:.0%} like numbers, such as {sample.number!r}; "
        f"{what_happens}; export one kind."
    )
