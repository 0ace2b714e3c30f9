# Grouping: the calls of one holding in a window -> one entry per partner, by number.
#
# A row's calls go through a small hash table that fits the first-level cache, so that only its
# few partners need sorting, not its many calls.

cdef int _compare_keys(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<const uint64_t*>left)[0]
    cdef uint64_t b = (<const uint64_t*>right)[0]
    return (a > b) - (a < b)


cdef inline void _sort_pairs(uint64_t* pairs, int64_t n_pairs) noexcept nogil:
    # Sort (key, slot) pairs by key; keys differ. A shell sort with the gaps of Gonnet and
    # Baeza-Yates (Handbook of Algorithms, 1991): rows are short, and a library's sort would call
    # back for each comparison.
    cdef int64_t at, hole, gap = n_pairs
    cdef uint64_t key, slot
    while gap > 1:
        gap = max((5 * gap - 1) // 11, <int64_t>1)
        for at in range(gap, n_pairs):
            key = pairs[2 * at]
            slot = pairs[2 * at + 1]
            hole = at
            while hole >= gap and pairs[2 * (hole - gap)] > key:
                pairs[2 * hole] = pairs[2 * (hole - gap)]
                pairs[2 * hole + 1] = pairs[2 * (hole - gap) + 1]
                hole -= gap
            pairs[2 * hole] = key
            pairs[2 * hole + 1] = slot


cdef int64_t _group_calls(
    const int64_t[::1] indptr, const uint64_t[::1] words, const int64_t[::1] rows,
    const int64_t[::1] first_s, const int64_t[::1] last_s,
    uint64_t[::1] table, uint64_t[::1] order, int64_t[::1] n_partners,
    uint64_t[::1] partners, int32_t[::1] calls, int64_t[::1] seconds, int32_t[::1] outgoing,
) noexcept nogil:
    cdef int64_t row, entry, time_s, last, slot, at, n_found, n_written = 0
    cdef uint64_t key, word
    cdef int shift
    for row in range(rows.shape[0]):
        n_found = 0
        last = 1
        shift = 63
        while last + 1 < 2 * (indptr[rows[row] + 1] - indptr[rows[row]]):
            last = 2 * last + 1
            shift -= 1
        for entry in range(indptr[rows[row]], indptr[rows[row] + 1]):
            word = words[2 * entry + 1]
            time_s = <int64_t>(word >> 32)
            if time_s < first_s[row] or time_s > last_s[row]:
                continue
            key = words[2 * entry]
            slot = _home_slot(key, shift)
            while table[2 * slot] != 0 and table[2 * slot] != key:
                slot = (slot + 1) & last
            if table[2 * slot] == 0:
                at = n_written + n_found
                table[2 * slot] = key
                table[2 * slot + 1] = <uint64_t>at
                order[2 * n_found] = key
                order[2 * n_found + 1] = <uint64_t>slot
                n_found += 1
                partners[at] = key
                calls[at] = 0
                seconds[at] = 0
                outgoing[at] = 0
            at = <int64_t>table[2 * slot + 1]
            calls[at] += 1
            seconds[at] += <int64_t>((word & TALK_MASK) >> TALK_SHIFT)
            outgoing[at] += <int32_t>(word & OUTGOING)
        _settle_row(n_found, n_written, table, order, partners, calls, seconds, outgoing)
        n_partners[row] = n_found
        n_written += n_found
    return n_written


cdef inline void _settle_row(
    int64_t n_found, int64_t base, uint64_t[::1] table, uint64_t[::1] order,
    uint64_t[::1] partners, int32_t[::1] calls, int64_t[::1] seconds, int32_t[::1] outgoing,
) noexcept nogil:
    # Clear the table and bring the row's partners into ascending order, one cycle at a time.
    cdef int64_t place, here, there
    cdef uint64_t key
    cdef int32_t n_calls, n_outgoing
    cdef int64_t talk
    for place in range(n_found):
        here = <int64_t>order[2 * place + 1]
        order[2 * place + 1] = table[2 * here + 1]
        table[2 * here] = 0
    if n_found > 1:
        _sort_pairs(&order[0], n_found)
    for place in range(n_found):
        # order[place] tells where the entry for this place stands; a place done stands for itself.
        there = <int64_t>order[2 * place + 1]
        if there == base + place:
            continue
        key = partners[base + place]
        n_calls = calls[base + place]
        talk = seconds[base + place]
        n_outgoing = outgoing[base + place]
        here = base + place
        while there != base + place:
            partners[here] = partners[there]
            calls[here] = calls[there]
            seconds[here] = seconds[there]
            outgoing[here] = outgoing[there]
            order[2 * (here - base) + 1] = <uint64_t>here
            here = there
            there = <int64_t>order[2 * (here - base) + 1]
        partners[here] = key
        calls[here] = n_calls
        seconds[here] = talk
        outgoing[here] = n_outgoing
        order[2 * (here - base) + 1] = <uint64_t>here


def group_calls(
    const int64_t[::1] indptr, const uint64_t[::1] words, const int64_t[::1] rows,
    const int64_t[::1] first_s, const int64_t[::1] last_s,
    uint64_t[::1] table, uint64_t[::1] order, int64_t[::1] n_partners,
    uint64_t[::1] partners, int32_t[::1] calls, int64_t[::1] seconds, int32_t[::1] outgoing,
):
    """Group the calls of each row by partner, ascending; return how many entries.

    Row i takes the entries ``indptr[rows[i]]`` to ``indptr[rows[i] + 1]`` of `words` (as
    `gather_calls` writes them) that start from `first_s` to `last_s`, both included. `n_partners`
    (int64) counts the entries of each row; `partners` (uint64), `calls` (int32), `seconds` (int64)
    and `outgoing` (int32) need room for all calls of these rows. `table` (uint64, all zero, and
    again so afterwards) needs eight places and `order` (uint64) two for each call of the longest
    row.
    """
    cdef int64_t n_written
    with nogil:
        n_written = _group_calls(
            indptr, words, rows, first_s, last_s, table, order, n_partners, partners, calls,
            seconds, outgoing,
        )
    return n_written


cdef void _count_kept(
    const int64_t[::1] n_partners, const int32_t[::1] places, const int32_t[::1] columns,
    int64_t[::1] n_kept,
) noexcept nogil:
    cdef int64_t row, entry, begin = 0
    for row in range(n_partners.shape[0]):
        n_kept[row] = 0
        for entry in range(begin, begin + n_partners[row]):
            n_kept[row] += columns[places[entry]] >= 0
        begin += n_partners[row]


def count_kept(
    const int64_t[::1] n_partners, const int32_t[::1] places, const int32_t[::1] columns,
    int64_t[::1] n_kept,
):
    """Count the entries of each row whose partner keeps a column.

    Rows have `n_partners` (int64) entries each; `places` (int32) are their partners, and `columns`
    (int32) the column of each partner, -1 for none. The counts go to `n_kept` (int64).
    """
    with nogil:
        _count_kept(n_partners, places, columns, n_kept)


cdef void _keep_entries(
    const int32_t[::1] places, const int32_t[::1] calls, const int64_t[::1] seconds,
    const int32_t[::1] outgoing, const int32_t[::1] columns, int64_t at, int64_t stop,
    int32_t[::1] kept_columns, int32_t[::1] kept_calls, int64_t[::1] kept_seconds,
    int32_t[::1] kept_outgoing,
) noexcept nogil:
    cdef int64_t entry = 0
    cdef int32_t column
    while at < stop:
        # Written down always, and kept if the partner is.
        column = columns[places[entry]]
        kept_columns[at] = column
        kept_calls[at] = calls[entry]
        kept_seconds[at] = seconds[entry]
        kept_outgoing[at] = outgoing[entry]
        at += column >= 0
        entry += 1


def keep_entries(
    const int32_t[::1] places, const int32_t[::1] calls, const int64_t[::1] seconds,
    const int32_t[::1] outgoing, const int32_t[::1] columns, int64_t at, int64_t stop,
    int32_t[::1] kept_columns, int32_t[::1] kept_calls, int64_t[::1] kept_seconds,
    int32_t[::1] kept_outgoing,
):
    """Copy the entries whose partner keeps a column to `at` until `stop`, which must be so many.

    `places` and `columns` are those of `count_kept`; `calls` and `outgoing` are int32, `seconds`
    int64.
    """
    with nogil:
        _keep_entries(
            places, calls, seconds, outgoing, columns, at, stop, kept_columns, kept_calls,
            kept_seconds, kept_outgoing,
        )


cdef void _count_places(const int32_t[::1] places, int64_t[::1] counts) noexcept nogil:
    cdef int64_t entry
    for entry in range(places.shape[0]):
        counts[places[entry]] += 1


def count_places(const int32_t[::1] places, int64_t[::1] counts):
    """Add to `counts` (int64) how often each place (int32) stands there."""
    with nogil:
        _count_places(places, counts)


cdef void _count_named_calls(
    const int32_t[::1] places, const int32_t[::1] calls, const uint8_t[::1] is_named,
    int64_t[::1] n_calls,
) noexcept nogil:
    cdef int64_t entry
    for entry in range(places.shape[0]):
        if is_named[places[entry]]:
            n_calls[places[entry]] += calls[entry]


def count_named_calls(
    const int32_t[::1] places, const int32_t[::1] calls, const uint8_t[::1] is_named,
    int64_t[::1] n_calls,
):
    """Add to `n_calls` (int64) the calls (int32) of each place (int32) that `is_named` (uint8)."""
    with nogil:
        _count_named_calls(places, calls, is_named, n_calls)
