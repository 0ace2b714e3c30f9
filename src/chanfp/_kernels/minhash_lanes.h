/* MinHash of sparse rows for one instruction set: the template behind minhash.h.

   Defined before each inclusion: NAME (of the function made), COLUMN (int32_t or int64_t), TARGET
   (attribute of the function), LANES (slots per vector), VECTORS (that stay in registers, with their
   keys, over a whole row), VEC and what one does with it: LOAD, STORE, SPREAD (one number to all
   lanes), MUL, ADD, MIN (unsigned), XOR, SHIFT (right), PIN (keeps a vector in a register, where the
   compiler would rather load it again for every use); and MIX_MANY, which mixes whole vectors of
   columns or nothing. */

/* Lower the slots at `lowest` to what the mixed columns give; begin anew unless `is_begun`. */
TARGET static CHANFP_INLINE void CHANFP_PASTE(NAME, _group)(
    const uint32_t *mixed, int64_t n_mixed, const uint32_t *factors, const uint32_t *terms,
    uint32_t *lowest, int is_begun, const int n_vectors)
{
    VEC factor[VECTORS], term[VECTORS], low[VECTORS];
    for (int v = 0; v < n_vectors; v++) {
        factor[v] = LOAD(factors + v * LANES);
        term[v] = LOAD(terms + v * LANES);
        low[v] = SPREAD(0xFFFFFFFFu);
        if (is_begun)
            low[v] = LOAD(lowest + v * LANES);
    }
    for (int64_t i = 0; i < n_mixed; i++) {
        VEC h = SPREAD(mixed[i]);
        PIN(h);
        for (int v = 0; v < n_vectors; v++)
            low[v] = MIN(low[v], ADD(MUL(factor[v], h), term[v]));
    }
    for (int v = 0; v < n_vectors; v++)
        STORE(lowest + v * LANES, low[v]);
}

TARGET static void NAME(
    const int64_t *indptr, const COLUMN *indices, const uint32_t *keys, int64_t n_padded,
    int64_t n_hashes, uint32_t *signatures, int64_t start, int64_t stop)
{
    const uint32_t *factors = keys + 2, *terms = keys + 2 + n_padded;
    const int64_t many = LANES * VECTORS, few = PADDED_SLOTS;
    uint32_t buffer[MIXED_AT_ONCE], last[PADDED_SLOTS];
    int64_t first_mixed = indptr[start], end_mixed = first_mixed;
    for (int64_t row = start; row < stop; row++) {
        uint32_t *signature = signatures + (row - start) * n_hashes;
        int64_t entry = indptr[row], end = indptr[row + 1];
        int is_begun = 0;
        do {
            if (entry < end && (entry >= end_mixed || (end > end_mixed && !is_begun))) {
                int64_t at = 0, n_left = indptr[stop] - entry;
                int64_t n_mixed = n_left < MIXED_AT_ONCE ? n_left : MIXED_AT_ONCE;
                MIX_MANY
                for (; at < n_mixed; at++)
                    buffer[at] = chanfp_mix_column((int64_t)indices[entry + at], keys[0], keys[1]);
                first_mixed = entry;
                end_mixed = entry + n_mixed;
            }
            int64_t until = end < end_mixed || entry == end ? end : end_mixed;
            const uint32_t *mixed = buffer + (entry < end ? entry - first_mixed : 0);
            int64_t n_mixed = until - entry, slot = 0;
            for (; slot + many <= n_hashes; slot += many)
                CHANFP_PASTE(NAME, _group)(mixed, n_mixed, factors + slot, terms + slot,
                                           signature + slot, is_begun, VECTORS);
            for (; slot < n_hashes; slot += few) {
                uint32_t *lowest = signature + slot;
                int64_t n_kept = n_hashes - slot;
                if (n_kept < few) {
                    memcpy(last, lowest, (size_t)n_kept * sizeof(uint32_t));
                    lowest = last;
                }
                CHANFP_PASTE(NAME, _group)(mixed, n_mixed, factors + slot, terms + slot, lowest,
                                           is_begun, PADDED_SLOTS / LANES);
                if (n_kept < few)
                    memcpy(signature + slot, last, (size_t)n_kept * sizeof(uint32_t));
            }
            entry = until;
            is_begun = 1;
        } while (entry < end);
    }
}

#undef NAME
#undef COLUMN
#undef MIX_MANY
