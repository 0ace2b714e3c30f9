# Fields of CSV text without quotes: cut at delimiters and line ends, sixteen bytes at a time.

cdef extern from *:
    """
    #include <stdint.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif
    /* Bit i tells whether byte i of sixteen is a delimiter, a line feed or a quote. */
    static inline uint32_t chanfp_find_marks(const uint8_t *text, uint8_t delimiter) {
    #if defined(__SSE2__)
        const __m128i bytes = _mm_loadu_si128((const __m128i *)text);
        const __m128i marks = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)delimiter)),
                         _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\n'))),
            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        return (uint32_t)_mm_movemask_epi8(marks);
    #else
        uint32_t marks = 0;
        int at;
        for (at = 0; at < 16; at++)
            marks |= (uint32_t)(text[at] == delimiter || text[at] == '\\n' || text[at] == '"')
                     << at;
        return marks;
    #endif
    }
    static inline int chanfp_lowest_bit(uint32_t bits) {
    #if defined(__GNUC__) || defined(__clang__)
        return __builtin_ctz(bits);
    #else
        int at = 0;
        while (!(bits >> at & 1)) at++;
        return at;
    #endif
    }
    """
    uint32_t chanfp_find_marks(const uint8_t* text, uint8_t delimiter) noexcept nogil
    int chanfp_lowest_bit(uint32_t bits) noexcept nogil

cdef enum:
    STEP_BYTES = 16


cdef inline uint32_t _marks_at(
    const uint8_t[::1] text, int64_t base, uint8_t delimiter
) noexcept nogil:
    # The marks among the next sixteen bytes, or as many as there are.
    cdef uint32_t marks = 0
    cdef int64_t at
    if base + STEP_BYTES <= text.shape[0]:
        return chanfp_find_marks(&text[base], delimiter)
    for at in range(base, text.shape[0]):
        if text[at] == delimiter or text[at] == c"\n" or text[at] == c'"':
            marks |= <uint32_t>1 << (at - base)
    return marks


cdef int64_t _cut_fields(
    const uint8_t[::1] text, uint8_t delimiter, const int32_t[::1] places, int64_t n_rows,
    int32_t[::1] ends, uint8_t[::1] columns, int64_t n_columns,
) noexcept nogil:
    cdef int64_t room = columns.shape[0] // n_columns
    cdef int64_t base = 0, begin = 0, row = 0, field = 0, at, length, end, place
    cdef uint32_t marks
    while base < text.shape[0]:
        marks = _marks_at(text, base, delimiter)
        while marks:
            at = base + chanfp_lowest_bit(marks)
            marks &= marks - 1
            if text[at] == c'"' or field == places.shape[0] or row == n_rows:
                return -1
            place = places[field]
            if place >= 0:
                length = at - begin
                if text[at] == c"\n" and length > 0 and text[at - 1] == c"\r":
                    length -= 1
                end = ends[place * n_rows + row - 1] if row > 0 else 0
                if (length <= STEP_BYTES and begin + STEP_BYTES <= text.shape[0]
                        and end + STEP_BYTES <= room):
                    memcpy(&columns[place * room + end], &text[begin], STEP_BYTES)
                elif length > room - end:
                    return -1
                elif length > 0:
                    memcpy(&columns[place * room + end], &text[begin], <size_t>length)
                ends[place * n_rows + row] = <int32_t>(end + length)
            begin = at + 1
            field += 1
            if text[at] == c"\n":
                if field != places.shape[0]:
                    return -1
                field = 0
                row += 1
        base += STEP_BYTES
    return row if begin == text.shape[0] else -1


def cut_fields(
    const uint8_t[::1] text, uint8_t delimiter, const int32_t[::1] places, int64_t n_rows,
    int32_t[::1] ends, uint8_t[::1] columns, int64_t n_columns,
):
    """Cut lines into fields and put those of some columns together; return how many lines.

    `text` (uint8, below 2**31 bytes) is whole lines ending in line feeds, with or without a
    carriage return, `n_rows` of them at most. `places` (int32) has for each field of a line the
    place of its column, or -1 where it isn't wanted. `columns` (uint8) has equal room for each of
    `n_columns` (1 or more), and `ends` (int32, `n_rows` per column) gets where each value ends in
    it. -1: a line has a quote or another number of fields, or there is no room.
    """
    cdef int64_t n_lines
    with nogil:
        n_lines = _cut_fields(text, delimiter, places, n_rows, ends, columns, n_columns)
    return n_lines
