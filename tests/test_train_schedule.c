/* Which kind of iteration a run is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/error.h"
#include "train/schedule.h"

static void growth(void **state) {
    const gan_schedule s = {.levels = 3, .hold = 10, .fade = 5, .every = 1};
    (void)state;
    const struct {
        int64_t step;
        int level;
    } at[] = {{0, 1}, {9, 1}, {10, 2}, {14, 2}, {24, 2}, {25, 3}, {1000, 3}};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        assert_int_equal(gan_schedule_level(&s, at[i].step), at[i].level);
    assert_int_equal(gan_schedule_until(&s, 0, 1000), 10);
    assert_int_equal(gan_schedule_until(&s, 10, 1000), 25);
    assert_int_equal(gan_schedule_until(&s, 10, 12), 12);
    assert_int_equal(gan_schedule_until(&s, 25, 1000), 1000);
    assert_false(gan_schedule_due(&s, 0));
}

/* Every stretch of one kind, put together, is the whole run. */
static void lazy_terms(void **state) {
    const gan_schedule s = {.levels = 2, .hold = 7, .every = 4};
    int due = 0;
    (void)state;
    for (int64_t step = 0, end; step < 30; step = end) {
        end = gan_schedule_until(&s, step, 30);
        assert_true(end > step);
        for (int64_t i = step; i < end; i++) {
            assert_int_equal(gan_schedule_due(&s, i), gan_schedule_due(&s, step));
            assert_int_equal(gan_schedule_level(&s, i), gan_schedule_level(&s, step));
            due += gan_schedule_due(&s, i);
        }
    }
    assert_int_equal(due, 8); /* 0, 4, …, 28 */
}

static gan_status make(gan_schedule *out, const char *terms) {
    gan_settings *s;
    gan_game_options game = {.model = gan_model_find("toy")};
    assert_int_equal(gan_settings_create(&s), GAN_OK);
    assert_int_equal(gan_terms_parse(game.terms, &game.n_terms, "terms", terms), GAN_OK);
    const gan_status status = gan_schedule_make(out, s, &game);
    gan_settings_destroy(s);
    return status;
}

static void one_period(void **state) {
    gan_schedule s;
    (void)state;
    assert_int_equal(make(&s, "wgan-gp, r1(1, every=16)"), GAN_OK);
    assert_int_equal(s.every, 16);
    assert_int_equal(s.levels, 1);
    assert_int_equal(make(&s, "wgan-gp(10)"), GAN_OK);
    assert_int_equal(s.every, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth),
        cmocka_unit_test(lazy_terms),
        cmocka_unit_test(one_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
