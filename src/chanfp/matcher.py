"""The facade: fit fingerprints, match, explain."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .blocks import Progress, usable_threads
from .candidates import find_candidates
from .clock import DAY_S
from .csr import check_csr
from .errors import ParameterError
from .evidence import measure_pairs
from .fingerprints import Fingerprints
from .grading import SimilarityTiers
from .matches import Matches, make_match_table
from .profiles import read_cell_regions, read_profiles

__all__ = ["Matcher"]

ATTRIBUTE_EVIDENCE = {
    "same_id": "id_hash",
    "same_name": "name_hash",
    "same_outlet": "outlet",
    "same_seller": "seller",
}


class Matcher:
    """Finds the departed subscription behind each new one.

    Parameters
    ----------
    top : int, default 5
        Candidates kept per new subscription.
    min_shared : int, optional
        List only candidates that share at least this many partners. Default: list all, and grade
        those that share fewer than the tiers ask for U, ``thin-evidence``.
    tiers : SimilarityTiers, optional
        What each grade asks for.
    cells : whatever `chanfp.read_subscribers` takes, optional
        Table ``cell, region``: fills ``region_new`` and ``region_old``.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Raises
    ------
    ParameterError
        If a setting is out of range.

    Examples
    --------
    >>> matches = Matcher(top=3).fit(fingerprints).match()  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        top: int = 5,
        min_shared: int | None = None,
        tiers: SimilarityTiers | None = None,
        cells: Any = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        for name, value in (("top", top), ("min_shared", min_shared)):
            if value is not None and value < 1:
                raise ParameterError(f"`{name}` must be at least 1, got {value}.")
        self.top = top
        self.min_shared = min_shared
        self.tiers = tiers if tiers is not None else SimilarityTiers()
        if min_shared is not None:
            self.tiers = replace(self.tiers, min_shared=min_shared)
        self.region_of_cell = None if cells is None else read_cell_regions(cells)
        self.n_threads = usable_threads(n_threads)
        self.progress = progress
        self._fingerprints: Fingerprints | None = None

    def __repr__(self) -> str:
        fitted = "not fitted" if self._fingerprints is None else f"fitted on {self._fingerprints}"
        return f"<Matcher: top {self.top}; {fitted}>"

    def fit(self, fingerprints: Fingerprints) -> Matcher:
        """Take the fingerprints to match; return the matcher itself."""
        self._fingerprints = fingerprints
        return self

    def match(self) -> Matches:
        """Return the best candidates of each new subscription.

        Returns
        -------
        Matches
            Ordered by new subscription and rank. Ranks follow Jaccard similarity, then
            weighted Jaccard (calls times rarity), then the old number. Without rows where
            nobody is departed or nobody is new; ``summary["notices"]`` says so.

        Raises
        ------
        ParameterError
            If the matcher was not fitted.

        Notes
        -----
        A candidate must have been seen before the new subscription began. The grades are
        similarity tiers, for which no false-match rate is known.
        """
        fingerprints = self._fingerprints
        if fingerprints is None:
            raise ParameterError("the matcher has no fingerprints yet; call `fit` before `match`.")
        new, departed = (
            check_csr(fingerprints.new.matrix, "new"),
            check_csr(fingerprints.departed.matrix, "departed"),
        )
        rarity = fingerprints.partner_rarity
        activity = fingerprints.activity
        pairs = find_candidates(
            new,
            departed,
            partner_rarity=rarity,
            top_k=self.top,
            min_shared=self.min_shared or 1,
            new_begins=activity.first_own_s[fingerprints.new.role.holdings],
            departed_begins=_departed_begins(fingerprints),
            n_threads=self.n_threads,
            progress=self.progress,
        )
        evidence = measure_pairs(
            new,
            departed,
            pairs.a_rows,
            pairs.b_rows,
            partner_rarity=rarity,
            n_threads=self.n_threads,
            progress=self.progress,
        )
        columns: dict[str, Any] = dict(evidence.columns())
        columns |= _pair_columns(fingerprints, pairs.a_rows, pairs.b_rows)
        columns |= self._profile_columns(fingerprints, pairs.a_rows, pairs.b_rows)
        n_calls = np.minimum(columns["n_calls_new"], columns["n_calls_old"])
        columns["grade"], columns["reason"] = self.tiers.grade(
            columns["jaccard"], columns["n_shared"], n_calls
        )
        table = make_match_table(columns, len(pairs))
        return Matches(
            table,
            self._summary(fingerprints, table),
            fingerprints,
            pairs.a_rows.tolist(),
            pairs.b_rows.tolist(),
        )

    def _profile_columns(
        self,
        fingerprints: Fingerprints,
        new_rows: npt.NDArray[np.int64],
        old_rows: npt.NDArray[np.int64],
    ) -> dict[str, Any]:
        """Return what cells, handsets and hours say of each pair; a second pass over the CDRs."""
        if not len(new_rows) or not fingerprints.cdrs.is_rereadable:
            return {}
        new, old = read_profiles(
            fingerprints, new_rows, old_rows, n_threads=self.n_threads, progress=self.progress
        )
        pairs = (new_rows, old_rows)
        cells = _compare(new.cells, old.cells, pairs, self.n_threads)
        hours = _compare(new.hours, old.hours, pairs, self.n_threads)
        handsets = _compare(new.handsets, old.handsets, pairs, self.n_threads)
        has_handsets = ~np.isnan(handsets["jaccard"])
        columns: dict[str, Any] = {
            "cell_similarity": cells["share_overlap"],
            "hour_similarity": hours["hellinger"],
            "same_imei": pa.array(handsets["n_shared"] > 0, mask=~has_handsets),
        }
        if self.region_of_cell is not None:
            for side, profile, rows in (("new", new, new_rows), ("old", old, old_rows)):
                regions = np.array(profile.regions(self.region_of_cell), object)
                columns[f"region_{side}"] = pa.array(regions[rows], pa.string())
        return columns

    def _summary(self, fingerprints: Fingerprints, table: pa.Table) -> dict[str, Any]:
        best = table.filter(pc.equal(table.column("rank"), 1))
        grades = Counter(best.column("grade").to_pylist())
        notices = _role_notices(fingerprints)
        if not table.num_rows and not notices:
            notices.append("no new subscription shares enough partners with a departed one")
        if table.num_rows:
            notices.append("grades are similarity tiers; no false-match rate is known for them")
        if table.num_rows and not fingerprints.cdrs.is_rereadable:
            notices.append(
                "the CDRs could be read only once, so cells, hours and handsets were not compared"
            )
        if self.region_of_cell is not None and table.num_rows:
            unknown = table.column("region_new").null_count + table.column("region_old").null_count
            if unknown == 2 * table.num_rows:
                notices.append("no cell of the CDRs is in the table of cells")
        return {
            **fingerprints.summary(),
            "candidates": table.num_rows,
            "new_with_candidate": best.num_rows,
            "grades": dict(sorted(grades.items())),
            "notices": notices,
        }


def _departed_begins(fingerprints: Fingerprints) -> npt.NDArray[np.int64]:
    """Return when each departed subscription was first seen, in any record.

    Who is new, too, begins with its own first sign of life, as it does among the new; so nobody
    begins before himself and is his own candidate.
    """
    activity, holdings = fingerprints.activity, fingerprints.departed.role.holdings
    is_new = np.isin(holdings, fingerprints.new.role.holdings)
    return np.where(is_new, activity.first_own_s[holdings], activity.first_seen_s[holdings])


def _role_notices(fingerprints: Fingerprints) -> list[str]:
    """Say where roles are empty, and which setting leaves many subscriptions out."""
    roles, settings = fingerprints.roles, fingerprints.settings
    new_days = settings.window_days if settings.new_days is None else settings.new_days
    notices = []
    if not len(fingerprints.departed):
        notices.append(
            f"all {roles.n_beyond_horizon:,} departed subscriptions lie beyond `horizon_days`"
            if roles.n_beyond_horizon
            else "no departed subscription has calls, so there is nobody to match with"
        )
    if not len(fingerprints.new) and not roles.n_began_earlier:
        notices.append("no new subscription has calls, so there is nobody to match")
    if roles.n_began_earlier:
        notices.append(
            f"{roles.n_began_earlier:,} more subscriptions began within these records, but more "
            f"than {new_days:g} days before their end; a larger `new_days` takes them in"
        )
    return notices


def _pair_columns(
    fingerprints: Fingerprints, new_rows: npt.NDArray[np.int64], old_rows: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """Return ids, ranks, sizes, times and table attributes of each pair."""
    new, old, activity = fingerprints.new, fingerprints.departed, fingerprints.activity
    new_table, old_table = new.role.rows[new_rows], old.role.rows[old_rows]
    begins_s = activity.first_own_s[new.role.holdings[new_rows]]
    old_holdings = old.role.holdings[old_rows]
    ends_s = activity.last_own_s[old_holdings]
    observed_new_s = new.role.end_s[new_rows] - begins_s
    observed_old_s = ends_s - np.maximum(
        old.role.start_s[old_rows], activity.first_seen_s[old_holdings]
    )
    n_calls_new, n_calls_old = new.n_calls[new_rows], old.n_calls[old_rows]
    columns: dict[str, Any] = {
        "new": new.ids.take(pa.array(new_rows)),
        "old": old.ids.take(pa.array(old_rows)),
        "rank": _ranks(new_rows),
        "n_partners_new": new.n_partners[new_rows],
        "n_partners_old": old.n_partners[old_rows],
        "n_calls_new": n_calls_new,
        "n_calls_old": n_calls_old,
        "gap_days": (begins_s - ends_s) / DAY_S,
        "days_observed_new": observed_new_s / DAY_S,
        # Whoever was seen for less than a day counts as seen for one.
        "volume_ratio": (n_calls_new / np.maximum(observed_new_s, DAY_S))
        / (n_calls_old / np.maximum(observed_old_s, DAY_S)),
    }
    attributes = fingerprints.subscribers.attributes
    sides = (pa.array(new_table), pa.array(old_table))
    for column, attribute in ATTRIBUTE_EVIDENCE.items():
        if attribute in attributes:
            values = attributes[attribute]
            columns[column] = pc.equal(*(values.take(side) for side in sides))
    if "subscription_id" in attributes:
        for name, side in zip(("new_subscription", "old_subscription"), sides, strict=True):
            columns[name] = attributes["subscription_id"].take(side)
    return columns


def _ranks(new_rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return 1, 2, … within each run of equal rows."""
    begins = np.searchsorted(new_rows, new_rows, side="left")
    return (np.arange(len(new_rows)) - begins + 1).astype(np.int32)


def _compare(
    new: Any,
    old: Any,
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    n_threads: int,
) -> dict[str, npt.NDArray[Any]]:
    """Measure pairs of profile rows; NaN where either side has nothing recorded."""
    measures = measure_pairs(
        check_csr(new, "new"),
        check_csr(old, "old"),
        *pairs,
        partner_rarity=np.ones(new.shape[1]),
        n_threads=n_threads,
    )
    unknown = (np.diff(new.indptr)[pairs[0]] == 0) | (np.diff(old.indptr)[pairs[1]] == 0)
    return {
        "n_shared": measures.n_shared,
        "jaccard": np.where(unknown, np.nan, measures.jaccard),
        "hellinger": np.where(unknown, np.nan, measures.hellinger),
        # With every weight 1, the rarity-weighted overlap of shares is the plain one.
        "share_overlap": np.where(unknown, np.nan, measures.shared_rarity),
    }
