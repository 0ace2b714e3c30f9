"""Cells and regions: the table of cells, and the region a subscriber calls most from."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

import chanfp
from carriers import write_csv
from chanfp.errors import ColumnError, DataError
from chanfp.profiles import Profile, read_cell_regions, read_profiles
from town import (
    COUSIN,
    RETIRED,
    RETURNER,
    call_table,
    holder_table,
    town_calls,
    town_holders,
)


def profile(names, *rows):
    cells = csr_array(np.array(rows, np.int32))
    nothing = csr_array((len(rows), 0), dtype=np.int32)
    return Profile(cells, csr_array(cells.shape, dtype=np.int32), nothing, nothing, names)


def test_the_region_with_most_calls():
    where = {"a": "North", "b": "South", "c": "North", "d": "East"}
    regions = profile(
        ["a", "b", "c", "d", "e"],
        [2, 3, 2, 0, 0],  # North 4, South 3
        [1, 3, 1, 0, 0],  # South 3
        [1, 2, 1, 0, 9],  # both 2: the first by name; what isn't known doesn't count
        [0, 2, 0, 2, 0],  # both 2 again
        [0, 0, 0, 0, 5],  # no known cell
        [0, 0, 0, 0, 0],  # no cell
    ).regions(where)
    assert regions == ["North", "South", "North", "East", None, None]
    assert profile(["x"], [3], [0]).regions(where) == [None, None]
    assert profile(["a"], [3], [0]).regions({}) == [None, None]


def test_the_table_of_cells(tmp_path):
    header, rows = ("cell", "region"), [("1", "East"), ("3", ""), ("1", "East")]
    path = write_csv(tmp_path / "cells.csv", header, rows)
    assert read_cell_regions(path) == {"1": "East"}
    more = pa.table({"region": ["West", None], "cell": [7, 8], "other": [0, 0]})
    assert read_cell_regions([path, more]) == {"1": "East", "7": "West"}
    clash = pa.table({"cell": ["7", "1"], "region": ["West", "West"]})
    with pytest.raises(DataError, match=r"row 2.*cell"):
        read_cell_regions([path, clash])
    for missing in header:
        kept = [name for name in header if name != missing]
        with pytest.raises(ColumnError, match=f"needs a column '{missing}'.*'{kept[0]}'"):
            read_cell_regions(more.select(kept))


def test_profiles_are_read_for_those_wanted_only():
    fingerprints = chanfp.build_fingerprints(
        call_table(town_calls()), holder_table(town_holders()), window_days=20, new_days=25
    )
    new_row = fingerprints.new.ids.to_pylist().index(RETURNER)
    rows = [fingerprints.departed.ids.to_pylist().index(number) for number in (COUSIN, RETIRED)]
    wanted = ((fingerprints.new, [new_row] * 2), (fingerprints.departed, rows))
    new, old = read_profiles(fingerprints, [(prints, np.array(one)) for prints, one in wanted])
    assert new.cell_names == old.cell_names == ["e1", "e2", "w1", "x9"]
    assert new.cells.shape == (len(fingerprints.new), 4)
    assert new.cells.toarray()[new_row].tolist() == [5, 1, 2, 2]
    assert old.cells.toarray()[rows].tolist() == [[1, 0, 6, 0], [7, 5, 1, 1]]
    for found, wanted in ((new, [new_row]), (old, sorted(rows))):
        for counts in (found.cells, found.hours):
            assert np.flatnonzero(np.diff(counts.indptr)).tolist() == wanted
    # The cousin calls on days 20, 21, 22, 23, 26, 27 at 8:00 and on day 30 at 9:00. Day 0 is a
    # Monday, and the week begins as 1970 does, on a Thursday.
    expected = np.zeros((7, 24), int)
    for day, hour in ((20, 8), (21, 8), (22, 8), (23, 8), (26, 8), (27, 8), (30, 9)):
        expected[(day + 4) % 7, hour] += 1
    assert old.hours.toarray()[rows[0]].tolist() == expected.reshape(-1).tolist()
    assert expected.max() == 2
