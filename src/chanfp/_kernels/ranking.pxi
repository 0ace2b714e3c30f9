"""Pairs found in any order, put into the one that is promised; what they share, weighed."""


cdef inline bint stands_before(
    int64_t one,
    int64_t other,
    const double[::1] scores,
    const double[::1] seconds,
    const int64_t[::1] b_rows,
) noexcept nogil:
    """Compare two pairs of one row: higher score, higher second score, lower row of b."""
    if scores[one] != scores[other]:
        return scores[one] > scores[other]
    if seconds.shape[0] > 0 and seconds[one] != seconds[other]:
        return seconds[one] > seconds[other]
    return b_rows[one] < b_rows[other]


cdef inline void sink_pair(
    int64_t base,
    int64_t size,
    int64_t hole,
    int64_t pair,
    const double[::1] scores,
    const double[::1] seconds,
    const int64_t[::1] b_rows,
    int64_t[::1] order,
) noexcept nogil:
    """Put a pair into a heap's hole, or below it; the last of the order stands on top."""
    cdef int64_t child
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and stands_before(
            order[base + child], order[base + child + 1], scores, seconds, b_rows
        ):
            child += 1
        if not stands_before(pair, order[base + child], scores, seconds, b_rows):
            break
        order[base + hole] = order[base + child]
        hole = child
    order[base + hole] = pair


cdef void sort_pairs_of_rows(
    const int64_t[::1] a_rows,
    const int64_t[::1] b_rows,
    const double[::1] scores,
    const double[::1] seconds,
    int64_t[::1] ends,
    int64_t[::1] order,
) noexcept nogil:
    cdef int64_t pair, row, base, size, hole
    for row in range(ends.shape[0]):
        ends[row] = 0
    for pair in range(a_rows.shape[0]):
        ends[a_rows[pair] + 1] += 1
    for row in range(ends.shape[0] - 1):
        ends[row + 1] += ends[row]
    for pair in range(a_rows.shape[0]):
        order[ends[a_rows[pair]]] = pair
        ends[a_rows[pair]] += 1
    base = 0
    for row in range(ends.shape[0] - 1):
        size = ends[row] - base
        for hole in range(size // 2 - 1, -1, -1):
            sink_pair(base, size, hole, order[base + hole], scores, seconds, b_rows, order)
        for hole in range(size - 1, 0, -1):
            pair = order[base + hole]
            order[base + hole] = order[base]
            sink_pair(base, hole, 0, pair, scores, seconds, b_rows, order)
        base = ends[row]


def order_pairs(
    const int64_t[::1] a_rows,
    const int64_t[::1] b_rows,
    const double[::1] scores,
    const double[::1] seconds,
    int64_t[::1] ends,
    int64_t[::1] order,
):
    """Write the pairs' order: row of a, higher score, higher second score, row of b.

    Empty `seconds` are left out of it. `ends` has one place more than there are rows of a;
    `ends[i]` becomes the end of row i's pairs.
    """
    with nogil:
        sort_pairs_of_rows(a_rows, b_rows, scores, seconds, ends, order)


cdef void add_shared_weights(
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const int64_t[::1] b_indptr,
    const index_t[::1] b_indices,
    const double[::1] weights,
    const int64_t[::1] a_rows,
    const int64_t[::1] b_rows,
    double[::1] overlaps,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef int64_t pair, one, other, one_end, other_end
    cdef double total
    for pair in range(start, stop):
        one = a_indptr[a_rows[pair]]
        one_end = a_indptr[a_rows[pair] + 1]
        other = b_indptr[b_rows[pair]]
        other_end = b_indptr[b_rows[pair] + 1]
        total = 0.0
        while one < one_end and other < other_end:
            if a_indices[one] < b_indices[other]:
                one += 1
            elif a_indices[one] > b_indices[other]:
                other += 1
            else:
                total += weights[a_indices[one]]
                one += 1
                other += 1
        overlaps[pair] = total


def weigh_shared(
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const int64_t[::1] b_indptr,
    const index_t[::1] b_indices,
    const double[::1] weights,
    const int64_t[::1] a_rows,
    const int64_t[::1] b_rows,
    double[::1] overlaps,
    int64_t start,
    int64_t stop,
):
    """Write the weights of the columns that both rows of a pair hold, added in column order."""
    with nogil:
        add_shared_weights(
            a_indptr, a_indices, b_indptr, b_indices, weights, a_rows, b_rows, overlaps, start,
            stop,
        )
