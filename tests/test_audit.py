"""The audit of outlets: figures by hand, what is missing isn't guessed, tables and errors."""

import json
import math
import subprocess
import sys
from datetime import timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import chanfp
from chanfp.audit.nodes import find_actions
from chanfp.audit.schemas import FLAG_SCHEMA, NODE_SCHEMA, SUBSCRIPTION_SCHEMA
from chanfp.errors import ColumnError, DataError, ParameterError
from shops import (
    MATCHES,
    OUTLETS,
    SALES,
    START,
    cell_table,
    match_table,
    outlet_table,
    sale_table,
    table,
)


def audit(matches=MATCHES, sales=SALES, outlets=OUTLETS, **options):
    return chanfp.audit_outlets(
        match_table(matches), sale_table(sales), outlet_table(outlets), **options
    )


def by_outlet(result):
    return {row["outlet"]: row for row in result.nodes.to_pylist()}


def by_number(result):
    return {row["subscriber"][-1]: row for row in result.subscriptions.to_pylist()}


def test_figures_by_hand():
    result = audit(cells=cell_table())
    nodes = by_outlet(result)
    assert list(nodes) == [
        "city", "north", "n1", "n1/ann", "n1/bob", "n2", "south", "s1", "s1/ann",
    ]  # fmt: skip
    expected = {
        # n_sold, n_new, returners, at risk, paid, grades A and B, cross-region
        "city": (6, 6, 1.475, 35.12, 101.1, 1, 1, 1),
        "north": (5, 5, 1.375, 35.05, 100.4, 1, 1, 1),
        "n1": (3, 3, 1.375, 35.05, 80.2, 1, 1, 1),
        "n1/ann": (2, 2, 0.875, 35.0, 80.1, 1, 0, 0),
        "n1/bob": (1, 1, 0.5, 0.05, 0.1, 0, 1, 1),
        "n2": (1, 1, 0.0, 0.0, 0.2, 0, 0, 0),
        "south": (1, 1, 0.1, 0.07, 0.7, 0, 0, 0),
        "s1": (1, 1, 0.1, 0.07, 0.7, 0, 0, 0),
        "s1/ann": (1, 1, 0.1, 0.07, 0.7, 0, 0, 0),
    }
    for name, (sold, new, returners, at_risk, paid, n_a, n_b, across) in expected.items():
        row = nodes[name]
        assert (row["n_sold"], row["n_new"]) == (sold, new), name
        assert row["expected_returners"] == pytest.approx(returners, abs=1e-8), name
        assert row["returner_share"] == pytest.approx(returners / new, abs=1e-8), name
        assert (row["commission_at_risk"], row["commission_paid"]) == (at_risk, paid), name
        assert (row["n_grade_a"], row["n_grade_b"], row["n_cross_region"]) == (n_a, n_b, across)
        assert row["returner_low"] < row["returner_estimate"] < row["returner_high"]
    assert (nodes["city"]["parent"], nodes["n1/ann"]["parent"]) == (None, "n1")
    assert (nodes["n1/ann"]["kind"], nodes["n1/ann"]["seller"]) == ("seller", "ann")
    assert nodes["city"]["returner_share_of_region"] is None  # nothing to be compared with
    assert nodes["city"]["action"] == "pay"


def test_sums_of_floats_are_exact():
    nodes = audit().nodes.to_pandas().set_index("outlet")
    for name in ("expected_returners", "commission_paid", "commission_at_risk"):
        below = nodes.groupby("parent")[name].sum()
        for outlet in ("city", "south", "s1"):
            cents = 2**30 if name == "expected_returners" else 100
            assert round(nodes.loc[outlet, name] * cents) == round(below[outlet] * cents)


def test_subscriptions_by_hand():
    rows = by_number(audit(cells=cell_table()))
    assert [rows[n]["returner_probability"] for n in "123456"] == pytest.approx(
        [0.875, 0, 0.5, 0, 0.1, 0], abs=1e-8
    )
    assert [rows[n]["customer_type"] for n in "123456"] == [
        "returner", "new", "returner", "new", "new", "new",
    ]  # fmt: skip
    assert (rows["1"]["old"], rows["2"]["old"]) == ("13800000001", None)
    assert (rows["1"]["grade"], rows["2"]["grade"]) == ("A", None)
    assert [rows[n]["is_cross_region"] for n in "123456"] == [0, 0, 1, 0, 0, 0]
    assert rows["3"]["cross_region_rules"] == "activated-outside=1"
    assert (rows["1"]["region"], rows["5"]["region"]) == ("330101", "330102")
    assert rows["1"]["activated_at"] is None  # no table of subscribers


def test_null_probabilities_stand_in_by_grade():
    matches = [
        ("13900000001", "13800000001", 1, "A", None),
        ("13900000001", "13800000002", 2, "D", None),
        ("13900000002", "13800000003", 1, "U", None),
        ("13900000003", "13800000004", 1, "C", 0.25),
    ]
    result = audit(matches)
    rows = by_number(result)
    assert [rows[n]["returner_probability"] for n in "123"] == pytest.approx([0.99, 0, 0.25])
    assert result.summary["probability_by_grade"] == 2


def test_what_is_missing_is_not_evaluated():
    sales = [(*row[:5], None, None, None) for row in SALES]
    table_of_sales = sale_table(sales).drop_columns(["commission", "activation_cell"])
    result = chanfp.audit_outlets(match_table(), table_of_sales, outlet_table(), cell_table())
    assert result.summary["not_evaluated"] == [
        "farming", "gate", "cross-region", "commission", "instalments", "activation",
        "additional-number",
    ]  # fmt: skip
    row = by_outlet(result)["n1"]
    for name in (
        "n_cross_region", "n_farming", "commission_paid", "commission_at_risk",
        "recommended_commission", "n_activated", "n_still_active", "median_activation_days",
        "n_second_due", "n_recharges", "same_outlet_share", "passes_gate", "farming_colour",
    ):  # fmt: skip
        assert row[name] is None, name
    assert row["n_new"] == 3


def subscribers(rows):
    names = ("subscriber", "activated_at", "departed_at", "outlet", "seller", "id_hash")
    return table(rows, names, activated_at=pa.timestamp("s"), departed_at=pa.timestamp("s"))


def day(n):
    return START + timedelta(days=n)


def test_with_a_table_of_subscribers():
    people = subscribers(
        [
            ("13900000001", day(-1), None, "n1", "ann", "p1"),
            ("13900000002", day(3), day(20), "n2", "ann", "p2"),
            ("13900000003", day(2), None, None, "bob", "p3"),
            ("13900000004", None, None, "n2", None, "p9"),
            ("13900000005", day(9), None, "s1", "ann", "p5"),
            ("13800000001", day(-900), day(-5), "n1", "bob", "p1"),
            ("13800000003", day(-900), day(-5), "n2", None, "p8"),
            ("13700000009", day(-900), None, "n2", None, "p9"),
        ]
    )
    result = audit(subscribers=people)
    rows, nodes = by_number(result), by_outlet(result)
    # Sale, then subscriber table: outlet of 2 is another one there.
    assert rows["2"]["outlet"] == "n1"
    assert result.summary["outlet_mismatches"] == 1
    assert (rows["1"]["same_outlet"], rows["1"]["same_seller"]) == (True, False)
    assert (rows["3"]["same_outlet"], rows["3"]["same_seller"]) == (False, None)
    assert rows["5"]["same_outlet"] is None  # nobody knows who sold the old number
    assert rows["4"]["customer_type"] == "additional-number"  # 13700000009 under the same id
    n1 = nodes["n1"]
    assert (n1["n_activated"], n1["n_still_active"]) == (3, 2)
    assert n1["median_activation_days"] == 0.0  # of -1, 2 and 0
    assert nodes["n1/ann"]["median_activation_days"] == 0.5
    assert nodes["city"]["n_activated"] == 4
    assert n1["same_outlet_share"] == pytest.approx(0.875 / 1.375, abs=1e-8)


def test_a_recycled_number_is_two_subscriptions():
    names = ("subscriber", "activated_at", "departed_at", "subscription_id")
    people = table(
        [
            ("13900000001", day(-1), day(4), "s1"),
            ("13900000001", day(100), None, "s2"),
            ("13900000003", day(2), None, "s3"),
        ],
        names, activated_at=pa.timestamp("s"), departed_at=pa.timestamp("s"),
    )  # fmt: skip
    sales = [SALES[0], ("13900000001", "s1", None, 99, 1.0, 1.0, None, None)]
    matches = match_table([("13900000001", "13900000001", 1, "A", 0.9)])
    for which, expected in (("s1", [0.9, 0.0]), ("s2", [0.0, 0.9])):
        named = matches.append_column("new_subscription", pa.array([which]))
        result = chanfp.audit_outlets(
            named, sale_table(sales), outlet_table(), subscribers=people, new_since=START
        )
        found = result.subscriptions["returner_probability"].to_pylist()
        assert found == pytest.approx(expected, abs=1e-8)
        assert result.subscriptions["subscription_id"].to_pylist() == ["s1", "s2"]


def test_wanderers_come_back_twice_within_half_a_year():
    def found(days_between):
        sales = [
            ("13900000001", "n1", None, 0, 1.0, 1.0, None, None),
            ("13900000002", "s1", None, days_between, 1.0, 1.0, None, None),
        ]
        matches = [
            ("13900000001", "13800000001", 1, "A", 0.9),
            ("13900000002", "13900000001", 1, "A", 0.9),
        ]
        result = audit(matches, sales)
        assert by_outlet(result)["city"]["n_wanderers"] == result.summary["totals"]["n_wanderers"]
        return result.subscriptions["customer_type"].to_pylist()

    assert found(183) == ["wanderer", "wanderer"]
    assert found(184) == ["returner", "returner"]


def test_a_fading_number_is_its_present_holders():
    people = subscribers(
        [
            ("13900000001", day(-1), None, "n1", "ann", "p1"),
            ("13800000001", day(-900), day(-500), "n1", "ann", "p2"),
            ("13800000001", day(-300), None, "n2", "bob", "p1"),
        ]
    )
    rows = MATCHES[:1]

    def first(*link):
        matches = match_table(rows)
        if link:
            matches = matches.append_column("link", pa.array(link, pa.string()))
        result = chanfp.audit_outlets(matches, sale_table(), outlet_table(), subscribers=people)
        row = by_number(result)["1"]
        assert row["commission_at_risk"] == 30.0  # of 40 by 0.75, whatever the link
        assert by_outlet(result)["n1"]["expected_returners"] == pytest.approx(0.75, abs=1e-8)
        return row["same_outlet"], row["same_seller"], row["customer_type"]

    # Who departed sold it at n1; who holds it still, at n2.
    assert first("partial-replacement") == (False, False, "partial-returner")
    assert first("replacement") == first(None) == first() == (True, True, "returner")


def test_partial_replacements_make_no_wanderers():
    sales = [
        ("13900000001", "n1", None, 0, 1.0, 1.0, None, None),
        ("13900000002", "s1", None, 30, 1.0, 1.0, None, None),
    ]
    matches = match_table(
        [
            ("13900000001", "13800000001", 1, "A", 0.9),
            ("13900000002", "13900000001", 1, "A", 0.9),
        ]
    )
    named = matches.append_column("link", pa.array(["replacement", "partial-replacement"]))
    result = chanfp.audit_outlets(named, sale_table(sales), outlet_table())
    assert result.subscriptions["customer_type"].to_pylist() == ["returner", "partial-returner"]
    assert result.summary["totals"]["n_wanderers"] == 0


def test_new_since():
    result = audit(new_since="2024-01-04")
    assert result.summary["totals"]["n_new"] == 5  # matched ones are new anyway; 2 isn't
    assert result.summary["new_counted_by"] == "sold_at"
    assert by_number(result)["2"]["returner_probability"] is None


def test_recharges_count_for_the_sale_before():
    recharges = table(
        [
            ("13900000001", day(1), "n1", "c1"),
            ("13900000001", day(2), "n1", "c1"),
            ("13900000001", day(-2), "n1", None),
            ("13900000003", day(8), "s1", "c2"),
        ],
        ("subscriber", "time", "outlet", "cell"), time=pa.timestamp("s"),
    )  # fmt: skip
    result = audit(recharges=recharges)
    nodes = by_outlet(result)
    assert [nodes[name]["n_recharges"] for name in ("city", "n1/ann", "n1/bob")] == [3, 2, 1]
    assert result.recharges.to_pylist() == [
        {"outlet": "n1", "cell": "c1", "n_recharges": 2, "n_subscribers": 1},
        {"outlet": "n1", "cell": None, "n_recharges": 1, "n_subscribers": 1},
        {"outlet": "s1", "cell": "c2", "n_recharges": 1, "n_subscribers": 1},
    ]


def test_cuts_and_changes():
    result = audit(by=["week", "region"], cells=cell_table())
    rows = result.cuts.to_pylist()
    assert [(str(row["week"]), row["region"], row["n_sold"], row["n_cross_region"])
            for row in rows] == [
        ("2024-01-01", "330101", 4, 1), ("2024-01-08", "330101", 1, 0),
        ("2024-01-08", "330102", 1, 0),
    ]  # fmt: skip
    assert rows[0]["expected_returners"] == pytest.approx(1.375, abs=1e-8)
    assert rows[0]["change"] is None
    assert rows[1]["change_low"] < rows[1]["change"] < 0 < rows[1]["change_high"]
    assert rows[2]["change"] is None
    assert sum(row["commission_paid"] for row in rows) == pytest.approx(101.1)
    products = audit(by=["product", "product"]).cuts
    assert products["product"].to_pylist() == ["city", "village"]
    assert products["change"].null_count == 2  # no sale 30 days before
    with pytest.raises(ParameterError, match="`compare_days` must be a number above 0"):
        audit(by=["product"], compare_days=0)
    with pytest.raises(ParameterError, match="`by` must name some of outlet, region, week"):
        audit(by=["month"])


def test_the_last_period_against_the_one_before():
    sales, matches = [], []
    for shop, shares in (("up", (0.1, 0.5)), ("same", (0.2, 0.2)), ("late", (0.0, 0.3))):
        for day, share in zip((5, 15), shares, strict=True):
            for number in range(0 if (shop, day) == ("late", 5) else 200):
                phone = f"139{len(sales):08}"
                sales.append((phone, shop, None, day, 50.0, 10.0, None, None))
                probability = float(number < 200 * share)
                matches.append((phone, f"138{len(sales):08}", 1, "A", probability))
    outlets = [("top", None, "top", "r")]
    outlets += [(shop, "top", "retail", "r") for shop in ("up", "same", "late")]
    cuts = audit(matches, sales, outlets, by=["outlet"], compare_days=10).cuts.to_pylist()
    late, same, up = cuts
    assert late["change"] is None
    assert up["change"] == pytest.approx(0.4, abs=0.03)
    assert 0.3 < up["change_low"] < up["change"] < up["change_high"] < 0.5
    assert same["change_low"] < 0 < same["change_high"]
    # Both in one period: nothing to compare with.
    assert audit(matches, sales, outlets, by=["outlet"]).cuts["change"].null_count == 3


def test_the_match_tells_additional_numbers():
    matches = match_table()
    reasons = ["thin-evidence;additional-number", None, None, "thin-evidence"]
    told = matches.append_column("reason", pa.array(reasons))
    low = told.set_column(4, "probability", pa.array([0.1, 0.1, 0.5, 0.1]))
    result = chanfp.audit_outlets(low, sale_table(), outlet_table())
    types = {number: row["customer_type"] for number, row in by_number(result).items()}
    assert types == dict(
        zip("123456", ["additional-number", "new", "returner", *["new"] * 3], strict=True)
    )
    assert "additional-number" not in result.summary["not_evaluated"]
    assert "additional-number" in audit().summary["not_evaluated"]
    listed = table([("13900000004",), ("13800000009",)], ("new",))
    types = {
        number: row["customer_type"] for number, row in by_number(audit(additional=listed)).items()
    }
    assert [number for number in "123456" if types[number] == "additional-number"] == ["4"]
    bad = table([("x",)], ("new",))
    with pytest.raises(DataError, match="row 1, column 'new': a subscriber number"):
        audit(additional=bad)


def test_a_large_share_at_a_large_outlet_stands_out_and_two_of_three_do_not():
    sales, matches = [], []

    def sell(outlet, n, n_returners):
        for number in range(n):
            phone = f"139{len(sales):08}"
            sales.append((phone, outlet, None, 1, 50.0, 10.0, None, None))
            matches.append((phone, f"138{len(sales):08}", 1, "A", float(number < n_returners)))

    outlets = [("top", None, "top", "r")]
    for shop in range(30):
        outlets.append((f"h{shop}", "top", "retail", "r"))
        sell(f"h{shop}", 40, 4)
    outlets += [("village", "top", "retail", "r"), ("bad", "top", "retail", "r")]
    sell("village", 3, 2)
    sell("bad", 400, 90)
    result = audit(matches, sales, outlets)
    nodes = by_outlet(result)
    assert [row["outlet"] for row in result.flags.to_pylist()] == ["bad"]
    (flag,) = result.flags.to_pylist()
    assert (flag["flag"], flag["n"]) == ("returners", 400)
    assert flag["share"] == pytest.approx(0.225)
    assert flag["share_of_region"] == pytest.approx(122 / 1203)
    assert flag["threshold"] == pytest.approx(1.25 * 122 / 1203)
    assert flag["low"] > flag["threshold"]
    assert flag["q_value"] <= 0.05
    assert "n_grade_a=400" in flag["evidence"]
    assert nodes["village"]["returner_low"] < nodes["bad"]["returner_low"]
    assert nodes["village"]["returner_share"] > nodes["bad"]["returner_share"]
    assert (nodes["bad"]["flags"], nodes["bad"]["action"]) == ("returners", "hold")
    # 0.15 to 0.19 of the outlet: 0.4 of the commission on returners is held.
    assert 0.15 <= nodes["bad"]["returner_low"] < 0.19
    assert nodes["bad"]["commission_at_risk"] == 900.0
    assert nodes["bad"]["commission_to_hold"] == 360.0
    assert nodes["bad"]["recommended_commission"] == 4000 - 360
    assert nodes["top"]["commission_to_hold"] == 360.0
    assert nodes["top"]["recommended_commission"] == 16030 - 360


def test_a_clean_outlet_is_rewarded_once_use_is_known(monkeypatch):
    outlets = [("top", None, "top", "r"), ("a", "top", "retail", "r"), ("b", "top", "retail", "r")]
    sales = [(f"139{n:08}", "ab"[n % 2], None, 1, 1.0, 10.0, None, None) for n in range(400)]
    matches = [(f"139{n:08}", f"138{n:08}", 1, "A", 0.5) for n in range(1, 400, 2)]
    # Cards that nobody uses never match, so nothing is paid for few returners until use is known.
    nodes = by_outlet(audit(matches, sales, outlets))
    assert (nodes["a"]["action"], nodes["a"]["bonus"]) == ("pay", 0.0)
    known = partial(find_actions, knows_farming=True)
    monkeypatch.setattr("chanfp.audit.auditing.find_actions", lambda *words, **_: known(*words))
    nodes = by_outlet(audit(matches, sales, outlets))
    assert (nodes["a"]["action"], nodes["a"]["bonus"]) == ("reward", 100.0)
    assert nodes["a"]["recommended_commission"] == 2100.0
    assert nodes["top"]["bonus"] == 100.0


def test_a_time_after_all_sales_is_refused():
    outlets = [("top", None, "top", "r")]
    sales = [(f"139{n:08}", "top", None, 1, 1.0, 10.0, None, None) for n in range(4)]
    matches = [("13900000001", "13800000001", 1, "A", 0.5)]
    with pytest.raises(ParameterError, match="lies after the last sale"):
        audit(matches, sales, outlets, new_since="2030-01-01")


def test_instalments_that_stay_away():
    def settled(months):
        return [
            (f"139{n:08}", month, 10.0, day(60 + 30 * month))
            for month in months
            for n in range(20)
            if month != 4 or n < 13
        ]

    sales = [(f"139{n:08}", "n1", None, 0, 1.0, 30.0, None, None) for n in range(20)]
    names = ("subscriber", "user_month", "amount", "paid_at")
    types = {"user_month": pa.int64(), "amount": pa.float64(), "paid_at": pa.timestamp("s")}
    result = audit([], sales, settlements=table(settled((2, 4)), names, **types))
    row = by_outlet(result)["n1"]
    assert (row["n_second_due"], row["n_second_zero"]) == (20, 7)  # 35 %, 30 % are too many
    assert (row["commission_due"], row["commission_paid"]) == (600.0, 330.0)
    assert row["flags"] == "commission"
    assert row["n_third_due"] == 0
    early = table(settled((2,)), names, **types)  # by April four months haven't passed
    row = by_outlet(audit([], sales, settlements=early))["n1"]
    assert (row["n_second_due"], row["flags"]) == (0, "")


def test_the_order_of_rows_changes_nothing():
    one = audit(cells=cell_table(), by=["week"])
    other = audit(
        MATCHES[::-1], SALES[::-1], OUTLETS[::-1], cells=cell_table([("c2", "330102"),
        ("c1", "330101")]), by=["week"],
    )  # fmt: skip
    assert other.nodes.equals(one.nodes)
    assert other.flags.equals(one.flags)
    assert other.cuts.equals(one.cuts)
    assert other.subscriptions.to_pylist() == one.subscriptions.to_pylist()[::-1]


def test_no_sale_and_no_match():
    result = audit([], [], cells=cell_table(), by=["outlet"])
    assert result.nodes.num_rows == 6
    assert result.subscriptions.num_rows == result.cuts.num_rows == 0
    assert result.summary["totals"]["n_sold"] == 0
    assert repr(result) == "<OutletAudit: 0 sales at 6 nodes; flagged: none>"


def test_schemas():
    result = audit(cells=cell_table())
    assert result.nodes.schema.equals(NODE_SCHEMA, check_metadata=True)
    assert result.subscriptions.schema.equals(SUBSCRIPTION_SCHEMA, check_metadata=True)
    assert result.flags.schema.equals(FLAG_SCHEMA, check_metadata=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rules": "nope"}, ParameterError, "`rules` must be one of audit-colours, china-mobile"),
        ({"policy": "nope"}, ParameterError, "`policy` must be one of default or the path"),
        ({"new_since": "soon"}, ParameterError, "`new_since` must be a time"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        audit(**options)


def test_bad_tables_name_file_and_row():
    bad = sale_table([("x", *SALES[0][1:])])
    with pytest.raises(DataError, match="row 1, column 'subscriber': a subscriber number"):
        chanfp.audit_outlets(match_table(), bad, outlet_table())
    with pytest.raises(ColumnError, match="table of matches needs a column 'rank'"):
        chanfp.audit_outlets(match_table().drop_columns(["rank"]), sale_table(), outlet_table())


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "chanfp", "audit", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder,
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    for name, content in (
        ("matches", match_table()), ("sales", sale_table()), ("outlets", outlet_table()),
        ("cells", cell_table()),
    ):  # fmt: skip
        pa_csv.write_csv(content, tmp_path / f"{name}.csv")
    return [word for name in ("matches", "sales", "outlets") for word in (f"--{name}",
            f"{name}.csv")]  # fmt: skip


def test_the_command(files, tmp_path):
    done = run(tmp_path, *files, "--cells", "cells.csv", "--by", "week, region", "--out", "a")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Sales         6 at 6 outlets, 2024-01-01 00:00:00 to 2024-01-11 00:00:00" in done.stdout
    assert "6, 1.5 of them returners by expectation (24.6 %)" in done.stdout
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "cuts.parquet", "flags.parquet", "nodes.parquet", "subscriptions.parquet",
    ]  # fmt: skip
    same = audit(cells=cell_table(), by=["week", "region"])
    for name in ("nodes", "subscriptions", "cuts"):
        written = pq.read_table(tmp_path / "a" / f"{name}.parquet")
        assert written.cast(getattr(same, name).schema).equals(getattr(same, name)), name
    done = run(tmp_path, *files, "--out", "b", "--format", "csv", "--json")
    summary = json.loads(done.stdout)
    assert (summary["out"], summary["totals"]["n_sold"]) == ("b", 6)
    assert summary["not_evaluated"][:2] == ["farming", "gate"]
    assert pa_csv.read_csv(tmp_path / "b" / "nodes.csv").num_rows == 9


def test_the_command_fails_in_a_line(files, tmp_path):
    pa_csv.write_csv(outlet_table([*OUTLETS, ("x", "nowhere", None, None)]),
                     tmp_path / "outlets.csv")  # fmt: skip
    done = run(tmp_path, *files, "--out", "a")
    assert done.returncode == 1
    assert done.stderr == (
        "chanfp: error: outlets.csv, row 8: the parent of an outlet must be in the table, "
        "'nowhere' of 'x' is not; correct the table or allow an unattributed branch (--lenient).\n"
    )
    done = run(tmp_path, *files, "--out", "a", "--lenient")
    assert done.returncode == 0
    assert "Unattributed  1 unknown-parent" in done.stdout
    done = run(tmp_path, *files, "--out", "sales.csv")
    assert done.returncode == 1
    assert "sales.csv: the folder can't be made" in done.stderr
    assert run(tmp_path, *files, "--out", "a", "--rules", "no").returncode == 2


def test_commission_at_risk_is_the_probability_times_the_amount():
    rows = audit().subscriptions.to_pylist()
    for row in rows:
        due = row["commission_due"] * row["returner_probability"]
        assert math.isclose(row["commission_at_risk"], round(due, 2), abs_tol=0.005)
    assert np.isclose(sum(row["commission_at_risk"] for row in rows), 35.12)
