"""The best rows of each query: rare lists walked, frequent ones only as far as they can matter.

Once as many rows as are wanted surely reach a bar, a row that no list walked so far holds would
have to reach it by the lists left over alone. Those are walked only where rows are of a size that
can, and not at all where none is (prefix filtering: Bayardo, Ma, Srikant 2007; MaxScore: Turtle,
Flood 1995); what they hold is looked up in rows that are touched already. A row that may equal the
bar is never left out, so the answer is that of walking everything.
"""

cdef inline void add_shared(
    const index_t[::1] a_indices,
    const double[::1] a_values,
    int64_t one,
    int64_t one_end,
    const index_t[::1] b_indices,
    const double[::1] b_values,
    int64_t other,
    int64_t other_end,
    const double[::1] rarity,
    Match* match,
) noexcept nogil:
    """Count what two rows share; add up its rarity and the lesser weights, by ascending column."""
    cdef double one_weight, other_weight
    match.n_shared = 0
    match.score = 0.0
    match.weight = 0.0
    while one < one_end and other < other_end:
        if a_indices[one] < b_indices[other]:
            one += 1
        elif a_indices[one] > b_indices[other]:
            other += 1
        else:
            one_weight = a_values[one] * rarity[a_indices[one]]
            other_weight = b_values[other] * rarity[a_indices[one]]
            match.n_shared += 1
            match.score += rarity[a_indices[one]]
            match.weight += one_weight if one_weight < other_weight else other_weight
            one += 1
            other += 1


cdef inline bint is_beaten(
    const Query* query, int64_t most, int64_t size, const Match* worst
) noexcept nogil:
    """Tell whether a row that gained at most so many units surely stands behind a match.

    A row of the fewest units holds one of the lists of that many, and nothing else.
    """
    if <double>most <= worst.score * query.unit_rate * (1.0 - 1e-9):
        return True
    return (
        most == query.least_units
        and query.lightest <= worst.score
        and overlap_ratio(1, query.n_partners, size, True) < worst.jaccard
    )


cdef inline int64_t keep_best(
    const Query* query,
    bint by_rarity,
    int64_t n_promising,
    int64_t min_shared,
    int64_t top_k,
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const double[::1] a_values,
    const double[::1] a_totals,
    const int64_t[::1] b_indptr,
    const index_t[::1] b_indices,
    const double[::1] b_values,
    const double[::1] b_totals,
    const double[::1] rarity,
    const int32_t[::1] order,
    const int32_t[::1] sizes,
    int32_t[::1] counts,
    const int32_t[::1] touched,
    Match[::1] matches,
    int64_t base,
) noexcept nogil:
    """Put the best of the promising rows into a heap at `base`, clear all counts, return how many.
    """
    cdef int64_t place, here, most, n_kept = 0
    cdef Match match
    for place in range(min(n_promising, 2 * top_k)):
        chanfp_prefetch(&b_indptr[order[touched[place]]])
        chanfp_prefetch(&b_totals[order[touched[place]]])
    for place in range(min(n_promising, 2 * top_k)):
        prefetch_row(b_indptr, b_indices, order[touched[place]])
        chanfp_prefetch(&b_values[b_indptr[order[touched[place]]]])
    for place in range(n_promising):
        here = touched[place]
        most = counts[here]
        counts[here] = 0
        match.row = order[here]
        if by_rarity:
            if n_kept == top_k and is_beaten(query, most, sizes[here], &matches[base]):
                continue
        elif overlap_ratio(most, query.n_partners, sizes[here], True) < query.bar:
            continue
        add_shared(
            a_indices, a_values, a_indptr[query.row], a_indptr[query.row + 1], b_indices, b_values,
            b_indptr[match.row], b_indptr[match.row + 1], rarity, &match,
        )
        if match.n_shared < min_shared:
            continue
        match.jaccard = overlap_ratio(match.n_shared, query.n_partners, sizes[here], True)
        if not by_rarity:
            match.score = match.jaccard
        match.weight = ruzicka(match.weight, a_totals[query.row], b_totals[match.row])
        n_kept = offer_match(matches, base, n_kept, top_k, match)
    order_matches(matches, base, n_kept)
    return n_kept


cdef inline double ruzicka(double lesser, double one_total, double other_total) noexcept nogil:
    """Return the sum of the lesser weights over that of the greater, 0 if that is 0."""
    cdef double greater = one_total + other_total - lesser
    return lesser / greater if greater > 0.0 else 0.0


cdef int64_t join_best(
    bint by_rarity,
    int64_t min_shared,
    int64_t top_k,
    int64_t short_list,
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const double[::1] a_values,
    const double[::1] a_totals,
    const int64_t[::1] a_begins,
    const int32_t[::1] a_order,
    const int64_t[::1] fewest,
    const int64_t[::1] b_indptr,
    const index_t[::1] b_indices,
    const double[::1] b_values,
    const double[::1] b_totals,
    const double[::1] rarity,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const int32_t[::1] order,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] columns,
    const int64_t[::1] begins,
    const int64_t[::1] class_sizes,
    const int64_t[::1] class_starts,
    const int64_t[::1] hub_slots,
    const uint64_t[::1] hub_rows,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int32_t[::1] list_units,
    int32_t[::1] counts,
    int32_t[::1] touched,
    double[::1] heap,
    int64_t[::1] match_ends,
    Match[::1] matches,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef int64_t[QUERIES_TOGETHER] list_ends
    cdef Query query
    cdef int64_t place = start, at, first, most, list_place, n_queries, n_touched, n_filled = 0
    while place < stop:
        n_queries = gather_queries(
            a_indptr, a_indices, a_order, fewest, place, stop, used, offsets, posting_rows,
            list_columns, list_slots, list_sizes, list_ends,
        )
        first = 0
        for at in range(n_queries):
            query.row = a_order[place]
            query.n_partners = a_indptr[query.row + 1] - a_indptr[query.row]
            query.begin = a_begins[query.row] if a_begins.shape[0] > 0 else 0
            query.bar = 0.0
            query.first_list = first
            query.last_list = list_ends[at]
            first = list_ends[at]
            most = 0
            for list_place in range(query.first_list, query.last_list):
                most += list_sizes[list_place]
            if n_filled + min(most, <int64_t>sizes.shape[0], top_k) > matches.shape[0]:
                return place
            weigh_lists(&query, by_rarity, min_shared, rarity, list_columns, list_units)
            order_lists(&query, short_list, list_columns, list_slots, list_sizes, list_units)
            n_touched = walk_lists(
                &query, by_rarity, short_list, min_shared, top_k, posting_rows, sizes, begins,
                class_sizes, class_starts, hub_slots, list_columns, list_slots, list_sizes,
                list_units, counts, touched, heap,
            )
            if n_touched > top_k:
                raise_bar(
                    &query, by_rarity, top_k, 0, n_touched, sizes, begins, counts, touched, heap
                )
            n_touched = keep_hopeful(
                &query, by_rarity, n_touched, min_shared, top_k, starts, sizes, columns, begins,
                hub_rows, list_columns, list_slots, list_sizes, list_units, counts, touched, heap,
            )
            n_filled += keep_best(
                &query, by_rarity, n_touched, min_shared, top_k, a_indptr, a_indices, a_values,
                a_totals, b_indptr, b_indices, b_values, b_totals, rarity, order, sizes, counts,
                touched, matches, n_filled,
            )
            match_ends[place - start] = n_filled
            place += 1
    return stop


def find_best(
    bint by_rarity,
    int64_t min_shared,
    int64_t top_k,
    int64_t short_list,
    const int64_t[::1] a_indptr,
    const index_t[::1] a_indices,
    const double[::1] a_values,
    const double[::1] a_totals,
    const int64_t[::1] a_begins,
    const int32_t[::1] a_order,
    const int64_t[::1] fewest,
    const int64_t[::1] b_indptr,
    const index_t[::1] b_indices,
    const double[::1] b_values,
    const double[::1] b_totals,
    const double[::1] rarity,
    const uint64_t[::1] used,
    const int64_t[::1] offsets,
    const int32_t[::1] posting_rows,
    const int32_t[::1] order,
    const int64_t[::1] starts,
    const int32_t[::1] sizes,
    const index_t[::1] columns,
    const int64_t[::1] begins,
    const int64_t[::1] class_sizes,
    const int64_t[::1] class_starts,
    const int64_t[::1] hub_slots,
    const uint64_t[::1] hub_rows,
    int64_t[::1] list_columns,
    int64_t[::1] list_slots,
    int64_t[::1] list_sizes,
    int32_t[::1] list_units,
    int32_t[::1] counts,
    int32_t[::1] touched,
    double[::1] heap,
    int64_t[::1] match_ends,
    Match[::1] matches,
    int64_t start,
    int64_t stop,
):
    """Write the best `top_k` rows of b for queries `a_order[start:stop]`; return the next place.

    Matches share at least `min_shared` columns. They are ordered by Jaccard index, or
    (`by_rarity`) by the summed `rarity` of the shared columns and then by Jaccard index; then by
    weighted Jaccard (Ruzicka: the sum of the lesser weights over that of the greater, a weight
    being value times rarity; `a_totals` and `b_totals` are their sums per row), then by row.
    `match_ends[i]` is the end of the matches of query `a_order[start + i]`. The loop stops early,
    before the first query whose matches might not fit; give `matches` the least of `top_k` and
    the rows of b, and every call finishes a query.

    The posting lists, `order`, `starts`, `sizes` and `columns` are b's in an order of its own
    (`OrderedPostings`), in classes of size: from place `class_starts[i]` on rows have at least
    `class_sizes[i]` columns, before it fewer; `class_starts` ends with the number of rows.
    The lists at `hub_slots`, ascending, are bitmaps, too: of the n-th, word by word of `hub_rows`,
    a bit is set for each place in it. `begins`, in that order, and `a_begins` are empty or tell
    when rows begin: only a row of b that begins before the query can match. `fewest[n]` is the
    fewest lists that a query of n columns needs, at least 1.

    Lists of at most `short_list` rows are always walked; that changes no match. The `list_`
    arrays have as many places as the longest query, `counts` and `touched` one per row of b and
    `touched` one more, `heap` the least of `top_k` and the rows of b; `counts` comes and goes all
    zero. `top_k` is at most the number of rows of b, queries have at most 2**28 columns.
    """
    cdef int64_t done
    with nogil:
        done = join_best(
            by_rarity, min_shared, top_k, short_list, a_indptr, a_indices, a_values, a_totals,
            a_begins, a_order, fewest, b_indptr, b_indices, b_values, b_totals, rarity, used,
            offsets, posting_rows, order, starts, sizes, columns, begins, class_sizes,
            class_starts, hub_slots, hub_rows, list_columns, list_slots, list_sizes, list_units,
            counts, touched, heap, match_ends, matches, start, stop,
        )
    return done
