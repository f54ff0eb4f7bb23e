/* Starts of the same program: the first asks cuDNN, the next ones know, with the same bits; what it
 * does not take any more is asked again, and nothing kept is worse than nothing kept. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control.h"
#include "cuda/device.h"
#include "ganc/ganc.h"
#include "graph/graph.h"
#include "support/process.h"
#include "support/scratch.h"

enum { N = 2, SIZE = 6, C = 4, K = 8, OUTPUTS = 5, MOST = N * SIZE * SIZE * K };

typedef struct start {
    simt_counts asked; /* of cuDNN by it */
    int launches;
    size_t bytes[OUTPUTS];
    unsigned char value[OUTPUTS][MOST * sizeof(float)];
} start;

static gan_node *draw(gan_graph *g, gan_node *counter, gan_shape shape, gan_dtype type) {
    gan_node *x = gan_random_normal(g, counter, shape, 0, 1);
    return type == GAN_F32 ? x : gan_cast(g, x, type);
}

/* Two that are fused in bf16, one that f32 does not fuse, and each direction alone. */
static void add_outputs(gan_graph *g, gan_node **out) {
    const gan_window window = {1, 1, 1, 1, 1, 1};
    const gan_shape x_is = gan_shape4(N, SIZE, SIZE, C), w_is = gan_shape4(K, 3, 3, C),
                    y_is = gan_shape4(N, SIZE, SIZE, K);
    gan_node *counter = gan_game_counter(g);
    gan_node *x16 = draw(g, counter, x_is, GAN_BF16), *w16 = draw(g, counter, w_is, GAN_BF16),
             *y16 = draw(g, counter, y_is, GAN_BF16), *x = draw(g, counter, x_is, GAN_F32),
             *w = draw(g, counter, w_is, GAN_F32), *y = draw(g, counter, y_is, GAN_F32);
    gan_node *a = gan_cast(g, gan_conv2d(g, x16, w16, window), GAN_F32),
             *b = gan_cast(g, gan_conv2d_grad_input(g, y16, w16, SIZE, SIZE, window), GAN_F32);
    out[0] = gan_cast(g, gan_tanh(g, a), GAN_BF16);
    out[1] = gan_cast(g, gan_leaky_relu(g, b, 0.2), GAN_BF16);
    out[2] = gan_tanh(g, gan_conv2d(g, x, w, window));
    out[3] = gan_conv2d_grad_input(g, y, w, SIZE, SIZE, window);
    out[4] = gan_conv2d_grad_weight(g, x, y, 3, 3, window);
    for (int i = 0; i < OUTPUTS; i++) gan_output(g, out[i]);
}

static start begin(const char *folder) {
    static start s;
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_node *out[OUTPUTS];
    gan_program_info info;
    memset(&s, 0, sizeof s);
    const simt_counts before = simt_count();
    expect_ok(gan_device_open(&device, "cuda", &(gan_device_options){.cache = folder}));
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    add_outputs(g, out);
    expect_ok(gan_compile(&program, g, device));
    gan_program_describe(program, &info);
    s.launches = info.launches;
    expect_ok(gan_program_run(program, 1));
    for (int i = 0; i < OUTPUTS; i++) {
        s.bytes[i] =
            (size_t)gan_shape_size(out[i]->shape) * (out[i]->dtype == GAN_F32 ? sizeof(float) : 2);
        assert_true(s.bytes[i] <= sizeof s.value[i]);
        expect_ok(gan_program_read(program, out[i], s.value[i], s.bytes[i]));
    }
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
    s.asked = simt_count();
    assert_int_equal(s.asked.handles, before.handles);
    s.asked.searches -= before.searches;
    s.asked.compiled -= before.compiled;
    s.asked.restored -= before.restored;
    return s;
}

static void expect_same(const start *a, const start *b) {
    assert_int_equal(a->launches, b->launches);
    for (int i = 0; i < OUTPUTS; i++) {
        assert_int_equal(a->bytes[i], b->bytes[i]);
        assert_memory_equal(a->value[i], b->value[i], a->bytes[i]);
    }
}

static void expect_asked(const start *s, long searches, long compiled, long restored) {
    assert_int_equal(s->asked.searches, searches);
    assert_int_equal(s->asked.compiled, compiled);
    assert_int_equal(s->asked.restored, restored);
}

/* What a start without anything kept asks. */
static start fresh(void) {
    const start s = begin(NULL);
    assert_true(s.asked.searches >= 3 + 2); /* algorithms; engines */
    assert_true(s.asked.compiled >= 2);
    assert_int_equal(s.asked.restored, 0);
    return s;
}

static void expect_fresh(const start *s, const start *without) {
    expect_same(s, without);
    expect_asked(s, without->asked.searches, without->asked.compiled, 0);
}

static void expect_known(const start *s, const start *without) {
    expect_same(s, without);
    expect_asked(s, 0, 0, 2);
}

static void second_start_asks_nothing(void **state) {
    (void)state;
    const start without = fresh(), again = begin(NULL);
    expect_fresh(&again, &without);
    const start first = begin(scratch("cache")), second = begin(scratch("cache"));
    expect_fresh(&first, &without);
    expect_known(&second, &without);
    const start off = begin("");
    expect_fresh(&off, &without);
    assert_int_equal(scratch_count(), 1);
}

/* A program is recorded before its first run; a process that is killed later has lost nothing. */
static void kept_before_the_first_run(void **state) {
    (void)state;
    const start without = fresh();
    const pid_t child = fork();
    if (child == 0) {
        gan_device *device;
        gan_store *store;
        gan_graph *g;
        gan_program *program;
        gan_node *out[OUTPUTS];
        expect_ok(
            gan_device_open(&device, "cuda", &(gan_device_options){.cache = scratch("cache")}));
        expect_ok(gan_store_create(&store, 1));
        expect_ok(gan_graph_create(&g, store));
        add_outputs(g, out);
        expect_ok(gan_compile(&program, g, device));
        expect_ok(gan_program_run(program, 1));
        _exit(0);
    }
    assert_int_equal(process_wait(child), 0);
    const start second = begin(scratch("cache"));
    expect_known(&second, &without);
}

static void plan_only_leaves_it_alone(void **state) {
    (void)state;
    gan_device *device;
    const gan_device_options options = {.plan_only = true, .cache = scratch("cache")};
    expect_ok(gan_device_open(&device, "cuda", &options));
    gan_device_close(device);
    assert_int_equal(scratch_count(), 0);
}

/* Refusals are kept; but not those that say something of the machine today. */
static void refusals_are_kept(void **state) {
    (void)state;
    simt_set_fusion(SIMT_FUSION_FAILS);
    const start without = begin(NULL), first = begin(scratch("cache")),
                second = begin(scratch("cache"));
    expect_fresh(&first, &without);
    expect_same(&second, &without);
    expect_asked(&second, 0, 0, 0);
    simt_set_fusion(SIMT_FUSION_WORKS);
    const start third = begin(scratch("cache"));
    expect_asked(&third, 0, 0, 0);
    assert_int_equal(third.launches, without.launches);

    simt_set_fusion(SIMT_FUSION_LACKS);
    const start lacking = begin(scratch("other"));
    assert_int_equal(lacking.launches, without.launches);
    simt_set_fusion(SIMT_FUSION_WORKS);
    const start fused = begin(scratch("other"));
    assert_true(fused.launches < without.launches);
}

static void other_versions_have_their_own(void **state) {
    (void)state;
    const start without = fresh();
    begin(scratch("cache"));
    simt_set_cudnn(CUDNN_VERSION + 1);
    const start newer = begin(scratch("cache")), again = begin(scratch("cache"));
    expect_fresh(&newer, &without);
    expect_known(&again, &without);
    simt_set_cudnn(0);
    const start older = begin(scratch("cache"));
    expect_known(&older, &without);
}

/* A plan that cuDNN refuses although it is the same version: searched for, and kept again. */
static void refused_texts_are_replaced(void **state) {
    (void)state;
    const start without = fresh();
    begin(scratch("cache"));
    simt_set_texts(SIMT_TEXTS_REFUSED);
    const start refused = begin(scratch("cache"));
    expect_same(&refused, &without);
    assert_true(refused.asked.searches >= 2); /* the fused ones' */
    assert_int_equal(refused.asked.compiled, without.asked.compiled);
    simt_set_texts(SIMT_TEXTS_WORK);
    const start third = begin(scratch("cache"));
    expect_known(&third, &without);
}

/* An engine that cannot be written out is found again without trying those before it. */
static void without_texts_the_choice_is_kept(void **state) {
    (void)state;
    simt_set_texts(SIMT_TEXTS_ABSENT);
    const start without = fresh(), first = begin(scratch("cache")),
                second = begin(scratch("cache")), third = begin(scratch("cache"));
    expect_fresh(&first, &without);
    expect_same(&second, &without);
    expect_asked(&second, 2, 2, 0);
    expect_same(&third, &without);
    expect_asked(&third, 2, 2, 0);
    assert_true(first.asked.compiled > 2); /* the stand-in has engines that need too much memory */
}

/* The same answers for another size of workspace are other answers. */
static void other_workspaces_are_asked_for_again(void **state) {
    (void)state;
    begin(scratch("cache"));
    simt_set_cudnn_workspace(1 << 20);
    const start without = fresh(), changed = begin(scratch("cache")),
                again = begin(scratch("cache"));
    expect_same(&changed, &without);
    assert_int_equal(changed.asked.searches, 3 + 2);
    expect_known(&again, &without);
}

/* Changes a byte in the middle of every file of a folder; how many there are. */
static int damage(const char *folder) {
    DIR *dir = opendir(scratch(folder));
    int count = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char name[300];
        size_t size;
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        unsigned char *bytes = scratch_get(name, &size);
        bytes[size / 2] ^= 1;
        scratch_put(name, bytes, size);
        free(bytes);
        count++;
    }
    closedir(dir);
    return count;
}

static void damage_is_repaired(void **state) {
    (void)state;
    const start without = fresh();
    begin(scratch("cache"));
    assert_int_equal(damage("cache"), 1);
    const start damaged = begin(scratch("cache")), repaired = begin(scratch("cache"));
    expect_fresh(&damaged, &without);
    expect_known(&repaired, &without);
}

static void what_cannot_be_written_fails_nothing(void **state) {
    (void)state;
    const start without = fresh();
    scratch_put("file", "x", 1);
    const start first = begin(scratch("file/below")), second = begin(scratch("file/below"));
    expect_fresh(&first, &without);
    expect_fresh(&second, &without);
    limit_file_size(100);
    const start full = begin(scratch("cache"));
    lift_file_limit();
    expect_fresh(&full, &without);
}

static void processes_start_at_once(void **state) {
    (void)state;
    enum { PROCESSES = 4 };
    const start without = fresh();
    pid_t child[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        child[p] = fork();
        if (child[p] != 0) continue;
        const start s = begin(scratch("cache"));
        expect_same(&s, &without);
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) assert_int_equal(process_wait(child[p]), 0);
    const start after = begin(scratch("cache"));
    expect_known(&after, &without);
}

static int teardown(void **state) {
    simt_reset();
    return scratch_teardown(state);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(second_start_asks_nothing),
        TEST(kept_before_the_first_run),
        TEST(plan_only_leaves_it_alone),
        TEST(refusals_are_kept),
        TEST(other_versions_have_their_own),
        TEST(refused_texts_are_replaced),
        TEST(without_texts_the_choice_is_kept),
        TEST(other_workspaces_are_asked_for_again),
        TEST(damage_is_repaired),
        TEST(what_cannot_be_written_fails_nothing),
        TEST(processes_start_at_once),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
