"""The slow, obvious twin of each kernel: what the fast one must give, bit for bit.

Nothing here is called by the library; tests compare the kernels of `chanfp._core` against it.
"""

from .fields import cut_fields
from .grouping import (
    Call,
    Entry,
    Holding,
    count_days,
    drop_repeats,
    gather_calls,
    group_calls,
    screen_row,
)
from .joins import (
    add_up,
    canonical_rows,
    expect_overlap,
    find_disorder,
    join_rows,
    refine_pair,
    transpose_rows,
)
from .lsh import fold_bands, lsh_join, sketch_row
from .numbers import hash_text, resolve_number, siphash
from .pages import cut_values, read_levels
from .signatures import minhash, mix, mix_column, splitmix
from .ties import unite_ties
from .times import DURATION_TEXT, TIME_TEXT, parse_duration, parse_time

__all__ = [
    "DURATION_TEXT",
    "TIME_TEXT",
    "Call",
    "Entry",
    "Holding",
    "add_up",
    "canonical_rows",
    "count_days",
    "cut_fields",
    "cut_values",
    "drop_repeats",
    "expect_overlap",
    "find_disorder",
    "fold_bands",
    "gather_calls",
    "group_calls",
    "hash_text",
    "join_rows",
    "lsh_join",
    "minhash",
    "mix",
    "mix_column",
    "parse_duration",
    "parse_time",
    "read_levels",
    "refine_pair",
    "resolve_number",
    "screen_row",
    "siphash",
    "sketch_row",
    "splitmix",
    "transpose_rows",
    "unite_ties",
]
