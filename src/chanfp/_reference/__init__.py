"""The slow, obvious twin of each kernel: what the fast one must give, bit for bit.

Nothing here is called by the library; tests compare the kernels of `chanfp._core` against it.
"""

from .grouping import count_entries
from .numbers import hash_text, resolve_number, siphash
from .times import DURATION_TEXT, TIME_TEXT, parse_duration, parse_time

__all__ = [
    "DURATION_TEXT",
    "TIME_TEXT",
    "count_entries",
    "hash_text",
    "parse_duration",
    "parse_time",
    "resolve_number",
    "siphash",
]
