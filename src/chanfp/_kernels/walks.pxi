"""The posting lists of a query, walked or looked up as far as they can matter."""

cdef enum:  # postings walked in the time of one look-up
    LOOK_UP_ROW = 16
    LOOK_UP_HUB = 1


cdef inline void swap_lists(
    int64_t one,
    int64_t other,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int32_t[::1] list_units,
) noexcept nogil:
    list_columns[one], list_columns[other] = list_columns[other], list_columns[one]
    list_slots[one], list_slots[other] = list_slots[other], list_slots[one]
    list_sizes[one], list_sizes[other] = list_sizes[other], list_sizes[one]
    list_units[one], list_units[other] = list_units[other], list_units[one]


cdef inline void order_lists(
    const Query* query,
    int64_t short_list,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int32_t[::1] list_units,
) noexcept nogil:
    """Put lists of at most `short_list` rows first, the others by rows per unit (Shell 1959)."""
    cdef int64_t place, hole, gap, first = query.first_list
    for place in range(query.first_list, query.last_list):
        if list_sizes[place] <= short_list:
            swap_lists(first, place, list_columns, list_slots, list_sizes, list_units)
            first += 1
    gap = 1
    while gap < (query.last_list - first) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for place in range(first + gap, query.last_list):
            hole = place
            while (
                hole - gap >= first
                and <double>list_sizes[hole - gap] * list_units[hole]
                > <double>list_sizes[hole] * list_units[hole - gap]
            ):
                swap_lists(hole - gap, hole, list_columns, list_slots, list_sizes, list_units)
                hole -= gap
        gap //= 3


cdef inline int64_t count_promising(
    const Query* query,
    bint by_rarity,
    int64_t n_touched,
    const int32_t[::1] sizes,
    const int32_t[::1] counts,
    const int32_t[::1] touched,
) noexcept nogil:
    """Count the touched rows that may reach the bar by all lists left over."""
    cdef int64_t place, most, n_promising = 0
    for place in range(n_touched):
        most = counts[touched[place]] + query.units_left
        if by_rarity:
            n_promising += <double>most > query.bar
        else:
            n_promising += may_reach(query.bar, query.n_partners, most, sizes[touched[place]])
    return n_promising


cdef inline int64_t find_hub(const int64_t[::1] hub_slots, int64_t slot) noexcept nogil:
    """Return which hub has its list at a slot, or -1 if none has."""
    cdef int64_t hub = first_above(hub_slots, slot) - 1
    return hub if hub >= 0 and hub_slots[hub] == slot else -1


cdef inline int64_t walk_lists(
    Query* query,
    bint by_rarity,
    int64_t short_list,
    int64_t min_shared,
    int64_t top_k,
    const int32_t[::1] posting_rows,
    const int32_t[::1] sizes,
    const int64_t[::1] begins,
    const int64_t[::1] class_sizes,
    const int64_t[::1] class_starts,
    const int64_t[::1] hub_slots,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int32_t[::1] list_units,
    int32_t[::1] counts,
    int32_t[::1] touched,
    double[::1] heap,
) noexcept nogil:
    """Walk the lists as far as they can matter, and return how many rows were touched.

    Before each stretch of a list as long as all that was walked before, the bar is raised. A list
    is walked from end to end, too, where that costs less than the look-ups it would save. Lists
    that aren't move to the front, `first_list` to `last_list`: of each the first and last place
    that were walked stand where its slot and size did. The places of one lie within those of the
    one before it. The n-th hub, whose rows are a bitmap, gets -n - 1 for a column.
    """
    cdef int64_t place, slot, slot_end, stretch_end, low = 0, high = sizes.shape[0]
    cdef int64_t new_low, new_high, first, last, n_touched = 0, n_valued = 0
    cdef int64_t hub, n_part = query.first_list
    cdef bint is_narrow = False, is_new
    cdef int32_t row = 0
    for place in range(query.first_list, query.last_list):
        slot = list_slots[place]
        slot_end = slot + list_sizes[place]
        hub = find_hub(hub_slots, slot)
        is_new = True
        while slot < slot_end:
            stretch_end = slot_end
            if is_narrow or slot_end - slot > max(short_list, n_touched):
                if n_touched >= top_k and slot_end - slot > max(short_list, n_touched):
                    n_valued = 0 if is_new else n_valued
                    raise_bar(
                        query, by_rarity, top_k, n_valued, n_touched, sizes, begins, counts,
                        touched, heap,
                    )
                    n_valued = n_touched
                new_low = low
                new_high = high
                narrow_places(
                    query, by_rarity, query.last_list - place >= min_shared, class_sizes,
                    class_starts, &new_low, &new_high,
                )
                first = first_slot(posting_rows, slot, slot_end, new_low) if is_new else slot
                last = first_slot(posting_rows, first, slot_end, new_high)
                if not is_narrow and last - first < slot_end - slot:
                    is_narrow = slot_end - slot - (last - first) > count_promising(
                        query, by_rarity, n_touched, sizes, counts, touched
                    ) * (LOOK_UP_ROW if hub < 0 else LOOK_UP_HUB)
                if is_narrow:
                    slot = first
                    slot_end = last
                    low = new_low if is_new else low
                    high = new_high if is_new else max(new_high, <int64_t>row + 1)
                stretch_end = min(slot_end, slot + max(4 * short_list, n_touched, 1))
            is_new = False
            while slot < stretch_end:
                row = posting_rows[slot]
                touched[n_touched] = row
                n_touched += counts[row] == 0
                counts[row] += list_units[place]
                slot += 1
        if is_narrow:
            list_columns[n_part] = list_columns[place] if hub < 0 else -hub - 1
            list_units[n_part] = list_units[place]
            list_slots[n_part] = low
            list_sizes[n_part] = high
            n_part += 1
        query.units_left -= list_units[place]
    query.last_list = n_part
    return n_touched


cdef inline int64_t unwalked_from(
    const Query* query,
    int64_t row,
    const int64_t[::1] list_slots,
    const int64_t[::1] list_sizes,
) noexcept nogil:
    """Return the first of the unwalked lists where a row wasn't met; nor was it in later ones."""
    cdef int64_t place = query.first_list
    while place < query.last_list and list_slots[place] <= row < list_sizes[place]:
        place += 1
    return place


cdef inline bint holds_column(
    const index_t[::1] indices, int64_t low, int64_t high, int64_t column
) noexcept nogil:
    cdef int64_t middle, last = high
    while low < high:
        middle = (low + high) >> 1
        if indices[middle] < column:
            low = middle + 1
        else:
            high = middle
    return low < last and indices[low] == column


cdef inline int64_t gain_unwalked(
    const Query* query,
    int64_t row,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] columns,
    const uint64_t[::1] hub_rows,
    const int64_t[::1] list_columns,
    const int64_t[::1] list_slots,
    const int64_t[::1] list_sizes,
    const int32_t[::1] list_units,
) noexcept nogil:
    """Return what a row gains by the lists where it wasn't met."""
    cdef int64_t place, hub, n_words = (sizes.shape[0] + 63) >> 6, gained = 0
    cdef bint is_held
    for place in range(unwalked_from(query, row, list_slots, list_sizes), query.last_list):
        if list_columns[place] < 0:
            hub = -list_columns[place] - 1
            is_held = (hub_rows[hub * n_words + (row >> 6)] >> (row & 63)) & 1
        else:
            is_held = holds_column(
                columns, starts[row], starts[row] + sizes[row], list_columns[place]
            )
        gained += list_units[place] if is_held else 0
    return gained


cdef inline int64_t keep_hopeful(
    Query* query,
    bint by_rarity,
    int64_t n_touched,
    int64_t min_shared,
    int64_t top_k,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] columns,
    const int64_t[::1] begins,
    const uint64_t[::1] hub_rows,
    const int64_t[::1] list_columns,
    const int64_t[::1] list_slots,
    const int64_t[::1] list_sizes,
    const int32_t[::1] list_units,
    int32_t[::1] counts,
    int32_t[::1] touched,
    double[::1] heap,
) noexcept nogil:
    """Complete what rows that may reach the bar have gained; return how many of them may still.

    They move to the front of `touched`; the counts of the others are cleared. The bar rises to
    what the k-th best of all rows reaches.
    """
    cdef int64_t place, row, most, left = 0, n_promising = 0, n_kept = 0
    cdef bint may_match
    for place in range(query.first_list, query.last_list):
        left += list_units[place]
    for place in range(n_touched):
        row = touched[place]
        most = counts[row] + left
        if by_rarity:
            may_match = <double>most > query.bar
        else:
            may_match = most >= min_shared and may_reach(
                query.bar, query.n_partners, most, sizes[row]
            )
        if not may_match or (begins.shape[0] > 0 and begins[row] >= query.begin):
            counts[row] = 0
            continue
        touched[n_promising] = <int32_t>row
        n_promising += 1
    if query.first_list == query.last_list:
        return n_promising
    for place in range(n_promising):
        chanfp_prefetch(&columns[starts[touched[place]]])
    for place in range(n_promising):
        row = touched[place]
        counts[row] += <int32_t>gain_unwalked(
            query, row, starts, sizes, columns, hub_rows, list_columns, list_slots, list_sizes,
            list_units,
        )
    raise_bar(query, by_rarity, top_k, 0, n_promising, sizes, begins, counts, touched, heap)
    for place in range(n_promising):
        row = touched[place]
        if by_rarity:
            may_match = <double>counts[row] > query.bar
        else:
            may_match = may_reach(query.bar, query.n_partners, counts[row], sizes[row])
        if not may_match:
            counts[row] = 0
            continue
        touched[n_kept] = <int32_t>row
        n_kept += 1
    return n_kept
