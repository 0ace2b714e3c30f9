"""Made-up carriers, simulated once, and matches of them beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
from scipy.sparse import coo_array, csr_array

import chanfp

NOBODY = {"returner_share": 0.0, "wanderer_share": 0.0, "partial_share": 0.0}


def with_share(share: float, leavers: float = 0.036) -> dict[str, float]:
    """Return settings with a share of returners among the new, 7 % of all people."""
    new = 0.07
    return {
        **NOBODY,
        "returner_share": share * new,
        "newcomer_share": (1 - share) * new,
        "leaver_share": leavers,
    }


VARIANTS: Mapping[str, Mapping[str, float]] = {
    "default": {},
    "dense": {"density": 2.0},
    "emigrants": {"emigrant_share": 0.3},
    "hubs": {"hub_factor": 2.0},
    "dual-sim": {"dual_share": 0.15, "added_share": 0.02},
    "handsets": {"kept_handset_share": 0.3, "resold_share": 0.6},
    "no-successors": {"successor_share": 0.0},
    "no-returners": NOBODY,
    "share-2": with_share(0.02),
    "share-10": with_share(0.10),
    "share-40": with_share(0.40),
    "share-2-pool": with_share(0.02, 0.10),
    "share-10-pool": with_share(0.10, 0.10),
    "share-40-pool": with_share(0.40, 0.10),
}


def make_carrier(work: Path, people: int, seed: int, variant: str) -> Path:
    """Simulate a carrier into a folder of `work`, unless it is there; return the folder."""
    folder = work / f"{variant}-{people}-{seed}"
    if not (folder / "truth.csv").exists():  # written last
        carrier = chanfp.simulate(people, seed=seed, **VARIANTS[variant])  # type: ignore[arg-type]
        carrier.write(folder, overwrite=True)
    return folder


@dataclass(frozen=True)
class Truth:
    """Who is who."""

    old_of: dict[str, str]
    person_of: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Truth:
        """Read the truth of a carrier."""
        names = ["new", "old", "person"]
        options = pa_csv.ConvertOptions(
            include_columns=names, column_types=dict.fromkeys(names, pa.string())
        )
        rows = pa_csv.read_csv(folder / "truth.csv", convert_options=options).to_pylist()
        person_of = {row[side]: row["person"] for row in rows for side in ("old", "new")}
        return cls({row["new"]: row["old"] for row in rows if row["old"]}, person_of)

    def is_right(self, new: str, old: str) -> bool:
        """Return whether one person holds both; a wanderer's other number is right too."""
        person = self.person_of.get(new)
        return person is not None and person == self.person_of.get(old)


@dataclass(frozen=True)
class Judged:
    """The best match of each new number beside the truth; arrays have one entry per match."""

    fingerprints: chanfp.Fingerprints
    truth: Truth
    matches: chanfp.Matches

    @cached_property
    def best(self) -> pa.Table:
        """The matches at rank 1."""
        table = self.matches.table
        return table.filter(np.asarray(table["rank"]) == 1)

    @cached_property
    def is_right(self) -> npt.NDArray[np.bool_]:
        """Which are right."""
        return is_right(self.truth, self.best)

    @cached_property
    def q_values(self) -> npt.NDArray[np.float64]:
        """Their q-values; NaN where there is none."""
        return np.asarray(self.best["q_value"].to_numpy(), np.float64)

    @cached_property
    def n_returners(self) -> int:
        """How many of the new have an old number among the departed and the fading."""
        pool = set(self.fingerprints.old.ids.to_pylist())
        new = self.fingerprints.new.ids.to_pylist()
        return sum(self.truth.old_of.get(number) in pool for number in new)

    def claimed(self, limit: float) -> tuple[int, int]:
        """Return how many matches have at most this q-value, and how many of them are false."""
        claimed = self.q_values <= limit
        return int(claimed.sum()), int((claimed & ~self.is_right).sum())

    def recall(self, limit: float) -> float:
        """Return the share of returners found at this q-value."""
        n, n_false = self.claimed(limit)
        return (n - n_false) / max(self.n_returners, 1)

    def corners(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return by what corners are told."""
        days = np.asarray(self.best["days_observed_new"].to_numpy(), np.float64)
        partners = np.asarray(self.best["n_partners_new"].to_numpy(), np.float64)
        return {"partners": partners, "density": self._density, "days observed": days}

    @cached_property
    def _density(self) -> npt.NDArray[np.float64]:
        """Share of pairs of partners who are in contact themselves; NaN below two partners."""
        prints = self.fingerprints
        contacts = _contacts(prints)
        row_of = {number: row for row, number in enumerate(prints.new.ids.to_pylist())}
        matrix = prints.new.matrix
        found = np.full(len(self.best), np.nan)
        for place, number in enumerate(self.best["new"].to_pylist()):
            row = row_of[number]
            partners = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            if len(partners) > 1:
                n_pairs = len(partners) * (len(partners) - 1)
                found[place] = contacts[partners][:, partners].nnz / n_pairs
        return found


def is_right(truth: Truth, table: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which rows of a table of matches are right."""
    pairs = zip(table["new"].to_pylist(), table["old"].to_pylist(), strict=True)
    return np.array([truth.is_right(new, old) for new, old in pairs], bool)


def _contacts(prints: chanfp.Fingerprints) -> csr_array:
    """Return which partners are in contact with each other, as far as active ones tell."""
    keys = prints.subscriptions.keys[prints.active.role.holdings]
    n_columns = len(prints.partners)
    columns = np.minimum(np.searchsorted(prints.partners, keys), n_columns - 1)
    known = prints.partners[columns] == keys
    rows = prints.active.matrix[np.flatnonzero(known)].tocoo()
    one, other = columns[known][rows.row], rows.col
    ones = np.ones(2 * len(one), np.int8)
    both = (np.concatenate([one, other]), np.concatenate([other, one]))
    return csr_array(coo_array((ones, both), shape=(n_columns, n_columns)))


def recall_of_jaccard(judged: Judged, precision: float) -> float:
    """Return the share of returners that plain Jaccard finds at a precision."""
    matches = chanfp.Matcher(learn=False, n_rounds=0).fit(judged.fingerprints).match()
    table = matches.table
    order = np.lexsort((-table["jaccard"].to_numpy(), np.asarray(table["new"].to_pylist())))
    new = np.asarray(table["new"].to_pylist())[order]
    first = order[np.flatnonzero(np.r_[True, new[1:] != new[:-1]])]
    best = table.take(first)
    jaccard, right = best["jaccard"].to_numpy(), is_right(judged.truth, best)
    order = np.argsort(-jaccard, kind="stable")
    n_right, ordered = np.cumsum(right[order]), jaccard[order]
    # Of equals all or none are taken.
    last = np.append(ordered[1:] != ordered[:-1], True)
    holds = last & (n_right >= precision * np.arange(1, len(order) + 1))
    return float(n_right[holds].max(initial=0)) / max(judged.n_returners, 1)
