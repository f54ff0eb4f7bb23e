/* The CPU as a device. */
#define _GNU_SOURCE /* sched_getaffinity, madvise */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

#ifdef GANC_HAVE_DNNL
#include <dnnl.h>
#endif

/* ---- what machine this is ---- */

static int count(void) { return 1; }

static int processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

/* The rest of the first line of a file that begins with `key`, without ':' and blanks. */
static bool line_of(const char *path, const char *key, char *out, size_t size) {
    FILE *file = fopen(path, "r");
    if (!file) return false;
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        const char *text = line + strlen(key) + strspn(line + strlen(key), " \t:");
        snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
        found = true;
    }
    fclose(file);
    return found;
}

static size_t pages(int name) {
    long n = sysconf(name), bytes = sysconf(_SC_PAGESIZE);
    return n > 0 && bytes > 0 ? (size_t)n * (size_t)bytes : 0;
}

static size_t memory_free(void) {
    char text[64];
    if (line_of("/proc/meminfo", "MemAvailable", text, sizeof text))
        return (size_t)strtoull(text, NULL, 10) * 1024;
    return pages(_SC_AVPHYS_PAGES);
}

static gan_status describe(int index, gan_device_info *info) {
    memset(info, 0, sizeof *info);
    snprintf(info->kind, sizeof info->kind, "cpu");
    info->index = index;
    if (!line_of("/proc/cpuinfo", "model name", info->name, sizeof info->name))
        snprintf(info->name, sizeof info->name, "unnamed processor");
#ifdef GANC_HAVE_OPENBLAS
    const char *blas = "OpenBLAS";
#else
    const char *blas = "BLAS";
#endif
#ifdef GANC_HAVE_DNNL
    const dnnl_version_t *dnnl = dnnl_version();
    snprintf(info->version, sizeof info->version, "%s, %s, oneDNN %d.%d.%d",
             gan_cpu_simd_best()->name, blas, dnnl->major, dnnl->minor, dnnl->patch);
#else
    snprintf(info->version, sizeof info->version, "%s, %s", gan_cpu_simd_best()->name, blas);
#endif
    info->memory_total = pages(_SC_PHYS_PAGES);
    info->memory_free = memory_free();
    info->threads = processors();
    return GAN_OK;
}

/* ---- the device ---- */

static gan_status open_device(gan_device **out, int index, const gan_device_options *options) {
    int threads = options ? options->threads : 0;
    if (threads < 0)
        return gan_fail(GAN_ERROR_ARGUMENT, "cpu: %d threads given, expected 0 or more", threads);
    gan_cpu_device *device = calloc(1, sizeof *device);
    if (!device) return gan_fail(GAN_ERROR_MEMORY, "cpu: no memory for the device");
    device->base.backend = &gan_cpu_backend;
    device->base.index = index;
    device->base.threads = threads > 0 ? threads : processors();
    device->simd = gan_cpu_simd_best();
    *out = &device->base;
    return GAN_OK;
}

static void close_device(gan_device *device) { free(device); }

/* ---- memory ---- */

enum { LINE = 64, HUGE_PAGE = 2 * 1024 * 1024 };

static gan_status allocate(gan_device *device, void **out, size_t bytes) {
    (void)device;
    const size_t available = memory_free();
    if (bytes > available)
        return gan_fail(GAN_ERROR_MEMORY, "cpu: %.1f MiB asked for, %.1f MiB of memory available",
                        (double)bytes / 1048576.0, (double)available / 1048576.0);
    const bool large = bytes >= 2 * (size_t)HUGE_PAGE;
    const size_t unit = large ? HUGE_PAGE : LINE;
    const size_t size = bytes > 0 ? (bytes + unit - 1) / unit * unit : unit;
    *out = aligned_alloc(unit, size);
    if (!*out)
        return gan_fail(GAN_ERROR_MEMORY, "cpu: the system refused %.1f MiB",
                        (double)bytes / 1048576.0);
#ifdef MADV_HUGEPAGE
    if (large)
        madvise(*out, size, MADV_HUGEPAGE); /* fewer misses in the TLB; no matter when refused */
#endif
    return GAN_OK;
}

static void free_data(gan_device *device, void *data) {
    (void)device;
    free(data);
}

static gan_status free_memory(gan_device *device, size_t *bytes) {
    (void)device;
    *bytes = memory_free();
    return GAN_OK;
}

static gan_status zero(gan_device *device, void *data, size_t bytes) {
    (void)device;
    if (bytes) memset(data, 0, bytes);
    return GAN_OK;
}

static gan_status copy(gan_device *device, void *to, const void *from, size_t bytes) {
    (void)device;
    if (bytes) memcpy(to, from, bytes);
    return GAN_OK;
}

static gan_status synchronize(gan_device *device) {
    (void)device; /* kernels return when they are done */
    return GAN_OK;
}

/* ---- programs: the calls are simply made, so there is nothing to record ---- */

static gan_status record(gan_device *device, int n_calls, const gan_call *calls,
                         const gan_branches *branches, int unroll, void **out) {
    (void)device, (void)n_calls, (void)calls, (void)branches, (void)unroll;
    *out = NULL;
    return GAN_OK;
}

static gan_status replay(gan_device *device, void *made) {
    (void)device, (void)made;
    return gan_fail(GAN_ERROR_DEVICE, "cpu: programs are not recorded");
}

static void release_record(gan_device *device, void *made) { (void)device, (void)made; }

const gan_backend gan_cpu_backend = {
    .name = "cpu",
    .count = count,
    .describe = describe,
    .open = open_device,
    .close = close_device,
    .allocate = allocate,
    .free = free_data,
    .free_memory = free_memory,
    .zero = zero,
    .upload = copy,
    .download = copy,
    .synchronize = synchronize,
    .record = record,
    .replay = replay,
    .release_record = release_record,
    .kernel = gan_cpu_kernels,
    .takes = gan_cpu_takes,
};

gan_status gan_cpu_require_f32(const gan_call *call, int first) {
    const gan_array *wrong = call->out.dtype == GAN_F32 ? NULL : &call->out;
    for (int i = first; i < call->n_in; i++)
        if (call->in[i].dtype != GAN_F32) wrong = &call->in[i];
    if (!wrong) return GAN_OK;
    char text[GAN_SHAPE_TEXT];
    return gan_fail(GAN_ERROR_DEVICE, "cpu: %s of %s, the kernel takes f32",
                    gan_op_of(call->node)->name, gan_shape_text(text, wrong->dtype, wrong->shape));
}
