"""Id columns that hold hashes: refused under a numbering plan, reported where they are mixed."""

import hashlib
import warnings

import pyarrow as pa
import pytest

import chanfp
from carriers import CDR_HEADER, SUBSCRIBER_HEADER, returner_calls, subscriber_rows, write_csv
from chanfp.counts import RecordCounts
from chanfp.errors import ChanfpWarning, DataError
from chanfp.numbering import sample_ids

NUMBERS = [f"1380000{place:04}" for place in range(200)]
HASHES = [hashlib.sha256(number.encode()).hexdigest() for number in NUMBERS]


def mixtures(callees, numbers="CN"):
    """Read one file and return what is said of mixtures."""
    table = pa.table(
        {
            "caller": [f"1390000{place:04}" for place in range(len(callees))],
            "callee": pa.array(callees, pa.string()),
            "start_time": ["2024-01-01"] * len(callees),
        }
    )
    counts = RecordCounts()
    for _ in chanfp.read_cdrs(table, numbers=numbers).clean_calls(counts=counts):
        pass
    return list(counts.mixtures.values())


def test_hashes_under_a_numbering_plan_are_refused():
    with pytest.raises(
        DataError,
        match=r"<pyarrow.Table>, column 'callee': ids must be numbers of the plan 'CN', found "
        r"hashed or made-up ids in 100% of the first 200 rows, such as '[0-9a-f]{64}'; .*'opaque'",
    ):
        mixtures(HASHES)
    assert mixtures(HASHES, "opaque") == []
    with pytest.raises(DataError, match=r"found hashed .* in 95% .* such as 'customer-0010'"):
        mixtures([*NUMBERS[:10], *(f"customer-{place:04}" for place in range(10, 200))])


@pytest.mark.parametrize("numbers", ["CN", "opaque"])
@pytest.mark.parametrize("n_hashed", [2, 100, 170])
def test_mixed_columns_are_reported(numbers, n_hashed):
    (message,) = mixtures(HASHES[:n_hashed] + NUMBERS[n_hashed:], numbers)
    assert f"{n_hashed / 200:.0%} look like hashes, such as '{HASHES[0]}'" in message
    assert f"like numbers, such as '{NUMBERS[n_hashed]}'; " in message
    assert message.startswith("<pyarrow.Table>, column 'callee': ids are hashed or plain, not both")


@pytest.mark.parametrize(
    "callees",
    [
        NUMBERS,
        [None, "", " "] * 20,
        HASHES[:5] + NUMBERS[:5],  # too few to tell
        [*NUMBERS[:180], *["AD-650025"] * 10, *["HDFCBK"] * 10],  # senders of messages
        ["AD-650025"] * 200,  # nothing but messages of companies
        [*NUMBERS[:199], HASHES[0]],
        NUMBERS + [None] * 200,
    ],
)
def test_other_columns_are_not(callees):
    assert mixtures(callees) == []


def test_made_up_ids_are_of_one_kind():
    assert mixtures([f"user-{place}" for place in range(100)], "opaque") == []
    assert mixtures(["alphabetical"] * 50 + NUMBERS[:50], "opaque") == []


def test_a_run_warns_once_per_column(tmp_path):
    calls = [
        (caller, hashlib.md5(callee.encode()).hexdigest() if row % 7 == 0 else callee, *rest)  # noqa: S324
        for row, (caller, callee, *rest) in enumerate(returner_calls())
    ]
    cdrs = [write_csv(tmp_path / f"{part}.csv", CDR_HEADER, calls[part::2]) for part in range(2)]
    subscribers = write_csv(tmp_path / "s.csv", SUBSCRIBER_HEADER, subscriber_rows())
    for n_threads in (1, 2):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            chanfp.build_fingerprints(cdrs, subscribers, n_threads=n_threads)
        assert [warning.category for warning in told] == [ChanfpWarning] * 2
        assert [str(warning.message).split(", column")[0] for warning in told] == list(
            map(str, cdrs)
        )


def test_samples_count_what_they_see():
    sample = sample_ids(pa.chunked_array([NUMBERS[:3], [None, ""], HASHES[:2], ["Alipay"]]))
    assert (sample.n, sample.n_hashed, sample.n_long_hashed, sample.n_numbers) == (6, 2, 2, 3)
    assert (sample.hashed, sample.number) == (HASHES[0], NUMBERS[0])
    assert sample_ids(["1"] * 10_000 + HASHES).n_hashed == 0
