# Grouping: one entry per call of a subscription -> one entry per (subscription, partner), CSR.
#
# A call is packed in one word, partner column << 32 | seconds << 1 | outgoing, so that sorting the
# words of a row sorts its partners, and the seconds and directions come along.

from libc.stdlib cimport qsort


cdef int _compare_words(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<const uint64_t*>left)[0]
    cdef uint64_t b = (<const uint64_t*>right)[0]
    return (a > b) - (a < b)


cdef void _scatter_calls(
    const int32_t[::1] rows, const int32_t[::1] columns, const int32_t[::1] seconds,
    const uint8_t[::1] outgoing, int64_t[::1] cursor, uint64_t[::1] words,
) noexcept nogil:
    cdef int64_t call, slot
    for call in range(rows.shape[0]):
        slot = cursor[rows[call]]
        cursor[rows[call]] = slot + 1
        words[slot] = ((<uint64_t>columns[call] << 32) | (<uint64_t>seconds[call] << 1)
                       | outgoing[call])


def scatter_calls(
    const int32_t[::1] rows, const int32_t[::1] columns, const int32_t[::1] seconds,
    const uint8_t[::1] outgoing, int64_t[::1] cursor, uint64_t[::1] words,
):
    """Pack each call into a word (uint64) and put it among the words of its row.

    `cursor` (int64, one per row) holds where each row begins and is moved to where it ends.
    `seconds` must not be negative; `outgoing` is 0 or 1.
    """
    with nogil:
        _scatter_calls(rows, columns, seconds, outgoing, cursor, words)


cdef void _merge_calls(
    const int64_t[::1] indptr, uint64_t[::1] words, int64_t start, int64_t stop,
    int64_t[::1] n_partners, int32_t[::1] calls, int64_t[::1] seconds, int32_t[::1] outgoing,
) noexcept nogil:
    cdef int64_t row, at, slot
    cdef uint64_t word
    for row in range(start, stop):
        n_partners[row] = 0
        if indptr[row] == indptr[row + 1]:
            continue
        qsort(&words[indptr[row]], <size_t>(indptr[row + 1] - indptr[row]), sizeof(uint64_t),
              _compare_words)
        slot = indptr[row] - 1
        for at in range(indptr[row], indptr[row + 1]):
            word = words[at]
            if slot < indptr[row] or words[slot] != word >> 32:
                slot += 1
                words[slot] = word >> 32
                calls[slot] = 0
                seconds[slot] = 0
                outgoing[slot] = 0
            calls[slot] += 1
            seconds[slot] += (word >> 1) & 0x7fffffff
            outgoing[slot] += <int32_t>(word & 1)
        n_partners[row] = slot + 1 - indptr[row]


def merge_calls(
    const int64_t[::1] indptr, uint64_t[::1] words, int64_t start, int64_t stop,
    int64_t[::1] n_partners, int32_t[::1] calls, int64_t[::1] seconds, int32_t[::1] outgoing,
):
    """Sort and merge the packed calls of rows `start` to `stop` in place, partners ascending.

    Afterwards the first ``n_partners[row]`` (int64) slots of the row hold the partner column in
    `words` and its `calls` (int32), `seconds` (int64) and `outgoing` calls (int32).
    """
    with nogil:
        _merge_calls(indptr, words, start, stop, n_partners, calls, seconds, outgoing)
