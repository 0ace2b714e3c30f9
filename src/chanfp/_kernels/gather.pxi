# Gathering: which subscriptions took part in each call, and when they showed signs of life.
#
# A subscription is known by its holding: its place in the list of holdings sorted by number and
# time. Each call of a holding becomes a word pair: the partner's key, and the call: its time in the
# upper half, then from the highest bit down: talk time unknown, talk time (28 bits), whether the
# record counts here, message, outgoing. A record gives one word to each side that is known; it
# counts at the first of them, so that records, not words, can be counted.

cdef enum:
    # What is noted of a holding; eight places, one cache line.
    FIRST_OWN = 0
    LAST_OWN = 1
    FIRST_SEEN = 2
    LAST_SEEN = 3
    N_CALLS = 4
    PERIOD_BEGIN = 5
    PERIOD_END = 6
    N_MORE = 7        # holdings of the same number that follow this one
    NOTES = 8
    COUNT_OUTSIDE = 0
    COUNT_UNKNOWN = 1
    COUNT_LATER = 2
    BLOCK_CALLS = 64  # calls whose cache misses overlap
    OUTSIDE = -1
    OUTGOING = 1
    MESSAGE = 2
    COUNTS_HERE = 4
    TALK_SHIFT = 3
    TALK_UNKNOWN_SHIFT = 31
    TALK_MASK = 0x7fffffff  # with the three flags


cdef inline int64_t _holding_at(
    const int64_t[::1] notes, int64_t holding, int64_t time_s
) noexcept nogil:
    # Who held the number at a time, given the first holding of the number.
    cdef int64_t last = holding + notes[NOTES * holding + N_MORE]
    while holding <= last:
        if time_s < notes[NOTES * holding + PERIOD_BEGIN]:
            return OUTSIDE
        if time_s <= notes[NOTES * holding + PERIOD_END]:
            return holding
        holding += 1
    return OUTSIDE


cdef inline void _note_sign(
    int64_t[::1] notes, int64_t holding, int64_t time_s, bint is_own
) noexcept nogil:
    cdef int64_t at = NOTES * holding
    if time_s < notes[at + FIRST_SEEN]:
        notes[at + FIRST_SEEN] = time_s
    if time_s > notes[at + LAST_SEEN]:
        notes[at + LAST_SEEN] = time_s
    if is_own:
        if time_s < notes[at + FIRST_OWN]:
            notes[at + FIRST_OWN] = time_s
        if time_s > notes[at + LAST_OWN]:
            notes[at + LAST_OWN] = time_s


cdef inline int64_t _find_block(
    const uint64_t[::1] table, int shift, const uint64_t[::1] caller,
    const uint64_t[::1] callee, const uint8_t[::1] served, int64_t start, int64_t stop,
    const int64_t[::1] notes, int64_t* sides, int64_t* found,
) noexcept nogil:
    # The known parties of some calls that are served, in order: 2 * row + side, and the first
    # holding of the number. All slots are fetched, then all are looked into, so that the cache
    # misses overlap; and what is noted of the holdings is fetched, too. Whether a party is known
    # is a coin toss that no processor foresees: each is written down, and stays if it is.
    cdef int64_t row, slot, side, n_found = 0, last = table.shape[0] // 2 - 1
    cdef uint64_t key
    for row in range(start, stop):
        chanfp_prefetch(&table[2 * _home_slot(caller[row], shift)])
        chanfp_prefetch(&table[2 * _home_slot(callee[row], shift)])
    for row in range(start, stop):
        for side in range(2):
            key = caller[row] if side == 0 else callee[row]
            slot = _home_slot(key, shift)
            # An empty slot or the key ends the search; the minimum makes one test of both.
            while min(table[2 * slot], table[2 * slot] ^ key) != 0:
                slot = (slot + 1) & last
            sides[n_found] = 2 * row + side
            found[n_found] = <int64_t>table[2 * slot + 1]
            chanfp_prefetch(&notes[NOTES * found[n_found]])
            n_found += (table[2 * slot] != 0) & (key != 0) & (served[row] >> side)
    return n_found


cdef inline uint64_t _call_word(
    int64_t start_s, int32_t duration_s, bint is_message
) noexcept nogil:
    # A call received, counted nowhere.
    cdef uint64_t talk = <uint64_t>1 << TALK_UNKNOWN_SHIFT
    if duration_s >= 0:
        talk = <uint64_t>duration_s << TALK_SHIFT
    return <uint64_t>start_s << 32 | talk | <uint64_t>(MESSAGE if is_message else 0)


cdef int64_t _gather_calls(
    const uint64_t[::1] caller, const uint64_t[::1] callee, const int64_t[::1] start_s,
    const int32_t[::1] duration_s, const uint8_t[::1] is_message, const uint8_t[::1] is_pair,
    const uint8_t[::1] served, const uint64_t[::1] table, int64_t reference_s, int64_t[::1] notes,
    uint8_t[::1] alive_later, int64_t[::1] counts, int32_t[::1] holdings, uint64_t[::1] words,
) noexcept nogil:
    cdef int shift = _slot_shift(table)
    cdef int64_t[2 * BLOCK_CALLS] sides, found
    cdef int64_t row, block, start, stop, at, n_found, side, holding, n_words = 0
    cdef int64_t last_known, last_written = -1
    cdef bint is_own
    for block in range((start_s.shape[0] + BLOCK_CALLS - 1) // BLOCK_CALLS):
        start = BLOCK_CALLS * block
        stop = min(start + BLOCK_CALLS, start_s.shape[0])
        n_found = _find_block(
            table, shift, caller, callee, served, start, stop, notes, sides, found
        )
        for row in range(start, stop):
            counts[COUNT_LATER] += start_s[row] > reference_s
        counts[COUNT_UNKNOWN] += stop - start
        last_known = -1
        for at in range(n_found):
            row = sides[at] >> 1
            side = sides[at] & 1
            counts[COUNT_UNKNOWN] -= row != last_known
            last_known = row
            holding = _holding_at(notes, found[at], start_s[row])
            if holding == OUTSIDE:
                counts[COUNT_OUTSIDE] += 1
                continue
            # Others still dial a dead number, so a call that nobody took is no sign of life; nor
            # is what services send to everybody.
            is_own = (side == 0) | (
                (is_pair[row] != 0) & ((is_message[row] != 0) | (duration_s[row] > 0))
            )
            if start_s[row] > reference_s:
                alive_later[holding] |= is_own
                continue
            _note_sign(notes, holding, start_s[row], is_own)
            # Written down always, and kept if both are subscribers.
            holdings[n_words] = <int32_t>holding
            words[2 * n_words] = callee[row] if side == 0 else caller[row]
            words[2 * n_words + 1] = (
                _call_word(start_s[row], duration_s[row], is_message[row])
                | <uint64_t>(OUTGOING if side == 0 else 0)
                | <uint64_t>(COUNTS_HERE if row != last_written else 0)
            )
            if is_pair[row]:
                last_written = row
                notes[NOTES * holding + N_CALLS] += 1
                n_words += 1
    return n_words


def gather_calls(
    const uint64_t[::1] caller, const uint64_t[::1] callee, const int64_t[::1] start_s,
    const int32_t[::1] duration_s, const uint8_t[::1] is_message, const uint8_t[::1] is_pair,
    const uint8_t[::1] served, const uint64_t[::1] table, int64_t reference_s, int64_t[::1] notes,
    uint8_t[::1] alive_later, int64_t[::1] counts, int32_t[::1] holdings, uint64_t[::1] words,
):
    """Write an entry for each call of a known subscription up to `reference_s`; return how many.

    `served` (uint8) says for whom a call speaks: bit 1 the caller, bit 2 the callee; the other
    side is passed over. `table` finds the first holding of a number. `notes` (int64, 8 places per
    holding) are first and last sign of life, first and last record, entries written, all carried
    on; then first and last second of the holding, and how many holdings of the same number follow.
    `alive_later` (uint8) is set where a sign of life follows the reference, `counts` (int64:
    parties outside any period, calls without a known party, calls after the reference) is added
    to. `holdings` (int32) and `words` (uint64, two per entry: partner key, then time << 32 | talk
    time unknown << 31 | talk time << 3 | counts here << 2 | message << 1 | outgoing) need room for
    two entries per call. Times lie in 0 to 2**32 - 1, durations below 2**28, unknown ones below 0.
    """
    cdef int64_t n_entries
    with nogil:
        n_entries = _gather_calls(
            caller, callee, start_s, duration_s, is_message, is_pair, served, table, reference_s,
            notes,
            alive_later, counts, holdings, words,
        )
    return n_entries


cdef void _count_partitions(
    const int32_t[::1] holdings, int shift, int64_t[::1] counts
) noexcept nogil:
    cdef int64_t entry
    for entry in range(holdings.shape[0]):
        counts[holdings[entry] >> shift] += 1


def count_partitions(const int32_t[::1] holdings, int shift, int64_t[::1] counts):
    """Add to `counts` (int64) how many entries each partition, ``holding >> shift``, has."""
    with nogil:
        _count_partitions(holdings, shift, counts)


cdef void _partition_calls(
    const int32_t[::1] holdings, const uint64_t[::1] words, int shift, int64_t[::1] cursor,
    int32_t[::1] sorted_holdings, uint64_t[::1] sorted_words,
) noexcept nogil:
    cdef int64_t entry, slot, partition
    for entry in range(holdings.shape[0]):
        partition = holdings[entry] >> shift
        slot = cursor[partition]
        cursor[partition] = slot + 1
        sorted_holdings[slot] = holdings[entry]
        sorted_words[2 * slot] = words[2 * entry]
        sorted_words[2 * slot + 1] = words[2 * entry + 1]


def partition_calls(
    const int32_t[::1] holdings, const uint64_t[::1] words, int shift, int64_t[::1] cursor,
    int32_t[::1] sorted_holdings, uint64_t[::1] sorted_words,
):
    """Sort entries by ``holding >> shift``, keeping their order within.

    `cursor` (int64) says where each partition begins and is moved to where it ends.
    """
    with nogil:
        _partition_calls(holdings, words, shift, cursor, sorted_holdings, sorted_words)


cdef void _scatter_calls(
    const int32_t* holdings, const uint64_t* words, int64_t n_entries, int64_t first,
    int64_t[::1] cursor, uint64_t[::1] sorted_words,
) noexcept nogil:
    cdef int64_t entry, slot
    for entry in range(n_entries):
        slot = cursor[holdings[entry] - first]
        cursor[holdings[entry] - first] = slot + 1
        sorted_words[2 * slot] = words[2 * entry]
        sorted_words[2 * slot + 1] = words[2 * entry + 1]


cdef void _scatter_parts(
    const uint64_t[::1] holdings_at, const uint64_t[::1] words_at, const int64_t[::1] n_entries,
    int64_t first, int64_t[::1] cursor, uint64_t[::1] sorted_words,
) noexcept nogil:
    cdef int64_t part
    for part in range(n_entries.shape[0]):
        _scatter_calls(
            <const int32_t*><size_t>holdings_at[part], <const uint64_t*><size_t>words_at[part],
            n_entries[part], first, cursor, sorted_words,
        )


def scatter_parts(
    const uint64_t[::1] holdings_at, const uint64_t[::1] words_at, const int64_t[::1] n_entries,
    int64_t first, int64_t[::1] cursor, uint64_t[::1] sorted_words,
):
    """Put each entry's words where `cursor` (int64) of its holding says, and move it on.

    The entries are those of many parts: `n_entries` (int64) of each, whose holdings (int32) and
    words (uint64, two per entry) lie at the addresses `holdings_at` and `words_at` (uint64), kept
    alive by the caller. One call for all of them, for parts are small and a call for each would
    cost more than its entries do. `cursor` begins with holding `first`.
    """
    with nogil:
        _scatter_parts(holdings_at, words_at, n_entries, first, cursor, sorted_words)
