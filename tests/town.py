"""A town written by hand in which everything is uneven, and towns drawn at random.

Day 0 is Monday, 1 January 2024; the last record stands at the very beginning of day 70.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC

import pyarrow as pa

from carriers import CDR_HEADER, FRIENDS, START, stamp
from slow_matches import DAY_S, Call, Holder

START_S = int(START.replace(tzinfo=UTC).timestamp())
KEEPER, RETIRED, COUSIN, TWIN_1, TWIN_2, FAR, EDGE, BOTH = (
    f"1391111010{digit}" for digit in range(8)
)
RETURNER, MOVER, TINY = (f"1391111020{digit}" for digit in range(3))
EARLIER, SILENT, NOBODY, RECYCLED = (f"1391111030{digit}" for digit in range(4))
REGIONS = {"e1": "East", "e2": "East", "w1": "West", "unused": "North"}
ATTRIBUTES = (
    "subscription_id", "id_hash", "name_hash", "imei", "outlet", "seller", "plan", "status",
    "arrears", "leaving_score",
)  # fmt: skip


def at(day: float, hour: float = 0) -> int:
    """Return seconds since 1970."""
    return START_S + round(day * DAY_S + hour * 3600)


def out(who, other, days, hour, *, seconds=60, kind="call", cell="", imei="") -> list[Call]:
    """Return calls made, one a day."""
    return [Call(who, other, at(day, hour), seconds, kind, cell, imei) for day in days]


def into(who, other, days, hour, *, seconds=60, kind="call") -> list[Call]:
    """Return calls received; their cell and handset are the caller's and say nothing of `who`."""
    return [Call(other, who, at(day, hour), seconds, kind, "w1", "stray") for day in days]


def town_calls() -> list[Call]:
    """Return the calls of the town, by time."""
    f = FRIENDS
    calls = [
        *out(KEEPER, f[10], range(0, 71, 2), 0, cell="w1"),
        *out(KEEPER, f[0], range(1, 70, 7), 9),
        *into(KEEPER, f[11], range(3, 70, 9), 20),
        # The one who comes back. Last sign of life: day 38, 10:00; so its window of 20 days
        # begins on day 18, 10:00, with one call on the edge and one a second before it.
        *out(RETIRED, f[0], (19, 21, 24, 28, 35), 8, cell="e1", imei="ia1", seconds=90),
        *out(RETIRED, f[1], (22, 26, 38), 10, cell="e2", imei="ia2", seconds=30),
        *out(RETIRED, f[2], (25, 32), 21, cell="e1", imei="ia1"),
        *out(RETIRED, f[3], (18,), 10, cell="w1", imei="ia1"),
        Call(RETIRED, f[20], at(18, 10) - 1, 60, "call", "w1", "early"),
        *out(RETIRED, f[21], (2, 3, 9, 15), 10, cell="w1", imei="early"),
        *out(RETIRED, f[6], (30,), 13, seconds=0, kind="sms", cell="x9"),
        *out(RETIRED, "10086", (20, 23), 9, cell="e2"),
        *into(RETIRED, f[0], (20, 29), 19, seconds=240),
        *into(RETIRED, f[4], (23, 27, 31), 19, seconds=15),
        *into(RETIRED, f[5], (33,), 19, seconds=0),
        *into(RETIRED, f[1], (34,), 12, seconds=0, kind="sms"),
        # Its dead number is still dialled, and written to by a hotline.
        *into(RETIRED, f[7], (47, 52, 58), 18, seconds=0),
        *into(RETIRED, f[0], (49,), 18, seconds=0),
        *into(RETIRED, "10086", (51,), 9, seconds=0, kind="sms"),
        # Its return: begins exactly 25 days before the end; the window ends on day 65, 0:00. A call
        # that it didn't take comes first.
        *into(RETURNER, f[8], (44,), 7, seconds=0),
        *out(RETURNER, f[0], (45,), 0, cell="e1", imei="in1", seconds=45),
        *out(RETURNER, f[0], (47, 53, 61), 8, cell="e1", imei="in1", seconds=120),
        *out(RETURNER, f[1], (50,), 22, cell="e2", imei="in1"),
        *out(RETURNER, f[4], (65,), 0, cell="w1", imei="ia2"),
        *out(RETURNER, f[4], (56,), 23, cell="w1", imei="in1"),
        *out(RETURNER, "110", (57,), 3, cell="e1", imei="in1"),
        *into(RETURNER, f[2], (46, 48, 60), 21, seconds=33),
        *into(RETURNER, f[6], (51, 59), 13, seconds=0, kind="sms"),
        *into(RETURNER, f[30], (52,), 6, seconds=0),
        *out(RETURNER, f[31], (54, 55), 15, cell="x9", imei="in1"),
        Call(RETURNER, f[3], at(65) + 1, 60, "call", "e1", "late"),
        *out(RETURNER, f[3], (66, 67), 10, cell="e1", imei="late"),
        *into(RETURNER, f[32], (68,), 10),
        # Less like it: a cousin, and two whose calls are the same to the minute.
        *out(COUSIN, f[0], (20, 26), 8, cell="w1", imei="ib"),
        *out(COUSIN, f[9], (21, 22, 23, 27), 8, cell="w1", imei="ib"),
        *out(COUSIN, f[2], (30,), 9, cell="e1", imei="ib"),
        *into(COUSIN, f[6], (24,), 9, seconds=20),
        *(
            call
            for twin in (TWIN_1, TWIN_2)
            for call in (
                *out(twin, f[4], (28, 29), 11),
                *out(twin, f[12], (33,), 12),
                *into(twin, f[31], (35, 36), 16, seconds=50),
            )
        ),
        # Beyond the horizon of 45 days, exactly on it.
        *out(FAR, f[0], (5, 9, 19), 8, cell="e1"),
        *out(EDGE, f[1], (15, 20, 25), 0, cell="e2", imei="ie"),
        *out(EDGE, f[14], (21,), 7, cell="e2", imei="ie"),
        # New and departed again; began after the returner, before the mover.
        *out(BOTH, f[0], (52, 57), 14, cell="w1", imei="ix"),
        *out(BOTH, f[2], (53, 54, 60), 15, cell="w1", imei="ix"),
        *into(BOTH, f[15], (64,), 15),
        *out(MOVER, f[2], (55, 56, 62), 15, cell="e1", imei="im"),
        *out(MOVER, f[0], (58,), 15, cell="w1", imei="im"),
        *into(MOVER, f[15], (63, 64), 12),
        *out(TINY, f[4], (69,), 12, seconds=5),
        *into(TINY, f[12], (69,), 18, seconds=5),
        *out(TINY, f[0], (69,), 20, seconds=5),
        *out(EARLIER, f[16], range(30, 70, 4), 17),
        *out(SILENT, f[17], range(0, 21, 5), 17),
        *out(RECYCLED, f[18], (26, 27), 17),
        *out(RECYCLED, f[0], (28,), 17),
        *out(RECYCLED, f[19], (45,), 17),
        *out(RECYCLED, f[1], (55, 56), 17),
        *out(RECYCLED, f[14], (57,), 17),
        # Nobody here has a part in these.
        *out(f[0], f[1], (10, 30), 5),
    ]
    return sorted(calls, key=lambda call: call.start_s)


def town_holders() -> list[Holder]:
    """Return the subscriber table of the town: neither by number nor by role."""
    return [
        Holder(
            RETURNER,
            at(40),
            None,
            named(
                "n-1", id_hash="h1", name_hash="Li", imei="in1", outlet="o1", seller="s1", plan="p1"
            ),
        ),
        Holder(KEEPER, at(-100), None, named("k-1", id_hash="h9", outlet="o1")),
        Holder(
            RETIRED,
            at(-100),
            at(66),
            named(
                "a-1",
                id_hash="h1",
                name_hash="Wang",
                outlet="o1",
                seller="s2",
                plan="p1",
                status="suspended",
                arrears="12.5",
                leaving_score="0.75",
            ),
        ),
        Holder(
            COUSIN,
            None,
            at(39),
            named(
                "b-1",
                id_hash="h2",
                name_hash="Li",
                seller="s1",
                plan="p2",
                status="active",
                arrears="0",
            ),
        ),
        Holder(TWIN_2, at(-9), at(39), named("d-1", imei="in1", outlet="o2")),
        Holder(TWIN_1, at(-9), at(39), named("c-1", name_hash="Wang", outlet="o2")),
        Holder(BOTH, at(50), at(69), named("x-1", id_hash="h3", name_hash="Zhao", outlet="o3")),
        Holder(
            MOVER, at(50), None, named("m-1", id_hash="h3", name_hash="Zhou", outlet="o3", imei="q")
        ),
        Holder(FAR, at(-100), at(30), {}),
        Holder(EDGE, at(-100), at(30), named("e-1", id_hash="h1")),
        Holder(TINY, at(60), None, named("t-1", seller="s1")),
        Holder(EARLIER, at(-50), None, {}),
        Holder(SILENT, at(-50), None, {}),
        Holder(NOBODY, at(-50), at(30), {}),
        Holder(RECYCLED, at(50), None, named("r-2", id_hash="h4")),
        Holder(RECYCLED, at(-70), at(40), named("r-1", id_hash="h4")),
    ]


def named(subscription_id: str, **attributes: str) -> dict[str, str]:
    return {"subscription_id": subscription_id, **attributes}


def call_table(calls: Iterable[Call]) -> pa.Table:
    """Return CDRs as the library takes them, all as text."""
    rows = [
        (
            call.caller,
            call.callee,
            stamp((call.start_s - START_S) / DAY_S),
            "" if call.duration_s is None else str(call.duration_s),
            call.kind,
            call.cell,
            call.imei,
        )
        for call in calls
    ]
    columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=list(CDR_HEADER))


def holder_table(holders: Iterable[Holder]) -> pa.Table:
    """Return the subscriber table as the library takes it."""

    def date(seconds: int | None) -> str:
        return "" if seconds is None else stamp((seconds - START_S) / DAY_S)

    holders = list(holders)
    columns = {
        "subscriber": [holder.number for holder in holders],
        "activated_at": [date(holder.activated_s) for holder in holders],
        "departed_at": [date(holder.departed_s) for holder in holders],
    }
    for name in ATTRIBUTES:
        columns[name] = [holder.attributes.get(name, "") for holder in holders]
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def cell_table() -> pa.Table:
    return pa.table({"cell": list(REGIONS), "region": list(REGIONS.values())})


def random_town(seed: int) -> tuple[list[Call], list[Holder]]:
    """Return calls and holders on a grid of six hours, so that they often meet a window's edge."""
    draw = random.Random(seed)  # noqa: S311 - a made-up town
    span = draw.choice([24, 120, 160])
    numbers = [f"139222200{n:02}" for n in range(14)]
    others = [*FRIENDS[:7], "10086"]
    lives = {}
    for number in numbers:
        begin = draw.choice([0, 0, draw.randrange(span)])
        lives[number] = (begin, draw.choice([span, draw.randrange(begin, span) + 1]))
    calls = []
    for _ in range(draw.choice([60, 250, 400])):
        who = draw.choice(numbers)
        begin, end = lives[who]
        # Every tenth call ignores when the subscriber lives.
        tick = draw.randrange(begin, end) if draw.random() < 0.9 else draw.randrange(span)
        other = draw.choice([name for name in (*others, *numbers[:3]) if name != who])
        sides = (who, other) if draw.random() < 0.6 else (other, who)
        kind = draw.choice(["call", "call", "call", "sms"])
        seconds = draw.choice([None, 0, 0, 30, 600])
        made = draw.choice(["", "e1", "e2", "w1", "x9"]), draw.choice(["", "i1", "i2", "i3"])
        calls.append(Call(*sides, at(tick / 4), seconds, kind, *made))
    return sorted(calls, key=lambda call: call.start_s), [
        holder for number in numbers for holder in _random_holders(draw, number, lives[number])
    ]


def _random_holders(draw: random.Random, number: str, life: tuple[int, int]) -> list[Holder]:
    def attributes(place: str) -> dict[str, str]:
        chosen = {name: draw.choice(["", "1", "2"]) for name in ATTRIBUTES}
        chosen["imei"] = draw.choice(["", "", "i1", "i9"])
        chosen["status"] = draw.choice(["", "active", "suspended"])
        chosen["subscription_id"] = f"{number}-{place}"
        return {name: value for name, value in chosen.items() if value}

    begin, end = life
    activated = draw.choice([None, at(begin / 4), at(begin / 4), at(begin / 4 - 40)])
    departed = draw.choice([None, at(end / 4), at(end / 4 + 9)])
    holder = Holder(number, activated, departed, attributes("a"))
    if departed is None or draw.random() < 0.7:
        return [holder]
    again = departed + draw.choice([1, 21_600, 4 * DAY_S])
    return [Holder(number, again, draw.choice([None, again + 9 * DAY_S]), attributes("b")), holder]
