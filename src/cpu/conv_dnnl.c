/* Convolution by oneDNN's primitives. They run on one thread each; the batch is cut into tasks.
 * Filters are packed anew in every run, since training changes them between runs. */
#include <stdlib.h>

#include "cpu/conv.h"
#include "cpu/dnnl.h"

enum {
    TASKS = 16,       /* into how many parts a batch is cut, where it can be */
    PART_ROWS = 1024, /* dw: positions that pay for a result of their own */
};

struct gan_cpu_library_conv {
    gan_cpu_dnnl *dnnl;
    int64_t images, tasks;  /* a task's images */
    size_t packed, scratch; /* floats of packed filters, and of a worker's scratch memory */
};

/* The number of images a task has: a divisor of the batch; 0 when there is none that suits. */
static int64_t images_a_task(const gan_cpu_conv *v) {
    int64_t most = TASKS;
    if (v->kind == GAN_CPU_CONV_DW && v->n * v->p * v->q / PART_ROWS < most)
        most = v->n * v->p * v->q / PART_ROWS;
    if (most < 1) most = 1;
    int64_t images = (v->n + most - 1) / most;
    if (v->kind == GAN_CPU_CONV_DW) { /* every part costs a result: no more of them */
        while (v->n % images != 0) images++;
        return images > 1 && images == v->n && most > 1 ? 0 : images;
    }
    while (v->n % images != 0) images--;
    return images;
}

typedef struct create_context {
    const gan_cpu_conv *v;
    int64_t images;
    int workers;
    gan_cpu_dnnl *dnnl;
} create_context;

static bool create_task(void *context, int64_t task, int slot) {
    (void)task, (void)slot;
    create_context *x = context;
    x->dnnl = gan_cpu_dnnl_create(x->v, x->images, x->workers);
    return true;
}

static size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64 / sizeof(float); }

gan_cpu_library_conv *gan_cpu_library_conv_create(const gan_device *device, const gan_cpu_conv *v,
                                                  size_t *workspace_bytes) {
    if (v->n == 0 || v->p * v->q == 0 || v->k * v->c == 0) return NULL;
    create_context x = {v, images_a_task(v), device->threads, NULL};
    if (x.images == 0) return NULL;
    gan_cpu_tasks(device, 1, create_task, &x); /* in a task, so that the library sees one thread */
    if (x.dnnl == NULL) return NULL;
    gan_cpu_library_conv *s = malloc(sizeof *s);
    if (s == NULL) {
        gan_cpu_dnnl_destroy(x.dnnl);
        return NULL;
    }
    s->dnnl = x.dnnl;
    s->images = x.images, s->tasks = v->n / x.images;
    s->packed = lines(gan_cpu_dnnl_packed_bytes(x.dnnl));
    s->scratch = lines(gan_cpu_dnnl_scratch_bytes(x.dnnl));
    const size_t parts = v->kind == GAN_CPU_CONV_DW ? (size_t)s->tasks : 1;
    *workspace_bytes = (parts * s->packed + (size_t)device->threads * s->scratch) * sizeof(float);
    return s;
}

void gan_cpu_library_conv_destroy(gan_cpu_library_conv *s) {
    if (s == NULL) return;
    gan_cpu_dnnl_destroy(s->dnnl);
    free(s);
}

typedef struct library_context {
    const gan_cpu_conv *v;
    const gan_cpu_library_conv *s;
    const gan_call *call;
    float *x, *w, *y, *packed, *scratch;
} library_context;

static bool pack_task(void *context, int64_t task, int slot) {
    const library_context *x = context;
    return gan_cpu_dnnl_pack(x->s->dnnl, (int)task, x->w, x->packed,
                             x->scratch + (size_t)slot * x->s->scratch);
}

static bool conv_task(void *context, int64_t task, int slot) {
    const library_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t first = task * x->s->images, wide = v->h * v->w, narrow = v->p * v->q;
    float *image = x->x + first * wide * v->c, *result = x->y + first * narrow * v->k;
    float *packed = x->packed + (v->kind == GAN_CPU_CONV_DW ? (size_t)task * x->s->packed : 0);
    if (!gan_cpu_dnnl_execute(x->s->dnnl, slot, image, packed, result,
                              x->scratch + (size_t)slot * x->s->scratch))
        return false;
    const int64_t last = first + x->s->images;
    if (v->kind == GAN_CPU_CONV_Y)
        gan_cpu_epilogue_block(&v->epilogue, x->call, result, v->k, first * narrow, last * narrow,
                               0, v->k);
    if (v->kind == GAN_CPU_CONV_DX)
        gan_cpu_epilogue_block(&v->epilogue, x->call, image, v->c, first * wide, last * wide, 0,
                               v->c);
    return true;
}

bool gan_cpu_library_conv_run(const gan_device *device, const gan_cpu_conv *v,
                              gan_cpu_library_conv *s, const gan_call *call) {
    float *a = call->in[0].data, *b = call->in[1].data, *out = call->out.data;
    library_context x = {.v = v, .s = s, .call = call, .packed = call->workspace};
    const int slices = gan_cpu_dnnl_slices(s->dnnl);
    if (v->kind == GAN_CPU_CONV_DW) {
        x.x = a, x.y = b, x.w = out;
        x.scratch = x.packed + (size_t)s->tasks * s->packed;
        return gan_cpu_tasks(device, s->tasks, conv_task, &x) &&
               gan_cpu_sum_parts(device, s->tasks, (int64_t)s->packed, x.packed, x.packed) &&
               gan_cpu_tasks(device, slices, pack_task, &x);
    }
    x.w = b;
    x.x = v->kind == GAN_CPU_CONV_Y ? a : out;
    x.y = v->kind == GAN_CPU_CONV_Y ? out : a;
    x.scratch = x.packed + s->packed;
    return gan_cpu_tasks(device, slices, pack_task, &x) &&
           gan_cpu_tasks(device, s->tasks, conv_task, &x);
}
