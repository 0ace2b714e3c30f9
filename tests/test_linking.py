"""Linked numbers: those of one person that follow each other are no rivals."""

import numpy as np
import pyarrow as pa
import pytest

import chanfp
from carriers import FRIENDS, stamp
from chanfp.competition import Competition
from chanfp.linking import Linking

FIRST, SECOND, OTHER = 0, 1, 2  # old numbers; the second was new as well, as query 0
MIDDLE, LAST = 0, 1


def compete(pairs, *, twins=(SECOND, -1), decoys=(), controls=()):
    """Return a competition of (new, old, odds)."""
    queries, olds, odds = (np.array(column) for column in zip(*pairs, strict=True))
    return Competition(
        queries,
        olds,
        odds.astype(float),
        ~np.isin(queries, controls),
        np.isin(olds, decoys),
        max(int(queries.max()) + 1, len(twins)),
        int(olds.max()) + 1 if len(pairs) else 0,
        np.array([*twins, *[-1] * (int(queries.max()) + 1 - len(twins))]),
    )


CHAIN = [(MIDDLE, FIRST, 50.0), (LAST, SECOND, 50.0), (LAST, FIRST, 50.0)]


def test_the_last_of_three_numbers_keeps_both_before_it():
    """Without a link each would have a rival, and the last of three pairs two."""
    apart = compete(CHAIN, twins=(-1, -1))
    assert apart.scores(1.0).tolist() == pytest.approx([50 / 101, 50 / 101, 50 / 151])
    linked = compete(CHAIN)
    assert linked.scores(1.0).min() > 0.9
    assert linked.probabilities(1.0).min() > 0.9


def test_what_is_dealt_out_adds_up_to_one_at_most():
    shares = compete(CHAIN).shares(1.0)
    assert shares[0] > 0.9
    assert 0.9 < shares[1] + shares[2] <= 1


def test_a_link_counts_as_much_as_it_is_sure():
    """Somebody else may have had the first number before the middle one."""
    rivalled = compete([*CHAIN, (2, FIRST, 50.0)])
    weaker = rivalled.scores(1.0)
    assert 0.3 < weaker[0] < 0.55
    assert 0.5 < weaker[1] < compete(CHAIN).scores(1.0)[1]
    unlike = compete([(MIDDLE, FIRST, 0.001), *CHAIN[1:]])
    assert unlike.scores(1.0)[1:].tolist() == pytest.approx([50 / 101, 50 / 101], rel=1e-4)


def test_numbers_of_others_stay_rivals():
    pairs = [*CHAIN, (LAST, OTHER, 50.0), (2, SECOND, 50.0)]
    scores = compete(pairs).scores(1.0)
    assert 0.3 < scores[1] < 0.4  # another old one, another new one
    assert 0.33 < scores[2] < 0.45  # another old one; the last is less surely the middle one


def test_decoys_are_linked_as_departed_are():
    as_departed, as_decoy = (compete(CHAIN, decoys=one) for one in ((), (FIRST,)))
    assert as_decoy.scores(1.0).tolist() == as_departed.scores(1.0).tolist()
    assert as_decoy.probabilities(1.0)[[0, 2]].tolist() == [0, 0]


def test_controls_take_nothing_from_linked_ones():
    pairs = [*CHAIN, (2, FIRST, 50.0), (2, SECOND, 50.0)]
    with_control = compete(pairs, controls=(2,)).scores(1.0)
    assert with_control[:3].tolist() == compete(CHAIN).scores(1.0).tolist()
    # The control itself is rivalled by the new ones; its two old numbers are one person's.
    apart = compete(pairs, controls=(2,), twins=(-1, -1)).scores(1.0)
    assert apart[3] == pytest.approx(50 / 201)
    assert apart[3] < with_control[3] < 50 / 101


def test_nobody_is_set_by_what_counts_once():
    pairs = compete(CHAIN)
    nobody = pairs.nobody_for(np.ones(3, bool), 1.5)
    assert pairs.probabilities(nobody, is_dealt_out=True).sum() == pytest.approx(1.5, rel=1e-6)
    assert pairs.probabilities(nobody).sum() > 1.6


def test_a_chain_of_four():
    """New 0 to 2 follow old 0; new 0 and 1 have departed again, as old 1 and 2."""
    pairs = [(0, 0, 80), (1, 1, 80), (1, 0, 80), (2, 2, 80), (2, 1, 80), (2, 0, 80)]
    assert compete(pairs, twins=(1, 2, -1)).scores(1.0).min() > 0.8


def test_without_triangles_nothing_is_linked():
    pairs = compete(CHAIN[:2])
    assert pairs.linking is None
    assert pairs.scores(1.0).tolist() == pytest.approx([50 / 51, 50 / 51])


def slow_triangles(queries, olds, twins):
    """Return (pair, pair, pair between, whether of one new number) by looking at all triples."""
    n, found = len(queries), set()
    for i in range(n):
        for j in range(n):
            for p in range(n):
                if p in (i, j) or i == j:
                    continue
                same_new = queries[i] == queries[j] and olds[i] == twins[queries[p]]
                if same_new and olds[j] == olds[p]:
                    found.add((i, j, p, True))
                same_old = olds[i] == olds[j] and twins[queries[i]] == olds[p]
                if same_old and queries[j] == queries[p]:
                    found.add((i, j, p, False))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_all_triangles_are_found(seed):
    rng = np.random.default_rng(seed)
    n_queries, n_olds = 8, 7
    twins = np.full(n_queries, -1)
    both = rng.permutation(n_queries)[:4]
    twins[both] = rng.permutation(n_olds)[:4]
    cells = np.sort(rng.choice(n_queries * n_olds, 25, replace=False))
    queries, olds = np.divmod(cells, n_olds)
    apart = twins[queries] != olds  # nobody is his own candidate
    queries, olds = queries[apart], olds[apart]
    found = Linking.of(queries, olds, np.full(len(queries), 5.0), twins, n_olds)
    first, second, through = (found.pairs[at] for at in (found.first, found.second, found.through))
    triangles = list(
        zip(*(one.tolist() for one in (first, second, through, found.of_new)), strict=True)
    )
    assert len(triangles) == len(set(triangles))
    assert set(triangles) == slow_triangles(queries, olds, twins)


@pytest.fixture(scope="module")
def wandering():
    """Return truth, fingerprints and matches of a carrier where many come back twice."""
    carrier = chanfp.simulate(2500, seed=3, wanderer_share=0.03)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    return carrier.truth, fingerprints, chanfp.Matcher().fit(fingerprints).match()


def test_nobody_is_his_own_candidate(wandering):
    _, fingerprints, matches = wandering
    assert fingerprints.roles.as_dict()["both_departed_and_new"] > 20
    new, old = fingerprints.new.role.holdings, fingerprints.old.role.holdings
    assert (new[matches.new_rows] != old[matches.old_rows]).all()
    plain = chanfp.Matcher(learn=False).fit(fingerprints).match()
    assert (new[plain.new_rows] != old[plain.old_rows]).all()


def test_wanderers_keep_both_of_their_numbers(wandering):
    truth, _, matches = wandering
    before = {row["new"]: row["old"] for row in truth.to_pylist() if row["kind"] == "wanderer"}
    probability = {
        (row["new"], row["old"]): row["probability"] for row in matches.table.to_pylist()
    }
    chains = [
        (probability.get((last, middle), 0), probability.get((last, before[middle]), 0))
        for last, middle in before.items()
        if middle in before
    ]
    # Of those found at all the first number is not lost to the middle one.
    found = [first for middle, first in chains if middle > 0.8]
    assert len(found) > 10
    assert np.median(found) > 0.5
    assert sum(middle + first > 1.2 for middle, first in chains) > 5


def one_who_buys_two():
    """Return fingerprints of sixty who stay, and of one who leaves and comes back with two SIMs."""
    steady = [f"13922220{n:03}" for n in range(60)]
    gone, *back = (f"1391111000{n}" for n in range(3))
    mine = [f"1370000{n:04}" for n in range(6)]
    rows = [
        (number, FRIENDS[(n * 7 + k * k) % 40], k % 58 + 0.2 + n / 300)
        for n, number in enumerate(steady)
        for k in range(58)
    ]
    rows += [(gone, mine[day % 6], day + 0.5) for day in range(25)]
    for n, new in enumerate(back):
        rows += [(new, mine[day % 6], day + 0.6 + n / 100) for day in range(35, 60)]
    rows = sorted((stamp(day), caller, callee) for caller, callee, day in rows)
    names = ("start_time", "caller", "callee")
    cdrs = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    people = pa.table(
        {
            "subscriber": [gone, *back, *steady],
            "activated_at": ["", stamp(34), stamp(34), *[""] * 60],
            "departed_at": [stamp(26), *[""] * 62],
        }
    )
    return gone, back, chanfp.build_fingerprints(cdrs, people)


def test_one_old_number_may_have_two_new_ones():
    gone, back, fingerprints = one_who_buys_two()
    for settings in ({}, {"learn": False}):
        matches = chanfp.Matcher(**settings).fit(fingerprints).match()
        assert matches.summary["rate_known"] == (not settings)
        rows = [row for row in matches.table.to_pylist() if row["rank"] == 1]
        assert [(row["new"], row["old"]) for row in rows] == [(new, gone) for new in back]
    once = chanfp.Matcher(one_to_one=True).fit(fingerprints).match().table.to_pylist()
    assert [row["old"] for row in once] == [gone]
