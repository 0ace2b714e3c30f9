"""Sparse rows: look for disorder, add up each row."""


cdef inline int64_t count_descents(
    const index_t[::1] indices, int64_t first, int64_t last
) noexcept nogil:
    """Count the entries that don't rise above the one before them; without a branch, in lanes."""
    cdef int64_t entry, chunk, total = 0
    cdef int32_t n_descents
    for chunk in range(first, last, 1 << 16):
        n_descents = 0
        for entry in range(chunk, min(last, chunk + (1 << 16))):
            n_descents += indices[entry] <= indices[entry - 1]
        total += n_descents
    return total


cdef int64_t disorder_position(
    const int64_t[::1] indptr, const index_t[::1] indices
) noexcept nogil:
    cdef int64_t row, entry, n_between = 0
    # Where a row begins its column may fall; if none falls elsewhere, every row is in order.
    for row in range(indptr.shape[0] - 1):
        entry = indptr[row]
        if 0 < entry < indptr[row + 1]:
            n_between += indices[entry] <= indices[entry - 1]
    if count_descents(indices, 1, indices.shape[0]) == n_between:
        return -1
    for row in range(indptr.shape[0] - 1):
        for entry in range(indptr[row] + 1, indptr[row + 1]):
            if indices[entry] <= indices[entry - 1]:
                return entry
    return -1


def find_disorder(const int64_t[::1] indptr, const index_t[::1] indices):
    """Return the first entry whose column doesn't rise above its row's previous one, or -1."""
    cdef int64_t position
    with nogil:
        position = disorder_position(indptr, indices)
    return position


cdef void add_rows(
    const int64_t[::1] indptr,
    const double[::1] weights,
    double[::1] sums,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef int64_t row, entry, first_entry = indptr[start]
    cdef double total
    for row in range(start, stop):
        total = 0.0
        for entry in range(indptr[row] - first_entry, indptr[row + 1] - first_entry):
            total += weights[entry]
        sums[row] = total


def sum_rows(
    const int64_t[::1] indptr,
    const double[::1] weights,
    double[::1] sums,
    int64_t start,
    int64_t stop,
):
    """Write each row's sum of weights, added one by one; `weights[0]` belongs to row `start`."""
    with nogil:
        add_rows(indptr, weights, sums, start, stop)
