"""The reject file: whole or not there, the same bytes however rows come in."""

import csv
import errno
import gzip
import io
from datetime import datetime

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from chanfp.errors import DataError, ParameterError
from chanfp.tables import rejects
from chanfp.tables.rejects import RejectFile, check_survival, csv_lines, reject_table

NAMES = ["r.csv", "r.csv.gz", "r.parquet"]


def some_rows(start, stop):
    numbers = range(start, stop)
    return reject_table(
        "cdr.csv",
        numbers,
        [f"reason-{n % 3}" for n in numbers],
        [None if n % 3 else "caller" for n in numbers],
        [f'a,"{n}"' for n in numbers],
    )


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [
        {**row, "row": int(row["row"]), "column": row["column"] or None}
        for row in csv.DictReader(io.StringIO(text.decode()))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_rows_come_back_and_their_pieces_do_not_matter(name, tmp_path, monkeypatch):
    monkeypatch.setattr(rejects, "GROUP_ROWS", 16)
    found = set()
    for number, step in enumerate((1, 7, 50, 100)):
        path = tmp_path / f"{number}{name}"
        with RejectFile(path) as file:
            for start in range(0, 100, step):
                file.write(some_rows(start, min(start + step, 100)))
            assert not path.exists()
            file.finish()
        assert file.n_rows == 100
        assert read(path) == some_rows(0, 100).to_pylist()
        found.add(path.read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("error", "is_finished", "is_kept"),
    [
        (DataError("too many"), True, True),
        (DataError("damaged"), False, False),
        (KeyboardInterrupt(), True, False),
        (RuntimeError(), True, False),
    ],
)
def test_a_file_is_kept_when_it_is_whole(name, error, is_finished, is_kept, tmp_path):
    def work():
        with RejectFile(tmp_path / name) as file:
            file.write(some_rows(0, 10))
            if is_finished:
                file.finish()
            raise error

    with pytest.raises(type(error)):
        work()
    assert [path.name for path in tmp_path.iterdir()] == [name] * is_kept


def test_no_rows_make_a_file_with_a_header(tmp_path):
    with RejectFile(tmp_path / "r.csv") as file:
        file.finish()
    assert (tmp_path / "r.csv").read_text() == '"file","row","reason","column","record"\n'


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(rejects, "GROUP_ROWS", 1)

    class Full:
        def __init__(self, *_, **__):
            pass

        def write_table(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(pa_csv, "CSVWriter", Full)
    with (
        pytest.raises(DataError, match=r"r.csv: can't be written: No space left on device; make"),
        RejectFile(tmp_path / "r.csv") as file,
    ):
        file.write(some_rows(0, 1))
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"must end in .csv or .csv.gz or .parquet; rename"):
        RejectFile(tmp_path / "r.txt")
    with pytest.raises(DataError, match="does not exist; make it first"):
        RejectFile(tmp_path / "none" / "r.csv")
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "link.csv").symlink_to("a.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "a.csv")
    for name in ("a.csv", "link.csv", "hard.csv"):
        with pytest.raises(ParameterError, match=r"`rejects` .*csv is an input or output of this"):
            check_survival(tmp_path / name, ["<pyarrow.Table>", str(tmp_path / "a.csv")], "rejects")
    with pytest.raises(ParameterError, match="would be lost"):  # an output not there yet
        check_survival(tmp_path / "m.csv", [str(tmp_path / "x" / ".." / "m.csv")], "rejects")
    check_survival(tmp_path / "b.csv", [str(tmp_path / "a.csv")], "rejects")


def test_rows_of_any_type_become_lines_of_csv():
    batch = pa.record_batch(
        {
            "text": ["plain", 'a "b", c', None, "two\nlines"],
            "dictionary": pa.array(["x", None, "x", "y"]).dictionary_encode(),
            "number": [1, None, -3, 2**62],
            "time": pa.array([datetime(2024, 1, 31, 12)] * 4, pa.timestamp("s")),
            "list": [[1, 2], None, [], [3]],
            "bytes": [b"\xff", b"a", None, b""],
        }
    )
    assert csv_lines(batch).to_pylist() == [
        "plain,x,1,2024-01-31 12:00:00,\"[1, 2]\",b'\\xff'",
        '"a ""b"", c",,,2024-01-31 12:00:00,,b\'a\'',
        ",x,-3,2024-01-31 12:00:00,[],",
        "\"two\nlines\",y,4611686018427387904,2024-01-31 12:00:00,[3],b''",
    ]
