"""A tiny run of every benchmark of reading keeps the scripts alive; the figures mean nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks" / "ingest"


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


def test_exact_joins():
    pytest.importorskip("sparse_dot_topn")
    script = FOLDER.parent / "engine" / "exact_joins.py"
    printed = run(script, "--new=300", "--departed=900", "--rounds=1", "--clock=cpu")
    assert len(re.findall(r" x  \(goal ", printed)) == 7
    assert "per posting" in printed
