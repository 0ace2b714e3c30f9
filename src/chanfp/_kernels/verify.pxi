"""Rows that may share enough, verified: the lists that were skipped are made up for."""

cdef enum:
    POSTINGS_PER_LOOK_UP = 2  # walked in the time of one; most end at the first columns


cdef inline double overlap_ratio(
    int64_t n_shared, int64_t n_partners, int64_t n_others, bint of_union
) noexcept nogil:
    """Return shared partners over the union, or over the query's own; it rises with `n_shared`."""
    if of_union:
        return <double>n_shared / <double>(n_partners + n_others - n_shared)
    return <double>n_shared / <double>n_partners


cdef inline int64_t count_held(
    int64_t n_skipped,
    const int64_t[::1] skipped,
    const index_t[::1] indices,
    int64_t first,
    int64_t last,
    int64_t n_to_spare,
) noexcept nogil:
    """Return how many of the skipped columns a row holds, or fewer once it lacks too many."""
    cdef int64_t place, low, high, middle, column, n_held = 0
    for place in range(n_skipped):
        column = skipped[place]
        low = first
        high = last
        while low < high:
            middle = (low + high) >> 1
            if indices[middle] < column:
                low = middle + 1
            else:
                high = middle
        first = low
        if low < last and indices[low] == column:
            n_held += 1
        else:
            n_to_spare -= 1
            if n_to_spare < 0:
                break
    return n_held


cdef inline int64_t most_lacking(
    int64_t most, int64_t n_partners, int64_t n_others, double least, bint of_union
) noexcept nogil:
    """Return how many of `most` shared columns may be lacking at most, or a few more."""
    cdef double others = <double>n_partners
    if of_union:
        others = <double>(n_partners + n_others) / (1.0 + least)
    return most - <int64_t>(least * others * (1.0 - 1e-12))


cdef inline bint walks_faster(
    int64_t n_promising,
    int64_t n_skipped,
    const int64_t[::1] skipped,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
) noexcept nogil:
    """Tell whether the skipped lists take less time than looking them up in the promising rows."""
    cdef int64_t place, rank, spare = POSTINGS_PER_LOOK_UP * n_promising * n_skipped
    for place in range(n_skipped):
        rank = used_rank(used, skipped[place])
        spare -= offsets[rank + 1] - offsets[rank]
        if spare <= 0:
            return False
    return n_skipped > 0


cdef inline void walk_skipped(
    int64_t n_promising,
    int64_t n_skipped,
    const int64_t[::1] skipped,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    int32_t[::1] counts,
    int64_t base,
    const int32_t[::1] match_rows,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Complete the counts of promising rows by walking the skipped lists after all."""
    cdef int64_t place, rank, slot
    for place in range(base, base + n_promising):
        counts[match_rows[place]] = match_shared[place]
    for place in range(n_skipped):
        rank = used_rank(used, skipped[place])
        for slot in range(offsets[rank], offsets[rank + 1]):
            counts[posting_rows[slot]] += counts[posting_rows[slot]] > 0
    for place in range(base, base + n_promising):
        match_shared[place] = counts[match_rows[place]]
        counts[match_rows[place]] = 0


cdef inline void look_up_skipped(
    int64_t n_promising,
    int64_t n_skipped,
    const int64_t[::1] skipped,
    int64_t n_partners,
    double least,
    bint of_union,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] row_indices,
    int64_t base,
    const int32_t[::1] match_rows,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Complete the counts of promising rows by looking the skipped columns up in them."""
    cdef int64_t place, start
    for place in range(base, base + n_promising):
        chanfp_prefetch(&row_indices[starts[match_rows[place]]])
    for place in range(base, base + n_promising):
        start = starts[match_rows[place]]
        match_shared[place] += <int32_t>count_held(
            n_skipped, skipped, row_indices, start, start + sizes[match_rows[place]],
            most_lacking(
                match_shared[place] + n_skipped, n_partners, sizes[match_rows[place]], least,
                of_union,
            ),
        )


cdef inline int64_t verify(
    int64_t n_promising,
    int64_t n_skipped,
    const int64_t[::1] skipped,
    int64_t n_partners,
    double least,
    bint of_union,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] row_indices,
    int32_t[::1] counts,
    int64_t base,
    int32_t[::1] match_rows,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Complete the counts of promising rows, keep those that reach `least`, return how many."""
    cdef int64_t place, n_kept = base
    cdef int32_t row
    if n_skipped == 0:
        return n_promising
    if walks_faster(n_promising, n_skipped, skipped, used, offsets):
        walk_skipped(
            n_promising, n_skipped, skipped, used, offsets, posting_rows, counts, base, match_rows,
            match_shared,
        )
    else:
        look_up_skipped(
            n_promising, n_skipped, skipped, n_partners, least, of_union, starts, sizes,
            row_indices, base, match_rows, match_shared,
        )
    for place in range(base, base + n_promising):
        row = match_rows[place]
        if overlap_ratio(match_shared[place], n_partners, sizes[row], of_union) >= least:
            match_rows[n_kept] = row
            match_shared[n_kept] = match_shared[place]
            n_kept += 1
    return n_kept - base
