#include "cuda/conv_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/status.h"

/* Of keys and values below, of the ids in conv_graph.c that a plan's text names, and of the
 * numbers behind the names in conv_epilogue.h: whoever changes one of them counts on. */
enum { FORMAT = 4 };

static void open_file(gan_cuda_device *d, const char *folder) {
    struct cudaDeviceProp prop;
    char identity[512];
    int runtime = 0;
    if (!folder || !*folder) return;
    if (cudaGetDeviceProperties(&prop, d->base.index) != cudaSuccess ||
        cudaRuntimeGetVersion(&runtime) != cudaSuccess) {
        (void)cudaGetLastError(); /* no cache, then */
        return;
    }
    snprintf(identity, sizeof identity,
             "%.255s, compute capability %d.%d, %d processors; CUDA %d, cuDNN %zu; ganc %s, %d",
             prop.name, prop.major, prop.minor, prop.multiProcessorCount, runtime,
             cudnnGetVersion(), gan_version(), FORMAT);
    d->cache = gan_cache_open(folder, identity);
}

gan_status gan_cuda_conv_cache_keep_all(gan_cuda_device *d) {
    if (gan_cache_save(d->cache) || !d->tunes) return GAN_OK;
    return gan_fail(GAN_ERROR_IO, "tune: cannot write into the cache's folder: %s",
                    strerror(errno));
}

gan_status gan_cuda_conv_cache_open(gan_cuda_device *d, const gan_device_options *options) {
    static const char mark[] = "tuned";
    open_file(d, options->cache);
    d->tunes = options->tune;
    if (!d->tunes) return GAN_OK;
    if (!d->cache)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "tune: expected a cache, a folder to keep what is found in; got none");
    gan_cache_put(d->cache, mark, sizeof mark, mark, 0); /* before anything is tried */
    const gan_status status = gan_cuda_conv_cache_keep_all(d);
    return status == GAN_OK ? GAN_OK : gan_fail_within(status, "%s", options->cache);
}

/* ---- algorithms ---- */

typedef struct algorithm {
    int64_t number, math, workspace;
} algorithm;

bool gan_cuda_conv_cache_find(gan_cuda_device *d, const gan_cuda_conv_key *key, int *number,
                              int *math, size_t *workspace) {
    algorithm a;
    size_t bytes;
    const void *value = gan_cache_find(d->cache, key, sizeof *key, &bytes);
    if (!value || bytes != sizeof a) return false;
    memcpy(&a, value, sizeof a);
    *number = (int)a.number;
    *math = (int)a.math;
    *workspace = (size_t)a.workspace;
    return true;
}

void gan_cuda_conv_cache_put(gan_cuda_device *d, const gan_cuda_conv_key *key, int number, int math,
                             size_t workspace) {
    const algorithm a = {number, math, (int64_t)workspace};
    gan_cache_put(d->cache, key, sizeof *key, &a, sizeof a);
}

/* ---- plans ---- */

typedef struct fused_key {
    uint64_t most_workspace, tuned;
    gan_cuda_conv_problem problem;
} fused_key;
_Static_assert(sizeof(fused_key) != sizeof(gan_cuda_conv_key), "keys differ by their size");

/* A value: this, and the plan's text. */
typedef struct kept {
    int64_t what; /* gan_cuda_conv_known */
    int64_t workspace;
    int64_t number; /* where the search begins */
} kept;

static fused_key key_of(const gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                        size_t most_workspace) {
    fused_key key;
    memset(&key, 0, sizeof key);
    key.most_workspace = most_workspace;
    key.tuned = d->tunes;
    memcpy(&key.problem, problem, sizeof key.problem);
    return key;
}

gan_cuda_conv_known gan_cuda_conv_cache_restore(gan_cuda_device *d, gan_cuda_bag *b,
                                                const gan_cuda_conv_problem *problem,
                                                size_t most_workspace, gan_cuda_conv_plan *plan) {
    const fused_key key = key_of(d, problem, most_workspace);
    size_t bytes;
    kept k;
    const char *value = gan_cache_find(d->cache, &key, sizeof key, &bytes);
    if (!value || bytes < sizeof k) return GAN_CUDA_CONV_UNKNOWN;
    memcpy(&k, value, sizeof k);
    *plan = (gan_cuda_conv_plan){.number = (int)k.number, .workspace = (size_t)k.workspace};
    if (k.what != GAN_CUDA_CONV_RESTORED) return (gan_cuda_conv_known)k.what;
    const gan_cuda_conv_plan restored =
        gan_cuda_conv_plan_restore(b, d->dnn, value + sizeof k, bytes - sizeof k);
    if (restored.plan && restored.workspace == plan->workspace) {
        plan->plan = restored.plan;
        return GAN_CUDA_CONV_RESTORED;
    }
    gan_cuda_bag_empty(b);
    return d->tunes ? GAN_CUDA_CONV_STALE : GAN_CUDA_CONV_UNKNOWN;
}

void gan_cuda_conv_cache_keep(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                              size_t most_workspace, const gan_cuda_conv_plan *plan) {
    if (!d->cache || (!plan->settled && !d->tunes)) return;
    const fused_key key = key_of(d, problem, most_workspace);
    size_t bytes = 0;
    char *text = plan->plan ? gan_cuda_conv_plan_text(plan->plan, &bytes) : NULL;
    const kept k = {.what = text         ? GAN_CUDA_CONV_RESTORED
                            : plan->plan ? GAN_CUDA_CONV_CHOSEN
                                         : GAN_CUDA_CONV_REFUSED,
                    .workspace = (int64_t)plan->workspace,
                    .number = plan->number};
    char *value = malloc(sizeof k + bytes);
    if (value) {
        memcpy(value, &k, sizeof k);
        if (text) memcpy(value + sizeof k, text, bytes);
        gan_cache_put(d->cache, &key, sizeof key, value, sizeof k + bytes);
    }
    free(value);
    free(text);
}
