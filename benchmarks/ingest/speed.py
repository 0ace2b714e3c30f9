"""Building fingerprints against DuckDB's bare GROUP BY over the same files.

    python benchmarks/ingest/speed.py DATA [--rows 20500000] [--runs 5] [--threads 2]

DATA is a folder; a made-up carrier is written there with `chanfp simulate` unless it is there.
`chanfp.build_fingerprints` reads, normalises, filters, applies windows and groups to sparse rows;
DuckDB only runs ``SELECT caller, callee, count(*), sum(duration_s) … GROUP BY caller, callee``,
its result consumed inside the engine (the faster of two ways: summed up, or handed out as Arrow).
Both with the same threads, in turn, each in a process of its own; ratios below 1 mean that chanfp
is faster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from made_data import alternate, describe_machine, make_carrier, median_of

from chanfp import build_fingerprints, read_cdrs

CSV_COLUMNS = (
    "{'caller': 'VARCHAR', 'callee': 'VARCHAR', 'start_time': 'TIMESTAMP', 'duration_s': 'INTEGER',"
    " 'kind': 'VARCHAR', 'cell': 'VARCHAR', 'imei': 'VARCHAR'}"
)
TARGETS = {"parquet": 0.85, "csv": 0.8}


def grouping(folder: Path, file_format: str, n_threads: int) -> Callable[[], object]:
    """Return DuckDB's grouping at its best call."""
    files = (folder / "cdr" / f"*.{file_format}").as_posix()
    source = f"read_parquet('{files}')"
    if file_format == "csv":
        source = f"read_csv('{files}', header = true, auto_detect = false, columns = {CSV_COLUMNS})"
    query = (
        "SELECT caller, callee, count(*) AS n, sum(duration_s) AS s "  # noqa: S608 - our own folder
        f"FROM {source} GROUP BY caller, callee"
    )
    summed = f"SELECT count(*), sum(n), sum(s) FROM ({query})"  # noqa: S608
    connection = duckdb.connect(config={"threads": n_threads})
    connection.execute("SET enable_progress_bar = false")

    def sum_up() -> object:
        return connection.execute(summed).fetchall()

    def hand_out() -> object:
        return connection.sql(query).to_arrow_table()

    if not hasattr(duckdb.DuckDBPyRelation, "to_arrow_table"):
        return sum_up
    sum_up()
    times = {}
    for way in (hand_out, sum_up):
        started = time.perf_counter()
        way()
        times[way] = time.perf_counter() - started
    return min(times, key=times.__getitem__)


def read_texts(folder: Path, n_threads: int) -> None:
    """Read the two text columns with pyarrow and drop them: the floor under both sides."""
    files = {path: pq.read_metadata(path) for path in sorted((folder / "cdr").glob("*.parquet"))}

    def read(piece: tuple[Path, int]) -> None:
        path, group = piece
        with pq.ParquetFile(path, metadata=files[path]) as file:
            file.read_row_group(group, columns=["caller", "callee"], use_threads=False)

    pieces = [(path, at) for path, found in files.items() for at in range(found.num_row_groups)]
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(read, pieces))


def building(folder: Path, n_threads: int) -> Callable[[], object]:
    """Return chanfp's work."""

    def build() -> object:
        found = build_fingerprints(
            str(folder / "cdr"), str(folder / "subscribers.csv"), n_threads=n_threads
        )
        return found.active.matrix.nnz  # built, not promised

    return build


def reading(folder: Path, n_threads: int) -> Callable[[], object]:
    """Return the floor under both sides."""
    return partial(read_texts, folder, n_threads)


def compare(folder: Path, file_format: str, n_runs: int, n_threads: int) -> float:
    """Print one line of figures and return the median ratio."""
    n_rows = read_cdrs(str(folder / "cdr")).n_rows
    rows = "" if n_rows is None else f", {n_rows:,} rows"
    group = partial(grouping, folder, file_format, n_threads)
    runs = alternate(partial(building, folder, n_threads), group, n_runs)
    ratios = sorted(ours[0] / theirs[0] for ours, theirs in runs)
    print(f"{file_format}{rows}, {n_threads} threads, {n_runs} runs in turn")
    print(f"  chanfp, s            {median_of([ours[0] for ours, _ in runs])}")
    print(f"  DuckDB GROUP BY, s   {median_of([theirs[0] for _, theirs in runs])}")
    print(f"  ratio                {median_of(ratios)}; aim at most {TARGETS[file_format]}")
    print(f"  ratio of processor s {median_of([ours[1] / theirs[1] for ours, theirs in runs])}")
    if file_format == "parquet":
        floor = alternate(partial(reading, folder, n_threads), group, n_runs)
        print(
            f"  reading text alone   {median_of([ours[0] / theirs[0] for ours, theirs in floor])}"
        )
    return ratios[len(ratios) // 2]


def main() -> int:
    """Run the comparison; 0 if every median ratio is within its aim."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=20_500_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--formats", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    wanted = parser.parse_args()
    print(describe_machine())
    is_within = True
    for file_format in wanted.formats:
        folder = make_carrier(wanted.data, wanted.rows, file_format)
        ratio = compare(folder, file_format, wanted.runs, wanted.threads)
        is_within = is_within and ratio <= TARGETS[file_format]
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
