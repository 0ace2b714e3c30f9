"""The facade: matches, their evidence, and explanations."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chanfp
from carriers import (
    CDR_HEADER,
    FRIENDS,
    LEAVER,
    NEW,
    OLD,
    STAYER,
    SUBSCRIBER_HEADER,
    returner_calls,
    stamp,
    subscriber_rows,
    write_carrier,
    write_csv,
)
from chanfp.errors import DataError, ParameterError
from chanfp.matches import MATCH_SCHEMA

ROWS = returner_calls()


@pytest.fixture
def fingerprints(tmp_path):
    return chanfp.build_fingerprints(*write_carrier(tmp_path))


@pytest.fixture
def matches(fingerprints):
    return chanfp.Matcher().fit(fingerprints).match()


def test_the_returner_is_found(matches):
    (row,) = matches.to_arrow().to_pylist()
    assert (row["new"], row["old"], row["rank"], row["grade"]) == (NEW, OLD, 1, "A")
    assert row["jaccard"] == row["containment_new"] == row["containment_old"] == 1.0
    assert row["weighted_jaccard"] == 48 / 52
    assert 0.98 < row["hellinger"] < row["cosine"] + 0.01 < 1.01
    assert row["n_shared"] == row["n_partners_new"] == row["n_partners_old"] == 8
    assert row["n_calls_new"] == row["n_calls_old"] == 50
    assert row["gap_days"] == pytest.approx(35.3 - 24.5, abs=0.001)
    assert row["volume_ratio"] == pytest.approx(1.0)
    assert row["cell_similarity"] == 1.0
    assert row["hour_similarity"] > 0
    assert row["same_imei"] is False
    assert row["probability"] is row["q_value"] is row["region_new"] is row["same_id"] is None
    assert matches.table.schema.equals(MATCH_SCHEMA, check_metadata=True)


def test_the_result_can_be_looked_at(matches):
    assert len(matches) == 1
    assert repr(matches) == ("<Matches: 1 candidates of 1 new subscriptions; best matches: 1 A>")
    assert f"<td>{NEW}</td>" in matches._repr_html_()
    assert matches.to_pandas()["old"].tolist() == [OLD]
    assert pa.table(matches).equals(matches.table)
    assert "no false-match rate is known" in matches.summary["notices"][0]


def test_explain_shows_the_shared_partners(matches):
    explanation = matches.explain(NEW)
    shared = explanation.shared.to_pylist()
    assert {row["partner"] for row in shared} == {f"+86{friend}" for friend in FRIENDS[:8]}
    assert sum(row["calls_new"] for row in shared) == 50
    assert sum(row["minutes_old"] for row in shared) == 50
    assert sum(row["outgoing_old"] for row in shared) == 25
    assert repr(explanation).startswith(
        f"{NEW}, new, and {OLD}, old\nVerdict       grade A, very alike, best candidate."
    )
    assert "other handset" in repr(explanation).lower()
    assert "<pre>" in explanation._repr_html_()
    assert matches.explain(NEW, OLD).match == explanation.match
    assert matches.explain(f"+86 {NEW}", int(OLD)).match == explanation.match


def test_many_rows_are_shown_by_ten_and_as_text():
    carrier = chanfp.simulate(1200, seed=5)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    matches = chanfp.Matcher().fit(fingerprints).match()
    assert len(matches) > 10
    shown = matches._repr_html_()
    assert shown.count("<tr>") == 1 + 10
    assert repr(matches)[1:-1] in shown
    first = matches.table.slice(0, 1).to_pylist()[0]
    assert f"<td>{first['jaccard']:.3f}</td>" in shown
    sets = (fingerprints.departed, fingerprints.new, fingerprints.active)
    for built in sets:
        mean = built.n_partners.mean()
        assert repr(built).endswith(f" {built.role.name}, {mean:.1f} partners on average>")


def test_ids_are_no_markup():
    calls = [
        (who, f"f{n}", stamp(day + n)) for who, day in (("<b>", 1), ("o&o", 20)) for n in range(5)
    ]
    calls.append(("x", "y", stamp(40)))
    cdrs = pa.table([list(c) for c in zip(*calls, strict=True)], names=list(CDR_HEADER[:3]))
    table = pa.table(
        {
            "subscriber": ["<b>", "o&o"],
            "activated_at": ["", stamp(19)],
            "departed_at": [stamp(9), ""],
        }
    )
    cdrs = chanfp.read_cdrs(cdrs, numbers="opaque")
    matches = chanfp.Matcher().fit(chanfp.build_fingerprints(cdrs, table)).match()
    assert matches.table.column("old").to_pylist() == ["<b>"]
    shown = matches._repr_html_()
    assert "<td>&lt;b&gt;</td>" in shown
    assert "<td>o&amp;o</td>" in shown
    assert "<b>" not in shown
    explained = matches.explain("o&o", " <b>")
    assert set(explained.shared.column("partner").to_pylist()) == {f"f{n}" for n in range(5)}
    assert "&lt;b&gt;" in explained._repr_html_()


@pytest.mark.parametrize(("pair", "named"), [((STAYER,), STAYER), ((NEW, LEAVER), LEAVER)])
def test_explain_refuses_what_was_not_matched(pair, named, matches):
    with pytest.raises(ParameterError, match=f"{named}.*: not in the matches"):
        matches.explain(*pair)


def test_explain_tells_the_subscriptions_of_a_recycled_number_apart():
    calls = [(OLD, FRIENDS[day % 6], stamp(day)) for day in range(10)]
    calls += [(OLD, FRIENDS[day % 3], stamp(15 + day)) for day in range(6)]
    calls += [(NEW, FRIENDS[day % 6], stamp(30 + day)) for day in range(10)]
    cdrs = pa.table([list(c) for c in zip(*calls, strict=True)], names=list(CDR_HEADER[:3]))
    table = pa.table(
        {
            "subscriber": [OLD, OLD, NEW],
            "activated_at": [stamp(-9), stamp(14), stamp(29)],
            "departed_at": [stamp(11), stamp(25), ""],
            "subscription_id": ["first", "second", "third"],
        }
    )
    matches = chanfp.Matcher().fit(chanfp.build_fingerprints(cdrs, table, new_days=15)).match()
    assert matches.table.column("old_subscription").to_pylist() == ["first", "second"]
    assert matches.explain(NEW).match["old_subscription"] == "first"
    with pytest.raises(ParameterError, match="is 2 subscriptions, first, second; say which one"):
        matches.explain(NEW, OLD)
    for name, n_shared in (("first", 6), ("second", 3)):
        explanation = matches.explain(NEW, OLD, old_subscription=name)
        assert explanation.match["old_subscription"] == name
        assert explanation.shared.num_rows == n_shared
    assert matches.explain(NEW, new_subscription="third").match["rank"] == 1
    with pytest.raises(ParameterError, match="`old_subscription` 'fourth': not in the matches"):
        matches.explain(NEW, OLD, old_subscription="fourth")


def test_regions_attributes_and_handsets(tmp_path):
    cdrs, _ = write_carrier(tmp_path)
    header = ("subscriber", "activated_at", "departed_at", "id_hash", "imei", "outlet", "seller")
    subscribers = write_csv(
        tmp_path / "s.csv",
        header,
        [
            (OLD, stamp(-9), stamp(26), "h1", "", "o1", ""),
            (NEW, stamp(34), "", "h1", f"86{OLD}00", "o2", "s1"),
        ],
    )
    cells = write_csv(tmp_path / "cells.csv", ("cell", "region"), [("c1", "East"), ("c2", "West")])
    fingerprints = chanfp.build_fingerprints(cdrs, subscribers)
    (row,) = chanfp.Matcher(cells=cells).fit(fingerprints).match().table.to_pylist()
    assert (row["region_new"], row["region_old"]) == ("East", "East")
    assert (row["same_id"], row["same_outlet"], row["same_seller"]) == (True, False, None)
    assert row["same_imei"] is True
    write_csv(cells, ("cell", "region"), [("c1", "East"), ("c1", "West")])
    with pytest.raises(
        DataError, match=r"row 2 and .*row 3: .*these contradict each other .cell c1"
    ):
        chanfp.Matcher(cells=cells)


def notices(files, cells=None, **settings):
    fingerprints = chanfp.build_fingerprints(*files, **settings)
    return chanfp.Matcher(cells=cells).fit(fingerprints).match().summary["notices"]


def test_notices_say_why_there_is_nothing(tmp_path):
    files = write_carrier(tmp_path)
    tiers = (
        "grades are similarity tiers; no false-match rate is known for them: only 1 active "
        "subscriptions can serve as controls, fewer than 40"
    )
    assert notices(files) == [tiers]
    began = (
        "1 more subscriptions began within these records, but more than {} days before their end; "
        "a larger `new_days` takes them in, 60 all of them"
    )
    assert notices(files, new_days=12) == [began.format(12)]
    assert notices(files, window_days=12.5) == [began.format(12.5)]
    far = "all 2 departed subscriptions lie beyond `horizon_days`"
    assert notices(files, horizon_days=9) == [far]
    assert notices(files, horizon_days=9, new_days=12) == [far, began.format(12)]
    alone = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, subscriber_rows()[3:])
    assert notices((files[0], alone)) == [
        "no departed subscription has calls, so there is nobody to match with",
        "no new subscription has calls, so there is nobody to match",
    ]
    strangers = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, subscriber_rows()[1:])
    assert notices((files[0], strangers)) == [
        "no new subscription shares enough partners with a departed one"
    ]


def test_a_table_of_cells_that_fits_nothing_is_noticed(tmp_path):
    def cdrs_with(cell_of_new):
        rows = [(*row[:5], cell_of_new, *row[6:]) if row[0] == NEW else row for row in ROWS]
        return write_csv(tmp_path / "c.csv", CDR_HEADER, rows)

    table = tmp_path / "subscribers.csv"
    write_csv(table, SUBSCRIBER_HEADER, subscriber_rows())
    cells = pa.table({"cell": ["n1"], "region": ["North"]})
    said = "no cell of the CDRs is in the table of cells"
    assert said in notices((cdrs_with("c1"), table), cells)
    # One side is enough to know that the table is the right one.
    assert said not in notices((cdrs_with("n1"), table), cells)
    assert said not in notices((cdrs_with("c1"), table))


def test_thin_evidence_is_listed_but_not_graded():
    calls = [(OLD, FRIENDS[0], stamp(1)), (OLD, FRIENDS[0], stamp(2)), (OLD, FRIENDS[0], stamp(3))]
    calls += [(NEW, FRIENDS[0], stamp(day)) for day in (50, 51, 52)]
    cdrs = pa.table([list(c) for c in zip(*calls, strict=True)], names=list(CDR_HEADER[:3]))
    table = pa.table(
        {"subscriber": [OLD, NEW], "activated_at": ["", ""], "departed_at": [stamp(4), ""]}
    )
    fingerprints = chanfp.build_fingerprints(cdrs, table)
    (row,) = chanfp.Matcher().fit(fingerprints).match().table.to_pylist()
    assert (row["jaccard"], row["grade"], row["reason"]) == (1.0, "U", "thin-evidence")
    assert len(chanfp.Matcher(min_shared=2).fit(fingerprints).match()) == 0
    (row,) = chanfp.Matcher(min_shared=1).fit(fingerprints).match().table.to_pylist()
    assert row["grade"] == "D"


def test_a_candidate_must_have_been_there_before():
    calls = [(NEW, FRIENDS[day % 5], stamp(30 + day)) for day in range(10)]
    calls += [(OLD, FRIENDS[day % 5], stamp(41 + day)) for day in range(5)]
    calls += [(STAYER, FRIENDS[30], stamp(day)) for day in range(60)]
    cdrs = pa.table([list(c) for c in zip(*calls, strict=True)], names=list(CDR_HEADER[:3]))
    table = pa.table(
        {
            "subscriber": [NEW, OLD, STAYER],
            "activated_at": [stamp(29), stamp(40), ""],
            "departed_at": ["", stamp(50), ""],
        }
    )
    matches = chanfp.Matcher().fit(chanfp.build_fingerprints(cdrs, table)).match()
    # OLD is both new and departed, but began after NEW; and nobody is his own candidate.
    assert matches.summary["subscribers"]["new"] == 2
    assert len(matches) == 0


def test_nobody_is_his_own_candidate():
    calls = [(STAYER, FRIENDS[30], stamp(day), "9") for day in range(60)]
    calls += [(FRIENDS[3], NEW, stamp(20), "0")]  # dialled before it was ever used
    calls += [(NEW, FRIENDS[day % 5], stamp(30 + day), "9") for day in range(12)]
    cdrs = pa.table([list(c) for c in zip(*calls, strict=True)], names=list(CDR_HEADER[:4]))
    table = pa.table(
        {
            "subscriber": [NEW, STAYER],
            "activated_at": [stamp(15), ""],
            "departed_at": [stamp(45), ""],
        }
    )
    fingerprints = chanfp.build_fingerprints(cdrs, table, new_days=40)
    assert len(fingerprints.departed) == len(fingerprints.new) == 1
    assert len(chanfp.Matcher().fit(fingerprints).match()) == 0


def test_row_order_of_the_records_changes_no_byte(tmp_path):
    carrier = chanfp.simulate(1500, seed=3)
    records = carrier.cdrs.to_table()
    shuffled = records.take(pa.array(np.random.default_rng(0).permutation(len(records))))
    one, other = (
        chanfp.Matcher()
        .fit(chanfp.build_fingerprints(table, carrier.subscribers, new_days=90))
        .match()
        .table
        for table in (records, shuffled)
    )
    assert len(one) > 100
    assert one.equals(other)


def test_own_tiers():
    tiers = chanfp.SimilarityTiers(tiers=(chanfp.SimilarityTier("gold", 0.5, 1, 1),))
    grades, reasons = tiers.grade(
        np.array([0.9, 0.1, 0.9]), np.array([5, 5, 1], np.int32), np.array([9, 9, 9])
    )
    assert grades == ["gold", "U", "U"]
    assert reasons == ["", "below-tiers", "thin-evidence"]


def test_a_reader_gives_matches_without_the_second_pass():
    columns = [list(column) for column in zip(*returner_calls(), strict=True)]
    reader = pa.table(columns, names=list(CDR_HEADER)).to_reader()
    table = pa.table(
        {"subscriber": [OLD, NEW], "activated_at": ["", ""], "departed_at": [stamp(26), ""]}
    )
    matches = chanfp.Matcher().fit(chanfp.build_fingerprints(reader, table)).match()
    assert matches.table.column("old").to_pylist() == [OLD]
    assert matches.table.column("cell_similarity").null_count == 1
    assert any("read only once" in notice for notice in matches.summary["notices"])


def test_writing_is_whole_or_not_at_all(matches, tmp_path, monkeypatch):
    matches.write(tmp_path / "m.parquet")
    assert pq.read_table(tmp_path / "m.parquet").equals(matches.table)
    matches.write(tmp_path / "m.csv")
    before = (tmp_path / "m.csv").read_bytes()
    assert before.startswith(b'"new","old"') or before.startswith(b"new,old")
    with pytest.raises(ParameterError, match=r"must end in \.csv or \.parquet"):
        matches.write(tmp_path / "m.xlsx")
    with pytest.raises(DataError, match="does not exist; make it first"):
        matches.write(tmp_path / "none" / "m.csv")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.csv.write_csv", fail)
    with pytest.raises(DataError, match="can't be written: No space"):
        matches.write(tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*m.*")) == ["m.csv", "m.parquet"]


def test_settings_are_checked():
    for wrong in ({"top": 0}, {"min_shared": 0}, {"n_threads": 0}):
        with pytest.raises(ParameterError, match=r"must be .*at least 1, got 0"):
            chanfp.Matcher(**wrong)
    with pytest.raises(ParameterError, match=r"`top` must be a whole number of .* got '5'"):
        chanfp.Matcher(top="5")
    with pytest.raises(ParameterError, match="call `fit` before `match`"):
        chanfp.Matcher().match()
    with pytest.raises(ParameterError, match="returns, got Table"):
        chanfp.Matcher().fit(pa.table({}))
    with pytest.raises(ParameterError, match="`jaccard` of grade A"):
        chanfp.SimilarityTier("A", 2, 1, 1)
    assert "not fitted" in repr(chanfp.Matcher())
