/* What tests of launchers share: chance, device memory with margins, what is stored in it. C++, and
 * the last include: `fail` is a macro of cmocka. */
#ifndef SIMT_LAUNCHERS_H
#define SIMT_LAUNCHERS_H

#include "kernels/launch.h"
#include "kernels/program.cuh"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <vector>

extern "C" {
#include "base/error.h"
#include "cuda/program.h"

#include <cmocka.h>
}

namespace {

/* ---- chance ---- */

uint64_t state = 1;

inline uint64_t draw() { /* SplitMix64 (Steele, Lea and Flood 2014) */
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
inline int64_t pick(int64_t low, int64_t high) {
    return low + int64_t(draw() % uint64_t(high - low + 1));
}
inline float number() { return float(int64_t(draw() >> 40)) / 8388608.0f - 1.0f; } /* in [-1, 1) */

/* ---- device memory with a margin that nobody may touch ---- */

enum { MARGIN = 64 };

struct Place {
    unsigned char *base = nullptr;
    size_t offset = 0, bytes = 0;

    /* `shift`: bytes from an address that is a multiple of 256. */
    Place(size_t size, size_t shift) : offset(MARGIN * 4 + shift), bytes(size) {
        assert_int_equal(cudaMalloc(reinterpret_cast<void **>(&base), offset + bytes + MARGIN),
                         cudaSuccess);
        assert_int_equal(cudaMemset(base, 0xa5, offset + bytes + MARGIN), cudaSuccess);
    }
    Place(const Place &) = delete;
    ~Place() { cudaFree(base); }
    void *data() const { return base + offset; }
    void write(const void *from) const {
        if (bytes)
            assert_int_equal(cudaMemcpy(data(), from, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    }
    std::vector<unsigned char> read() const {
        std::vector<unsigned char> all(offset + bytes + MARGIN);
        assert_int_equal(cudaMemcpy(all.data(), base, all.size(), cudaMemcpyDeviceToHost),
                         cudaSuccess);
        for (size_t i = 0; i < all.size(); i++)
            if ((i < offset || i >= offset + bytes) && all[i] != 0xa5)
                fail_msg("written outside, at %zu", i);
        return std::vector<unsigned char>(all.begin() + long(offset),
                                          all.begin() + long(offset + bytes));
    }
};

inline void expect_launched(cudaError_t error) {
    assert_int_equal(error, cudaSuccess);
    assert_int_equal(cudaDeviceSynchronize(), cudaSuccess);
}

/* ---- numbers ---- */

/* What is stored, as floats. */
inline std::vector<float> floats(const Place &place, bool bf16) {
    const std::vector<unsigned char> bytes = place.read();
    std::vector<float> y(bytes.size() / (bf16 ? 2 : 4));
    for (size_t i = 0; i < y.size(); i++) {
        if (bf16) {
            __nv_bfloat16 half;
            memcpy(&half, &bytes[2 * i], 2);
            y[i] = __bfloat162float(half);
        } else {
            memcpy(&y[i], &bytes[4 * i], 4);
        }
    }
    return y;
}

inline float stored(float x, bool bf16) {
    return bf16 ? __bfloat162float(__float2bfloat16_rn(x)) : x;
}
inline bool same(float a, float b) { return memcmp(&a, &b, 4) == 0 || (a != a && b != b); }

} // namespace

#endif
