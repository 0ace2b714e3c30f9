"""Pairs of rows that share enough: rare lists walked and counted, frequent ones looked up after."""

cdef enum:
    QUERIES_TOGETHER = 16  # whose cache misses overlap
    POSTINGS_UNASKED = 2  # of a list, read before it is asked whether it has so many


cdef inline int64_t find_used(
    const index_t[::1] indices,
    int64_t first,
    int64_t last,
    const uint64_t[::1] used,
    int64_t[::1] list_columns,
    int64_t base,
) noexcept nogil:
    """Write those of a query's columns that have a list, from `base` on; return how many have."""
    cdef int64_t entry, n_lists = base
    for entry in range(first, last):
        list_columns[n_lists] = indices[entry]
        n_lists += is_used(used, indices[entry])
    return n_lists - base


cdef inline void prefetch_query(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const int32_t[::1] order,
    int64_t place,
    int64_t stop,
) noexcept nogil:
    """Ask memory for a query to come, and for where a much later one begins."""
    if place + 2 * QUERIES_TOGETHER < stop:
        chanfp_prefetch(&indptr[order[place + 2 * QUERIES_TOGETHER]])
    if place < stop:
        prefetch_row(indptr, indices, order[place])


cdef inline int64_t gather_queries(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const int32_t[::1] order,
    const int64_t[::1] fewest,
    int64_t place,
    int64_t stop,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int64_t* list_ends,
) noexcept nogil:
    """Look up the lists of the next queries, and return of how many.

    Each step goes through all of them before the next one begins, so that what one step asks of
    memory arrives while the others are asking. A query with too few lists gets none.
    """
    cdef int64_t row, n_partners, n_found, list_place, rank, n_lists = 0, n_queries = 0
    while n_queries < QUERIES_TOGETHER and place + n_queries < stop:
        row = order[place + n_queries]
        n_partners = indptr[row + 1] - indptr[row]
        if n_lists + n_partners > list_columns.shape[0]:
            break
        n_found = find_used(indices, indptr[row], indptr[row + 1], used, list_columns, n_lists)
        if n_found < fewest[n_partners]:
            n_found = 0
        for list_place in range(n_lists, n_lists + n_found):
            rank = used_rank(used, list_columns[list_place])
            list_slots[list_place] = rank
            chanfp_prefetch(&offsets[rank])
        n_lists += n_found
        list_ends[n_queries] = n_lists
        n_queries += 1
        prefetch_query(indptr, indices, order, place + n_queries + QUERIES_TOGETHER, stop)
    for list_place in range(n_lists):
        rank = list_slots[list_place]
        list_slots[list_place] = offsets[rank]
        list_sizes[list_place] = offsets[rank + 1] - offsets[rank]
        chanfp_prefetch(&posting_rows[offsets[rank]])
    return n_queries


cdef inline int64_t nth_longest(int64_t n_lists, int64_t nth, int64_t[::1] sizes) noexcept nogil:
    """Return the size that `nth` lists, at least 1, reach; `sizes` comes out rearranged."""
    cdef int64_t low = 0, high = n_lists - 1, left, right, pivot, size
    while low < high:
        pivot = sizes[(low + high) >> 1]
        left = low
        right = high
        while left <= right:
            while sizes[left] > pivot:
                left += 1
            while sizes[right] < pivot:
                right -= 1
            if left <= right:
                size = sizes[left]
                sizes[left] = sizes[right]
                sizes[right] = size
                left += 1
                right -= 1
        if nth - 1 <= right:
            high = right
        elif nth - 1 >= left:
            low = left
        else:
            break
    return sizes[nth - 1]


cdef inline int64_t skip_lists(
    int64_t first,
    int64_t last,
    int64_t n_spare,
    int64_t short_list,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int64_t[::1] ranked_sizes,
    int64_t[::1] skipped,
) noexcept nogil:
    """Take out up to `n_spare` of the longest lists, none of at most `short_list` rows.

    The lists that stay move up; the columns of the others go to `skipped`, ascending. Returns how
    many stay.
    """
    cdef int64_t place, cut = short_list, n_long = 0, n_even = 0, n_stay = first, n_skipped = 0
    for place in range(first, last):
        ranked_sizes[n_long] = list_sizes[place]
        n_long += list_sizes[place] > short_list
    if n_spare == 0 or n_long == 0:
        return last - first
    if n_long > n_spare:
        cut = nth_longest(n_long, n_spare, ranked_sizes)
        # Lists as long as the cut may be more than there is room for: the first ones go.
        n_even = n_spare
        for place in range(first, last):
            n_even -= list_sizes[place] > cut
    for place in range(first, last):
        if list_sizes[place] > cut or (n_even > 0 and list_sizes[place] == cut):
            n_even -= list_sizes[place] == cut
            skipped[n_skipped] = list_columns[place]
            n_skipped += 1
        else:
            list_slots[n_stay] = list_slots[place]
            list_sizes[n_stay] = list_sizes[place]
            n_stay += 1
    return n_stay - first


cdef inline int64_t count_shared(
    int64_t first,
    int64_t last,
    const int64_t[::1] list_slots,
    const int64_t[::1] list_sizes,
    const int32_t[::1] posting_rows,
    int32_t[::1] counts,
    int32_t[::1] touched,
) noexcept nogil:
    """Walk the lists, count how many hold each row, and return how many rows were touched."""
    # Most lists are no longer: then no branch hangs on their sizes, which can't be foreseen.
    cdef int64_t place, slot, slot_end, ahead, n_touched = 0, last_slot = posting_rows.shape[0] - 1
    cdef int32_t row, is_listed
    for place in range(first, last):
        for ahead in range(POSTINGS_UNASKED):
            row = posting_rows[min(list_slots[place] + ahead, last_slot)]
            is_listed = ahead < list_sizes[place]
            touched[n_touched] = row
            n_touched += (counts[row] == 0) & is_listed
            counts[row] += is_listed
        slot_end = list_slots[place] + list_sizes[place]
        for slot in range(list_slots[place] + POSTINGS_UNASKED, slot_end):
            row = posting_rows[slot]
            touched[n_touched] = row
            n_touched += counts[row] == 0
            counts[row] += 1
    return n_touched


cdef inline int64_t keep_promising(
    int64_t n_touched,
    int64_t n_skipped,
    int64_t n_partners,
    int64_t least_count,
    double least,
    bint of_union,
    const int32_t[::1] sizes,
    int32_t[::1] counts,
    const int32_t[::1] touched,
    int64_t base,
    int32_t[::1] match_rows,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Clear the counts; write rows that reach `least` if they hold all skipped columns."""
    cdef int64_t place, most, n_kept = base
    cdef int32_t row, count
    for place in range(n_touched):
        row = touched[place]
        count = counts[row]
        counts[row] = 0
        if count < least_count:
            continue
        most = min(count + n_skipped, sizes[row])
        if overlap_ratio(most, n_partners, sizes[row], of_union) >= least:
            match_rows[n_kept] = row
            match_shared[n_kept] = count
            n_kept += 1
    return n_kept - base


cdef int64_t join_overlaps(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const int32_t[::1] order,
    const int64_t[::1] fewest,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] row_indices,
    double least,
    bint of_union,
    int64_t short_list,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int64_t[::1] ranked_sizes,
    int64_t[::1] skipped,
    int32_t[::1] counts,
    int32_t[::1] touched,
    int64_t[::1] match_ends,
    int32_t[::1] match_rows,
    int32_t[::1] match_shared,
    int64_t[::1] tally,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef int64_t[QUERIES_TOGETHER] list_ends
    cdef int64_t place = start, query, row, first, n_lists, n_stay, list_place
    cdef int64_t n_queries, n_partners, n_walked, n_touched, n_kept, n_filled = 0
    while place < stop:
        n_queries = gather_queries(
            indptr, indices, order, fewest, place, stop, used, offsets, posting_rows,
            list_columns, list_slots, list_sizes, list_ends,
        )
        first = 0
        for query in range(n_queries):
            n_lists = list_ends[query] - first
            if n_lists > 0:
                row = order[place]
                n_partners = indptr[row + 1] - indptr[row]
                n_stay = skip_lists(
                    first, first + n_lists, fewest[n_partners] - 1, short_list, list_columns,
                    list_slots, list_sizes, ranked_sizes, skipped,
                )
                n_walked = 0
                for list_place in range(first, first + n_stay):
                    n_walked += list_sizes[list_place]
                if n_filled + min(n_walked, <int64_t>sizes.shape[0]) > match_rows.shape[0]:
                    return place
                n_touched = count_shared(
                    first, first + n_stay, list_slots, list_sizes, posting_rows, counts, touched
                )
                n_kept = keep_promising(
                    n_touched, n_lists - n_stay, n_partners,
                    fewest[n_partners] - (n_lists - n_stay), least, of_union, sizes, counts,
                    touched, n_filled, match_rows, match_shared,
                )
                tally[0] += n_walked
                tally[1] += n_touched
                tally[2] += n_kept
                n_filled += verify(
                    n_kept, n_lists - n_stay, skipped, n_partners, least, of_union, used, offsets,
                    posting_rows, starts, sizes, row_indices, counts, n_filled, match_rows,
                    match_shared,
                )
            first = list_ends[query]
            match_ends[place - start] = n_filled
            place += 1
    return stop


def find_overlaps(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const int32_t[::1] order,
    const int64_t[::1] fewest,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] row_indices,
    double least,
    bint of_union,
    int64_t short_list,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int64_t[::1] ranked_sizes,
    int64_t[::1] skipped,
    int32_t[::1] counts,
    int32_t[::1] touched,
    int64_t[::1] match_ends,
    int32_t[::1] match_rows,
    int32_t[::1] match_shared,
    int64_t[::1] tally,
    int64_t start,
    int64_t stop,
):
    """Write the rows that share enough with queries `order[start:stop]`; return the next place.

    Shared over the union (`of_union`), or over the query's own partners, is at least `least`,
    above 0. The posting lists are those of `transpose_rows` in an order; row i of that order is
    `row_indices[starts[i]:starts[i] + sizes[i]]`, and `match_rows` are such places. The loop
    stops early, before the first query whose matches might not fit; give `match_rows` as many
    places as there are rows, and every call finishes a query. `match_ends[i]` is the end of the
    matches of query `order[start + i]`; they come in no particular order.

    Of a query's lists, the longest are not walked as far as `least` allows, unless they hold at
    most `short_list` rows; that changes no match. The `list_` arrays, `ranked_sizes` and
    `skipped` have as many places as the longest query, `counts` and `touched` one per row and
    `touched` one more; `counts` comes and goes all zero. `tally` (int64, 3 places) is added to: the
    postings walked, the rows touched, and those of them that were promising enough to be verified.
    """
    cdef int64_t done
    with nogil:
        done = join_overlaps(
            indptr, indices, order, fewest, used, offsets, posting_rows, starts, sizes, row_indices,
            least, of_union, short_list, list_columns, list_slots, list_sizes, ranked_sizes,
            skipped, counts, touched, match_ends, match_rows, match_shared, tally, start, stop,
        )
    return done
