# Repeats: calls that were delivered more than once, by two exchanges or in two files.
#
# Two entries of a holding are the same call if partner, direction and kind are equal and neither
# their times nor their talk times, where both are known, differ by more than a tolerance.

cdef enum:
    SAME_KIND = 3  # OUTGOING | MESSAGE


cdef int _compare_calls(const void* left, const void* right) noexcept nogil:
    # By partner, kind and time; at one time, known talk times come first.
    cdef const uint64_t* a = <const uint64_t*>left
    cdef const uint64_t* b = <const uint64_t*>right
    if a[0] != b[0]:
        return (a[0] > b[0]) - (a[0] < b[0])
    if (a[1] ^ b[1]) & SAME_KIND:
        return ((a[1] & SAME_KIND) > (b[1] & SAME_KIND)) - ((a[1] & SAME_KIND) < (b[1] & SAME_KIND))
    return (a[1] > b[1]) - (a[1] < b[1])


cdef inline bint _talk_differs(uint64_t one, uint64_t other, int64_t tolerance_s) noexcept nogil:
    cdef int64_t apart
    if (one | other) >> TALK_UNKNOWN_SHIFT & 1:
        return False
    apart = (<int64_t>((one & TALK_MASK) >> TALK_SHIFT)
             - <int64_t>((other & TALK_MASK) >> TALK_SHIFT))
    return apart > tolerance_s or -apart > tolerance_s


cdef void _find_repeats(
    uint64_t[::1] words, int64_t start, int64_t stop, int64_t tolerance_s, int64_t[::1] kept,
    int64_t[::1] originals,
) noexcept nogil:
    # Of sorted entries, say which one each repeats: the latest one kept that fits, else itself.
    cdef int64_t entry, at, n_kept = 0
    cdef uint64_t call, other
    for entry in range(start, stop):
        call = words[2 * entry + 1]
        originals[entry - start] = entry
        at = n_kept
        while at > 0:
            at -= 1
            other = words[2 * kept[at] + 1]
            if (
                words[2 * kept[at]] != words[2 * entry]
                or (call ^ other) & SAME_KIND
                or <int64_t>(call >> 32) - <int64_t>(other >> 32) > tolerance_s
            ):
                break
            if _talk_differs(call, other, tolerance_s):
                continue
            originals[entry - start] = kept[at]
            if other >> TALK_UNKNOWN_SHIFT & 1:
                # What one record doesn't know, the other tells.
                words[2 * kept[at] + 1] = (
                    other & ~<uint64_t>(<uint64_t>1 << TALK_UNKNOWN_SHIFT)
                    | call & <uint64_t>(<uint64_t>0xfffffff8)
                )
            break
        if originals[entry - start] == entry:
            kept[n_kept] = entry
            n_kept += 1


cdef void _find_all_repeats(
    const int64_t[::1] indptr, uint64_t[::1] words, int64_t tolerance_s, int64_t[::1] kept,
    int64_t[::1] originals,
) noexcept nogil:
    cdef int64_t row
    for row in range(indptr.shape[0] - 1):
        if indptr[row] < indptr[row + 1]:
            _find_repeats(words, indptr[row], indptr[row + 1], tolerance_s, kept,
                          originals[indptr[row]:indptr[row + 1]])


def find_repeats(
    const int64_t[::1] indptr, uint64_t[::1] words, int64_t tolerance_s, int64_t[::1] kept,
    int64_t[::1] originals,
):
    """Say of each entry which one it repeats; itself if none.

    Entries ``indptr[i]`` to ``indptr[i + 1]`` of `words` (as `gather_calls` writes them) are the
    calls of row i, sorted by partner, then the lowest two bits of the call, then the call. An
    unknown talk time of an entry is filled in from the first repeat that knows it. `originals`
    (int64) has a place for each entry, `kept` (int64) for each of the longest row.
    """
    with nogil:
        _find_all_repeats(indptr, words, tolerance_s, kept, originals)


cdef int64_t _drop_repeats(
    const int64_t[::1] indptr, uint64_t[::1] words, int64_t tolerance_s, int64_t[::1] kept,
    int64_t[::1] originals, int64_t[::1] kept_indptr,
) noexcept nogil:
    cdef int64_t row, entry, n_kept = 0, n_records = 0
    kept_indptr[0] = 0
    for row in range(indptr.shape[0] - 1):
        if indptr[row + 1] - indptr[row] > 1:
            qsort(&words[2 * indptr[row]], <size_t>(indptr[row + 1] - indptr[row]),
                  2 * sizeof(uint64_t), _compare_calls)
        _find_repeats(words, indptr[row], indptr[row + 1], tolerance_s, kept, originals)
        for entry in range(indptr[row], indptr[row + 1]):
            if originals[entry - indptr[row]] != entry:
                n_records += (words[2 * entry + 1] & COUNTS_HERE) != 0
                continue
            words[2 * n_kept] = words[2 * entry]
            words[2 * n_kept + 1] = words[2 * entry + 1]
            n_kept += 1
        kept_indptr[row + 1] = n_kept
    return n_records


def drop_repeats(
    const int64_t[::1] indptr, uint64_t[::1] words, int64_t tolerance_s, int64_t[::1] kept,
    int64_t[::1] originals, int64_t[::1] kept_indptr,
):
    """Drop calls of each row that repeat another; return how many records that takes away.

    Rows are as in `find_repeats`, in any order within; the earliest call stays. What is kept moves
    to the front of `words`, and `kept_indptr` (int64, like `indptr`) tells where. `kept` and
    `originals` (int64) need a place for each entry of the longest row. A record counts once, though
    both parties may have it.
    """
    cdef int64_t n_records
    with nogil:
        n_records = _drop_repeats(indptr, words, tolerance_s, kept, originals, kept_indptr)
    return n_records
