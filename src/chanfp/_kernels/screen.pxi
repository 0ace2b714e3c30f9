# Screening: which rows of a batch of CDRs can be used, and why the others can't.

cdef enum:
    PAIR = 0          # both parties are subscriber numbers
    FILTERED = 1      # usable, but a party is a service
    REJECTED = 2
    # Places in the tally, behind three blocks of 256 reason codes: faults of the caller, faults
    # of the callee, services.
    TALLY_CALLEE = 256
    TALLY_FILTERED = 512
    TALLY_TIME_MISSING = 768
    TALLY_TIME_INVALID = 769
    TALLY_OWN_NUMBER = 770
    TALLY_SIZE = 771


cdef void _screen_rows(
    const uint64_t[::1] caller, const uint64_t[::1] callee,
    const uint8_t[::1] caller_codes, const uint8_t[::1] callee_codes,
    const uint8_t[::1] is_fault, const int64_t[::1] start_s, const uint8_t[::1] time_status,
    uint8_t[::1] verdicts, int64_t[::1] tally, int64_t[::1] first_rows,
) noexcept nogil:
    cdef int64_t row, reason
    cdef uint8_t one, other
    for row in range(verdicts.shape[0]):
        one = caller_codes[row]
        other = callee_codes[row]
        verdicts[row] = REJECTED
        if is_fault[one]:
            reason = one
        elif is_fault[other]:
            reason = TALLY_CALLEE + other
        elif time_status[row] == TIME_MISSING:
            reason = TALLY_TIME_MISSING
        elif (time_status[row] == TIME_INVALID or start_s[row] < 0
                or start_s[row] >= <int64_t>1 << 32):
            reason = TALLY_TIME_INVALID
        elif one != 0 or other != 0:
            reason = TALLY_FILTERED + (other if other != 0 else one)
            verdicts[row] = FILTERED
        elif caller[row] == callee[row]:
            reason = TALLY_OWN_NUMBER
        else:
            verdicts[row] = PAIR
            continue
        if tally[reason] == 0:
            first_rows[reason] = row
        tally[reason] += 1


def screen_rows(
    const uint64_t[::1] caller, const uint64_t[::1] callee,
    const uint8_t[::1] caller_codes, const uint8_t[::1] callee_codes,
    const uint8_t[::1] is_fault, const int64_t[::1] start_s, const uint8_t[::1] time_status,
    uint8_t[::1] verdicts, int64_t[::1] tally, int64_t[::1] first_rows,
):
    """Give each row a verdict (uint8: 0 pair, 1 filtered, 2 rejected) and tally the reasons.

    `is_fault` (uint8, 256 places) says which reason codes make a row unusable. `tally` (int64,
    771 places) counts: 0 to 255 faults of the caller by code, 256 to 511 faults of the callee,
    512 to 767 services (the callee's if both are), then time missing, time invalid or outside
    1970 to 2106, and own number. A row counts under the first of these that fits. `first_rows`
    (int64, 771 places) gets the first row counted at each place.
    """
    with nogil:
        _screen_rows(caller, callee, caller_codes, callee_codes, is_fault, start_s, time_status,
                     verdicts, tally, first_rows)
