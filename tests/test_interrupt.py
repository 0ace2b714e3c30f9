"""Ctrl-C in the middle of a real run: one line, exit status 130, and nothing left behind."""

import os
import pty
import re
import signal
import subprocess
import sys

import pytest

import chanfp
from chanfp.tables import write_table
from town import cell_table

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
N_COPIES = 5


@pytest.fixture(scope="module")
def carrier(tmp_path_factory):
    """A made-up carrier; each record stands there six times, so that reading takes a while."""
    folder = tmp_path_factory.mktemp("carrier")
    chanfp.simulate(3000, seed=2).write(folder)
    for path in list((folder / "cdr").iterdir()):
        for copy in range(N_COPIES):
            os.link(path, path.with_name(f"{copy}-{path.name}"))
    return folder


def read_until(terminal, wanted):
    """Return what a terminal shows until `wanted` stands there, or until it is closed."""
    shown = b""
    while wanted is None or wanted not in shown:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end is closed and everything is read
            piece = b""
        if not piece:
            break
        shown += piece
    return shown


@pytest.mark.parametrize(
    ("stage", "threads"),
    [("reading CDRs", "1"), ("reading CDRs", "2"), ("reading cells and hours", "2")],
)
def test_an_interrupted_run_leaves_nothing_behind(stage, threads, carrier, tmp_path):
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    out.mkdir()
    temporary.mkdir()
    (out / "m.csv").write_text("the result of yesterday\n")
    leader, follower = pty.openpty()
    words = ["match", "--cdr", carrier / "cdr", "--subscribers", carrier / "subscribers.csv"]
    words += ["--new-days", "90", "--threads", threads, "--out", out / "m.csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "chanfp", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "90", "TMPDIR": str(temporary)},
    ) as process:
        os.close(follower)
        shown = read_until(leader, stage.encode())
        assert process.poll() is None, shown
        process.send_signal(signal.SIGINT)
        rest = read_until(leader, None)
        os.close(leader)
        assert process.stdout.read() == b""
        assert process.wait(60) == 130
    lines = re.split(r"[\r\n]+", CONTROL.sub("", rest.decode()))
    said = [line for line in lines if line.strip() and not re.search(r"\d:\d\d:\d\d", line)]
    assert said == ["chanfp: interrupted; nothing was written."]
    assert [path.name for path in out.iterdir()] == ["m.csv"]
    assert (out / "m.csv").read_text() == "the result of yesterday\n"
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_interrupt_while_writing_leaves_the_old_file(suffix, tmp_path, monkeypatch):
    out = tmp_path / f"m.{suffix}"
    out.write_text("the result of yesterday\n")

    def interrupt(_, path, *__):
        assert os.path.dirname(path) == str(tmp_path)
        raise KeyboardInterrupt

    monkeypatch.setattr("pyarrow.csv.write_csv", interrupt)
    monkeypatch.setattr("pyarrow.parquet.write_table", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_table(cell_table(), out)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert out.read_text() == "the result of yesterday\n"
