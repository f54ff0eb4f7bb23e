/* cuRAND's own Philox, compiled for the host. */
#include <cuda_runtime.h>
#include <curand_kernel.h>

#include "curand_numbers.h"

void curand_numbers(unsigned long long seed, unsigned long long subsequence,
                    unsigned long long offset, unsigned bits[4], float uniform[4],
                    float normal[4]) {
    curandStatePhilox4_32_10_t state;
    curand_init(seed, subsequence, offset, &state);
    const uint4 b = curand4(&state);
    curand_init(seed, subsequence, offset, &state);
    const float4 u = curand_uniform4(&state);
    curand_init(seed, subsequence, offset, &state);
    const float4 n = curand_normal4(&state);
    bits[0] = b.x, bits[1] = b.y, bits[2] = b.z, bits[3] = b.w;
    uniform[0] = u.x, uniform[1] = u.y, uniform[2] = u.z, uniform[3] = u.w;
    normal[0] = n.x, normal[1] = n.y, normal[2] = n.z, normal[3] = n.w;
}
