# Ties: pairs of a subscriber and a partner, each kept once with all the directions it was seen in.


cdef int64_t _unite_ties(
    uint64_t[::1] words, uint8_t[::1] ways, int32_t[::1] slots
) noexcept nogil:
    # The distinct ties move to the front, so a tie is read before its place is written over.
    cdef int64_t entry, slot, place, n_ties = 0
    cdef int64_t last = slots.shape[0] - 1
    cdef uint64_t subscriber, partner
    cdef int shift = 64
    while last >> (64 - shift):
        shift -= 1
    for entry in range(ways.shape[0]):
        subscriber = words[2 * entry]
        partner = words[2 * entry + 1]
        # An odd factor, so that (a, b) and (b, a) and neighbours of both begin apart.
        slot = _home_slot(subscriber * <uint64_t>0xBF58476D1CE4E5B9 + partner, shift) & last
        while True:
            place = slots[slot] - 1
            if place < 0:
                slots[slot] = <int32_t>(n_ties + 1)
                words[2 * n_ties] = subscriber
                words[2 * n_ties + 1] = partner
                ways[n_ties] = ways[entry]
                n_ties += 1
                break
            if words[2 * place] == subscriber and words[2 * place + 1] == partner:
                ways[place] |= ways[entry]
                break
            slot = (slot + 1) & last
    return n_ties


def unite_ties(uint64_t[::1] words, uint8_t[::1] ways, int32_t[::1] slots):
    """Keep each tie once, in the order they first come; return how many there are.

    `words` (uint64) holds subscriber and partner of each entry in turn, `ways` (uint8) one bit for
    each direction, which are united. Both are overwritten: the ties stand at the front. `slots`
    (int32, all zero) is a hash table, a power of two and at least twice the entries long.
    """
    cdef int64_t n_ties
    with nogil:
        n_ties = _unite_ties(words, ways, slots)
    return n_ties
