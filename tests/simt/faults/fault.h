/* Kernels that are wrong on purpose, each beside one that is right and otherwise the same. The
 * harness has to notice the first and to be silent about the second. */
#pragma once

#include "kernels/gpu.h"

struct memory {
    float *x, *y;      /* device memory of `n` floats each: 0, 1, 2, …, and fresh */
    unsigned *counter; /* two zeros */
    int n;
    cudaStream_t stream;
};

enum { FAULT_FLOATS = 256 };

/* Queues its kernels; afterwards y is expected to hold what `expected` says, NULL: anything. */
struct fault {
    const char *name;
    void (*wrong)(const memory &m);
    void (*right)(const memory &m);
    float (*expected)(int i); /* of y */
    int expected_floats;
};

extern const fault faults_memory[], faults_barrier[], faults_race[], faults_warp[], faults_launch[],
    faults_grid[];
