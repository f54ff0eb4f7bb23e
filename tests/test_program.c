/* Programs on the CPU device: what they cost, host access, refusals; and a graph as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/program.h"

typedef struct setting {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
} setting;

static setting open_setting(void) {
    setting s;
    assert_int_equal(gan_device_open(&s.device, "cpu", NULL), GAN_OK);
    assert_int_equal(gan_store_create(&s.store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&s.g, s.store), GAN_OK);
    return s;
}

static void close_setting(setting s, gan_program *p) {
    gan_program_destroy(p);
    gan_graph_destroy(s.g);
    gan_store_destroy(s.store);
    gan_device_close(s.device);
}

static void costs_are_what_a_hand_counts(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 5), "x");
    gan_node *w = gan_variable_node(s.g, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(7, 5),
                                    (gan_init){GAN_INIT_NORMAL, 0, 1});
    gan_output(s.g, gan_tanh(s.g, gan_matmul(s.g, x, w, false, true)));
    gan_program *p;
    assert_int_equal(gan_compile(&p, s.g, s.device), GAN_OK);
    gan_program_info info;
    gan_program_describe(p, &info);
    assert_int_equal(info.launches, 1);
    assert_int_equal(info.flops, 2 * 8 * 5 * 7);
    assert_int_equal(info.bytes_moved, 4 * (8 * 5 + 7 * 5 + 8 * 7));
    assert_int_equal(info.parameters, 35);
    assert_int_equal(info.weight_bytes, 140);
    close_setting(s, p);
}

static void counting_runs_on_a_device_variable(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *counter = gan_variable_node(s.g, GAN_COUNTER, "train/iteration", GAN_I64,
                                          gan_shape0(), (gan_init){GAN_INIT_CONSTANT, 5, 0});
    gan_advance(s.g, counter, 3);
    gan_program *p;
    int64_t n = 0;
    assert_int_equal(gan_compile(&p, s.g, s.device), GAN_OK);
    assert_int_equal(gan_program_run(p, 40), GAN_OK);
    const gan_variable *v = gan_store_find(s.store, GAN_COUNTER, "train/iteration");
    assert_int_equal(gan_variable_read(s.store, v, &n, sizeof n), GAN_OK);
    assert_int_equal(n, 5 + 3 * 40);
    assert_int_equal(gan_variable_read(s.store, v, &n, 4), GAN_ERROR_SHAPE);
    close_setting(s, p);
}

static void access_is_checked(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape1(4), "x"), *y = gan_exp(s.g, x);
    gan_output(s.g, y);
    gan_program *p;
    float in[4] = {0, 0, 0, 0}, out[4];
    assert_int_equal(gan_compile(&p, s.g, s.device), GAN_OK);
    assert_int_equal(gan_program_write(p, x, in, sizeof in), GAN_OK);
    assert_int_equal(gan_program_run(p, 1), GAN_OK);
    assert_int_equal(gan_program_read(p, y, out, sizeof out), GAN_OK);
    for (int i = 0; i < 4; i++) assert_true(out[i] == 1);
    assert_int_equal(gan_program_write(p, x, in, 3), GAN_ERROR_SHAPE);
    assert_non_null(strstr(gan_last_error(), "x"));
    assert_int_equal(gan_program_write(p, y, in, sizeof in), GAN_ERROR_ARGUMENT);
    assert_int_equal(gan_program_read(p, x, out, sizeof out), GAN_ERROR_ARGUMENT);
    close_setting(s, p);
}

static void what_does_not_fit_is_refused_with_figures(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *c = gan_variable_node(s.g, GAN_COUNTER, "train/iteration", GAN_I64, gan_shape0(),
                                    (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_output(s.g,
               gan_random_normal(s.g, c, gan_shape2((int64_t)1 << 24, (int64_t)1 << 20), 0, 1));
    gan_program *p;
    assert_int_equal(gan_compile(&p, s.g, s.device), GAN_OK);
    assert_int_equal(gan_program_load(p), GAN_ERROR_MEMORY);
    assert_non_null(strstr(gan_last_error(), "67108864.0 MiB"));
    assert_non_null(strstr(gan_last_error(), "free"));
    close_setting(s, p);
}

static void the_first_error_reaches_compile(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(128, 784), "x");
    gan_node *w = gan_input(s.g, GAN_F32, gan_shape2(256, 100), "w");
    gan_node *y = gan_relu(s.g, gan_matmul(s.g, x, w, false, true));
    assert_null(y);
    gan_program *p;
    assert_int_equal(gan_compile(&p, s.g, s.device), GAN_ERROR_SHAPE);
    assert_null(p);
    assert_non_null(strstr(gan_last_error(), "matmul"));
    assert_non_null(strstr(gan_last_error(), "(128,784)"));
    assert_non_null(strstr(gan_last_error(), "(256,100)"));
    close_setting(s, NULL);
}

static void devices_are_refused_by_name(void **state) {
    (void)state;
    gan_device *d;
    assert_int_equal(gan_device_open(&d, "tpu", NULL), GAN_ERROR_ARGUMENT);
    assert_non_null(strstr(gan_last_error(), "tpu"));
    assert_int_equal(gan_device_open(&d, "cpu:1", NULL), GAN_ERROR_DEVICE);
    assert_int_equal(gan_device_open(&d, "cpu:x", NULL), GAN_ERROR_ARGUMENT);
    assert_null(d);
    gan_device_info info[8];
    assert_true(gan_device_list(info, 8) >= 1);
}

static char *text_of(const gan_graph *g, gan_status (*print)(const gan_graph *, FILE *)) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    assert_int_equal(print(g, file), GAN_OK);
    fclose(file);
    return text;
}

static void a_graph_can_be_read(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(3, 2), "a \"quoted\" name");
    gan_output(s.g, gan_named(gan_tanh(s.g, x), "squashed"));
    char *table = text_of(s.g, gan_graph_print), *dot = text_of(s.g, gan_graph_print_dot);
    assert_non_null(strstr(table, "tanh"));
    assert_non_null(strstr(table, "f32(3,2)"));
    assert_non_null(strstr(table, "squashed"));
    assert_non_null(strstr(dot, "digraph"));
    assert_non_null(strstr(dot, "n0 -> n1;"));
    assert_non_null(strstr(dot, "a \\\"quoted\\\" name"));
    free(table);
    free(dot);
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        assert_int_equal(gan_graph_print(s.g, full), GAN_ERROR_IO);
        fclose(full);
    }
    close_setting(s, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_what_a_hand_counts),
        cmocka_unit_test(counting_runs_on_a_device_variable),
        cmocka_unit_test(access_is_checked),
        cmocka_unit_test(what_does_not_fit_is_refused_with_figures),
        cmocka_unit_test(the_first_error_reaches_compile),
        cmocka_unit_test(devices_are_refused_by_name),
        cmocka_unit_test(a_graph_can_be_read),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
