"""The tree of outlets: who hangs under whom, and figures that add up at every level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..sidetables import SideTable

__all__ = ["SELLER_KIND", "UNATTRIBUTED", "OutletTree", "grow_tree"]

UNATTRIBUTED = "(unattributed)"
SELLER_KIND = "seller"
SHOWN_ROWS = 3
WAY_OUT = "correct the table or allow an unattributed branch (`lenient`)"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OutletTree:
    """Outlets and sellers as one tree; a node is a row of these lists.

    `grow_tree` orders them from the root down, each followed by its branch, siblings by name: the
    order of the tables makes no difference to any sum.

    Parameters
    ----------
    names : list of str
        Outlets by name; a seller is ``OUTLET/SELLER``.
    parents : int64 array
        The node above, -1 at the root.
    kinds, regions, sellers : list of str or None
        `sellers` names the person at a seller's node and is None elsewhere. A seller has the
        region of the outlet.
    """

    names: list[str]
    parents: Ints
    kinds: list[str | None]
    regions: list[str | None]
    sellers: list[str | None]

    @cached_property
    def depths(self) -> Ints:
        """Levels between each node and the root."""
        depths = np.zeros(len(self.parents), np.int64)
        above = self.parents
        while (above >= 0).any():
            depths += above >= 0
            above = np.where(above >= 0, self.parents[np.maximum(above, 0)], -1)
        return depths

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        n_sellers = sum(seller is not None for seller in self.sellers)
        return (
            f"<OutletTree: {len(self) - n_sellers:,} outlets and {n_sellers:,} sellers on "
            f"{int(self.depths.max()) + 1} levels>"
        )

    def roll_up(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return for each node the sum over itself and everything below.

        Parameters
        ----------
        values : int64 array, shape (n_nodes,) or (n_nodes, n_figures)
            What belongs to each node itself. Whole numbers, so that the sums are exact.
        """
        totals = values.copy()
        for depth in range(int(self.depths.max(initial=0)), 0, -1):
            nodes = np.flatnonzero(self.depths == depth)
            np.add.at(totals, self.parents[nodes], totals[nodes])
        return totals

    def climb(self, nodes: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Yield step by step (rows, node above): each row's own node first, the root last."""
        rows = np.arange(len(nodes), dtype=np.int64)
        at = nodes.astype(np.int64)
        while len(rows):
            yield rows, at
            at = self.parents[at]
            rows, at = rows[at >= 0], at[at >= 0]


def grow_tree(
    outlets: SideTable, sales: SideTable, *, is_lenient: bool = False
) -> tuple[OutletTree, Ints, dict[str, int]]:
    """Build the tree of outlets and hang the sellers of the sales into it.

    Parameters
    ----------
    outlets, sales : SideTable
    is_lenient : bool, default False
        Hang what doesn't fit under a node of its own, `UNATTRIBUTED`, and count it.

    Returns
    -------
    tree : OutletTree
    node_of_sale : int64 array
        The node of each sale: the seller's, or the outlet's where no seller is named.
    unattributed : dict of str to int
        What hangs in the unattributed branch by reason; empty where all fits.

    Raises
    ------
    DataError
        If there is no outlet, or, unless lenient, if a parent isn't in the table, outlets hang
        under each other in a circle, there are two roots, or a sale is at an unknown outlet. The
        rows are named.
    """
    if not len(outlets):
        raise DataError(f"{_name(outlets)}: no outlet in the table; give the one with the tree.")
    names = [str(name) for name in outlets.table.column("outlet").to_pylist()]
    kinds = outlets.table.column("kind").to_pylist()
    regions = outlets.table.column("region").to_pylist()
    place_of = {name: row for row, name in enumerate(names)}
    parents, faults = _find_parents(outlets, names, place_of)
    at_outlet = _find_outlets(sales, place_of)
    if len(missing := np.flatnonzero(at_outlet < 0)):
        known = sales.table.column("outlet")
        faults["sales-at-unknown-outlet"] = (
            missing,
            f"{_places(sales, missing)}: the sale is at an outlet that the table of outlets "
            f"doesn't have, such as {known[int(missing[0])].as_py()!r}",
        )
    if faults and not is_lenient:
        raise DataError(f"{next(iter(faults.values()))[1]}; {WAY_OUT}.")
    if faults:
        place_of[UNATTRIBUTED] = len(names)
        names.append(UNATTRIBUTED)
        kinds.append("unattributed")
        regions.append(None)
        roots = np.flatnonzero(parents == -1)
        top = int(roots[0]) if len(roots) else -1
        parents = np.append(np.where(parents == -2, len(names) - 1, parents), top)
        at_outlet[at_outlet < 0] = len(names) - 1
    tree, node_of_sale = _hang_sellers(sales, names, parents, kinds, regions, at_outlet)
    tree, node_of_sale = _put_in_order(tree, node_of_sale)
    return tree, node_of_sale, {reason: len(rows) for reason, (rows, _) in faults.items()}


Faults = dict[str, tuple[Ints, str]]


def _find_parents(
    outlets: SideTable, names: list[str], place_of: dict[str, int]
) -> tuple[Ints, Faults]:
    """Return the row above each outlet: -1 at the root, -2 where it doesn't fit; and why not."""
    texts = outlets.table.column("parent").to_pylist()
    parents = np.array([-1 if text is None else place_of.get(text, -2) for text in texts], np.int64)
    faults: Faults = {}
    if len(unknown := np.flatnonzero(parents == -2)):
        row = int(unknown[0])
        faults["unknown-parent"] = (
            unknown,
            f"{_places(outlets, unknown)}: the parent of an outlet must be in the table, "
            f"{texts[row]!r} of {names[row]!r} is not",
        )
    roots = np.flatnonzero(parents == -1)
    if len(roots) > 1:
        listed = ", ".join(repr(names[row]) for row in roots[:SHOWN_ROWS])
        faults["further-root"] = (
            roots[1:],
            f"{_places(outlets, roots)}: only one outlet may have no parent, found {listed}",
        )
    circle = _find_circles(parents)
    if len(circle):
        listed = ", ".join(repr(names[row]) for row in circle[:SHOWN_ROWS])
        faults["circle"] = (
            circle,
            f"{_places(outlets, circle)}: outlets hang under each other in a circle, such as "
            f"{listed}",
        )
    parents[circle] = -2
    parents[roots[1:]] = -2
    return parents, faults


def _find_circles(parents: Ints) -> Ints:
    """Return the rows that come back to themselves on the way up."""
    on_way = np.arange(len(parents), dtype=np.int64)
    # After as many steps as there are rows, whoever isn't out walks in a circle.
    for _ in range(len(parents).bit_length()):
        parents = np.where(parents >= 0, parents[np.maximum(parents, 0)], parents)
    caught = np.unique(parents[parents >= 0])
    return on_way[np.isin(on_way, caught)]


def _find_outlets(sales: SideTable, place_of: dict[str, int]) -> Ints:
    """Return the row of each sale's outlet, -1 where it isn't in the table."""
    encoded = sales.table.column("outlet").combine_chunks().dictionary_encode()
    rows = [place_of.get(name, -1) for name in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*rows, -1], np.int64)[codes], np.int64)


def _hang_sellers(
    sales: SideTable,
    names: list[str],
    parents: Ints,
    kinds: list[str | None],
    regions: list[str | None],
    at_outlet: Ints,
) -> tuple[OutletTree, Ints]:
    """Add one leaf for each seller and outlet, ordered by both."""
    encoded = sales.table.column("seller").combine_chunks().dictionary_encode()
    people = [str(name) for name in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    named = np.flatnonzero(codes >= 0)
    pairs, which = np.unique(
        at_outlet[named] * max(len(people), 1) + codes[named], return_inverse=True
    )
    above, codes = np.divmod(pairs, max(len(people), 1))
    leaves = [f"{names[row]}/{people[code]}" for row, code in zip(above, codes, strict=True)]
    if taken := set(leaves) & set(names):
        raise DataError(
            f"{_name(sales)}: outlet {sorted(taken)[0]!r} is named like a seller's place in the "
            "tree, OUTLET/SELLER; rename the outlet."
        )
    node_of_sale = at_outlet.copy()
    node_of_sale[named] = len(names) + which.reshape(-1)
    tree = OutletTree(
        names + leaves,
        np.concatenate([parents, above]),
        kinds + [SELLER_KIND] * len(leaves),
        regions + [regions[row] for row in above],
        [None] * len(names) + [people[code] for code in codes],
    )
    return tree, node_of_sale


def _put_in_order(tree: OutletTree, node_of_sale: Ints) -> tuple[OutletTree, Ints]:
    """Return the same tree from the root down, siblings by name, and where each sale is now."""
    below: list[list[int]] = [[] for _ in tree.names]
    waiting: list[int] = []
    for node in sorted(range(len(tree)), key=lambda at: tree.names[at], reverse=True):
        above = int(tree.parents[node])
        (below[above] if above >= 0 else waiting).append(node)
    order = []
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += below[node]
    place = np.empty(len(tree) + 1, np.int64)
    place[order] = np.arange(len(tree))
    place[-1] = -1  # above the root
    columns = (tree.kinds, tree.regions, tree.sellers)
    names = [tree.names[node] for node in order]
    parents = place[tree.parents[order]]
    others = ([column[node] for node in order] for column in columns)
    return OutletTree(names, parents, *others), place[node_of_sale]


def _name(table: SideTable) -> str:
    return table.sources[0][0] if table.sources else table.schema.title


def _places(table: SideTable, rows: Sequence[int] | Ints) -> str:
    shown = " and ".join(table.place(int(row)) for row in rows[:SHOWN_ROWS])
    more = len(rows) - SHOWN_ROWS
    return f"{shown} and {more:,} more" if more > 0 else shown
