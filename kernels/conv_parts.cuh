/* Sums over all pixels, to which blocks contribute that have some of the tiles each. They are
 * brought together in groups, by the last block of a group, and the groups' by the last of all. */
#pragma once
#include "kernels/conv.cuh"
#include "kernels/last.cuh"

namespace {

enum {
    PARTS_GROUP = 16, /* parts that are brought together at once, and groups */
    PARTS_MOST = PARTS_GROUP * PARTS_GROUP
};

/* Element i of `n` parts, `apart` numbers from each other. */
__device__ __forceinline__ float total(const float *parts, int n, int apart, int i) {
    float sum = parts[i];
#pragma unroll 4
    for (int part = 1; part < n; part++) sum += parts[part * apart + i];
    return sum;
}

/* Of a launch with a block for each part and each share of the channels. */
struct Parts {
    int n, numbers;     // of a part
    float *workspace;   // (shares, n, numbers)
    unsigned *counters; // zeros, PARTS_GROUP + 1 a share

    /* Which of `tiles` a block has: begin … end - 1. */
    __device__ __forceinline__ void find(unsigned tiles, unsigned &begin, unsigned &end) const {
        begin = unsigned(uint64_t(tiles) * blockIdx.x / unsigned(n));
        end = unsigned(uint64_t(tiles) * (blockIdx.x + 1) / unsigned(n));
    }

    /* write(i, value) for all numbers, by the last block of the share. sums: what this block, of
     * BLOCK threads, contributes, complete. */
    template <int BLOCK, class WRITE>
    __device__ __forceinline__ void bring_together(const float *sums, WRITE write) const {
        if (n == 1) {
            for (int i = int(threadIdx.x); i < numbers; i += BLOCK) write(i, sums[i]);
            return;
        }
        const int part = int(blockIdx.x), group = part / PARTS_GROUP;
        const int groups = (n + PARTS_GROUP - 1) / PARTS_GROUP;
        const int left = n - group * PARTS_GROUP, members = left < PARTS_GROUP ? left : PARTS_GROUP;
        unsigned *const counter = counters + blockIdx.y * (PARTS_GROUP + 1);
        float *const all = workspace + int64_t(blockIdx.y) * n * numbers;
        float *const ours = all + group * PARTS_GROUP * numbers;
        for (int i = int(threadIdx.x); i < numbers; i += BLOCK) all[part * numbers + i] = sums[i];
        if (!is_last(counter + group, unsigned(members))) return;
        for (int i = int(threadIdx.x); i < numbers; i += BLOCK) /* each thread its own */
            ours[i] = total(ours, members, numbers, i);
        if (!is_last(counter + PARTS_GROUP, unsigned(groups))) return;
        for (int i = int(threadIdx.x); i < numbers; i += BLOCK)
            write(i, total(all, groups, PARTS_GROUP * numbers, i));
    }
};

/* ---- for launchers ---- */

struct Cut {
    int shares, groups, parts; // of the channels; of CONV_CHUNK channels, a share; of the tiles

    /* Tiles are of `rows` · CONV_ACROSS pixels; `most`: blocks, at most. */
    Cut(const Sides &v, int rows, int most_blocks) {
        enum { LEAST = 4 }; /* tiles that are worth a block */
        const int64_t chunks = ceil_div(v.k, CONV_CHUNK), most = CONV_CHANNELS / CONV_CHUNK;
        shares = int(ceil_div(chunks, most));
        groups = int(ceil_div(chunks, shares));
        const int64_t tiles = v.n * ceil_div(v.p, rows) * ceil_div(v.q, CONV_ACROSS);
        int64_t blocks = ceil_div(tiles, LEAST);
        if (blocks > most_blocks / shares) blocks = most_blocks / shares;
        parts = int(blocks);
    }
    size_t workspace(int numbers) const {
        return parts == 1 ? 0 : sizeof(float) * size_t(shares) * size_t(parts) * size_t(numbers);
    }
};
static_assert(2048 / CONV_CHANNELS * (PARTS_GROUP + 1) <= GAN_LAUNCH_COUNTERS,
              "a share's counters");

} // namespace
