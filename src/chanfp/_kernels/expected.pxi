"""What two rows share where the partners of one are known only with a probability."""


cdef enum:
    N_SUMS = 8


cdef void expect_pairs(
    const int64_t[::1] query_indptr,
    const index_t[::1] query_indices,
    const double[::1] query_calls,
    const double[::1] query_outgoing,
    const double[::1] query_presence,
    const int64_t[::1] pool_indptr,
    const index_t[::1] pool_indices,
    const double[::1] pool_calls,
    const double[::1] pool_outgoing,
    const double[::1] partner_rarity,
    const int64_t[::1] query_rows,
    const int64_t[::1] pool_rows,
    double[::1] sums,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef int64_t pair, i, j, i_end, j_end, at
    cdef index_t column, other
    cdef double x, y, x_in, y_in, presence, weight, root
    for pair in range(start, stop):
        i = query_indptr[query_rows[pair]]
        i_end = query_indptr[query_rows[pair] + 1]
        j = pool_indptr[pool_rows[pair]]
        j_end = pool_indptr[pool_rows[pair] + 1]
        at = pair * N_SUMS
        for column in range(N_SUMS):
            sums[at + column] = 0.0
        while i < i_end and j < j_end:
            column = query_indices[i]
            other = pool_indices[j]
            if column < other:
                i = skip_below(query_indices, i, i_end, other)
            elif other < column:
                j = skip_below(pool_indices, j, j_end, column)
            else:
                x = query_calls[i]
                y = pool_calls[j]
                presence = query_presence[i]
                weight = partner_rarity[column]
                root = sqrt(presence * x * y)
                # Fractions of calls may leave a rounding below zero.
                x_in = max(x - query_outgoing[i], 0.0)
                y_in = pool_calls[j] - pool_outgoing[j]
                sums[at] += presence
                sums[at + 1] += presence * weight
                sums[at + 2] += min(x, presence * y)
                sums[at + 3] += root
                sums[at + 4] += weight * root
                sums[at + 5] += sqrt(presence * query_outgoing[i] * pool_outgoing[j])
                sums[at + 5] += sqrt(presence * x_in * y_in)
                sums[at + 6] += x
                sums[at + 7] += presence * y
                i += 1
                j += 1


def expect_overlaps(
    const int64_t[::1] query_indptr,
    const index_t[::1] query_indices,
    const double[::1] query_calls,
    const double[::1] query_outgoing,
    const double[::1] query_presence,
    const int64_t[::1] pool_indptr,
    const index_t[::1] pool_indices,
    const double[::1] pool_calls,
    const double[::1] pool_outgoing,
    const double[::1] partner_rarity,
    const int64_t[::1] query_rows,
    const int64_t[::1] pool_rows,
    double[::1] sums,
    int64_t start,
    int64_t stop,
):
    """Write, for pairs `start` to `stop`, eight sums over the shared partners, side by side.

    With x and y the calls of the two sides and b the probability that the partner is the query's:
    b, b times rarity, min(x, by), sqrt(bxy), that times rarity, sqrt(bxy) of calls made plus that
    of calls received, x, and by.
    """
    with nogil:
        expect_pairs(
            query_indptr, query_indices, query_calls, query_outgoing, query_presence, pool_indptr,
            pool_indices, pool_calls, pool_outgoing, partner_rarity, query_rows, pool_rows, sums,
            start, stop,
        )
