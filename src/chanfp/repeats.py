"""Repeats: calls that were delivered more than once, by two exchanges or in two files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import ParameterError

__all__ = ["check_tolerance", "drop_repeats", "find_repeats", "pack_calls"]

LONGEST_TOLERANCE_S = 3600
OUTGOING, MESSAGE, COUNTS_HERE = 1, 2, 4
TALK_SHIFT, TALK_UNKNOWN_SHIFT, START_SHIFT = 3, 31, 32
SAME_KIND = OUTGOING | MESSAGE


def check_tolerance(dedupe_s: float | None) -> int | None:
    """Return a tolerance in whole seconds, as times have them; None stays None.

    Raises
    ------
    ParameterError
        If it is below 0 or above an hour.
    """
    if dedupe_s is None:
        return None
    if not 0 <= dedupe_s <= LONGEST_TOLERANCE_S:
        raise ParameterError(
            f"`dedupe_s` must be from 0 to {LONGEST_TOLERANCE_S:,} seconds, got {dedupe_s}; "
            "0 drops exact repeats only."
        )
    return int(dedupe_s)


def pack_calls(
    start_s: npt.NDArray[np.int64],
    duration_s: npt.NDArray[np.int32],
    is_message: npt.NDArray[np.bool_],
    is_outgoing: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint64]:
    """Return calls as one word each, like ``_core.gather_calls``, and none of them counted.

    From the highest bit down: start (32 bits), talk time unknown, talk time in seconds (28 bits),
    whether the record counts here, message, outgoing.

    Parameters
    ----------
    start_s : int64 array
        0 to 2**32 - 1.
    duration_s : int32 array
        Below 2**28; below 0 where unknown.
    is_message, is_outgoing : bool array
    """
    start, talk = start_s.astype(np.uint64), np.maximum(duration_s, 0).astype(np.uint64)
    is_unknown = (duration_s < 0).astype(np.uint64)
    kind = is_message.astype(np.uint64) * np.uint64(MESSAGE) + is_outgoing.astype(np.uint64)
    upper = start << np.uint64(START_SHIFT) | is_unknown << np.uint64(TALK_UNKNOWN_SHIFT)
    return np.asarray(upper | talk << np.uint64(TALK_SHIFT) | kind, np.uint64)


def drop_repeats(
    indptr: npt.NDArray[np.int64], words: npt.NDArray[np.uint64], tolerance_s: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], int]:
    """Drop the calls of each holding that repeat another one of it.

    Two calls are one if partner, direction and kind are equal and neither their starts nor, where
    both are known, their talk times differ by more than the tolerance.

    Parameters
    ----------
    indptr : int64 array
        The calls of holding i are entries ``indptr[i]`` to ``indptr[i + 1]``.
    words : uint64 array
        Two per entry: partner and call. Overwritten.
    tolerance_s : int

    Returns
    -------
    indptr, words : array
        What is kept, in an order of its own.
    n_records : int
        Records that fell away; one that both parties had counts once.

    Notes
    -----
    The earliest call stays. In a chain each call is compared with those kept, so three calls at 0,
    2 and 4 seconds become two with a tolerance of 2. A talk time that the kept call doesn't know is
    taken from its repeat. The order of the calls doesn't matter.
    """
    longest = int(np.diff(indptr).max(initial=0))
    kept, originals = np.empty(longest, np.int64), np.empty(longest, np.int64)
    kept_indptr = np.empty_like(indptr)
    n_records = _core.drop_repeats(indptr, words, tolerance_s, kept, originals, kept_indptr)
    return kept_indptr, words[: 2 * int(kept_indptr[-1])], n_records


def find_repeats(
    owners: npt.NDArray[np.int64],
    partners: npt.NDArray[np.uint64],
    calls: npt.NDArray[np.uint64],
    ties: tuple[npt.NDArray[np.int64], ...],
    tolerance_s: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the calls that repeat another, by the rule of `drop_repeats`, without dropping any.

    Parameters
    ----------
    owners : int64 array
        Whose call it is.
    partners, calls : uint64 array
        Partner and call, as packed by `pack_calls`.
    ties : tuple of int64 array
        What decides among calls that are equal in all that; smaller values come first.
    tolerance_s : int

    Returns
    -------
    order : int64 array
        The calls sorted by owner, partner, kind and time.
    originals : int64 array
        For each place of that order the place of the call it repeats; its own if it is none.
    """
    kinds = calls & np.uint64(SAME_KIND)
    order = np.lexsort((*reversed(ties), calls, kinds, partners, owners))
    words = np.stack([partners[order], calls[order]], axis=1).reshape(-1)
    begins = np.flatnonzero(np.diff(owners[order], prepend=-1))
    indptr = np.append(begins, len(order)).astype(np.int64)
    originals = np.empty(len(order), np.int64)
    kept = np.empty(int(np.diff(indptr).max(initial=0)), np.int64)
    _core.find_repeats(indptr, words, tolerance_s, kept, originals)
    return order, originals
