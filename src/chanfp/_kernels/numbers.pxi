# Phone numbers: text in Arrow's layout (offsets and bytes) to 64-bit keys and reason codes.
#
# Everything about a numbering plan is in the tables that chanfp.numbering.automaton makes. The
# signs below are those of its symbols.

cdef enum:
    PLUS_SIGN = 10
    STAR_SIGN = 11
    HASH_SIGN = 12
    LETTER_SIGN = 13
    SKIP_SIGN = 15
    MULTIBYTE_SIGN = 16
    STATE_SHIFT = 4          # a state has 16 columns
    SAFE_BYTES = 19          # as many digits never overflow 64 bits
    UNRESOLVED_CODE = 255


cdef inline bint is_null(const uint8_t[::1] validity, int64_t bit) noexcept nogil:
    return validity.shape[0] > 0 and not (validity[bit >> 3] >> (bit & 7)) & 1


cdef inline int rune_width(uint8_t lead) noexcept nogil:
    if lead < 0xC0:
        return 1
    if lead < 0xE0:
        return 2
    return 3 if lead < 0xF0 else 4


cdef inline int rune_symbol(uint32_t rune) noexcept nogil:
    """Symbol of a character beyond ASCII: full-width forms and invisible signs are folded."""
    if 0xFF10 <= rune <= 0xFF19:
        return rune - 0xFF10
    if rune == 0xFF0B:
        return PLUS_SIGN
    if rune == 0xFF0A:
        return STAR_SIGN
    if rune == 0xFF03:
        return HASH_SIGN
    if rune == 0xA0 or rune == 0xAD or rune == 0x3000 or rune == 0xFEFF or rune == 0x2212:
        return SKIP_SIGN
    if 0x2000 <= rune <= 0x2015 or 0x2028 <= rune <= 0x202F or 0x205F <= rune <= 0x206F:
        return SKIP_SIGN
    if rune == 0xFF08 or rune == 0xFF09 or rune == 0xFF0D or rune == 0xFF0E:
        return SKIP_SIGN
    return LETTER_SIGN


cdef inline int multibyte_symbol(
    const uint8_t[::1] text, int64_t at, int64_t stop, int64_t* following
) noexcept nogil:
    """Symbol of the character at a byte of 0x80 or more; never reads at or behind `stop`."""
    cdef int width = rune_width(text[at])
    cdef int step
    cdef uint32_t rune
    if width == 1 or at + width > stop:
        following[0] = at + 1
        return LETTER_SIGN
    following[0] = at + width
    rune = text[at] & (0x7F >> width)
    for step in range(1, width):
        rune = (rune << 6) | (text[at + step] & 0x3F)
    return rune_symbol(rune)


cdef inline uint64_t last_digits(
    const uint8_t[::1] text, int64_t start, int64_t stop,
    const uint8_t[::1] symbol_of_byte, uint64_t modulus
) noexcept nogil:
    """The number modulo a power of ten up to 10**15, for texts whose whole value overflows."""
    cdef int64_t at = start
    cdef uint64_t value = 0
    cdef int symbol
    while at < stop:
        symbol = symbol_of_byte[text[at]]
        if symbol == MULTIBYTE_SIGN:
            symbol = multibyte_symbol(text, at, stop, &at)
        else:
            at += 1
        if symbol < 10:
            value = (value * 10 + symbol) % modulus
    return value


cdef inline bint follows(
    const uint8_t[::1] text, int64_t start, int64_t stop, const char* word
) noexcept nogil:
    """Whether the lower-case `word` stands at `start`, in any case."""
    cdef int64_t at = 0
    while word[at] != 0:
        if start + at >= stop or (text[start + at] | 0x20) != <uint8_t>word[at]:
            return False
        at += 1
    return True


cdef inline void narrow_to_uri_number(
    const uint8_t[::1] text, int64_t* start, int64_t* stop
) noexcept nogil:
    """Leave of ``tel:+86...;x=y`` or ``sip:+86...@host`` what stands between, else everything."""
    cdef int64_t at
    if follows(text, start[0], stop[0], b"tel:") or follows(text, start[0], stop[0], b"sip:"):
        start[0] += 4
    elif follows(text, start[0], stop[0], b"sips:"):
        start[0] += 5
    else:
        return
    for at in range(start[0], stop[0]):
        if text[at] == c";" or text[at] == c"@" or text[at] == c"?":
            stop[0] = at
            return


cdef void resolve_rows(
    const uint8_t[::1] text, const index_t[::1] offsets,
    const uint8_t[::1] validity, int64_t first_bit,
    const uint8_t[::1] symbol_of_byte, const uint16_t[::1] transitions,
    const uint16_t[::1] shortcuts, const uint8_t[::1] code_of_state,
    const uint64_t[::1] modulus_of_state, const uint64_t[::1] base_of_state,
    uint8_t missing_code, uint8_t invalid_code,
    int64_t start, int64_t stop, uint64_t[::1] keys, uint8_t[::1] codes
) noexcept nogil:
    # The pointers of the rare paths go to variables of their own: one whose address is taken
    # can't stay in a register.
    cdef int64_t row, at, begin, end, following, uri_begin, uri_end
    cdef uint64_t value, modulus, whole
    cdef uint32_t state
    cdef uint8_t code
    cdef int symbol
    cdef bint was_float
    for row in range(start, stop):
        keys[row] = 0
        if is_null(validity, first_bit + row):
            codes[row] = missing_code
            continue
        begin = offsets[row]
        end = offsets[row + 1]
        if FEWEST_DIGITS <= end - begin <= MOST_DIGITS:
            state = shortcut_state(&text[begin], end - begin, shortcuts, &whole)
            if state != NO_SHORTCUT:
                modulus = modulus_of_state[state]
                codes[row] = code_of_state[state]
                if modulus != 0:
                    keys[row] = base_of_state[state] + (
                        whole if whole < modulus else whole % modulus
                    )
                continue
        was_float = end - begin > 2 and text[end - 1] == c"0" and text[end - 2] == c"."
        if begin < end and symbol_of_byte[text[begin]] == LETTER_SIGN:
            uri_begin = begin
            uri_end = end
            narrow_to_uri_number(text, &uri_begin, &uri_end)
            begin = uri_begin
            end = uri_end
        state = 0
        value = 0
        at = begin
        while at < end:
            symbol = symbol_of_byte[text[at]]
            at += 1
            if symbol < 10:
                value = value * 10 + symbol
            elif symbol == SKIP_SIGN:
                continue
            elif symbol == MULTIBYTE_SIGN:
                symbol = multibyte_symbol(text, at - 1, end, &following)
                at = following
                if symbol == SKIP_SIGN:
                    continue
                if symbol < 10:
                    value = value * 10 + symbol
            state = transitions[(state << STATE_SHIFT) + symbol]
        code = code_of_state[state]
        modulus = modulus_of_state[state]
        if was_float and (modulus != 0 or code == UNRESOLVED_CODE):
            code = invalid_code
            modulus = 0
        codes[row] = code
        if modulus != 0:
            if end - begin > SAFE_BYTES:
                value = last_digits(text, begin, end, symbol_of_byte, modulus)
            elif value >= modulus:
                value %= modulus
            keys[row] = base_of_state[state] + value


def resolve_numbers(
    const uint8_t[::1] text, const index_t[::1] offsets,
    const uint8_t[::1] validity, int64_t first_bit,
    const uint8_t[::1] symbol_of_byte, const uint16_t[::1] transitions,
    const uint16_t[::1] shortcuts, const uint8_t[::1] code_of_state,
    const uint64_t[::1] modulus_of_state, const uint64_t[::1] base_of_state,
    uint8_t missing_code, uint8_t invalid_code,
    int64_t start, int64_t stop, uint64_t[::1] keys, uint8_t[::1] codes
):
    """Write key and reason code of each text in rows `start` to `stop`.

    `validity` is Arrow's bitmap, read from bit `first_bit` on; empty: no nulls. A text that ends in
    ``.0`` went through a float: it gets `invalid_code` instead of a key or of 255. `shortcuts` as
    `chanfp.numbering.shortcuts` makes them; all 0: every text is walked through.
    """
    with nogil:
        resolve_rows(
            text, offsets, validity, first_bit, symbol_of_byte, transitions, shortcuts,
            code_of_state, modulus_of_state, base_of_state, missing_code, invalid_code, start, stop,
            keys, codes
        )


cdef inline bint is_ascii_space(uint8_t byte) noexcept nogil:
    return byte == 32 or 9 <= byte <= 13


cdef inline uint64_t rotated(uint64_t word, int bits) noexcept nogil:
    return (word << bits) | (word >> (64 - bits))


cdef inline void sip_round(uint64_t* v) noexcept nogil:
    v[0] += v[1]
    v[2] += v[3]
    v[1] = rotated(v[1], 13) ^ v[0]
    v[3] = rotated(v[3], 16) ^ v[2]
    v[0] = rotated(v[0], 32)
    v[2] += v[1]
    v[0] += v[3]
    v[1] = rotated(v[1], 17) ^ v[2]
    v[3] = rotated(v[3], 21) ^ v[0]
    v[2] = rotated(v[2], 32)


cdef inline uint64_t siphash(
    const uint8_t[::1] text, int64_t start, int64_t stop, uint64_t key_low, uint64_t key_high
) noexcept nogil:
    """SipHash-2-4 of bytes `start` to `stop` (Aumasson and Bernstein 2012, section 2)."""
    cdef uint64_t v[4]
    cdef uint64_t word
    cdef int64_t at = start
    cdef int byte
    v[0] = key_low ^ <uint64_t>0x736F6D6570736575
    v[1] = key_high ^ <uint64_t>0x646F72616E646F6D
    v[2] = key_low ^ <uint64_t>0x6C7967656E657261
    v[3] = key_high ^ <uint64_t>0x7465646279746573
    while stop - at >= 8:
        word = 0
        for byte in range(8):
            word |= <uint64_t>text[at + byte] << (8 * byte)
        at += 8
        v[3] ^= word
        sip_round(v)
        sip_round(v)
        v[0] ^= word
    word = <uint64_t>(stop - start) << 56
    for byte in range(<int>(stop - at)):
        word |= <uint64_t>text[at + byte] << (8 * byte)
    v[3] ^= word
    sip_round(v)
    sip_round(v)
    v[0] ^= word
    v[2] ^= 0xFF
    for byte in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


cdef inline bint read_formatted_key(
    const uint8_t[::1] text, int64_t start, int64_t stop, uint64_t* key
) noexcept nogil:
    """Whether the text is ``#`` and 16 lower-case hexadecimal digits, and which key that is."""
    cdef int64_t at
    cdef uint8_t byte
    if stop - start != 17 or text[start] != c"#":
        return False
    key[0] = 0
    for at in range(start + 1, stop):
        byte = text[at]
        if c"0" <= byte <= c"9":
            key[0] = (key[0] << 4) | (byte - <uint8_t>c"0")
        elif c"a" <= byte <= c"f":
            key[0] = (key[0] << 4) | (byte - <uint8_t>c"a" + 10)
        else:
            return False
    return True


cdef void hash_rows(
    const uint8_t[::1] text, const index_t[::1] offsets,
    const uint8_t[::1] validity, int64_t first_bit, uint64_t key_low, uint64_t key_high,
    uint8_t missing_code, int64_t start, int64_t stop, uint64_t[::1] keys, uint8_t[::1] codes
) noexcept nogil:
    cdef int64_t row, begin, end
    cdef uint64_t key
    for row in range(start, stop):
        begin = offsets[row]
        end = offsets[row + 1]
        while begin < end and is_ascii_space(text[begin]):
            begin += 1
        while begin < end and is_ascii_space(text[end - 1]):
            end -= 1
        if begin == end or is_null(validity, first_bit + row):
            keys[row] = 0
            codes[row] = missing_code
            continue
        if not read_formatted_key(text, begin, end, &key):
            key = siphash(text, begin, end, key_low, key_high)
        keys[row] = key if key != 0 else 1
        codes[row] = 0


def hash_texts(
    const uint8_t[::1] text, const index_t[::1] offsets,
    const uint8_t[::1] validity, int64_t first_bit, uint64_t key_low, uint64_t key_high,
    uint8_t missing_code, int64_t start, int64_t stop, uint64_t[::1] keys, uint8_t[::1] codes
):
    """Write the keyed hash of each text in rows `start` to `stop`, and 0 or `missing_code`.

    Outer ASCII white space is left out; a hash of 0 becomes 1; ``#`` and 16 hexadecimal digits are
    taken as the key they spell. `validity` as in `resolve_numbers`.
    """
    with nogil:
        hash_rows(
            text, offsets, validity, first_bit, key_low, key_high, missing_code, start, stop,
            keys, codes
        )
