"""Pools: who asks for an old number, and who is asked for.

New subscriptions ask, and so do controls, as if they were new. Departed subscriptions are asked
for, and so are fading ones, who may be replaced bit by bit, and the same controls, as if they had
departed: the decoys.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from .blocks import Progress
from .contact_days import ContactDays
from .controls import mix_keys
from .decoys import Traits, weigh_decoys
from .features import ProbableRows
from .fingerprints import Fingerprints, FingerprintSet
from .habits import Habits, main_cells
from .model import N_FOLDS
from .profiles import Profile, read_profiles
from .renaming import Renames

__all__ = ["PoolProfiles", "Pools", "Rows", "profile_pools"]

Rows: TypeAlias = npt.NDArray[np.int64]

# Controls that ask for their own old number; all of them are decoys.
MOST_ASKING = 4000
ASKING_STREAM, FOLD_STREAM, MOVED_STREAM = 4, 5, 6
# Who changes the number has moved more often than who keeps it, so controls alone would say that
# another cell rules a pair out. This share of those that ask does so from the cells of another.
# No published figure stands behind it.
MOVED_SHARE = 0.05


class PoolProfiles(NamedTuple):
    """Cells and hours of the new, of the old, and of both windows of the controls.

    And on how many days each of their partners called, entry by entry, in the same order.
    """

    new: Profile
    old: Profile
    control_new: Profile
    control_old: Profile
    days: list[npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Pools:
    """Queries: new subscriptions, then controls. Pool: departed ones, fading ones, then decoys.

    Parameters
    ----------
    fingerprints : Fingerprints
    profiles : PoolProfiles, optional
        None where the CDRs can't be read once more.
    region_of_cell : dict of str to str, optional
    """

    fingerprints: Fingerprints
    profiles: PoolProfiles | None = None
    region_of_cell: dict[str, str] | None = None

    @property
    def n_new(self) -> int:
        """How many new subscriptions ask."""
        return len(self.fingerprints.new)

    @property
    def n_old(self) -> int:
        """How many of the pool a new one may have been: all but the decoys."""
        return len(self.fingerprints.old)

    @cached_property
    def asking(self) -> Rows:
        """Rows of the controls that ask."""
        return find_asking(self.fingerprints)

    @cached_property
    def queries(self) -> ProbableRows:
        """Windows of the new, then of the controls that ask."""
        prints = self.fingerprints
        asking = _only(prints.control_new, self.asking)
        return _stack((prints.new.matrix, prints.new.outgoing), asking)

    @cached_property
    def pool(self) -> ProbableRows:
        """Windows of the departed, of the fading, then of the decoys."""
        sets = (self.fingerprints.old, self.fingerprints.control_old)
        return _stack(*((one.matrix, one.outgoing) for one in sets))

    @cached_property
    def days(self) -> tuple[ProbableRows, ProbableRows] | None:
        """Queries and pool by days with a call; None where the CDRs can't be read once more."""
        if self.profiles is None:
            return None
        new, old, asking, decoys = (
            csr_array((days, one.matrix.indices, one.matrix.indptr), shape=one.matrix.shape)
            for days, one in zip(self.profiles.days, _profiled(self.fingerprints), strict=True)
        )
        stacked = (
            csr_array(vstack(both, format="csr"))
            for both in ((new, csr_array(asking[self.asking])), (old, decoys))
        )
        queries, pool = (ProbableRows.certain(one, np.zeros(one.nnz)) for one in stacked)
        return queries, pool

    @cached_property
    def habits(self) -> Habits | None:
        """From where and when queries and pool call; some of the controls from another's cells."""
        if self.profiles is None:
            return None
        known = self.profiles
        asking = known.control_new.only(self.asking)
        return Habits.of(
            (known.new, asking.with_cells_of(self._lodgings)), (known.old, known.control_old)
        )

    @cached_property
    def _lodgings(self) -> Rows:
        """Place, among the controls that ask, of the one whose cells each asks from."""
        keys = mix_keys(self.keys[0][self.n_new :], MOVED_STREAM)
        moved = np.flatnonzero(keys < np.uint64(MOVED_SHARE * 2.0**64))
        found = np.arange(len(keys))
        found[moved] = np.roll(moved, 1)
        return found

    @cached_property
    def keys(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Number keys of queries and pool."""
        prints = self.fingerprints
        keys = prints.subscriptions.keys
        new, old, control = (
            keys[one.role.holdings] for one in (prints.new, prints.old, prints.control_old)
        )
        return np.concatenate([new, control[self.asking]]), np.concatenate([old, control])

    @cached_property
    def columns(self) -> tuple[Rows, Rows]:
        """Columns of the queries' and the pool's numbers as partners, -1 for those nobody calls."""
        new, pool = (self.fingerprints.find_columns(keys) for keys in self.keys)
        new[self.n_new :] = -1  # a control's number is its own all along
        return new, pool

    @cached_property
    def twins(self) -> Rows:
        """Place in the pool of each query that has departed as well, -1 for the others."""
        new, departed = (
            one.role.holdings for one in (self.fingerprints.new, self.fingerprints.departed)
        )
        found = np.full(len(self.queries), -1, np.int64)
        _, in_new, in_departed = np.intersect1d(new, departed, return_indices=True)
        found[in_new] = in_departed
        return found

    @cached_property
    def folds(self) -> tuple[Rows, Rows]:
        """Fold of each query, -1 for new ones, and of each of the pool."""
        queries, pool = (
            (mix_keys(keys, FOLD_STREAM) % np.uint64(N_FOLDS)).astype(np.int64)
            for keys in self.keys
        )
        queries[: self.n_new] = -1
        return queries, pool

    @cached_property
    def begins(self) -> tuple[Rows, Rows]:
        """When queries and pool began; nobody comes back before being there."""
        prints = self.fingerprints
        new, old = prints.begins_s
        controls = prints.activity.first_seen_s[prints.control_old.role.holdings]
        return (
            np.concatenate([new, prints.control_new.role.start_s[self.asking]]),
            np.concatenate([old, controls]),
        )

    @cached_property
    def decoy_weights(self) -> npt.NDArray[np.float64]:
        """Departed and fading that each of the pool stands for if it is a decoy, else NaN."""
        prints = self.fingerprints
        old_region, decoy_region = self._regions
        weights = weigh_decoys(
            Traits(prints.old.n_partners, prints.old.n_calls, old_region),
            Traits(prints.control_old.n_partners, prints.control_old.n_calls, decoy_region),
        )
        return np.concatenate([np.full(self.n_old, np.nan), weights])

    @property
    def _regions(self) -> tuple[Rows, Rows]:
        """Region of each old number and each decoy, or its main cell; -1 where unknown."""
        if self.profiles is None:
            sets = (self.fingerprints.old, self.fingerprints.control_old)
            unknown = [np.full(len(one), -1, np.int64) for one in sets]
            return unknown[0], unknown[1]
        return self._regions_of(self.profiles.old), self._regions_of(self.profiles.control_old)

    def _regions_of(self, profile: Profile) -> Rows:
        if self.region_of_cell is None:
            return main_cells(profile.home_cells)
        code_of: dict[str | None, int] = {
            name: code for code, name in enumerate(sorted(set(self.region_of_cell.values())))
        }
        regions = profile.regions(self.region_of_cell)
        return np.array([code_of.get(name, -1) for name in regions], np.int64)

    @property
    def ratio(self) -> float:
        """Departed and fading per decoy."""
        return self.n_old / max(len(self.fingerprints.control_old), 1)

    def own(self, queries: Rows, olds: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs are a control and its own old window."""
        own_of = np.concatenate([np.full(self.n_new, -1, np.int64), self.asking + self.n_old])
        return np.asarray(own_of[queries] == olds, bool)

    def absences(
        self, renames: Renames, n_columns: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return how surely each partner's number wasn't in use before, and isn't any more."""
        new, old = self.columns
        began, gone = np.zeros(n_columns), np.zeros(n_columns)
        began[new[new >= 0]] = 1.0
        departed = old[: len(self.fingerprints.departed)]  # the fading can still be called
        gone[departed[departed >= 0]] = 1.0
        recycled = (began > 0) & (gone > 0)
        began[recycled] = gone[recycled] = 0.0
        gone *= 1.0 - renames.added_up(renames.old, n_columns)
        return began, gone


def find_asking(fingerprints: Fingerprints) -> Rows:
    """Return the rows of the controls that ask."""
    keys = fingerprints.subscriptions.keys[fingerprints.control_new.role.holdings]
    return np.sort(np.argsort(mix_keys(keys, ASKING_STREAM), kind="stable")[:MOST_ASKING])


def profile_pools(
    fingerprints: Fingerprints, *, n_threads: int | None = None, progress: Progress | None = None
) -> PoolProfiles | None:
    """Read cells, hours and days of everybody in the pools, in one pass.

    None where the CDRs can be read only once.
    """
    if not fingerprints.cdrs.is_rereadable:
        return None
    sets = _profiled(fingerprints)
    rows = [np.arange(len(one)) for one in sets]
    rows[2] = find_asking(fingerprints)
    days = ContactDays(fingerprints, sets)
    new, old, control_new, control_old = read_profiles(
        fingerprints,
        list(zip(sets, rows, strict=True)),
        watch=days.watch,
        n_threads=n_threads,
        progress=progress,
    )
    return PoolProfiles(new, old, control_new, control_old, days.days())


def _profiled(fingerprints: Fingerprints) -> tuple[FingerprintSet, ...]:
    """Return the sets that profiles are of, in their order."""
    return (
        fingerprints.new,
        fingerprints.old,
        fingerprints.control_new,
        fingerprints.control_old,
    )


def _only(prints: FingerprintSet, rows: Rows) -> tuple[csr_array, npt.NDArray[np.int32]]:
    """Return the matrix of some rows and the calls made of its entries."""
    chosen = np.zeros(len(prints), bool)
    chosen[rows] = True
    entries = np.repeat(chosen, np.diff(prints.matrix.indptr))
    return csr_array(prints.matrix[rows]), prints.outgoing[entries]


def _stack(*sets: tuple[csr_array, npt.NDArray[np.int32]]) -> ProbableRows:
    matrix = csr_array(vstack([matrix for matrix, _ in sets], format="csr"))
    return ProbableRows.certain(matrix, np.concatenate([outgoing for _, outgoing in sets]))
