"""The bar that a match must reach: what as many rows as are wanted surely reach."""


cdef struct Query:
    int64_t row
    int64_t n_partners
    int64_t begin       # rows that begin then or later don't count
    int64_t first_list  # its lists stand from here
    int64_t last_list   # to before here
    int64_t units_left  # of the lists that aren't walked
    int64_t sure_units  # a row that gained more surely shares enough partners
    int64_t slack       # a row's score may be so many units below what it gained
    int64_t n_kept      # values in the heap that the bar is taken from
    int64_t least_units  # of one list
    double lightest     # the most rarity of a list of so few units
    double unit_rate    # units per score
    double bar          # a Jaccard index, or units; what the k-th best row surely reaches


cdef inline void lower_top(double[::1] heap, int64_t size, double value) noexcept nogil:
    """Put a value in place of the least of a heap, which stands on top."""
    cdef int64_t hole = 0, child
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if value <= heap[child]:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = value


cdef inline void lift_last(double[::1] heap, int64_t size, double value) noexcept nogil:
    """Add a value to a heap of `size` values."""
    cdef int64_t hole = size, parent
    while hole > 0:
        parent = (hole - 1) // 2
        if heap[parent] <= value:
            break
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = value


cdef inline int64_t offer_value(
    double[::1] heap, int64_t size, int64_t top_k, double value
) noexcept nogil:
    """Keep a value if it is one of the greatest `top_k`, and return how many are kept."""
    if size < top_k:
        lift_last(heap, size, value)
        return size + 1
    if value > heap[0]:
        lower_top(heap, size, value)
    return size


cdef inline int64_t first_above(const int64_t[::1] values, int64_t value) noexcept nogil:
    """Return the first place of ascending `values` that holds more than `value`."""
    cdef int64_t low = 0, high = values.shape[0], middle
    while low < high:
        middle = (low + high) >> 1
        if values[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline int64_t first_slot(
    const int32_t[::1] posting_rows, int64_t low, int64_t high, int64_t row
) noexcept nogil:
    """Return the first slot of a posting list that holds `row` or a later one."""
    cdef int64_t middle
    while low < high:
        middle = (low + high) >> 1
        if posting_rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline void weigh_lists(
    Query* query,
    bint by_rarity,
    int64_t min_shared,
    const double[::1] rarity,
    const int64_t[::1] list_columns,
    int32_t[::1] list_units,
) noexcept nogil:
    """Give each list the units that its rows gain: 1, or a little more than its rarity.

    Rarities are laid out over 2**30 units, each rounded up by 1 to 2 units, so that sums of units
    are exact, and bound those of rarities from above; by three units a list also from below.
    """
    cdef int64_t place, most = 1
    cdef double total = 0.0
    query.lightest = 0.0
    query.least_units = 2147483647
    query.unit_rate = 1.0
    query.slack = 0
    query.units_left = query.last_list - query.first_list
    if by_rarity:
        for place in range(query.first_list, query.last_list):
            total += rarity[list_columns[place]]
        query.unit_rate = 0.0
        if 1e-290 < total < 1e290:
            query.unit_rate = 1073741824.0 / total
        query.slack = 3 * query.units_left
        query.units_left = 0
    for place in range(query.first_list, query.last_list):
        list_units[place] = 1
        if by_rarity:
            list_units[place] = 2 + <int32_t>(rarity[list_columns[place]] * query.unit_rate)
            query.units_left += list_units[place]
            most = max(most, list_units[place])
            if list_units[place] < query.least_units:
                query.least_units = list_units[place]
                query.lightest = rarity[list_columns[place]]
            elif list_units[place] == query.least_units:
                query.lightest = max(query.lightest, rarity[list_columns[place]])
    query.sure_units = (min_shared - 1) * most


cdef inline bint may_reach(
    double bar, int64_t n_partners, int64_t most, int64_t size
) noexcept nogil:
    """Tell whether `most` shared columns may give a Jaccard index of `bar`, without a division."""
    return <double>most >= bar * <double>(n_partners + size - most) * (1.0 - 1e-12)


cdef inline void raise_bar(
    Query* query,
    bint by_rarity,
    int64_t top_k,
    int64_t n_valued,
    int64_t n_touched,
    const int32_t[::1] sizes,
    const int64_t[::1] begins,
    const int32_t[::1] counts,
    const int32_t[::1] touched,
    double[::1] heap,
) noexcept nogil:
    """Raise the bar to what the k-th best of the touched rows reaches by the lists walked so far.

    The heap holds the best of the first `n_valued` of them, whatever they have gained since.
    """
    cdef int64_t place, row, n_kept = query.n_kept if n_valued else 0
    cdef double value, least = <double>query.sure_units
    for place in range(n_valued, n_touched):
        row = touched[place]
        value = counts[row]
        if value <= least:
            continue
        if n_kept == top_k and not by_rarity and not may_reach(
            heap[0], query.n_partners, counts[row], sizes[row]
        ):
            continue
        if not by_rarity:
            value = overlap_ratio(counts[row], query.n_partners, sizes[row], True)
        if begins.shape[0] > 0 and begins[row] >= query.begin:
            continue
        n_kept = offer_value(heap, n_kept, top_k, value)
        if n_kept == top_k:
            # No union is smaller than the query.
            value = heap[0] if by_rarity else heap[0] * <double>query.n_partners * (1.0 - 1e-12)
            least = max(least, value)
    query.n_kept = n_kept
    if n_kept == top_k:
        query.bar = max(query.bar, heap[0] - <double>query.slack)


cdef inline void limit_places(
    const Query* query,
    const int64_t[::1] class_sizes,
    const int64_t[::1] class_starts,
    int64_t* low,
    int64_t* high,
) noexcept nogil:
    """Find the places whose rows are of a size that can reach the bar by the lists left over.

    A row of s columns shares at most m = min(s, lists left), and m / (partners + s - m) must be
    the bar or more. The sizes are rounded outwards.
    """
    cdef double n_partners = <double>query.n_partners
    cdef double left = <double>query.units_left
    cdef double most = left / query.bar + left - n_partners + 1.0
    cdef double least = query.bar * n_partners - 1.0
    if most < least:
        high[0] = low[0]
        return
    low[0] = max(low[0], class_starts[max(first_above(class_sizes, <int64_t>least) - 1, 0)])
    if most < 4e9:
        high[0] = min(high[0], class_starts[first_above(class_sizes, <int64_t>most)])


cdef inline void narrow_places(
    const Query* query,
    bint by_rarity,
    bint is_enough,
    const int64_t[::1] class_sizes,
    const int64_t[::1] class_starts,
    int64_t* low,
    int64_t* high,
) noexcept nogil:
    """Find the places whose rows can reach the bar by the lists left over, if those are enough."""
    if not is_enough or (by_rarity and <double>query.units_left <= query.bar):
        high[0] = low[0]
    elif query.bar > 0.0 and not by_rarity:
        limit_places(query, class_sizes, class_starts, low, high)
