/* ganc's side of a benchmark: runs as many iterations of a case as it is told.
 *
 *     bench_worker CASE [--device NAME] [--threads N]
 *
 * Prints "ready SECONDS" when the first iteration is done. For every number N on standard input it
 * runs N iterations and prints the seconds they took; for "memory" the peak resident set in KiB;
 * for "info" the launches, bytes moved and FLOPs of an iteration. bench/run drives it beside its
 * peers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ganc/ganc.h"

/* The cases: a training iteration each. bench/peers/ states the same in Python. */
typedef struct bench_case {
    const char *name, *model, *about;
    int64_t size, channels, z, features, batch;
} bench_case;

static const bench_case bench_cases[] = {
    {"a1", "mlp", "MLP 100-256-512-1024-784, 784-512-256-1", 28, 1, 100, 0, 128},
    {"a2", "maxout", "the 2014 net", 28, 1, 100, 0, 100},
    {"dcgan32", "dcgan", "DCGAN 32x32x3, nf 64", 32, 3, 100, 64, 64},
    {"b", "dcgan", "DCGAN 64x64x3, nf 64", 64, 3, 100, 64, 128},
};
enum { BENCH_CASES = sizeof bench_cases / sizeof *bench_cases };

enum { EXAMPLES = 10000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(gan_status status) {
    if (status == GAN_OK) return;
    fprintf(stderr, "bench_worker: %s\n", gan_last_error());
    exit(1);
}

typedef struct source {
    const bench_case *what;
    const gan_model *model;
} source;

/* Bytes of pseudo-random images lie on the device; a batch is picked by a shuffle, as in training.
 */
static gan_node *real_batch(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const source *s = user;
    const bench_case *c = s->what;
    gan_node *data = gan_variable_node(g, GAN_DATA, "data/images", GAN_U8,
                                       gan_shape4(EXAMPLES, c->size, c->size, c->channels),
                                       (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_node *index =
        gan_shuffled_index(g, counter, EXAMPLES, c->batch, c->batch, step * c->batch, 1u << 20);
    const double low = s->model->low, high = s->model->high;
    return gan_minibatch(g, data, index, counter, (high - low) / 255, low, false);
}

static void fill(gan_store *store) {
    const gan_variable *v = gan_store_find(store, GAN_DATA, "data/images");
    size_t n = (size_t)gan_shape_size(gan_variable_shape(v));
    uint8_t *bytes = malloc(n);
    uint32_t x = 1;
    if (!bytes) exit(1);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
    check(gan_variable_write(store, v, bytes, n));
    free(bytes);
}

static void serve(gan_program *program, gan_device *device) {
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "memory\n") == 0) {
            struct rusage usage;
            getrusage(RUSAGE_SELF, &usage);
            printf("%ld\n", usage.ru_maxrss);
        } else if (strcmp(line, "info\n") == 0) {
            gan_program_info info;
            gan_program_describe(program, &info);
            printf("%d %lld %lld\n", info.launches, (long long)info.bytes_moved,
                   (long long)info.flops);
        } else {
            double start = now();
            check(gan_program_run(program, strtoll(line, NULL, 10)));
            check(gan_device_synchronize(device));
            printf("%.9f\n", now() - start);
        }
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    double start = now();
    const bench_case *what = NULL;
    const char *name = "cpu";
    gan_device_options device_options = {0};
    for (int i = 0; argc > 1 && i < BENCH_CASES; i++)
        if (strcmp(argv[1], bench_cases[i].name) == 0) what = &bench_cases[i];
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) name = argv[i + 1];
        if (strcmp(argv[i], "--threads") == 0) device_options.threads = atoi(argv[i + 1]);
    }
    if (!what) {
        fprintf(stderr, "usage: bench_worker CASE [--device NAME] [--threads N]; cases:\n");
        for (int i = 0; i < BENCH_CASES; i++)
            fprintf(stderr, "  %-8s %s\n", bench_cases[i].name, bench_cases[i].about);
        return 2;
    }
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_game game;
    gan_program *program;
    source s = {what, gan_model_find(what->model)};
    check(gan_device_open(&device, name, &device_options));
    check(gan_store_create(&store, 1));
    check(gan_graph_create(&g, store));
    check(gan_game_build(&game, g,
                         &(gan_game_options){.model = s.model,
                                             .networks = {.height = what->size,
                                                          .width = what->size,
                                                          .channels = what->channels,
                                                          .z_dim = what->z,
                                                          .generator_features = what->features,
                                                          .discriminator_features = what->features},
                                             .batch = what->batch,
                                             .d_steps = 1,
                                             .objective = gan_objective_find("non-saturating"),
                                             .prior = gan_prior_find("normal"),
                                             .generator = gan_optimizer_defaults("adam"),
                                             .discriminator = gan_optimizer_defaults("adam"),
                                             .real = real_batch,
                                             .user = &s}));
    gan_output(g, game.d_loss);
    gan_output(g, game.g_loss);
    check(gan_compile(&program, g, device));
    check(gan_program_load(program));
    fill(store);
    check(gan_program_run(program, 1));
    check(gan_device_synchronize(device));
    printf("ready %.6f\n", now() - start);
    fflush(stdout);
    serve(program, device);
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
    return 0;
}
