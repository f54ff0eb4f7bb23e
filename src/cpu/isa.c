#include "cpu/simd.h"

#define TABLES(isa)                                                                                \
    extern const gan_cpu_pointwise_loops gan_cpu_pointwise_##isa;                                  \
    extern const gan_cpu_reduce_loops gan_cpu_reduce_##isa;                                        \
    extern const gan_cpu_random_loops gan_cpu_random_##isa;                                        \
    extern const gan_cpu_update_loops gan_cpu_update_##isa;                                        \
    extern const gan_cpu_cast_loops gan_cpu_cast_##isa;                                            \
    extern const gan_cpu_product_loops gan_cpu_product_##isa;

#define ROW(isa, text)                                                                             \
    {                                                                                              \
        text, &gan_cpu_pointwise_##isa, &gan_cpu_reduce_##isa, &gan_cpu_random_##isa,              \
            &gan_cpu_update_##isa, &gan_cpu_cast_##isa, &gan_cpu_product_##isa                     \
    }

#if GAN_CPU_X86
TABLES(base)
TABLES(avx2)
TABLES(avx512)

static const gan_cpu_simd sets[] = {ROW(base, "SSE2"), ROW(avx2, "AVX2"), ROW(avx512, "AVX-512")};

static bool has(int i) {
    __builtin_cpu_init();
    switch (i) {
    case 2:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    case 1:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    default:
        return true;
    }
}
#else
TABLES(base)

static const gan_cpu_simd sets[] = {ROW(base, "baseline")};

static bool has(int i) { return i == 0; }
#endif

const gan_cpu_simd *gan_cpu_simd_at(int i) {
    const int n = (int)(sizeof sets / sizeof *sets);
    return i >= 0 && i < n && has(i) ? &sets[i] : NULL;
}

const gan_cpu_simd *gan_cpu_simd_best(void) {
    const gan_cpu_simd *best = &sets[0];
    for (int i = 1; gan_cpu_simd_at(i); i++) best = gan_cpu_simd_at(i);
    return best;
}
