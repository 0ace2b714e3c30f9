"""A few listed columns found again among many entries, through a hash table that fits the cache."""

cdef enum:
    ENTRIES_TOGETHER = 256


cdef inline int64_t column_hash(int64_t column, int shift) noexcept nogil:
    return <int64_t>((<uint64_t>column * <uint64_t>0x9E3779B97F4A7C15) >> shift)


cdef inline int64_t listed_slot(
    int64_t column, int shift, const int64_t[::1] columns, const int32_t[::1] table
) noexcept nogil:
    """Return where a column is in the table, or the free slot where it would be."""
    cdef int64_t slot = column_hash(column, shift)
    while table[slot] >= 0 and columns[table[slot]] != column:
        slot = (slot + 1) & (table.shape[0] - 1)
    return slot


cdef void fill_table(
    const int64_t[::1] columns, int shift, int32_t[::1] table, uint64_t[::1] marks
) noexcept nogil:
    cdef int64_t rank, slot
    for rank in range(columns.shape[0]):
        slot = column_hash(columns[rank], shift)
        marks[slot >> 6] |= <uint64_t>1 << (slot & 63)
        table[listed_slot(columns[rank], shift, columns, table)] = <int32_t>rank


def list_columns(
    const int64_t[::1] columns, int shift, int32_t[::1] table, uint64_t[::1] marks
):
    """Make the hash table of distinct `columns` (int64): `table` (int32) says which stands where.

    `table` has 2**(64 - shift) places, more than there are columns, and comes as -1 throughout;
    `marks` (uint64), zero throughout, gets a bit for each place that a column belongs at.
    """
    with nogil:
        fill_table(columns, shift, table, marks)


cdef inline void count_waiting(
    const int64_t* waiting, int64_t n_waiting, const int64_t[::1] columns, int shift,
    const int32_t[::1] table, int64_t[::1] counts,
) noexcept nogil:
    cdef int64_t at, rank
    for at in range(n_waiting):
        rank = table[listed_slot(waiting[at], shift, columns, table)]
        if rank >= 0:
            counts[rank] += 1


cdef void count_entries(
    const int64_t[::1] indptr, const index_t[::1] indices, int64_t step,
    const int64_t[::1] columns, int shift, const int32_t[::1] table, const uint64_t[::1] marks,
    int64_t[::1] counts,
) noexcept nogil:
    # Most entries are none of the listed columns: they are told apart without a branch first.
    cdef int64_t[ENTRIES_TOGETHER] waiting
    cdef int64_t row = 0, entry, slot, n_waiting = 0
    while row < indptr.shape[0] - 1:
        for entry in range(indptr[row], indptr[row + 1]):
            slot = column_hash(indices[entry], shift)
            waiting[n_waiting] = indices[entry]
            n_waiting += (marks[slot >> 6] >> (slot & 63)) & 1
            if n_waiting == ENTRIES_TOGETHER:
                count_waiting(waiting, n_waiting, columns, shift, table, counts)
                n_waiting = 0
        row += step
    count_waiting(waiting, n_waiting, columns, shift, table, counts)


def count_listed(
    const int64_t[::1] indptr, const index_t[::1] indices, int64_t step,
    const int64_t[::1] columns, int shift, const int32_t[::1] table, const uint64_t[::1] marks,
    int64_t[::1] counts,
):
    """Add to `counts` (int64) how many of every `step`-th row hold each listed column."""
    with nogil:
        count_entries(indptr, indices, step, columns, shift, table, marks, counts)


cdef void match_sampled(
    const int64_t[::1] indptr, const index_t[::1] indices, const int64_t[::1] rows,
    const int64_t[::1] columns, int shift, const int32_t[::1] table,
    const int64_t[::1] list_starts, const int32_t[::1] list_queries,
    const uint8_t[::1] list_walked, const uint8_t[::1] list_skipped,
    const int64_t[::1] query_sizes, const int64_t[::1] fewest, const int64_t[::1] n_skipped,
    double least, int64_t[::1] counts, int32_t[::1] touched, int64_t[::1] tally,
) noexcept nogil:
    cdef int64_t at, entry, rank, place, query, n_touched, n_walked, n_shared, size, most
    for at in range(rows.shape[0]):
        size = indptr[rows[at] + 1] - indptr[rows[at]]
        n_touched = 0
        for entry in range(indptr[rows[at]], indptr[rows[at] + 1]):
            rank = table[listed_slot(indices[entry], shift, columns, table)]
            if rank < 0:
                continue
            for place in range(list_starts[rank], list_starts[rank + 1]):
                query = list_queries[place]
                touched[n_touched] = <int32_t>query
                n_touched += (counts[query] == 0) & (list_walked[place] | list_skipped[place])
                # Walked columns are counted in the lower half, skipped ones in the upper.
                counts[query] += list_walked[place] + (<int64_t>list_skipped[place] << 32)
        for place in range(n_touched):
            query = touched[place]
            n_walked = counts[query] & <int64_t>0xFFFFFFFF
            n_shared = n_walked + (counts[query] >> 32)
            counts[query] = 0
            if n_walked == 0:
                continue
            tally[0] += 1
            most = min(n_walked + n_skipped[query], size)
            if (
                n_walked >= fewest[query] - n_skipped[query]
                and overlap_ratio(most, query_sizes[query], size, True) >= least
            ):
                tally[1] += 1
                if overlap_ratio(n_shared, query_sizes[query], size, True) >= least:
                    tally[2] += 1


def count_sampled(
    const int64_t[::1] indptr, const index_t[::1] indices, const int64_t[::1] rows,
    const int64_t[::1] columns, int shift, const int32_t[::1] table,
    const int64_t[::1] list_starts, const int32_t[::1] list_queries,
    const uint8_t[::1] list_walked, const uint8_t[::1] list_skipped,
    const int64_t[::1] query_sizes, const int64_t[::1] fewest, const int64_t[::1] n_skipped,
    double least, int64_t[::1] counts, int32_t[::1] touched, int64_t[::1] tally,
):
    """Count what sampled queries, whose columns are listed, would find among `rows` (int64).

    Column r is in `list_queries[list_starts[r]:list_starts[r + 1]]` (int32), and each query walks
    that list, skips it or does neither (uint8). Added to `tally` (int64, 3 places): pairs that
    share a walked column, those of them worth verifying as in `find_overlaps`, and those of them
    that reach `least`. `counts` (int64, one per query) comes and goes all zero; `touched` (int32)
    has a place more.
    """
    with nogil:
        match_sampled(
            indptr, indices, rows, columns, shift, table, list_starts, list_queries, list_walked,
            list_skipped, query_sizes, fewest, n_skipped, least, counts, touched, tally,
        )
