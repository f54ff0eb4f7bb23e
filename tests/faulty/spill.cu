// Needs more registers than its launch bounds leave: must be reported as spilling.
__global__ void __launch_bounds__(1024, 2) spills(float *out, const float *x) {
    float a[96];
#pragma unroll
    for (int i = 0; i < 96; i++) a[i] = x[i * 1024 + threadIdx.x];
    for (int r = 0; r < out[1]; r++) {
#pragma unroll
        for (int i = 0; i < 96; i++) a[i] = a[i] * a[(i + 7) % 96] + a[(i * 5 + 1) % 96];
    }
    float sum = 0;
#pragma unroll
    for (int i = 0; i < 96; i++) sum += a[i];
    out[threadIdx.x] = sum;
}
