"""Activity: what several workers learned is what one would have."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chanfp
from chanfp.activity import _Workers
from chanfp.calls import CallStore
from slow_matches import count_records, is_alive_after, own_side
from town import at, call_table, holder_table, town_calls, town_holders


@pytest.mark.parametrize("n_workers", [1, 2, 5])
def test_workers_together_know_what_one_knows(n_workers):
    calls, holders, reference_s = town_calls(), town_holders(), at(56)
    # Dealt out in turn, so that every worker sees all times.
    parts = [call_table(calls[part::n_workers]) for part in range(n_workers)]
    cdrs = chanfp.read_cdrs(parts)
    subscriptions = chanfp.read_subscribers(holder_table(holders)).index(cdrs.plan)
    with CallStore(len(holders)) as store:
        workers = _Workers(subscriptions, store, reference_s)
        gathered = []
        for read in cdrs.clean_batches():
            # A thread of its own for each part, or one thread might do everything.
            with ThreadPoolExecutor(1) as thread:
                gathered.append(thread.submit(workers.gather, read).result())
        notes = workers.merged()
    assert len(workers._notes) == n_workers
    assert min(part.start_s for part in gathered) == calls[0].start_s
    assert max(part.end_s for part in gathered) == calls[-1].start_s
    n_unknown, n_outside, n_later = count_records(calls, holders, reference_s)
    assert notes.tally.tolist() == [n_outside, n_unknown, n_later]
    assert min(n_unknown, n_outside, n_later) > 0
    alive = [is_alive_after(calls, holders[row], reference_s) for row in subscriptions.rows]
    assert notes.alive_later.astype(bool).tolist() == alive
    assert 1 < sum(alive) < len(alive)
    n_calls = [
        sum(
            len(own_side(call, holders[row]))
            for call in calls
            if call.start_s <= reference_s and "10086" not in call and "110" not in call
        )
        for row in subscriptions.rows
    ]
    assert notes.signs[:, 4].tolist() == n_calls
    assert sum(len(part.holdings) for found in gathered for part in found.calls) == sum(n_calls)
    assert np.all(notes.signs[:, 0] >= notes.signs[:, 2])
