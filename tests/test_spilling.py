"""Calls that wait on disk: a folder refused, a disk that is full, a run that is interrupted."""

import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

import chanfp
from carriers import write_carrier
from chanfp.calls import BYTES_PER_CALL, CallStore
from chanfp.cli.sizes import UNIT_BYTES
from chanfp.errors import DataError
from chanfp.spilling import SpillFolder

# The command, standing still once calls are on disk.
STANDING_STILL = """
import signal, sys, time
from chanfp.calls import CallStore
from chanfp.cli import main

add = CallStore.add

def add_slowly(store, part):
    add(store, part)
    print("spilled", flush=True)
    time.sleep(60)

CallStore.add = add_slowly
signal.signal(signal.SIGINT, signal.default_int_handler)
main(sys.argv[1:])
"""


@pytest.fixture
def words(tmp_path):
    """Return the words of a command that spills into ``temporary``."""
    (tmp_path / "temporary").mkdir()
    cdrs, subscribers = write_carrier(tmp_path)
    options = ("--memory-limit", "1kB", "--temp-dir", tmp_path / "temporary")
    files = ("--cdr", cdrs, "--subscribers", subscribers, "--out", tmp_path / "m.csv")
    return [str(word) for word in ("match", *files, *options)]


def left_behind(folder):
    return sorted(path.name for path in folder.rglob("*") if path.suffix != ".csv")


def run(words, **settings):
    return subprocess.run(
        [sys.executable, "-m", "chanfp", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **settings,
    )


def some_calls(store):
    return store.partition(np.arange(9, dtype=np.int32), np.ones(18, np.uint64))


def test_the_command_spills_and_leaves_nothing(words, tmp_path):
    assert run(words).returncode == 0
    spilled = (tmp_path / "m.csv").read_bytes()
    assert run(words[: words.index("--memory-limit")]).returncode == 0
    assert (tmp_path / "m.csv").read_bytes() == spilled
    assert left_behind(tmp_path) == ["temporary"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_after_an_interruption(number, words, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", STANDING_STILL, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "spilled\n"
        assert len(left_behind(tmp_path)) > 2
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert errors.strip() == "chanfp: interrupted; nothing was written."
    assert left_behind(tmp_path) == ["temporary"]
    assert not (tmp_path / "m.csv").exists()


def test_a_disk_that_fills_up_stops_the_command(words, tmp_path):
    def let_files_grow_to_100_bytes():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = run(words, preexec_fn=let_files_grow_to_100_bytes)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"chanfp: error: {tmp_path / 'temporary' / 'chanfp-'}")
    assert "can't hold the calls beyond the memory limit: File too large" in line
    assert "up to here they need 3.7 kB, and " in line
    assert line.endswith("choose another folder as --temp-dir, or raise --memory-limit.")
    assert left_behind(tmp_path) == ["temporary"]
    assert not (tmp_path / "m.csv").exists()


def test_no_space_left(tmp_path, monkeypatch):
    monkeypatch.setattr(SpillFolder, "_path", lambda *_: "/dev/full")
    with (
        pytest.raises(DataError, match=r"No space left on device; up to here they need 180 bytes"),
        CallStore(9, max_bytes=0, temp_dir=str(tmp_path)) as store,
    ):
        store.add(some_calls(store))
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cant_be_written_is_refused_before_reading(tmp_path, monkeypatch):
    cdrs, subscribers = write_carrier(tmp_path)
    monkeypatch.setattr(chanfp.CallRecords, "clean_batches", None)
    for folder, reason in (
        (tmp_path / "nowhere", "No such file or directory"),
        (cdrs, "Not a directory"),
    ):
        with pytest.raises(DataError, match=rf"{folder}: temporary files .*{reason}.*`temp_dir`"):
            chanfp.build_fingerprints(cdrs, subscribers, temp_dir=str(folder))
        with pytest.raises(DataError, match=rf"{folder}: temporary files .*{reason}.*`temp_dir`"):
            chanfp.inspect_cdrs(cdrs, temp_dir=str(folder))


def test_calls_in_memory_take_their_share_of_the_limit_at_most(tmp_path, monkeypatch):
    files = write_carrier(tmp_path)
    spilled = []
    monkeypatch.setattr(
        CallStore,
        "__exit__",
        lambda store, *error, leave=CallStore.__exit__: (
            spilled.append(store.n_spilled),
            leave(store, *error),
        )[1],
    )
    chanfp.build_fingerprints(*files)
    n_sides = chanfp.build_fingerprints(*files).activity.n_calls.sum()
    # A quarter; a first look has pairs of subscriber and partner to hold as well.
    for build, parts in ((chanfp.build_fingerprints, 4), (chanfp.inspect_cdrs, 8)):
        for missing in (0, parts):
            limit = parts * BYTES_PER_CALL * int(n_sides) - missing
            build(*files, memory_limit=limit, temp_dir=str(tmp_path))
    assert spilled == [0, 0, 0, n_sides, 0, n_sides]


def test_a_folder_is_made_where_one_is_needed(tmp_path):
    with CallStore(9, max_bytes=200, temp_dir=str(tmp_path)) as store:
        store.add(some_calls(store))
        assert not any(tmp_path.iterdir())
    with CallStore(9, max_bytes=0, temp_dir=str(tmp_path)) as store:
        store.add(some_calls(store))
        assert any(tmp_path.iterdir())
        assert store.n_spilled == 9
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("much", "'much' is no size; write one such as 2GB or 500MB."),
        ("-2GB", "is no size"),
        ("2PB", "is no size"),
        ("0GB", "--memory-limit must be at least 1 byte"),
    ],
)
def test_sizes_that_are_none(text, message, words):
    words[words.index("1kB")] = text
    done = run(words)
    assert done.returncode == 2
    assert message in done.stderr


def test_units_of_sizes():
    assert UNIT_BYTES["GB"] == 10**9
    assert UNIT_BYTES["G"] == UNIT_BYTES["GIB"] == 2**30
