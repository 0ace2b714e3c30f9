# Gathering: which subscriptions took part in each call, and when they showed signs of life.
#
# A subscription is known by its holding: its place in the list of holdings sorted by number and
# time. Each call of a holding becomes a word pair: the partner's key, and time << 32 | talk time
# << 1 | outgoing.

cdef enum:
    FIRST_OWN = 0
    LAST_OWN = 1
    FIRST_SEEN = 2
    LAST_SEEN = 3
    N_CALLS = 4
    SIGNS = 8         # places per holding: one cache line
    COUNT_OUTSIDE = 0
    COUNT_UNKNOWN = 1
    COUNT_LATER = 2


cdef inline int64_t _find_holding(
    const uint64_t[::1] table, const uint64_t[::1] keys, const int64_t[::1] periods,
    int64_t slot, uint64_t key, int64_t time_s, bint* is_known,
) noexcept nogil:
    # The holding of a number at a time, -1 where nobody held it then.
    cdef int64_t holding
    slot = _find_slot(table, slot, key)
    is_known[0] = table[2 * slot] != 0 and key != 0
    if not is_known[0]:
        return -1
    holding = <int64_t>table[2 * slot + 1]
    while holding < keys.shape[0] and keys[holding] == key:
        if time_s < periods[2 * holding]:
            return -1
        if time_s <= periods[2 * holding + 1]:
            return holding
        holding += 1
    return -1


cdef inline void _note_sign(
    int64_t[::1] signs, int64_t holding, int64_t time_s, bint is_own
) noexcept nogil:
    cdef int64_t at = SIGNS * holding
    if time_s < signs[at + FIRST_SEEN]:
        signs[at + FIRST_SEEN] = time_s
    if time_s > signs[at + LAST_SEEN]:
        signs[at + LAST_SEEN] = time_s
    if is_own:
        if time_s < signs[at + FIRST_OWN]:
            signs[at + FIRST_OWN] = time_s
        if time_s > signs[at + LAST_OWN]:
            signs[at + LAST_OWN] = time_s


cdef int64_t _gather_calls(
    const uint64_t[::1] caller, const uint64_t[::1] callee, const int64_t[::1] start_s,
    const int32_t[::1] duration_s, const uint8_t[::1] is_message, const uint8_t[::1] is_pair,
    const uint64_t[::1] table, const uint64_t[::1] keys, const int64_t[::1] periods,
    int64_t reference_s, int64_t[::1] signs, uint8_t[::1] alive_later, int64_t[::1] counts,
    int32_t[::1] holdings, uint64_t[::1] words,
) noexcept nogil:
    cdef int shift = _slot_shift(table)
    cdef int64_t row, ahead, side, holding, n_words = 0
    cdef uint64_t own, other, talk
    cdef bint is_known, is_any_known, is_own
    for row in range(start_s.shape[0]):
        ahead = row + LOOKAHEAD // 2
        if ahead < start_s.shape[0]:
            chanfp_prefetch(&table[2 * _home_slot(caller[ahead], shift)])
            chanfp_prefetch(&table[2 * _home_slot(callee[ahead], shift)])
        is_any_known = False
        talk = <uint64_t>duration_s[row] << 1 if duration_s[row] > 0 else 0
        if start_s[row] > reference_s:
            counts[COUNT_LATER] += 1
        for side in range(2):
            own = caller[row] if side == 0 else callee[row]
            other = callee[row] if side == 0 else caller[row]
            holding = _find_holding(
                table, keys, periods, _home_slot(own, shift), own, start_s[row], &is_known
            )
            is_any_known = is_any_known or is_known
            if holding < 0:
                counts[COUNT_OUTSIDE] += is_known
                continue
            # Others still dial a dead number, so a call that nobody took is no sign of life; nor
            # is what services send to everybody.
            is_own = side == 0 or (
                is_pair[row] and (is_message[row] or duration_s[row] > 0)
            )
            if start_s[row] > reference_s:
                alive_later[holding] |= is_own
                continue
            _note_sign(signs, holding, start_s[row], is_own)
            if is_pair[row]:
                signs[SIGNS * holding + N_CALLS] += 1
                holdings[n_words] = <int32_t>holding
                words[2 * n_words] = other
                words[2 * n_words + 1] = (
                    <uint64_t>start_s[row] << 32 | talk | <uint64_t>(side == 0)
                )
                n_words += 1
        if not is_any_known:
            counts[COUNT_UNKNOWN] += 1
    return n_words


def gather_calls(
    const uint64_t[::1] caller, const uint64_t[::1] callee, const int64_t[::1] start_s,
    const int32_t[::1] duration_s, const uint8_t[::1] is_message, const uint8_t[::1] is_pair,
    const uint64_t[::1] table, const uint64_t[::1] keys, const int64_t[::1] periods,
    int64_t reference_s, int64_t[::1] signs, uint8_t[::1] alive_later, int64_t[::1] counts,
    int32_t[::1] holdings, uint64_t[::1] words,
):
    """Write an entry for each call of a known subscription up to `reference_s`; return how many.

    `table` finds the first of `keys` (uint64, ascending) equal to a number; `periods` (int64, two
    places per key) are their first and last second. `signs` (int64, 8 places per key: first and
    last sign of life, first and last record, entries written) and `alive_later` (uint8, set where
    a sign of life follows the reference) are carried on, `counts` (int64: parties outside any
    period, calls without a known party, calls after the reference) added to. `holdings` (int32,
    places in `keys`) and `words` (uint64, two per entry: partner key, then time << 32 | talk time
    << 1 | outgoing) need room for two entries per call. Times lie in 0 to 2**32 - 1, durations
    below 2**31.
    """
    cdef int64_t n_entries
    with nogil:
        n_entries = _gather_calls(
            caller, callee, start_s, duration_s, is_message, is_pair, table, keys, periods,
            reference_s, signs, alive_later, counts, holdings, words,
        )
    return n_entries


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
    const int32_t[::1] holdings, const uint64_t[::1] words, int64_t first, int64_t[::1] cursor,
    uint64_t[::1] sorted_words,
) noexcept nogil:
    cdef int64_t entry, slot
    for entry in range(holdings.shape[0]):
        slot = cursor[holdings[entry] - first]
        cursor[holdings[entry] - first] = slot + 1
        sorted_words[2 * slot] = words[2 * entry]
        sorted_words[2 * slot + 1] = words[2 * entry + 1]


def scatter_calls(
    const int32_t[::1] holdings, const uint64_t[::1] words, int64_t first, int64_t[::1] cursor,
    uint64_t[::1] sorted_words,
):
    """Put each entry's words where `cursor` (int64) of its holding says, and move it on.

    `cursor` begins with holding `first`.
    """
    with nogil:
        _scatter_calls(holdings, words, first, cursor, sorted_words)
