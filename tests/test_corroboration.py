"""What a policy may ask for, and the agreement of top partners, on values worked out by hand."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

import chanfp
from chanfp.corroboration import agrees
from chanfp.errors import ParameterError
from chanfp.top_partners import rank_agreement

ALL = 8


def grade(policy, n=2, **known):
    grades, reasons = policy.grade(
        np.full(n, 0.005), np.full(n, 9.0), np.full(n, 9), np.full(n, np.nan), known
    )
    return list(zip(grades, reasons, strict=True))


def test_preferred_corroboration_takes_one_step_where_it_is_contradicted():
    policy = chanfp.GradePolicy(prefer=("same_plan", "same_outlet"))
    found = grade(policy, 4, same_plan=[True, False, None, False], same_outlet=[None] * 3 + [False])
    assert found == [("A", ""), ("B", "unlike-same_plan"), ("A", ""), ("C", "unlike-same_outlet")]


def test_a_veto_goes_before_a_preference():
    policy = chanfp.GradePolicy(prefer=("same_plan",), veto=("same_id",))
    assert grade(policy, 1, same_plan=[False], same_id=[False]) == [("D", "vetoed-same_id")]


def test_what_must_not_be_so():
    known = [True, False, None]
    veto = chanfp.GradePolicy(veto=("not_alive_at_once",))
    require = chanfp.GradePolicy(require=("not_alive_at_once",))
    assert [one for one, _ in grade(veto, 3, alive_at_once=known)] == ["D", "A", "A"]
    assert [one for one, _ in grade(require, 3, alive_at_once=known)] == ["D", "A", "D"]


@pytest.mark.parametrize("name", ["same_shoe", "not_same_shoe", "probability"])
def test_a_policy_takes_corroboration_only(name):
    with pytest.raises(ParameterError, match=rf"`require`, `veto` and `prefer` .* got '{name}'"):
        chanfp.GradePolicy(prefer=(name,))


def test_numbers_say_yes_from_where_they_mean_something():
    assert agrees("old_arrears", pa.array([0.0, 0.01, None])).to_pylist() == [False, True, None]
    scores = pa.array([0.49, 0.5, None])
    assert agrees("old_leaving_score", scores).to_pylist() == [False, True, None]


@pytest.mark.parametrize(
    ("new", "old", "agreement"),
    [
        ({0: 3, 1: 2}, {0: 9, 1: 1}, 1.0),
        ({0: 3, 1: 2}, {0: 1, 1: 9}, 1 / 2),
        ({0: 3, 1: 2}, {0: 1}, 1.0),
        ({0: 3, 1: 2}, {1: 1}, 0.0),
        ({0: 1}, {}, np.nan),
        # Of equal ones the rarer, with the higher column, goes first.
        ({0: 2, 1: 2}, {1: 1, 2: 1}, (0 + 1 / 2) / 2),
        ({0: 6, 1: 5, 2: 4, 3: 3, 4: 2, 5: 1}, {5: 6, 0: 5, 1: 4, 2: 3, 3: 2, 4: 1},
         (0 + 1 / 2 + 2 / 3 + 3 / 4 + 4 / 5) / 5),
    ],
)  # fmt: skip
def test_agreement_of_top_partners(new, old, agreement):
    def row(calls):
        columns = sorted(calls)
        values = [calls[column] for column in columns]
        return csr_array((values, columns, [0, len(columns)]), shape=(1, ALL))

    at = np.zeros(1, np.int64)
    found = rank_agreement(row(new), row(old), at, at, partner_rarity=np.arange(ALL) + 1.0)
    assert found == pytest.approx([agreement], nan_ok=True)
