#include "support/devices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/store.h"
#include "support/gradients.h"
#include "support/tolerance.h"

/* ---- results ---- */

static void add_part(case_result *r, case_bytes_of part, size_t element) {
    part.bytes = calloc(1, (size_t)part.size * element + 1);
    r->part[r->n++] = part;
}

/* `element`: bytes an element; 0: those of its type. */
static void result_open(const test_case *t, case_result *r, size_t element) {
    r->n = 0;
    for (int i = 0; i < t->n_outputs; i++) {
        const gan_node *node = t->output[i];
        const char *name = node->label ? node->label : gan_op_of(node)->name;
        add_part(r,
                 (case_bytes_of){name, node->dtype, gan_shape_size(node->shape), node, NULL, NULL},
                 element ? element : gan_dtype_size(node->dtype));
    }
    for (size_t i = 0; i < gan_store_count(t->store); i++) {
        const gan_variable *v = gan_store_at(t->store, i);
        add_part(r, (case_bytes_of){v->name, v->dtype, gan_shape_size(v->shape), NULL, v, NULL},
                 element ? element : gan_dtype_size(v->dtype));
    }
}

void case_result_free(case_result *result) {
    for (int i = 0; i < result->n; i++) free(result->part[i].bytes);
    result->n = 0;
}

/* ---- types ---- */

static double load(gan_dtype dtype, const void *from, int64_t i) {
    switch (dtype) {
    case GAN_F32:
        return (double)((const float *)from)[i];
    case GAN_I32:
        return (double)((const int32_t *)from)[i];
    case GAN_I64:
        return (double)((const int64_t *)from)[i];
    case GAN_U8:
        return (double)((const uint8_t *)from)[i];
    case GAN_BF16: {
        const uint32_t bits = (uint32_t)((const uint16_t *)from)[i] << 16;
        float x;
        memcpy(&x, &bits, sizeof x);
        return (double)x;
    }
    }
    return NAN;
}

static void *converted(gan_dtype dtype, const double *from, int64_t n) {
    void *to = calloc(1, (size_t)n * gan_dtype_size(dtype) + 1);
    for (int64_t i = 0; i < n; i++) {
        if (dtype == GAN_F32) ((float *)to)[i] = (float)from[i];
        if (dtype == GAN_I32) ((int32_t *)to)[i] = (int32_t)from[i];
        if (dtype == GAN_I64) ((int64_t *)to)[i] = (int64_t)from[i];
        if (dtype == GAN_U8) ((uint8_t *)to)[i] = (uint8_t)from[i];
    }
    return to;
}

/* What a variable starts from: the case's values, or its initial ones. */
static const double *own_start(const test_case *t, const gan_variable *v) {
    for (int i = 0; i < t->n_variables; i++)
        if (t->variable[i].variable == v) return t->variable[i].value;
    return NULL;
}

static void *start_of(const test_case *t, const gan_variable *v) {
    const int64_t n = gan_shape_size(v->shape);
    if (own_start(t, v)) return converted(v->dtype, own_start(t, v), n);
    void *bytes = calloc(1, (size_t)n * gan_dtype_size(v->dtype) + 1);
    gan_variable_initial(t->store, v, bytes);
    return bytes;
}

/* ---- the device ---- */

static gan_status write_all(const test_case *t, gan_program *program) {
    gan_status status = GAN_OK;
    for (int i = 0; i < t->n_inputs && status == GAN_OK; i++) {
        const gan_node *node = t->input[i].node;
        void *bytes = converted(node->dtype, t->input[i].value, gan_shape_size(node->shape));
        status = gan_program_write(program, node, bytes, gan_node_bytes(node));
        free(bytes);
    }
    for (size_t i = 0; i < gan_store_count(t->store) && status == GAN_OK; i++) {
        const gan_variable *v = gan_store_at(t->store, i);
        void *bytes = start_of(t, v);
        status = gan_variable_write(t->store, v, bytes,
                                    (size_t)gan_shape_size(v->shape) * gan_dtype_size(v->dtype));
        free(bytes);
    }
    return status;
}

static gan_status read_all(const test_case *t, gan_program *program, case_result *out) {
    gan_status status = GAN_OK;
    result_open(t, out, 0);
    for (int i = 0; i < out->n && status == GAN_OK; i++) {
        const case_bytes_of *p = &out->part[i];
        const size_t bytes = (size_t)p->size * gan_dtype_size(p->dtype);
        status = p->node ? gan_program_read(program, p->node, p->bytes, bytes)
                         : gan_variable_read(t->store, p->variable, p->bytes, bytes);
    }
    return status;
}

bool case_execute(test_case *t, gan_device *device, const case_run *run, case_result *out) {
    gan_program *program = NULL;
    bool intact = true;
    out->n = 0;
    gan_status status = !run->apart   ? gan_compile(&program, t->g, device)
                        : run->joined ? gan_compile_apart_joined(&program, t->g, device)
                                      : gan_compile_apart(&program, t->g, device);
    if (status == GAN_OK) status = gan_program_poison(program);
    if (status == GAN_OK) status = write_all(t, program);
    if (status == GAN_OK) status = gan_program_run(program, run->iterations);
    if (status == GAN_OK) status = read_all(t, program, out);
    if (status == GAN_OK && run->apart) status = gan_program_sentinels_intact(program, &intact);
    if (status != GAN_OK) fprintf(stderr, "%s: %s\n", t->name, gan_last_error());
    if (!intact) fprintf(stderr, "%s: a kernel wrote beyond its result\n", t->name);
    gan_program_destroy(program);
    return status == GAN_OK && intact;
}

/* ---- the reference ---- */

void case_start(const test_case *t, reference *r) {
    for (size_t i = 0; i < gan_store_count(t->store); i++) {
        const gan_variable *v = gan_store_at(t->store, i);
        void *bytes = start_of(t, v);
        for (int64_t e = 0; e < gan_shape_size(v->shape); e++)
            ref_variable_values(r, v)[e] = load(v->dtype, bytes, e);
        free(bytes);
    }
}

void case_reference(const test_case *t, int64_t iterations, case_result *out) {
    reference *r = ref_create(t->g);
    result_open(t, out, sizeof(double));
    case_start(t, r);
    case_fill(t, r);
    for (int64_t i = 0; i < iterations; i++) ref_run(r);
    for (int i = 0; i < out->n; i++) {
        const case_bytes_of *p = &out->part[i];
        memcpy(p->bytes, p->node ? ref_value(r, p->node) : ref_variable_values(r, p->variable),
               (size_t)p->size * sizeof(double));
    }
    ref_destroy(r);
}

/* ---- comparing ---- */

int case_compare(const test_case *t, const case_result *got, const case_result *wanted,
                 const char *where) {
    const tolerance within = case_tolerance(t);
    int bad_parts = 0;
    for (int k = 0; k < got->n; k++) {
        const case_bytes_of *p = &got->part[k];
        const double *expected = wanted->part[k].bytes;
        int64_t bad = 0, first = 0;
        double worst = 0, scale = 1;
        for (int64_t i = 0; i < p->size && t->scaled; i++)
            if (isfinite(expected[i])) scale = fmax(scale, fabs(expected[i]));
        for (int64_t i = 0; i < p->size; i++) {
            const double x = load(p->dtype, p->bytes, i), error = fabs(x - expected[i]);
            if (x == expected[i]) continue; /* infinities */
            if (error > worst) worst = error;
            if (!(error <= within.absolute * scale + within.relative * fabs(expected[i])) &&
                bad++ == 0)
                first = i;
        }
        if (bad == 0) continue;
        fprintf(
            stderr,
            "%s, %s: %s: %lld of %lld wrong, first [%lld]: %.9g, expected %.9g; worst error %.3g\n",
            t->name, where, p->name, (long long)bad, (long long)p->size, (long long)first,
            load(p->dtype, p->bytes, first), expected[first], worst);
        bad_parts++;
    }
    return bad_parts;
}

int case_compare_bits(const test_case *t, const case_result *a, const case_result *b,
                      const char *where) {
    int bad = 0;
    for (int k = 0; k < a->n; k++) {
        const case_bytes_of *p = &a->part[k];
        if (memcmp(p->bytes, b->part[k].bytes, (size_t)p->size * gan_dtype_size(p->dtype)) == 0)
            continue;
        fprintf(stderr, "%s, %s: %s: bits differ\n", t->name, where, p->name);
        bad++;
    }
    return bad;
}

/* ---- all cases ---- */

enum { RUNS = 4 };
static const case_run runs[RUNS] = {
    {1, true, false}, {1, false, false}, {3, false, false}, {17, false, false}};

/* One case on all devices; the reference is asked once for each number of iterations. */
typedef struct check {
    int n;
    gan_device *const *devices;
    const char *const *names;
    bool effects; /* without them every iteration is the first */
    case_result wanted[RUNS];
    bool known[RUNS];
} check;

static const case_result *wanted_of(check *c, const test_case *t, int run) {
    const int i = c->effects ? run : 0;
    if (!c->known[i]) case_reference(t, runs[i].iterations, &c->wanted[i]);
    c->known[i] = true;
    return &c->wanted[i];
}

static int check_on(check *c, test_case *t, int device) {
    int bad = 0;
    c->effects = false;
    for (int i = 0; i < t->g->n_nodes; i++)
        c->effects = c->effects || (gan_op_of(t->g->node[i])->flags & GAN_OP_EFFECT);
    for (int i = 0; i < (c->effects ? RUNS : RUNS - 1); i++) {
        char where[96];
        snprintf(where, sizeof where, "%s, %d iterations%s", c->names[device],
                 (int)runs[i].iterations, runs[i].apart ? ", apart" : "");
        case_result got;
        if (case_execute(t, c->devices[device], &runs[i], &got))
            bad += case_compare(t, &got, wanted_of(c, t, i), where);
        else
            bad++;
        case_result_free(&got);
    }
    return bad;
}

/* A store stays on one device, so the case is built again for each. */
static int check_case(check *c, int which, bool with_gradients, const char *family) {
    int bad = 0;
    for (int device = 0; device < c->n; device++) {
        test_case t;
        case_open(&t, which);
        bool wanted = !family || strncmp(t.name, family, strlen(family)) == 0;
        if (with_gradients) {
            wanted = wanted && case_has_gradient(&t);
            if (wanted) case_add_gradients(&t);
            case_title(&t, "with gradients");
            t.scaled = true;
            t.looser *= 4;
        }
        if (wanted) bad += check_on(c, &t, device);
        case_close(&t);
        if (!wanted) break;
    }
    for (int i = 0; i < RUNS; i++)
        if (c->known[i]) case_result_free(&c->wanted[i]);
    return bad;
}

int check_cases(int n, gan_device *const *devices, const char *const *names, const char *family) {
    int bad = 0;
    for (int i = 0; i < case_count(); i++)
        for (int with_gradients = 0; with_gradients < 2; with_gradients++) {
            check c = {.n = n, .devices = devices, .names = names};
            bad += check_case(&c, i, with_gradients, family);
        }
    return bad;
}
