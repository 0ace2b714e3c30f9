"""The tree of outlets: figures add up at every level, and what is broken is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanfp.audit.tree import UNATTRIBUTED, OutletTree, grow_tree
from chanfp.errors import DataError
from chanfp.sidetables import read_outlets, read_sales
from shops import OUTLETS, SALES, outlet_table, sale_table


def grow(outlets=OUTLETS, sales=SALES, **options):
    return grow_tree(read_outlets(outlet_table(outlets)), read_sales(sale_table(sales)), **options)


def test_sellers_are_leaves_under_the_outlet_of_the_sale():
    tree, nodes, unattributed = grow()
    assert unattributed == {}
    assert tree.names == [
        "city", "north", "n1", "n1/ann", "n1/bob", "n2", "south", "s1", "s1/ann",
    ]  # fmt: skip
    assert [tree.names[tree.parents[node]] for node in (3, 4, 8)] == ["n1", "n1", "s1"]
    assert [tree.names[node] for node in nodes] == [
        "n1/ann", "n1/ann", "n1/bob", "n2", "s1/ann", "north",
    ]  # fmt: skip
    assert tree.kinds[3] == "seller"
    assert tree.sellers[3] == "ann"
    assert tree.sellers[0] is None
    assert tree.regions[8] == "330102"
    assert tree.depths.tolist() == [0, 1, 2, 3, 3, 2, 1, 2, 3]
    assert repr(tree) == "<OutletTree: 6 outlets and 3 sellers on 4 levels>"
    again, at, _ = grow(OUTLETS[::-1], SALES[::-1])
    assert again.names == tree.names
    assert at.tolist() == nodes[::-1].tolist()


def test_roll_up_by_hand():
    tree, nodes, _ = grow()
    sold = np.bincount(nodes, minlength=len(tree))
    assert dict(zip(tree.names, tree.roll_up(sold).tolist(), strict=True)) == {
        "city": 6, "north": 5, "south": 1, "n1": 3, "n2": 1, "s1": 1,
        "n1/ann": 2, "n1/bob": 1, "s1/ann": 1,
    }  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**6), st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40)
        ),
        min_size=1,
        max_size=40,
    )
)
def test_every_node_is_itself_and_what_is_below(drawn):
    """Whatever the tree: total = own + totals of the children, and the root has it all."""
    parents = np.array([-1, *(pick % row for row, (pick, *_) in enumerate(drawn[1:], 1))], np.int64)
    own = np.array([values for _, *values in drawn], np.int64)
    shuffled = np.random.default_rng(len(drawn)).permutation(len(drawn))
    place = np.argsort(shuffled)
    parents = np.where(parents >= 0, place[np.maximum(parents, 0)], -1)[shuffled]
    own = own[shuffled]
    names = [f"n{row}" for row in range(len(drawn))]
    nothing = [None] * len(drawn)
    tree = OutletTree(names, parents, nothing, nothing, nothing)
    totals = tree.roll_up(own)
    for node in range(len(drawn)):
        below = totals[parents == node].sum(axis=0)
        assert (totals[node] == own[node] + below).all()
    assert (totals[np.flatnonzero(parents < 0)[0]] == own.sum(axis=0)).all()
    climbed = np.zeros_like(own)
    for rows, nodes in tree.climb(np.arange(len(drawn))):
        np.add.at(climbed, nodes, own[rows])
    assert (climbed == totals).all()


BROKEN = {
    "unknown-parent": (
        [*OUTLETS, ("x", "nowhere", "retail", None)],
        SALES,
        "row 7: the parent of an outlet must be in the table, 'nowhere' of 'x' is not",
    ),
    "further-root": (
        [*OUTLETS, ("x", None, "retail", None)],
        SALES,
        "row 1 and <pyarrow.Table>, row 7: only one outlet may have no parent, "
        "found 'city', 'x'",
    ),
    "circle": (
        [*OUTLETS, ("x", "y", "retail", None), ("y", "x", "retail", None),
         ("z", "y", "retail", None)],
        SALES,
        "row 7 and <pyarrow.Table>, row 8: outlets hang under each other in a circle, such as "
        "'x', 'y'",
    ),
    "sales-at-unknown-outlet": (
        OUTLETS,
        [*SALES, ("13900000007", "gone", None, 1, 1.0, 5.0, None, None)],
        "row 7: the sale is at an outlet that the table of outlets doesn't have, such as 'gone'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_tree_names_the_rows(reason):
    outlets, sales, message = BROKEN[reason]
    with pytest.raises(DataError) as error:
        grow(outlets, sales)
    assert f"<pyarrow.Table>, {message}; correct the table or allow an" in str(error.value)


@pytest.mark.parametrize("reason", BROKEN)
def test_lenient_hangs_it_under_a_branch_of_its_own(reason):
    outlets, sales, _ = BROKEN[reason]
    tree, nodes, unattributed = grow(outlets, sales, is_lenient=True)
    assert unattributed == {reason: 2 if reason == "circle" else 1}
    lost = tree.names.index(UNATTRIBUTED)
    assert tree.names[tree.parents[lost]] == "city"
    below = [name for name, at in zip(tree.names, tree.parents, strict=True) if at == lost]
    assert below == {"circle": ["x", "y"], "sales-at-unknown-outlet": []}.get(reason, ["x"])
    if reason == "circle":
        assert tree.names[tree.parents[tree.names.index("z")]] == "y"
    if reason == "sales-at-unknown-outlet":
        assert nodes[-1] == lost
    assert tree.roll_up(np.bincount(nodes, minlength=len(tree)))[0] == len(sales)


def test_a_circle_without_a_root_is_cut_too():
    circle = [("a", "b", None, None), ("b", "a", None, None)]
    sales = [("13900000001", "a", None, 0, 1.0, 1.0, None, None)]
    tree, nodes, unattributed = grow(circle, sales, is_lenient=True)
    assert unattributed == {"circle": 2}
    assert tree.names[int(np.flatnonzero(tree.parents < 0)[0])] == UNATTRIBUTED
    assert tree.roll_up(np.bincount(nodes, minlength=3))[0] == 1


def test_one_outlet_alone_and_no_sale():
    tree, nodes, _ = grow([("a", None, None, None)], [])
    assert (len(tree), len(nodes)) == (1, 0)
    with pytest.raises(DataError, match="no outlet in the table"):
        grow([], [])


def test_an_outlet_named_like_a_seller():
    with pytest.raises(DataError, match="'n1/ann' is named like a seller's place"):
        grow([*OUTLETS, ("n1/ann", "city", None, None)])
