/* The noise of the CUDA device, and of the CPU, is cuRAND's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "base/philox.h"
#include "curand_numbers.h"
#include "ganc/device.h"
#include "ganc/nn.h"
#include "graph/graph.h"

enum { N = 1027 };

typedef struct noise {
    int32_t index[N];
    float uniform[N], normal[N];
    uint32_t stream[3]; /* of the three */
    uint64_t seed;
} noise;

/* What a device draws when its counter says `count`. */
static void draw(const char *kind, uint64_t seed, int64_t count, noise *out) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    assert_int_equal(gan_device_open(&device, kind, NULL), GAN_OK);
    assert_int_equal(gan_store_create(&store, seed), GAN_OK);
    assert_int_equal(gan_graph_create(&g, store), GAN_OK);
    gan_node *counter = gan_variable_node(g, GAN_COUNTER, "test/count", GAN_I64, gan_shape0(),
                                          gan_init_constant(0));
    gan_node *node[3] = {gan_random_index(g, counter, gan_shape1(N), INT32_MAX),
                         gan_random_uniform(g, counter, gan_shape1(N), 0, 1),
                         gan_random_normal(g, counter, gan_shape1(N), 0, 1)};
    for (int i = 0; i < 3; i++) gan_output(g, node[i]);
    assert_int_equal(gan_compile(&program, g, device), GAN_OK);
    assert_int_equal(gan_program_load(program), GAN_OK);
    assert_int_equal(
        gan_variable_write(store, counter->attr.variable.variable, &count, sizeof count), GAN_OK);
    assert_int_equal(gan_program_run(program, 1), GAN_OK);
    assert_int_equal(gan_program_read(program, node[0], out->index, sizeof out->index), GAN_OK);
    assert_int_equal(gan_program_read(program, node[1], out->uniform, sizeof out->uniform), GAN_OK);
    assert_int_equal(gan_program_read(program, node[2], out->normal, sizeof out->normal), GAN_OK);
    for (int i = 0; i < 3; i++) out->stream[i] = node[i]->attr.random.stream;
    out->seed = seed;
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
}

static void check(const noise *got, int64_t count) {
    for (int i = 0; i < N; i++) {
        unsigned bits[3][4];
        float uniform[3][4], normal[3][4];
        for (int k = 0; k < 3; k++)
            curand_numbers(got->seed, gan_philox_subsequence(got->stream[k], (uint64_t)i / 4),
                           4 * (uint64_t)count, bits[k], uniform[k], normal[k]);
        assert_int_equal(got->index[i], (uint64_t)bits[0][i % 4] * INT32_MAX >> 32);
        assert_true(got->uniform[i] == uniform[1][i % 4]);
        assert_true(fabsf(got->normal[i] - normal[2][i % 4]) <=
                    2e-6f * (1 + fabsf(normal[2][i % 4])));
    }
}

static void numbers_are_those_of_curand(void **state) {
    static const int64_t counts[] = {0, 1, 77, (int64_t)3 << 31};
    static noise cuda, cpu;
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        draw("cuda", 0x123456789abcdefu + i, counts[i], &cuda);
        draw("cpu", 0x123456789abcdefu + i, counts[i], &cpu);
        check(&cuda, counts[i]);
        check(&cpu, counts[i]);
        assert_memory_equal(cuda.index, cpu.index, sizeof cpu.index);
        assert_memory_equal(cuda.uniform, cpu.uniform, sizeof cpu.uniform);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_those_of_curand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
