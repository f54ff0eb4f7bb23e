#include "ops.h"

#include <stdio.h>
#include <stdlib.h>

#include "case.h"

void ops_begin(bench *b) {
    bench_check(gan_store_create(&b->store, 1));
    bench_check(gan_graph_create(&b->g, b->store));
}

gan_node *ops_operand(bench *b, const char *name, gan_shape shape) {
    return gan_variable_node(b->g, GAN_WEIGHT, name, GAN_F32, shape, gan_init_normal(0, 1));
}

gan_node *ops_typed(bench *b, const char *name, gan_shape shape) {
    const gan_init init = b->dtype == GAN_F32 ? gan_init_normal(0, 1) : gan_init_constant(0);
    return gan_variable_node(b->g, GAN_WEIGHT, name, b->dtype, shape, init);
}

/* Where there is such a variable. */
static void write_halves(const bench *b, const char *name) {
    const gan_variable *v = gan_store_find(b->store, GAN_WEIGHT, name);
    if (!v) return;
    const size_t n = (size_t)gan_shape_size(gan_variable_shape(v));
    uint16_t *x = malloc(n * sizeof *x);
    if (!x) exit(1);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (uint16_t)(0x3f00u + (state >> 24) + (state >> 8 & 0x8000u));
    }
    bench_check(gan_variable_write(b->store, v, x, n * sizeof *x));
    free(x);
}

void ops_finish(bench *b, const char *title, double operations, double bytes) {
    gan_program *program;
    bench_check(gan_compile(&program, b->g, b->device));
    bench_check(gan_program_load(program));
    if (b->dtype == GAN_BF16) {
        write_halves(b, "p/p");
        write_halves(b, "q/q");
        write_halves(b, "x/x");
        write_halves(b, "dy/dy");
    }
    bench_check(gan_program_run(program, 2));
    bench_check(gan_device_synchronize(b->device));
    const int64_t together = b->cuda ? 16 : 1;
    double best = 1e9;
    for (const double start = bench_now(); bench_now() - start < b->seconds;) {
        const double t = bench_now();
        bench_check(gan_program_run(program, together));
        bench_check(gan_device_synchronize(b->device));
        const double spent = (bench_now() - t) / (double)together;
        if (spent < best) best = spent;
    }
    printf("%s\t%.9f\t%.0f\t%.0f\n", title, best, operations, bytes);
    fflush(stdout);
    char line[8];
    if (b->paced && !fgets(line, sizeof line, stdin)) exit(0);
    gan_program_destroy(program);
    gan_graph_destroy(b->g);
    gan_store_destroy(b->store);
}

double ops_bytes(gan_shape shape) { return 4.0 * (double)gan_shape_size(shape); }

bench ops_open(const bench *b, gan_device_options options, gan_dtype dtype) {
    bench other = *b;
    other.dtype = dtype;
    bench_check(gan_device_open(&other.device, b->name, &options));
    return other;
}

void ops_close(bench *b) { gan_device_close(b->device); }
