"""Row blocks: run a compiled kernel over blocks of rows on a pool of Python threads.

Kernels release the GIL and write only their own rows, so blocks may run in any order and on any
number of threads with the same result. A plain thread pool, not OpenMP: progress and Ctrl-C work
between blocks, and nothing hangs after a fork.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol, TypeVar

from .errors import ParameterError

__all__ = ["Progress", "map_blocks", "usable_threads"]

Result = TypeVar("Result")


class Progress(Protocol):
    """What long work calls to tell how far it is."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """`done` of `total` units of `stage` are finished; `total` is None where unknown."""


def usable_threads(n_threads: int | None) -> int:
    """Return `n_threads`, or the number of usable cores for None.

    Raises
    ------
    ParameterError
        If `n_threads` is below 1.
    """
    if n_threads is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if n_threads < 1:
        raise ParameterError(
            f"`n_threads` must be at least 1, got {n_threads}; leave it out to use every core."
        )
    return int(n_threads)


def map_blocks(
    work: Callable[[int, int], Result],
    n_rows: int,
    *,
    block_rows: int,
    n_threads: int | None = None,
    progress: Progress | None = None,
    stage: str = "",
) -> Iterator[Result]:
    """Yield `work(start, stop)` for each block of rows, in row order.

    Parameters
    ----------
    work : callable
        Called as ``work(start, stop)`` on a pool thread; must release the GIL to gain anything.
    n_rows : int
        Rows to cover; 0 yields nothing.
    block_rows : int
        Rows per block, at least 1.
    n_threads : int, optional
        Pool size; default every usable core. One thread runs in the caller's thread.
    progress : callable, optional
        Called as ``progress(stage, rows_done, n_rows)`` after each block.
    stage : str
        The stage named to `progress`.

    Notes
    -----
    At most two blocks per thread are in flight, so results never pile up. An exception in one
    block, or in the caller between two blocks (Ctrl-C), cancels the blocks that haven't begun.
    """
    n_threads = usable_threads(n_threads)
    bounds = [(row, min(row + block_rows, n_rows)) for row in range(0, n_rows, block_rows)]
    if n_threads == 1 or len(bounds) <= 1:
        for start, stop in bounds:
            yield work(start, stop)
            if progress is not None:
                progress(stage, stop, n_rows)
        return
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="chanfp")
    try:
        waiting = iter(bounds)
        in_flight = [
            (stop, pool.submit(work, start, stop)) for start, stop in islice(waiting, 2 * n_threads)
        ]
        while in_flight:
            stop, future = in_flight.pop(0)
            result = future.result()
            for next_start, next_stop in islice(waiting, 1):
                in_flight.append((next_stop, pool.submit(work, next_start, next_stop)))
            yield result
            if progress is not None:
                progress(stage, stop, n_rows)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
