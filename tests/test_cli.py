"""The command line as a user runs it: a process, its output and its exit status."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from datetime import datetime, timedelta

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chanfp
from carriers import (
    CDR_HEADER,
    FRIENDS,
    NEW,
    OLD,
    SUBSCRIBER_HEADER,
    returner_calls,
    stamp,
    subscriber_rows,
    write_carrier,
    write_csv,
)
from chanfp.matches import MATCH_SCHEMA


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "chanfp", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def files(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    return ("--cdr", cdrs, "--subscribers", subscribers)


def fails(done, message, status=1):
    """Assert one clear line and nothing else: exit 1 for bad input, 2 for wrong usage."""
    assert done.returncode == status, done
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if "warning:" not in line]
    assert line.startswith("chanfp: error: ")
    assert message in line
    return True


def test_match_writes_and_sums_up(files, tmp_path):
    done = run("match", *files, "--out", tmp_path / "m.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Records       185 read, 185 accepted, 0 rejected" in done.stdout
    assert "4: 2 departed, 1 new, 1 active\n" in done.stdout
    assert f"Results       {tmp_path / 'm.csv'}" in done.stdout
    with (tmp_path / "m.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["new"], row["old"], row["grade"], row["probability"]) == (NEW, OLD, "A", "")
    assert list(row) == MATCH_SCHEMA.names


def test_csv_parquet_and_standard_output_agree(files, tmp_path):
    for out in ("m.csv", "m.parquet"):
        assert run("match", *files, "--out", tmp_path / out, "--quiet").stdout == ""
    done = run("match", *files, "--out", "-")
    assert done.stdout == (tmp_path / "m.csv").read_text()
    assert "Results       standard output" in done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    (same,) = pq.read_table(tmp_path / "m.parquet").to_pylist()
    assert row["old"] == same["old"]
    assert float(row["gap_days"]) == same["gap_days"]


def test_json_summary(files, tmp_path):
    done = run("match", *files, "--out", tmp_path / "m.csv", "--json")
    summary = json.loads(done.stdout)
    assert summary["records"]["total"] == summary["records"]["accepted"] == 185
    assert summary["grades"] == {"A": 1}
    assert summary["out"] == str(tmp_path / "m.csv")


def test_same_input_same_bytes_for_any_number_of_threads(files, tmp_path):
    found = set()
    for threads in (1, 2, 7):
        for suffix in ("csv", "parquet"):
            out = tmp_path / f"m{threads}.{suffix}"
            run("match", *files, "--out", out, "--threads", threads)
            found.add(out.read_bytes())
    assert len(found) == 2


def test_several_cdr_files_in_one_option(tmp_path):
    rows = returner_calls()
    parts = [write_csv(tmp_path / f"{part}.csv", CDR_HEADER, rows[part::4]) for part in range(4)]
    table = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, subscriber_rows())
    for words in (("--cdr", *parts), [word for part in parts for word in ("--cdr", part)]):
        done = run("match", *words, "--subscribers", table, "--out", tmp_path / "m.csv", "--json")
        assert json.loads(done.stdout)["records"]["total"] == 185


def test_own_numbers_instead_of_a_table_of_subscribers(files, tmp_path):
    out = ("--out", tmp_path / "m.csv")
    done = run("match", *files[:2], *out)
    assert fails(done, "give --on-net, a list of their numbers or prefixes, or --subscribers", 2)
    own = tmp_path / "own.txt"
    own.write_text("139*  # ours\n")
    done = run("match", *files[:2], "--on-net", own, *out)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "m.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["new"], row["old"], row["grade"]) == (f"+86{NEW}", f"+86{OLD}", "A")
    done = run("match", *files, "--on-net", own, *out)
    assert fails(done, "leave out --on-net or --subscribers", 2)


def test_late_closure_and_early_activation_change_nothing(files, tmp_path):
    plain = tmp_path / "plain.csv"
    run("match", *files, "--out", plain)

    def move(time, days):
        return time and str(datetime.fromisoformat(time) + timedelta(days=days))

    shifted = [
        (number, move(began, -60), move(left, 90)) for number, began, left in subscriber_rows()
    ]
    table = write_csv(tmp_path / "shifted.csv", SUBSCRIBER_HEADER, shifted)
    out = tmp_path / "m.csv"
    done = run("match", *files[:2], "--subscribers", table, "--out", out)
    assert done.returncode == 0
    assert out.read_bytes() == plain.read_bytes()


def test_ids_are_written_as_they_stand_in_the_table(files, tmp_path):
    odd = [(f"+86 {number}", begin, end) for number, begin, end in subscriber_rows()]
    table = write_csv(tmp_path / "odd.csv", SUBSCRIBER_HEADER, odd)
    done = run("match", *files[:2], "--subscribers", table, "--out", "-", "--quiet")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["new"], row["old"]) == (f"+86 {NEW}", f"+86 {OLD}")


@pytest.mark.parametrize(
    ("rows", "notice"),
    [
        ([row for row in subscriber_rows() if not row[2]], "no departed subscription has calls"),
        ([row for row in subscriber_rows() if row[2]], "no new subscription has calls"),
    ],
)
def test_nobody_departed_or_nobody_new(rows, notice, files, tmp_path):
    table = write_csv(tmp_path / "few.csv", SUBSCRIBER_HEADER, rows)
    done = run("match", *files[:2], "--subscribers", table, "--out", tmp_path / "m.parquet")
    assert done.returncode == 0
    assert notice in done.stdout
    empty = pq.read_table(tmp_path / "m.parquet")
    assert empty.num_rows == 0
    assert empty.schema.equals(MATCH_SCHEMA, check_metadata=True)
    assert empty.schema.metadata[b"chanfp.schema_version"] == b"3"
    done = run("match", *files[:2], "--subscribers", table, "--out", tmp_path / "m.csv", "--json")
    assert done.returncode == 0
    summary = json.loads(done.stdout)
    assert any(said.startswith(notice) for said in summary["notices"])
    assert (summary["candidates"], summary["new_with_candidate"], summary["grades"]) == (0, 0, {})
    (header,) = csv.reader(io.StringIO((tmp_path / "m.csv").read_text()))
    assert header == MATCH_SCHEMA.names
    on_output = run("match", *files[:2], "--subscribers", table, "--out", "-", "--quiet")
    assert on_output.stdout == (tmp_path / "m.csv").read_text()


def test_cdrs_without_a_row(files, tmp_path):
    empty = write_csv(tmp_path / "none.csv", CDR_HEADER, [])
    done = run("match", "--cdr", empty, *files[2:], "--out", tmp_path / "m.csv")
    assert done.returncode == 0
    assert "Records       0 read, 0 accepted, 0 rejected\n" in done.stdout
    assert "Period        no usable record\n" in done.stdout
    assert "Hubs" not in done.stdout  # there is nothing to say of them
    assert "4: 0 departed, 0 new, 0 active, 4 without calls\n" in done.stdout
    (header,) = csv.reader(io.StringIO((tmp_path / "m.csv").read_text()))
    assert header == MATCH_SCHEMA.names


def test_a_subscriber_without_calls(files, tmp_path):
    plain = run("match", *files, "--out", "-", "--quiet").stdout
    silent = [("13911119998", stamp(-9), stamp(20)), ("13911119999", stamp(40), "")]
    table = write_csv(tmp_path / "more.csv", SUBSCRIBER_HEADER, [*silent, *subscriber_rows()])
    out = tmp_path / "m.csv"
    done = run("match", *files[:2], "--subscribers", table, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "6: 2 departed, 1 new, 1 active, 2 without calls\n" in done.stdout
    assert out.read_text() == plain
    nobody = write_csv(tmp_path / "nobody.csv", SUBSCRIBER_HEADER, silent)
    done = run("match", *files[:2], "--subscribers", nobody, "--out", out, "--json")
    assert done.returncode == 0
    summary = json.loads(done.stdout)
    assert summary["subscribers"]["without_calls"] == 2
    assert summary["records"]["without_known_subscriber"] == 185
    assert len(summary["notices"]) == 2
    assert out.read_text().count("\n") == 1


def test_bad_input_is_one_clear_line(files, tmp_path):
    out = ("--out", tmp_path / "m.csv")
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert fails(run("match", "--cdr", empty, *files[2:], *out), "empty.csv: the file is empty")
    short = write_csv(tmp_path / "short.csv", ("caller", "start_time"), [])
    assert fails(run("match", "--cdr", short, *files[2:], *out), "need a column 'callee'")
    bare = write_csv(tmp_path / "bare.csv", returner_calls()[0], returner_calls()[1:])
    done = run("match", "--cdr", bare, *files[2:], *out)
    assert fails(done, "the first row looks like a record; put a row with column names before it")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"caller,callee,\xff\xff\n" * 9)
    no_text = "none of them allows there; export it again as UTF-8 (of CDRs another encoding can"
    assert fails(run("match", "--cdr", binary, *files[2:], *out), no_text)
    assert fails(run("match", *files[:2], "--subscribers", binary, *out), no_text)
    floats = tmp_path / "floats.parquet"
    pq.write_table(pa.table({"caller": [1.0], "callee": ["1"], "start_time": ["2024"]}), floats)
    assert fails(run("match", "--cdr", floats, *files[2:], *out), "lost leading zeros")
    for name, content, said in (
        ("wrong.parquet", b"caller,callee,start_time\n", "the suffix says Parquet"),
        ("wrong.csv", floats.read_bytes(), "the suffix says text, but the content begins like"),
        ("wrong.csv.gz", b"caller,callee,start_time\n", "the suffix says gzip"),
        ("cut.parquet", floats.read_bytes()[:-20], "can't be read as Parquet"),
    ):
        wrong = tmp_path / name
        wrong.write_bytes(content)
        assert fails(run("match", "--cdr", wrong, *files[2:], *out), said)
    reverse = write_csv(tmp_path / "r.csv", SUBSCRIBER_HEADER, [(OLD, stamp(2), stamp(1))])
    done = run("match", *files[:2], "--subscribers", reverse, *out)
    assert fails(done, "r.csv, row 2, column 'departed_at': a subscription can't end before")
    assert fails(run("match", *files, "--out", tmp_path / "no" / "m.csv"), "does not exist")
    assert fails(run("match", *files, *out, "--reference-time", "then"), "--reference-time must", 2)
    assert not (tmp_path / "m.csv").exists()


def test_results_never_replace_their_input(files, tmp_path):
    for name in ("cdr.csv", "subscribers.csv"):
        before = (tmp_path / name).read_bytes()
        done = run("match", *files, "--out", tmp_path / name)
        assert done.returncode == 2
        assert "is an input or output" in done.stderr
        assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("--explanations", "--additional", "one.parquet"),
        ("--save-model", "--calibration", "one.json"),
        ("--additional", "--rejects", "one.csv"),
        ("--rejects", "--save-model", "one.csv"),
    ],
)
def test_two_results_never_share_a_file(first, second, name, files, tmp_path):
    path, out = tmp_path / name, tmp_path / "out.parquet"
    done = run("match", *files, "--out", out, first, path, second, path)
    assert done.returncode == 2
    assert "is an input or output" in done.stderr
    assert not path.exists()


def test_garbage_stops_the_run(files, tmp_path):
    out = ("--out", tmp_path / "m.csv")
    rows = [(*row[:2], "05/13/2024 8:03") for row in returner_calls()]
    days = write_csv(tmp_path / "days.csv", CDR_HEADER[:3], rows)
    done = run("match", "--cdr", days, *files[2:], *out)
    assert fails(done, "185 of 185 CDRs can't be used")
    assert f"the first one {days}, row 2, column 'start_time': '05/13/2024 8:03'" in done.stderr
    assert "raise --max-reject-share" in done.stderr
    assert "'05/13/2024 8:03'; export times as 2024-01-31 23:59:59 or raise" in done.stderr
    for form in ("{}.0", "{:.5E}"):
        rows = [(form.format(int(row[0])), *row[1:3]) for row in returner_calls()]
        sheet = write_csv(tmp_path / "sheet.csv", CDR_HEADER[:3], rows)
        done = run("match", "--cdr", sheet, *files[2:], *out)
        assert fails(done, "a spreadsheet has made floating-point numbers of them")
    rows = [(f"u{row[0]}", f"u{row[1]}", row[2]) for row in returner_calls()]
    hashed = write_csv(tmp_path / "hashed.csv", CDR_HEADER[:3], rows)
    done = run("match", "--cdr", hashed, *files[2:], *out)
    assert fails(done, "found hashed or made-up ids in 100% of the first 185 rows, such as 'u139")
    assert "read them with --numbers 'opaque'" in done.stderr
    rows = [("Al", "Bo", row[2]) for row in returner_calls()]
    names = write_csv(tmp_path / "names.csv", CDR_HEADER[:3], rows)
    done = run("match", "--cdr", names, *files[2:], *out)
    assert fails(done, "none of 185 CDRs has two subscriber numbers; 185 are alphanumeric")
    assert "name the region in --numbers, or 'opaque'" in done.stderr
    few = [("", *row[1:]) if n < 20 else row for n, row in enumerate(returner_calls())]
    dirty = write_csv(tmp_path / "dirty.csv", CDR_HEADER, few)
    assert fails(run("match", "--cdr", dirty, *files[2:], *out), "20 of 185 CDRs")
    done = run("match", "--cdr", dirty, *files[2:], *out, "--max-reject-share", "0.2", "--json")
    summary = json.loads(done.stdout)
    assert summary["records"]["rejected_by_reason"] == {"caller-missing": 20}
    assert summary["records"]["examples"]["caller-missing"].endswith("row 2, column 'caller': ''")


def test_a_reference_time_before_the_records_is_refused(files, tmp_path):
    out = ("--out", tmp_path / "m.csv")
    done = run("match", *files, *out, "--reference-time", "2023-01-01")
    assert fails(done, "--reference-time 2023-01-01 00:00:00 lies before the first record", 2)


def test_a_file_given_twice_is_read_once(files, tmp_path):
    done = run("match", *files, "--cdr", files[1], "--out", tmp_path / "m.csv", "--json")
    assert json.loads(done.stdout)["records"]["total"] == 185
    assert "given more than once, read once" in done.stderr


def test_notices_name_the_setting_that_leaves_many_out(files, tmp_path):
    out = ("--out", tmp_path / "m.csv")
    done = run("match", *files, *out, "--horizon-days", "10")
    assert "all 2 departed subscriptions lie beyond --horizon-days" in done.stdout
    assert "2 departed before the horizon" in done.stdout
    done = run("match", *files, *out, "--new-days", "10")
    assert "1 more subscriptions began within these records" in done.stdout
    assert "a larger --new-days takes them in" in " ".join(done.stdout.split())


def test_the_summary_fits_the_terminal(files, tmp_path):
    words = [sys.executable, "-m", "chanfp", "match", *map(str, files)]
    for columns in (80, 200):
        done = subprocess.run(
            [*words, "--out", "m.csv"],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": str(columns)},
        )
        assert max(map(len, done.stdout.splitlines())) <= columns


def test_integer_numbers_warn_in_one_line(files, tmp_path):
    rows = [(int(row[0]), int(row[1]), row[2]) for row in returner_calls()]
    cdrs = tmp_path / "int.parquet"
    pq.write_table(
        pa.table([list(c) for c in zip(*rows, strict=True)], names=list(CDR_HEADER[:3])), cdrs
    )
    done = run("match", "--cdr", cdrs, *files[2:], "--out", tmp_path / "m.csv")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    for line, column in zip(lines, ("caller", "callee"), strict=True):
        assert line.startswith("chanfp: warning: ")
        assert f"column '{column}' is stored as integers; leading zeros" in line
        assert "landlines may be ambiguous; export it as text" in line
    assert "taken with a loss: number-column-integer 370\n" in done.stdout
    three = write_csv(tmp_path / "text.csv", CDR_HEADER[:3], [row[:3] for row in returner_calls()])
    text = run("match", "--cdr", three, *files[2:], "--out", "-", "--quiet")
    assert (tmp_path / "m.csv").read_text() == text.stdout


def as_one_city(folder):
    """Write the carrier as a billing export in odd words, of local landlines and moments in UTC."""
    path = folder / "billing.csv"
    with path.open("w", newline="", encoding="gb18030") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(("甲", "乙", "向", "时"))
        for caller, callee, start, *_ in returner_calls():
            moment = f"{start.replace(' ', 'T')}Z"
            landline = "6234" + callee[-4:] if callee.startswith("1380000") else callee
            writer.writerow((caller, landline, "0", moment))
            writer.writerow((callee, caller, "1=in", moment))
    return path


def test_a_billing_export_in_words_of_its_own(files, tmp_path):
    path = as_one_city(tmp_path)
    words = ("match", "--cdr", path, *files[2:], "--out", tmp_path / "m.csv", "--json")
    assert fails(run(*words), "billing.csv: CDRs need columns 'caller', 'callee', 'start_time'")
    mapped = ("--map", "subscriber=甲", "--map", "other_party=乙", "--map", "direction=向")
    done = run(*words, *mapped)
    assert fails(done, "meant in --map, such as start_time=COLUMN")
    mapped = (*mapped, "--map", "start_time=时")
    assert fails(run(*words, *mapped), "370 of 370 CDRs can't be used")
    mapped = (*mapped, "--direction", "0=out", "--direction", "1=in=in", "--delimiter", "tab")
    done = run(*words, *mapped, "--encoding", "gbk")
    summary = json.loads(done.stdout)
    assert done.returncode == 0
    assert summary["records"]["filtered_by_reason"]["no-area-code"] > 100
    assert "times with and without a time zone are mixed" in done.stderr
    assert "in --timezone, such as 'Asia/Shanghai'" in done.stderr
    settings = tmp_path / "settings.toml"
    settings.write_text(
        'timezone = "Asia/Shanghai"\n[columns]\nsubscriber = "甲"\nother_party = "乙"\n'
        'direction = "向"\nstart_time = "时"\n[directions]\n"0" = "out"\n"1=in" = "in"\n',
        encoding="utf-8",
    )
    done = run(*words, "--settings", settings, "--area-code", "billing*=021")
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert summary["records"]["filtered_by_reason"] == {}
    assert summary["grades"] == {"A": 1}
    assert summary["reference_time"] == "2024-02-29 20:00:00"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--map", "caller"), "Invalid value for '--map': 'caller' must hold an equals sign"),
        (("--map", "caller=a", "--map", "caller=b"), "'caller' is given as 'a' and as 'b'"),
        (("--map", "coller=a"), "'coller' is no column word (did you mean 'caller'?)"),
        (("--direction", "=out"), "'=out' must hold an equals sign with something before it"),
        (("--direction", "0=up"), "'0' must mean 'out' or 'in', got 'up'"),
        (("--timezone", "Peking"), "--timezone must be an IANA name"),
        (("--encoding", "klingon"), "--encoding must be an encoding"),
        (("--delimiter", ""), "--delimiter must be one ASCII character"),
        (("--area-code", "gone*=010"), "--area-code: 'gone*' must fit the name of a file"),
        (("--area-code", "1"), "--area-code must be one of region CN, got '1'"),
    ],
)
def test_options_of_reading_that_mean_nothing(options, message, files, tmp_path):
    done = run("match", *files, "--out", tmp_path / "m.csv", *options)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("match",),
        ("match", "--cdr", "a.csv", "--subscribers", "b.csv", "--out", "c.csv", "--top", "0"),
        ("match", "--cdr", "a.csv", "--subscribers", "b.csv", "--out", "-", "--json"),
        ("nothing",),
    ],
)
def test_wrong_usage_is_exit_2(words):
    done = run(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window-days", "0"), "--window-days must be more than 0"),
        (("--numbers", "ZZ"), "--numbers must be"),
        (("--out", "m.txt"), "must end in .csv or .parquet"),
    ],
)
def test_a_setting_out_of_range_is_exit_2(options, message, files, tmp_path):
    assert fails(run("match", *files, "--out", tmp_path / "m.csv", *options), message, 2)


def test_unreadable_file(files, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    done = run("match", "--cdr", tmp_path / "folder.csv", *files[2:], "--out", tmp_path / "m.csv")
    assert fails(done, "the folder holds no file ending in")


def test_simulate_as_set(tmp_path):
    words = ("simulate", tmp_path / "carrier", "--people", "300", "--seed", "3", "--days", "14")
    done = run(*words, "--set", "returner_share=0.3", "--set", "table_lag_days=2", "--quiet")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "carrier" / "truth.csv").open(newline="") as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert kinds.count("returner") == 14  # 0.3 per 90 days
    for setting, message in (
        ("people=3", "must set one of start, events_per_month"),
        ("density", "must be a number, got ''"),
        ("table_lag_days=1.5", "must be a whole number"),
        ("density=99", "`density` must be from 0.25 to 10"),
    ):
        assert fails(run(*words[:1], tmp_path / "no", *words[2:], "--set", setting), message, 2)


def test_simulate_then_match(tmp_path):
    carrier = tmp_path / "carrier"
    words = ("simulate", carrier, "--people", "1500", "--seed", "3")
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert "1,500 people, seed 3" in done.stdout
    assert fails(run(*words), "DIRECTORY must be empty or new", 2)
    done = run(
        *("match", "--cdr", carrier / "cdr", "--subscribers", carrier / "subscribers.csv"),
        *("--cells", carrier / "cells.csv", "--new-days", "90", "--out", tmp_path / "m.csv"),
    )
    assert done.returncode == 0, done.stderr
    with (carrier / "truth.csv").open(newline="") as file:
        old_of = {row["new"]: row["old"] for row in csv.DictReader(file)}
    with (tmp_path / "m.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    best = [row for row in rows if row["rank"] == "1"]
    best.sort(key=lambda row: -float(row["probability"]))
    right = [old_of.get(row["new"]) == row["old"] for row in best]
    assert sum(right) >= 10
    assert sum(right[:10]) >= 8
    assert all(0 < float(row["q_value"]) <= 1 for row in best)


def test_help_and_version():
    assert "match" in run("--help").stdout
    assert run("--version").stdout.strip() == f"chanfp, version {chanfp.__version__}"
    shown = run("match", "--help").stdout
    assert "chanfp match --cdr cdr/*.csv --subscribers subscribers.csv --out matches.csv\n" in shown
    for option in ("--cdr", "--subscribers", "--out", "--window-days", "--top", "--threads"):
        assert option in shown


def test_help_stands_in_sections_what_is_needed_first():
    from chanfp.cli import commands

    for name in ("match", "inspect"):
        command = commands.get_command(None, name)
        listed = [option for names in command.sections.values() for option in names]
        assert sorted([*listed, "--help"]) == sorted(options_of(command)), name
        assert listed[:2] == ["--cdr", "--subscribers"]
        done = subprocess.run(
            [sys.executable, "-m", "chanfp", name, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "COLUMNS": "80"},
        )
        lines = done.stdout.splitlines()
        assert max(map(len, lines)) <= 80
        titles = [line.removesuffix(":") for line in lines if re.fullmatch(r"\w[^:]*:", line)]
        assert titles == [*command.sections, "Other options"]
        shown = [line.split()[0] for line in lines if line.startswith("  --")]
        assert shown == listed


def options_of(command):
    """Return the options of a command as its help names them, --help among them."""
    parameters = command.get_params(click.Context(command))
    return [one.opts[-1] for one in parameters if isinstance(one, click.Option)]


def test_a_progress_bar_only_where_somebody_looks(files, tmp_path):
    words = [sys.executable, "-m", "chanfp", "match", *map(str, files)]
    words += ["--out", str(tmp_path / "m.csv")]
    for extra, is_shown in (((), True), (("--quiet",), False)):
        leader, follower = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
        subprocess.run(
            [*words, *extra],
            stderr=follower,
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        os.close(follower)
        shown = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the other end is closed and everything is read
                break
            if not piece:
                break
            shown += piece
        os.close(leader)
        assert (b"reading CDRs" in shown) is is_shown


def test_importing_is_quick_and_light():
    code = "import sys, chanfp; print(sorted({'numpy', 'scipy', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    help_code = (
        "import sys; from chanfp.cli import commands; "
        "commands.main(['--help'], standalone_mode=False); "
        "print(sorted({'numpy', 'scipy', 'pyarrow', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", help_code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")


def test_duplicates_count_once_when_asked(files, tmp_path):
    twice = write_csv(tmp_path / "twice.csv", CDR_HEADER, returner_calls())
    once, both = tmp_path / "once.csv", tmp_path / "both.csv"
    assert run("match", *files, "--out", once).returncode == 0
    done = run("match", *files, "--cdr", twice, "--out", both, "--dedupe")
    assert (done.returncode, done.stderr) == (0, "")
    assert "185 repeat another one and are left out" in done.stdout
    assert both.read_bytes() == once.read_bytes()
    assert fails(
        run("match", *files, "--out", both, "--dedupe", "4000"),
        "--dedupe must be from 0 to 3,600 seconds, got 4000.0",
        status=2,
    )


def test_hubs_and_lists(files, tmp_path):
    deny, out = tmp_path / "deny.csv", tmp_path / "m.csv"
    deny.write_text(f"number\n{FRIENDS[10]}\n", encoding="utf-8")
    options = ("--hub-count", 1, "--deny-partners", deny)
    done = run("match", *files, "--out", out, *options)
    assert (done.returncode, done.stderr) == (0, "")
    hubs = "8 partners left out, with 100 calls: more subscribers than 1 (--hub-count)"
    denied = "1 partners denied, with 5 calls"
    largest = f"largest, for --allow-partners and --deny-partners: +86{FRIENDS[0]} (2), "
    largest += f"+86{FRIENDS[1]} (2)"
    assert f"Hubs {hubs} {denied} {largest}" in " ".join(done.stdout.split())
    done = run("match", *files, "--out", deny, *options)
    assert done.returncode == 2
    assert "is an input or output of this run too" in done.stderr
    assert fails(run("match", *files, "--out", out, "--hub-share", 0), "--hub-share must", status=2)
