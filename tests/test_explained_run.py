"""Explanations where a model judged: waterfall, rivals, renamed partners, files, pictures."""

import hashlib
import json
import math
import sys
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chanfp
from chanfp.errors import DataError, MissingExtraError, ParameterError
from chanfp.explanation import explain_files, explanation_lines, explanations_beside
from chanfp.explanation.text import gap_words
from chanfp.explanation.waterfall import SHOWN_STEPS, waterfall_steps
from chanfp.features import FEATURES
from chanfp.terminal import display_width, plain


@pytest.fixture(scope="module")
def matches(judged_matches):
    return judged_matches


@pytest.fixture(scope="module")
def rows(matches):
    return matches.table.to_pylist()


@pytest.fixture(scope="module")
def best(matches, rows):
    """The most probable match."""
    return max(rows, key=lambda row: row["probability"])


@pytest.fixture(scope="module")
def folder(matches, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    for name in ("m.csv", "m.parquet"):
        matches.write(folder / name)
    matches.write_explanations(folder / "m.explanations.parquet")
    return folder


def test_the_waterfall_goes_from_the_intercept_to_the_log_odds(matches, rows):
    assert matches.judgement is not None
    for at, row in enumerate(rows):
        contributions = matches.explain(row["new"], row["old"]).contributions
        assert list(contributions) == ["intercept", *FEATURES]
        steps = waterfall_steps(contributions)
        assert steps[0].name == "intercept"
        assert steps[-1][:1] == ("total",)
        assert steps[-1].after == pytest.approx(matches.judgement.log_odds[at], abs=1e-8)
        for one, other in pairwise(steps[:-1]):
            assert one.after == other.before
        assert steps[-2].after == steps[-1].after


def test_weak_features_are_summed_up():
    contributions = {"intercept": -2.0, **dict.fromkeys(FEATURES, 0.01)}
    names = list(FEATURES)
    contributions |= {names[3]: 1.5, names[1]: -2.5}
    steps = waterfall_steps(contributions)
    assert [step.name for step in steps] == [
        "intercept", names[1], names[3], f"others ({len(FEATURES) - 2})", "total",
    ]  # fmt: skip
    assert steps[3].value == pytest.approx(0.01 * (len(FEATURES) - 2))
    many = {"intercept": 0.0, **{name: 1.0 + at for at, name in enumerate(FEATURES)}}
    shown = [step.name for step in waterfall_steps(many)]
    assert shown[1 : SHOWN_STEPS + 1] == list(reversed(FEATURES))[:SHOWN_STEPS]


def test_shares_of_rivals_add_up_and_the_pair_has_its_probability(matches, rows):
    seen = set()
    for row in rows:
        rivals = matches.explain(row["new"], row["old"]).rivals.to_pylist()
        assert rivals[0]["who"] == "pair"
        assert rivals[0]["number"] == row["old"]
        assert rivals[0]["share"] == row["probability"]
        shares = [rival["share"] for rival in rivals if rival["share"] is not None]
        assert sum(shares) == pytest.approx(1.0, abs=6e-4)
        assert all(
            (rival["share"] is None) == (rival["who"] in ("in-use", "same-person"))
            for rival in rivals
        )
        seen.update(rival["who"] for rival in rivals)
    assert {"pair", "same-new", "same-old", "nobody", "in-use"} <= seen


def test_rivals_are_those_of_the_table(matches, rows):
    """Listed pairs that share a number name each other, by the same odds."""
    odds_of = dict(
        zip(((r["new"], r["old"]) for r in rows), matches.judgement.log_odds, strict=True)
    )
    least = math.log(0.01 * matches.judgement.rivals.nobody)
    checked = 0
    for new, old in odds_of:
        rivals = matches.explain(new, old).rivals.to_pylist()
        for who, others in (
            ("same-new", {b: odds for (a, b), odds in odds_of.items() if a == new and b != old}),
            ("same-old", {a: odds for (a, b), odds in odds_of.items() if b == old and a != new}),
        ):
            found = {
                (rival["number"], rival["log_odds"])
                for rival in rivals
                if rival["who"] in (who, "same-person")
            }
            for number, odds in others.items():
                if odds >= least and len(found) < 5:
                    assert (number, odds) in found
                    checked += 1
                elif odds < least:
                    assert (number, odds) not in found
    assert checked > 10


def test_renamed_partners_one_by_one(matches, rows):
    prints, renames = matches.fingerprints, matches.judgement.renames
    names = prints.cdrs.partner_names(prints.partners)
    old_of = defaultdict(dict)
    for new, old, probability in zip(
        renames.new.tolist(), renames.old.tolist(), renames.probability.tolist(), strict=True
    ):
        old_of[new][old] = probability

    def calls(side, row):
        part = slice(*side.matrix.indptr[row : row + 2])
        return dict(
            zip(side.matrix.indices[part].tolist(), side.matrix.data[part].tolist(), strict=True)
        )

    n_found = 0
    for row, new_row, old_row in zip(rows, matches.new_rows, matches.old_rows, strict=True):
        new, old = calls(prints.new, new_row), calls(prints.old, old_row)
        expected = {
            (names[latter], names[former]): (probability, new[latter], old[former])
            for latter in new
            for former, probability in old_of[latter].items()
            if former in old
        }
        found = matches.explain(row["new"], row["old"]).renamed.to_pylist()
        assert {
            (one["partner"], one["formerly"]): (
                one["probability"], one["calls_new"], one["calls_old"],
            )
            for one in found
        } == expected  # fmt: skip
        assert [one["probability"] for one in found] == sorted(
            (one["probability"] for one in found), reverse=True
        )
        n_found += len(found)
        said = repr(matches.explain(row["new"], row["old"]))
        assert ("Partners who probably changed their number, too" in said) == bool(found)
        is_moved = abs(row["expected_shared"] - row["n_shared"]) >= 0.05
        words = f"({row['expected_shared']:.1f} if probable renamings count)"
        assert (words in said) == is_moved
    assert n_found > 0


def test_what_is_said_of_the_best(matches, best):
    said = repr(matches.explain(best["new"], best["old"]))
    shown = "> 0.999" if best["probability"] > 0.9995 else f"{best['probability']:.3f}"
    assert f"Verdict       grade {best['grade']}, best candidate, probability {shown}." in said
    assert f"q-value {best['q_value']:.3f}: of the best candidates at least as sure" in said
    for title in ("For and against, in log-odds of the pair alone", "Rivals: what the probabil"):
        assert title in said
    assert "nobody among the old numbers" in said
    strongest = waterfall_steps(matches.explain(best["new"]).contributions)[1]
    assert f"  {strongest.name}" in said
    assert f"{strongest.value:+.2f}" in said


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(matches, rows, width):
    for row in rows[::23]:
        lines = plain(explanation_lines(matches.explain(row["new"]), width)).splitlines()
        assert max(map(display_width, lines)) <= width


def test_only_a_best_candidate_has_a_rate(matches, rows):
    second = next(row for row in rows if row["rank"] == 2)
    said = repr(matches.explain(second["new"], second["old"]))
    assert "A false-match rate (q-value) is told of best candidates only." in said
    lost = next(row for row in rows if row["q_value"] == 1)
    assert "q-value 1: as many false as true ones" in repr(matches.explain(lost["new"]))


def test_a_file_explains_as_the_run_did(matches, rows, folder):
    saved = chanfp.read_explanations(folder / "m.explanations.parquet")
    assert len(saved) == len(matches)
    for row in rows[::4]:
        for old in (None, row["old"]):
            live, read = (one.explain(row["new"], old) for one in (matches, saved))
            assert read.to_dict() == live.to_dict()
            assert repr(read) == repr(live)
            assert read.shared.schema == live.shared.schema
    assert repr(saved) == (
        f"<SavedExplanations: {len(matches):,} pairs, {folder / 'm.explanations.parquet'}>"
    )


def test_a_number_may_be_written_in_any_way(matches, best, folder):
    new = f"+86 {best['new'][:3]}-{best['new'][3:]}"
    found = explain_files(folder / "m.csv", new)
    assert found.to_dict() == matches.explain(best["new"]).to_dict()


def test_the_same_run_writes_the_same_bytes(matches, folder, tmp_path):
    told = []
    matches.write_explanations(
        tmp_path / "again.parquet", progress=lambda *stage: told.append(stage)
    )
    written = (folder / "m.explanations.parquet").read_bytes()
    assert (tmp_path / "again.parquet").read_bytes() == written
    assert told == [("writing explanations", len(matches), len(matches))]


def test_row_groups_are_found(matches, rows, tmp_path, monkeypatch):
    monkeypatch.setattr("chanfp.explanation.saved.GROUP_ROWS", 7)
    path = tmp_path / "small.parquet"
    matches.write_explanations(path)
    assert pq.read_metadata(path).num_row_groups == -(-len(matches) // 7)
    saved = chanfp.read_explanations(path)
    for row in [*rows[:16], rows[-1]]:
        one = saved.explain(row["new"], row["old"])
        assert one.to_dict() == matches.explain(row["new"], row["old"]).to_dict()


def test_rows_may_have_been_dropped_or_sorted_anew(matches, rows, folder, tmp_path):
    kept = [row for row in reversed(rows) if row["rank"] > 1]
    table = pa.Table.from_pylist(kept, matches.table.schema)
    pq.write_table(table.select(["old", "grade", "new", "rank", "probability"]), tmp_path / "m.pq")
    third = next(row for row in rows if row["rank"] == 3)
    found = explain_files(
        tmp_path / "m.pq", third["new"], explanations=folder / "m.explanations.parquet"
    )
    assert found.match["rank"] == 2
    assert len(found.candidates) >= 2
    first = next(row for row in rows if row["new"] == third["new"])
    with pytest.raises(ParameterError, match="not in the matches"):
        explain_files(
            tmp_path / "m.pq",
            first["new"],
            first["old"],
            explanations=folder / "m.explanations.parquet",
        )


def test_explanations_of_another_run_are_refused(matches, rows, folder, tmp_path):
    for change in ({"probability": 0.123}, {"grade": "Z"}, {"rank": 9}, {"old": "13800000001"}):
        changed = pa.Table.from_pylist([{**rows[0], **change}], matches.table.schema)
        pq.write_table(changed, tmp_path / "m.parquet")
        with pytest.raises(DataError, match=r"m\.parquet, row 1: .* explains another run"):
            explain_files(
                tmp_path / "m.parquet",
                rows[0]["new"],
                explanations=folder / "m.explanations.parquet",
            )


def test_files_that_do_not_explain_are_refused(matches, folder, tmp_path):
    matches.write(tmp_path / "m.csv")
    with pytest.raises(DataError, match=r"the run kept no explanations .*m\.explanations\.parquet"):
        explain_files(tmp_path / "m.csv", "13800000000")
    with pytest.raises(DataError, match=r"none\.parquet: no such file"):
        chanfp.read_explanations(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="no explanations; give what"):
        chanfp.read_explanations(folder / "m.parquet")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes((folder / "m.explanations.parquet").read_bytes()[:-100])
    with pytest.raises(DataError, match="can't be read as explanations"):
        chanfp.read_explanations(cut)
    newer = pq.read_table(folder / "m.explanations.parquet")
    newer = newer.replace_schema_metadata({**newer.schema.metadata, b"chanfp.schema_version": b"2"})
    pq.write_table(newer, tmp_path / "newer.parquet")
    with pytest.raises(DataError, match="explanations of version 2, this chanfp reads version 1"):
        chanfp.read_explanations(tmp_path / "newer.parquet")
    with pytest.raises(ParameterError, match=r"must end in \.parquet"):
        matches.write_explanations(tmp_path / "m.csv")
    assert explanations_beside("a.b/m.parquet") == "a.b/m.explanations.parquet"


def test_similarity_tiers_are_saved_too(matches, tmp_path):
    tiers = chanfp.Matcher(learn=False).fit(matches.fingerprints).match()
    tiers.write_explanations(tmp_path / "m.parquet")
    saved = chanfp.read_explanations(tmp_path / "m.parquet")
    for row in tiers.table.to_pylist()[::50]:
        read = saved.explain(row["new"])
        assert (read.contributions, read.rivals) == (None, None)
        assert repr(read) == repr(tiers.explain(row["new"]))
    nobody = chanfp.Matcher(learn=False, min_shared=1000).fit(matches.fingerprints).match()
    nobody.write_explanations(tmp_path / "none.parquet")
    assert len(chanfp.read_explanations(tmp_path / "none.parquet")) == 0


def test_hashed_ids_stay_hashed(tmp_path):
    carrier = chanfp.simulate(200, seed=1, days=30)

    ids = set()

    def hashed(table, names):
        for name in names:
            values = [hash_of(one) for one in table[name].to_pylist()]
            ids.update(values)
            table = table.set_column(table.column_names.index(name), name, pa.array(values))
        return table

    def hash_of(number):
        return hashlib.sha256(f"salt {number}".encode()).hexdigest()

    records = pa.table(carrier.cdrs)
    cdrs = chanfp.read_cdrs(hashed(records, ["caller", "callee"]), numbers="opaque")
    subscribers = hashed(carrier.subscribers, ["subscriber"])
    fingerprints = chanfp.build_fingerprints(cdrs, subscribers, new_days=30)
    matches = chanfp.Matcher(learn=False).fit(fingerprints).match()
    matches.write_explanations(tmp_path / "m.parquet")
    table = pq.read_table(tmp_path / "m.parquet")
    assert len(table)
    partners = {row["partner"] for rows in table["shared"].to_pylist() for row in rows}
    assert partners
    assert partners <= ids
    row = table.to_pylist()[0]
    found = chanfp.read_explanations(tmp_path / "m.parquet").explain(row["new"], row["old"])
    assert found.shared.num_rows == row["n_shared"]
    assert_readable(found.plot())


def texts_of(figure):
    """Return the extent of every text that is shown."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            hidden = [tick for tick in ticks if not (low <= tick.get_loc() <= high and axes.axison)]
            beyond.update(id(label) for tick in hidden for label in (tick.label1, tick.label2))
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in beyond
    ]


def assert_readable(figure):
    texts = texts_of(figure)
    assert len(texts) > 5
    for (one, a), (other, b) in combinations(texts, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width <= 1 or height <= 1, f"{one!r} and {other!r} overlap"
    for text, extent in texts:
        assert min(extent.x0, extent.y0) >= -1, text
        assert max(extent.x1 - figure.bbox.x1, extent.y1 - figure.bbox.y1) <= 1, text


def test_labels_of_pictures_do_not_overlap(matches, rows, best):
    most = max(rows, key=lambda row: matches.explain(row["new"], row["old"]).renamed.num_rows)
    for row in (best, most, rows[len(rows) // 2]):
        figure = matches.explain(row["new"], row["old"]).plot()
        assert row["new"] in figure.get_suptitle()
        assert row["old"] in figure.get_suptitle()
        assert_readable(figure)


def test_a_picture_shows_the_numbers(matches, best):
    explanation = matches.explain(best["new"])
    shown = {text for text, _ in texts_of(explanation.plot())}
    for step in waterfall_steps(explanation.contributions):
        assert step.name in shown
        assert f"{step.value:+.2f}" in shown
    assert set(explanation.shared["partner"].to_pylist()[:10]) <= shown
    assert any(gap_words(best["gap_days"]) in text for text in shown)


def test_a_notebook_shows_a_picture(matches, best):
    shown = matches.explain(best["new"])._repr_html_()
    assert '<img alt="' in shown
    assert "data:image/svg+xml;base64," in shown
    assert "<summary>As text</summary><pre>" in shown
    assert shown == matches.explain(best["new"])._repr_html_()


def test_without_matplotlib_there_is_text(matches, best, monkeypatch):
    explanation = matches.explain(best["new"])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chanfp\[plot\]'"):
        explanation.plot()
    shown = explanation._repr_html_()
    assert shown.startswith("<pre>")
    assert "<img" not in shown
    assert "pictures need matplotlib" in shown
    with pytest.raises(ImportError):
        matches.calibration().plot()


def test_values_are_json(matches, rows):
    for row in rows[::40]:
        values = matches.explain(row["new"]).to_dict()
        assert json.loads(json.dumps(values)) == values
        assert np.isclose(sum(values["contributions"].values()), values["rivals"][0]["log_odds"])
