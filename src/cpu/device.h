/* The CPU device: what its kernels share. */
#ifndef GANC_CPU_DEVICE_H
#define GANC_CPU_DEVICE_H

#include "device/backend.h"

struct gan_cpu_simd;

/* The inner loops exist once an instruction set; open() picks the widest that the processor has. */
typedef struct gan_cpu_device {
    gan_device base;
    const struct gan_cpu_simd *simd; /* simd.h */
} gan_cpu_device;

static inline const struct gan_cpu_simd *gan_cpu_simd_of(const gan_device *device) {
    return ((const gan_cpu_device *)(const void *)device)->simd;
}

/* Work on fewer elements than GAN_CPU_SERIAL runs on the calling thread: waking others costs more,
 * and where the processors are busy with something else, far more. Longer vectors are shared out in
 * pieces. */
enum { GAN_CPU_SERIAL = 32 * 1024, GAN_CPU_PIECE = 16 * 1024 };

static inline int64_t gan_cpu_min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t gan_cpu_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t gan_cpu_max64(int64_t a, int64_t b) { return a > b ? a : b; }

/* Refuses arrays of other types than f32 (call->in from `first` on, and the result). */
gan_status gan_cpu_require_f32(const gan_call *call, int first);

#endif
