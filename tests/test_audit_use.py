"""What records tell of cards sold: use, rule packs, regions."""

import math
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

import chanfp
from chanfp.audit.indicators import INDICATORS
from chanfp.audit.regions import relate
from chanfp.audit.rulepacks import load_rule_pack
from chanfp.audit.settingsfiles import shipped_names
from chanfp.errors import DataError
from shops import OUTLETS, START, cell_table, match_table, outlet_table, sale_table, table

FRIENDS = [f"1380000{n:04}" for n in range(20)]
CARD = "13900000001"
FULL = ("caller", "callee", "start_time", "duration_s", "kind", "cell", "imei")


def records(rows):
    """Return CDRs; the third value is the day since the start."""
    dated = [(*row[:2], START + timedelta(days=row[2]), *row[3:]) for row in rows]
    return table(dated, FULL, start_time=pa.timestamp("s"), duration_s=pa.int32())


def end_of_records(day=60):
    return ("13811111111", "13822222222", day, 60, "call", "c1", "i0")


def first_record():
    return ("13811111111", "13822222222", -1, 60, "call", "c1", "i0")


def audit(rows, sales, **options):
    given = {"cells": cell_table(), **options}
    return chanfp.audit_outlets(
        match_table([]), sale_table(sales), outlet_table(OUTLETS),
        cdrs=records([first_record(), *rows, end_of_records()]), **given,
    )  # fmt: skip


def sale(number, outlet="n1", day=0, cell="c1"):
    return (number, outlet, None, day, 50.0, 40.0, cell, None)


def one(result):
    return result.subscriptions.to_pylist()[0]


def test_call_time_tells_where_a_card_lives():
    def calls(inside, outside, place="c2"):
        cells = [("c1", "330101"), ("c2", "330102"), ("c3", "330200"), ("c4", "110100")]
        rows = [(CARD, FRIENDS[n], 1 + n, 10, "call", "c1", "i1") for n in range(inside)]
        rows += [(CARD, FRIENDS[n], 1.5 + n, 10, "call", place, "i1") for n in range(outside)]
        return one(audit(rows, [sale(CARD)], cells=cell_table(cells)))

    row = calls(3, 7)
    assert (row["is_cross_region"], row["region_lived"]) == (True, "330102")
    assert row["outside_share"] == pytest.approx(0.7)
    assert row["cross_region_rules"] == "outside=0.70"
    row = calls(4, 6)
    assert (row["is_cross_region"], row["region_lived"]) == (False, "330102")
    assert calls(8, 2)["is_cross_region"] is False
    assert calls(7, 3, "c3")["cross_region_rules"] == "other-city=0.30"
    assert calls(8, 2, "c4")["cross_region_rules"] == "other-province=0.20"
    assert calls(9, 1, "c4")["is_cross_region"] is False
    # Too few calls: the cell of the first use decides.
    row = calls(0, 4)
    assert (row["is_cross_region"], row["outside_share"]) == (False, None)
    assert row["region_lived"] == "330102"


def test_use_before_the_sale_and_after_the_window_belongs_to_nobody():
    rows = [(CARD, FRIENDS[n], 31 + n, 10, "call", "c2", "i1") for n in range(9)]
    rows += [(CARD, FRIENDS[n], -0.9, 10, "call", "c2", "i1") for n in range(2)]
    row = one(audit(rows, [sale(CARD, day=5)]))
    assert row["outside_share"] is None
    assert "few-minutes=0" in row["farming_rules"]


@pytest.mark.parametrize(
    ("cell", "outlet", "found"),
    [
        ("330101", "330101", 0),
        ("330101", "330100", 0),
        ("330101", "330000", 0),
        ("330102", "330101", 1),
        ("330201", "330101", 2),
        ("330200", "330100", 2),
        ("110101", "330101", 3),
        ("330100", "330101", -1),  # somewhere in the city, perhaps in the county
        (None, "330101", -1),
        ("330101", None, -1),
        ("east", "west", 1),
        ("east", "east", 0),
        ("east", "330101", 1),
    ],
)
def test_regions(cell, outlet, found):
    assert relate(cell, outlet) == found


def test_farming_rules_by_hand():
    sales = [sale(f"1390000000{n}") for n in range(5)]
    rows = []
    for n in (1, 2, 3):  # three cards first used in one handset, one cell, hardly any minutes
        rows += [(f"1390000000{n}", FRIENDS[0], 1 + n, 30, "call", "c1", "shared")] * 2
    rows += [("13900000004", FRIENDS[n], 1 + n, 60, "call", f"c{1 + n % 2}", "own")
             for n in range(9)]  # fmt: skip
    result = audit(rows, sales)
    found = {row["subscriber"][-1]: row for row in result.subscriptions.to_pylist()}
    assert found["0"]["farming_rules"] == "few-minutes=0;no-use=0"
    assert (found["0"]["farming_score"], found["0"]["farming_level"]) == (200, 1)
    assert found["1"]["farming_rules"] == "few-minutes=1;shared-handset=3;one-cell=1"
    assert (found["1"]["farming_score"], found["1"]["farming_level"]) == (300, 2)
    assert (found["4"]["farming_rules"], found["4"]["farming_level"]) == ("", 0)
    node = {row["outlet"]: row for row in result.nodes.to_pylist()}["n1"]
    assert (node["n_farming"], node["n_farming_judged"]) == (4, 5)
    assert node["farming_colour"] == "red"
    assert result.summary["rules_evaluated"]["low-bill"] == {
        "fired": 0, "not_fired": 0, "not_evaluated": 5,
    }  # fmt: skip
    assert "gate" in result.summary["not_evaluated"]  # all sold on one day


def test_too_early_to_say():
    row = one(audit([], [sale(CARD, day=50)]))
    assert row["farming_score"] is None
    assert row["farming_rules"] == ""
    row = one(audit([], [sale(CARD, day=-3)]))  # sold before the records begin
    assert row["farming_score"] is None


def test_months_of_usage():
    def found(*months, rules="unicom-low-use"):
        names = ("subscriber", "month", "fee", "voice_min", "sms", "data_mb")
        rows = [(CARD, month, 8.0, *values) for month, *values in months]
        reals = dict.fromkeys(names[2:], pa.float64())
        usage = table(rows, names, **reals)
        return one(
            chanfp.audit_outlets(
                match_table([]), sale_table([sale(CARD)]), outlet_table(), usage=usage, rules=rules
            )
        )

    low = (2.0, 4.0, 3.0)
    row = found(("2024-02", *low), ("2024-03", *low))
    assert row["farming_rules"] == "very-low-use=2,3,4"
    assert found(("2024-02", *low), ("2024-03", 3.0, 4.0, 3.0))["farming_rules"] == ""
    # A month that isn't in the table is not a month without use.
    row = found(("2024-02", *low))
    assert (row["farming_score"], row["farming_rules"]) == (None, "")
    row = found(("2024-02", *low), rules="china-mobile-2011")
    assert (row["farming_score"], row["farming_rules"]) == (100, "low-bill=8")


def test_one_condition_that_fails_decides():
    pack = load_rule_pack("unicom-low-use")
    (rule,) = [rule for rule in pack.rules if rule.name == "very-low-use"]
    values = {name: np.full(3, np.nan) for name in INDICATORS}
    values["voice_min_2_months"] = np.array([5.0, 1.0, 1.0])
    values["data_mb_2_months"] = np.array([np.nan, np.nan, 1.0])
    values["sms_2_months"] = np.array([np.nan, 1.0, 1.0])
    assert rule.evaluate(values).tolist() == [0, -1, 1]


def test_indicators_by_hand(tmp_path):
    sales = [sale("13900000010"), sale("13900000011"), sale("13900000012"), sale("13900000099")]
    rows = [
        ("13900000010", FRIENDS[0], 1, 600, "call", "c1", "i1"),
        (FRIENDS[0], "13900000010", 2, 600, "call", None, None),
        ("13900000011", "10086", 1, 60, "call", "c1", "i2"),
        ("13900000012", FRIENDS[1], 1, 60, "call", "c1", "i3"),
        ("13900000012", FRIENDS[2], 1, 60, "sms", "c1", "i3"),
    ]
    pack = """
        name = "mine"
        source = "me"
        window_days = 30
        least_days = 7
        alarm_levels = [1000]
        [shares]
        red = 0.03
        orange = 0.01
    """
    for name in (
        "n_records", "n_calls_made", "talk_min", "n_messages", "service_share", "n_partners",
        "n_reciprocal", "n_consecutive",
    ):  # fmt: skip
        pack += f"""
            [[rules]]
            name = "{name}"
            weight = 1
            all = [{{ indicator = "{name}", at_least = 0 }}]
            source = "me"
        """
    return_of = {}
    for row in audit(rows, sales, rules=written(pack, tmp_path)).subscriptions.to_pylist():
        pairs = (rule.split("=") for rule in row["farming_rules"].split(";"))
        return_of[row["subscriber"][-2:]] = {name: float(value) for name, value in pairs}
    first = return_of["10"]
    assert (first["n_records"], first["n_calls_made"], first["talk_min"]) == (2, 1, 20)
    assert (first["n_partners"], first["n_reciprocal"], first["n_consecutive"]) == (1, 1, 3)
    assert (return_of["11"]["service_share"], return_of["11"]["n_partners"]) == (1, 0)
    third = return_of["12"]
    assert (third["n_messages"], third["n_partners"], third["n_reciprocal"]) == (1, 2, 0)
    assert return_of["99"]["n_consecutive"] == 1
    assert "service_share" not in return_of["99"]  # no record, so no share


def written(text, folder):
    path = folder / "pack.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_gate_holds_back_outlets_that_did_not_grow():
    def flags(days_of_bad):
        sales, rows = [], []
        for shop in ("n1", "n2", "s1"):
            for n in range(60):
                number = f"139{len(sales):08}"
                day = n % 60 if shop != "n1" else days_of_bad[n % len(days_of_bad)]
                sales.append(sale(number, shop, day))
                if shop != "n1":
                    rows += [(number, FRIENDS[k], day + 1, 120, "call", f"c{1 + k % 2}", number)
                             for k in range(4)]  # fmt: skip
        result = chanfp.audit_outlets(
            match_table([]), sale_table(sales), outlet_table(), cell_table(),
            records([first_record(), *rows, end_of_records(120)]),
        )  # fmt: skip
        return {row["outlet"] for row in result.flags.to_pylist() if row["flag"] == "farming"}

    assert "n1" in flags([45, 50, 55])
    assert "n1" not in flags([5, 10, 55])


@pytest.mark.parametrize("name", shipped_names("rules"))
def test_shipped_packs(name):
    pack = load_rule_pack(name)
    assert pack.name == name
    assert pack.source
    assert all(rule.source and rule.weight > 0 for rule in pack.rules)
    assert pack.cross_region.outside_share == 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("window_days = 30", "windows = 30"), "'windows' means nothing here"),
        (('indicator = "talk_min"', 'indicator = "minutes"'), "there is no indicator 'minutes'"),
        (("below = 5", "under = 5"), "'under' means nothing here"),
        (("red = 0.03", "red = 3"), r"\[shares\]: red must be a number from 0 to 1, found 3"),
        (("alarm_levels = [200, 300]", "alarm_levels = [300, 200]"), "ascending numbers"),
        (('name = "template"', "name = template"), "must be TOML"),
        (('name = "hardly-any-use"', ""), "rules 1: name is missing"),
    ],
)
def test_a_pack_with_a_mistake(change, message, tmp_path):
    from importlib.resources import files

    text = files("chanfp.audit").joinpath("rules", "template.toml").read_text(encoding="utf-8")
    assert change[0] in text
    with pytest.raises(DataError, match=message):
        load_rule_pack(written(text.replace(*change, 1), tmp_path))


def test_any_number_of_threads_gives_the_same():
    carrier = chanfp.simulate(400, seed=5, days=40)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=40)
    matches = chanfp.Matcher().fit(fingerprints).match()

    def found(n_threads):
        return chanfp.audit_outlets(
            matches, carrier.sales, carrier.outlets, carrier.cells, carrier.cdrs,
            n_threads=n_threads,
        )  # fmt: skip

    one, many = found(1), found(3)
    for name, made in one.tables.items():
        assert made.equals(many.tables[name]), name
    nodes = one.nodes.to_pandas()
    top = nodes[nodes["parent"].isna()].iloc[0]
    leaves = nodes[~nodes["outlet"].isin(nodes["parent"])]
    for name in ("n_sold", "n_new", "n_farming", "n_cross_region", "n_grade_d"):
        assert leaves[name].sum() == top[name]
    assert math.isclose(leaves["commission_at_risk"].sum(), top["commission_at_risk"])
    assert leaves["expected_returners"].sum() == top["expected_returners"]


def test_cards_numbered_in_a_row_are_found():
    from importlib.resources import as_file, files

    carrier = chanfp.simulate(2000, seed=3, farming_share=0.1)
    with as_file(files("chanfp.audit").joinpath("rules", "template.toml")) as template:
        rows = chanfp.audit_outlets(
            match_table([]), carrier.sales, carrier.outlets, rules=template,
            cdrs=carrier.cdrs, cells=carrier.cells,
        ).subscriptions.to_pylist()  # fmt: skip
    truth = dict(
        zip(carrier.truth["new"].to_pylist(), carrier.truth["kind"].to_pylist(), strict=True)
    )
    fired = {row["subscriber"] for row in rows if "consecutive-numbers=8" in row["farming_rules"]}
    farmed = {number for number, kind in truth.items() if kind == "farmed"}
    assert len(farmed) > 10
    assert fired <= farmed
    # The strip that an outlet's number of cards cuts short may have fewer than five.
    assert len(fired) >= 0.6 * len(farmed)
