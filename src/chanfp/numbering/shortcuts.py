"""Shortcuts through an automaton: numbers that their length and first four digits decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_shortcuts"]

N_DIGITS, STATE_COLUMNS = 10, 16
LEAD_DIGITS = 4
FEWEST_DIGITS, MOST_DIGITS = 8, 15


def find_shortcuts(
    transitions: NDArray[np.uint16],
    codes: NDArray[np.uint8],
    moduli: NDArray[np.uint64],
    bases: NDArray[np.uint64],
) -> NDArray[np.uint16]:
    """Return a state with the verdict for each length and lead of a number in plain digits.

    Parameters
    ----------
    transitions, codes, moduli, bases : arrays
        As in `chanfp.numbering.automaton.Automaton`.

    Returns
    -------
    uint16 array, shape (80000,)
        Entry ``10000 * (length - 8) + lead`` for lengths of 8 to 15 digits and leads 0000 to 9999;
        0 where the digits behind the lead matter, too.

    Notes
    -----
    0 is the start, which no digit leads back to but for automata that judge all numbers alike.
    """
    steps = transitions.reshape(-1, STATE_COLUMNS)[:, :N_DIGITS].astype(np.int64)
    verdicts = np.stack([codes.astype(np.uint64), moduli, bases], axis=1)
    _, first, kinds = np.unique(verdicts, axis=0, return_index=True, return_inverse=True)
    leads = np.zeros(1, np.int64)
    for _ in range(LEAD_DIGITS):
        leads = steps[leads].reshape(-1)
    # A state with the verdict that every text of so many digits more leads to; -1 if they differ.
    certain = first[kinds.reshape(-1)].astype(np.int64)
    shortcuts = np.zeros((MOST_DIGITS - FEWEST_DIGITS + 1, len(leads)), np.uint16)
    for length in range(LEAD_DIGITS + 1, MOST_DIGITS + 1):
        following = certain[steps]
        is_sure = (following == following[:, :1]).all(axis=1)
        certain = np.where(is_sure, following[:, 0], -1)
        if length >= FEWEST_DIGITS:
            shortcuts[length - FEWEST_DIGITS] = np.maximum(certain[leads], 0)
    return shortcuts.reshape(-1)
