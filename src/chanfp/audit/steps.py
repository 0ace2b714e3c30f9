"""Steps: shares and amounts as whole numbers, so that sums over a tree are exact.

A probability is kept in steps of 2**-30: sums of up to eight million of them are exact in float64,
in whatever order they are added. Money is kept in hundredths.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["as_cents", "as_money", "as_probability", "as_steps"]

STEPS = 2**30
CENTS = 100

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def as_steps(probabilities: Floats) -> Ints:
    """Return probabilities, 0 to 1, as whole steps; NaN counts nothing."""
    return np.rint(np.nan_to_num(probabilities) * STEPS).astype(np.int64)


def as_probability(steps: Ints) -> Floats:
    """Return sums of steps as sums of probabilities."""
    return steps / STEPS


def as_cents(amounts: Floats) -> Ints:
    """Return amounts in whole hundredths; NaN counts nothing."""
    return np.rint(np.nan_to_num(amounts) * CENTS).astype(np.int64)


def as_money(cents: Ints) -> Floats:
    """Return hundredths as amounts."""
    return cents / CENTS
