"""A tiny run of every benchmark keeps the scripts alive; the figures mean nothing."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chanfp
from chanfp import costs
from chanfp.features import FEATURES

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


def run_engine(script, *words):
    """Run a benchmark of the engine; 1 means that an aim was missed."""
    done = subprocess.run(
        [sys.executable, ENGINE / script, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("signatures.py", ["--rows", "300", "--runs", "1"]),
        ("lsh.py", ["--new", "300", "--departed", "900", "--runs", "1", "--seeds", "2"]),
    ],
)
def test_engine(script, words):
    pytest.importorskip("rensa")  # a peer that only benchmarks need
    assert "ratio of processor time" in run_engine(script, *words)


def test_candidates():
    printed = run_engine("candidates.py", "--new=200", "--departed=600", "--rounds=1", "--top=3")
    assert printed.count("every list walked") == 2


def test_recall_over_seeds():
    words = ["--no-peers", "--new=300", "--departed=900", "--seeds=2", "--thresholds", "0.3", "0.5"]
    printed = run_engine("lsh.py", *words)
    assert (
        len(re.findall(r"over 2 seeds, reached in \d; interval held the truth in \d", printed)) == 2
    )


def test_planner():
    words = ["--sizes=300x900", "--shapes", "hubs", "even", "--thresholds", "0.3", "--runs=1"]
    printed = run_engine("planner.py", *words)
    assert printed.count("300x900") == 2
    assert "times the faster method" in printed


def test_calibration():
    words = ["--sizes=300x900", "--thresholds", "0.3", "0.6", "--runs=1"]
    printed = run_engine("calibrate.py", *words)
    assert printed.count("predicted to measured") == 2
    for name in re.findall(r"^  (_[A-Z_]+) ", printed, re.MULTILINE):
        assert hasattr(costs, name)


def test_sweep(tmp_path):
    table, figure = tmp_path / "sweep.csv", tmp_path / "sweep.svg"
    words = ["--size=300x900", "--thresholds", "0.3", "--recalls", "0.8", "0.9", "--runs=1"]
    run_engine("sweep.py", *words, f"--csv={table}")
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 3 * 3
    pytest.importorskip("matplotlib")
    run_engine("sweep.py", "--draw-only", f"--csv={table}", f"--figure={figure}")
    assert "<svg" in figure.read_text(encoding="utf-8")


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


ACCURACY = FOLDER.parent / "accuracy"


def run_accuracy(script, *words):
    """Run a benchmark of accuracy; 1 means that an aim was missed, as so few people may well do."""
    done = subprocess.run(
        [sys.executable, ACCURACY / script, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_made_up_carriers(tmp_path):
    words = ["--people=800", "--seeds=1", f"--work={tmp_path}", "--variants"]
    done = run_accuracy("made_up_carriers.py", *words, "default", "no-returners")
    rows = re.findall(r"^\| (default|no-returners) \| 1 \| (.*) \|$", done.stdout, re.M)
    assert len(rows) == 4
    n_back = {name: int(cells.split(" | ")[0]) for name, cells in rows[2:]}
    assert n_back["no-returners"] == 0
    assert n_back["default"] >= 4
    assert ("Missed" in done.stdout) == (done.returncode == 1)
    assert {path.name for path in tmp_path.iterdir()} == {"default-800-1", "no-returners-800-1"}


def test_early_decisions():
    printed = run_accuracy("early_decisions.py", "--people=500", "--seeds=1").stdout
    assert len(re.findall(r"^\| \d+ (?:to \d+|days) \|(?: [\d.–]+ \|){8}$", printed, re.M)) == 9
    assert printed.count("| any |") == 2


@pytest.fixture
def accuracy(monkeypatch):
    monkeypatch.syspath_prepend(str(ACCURACY))
    return importlib.import_module


def test_aims_that_are_missed_are_named(accuracy):
    tally = accuracy("made_up_carriers").Tally("share-10")
    tally.claimed = [[(0, 0), (300, 20), (400, 90)], [(10, 0), (100, 0), (100, 10)]]
    tally.returners = [(200, 0.0, 0.0, 0.0, 215.0), (200, 0.0, 0.0, 0.0, 175.0)]
    values, is_false = np.arange(40.0), np.arange(40) == 39
    tally.corners = {"density": [(values, is_false)]}
    assert list(tally.missed()) == [
        "probabilities add up to 175 for 200 returners",
        "a quarter of density has a false share of 0.100",
    ]
    tally.claimed[0][1:] = [(300, 60), (400, 130)]
    found = list(tally.missed())
    assert "at 0.05 the false share is 0.100 in the mean" in found
    assert "at 0.05 one of 300 matches has a false share of 0.200" in found
    assert "at 0.2 one of 400 matches has a false share of 0.325" in found
    nobody = accuracy("made_up_carriers").Tally("no-returners")
    nobody.claimed = [[(0, 0), (6, 6), (9, 9)]]
    assert list(nobody.missed()) == ["6 grades A and B where nobody came back"]


def test_ablations(accuracy):
    ablations = accuracy("ablations")
    carrier = chanfp.simulate(1500, seed=2)
    prints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    whole = ablations.full(prints)
    blind = ablations.without(["jaccard"])(prints)
    at = list(FEATURES).index("jaccard")
    rounds = blind.judgement.model.rounds
    assert not any(one.coefficients[:, at].any() for one in rounds)
    assert all(one.coefficients[:, at + 1].all() for one in rounds)
    plain, still = ablations.with_rounds(0)(prints), ablations.no_renaming(prints)
    assert still.table["probability"].equals(plain.table["probability"])
    assert not still.table["probability"].equals(whole.table["probability"])
    assert ablations.no_nearness(prints).judgement.nearness == 1
    assert len(ablations.no_strata(prints)) == len(whole)
    assert whole.judgement.nearness > 1
    assert ablations.full(prints).table.equals(whole.table)  # nothing is left patched
    assert all(set(group) < set(FEATURES) for group in ablations.GROUPS.values())


def test_number_chains():
    script = FOLDER.parent / "accuracy" / "number_chains.py"
    printed = run(script, "--people=1500", "--seeds=1")
    assert printed.count("\n| 1 | ") == printed.count("\n| all | ") == 1


def test_outlet_audit():
    script = FOLDER.parent / "accuracy" / "outlet_audit.py"
    printed = run(script, "--people=1500", "--seeds=1")
    assert printed.count("\n| 1 | ") == printed.count("\n| all | ") == 1
