"""Row blocks: run a compiled kernel over blocks of rows on a pool of Python threads.

Kernels release the GIL and write only their own rows, so blocks may run in any order and on any
number of threads with the same result. A plain thread pool, not OpenMP: progress and Ctrl-C work
between blocks, and nothing hangs after a fork.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from .errors import ParameterError

__all__ = ["HeadStart", "Progress", "Tally", "map_blocks", "map_ordered", "usable_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Progress(Protocol):
    """What long work calls to tell how far it is."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """`done` of `total` units of `stage` are finished; `total` is None where unknown."""


class Tally:
    """Adds up the progress of one stage over pieces of work on several threads.

    Parameters
    ----------
    progress : callable
        Told the sum, from whichever thread did the work, one at a time.
    least : int
        Pieces of fewer units than this are not worth telling of.
    """

    def __init__(self, progress: Progress, least: int) -> None:
        self._progress = progress
        self._least = least
        self._n_done = 0
        self._lock = threading.Lock()

    def piece(self) -> Progress:
        """Return what one piece of work calls to tell how far it is."""
        before = 0

        def report(stage: str, done: int, total: int | None) -> None:
            nonlocal before
            if total is not None and total < self._least:
                return
            with self._lock:
                self._n_done += done - before
                before = done
                self._progress(stage, self._n_done, None)

        return report


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


def map_ordered(
    work: Callable[[Item], Result], items: Iterable[Item], *, n_threads: int | None = None
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in the order of the items.

    Parameters
    ----------
    work : callable
        Called on a pool thread; must release the GIL to gain anything.
    items : iterable
        Drawn from in the caller's thread.
    n_threads : int, optional
        Pool size; default every usable core. One thread runs in the caller's thread.

    Notes
    -----
    At most two items per thread are in flight, so results never pile up. An exception in one
    item, or in the caller between two of them (Ctrl-C), cancels those that haven't begun.
    """
    n_threads = usable_threads(n_threads)
    if n_threads == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="chanfp")
    waiting = iter(items)
    try:
        in_flight = deque(pool.submit(work, item) for item in islice(waiting, 2 * n_threads))
        while in_flight:
            result = in_flight.popleft().result()
            in_flight.extend(pool.submit(work, item) for item in islice(waiting, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
        Called as ``work(start, stop)``, as in `map_ordered`.
    n_rows : int
        Rows to cover; 0 yields nothing.
    block_rows : int
        Rows per block, at least 1.
    n_threads : int, optional
        As in `map_ordered`.
    progress : callable, optional
        Called as ``progress(stage, rows_done, n_rows)`` after each block.
    stage : str
        The stage named to `progress`.
    """
    starts = range(0, n_rows, block_rows)
    if len(starts) <= 1:
        n_threads = 1  # a pool for one block costs more than it gains

    def work_on(start: int) -> Result:
        return work(start, min(start + block_rows, n_rows))

    results = map_ordered(work_on, starts, n_threads=n_threads)
    for start, result in zip(starts, results, strict=True):
        yield result
        if progress is not None:
            progress(stage, min(start + block_rows, n_rows), n_rows)


class HeadStart(Generic[Result]):
    """Pieces of work, the first of which are begun on a pool while the caller does other things.

    Parameters
    ----------
    work : iterable of callable
        Drawn from in the caller's thread; each is called once.
    n_threads : int, optional
        Pool size; default every usable core. With one thread nothing is begun.

    Notes
    -----
    Iterate once, inside a ``with`` statement: it yields callables that do the work, or wait for
    what was begun, in the order of `work`. An error in one piece, or in drawing the next one,
    comes when its turn does. What hasn't begun when the block is left never does.
    """

    def __init__(
        self, work: Iterable[Callable[[], Result]], *, n_threads: int | None = None
    ) -> None:
        self._work = iter(work)
        self._n_threads = usable_threads(n_threads)
        self._pool: ThreadPoolExecutor | None = None
        self._begun: deque[Future[Result]] = deque()
        self._error: Exception | None = None

    def __enter__(self) -> HeadStart[Result]:
        if self._n_threads > 1:
            self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix="chanfp")
            try:
                for piece in islice(self._work, 2 * self._n_threads):
                    self._begun.append(self._pool.submit(piece))
            except Exception as error:  # for the one who asks for that piece
                self._error = error
        return self

    def __iter__(self) -> Iterator[Callable[[], Result]]:
        while self._begun:
            yield self._begun.popleft().result
        if self._error is not None:
            raise self._error
        yield from self._work

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
