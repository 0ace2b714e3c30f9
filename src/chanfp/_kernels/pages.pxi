# Pages of Parquet files: plain text values, each behind its length, to Arrow's layout.
#
# The format: https://parquet.apache.org/docs/file-format/data-pages/encodings, "Plain" and
# "Run Length Encoding / Bit-Packing Hybrid".

cdef enum:
    WIDE_COPY = 16  # bytes copied at once, most of them needless, where there is room


cdef inline uint32_t _read_length(const uint8_t[::1] page, int64_t at) noexcept nogil:
    return (<uint32_t>page[at] | <uint32_t>page[at + 1] << 8
            | <uint32_t>page[at + 2] << 16 | <uint32_t>page[at + 3] << 24)


cdef int64_t _read_levels(
    const uint8_t[::1] levels, uint8_t[::1] is_present
) noexcept nogil:
    # Definition levels of 0 and 1 in runs; returns how many are 1, -1 if they don't add up.
    cdef int64_t at = 0, row = 0, n_present = 0, run, step
    cdef uint64_t header
    cdef int bits
    while row < is_present.shape[0]:
        header = 0
        bits = 0
        while True:
            if at >= levels.shape[0] or bits > 28:
                return -1
            header |= <uint64_t>(levels[at] & 0x7F) << bits
            bits += 7
            at += 1
            if levels[at - 1] < 0x80:
                break
        run = <int64_t>(header >> 1)
        if header & 1:
            run = min(8 * run, is_present.shape[0] - row)
            if at + (run + 7) // 8 > levels.shape[0]:
                return -1
            for step in range(run):
                is_present[row + step] = (levels[at + (step >> 3)] >> (step & 7)) & 1
                n_present += is_present[row + step]
            at += (run + 7) // 8
        else:
            run = min(run, is_present.shape[0] - row)
            if at >= levels.shape[0] or levels[at] > 1 or run == 0:
                return -1
            for step in range(run):
                is_present[row + step] = levels[at]
            n_present += run * levels[at]
            at += 1
        row += run
    return n_present


def read_levels(const uint8_t[::1] levels, uint8_t[::1] is_present):
    """Write which values of a page are there (uint8, 0 or 1); return how many are.

    `levels` are definition levels of one bit each, run-length encoded. -1: they are damaged.
    """
    cdef int64_t n_present
    with nogil:
        n_present = _read_levels(levels, is_present)
    return n_present


cdef int64_t _cut_values(
    const uint8_t[::1] values, const uint8_t[::1] is_present, int64_t begin,
    int32_t[::1] ends, uint8_t[::1] text,
) noexcept nogil:
    cdef int64_t row, length, at = 0, end = begin
    cdef bint is_whole = is_present.shape[0] == 0
    for row in range(ends.shape[0]):
        if is_whole or is_present[row]:
            if at + 4 > values.shape[0]:
                return -1
            length = _read_length(values, at)
            at += 4
            if length > values.shape[0] - at or length > text.shape[0] - end:
                return -1
            if (length <= WIDE_COPY and at + WIDE_COPY <= values.shape[0]
                    and end + WIDE_COPY <= text.shape[0]):
                memcpy(&text[end], &values[at], WIDE_COPY)
            elif length > 0:
                memcpy(&text[end], &values[at], <size_t>length)
            at += length
            end += length
        ends[row] = <int32_t>end
    return end if at == values.shape[0] else -1


def cut_values(
    const uint8_t[::1] values, const uint8_t[::1] is_present, int64_t begin,
    int32_t[::1] ends, uint8_t[::1] text,
):
    """Cut plain values of a page into `text` (uint8) from `begin` on; return where they end.

    `values` are texts, each behind its length in four bytes, the lowest first. `ends` (int32, below
    2**31) gets where each row ends; a row that `is_present` (uint8; empty: all are) denies is
    empty. -1: the values are damaged or don't fit.
    """
    cdef int64_t end
    with nogil:
        end = _cut_values(values, is_present, begin, ends, text)
    return end
