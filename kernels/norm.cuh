/* What batch norm's kernels share: threads over rows and channels, the derivative of the activation
 * that follows, the gradient of x. */
#pragma once
#include "kernels/common.cuh"
#include "kernels/launch_norm.h"

namespace {

enum { NORM_BLOCK = 512 };

/* A thread's place: its channels begin at `channel`, it takes every stripes-th row from `stripe`
 * on. `lanes` threads, a power of two, are side by side. */
template <int V>
struct Tile {
    int lane, stripe, stripes, channel;

    __device__ __forceinline__ Tile(int lanes, int tile) {
        const int bits = 31 - __clz(lanes);
        lane = int(threadIdx.x) & (lanes - 1);
        stripe = int(threadIdx.x) >> bits;
        stripes = NORM_BLOCK >> bits;
        channel = (tile * lanes + lane) * V;
    }
};

inline int lanes_for(int64_t items, int most) {
    int lanes = 1;
    while (lanes < most && lanes < items) lanes *= 2;
    return lanes;
}

/* V channels of a group: their mean, and gamma and 1 over their deviation. */
template <int V>
struct Channels {
    float mean[V], inverse[V], scale[V], beta[V];

    /* moments (2, channels) of the group; gamma and beta (channels) */
    __device__ __forceinline__ void read(const float *moments, int channels, int channel,
                                         const gan_launch_norm_back &b) {
#pragma unroll
        for (int k = 0; k < V; k++) {
            mean[k] = moments[channel + k];
            inverse[k] = 1.0f / sqrtf(moments[channels + channel + k] + b.eps);
            scale[k] = inverse[k] * b.gamma[channel + k];
            beta[k] = b.beta[channel + k];
        }
    }

    /* dy before the activation: `distance` is x - mean */
    __device__ __forceinline__ float before(float dy, float distance, int k, float slope) const {
        return distance * scale[k] + beta[k] > 0.0f ? dy : slope * dy;
    }
};

/* The gradient of x, V channels of a group: what their rows have in common. */
template <int V, bool ACTIVE>
struct GradientOfX {
    Channels<V> of;
    float constant[V], slope[V]; /* dx = scale·dy + constant + slope·(x - mean) */

    /* sums and moments (2, channels) of the group, of `rows` rows */
    __device__ __forceinline__ void read(const float *sums, const float *moments, int rows,
                                         int channels, int channel, const gan_launch_norm_back &b) {
        of.read(moments, channels, channel, b);
        const float share = 1.0f / float(rows);
#pragma unroll
        for (int k = 0; k < V; k++) {
            constant[k] = -(of.scale[k] * (share * sums[channel + k]));
            slope[k] = -(of.scale[k] * (of.inverse[k] * (share * sums[channels + channel + k])));
        }
    }

    template <class T>
    __device__ __forceinline__ void apply(float (&y)[V], const Vec<T, V> &x, const Vec<T, V> &dy,
                                          float activation) const {
#pragma unroll
        for (int k = 0; k < V; k++) {
            const float distance = to_float(x.v[k]) - of.mean[k];
            float d = to_float(dy.v[k]);
            if (ACTIVE) d = of.before(d, distance, k, activation);
            y[k] = d * of.scale[k] + (distance * slope[k] + constant[k]);
        }
    }
};

} // namespace
