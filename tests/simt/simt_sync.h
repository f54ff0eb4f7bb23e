/* Barriers and warp collectives. */
#pragma once

#include <type_traits>

namespace simt {

enum class vote { plain, count, all, any };
int barrier(site where, vote how, int predicate);

enum class lane_op { index, up, down, exclusive_or, ballot, any, all, sync };

/* `value` of every lane of `mask` meets here; each gets what `op` gives it. */
uint64_t collective(site where, lane_op op, unsigned mask, uint64_t value, int argument, int width);

/* Another block's word, after others have had a turn. */
unsigned poll(site where, const unsigned *address);

/* As gpu_multiply_add() of kernels/gpu.h. */
void multiply_add(site where, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

/* What every thread of a launch that may begin early has to do. */
void wait_for_launches();

void fence();
void before_atomic();
void after_atomic();

inline unsigned mask_or_all(unsigned mask = 0xffffffffu) { return mask; }

template <class T>
inline T shuffle(site where, lane_op op, unsigned mask, T value, int argument, int width = 32) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value,
                  "a number of at most 64 bits");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = collective(where, op, mask, bits, argument, width);
    memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace simt

#define __syncthreads() ((void)simt::barrier(SIMT_HERE, simt::vote::plain, 0))
#define __syncthreads_count(p) simt::barrier(SIMT_HERE, simt::vote::count, (p) != 0)
#define __syncthreads_and(p) simt::barrier(SIMT_HERE, simt::vote::all, (p) != 0)
#define __syncthreads_or(p) simt::barrier(SIMT_HERE, simt::vote::any, (p) != 0)

#define __shfl_sync(m, ...) simt::shuffle(SIMT_HERE, simt::lane_op::index, m, __VA_ARGS__)
#define __shfl_up_sync(m, ...) simt::shuffle(SIMT_HERE, simt::lane_op::up, m, __VA_ARGS__)
#define __shfl_down_sync(m, ...) simt::shuffle(SIMT_HERE, simt::lane_op::down, m, __VA_ARGS__)
#define __shfl_xor_sync(m, ...)                                                                    \
    simt::shuffle(SIMT_HERE, simt::lane_op::exclusive_or, m, __VA_ARGS__)
#define __ballot_sync(m, p)                                                                        \
    ((unsigned)simt::collective(SIMT_HERE, simt::lane_op::ballot, m, (p) != 0, 0, 32))
#define __any_sync(m, p) ((int)simt::collective(SIMT_HERE, simt::lane_op::any, m, (p) != 0, 0, 32))
#define __all_sync(m, p) ((int)simt::collective(SIMT_HERE, simt::lane_op::all, m, (p) != 0, 0, 32))
#define __syncwarp(...)                                                                            \
    ((void)simt::collective(SIMT_HERE, simt::lane_op::sync, simt::mask_or_all(__VA_ARGS__), 0, 0,  \
                            32))

/* As in kernels/gpu.h. */
#define GPU_WAIT() simt::wait_for_launches()
#define GPU_MULTIPLY_ADD(c, a, b) simt::multiply_add(SIMT_HERE, (c), (a), (b))
#define GPU_POLL(address) simt::poll(SIMT_HERE, (address))

#define __threadfence() simt::fence()
#define __threadfence_block() simt::fence()
#define __trap() simt::fail(SIMT_HERE, "__trap()")
