"""Ties between subscribers and their partners: how many partners each has, and the largest hubs.

Exact in bounded memory, by dealing ties to partitions twice: by subscriber, where each tie is
kept once and partners are counted, then by partner, where the subscribers who call it are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np
import numpy.typing as npt

from .. import _core
from ..blocks import Progress, map_ordered
from .shuffle import Shuffle

__all__ = ["QUANTILES", "TieSurvey", "Ties"]

OUT, IN = 1, 2
QUANTILES = (5, 25, 50, 75, 95, 99)  # in per cent, as reports show them
_Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class TieSurvey:
    """What the ties tell; a *subscriber* is somebody of the table or, without one, who calls.

    Parameters
    ----------
    is_served : bool
        Whether the subscribers are known; otherwise they are the numbers that call.
    n_subscribers : int
        Subscribers with at least one partner.
    n_never_calling, n_never_called : int
        How many of them have only calls received, or only calls made.
    n_ties : int
        Distinct pairs of subscriber and partner.
    degrees : dict of int to int
        How many subscribers have so many partners, called or calling.
    hub_keys : uint64 array
        The numbers that most subscribers call, most first, then by number.
    hub_subscribers : int64 array
        How many distinct subscribers call each of them.
    """

    is_served: bool = True
    n_subscribers: int = 0
    n_never_calling: int = 0
    n_never_called: int = 0
    n_ties: int = 0
    degrees: dict[int, int] = field(default_factory=dict)
    hub_keys: _Keys = field(default_factory=lambda: np.empty(0, np.uint64))
    hub_subscribers: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def quantile(self, share: float) -> int:
        """Return the least number of partners that a share of the subscribers don't exceed."""
        wanted, seen = share * self.n_subscribers, 0
        for degree, count in sorted(self.degrees.items()):
            seen += count
            if seen >= wanted:
                return degree
        return 0


class Ties:
    """Takes ties in any order, from any thread, and counts them when all are there.

    Parameters
    ----------
    is_served : bool
        Whether the subscribers are known: given by a table or by the shape of the file. Otherwise
        they are the numbers that call somebody.
    max_bytes : int
        Spill to disk what goes beyond.
    temp_dir : str, optional
        Where spilled ties go; default the system's folder for temporary files.

    Notes
    -----
    Use it in a ``with`` statement: what was spilled is gone when the block is left, however.
    """

    def __init__(self, *, is_served: bool, max_bytes: int, temp_dir: str | None = None) -> None:
        self.is_served = is_served
        self._ways = {
            way: Shuffle(2, max_bytes=max_bytes // 3, temp_dir=temp_dir) for way in (OUT, IN)
        }
        self._partners = Shuffle(1, max_bytes=max_bytes // 3, temp_dir=temp_dir)

    def __enter__(self) -> Ties:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for shuffle in (*self._ways.values(), self._partners):
            shuffle.close()

    def add(self, subscribers: _Keys, partners: _Keys, *, is_calling: bool) -> None:
        """Take ties whose subscribers call, or are called by, their partners."""
        rows = np.stack([subscribers, partners], axis=1)
        self._ways[OUT if is_calling else IN].add(rows)

    def survey(
        self, n_hubs: int, *, n_threads: int | None = None, progress: Progress | None = None
    ) -> TieSurvey:
        """Count everything; once.

        Parameters
        ----------
        n_hubs : int
            How many of the largest hubs to name.
        n_threads : int, optional
            Default every usable core; the result doesn't depend on it.
        progress : callable, optional
            Told the partitions done.
        """
        partitions = range(Shuffle.N_PARTITIONS)
        degrees: Counter[int] = Counter()
        totals = np.zeros(4, np.int64)
        counted = map_ordered(self._count_partners, partitions, n_threads=n_threads)
        for done, (found, numbers) in enumerate(counted, start=1):
            degrees.update(found)
            totals += numbers
            if progress is not None:
                progress("counting partners", done, len(partitions))
        hubs = [
            pair
            for part in map_ordered(
                lambda partition: self._find_hubs(partition, n_hubs),
                partitions,
                n_threads=n_threads,
            )
            for pair in part
        ]
        hubs = sorted(hubs, key=lambda pair: (-pair[1], pair[0]))[:n_hubs]
        n_subscribers, n_never_calling, n_never_called, n_ties = totals.tolist()
        return TieSurvey(
            self.is_served,
            n_subscribers,
            n_never_calling,
            n_never_called,
            n_ties,
            dict(sorted(degrees.items())),
            np.array([key for key, _ in hubs], np.uint64),
            np.array([count for _, count in hubs], np.int64),
        )

    def _count_partners(self, partition: int) -> tuple[dict[int, int], npt.NDArray[np.int64]]:
        """Unite the ties of some subscribers, pass their partners on, and count."""
        rows = {way: shuffle.take(partition) for way, shuffle in self._ways.items()}
        ways = np.concatenate([np.full(len(found), way, np.uint8) for way, found in rows.items()])
        words = np.concatenate(list(rows.values())).reshape(-1)
        rows.clear()
        slots = np.zeros(max(2, 1 << (2 * len(ways)).bit_length()), np.int32)
        n_ties = _core.unite_ties(words, ways, slots)
        del slots
        order = np.argsort(words[: 2 * n_ties : 2])
        subscribers, ways = words[: 2 * n_ties : 2][order], ways[:n_ties][order]
        starts = np.flatnonzero(np.diff(subscribers, prepend=np.uint64(0)))
        if not n_ties:
            return {}, np.zeros(4, np.int64)
        seen = np.bitwise_or.reduceat(ways, starts)
        n_partners = np.diff(starts, append=n_ties)
        if not self.is_served:
            n_partners, seen = n_partners[seen != IN], seen[seen != IN]
        self._partners.add(words[1 : 2 * n_ties : 2][order][ways != IN, None])
        degrees, counts = np.unique(n_partners, return_counts=True)
        numbers = [len(seen), np.sum(seen == IN), np.sum(seen == OUT), n_partners.sum()]
        return dict(zip(degrees.tolist(), counts.tolist(), strict=True)), np.array(numbers)

    def _find_hubs(self, partition: int, n_hubs: int) -> list[tuple[int, int]]:
        keys, counts = np.unique(self._partners.take(partition), return_counts=True)
        if len(keys) > n_hubs:
            largest = np.lexsort((keys, -counts))[:n_hubs]
            keys, counts = keys[largest], counts[largest]
        return list(zip(keys.tolist(), counts.tolist(), strict=True))
