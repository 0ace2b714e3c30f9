"""The whole way from calls to matches in plain, slow Python: what `Matcher.match` must give.

Written after the documentation, not after the code: dictionaries, one call at a time, no library.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from scipy.special import betainc

DAY_S = 86_400
SERVICES = {"10086", "110", "4008001234"}


class Call(NamedTuple):
    """One record; times in seconds, an unknown duration is None."""

    caller: str
    callee: str
    start_s: int
    duration_s: int | None = 60
    kind: str = "call"
    cell: str = ""
    imei: str = ""


@dataclass(frozen=True)
class Holder:
    """One row of the subscriber table; None where a date or attribute is empty."""

    number: str
    activated_s: int | None = None
    departed_s: int | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    def held_at(self, time_s: int) -> bool:
        return (self.activated_s is None or self.activated_s <= time_s) and (
            self.departed_s is None or time_s <= self.departed_s
        )


@dataclass(frozen=True)
class Settings:
    """As in `build_fingerprints` and `Matcher`; None where a default is meant."""

    window_days: float = 30
    reference_s: int | None = None
    horizon_days: float | None = None
    new_days: float | None = None
    top: int = 5
    min_shared: int = 1


class Life(NamedTuple):
    """First and last sign of life, first record; all up to the reference time."""

    first_s: int
    last_s: int
    first_seen_s: int


@dataclass
class Cast:
    """Who has which role, with the window; holders are known by their row in the table."""

    departed: dict[int, tuple[int, int]] = field(default_factory=dict)
    new: dict[int, tuple[int, int]] = field(default_factory=dict)
    active: dict[int, tuple[int, int]] = field(default_factory=dict)
    active_later: dict[int, tuple[int, int]] = field(default_factory=dict)
    fading: dict[int, tuple[int, int]] = field(default_factory=dict)
    n_without_calls: int = 0
    n_beyond_horizon: int = 0
    n_began_earlier: int = 0
    n_unassigned: int = 0

    @property
    def old(self) -> dict[int, tuple[int, int]]:
        return self.departed | self.fading


def is_sign_of_life(call: Call, is_caller: bool) -> bool:
    """What one does oneself, an answered call, a message from a person."""
    if is_caller:
        return True
    is_message = call.kind == "sms"
    return call.caller not in SERVICES and (is_message or (call.duration_s or 0) > 0)


def own_side(call: Call, holder: Holder) -> list[bool]:
    """Return True for a record as caller, False for one as callee."""
    if not holder.held_at(call.start_s):
        return []
    return [True] * (call.caller == holder.number) + [False] * (call.callee == holder.number)


def life_of(calls: list[Call], holder: Holder, reference_s: int) -> Life | None:
    seen, own = [], []
    for call in calls:
        for is_caller in own_side(call, holder):
            if call.start_s <= reference_s:
                seen.append(call.start_s)
                if is_sign_of_life(call, is_caller):
                    own.append(call.start_s)
    if not seen:
        return None
    own = own or seen
    return Life(min(own), max(own), min(seen))


def is_alive_after(calls: list[Call], holder: Holder, reference_s: int) -> bool:
    return any(
        call.start_s > reference_s and is_sign_of_life(call, is_caller)
        for call in calls
        for is_caller in own_side(call, holder)
    )


def cast_roles(calls: list[Call], holders: list[Holder], settings: Settings) -> Cast:
    """Give everybody their roles."""
    cast = Cast()
    begin_s = min(call.start_s for call in calls)
    reference_s = reference_of(calls, settings)
    span_s = reference_s - begin_s
    window_s = round(settings.window_days * DAY_S)
    new_s = window_s if settings.new_days is None else round(settings.new_days * DAY_S)
    split_s = reference_s - min(window_s, span_s // 2)
    for row, holder in enumerate(holders):
        life = life_of(calls, holder, reference_s)
        if life is None:
            cast.n_without_calls += 1
            continue
        is_departed = holder.departed_s is not None and not is_alive_after(
            calls, holder, reference_s
        )
        activated_s = holder.activated_s
        is_stale = activated_s is not None and life.first_s - activated_s > 180 * DAY_S
        is_beginning_seen = (activated_s is not None and activated_s >= begin_s) or (
            life.first_s - begin_s >= min(7 * DAY_S, span_s // 4) and not is_stale
        )
        is_new = is_beginning_seen and reference_s - life.first_s <= new_s
        if is_departed:
            ago_s = reference_s - life.last_s
            if settings.horizon_days is None or ago_s <= round(settings.horizon_days * DAY_S):
                cast.departed[row] = (life.last_s - window_s, life.last_s)
            else:
                cast.n_beyond_horizon += 1
        if is_new:
            cast.new[row] = (life.first_s, min(life.first_s + window_s, reference_s))
        if is_departed or is_new:
            continue
        cast.n_began_earlier += is_beginning_seen
        windows = (split_s - window_s, split_s - 1), (split_s, reference_s)
        if life.first_s < split_s <= life.last_s and all(
            partners_of(calls, holder, window) for window in windows
        ):
            cast.active[row], cast.active_later[row] = windows
        else:
            cast.n_unassigned += 1
    for row in find_fading(calls, holders, cast):
        cast.fading[row] = cast.active.pop(row)
        cast.active_later.pop(row)
    return cast


def find_fading(calls: list[Call], holders: list[Holder], cast: Cast) -> list[int]:
    """Return whose calls are down to half, by more than bursts of calls explain."""
    volumes = {
        row: [
            partners_of(calls, holders[row], role[row]).total()
            for role in (cast.active, cast.active_later)
        ]
        for row in cast.active
    }
    if not volumes:
        return []
    earlier, later = (sum(side) for side in zip(*volumes.values(), strict=True))
    share = later / (earlier + later)
    changes = [
        (y - share * (x + y)) ** 2 / (share * (1 - share) * (x + y)) for x, y in volumes.values()
    ]
    burst = max(1.0, statistics.median(changes) / 0.454936423119572)
    return [
        row
        for row, (x, y) in volumes.items()
        if y / x <= 0.5 * later / earlier and betainc(x / burst, y / burst + 1, 1 - share) < 0.001
    ]


def reference_of(calls: list[Call], settings: Settings) -> int:
    last_s = max(call.start_s for call in calls)
    return last_s if settings.reference_s is None else settings.reference_s


def count_records(calls: list[Call], holders: list[Holder], reference_s: int) -> tuple[int, ...]:
    """Count records of nobody known, parties known but nobody's then, records after the time."""
    known = {holder.number for holder in holders}
    n_unknown = sum(not {call.caller, call.callee} & known for call in calls)
    n_outside = sum(
        number in known
        and not any(own_side(call, holder) for holder in holders if holder.number == number)
        for call in calls
        for number in (call.caller, call.callee)
    )
    return n_unknown, n_outside, sum(call.start_s > reference_s for call in calls)


def partners_of(calls: list[Call], holder: Holder, window: tuple[int, int]) -> Counter[str]:
    """Return calls and messages per partner; services are nobody's partner."""
    found: Counter[str] = Counter()
    for call in calls:
        if window[0] <= call.start_s <= window[1] and not {call.caller, call.callee} & SERVICES:
            for is_caller in own_side(call, holder):
                found[call.callee if is_caller else call.caller] += 1
    return found


def directed_partners(calls: list[Call], holder: Holder, window: tuple[int, int]) -> Counter:
    """Return calls and messages per partner and direction: True where the holder made them."""
    found: Counter[tuple[str, bool]] = Counter()
    for call in calls:
        if window[0] <= call.start_s <= window[1] and not {call.caller, call.callee} & SERVICES:
            for is_caller in own_side(call, holder):
                found[call.callee if is_caller else call.caller, is_caller] += 1
    return found


def made_by(calls: list[Call], holder: Holder, window: tuple[int, int]) -> list[Call]:
    return [
        call
        for call in calls
        if window[0] <= call.start_s <= window[1] and True in own_side(call, holder)
    ]


def shares(counts: Counter) -> dict:
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()}


def overlap(new: Counter, old: Counter) -> float | None:
    """Return the overlap of the shares of two sides, None where one is empty."""
    if not new or not old:
        return None
    p, q = shares(new), shares(old)
    return math.fsum(min(p[name], q[name]) for name in p.keys() & q.keys())


def affinity(new: Counter, old: Counter) -> float | None:
    """Return Bhattacharyya's affinity, None where one side is empty."""
    if not new or not old:
        return None
    p, q = shares(new), shares(old)
    return math.fsum(math.sqrt(p[name] * q[name]) for name in p.keys() & q.keys())


def ruzicka(new: dict, old: dict) -> float:
    names = new.keys() | old.keys()
    least = math.fsum(min(new.get(name, 0), old.get(name, 0)) for name in names)
    most = math.fsum(max(new.get(name, 0), old.get(name, 0)) for name in names)
    return least / most if most else math.nan


def region_of(made: list[Call], regions: dict[str, str]) -> str | None:
    counts = Counter(regions[call.cell] for call in made if call.cell in regions)
    return min(counts, key=lambda region: (-counts[region], region)) if counts else None


def home_cell(made: list[Call]) -> str | None:
    """Return the cell with most calls outside Monday to Friday, 9 to 18."""
    counts = Counter()
    for call in made:
        days, hour = divmod(call.start_s // 3600, 24)
        is_work = (days + 3) % 7 < 5 and 9 <= hour < 18  # 1970 began on a Thursday
        if call.cell and not is_work:
            counts[call.cell] += 1
    return min(counts, key=lambda cell: (-counts[cell], cell)) if counts else None


def grade_of(jaccard: float, n_shared: int, n_calls: int) -> tuple[str, str]:
    if n_shared < 2 or n_calls < 3:
        return "U", "thin-evidence"
    if jaccard >= 0.5 and n_shared >= 5 and n_calls >= 10:
        return "A", ""
    if jaccard >= 0.3 and n_shared >= 4 and n_calls >= 8:
        return "B", ""
    if jaccard >= 0.15 and n_shared >= 3 and n_calls >= 5:
        return "C", ""
    return "D", ""


def equal_or_unknown(left: str | None, right: str | None) -> bool | None:
    return left == right if left and right else None


@dataclass
class Town:
    """Everything that is known, with the roles that follow; measures one pair at a time."""

    calls: list[Call]
    holders: list[Holder]
    settings: Settings
    regions: dict[str, str] | None = None

    def __post_init__(self) -> None:
        self.reference_s = reference_of(self.calls, self.settings)
        self.cast = cast_roles(self.calls, self.holders, self.settings)
        self.new, self.old, self.active = (
            {row: partners_of(self.calls, self.holders[row], window) for row, window in role}
            for role in (
                self.cast.new.items(),
                self.cast.old.items(),
                self.cast.active.items(),
            )
        )
        prints = [*self.new.values(), *self.old.values(), *self.active.values()]
        self.n_prints = Counter(partner for found in prints for partner in found)
        self.rarity = {
            partner: max(0.0, math.log((1 + len(prints)) / (1 + n)))
            for partner, n in self.n_prints.items()
        }

    def life(self, row: int) -> Life:
        life = life_of(self.calls, self.holders[row], self.reference_s)
        assert life is not None
        return life

    def order(self, row: int) -> tuple[int, int]:
        """Return what subscriptions are ordered by: number, then time."""
        begin_s = self.holders[row].activated_s
        return int(self.holders[row].number), -(2**62) if begin_s is None else begin_s

    def may_follow(self, new_row: int, old_row: int) -> bool:
        """Tell whether the old one had been seen before the new one began."""
        old = self.life(old_row)
        begin_s = old.first_s if old_row in self.cast.new else old.first_seen_s
        return begin_s < self.life(new_row).first_s

    def candidates(self, new_row: int) -> list[int]:
        """Return rows of the departed and the fading, best first."""
        found = []
        for old_row, old in self.old.items():
            new = self.new[new_row]
            n_shared = len(new.keys() & old.keys())
            if n_shared < self.settings.min_shared or not self.may_follow(new_row, old_row):
                continue
            found.append((self.ranking(new_row, old_row), old_row))
        return [old_row for _, old_row in sorted(found)[: self.settings.top]]

    def ranking(self, new_row: int, old_row: int) -> tuple:
        new, old = self.new[new_row], self.old[old_row]
        jaccard = Fraction(len(new.keys() & old.keys()), len(new.keys() | old.keys()))
        tfidf = ruzicka(*self.weighed(new_row, old_row))
        return -jaccard, -round(tfidf, 9), old_row in self.cast.fading, self.order(old_row)

    def weighed(self, new_row: int, old_row: int) -> list[dict[str, float]]:
        """Return calls times rarity of each partner, of both sides."""
        return [
            {partner: calls * self.rarity[partner] for partner, calls in side.items()}
            for side in (self.new[new_row], self.old[old_row])
        ]

    def matches(self) -> list[dict[str, object]]:
        """Return every column of every row, in the order of the table."""
        return [{"rank": rank, **self.measure(*pair)} for pair, rank in self.pairs().items()]

    def pairs(self) -> dict[tuple[int, int], int]:
        """Return the rank of each pair of new and old holder, in the order of the table."""
        return {
            (new_row, old_row): rank
            for new_row in sorted(self.new, key=self.order)
            for rank, old_row in enumerate(self.candidates(new_row), 1)
        }

    def measure(self, new_row: int, old_row: int) -> dict[str, object]:
        return (
            self.partner_evidence(new_row, old_row)
            | self.timing(new_row, old_row)
            | self.profile_evidence(new_row, old_row)
            | self.attribute_evidence(new_row, old_row)
        )

    def partner_evidence(self, new_row: int, old_row: int) -> dict[str, object]:
        new, old = self.new[new_row], self.old[old_row]
        shared, union = new.keys() & old.keys(), new.keys() | old.keys()
        rare = [math.fsum(self.rarity[name] for name in names) for names in (shared, union)]
        norms = [math.sqrt(sum(n * n for n in side.values())) for side in (new, old)]
        jaccard = len(shared) / len(union)
        n_calls = min(new.total(), old.total())
        grade, reason = grade_of(jaccard, len(shared), n_calls)
        mean = math.sqrt(new.total() * old.total())
        directed = [
            directed_partners(self.calls, self.holders[row], role[row])
            for row, role in ((new_row, self.cast.new), (old_row, self.cast.old))
        ]
        return {
            "grade": grade,
            "reason": reason,
            "link": "partial-replacement" if old_row in self.cast.fading else "replacement",
            "probability": None,
            "q_value": None,
            "jaccard": jaccard,
            "expected_jaccard": jaccard,  # no rounds here
            "weighted_jaccard": ruzicka(new, old),
            "idf_jaccard": rare[0] / rare[1] if rare[1] else None,
            "tfidf_jaccard": ruzicka(*self.weighed(new_row, old_row)),
            "hellinger": affinity(new, old),
            "cosine": sum(new[name] * old[name] for name in shared) / norms[0] / norms[1],
            "containment_new": len(shared) / len(new),
            "containment_old": len(shared) / len(old),
            "idf_shared": rare[0],
            "idf_hellinger": math.fsum(
                self.rarity[name] * math.sqrt(new[name] * old[name]) for name in shared
            )
            / mean,
            "direction_similarity": math.fsum(
                math.sqrt(directed[0][way] * directed[1][way])
                for way in directed[0].keys() & directed[1].keys()
            )
            / mean,
            "call_share_new": sum(new[name] for name in shared) / new.total(),
            "call_share_old": sum(old[name] for name in shared) / old.total(),
            "rank_agreement": self.top_overlap(new, old),
            "n_shared": len(shared),
            "expected_shared": len(shared),
            "margin_new": None,
            "margin_old": None,
            "n_partners_new": len(new),
            "n_partners_old": len(old),
            "n_calls_new": new.total(),
            "n_calls_old": old.total(),
        }

    def top_overlap(self, new: Counter[str], old: Counter[str]) -> float:
        """Return how much of the top 1, 2, … 5 partners both have, on average."""
        tops = [
            sorted(side, key=lambda name, side=side: (-side[name], -self.rarity[name], name))
            for side in (new, old)
        ]
        depths = range(1, min(5, len(new), len(old)) + 1)
        shares = [len({*tops[0][:d]} & {*tops[1][:d]}) / d for d in depths]
        return sum(shares) / len(shares)

    def timing(self, new_row: int, old_row: int) -> dict[str, object]:
        new, old = self.life(new_row), self.life(old_row)
        seen_new_s = self.cast.new[new_row][1] - new.first_s
        begin_s, end_s = self.cast.old[old_row]
        seen_old_s = end_s - max(begin_s, old.first_seen_s)
        per_day = [
            side.total() / (max(seconds, DAY_S) / DAY_S)
            for side, seconds in (
                (self.new[new_row], seen_new_s),
                (self.old[old_row], seen_old_s),
            )
        ]
        return {
            "gap_days": (new.first_s - old.last_s) / DAY_S,
            "days_observed_new": seen_new_s / DAY_S,
            "days_observed_old": seen_old_s / DAY_S,
            "alive_at_once": new.first_s < old.last_s,
            "volume_ratio": per_day[0] / per_day[1],
        }

    def profile_evidence(self, new_row: int, old_row: int) -> dict[str, object]:
        new, old = (
            made_by(self.calls, self.holders[row], role[row])
            for row, role in ((new_row, self.cast.new), (old_row, self.cast.old))
        )
        handsets = [
            {call.imei for call in made if call.imei}
            | ({self.holders[row].attributes.get("imei")} - {None})
            for made, row in ((new, new_row), (old, old_row))
        ]
        cells = [Counter(call.cell for call in made if call.cell) for made in (new, old)]
        hours = [Counter(call.start_s // 3600 % 168 for call in made) for made in (new, old)]
        return {
            "cell_similarity": overlap(*cells),
            "same_home_cell": equal_or_unknown(home_cell(new), home_cell(old)),
            "hour_similarity": affinity(*hours),
            "same_imei": bool(handsets[0] & handsets[1]) if all(handsets) else None,
            "region_new": region_of(new, self.regions) if self.regions else None,
            "region_old": region_of(old, self.regions) if self.regions else None,
        }

    def attribute_evidence(self, new_row: int, old_row: int) -> dict[str, object]:
        new, old = self.holders[new_row], self.holders[old_row]
        found: dict[str, object] = {
            column: equal_or_unknown(new.attributes.get(name), old.attributes.get(name))
            for column, name in (
                ("same_id", "id_hash"),
                ("same_name", "name_hash"),
                ("same_outlet", "outlet"),
                ("same_seller", "seller"),
                ("same_plan", "plan"),
            )
        }
        status, arrears, score = (
            old.attributes.get(name) or None for name in ("status", "arrears", "leaving_score")
        )
        return found | {
            "old_status": status,
            "old_suspended": {"suspended": True, "active": False}.get(status or ""),
            "old_arrears": None if arrears is None else float(arrears),
            "old_leaving_score": None if score is None else float(score),
            "new": new.number,
            "old": old.number,
            "new_subscription": new.attributes.get("subscription_id"),
            "old_subscription": old.attributes.get("subscription_id"),
        }
