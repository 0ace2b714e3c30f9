"""A first look at call records: what it counts, and what it points out."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import chanfp
from carriers import (
    CDR_HEADER,
    FRIENDS,
    SUBSCRIBER_HEADER,
    returner_calls,
    stamp,
    subscriber_rows,
    write_carrier,
    write_csv,
)
from chanfp.errors import DataError, ParameterError
from chanfp.inspection import inspection_lines
from chanfp.inspection.files import find_copies
from chanfp.terminal import display_width, plain

HEADER = CDR_HEADER[:3]


def inspect(tmp_path, rows, header=HEADER, name="cdr.csv", **options):
    return chanfp.inspect_cdrs(write_csv(tmp_path / name, header, rows), **options)


def kinds(inspection):
    return [found.kind for found in inspection.findings]


def text_of(inspection, kind):
    (text,) = [found.text for found in inspection.findings if found.kind == kind]
    return text


def daily(days, caller="13800000001", callee="13800000002"):
    return [(caller, callee, stamp(day + 0.5)) for day in days]


def both_ways(days):
    return daily(days) + daily(days, "13800000002", "13800000001")


def test_a_clean_carrier(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    found = chanfp.inspect_cdrs(cdrs, subscribers)
    assert found.findings == []
    values = found.to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["records"]["total"] == values["records"]["accepted"] == len(returner_calls())
    assert (values["start_time"], values["end_time"]) == (stamp(0.1), stamp(59.5))
    assert values["number_classes"] == {"caller": {"ordinary": 185}, "callee": {"ordinary": 185}}
    people = values["subscribers"]
    assert [people[key] for key in ("total", "departed", "new", "active")] == [4, 2, 1, 1]
    partners = values["partners"]
    assert (partners["subscribers"], partners["pairs"]) == (4, 8 + 8 + 8 + 6)
    assert partners["quantiles"] == {"5": 6, "25": 6, "50": 8, "75": 8, "95": 8, "99": 8}
    assert partners["histogram"][2:] == [
        {"from": 4, "to": 7, "subscribers": 1},
        {"from": 8, "to": 15, "subscribers": 3},
    ]
    assert values["hubs"][0] == {"number": f"+86{FRIENDS[0]}", "subscribers": 2, "share": 0.5}
    assert len(values["days"]["records"]) == 60
    (group,) = values["files"]
    assert group["columns"]["imei"] == {"column": "imei", "how": "same name"}
    assert group["rows"] == 185


def test_roles_are_those_of_a_match(tmp_path):
    faint = "13911110009"  # alive to the end, but without a partner in the later window
    rows = [
        (faint, FRIENDS[0] if day < 25 else "10086", stamp(day), *[""] * 4) for day in range(60)
    ]
    cdrs = write_csv(tmp_path / "cdr.csv", CDR_HEADER, returner_calls() + rows)
    people = [*subscriber_rows(), (faint, stamp(-300), "")]
    subscribers = write_csv(tmp_path / "subscribers.csv", SUBSCRIBER_HEADER, people)
    people = chanfp.inspect_cdrs(cdrs, subscribers, window_days=20).people
    assert (people["active"], people["without_role"]) == (2, 1)
    expected = chanfp.build_fingerprints(cdrs, subscribers, window_days=20)
    expected = expected.summary()["subscribers"]
    assert people == {
        **{key: value for key, value in expected.items() if key in people},
        "window_days": 20,
    }


def test_without_a_table_subscribers_are_those_who_call(tmp_path):
    rows = [("13800000001", f"139000000{n:02}", stamp(n % 3)) for n in range(20)]
    rows += [("13900000001", "13800000001", stamp(1)), ("13900000002", "10086", stamp(1))]
    found = inspect(tmp_path, rows)
    assert found.ties.degrees == {1: 1, 20: 1}
    assert found.ties.n_never_called == 0
    assert "numbers that call" in repr(found)


def test_subscriber_centred_files_say_who_is_served(tmp_path):
    header = ("用户号码", "对端号码", "呼叫类型", "开始时间", "费用")
    rows = [("13800000001", "13900000001", ("主叫", "被叫")[n % 2], stamp(n)) for n in range(6)]
    rows = [(*row, "0.1") for row in rows]
    found = inspect(tmp_path, rows, header)
    assert found.findings == []
    assert found.ties.degrees == {1: 1}
    (group,) = found.groups
    assert group.rows == {"outgoing": 3, "incoming": 3, "without-zone": 6}
    assert "not used: 费用" in repr(found)
    assert list(found.classes) == ["subscriber", "other_party"]


def test_unusable_rows_are_shown_with_the_first_one(tmp_path):
    rows = [*both_ways(range(20)), ("", "13800000001", stamp(1)), ("1380000000A", "x", "soon")]
    found = inspect(tmp_path, rows)
    assert found.counts.as_dict()["rejected_by_reason"] == {"caller-missing": 1} | {
        reason: 1 for reason in found.counts.rejected if reason != "caller-missing"
    }
    assert found.counts.accepted + sum(found.counts.rejected.values()) == found.counts.total == 42
    assert "caller-missing" in repr(found)
    # Long paths break lines anywhere.
    assert "cdr.csv,row42,column'caller':''" in "".join(repr(found).split())


def test_days_that_are_missing_thin_or_far_off_are_pointed_out(tmp_path):
    days = [day for day in range(20) for _ in range(200) if day not in (4, 10, 11)]
    rows = both_ways([*days, 4])
    rows += [("13800000001", "13800000002", text) for text in ("19700101080000", "20990506120000")]
    found = inspect(tmp_path, rows)
    assert kinds(found) == ["days-missing", "days-thin", "stray-times"]
    assert text_of(found, "days-missing") == "2 days are missing: 2024-01-11 to 2024-01-12."
    assert "1 day has less than a third of the usual records: 2024-01-05." in repr(found)
    assert "2 records lie far from all others: 1970-01-01, 2099-05-06;" in (
        text_of(found, "stray-times")
    )
    assert "2024-01-01 12:00:00 to 2024-01-20 12:00:00, 20 days; 2 stray" in repr(found)
    assert "missing 01-11, 01-12" in repr(found)


def test_stray_times_of_a_reader_are_let_pass():
    rows = [*both_ways([day for day in range(9) for _ in range(200)]), ("13800000001", "1", "")]
    rows.append(("13800000001", "13800000002", "2042-01-01 00:00:00"))
    table = pa.table([list(column) for column in zip(*rows, strict=True)], names=list(HEADER))
    found = chanfp.inspect_cdrs(table.to_reader())
    assert kinds(found) == ["stray-times"]
    assert (found.counts.total, found.counts.accepted) == (3602, 3601)
    found = chanfp.inspect_cdrs(table)
    assert kinds(found) == ["stray-times"]
    assert found.counts.rejected["start-time-stray"] == 1


def test_two_clocks(tmp_path):
    rows = [(caller, callee, f"{at}+08:00") for caller, callee, at in both_ways(range(3))]
    rows += both_ways(range(3))
    found = inspect(tmp_path, rows)
    assert kinds(found) == ["mixed-clocks"]
    assert "6 times have a zone" in text_of(found, "mixed-clocks")
    cdrs = chanfp.read_cdrs(tmp_path / "cdr.csv", timezone="Asia/Shanghai")
    assert chanfp.inspect_cdrs(cdrs).findings == []


def test_one_direction_only(tmp_path):
    header = ("subscriber", "other_party", "direction", "start_time")
    rows = [("13800000001", "13900000001", "out", stamp(n)) for n in range(5)]
    found = inspect(tmp_path, rows, header)
    assert kinds(found) == ["one-direction"]
    assert "all rows go out; calls that go in are missing" in text_of(found, "one-direction")
    rows = [(f"1380000{n:04}", "13900000001", stamp(n % 5)) for n in range(50)]
    found = inspect(tmp_path, rows)
    assert "Hardly any subscriber is ever called (0 of 50)" in text_of(found, "one-direction")
    table = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, [("13900000001", "", "")])
    found = inspect(tmp_path, rows, subscribers=table)
    assert "Hardly any subscriber ever calls (0 of 1)" in text_of(found, "one-direction")


def test_hashed_and_mixed_numbers(tmp_path):
    hashes = [f"{n:08x}ab{n:06}" for n in range(20)]
    rows = [(hashes[n], hashes[(n + 1) % 20], stamp(n)) for n in range(20)]
    found = inspect(tmp_path, rows)
    assert "hashed-numbers" in kinds(found)
    assert "('caller', 'callee'); read them with `numbers` 'opaque'" in (
        text_of(found, "hashed-numbers")
    )
    assert chanfp.inspect_cdrs(chanfp.read_cdrs(tmp_path / "cdr.csv", numbers="opaque")).hubs
    mixed = [(f"1380000{n:04}", "13900000001" if n % 4 else hashes[n], at)
             for n, (_, _, at) in enumerate(rows)]  # fmt: skip
    found = inspect(tmp_path, mixed)
    assert "('callee', 25 % hashed)" in text_of(found, "mixed-numbers")
    cdrs = chanfp.read_cdrs(
        write_csv(tmp_path / "plain.csv", HEADER, both_ways(range(10))), numbers="opaque"
    )
    found = chanfp.inspect_cdrs(cdrs)
    assert kinds(found) == ["plain-numbers"]
    assert {number for number, _ in found.hubs} == {"13800000001", "13800000002"}


def test_integer_numbers(tmp_path):
    table = pa.table(
        {
            "caller": [13800000001, 13800000002],
            "callee": ["13800000002", "13800000001"],
            "start_time": [stamp(0), stamp(0.5)],
        }
    )
    with pytest.warns(chanfp.ChanfpWarning, match="stored as integers"):
        assert kinds(chanfp.inspect_cdrs(table)) == ["integer-numbers"]


def test_files_skipped_given_twice_and_delivered_twice(tmp_path):
    folder = tmp_path / "cdr"
    folder.mkdir()
    for name, rows in (("a", range(4)), ("b", range(4)), ("c", range(1, 5))):
        write_csv(folder / f"{name}.csv", HEADER, both_ways(rows))
    (folder / "readme.doc").write_text("no CDRs")
    with pytest.warns(chanfp.ChanfpWarning):
        found = chanfp.inspect_cdrs(chanfp.read_cdrs([folder, folder / "c.csv"]))
    assert kinds(found) == ["delivered-twice", "given-twice", "files-skipped"]
    assert found.copies == [[str(folder / "a.csv"), str(folder / "b.csv")]]
    assert found.repeated == (str(folder / "c.csv"),)
    assert found.skipped == (str(folder / "readme.doc"),)


@pytest.mark.parametrize("n_bytes", [0, 1, 1 << 16, 200_000, 3_000_000])
def test_copies_are_told_by_bytes_at_many_places(n_bytes, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, n_bytes, np.uint8).tobytes()
    header = b"caller,callee,start_time\n"
    contents = {"a": noise, "b": noise, "c": noise[:-1] + b"!", "d": b"!" + noise[1:]}
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_bytes(header + content)
    sources = [SimpleNamespace(name=str(tmp_path / f"{name}.csv")) for name in contents]
    names = [source.name for source in sources]
    assert find_copies(sources[:2]) == [names[:2]]
    assert find_copies(sources[1:]) == ([] if n_bytes > 1 else [names[2:]])


def test_files_with_other_columns_stand_apart(tmp_path):
    write_csv(tmp_path / "a.csv", HEADER, both_ways(range(3)))
    write_csv(tmp_path / "b.csv", HEADER[::-1], [row[::-1] for row in both_ways(range(3, 5))])
    write_csv(tmp_path / "c.csv", HEADER, both_ways(range(5, 7)))
    found = chanfp.inspect_cdrs(tmp_path)
    assert [(len(group.files), group.n_rows) for group in found.groups] == [(2, 10), (1, 4)]
    assert found.counts.total == 14


def test_nothing_usable_is_said(tmp_path):
    assert kinds(inspect(tmp_path, [])) == ["no-rows"]
    found = inspect(tmp_path, [("13800000001", "10086", stamp(n)) for n in range(3)])
    assert "no-partners" in kinds(found)
    found = inspect(tmp_path, [("1", "", "")] * 3)
    assert "many-rejects" in kinds(found)
    table = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, [("13799999999", "", "")])
    found = inspect(tmp_path, both_ways(range(3)), subscribers=table)
    assert kinds(found) == ["no-known-subscriber"]


def messy(tmp_path):
    rows = returner_calls() * 5 + [("", "x", "soon"), ("13800000001", "12345", "20990101000000")]
    for part in range(3):
        write_csv(tmp_path / f"{part}.csv", CDR_HEADER[:3], [row[:3] for row in rows[part::3]])
    return write_csv(tmp_path / "subscribers.tab", SUBSCRIBER_HEADER, subscriber_rows())


def test_threads_blocks_and_spilling_change_nothing(tmp_path, monkeypatch):
    from chanfp.tables import csvfiles

    messy(tmp_path)
    whole = json.dumps(chanfp.inspect_cdrs(str(tmp_path / "*.csv")).to_dict())
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", 2000)
    temp = tmp_path / "temp"
    temp.mkdir()
    found = {
        json.dumps(
            chanfp.inspect_cdrs(
                str(tmp_path / "*.csv"), n_threads=n_threads, memory_limit=limit, temp_dir=str(temp)
            ).to_dict()
        )
        for n_threads, limit in ((1, None), (2, None), (7, 1))
    }
    assert found == {whole}
    assert list(temp.iterdir()) == []
    with pytest.raises(ParameterError, match="`memory_limit` must be at least 1 byte"):
        chanfp.inspect_cdrs(str(tmp_path / "*.csv"), memory_limit=0)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_text_fits(width, tmp_path):
    messy(tmp_path)
    (tmp_path / "话单").mkdir()
    header = ("主叫号码", "被叫号码", "开始时间", *(f"列{n}" for n in range(30)))
    rows = [(*row, *map(str, range(30))) for row in both_ways([0, 1, 5, 400])]
    write_csv(tmp_path / "话单" / "一月.csv", header, rows)
    found = chanfp.inspect_cdrs([str(tmp_path / "*.csv"), tmp_path / "话单"])
    lines = found.text(width).splitlines()
    assert max(map(display_width, lines)) <= min(width, 120)
    assert found._repr_html_().count("<span") > 20
    assert plain(inspection_lines(found, width)) == found.text(width)


def test_long_spans_are_shown_by_month(tmp_path):
    found = inspect(tmp_path, both_ways(range(0, 400, 5)))
    assert "  2024-02       " in repr(found)
    assert "M T W T F S S" not in repr(found)
    gap = [day for day in range(60) for _ in range(20)] + [day + 700 for day in range(60)] * 20
    assert "⋮ 21 without" in repr(inspect(tmp_path, both_ways(gap)))


def test_days_are_those_of_the_records(tmp_path):
    found = inspect(tmp_path, both_ways([0, 0, 2]))
    assert found.to_dict()["days"]["records"] == {
        str(date(2024, 1, 1) + timedelta(days=n)): count for n, count in enumerate((4, 0, 2))
    }


SIDES = {
    "usage": ("subscriber,month,fee,colour", "{0},2024-01,3.5,red", "{1},2024-01,,"),
    "settlements": ("subscriber,user_month,amount", "{0},2,20", "{1},2,20"),
    "recharges": ("号码,time", "+86{0},2024-01-05 10:00:00", "{1},2024-01-05 10:00:00"),
    "cells": ("cell,region", "c1,north", "c2,south"),
}


def write_sides(tmp_path, one, other):
    paths = {}
    for name, lines in SIDES.items():
        paths[name] = tmp_path / f"{name}.csv"
        paths[name].write_text("\n".join(lines).format(one, other))
    return paths


def test_side_tables_are_counted_against_the_subscribers(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    member = subscriber_rows()[0][0]
    found = chanfp.inspect_cdrs(cdrs, subscribers, **write_sides(tmp_path, member, "13100000000"))
    assert found.findings == []
    sides = found.to_dict()["side_tables"]
    assert list(sides) == ["usage", "settlements", "recharges", "cells"]
    assert sides["usage"] == {
        "files": [str(tmp_path / "usage.csv")],
        "rows": 2,
        "columns": ["subscriber", "month", "fee"],
        "unrecognised": ["colour"],
        "subscribers": 2,
        "known_subscribers": 1,
        "rows_without_subscriber_number": 0,
    }
    assert {side["known_subscribers"] for side in sides.values()} == {1, None}
    text = " ".join(found.text().split())
    assert "usage 2 rows 2 subscribers 1 in the table of subscribers settlements 2 rows" in text
    assert "cells 2 rows not used in usage: colour" in text
    assert chanfp.inspect_cdrs(cdrs).to_dict()["side_tables"] == {}


def test_side_tables_of_others_are_warned_of(tmp_path):
    cdrs, subscribers = write_carrier(tmp_path)
    usage = tmp_path / "usage.csv"
    usage.write_text("subscriber,month\n13100000000,2024-01\n10086,2024-01\n")
    found = chanfp.inspect_cdrs(cdrs, subscribers, usage=usage)
    assert kinds(found) == ["side-numbers", "side-strangers"]
    assert f"1 row has no subscriber number, the first one {usage}, row 3: '10086'" in text_of(
        found, "side-numbers"
    )
    assert "only 0 of 1 subscribers are in the table" in text_of(found, "side-strangers")
    known = chanfp.inspect_cdrs(cdrs, usage=chanfp.read_usage(usage)).to_dict()["side_tables"]
    assert known["usage"]["known_subscribers"] is None


def test_a_side_table_with_an_unusable_cell_is_refused(tmp_path):
    cdrs, _ = write_carrier(tmp_path)
    usage = tmp_path / "usage.csv"
    usage.write_text("subscriber,month\n13100000000,soon\n")
    with pytest.raises(DataError, match=r"usage\.csv, row 2, column 'month': a month such as"):
        chanfp.inspect_cdrs(cdrs, usage=usage)
    with pytest.raises(ParameterError, match="`rejects`"):
        chanfp.inspect_cdrs(
            cdrs,
            recharges=write_sides(tmp_path, 1, 2)["recharges"],
            rejects=usage.with_name("recharges.csv"),
        )


def test_the_limit_of_hubs_is_that_of_a_match(tmp_path):
    calls = [call[:3] for call in returner_calls()]
    busy = [("13900009999", f"1380001{n:04}", stamp(30)) for n in range(75)]
    found = inspect(tmp_path, calls + busy)
    limit = found.to_dict()["hub_limit"]
    assert limit["limit"] == 300
    assert limit["why"].startswith("4 times the 75 partners that 99 % of the subscribers")
    text = " ".join(found.text().split())
    assert "A match leaves out partners of more than 300 subscribers (4 times the 75" in text
