"""A tiny run of every benchmark keeps the scripts alive; the figures mean nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks" / "ingest"
ENGINE = FOLDER.parent / "engine"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("benchmarks")


def run(script, data, *words):
    """Run a benchmark; 1 means that an aim was missed, which so few rows may well do."""
    done = subprocess.run(
        [sys.executable, FOLDER / script, data, *words],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_speed(data):
    printed = run("speed.py", data, "--rows", "10000", "--runs", "2")
    assert len(re.findall(r"ratio +\d+\.\d{3} \(", printed)) == 2
    assert "reading text alone" in printed


def test_memory(data):
    printed = run("memory.py", data, "--rows", "10000", "20000", "--limit", "100000")
    assert printed.count(" 0 temporary files left") == 2
    assert "time per row, last to first" in printed


def test_simulator(data):
    printed = run("simulator.py", data, "--rows", "10000")
    assert printed.count("million a second") == 2
    assert not (data / "simulated").exists()


def test_startup(data):
    assert "chanfp match" in run("startup.py", data, "--runs", "1")


def test_made_sets():
    done = subprocess.run(
        [sys.executable, ENGINE / "made_sets.py", "--new", "200", "--departed", "1000"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.count("entries per row") == 2


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("signatures.py", ["--rows", "300", "--runs", "1"]),
        ("lsh.py", ["--new", "300", "--departed", "900", "--runs", "1", "--seeds", "2"]),
    ],
)
def test_engine(script, words):
    pytest.importorskip("rensa")  # a peer that only benchmarks need
    done = subprocess.run(
        [sys.executable, ENGINE / script, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    assert "ratio of processor time" in done.stdout


def test_exact_joins():
    pytest.importorskip("sparse_dot_topn")
    script = FOLDER.parent / "engine" / "exact_joins.py"
    printed = run(script, "--new=300", "--departed=900", "--rounds=1", "--clock=cpu")
    assert len(re.findall(r" x  \(goal ", printed)) == 7
    assert "per posting" in printed


@pytest.mark.parametrize(
    ("script", "words", "printed"),
    [
        ("own_evidence.py", "--new 90 --departed 300 --pairs 500 --runs 1", "ns per pair; Python"),
        ("index_days.py", "--new 90 --departed 300 --daily 9 --days 20", "of building anew"),
    ],
)
def test_engine_without_peers(script, words, printed):
    done = subprocess.run(
        [sys.executable, ENGINE / script, *words.split()],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert printed in done.stdout


def test_outlet_audit():
    script = FOLDER.parent / "accuracy" / "outlet_audit.py"
    printed = run(script, "--people=1500", "--seeds=1")
    assert printed.count("\n| 1 | ") == printed.count("\n| all | ") == 1
