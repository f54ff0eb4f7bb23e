/* Programs whose launches run side by side: in whatever order their dependences permit, the same
 * bits as one after the other; and every dependence is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "cuda/device.h"
#include "games.h"
#include "support/scratch.h"

static const gan_device_options in_turn = {0}, side_by_side = {.branches = true};

static const struct {
    const char *name;
    int seed;
} orders[] = {{"fwd", 0}, {"rev", 0}, {"rand", 1}, {"rand", 2}};
enum { ORDERS = sizeof orders / sizeof *orders };

/* ---- tests ---- */

static void every_order_gives_the_same_bits_in(const game *n, gan_precision precision) {
    size_t size, got_size;
    unsigned char *wanted = train(n, precision, &in_turn, 3, "fwd", 0, &size);
    for (int i = 0; i < ORDERS; i++) {
        unsigned char *got =
            train(n, precision, &side_by_side, 3, orders[i].name, orders[i].seed, &got_size);
        assert_int_equal(got_size, size);
        if (memcmp(got, wanted, size) != 0)
            fail_msg("%s, %s %d: other bits", n->model, orders[i].name, orders[i].seed);
        free(got);
    }
    free(wanted);
}

static void every_order_gives_the_same_bits(void **state) {
    every_order_gives_the_same_bits_in(*state, GAN_PRECISION_F32);
    every_order_gives_the_same_bits_in(*state, GAN_PRECISION_BF16);
}

/* The chain that is counted is the graph's; without branches it is all of it. */
static void depth_is_the_graphs(void **state) {
    for (int branches = 0; branches < 2; branches++) {
        run s;
        gan_program_info info;
        run_open(&s, *state, GAN_PRECISION_BF16, branches ? &side_by_side : &in_turn);
        const int unroll = s.program->unroll = 3;
        expect_ok(gan_program_load(s.program));
        gan_program_describe(s.program, &info);
        write_examples(&s, ((const game *)*state)->size);
        expect_ok(gan_program_run(s.program, unroll)); /* records so many as one graph */
        print_message("%s: %d launches, depth %d, %ld edges\n", ((const game *)*state)->model,
                      info.launches, info.depth, simt_count().edges);
        assert_int_equal(info.depth, (simt_count().depth + unroll - 1) / unroll);
        assert_true(branches ? info.depth < info.launches : info.depth == info.launches);
        run_close(&s);
    }
}

/* ---- by addresses ---- */

typedef struct bytes {
    const char *begin, *end;
    bool written;
} bytes;
enum { RANGES = 256 };

static int add(bytes *to, int n, const void *data, size_t size, bool written) {
    if (!data || size == 0) return n;
    assert_true(n < RANGES);
    to[n] = (bytes){data, (const char *)data + size, written};
    return n + 1;
}

static size_t size_of(const gan_array *a) {
    return (size_t)gan_shape_size(a->shape) * gan_dtype_size(a->dtype);
}

/* What step t touches, by the addresses that its calls are given. */
static int touched(bytes *to, const run *s, int t) {
    const gan_branches *b = s->program->branches;
    int n = 0;
    for (int i = b->call[t]; i < b->call[t + 1]; i++) {
        const gan_call *c = &s->program->call[i];
        for (int k = 0; k < c->n_in; k++)
            n = add(to, n, c->in[k].data, size_of(&c->in[k]),
                    k < gan_op_writes(c->node) || c->node->in[k] == gan_op_copy(c->node));
        n = add(to, n, c->out.data, size_of(&c->out), true);
        n = add(to, n, c->workspace, c->workspace_bytes, true);
        /* what the device has for a lane: its first byte stands for all of it */
        const gan_cuda_lane *lane = &gan_cuda(s->device)->lane[c->lane];
        if (c->scratch) n = add(to, n, lane->blas_workspace, 1, true);
        if (c->workspace_bytes) n = add(to, n, lane->counters, 1, true);
    }
    return n;
}

static bool meet(const run *s, int a, int b) {
    bytes x[RANGES], y[RANGES];
    const int n = touched(x, s, a), m = touched(y, s, b);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            if (x[i].begin < y[k].end && y[k].begin < x[i].end && (x[i].written || y[k].written))
                return true;
    return false;
}

/* How many pairs of steps that meet in memory come in no order, over two iterations. */
static int unordered(const run *s) {
    const gan_branches *b = s->program->branches;
    const size_t n = (size_t)b->n;
    bool *after = calloc(4 * n * n, sizeof *after); /* after[t 2n + e]: t comes after e */
    int found = 0;
    assert_non_null(after);
    for (size_t t = 0; t < 2 * n; t++)
        for (int k = b->first[t % n]; k < b->first[t % n + 1]; k++) {
            const size_t before = (size_t)b->before[k];
            if (t < n && before < n) continue; /* of an iteration that was before */
            const size_t e = t < n ? before - n : before;
            after[t * 2 * n + e] = true;
            for (size_t x = 0; x < e; x++)
                if (after[e * 2 * n + x]) after[t * 2 * n + x] = true;
        }
    for (size_t t = 0; t < 2 * n; t++)
        for (size_t e = 0; e < t; e++)
            found += !after[t * 2 * n + e] && meet(s, (int)(e % n), (int)(t % n));
    free(after);
    return found;
}

/* Also what calls keep for themselves while they run, which no order of whole calls shows. */
static void what_meets_in_memory_is_ordered(void **state) {
    for (int half = 0; half < 2; half++) {
        run s;
        run_open(&s, *state, half ? GAN_PRECISION_BF16 : GAN_PRECISION_F32, &side_by_side);
        expect_ok(gan_program_load(s.program));
        assert_int_equal(unordered(&s), 0);
        run_close(&s);
    }
}

/* With one lane's memory for all of them, calls meet that were thought apart. */
static void lanes_are_needed(void **state) {
    run s;
    run_open(&s, *state, GAN_PRECISION_F32, &side_by_side);
    expect_ok(gan_program_load(s.program));
    for (int i = 0; i < s.program->n_calls; i++) s.program->call[i].lane = 0;
    assert_true(unordered(&s) > 0);
    run_close(&s);
}

/* ---- every edge ---- */

static long edges_of(const game *n) {
    run s;
    run_open(&s, n, GAN_PRECISION_F32, &side_by_side);
    s.program->unroll = 1;
    expect_ok(gan_program_load(s.program));
    const long edges = simt_count().edges;
    run_close(&s);
    return edges;
}

/* Without any one of its edges a graph computes something else. */
static void every_edge_is_needed(void **state) {
    const game *n = *state;
    const long edges = edges_of(n);
    size_t size;
    long noticed = 0;
    unsigned char *wanted = train(n, GAN_PRECISION_F32, &in_turn, 1, "fwd", 0, &size);
    for (long e = 0; e < edges; e++) {
        simt_forget_edge(e);
        unsigned char *got = train(n, GAN_PRECISION_F32, &side_by_side, 1, "rev", 0, &size);
        simt_forget_edge(-1);
        if (memcmp(got, wanted, size) == 0)
            print_message("nothing comes of edge %ld\n", e);
        else
            noticed++;
        free(got);
    }
    free(wanted);
    print_message("%ld edges\n", edges);
    assert_true(edges > 30);
    assert_int_equal(noticed, edges);
}

int main(void) {
    struct CMUnitTest tests[3 * GAMES + 2];
    int n = 0;
    for (int i = 0; i < GAMES; i++) {
        void *of = (void *)(uintptr_t)&games[i];
        tests[n++] = (struct CMUnitTest){"every_order_gives_the_same_bits",
                                         every_order_gives_the_same_bits, NULL, NULL, of};
        tests[n++] =
            (struct CMUnitTest){"depth_is_the_graphs", depth_is_the_graphs, NULL, NULL, of};
    }
    for (int i = 0; i < GAMES; i++)
        tests[n++] =
            (struct CMUnitTest){"what_meets_in_memory_is_ordered", what_meets_in_memory_is_ordered,
                                NULL, NULL, (void *)(uintptr_t)&games[i]};
    tests[n++] = (struct CMUnitTest){"lanes_are_needed", lanes_are_needed, NULL, NULL,
                                     (void *)(uintptr_t)&games[0]};
    tests[n++] = (struct CMUnitTest){"every_edge_is_needed", every_edge_is_needed, NULL, NULL,
                                     (void *)(uintptr_t)&games[0]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
