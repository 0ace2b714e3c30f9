"""Saved explanations: everything that is said of each listed pair, in one Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ..blocks import Progress
from ..errors import DataError
from ..fingerprints import Fingerprints
from ..judgement import Judgement
from ..numbering import NumberingPlan
from ..renaming import Renames
from ..tables import PartFile, check_output
from .explanation import Explanation
from .finding import find_match, other_candidates
from .partners import RENAMED_SCHEMA, SHARED_SCHEMA, list_partners
from .rivalry import RIVAL_SCHEMA, Rivalry
from .timeline import Timeline, list_timelines

__all__ = ["SavedExplanations", "explanations_beside", "read_explanations", "write_explanations"]

SCHEMA_NAME = "explanations"
SCHEMA_VERSION = 1
SUFFIX = ".explanations.parquet"
STAMP = pa.timestamp("s")
TIMELINE_FIELDS = [
    ("first_new", STAMP),
    ("last_new", STAMP),
    ("first_old", STAMP),
    ("last_old", STAMP),
    ("weeks_from", STAMP),
    ("days_new", pa.list_(pa.uint8())),
    ("days_old", pa.list_(pa.uint8())),
]
# What stands behind the columns of the matches table.
NESTED_FIELDS = [
    ("contributions", pa.map_(pa.string(), pa.float64())),
    ("shared", pa.list_(pa.struct(list(SHARED_SCHEMA)))),
    ("renamed", pa.list_(pa.struct(list(RENAMED_SCHEMA)))),
    ("rivals", pa.list_(pa.struct(list(RIVAL_SCHEMA)))),
    ("timeline", pa.struct(TIMELINE_FIELDS)),
]
NESTED = [name for name, _ in NESTED_FIELDS]
GROUP_ROWS = 4096
EPOCH = datetime(1970, 1, 1)

Rows = npt.NDArray[np.int64]


def explanations_beside(matches: str | os.PathLike[str]) -> str:
    """Return the file of explanations that belongs to a file of matches by its name.

    Examples
    --------
    >>> explanations_beside("found/matches.csv")
    'found/matches.explanations.parquet'
    """
    return os.path.splitext(os.fspath(matches))[0] + SUFFIX


def write_explanations(
    path: str | os.PathLike[str],
    table: pa.Table,
    fingerprints: Fingerprints,
    new_rows: list[int],
    old_rows: list[int],
    judgement: Judgement | None,
    renames: Renames | None,
    *,
    progress: Progress | None = None,
) -> None:
    """Write what explains each row of a matches table; the file appears whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.parquet``.
    table : pyarrow.Table
        The matches.
    fingerprints : Fingerprints
    new_rows, old_rows : list of int
        Rows of ``fingerprints.new`` and ``.old`` for each row of the table.
    judgement : Judgement, optional
        None where grades are similarity tiers.
    renames : Renames, optional
        Who partners probably are.
    progress : callable, optional
        Told the rows written.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    DataError
        If it can't be written there.
    """
    path = os.fspath(path)
    check_output(path, (".parquet",))
    plan = fingerprints.cdrs.plan
    schema = pa.schema(
        [*table.schema, *NESTED_FIELDS],
        metadata={
            "chanfp.schema": SCHEMA_NAME,
            "chanfp.schema_version": str(SCHEMA_VERSION),
            "chanfp.numbers": plan.region,
            "chanfp.area_code": plan.area_code or "",
        },
    )
    pairs = (np.array(new_rows, np.int64), np.array(old_rows, np.int64))
    with PartFile(path) as part:
        with pq.ParquetWriter(part.temporary, schema, compression="zstd") as writer:
            n_written = 0
            for group in _row_groups(table, fingerprints, pairs, judgement, renames):
                writer.write_table(group.cast(schema), row_group_size=GROUP_ROWS)
                n_written += group.num_rows
                if progress is not None:
                    progress("writing explanations", n_written, table.num_rows)
        part.is_whole = True


def _row_groups(
    table: pa.Table,
    fingerprints: Fingerprints,
    pairs: tuple[Rows, Rows],
    judgement: Judgement | None,
    renames: Renames | None,
) -> Iterator[pa.Table]:
    shared, renamed = list_partners(fingerprints, *pairs, renames)
    rivalry = None if judgement is None else Rivalry(fingerprints, judgement)
    for start in range(0, table.num_rows, GROUP_ROWS):
        stop = min(start + GROUP_ROWS, table.num_rows)
        rows = range(start, stop)
        contributions: list[Any] = [None] * len(rows)
        rivals: list[Any] = [None] * len(rows)
        if judgement is not None and rivalry is not None:
            contributions = [list(judgement.contributions(row).items()) for row in rows]
            rivals = [rivalry.rows(row) for row in rows]
        timelines = list_timelines(fingerprints, *(side[start:stop] for side in pairs))
        nested = [
            contributions,
            shared.between(start, stop),
            renamed.between(start, stop),
            rivals,
            [_timeline_values(timeline) for timeline in timelines],
        ]
        arrays = [
            values if isinstance(values, pa.Array) else pa.array(values, kind)
            for values, (_, kind) in zip(nested, NESTED_FIELDS, strict=True)
        ]
        plain = table.slice(start, stop - start)
        yield pa.table([*plain.columns, *arrays], names=[*plain.column_names, *NESTED])


def _timeline_values(timeline: Timeline) -> dict[str, Any]:
    values = (
        timeline.first_new_s,
        timeline.last_new_s,
        timeline.first_old_s,
        timeline.last_old_s,
        timeline.start_s,
        timeline.days_new,
        timeline.days_old,
    )
    return dict(zip([name for name, _ in TIMELINE_FIELDS], values, strict=True))


@dataclass(frozen=True, eq=False)
class SavedExplanations:
    """Explanations of a run, one for each row of its matches. Made by `read_explanations`.

    Attributes
    ----------
    path : str
    table : pyarrow.Table
        The columns of the matches; what else explains them is read when it is asked for.
    plan : NumberingPlan
        Under which numbers are understood that are written otherwise than in the table.
    """

    path: str
    table: pa.Table
    plan: NumberingPlan

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return f"<SavedExplanations: {len(self):,} pairs, {self.path}>"

    def explain(
        self,
        new: str,
        old: str | None = None,
        *,
        new_subscription: str | None = None,
        old_subscription: str | None = None,
    ) -> Explanation:
        """Show why a new number was matched with an old one; as `Matches.explain`.

        Raises
        ------
        ParameterError
            If the two are no row of the table, or a recycled number is not told apart.
        DataError
            If the file is damaged.
        """
        asked = {
            "new": new,
            "old": old,
            "new_subscription": new_subscription,
            "old_subscription": old_subscription,
        }
        return self.at(find_match(self.table, self.plan, asked), lists_others=old is None)

    def at(self, row: int, *, lists_others: bool = False) -> Explanation:
        """Return the explanation of one row of the table.

        Parameters
        ----------
        row : int
        lists_others : bool
            List the other candidates of the new number, too.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        others = other_candidates(self.table, row) if lists_others else []
        match, *candidates = self.table.take(pa.array([row, *others])).to_pylist()
        nested = self._nested(row).to_pylist()[0]
        contributions, rivals = nested["contributions"], nested["rivals"]
        return Explanation(
            match,
            pa.Table.from_pylist(nested["shared"], SHARED_SCHEMA),
            None if contributions is None else dict(contributions),
            pa.Table.from_pylist(nested["renamed"], RENAMED_SCHEMA),
            None if rivals is None else pa.Table.from_pylist(rivals, RIVAL_SCHEMA),
            _read_timeline(nested["timeline"]),
            candidates,
        )

    @cached_property
    def _group_ends(self) -> Rows:
        metadata = pq.read_metadata(self.path)
        sizes = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
        return np.cumsum(sizes)

    def _nested(self, row: int) -> pa.Table:
        """Read what explains one row."""
        try:
            group = int(np.searchsorted(self._group_ends, row, "right"))
            before = int(self._group_ends[group - 1]) if group else 0
            with pq.ParquetFile(self.path) as file:
                return file.read_row_group(group, columns=NESTED).slice(row - before, 1)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(self.path, error) from error


def read_explanations(path: str | os.PathLike[str]) -> SavedExplanations:
    """Open what `Matches.write_explanations` or ``chanfp match --explanations`` wrote.

    Parameters
    ----------
    path : path
        A Parquet file.

    Returns
    -------
    SavedExplanations
        Ask it by `SavedExplanations.explain`.

    Raises
    ------
    DataError
        If the file is missing, is no file of explanations, or one of another version.
    """
    name = os.fspath(path)
    try:
        schema = pq.read_schema(name)
        metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        if metadata.get("chanfp.schema") != SCHEMA_NAME:
            raise DataError(f"{name}: no explanations; give what `chanfp match` wrote as such.")
        if metadata["chanfp.schema_version"] != str(SCHEMA_VERSION):
            raise DataError(
                f"{name}: explanations of version {metadata['chanfp.schema_version']}, this chanfp "
                f"reads version {SCHEMA_VERSION}; match again."
            )
        columns = [column for column in schema.names if column not in NESTED]
        table = pq.read_table(name, columns=columns)
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file; give the path of the explanations.") from error
    except (OSError, pa.ArrowException) as error:
        raise _damaged(name, error) from error
    plan = NumberingPlan(metadata["chanfp.numbers"], area_code=metadata["chanfp.area_code"] or None)
    return SavedExplanations(name, table, plan)


def _read_timeline(values: dict[str, Any]) -> Timeline:
    first_new, last_new, first_old, last_old, weeks_from = (
        (values[name] - EPOCH) // timedelta(seconds=1)
        for name, kind in TIMELINE_FIELDS
        if kind == STAMP
    )
    days = (values["days_new"], values["days_old"])
    return Timeline(first_new, last_new, first_old, last_old, weeks_from, *days)


def _damaged(name: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(f"{name}: can't be read as explanations ({reason}); match again.")
