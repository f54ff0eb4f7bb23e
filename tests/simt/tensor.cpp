/* Products on tensor cores, which a warp computes together. */
#include "block.h"

namespace simt {

namespace {

float half(unsigned pair, int which) {
    const unsigned bits = which ? pair & 0xffff0000u : pair << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float element_of_a(const warp &w, int row, int k) {
    return half(w.lane[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], k % 2);
}

float element_of_b(const warp &w, int k, int column) {
    return half(w.lane[column * 4 + k % 8 / 2].b[k / 8], k % 2);
}

} // namespace

/* Which orders no memory: votes, not __syncwarp(). */
void multiply_add(site where, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    warp &w = running_block->warps[running_thread->number / 32];
    const int lane = int(running_thread->number % 32);
    memcpy(w.lane[lane].a, a, sizeof a);
    memcpy(w.lane[lane].b, b, sizeof b);
    if (collective(where, lane_op::ballot, ~0u, 1, 0, 32) != ~0u)
        fail(where, "a product on tensor cores without all lanes of the warp");
    for (int i = 0; i < 4; i++) {
        double sum = c[i];
        for (int k = 0; k < 16; k++)
            sum += double(element_of_a(w, lane / 4 + i / 2 * 8, k)) *
                   double(element_of_b(w, k, lane % 4 * 2 + i % 2));
        c[i] = float(sum);
    }
    collective(where, lane_op::ballot, ~0u, 1, 0, 32);
}

} // namespace simt
