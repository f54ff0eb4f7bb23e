/* A graph on the CPU device a test: run it, and read and write what it has. */
#ifndef GANC_TESTS_SUPPORT_NETWORKS_H
#define GANC_TESTS_SUPPORT_NETWORKS_H

#include "support/operands.h"

#include <math.h>
#include <stdlib.h>

#include "ganc/adversarial.h"
#include "ganc/device.h"
#include "support/scratch.h"

static gan_device *device;
static gan_program *program; /* of g, once compiled */

static inline int open_networks(void **state) {
    program = NULL;
    assert_int_equal(gan_device_open(&device, "cpu", &(gan_device_options){.threads = 2}), GAN_OK);
    return open_graph(state);
}

static inline int close_networks(void **state) {
    gan_program_destroy(program);
    close_graph(state);
    gan_device_close(device);
    return 0;
}

/* Compiles the graph and allocates; variables have their initial values from here on. */
static inline void load(void) {
    expect_ok(gan_compile(&program, g, device));
    expect_ok(gan_program_load(program));
}

/* Runs the graph once more, or so many times. */
static inline void run(int64_t iterations) {
    if (!program) load();
    expect_ok(gan_program_run(program, iterations));
}

static inline size_t floats_of(gan_shape shape) {
    return (size_t)gan_shape_size(shape) * sizeof(float);
}

/* What a model that completes images is given, m examples with nothing known; others: NULL. */
static inline gan_node *context_of(const gan_model *model, int64_t m, const gan_model_options *o) {
    if (!model->completes) return NULL;
    return gan_constant(g, 0, gan_shape4(m, o->height, o->width, o->channels + 1));
}

/* The value of an output or variable; the caller frees. */
static inline float *read_output(const gan_node *output) {
    assert_non_null(output);
    float *value = malloc(floats_of(gan_node_shape(output)) + 1);
    assert_non_null(value);
    expect_ok(gan_program_read(program, output, value, floats_of(gan_node_shape(output))));
    return value;
}

static inline float read_scalar(const gan_node *output) {
    float *value = read_output(output), x = *value;
    free(value);
    return x;
}

static inline const gan_variable *find(gan_role role, const char *name) {
    const gan_variable *v = gan_store_find(store, role, name);
    if (!v) print_error("no %s %s in the store\n", gan_role_name(role), name);
    assert_non_null(v);
    return v;
}

static inline float *read_variable(gan_role role, const char *name) {
    const gan_variable *v = find(role, name);
    float *value = malloc(floats_of(gan_variable_shape(v)) + 1);
    assert_non_null(value);
    expect_ok(gan_variable_read(store, v, value, floats_of(gan_variable_shape(v))));
    return value;
}

static inline void write_variable(gan_role role, const char *name, const float *value) {
    const gan_variable *v = find(role, name);
    expect_ok(gan_variable_write(store, v, value, floats_of(gan_variable_shape(v))));
}

static inline void set_counter(const char *name, int64_t value) {
    expect_ok(gan_variable_write(store, find(GAN_COUNTER, name), &value, sizeof value));
}

/* An f32 input and its values, n(0, 1)-like, from a number that names it. */
static inline double pseudo(uint64_t *state) {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*state >> 11) * 0x1p-53;
    }
    return sum;
}

static inline float *some_floats(int64_t n, uint64_t seed) {
    float *x = malloc((size_t)n * sizeof *x + 1);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)pseudo(&seed);
    return x;
}

static inline void write_input(const gan_node *input, const float *value) {
    expect_ok(gan_program_write(program, input, value, floats_of(gan_node_shape(input))));
}

/* Fails unless |got - want| <= atol + rtol·|want|; NaN fails. */
static inline void expect_near_(double got, double want, double atol, double rtol, const char *file,
                                int line) {
    if (fabs(got - want) <= atol + rtol * fabs(want)) return;
    print_error("%.9g, expected %.9g\n", got, want);
    _fail(file, line);
}
#define expect_near(got, want, atol, rtol) expect_near_(got, want, atol, rtol, __FILE__, __LINE__)

/* Fails unless the graph's first error is `status` with a message that holds `text`. */
#define expect_graph_error(status, text) expect_failure(gan_graph_status(g), status, text)

#endif
