"""The exact counting join: posting lists, shared partners counted, the best rows kept."""


cdef void scatter_weights(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const double[::1] values,
    int64_t[::1] offsets,
    int32_t[::1] posting_rows,
    double[::1] posting_weights,
) noexcept nogil:
    cdef int64_t row, column, entry, slot
    cdef int64_t n_columns = offsets.shape[0] - 1
    cdef bint weighted = values.shape[0] > 0
    for column in range(n_columns + 1):
        offsets[column] = 0
    for entry in range(indices.shape[0]):
        offsets[indices[entry] + 1] += 1
    for column in range(n_columns):
        offsets[column + 1] += offsets[column]
    for row in range(indptr.shape[0] - 1):
        for entry in range(indptr[row], indptr[row + 1]):
            slot = offsets[indices[entry]]
            offsets[indices[entry]] = slot + 1
            posting_rows[slot] = <int32_t>row
            if weighted:
                posting_weights[slot] = values[entry]
    # Every offset has moved from its list's start to its end, which is the next list's start.
    for column in range(n_columns, 0, -1):
        offsets[column] = offsets[column - 1]
    offsets[0] = 0


def transpose_rows(
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const double[::1] values,
    int64_t[::1] offsets,
    int32_t[::1] posting_rows,
    double[::1] posting_weights,
):
    """Write the posting lists of some rows: per column the rows that hold it, ascending.

    Column c's list is `posting_rows[offsets[c]:offsets[c + 1]]`; `posting_weights` are the values
    of its entries. Empty `values` mean lists without weights.
    """
    with nogil:
        scatter_weights(indptr, indices, values, offsets, posting_rows, posting_weights)


cdef inline int64_t open_lists(
    const index_t[::1] indices,
    const double[::1] values,
    int64_t first,
    int64_t last,
    const int64_t[::1] offsets,
    bint weighted,
    int64_t[::1] list_slots,
    int64_t[::1] list_ends,
    double[::1] list_weights,
) noexcept nogil:
    """Look up the posting lists of one query, in column order, and return how many aren't empty."""
    cdef int64_t entry, n_lists = 0
    for entry in range(first, last):
        if offsets[indices[entry]] == offsets[indices[entry] + 1]:
            continue
        list_slots[n_lists] = offsets[indices[entry]]
        list_ends[n_lists] = offsets[indices[entry] + 1]
        if weighted:
            list_weights[n_lists] = values[entry]
        n_lists += 1
    return n_lists


cdef inline int64_t close_lists(
    int64_t n_lists,
    bint weighted,
    int64_t[::1] list_slots,
    int64_t[::1] list_ends,
    double[::1] list_weights,
) noexcept nogil:
    """Take the lists that have been walked to their end out, and return how many are left."""
    cdef int64_t place, n_open = 0
    for place in range(n_lists):
        if list_slots[place] == list_ends[place]:
            continue
        list_slots[n_open] = list_slots[place]
        list_ends[n_open] = list_ends[place]
        if weighted:
            list_weights[n_open] = list_weights[place]
        n_open += 1
    return n_open


cdef inline int64_t first_row(
    int64_t n_lists, const int64_t[::1] list_slots, const int32_t[::1] posting_rows
) noexcept nogil:
    """Return the lowest row that the lists have yet to come to."""
    cdef int64_t place, row = posting_rows[list_slots[0]]
    for place in range(1, n_lists):
        row = min(row, posting_rows[list_slots[place]])
    return row


cdef inline int64_t count_tile(
    int64_t n_lists,
    int64_t tile,
    int64_t tile_end,
    const int32_t[::1] posting_rows,
    int64_t[::1] list_slots,
    const int64_t[::1] list_ends,
    int32_t[::1] counts,
    int32_t[::1] touched,
) noexcept nogil:
    """Walk the lists up to a tile's end, count what each row shares, return the rows touched."""
    cdef int64_t place, slot, end, n_touched = 0
    cdef int32_t row
    for place in range(n_lists):
        slot = list_slots[place]
        end = list_ends[place]
        while slot < end and posting_rows[slot] < tile_end:
            row = <int32_t>(posting_rows[slot] - tile)
            if counts[row] == 0:
                touched[n_touched] = row
                n_touched += 1
            counts[row] += 1
            slot += 1
        list_slots[place] = slot
    return n_touched


cdef inline int64_t weigh_tile(
    int64_t n_lists,
    int64_t tile,
    int64_t tile_end,
    const int32_t[::1] posting_rows,
    const double[::1] posting_weights,
    int64_t[::1] list_slots,
    const int64_t[::1] list_ends,
    const double[::1] list_weights,
    int32_t[::1] counts,
    double[::1] overlaps,
    int32_t[::1] touched,
) noexcept nogil:
    """Count as above and add up the weight shared, the less of each two, by ascending column."""
    cdef int64_t place, slot, end, n_touched = 0
    cdef int32_t row
    cdef double weight
    for place in range(n_lists):
        slot = list_slots[place]
        end = list_ends[place]
        weight = list_weights[place]
        while slot < end and posting_rows[slot] < tile_end:
            row = <int32_t>(posting_rows[slot] - tile)
            if counts[row] == 0:
                touched[n_touched] = row
                n_touched += 1
                overlaps[row] = 0.0
            counts[row] += 1
            overlaps[row] += (
                weight if weight < posting_weights[slot] else posting_weights[slot]
            )
            slot += 1
        list_slots[place] = slot
    return n_touched


cdef inline int64_t fewest_shared(double jaccard, int64_t n_partners) noexcept nogil:
    """Return the smallest count that can give `jaccard`: a union has at least `n_partners`."""
    cdef int64_t count = <int64_t>(jaccard * n_partners) - 1
    if count < 0:
        count = 0
    while <double>count / <double>n_partners < jaccard:
        count += 1
    return count


cdef inline int64_t keep_best(
    int64_t n_partners,
    int64_t tile,
    int64_t n_touched,
    double total,
    bint dated,
    int64_t begin,
    const int64_t[::1] b_indptr,
    const double[::1] b_totals,
    const int64_t[::1] b_begins,
    double min_jaccard,
    int64_t min_shared,
    int64_t top_k,
    int32_t[::1] counts,
    const double[::1] overlaps,
    const int32_t[::1] touched,
    int64_t base,
    int64_t n_kept,
    int64_t[::1] match_rows,
    double[::1] match_jaccards,
    double[::1] match_weights,
    int32_t[::1] match_shared,
) noexcept nogil:
    """Put a tile's matches into the query's heap at `base`, clear the counts, return its size."""
    cdef int64_t position, row, union_size
    cdef int64_t least = max(min_shared, fewest_shared(min_jaccard, n_partners))
    cdef int32_t n_shared
    cdef double jaccard, overlap, weight = 0.0
    if n_kept == top_k:
        least = max(least, fewest_shared(match_jaccards[base], n_partners))
    for position in range(n_touched):
        row = tile + touched[position]
        n_shared = counts[touched[position]]
        counts[touched[position]] = 0
        if n_shared < least or (dated and b_begins[row] >= begin):
            continue
        union_size = n_partners + (b_indptr[row + 1] - b_indptr[row]) - n_shared
        jaccard = <double>n_shared / <double>union_size
        if jaccard < min_jaccard:
            continue
        if b_totals.shape[0] > 0:
            overlap = overlaps[touched[position]]
            weight = total + b_totals[row] - overlap
            weight = overlap / weight if weight > 0.0 else 0.0
        if n_kept < top_k:
            raise_match(
                base, n_kept, row, jaccard, weight, n_shared,
                match_rows, match_jaccards, match_weights, match_shared,
            )
            n_kept += 1
        elif is_better(
            jaccard, weight, row, match_jaccards[base], match_weights[base], match_rows[base]
        ):
            sink_match(
                base, n_kept, 0, row, jaccard, weight, n_shared,
                match_rows, match_jaccards, match_weights, match_shared,
            )
        else:
            continue
        if n_kept == top_k:
            # From here on only a row that shares enough to reach the worst kept one can enter.
            least = max(least, fewest_shared(match_jaccards[base], n_partners))
    return n_kept


cdef int64_t join_queries(
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const double[::1] a_values,
    const double[::1] a_totals,
    const int64_t[::1] a_begins,
    const int64_t[::1] b_indptr,
    const double[::1] b_totals,
    const int64_t[::1] b_begins,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const double[::1] posting_weights,
    double min_jaccard,
    int64_t min_shared,
    int64_t top_k,
    int64_t[::1] list_slots,
    int64_t[::1] list_ends,
    double[::1] list_weights,
    int32_t[::1] counts,
    double[::1] overlaps,
    int32_t[::1] touched,
    int64_t[::1] match_ends,
    int64_t[::1] match_rows,
    double[::1] match_jaccards,
    double[::1] match_weights,
    int32_t[::1] match_shared,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef bint weighted = b_totals.shape[0] > 0
    cdef bint dated = a_begins.shape[0] > 0
    cdef int64_t n_rows = b_indptr.shape[0] - 1
    cdef int64_t row, place, n_lists, most, tile, tile_end, n_touched, n_kept, n_filled = 0
    for row in range(start, stop):
        n_lists = open_lists(
            a_indices, a_values, a_indptr[row], a_indptr[row + 1], offsets, weighted, list_slots,
            list_ends, list_weights,
        )
        most = 0
        for place in range(n_lists):
            most += list_ends[place] - list_slots[place]
        if n_filled + min(most, n_rows, top_k) > match_rows.shape[0]:
            return row
        n_kept = 0
        while n_lists > 0:
            tile = first_row(n_lists, list_slots, posting_rows)
            tile_end = tile + counts.shape[0]
            if weighted:
                n_touched = weigh_tile(
                    n_lists, tile, tile_end, posting_rows, posting_weights, list_slots, list_ends,
                    list_weights, counts, overlaps, touched,
                )
            else:
                n_touched = count_tile(
                    n_lists, tile, tile_end, posting_rows, list_slots, list_ends, counts, touched
                )
            n_kept = keep_best(
                a_indptr[row + 1] - a_indptr[row], tile, n_touched,
                a_totals[row] if weighted else 0.0, dated, a_begins[row] if dated else 0, b_indptr,
                b_totals, b_begins, min_jaccard, min_shared, top_k, counts, overlaps, touched,
                n_filled, n_kept, match_rows, match_jaccards, match_weights, match_shared,
            )
            n_lists = close_lists(
                n_lists, weighted, list_slots, list_ends, list_weights
            )
        order_matches(n_filled, n_kept, match_rows, match_jaccards, match_weights, match_shared)
        n_filled += n_kept
        match_ends[row - start] = n_filled
    return stop


def join_rows(
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const double[::1] a_values,
    const double[::1] a_totals,
    const int64_t[::1] a_begins,
    const int64_t[::1] b_indptr,
    const double[::1] b_totals,
    const int64_t[::1] b_begins,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const double[::1] posting_weights,
    double min_jaccard,
    int64_t min_shared,
    int64_t top_k,
    int64_t[::1] list_slots,
    int64_t[::1] list_ends,
    double[::1] list_weights,
    int32_t[::1] counts,
    double[::1] overlaps,
    int32_t[::1] touched,
    int64_t[::1] match_ends,
    int64_t[::1] match_rows,
    double[::1] match_jaccards,
    double[::1] match_weights,
    int32_t[::1] match_shared,
    int64_t start,
    int64_t stop,
):
    """Write the best `top_k` matches of rows `start` to `stop` of a, and return the next row.

    The posting lists are b's (`transpose_rows`). The loop stops early, before the first row
    whose matches might not fit into `match_rows`; give it at least min(`top_k`, rows of b)
    places, and every call finishes a row. `match_ends[i]` is the end of row `start + i`'s
    matches. `match_weights` is the weighted Jaccard similarity (Ruzicka) of each, the sum of the
    lesser weights over that of the greater; empty `b_totals` (weight per row) means that only
    presence counts, empty `a_begins` no dates.

    Rows of b are taken a tile at a time, so that the counters stay in the cache: `counts`,
    `overlaps` and `touched` have one place per row of a tile, at least 1; `counts` comes and goes
    all zero. The `list_` arrays have as many places as the longest row of a has entries.
    """
    cdef int64_t done
    with nogil:
        done = join_queries(
            a_indptr, a_indices, a_values, a_totals, a_begins, b_indptr, b_totals, b_begins,
            offsets, posting_rows, posting_weights, min_jaccard, min_shared, top_k,
            list_slots, list_ends, list_weights, counts, overlaps, touched,
            match_ends, match_rows, match_jaccards, match_weights, match_shared, start, stop,
        )
    return done
