"""Evidence of the user's own: a C function that is called for each pair of rows."""

from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer

ctypedef double (*narrow_measure)(
    const int32_t*, const double*, int64_t, const int32_t*, const double*, int64_t, void*
) noexcept nogil
ctypedef double (*wide_measure)(
    const int64_t*, const double*, int64_t, const int64_t*, const double*, int64_t, void*
) noexcept nogil


def read_callback(object capsule):
    """Return address, signature (bytes) and user data's address of a capsule with a C function."""
    cdef const char* signature = PyCapsule_GetName(capsule)
    return (
        <size_t>PyCapsule_GetPointer(capsule, signature), signature,
        <size_t>PyCapsule_GetContext(capsule),
    )


cdef void call_for_pairs(
    size_t function,
    size_t user_data,
    const int64_t[::1] new_indptr,
    const index_t[::1] new_indices,
    const double[::1] new_values,
    const int64_t[::1] departed_indptr,
    const index_t[::1] departed_indices,
    const double[::1] departed_values,
    const int64_t[::1] new_rows,
    const int64_t[::1] departed_rows,
    double[::1] scores,
    int64_t start,
    int64_t stop,
) noexcept nogil:
    cdef const index_t* new_partners = NULL
    cdef const double* new_calls = NULL
    cdef const index_t* old_partners = NULL
    cdef const double* old_calls = NULL
    cdef int64_t pair, i, j, n_new, n_old
    if new_indices.shape[0] > 0:
        new_partners = &new_indices[0]
        new_calls = &new_values[0]
    if departed_indices.shape[0] > 0:
        old_partners = &departed_indices[0]
        old_calls = &departed_values[0]
    for pair in range(start, stop):
        if pair + PAIRS_AHEAD < stop:
            prefetch_calls(
                departed_indptr, departed_indices, departed_values,
                departed_rows[pair + PAIRS_AHEAD],
            )
        i = new_indptr[new_rows[pair]]
        n_new = new_indptr[new_rows[pair] + 1] - i
        j = departed_indptr[departed_rows[pair]]
        n_old = departed_indptr[departed_rows[pair] + 1] - j
        if index_t is int32_t:
            scores[pair] = (<narrow_measure>function)(
                new_partners + i, new_calls + i, n_new, old_partners + j, old_calls + j, n_old,
                <void*>user_data,
            )
        else:
            scores[pair] = (<wide_measure>function)(
                new_partners + i, new_calls + i, n_new, old_partners + j, old_calls + j, n_old,
                <void*>user_data,
            )


def measure_own(
    size_t function,
    size_t user_data,
    const int64_t[::1] new_indptr,
    const index_t[::1] new_indices,
    const double[::1] new_values,
    const int64_t[::1] departed_indptr,
    const index_t[::1] departed_indices,
    const double[::1] departed_values,
    const int64_t[::1] new_rows,
    const int64_t[::1] departed_rows,
    double[::1] scores,
    int64_t start,
    int64_t stop,
):
    """Write, for pairs `start` to `stop`, what a C function makes of the two rows.

    `function` is its address; the type of its partners must be that of `new_indices`. It gets
    partners, calls and length of the new row, the same of the departed one, and `user_data`.
    """
    with nogil:
        call_for_pairs(
            function, user_data, new_indptr, new_indices, new_values, departed_indptr,
            departed_indices, departed_values, new_rows, departed_rows, scores, start, stop,
        )
