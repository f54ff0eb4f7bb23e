/* The reference itself, where there is something outside the project to hold it against: published
 * test vectors, closed forms, and values worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/philox.h"
#include "reference/reference.h"

/* The known answers of Random123 1.09 for philox4x32-10. */
static void philox_gives_the_published_numbers(void **state) {
    (void)state;
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        ref_philox(known[i], known[i] + 4, out);
        assert_memory_equal(out, known[i] + 6, sizeof out);
        const uint64_t *c = (const uint64_t[]){known[i][0] | (uint64_t)known[i][1] << 32,
                                               known[i][2] | (uint64_t)known[i][3] << 32,
                                               known[i][4] | (uint64_t)known[i][5] << 32};
        const gan_philox4 r = gan_philox(c[2], c[1], c[0]);
        assert_memory_equal(r.v, known[i] + 6, sizeof r.v);
    }
}

static void bf16_rounds_to_nearest_even(void **state) {
    (void)state;
    assert_true(ref_round_bf16(1) == 1);
    assert_true(ref_round_bf16(257) == 256); /* half way, down to even */
    assert_true(ref_round_bf16(259) == 260); /* half way, up to even */
    assert_true(ref_round_bf16(-258.0001) == -258);
    assert_true(ref_round_bf16(ldexp(1, -126) + ldexp(1, -135)) == ldexp(1, -126));
    assert_true(isinf(ref_round_bf16(INFINITY)) && ref_round_bf16(0) == 0);
}

typedef struct setting {
    gan_store *store;
    gan_graph *g;
    reference *r;
} setting;

static setting open_setting(void) {
    setting s = {0};
    assert_int_equal(gan_store_create(&s.store, 7), GAN_OK);
    assert_int_equal(gan_graph_create(&s.g, s.store), GAN_OK);
    return s;
}

static void close_setting(setting *s) {
    ref_destroy(s->r);
    gan_graph_destroy(s->g);
    gan_store_destroy(s->store);
}

/* An impulse comes out as the filter, mirrored, and the filter's sum as a constant image's answer.
 */
static void convolution_of_an_impulse(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape4(1, 3, 3, 1), "x"),
             *w = gan_input(s.g, GAN_F32, gan_shape4(1, 3, 3, 1), "w");
    gan_node *y = gan_conv2d(s.g, x, w, gan_window_same(1, 1));
    s.r = ref_create(s.g);
    ref_input_values(s.r, x)[4] = 1;
    for (int i = 0; i < 9; i++) ref_input_values(s.r, w)[i] = i + 1;
    ref_run(s.r);
    for (int i = 0; i < 9; i++) assert_true(ref_value(s.r, y)[i] == 9 - i);
    for (int i = 0; i < 9; i++) ref_input_values(s.r, x)[i] = 1;
    ref_run(s.r);
    assert_true(ref_value(s.r, y)[4] == 45 && ref_value(s.r, y)[0] == 5 + 6 + 8 + 9);
    close_setting(&s);
}

/* The first step of Adam has length rate whatever the gradient; the second is worked out. */
static void adam_by_hand(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *w = gan_variable_node(s.g, GAN_WEIGHT, "w/x", GAN_F32, gan_shape1(1),
                                    (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_node *counter = gan_variable_node(s.g, GAN_COUNTER, "c/count", GAN_I64, gan_shape0(),
                                          (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_node *grad = gan_input(s.g, GAN_F32, gan_shape1(1), "grad");
    gan_adam(
        s.g, "w", 1, &w, &grad,
        &(gan_adam_options){0.9, 0.99, 0, gan_constant(s.g, 0.1, gan_shape0()), counter, 1, 0});
    gan_advance(s.g, counter, 1);
    s.r = ref_create(s.g);
    const double *x = ref_variable_values(s.r, gan_store_find(s.store, GAN_WEIGHT, "w/x"));
    ref_input_values(s.r, grad)[0] = 3;
    ref_run(s.r);
    assert_true(fabs(*x + 0.1) < 1e-15);
    ref_input_values(s.r, grad)[0] = -1;
    ref_run(s.r);
    const double m = (0.9 * 0.3 - 0.1) / (1 - 0.81), v = (0.99 * 0.09 + 0.01) / (1 - 0.9801);
    assert_true(fabs(*x + 0.1 + 0.1 * m / sqrt(v)) < 1e-15);
    close_setting(&s);
}

/* Enough power iterations find the largest singular value: 3 of the rotated diagonal (3, 1). */
static void power_iteration_converges(void **state) {
    (void)state;
    setting s = open_setting();
    const gan_init zero = {GAN_INIT_CONSTANT, 0, 0};
    gan_node *u = gan_variable_node(s.g, GAN_STATISTIC, "s/u", GAN_F32, gan_shape1(2), zero);
    gan_node *v = gan_variable_node(s.g, GAN_STATISTIC, "s/v", GAN_F32, gan_shape1(2), zero);
    gan_node *w = gan_input(s.g, GAN_F32, gan_shape2(2, 2), "w");
    gan_power_iteration(s.g, u, v, w, 1e-12);
    gan_node *sigma = gan_sum(
        s.g, gan_mul(s.g, gan_matmul(s.g, w, gan_reshape(s.g, v, gan_shape2(2, 1)), false, false),
                     gan_reshape(s.g, u, gan_shape2(2, 1))));
    s.r = ref_create(s.g);
    memcpy(ref_input_values(s.r, w), (double[]){1.8, -0.8, 2.4, 0.6}, 4 * sizeof(double));
    ref_variable_values(s.r, gan_store_find(s.store, GAN_STATISTIC, "s/u"))[0] = 1;
    for (int i = 0; i < 40; i++) ref_run(s.r);
    assert_true(fabs(ref_value(s.r, sigma)[0] - 3) < 1e-11);
    close_setting(&s);
}

/* Two epochs of positions: each is a permutation, and they are not the same. */
static void a_shuffle_is_a_permutation(void **state) {
    (void)state;
    enum { N = 37 };
    setting s = open_setting();
    gan_node *counter = gan_variable_node(s.g, GAN_COUNTER, "c/count", GAN_I64, gan_shape0(),
                                          (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_node *index = gan_shuffled_index(s.g, counter, N, 2 * N, 2 * N, 0, 3);
    s.r = ref_create(s.g);
    ref_run(s.r);
    const double *x = ref_value(s.r, index);
    int seen[2][N] = {{0}}, same = 0;
    for (int i = 0; i < 2 * N; i++) seen[i / N][(int)x[i]]++;
    for (int i = 0; i < N; i++) {
        assert_true(seen[0][i] == 1 && seen[1][i] == 1);
        same += x[i] == x[N + i];
    }
    assert_true(same < N / 2);
    close_setting(&s);
}

/* Moments of many normal numbers: mean, deviation, skewness and kurtosis within five standard
 * errors. */
static void noise_has_the_moments_it_claims(void **state) {
    (void)state;
    enum { N = 40000 };
    setting s = open_setting();
    gan_node *counter = gan_variable_node(s.g, GAN_COUNTER, "c/count", GAN_I64, gan_shape0(),
                                          (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_node *x = gan_random_normal(s.g, counter, gan_shape1(N), 2, 3);
    s.r = ref_create(s.g);
    ref_run(s.r);
    double moment[5] = {0};
    for (int i = 0; i < N; i++)
        for (int k = 1; k <= 4; k++) moment[k] += pow((ref_value(s.r, x)[i] - 2) / 3, k) / N;
    assert_true(fabs(moment[1]) < 5 * sqrt(1.0 / N));
    assert_true(fabs(moment[2] - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(moment[3]) < 5 * sqrt(15.0 / N));
    assert_true(fabs(moment[4] - 3) < 5 * sqrt(96.0 / N));
    close_setting(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(bf16_rounds_to_nearest_even),
        cmocka_unit_test(convolution_of_an_impulse),
        cmocka_unit_test(adam_by_hand),
        cmocka_unit_test(power_iteration_converges),
        cmocka_unit_test(a_shuffle_is_a_permutation),
        cmocka_unit_test(noise_has_the_moments_it_claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
