# Days: how many records each day has.


cdef void _count_days(const int64_t[::1] start_s, int64_t[::1] counts) noexcept nogil:
    cdef int64_t row
    for row in range(start_s.shape[0]):
        counts[start_s[row] // 86400] += 1


def count_days(const int64_t[::1] start_s, int64_t[::1] counts):
    """Add the records of each day since 1970 to `counts` (int64); times lie in 0 to 2**32 - 1."""
    with nogil:
        _count_days(start_s, counts)
