"""Refinement: merge two sorted rows once and add up all that the measures need."""

cdef enum:
    PAIRS_AHEAD = 8  # between asking memory for a departed row and reading it


cdef inline void prefetch_calls(
    const int64_t[::1] indptr, const index_t[::1] indices, const double[::1] values, int64_t row
) noexcept nogil:
    """Ask memory for a row's columns and values, a line of eight 64-bit ones at a time."""
    cdef int64_t entry
    prefetch_row(indptr, indices, row)
    for entry in range(indptr[row], indptr[row + 1], 8):
        chanfp_prefetch(&values[entry])


cdef inline int64_t skip_below(
    const index_t[::1] indices, int64_t first, int64_t last, index_t column
) noexcept nogil:
    """Return the first entry of `first:last` at or above `column`; the one at `first` is below.

    Doubling steps, then halving: short hops cost what a plain merge costs, and a row of 100,000
    partners is not walked through for the sake of one of 30.
    """
    cdef int64_t low = first, step = 1, high, middle
    while low + step < last and indices[low + step] < column:
        low += step
        step *= 2
    high = low + step if low + step < last else last
    while high - low > 1:
        middle = low + (high - low) // 2
        if indices[middle] < column:
            low = middle
        else:
            high = middle
    return high


cdef void merge_pairs(
    const int64_t[::1] new_indptr,
    const index_t[::1] new_indices,
    const double[::1] new_values,
    const double[::1] new_totals,
    const int64_t[::1] departed_indptr,
    const index_t[::1] departed_indices,
    const double[::1] departed_values,
    const double[::1] departed_totals,
    const double[::1] partner_rarity,
    const int64_t[::1] new_rows,
    const int64_t[::1] departed_rows,
    int32_t[::1] n_shared,
    double[::1] min_calls,
    double[::1] rarity,
    double[::1] root_calls,
    double[::1] product_calls,
    double[::1] shared_rarity,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef int64_t pair, i, j, i_end, j_end
    cdef index_t column, other
    cdef int32_t shared
    cdef double x, y, weight, least, rare, root, product, weighted
    cdef double new_total, departed_total
    for pair in range(start, stop):
        if pair + PAIRS_AHEAD < stop:
            prefetch_calls(
                departed_indptr, departed_indices, departed_values,
                departed_rows[pair + PAIRS_AHEAD],
            )
        i = new_indptr[new_rows[pair]]
        i_end = new_indptr[new_rows[pair] + 1]
        j = departed_indptr[departed_rows[pair]]
        j_end = departed_indptr[departed_rows[pair] + 1]
        new_total = new_totals[new_rows[pair]]
        departed_total = departed_totals[departed_rows[pair]]
        shared = 0
        least = rare = root = product = weighted = 0.0
        while i < i_end and j < j_end:
            column = new_indices[i]
            other = departed_indices[j]
            if column < other:
                i = skip_below(new_indices, i, i_end, other)
            elif other < column:
                j = skip_below(departed_indices, j, j_end, column)
            else:
                x = new_values[i]
                y = departed_values[j]
                weight = partner_rarity[column]
                shared += 1
                least += x if x < y else y
                rare += weight
                root += sqrt(x * y)
                product += x * y
                x /= new_total
                y /= departed_total
                weighted += weight * (x if x < y else y)
                i += 1
                j += 1
        n_shared[pair] = shared
        min_calls[pair] = least
        rarity[pair] = rare
        root_calls[pair] = root
        product_calls[pair] = product
        shared_rarity[pair] = weighted


def refine_pairs(
    const int64_t[::1] new_indptr,
    const index_t[::1] new_indices,
    const double[::1] new_values,
    const double[::1] new_totals,
    const int64_t[::1] departed_indptr,
    const index_t[::1] departed_indices,
    const double[::1] departed_values,
    const double[::1] departed_totals,
    const double[::1] partner_rarity,
    const int64_t[::1] new_rows,
    const int64_t[::1] departed_rows,
    int32_t[::1] n_shared,
    double[::1] min_calls,
    double[::1] rarity,
    double[::1] root_calls,
    double[::1] product_calls,
    double[::1] shared_rarity,
    int64_t start,
    int64_t stop,
):
    """Write, for pairs `start` to `stop`, the sums over the shared partners.

    With x and y the calls of the two sides: how many there are, min(x, y), the partner's rarity,
    sqrt(xy), xy, and the rarity times the smaller share.
    """
    with nogil:
        merge_pairs(
            new_indptr, new_indices, new_values, new_totals, departed_indptr, departed_indices,
            departed_values, departed_totals, partner_rarity, new_rows, departed_rows, n_shared,
            min_calls, rarity, root_calls, product_calls, shared_rarity, start, stop,
        )
