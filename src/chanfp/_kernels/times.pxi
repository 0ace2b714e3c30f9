# Times and durations: text in Arrow string buffers -> seconds.
#
# Time stamps understood: `YYYY-MM-DD`, `YYYY/MM/DD`, either followed by a space or `T` and
# `HH:MM[:SS[.fraction]]` and an optional `Z`, `+HH:MM`, `+HHMM` or `+HH`; `YYYYMMDD`,
# `YYYYMMDDHHMMSS`; epoch seconds (9 or 10 digits) and milliseconds (12 or 13 digits).

cdef enum:
    TIME_NAIVE = 0
    TIME_ZONED = 1
    TIME_DATE = 2
    TIME_MISSING = 3
    TIME_INVALID = 4


cdef inline bint _is_digit(uint8_t c) noexcept nogil:
    return 48 <= c <= 57


cdef inline int64_t _days_from_civil(int64_t year, int64_t month, int64_t day) noexcept nogil:
    # Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that
    # the leap day is the last one.
    cdef int64_t y = year - 1 if month <= 2 else year
    cdef int64_t m = month + 9 if month <= 2 else month - 3
    cdef int64_t era = y // 400
    cdef int64_t year_of_era = y - era * 400
    cdef int64_t day_of_year = (153 * m + 2) // 5 + day - 1
    return (era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100
            + day_of_year - 719468)


cdef inline int64_t _days_in_month(int64_t year, int64_t month) noexcept nogil:
    if month == 2:
        if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
            return 29
        return 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


cdef inline int64_t _read_int(
    const uint8_t[::1] data, int64_t* at, int64_t end, int64_t most
) noexcept nogil:
    # Up to `most` digits from `at`, which moves behind them; -1 where there is none.
    cdef int64_t value = 0
    cdef int64_t first = at[0]
    while at[0] < end and at[0] - first < most and _is_digit(data[at[0]]):
        value = value * 10 + data[at[0]] - 48
        at[0] += 1
    return -1 if at[0] == first else value


cdef inline bint _eat(
    const uint8_t[::1] data, int64_t* at, int64_t end, uint8_t wanted
) noexcept nogil:
    if at[0] < end and data[at[0]] == wanted:
        at[0] += 1
        return True
    return False


cdef inline bint _valid_date(int64_t year, int64_t month, int64_t day) noexcept nogil:
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= _days_in_month(year, month)


cdef inline bint _valid_clock(int64_t hour, int64_t minute, int64_t second) noexcept nogil:
    return 0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 60


cdef uint8_t _parse_digits(
    const uint8_t[::1] data, int64_t start, int64_t end, int64_t* seconds
) noexcept nogil:
    cdef int64_t at = start
    cdef int64_t length = end - start
    cdef int64_t year, month, day, hour = 0, minute = 0, second = 0
    if length == 8 or length == 14:
        year = _read_int(data, &at, end, 4)
        month = _read_int(data, &at, end, 2)
        day = _read_int(data, &at, end, 2)
        if length == 14:
            hour = _read_int(data, &at, end, 2)
            minute = _read_int(data, &at, end, 2)
            second = _read_int(data, &at, end, 2)
        if not _valid_date(year, month, day) or not _valid_clock(hour, minute, second):
            return TIME_INVALID
        seconds[0] = (_days_from_civil(year, month, day) * 86400
                      + hour * 3600 + minute * 60 + second)
        return TIME_NAIVE if length == 14 else TIME_DATE
    if length == 9 or length == 10:
        seconds[0] = _read_int(data, &at, end, 10)
        return TIME_ZONED
    if length == 12 or length == 13:
        seconds[0] = _read_int(data, &at, end, 13) // 1000
        return TIME_ZONED
    return TIME_INVALID


cdef uint8_t _parse_zone(
    const uint8_t[::1] data, int64_t at, int64_t end, int64_t* seconds
) noexcept nogil:
    # What stands behind the clock: nothing, `Z`, or an offset from UTC.
    cdef int64_t sign, hours, minutes = 0
    if at == end:
        return TIME_NAIVE
    if _eat(data, &at, end, 90) or _eat(data, &at, end, 122):
        return TIME_ZONED if at == end else TIME_INVALID
    if data[at] != 43 and data[at] != 45:
        return TIME_INVALID
    sign = 1 if data[at] == 43 else -1
    at += 1
    hours = _read_int(data, &at, end, 2)
    if at < end:
        _eat(data, &at, end, 58)
        minutes = _read_int(data, &at, end, 2)
    if at != end or hours < 0 or hours > 15 or minutes < 0 or minutes > 59:
        return TIME_INVALID
    seconds[0] -= sign * (hours * 3600 + minutes * 60)
    return TIME_ZONED


cdef uint8_t _parse_time(
    const uint8_t[::1] data, int64_t start, int64_t end, int64_t* seconds
) noexcept nogil:
    cdef int64_t at = start
    cdef int64_t year, month, day, hour, minute, second = 0
    cdef uint8_t separator
    while at < end and _is_digit(data[at]):
        at += 1
    if at == end:
        return _parse_digits(data, start, end, seconds)
    if at - start != 4 or (data[at] != 45 and data[at] != 47):
        return TIME_INVALID
    separator = data[at]
    at = start
    year = _read_int(data, &at, end, 4)
    at += 1
    month = _read_int(data, &at, end, 2)
    if not _eat(data, &at, end, separator):
        return TIME_INVALID
    day = _read_int(data, &at, end, 2)
    if not _valid_date(year, month, day):
        return TIME_INVALID
    seconds[0] = _days_from_civil(year, month, day) * 86400
    if at == end:
        return TIME_DATE
    if not _eat(data, &at, end, 32) and not _eat(data, &at, end, 84):
        return TIME_INVALID
    hour = _read_int(data, &at, end, 2)
    if not _eat(data, &at, end, 58):
        return TIME_INVALID
    minute = _read_int(data, &at, end, 2)
    if _eat(data, &at, end, 58):
        second = _read_int(data, &at, end, 2)
        if _eat(data, &at, end, 46):
            if _read_int(data, &at, end, 9) < 0:
                return TIME_INVALID
    if not _valid_clock(hour, minute, second):
        return TIME_INVALID
    seconds[0] += hour * 3600 + minute * 60 + second
    return _parse_zone(data, at, end, seconds)


cdef inline void _trim(
    const uint8_t[::1] data, int64_t* start, int64_t* end
) noexcept nogil:
    while start[0] < end[0] and data[start[0]] <= 32:
        start[0] += 1
    while end[0] > start[0] and data[end[0] - 1] <= 32:
        end[0] -= 1


cdef void _parse_times(
    const index_t[::1] offsets, const uint8_t[::1] data, int64_t[::1] seconds,
    uint8_t[::1] status,
) noexcept nogil:
    cdef int64_t row, start, end
    for row in range(status.shape[0]):
        start = offsets[row]
        end = offsets[row + 1]
        seconds[row] = 0
        _trim(data, &start, &end)
        if start == end:
            status[row] = TIME_MISSING
        else:
            status[row] = _parse_time(data, start, end, &seconds[row])
            if status[row] == TIME_INVALID:
                seconds[row] = 0


def parse_times(
    const index_t[::1] offsets, const uint8_t[::1] data, int64_t[::1] seconds,
    uint8_t[::1] status,
):
    """Parse time stamps; a naive one counts as if it were UTC.

    `offsets` has one entry more than `seconds` (int64, seconds since 1970) and `status` (uint8:
    0 naive, 1 with a zone or epoch, 2 date only, 3 missing, 4 invalid; seconds are 0 for the last
    two). Fractions of a second are cut off.
    """
    with nogil:
        _parse_times(offsets, data, seconds, status)


cdef enum:
    DURATION_MISSING = -1
    DURATION_INVALID = -2
    DURATION_NEGATIVE = -3
    LONGEST_DURATION_S = 0x7fffffff


cdef int32_t _parse_duration(
    const uint8_t[::1] data, int64_t start, int64_t end
) noexcept nogil:
    cdef int64_t at = start
    cdef int64_t value, part
    cdef int fields = 1
    cdef bint negative = _eat(data, &at, end, 45)
    value = _read_int(data, &at, end, 12)
    while not negative and fields < 3 and _eat(data, &at, end, 58):
        part = _read_int(data, &at, end, 2)
        if part < 0 or part > 59 or value < 0:
            return DURATION_INVALID
        value = value * 60 + part
        fields += 1
    if fields == 2:
        return DURATION_INVALID
    if fields == 1 and _eat(data, &at, end, 46):
        while at < end and _is_digit(data[at]):
            at += 1
    if value < 0 or at != end or value > LONGEST_DURATION_S:
        return DURATION_INVALID
    return DURATION_NEGATIVE if negative and value > 0 else <int32_t>value


cdef inline int32_t _short_number(
    const uint8_t[::1] data, int64_t start, int64_t end
) noexcept nogil:
    # The value of 1 to 9 digits, as nearly all durations are written; -1: something else.
    cdef int32_t value = 0
    cdef int64_t at
    if start == end or end - start > 9:
        return -1
    for at in range(start, end):
        if not _is_digit(data[at]):
            return -1
        value = value * 10 + data[at] - 48
    return value


cdef void _parse_durations(
    const index_t[::1] offsets, const uint8_t[::1] data, int32_t[::1] seconds
) noexcept nogil:
    cdef int64_t row, start, end
    for row in range(seconds.shape[0]):
        start = offsets[row]
        end = offsets[row + 1]
        seconds[row] = _short_number(data, start, end)
        if seconds[row] >= 0:
            continue
        _trim(data, &start, &end)
        seconds[row] = (DURATION_MISSING if start == end
                        else _parse_duration(data, start, end))


def parse_durations(
    const index_t[::1] offsets, const uint8_t[::1] data, int32_t[::1] seconds
):
    """Parse durations given as seconds (a fraction is cut off) or `HH:MM:SS`.

    `seconds` (int32) becomes -1 where the text is empty, -2 where it is unreadable and -3 where
    the duration is below zero.
    """
    with nogil:
        _parse_durations(offsets, data, seconds)
