/* Variables: names, groups, layout, initial values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/store.h"

static const gan_init zero = {GAN_INIT_CONSTANT, 0, 0};

static gan_store *open_store(uint64_t seed) {
    gan_store *s;
    assert_int_equal(gan_store_create(&s, seed), GAN_OK);
    return s;
}

static void a_name_is_found_again(void **state) {
    (void)state;
    gan_store *s = open_store(1);
    gan_variable *a = gan_store_declare(s, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(3, 4), zero);
    assert_non_null(a);
    assert_ptr_equal(gan_store_declare(s, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(3, 4), zero), a);
    assert_ptr_equal(gan_store_find(s, GAN_WEIGHT, "d/w"), a);
    assert_null(gan_store_find(s, GAN_STATISTIC, "d/w"));
    assert_int_equal(gan_store_count(s), 1);
    gan_store_destroy(s);
}

static void another_shape_is_refused_with_both(void **state) {
    (void)state;
    gan_store *s = open_store(1);
    gan_store_declare(s, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(3, 4), zero);
    assert_null(gan_store_declare(s, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(4, 3), zero));
    assert_non_null(strstr(gan_last_error(), "d/w"));
    assert_non_null(strstr(gan_last_error(), "f32(4,3)"));
    assert_non_null(strstr(gan_last_error(), "f32(3,4)"));
    assert_null(gan_store_declare(s, GAN_WEIGHT, "nogroup", GAN_F32, gan_shape1(1), zero));
    gan_store_destroy(s);
}

static void a_flat_group_is_closed_and_contiguous(void **state) {
    (void)state;
    gan_store *s = open_store(1);
    gan_variable *a = gan_store_declare(s, GAN_WEIGHT, "g/a", GAN_F32, gan_shape1(5), zero);
    gan_variable *b = gan_store_declare(s, GAN_WEIGHT, "g/b", GAN_F32, gan_shape1(17), zero);
    gan_variable *flat = gan_store_flat(s, GAN_WEIGHT, "g");
    assert_int_equal(a->offset, 0);
    assert_int_equal(b->offset, 64);
    assert_int_equal(gan_shape_size(flat->shape), 48);
    assert_null(gan_store_declare(s, GAN_WEIGHT, "g/c", GAN_F32, gan_shape1(1), zero));
    assert_non_null(strstr(gan_last_error(), "g/c"));
    assert_int_equal(gan_store_count(s), 2); /* the flat one is not a variable of its own */
    gan_store_destroy(s);
}

static void moments_mirror_the_weights(void **state) {
    (void)state;
    gan_store *s = open_store(1);
    gan_init normal = {GAN_INIT_NORMAL, 0, 1};
    gan_store_declare(s, GAN_WEIGHT, "g/a", GAN_F32, gan_shape2(5, 3), normal);
    assert_non_null(gan_store_flat(s, GAN_FIRST_MOMENT, "g"));
    assert_non_null(gan_store_flat(s, GAN_AVERAGE, "g"));
    const gan_variable *m = gan_store_find(s, GAN_FIRST_MOMENT, "g/a");
    const gan_variable *w = gan_store_find(s, GAN_WEIGHT, "g/a"),
                       *average = gan_store_find(s, GAN_AVERAGE, "g/a");
    assert_non_null(m);
    assert_true(gan_shape_equal(m->shape, w->shape));
    float x[15], y[15];
    gan_variable_initial(s, m, x);
    for (int i = 0; i < 15; i++) assert_true(x[i] == 0);
    gan_variable_initial(s, w, x);
    gan_variable_initial(s, average, y);
    assert_memory_equal(x, y, sizeof x); /* an average starts where its weights start */
    assert_null(gan_store_flat(s, GAN_FIRST_MOMENT, "nobody"));
    gan_store_destroy(s);
}

enum { N = 40000 };

static void initial(gan_store *s, const char *name, gan_init init, float *x) {
    gan_variable *v = gan_store_declare(s, GAN_WEIGHT, name, GAN_F32, gan_shape1(N), init);
    assert_non_null(v);
    gan_variable_initial(s, v, x);
}

static void moments_of(const float *x, double *mean, double *deviation) {
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) sum += x[i];
    *mean = sum / N;
    for (int i = 0; i < N; i++) square += (x[i] - *mean) * (x[i] - *mean);
    *deviation = sqrt(square / N);
}

static void initial_values_follow_their_distribution(void **state) {
    (void)state;
    gan_store *s = open_store(7);
    float *x = malloc(N * sizeof *x);
    double mean, deviation;
    initial(s, "g/normal", (gan_init){GAN_INIT_NORMAL, 1, .02f}, x);
    moments_of(x, &mean, &deviation);
    assert_true(fabs(mean - 1) < 5 * .02 / sqrt(N) &&
                fabs(deviation - .02) < .02 * 5 / sqrt(2. * N));
    int within = 0;
    for (int i = 0; i < N; i++) within += fabs(x[i] - 1) < .02;
    assert_true(fabs((double)within / N - .6827) < .012);
    initial(s, "g/uniform", (gan_init){GAN_INIT_UNIFORM, -.05f, .05f}, x);
    moments_of(x, &mean, &deviation);
    assert_true(fabs(mean) < 5 * .0289 / sqrt(N) && fabs(deviation - .1 / sqrt(12)) < 3e-4);
    for (int i = 0; i < N; i++) assert_true(x[i] >= -.05f && x[i] <= .05f);
    initial(s, "g/unit", (gan_init){GAN_INIT_UNIT, 0, 0}, x);
    moments_of(x, &mean, &deviation);
    assert_true(fabs(N * (deviation * deviation + mean * mean) - 1) < 1e-4);
    initial(s, "g/range", (gan_init){GAN_INIT_RANGE, 3, -.5f}, x);
    for (int i = 0; i < N; i++) assert_true(x[i] == 3 - .5f * (float)i);
    free(x);
    gan_store_destroy(s);
}

static void initial_values_depend_on_seed_and_name_alone(void **state) {
    (void)state;
    gan_init normal = {GAN_INIT_NORMAL, 0, 1};
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    gan_store *a = open_store(1), *b = open_store(1), *c = open_store(2);
    initial(a, "g/w", normal, x);
    initial(b, "g/other", normal, y); /* another order of creation */
    assert_memory_not_equal(x, y, N * sizeof *x);
    initial(b, "g/w", normal, y);
    assert_memory_equal(x, y, N * sizeof *x);
    initial(c, "g/w", normal, y);
    assert_memory_not_equal(x, y, N * sizeof *x);
    gan_store_destroy(a);
    gan_store_destroy(b);
    gan_store_destroy(c);
    free(x);
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_found_again),
        cmocka_unit_test(another_shape_is_refused_with_both),
        cmocka_unit_test(a_flat_group_is_closed_and_contiguous),
        cmocka_unit_test(moments_mirror_the_weights),
        cmocka_unit_test(initial_values_follow_their_distribution),
        cmocka_unit_test(initial_values_depend_on_seed_and_name_alone),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
