/* MinHash of sparse rows, built once per instruction set and column width.

   Column c -> h = mix(low(c) ^ key0 ^ mix(high(c) * key1)), with mix the 32-bit finaliser of
   MurmurHash3 (Appleby 2011), a bijection, so that columns below 2**32 never collide. Slot i is the
   least factor_i * h + term_i mod 2**32 over the row, factor_i odd: another bijection each. */

#ifndef CHANFP_MINHASH_H
#define CHANFP_MINHASH_H

#include <stdint.h>
#include <string.h>

#define PADDED_SLOTS 32 /* keys are padded to a multiple of this */
#define MIXED_AT_ONCE 1024

#if defined(__GNUC__) || defined(__clang__)
#define CHANFP_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define CHANFP_INLINE __forceinline
#else
#define CHANFP_INLINE inline
#endif
#define CHANFP_PASTE_NOW(left, right) left##right
#define CHANFP_PASTE(left, right) CHANFP_PASTE_NOW(left, right)

static inline uint32_t chanfp_mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    x ^= x >> 16;
    return x;
}

static inline uint32_t chanfp_mix_column(int64_t column, uint32_t key0, uint32_t key1)
{
    uint32_t high = (uint32_t)((uint64_t)column >> 32);
    return chanfp_mix((uint32_t)column ^ key0 ^ chanfp_mix(high * key1));
}

/* Plain C: one lane, which compilers spread over whatever every machine of the kind has. */
#define TARGET
#define LANES 1
#define VECTORS 32
#define VEC uint32_t
#define LOAD(p) (*(p))
#define STORE(p, x) (*(p) = (x))
#define SPREAD(x) (x)
#define MUL(x, y) ((x) * (y))
#define ADD(x, y) ((x) + (y))
#define MIN(x, y) ((x) < (y) ? (x) : (y))
#define PIN(x) ((void)(x))
#define NAME chanfp_minhash32_plain
#define COLUMN int32_t
#define MIX_MANY
#include "minhash_lanes.h"
#define NAME chanfp_minhash64_plain
#define COLUMN int64_t
#define MIX_MANY
#include "minhash_lanes.h"
#undef TARGET
#undef LANES
#undef VECTORS
#undef VEC
#undef LOAD
#undef STORE
#undef SPREAD
#undef MUL
#undef ADD
#undef MIN
#undef PIN

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define CHANFP_HAS_LANES 1
#include <immintrin.h>

#define MIX_LANES                                                                                 \
    for (; at + LANES <= n_mixed; at += LANES) {                                                  \
        VEC x = XOR(LOAD(indices + entry + at), SPREAD(keys[0]));                                 \
        x = MUL(XOR(x, SHIFT(x, 16)), SPREAD(0x85EBCA6Bu));                                       \
        x = MUL(XOR(x, SHIFT(x, 13)), SPREAD(0xC2B2AE35u));                                       \
        STORE(buffer + at, XOR(x, SHIFT(x, 16)));                                                 \
    }

#define TARGET __attribute__((target("avx2")))
#define LANES 8
#define VECTORS 4 /* 8 would spill */
#define VEC __m256i
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define STORE(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define SPREAD(x) _mm256_set1_epi32((int)(x))
#define MUL _mm256_mullo_epi32
#define ADD _mm256_add_epi32
#define MIN _mm256_min_epu32
#define XOR _mm256_xor_si256
#define SHIFT _mm256_srli_epi32
#define PIN(x) __asm__("" : "+x"(x))
#define NAME chanfp_minhash32_avx2
#define COLUMN int32_t
#define MIX_MANY MIX_LANES
#include "minhash_lanes.h"
#define NAME chanfp_minhash64_avx2
#define COLUMN int64_t
#define MIX_MANY
#include "minhash_lanes.h"
#undef TARGET
#undef LANES
#undef VECTORS
#undef VEC
#undef LOAD
#undef STORE
#undef SPREAD
#undef MUL
#undef ADD
#undef MIN
#undef XOR
#undef SHIFT
#undef PIN

#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define VECTORS 4
#define VEC __m512i
#define LOAD(p) _mm512_loadu_si512((const void *)(p))
#define STORE(p, x) _mm512_storeu_si512((void *)(p), x)
#define SPREAD(x) _mm512_set1_epi32((int)(x))
#define MUL _mm512_mullo_epi32
#define ADD _mm512_add_epi32
#define MIN _mm512_min_epu32
#define XOR _mm512_xor_si512
#define SHIFT _mm512_srli_epi32
#define PIN(x) __asm__("" : "+v"(x))
#define NAME chanfp_minhash32_avx512
#define COLUMN int32_t
#define MIX_MANY MIX_LANES
#include "minhash_lanes.h"
#define NAME chanfp_minhash64_avx512
#define COLUMN int64_t
#define MIX_MANY
#include "minhash_lanes.h"
#undef TARGET
#undef LANES
#undef VECTORS
#undef VEC
#undef LOAD
#undef STORE
#undef SPREAD
#undef MUL
#undef ADD
#undef MIN
#undef XOR
#undef SHIFT
#undef PIN
#endif

enum { CHANFP_PLAIN = 0, CHANFP_AVX2 = 1, CHANFP_AVX512 = 2 };

/* Whether this machine and its operating system run an instruction set. */
static int chanfp_can_run(int backend)
{
    if (backend == CHANFP_PLAIN)
        return 1;
#ifdef CHANFP_HAS_LANES
    __builtin_cpu_init();
    if (backend == CHANFP_AVX2)
        return __builtin_cpu_supports("avx2") != 0;
    if (backend == CHANFP_AVX512)
        return __builtin_cpu_supports("avx512f") != 0;
#endif
    return 0;
}

#ifdef CHANFP_HAS_LANES
#define CHANFP_DISPATCH(width, ...)                                                               \
    if (backend == CHANFP_AVX512)                                                                 \
        chanfp_minhash##width##_avx512(__VA_ARGS__);                                              \
    else if (backend == CHANFP_AVX2)                                                              \
        chanfp_minhash##width##_avx2(__VA_ARGS__);                                                \
    else                                                                                          \
        chanfp_minhash##width##_plain(__VA_ARGS__);
#else
#define CHANFP_DISPATCH(width, ...)                                                               \
    (void)backend;                                                                                \
    chanfp_minhash##width##_plain(__VA_ARGS__);
#endif

static void chanfp_minhash(
    int backend, int is_wide, const int64_t *indptr, const void *indices, const uint32_t *keys,
    int64_t n_padded, int64_t n_hashes, uint32_t *signatures, int64_t start, int64_t stop)
{
    if (is_wide) {
        CHANFP_DISPATCH(64, indptr, (const int64_t *)indices, keys, n_padded, n_hashes, signatures,
                        start, stop)
    } else {
        CHANFP_DISPATCH(32, indptr, (const int32_t *)indices, keys, n_padded, n_hashes, signatures,
                        start, stop)
    }
}

#endif
