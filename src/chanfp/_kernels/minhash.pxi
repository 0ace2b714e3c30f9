# MinHash signatures. The loops are C, built once per instruction set: see minhash.h.

cdef extern from "_kernels/minhash.h":
    const int CHANFP_PLAIN, CHANFP_AVX2, CHANFP_AVX512
    bint chanfp_can_run(int backend) noexcept nogil
    uint32_t chanfp_mix(uint32_t x) noexcept nogil
    uint32_t chanfp_mix_column(int64_t column, uint32_t key0, uint32_t key1) noexcept nogil
    void chanfp_minhash(
        int backend, bint is_wide, const int64_t* indptr, const void* indices,
        const uint32_t* keys, int64_t n_padded, int64_t n_hashes, uint32_t* signatures,
        int64_t start, int64_t stop,
    ) noexcept nogil

_BACKENDS = {"avx512": CHANFP_AVX512, "avx2": CHANFP_AVX2, "plain": CHANFP_PLAIN}


def usable_backends():
    """Return the names of the instruction sets this machine can run, fastest first."""
    return tuple(name for name, number in _BACKENDS.items() if chanfp_can_run(number))


def minhash_rows(
    str backend,
    const int64_t[::1] indptr,
    const index_t[::1] indices,
    const uint32_t[::1] keys,
    int64_t n_hashes,
    uint32_t[::1] signatures,
    int64_t start,
    int64_t stop,
):
    """Write the signatures of rows `start` to `stop`; ``signatures[0]`` belongs to row `start`.

    `keys` (uint32): the two of the column hash, then a factor for each slot and a term for each
    slot, either padded to a multiple of 32. `backend` must be one of `usable_backends`. An empty
    row gets 2**32 - 1 in every slot.
    """
    cdef int number = _BACKENDS[backend]
    cdef int64_t n_padded = (keys.shape[0] - 2) // 2
    cdef const void* columns = NULL
    if start >= stop or n_hashes == 0:
        return
    if indices.shape[0]:
        columns = &indices[0]
    with nogil:
        chanfp_minhash(
            number, sizeof(index_t) == 8, &indptr[0], columns, &keys[0], n_padded, n_hashes,
            &signatures[0], start, stop,
        )
