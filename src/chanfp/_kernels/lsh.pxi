# Locality-sensitive hashing: band keys from signatures, buckets by radix sort, pairs from buckets.
#
# A band's entries are words of 64 bits, key above row, brought into buckets by their upper bits.

cdef enum:
    FEW_PAIRS = 64  # of a bucket: looked at one by one; above, the bucket is sorted first
    WAITING_PAIRS = 256


cdef inline uint64_t _outside(const uint64_t[::1] sketches, int64_t one, int64_t other,
                              const uint64_t[::1] other_sketches) noexcept nogil:
    # How many bits of one sketch the other lacks.
    cdef uint64_t x, y
    x = sketches[2 * one] & ~other_sketches[2 * other]
    y = sketches[2 * one + 1] & ~other_sketches[2 * other + 1]
    x = x - ((x >> 1) & <uint64_t>0x5555555555555555)
    y = y - ((y >> 1) & <uint64_t>0x5555555555555555)
    x = (x & <uint64_t>0x3333333333333333) + ((x >> 2) & <uint64_t>0x3333333333333333)
    y = (y & <uint64_t>0x3333333333333333) + ((y >> 2) & <uint64_t>0x3333333333333333)
    x = (x + (x >> 4)) & <uint64_t>0x0F0F0F0F0F0F0F0F
    y = (y + (y >> 4)) & <uint64_t>0x0F0F0F0F0F0F0F0F
    return ((x + y) * <uint64_t>0x0101010101010101) >> 56


cdef inline int64_t _least_shared(double share, int64_t n_both) noexcept nogil:
    # The least overlap of two rows of `n_both` columns together; `share` is t / (1 + t), and the
    # tiny discount keeps rounding on the safe side.
    return <int64_t>(share * <double>n_both * (1.0 - 1e-12)) + 1


cdef inline int64_t _count_shared(
    const index_t[::1] a_indices, int64_t i, int64_t i_end,
    const index_t[::1] b_indices, int64_t j, int64_t j_end, int64_t least,
) noexcept nogil:
    # Shared columns of two sorted rows; gives up, and returns 0, once `least` is out of reach.
    cdef int64_t shared = 0, room_i = i_end - i - least, room_j = j_end - j - least
    cdef index_t x, y
    while i < i_end and j < j_end:
        x = a_indices[i]
        y = b_indices[j]
        shared += x == y
        i += x <= y
        j += y <= x
        room_i -= x < y
        room_j -= y < x
        if room_i < 0 or room_j < 0:
            return 0
    return shared


cdef void _fold_bands(
    const uint32_t[::1] signatures, int64_t n_slots, int64_t band_rows, int64_t n_bands,
    uint32_t[::1] keys, int64_t start, int64_t stop,
) noexcept nogil:
    cdef int64_t row, band, member
    cdef uint32_t key
    cdef const uint32_t* slots
    cdef uint32_t* folded
    for row in range(start, stop):
        slots = &signatures[(row - start) * n_slots]
        folded = &keys[row * n_bands]
        for band in range(n_bands):
            folded[band] = slots[band]
        for member in range(1, band_rows):
            slots += n_bands
            for band in range(n_bands):
                folded[band] = folded[band] * <uint32_t>0x9E3779B1 + slots[band]
        for band in range(n_bands):
            key = folded[band]
            key = (key ^ (key >> 15)) * <uint32_t>0x85EBCA77
            folded[band] = (key ^ (key >> 13)) * <uint32_t>0xC2B2AE3D


def fold_bands(
    const uint32_t[::1] signatures, int64_t n_slots, int64_t band_rows, int64_t n_bands,
    uint32_t[::1] keys, int64_t start, int64_t stop,
):
    """Fold the signatures of rows `start` to `stop` into one key (uint32) per band.

    Band j takes the slots j, j + n_bands, … of `signatures`, `band_rows` of them; the first row
    of `signatures` is row `start`. `keys` holds `n_bands` for each row.
    """
    with nogil:
        _fold_bands(signatures, n_slots, band_rows, n_bands, keys, start, stop)


cdef void _sketch_rows(
    const int64_t[::1] indptr, const index_t[::1] indices, uint64_t[::1] sketches,
    int64_t start, int64_t stop,
) noexcept nogil:
    cdef int64_t row, entry
    cdef uint64_t spread, bit, upper, low, high
    for row in range(start, stop):
        low = high = 0
        for entry in range(indptr[row], indptr[row + 1]):
            spread = <uint64_t>indices[entry] * <uint64_t>0x9E3779B97F4A7C15
            bit = <uint64_t>1 << ((spread >> 57) & 63)
            upper = 0 - (spread >> 63)  # all ones or none: a branch would be guessed wrong
            high |= bit & upper
            low |= bit & ~upper
        sketches[2 * row] = low
        sketches[2 * row + 1] = high


def sketch_rows(
    const int64_t[::1] indptr, const index_t[::1] indices, uint64_t[::1] sketches,
    int64_t start, int64_t stop,
):
    """Write a bitmap of 128 bits (two uint64) for rows `start` to `stop`: a bit per column."""
    with nogil:
        _sketch_rows(indptr, indices, sketches, start, stop)


cdef void _gather_band(
    const uint32_t[::1] keys, int64_t n_bands, int64_t first, int64_t n_taken,
    uint32_t[::1] columns, int64_t n_rows,
) noexcept nogil:
    cdef int64_t row, band
    for row in range(n_rows):
        for band in range(n_taken):
            columns[band * n_rows + row] = keys[row * n_bands + first + band]


def gather_bands(
    const uint32_t[::1] keys, int64_t n_bands, int64_t first, int64_t n_taken,
    uint32_t[::1] columns, int64_t n_rows,
):
    """Lay the keys of `n_taken` bands from `first` on out band by band in `columns` (uint32)."""
    with nogil:
        _gather_band(keys, n_bands, first, n_taken, columns, n_rows)


cdef void _sort_band(
    const uint32_t[::1] columns, int64_t first, const int64_t[::1] indptr, int shift,
    int32_t[::1] ends, uint64_t[::1] entries,
) noexcept nogil:
    cdef int64_t row, bucket, n_rows = indptr.shape[0] - 1
    cdef int32_t n_before = 0, n_here
    cdef uint32_t key
    ends[:] = 0
    for row in range(n_rows):
        if indptr[row] < indptr[row + 1]:
            ends[columns[first + row] >> shift] += 1
    for bucket in range(ends.shape[0]):
        n_here = ends[bucket]
        ends[bucket] = n_before
        n_before += n_here
    for row in range(n_rows):
        if indptr[row] < indptr[row + 1]:
            key = columns[first + row]
            bucket = key >> shift
            entries[ends[bucket]] = (<uint64_t>key << 32) | <uint64_t>row
            ends[bucket] += 1


def sort_band(
    const uint32_t[::1] columns, int64_t first, const int64_t[::1] indptr, int shift,
    int32_t[::1] ends, uint64_t[::1] entries,
):
    """Bring the rows of a band into buckets, one for each value of the upper bits of the key.

    The band's keys begin at ``columns[first]``. `ends` (int32) receives the end of each bucket
    and `entries` (uint64) key and row, rows ascending in a bucket. Empty rows are left out.
    """
    with nogil:
        _sort_band(columns, first, indptr, shift, ends, entries)


cdef void _order_bucket(uint64_t[::1] entries, int64_t start, int64_t stop) noexcept nogil:
    cdef int64_t at
    for at in range(start + 1, stop):
        if entries[at] < entries[at - 1]:
            qsort(&entries[start], <size_t>(stop - start), sizeof(uint64_t), _compare_keys)
            return


cdef inline int64_t _run_end(
    const uint64_t[::1] entries, int64_t start, int64_t stop, uint64_t key
) noexcept nogil:
    while start < stop and entries[start] >> 32 == key:
        start += 1
    return start


cdef int64_t _find_live(
    const uint64_t[::1] a_entries, const int32_t[::1] a_ends,
    const uint64_t[::1] b_entries, const int32_t[::1] b_ends, int shift, int32_t[::1] live,
) noexcept nogil:
    # Without branches, as a guess would be wrong for every other row: four entries of b are looked
    # at whether they belong to the bucket or not, and the next row overwrites what isn't live.
    cdef int64_t at, bucket, j, n_live = 0, n_entries = a_ends[a_ends.shape[0] - 1]
    cdef int64_t last = -1, n_there
    cdef uint64_t key
    cdef int is_live
    for at in range(n_entries):
        key = a_entries[at] >> 32
        bucket = <int64_t>(key >> shift)
        j = b_ends[bucket - 1] if bucket else 0
        n_there = b_ends[bucket] - j
        is_live = (
            (b_entries[j] >> 32 == key) | (b_entries[j + 1] >> 32 == key)
            | (b_entries[j + 2] >> 32 == key) | (b_entries[j + 3] >> 32 == key)
            | (n_there > 4)
        ) & (n_there > 0) & (bucket != last)
        live[n_live] = <int32_t>bucket
        n_live += is_live
        last = bucket if is_live else last
    return n_live


def find_live(
    const uint64_t[::1] a_entries, const int32_t[::1] a_ends,
    const uint64_t[::1] b_entries, const int32_t[::1] b_ends, int shift, int32_t[::1] live,
):
    """List the buckets in which rows of both sides may have the same key; return how many.

    Both sides are as `sort_band` leaves them, with four more entries of b, whatever they hold.
    `live` (int32) needs a place for each row of a, and one more.
    """
    cdef int64_t n_live
    with nogil:
        n_live = _find_live(a_entries, a_ends, b_entries, b_ends, shift, live)
    return n_live


cdef inline bint _met_before(
    const uint32_t[::1] a_keys, int64_t a, const uint32_t[::1] b_keys, int64_t b,
    int64_t n_bands, int64_t band,
) noexcept nogil:
    cdef int64_t earlier
    for earlier in range(band):
        if a_keys[a * n_bands + earlier] == b_keys[b * n_bands + earlier]:
            return True
    return False


cdef int64_t _verify_pairs(
    const uint64_t* waiting, int64_t n_waiting,
    const int64_t[::1] a_indptr, const index_t[::1] a_indices, const uint64_t[::1] a_sketches,
    const uint32_t[::1] a_keys,
    const int64_t[::1] b_indptr, const index_t[::1] b_indices, const uint64_t[::1] b_sketches,
    const uint32_t[::1] b_keys,
    double min_jaccard, int64_t n_bands, int64_t band, int64_t n_found,
    int64_t[::1] pair_a, int64_t[::1] pair_b, int32_t[::1] pair_shared, int64_t* n_merged,
) noexcept nogil:
    # Write the similar ones of the waiting pairs, row of a above row of b, behind `n_found`; count
    # those that were merged.
    cdef double share = min_jaccard / (1.0 + min_jaccard)
    cdef int64_t at, a, b, n_a, n_b, least, shared
    for at in range(n_waiting):
        a = <int64_t>(waiting[at] >> 32)
        b = <int64_t>(waiting[at] & <uint64_t>0xFFFFFFFF)
        n_a = a_indptr[a + 1] - a_indptr[a]
        n_b = b_indptr[b + 1] - b_indptr[b]
        least = _least_shared(share, n_a + n_b)
        if (
            (n_a - <int64_t>_outside(a_sketches, a, b, b_sketches) < least)
            | (n_b - <int64_t>_outside(b_sketches, b, a, a_sketches) < least)
        ):
            continue
        if _met_before(a_keys, a, b_keys, b, n_bands, band):
            continue
        n_merged[0] += 1
        shared = _count_shared(
            a_indices, a_indptr[a], a_indptr[a + 1],
            b_indices, b_indptr[b], b_indptr[b + 1], least,
        )
        if <double>shared / <double>(n_a + n_b - shared) >= min_jaccard:
            pair_a[n_found] = a
            pair_b[n_found] = b
            pair_shared[n_found] = <int32_t>shared
            n_found += 1
    return n_found


cdef int _join_band(
    const int64_t[::1] a_indptr, const index_t[::1] a_indices, const uint64_t[::1] a_sketches,
    const uint32_t[::1] a_keys, uint64_t[::1] a_entries, const int32_t[::1] a_ends,
    const int64_t[::1] b_indptr, const index_t[::1] b_indices, const uint64_t[::1] b_sketches,
    const uint32_t[::1] b_keys, uint64_t[::1] b_entries, const int32_t[::1] b_ends,
    const int32_t[::1] live, int64_t n_live,
    double min_jaccard, int64_t n_bands, int64_t band, int64_t most_pairs, int64_t[::1] state,
    int64_t[::1] pair_a, int64_t[::1] pair_b, int32_t[::1] pair_shared,
) noexcept nogil:
    # Candidates wait until there are many, so that the cache misses of their bitmaps overlap.
    cdef uint64_t waiting[WAITING_PAIRS]
    cdef int64_t place = state[0], i = 0, j, j_from, i_start, i_end, j_start, j_end, i_run, j_run
    cdef int64_t bucket, n_waiting = 0, n_found = 0, n_seen = state[3]
    cdef int64_t n_merged = state[7]
    cdef uint64_t key
    cdef bint is_large
    cdef int ended = 0
    while place < n_live and ended == 0:
        bucket = live[place]
        i_start = a_ends[bucket - 1] if bucket else 0
        j_start = b_ends[bucket - 1] if bucket else 0
        i_end = a_ends[bucket]
        j_end = b_ends[bucket]
        is_large = (i_end - i_start) * (j_end - j_start) > FEW_PAIRS
        if is_large:
            _order_bucket(a_entries, i_start, i_end)
            _order_bucket(b_entries, j_start, j_end)
        i = state[1] if place == state[0] and state[1] > i_start else i_start
        j_from = j_start
        while i < i_end:
            key = a_entries[i] >> 32
            j_run = j_end
            if is_large:
                while j_from < j_end and b_entries[j_from] >> 32 < key:
                    j_from += 1
                j_run = _run_end(b_entries, j_from, j_end, key)
                if i == i_start or a_entries[i - 1] >> 32 != key:
                    i_run = _run_end(a_entries, i, i_end, key)
                    if (i_run - i) * (j_run - j_from) > most_pairs:
                        state[4] = i
                        state[5] = j_from
                        state[6] = j_run
                        i = i_run
                        ended = 2
                        break
            if pair_a.shape[0] - n_found < n_waiting + j_run - j_from:
                ended = 1
                break
            for j in range(j_from, j_run):
                waiting[n_waiting] = (
                    (a_entries[i] << 32) | (b_entries[j] & <uint64_t>0xFFFFFFFF)
                )
                n_waiting += b_entries[j] >> 32 == key
                chanfp_prefetch(&a_sketches[2 * <int64_t>(a_entries[i] & <uint64_t>0xFFFFFFFF)])
                chanfp_prefetch(&b_sketches[2 * <int64_t>(b_entries[j] & <uint64_t>0xFFFFFFFF)])
                if n_waiting == WAITING_PAIRS:
                    n_seen += n_waiting
                    n_found = _verify_pairs(
                        waiting, n_waiting, a_indptr, a_indices, a_sketches, a_keys,
                        b_indptr, b_indices, b_sketches, b_keys, min_jaccard, n_bands, band,
                        n_found, pair_a, pair_b, pair_shared, &n_merged,
                    )
                    n_waiting = 0
            i += 1
        if ended == 0:
            place += 1
    n_seen += n_waiting
    n_found = _verify_pairs(
        waiting, n_waiting, a_indptr, a_indices, a_sketches, a_keys, b_indptr, b_indices,
        b_sketches, b_keys, min_jaccard, n_bands, band, n_found, pair_a, pair_b, pair_shared,
        &n_merged,
    )
    state[0] = place
    state[1] = i
    state[2] = n_found
    state[3] = n_seen
    state[7] = n_merged
    return ended


def join_band(
    const int64_t[::1] a_indptr, const index_t[::1] a_indices, const uint64_t[::1] a_sketches,
    const uint32_t[::1] a_keys, uint64_t[::1] a_entries, const int32_t[::1] a_ends,
    const int64_t[::1] b_indptr, const index_t[::1] b_indices, const uint64_t[::1] b_sketches,
    const uint32_t[::1] b_keys, uint64_t[::1] b_entries, const int32_t[::1] b_ends,
    const int32_t[::1] live, int64_t n_live,
    double min_jaccard, int64_t n_bands, int64_t band, int64_t most_pairs, int64_t[::1] state,
    int64_t[::1] pair_a, int64_t[::1] pair_b, int32_t[::1] pair_shared,
):
    """Write the similar pairs that meet in a bucket of this band and in none of an earlier one.

    Only the first `n_live` buckets of `live` are looked at, as `find_live` lists them. Returns 0
    if the band is done; 1 if the outputs, which must have room for a pair with every row of b, are
    full; 2 at a bucket of more than `most_pairs` pairs. Then `state` (int64, 8 places, zeros to
    begin with) says where to go on, in place 2 how many pairs were written, in place 3 how many
    candidates were looked at so far, in place 7 how many of them were merged, and after a 2 the
    bucket: entries of a from place 4 to place 1, of b from place 5 to place 6. Large buckets of
    entries get sorted.
    """
    cdef int ended
    with nogil:
        ended = _join_band(
            a_indptr, a_indices, a_sketches, a_keys, a_entries, a_ends,
            b_indptr, b_indices, b_sketches, b_keys, b_entries, b_ends, live, n_live,
            min_jaccard, n_bands, band, most_pairs, state, pair_a, pair_b, pair_shared,
        )
    return ended
