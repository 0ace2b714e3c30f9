"""Posting lists: rows put next to their like, and per column the rows that hold it."""

cdef enum:
    ROWS_AHEAD = 16  # between asking for a row and reading it
    ENTRIES_AHEAD = 64  # between asking for an offset and moving it


cdef void sort_by_middle(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    int64_t width,
    int32_t[::1] buckets,
    int64_t[::1] bucket_starts,
    int32_t[::1] order,
) noexcept nogil:
    cdef int64_t row, bucket, last = bucket_starts.shape[0] - 2
    for bucket in range(bucket_starts.shape[0]):
        bucket_starts[bucket] = 0
    for row in range(indptr.shape[0] - 1):
        bucket = last
        if indptr[row] < indptr[row + 1]:
            bucket = indices[(indptr[row] + indptr[row + 1]) >> 1] // width
        buckets[row] = <int32_t>bucket
        bucket_starts[bucket + 1] += 1
    for bucket in range(last + 1):
        bucket_starts[bucket + 1] += bucket_starts[bucket]
    for row in range(indptr.shape[0] - 1):
        bucket = buckets[row]
        order[bucket_starts[bucket]] = <int32_t>row
        bucket_starts[bucket] += 1


def order_by_middle(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    int64_t width,
    int32_t[::1] buckets,
    int64_t[::1] bucket_starts,
    int32_t[::1] order,
):
    """Write the rows in the order of their middle column, rough to `width` columns; empty last.

    `bucket_starts` and `buckets` are scratch: two places more than there are buckets, at least 2,
    and one place per row.
    """
    with nogil:
        sort_by_middle(indptr, indices, width, buckets, bucket_starts, order)


cdef inline void prefetch_row(
    const int64_t[::1] indptr, const index_t[::1] indices, int64_t row
) noexcept nogil:
    """Ask memory for a row, a line of sixteen 32-bit columns at a time."""
    cdef int64_t entry
    for entry in range(indptr[row], indptr[row + 1], 16):
        chanfp_prefetch(&indices[entry])


cdef void copy_rows(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const int32_t[::1] order,
    const int64_t[::1] starts,
    index_t[::1] copies,
) noexcept nogil:
    cdef int64_t place, row, entry, slot
    for place in range(order.shape[0]):
        if place + 2 * ROWS_AHEAD < order.shape[0]:
            chanfp_prefetch(&indptr[order[place + 2 * ROWS_AHEAD]])
        if place + ROWS_AHEAD < order.shape[0]:
            prefetch_row(indptr, indices, order[place + ROWS_AHEAD])
        row = order[place]
        slot = starts[place]
        for entry in range(indptr[row], indptr[row + 1]):
            copies[slot] = indices[entry]
            slot += 1


def order_rows(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const int32_t[::1] order,
    const int64_t[::1] starts,
    index_t[::1] copies,
):
    """Write the rows in another order, row `order[i]` from `starts[i]` on."""
    with nogil:
        copy_rows(indptr, indices, order, starts, copies)


cdef inline int64_t count_bits(uint64_t word) noexcept nogil:
    """Count the bits set (Warren, Hacker's Delight, figure 5-2); one instruction isn't portable."""
    word -= (word >> 1) & 0x5555555555555555U
    word = (word & 0x3333333333333333U) + ((word >> 2) & 0x3333333333333333U)
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0FU
    return <int64_t>((word * 0x0101010101010101U) >> 56)


cdef inline bint is_used(const uint64_t[::1] used, int64_t column) noexcept nogil:
    return (used[2 * (column >> 6)] >> (column & 63)) & 1


cdef inline int64_t used_rank(const uint64_t[::1] used, int64_t column) noexcept nogil:
    """Return how many used columns stand before a column."""
    cdef uint64_t before = (<uint64_t>1 << (column & 63)) - 1
    return <int64_t>used[2 * (column >> 6) + 1] + count_bits(used[2 * (column >> 6)] & before)


cdef int64_t mark_columns(const index_t[::1] indices, uint64_t[::1] used) noexcept nogil:
    cdef int64_t entry, word, n_used = 0
    for word in range(used.shape[0]):
        used[word] = 0
    for entry in range(indices.shape[0]):
        used[2 * (indices[entry] >> 6)] |= <uint64_t>1 << (indices[entry] & 63)
    for word in range(used.shape[0] // 2):
        used[2 * word + 1] = <uint64_t>n_used
        n_used += count_bits(used[2 * word])
    return n_used


def mark_used(const index_t[::1] indices, uint64_t[::1] used):
    """Write which columns are in use, and return how many are.

    `used` holds, for every 64 columns, a word with a bit set for each one in use, the lowest bit
    the first column, and a word with the number of used columns before them.
    """
    cdef int64_t n_used
    with nogil:
        n_used = mark_columns(indices, used)
    return n_used


ctypedef fused rank_t:
    uint32_t
    int64_t


cdef void scatter_entries(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const uint64_t[::1] used,
    rank_t[::1] ranks,
    int64_t[::1] offsets,
    int32_t[::1] posting_rows,
) noexcept nogil:
    cdef int64_t row, rank, entry, slot, n_entries = indices.shape[0]
    cdef int64_t n_used = offsets.shape[0] - 2
    for rank in range(n_used + 2):
        offsets[rank] = 0
    # Counts stand two places on; adding up moves each start one place on, and posting a row
    # moves that start to the list's end, which is where the next list starts.
    for entry in range(n_entries):
        ranks[entry] = <rank_t>used_rank(used, indices[entry])
    for entry in range(n_entries):
        if entry + ENTRIES_AHEAD < n_entries:
            chanfp_prefetch(&offsets[<int64_t>ranks[entry + ENTRIES_AHEAD] + 2])
        offsets[<int64_t>ranks[entry] + 2] += 1
    for rank in range(n_used + 1):
        offsets[rank + 1] += offsets[rank]
    for row in range(indptr.shape[0] - 1):
        for entry in range(indptr[row], indptr[row + 1]):
            if entry + ENTRIES_AHEAD < n_entries:
                chanfp_prefetch(&offsets[<int64_t>ranks[entry + ENTRIES_AHEAD] + 1])
            rank = <int64_t>ranks[entry]
            slot = offsets[rank + 1]
            offsets[rank + 1] = slot + 1
            posting_rows[slot] = <int32_t>row


def post_rows(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const uint64_t[::1] used,
    rank_t[::1] ranks,
    int64_t[::1] offsets,
    int32_t[::1] posting_rows,
):
    """Write the posting lists of some rows: per used column the rows that hold it, ascending.

    The list of the r-th used column (`mark_used`) is `posting_rows[offsets[r]:offsets[r + 1]]`;
    `offsets` has two places more than there are used columns, the last of them scratch. `ranks`,
    uint32 for up to 2**32 used columns or int64, is scratch, too, a place per entry.
    """
    with nogil:
        scatter_entries(indptr, indices, used, ranks, offsets, posting_rows)
