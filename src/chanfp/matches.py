"""Matches: the table of (new, old) pairs with evidence and grade, and what can be asked of it."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .additional import ADDITIONAL_SCHEMA
from .blocks import Progress
from .calibration import Calibration
from .errors import ParameterError
from .explanation import Explanation, explain_pair, write_explanations
from .explanation.finding import find_match, other_candidates
from .fingerprints import Fingerprints
from .judgement import Judgement
from .policy import ADDITIONAL_SCORE
from .renaming import Renames
from .tables import write_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MATCH_SCHEMA", "MATCH_SCHEMA_VERSION", "Matches", "make_match_table"]

MATCH_SCHEMA_VERSION = 3
MATCH_SCHEMA = pa.schema(
    [
        ("new", pa.string()),
        ("old", pa.string()),
        ("rank", pa.int32()),
        ("link", pa.string()),
        ("grade", pa.string()),
        ("probability", pa.float64()),
        ("q_value", pa.float64()),
        ("jaccard", pa.float64()),
        ("weighted_jaccard", pa.float64()),
        ("idf_jaccard", pa.float64()),
        ("tfidf_jaccard", pa.float64()),
        ("hellinger", pa.float64()),
        ("cosine", pa.float64()),
        ("containment_new", pa.float64()),
        ("containment_old", pa.float64()),
        ("idf_shared", pa.float64()),
        ("idf_hellinger", pa.float64()),
        ("direction_similarity", pa.float64()),
        ("call_share_new", pa.float64()),
        ("call_share_old", pa.float64()),
        ("rank_agreement", pa.float64()),
        ("n_shared", pa.int32()),
        ("expected_shared", pa.float64()),
        ("expected_jaccard", pa.float64()),
        ("margin_new", pa.float64()),
        ("margin_old", pa.float64()),
        ("n_partners_new", pa.int64()),
        ("n_partners_old", pa.int64()),
        ("n_calls_new", pa.int64()),
        ("n_calls_old", pa.int64()),
        ("gap_days", pa.float64()),
        ("days_observed_new", pa.float64()),
        ("days_observed_old", pa.float64()),
        ("volume_ratio", pa.float64()),
        ("cell_similarity", pa.float64()),
        ("same_home_cell", pa.bool_()),
        ("hour_similarity", pa.float64()),
        ("same_imei", pa.bool_()),
        ("same_id", pa.bool_()),
        ("same_name", pa.bool_()),
        ("same_outlet", pa.bool_()),
        ("same_seller", pa.bool_()),
        ("same_plan", pa.bool_()),
        ("alive_at_once", pa.bool_()),
        ("old_status", pa.string()),
        ("old_suspended", pa.bool_()),
        ("old_arrears", pa.float64()),
        ("old_leaving_score", pa.float64()),
        ("region_new", pa.string()),
        ("region_old", pa.string()),
        ("new_subscription", pa.string()),
        ("old_subscription", pa.string()),
        ("reason", pa.string()),
    ],
    metadata={"chanfp.schema": "matches", "chanfp.schema_version": str(MATCH_SCHEMA_VERSION)},
)
SHOWN_COLUMNS = (
    "new", "old", "rank", "grade", "probability", "q_value", "jaccard", "n_shared", "gap_days",
)  # fmt: skip
SHOWN_ROWS = 10


@dataclass(frozen=True)
class Matches:
    """Candidates of every new subscription, best first. Made by `Matcher.match`.

    Parameters
    ----------
    table : pyarrow.Table
        One row per (new, candidate) with the columns of ``MATCH_SCHEMA``, then own evidence;
        ordered by new number and rank. What the data can't tell is null.
    summary : dict
        Counts of everything read, kept, left out and graded, as plain values.
    fingerprints : Fingerprints
        What the matches were made from.
    new_rows, old_rows : list of int
        Row of ``fingerprints.new`` and ``fingerprints.old`` for each row of the table.
    judgement : Judgement, optional
        What the grades rest on, row for row; None where they are similarity tiers.
    additional_score : float
        Score from which `additional_numbers` lists, as of the policy.
    renames : Renames, optional
        Who partners probably are, as the last round saw it.
    """

    table: pa.Table
    summary: dict[str, Any]
    fingerprints: Fingerprints = field(repr=False)
    new_rows: list[int] = field(repr=False)
    old_rows: list[int] = field(repr=False)
    judgement: Judgement | None = field(default=None, repr=False)
    additional_score: float = field(default=ADDITIONAL_SCORE, repr=False)
    renames: Renames | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        grades = ", ".join(f"{n} {grade}" for grade, n in self.summary["grades"].items())
        return (
            f"<Matches: {len(self):,} candidates of {self.summary['new_with_candidate']:,} new "
            f"subscriptions; best matches: {grades or 'none'}>"
        )

    def _repr_html_(self) -> str:
        shown = self.table.select(list(SHOWN_COLUMNS)).slice(0, SHOWN_ROWS).to_pydict()
        head = "".join(f"<th>{name}</th>" for name in SHOWN_COLUMNS)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in zip(*shown.values(), strict=True)
        )
        return (
            f"<p>{html.escape(repr(self)[1:-1])}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the table to anything that takes Arrow streams."""
        return self.table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """Return the table itself."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame; pandas must be installed."""
        return self.table.to_pandas()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV or Parquet by suffix; the file appears whole or not at all.

        Raises
        ------
        ParameterError
            If the suffix is neither ``.csv`` nor ``.parquet``.
        DataError
            If it can't be written there.
        """
        write_table(self.table, path)

    def additional_numbers(self, min_score: float | None = None) -> pa.Table:
        """List new numbers of people whose other number is still in use.

        Parameters
        ----------
        min_score : float, optional
            Least ``score``, 0 to 1; default that of the policy, 0.8. 0 lists every win of a decoy,
            most of which are chance.

        Returns
        -------
        pyarrow.Table
            ``new``, the ``active`` number, ``score`` (what would be the probability if that one had
            departed), ``log_odds`` of the pair alone, and how many partners both share; highest
            score first. Without rows where grades are similarity tiers.

        Notes
        -----
        Only active subscriptions in the pool, the decoys, are seen: all of them up to 4,000, beyond
        that a sample as large as there are departed, up to 20,000.
        """
        if self.judgement is None:
            return ADDITIONAL_SCHEMA.empty_table()
        least = self.additional_score if min_score is None else min_score
        return self.judgement.decoy_wins.only(least).table(self.fingerprints)

    def explain(
        self,
        new: str,
        old: str | None = None,
        *,
        new_subscription: str | None = None,
        old_subscription: str | None = None,
    ) -> Explanation:
        """Show why a new number was matched with an old one.

        Parameters
        ----------
        new : str
            The new number, as it stands in the table or in any other way of writing it.
        old : str, optional
            The old number; default the best candidate.
        new_subscription, old_subscription : str, optional
            Which subscription of a recycled number is meant, by ``subscription_id``.

        Returns
        -------
        Explanation
            What the model says of the pair, shared partners, time line, rivals; the other
            candidates, too, where no old number was asked for.

        Raises
        ------
        ParameterError
            If the two are no row of the table, or a recycled number is not told apart.
        """
        asked = {
            "new": new,
            "old": old,
            "new_subscription": new_subscription,
            "old_subscription": old_subscription,
        }
        row = find_match(self.table, self.fingerprints.cdrs.plan, asked)
        return explain_pair(
            self.fingerprints,
            self.table,
            row,
            self.new_rows[row],
            self.old_rows[row],
            judgement=self.judgement,
            renames=self.renames,
            candidate_rows=None if old is not None else other_candidates(self.table, row),
        )

    def write_explanations(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> None:
        """Write what `explain` says of every row to a Parquet file, for `read_explanations`.

        The file names the partners that both sides of each pair call. It appears whole or not at
        all.

        Parameters
        ----------
        path : path
            Ends in ``.parquet``; ``chanfp explain`` looks for ``matches.explanations.parquet``
            beside ``matches.csv``.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Raises
        ------
        ParameterError
            If the suffix is another one.
        DataError
            If it can't be written there.
        """
        write_explanations(
            path,
            self.table,
            self.fingerprints,
            self.new_rows,
            self.old_rows,
            self.judgement,
            self.renames,
            progress=progress,
        )

    def calibration(self) -> Calibration:
        """Show how far probabilities and rates can be trusted, on active subscribers held back.

        Returns
        -------
        Calibration
            Probability against observed share, scores of departed and decoys, q-value against
            matches found.

        Raises
        ------
        ParameterError
            If the grades are similarity tiers, for which nothing is known.
        """
        if self.judgement is None:
            raise ParameterError(
                "there is no calibration: the grades are similarity tiers, which state neither "
                "probability nor rate; match with enough active subscriptions and `learn` on."
            )
        return Calibration.of(self.judgement)


def make_match_table(
    columns: dict[str, Any], n_rows: int, own_names: Iterable[str] = ()
) -> pa.Table:
    """Return a table of ``MATCH_SCHEMA``, and own columns behind; columns not given are null.

    Parameters
    ----------
    columns : dict
        Arrow or numpy arrays or lists by column name; NaN becomes null.
    n_rows : int
    own_names : iterable of str
        Columns of float64 that the schema doesn't have.
    """
    arrays = []
    schema = MATCH_SCHEMA
    for name in own_names:
        schema = schema.append(pa.field(name, pa.float64()))
    for spec in schema:
        values = columns.get(spec.name)
        if values is None:
            arrays.append(pa.nulls(n_rows, spec.type))
        elif isinstance(values, pa.Array | pa.ChunkedArray):
            arrays.append(values.cast(spec.type))
        else:
            arrays.append(pa.array(values, spec.type, from_pandas=True))
    return pa.table(arrays, schema=schema)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
