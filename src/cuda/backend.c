/* The CUDA backend: devices, memory, copies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cuda/conv_cache.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

/* PLANNED_CACHE: where no device is open, an H200's. */
enum { STAGING_BYTES = 1 << 22, PLANNED_CACHE = 50 << 20 };

gan_status gan_cuda_enter(gan_device *device) {
    GAN_CUDA_TRY(NULL, cudaSetDevice(device->index));
    return GAN_OK;
}

static int count(void) {
    int n = 0, driver = 0, runtime = 0;
    cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaSuccess && n > 0) return gan_cuda_libraries_open() == GAN_OK ? n : 0;
    if (error != cudaSuccess) (void)cudaGetLastError(); /* not a fault of what follows */
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (driver == 0)
        gan_fail(GAN_ERROR_DEVICE, "no NVIDIA driver is installed; CUDA %d.%d or newer is needed",
                 runtime / 1000, runtime % 1000 / 10);
    else if (driver < runtime)
        gan_fail(GAN_ERROR_DEVICE,
                 "the NVIDIA driver supports CUDA %d.%d, this build needs %d.%d: update the driver",
                 driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    else
        gan_fail(GAN_ERROR_DEVICE, "no NVIDIA GPU can be used: %s",
                 error == cudaSuccess ? "the driver lists none" : cudaGetErrorString(error));
    return 0;
}

static gan_status describe(int index, gan_device_info *info) {
    struct cudaDeviceProp prop;
    int driver = 0, blas[3] = {0}, current = 0;
    *info = (gan_device_info){.index = index};
    GAN_CUDA_TRY(NULL, cudaGetDevice(&current));
    GAN_CUDA_TRY(NULL, cudaGetDeviceProperties(&prop, index));
    GAN_CUDA_TRY(NULL, cudaDriverGetVersion(&driver));
    GAN_CUDA_TRY(NULL, cudaSetDevice(index));
    cudaError_t error = cudaMemGetInfo(&info->memory_free, &info->memory_total);
    GAN_CUDA_TRY(NULL, cudaSetDevice(current));
    GAN_CUDA_TRY(NULL, error);
    const size_t dnn = cudnnGetVersion();
    static const libraryPropertyType parts[] = {MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL};
    for (int i = 0; i < 3; i++) cublasGetProperty(parts[i], &blas[i]); /* a handle takes long */
    snprintf(info->kind, sizeof info->kind, "cuda");
    snprintf(info->name, sizeof info->name, "%.127s", prop.name);
    snprintf(info->version, sizeof info->version,
             "compute capability %d.%d, driver for CUDA %d.%d, cuBLAS %d.%d.%d, cuDNN %zu.%zu.%zu",
             prop.major, prop.minor, driver / 1000, driver % 1000 / 10, blas[0], blas[1], blas[2],
             dnn / 10000, dnn / 100 % 100, dnn % 100);
    return GAN_OK;
}

static void close_device(gan_device *device) {
    gan_cuda_device *d = gan_cuda(device);
    if (!device->plan_only) cudaSetDevice(device->index);
    gan_cuda_conv_graphs_free(d);
    gan_cache_close(d->cache);
    if (d->dnn) cudnnDestroy(d->dnn);
    if (d->blas) cublasDestroy(d->blas);
    for (int i = 0; i < GAN_CUDA_LANES; i++) {
        if (d->lane[i].blas_workspace) cudaFree(d->lane[i].blas_workspace);
        if (d->lane[i].counters) cudaFree(d->lane[i].counters);
        if (d->lane[i].barrier) cudaFree(d->lane[i].barrier);
    }
    if (d->staging) cudaFreeHost(d->staging);
    if (d->stream) cudaStreamDestroy(d->stream);
    free(d);
}

/* A build without code for the GPU's architecture would fail at the first launch; said here
 * instead. */
static gan_status check_code(int index) {
    int version;
    cudaError_t error = gan_launch_code(&version);
    if (error == cudaSuccess) return GAN_OK;
    (void)cudaGetLastError();
    int major = 0, minor = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index);
    return gan_fail(GAN_ERROR_DEVICE,
                    "this build has no code for compute capability %d.%d (%s); configure with "
                    "-DCMAKE_CUDA_ARCHITECTURES=%d%d",
                    major, minor, cudaGetErrorString(error), major, minor);
}

static gan_status set_up_lane(gan_cuda_device *d, gan_cuda_lane *lane) {
    const size_t counters = GAN_LAUNCH_COUNTERS * sizeof *lane->counters,
                 barrier = 2 * sizeof *lane->barrier;
    GAN_CUDA_TRY(NULL, cudaMalloc(&lane->blas_workspace, GAN_CUDA_BLAS_WORKSPACE));
    GAN_CUDA_TRY(NULL, cudaMalloc((void **)&lane->counters, counters));
    GAN_CUDA_TRY(NULL, cudaMemsetAsync(lane->counters, 0, counters, d->stream));
    GAN_CUDA_TRY(NULL, cudaMalloc((void **)&lane->barrier, barrier));
    GAN_CUDA_TRY(NULL, cudaMemsetAsync(lane->barrier, 0, barrier, d->stream));
    return GAN_OK;
}

static gan_status find_resident(gan_cuda_device *d) {
    int can = 0;
    GAN_CUDA_TRY(NULL, cudaDeviceGetAttribute(&can, cudaDevAttrCooperativeLaunch, d->base.index));
    d->resident = d->resident && can;
    d->phased = d->phased && d->resident && gan_launch_joined_has_whole();
    return GAN_OK;
}

static gan_status set_up(gan_cuda_device *d, const gan_device_options *options) {
    GAN_TRY(gan_cuda_enter(&d->base));
    GAN_TRY(check_code(d->base.index));
    GAN_CUDA_TRY(NULL, cudaDeviceGetAttribute(&d->processors, cudaDevAttrMultiProcessorCount,
                                              d->base.index));
    GAN_CUDA_TRY(NULL,
                 cudaDeviceGetAttribute(&d->cache_bytes, cudaDevAttrL2CacheSize, d->base.index));
    GAN_TRY(find_resident(d));
    GAN_TRY(gan_cuda_find_early(d, options));
    GAN_CUDA_TRY(NULL, cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking));
    GAN_CUDA_TRY(NULL, cudaMallocHost(&d->staging, STAGING_BYTES));
    d->staging_bytes = STAGING_BYTES;
    GAN_CUBLAS_TRY(NULL, cublasCreate(&d->blas));
    GAN_CUBLAS_TRY(NULL, cublasSetStream(d->blas, d->stream));
    for (int i = 0; i < (d->base.branches ? GAN_CUDA_LANES : 1); i++)
        GAN_TRY(set_up_lane(d, &d->lane[i]));
    GAN_CUBLAS_TRY(NULL,
                   cublasSetWorkspace(d->blas, d->lane[0].blas_workspace, GAN_CUDA_BLAS_WORKSPACE));
    /* Products say themselves what they compute in; no sum is to be in bf16. */
    GAN_CUBLAS_TRY(
        NULL, cublasSetMathMode(d->blas, CUBLAS_DEFAULT_MATH |
                                             CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION));
    GAN_CUDNN_TRY(NULL, cudnnCreate(&d->dnn));
    GAN_CUDNN_TRY(NULL, cudnnSetStream(d->dnn, d->stream));
    return GAN_OK;
}

extern const gan_backend gan_cuda_backend;

static gan_status open_device(gan_device **out, int index, const gan_device_options *options) {
    gan_cuda_device *d = calloc(1, sizeof *d);
    if (!d) return gan_fail(GAN_ERROR_MEMORY, "cuda: out of memory");
    d->base = (gan_device){.backend = &gan_cuda_backend,
                           .index = index,
                           .threads = 1,
                           .branches = options->branches,
                           .plan_only = options->plan_only,
                           .direct = options->direct};
    d->resident = options->cooperative >= 0;
    d->phased = options->cooperative == 0;
    d->cache_bytes = PLANNED_CACHE;
    gan_status status = options->plan_only ? GAN_OK : set_up(d, options);
    if (status == GAN_OK && !options->plan_only) status = gan_cuda_conv_cache_open(d, options);
    if (status != GAN_OK) {
        close_device(&d->base);
        return gan_fail_within(status, "device cuda:%d", index);
    }
    d->base.phases = d->resident;
    *out = &d->base;
    return GAN_OK;
}

/* ---- memory ---- */

static gan_status allocate(gan_device *device, void **out, size_t bytes) {
    GAN_TRY(gan_cuda_enter(device));
    cudaError_t error = cudaMalloc(out, bytes ? bytes : 1);
    if (error == cudaSuccess) return GAN_OK;
    (void)cudaGetLastError();
    size_t available = 0, total = 0;
    cudaMemGetInfo(&available, &total);
    return gan_fail(error == cudaErrorMemoryAllocation ? GAN_ERROR_MEMORY : GAN_ERROR_DEVICE,
                    "cuda:%d: cudaMalloc of %.1f MiB: %s; %.1f of %.1f MiB are free", device->index,
                    (double)bytes / (1 << 20), cudaGetErrorString(error),
                    (double)available / (1 << 20), (double)total / (1 << 20));
}

static void release(gan_device *device, void *data) {
    if (gan_cuda_enter(device) == GAN_OK) cudaFree(data);
}

static gan_status free_memory(gan_device *device, size_t *bytes) {
    size_t total;
    GAN_TRY(gan_cuda_enter(device));
    GAN_CUDA_TRY(NULL, cudaMemGetInfo(bytes, &total));
    return GAN_OK;
}

static gan_status zero(gan_device *device, void *data, size_t bytes) {
    GAN_TRY(gan_cuda_enter(device));
    if (bytes) GAN_CUDA_TRY(NULL, cudaMemsetAsync(data, 0, bytes, gan_cuda(device)->stream));
    return GAN_OK;
}

/* Copies go through pinned memory piece by piece: pageable memory would make the driver do the
 * same. */
static gan_status copy(gan_device *device, void *to, const void *from, size_t bytes, bool up) {
    gan_cuda_device *d = gan_cuda(device);
    GAN_TRY(gan_cuda_enter(device));
    for (size_t done = 0; done < bytes; done += d->staging_bytes) {
        size_t n = bytes - done < d->staging_bytes ? bytes - done : d->staging_bytes;
        if (up) {
            memcpy(d->staging, (const char *)from + done, n);
            GAN_CUDA_TRY(NULL, cudaMemcpyAsync((char *)to + done, d->staging, n,
                                               cudaMemcpyHostToDevice, d->stream));
        } else {
            GAN_CUDA_TRY(NULL, cudaMemcpyAsync(d->staging, (const char *)from + done, n,
                                               cudaMemcpyDeviceToHost, d->stream));
        }
        GAN_CUDA_TRY(NULL, cudaStreamSynchronize(d->stream));
        if (!up) memcpy((char *)to + done, d->staging, n);
    }
    return GAN_OK;
}

static gan_status upload(gan_device *device, void *to, const void *from, size_t bytes) {
    return copy(device, to, from, bytes, true);
}

static gan_status download(gan_device *device, void *to, const void *from, size_t bytes) {
    return copy(device, to, from, bytes, false);
}

static gan_status synchronize(gan_device *device) {
    GAN_TRY(gan_cuda_enter(device));
    GAN_CUDA_TRY(NULL, cudaStreamSynchronize(gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_backend gan_cuda_backend = {
    .name = "cuda",
    .count = count,
    .describe = describe,
    .open = open_device,
    .close = close_device,
    .allocate = allocate,
    .free = release,
    .free_memory = free_memory,
    .zero = zero,
    .upload = upload,
    .download = download,
    .begin_download = gan_cuda_begin_download,
    .end_download = gan_cuda_end_download,
    .release_download = gan_cuda_release_download,
    .synchronize = synchronize,
    .record = gan_cuda_record_calls,
    .replay = gan_cuda_replay,
    .release_record = gan_cuda_release_record,
    .lanes = GAN_CUDA_LANES,
    .joins = gan_cuda_joins,
    .join_room = GAN_LAUNCH_ROOM,
    .pairs = gan_cuda_pairs,
    .phase = gan_cuda_phase,
    .forms = gan_cuda_forms,
    .run_joined = gan_cuda_run_joined,
    .cost = gan_cuda_cost,
    .kernel = gan_cuda_kernels,
    .takes = gan_cuda_takes,
};
