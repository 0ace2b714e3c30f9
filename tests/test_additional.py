"""Additional numbers: the holders of two SIMs among the decoys, listed and counted as false."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import chanfp
from carriers import write_carrier
from chanfp.additional import ADDITIONAL_SCHEMA
from chanfp.cli.match import match
from chanfp.errors import ParameterError

KINDS = ("additional-number", "partial-replacement")


@pytest.fixture(scope="module")
def carrier():
    return chanfp.simulate(2500, seed=4, added_share=0.03)


@pytest.fixture(scope="module")
def matches(carrier):
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    return chanfp.Matcher().fit(fingerprints).match()


def test_holders_of_two_sims_are_listed(matches, carrier):
    listed = matches.additional_numbers()
    assert listed.schema.equals(ADDITIONAL_SCHEMA, check_metadata=True)
    kind = {row["new"]: row["kind"] for row in carrier.truth.to_pylist()}
    names = ("subscriber", "id_hash")
    id_of = dict(zip(*(carrier.subscribers[name].to_pylist() for name in names), strict=True))
    rows = listed.to_pylist()
    assert len(rows) >= 15
    assert np.mean([kind.get(row["new"]) in KINDS for row in rows]) >= 0.8
    # Every fifth or so has no id, or another one.
    assert np.mean([id_of[row["new"]] == id_of[row["active"]] for row in rows]) >= 0.5
    assert all(0.8 <= row["score"] <= 1 and row["n_shared"] > 0 for row in rows)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert len({row["new"] for row in rows}) == len(rows)
    active = set(matches.fingerprints.control_old.ids.to_pylist())
    assert all(row["active"] in active for row in rows)


def test_their_wins_stay_counted(matches):
    summary = matches.summary
    every = matches.additional_numbers(0.0)
    assert every.num_rows == summary["decoys"]["wins"] == matches.judgement.n_decoy_wins
    assert summary["additional_numbers"] == matches.additional_numbers().num_rows
    assert 0 < summary["additional_numbers"] < every.num_rows


def test_matches_give_the_reason(matches):
    listed = set(matches.additional_numbers()["new"].to_pylist())
    won = set(matches.additional_numbers(0.0)["new"].to_pylist())
    rows = [row for row in matches.table.to_pylist() if row["rank"] == 1]
    thin = {row["new"] for row in rows if row["reason"] == "thin-evidence"}
    found = {row["new"]: row["reason"] for row in rows if row["new"] not in thin}
    assert {new for new, why in found.items() if why == "additional-number"} == listed & set(found)
    lost = {new for new, why in found.items() if why == "lost-to-active"}
    assert lost == (won - listed) & set(found)
    assert all(row["grade"] == "D" for row in rows if row["reason"] == "additional-number")
    assert listed & set(found)


def test_the_policy_says_what_is_strong(matches):
    policy = chanfp.GradePolicy(additional_score=0.95)
    stricter = chanfp.Matcher(policy=policy).fit(matches.fingerprints).match()
    assert stricter.additional_numbers().to_pylist() == [
        row for row in matches.additional_numbers().to_pylist() if row["score"] >= 0.95
    ]
    assert stricter.summary["additional_numbers"] < matches.summary["additional_numbers"]
    for score in (0, 1.1):
        with pytest.raises(ParameterError, match="`additional_score`"):
            chanfp.GradePolicy(additional_score=score)


def test_similarity_tiers_know_of_none(matches):
    plain = chanfp.Matcher(learn=False).fit(matches.fingerprints).match()
    assert plain.additional_numbers().num_rows == 0
    assert plain.summary["additional_numbers"] is None


def test_the_command_writes_them(matches, carrier, tmp_path):
    carrier.write(tmp_path)
    command = ("--cdr", tmp_path / "cdr", "--new-days", "90", "--subscribers")
    files = ("--out", tmp_path / "m.csv", "--additional", tmp_path / "a.parquet")
    done = CliRunner().invoke(
        match, [str(part) for part in (*command, tmp_path / "subscribers.csv", *files)]
    )
    assert done.exit_code == 0, done.output
    assert pq.read_table(tmp_path / "a.parquet").equals(matches.additional_numbers())
    assert "look like an additional number" in done.output


def test_a_file_that_is_an_input_is_refused(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    files = ("--cdr", cdrs, "--subscribers", subscribers, "--out", tmp_path / "m.csv")
    command = [str(part) for part in (*files, "--additional", subscribers)]
    done = CliRunner().invoke(match, command)
    assert isinstance(done.exception, ParameterError)
    assert "subscribers.csv" in str(done.exception)
