/* The limits of a device, against which whole iterations are held.
 *
 *     bench_peak [--device NAME] [--threads N] [--precision f32|tf32|bf16] [--seconds S]
 *
 * Prints operations/s of the largest product, bytes/s of a copy (read and written), and the seconds
 * of one more small kernel in a program. Each is the best of many runs: the machine may be shared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

typedef struct peak {
    gan_device *device;
    double seconds;
    bool cuda, bf16;
    gan_precision precision;
} peak;

/* Seconds of one run of `g`, the shortest seen; its launches, if asked for. */
static double best(const peak *p, gan_graph *g, int *launches) {
    gan_program *program;
    bench_check(gan_compile(&program, g, p->device));
    bench_check(gan_program_load(program));
    bench_check(gan_program_run(program, 2));
    bench_check(gan_device_synchronize(p->device));
    const int64_t together = p->cuda ? 16 : 1; /* so that the host's share disappears */
    double found = 1e9;
    for (const double start = bench_now(); bench_now() - start < p->seconds;) {
        const double t = bench_now();
        bench_check(gan_program_run(program, together));
        bench_check(gan_device_synchronize(p->device));
        const double spent = (bench_now() - t) / (double)together;
        if (spent < found) found = spent;
    }
    gan_program_info info;
    gan_program_describe(program, &info);
    if (launches) *launches = info.launches;
    gan_program_destroy(program);
    return found;
}

static void open_graph(gan_store **store, gan_graph **g) {
    bench_check(gan_store_create(store, 1));
    bench_check(gan_graph_create(g, *store));
}

static void close_graph(gan_store *store, gan_graph *g) {
    gan_graph_destroy(g);
    gan_store_destroy(store);
}

static gan_node *normal(gan_graph *g, const char *name, gan_shape shape, gan_dtype dtype) {
    return gan_variable_node(g, GAN_WEIGHT, name, dtype, shape,
                             dtype == GAN_F32 ? gan_init_normal(0, 1) : gan_init_constant(1));
}

static double operations(const peak *p) {
    gan_store *store;
    gan_graph *g;
    double rate = 0;
    for (int64_t n = p->cuda ? 4096 : 512; n <= (p->cuda ? 8192 : 1024); n *= 2) {
        open_graph(&store, &g);
        gan_node *a = normal(g, "peak/a", gan_shape2(n, n), GAN_F32);
        gan_node *b = normal(g, "peak/b", gan_shape2(n, n), GAN_F32);
        if (p->bf16) { /* converted once, by a program of its own */
            gan_node *half[2] = {normal(g, "half/a", gan_shape2(n, n), GAN_BF16),
                                 normal(g, "half/b", gan_shape2(n, n), GAN_BF16)};
            gan_graph *convert;
            bench_check(gan_graph_create(&convert, store));
            const char *const names[2][2] = {{"peak/a", "half/a"}, {"peak/b", "half/b"}};
            for (int i = 0; i < 2; i++)
                gan_assign(convert, normal(convert, names[i][1], gan_shape2(n, n), GAN_BF16),
                           gan_cast(convert,
                                    normal(convert, names[i][0], gan_shape2(n, n), GAN_F32),
                                    GAN_BF16));
            best(&(peak){.device = p->device, .cuda = p->cuda}, convert, NULL);
            gan_graph_destroy(convert);
            a = half[0];
            b = half[1];
        }
        gan_scope *scope =
            gan_scope_create(g, "peak", &(gan_scope_settings){.precision = p->precision});
        gan_output(g, gan_scope_product(scope, gan_matmul(g, a, b, false, true)));
        const double now = 2.0 * (double)(n * n * n) / best(p, g, NULL);
        if (now > rate) rate = now;
        close_graph(store, g);
    }
    return rate;
}

static double bandwidth(const peak *p) {
    const int64_t n = p->cuda ? 1 << 28 : 1 << 24; /* far larger than any cache */
    gan_store *store;
    gan_graph *g;
    open_graph(&store, &g);
    gan_node *from =
        gan_variable_node(g, GAN_WEIGHT, "peak/from", GAN_F32, gan_shape1(n), gan_init_constant(1));
    gan_node *to =
        gan_variable_node(g, GAN_AVERAGE, "peak/to", GAN_F32, gan_shape1(n), gan_init_constant(0));
    gan_assign(g, to, gan_neg(g, from));
    const double rate = 8.0 * (double)n / best(p, g, NULL);
    close_graph(store, g);
    return rate;
}

/* The difference of a long and a short chain of small products. */
static double node(const peak *p) {
    double seconds[2];
    int launches[2];
    for (int i = 0; i < 2; i++) {
        gan_store *store;
        gan_graph *g;
        open_graph(&store, &g);
        gan_node *w = normal(g, "peak/w", gan_shape2(16, 16), GAN_F32), *x = w;
        for (int j = 0; j < (i ? 160 : 32); j++) x = gan_matmul(g, x, w, false, false);
        gan_output(g, gan_tanh(g, x));
        seconds[i] = best(p, g, &launches[i]);
        close_graph(store, g);
    }
    return (seconds[1] - seconds[0]) / (launches[1] - launches[0]);
}

int main(int argc, char **argv) {
    const char *device = "cpu";
    peak p = {.seconds = 0.5};
    gan_device_options options = {0};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) device = argv[i + 1];
        if (strcmp(argv[i], "--threads") == 0) options.threads = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--seconds") == 0) p.seconds = atof(argv[i + 1]);
        if (strcmp(argv[i], "--precision") == 0 && !gan_precision_find(&p.precision, argv[i + 1])) {
            fprintf(stderr, "bench_peak: precision %s; expected f32, tf32 or bf16\n", argv[i + 1]);
            return 2;
        }
    }
    p.bf16 = p.precision == GAN_PRECISION_BF16;
    bench_check(gan_device_open(&p.device, device, &options));
    gan_device_info info;
    bench_check(gan_device_describe(p.device, &info));
    p.cuda = strcmp(info.kind, "cuda") == 0;
    printf("%.6g %.6g %.6g\n", operations(&p), bandwidth(&p), node(&p));
    gan_device_close(p.device);
    return 0;
}
