"""The best matches of one query: a heap in the output itself, the worst match on top."""


cdef inline bint is_better(
    double jaccard,
    double weight,
    int64_t row,
    double other_jaccard,
    double other_weight,
    int64_t other_row,
) noexcept nogil:
    """Compare two matches of one row in the total order: Jaccard, weighted Jaccard, lower row."""
    if jaccard != other_jaccard:
        return jaccard > other_jaccard
    if weight != other_weight:
        return weight > other_weight
    return row < other_row


cdef inline void sink_match(
    int64_t base,
    int64_t n_kept,
    int64_t hole,
    int64_t row,
    double jaccard,
    double weight,
    int32_t n_shared,
    int64_t[::1] match_rows,
    double[::1] match_jaccards,
    double[::1] match_weights,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Put a match into a heap's hole, or below it; the worst match stands on top."""
    cdef int64_t child, here
    while 2 * hole + 1 < n_kept:
        child = base + 2 * hole + 1
        if child + 1 < base + n_kept and is_better(
            match_jaccards[child], match_weights[child], match_rows[child],
            match_jaccards[child + 1], match_weights[child + 1], match_rows[child + 1],
        ):
            child += 1
        if not is_better(
            jaccard, weight, row,
            match_jaccards[child], match_weights[child], match_rows[child],
        ):
            break
        here = base + hole
        match_rows[here] = match_rows[child]
        match_jaccards[here] = match_jaccards[child]
        match_weights[here] = match_weights[child]
        match_shared[here] = match_shared[child]
        hole = child - base
    here = base + hole
    match_rows[here] = row
    match_jaccards[here] = jaccard
    match_weights[here] = weight
    match_shared[here] = n_shared


cdef inline void raise_match(
    int64_t base,
    int64_t hole,
    int64_t row,
    double jaccard,
    double weight,
    int32_t n_shared,
    int64_t[::1] match_rows,
    double[::1] match_jaccards,
    double[::1] match_weights,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Put a match into a heap's last place, or above it."""
    cdef int64_t parent, here
    while hole > 0:
        parent = base + (hole - 1) // 2
        if not is_better(
            match_jaccards[parent], match_weights[parent], match_rows[parent],
            jaccard, weight, row,
        ):
            break
        here = base + hole
        match_rows[here] = match_rows[parent]
        match_jaccards[here] = match_jaccards[parent]
        match_weights[here] = match_weights[parent]
        match_shared[here] = match_shared[parent]
        hole = parent - base
    here = base + hole
    match_rows[here] = row
    match_jaccards[here] = jaccard
    match_weights[here] = weight
    match_shared[here] = n_shared


cdef inline void order_matches(
    int64_t base,
    int64_t n_kept,
    int64_t[::1] match_rows,
    double[::1] match_jaccards,
    double[::1] match_weights,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Turn a heap into a list, best first: take the worst off the top, again and again."""
    cdef int64_t last, row
    cdef double jaccard, weight
    cdef int32_t n_shared
    for last in range(base + n_kept - 1, base, -1):
        row = match_rows[last]
        jaccard = match_jaccards[last]
        weight = match_weights[last]
        n_shared = match_shared[last]
        match_rows[last] = match_rows[base]
        match_jaccards[last] = match_jaccards[base]
        match_weights[last] = match_weights[base]
        match_shared[last] = match_shared[base]
        sink_match(
            base, last - base, 0, row, jaccard, weight, n_shared,
            match_rows, match_jaccards, match_weights, match_shared,
        )
