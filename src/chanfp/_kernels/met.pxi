"""Pairs that met in an earlier band already."""


cdef void mark_met(
    const uint32_t[::1] a_keys, const int64_t[::1] a_rows,
    const uint32_t[::1] b_keys, const int64_t[::1] b_rows,
    int64_t n_bands, int64_t band, uint8_t[::1] is_met,
) noexcept nogil:
    cdef int64_t pair
    for pair in range(a_rows.shape[0]):
        is_met[pair] = _met_before(a_keys, a_rows[pair], b_keys, b_rows[pair], n_bands, band)


def find_met(
    const uint32_t[::1] a_keys, const int64_t[::1] a_rows,
    const uint32_t[::1] b_keys, const int64_t[::1] b_rows,
    int64_t n_bands, int64_t band, uint8_t[::1] is_met,
):
    """Write 1 for pairs whose keys (`fold_bands`) agree in one of the first `band` bands, or 0."""
    with nogil:
        mark_met(a_keys, a_rows, b_keys, b_rows, n_bands, band, is_met)
