/* ganc's side of a benchmark: runs as many iterations of a case as it is told.
 *
 *     bench_worker CASE [--device NAME] [--threads N] [--batch M] [--features NF]
 *                  [--precision f32|tf32|bf16] [--branches 0|1] [--pdl 0|1] [--tune 0|1]
 *     bench_worker CASE … --export FILE --steps N
 *
 * Prints "ready SECONDS" when the first iteration is done. For every number N on standard input it
 * runs N iterations and prints "SECONDS N"; for "info" the launches, bytes moved and FLOPs of an
 * iteration, and the bytes taken on the device. bench/run drives it beside its peers. With --export
 * it writes what they need to repeat and check its iterations (export.h). GANC_CACHE names the
 * folder that a GPU's cache is in (ganc/device.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"

typedef struct arguments {
    bench_case c;
    const char *device, *export;
    int64_t steps;
    gan_device_options options;
} arguments;

static bool parse(arguments *a, int argc, char **argv) {
    const bench_case *found = argc > 1 ? bench_case_find(argv[1]) : NULL;
    if (!found || argc % 2) return false;
    *a = (arguments){.c = *found, .device = "cpu", .steps = 100};
    a->options.cache = getenv("GANC_CACHE");
    for (int i = 2; i < argc; i += 2) {
        const char *key = argv[i], *value = argv[i + 1];
        if (strcmp(key, "--device") == 0)
            a->device = value;
        else if (strcmp(key, "--threads") == 0)
            a->options.threads = atoi(value);
        else if (strcmp(key, "--branches") == 0 && (*value == '0' || *value == '1'))
            a->options.branches = *value == '1';
        else if (strcmp(key, "--pdl") == 0 && (*value == '0' || *value == '1'))
            a->options.pdl = *value == '1';
        else if (strcmp(key, "--tune") == 0 && (*value == '0' || *value == '1'))
            a->options.tune = *value == '1';
        else if (strcmp(key, "--batch") == 0) {
            a->c.generator_batch = a->c.generator_batch * atoll(value) / found->batch;
            a->c.batch = atoll(value);
        } else if (strcmp(key, "--features") == 0)
            a->c.features = atoll(value);
        else if (strcmp(key, "--precision") == 0) {
            if (!gan_precision_find(&a->c.precision, value)) return false;
        } else if (strcmp(key, "--export") == 0)
            a->export = value;
        else if (strcmp(key, "--steps") == 0)
            a->steps = atoll(value);
        else
            return false;
    }
    return a->steps > 0;
}

static size_t memory_free(const gan_device *device) {
    gan_device_info info;
    bench_check(gan_device_describe(device, &info));
    return info.memory_free;
}

static void serve(gan_program *program, gan_device *device, size_t free_at_start) {
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "info\n") == 0) {
            gan_program_info info;
            gan_program_describe(program, &info);
            const size_t left = memory_free(device);
            printf("%d %lld %lld %lld\n", info.launches, (long long)info.bytes_moved,
                   (long long)info.flops,
                   free_at_start > left ? (long long)(free_at_start - left) : 0LL);
        } else {
            const int64_t n = strtoll(line, NULL, 10);
            const double start = bench_now();
            bench_check(gan_program_run(program, n));
            bench_check(gan_device_synchronize(device));
            printf("%.9f %lld\n", bench_now() - start, (long long)n);
        }
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    const double start = bench_now();
    arguments a;
    if (!parse(&a, argc, argv)) {
        fprintf(stderr,
                "usage: bench_worker CASE [--device NAME] [--threads N] [--batch M] "
                "[--features NF] [--precision f32|tf32|bf16] [--export FILE --steps N]; cases:\n");
        bench_case_list(stderr);
        return 2;
    }
    const bool model = gan_model_find(a.c.model), objective = gan_objective_find(a.c.objective);
    if (!model || !objective) {
        fprintf(stderr, "bench_worker: case %s needs the %s %s, which this build has not\n",
                a.c.name, model ? "objective" : "model", model ? a.c.objective : a.c.model);
        return 77;
    }
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_game game;
    gan_program *program;
    bench_check(gan_device_open(&device, a.device, &a.options));
    if (a.export) {
        const gan_status status = bench_export(a.export, &a.c, device, a.steps);
        gan_device_close(device);
        return status == GAN_OK ? 0 : 1;
    }
    const size_t free_at_start = memory_free(device);
    bench_check(gan_store_create(&store, 1));
    bench_check(gan_graph_create(&g, store));
    bench_check(bench_case_build(&game, g, &a.c, NULL));
    bench_check(gan_compile(&program, g, device));
    bench_check(gan_program_load(program));
    bench_check(bench_case_fill(store, &a.c));
    bench_check(gan_program_run(program, 1));
    bench_check(gan_device_synchronize(device));
    printf("ready %.6f\n", bench_now() - start);
    fflush(stdout);
    serve(program, device, free_at_start);
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
    return 0;
}
