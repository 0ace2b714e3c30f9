# Days: how many records each day has, and on how many days somebody was alive.

cdef enum:
    # Made, a message, or talk time above 0: of the low bits of a call all but whether it counts.
    SIGN_OF_LIFE = 0x7ffffffb


cdef void _count_days(const int64_t[::1] start_s, int64_t[::1] counts) noexcept nogil:
    cdef int64_t row
    for row in range(start_s.shape[0]):
        counts[start_s[row] // 86400] += 1


def count_days(const int64_t[::1] start_s, int64_t[::1] counts):
    """Add the records of each day since 1970 to `counts` (int64); times lie in 0 to 2**32 - 1."""
    with nogil:
        _count_days(start_s, counts)


cdef void _count_active_days(
    const int64_t[::1] indptr, const uint64_t[::1] words, const int64_t[::1] rows,
    int64_t first_day, uint8_t[::1] seen, int64_t n_weeks, uint8_t[::1] days,
) noexcept nogil:
    cdef int64_t row, entry, day, begin, end
    for row in range(rows.shape[0]):
        begin, end = indptr[rows[row]], indptr[rows[row] + 1]
        for entry in range(begin, end):
            if words[2 * entry + 1] & SIGN_OF_LIFE:
                day = <int64_t>(words[2 * entry + 1] >> 32) // 86400 - first_day
                if not seen[day]:
                    seen[day] = 1
                    days[n_weeks * row + day // 7] += 1
        for entry in range(begin, end):
            seen[<int64_t>(words[2 * entry + 1] >> 32) // 86400 - first_day] = 0


def count_active_days(
    const int64_t[::1] indptr, const uint64_t[::1] words, const int64_t[::1] rows,
    int64_t first_day, uint8_t[::1] seen, uint8_t[::1] days,
):
    """Count the days of each week on which each row showed a sign of life to a partner.

    Row i takes the entries ``indptr[rows[i]]`` to ``indptr[rows[i] + 1]`` of `words` (as
    `gather_calls` writes them), none before `first_day`, in days since 1970: calls made, answered
    calls, messages. `seen` (uint8, all zero, and again so afterwards) needs a place for each day up
    to the last, a multiple of 7; `days` (uint8, all zero) one for each row and week, row after row.
    """
    with nogil:
        _count_active_days(indptr, words, rows, first_day, seen, seen.shape[0] // 7, days)
