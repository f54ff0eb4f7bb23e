/* Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011), with the counter laid out as in cuRAND's curand_init(seed, subsequence,
 * offset). Included by C and by the CUDA kernels alike, so every device draws the same bits. */
#ifndef GANC_BASE_PHILOX_H
#define GANC_BASE_PHILOX_H

#include <stdint.h>

#if defined(__CUDACC__)
#define GAN_PHILOX_FN static __device__ __forceinline__
#else
#define GAN_PHILOX_FN static inline
#endif

typedef struct gan_philox4 {
    uint32_t v[4];
} gan_philox4;

/* Four 32-bit numbers: block `block` (= cuRAND offset / 4) of `subsequence` under `seed`. */
GAN_PHILOX_FN gan_philox4 gan_philox(uint64_t seed, uint64_t subsequence, uint64_t block) {
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)subsequence, c3 = (uint32_t)(subsequence >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    gan_philox4 r = {{c0, c1, c2, c3}};
    return r;
}

/* Uniform in (0, 1], cuRAND's mapping of 32 bits. */
GAN_PHILOX_FN float gan_philox_uniform(uint32_t bits) {
    return (float)bits * 2.3283064e-10f + 1.1641532e-10f;
}

/* The stream a random node draws from: element i of node-stream s at iteration t is number i % 4 of
 * gan_philox(seed, gan_philox_subsequence(s, i / 4), t). */
GAN_PHILOX_FN uint64_t gan_philox_subsequence(uint32_t stream, uint64_t group) {
    return ((uint64_t)stream << 32) | (group & 0xffffffffu);
}

/* A pseudo-random permutation of 0 .. n-1 (n >= 1), drawn for `epoch`: where position `i` goes.
 * Four Feistel rounds keyed by Philox over the smallest even number of bits that holds n, walked in
 * cycles until the value falls below n; needs no memory, so a shuffle is a pure function of its
 * position. */
GAN_PHILOX_FN uint64_t gan_philox_permute(uint64_t seed, uint32_t stream, uint64_t epoch,
                                          uint64_t n, uint64_t i) {
    unsigned half = 1;
    while (half < 31 && ((uint64_t)1 << (2 * half)) < n) half++;
    const uint32_t mask = (uint32_t)(((uint64_t)1 << half) - 1);
    do {
        uint32_t left = (uint32_t)(i >> half) & mask, right = (uint32_t)i & mask;
        for (uint32_t round = 0; round < 4; round++) {
            gan_philox4 f = gan_philox(seed, gan_philox_subsequence(stream, right), epoch);
            uint32_t next = left ^ (f.v[round] & mask);
            left = right;
            right = next;
        }
        i = ((uint64_t)left << half) | right;
    } while (i >= n);
    return i;
}

#endif
