"""Memory: how much a run may use, what each stage may take of it, and giving freed memory back."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from . import _core
from .errors import ParameterError
from .spilling import check_folder

__all__ = ["MemorySettings"]

# The rest is for the interpreter and its libraries, the table of subscribers, batches in flight,
# and later the partition being grouped and the fingerprints.
SHARE_OF_CALLS = 4


@dataclass(frozen=True)
class MemorySettings:
    """A limit on memory, and where what goes beyond it waits.

    Parameters
    ----------
    memory_limit : int, optional
        Bytes; default no limit.
    temp_dir : str, optional
        Default the system's folder for temporary files.

    Raises
    ------
    ParameterError
        If the limit is below 1.
    """

    memory_limit: int | None = None
    temp_dir: str | None = None

    def __post_init__(self) -> None:
        if self.memory_limit is not None and self.memory_limit < 1:
            raise ParameterError(
                f"`memory_limit` must be at least 1 byte, got {self.memory_limit}."
            )

    @property
    def room_for_calls(self) -> int | None:
        """How many bytes the calls being gathered may take, a quarter; None for no limit."""
        return None if self.memory_limit is None else self.memory_limit // SHARE_OF_CALLS

    def check_folder(self) -> None:
        """Refuse a folder that can't be written, if one was named or may be needed.

        Raises
        ------
        DataError
            As `spilling.check_folder`.
        """
        if self.memory_limit is not None or self.temp_dir is not None:
            check_folder(self.temp_dir)

    def give_back(self) -> None:
        """Give freed memory back to the system, between two stages of work under a limit.

        Allocators keep it for later, so that without this each stage would add its own garbage to
        that of the others.
        """
        if self.memory_limit is not None:
            pa.default_memory_pool().release_unused()
            _core.trim_heap()
