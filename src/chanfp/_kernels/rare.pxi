# Exact pairs of a few rows with many, through the rare columns of the few.
#
# Two rows can only reach a Jaccard index of t if they share one of the n - ceil(t n) + 1 first
# columns of either, in any one order of all columns (Bayardo, Ma, Srikant 2007); the rarest come
# first here, so that hubs are looked up by nobody.


cdef inline int64_t _column_slot(index_t column, int shift) noexcept nogil:
    return <int64_t>((<uint64_t>column * <uint64_t>0x9E3779B97F4A7C15) >> shift)


cdef void _count_columns(
    const index_t[::1] indices, int64_t step, int shift, uint32_t[::1] counts
) noexcept nogil:
    cdef int64_t entry = 0
    while entry < indices.shape[0]:
        counts[_column_slot(indices[entry], shift)] += 1
        entry += step


def count_columns(
    const index_t[::1] indices, int64_t step, int shift, uint32_t[::1] counts
):
    """Count every `step`-th entry's column in a hashed table (uint32) of 2**(64 - shift)."""
    with nogil:
        _count_columns(indices, step, shift, counts)


cdef int64_t _index_rare(
    const int64_t[::1] indptr, const index_t[::1] indices, const int64_t[::1] rows,
    double min_jaccard, const uint32_t[::1] counts, int count_shift, uint64_t[::1] order,
    int table_shift, int32_t[::1] heads, int32_t[::1] chain, int32_t[::1] owners,
    index_t[::1] columns,
) noexcept nogil:
    cdef int64_t at, entry, n, n_kept, taken, slot, n_indexed = 0
    cdef index_t column
    for at in range(rows.shape[0]):
        n = indptr[rows[at] + 1] - indptr[rows[at]]
        if n == 0:
            continue
        for entry in range(n):
            column = indices[indptr[rows[at]] + entry]
            order[entry] = (
                (<uint64_t>counts[_column_slot(column, count_shift)] << 32) | <uint64_t>entry
            )
        qsort(&order[0], <size_t>n, sizeof(uint64_t), _compare_keys)
        n_kept = n - <int64_t>(min_jaccard * <double>n * (1.0 - 1e-12))
        for taken in range(n_kept if n_kept < n else n):
            entry = indptr[rows[at]] + <int64_t>(order[taken] & <uint64_t>0xFFFFFFFF)
            slot = _column_slot(indices[entry], table_shift)
            columns[n_indexed] = indices[entry]
            owners[n_indexed] = <int32_t>at
            chain[n_indexed] = heads[slot]
            heads[slot] = <int32_t>n_indexed
            n_indexed += 1
    return n_indexed


def index_rare(
    const int64_t[::1] indptr, const index_t[::1] indices, const int64_t[::1] rows,
    double min_jaccard, const uint32_t[::1] counts, int count_shift, uint64_t[::1] order,
    int table_shift, int32_t[::1] heads, int32_t[::1] chain, int32_t[::1] owners,
    index_t[::1] columns,
):
    """Chain the rare columns of `rows` (int64) into a hash table; return how many there are.

    `heads` (int32, -1 throughout, 2**(64 - table_shift) places) begins the chains; `chain`,
    `owners` (int32) and `columns` need a place per entry of `rows`, `order` (uint64) one per entry
    of the longest. `counts` are those of `count_columns`.
    """
    cdef int64_t n_indexed
    with nogil:
        n_indexed = _index_rare(
            indptr, indices, rows, min_jaccard, counts, count_shift, order, table_shift, heads,
            chain, owners, columns,
        )
    return n_indexed


cdef int64_t _join_rare(
    const int64_t[::1] a_indptr, const index_t[::1] a_indices, const int64_t[::1] a_rows,
    const int64_t[::1] b_indptr, const index_t[::1] b_indices, const int64_t[::1] b_rows,
    double min_jaccard, int table_shift, const int32_t[::1] heads, const int32_t[::1] chain,
    const int32_t[::1] owners, const index_t[::1] columns, int32_t[::1] stamps,
    const uint64_t[::1] a_sketches, const uint64_t[::1] b_sketches,
    const uint32_t[::1] a_keys, const uint32_t[::1] b_keys, int64_t n_bands, int64_t band,
    int64_t[::1] pair_a, int64_t[::1] pair_b, int32_t[::1] pair_shared,
    int64_t start, int64_t stop, int64_t* n_found,
) noexcept nogil:
    cdef double share = min_jaccard / (1.0 + min_jaccard)
    cdef int64_t at, a, b, entry, n_a, n_b, least, shared
    cdef int32_t link, owner
    cdef index_t column
    n_found[0] = 0
    for at in range(start, stop):
        if pair_a.shape[0] - n_found[0] < a_rows.shape[0]:
            return at
        b = b_rows[at]
        n_b = b_indptr[b + 1] - b_indptr[b]
        for entry in range(b_indptr[b], b_indptr[b + 1]):
            column = b_indices[entry]
            link = heads[_column_slot(column, table_shift)]
            while link >= 0:
                owner = owners[link]
                if columns[link] == column and stamps[owner] != <int32_t>(at - start + 1):
                    stamps[owner] = <int32_t>(at - start + 1)
                    a = a_rows[owner]
                    n_a = a_indptr[a + 1] - a_indptr[a]
                    least = _least_shared(share, n_a + n_b)
                    if (
                        n_a >= least
                        and n_b >= least
                        and n_a - <int64_t>_outside(a_sketches, a, b, b_sketches) >= least
                        and n_b - <int64_t>_outside(b_sketches, b, a, a_sketches) >= least
                        and not _met_before(a_keys, a, b_keys, b, n_bands, band)
                    ):
                        shared = _count_shared(
                            a_indices, a_indptr[a], a_indptr[a + 1],
                            b_indices, b_indptr[b], b_indptr[b + 1], least,
                        )
                        if <double>shared / <double>(n_a + n_b - shared) >= min_jaccard:
                            pair_a[n_found[0]] = a
                            pair_b[n_found[0]] = b
                            pair_shared[n_found[0]] = <int32_t>shared
                            n_found[0] += 1
                link = chain[link]
    return stop


def join_rare(
    const int64_t[::1] a_indptr, const index_t[::1] a_indices, const int64_t[::1] a_rows,
    const int64_t[::1] b_indptr, const index_t[::1] b_indices, const int64_t[::1] b_rows,
    double min_jaccard, int table_shift, const int32_t[::1] heads, const int32_t[::1] chain,
    const int32_t[::1] owners, const index_t[::1] columns, int32_t[::1] stamps,
    const uint64_t[::1] a_sketches, const uint64_t[::1] b_sketches,
    const uint32_t[::1] a_keys, const uint32_t[::1] b_keys, int64_t n_bands, int64_t band,
    int64_t[::1] pair_a, int64_t[::1] pair_b, int32_t[::1] pair_shared,
    int64_t start, int64_t stop,
):
    """Write the similar pairs of the indexed rows of a with ``b_rows[start:stop]``.

    Pairs whose keys (`a_keys`, `b_keys`, as `fold_bands` makes them) agree in one of the first
    `band` bands are left out; 0 leaves none out.

    Returns the first place of `b_rows` left over, and how many pairs were written. The outputs
    must have room for a pair with every one of `a_rows`; `stamps` (int32, one per row of
    `a_rows`) must be 0 throughout.
    """
    cdef int64_t done, n_found = 0
    with nogil:
        done = _join_rare(
            a_indptr, a_indices, a_rows, b_indptr, b_indices, b_rows, min_jaccard, table_shift,
            heads, chain, owners, columns, stamps, a_sketches, b_sketches,
            a_keys, b_keys, n_bands, band,
            pair_a, pair_b, pair_shared, start, stop, &n_found,
        )
    return done, n_found
