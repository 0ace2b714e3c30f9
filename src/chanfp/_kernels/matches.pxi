"""The best matches of one query: a heap in the output itself, the worst match on top."""

cdef struct Match:
    int64_t row
    double score    # what matches are ranked by
    double jaccard
    double weight   # weighted Jaccard similarity
    int64_t n_shared


cdef inline bint is_better(const Match* one, const Match* other) noexcept nogil:
    """Compare two matches of one query in the total order: score, Jaccard, weighted, lower row."""
    if one.score != other.score:
        return one.score > other.score
    if one.jaccard != other.jaccard:
        return one.jaccard > other.jaccard
    if one.weight != other.weight:
        return one.weight > other.weight
    return one.row < other.row


cdef inline void sink_match(
    Match[::1] matches, int64_t base, int64_t n_kept, int64_t hole, Match match
) noexcept nogil:
    """Put a match into a heap's hole, or below it; the worst match stands on top."""
    cdef int64_t child
    while 2 * hole + 1 < n_kept:
        child = base + 2 * hole + 1
        if child + 1 < base + n_kept and is_better(&matches[child], &matches[child + 1]):
            child += 1
        if not is_better(&match, &matches[child]):
            break
        matches[base + hole] = matches[child]
        hole = child - base
    matches[base + hole] = match


cdef inline void raise_match(
    Match[::1] matches, int64_t base, int64_t hole, Match match
) noexcept nogil:
    """Put a match into a heap's last place, or above it."""
    cdef int64_t parent
    while hole > 0:
        parent = base + (hole - 1) // 2
        if not is_better(&matches[parent], &match):
            break
        matches[base + hole] = matches[parent]
        hole = parent - base
    matches[base + hole] = match


cdef inline int64_t offer_match(
    Match[::1] matches, int64_t base, int64_t n_kept, int64_t top_k, Match match
) noexcept nogil:
    """Keep a match if it is one of the best `top_k`, and return how many are kept."""
    if n_kept < top_k:
        raise_match(matches, base, n_kept, match)
        return n_kept + 1
    if is_better(&match, &matches[base]):
        sink_match(matches, base, n_kept, 0, match)
    return n_kept


cdef inline void order_matches(Match[::1] matches, int64_t base, int64_t n_kept) noexcept nogil:
    """Turn a heap into a list, best first: take the worst off the top, again and again."""
    cdef int64_t last
    cdef Match match
    for last in range(base + n_kept - 1, base, -1):
        match = matches[last]
        matches[last] = matches[base]
        sink_match(matches, base, last - base, 0, match)
