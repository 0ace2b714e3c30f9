"""The command ``chanfp inspect``, and the reject file of both commands."""

import csv
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

import chanfp
from carriers import CDR_HEADER, returner_calls, stamp, write_carrier, write_csv
from chanfp.cli import main


@pytest.fixture
def run(capsys):
    """Return a runner of commands in this process, which spares the start of another."""

    def run_command(*words):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(words, stop.value.code, shown.out, shown.err)

    return run_command


def dirty_rows():
    """Calls with 20 rows that can't be used, of 205."""
    rows = list(returner_calls())
    for n in range(20):
        parties = ("", "x") if n % 2 else ("13800000001", "NULL")
        rows.insert(9 * n, (*parties, stamp(n), "a,b", '"', "", "话"))
    return rows


@pytest.fixture
def files(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    return ("--cdr", cdrs, "--subscribers", subscribers)


def test_inspect_prints_what_the_library_says(files, run):
    done = run("inspect", *files)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip("\n") == chanfp.inspect_cdrs(files[1], files[3]).text(80)
    found = json.loads(run("inspect", *files, "--json", "--threads", 1).stdout)
    assert found == chanfp.inspect_cdrs(files[1], files[3]).to_dict()


def test_side_tables_are_read_and_checked(files, tmp_path, run):
    usage = tmp_path / "usage.csv"
    usage.write_text("手机号码,账期\n13100000000,202401\n")
    found = json.loads(run("inspect", *files, "--usage", usage, "--json").stdout)
    assert found["side_tables"]["usage"]["rows"] == 1
    done = run("inspect", *files, "--usage", usage, "--rejects", usage)
    assert (done.returncode, usage.read_text().count("\n")) == (2, 2)
    usage.write_text("subscriber,month\n13100000000,soon\n")
    done = run("inspect", *files, "--usage", usage)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"chanfp: error: {usage}, row 2, column 'month': a month such as")
    assert done.stderr.count("\n") == 1


def test_findings_name_options(tmp_path, run):
    rows = [(f"{n:08x}ab{n:06}", f"{n:08x}cd{n:06}", stamp(n)) for n in range(30)]
    path = write_csv(tmp_path / "cdr.csv", CDR_HEADER[:3], rows)
    done = run("inspect", "--cdr", path)
    assert "--numbers 'opaque'" in " ".join(done.stdout.split())
    assert "`" not in run("inspect", "--cdr", path, "--json").stdout


def on_terminal(words, columns):
    """Run a command on a terminal of some width; return what it shows, in pieces between codes."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "chanfp", *map(str, words)],
        stdout=follower,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "NO_COLOR": ""},
    ) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += (more := os.read(leader, 1 << 16))
            except OSError:  # what Linux says when the other end is gone
                break
            if not more:
                break
        assert process.wait() == 0
        assert process.stderr.read() == b""
    os.close(leader)
    return shown.decode()


def test_a_terminal_gets_colour_and_no_wider_lines(files):
    shown = on_terminal(("inspect", *files), 100)
    assert "\x1b[1mRecords       \x1b[0m185 read" in shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "").rstrip("\n").split("\n")
    expected = chanfp.inspect_cdrs(files[1], files[3]).text(100).split("\n")
    assert [line.rstrip() for line in lines] == expected


def test_signs_that_cannot_be_shown_have_a_stand_in(files):
    done = subprocess.run(
        [sys.executable, "-m", "chanfp", "inspect", *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert re.search(r"8-15 +3 +75.0 % +#+", done.stdout)


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz", "r.parquet"])
def test_rejected_rows_are_the_same_for_every_command_and_thread(name, files, tmp_path, run):
    write_csv(tmp_path / "cdr.csv", CDR_HEADER, dirty_rows())
    found = set()
    for threads in (1, 3):
        for words in (
            ("inspect", *files, "--quiet"),
            ("match", *files, "--out", tmp_path / "m.csv", "--max-reject-share", 0.5),
        ):
            path = tmp_path / name
            done = run(*words, "--rejects", path, "--threads", threads)
            assert (done.returncode, done.stderr) == (0, "")
            found.add(path.read_bytes())
            path.unlink()
    assert len(found) == 1
    assert f"Rejects       {path}" in done.stdout


def test_rejected_rows_stand_as_they_were(files, tmp_path, run):
    rows = dirty_rows()
    write_csv(tmp_path / "cdr.csv", CDR_HEADER, rows)
    lines = (tmp_path / "cdr.csv").read_text().splitlines()
    lines.insert(100, "one,field,too,few,,")
    lines.insert(150, 'a "stray" quote,"')
    (tmp_path / "cdr.csv").write_text("\n".join(lines) + "\n")
    out, rejects = tmp_path / "m.csv", tmp_path / "r.csv"
    done = run("match", *files, "--out", out, "--rejects", rejects)
    assert done.returncode == 1
    assert "22 of 207 CDRs can't be used" in done.stderr
    assert f"; all are in {rejects}; correct the export or raise --max-reject-share." in done.stderr
    assert not out.exists()
    with rejects.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [lines[int(row["row"]) - 1] for row in found] == [row["record"] for row in found]
    assert [int(row["row"]) for row in found] == sorted(int(row["row"]) for row in found)
    assert {row["file"] for row in found} == {str(tmp_path / "cdr.csv")}
    reasons = {row["reason"]: row["column"] for row in found}
    assert reasons == {
        "ragged-row": "",
        "stray-quote": "",
        "caller-missing": "caller",
        "callee-missing": "callee",
    }
    assert len(found) == 22


def test_the_reject_file_replaces_nothing_that_is_needed(files, tmp_path, run):
    for other in (tmp_path / "cdr.csv", tmp_path / "subscribers.csv"):
        before = other.read_bytes()
        for words in (("inspect", *files), ("match", *files, "--out", tmp_path / "m.csv")):
            done = run(*words, "--rejects", other)
            assert done.returncode == 2
            assert f"--rejects {other} is an input or output of this run too" in done.stderr
        assert other.read_bytes() == before
    same = tmp_path / "m.csv"
    assert run("match", *files, "--out", same, "--rejects", same).returncode == 2
    assert run("inspect", *files, "--rejects", tmp_path / "r.txt").returncode == 2
    assert not same.exists()
