/* How fast single products and convolutions are, those of an MLP GAN and of DCGANs.
 *
 *     bench_products [--device NAME] [--threads N] [--seconds S]
 *
 * One line an op: the shape, the shortest time of a run in milliseconds, and GFLOP/s, counting
 * every filter element, padding or not. bench/run compares whole training iterations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ganc/ganc.h"

typedef struct product {
    int64_t m, n, k;
    bool transpose_a, transpose_b;
} product;

/* Batch 128, and D on 256: forward, gradient of the input, gradient of the weights. */
static const product products[] = {
    {128, 256, 100, 0, 1}, {128, 512, 256, 0, 1}, {128, 1024, 512, 0, 1}, {128, 784, 1024, 0, 1},
    {256, 512, 784, 0, 1}, {256, 256, 512, 0, 1}, {256, 1, 256, 0, 1},    {256, 256, 1, 0, 0},
    {256, 512, 256, 0, 0}, {128, 784, 512, 0, 0}, {128, 1024, 784, 0, 0}, {128, 512, 1024, 0, 0},
    {256, 512, 256, 1, 0}, {512, 784, 256, 1, 0}, {784, 1024, 128, 1, 0}, {1024, 512, 128, 1, 0},
};

typedef struct conv {
    int64_t n, size, c, k, filter;
    int stride, padding;
} conv;

static const conv convs[] = {
    {64, 32, 3, 64, 4, 2, 1},   {64, 28, 1, 64, 4, 2, 1},    {64, 16, 64, 128, 4, 2, 1},
    {64, 14, 64, 128, 4, 2, 1}, {64, 8, 128, 256, 4, 2, 1},  {64, 7, 128, 256, 4, 2, 1},
    {64, 4, 256, 512, 4, 2, 1}, {64, 4, 256, 1, 4, 1, 0},    {64, 4, 256, 100, 4, 1, 0},
    {128, 64, 3, 64, 4, 2, 1},  {128, 32, 64, 128, 4, 2, 1},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(gan_status status) {
    if (status == GAN_OK) return;
    fprintf(stderr, "bench_products: %s\n", gan_last_error());
    exit(1);
}

/* A graph of one op on random inputs. */
typedef struct bench {
    gan_device *device;
    double seconds;
    gan_store *store;
    gan_graph *g;
    gan_node *input[2];
} bench;

static void begin(bench *b, gan_shape first, gan_shape second) {
    check(gan_store_create(&b->store, 1));
    check(gan_graph_create(&b->g, b->store));
    b->input[0] = gan_input(b->g, GAN_F32, first, "a");
    b->input[1] = gan_input(b->g, GAN_F32, second, "b");
}

static void fill(gan_program *program, const gan_node *input) {
    const size_t n = (size_t)gan_shape_size(gan_node_shape(input));
    float *x = malloc(n * sizeof *x);
    if (x == NULL) exit(1);
    uint32_t seed = 1;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
    }
    check(gan_program_write(program, input, x, n * sizeof *x));
    free(x);
}

static void finish(bench *b, gan_node *result, const char *title, double flops) {
    gan_program *program;
    gan_output(b->g, result);
    check(gan_compile(&program, b->g, b->device));
    for (int i = 0; i < 2; i++) fill(program, b->input[i]);
    check(gan_program_run(program, 2));
    check(gan_device_synchronize(b->device));
    double best = 1e9;
    for (const double start = now(); now() - start < b->seconds;) {
        const double t = now();
        check(gan_program_run(program, 1));
        check(gan_device_synchronize(b->device));
        if (now() - t < best) best = now() - t;
    }
    printf("%-44s %10.3f ms %9.1f GFLOP/s\n", title, 1e3 * best, 1e-9 * flops / best);
    gan_program_destroy(program);
    gan_graph_destroy(b->g);
    gan_store_destroy(b->store);
}

static void bench_product(bench *b, const product *p) {
    char title[64];
    snprintf(title, sizeof title, "matmul %lld x %lld x %lld%s%s", (long long)p->m, (long long)p->n,
             (long long)p->k, p->transpose_a ? " a'" : "", p->transpose_b ? " b'" : "");
    begin(b, p->transpose_a ? gan_shape2(p->k, p->m) : gan_shape2(p->m, p->k),
          p->transpose_b ? gan_shape2(p->n, p->k) : gan_shape2(p->k, p->n));
    finish(b, gan_matmul(b->g, b->input[0], b->input[1], p->transpose_a, p->transpose_b), title,
           2.0 * (double)(p->m * p->n * p->k));
}

static void bench_conv(bench *b, const conv *c, int kind) {
    static const char *const names[] = {"conv2d", "grad-input", "grad-weight"};
    const gan_window window = gan_window_same(c->stride, c->padding);
    const int64_t out = (c->size + 2 * c->padding - c->filter) / c->stride + 1;
    const gan_shape x = gan_shape4(c->n, c->size, c->size, c->c),
                    y = gan_shape4(c->n, out, out, c->k);
    const gan_shape w = gan_shape4(c->k, c->filter, c->filter, c->c);
    char title[96];
    snprintf(title, sizeof title, "%s %lldx%lldx%lldx%lld, %lld of %lldx%lld, stride %d",
             names[kind], (long long)c->n, (long long)c->size, (long long)c->size, (long long)c->c,
             (long long)c->k, (long long)c->filter, (long long)c->filter, c->stride);
    begin(b, kind == 1 ? y : x, kind == 2 ? y : w);
    gan_node *r =
        kind == 0 ? gan_conv2d(b->g, b->input[0], b->input[1], window)
        : kind == 1
            ? gan_conv2d_grad_input(b->g, b->input[0], b->input[1], c->size, c->size, window)
            : gan_conv2d_grad_weight(b->g, b->input[0], b->input[1], c->filter, c->filter, window);
    finish(b, r, title, 2.0 * (double)(c->n * out * out * c->k * c->filter * c->filter * c->c));
}

int main(int argc, char **argv) {
    const char *device = "cpu";
    bench b = {.seconds = 0.2};
    gan_device_options options = {0};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) device = argv[i + 1];
        if (strcmp(argv[i], "--threads") == 0) options.threads = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--seconds") == 0) b.seconds = atof(argv[i + 1]);
    }
    check(gan_device_open(&b.device, device, &options));
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) bench_product(&b, &products[i]);
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
        for (int kind = 0; kind < 3; kind++) bench_conv(&b, &convs[i], kind);
    gan_device_close(b.device);
    return 0;
}
