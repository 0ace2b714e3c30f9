"""The slow, obvious twin of each kernel: what the fast one must give, bit for bit.

Nothing here is called by the library; tests compare the kernels of `chanfp._core` against it.
"""

from .fields import cut_fields
from .grouping import (
    Call,
    Entry,
    Holding,
    count_active_days,
    count_days,
    drop_repeats,
    gather_calls,
    group_calls,
    screen_row,
)
from .index import RowList
from .joins import (
    add_up,
    canonical_rows,
    count_listed,
    expect_overlap,
    find_disorder,
    join_rows,
    measure_own,
    refine_pair,
    transpose_rows,
)
from .lsh import fold_bands, lsh_join, sketch_row
from .numbers import hash_text, resolve_number, siphash
from .pages import cut_values, read_levels
from .postings import (
    find_met,
    find_overlaps,
    mark_used,
    order_by_middle,
    order_pairs,
    post_rows,
)
from .signatures import minhash, mix, mix_column, splitmix
from .ties import unite_ties
from .times import DURATION_TEXT, TIME_TEXT, parse_duration, parse_time

__all__ = [
    "DURATION_TEXT",
    "TIME_TEXT",
    "Call",
    "Entry",
    "Holding",
    "RowList",
    "add_up",
    "canonical_rows",
    "count_active_days",
    "count_days",
    "count_listed",
    "cut_fields",
    "cut_values",
    "drop_repeats",
    "expect_overlap",
    "find_disorder",
    "find_met",
    "find_overlaps",
    "fold_bands",
    "gather_calls",
    "group_calls",
    "hash_text",
    "join_rows",
    "lsh_join",
    "mark_used",
    "measure_own",
    "minhash",
    "mix",
    "mix_column",
    "order_by_middle",
    "order_pairs",
    "parse_duration",
    "parse_time",
    "post_rows",
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
