from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_Offsets: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.int64]

def trim_heap() -> None: ...
def parse_times(
    offsets: _Offsets,
    data: npt.NDArray[np.uint8],
    seconds: npt.NDArray[np.int64],
    status: npt.NDArray[np.uint8],
) -> None: ...
def parse_durations(
    offsets: _Offsets, data: npt.NDArray[np.uint8], seconds: npt.NDArray[np.int32]
) -> None: ...
def add_keys(
    table: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64], start: int, room: int
) -> tuple[int, int]: ...
def set_values(
    table: npt.NDArray[np.uint64],
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.int64],
) -> None: ...
def get_values(
    table: npt.NDArray[np.uint64],
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.int32],
    start: int,
    stop: int,
) -> None: ...
def screen_rows(
    first: npt.NDArray[np.uint64],
    second: npt.NDArray[np.uint64],
    first_codes: npt.NDArray[np.uint8],
    second_codes: npt.NDArray[np.uint8],
    is_fault: npt.NDArray[np.uint8],
    directions: npt.NDArray[np.int8],
    start_s: npt.NDArray[np.int64],
    time_status: npt.NDArray[np.uint8],
    first_s: int,
    last_s: int,
    verdicts: npt.NDArray[np.uint8],
    reasons: npt.NDArray[np.uint16],
    tally: npt.NDArray[np.int64],
    first_rows: npt.NDArray[np.int64],
) -> None: ...
def count_days(start_s: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None: ...
def count_active_days(
    indptr: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
    first_day: int,
    seen: npt.NDArray[np.uint8],
    days: npt.NDArray[np.uint8],
) -> None: ...
def keep_calls(
    is_kept: npt.NDArray[np.uint8],
    caller: npt.NDArray[np.uint64],
    callee: npt.NDArray[np.uint64],
    start_s: npt.NDArray[np.int64],
    duration_s: npt.NDArray[np.int32],
    is_message: npt.NDArray[np.uint8],
    is_pair: npt.NDArray[np.uint8],
    served: npt.NDArray[np.uint8],
    kept_caller: npt.NDArray[np.uint64],
    kept_callee: npt.NDArray[np.uint64],
    kept_start_s: npt.NDArray[np.int64],
    kept_duration_s: npt.NDArray[np.int32],
    kept_is_message: npt.NDArray[np.uint8],
    kept_is_pair: npt.NDArray[np.uint8],
    kept_served: npt.NDArray[np.uint8],
) -> None: ...
def gather_calls(
    caller: npt.NDArray[np.uint64],
    callee: npt.NDArray[np.uint64],
    start_s: npt.NDArray[np.int64],
    duration_s: npt.NDArray[np.int32],
    is_message: npt.NDArray[np.uint8],
    is_pair: npt.NDArray[np.uint8],
    served: npt.NDArray[np.uint8],
    table: npt.NDArray[np.uint64],
    reference_s: int,
    notes: npt.NDArray[np.int64],
    alive_later: npt.NDArray[np.uint8],
    counts: npt.NDArray[np.int64],
    holdings: npt.NDArray[np.int32],
    words: npt.NDArray[np.uint64],
) -> int: ...
def count_partitions(
    holdings: npt.NDArray[np.int32], shift: int, counts: npt.NDArray[np.int64]
) -> None: ...
def partition_calls(
    holdings: npt.NDArray[np.int32],
    words: npt.NDArray[np.uint64],
    shift: int,
    cursor: npt.NDArray[np.int64],
    sorted_holdings: npt.NDArray[np.int32],
    sorted_words: npt.NDArray[np.uint64],
) -> None: ...
def scatter_parts(
    holdings_at: npt.NDArray[np.uint64],
    words_at: npt.NDArray[np.uint64],
    n_entries: npt.NDArray[np.int64],
    first: int,
    cursor: npt.NDArray[np.int64],
    sorted_words: npt.NDArray[np.uint64],
) -> None: ...
def find_repeats(
    indptr: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
    tolerance_s: int,
    kept: npt.NDArray[np.int64],
    originals: npt.NDArray[np.int64],
) -> None: ...
def drop_repeats(
    indptr: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
    tolerance_s: int,
    kept: npt.NDArray[np.int64],
    originals: npt.NDArray[np.int64],
    kept_indptr: npt.NDArray[np.int64],
) -> int: ...
def group_calls(
    indptr: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
    first_s: npt.NDArray[np.int64],
    last_s: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint64],
    order: npt.NDArray[np.uint64],
    n_partners: npt.NDArray[np.int64],
    partners: npt.NDArray[np.uint64],
    calls: npt.NDArray[np.int32],
    seconds: npt.NDArray[np.int64],
    outgoing: npt.NDArray[np.int32],
) -> int: ...
def count_kept(
    n_partners: npt.NDArray[np.int64],
    places: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    n_kept: npt.NDArray[np.int64],
) -> None: ...
def keep_entries(
    places: npt.NDArray[np.int32],
    calls: npt.NDArray[np.int32],
    seconds: npt.NDArray[np.int64],
    outgoing: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    at: int,
    stop: int,
    kept_columns: npt.NDArray[np.int32],
    kept_calls: npt.NDArray[np.int32],
    kept_seconds: npt.NDArray[np.int64],
    kept_outgoing: npt.NDArray[np.int32],
) -> None: ...
def count_places(places: npt.NDArray[np.int32], counts: npt.NDArray[np.int64]) -> None: ...
def count_named_calls(
    places: npt.NDArray[np.int32],
    calls: npt.NDArray[np.int32],
    is_named: npt.NDArray[np.uint8],
    n_calls: npt.NDArray[np.int64],
) -> None: ...
def cut_fields(
    text: npt.NDArray[np.uint8],
    delimiter: int,
    places: npt.NDArray[np.int32],
    n_rows: int,
    ends: npt.NDArray[np.int32],
    columns: npt.NDArray[np.uint8],
    n_columns: int,
) -> int: ...
def unite_ties(
    words: npt.NDArray[np.uint64],
    ways: npt.NDArray[np.uint8],
    slots: npt.NDArray[np.int32],
) -> int: ...
def read_levels(levels: npt.NDArray[np.uint8], is_present: npt.NDArray[np.uint8]) -> int: ...
def cut_values(
    values: npt.NDArray[np.uint8],
    is_present: npt.NDArray[np.uint8],
    begin: int,
    ends: npt.NDArray[np.int32],
    text: npt.NDArray[np.uint8],
) -> int: ...
def resolve_numbers(
    text: npt.NDArray[np.uint8],
    offsets: _Offsets,
    validity: npt.NDArray[np.uint8],
    first_bit: int,
    symbol_of_byte: npt.NDArray[np.uint8],
    transitions: npt.NDArray[np.uint16],
    shortcuts: npt.NDArray[np.uint16],
    code_of_state: npt.NDArray[np.uint8],
    modulus_of_state: npt.NDArray[np.uint64],
    base_of_state: npt.NDArray[np.uint64],
    missing_code: int,
    invalid_code: int,
    start: int,
    stop: int,
    keys: npt.NDArray[np.uint64],
    codes: npt.NDArray[np.uint8],
) -> None: ...
def hash_texts(
    text: npt.NDArray[np.uint8],
    offsets: _Offsets,
    validity: npt.NDArray[np.uint8],
    first_bit: int,
    key_low: int,
    key_high: int,
    missing_code: int,
    start: int,
    stop: int,
    keys: npt.NDArray[np.uint64],
    codes: npt.NDArray[np.uint8],
) -> None: ...
def find_disorder(indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.integer]) -> int: ...
def sum_rows(
    indptr: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    sums: npt.NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def order_by_middle(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    width: int,
    buckets: npt.NDArray[np.int32],
    bucket_starts: npt.NDArray[np.int64],
    order: npt.NDArray[np.int32],
) -> None: ...
def order_rows(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    order: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    copies: npt.NDArray[np.integer],
) -> None: ...
def mark_used(indices: npt.NDArray[np.integer], used: npt.NDArray[np.uint64]) -> int: ...
def post_rows(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    used: npt.NDArray[np.uint64],
    ranks: npt.NDArray[np.integer],
    offsets: npt.NDArray[np.int64],
    posting_rows: npt.NDArray[np.int32],
) -> None: ...
def find_overlaps(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    order: npt.NDArray[np.int32],
    fewest: npt.NDArray[np.int64],
    used: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    posting_rows: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int32],
    row_indices: npt.NDArray[np.integer],
    least: float,
    of_union: bool,
    short_list: int,
    list_columns: npt.NDArray[np.int64],
    list_slots: npt.NDArray[np.int64],
    list_sizes: npt.NDArray[np.int64],
    ranked_sizes: npt.NDArray[np.int64],
    skipped: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int32],
    touched: npt.NDArray[np.int32],
    match_ends: npt.NDArray[np.int64],
    match_rows: npt.NDArray[np.int32],
    match_shared: npt.NDArray[np.int32],
    tally: npt.NDArray[np.int64],
    start: int,
    stop: int,
) -> int: ...
def order_pairs(
    a_rows: npt.NDArray[np.int64],
    b_rows: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    seconds: npt.NDArray[np.float64],
    ends: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
) -> None: ...
def weigh_shared(
    a_indptr: npt.NDArray[np.int64],
    a_indices: npt.NDArray[np.integer],
    b_indptr: npt.NDArray[np.int64],
    b_indices: npt.NDArray[np.integer],
    weights: npt.NDArray[np.float64],
    a_rows: npt.NDArray[np.int64],
    b_rows: npt.NDArray[np.int64],
    overlaps: npt.NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def find_best(
    by_rarity: bool,
    min_shared: int,
    top_k: int,
    short_list: int,
    a_indptr: npt.NDArray[np.int64],
    a_indices: npt.NDArray[np.integer],
    a_values: npt.NDArray[np.float64],
    a_totals: npt.NDArray[np.float64],
    a_begins: npt.NDArray[np.int64],
    a_order: npt.NDArray[np.int32],
    fewest: npt.NDArray[np.int64],
    b_indptr: npt.NDArray[np.int64],
    b_indices: npt.NDArray[np.integer],
    b_values: npt.NDArray[np.float64],
    b_totals: npt.NDArray[np.float64],
    rarity: npt.NDArray[np.float64],
    used: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    posting_rows: npt.NDArray[np.int32],
    order: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int32],
    columns: npt.NDArray[np.integer],
    begins: npt.NDArray[np.int64],
    class_sizes: npt.NDArray[np.int64],
    class_starts: npt.NDArray[np.int64],
    hub_slots: npt.NDArray[np.int64],
    hub_rows: npt.NDArray[np.uint64],
    list_columns: npt.NDArray[np.int64],
    list_slots: npt.NDArray[np.int64],
    list_sizes: npt.NDArray[np.int64],
    list_units: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int32],
    touched: npt.NDArray[np.int32],
    heap: npt.NDArray[np.float64],
    match_ends: npt.NDArray[np.int64],
    matches: npt.NDArray[np.void],
    start: int,
    stop: int,
) -> int: ...
def refine_pairs(
    new_indptr: npt.NDArray[np.int64],
    new_indices: npt.NDArray[np.integer],
    new_values: npt.NDArray[np.float64],
    new_totals: npt.NDArray[np.float64],
    departed_indptr: npt.NDArray[np.int64],
    departed_indices: npt.NDArray[np.integer],
    departed_values: npt.NDArray[np.float64],
    departed_totals: npt.NDArray[np.float64],
    partner_rarity: npt.NDArray[np.float64],
    new_rows: npt.NDArray[np.int64],
    departed_rows: npt.NDArray[np.int64],
    n_shared: npt.NDArray[np.int32],
    min_calls: npt.NDArray[np.float64],
    rarity: npt.NDArray[np.float64],
    root_calls: npt.NDArray[np.float64],
    product_calls: npt.NDArray[np.float64],
    shared_rarity: npt.NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def read_callback(capsule: object) -> tuple[int, bytes, int]: ...
def measure_own(
    function: int,
    user_data: int,
    new_indptr: npt.NDArray[np.int64],
    new_indices: npt.NDArray[np.integer],
    new_values: npt.NDArray[np.float64],
    departed_indptr: npt.NDArray[np.int64],
    departed_indices: npt.NDArray[np.integer],
    departed_values: npt.NDArray[np.float64],
    new_rows: npt.NDArray[np.int64],
    departed_rows: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def expect_overlaps(
    query_indptr: npt.NDArray[np.int64],
    query_indices: npt.NDArray[np.integer],
    query_calls: npt.NDArray[np.float64],
    query_outgoing: npt.NDArray[np.float64],
    query_presence: npt.NDArray[np.float64],
    pool_indptr: npt.NDArray[np.int64],
    pool_indices: npt.NDArray[np.integer],
    pool_calls: npt.NDArray[np.float64],
    pool_outgoing: npt.NDArray[np.float64],
    partner_rarity: npt.NDArray[np.float64],
    query_rows: npt.NDArray[np.int64],
    pool_rows: npt.NDArray[np.int64],
    sums: npt.NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def usable_backends() -> tuple[str, ...]: ...
def minhash_rows(
    backend: str,
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    keys: npt.NDArray[np.uint32],
    n_hashes: int,
    signatures: npt.NDArray[np.uint32],
    start: int,
    stop: int,
) -> None: ...
def fold_bands(
    signatures: npt.NDArray[np.uint32],
    n_slots: int,
    band_rows: int,
    n_bands: int,
    keys: npt.NDArray[np.uint32],
    start: int,
    stop: int,
) -> None: ...
def sketch_rows(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    sketches: npt.NDArray[np.uint64],
    start: int,
    stop: int,
) -> None: ...
def gather_bands(
    keys: npt.NDArray[np.uint32],
    n_bands: int,
    first: int,
    n_taken: int,
    columns: npt.NDArray[np.uint32],
    n_rows: int,
) -> None: ...
def sort_band(
    columns: npt.NDArray[np.uint32],
    first: int,
    indptr: npt.NDArray[np.int64],
    shift: int,
    ends: npt.NDArray[np.int32],
    entries: npt.NDArray[np.uint64],
) -> None: ...
def find_live(
    a_entries: npt.NDArray[np.uint64],
    a_ends: npt.NDArray[np.int32],
    b_entries: npt.NDArray[np.uint64],
    b_ends: npt.NDArray[np.int32],
    shift: int,
    live: npt.NDArray[np.int32],
) -> int: ...
def join_band(
    a_indptr: npt.NDArray[np.int64],
    a_indices: npt.NDArray[np.integer],
    a_sketches: npt.NDArray[np.uint64],
    a_keys: npt.NDArray[np.uint32],
    a_entries: npt.NDArray[np.uint64],
    a_ends: npt.NDArray[np.int32],
    b_indptr: npt.NDArray[np.int64],
    b_indices: npt.NDArray[np.integer],
    b_sketches: npt.NDArray[np.uint64],
    b_keys: npt.NDArray[np.uint32],
    b_entries: npt.NDArray[np.uint64],
    b_ends: npt.NDArray[np.int32],
    live: npt.NDArray[np.int32],
    n_live: int,
    min_jaccard: float,
    n_bands: int,
    band: int,
    most_pairs: int,
    state: npt.NDArray[np.int64],
    pair_a: npt.NDArray[np.int64],
    pair_b: npt.NDArray[np.int64],
    pair_shared: npt.NDArray[np.int32],
) -> int: ...
def list_columns(
    columns: npt.NDArray[np.int64],
    shift: int,
    table: npt.NDArray[np.int32],
    marks: npt.NDArray[np.uint64],
) -> None: ...
def count_listed(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    step: int,
    columns: npt.NDArray[np.int64],
    shift: int,
    table: npt.NDArray[np.int32],
    marks: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.int64],
) -> None: ...
def count_sampled(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.integer],
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    shift: int,
    table: npt.NDArray[np.int32],
    list_starts: npt.NDArray[np.int64],
    list_queries: npt.NDArray[np.int32],
    list_walked: npt.NDArray[np.uint8],
    list_skipped: npt.NDArray[np.uint8],
    query_sizes: npt.NDArray[np.int64],
    fewest: npt.NDArray[np.int64],
    n_skipped: npt.NDArray[np.int64],
    least: float,
    counts: npt.NDArray[np.int64],
    touched: npt.NDArray[np.int32],
    tally: npt.NDArray[np.int64],
) -> None: ...
def find_met(
    a_keys: npt.NDArray[np.uint32],
    a_rows: npt.NDArray[np.int64],
    b_keys: npt.NDArray[np.uint32],
    b_rows: npt.NDArray[np.int64],
    n_bands: int,
    band: int,
    is_met: npt.NDArray[np.uint8],
) -> None: ...
