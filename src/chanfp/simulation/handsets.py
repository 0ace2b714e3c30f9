"""Handsets: which phone each line was used in, phones changed, and phones sold on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .digits import decimal_text, luhn_digit
from .draws import Draws
from .lines import Lines
from .lives import FARMED, FOREVER, NEW
from .settings import Settings

__all__ = ["Handsets"]

# One phone in 15 is changed per 90 days: a life of three to four years.
CHANGED_SHARE = 0.065
N_MODELS = 64
PEOPLE_PER_MODEL = 20_000
SERIALS = 1_000_000


@dataclass(frozen=True)
class Handsets:
    """Phones by line.

    Attributes
    ----------
    first, second : int32 (n_lines,)
        Phone before and after the change; the same where there is none.
    change_day : int32 (n_lines,)
        First day with the second phone.
    imei : pyarrow.StringArray (n_handsets + 1,)
        15 digits with a Luhn check digit (3GPP TS 23.003); the last entry is null.
    """

    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    change_day: npt.NDArray[np.int32]
    imei: pa.StringArray

    def on_day(self, day: int) -> npt.NDArray[np.int32]:
        """Return each line's phone on a day, and after the lines one entry for no phone."""
        phone = np.where(day < self.change_day, self.first, self.second)
        return np.append(phone, np.int32(len(self.imei) - 1))

    @classmethod
    def draw(cls, settings: Settings, lines: Lines) -> Handsets:
        """Give each line one or two phones."""
        draws = Draws(settings.seed, 6)
        n_lines = len(lines)
        first = np.arange(n_lines, dtype=np.int32)
        _sell_on(draws, lines, first, settings.resold_share)
        _keep(draws, lines, first, settings.kept_handset_share)
        farmed = lines.kind == FARMED
        first[farmed] = first[lines.together[farmed]]
        second = first.copy()
        share = min(0.9, CHANGED_SHARE * settings.days / 90)
        changed = np.flatnonzero(draws.uniform(n_lines) < share)
        second[changed] = n_lines + np.arange(len(changed), dtype=np.int32)
        n_handsets = n_lines + len(changed)
        day = draws.below(n_lines, settings.days).astype(np.int32)
        return cls(first, second, day, _imei(draws, n_handsets))


def _sell_on(draws: Draws, lines: Lines, first: npt.NDArray[np.int32], share: float) -> None:
    """Put phones of departed lines into the hands of newcomers who have nothing to do with them."""
    departed = np.flatnonzero((lines.end > 0) & (lines.end < FOREVER))
    sold = departed[draws.uniform(len(departed)) < share]
    sold = sold[np.argsort(lines.end[sold], kind="stable")]
    newcomers = np.flatnonzero(lines.kind == NEW)
    buyers = newcomers[draws.uniform(len(newcomers)) < share]
    buyers = buyers[np.argsort(lines.begin[buyers], kind="stable")]
    n_ready = np.searchsorted(lines.end[sold], lines.begin[buyers], side="right")
    fits = np.flatnonzero(n_ready > np.arange(len(buyers)))
    first[buyers[fits]] = first[sold[fits]]


def _keep(draws: Draws, lines: Lines, first: npt.NDArray[np.int32], share: float) -> None:
    """Let most people use the next number in the phone they have."""
    keeps = (lines.old >= 0) & (draws.uniform(len(lines)) < share) & ~lines.is_emigrant
    # A wanderer's third number follows the second, which must be settled before it.
    for _ in range(3):
        first[keeps] = first[lines.old[keeps]]


def _imei(draws: Draws, n_handsets: int) -> pa.StringArray:
    n_models = N_MODELS + n_handsets // PEOPLE_PER_MODEL
    codes = np.empty(0, dtype=np.int64)
    while len(codes) < n_handsets:
        n_draws = n_handsets + n_handsets // 4 + 64
        # Squared, so that a few models are very common.
        rank = draws.uniform(n_draws)
        model = (rank * rank * n_models).astype(np.int64)
        drawn = model * SERIALS + draws.below(n_draws, SERIALS)
        codes = np.unique(np.concatenate([codes, drawn]))
    codes = codes[draws.order(len(codes))[:n_handsets]]
    maker = np.where(draws.u16(n_models) & 1, 35, 86) * 1_000_000
    allocation = maker + draws.distinct(n_models, 1_000_000)
    body = allocation[codes // SERIALS] * SERIALS + codes % SERIALS
    text = decimal_text(body * 10 + luhn_digit(body, 14), 15)
    return pa.concat_arrays([text, pa.nulls(1, pa.string())])
