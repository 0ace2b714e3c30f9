"""Memory: how much of a limit each stage may take, and giving back what was freed."""

from __future__ import annotations

import pyarrow as pa

from . import _core
from .errors import ParameterError

__all__ = ["give_back", "room_for_calls"]


def room_for_calls(memory_limit: int | None) -> int | None:
    """Return how many bytes the calls being gathered may take; None for no limit.

    A quarter: the rest is for the interpreter and its libraries, the table of subscribers, batches
    in flight, and later the partition being grouped and the fingerprints.

    Raises
    ------
    ParameterError
        If the limit is below 1.
    """
    if memory_limit is None:
        return None
    if memory_limit < 1:
        raise ParameterError(f"`memory_limit` must be at least 1 byte, got {memory_limit}.")
    return memory_limit // 4


def give_back(memory_limit: int | None) -> None:
    """Give freed memory back to the system, between two stages of work under a limit.

    Allocators keep it for later, so that without this each stage would add its own garbage to
    that of the others.
    """
    if memory_limit is not None:
        pa.default_memory_pool().release_unused()
        _core.trim_heap()
