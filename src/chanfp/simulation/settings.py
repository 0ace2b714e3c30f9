"""Settings: what the user may choose about a made-up carrier, checked once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property

import numpy as np

from ..errors import ParameterError

__all__ = ["DAY", "Settings"]

DAY = 86_400
MOST_PEOPLE = 50_000_000
# Of the contacts with services, those with couriers, city hubs and telesales.
HUB_SHARE = 0.47
LEAST_FACTOR, MOST_FACTOR = 0.25, 10.0


@dataclass(frozen=True)
class Settings:
    """The options of `simulate`, in its words and units; shares are per 90 days of span."""

    people: int
    seed: int
    days: int
    start: str
    events_per_month: float
    leaver_share: float
    newcomer_share: float
    returner_share: float
    partial_share: float
    wanderer_share: float
    dual_share: float
    added_share: float
    recycled_share: float
    format_noise: float
    dirt: float
    table_lag_days: int
    successor_share: float
    emigrant_share: float
    kept_handset_share: float
    resold_share: float
    density: float
    hub_factor: float
    corrupt_share: float
    farming_share: float
    cross_region_share: float

    def __post_init__(self) -> None:
        _check_whole("people", self.people, 100, MOST_PEOPLE)
        _check_whole("seed", self.seed, 0, 2**64 - 1)
        _check_whole("days", self.days, 7, 3650)
        _check_whole("table_lag_days", self.table_lag_days, 0, 365)
        if not 1.0 <= self.events_per_month <= 2000.0:
            raise ParameterError(
                "`events_per_month` must be from 1 to 2000, "
                f"got {self.events_per_month}; the default is 54."
            )
        for name in _FACTORS:
            if not LEAST_FACTOR <= getattr(self, name) <= MOST_FACTOR:
                raise ParameterError(
                    f"`{name}` must be from {LEAST_FACTOR} to {MOST_FACTOR}, got "
                    f"{getattr(self, name)}; it is a factor, 1 changes nothing."
                )
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SHARES and not 0.0 <= value <= 1.0:
                raise ParameterError(
                    f"`{field.name}` must be from 0 to 1, got {value}; it is a share, not per cent."
                )
        if sum(getattr(self, name) for name in _SCHEMES) > 0.5:
            raise ParameterError(
                "`corrupt_share`, `farming_share` and `cross_region_share` must sum to at most "
                "0.5, for somebody must be honest; lower them."
            )
        _ = self.first_day
        planted = sum(self.count(getattr(self, name)) for name in _PLANTED)
        if planted > 0.8 * self.people:
            raise ParameterError(
                f"the shares of people who change must sum to at most 0.8 over the span, got "
                f"{planted / self.people:.2f} in {self.days} days; lower them or `days`."
            )

    @cached_property
    def first_day(self) -> date:
        """The first day of the span."""
        try:
            return datetime.strptime(self.start, "%Y-%m-%d").date()
        except (TypeError, ValueError):
            raise ParameterError(
                f'`start` must be a day such as "2024-03-01", got {self.start!r}.'
            ) from None

    @property
    def first_second(self) -> int:
        """The first second of the span, since 1970, in local time."""
        return int(np.datetime64(self.first_day, "s").astype(np.int64))

    @property
    def span(self) -> int:
        """The length of the span in seconds."""
        return self.days * DAY

    @property
    def service_factor(self) -> float:
        """Contacts with services over the usual: hubs beyond the usual ones come on top."""
        return 1.0 + HUB_SHARE * (self.hub_factor - 1.0)

    def count(self, share: float) -> int:
        """Return how many people `share` per 90 days is over this span, at least 1 if any."""
        if share == 0.0:
            return 0
        return max(1, int(self.people * share * self.days / 90 + 0.5))


_PLANTED = (
    "leaver_share",
    "newcomer_share",
    "returner_share",
    "partial_share",
    "wanderer_share",
    "added_share",
)
_SCHEMES = ("corrupt_share", "farming_share", "cross_region_share")
_SHARES = (
    *_PLANTED,
    *_SCHEMES,
    "dual_share",
    "recycled_share",
    "format_noise",
    "dirt",
    "successor_share",
    "emigrant_share",
    "kept_handset_share",
    "resold_share",
)
_FACTORS = ("density", "hub_factor")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ParameterError(
            f"`{name}` must be a whole number, got {value!r}; give one from {low} to {high}."
        )
    if not low <= value <= high:
        raise ParameterError(f"`{name}` must be from {low} to {high}, got {value}.")
