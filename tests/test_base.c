/* The base: messages, arena, Philox and its permutation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/philox.h"

static void a_message_is_one_line_with_its_context(void **state) {
    (void)state;
    assert_int_equal(gan_fail(GAN_ERROR_IO, "%s: no such file", "a.idx"), GAN_ERROR_IO);
    assert_string_equal(gan_last_error(), "a.idx: no such file");
    assert_int_equal(gan_fail_within(GAN_ERROR_FORMAT, "data '%s'", "x"), GAN_ERROR_FORMAT);
    assert_string_equal(gan_last_error(), "data 'x': a.idx: no such file");
    gan_fail(GAN_ERROR_FORMAT, "%s", "two\nlines");
    assert_null(strchr(gan_last_error(), '\n'));
}

static void a_long_message_is_cut(void **state) {
    (void)state;
    char text[5000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    gan_fail(GAN_ERROR_IO, "%s", text);
    assert_true(strlen(gan_last_error()) < 1024);
    gan_fail_within(GAN_ERROR_IO, "%s", text);
    assert_true(strlen(gan_last_error()) < 1024);
}

static void every_status_has_a_name(void **state) {
    (void)state;
    for (int s = GAN_OK; s <= GAN_ERROR_INTERRUPTED; s++)
        assert_string_not_equal(gan_status_name((gan_status)s), "unknown status");
    assert_string_equal(gan_status_name((gan_status)99), "unknown status");
}

static void an_arena_gives_zeroed_aligned_memory(void **state) {
    (void)state;
    gan_arena *arena = gan_arena_create();
    for (size_t size = 0; size < 200000; size = size * 2 + 1) {
        unsigned char *p = gan_arena_alloc(arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        if (size) memset(p, 0xff, size);
    }
    assert_null(gan_arena_alloc(arena, SIZE_MAX - 3));
    assert_string_equal(gan_arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    gan_arena_destroy(arena);
}

/* The known answers that the generator's authors publish with it. */
static void philox_gives_the_published_numbers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint32_t *c = known[i].counter, *k = known[i].key;
        gan_philox4 r = gan_philox(k[0] | (uint64_t)k[1] << 32, c[2] | (uint64_t)c[3] << 32,
                                   c[0] | (uint64_t)c[1] << 32);
        for (int j = 0; j < 4; j++) assert_int_equal(r.v[j], known[i].out[j]);
    }
}

static void uniform_numbers_lie_above_zero_and_up_to_one(void **state) {
    (void)state;
    assert_true(gan_philox_uniform(0) > 0);
    assert_true(gan_philox_uniform(UINT32_MAX) <= 1);
}

static void a_shuffle_is_a_permutation(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 2, 3, 5, 16, 17, 1000, 4096, 60000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const uint64_t n = sizes[s];
        uint8_t *seen = calloc(n, 1);
        uint64_t fixed = 0;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t j = gan_philox_permute(3, 5, 7, n, i);
            assert_true(j < n);
            assert_int_equal(seen[j]++, 0);
            fixed += i == j;
        }
        if (n >= 1000) assert_true(fixed < 12); /* one is expected */
        free(seen);
    }
}

static void epochs_are_shuffled_differently(void **state) {
    (void)state;
    int same = 0;
    for (uint64_t i = 0; i < 1000; i++)
        same += gan_philox_permute(3, 5, 0, 1000, i) == gan_philox_permute(3, 5, 1, 1000, i);
    assert_true(same < 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line_with_its_context),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(every_status_has_a_name),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(uniform_numbers_lie_above_zero_and_up_to_one),
        cmocka_unit_test(a_shuffle_is_a_permutation),
        cmocka_unit_test(epochs_are_shuffled_differently),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
