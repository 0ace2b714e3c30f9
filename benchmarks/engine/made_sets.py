"""Made-up sets of partners for the benchmarks of the matching engine.

    python benchmarks/engine/made_sets.py [--new 50000] [--departed 200000]

Two shapes, each the same for the same arguments:

`make_hub_sets`: people live in communities and call within them, popular partners more often, and
now and then a hub, the n-th hub with a chance that falls as 1/n (Zipf). Most partners are rare.
`make_even_sets`: every partner as likely as any other out of few, so that nobody is rare and
nobody a hub.

In both, three new subscribers of ten are returners: they keep a share of an old subscriber's
partners, evenly spread over 0.2 to 1, and replace the others. Run as a script, prints figures.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

MEAN_SIZE = 30
DRAWN_TWICE = 0.022  # share of the draws in communities that repeat an earlier one
SIZE_SHAPE = 2.0  # of the gamma distribution behind set sizes
HUB_SHARE = 0.08
RETURNER_SHARE = 0.3
COMMUNITY_PARTNERS = 1000
POPULARITY = 1.5  # a community's partner of rank q (0 to 1) is drawn with density q ** (1/1.5 - 1)


@dataclass(frozen=True)
class World:
    """Whom one can call.

    Parameters
    ----------
    n_partners, n_hubs : int
        Partners in all, and those of them that are hubs.
    hub_share : float
        Share of the drawn calls that go to hubs.
    n_communities : int
        The other partners fall into so many equal parts.
    popularity : float
        1 draws a community's partners evenly; above, the first of them more often.
    column_of : ndarray of int32, shape (n_partners,)
        Where each partner stands: hubs anywhere, a community's partners next to one another.
    """

    n_partners: int
    n_hubs: int
    hub_share: float
    n_communities: int
    popularity: float
    column_of: npt.NDArray[np.int32]

    @classmethod
    def make(
        cls,
        rng: np.random.Generator,
        *,
        n_partners: int,
        n_hubs: int,
        hub_share: float,
        n_communities: int,
        popularity: float,
    ) -> World:
        """Strew the hubs among the others."""
        hubs = rng.permutation(n_partners)[:n_hubs]
        is_hub = np.zeros(n_partners, dtype=bool)
        is_hub[hubs] = True
        column_of = np.concatenate([hubs, np.flatnonzero(~is_hub)]).astype(np.int32)
        return cls(n_partners, n_hubs, hub_share, n_communities, popularity, column_of)

    def draw(
        self, rng: np.random.Generator, communities: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """Draw one partner for each entry, given its owner's community."""
        pool = (self.n_partners - self.n_hubs) // self.n_communities
        rank = (pool * rng.random(len(communities)) ** self.popularity).astype(np.int64)
        partner = self.n_hubs + communities * pool + rank
        if self.n_hubs:
            calls_hub = rng.random(len(communities)) < self.hub_share
            chances = np.cumsum(1 / np.arange(1, self.n_hubs + 1))
            drawn = rng.random(int(calls_hub.sum())) * chances[-1]
            partner[calls_hub] = np.searchsorted(chances, drawn, side="right")
        return self.column_of[partner]


def make_hub_sets(
    n_new: int,
    n_departed: int,
    *,
    n_partners: int = 5_000_000,
    n_hubs: int = 20_000,
    seed: int = 1,
) -> tuple[csr_array, csr_array]:
    """Return new and departed: 0/1 rows, float32, int32 indices, sorted, without duplicates.

    8 % of the entries lie on hubs. Double `n_partners` and `n_hubs` with the rows for growth.
    """
    rng = np.random.default_rng(seed)
    world = World.make(
        rng,
        n_partners=n_partners,
        n_hubs=n_hubs,
        hub_share=HUB_SHARE,
        n_communities=max(1, (n_partners - n_hubs) // COMMUNITY_PARTNERS),
        popularity=POPULARITY,
    )
    return _make_sets(rng, world, n_new, n_departed, MEAN_SIZE * (1 + DRAWN_TWICE))


def make_even_sets(
    n_new: int, n_departed: int, *, n_partners: int = 50_000, seed: int = 1
) -> tuple[csr_array, csr_array]:
    """Return new and departed as `make_hub_sets` does, without hubs and without rare partners."""
    rng = np.random.default_rng(seed)
    world = World.make(
        rng, n_partners=n_partners, n_hubs=0, hub_share=0.0, n_communities=1, popularity=1.0
    )
    return _make_sets(rng, world, n_new, n_departed, MEAN_SIZE)


def drop_hubs(
    new: csr_array, departed: csr_array, max_departed: int = 1000
) -> tuple[csr_array, csr_array]:
    """Return both without the partners that more than `max_departed` departed call."""
    counts = np.bincount(departed.indices, minlength=departed.shape[1])
    is_kept = counts <= max_departed
    return _keep_columns(new, is_kept), _keep_columns(departed, is_kept)


def make_dropped_sets(n_new: int, n_departed: int) -> tuple[csr_array, csr_array]:
    """Return `make_hub_sets` without partners that more than 1,000 departed call."""
    return drop_hubs(*make_hub_sets(n_new, n_departed))


SHAPES = {"hubs": make_hub_sets, "dropped": make_dropped_sets, "even": make_even_sets}


def _make_sets(
    rng: np.random.Generator, world: World, n_new: int, n_departed: int, mean_drawn: float
) -> tuple[csr_array, csr_array]:
    homes = rng.integers(0, world.n_communities, n_departed)
    owners = np.repeat(np.arange(n_departed), _draw_sizes(rng, n_departed, mean_drawn))
    departed = _pack(owners, world.draw(rng, homes[owners]), n_departed, world.n_partners)

    n_returners = min(round(RETURNER_SHARE * n_new), n_departed)
    sources = rng.permutation(n_departed)[:n_returners]
    old = departed[sources]
    kept_shares = rng.uniform(0.2, 1.0, n_returners)
    kept_owners = np.repeat(np.arange(n_returners), np.diff(old.indptr))
    is_kept = rng.random(len(kept_owners)) < kept_shares[kept_owners]

    sizes = _draw_sizes(rng, n_new, mean_drawn)
    sizes[:n_returners] = rng.binomial(np.diff(old.indptr), 1 - kept_shares)
    new_homes = rng.integers(0, world.n_communities, n_new)
    new_homes[:n_returners] = homes[sources]
    owners = np.repeat(np.arange(n_new), sizes)
    drawn = world.draw(rng, new_homes[owners])
    places = rng.permutation(n_new)  # returners stand anywhere among the new
    new = _pack(
        places[np.concatenate([kept_owners[is_kept], owners])],
        np.concatenate([old.indices[is_kept], drawn]),
        n_new,
        world.n_partners,
    )
    return new, departed


def _draw_sizes(rng: np.random.Generator, n_rows: int, mean: float) -> npt.NDArray[np.int64]:
    """Draw how many partners to draw for each row: at least 1, skewed, `mean` on average."""
    return 1 + rng.poisson(rng.gamma(SIZE_SHAPE, (mean - 1) / SIZE_SHAPE, n_rows))


def _pack(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], n_rows: int, n_columns: int
) -> csr_array:
    """Return 0/1 rows, sorted, each entry once."""
    entries = np.sort(rows * np.int64(n_columns) + columns)
    entries = entries[np.append(True, entries[1:] != entries[:-1])] if len(entries) else entries
    rows, indices = np.divmod(entries, n_columns)
    indptr = np.zeros(n_rows + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
    data = np.ones(len(indices), dtype=np.float32)
    return csr_array((data, indices.astype(np.int32), indptr), shape=(n_rows, n_columns))


def _keep_columns(matrix: csr_array, is_kept: npt.NDArray[np.bool_]) -> csr_array:
    kept = is_kept[matrix.indices]
    indptr = np.append(0, np.cumsum(kept))[matrix.indptr].astype(np.int32)
    return csr_array((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


def main() -> None:
    """Print the figures that describe both shapes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--new", type=int, default=50_000)
    parser.add_argument("--departed", type=int, default=200_000)
    wanted = parser.parse_args()
    for make in (make_hub_sets, make_even_sets):
        new, departed = make(wanted.new, wanted.departed)
        counts = np.bincount(departed.indices, minlength=departed.shape[1])
        new_counts = np.bincount(new.indices, minlength=new.shape[1])
        top = np.sort(counts)[::-1]
        print(make.__name__)
        means = [matrix.nnz / matrix.shape[0] for matrix in (new, departed)]
        print(f"  entries per row       new {means[0]:.2f}, departed {means[1]:.2f}")
        print(f"  partners in use       {np.count_nonzero(counts):,} of {departed.shape[1]:,}")
        print(f"  share of top 20,000   {top[:20_000].sum() / departed.nnz:.4f}")
        print(f"  most popular          {top[0]:,}")
        print(f"  postings of all pairs {int(counts.astype(np.int64) @ new_counts):,}")


if __name__ == "__main__":
    main()
