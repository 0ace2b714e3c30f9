"""``chanfp explain`` and the files that it reads, as a user runs them."""

import csv
import json
import os
import subprocess
import sys

import pytest

import chanfp
from carriers import FRIENDS, LEAVER, NEW, OLD, write_carrier
from test_cli import fails, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("carrier")
    cdrs, subscribers = write_carrier(folder)
    out = folder / "m.csv"
    done = run("match", "--cdr", cdrs, "--subscribers", subscribers, "--out", out, "--explanations")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Explanations  {folder / 'm.explanations.parquet'}" in done.stdout
    return folder


def test_a_match_is_explained(folder):
    done = run("explain", "--matches", folder / "m.csv", NEW)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{NEW}, new, and {OLD}, old"
    assert lines[1] == "Verdict       grade A, very alike, best candidate."
    assert "Shared partners (8)" in lines
    (friend,) = [line.split() for line in lines if FRIENDS[0] in line]
    assert friend[:3] == [f"+86{FRIENDS[0]}", "9", "11"]
    assert lines[lines.index("Time line") + 5 :][1:3] == ["  old  ███▅·····", "  new  ·····███▅"]
    assert done.stdout == run("explain", "--matches", folder / "m.csv", f"+86-{NEW}", OLD).stdout
    assert "\x1b" not in done.stdout


def test_as_json_and_as_a_picture(folder, tmp_path):
    done = run(
        "explain",
        "--matches",
        folder / "m.csv",
        NEW,
        OLD,
        "--json",
        "--picture",
        tmp_path / "p.png",
    )
    assert (done.returncode, done.stderr) == (0, "")
    values = json.loads(done.stdout)
    saved = chanfp.read_explanations(folder / "m.explanations.parquet")
    assert values == saved.explain(NEW, OLD).to_dict()
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


def test_narrow_and_plain_terminals(folder):
    for columns, encoding in (("60", "utf-8"), ("200", "ascii")):
        done = subprocess.run(
            [sys.executable, "-m", "chanfp", "explain", "--matches", folder / "m.csv", NEW],
            capture_output=True,
            check=False,
            env={**os.environ, "COLUMNS": columns, "PYTHONIOENCODING": encoding},
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert max(map(len, done.stdout.decode(encoding).splitlines())) <= min(int(columns), 120)


@pytest.mark.parametrize(
    ("words", "message", "status"),
    [
        ((LEAVER,), f"`new` '{LEAVER}': not in the matches", 2),
        ((NEW, LEAVER), f"`old` '{LEAVER}': not in the matches", 2),
        ((NEW, "--explanations", "none.parquet"), "none.parquet: no such file", 1),
        ((NEW, "--picture", "p.gif"), "p.gif: an output file must end in .png or .svg", 2),
        ((NEW, "--new-subscription", "x"), "`new_subscription`", 2),
    ],
)
def test_what_cannot_be_explained(folder, words, message, status):
    done = run("explain", "--matches", folder / "m.csv", *words)
    assert fails(done, message.replace("`new_subscription`", "--new-subscription 'x'"), status)


def test_a_run_that_kept_nothing(folder, tmp_path):
    (tmp_path / "other.csv").write_bytes((folder / "m.csv").read_bytes())
    done = run("explain", "--matches", tmp_path / "other.csv", NEW)
    assert fails(done, "other.explanations.parquet is missing); match again with --explanations")
    saved = ("--explanations", folder / "m.explanations.parquet")
    assert run("explain", "--matches", tmp_path / "other.csv", NEW, *saved).returncode == 0
    done = run("explain", "--matches", folder / "m.csv", NEW, "--picture", folder / "m.svg")
    assert done.returncode == 0


def test_a_picture_replaces_no_input(folder, tmp_path):
    picture = tmp_path / "m.svg"
    picture.write_bytes((folder / "m.explanations.parquet").read_bytes())
    words = ("--explanations", picture, "--picture", picture)
    done = run("explain", "--matches", folder / "m.csv", NEW, *words)
    assert fails(done, "--picture", 2)
    assert picture.read_bytes() == (folder / "m.explanations.parquet").read_bytes()


def test_no_partners_are_written_unasked(folder, tmp_path):
    files = ("--cdr", folder / "cdr.csv", "--subscribers", folder / "subscribers.csv")
    assert run("match", *files, "--out", tmp_path / "m.csv").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]
    with (tmp_path / "m.csv").open(newline="") as file:
        assert not any(FRIENDS[0] in value for row in csv.reader(file) for value in row)


def test_where_explanations_go(folder, tmp_path):
    files = ("--cdr", folder / "cdr.csv", "--subscribers", folder / "subscribers.csv")
    kept = tmp_path / "why.parquet"
    done = run("match", *files, "--out", "-", "--explanations", kept, "--json")
    assert done.returncode == 2
    done = run("match", *files, "--out", tmp_path / "m.csv", "--explanations", kept, "--json")
    assert json.loads(done.stdout)["explanations"] == str(kept)
    assert kept.read_bytes() == (folder / "m.explanations.parquet").read_bytes()
    done = run("match", *files, "--out", "-", "--explanations")
    assert done.returncode == 2
    assert "--explanations needs a FILE where --out is -" in done.stderr
    done = run("match", *files, "--out", tmp_path / "m.csv", "--explanations", tmp_path / "m.csv")
    assert fails(done, "m.csv: an output file must end in .parquet", 2)
    same = tmp_path / "m.parquet"
    done = run("match", *files, "--out", same, "--explanations", same)
    assert fails(done, "--explanations", 2)


def test_a_calibration_needs_a_model(folder, tmp_path):
    files = ("--cdr", folder / "cdr.csv", "--subscribers", folder / "subscribers.csv")
    out = ("--out", tmp_path / "m.csv", "--calibration", tmp_path / "c.json")
    done = run("match", *files, *out)
    assert done.returncode == 0
    assert done.stderr == (
        f"chanfp: warning: {tmp_path / 'c.json'} was not written: the grades are similarity tiers, "
        "for which nothing is known.\n"
    )
    assert (tmp_path / "m.csv").exists()
    assert not (tmp_path / "c.json").exists()
    done = run("match", *files, *out, "--similarity")
    assert done.returncode == 2
    assert "--calibration needs what --similarity leaves out" in done.stderr
    done = run("match", *files, *out[:2], "--calibration", tmp_path / "c.pdf")
    assert fails(done, "must end in .json or .png or .svg", 2)


def test_a_calibration_is_written(tmp_path):
    chanfp.simulate(800, seed=1).write(tmp_path)
    files = ("--cdr", tmp_path / "cdr", "--subscribers", tmp_path / "subscribers.csv")
    for name in ("c.json", "c.svg"):
        out = ("--out", tmp_path / "m.csv", "--calibration", tmp_path / name, "--new-days", 90)
        done = run("match", *files, *out)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"Calibration   {tmp_path / name}" in done.stdout
    values = json.loads((tmp_path / "c.json").read_text())
    assert set(values) == {"n_controls", "returner_share", "shares", "scores", "rates"}
    assert b"<svg" in (tmp_path / "c.svg").read_bytes()
