# Screening: which rows of a batch of CDRs can be used, and why the others can't.

cdef enum:
    PAIR = 0          # both parties are subscriber numbers
    FILTERED = 1      # usable, but a party is a service
    REJECTED = 2
    # Places in the tally, behind three blocks of 256 reason codes: faults of the first party,
    # faults of the second, services. Code 0 is an ordinary number, so place 0 means no reason.
    TALLY_SECOND = 256
    TALLY_FILTERED = 512
    TALLY_TIME_MISSING = 768
    TALLY_TIME_INVALID = 769
    TALLY_OWN_NUMBER = 770
    TALLY_DIRECTION_MISSING = 771
    TALLY_DIRECTION_UNREADABLE = 772
    TALLY_TIME_STRAY = 773
    TALLY_SIZE = 774
    DIRECTION_UNREADABLE = -1
    DIRECTION_MISSING = -2


cdef void _screen_rows(
    const uint64_t[::1] first, const uint64_t[::1] second,
    const uint8_t[::1] first_codes, const uint8_t[::1] second_codes,
    const uint8_t[::1] is_fault, const int8_t[::1] directions,
    const int64_t[::1] start_s, const uint8_t[::1] time_status, int64_t first_s, int64_t last_s,
    uint8_t[::1] verdicts, uint16_t[::1] reasons, int64_t[::1] tally, int64_t[::1] first_rows,
) noexcept nogil:
    cdef int64_t row, reason
    cdef uint8_t one, other
    for row in range(verdicts.shape[0]):
        one = first_codes[row]
        other = second_codes[row]
        verdicts[row] = REJECTED
        if is_fault[one]:
            reason = one
        elif is_fault[other]:
            reason = TALLY_SECOND + other
        elif directions[row] == DIRECTION_MISSING:
            reason = TALLY_DIRECTION_MISSING
        elif directions[row] == DIRECTION_UNREADABLE:
            reason = TALLY_DIRECTION_UNREADABLE
        elif time_status[row] == TIME_MISSING:
            reason = TALLY_TIME_MISSING
        elif (time_status[row] == TIME_INVALID or start_s[row] < 0
                or start_s[row] >= <int64_t>1 << 32):
            reason = TALLY_TIME_INVALID
        elif start_s[row] < first_s or start_s[row] > last_s:
            reason = TALLY_TIME_STRAY
        elif one != 0 or other != 0:
            reason = TALLY_FILTERED + (other if other != 0 else one)
            verdicts[row] = FILTERED
        elif first[row] == second[row]:
            reason = TALLY_OWN_NUMBER
        else:
            verdicts[row] = PAIR
            reasons[row] = 0
            continue
        reasons[row] = <uint16_t>reason
        if tally[reason] == 0:
            first_rows[reason] = row
        tally[reason] += 1


def screen_rows(
    const uint64_t[::1] first, const uint64_t[::1] second,
    const uint8_t[::1] first_codes, const uint8_t[::1] second_codes,
    const uint8_t[::1] is_fault, const int8_t[::1] directions,
    const int64_t[::1] start_s, const uint8_t[::1] time_status, int64_t first_s, int64_t last_s,
    uint8_t[::1] verdicts, uint16_t[::1] reasons, int64_t[::1] tally, int64_t[::1] first_rows,
):
    """Give each row a verdict (uint8: 0 pair, 1 filtered, 2 rejected) and a reason, and tally them.

    The parties are caller and callee, or subscriber and other party; `directions` (int8) are -1
    where unreadable and -2 where missing. `is_fault` (uint8, 256 places) says which reason codes
    make a row unusable. Reasons are places in `tally` (int64, 774 places): 0 none, up to 255
    faults of the first party by code, 256 to 511 faults of the second, 512 to 767 services (the
    second's if both are), then time missing, time invalid or outside 1970 to 2106, own number,
    direction missing, direction unreadable, and time outside `first_s` to `last_s`. A row counts
    once, faults of parties first, then those of direction and time. `reasons` (uint16) gets the
    place of each row, `first_rows` (int64, 774 places) the first row counted at each place.
    """
    with nogil:
        _screen_rows(first, second, first_codes, second_codes, is_fault, directions, start_s,
                     time_status, first_s, last_s, verdicts, reasons, tally, first_rows)


cdef void _keep_calls(
    const uint8_t[::1] is_kept, const uint64_t[::1] caller, const uint64_t[::1] callee,
    const int64_t[::1] start_s, const int32_t[::1] duration_s, const uint8_t[::1] is_message,
    const uint8_t[::1] is_pair, const uint8_t[::1] served, uint64_t[::1] kept_caller,
    uint64_t[::1] kept_callee, int64_t[::1] kept_start_s, int32_t[::1] kept_duration_s,
    uint8_t[::1] kept_is_message, uint8_t[::1] kept_is_pair, uint8_t[::1] kept_served,
) noexcept nogil:
    cdef int64_t row = 0, at = 0
    while at < kept_start_s.shape[0]:
        # Written down always, and stays if the row is kept.
        kept_caller[at] = caller[row]
        kept_callee[at] = callee[row]
        kept_start_s[at] = start_s[row]
        kept_duration_s[at] = duration_s[row]
        kept_is_message[at] = is_message[row]
        kept_is_pair[at] = is_pair[row]
        kept_served[at] = served[row]
        at += is_kept[row] != 0
        row += 1


def keep_calls(
    const uint8_t[::1] is_kept, const uint64_t[::1] caller, const uint64_t[::1] callee,
    const int64_t[::1] start_s, const int32_t[::1] duration_s, const uint8_t[::1] is_message,
    const uint8_t[::1] is_pair, const uint8_t[::1] served, uint64_t[::1] kept_caller,
    uint64_t[::1] kept_callee, int64_t[::1] kept_start_s, int32_t[::1] kept_duration_s,
    uint8_t[::1] kept_is_message, uint8_t[::1] kept_is_pair, uint8_t[::1] kept_served,
):
    """Copy the rows that are kept, all columns in one pass.

    `is_kept` (uint8) must mark as many rows as the outputs, of the types of the columns, have
    places.
    """
    with nogil:
        _keep_calls(
            is_kept, caller, callee, start_s, duration_s, is_message, is_pair, served, kept_caller,
            kept_callee, kept_start_s, kept_duration_s, kept_is_message, kept_is_pair, kept_served,
        )
