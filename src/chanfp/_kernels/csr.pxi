"""Sparse rows: look for disorder, add up each row."""


cdef int64_t disorder_position(
    const int64_t[::1] indptr, const index_t[::1] indices
) noexcept nogil:
    cdef int64_t row, entry
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
