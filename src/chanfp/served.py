"""Served subscribers: who the carrier's own are, told from the records where there is no table.

Others still dial dead numbers, and numbers of other networks turn up whenever one of ours calls
them, so the parties of a call tell nothing by themselves. A subscriber-centred record says who is
served; of call-centred ones a list of the carrier's own numbers must.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .blocks import Progress, map_ordered
from .cdr import CallRecords
from .cleaning import FOR_BOTH, FOR_CALLEE, FOR_CALLER, CleanCalls
from .counts import RecordCounts
from .errors import DataError, ParameterError
from .keys import KeySet
from .numberlists import NumberList
from .subscribers import Subscribers

__all__ = ["find_served"]


def find_served(
    cdrs: CallRecords,
    on_net: NumberList | None = None,
    *,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Subscribers:
    """Read the CDRs and return everybody who is served, as a subscriber table without dates.

    Parameters
    ----------
    cdrs : CallRecords
        Read once here; whoever builds fingerprints reads them again.
    on_net : NumberList, optional
        The carrier's own numbers or their prefixes; call-centred CDRs need it.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Told the rows read.

    Returns
    -------
    Subscribers
        Ascending by number, ids in E.164 (opaque ids as they stand in the CDRs), all periods
        open. Empty where nobody is served.

    Raises
    ------
    ParameterError
        If the CDRs are call-centred and there is no `on_net`.
    DataError
        If the CDRs can be read only once.
    """
    if not cdrs.is_rereadable:
        raise DataError(
            "without a subscriber table the CDRs are read twice, and a reader can be read only "
            "once; hand over the table (`reader.read_all()`), files, or `subscribers`."
        )

    def served_keys(
        read: Callable[[], tuple[list[CleanCalls], RecordCounts]],
    ) -> tuple[npt.NDArray[np.uint64], int]:
        batches, counts = read()
        keys = KeySet()
        for calls in batches:
            for part in _served_parties(calls, on_net):
                keys.add(part)
        return keys.sorted(), counts.total

    everybody, n_rows = KeySet(), 0
    units = cdrs.clean_batches(progress=progress)
    for keys, n_read in map_ordered(served_keys, units, n_threads=n_threads):
        everybody.add(keys)
        n_rows += n_read
        if progress is not None:
            progress("looking for subscribers", n_rows, cdrs.n_rows)
    ids = pa.array(cdrs.partner_names(everybody.sorted()), pa.string())
    return Subscribers.without_dates(ids, "the CDRs")


def _served_parties(
    calls: CleanCalls, on_net: NumberList | None
) -> Iterator[npt.NDArray[np.uint64]]:
    """Yield the keys of the callers, then of the callees, that are served."""
    if on_net is None and len(calls) and (calls.served == FOR_BOTH).any():
        raise ParameterError(
            "without a subscriber table, call-centred CDRs don't tell who the carrier's own "
            "subscribers are; give `on_net`, a list of their numbers or prefixes, or `subscribers`."
        )
    for side, keys in ((FOR_CALLER, calls.caller), (FOR_CALLEE, calls.callee)):
        own = keys[(calls.served & side != 0) & (keys != 0)]
        yield own if on_net is None else own[on_net.contains(own)]
