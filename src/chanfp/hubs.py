"""Hubs: partners that so many subscribers call that they tell nobody apart.

Couriers, banks and hotlines that no numbering plan lists; and partners that the user lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import DataError, ParameterError
from .grouping import Grouped
from .keys import KeyTable, distinct_keys
from .numberlists import NumberList
from .partnerrows import PartnerRows, PlacedPiece, lay_rows, place_pieces

__all__ = [
    "QUANTILE",
    "HubSettings",
    "Hubs",
    "Screened",
    "default_limit",
    "find_hubs",
    "screen_partners",
]

# A person has about as many callers as he calls people. Few have more than a hundred in a month;
# couriers and hotlines have a thousand. The limit lies between, well away from people.
QUANTILE = 0.99
MULTIPLE = 4
FLOOR = 200
N_LARGEST = 10
KEPT, HUB, DENIED, ALLOWED = range(4)
REASONS = {HUB: "hub", DENIED: "denied", ALLOWED: "allowed"}
N_COUNTED = 4


@dataclass(frozen=True)
class HubSettings:
    """Which partners are dropped.

    Parameters
    ----------
    hub_share : float, optional
        Drop partners that are in more than this share of the fingerprints, above 0 to 1; 1 drops
        none.
    hub_count : int, optional
        Drop partners that are in more fingerprints than this. Where neither is given the limit is
        four times what 99 % of the fingerprints have in partners, and 200 at least.
    allow, deny : NumberList, optional
        Numbers never dropped, and numbers always dropped.

    Raises
    ------
    ParameterError
        If a limit is out of range.
    """

    hub_share: float | None = None
    hub_count: int | None = None
    allow: NumberList | None = None
    deny: NumberList | None = None

    def __post_init__(self) -> None:
        if self.hub_share is not None and not 0 < self.hub_share <= 1:
            raise ParameterError(
                f"`hub_share` must be a share above 0 and up to 1, got {self.hub_share}; "
                "1 drops no partner."
            )
        if self.hub_count is not None and self.hub_count < 1:
            raise ParameterError(f"`hub_count` must be at least 1, got {self.hub_count}.")

    def limit(self, n_partners: npt.NDArray[np.int64]) -> tuple[int, str]:
        """Return how many fingerprints a partner may be in, and why.

        Parameters
        ----------
        n_partners : int64 array
            Partners of each fingerprint.
        """
        limits = []
        if self.hub_share is not None:
            # A share written as a decimal must not lose a subscriber to its binary rest.
            most = math.floor(self.hub_share * len(n_partners) + 1e-9)
            limits.append((most, f"`hub_share` {self.hub_share:g} of {len(n_partners):,}"))
        if self.hub_count is not None:
            limits.append((int(self.hub_count), "`hub_count`"))
        if limits:
            return min(limits)
        most_partners = 0
        if n_partners.any():
            most_partners = int(
                np.quantile(n_partners[n_partners > 0], QUANTILE, method="inverted_cdf")
            )
        return default_limit(most_partners)


def default_limit(most_partners: int) -> tuple[int, str]:
    """Return how many fingerprints a partner may be in where nobody said, and why.

    Parameters
    ----------
    most_partners : int
        Partners that 99 % of the fingerprints don't exceed.
    """
    why = (
        f"{MULTIPLE} times the {most_partners:,} partners that {100 * QUANTILE:g} % of the "
        "subscribers don't exceed"
    )
    if MULTIPLE * most_partners < FLOOR:
        return FLOOR, f"{why}, but {FLOOR} at least"
    return MULTIPLE * most_partners, why


@dataclass(frozen=True, eq=False)
class Hubs:
    """Which partners are dropped, and why.

    Parameters
    ----------
    limit : int
        Partners in more fingerprints than this are hubs.
    why : str
        Where the limit comes from.
    partners : uint64 array
        Number keys of all partners before any was dropped.
    n_subscribers, n_calls : int64 array
        Fingerprints of departed, new, active and fading subscriptions each partner is in; its
        calls and messages in them, counted only where the verdict isn't ``KEPT``.
    verdicts : uint8 array
        Of each partner: ``KEPT``, ``HUB``, ``DENIED``, or ``ALLOWED`` (kept beyond the limit).
    """

    limit: int
    why: str
    partners: npt.NDArray[np.uint64]
    n_subscribers: npt.NDArray[np.int64]
    n_calls: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.uint8]

    @property
    def is_kept(self) -> npt.NDArray[np.bool_]:
        """Whether each partner is kept."""
        return np.asarray((self.verdicts == KEPT) | (self.verdicts == ALLOWED), bool)

    @property
    def largest(self) -> npt.NDArray[np.int64]:
        """Places of the largest partners that were dropped or allowed, largest first."""
        named = np.flatnonzero(self.verdicts)
        order = np.lexsort((self.partners[named], -self.n_subscribers[named]))
        return np.asarray(named[order[:N_LARGEST]])

    def count_calls(self, columns: npt.NDArray[np.int32], calls: npt.NDArray[np.int32]) -> None:
        """Add the calls of fingerprint entries to those partners that aren't simply kept."""
        if self.verdicts.any():
            _core.count_named_calls(columns, calls, self.verdicts, self.n_calls)

    def as_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """Return limit and counts as plain values, given the numbers of the largest."""
        chosen = {reason: self.verdicts == code for code, reason in REASONS.items()}
        rows = zip(
            names,
            self.n_subscribers[self.largest].tolist(),
            self.n_calls[self.largest].tolist(),
            self.verdicts[self.largest].tolist(),
            strict=True,
        )
        return {
            "limit": self.limit,
            "why": self.why,
            "partners_by_reason": {reason: int(at.sum()) for reason, at in chosen.items()},
            "calls_by_reason": {
                reason: int(self.n_calls[at].sum()) for reason, at in chosen.items()
            },
            "largest": [
                {"number": name, "subscribers": n, "calls": calls, "reason": REASONS[verdict]}
                for name, n, calls, verdict in rows
            ],
        }


@dataclass(frozen=True, eq=False)
class Screened:
    """Grouped calls without dropped partners, and what the columns are.

    Parameters
    ----------
    partners : uint64 array
        Number key of each column, ascending.
    n_subscribers : int64 array
        Departed, new, active and fading fingerprints each is in.
    rows : list of PartnerRows
    hubs : Hubs
    """

    partners: npt.NDArray[np.uint64]
    n_subscribers: npt.NDArray[np.int64]
    rows: list[PartnerRows]
    hubs: Hubs


def find_hubs(
    partners: npt.NDArray[np.uint64],
    n_subscribers: npt.NDArray[np.int64],
    n_partners: npt.NDArray[np.int64],
    settings: HubSettings,
) -> Hubs:
    """Decide which partners are dropped; their calls are not counted yet.

    Parameters
    ----------
    partners : uint64 array
        Number keys.
    n_subscribers : int64 array
        Fingerprints each partner is in.
    n_partners : int64 array
        Partners of each of these fingerprints.
    settings : HubSettings

    Raises
    ------
    DataError
        If a partner is on both lists.
    """
    limit, why = settings.limit(n_partners)
    is_allowed, is_denied = _contains(settings.allow, partners), _contains(settings.deny, partners)
    if (both := is_allowed & is_denied).any():
        raise DataError(
            f"a partner is allowed or denied, not both; {int(both.sum()):,} numbers, the first "
            f"with key {partners[both][0]}, are on both lists; take them off one."
        )
    is_large = n_subscribers > limit
    verdicts = np.zeros(len(partners), np.uint8)
    verdicts[is_large] = HUB
    verdicts[is_large & is_allowed] = ALLOWED
    verdicts[is_denied] = DENIED
    return Hubs(limit, why, partners, n_subscribers, np.zeros(len(partners), np.int64), verdicts)


def screen_partners(
    grouped: list[list[Grouped]],
    settings: HubSettings,
    *,
    n_threads: int | None = None,
    give_back: Callable[[], None] | None = None,
) -> Screened:
    """Give each partner a column and drop those that are hubs or denied.

    Parameters
    ----------
    grouped : list of list of Grouped
        Piece by piece the calls of the departed, the new, the active, the fading, and then of
        those who count as subscribers already. The list is emptied as entries are copied.
    settings : HubSettings
    n_threads : int, optional
        Default every usable core.
    give_back : callable, optional
        Called now and then when many entries were let go.
    """
    partners = distinct_keys(
        (piece.partners for pieces in grouped for piece in pieces), n_threads=n_threads
    )
    table = KeyTable.of(partners, np.arange(len(partners)))
    placed = place_pieces(grouped, table, n_threads=n_threads)
    n_subscribers, hubs = _count_partners(placed, partners, settings)
    is_kept = hubs.is_kept
    columns = np.where(is_kept, np.cumsum(is_kept) - 1, -1).astype(np.int32)
    rows = lay_rows(placed, columns, n_threads=n_threads, give_back=give_back)
    return Screened(partners[is_kept], n_subscribers[is_kept], rows, hubs)


def _count_partners(
    placed: list[list[PlacedPiece]], partners: npt.NDArray[np.uint64], settings: HubSettings
) -> tuple[npt.NDArray[np.int64], Hubs]:
    """Return the fingerprints that each partner is in, and which partners are dropped."""
    counted = [piece for pieces in placed for piece in pieces[:N_COUNTED]]
    n_subscribers = np.zeros(len(partners), np.int64)
    for piece in counted:
        _core.count_places(piece.places, n_subscribers)
    n_partners = [np.empty(0, np.int64), *(piece.n_partners for piece in counted)]
    hubs = find_hubs(partners, n_subscribers, np.concatenate(n_partners), settings)
    for piece in counted:
        hubs.count_calls(piece.places, piece.calls)
    return n_subscribers, hubs


def _contains(listed: NumberList | None, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    return np.zeros(len(keys), bool) if listed is None else listed.contains(keys)
