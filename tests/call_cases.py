"""Calls of holdings, made by hypothesis, packed and unpacked as the kernels have them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from chanfp._reference import Entry
from chanfp.repeats import pack_calls

SECONDS = st.one_of(st.integers(0, 20), st.sampled_from([2**32 - 1, 2**31]))
KEYS = st.one_of(st.integers(1, 6), st.sampled_from([2**64 - 1, 2**63, 8613912345678]))

entries = st.lists(
    st.builds(
        Entry,
        holding=st.integers(0, 4),
        partner=KEYS,
        start_s=SECONDS,
        seconds=st.one_of(st.integers(-1, 9), st.just(2**28 - 1)),
        outgoing=st.integers(0, 1),
        is_message=st.integers(0, 1),
        counts_here=st.integers(0, 1),
    ),
    max_size=120,
)


def as_entries(holdings, words):
    """Unpack the words of the kernels."""
    return [
        Entry(
            holding=holding,
            partner=key,
            start_s=word >> 32,
            seconds=-1 if word >> 31 & 1 else word >> 3 & 0xFFFFFFF,
            outgoing=word & 1,
            is_message=word >> 1 & 1,
            counts_here=word >> 2 & 1,
        )
        for holding, key, word in zip(
            holdings.tolist(), words[::2].tolist(), words[1::2].tolist(), strict=True
        )
    ]


def as_words(found):
    """Pack entries as the kernels do."""
    columns = [np.array(column, object) for column in zip(*found, strict=True)] or [[]] * 7
    calls = pack_calls(
        *(np.array(columns[at], dtype) for at, dtype in ((2, int), (3, int), (5, bool), (4, bool)))
    )
    calls |= np.array(columns[6], np.uint64) << np.uint64(2)
    words = np.stack([np.array(columns[1], np.uint64), calls], axis=1).reshape(-1)
    return np.array(columns[0], np.int32), words
