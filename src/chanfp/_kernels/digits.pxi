# Numbers written as 8 to 15 plain digits, as most are: read eight signs at a time, and judged by
# their length and first four digits where these decide.

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    /* The first sign becomes the lowest byte on every machine. */
    static inline uint64_t chanfp_load_signs(const void *signs) {
        uint64_t word;
        memcpy(&word, signs, 8);
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
    #endif
        return word;
    }
    """
    uint64_t chanfp_load_signs(const void* signs) noexcept nogil

cdef enum:
    FEWEST_DIGITS = 8
    MOST_DIGITS = 15
    N_LEADS = 10000
    NO_SHORTCUT = 0


cdef inline bint are_digits(uint64_t signs) noexcept nogil:
    # Adding 0x76 takes a byte of 10 or more, counted from "0", beyond 0x7f.
    cdef uint64_t values = signs ^ <uint64_t>0x3030303030303030
    return ((values + <uint64_t>0x7676767676767676) | values) & <uint64_t>0x8080808080808080 == 0


cdef inline uint64_t eight_digits(uint64_t signs) noexcept nogil:
    # The value of eight digits: pairs, then fours, then all, each with one multiplication.
    cdef uint64_t value = signs & <uint64_t>0x0F0F0F0F0F0F0F0F
    value = (value * <uint64_t>2561) >> 8
    value = ((value & <uint64_t>0x00FF00FF00FF00FF) * <uint64_t>6553601) >> 16
    return ((value & <uint64_t>0x0000FFFF0000FFFF) * <uint64_t>42949672960001) >> 32


cdef inline uint16_t shortcut_state(
    const uint8_t* signs, int64_t length, const uint16_t[::1] shortcuts, uint64_t* value
) noexcept nogil:
    # The state at the end of a text, and its value as a number; NO_SHORTCUT: the automaton must
    # walk. The last eight signs and the first eight overlap, so nothing beyond the text is read.
    cdef uint64_t first = chanfp_load_signs(signs)
    cdef uint64_t last = chanfp_load_signs(signs + length - FEWEST_DIGITS)
    if not are_digits(first) or not are_digits(last):
        return NO_SHORTCUT
    value[0] = eight_digits(last)
    if length > FEWEST_DIGITS:
        value[0] += 100000000 * eight_digits(first << (8 * (2 * FEWEST_DIGITS - length)))
    return shortcuts[N_LEADS * (length - FEWEST_DIGITS) + <int64_t>eight_digits(first << 32)]
