"""Similarity rounds: friends who come back together are found through each other."""

import numpy as np
import pyarrow as pa
import pytest

import chanfp
from carriers import stamp
from chanfp.pairs import Pairs
from chanfp.similarity_rounds import find_clear

GONE, BACK = ([f"13911110{kind}0{n}" for n in range(5)] for kind in (0, 1))
SWITCH = 30
FILES = ("subscriber", "activated_at", "departed_at")


def calls_of(numbers, first_day):
    """Four people with friends of their own and each other; the fifth calls these four alone."""
    for who, number in enumerate(numbers[:4]):
        for day in range(12):
            yield number, f"1380{who:04}{day % 6:03}", first_day + day + 0.1
            yield numbers[4], number, first_day + day + 0.2 + who / 50


def built(n_others=20):
    """Return fingerprints of five who changed numbers on one day, and of others who left."""
    rows = [*calls_of(GONE, SWITCH - 15), *calls_of(BACK, SWITCH)]
    others = [f"13922220{n:03}" for n in range(n_others)]
    for n, other in enumerate(others):
        rows += [(other, f"1380{n % 4:04}{n % 6:03}", SWITCH - 9 + day + 0.3) for day in range(8)]
        rows += [(other, f"1370000{n:04}", SWITCH - 9 + day + 0.4) for day in range(8)]
    # Everybody was there when the records begin, so that those who left are not new.
    rows += [(number, "13700009999", 0.1) for number in (*GONE, *others)]
    rows = sorted((stamp(day), caller, callee) for caller, callee, day in rows)
    names = ("start_time", "caller", "callee")
    cdrs = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    people = [(number, "", stamp(SWITCH)) for number in (*GONE, *others)]
    people += [(number, stamp(SWITCH), "") for number in BACK]
    columns = map(list, zip(*people, strict=True))
    return chanfp.build_fingerprints(cdrs, pa.table(dict(zip(FILES, columns, strict=True))))


@pytest.fixture(scope="module")
def fingerprints():
    return built()


def best(matches):
    return {row["new"]: row for row in matches.table.to_pylist() if row["rank"] == 1}


def test_who_shares_nobody_with_himself_is_found_through_his_friends(fingerprints):
    matches = chanfp.Matcher().fit(fingerprints).match()
    assert not matches.summary["rate_known"]
    found = best(matches)
    assert [found[new]["old"] for new in BACK] == GONE
    assert set(found) == set(BACK)
    last = found[BACK[4]]
    assert (last["jaccard"], last["n_shared"], last["expected_shared"]) == (0, 0, 4)
    assert (last["expected_jaccard"], last["tfidf_jaccard"], last["grade"]) == (0.8, 0, "B")
    rows = matches.table.to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["new"], row["rank"]))
    for row in rows:
        assert row["expected_jaccard"] <= found[row["new"]]["expected_jaccard"]


def test_whom_his_friends_were_is_explained(fingerprints, tmp_path):
    matches = chanfp.Matcher().fit(fingerprints).match()
    explanation = matches.explain(BACK[4])
    assert explanation.shared.num_rows == 0
    renamed = explanation.renamed.to_pylist()
    assert [(row["partner"], row["formerly"]) for row in renamed] == [
        (f"+86{new}", f"+86{old}") for new, old in zip(BACK[:4], GONE[:4], strict=True)
    ]
    assert all(row["probability"] == 1 for row in renamed)
    assert "0 shared (4.0 if probable renamings count)" in repr(explanation)
    matches.write_explanations(tmp_path / "m.parquet")
    saved = chanfp.read_explanations(tmp_path / "m.parquet")
    assert saved.explain(BACK[4]).to_dict() == explanation.to_dict()


def test_without_rounds_he_is_not(fingerprints):
    found = best(chanfp.Matcher(n_rounds=0).fit(fingerprints).match())
    assert [found[new]["old"] for new in BACK[:4]] == GONE[:4]
    assert BACK[4] not in found
    assert all(row["expected_jaccard"] == row["jaccard"] for row in found.values())


def test_rounds_end_when_nothing_changes(fingerprints):
    """The first finds the fifth, the second renames him too in the lists of the others."""
    tables = [
        chanfp.Matcher(n_rounds=n, n_threads=threads).fit(fingerprints).match().table
        for n, threads in ((2, 1), (3, 2), (20, None))
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_few_calls_rename_nobody(fingerprints):
    tiers = chanfp.SimilarityTiers(min_calls=10_000)
    found = best(chanfp.Matcher(tiers=tiers).fit(fingerprints).match())
    assert BACK[4] not in found


@pytest.mark.parametrize(
    ("pairs", "clear"),
    [
        ([(0, 0, 0.5, 5)], [True]),
        ([(0, 0, 0.19, 5)], [False]),
        ([(0, 0, 0.5, 2)], [False]),
        ([(0, 0, 0.5, 5), (0, 1, 0.25, 3)], [True, False]),
        ([(0, 0, 0.5, 5), (0, 1, 0.26, 3)], [False, False]),
        ([(0, 0, 0.5, 5), (1, 0, 0.26, 3)], [False, False]),
        ([(0, 0, 0.5, 5), (1, 0, 0.25, 3), (1, 1, 0.5, 4)], [True, False, True]),
        ([(0, 0, 0.5, 5), (1, 0, 0.5, 5)], [False, False]),
        ([], []),
    ],
)
def test_clear_is_best_of_both_sides_by_far(pairs, clear):
    columns = [np.array([pair[at] for pair in pairs]) for at in range(4)]
    made = Pairs(columns[0].astype(int), columns[1].astype(int), columns[2], columns[3])
    assert find_clear(made).tolist() == clear
