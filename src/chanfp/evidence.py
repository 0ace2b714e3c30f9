"""Evidence: everything that is known of a pair of a new and a departed subscription, by column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .blocks import Progress
from .clock import DAY_S
from .corroboration import collect_corroboration
from .features import ProbableRows, expect_overlaps
from .fingerprints import Fingerprints
from .habits import main_cells
from .pairs import Pairs
from .partner_evidence import measure_pairs
from .profiles import Profile, read_profiles
from .top_partners import rank_agreement

__all__ = ["LINKS", "collect_evidence"]

# What a new number is to an old one that has departed, and to one that is fading.
LINKS = ("replacement", "partial-replacement")


def collect_evidence(
    fingerprints: Fingerprints,
    pairs: Pairs,
    *,
    region_of_cell: dict[str, str] | None = None,
    own_evidence: Mapping[str, Any] | None = None,
    profiles: tuple[Profile, Profile] | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the evidence of candidate pairs as columns of the matches table.

    Parameters
    ----------
    fingerprints : Fingerprints
    pairs : Pairs
        Rows of ``fingerprints.new`` and ``fingerprints.old``.
    region_of_cell : dict of str to str, optional
        Fills ``region_new`` and ``region_old``.
    own_evidence : dict of str to compiled function, optional
        As in `measure_pairs`.
    profiles : tuple of Profile, optional
        Those of ``fingerprints.new`` and ``fingerprints.old`` first; default read the CDRs
        once more, for the subscriptions of the pairs.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict of str to array
        Ids, what partners tell, sizes, times, attributes of the subscriber table; and, where the
        CDRs can be read a second time, cells, hours and handsets. Columns that the data can't fill
        are left out; a value it can't tell is NaN or null.
    """
    measured = measure_pairs(
        fingerprints.new.matrix,
        fingerprints.old.matrix,
        pairs.a_rows,
        pairs.b_rows,
        partner_rarity=fingerprints.partner_rarity,
        own_evidence=own_evidence,
        n_threads=n_threads,
        progress=progress,
    )
    columns: dict[str, Any] = {**measured.columns(), "tfidf_jaccard": pairs.tfidf_jaccard}
    columns |= _call_columns(fingerprints, pairs, n_threads)
    columns |= _identity_columns(fingerprints, pairs)
    columns |= _volume_columns(fingerprints, pairs)
    columns |= collect_corroboration(fingerprints, pairs, columns["gap_days"])
    if len(pairs) and fingerprints.cdrs.is_rereadable:
        if profiles is None:
            wanted = [(fingerprints.new, pairs.a_rows), (fingerprints.old, pairs.b_rows)]
            new, old = read_profiles(fingerprints, wanted, n_threads=n_threads, progress=progress)
        else:
            new, old = profiles
        columns |= _profile_columns(new, old, pairs, region_of_cell, n_threads)
    return columns


def _call_columns(
    fingerprints: Fingerprints, pairs: Pairs, n_threads: int | None
) -> dict[str, Any]:
    """Return what shared and top partners weigh, and how much of either side's calls they get."""
    new, old = fingerprints.new, fingerprints.old
    sums = expect_overlaps(
        ProbableRows.certain(new.matrix, new.outgoing),
        ProbableRows.certain(old.matrix, old.outgoing),
        pairs.a_rows,
        pairs.b_rows,
        partner_rarity=fingerprints.partner_rarity,
        n_threads=n_threads,
    )
    n_calls_new = new.n_calls[pairs.a_rows]
    n_calls_old = old.n_calls[pairs.b_rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.sqrt(n_calls_new * n_calls_old.astype(np.float64))
        return {
            "idf_shared": sums.rarity,
            "idf_hellinger": sums.rare_root / mean,
            "direction_similarity": np.minimum(sums.directed / mean, 1.0),
            "call_share_new": sums.calls_new / n_calls_new,
            "call_share_old": sums.calls_old / n_calls_old,
            "rank_agreement": rank_agreement(
                new.matrix,
                old.matrix,
                pairs.a_rows,
                pairs.b_rows,
                partner_rarity=fingerprints.partner_rarity,
            ),
        }


def _identity_columns(fingerprints: Fingerprints, pairs: Pairs) -> dict[str, Any]:
    """Return the two numbers, the names of their subscriptions, and the rank."""
    new, old = fingerprints.new, fingerprints.old
    columns: dict[str, Any] = {
        "new": new.ids.take(pa.array(pairs.a_rows)),
        "old": old.ids.take(pa.array(pairs.b_rows)),
        "rank": _ranks(pairs.a_rows),
        "link": pa.array(LINKS).take(
            pa.array((pairs.b_rows >= len(fingerprints.departed)).astype(np.int8))
        ),
    }
    subscription_ids = fingerprints.subscribers.attributes.get("subscription_id")
    if subscription_ids is not None:
        for side, role, rows in (
            ("new", new.role, pairs.a_rows),
            ("old", old.role, pairs.b_rows),
        ):
            columns[f"{side}_subscription"] = subscription_ids.take(pa.array(role.rows[rows]))
    return columns


def _volume_columns(fingerprints: Fingerprints, pairs: Pairs) -> dict[str, Any]:
    """Return how much either side called, for how long, and the time between them."""
    new, old, activity = fingerprints.new, fingerprints.old, fingerprints.activity
    new_rows, old_rows = pairs.a_rows, pairs.b_rows
    begins_s = activity.first_own_s[new.role.holdings[new_rows]]
    old_holdings = old.role.holdings[old_rows]
    ends_s = activity.last_own_s[old_holdings]
    observed_new_s = new.role.end_s[new_rows] - begins_s
    observed_old_s = old.role.end_s[old_rows] - np.maximum(
        old.role.start_s[old_rows], activity.first_seen_s[old_holdings]
    )
    n_calls_new, n_calls_old = new.n_calls[new_rows], old.n_calls[old_rows]
    return {
        "n_partners_new": new.n_partners[new_rows],
        "n_partners_old": old.n_partners[old_rows],
        "n_calls_new": n_calls_new,
        "n_calls_old": n_calls_old,
        "gap_days": (begins_s - ends_s) / DAY_S,
        "days_observed_new": observed_new_s / DAY_S,
        "days_observed_old": observed_old_s / DAY_S,
        # Whoever was seen for less than a day counts as seen for one.
        "volume_ratio": (n_calls_new / np.maximum(observed_new_s, DAY_S))
        / (n_calls_old / np.maximum(observed_old_s, DAY_S)),
    }


def _profile_columns(
    new: Profile,
    old: Profile,
    pairs: Pairs,
    region_of_cell: dict[str, str] | None,
    n_threads: int | None,
) -> dict[str, Any]:
    """Return what cells, handsets and hours say."""
    cells = _compare(new.cells, old.cells, pairs, n_threads)
    hours = _compare(new.hours, old.hours, pairs, n_threads)
    handsets = _compare(new.handsets, old.handsets, pairs, n_threads)
    columns: dict[str, Any] = {
        "cell_similarity": cells["share_overlap"],
        "same_home_cell": _same_home_cell(new, old, pairs),
        "hour_similarity": hours["hellinger"],
        "same_imei": pa.array(handsets["n_shared"] > 0, mask=np.isnan(handsets["jaccard"])),
    }
    if region_of_cell is not None:
        for side, profile, rows in (("new", new, pairs.a_rows), ("old", old, pairs.b_rows)):
            regions = np.array(profile.regions(region_of_cell), object)
            columns[f"region_{side}"] = pa.array(regions[rows], pa.string())
    return columns


def _same_home_cell(new: Profile, old: Profile, pairs: Pairs) -> pa.Array:
    """Return whether most calls outside working hours come from one cell; null if unknown."""
    home_new = main_cells(new.home_cells)[pairs.a_rows]
    home_old = main_cells(old.home_cells)[pairs.b_rows]
    return pa.array(home_new == home_old, mask=(home_new < 0) | (home_old < 0))


def _compare(
    new: Any, old: Any, pairs: Pairs, n_threads: int | None
) -> dict[str, npt.NDArray[Any]]:
    """Measure pairs of profile rows; NaN where either side has nothing recorded."""
    measures = measure_pairs(
        new,
        old,
        pairs.a_rows,
        pairs.b_rows,
        partner_rarity=np.ones(new.shape[1]),
        n_threads=n_threads,
    )
    unknown = (np.diff(new.indptr)[pairs.a_rows] == 0) | (np.diff(old.indptr)[pairs.b_rows] == 0)
    return {
        "n_shared": measures.n_shared,
        "jaccard": np.where(unknown, np.nan, measures.jaccard),
        "hellinger": np.where(unknown, np.nan, measures.hellinger),
        # With every weight 1, the rarity-weighted overlap of shares is the plain one.
        "share_overlap": np.where(unknown, np.nan, measures.shared_rarity),
    }


def _ranks(new_rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return 1, 2, … within each run of equal rows."""
    begins = np.searchsorted(new_rows, new_rows, side="left")
    return (np.arange(len(new_rows)) - begins + 1).astype(np.int32)
