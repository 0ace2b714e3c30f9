# Open-addressing hash tables from 64-bit keys to 64-bit values, as flat arrays of (key, value).
#
# Capacity is a power of two and key 0 marks an empty slot, so no table may be more than half full
# and no key may be 0. Slots follow Fibonacci hashing (Knuth, The Art of Computer Programming 3,
# section 6.4): number keys are nearly consecutive, and the golden ratio spreads them.

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define chanfp_prefetch(address) __builtin_prefetch(address)
    #else
    #define chanfp_prefetch(address) ((void)(address))
    #endif
    """
    void chanfp_prefetch(const void* address) noexcept nogil

cdef enum:
    LOOKAHEAD = 64  # look-ups whose cache misses overlap


cdef inline int64_t _home_slot(uint64_t key, int shift) noexcept nogil:
    return <int64_t>((key * <uint64_t>0x9E3779B97F4A7C15) >> shift)


cdef inline int _slot_shift(const uint64_t[::1] table) noexcept nogil:
    cdef int shift = 64
    cdef int64_t capacity = table.shape[0] // 2
    while capacity > 1:
        capacity //= 2
        shift -= 1
    return shift


cdef inline int64_t _find_slot(
    const uint64_t[::1] table, int64_t slot, uint64_t key
) noexcept nogil:
    # The slot that holds the key, or the empty one where it would go.
    cdef int64_t last = table.shape[0] // 2 - 1
    while table[2 * slot] != 0 and table[2 * slot] != key:
        slot = (slot + 1) & last
    return slot


cdef int64_t _add_keys(
    uint64_t[::1] table, const uint64_t[::1] keys, int64_t start, int64_t* room
) noexcept nogil:
    # Add keys with the value 0 from `start` on until `room` new ones have come in.
    cdef int shift = _slot_shift(table)
    cdef int64_t at, ahead, slot
    for at in range(start, keys.shape[0]):
        ahead = at + LOOKAHEAD
        if ahead < keys.shape[0]:
            chanfp_prefetch(&table[2 * _home_slot(keys[ahead], shift)])
        slot = _find_slot(table, _home_slot(keys[at], shift), keys[at])
        if table[2 * slot] == 0:
            if room[0] == 0:
                return at
            table[2 * slot] = keys[at]
            table[2 * slot + 1] = 0
            room[0] -= 1
    return keys.shape[0]


def add_keys(uint64_t[::1] table, const uint64_t[::1] keys, int64_t start, int64_t room):
    """Add `keys` (uint64, none 0) from `start` on to a table.

    Returns the first one left out and the room left. Stops before the key that would be the
    `room` + 1st new one. `table` (uint64) has two places per slot, a power of two of slots.
    """
    cdef int64_t done
    with nogil:
        done = _add_keys(table, keys, start, &room)
    return done, room


cdef void _set_values(
    uint64_t[::1] table, const uint64_t[::1] keys, const int64_t[::1] values
) noexcept nogil:
    cdef int shift = _slot_shift(table)
    cdef int64_t at, slot
    for at in range(keys.shape[0]):
        slot = _find_slot(table, _home_slot(keys[at], shift), keys[at])
        table[2 * slot] = keys[at]
        table[2 * slot + 1] = <uint64_t>values[at]


def set_values(uint64_t[::1] table, const uint64_t[::1] keys, const int64_t[::1] values):
    """Give each of `keys` (uint64, none 0) its value; the table must have room."""
    with nogil:
        _set_values(table, keys, values)


cdef void _get_values(
    const uint64_t[::1] table, const uint64_t[::1] keys, int32_t[::1] values,
    int64_t start, int64_t stop,
) noexcept nogil:
    cdef int shift = _slot_shift(table)
    cdef int64_t at, ahead, slot
    for at in range(start, stop):
        ahead = at + LOOKAHEAD
        if ahead < stop:
            chanfp_prefetch(&table[2 * _home_slot(keys[ahead], shift)])
        slot = _find_slot(table, _home_slot(keys[at], shift), keys[at])
        values[at] = <int32_t>table[2 * slot + 1] if table[2 * slot] != 0 else -1


def get_values(
    const uint64_t[::1] table, const uint64_t[::1] keys, int32_t[::1] values,
    int64_t start, int64_t stop,
):
    """Write the value of keys `start` to `stop` into `values` (int32); -1 where there is none."""
    with nogil:
        _get_values(table, keys, values, start, stop)
