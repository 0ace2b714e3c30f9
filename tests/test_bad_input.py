"""Bad input for both commands: one clear line or counted rows, and nothing left lying about."""

import csv
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from carriers import CDR_HEADER, returner_calls, stamp, write_carrier, write_csv
from chanfp.cli import main

COMMANDS = ("inspect", "match")
FRIEND, OTHER = "13800000001", "13800000002"


class Place:
    """A folder with input, one for results and one for temporary files."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys
        for name in ("in", "out", "temp"):
            (folder / name).mkdir()
        _, self.subscribers = write_carrier(folder)
        self.cdrs = folder / "in"

    def words(self, command, cdrs, *options):
        words = [command, "--cdr", str(cdrs), "--subscribers", str(self.subscribers), *options]
        out = ["--out", str(self.folder / "out" / "m.csv")]
        return [*words, *(out if command == "match" else [])]

    def run(self, command, cdrs, *options):
        """Run a command in this process; return its exit status and what it says."""
        with pytest.raises(SystemExit) as stop:
            main(self.words(command, cdrs, *options))
        shown = self.capsys.readouterr()
        return stop.value.code, shown.out, shown.err

    def left(self):
        """Return the files left in the folders for results and temporary files."""
        return sorted(
            str(path.relative_to(self.folder))
            for name in ("out", "temp")
            for path in (self.folder / name).rglob("*")
        )


@pytest.fixture
def place(tmp_path, capsys, monkeypatch):
    found = Place(tmp_path, capsys)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return found


def as_table(rows=None, header=CDR_HEADER):
    columns = [list(column) for column in zip(*(rows or returner_calls()), strict=True)]
    return pa.table(columns, names=list(header))


# Files that can't be read


def truncated_gzip(folder):
    whole = gzip.compress("\n".join(map(",".join, [CDR_HEADER, *returner_calls() * 30])).encode())
    (folder / "x.csv.gz").write_bytes(whole[:-30])
    return r"x.csv.gz: damaged \w+ (row|its beginning).*: Truncated .*copy the file again"


def truncated_parquet(folder):
    pq.write_table(as_table(), folder / "x.parquet")
    whole = (folder / "x.parquet").read_bytes()
    (folder / "x.parquet").write_bytes(whole[: len(whole) // 2])
    return r"x.parquet: can't be read as Parquet: .*copy it again"


def parquet_with_a_hole(folder):
    pq.write_table(as_table(returner_calls() * 30), folder / "x.parquet", row_group_size=500)
    whole = (folder / "x.parquet").read_bytes()
    middle = len(whole) // 2
    (folder / "x.parquet").write_bytes(whole[:middle] + b"\xee" * 300 + whole[middle + 300 :])
    return r"x.parquet: damaged after row \d+: .*copy the file again"


def a_part_without_a_column(folder):
    pq.write_table(as_table(), folder / "a.parquet")
    pq.write_table(as_table().drop_columns(["callee"]), folder / "b.parquet")
    return r"b.parquet: CDRs need a column 'callee'"


def a_part_of_another_type(folder):
    pq.write_table(as_table(), folder / "a.parquet")
    floats = pa.array([float(row[0]) for row in returner_calls()])
    pq.write_table(as_table().set_column(0, "caller", floats), folder / "b.parquet")
    return r"b.parquet, row 1, column 'caller': numbers must be text, found double"


def times_of_another_type(folder):
    pq.write_table(as_table(), folder / "a.parquet")
    odd = pa.array([[1]] * len(returner_calls()))
    pq.write_table(as_table().set_column(2, "start_time", odd), folder / "b.parquet")
    return r"b.parquet, row 1, column 'start_time': times must be text"


def nothing(folder):
    return r"in: the folder holds no file .*\(it is empty\)"


def other_files_only(folder):
    (folder / "readme.txt").write_text("no CDRs")
    return r"in: the folder holds no file .*readme.txt"


def nul_bytes_everywhere(folder):
    (folder / "x.csv").write_bytes(bytes(1 << 20))
    return r"x.csv.*(header|first line)"


BROKEN = {
    make.__name__: make
    for make in (
        truncated_gzip,
        truncated_parquet,
        parquet_with_a_hole,
        a_part_without_a_column,
        a_part_of_another_type,
        times_of_another_type,
        nothing,
        other_files_only,
        nul_bytes_everywhere,
    )
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_one_clear_line(name, command, place):
    message = BROKEN[name](place.cdrs)
    status, out, err = place.run(
        command, place.cdrs, "--rejects", str(place.folder / "out" / "r.csv")
    )
    assert (status, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith("chanfp: error: ")
    assert re.search(message, line), line
    assert place.left() == []


# Rows that can't be used: text of the lines, what is rejected, what is noted

CALL = f"{FRIEND},{OTHER}"
DIRT = {
    "ragged rows": (f"{CALL}\n{CALL},{stamp(3)},1,call,c,i,more\n", {"ragged-row": 2}, {}),
    "stray quotes": (
        f'{CALL},"{stamp(3)},1,call,c,i\n{CALL},{stamp(3)},1,"call",c,i\n',
        {"stray-quote": 1},
        {},
    ),
    "NUL bytes": (f"{FRIEND}\0,{OTHER},{stamp(3)},1,call,c,i\n", {"nul-byte": 1}, {}),
    "a field of 10 MB": (
        f"{CALL},{stamp(3)},1,call,{'c' * 10_000_000},i\n",
        {"field-too-long": 1},
        {},
    ),
    "negative durations": (f"{CALL},{stamp(3)},-5,call,c,i\n", {}, {"duration-negative": 1}),
    "unreadable durations": (f"{CALL},{stamp(3)},long,call,c,i\n", {}, {"duration-unreadable": 1}),
    "a duration beyond all numbers": (
        f"{CALL},{stamp(3)},99999999999999999999,call,c,i\n",
        {},
        {"duration-unreadable": 1},
    ),
    "times that are none": (
        f"{CALL},1969-12-31 23:00:00,1,call,c,i\n{CALL},2107-01-01,1,call,c,i\n"
        f"{CALL},2024-02-30 10:00:00,1,call,c,i\n",
        {"start-time-invalid": 3},
        {},
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", DIRT)
def test_dirty_rows_are_counted_and_kept(name, command, place):
    lines, rejected, notes = DIRT[name]
    path = write_csv(place.cdrs / "x.csv", CDR_HEADER, returner_calls())
    with path.open("a", newline="") as file:
        file.write(lines)
    rejects = place.folder / "out" / "r.parquet"
    status, out, err = place.run(command, path, "--json", "--rejects", str(rejects))
    assert (status, err) == (0, "")
    records = json.loads(out)["records"]
    n_lines = lines.count("\n")
    n_rejected = sum(rejected.values())
    assert records["rejected_by_reason"] == rejected
    assert records["notes"] == notes
    assert (records["total"], records["accepted"]) == (185 + n_lines, 185 + n_lines - n_rejected)
    found = pq.read_table(rejects).to_pylist()
    assert len(found) == n_rejected
    assert all(row["row"] > 186 and row["file"] == str(path) for row in found)
    assert [row["reason"] for row in found] == [r for r, n in rejected.items() for _ in range(n)]
    if name != "a field of 10 MB":
        assert all(row["record"] in lines for row in found)
    assert place.left() == ["out/m.csv"] * (command == "match") + ["out/r.parquet"]


def test_other_files_in_a_folder_are_passed_over_and_named(place):
    write_csv(place.cdrs / "x.csv", CDR_HEADER, returner_calls())
    (place.cdrs / "notes.docx").write_bytes(b"PK\3\4")
    (place.cdrs / "_SUCCESS").write_bytes(b"")
    status, out, err = place.run("inspect", place.cdrs)
    assert (status, err) == (0, "")
    assert "1 file was passed over" in out
    assert "notes.docx" in "".join(out.split())
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status, _, err = place.run("match", place.cdrs)
    assert status == 0
    assert err.count("\n") == 1
    assert "1 files in folders were passed over" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_parts_with_columns_in_another_order_are_one_table(command, place):
    table = as_table()
    pq.write_table(table.slice(0, 90), place.cdrs / "a.parquet")
    pq.write_table(table.slice(90).select(CDR_HEADER[::-1]), place.cdrs / "b.parquet")
    status, out, err = place.run(command, place.cdrs, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["records"]["accepted"] == 185


def test_times_far_off_are_pointed_out(place):
    rows = [row[:3] for row in returner_calls() * 30]
    rows += [(FRIEND, OTHER, "1970-01-02 03:04:05"), (FRIEND, OTHER, "2099-12-31 00:00:00")]
    rows[3] = ("", *rows[3][1:])
    path = write_csv(place.cdrs / "x.csv", CDR_HEADER[:3], rows)
    for command in COMMANDS:
        rejects = place.folder / "out" / f"{command}.csv"
        status, out, _ = place.run(command, path, "--rejects", str(rejects))
        assert status == 0
        with rejects.open(newline="") as file:
            found = [(int(row["row"]), row["reason"]) for row in csv.DictReader(file)]
        n_rows = len(rows)
        assert found == [
            (5, "caller-missing"),
            (n_rows, "start-time-stray"),
            (n_rows + 1, "start-time-stray"),
        ]
    status, out, _ = place.run("inspect", path)
    assert "2 records lie far from all others: 1970-01-02, 2099-12-31" in out
    assert "Period        2024-01-01 02:24:00 to 2024-02-29 12:00:00, 60 days; 2 stray" in out


# Permissions; root may read anything, so it becomes somebody else for a while


@pytest.fixture
def open_folder():
    """A folder that anybody may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="chanfp-test-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_may_not_be_read_or_written_is_named(command, open_folder, capsys):
    place = Place(open_folder, capsys)
    path = write_csv(place.cdrs / "x.csv", CDR_HEADER, returner_calls())
    assert place.run(command, path)[0] == 0  # all that is imported late is there now
    closed = place.folder / "closed"
    closed.mkdir()
    write_csv(closed / "y.csv", CDR_HEADER, returner_calls())
    rejects = str(place.folder / "out" / "r.csv")
    for found in (place.folder / "out").iterdir():
        found.unlink()
    (place.folder / "out").chmod(0o777)
    closed.chmod(0o000)
    path.chmod(0o000)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        done = [
            place.run(command, cdrs, "--rejects", rejects) for cdrs in (path, place.cdrs, closed)
        ]
        done.append(
            place.run("inspect", place.folder / "cdr.csv", "--rejects", str(closed / "r.csv"))
        )
    finally:
        os.seteuid(before)
    for (status, out, err), message in zip(
        done,
        [r"x.csv: can't be opened: Permission denied"] * 2
        + [r"closed: can't be opened: Permission denied", "closed"],
        strict=True,
    ):
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert message in err
    assert place.left() == []


# Ctrl-C

SLOW = """
import sys, time
from chanfp import cdr
from chanfp.cli import main
from chanfp.inspection import inspect
from chanfp.tables import csvfiles

csvfiles.BLOCK_BYTES = 500
assert inspect.DEFAULT_ROOM
inspect.DEFAULT_ROOM = 1
clean_unit = cdr.clean_unit
n_units = 0

def slowly(*arguments, **options):
    global n_units
    n_units += 1
    if n_units == 12:
        print("reading", flush=True)
    time.sleep(0.02 if n_units < 12 else 0.2)
    return clean_unit(*arguments, **options)

cdr.clean_unit = slowly
main(sys.argv[1:])
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_leaves_nothing(command, tmp_path):
    place = Place(tmp_path, None)
    rows = [row if n % 9 else ("", *row[1:]) for n, row in enumerate(returner_calls() * 5)]
    path = write_csv(place.cdrs / "x.csv", CDR_HEADER, rows)
    words = place.words(command, path, "--rejects", str(place.folder / "out" / "r.csv"))
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temp")},
    ) as process:
        assert process.stdout.readline() == "reading\n"
        assert any(name.endswith(".part") for name in place.left())
        assert command == "match" or any(name.startswith("temp/chanfp-") for name in place.left())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.lstrip() == "chanfp: interrupted; nothing was written.\n"
    assert place.left() == []
