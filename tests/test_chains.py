"""Chains of numbers: links by hand, conflicts one to one, circles, histories, the command."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chanfp
from chanfp.chains.resolution import find_paths, resolve_links
from chanfp.chains.schemas import LINK_SCHEMA, PERSON_SCHEMA
from chanfp.cli.chains import chains_text
from chanfp.errors import ColumnError, DataError, ParameterError

NAMES = ("new", "old", "grade", "probability", "gap_days", "region_new", "region_old")


def phone(name):
    return f"1380000{ord(name):04}"


def run_of(*rows):
    """Return a table of matches: letters for numbers, then grade and so on as far as given."""
    full = [(phone(row[0]), phone(row[1]), *row[2:], *[None] * (7 - len(row))) for row in rows]
    columns = list(zip(*full, strict=True)) or [[]] * 7
    types = dict.fromkeys(("probability", "gap_days"), pa.float64())
    return pa.table(
        {
            name: pa.array(column, types.get(name, pa.string()))
            for name, column in zip(NAMES, columns, strict=True)
        }
    )


def held(**periods):
    """Return a table of subscribers: days of January 2024 by letter, and the outlet."""
    rows = [(phone(name), *period) for name, period in periods.items()]
    return pa.table(
        {
            "subscriber": [row[0] for row in rows],
            "activated_at": [f"2024-{1 + row[1] // 30:02}-{1 + row[1] % 30:02}" for row in rows],
            "departed_at": [
                None if row[2] is None else f"2024-{1 + row[2] // 30:02}-{1 + row[2] % 30:02}"
                for row in rows
            ],
            "outlet": [row[3] for row in rows],
        }
    )


def letters(text):
    for name in map(chr, range(ord("a"), ord("z") + 1)):
        text = text.replace(phone(name), name)
    return text


def paths(chains):
    return [letters(row["numbers"]) for row in chains.people.to_pylist()]


def test_a_chain_of_three_by_hand():
    runs = [
        run_of(("b", "a", "A", 0.9, 4.0, "east", "west"), ("y", "x", "B", 0.8, -3.0)),
        run_of(("c", "b", "A", 0.5, 10.0, "south", "east")),
    ]
    who = held(
        a=(0, 9, "s1"), b=(20, 70, "s1"), c=(80, None, "s2"), x=(0, 50, "s3"), y=(60, 90, None)
    )
    chains = chanfp.link_chains(*runs, subscribers=who)
    assert paths(chains) == ["a > b > c", "x > y"]
    first, second = chains.people.to_pylist()
    assert (first["n_re_entries"], first["is_wanderer"], first["most_re_entries_within"]) == (
        2,
        True,
        2,
    )
    assert first["probability"] == pytest.approx(0.45)
    assert first["weakest"] == 0.5
    assert first["median_days_between"] == pytest.approx(60, abs=2)
    assert first["days_lost"] == pytest.approx(0.9 * 4 + 0.5 * 10)
    assert (first["outlets"], first["n_outlets"]) == ("s1 > s2", 2)
    assert (first["regions"], first["n_regions"]) == ("west > east > south", 3)
    assert first["is_still_active"]
    assert (second["is_wanderer"], second["days_lost"], second["outlets"]) == (False, 0.0, "s3")
    assert not second["is_still_active"]
    links = chains.links.to_pylist()
    assert [(row["person"], row["step"], row["run"]) for row in links] == [
        (1, 1, 1),
        (1, 2, 2),
        (2, 1, 1),
    ]
    assert [row["chain_probability"] for row in links] == pytest.approx([0.9, 0.45, 0.8])
    assert [row["days_since_return"] is None for row in links] == [True, False, True]
    assert chains.summary["decay"][1] == {
        "step": 2, "links": 1, "probability": 0.5, "chain_probability": pytest.approx(0.45),
    }  # fmt: skip
    assert (chains.summary["wanderers"], chains.summary["with_several"]) == (1, 1)
    slow = chanfp.link_chains(*runs, subscribers=who, within_days=30)
    assert slow.summary["wanderers"] == 0
    once = chanfp.link_chains(*runs, subscribers=who, re_entries=1)
    assert once.summary["wanderers"] == 2


def test_partial_replacements_are_links_but_no_re_entries():
    rows = [("b", "a", "A", 0.9, 4.0), ("c", "b", "A", 0.5, 10.0), ("y", "x", "B", 0.8, 3.0)]
    who = held(a=(0, 9, "s1"), b=(20, None, "s1"), c=(80, None, "s2"), x=(0, None, "s3"),
               y=(60, 90, None))  # fmt: skip
    kinds = ["replacement", "partial-replacement", "partial-replacement"]
    run = run_of(*rows).append_column("link", pa.array(kinds))
    chains = chanfp.link_chains(run, subscribers=who)
    assert paths(chains) == ["a > b > c", "x > y"]
    assert chains.links["link"].to_pylist() == kinds
    people = chains.people.to_pylist()
    assert [row["n_re_entries"] for row in people] == [1, 0]
    assert [row["most_re_entries_within"] for row in people] == [1, 0]
    assert [row["is_wanderer"] for row in people] == [False, False]
    assert [row["days_lost"] for row in people] == pytest.approx([3.6, 0.0])
    assert people[0]["probability"] == pytest.approx(0.45)
    counted = {"people": 2, "re_entries": 1, "expected_re_entries": 0.9, "partial": 2,
               "with_several": 0, "longest": 1, "wanderers": 0}  # fmt: skip
    assert {name: chains.summary[name] for name in counted} == counted
    assert chains.summary["decay"] == [
        {"step": 1, "links": 1, "probability": 0.9, "chain_probability": 0.9}
    ]
    assert repr(chains) == "<Chains: 2 people with 1 re-entries; 0 came back more than once>"
    text = chains_text(chains, "found")
    assert "1 came back, 0 of them more than once; 1 re-entries, 0.9 of them" in text
    assert "2 partial replacements: the old number is still in use" in text
    # The order is that of re-entries, and a step without any isn't listed.
    first = chanfp.link_chains(
        run.set_column(7, "link", pa.array([kinds[1], kinds[0], None])), subscribers=who
    )
    assert [row["n_re_entries"] for row in first.people.to_pylist()] == [1, 1]
    assert paths(first) == ["x > y", "a > b > c"]
    assert [(row["step"], row["links"]) for row in first.summary["decay"]] == [(1, 1), (2, 1)]
    assert "partial" not in chains_text(chanfp.link_chains(run_of(*rows)), "found")


def test_without_dates_or_a_first_re_entry():
    run = run_of(("b", "a", "A", 0.9), ("c", "b", "A", 0.8))
    run = run.append_column("link", pa.array(["partial-replacement", "replacement"]))
    chains = chanfp.link_chains(run)
    assert [row["step"] for row in chains.summary["decay"]] == [2]
    assert "Decay" in chains_text(chains, "found")
    only = chanfp.link_chains(run.slice(0, 1))
    assert only.people["is_wanderer"].to_pylist() == [None]
    assert (only.summary["decay"], only.summary["wanderers"]) == ([], None)


def test_conflicts_are_resolved_one_to_one():
    # Alone, both new numbers would take a; together b takes a and c takes d.
    rows = [("b", "a", "A", 0.8), ("c", "a", "A", 0.9), ("c", "d", "A", 0.85), ("e", "d", "D", 0.4)]
    chains = chanfp.link_chains(run_of(*rows))
    assert sorted(paths(chains)) == ["a > b", "d > c"]
    assert chains.summary["expected_re_entries"] == pytest.approx(1.65)
    assert sorted(paths(chanfp.link_chains(run_of(*rows), least_probability=0.86))) == ["a > c"]


def test_the_last_run_that_names_a_new_number_stands():
    early = run_of(("b", "a", "A", 0.95), ("d", "c", "A", 0.9))
    early = early.append_column("link", pa.array(["replacement", "partial-replacement"]))
    late = run_of(("b", "x", "A", 0.7), ("b", "a", "D", 0.2))
    found = chanfp.link_chains(early, late)
    assert sorted(paths(found)) == ["c > d", "x > b"]
    assert found.links["link"].to_pylist() == [None, "partial-replacement"]  # re-entries first
    assert sorted(paths(chanfp.link_chains(late, early))) == ["a > b", "c > d"]


def test_probable_candidates_of_one_number_vouch_for_each_other():
    # c is both a's and b's person, so b is a's, though b alone was not sure of it.
    rows = [("c", "a", "A", 0.95), ("c", "b", "A", 0.9), ("b", "a", "D", 0.3)]
    chains = chanfp.link_chains(run_of(*rows))
    assert paths(chains) == ["a > b > c"]
    assert chains.links["probability"].to_pylist() == pytest.approx([0.85, 0.9])
    # Two new numbers of one old one.
    both = run_of(("b", "a", "A", 0.9), ("c", "a", "A", 0.95), ("c", "b", "D", 0.1))
    assert paths(chanfp.link_chains(both)) == ["a > b > c"]
    # Rivals say nothing of each other, nor is a link made that was no candidate.
    rivals = run_of(("c", "a", "A", 0.5), ("c", "b", "A", 0.5), ("b", "a", "D", 0.3))
    assert len(paths(chanfp.link_chains(rivals))) == 1
    assert paths(chanfp.link_chains(run_of(*rows[:2]))) == ["a > c"]


def test_circles_lose_their_weakest_link():
    circle = run_of(("b", "a", "A", 0.9), ("c", "b", "A", 0.6), ("a", "c", "A", 0.8))
    assert paths(chanfp.link_chains(circle)) == ["c > a > b"]
    assert paths(chanfp.link_chains(run_of(("a", "a", "A", 0.9)))) == []


def test_a_recycled_number_is_two_subscriptions():
    # a departs in run 1; in run 2 the number a is somebody else's new one.
    first, second = run_of(("b", "a", "A", 0.9)), run_of(("a", "z", "A", 0.9))
    third = run_of(("q", "a", "A", 0.9))
    assert sorted(paths(chanfp.link_chains(first, second, third))) == ["a > b", "z > a > q"]
    # Told the other way round, a came first and departed then.
    assert paths(chanfp.link_chains(second, first)) == ["z > a > b"]
    named = [
        table.append_column(f"{side}_subscription", pa.array([name]))
        for table, side, name in ((first, "old", "a-1"), (second, "new", "a-2"))
    ]
    assert sorted(paths(chanfp.link_chains(*named[::-1]))) == ["a > b", "z > a"]


def test_without_dates_wanderers_are_not_known():
    chains = chanfp.link_chains(run_of(("b", "a", "A", None), ("c", "b", "C")))
    (person,) = chains.people.to_pylist()
    assert (person["is_wanderer"], person["is_still_active"], person["days_lost"]) == (None,) * 3
    assert person["probability"] == pytest.approx(0.99 * 0.80)
    assert chains.summary["wanderers"] is None
    assert chains.summary["probability_by_grade"] == 2


def test_nothing_at_all():
    chains = chanfp.link_chains(run_of(), run_of(("b", "a", "U", 0.1)), subscribers=held())
    assert chains.people.schema.equals(PERSON_SCHEMA, check_metadata=True)
    assert chains.links.schema.equals(LINK_SCHEMA, check_metadata=True)
    assert len(chains.people) == len(chains.links) == 0
    assert chains.summary["decay"] == []
    assert repr(chains) == "<Chains: 0 people with 0 re-entries; 0 came back more than once>"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 8)), max_size=9))
def test_links_are_the_best_there_are(rows):
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    new, old, probability = columns[0], columns[1] + 5, columns[2] / 8
    kept = resolve_links(new, old, probability, 0.01)
    assert len(set(new[kept])) == len(set(old[kept])) == len(kept)
    best = max(
        sum(probability[row] for row in chosen)
        for size in range(min(len(rows), 5) + 1)
        for chosen in itertools.combinations(range(len(rows)), size)
        if len({new[row] for row in chosen}) == len({old[row] for row in chosen}) == size
    )
    assert probability[kept].sum() == pytest.approx(best)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 8)), max_size=12))
def test_links_make_paths(rows):
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    new, old = columns[0], columns[1]
    kept = resolve_links(new, old, columns[2] / 8, 0.01)
    person, step = find_paths(new[kept], old[kept], 6)
    place = dict(zip(new[kept].tolist(), range(len(kept)), strict=True))
    for link, before in enumerate(old[kept].tolist()):
        assert step[link] == (1 if before not in place else step[place[before]] + 1)
        if before in place:
            assert person[link] == person[place[before]]


@pytest.mark.parametrize(
    ("runs", "options", "error", "message"),
    [
        (0, {}, ParameterError, "`matches` must be one run at least"),
        (1, {"least_probability": 0}, ParameterError, "`least_probability` must be above 0"),
        (1, {"re_entries": 0}, ParameterError, "`re_entries` must be a whole number from 1"),
        (1, {"within_days": float("nan")}, ParameterError, "`within_days` must be a number above"),
    ],
)
def test_bad_options(runs, options, error, message):
    with pytest.raises(error, match=message):
        chanfp.link_chains(*[run_of()] * runs, **options)


def test_bad_tables_name_the_place():
    with pytest.raises(ColumnError, match="table of matches needs a column 'old'"):
        chanfp.link_chains(run_of().drop_columns(["old"]))
    bad = run_of(("b", "a", "A", 0.9)).set_column(0, "new", pa.array(["x"]))
    with pytest.raises(DataError, match="row 1, column 'new': a subscriber number"):
        chanfp.link_chains(bad)


def command(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "chanfp", "chains", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder,
    )  # fmt: skip


def test_the_command(tmp_path):
    pa_csv.write_csv(run_of(("b", "a", "A", 0.9, 4.0)), tmp_path / "1.csv")
    pq.write_table(run_of(("c", "b", "A", 0.5, 10.0)), tmp_path / "2.parquet")
    pa_csv.write_csv(
        held(a=(0, 9, "s1"), b=(20, 70, "s1"), c=(80, None, "s2")), tmp_path / "who.csv"
    )
    words = ("--matches", "1.csv", "2.parquet", "--subscribers", "who.csv", "--out", "found")
    done = command(tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 came back, 1 of them more than once; 2 re-entries" in done.stdout
    assert "step 2: 1 links of mean probability 0.500, with all before 0.450" in done.stdout
    people = pq.read_table(tmp_path / "found" / "people.parquet")
    assert letters(people["numbers"][0].as_py()) == "a > b > c"
    done = command(tmp_path, *words, "--json", "--format", "csv")
    assert json.loads(done.stdout)["wanderers"] == 1
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == [
        "links.csv", "links.parquet", "people.csv", "people.parquet",
    ]  # fmt: skip
    done = command(tmp_path, *words, "--least-probability", "2")
    assert done.returncode == 2
    assert done.stderr.startswith("chanfp: error: --least-probability must be above 0")
    done = command(tmp_path, "--matches", "none.csv", "--out", "found")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_wanderers_of_a_made_up_carrier():
    carrier = chanfp.simulate(3000, seed=2, wanderer_share=0.02, returner_share=0.02)
    fingerprints = chanfp.build_fingerprints(
        carrier.cdrs, carrier.subscribers, new_days=90, silence_days=14
    )
    chains = chanfp.link_chains(chanfp.Matcher().fit(fingerprints).match())
    truth = carrier.truth.to_pylist()
    true = {(row["old_subscription"], row["new_subscription"]) for row in truth if row["old"]}
    links = chains.links.to_pylist()
    found = [(row["old_subscription"], row["new_subscription"]) in true for row in links]
    assert len(found) > 40
    assert np.mean(found) > 0.7
    longest = chains.people.filter(pa.compute.greater(chains.people["n_re_entries"], 1))
    assert longest.num_rows > 3
    assert all(row["is_wanderer"] for row in longest.to_pylist())
