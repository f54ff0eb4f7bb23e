#include "cases/case.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const case_family *const families[] = {
    &cases_pointwise, &cases_pointwise_ties, &cases_broadcasting,   &cases_cast,   &cases_reduce,
    &cases_broadcast, &cases_layout,         &cases_permute,        &cases_gather, &cases_concat,
    &cases_matmul,    &cases_conv,           &cases_fold,           &cases_pool,   &cases_norm,
    &cases_loss,      &cases_random,         &cases_data,           &cases_update, &cases_optimizer,
    &cases_order,     &cases_fusion,         &cases_epilogue,       &cases_chain,  &cases_view,
    &cases_game,      &cases_half,           &cases_conv_epilogue,  &cases_maxout, &cases_phases,
    &cases_phased,    &cases_head,           &cases_conv_gradients,
};
enum { FAMILIES = sizeof families / sizeof *families };

static void stop(const test_case *t, const char *what) {
    fprintf(stderr, "case %s: %s\n", t->name, what);
    abort();
}

int case_count(void) {
    int n = 0;
    for (int f = 0; f < FAMILIES; f++) n += families[f]->count();
    return n;
}

static uint64_t hash(const char *text, uint64_t h) {
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

void case_open(test_case *t, int i) {
    int f = 0;
    while (i >= families[f]->count()) i -= families[f++]->count();
    *t = (test_case){.smooth = true, .looser = 1};
    snprintf(t->name, sizeof t->name, "%s/%d", families[f]->name, i);
    t->random = hash(t->name, 14695981039346656037u);
    if (gan_store_create(&t->store, 0x9e3779b97f4a7c15u) != GAN_OK ||
        gan_graph_create(&t->g, t->store) != GAN_OK)
        stop(t, gan_last_error());
    families[f]->build(t, i);
    if (gan_graph_status(t->g) != GAN_OK) stop(t, gan_last_error());
    if (t->n_outputs == 0 && t->n_variables == 0) stop(t, "computes nothing");
    t->built_nodes = t->g->n_nodes;
}

void case_close(test_case *t) {
    for (int i = 0; i < t->n_inputs; i++) free(t->input[i].value);
    for (int i = 0; i < t->n_variables; i++) free(t->variable[i].value);
    gan_graph_destroy(t->g);
    gan_store_destroy(t->store);
}

void case_title(test_case *t, const char *format, ...) {
    const size_t n = strlen(t->name);
    va_list args;
    va_start(args, format);
    if (n + 2 < sizeof t->name) {
        t->name[n] = ' ';
        vsnprintf(t->name + n + 1, sizeof t->name - n - 1, format, args);
    }
    va_end(args);
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next(test_case *t) {
    uint64_t z = t->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double case_random(test_case *t) { return ldexp((double)(next(t) >> 11), -53); }

int64_t case_random_int(test_case *t, int64_t low, int64_t high) {
    return low + (int64_t)(next(t) % (uint64_t)(high - low + 1));
}

/* ---- inputs; every value is a float exactly ---- */

static double *doubles(const test_case *t, int64_t n) {
    double *x = calloc((size_t)(n > 0 ? n : 1), sizeof *x);
    if (!x) stop(t, "out of memory");
    return x;
}

static case_input *add_input(test_case *t, gan_dtype dtype, gan_shape shape) {
    char name[16];
    if (t->n_inputs == CASE_INPUTS) stop(t, "too many inputs");
    case_input *in = &t->input[t->n_inputs];
    snprintf(name, sizeof name, "x%d", t->n_inputs++);
    in->node = gan_input(t->g, dtype, shape, name);
    in->value = doubles(t, gan_shape_size(shape));
    return in;
}

gan_node *case_uniform(test_case *t, gan_shape shape, double low, double high) {
    case_input *in = add_input(t, GAN_F32, shape);
    in->wrt = true;
    for (int64_t i = 0; i < gan_shape_size(shape); i++)
        in->value[i] = (double)(float)(low + (high - low) * case_random(t));
    return in->node;
}

gan_node *case_apart(test_case *t, gan_shape shape, double low, double high, double from,
                     double to) {
    case_input *in = add_input(t, GAN_F32, shape);
    in->wrt = true;
    for (int64_t i = 0; i < gan_shape_size(shape); i++) {
        double x = NAN;
        while (!(x >= low && x <= high))
            x = floor(low + (high + 1 - low) * case_random(t)) + from +
                (to - from) * case_random(t);
        in->value[i] = (double)(float)x;
    }
    return in->node;
}

gan_node *case_distinct(test_case *t, gan_shape shape) {
    case_input *in = add_input(t, GAN_F32, shape);
    in->wrt = true;
    const int64_t n = gan_shape_size(shape);
    for (int64_t i = 0; i < n; i++)
        in->value[i] = (double)(float)((double)(2 * i - n) / (double)n + 0.3 / (double)n);
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = case_random_int(t, 0, i);
        const double x = in->value[i];
        in->value[i] = in->value[j];
        in->value[j] = x;
    }
    return in->node;
}

static void whole(test_case *t, case_input *in, int64_t low, int64_t high) {
    for (int64_t i = 0; i < gan_shape_size(in->node->shape); i++)
        in->value[i] = (double)case_random_int(t, low, high);
}

gan_node *case_whole(test_case *t, gan_shape shape, int64_t low, int64_t high) {
    case_input *in = add_input(t, GAN_F32, shape);
    in->wrt = true;
    whole(t, in, low, high);
    return in->node;
}

gan_node *case_indices(test_case *t, gan_shape shape, int64_t low, int64_t high) {
    case_input *in = add_input(t, GAN_I32, shape);
    whole(t, in, low, high);
    return in->node;
}

gan_node *case_linear(test_case *t, gan_node *input) {
    for (int i = 0; i < t->n_inputs; i++)
        if (t->input[i].node == input) t->input[i].linear = true;
    return input;
}

/* ---- variables ---- */

static case_variable *add_variable(test_case *t, gan_node *node) {
    if (t->n_variables == CASE_VARIABLES) stop(t, "too many variables");
    if (!node) stop(t, gan_last_error());
    case_variable *v = &t->variable[t->n_variables++];
    v->variable = node->attr.variable.variable;
    v->value = doubles(t, gan_shape_size(node->shape));
    return v;
}

static gan_node *variable(test_case *t, gan_role role, const char *name, gan_dtype dtype,
                          gan_shape shape) {
    return gan_variable_node(t->g, role, name, dtype, shape, (gan_init){GAN_INIT_CONSTANT, 0, 0});
}

gan_node *case_variable_uniform(test_case *t, gan_role role, const char *name, gan_shape shape,
                                double low, double high) {
    gan_node *node = variable(t, role, name, GAN_F32, shape);
    case_variable *v = add_variable(t, node);
    for (int64_t i = 0; i < gan_shape_size(shape); i++)
        v->value[i] = (double)(float)(low + (high - low) * case_random(t));
    return node;
}

gan_node *case_counter(test_case *t, const char *name, int64_t start) {
    gan_node *node = variable(t, GAN_COUNTER, name, GAN_I64, gan_shape0());
    add_variable(t, node)->value[0] = (double)start;
    return node;
}

gan_node *case_bytes(test_case *t, const char *name, gan_shape shape) {
    gan_node *node = variable(t, GAN_DATA, name, GAN_U8, shape);
    case_variable *v = add_variable(t, node);
    for (int64_t i = 0; i < gan_shape_size(shape); i++)
        v->value[i] = (double)case_random_int(t, 0, 255);
    return node;
}

/* ---- outputs ---- */

gan_node *case_output(test_case *t, gan_node *node) {
    if (t->n_outputs == CASE_OUTPUTS) stop(t, "too many outputs");
    if (!node)
        stop(t, gan_graph_status(t->g) == GAN_OK ? "an output is missing" : gan_last_error());
    t->output[t->n_outputs++] = node;
    return gan_output(t->g, node);
}

void case_not_smooth(test_case *t) { t->smooth = false; }

const char *case_shape_text(gan_shape shape, char text[64]) {
    int n = snprintf(text, 64, "%s", shape.rank ? "" : "scalar");
    for (int i = 0; i < shape.rank && n < 48; i++)
        n += snprintf(text + n, (size_t)(64 - n), i ? "x%lld" : "%lld", (long long)shape.dim[i]);
    return text;
}
