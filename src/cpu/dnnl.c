#include "cpu/dnnl.h"

#ifdef GANC_HAVE_DNNL

#include <stdlib.h>
#include <string.h>

#include <dnnl.h>

enum { SLICE = 64 /* filters; every layout's blocks of them divide it */ };

/* ---- the differences between versions: descriptors by value in 2, opaque in 3 ---- */

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t layout_ref;

static layout_ref ref(const layout *l) { return *l; }
static void layout_free(layout *l) {
    if (*l != NULL) dnnl_memory_desc_destroy(*l);
    *l = NULL;
}
static bool layout_make(layout *l, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(l, 4, dims, dnnl_f32, tag) == dnnl_success;
}
static bool layout_part(layout *l, layout_ref whole, const dnnl_dims_t dims,
                        const dnnl_dims_t offsets) {
    return dnnl_memory_desc_create_submemory(l, whole, dims, offsets) == dnnl_success;
}

#else

typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *layout_ref;

static layout_ref ref(const layout *l) { return l; }
static void layout_free(layout *l) { (void)l; }
static bool layout_make(layout *l, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(l, 4, dims, dnnl_f32, tag) == dnnl_success;
}
static bool layout_part(layout *l, layout_ref whole, const dnnl_dims_t dims,
                        const dnnl_dims_t offsets) {
    return dnnl_memory_desc_init_submemory(l, whole, dims, offsets) == dnnl_success;
}

#endif

/* What a convolution's descriptor is made of. */
typedef struct recipe {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attr;
    layout_ref x, w, y;
    dnnl_dims_t strides, dilations, before, after;
} recipe;

static dnnl_primitive_desc_t describe(const recipe *z, gan_cpu_conv_kind kind) {
    dnnl_primitive_desc_t forward = NULL, pd = NULL;
#if DNNL_VERSION_MAJOR >= 3
    if (dnnl_convolution_forward_primitive_desc_create(
            &forward, z->engine, dnnl_forward_training, dnnl_convolution_direct, z->x, z->w, NULL,
            z->y, z->strides, z->dilations, z->before, z->after, z->attr) != dnnl_success)
        return NULL;
    if (kind == GAN_CPU_CONV_Y) return forward;
    if (kind == GAN_CPU_CONV_DX)
        dnnl_convolution_backward_data_primitive_desc_create(
            &pd, z->engine, dnnl_convolution_direct, z->x, z->w, z->y, z->strides, z->dilations,
            z->before, z->after, forward, z->attr);
    else
        dnnl_convolution_backward_weights_primitive_desc_create(
            &pd, z->engine, dnnl_convolution_direct, z->x, z->w, NULL, z->y, z->strides,
            z->dilations, z->before, z->after, forward, z->attr);
#else
    dnnl_convolution_desc_t d;
    if (dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, z->x,
                                           z->w, NULL, z->y, z->strides, z->before,
                                           z->after) != dnnl_success ||
        dnnl_primitive_desc_create(&forward, &d, z->attr, z->engine, NULL) != dnnl_success)
        return NULL;
    if (kind == GAN_CPU_CONV_Y) return forward;
    const dnnl_status_t status =
        kind == GAN_CPU_CONV_DX
            ? dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, z->x, z->w,
                                                       z->y, z->strides, z->before, z->after)
            : dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, z->x, z->w,
                                                          NULL, z->y, z->strides, z->before,
                                                          z->after);
    if (status == dnnl_success) dnnl_primitive_desc_create(&pd, &d, z->attr, z->engine, forward);
#endif
    dnnl_primitive_desc_destroy(forward);
    return pd;
}

/* ---- the same for both ---- */

typedef struct slice {
    layout layout; /* in the packed filters */
    bool has_layout;
    dnnl_primitive_t pack;
    dnnl_memory_t plain, packed, scratch;
    int64_t offset; /* in the plain ones */
} slice;

typedef struct worker {
    dnnl_memory_t x, w, y, scratch;
} worker;

struct gan_cpu_dnnl {
    gan_cpu_conv_kind kind;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attr;
    layout image[2], plain, any, plain_slice;
    bool made[5];
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t conv;
    size_t packed_bytes, scratch_bytes;
    int n_slices, n_workers;
    slice *slices;
    worker *workers;
};

static size_t scratch_of(const_dnnl_primitive_desc_t pd) {
    const layout_ref md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    return md == NULL ? 0 : dnnl_memory_desc_get_size(md);
}

static bool memory_make(dnnl_memory_t *memory, const gan_cpu_dnnl *d, layout_ref md) {
    return dnnl_memory_create(memory, md, d->engine, DNNL_MEMORY_NONE) == dnnl_success;
}

static bool scratch_make(dnnl_memory_t *memory, gan_cpu_dnnl *d, const_dnnl_primitive_desc_t pd) {
    const size_t bytes = scratch_of(pd);
    if (bytes == 0) return true;
    if (bytes > d->scratch_bytes) d->scratch_bytes = bytes;
    return memory_make(memory, d, dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
}

static bool slice_make(gan_cpu_dnnl *d, slice *s, layout_ref packed, layout_ref plain, int64_t k0,
                       const dnnl_dims_t dims, int64_t filter) {
    s->offset = k0 * filter;
    if (d->n_slices > 1) {
        const dnnl_dims_t offsets = {k0};
        if (!layout_part(&s->layout, packed, dims, offsets)) return false;
        s->has_layout = true;
        packed = ref(&s->layout);
    }
    dnnl_primitive_desc_t pd = NULL;
    const bool out = d->kind == GAN_CPU_CONV_DW;
    if (dnnl_reorder_primitive_desc_create(&pd, out ? packed : plain, d->engine,
                                           out ? plain : packed, d->engine,
                                           d->attr) != dnnl_success)
        return false;
    const bool good = dnnl_primitive_create(&s->pack, pd) == dnnl_success &&
                      scratch_make(&s->scratch, d, pd) && memory_make(&s->plain, d, plain) &&
                      memory_make(&s->packed, d, packed);
    dnnl_primitive_desc_destroy(pd);
    return good;
}

static void slices_free(gan_cpu_dnnl *d) {
    for (int i = 0; i < d->n_slices && d->slices != NULL; i++) {
        slice *s = &d->slices[i];
        if (s->pack != NULL) dnnl_primitive_destroy(s->pack);
        if (s->plain != NULL) dnnl_memory_destroy(s->plain);
        if (s->packed != NULL) dnnl_memory_destroy(s->packed);
        if (s->scratch != NULL) dnnl_memory_destroy(s->scratch);
        if (s->has_layout) layout_free(&s->layout);
    }
    free(d->slices);
    d->slices = NULL;
}

static bool slices_make(gan_cpu_dnnl *d, const gan_cpu_conv *v, layout_ref packed, int n) {
    const int64_t filters = v->k / n;
    const dnnl_dims_t dims = {filters, v->c, v->r, v->s};
    d->n_slices = n;
    d->slices = calloc((size_t)n, sizeof *d->slices);
    if (d->slices == NULL) return false;
    if (n > 1 && !d->made[4]) d->made[4] = layout_make(&d->plain_slice, dims, dnnl_ohwi);
    for (int i = 0; i < n; i++)
        if (!slice_make(d, &d->slices[i], packed, ref(n > 1 ? &d->plain_slice : &d->plain),
                        i * filters, dims, v->r * v->s * v->c)) {
            slices_free(d);
            return false;
        }
    return true;
}

static bool workers_make(gan_cpu_dnnl *d, layout_ref packed, int n) {
    d->n_workers = n;
    d->workers = calloc((size_t)n, sizeof *d->workers);
    if (d->workers == NULL) return false;
    for (int i = 0; i < n; i++) {
        worker *w = &d->workers[i];
        if (!memory_make(&w->x, d, ref(&d->image[0])) ||
            !memory_make(&w->y, d, ref(&d->image[1])) || !memory_make(&w->w, d, packed) ||
            !scratch_make(&w->scratch, d, d->pd))
            return false;
    }
    return true;
}

static bool made_here(const_dnnl_primitive_desc_t pd) {
    const char *name = NULL;
    if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name) != dnnl_success)
        return false;
    return name != NULL && (strncmp(name, "jit", 3) == 0 || strncmp(name, "brg", 3) == 0);
}

static bool build(gan_cpu_dnnl *d, const gan_cpu_conv *v, int64_t images, int workers) {
    if (dnnl_engine_create(&d->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags) != dnnl_success ||
        dnnl_primitive_attr_create(&d->attr) != dnnl_success ||
        dnnl_primitive_attr_set_scratchpad_mode(d->attr, dnnl_scratchpad_mode_user) != dnnl_success)
        return false;
    const dnnl_dims_t x = {images, v->c, v->h, v->w}, w = {v->k, v->c, v->r, v->s},
                      y = {images, v->k, v->p, v->q};
    if (!(d->made[0] = layout_make(&d->image[0], x, dnnl_nhwc)) ||
        !(d->made[1] = layout_make(&d->image[1], y, dnnl_nhwc)) ||
        !(d->made[2] = layout_make(&d->plain, w, dnnl_ohwi)) ||
        !(d->made[3] = layout_make(&d->any, w, dnnl_format_tag_any)))
        return false;
    /* Where rows or columns are left over at the end, the library wants less padding there, even
     * negative. */
    const gan_window *z = &v->window;
    const recipe how = {d->engine,
                        d->attr,
                        ref(&d->image[0]),
                        ref(&d->any),
                        ref(&d->image[1]),
                        {z->stride_h, z->stride_w},
                        {0, 0},
                        {z->top, z->left},
                        {(v->p - 1) * z->stride_h + v->r - v->h - z->top,
                         (v->q - 1) * z->stride_w + v->s - v->w - z->left}};
    d->pd = describe(&how, v->kind);
    if (d->pd == NULL || !made_here(d->pd) ||
        dnnl_primitive_create(&d->conv, d->pd) != dnnl_success)
        return false;
    const layout_ref packed = dnnl_primitive_desc_query_md(
        d->pd, v->kind == GAN_CPU_CONV_DW ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    d->packed_bytes = dnnl_memory_desc_get_size(packed);
    const bool cut = v->k % SLICE == 0 && v->k > SLICE;
    if (!(cut && slices_make(d, v, packed, (int)(v->k / SLICE))) && !slices_make(d, v, packed, 1))
        return false;
    return workers_make(d, packed, workers);
}

gan_cpu_dnnl *gan_cpu_dnnl_create(const gan_cpu_conv *conv, int64_t images, int workers) {
    gan_cpu_dnnl *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    d->kind = conv->kind;
    if (build(d, conv, images, workers)) return d;
    gan_cpu_dnnl_destroy(d);
    return NULL;
}

void gan_cpu_dnnl_destroy(gan_cpu_dnnl *d) {
    if (d == NULL) return;
    slices_free(d);
    for (int i = 0; i < d->n_workers && d->workers != NULL; i++) {
        worker *w = &d->workers[i];
        if (w->x != NULL) dnnl_memory_destroy(w->x);
        if (w->w != NULL) dnnl_memory_destroy(w->w);
        if (w->y != NULL) dnnl_memory_destroy(w->y);
        if (w->scratch != NULL) dnnl_memory_destroy(w->scratch);
    }
    free(d->workers);
    if (d->conv != NULL) dnnl_primitive_destroy(d->conv);
    if (d->pd != NULL) dnnl_primitive_desc_destroy(d->pd);
    layout *layouts[] = {&d->image[0], &d->image[1], &d->plain, &d->any, &d->plain_slice};
    for (int i = 0; i < 5; i++)
        if (d->made[i]) layout_free(layouts[i]);
    if (d->attr != NULL) dnnl_primitive_attr_destroy(d->attr);
    if (d->stream != NULL) dnnl_stream_destroy(d->stream);
    if (d->engine != NULL) dnnl_engine_destroy(d->engine);
    free(d);
}

size_t gan_cpu_dnnl_packed_bytes(const gan_cpu_dnnl *d) { return d->packed_bytes; }
size_t gan_cpu_dnnl_scratch_bytes(const gan_cpu_dnnl *d) { return d->scratch_bytes; }
int gan_cpu_dnnl_slices(const gan_cpu_dnnl *d) { return d->n_slices; }

static bool point(dnnl_memory_t memory, void *at) {
    return memory == NULL || dnnl_memory_set_data_handle(memory, at) == dnnl_success;
}

bool gan_cpu_dnnl_pack(gan_cpu_dnnl *d, int number, float *w, float *packed, void *scratch) {
    const slice *s = &d->slices[number];
    if (!point(s->plain, w + s->offset) || !point(s->packed, packed) || !point(s->scratch, scratch))
        return false;
    const bool out = d->kind == GAN_CPU_CONV_DW;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, out ? s->packed : s->plain},
                                    {DNNL_ARG_TO, out ? s->plain : s->packed},
                                    {DNNL_ARG_SCRATCHPAD, s->scratch}};
    return dnnl_primitive_execute(s->pack, d->stream, s->scratch == NULL ? 2 : 3, args) ==
           dnnl_success;
}

bool gan_cpu_dnnl_execute(gan_cpu_dnnl *d, int number, float *x, float *packed, float *y,
                          void *scratch) {
    const worker *w = &d->workers[number];
    if (!point(w->x, x) || !point(w->y, y) || !point(w->w, packed) || !point(w->scratch, scratch))
        return false;
    const bool dx = d->kind == GAN_CPU_CONV_DX, dw = d->kind == GAN_CPU_CONV_DW;
    const dnnl_exec_arg_t args[] = {{dx ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, w->x},
                                    {dw ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w->w},
                                    {dx || dw ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, w->y},
                                    {DNNL_ARG_SCRATCHPAD, w->scratch}};
    return dnnl_primitive_execute(d->conv, d->stream, w->scratch == NULL ? 3 : 4, args) ==
           dnnl_success;
}

#else

gan_cpu_dnnl *gan_cpu_dnnl_create(const gan_cpu_conv *conv, int64_t images, int workers) {
    (void)conv, (void)images, (void)workers;
    return NULL;
}

/* Never reached without one. */
void gan_cpu_dnnl_destroy(gan_cpu_dnnl *dnnl) { (void)dnnl; }
size_t gan_cpu_dnnl_packed_bytes(const gan_cpu_dnnl *dnnl) { return (void)dnnl, 0; }
size_t gan_cpu_dnnl_scratch_bytes(const gan_cpu_dnnl *dnnl) { return (void)dnnl, 0; }
int gan_cpu_dnnl_slices(const gan_cpu_dnnl *dnnl) { return (void)dnnl, 0; }
bool gan_cpu_dnnl_pack(gan_cpu_dnnl *dnnl, int slice, float *w, float *packed, void *scratch) {
    return (void)dnnl, (void)slice, (void)w, (void)packed, (void)scratch, false;
}
bool gan_cpu_dnnl_execute(gan_cpu_dnnl *dnnl, int worker, float *x, float *packed, float *y,
                          void *scratch) {
    return (void)dnnl, (void)worker, (void)x, (void)packed, (void)y, (void)scratch, false;
}

#endif
