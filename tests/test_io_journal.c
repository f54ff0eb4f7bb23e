#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "ganc/io.h"
#include "support/scratch.h"

static void expect_text(const char *expected) {
    size_t size;
    char *text = (char *)scratch_get("log", &size);
    assert_string_equal(text, expected);
    free(text);
}

static gan_status append_step(gan_journal *journal, int64_t step) {
    const gan_journal_field field = gan_journal_integer("step", step);
    return gan_journal_append(journal, &field, 1);
}

static void fields(void **state) {
    (void)state;
    gan_journal *journal;
    expect_ok(gan_journal_open(&journal, scratch("log"), -1));
    const gan_journal_field line[] = {
        gan_journal_integer("step", INT64_MIN),
        gan_journal_real("d_loss", 0.1),
        gan_journal_real("nan", NAN),
        gan_journal_real("inf", -INFINITY),
        gan_journal_text("a\"b", "x\\\n\x01\xc3\xbc"),
        gan_journal_real("whole", 3),
    };
    expect_ok(gan_journal_append(journal, line, 6));
    /* It is in the file before the log is closed. */
    expect_text("{\"step\":-9223372036854775808,\"d_loss\":0.1,\"nan\":null,\"inf\":null,"
                "\"a\\\"b\":\"x\\\\\\u000a\\u0001\xc3\xbc\",\"whole\":3}\n");
    expect_ok(gan_journal_append(journal, NULL, 0));
    gan_journal_close(journal);

    char *last;
    expect_ok(gan_journal_last(&last, scratch("log")));
    assert_string_equal(last, "{}");
    free(last);
}

/* Every f32 is read back as it was, whatever the locale. */
static void numbers(void **state) {
    (void)state;
    setlocale(LC_NUMERIC, "de_DE.UTF-8"); /* where it is installed */
    gan_journal *journal;
    expect_ok(gan_journal_open(&journal, scratch("log"), -1));
    uint32_t bits = 1;
    for (int i = 0; i < 3000; i++) {
        float value;
        bits = bits * 1664525u + 1013904223u;
        memcpy(&value, &bits, sizeof value);
        if (i < 4) value = (float[]){FLT_MAX, FLT_MIN, FLT_MIN / 4, -0.0f}[i];
        const gan_journal_field field = gan_journal_real("x", (double)value);
        expect_ok(gan_journal_append(journal, &field, 1));
        char *line;
        double back;
        expect_ok(gan_journal_last(&line, scratch("log")));
        expect_ok(gan_journal_number(&back, line, "x"));
        free(line);
        if (isfinite(value))
            assert_true((float)back == value);
        else
            assert_true(isnan(back));
    }
    const gan_journal_field large = gan_journal_real("x", 1e300);
    expect_ok(gan_journal_append(journal, &large, 1));
    char *line;
    double back;
    expect_ok(gan_journal_last(&line, scratch("log")));
    expect_ok(gan_journal_number(&back, line, "x"));
    assert_true(back == 1e300);
    free(line);
    gan_journal_close(journal);
    setlocale(LC_NUMERIC, "C");
}

static void resumes(void **state) {
    (void)state;
    gan_journal *journal;
    expect_ok(gan_journal_open(&journal, scratch("log"), 3)); /* none there yet */
    for (int64_t step = 1; step <= 6; step++) expect_ok(append_step(journal, step));
    gan_journal_close(journal);

    expect_ok(gan_journal_open(&journal, scratch("log"), 4));
    expect_text("{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
    expect_ok(append_step(journal, 5));
    gan_journal_close(journal);
    expect_ok(gan_journal_open(&journal, scratch("log"), 9)); /* nothing to cut */
    expect_text("{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n{\"step\":5}\n");
    gan_journal_close(journal);
    expect_ok(gan_journal_open(&journal, scratch("log"), 0));
    expect_text("");
    gan_journal_close(journal);
    expect_ok(gan_journal_open(&journal, scratch("log"), 3));
    expect_ok(append_step(journal, 1));
    gan_journal_close(journal);
    expect_ok(gan_journal_open(&journal, scratch("log"), -1));
    expect_text("");
    gan_journal_close(journal);
    assert_int_equal(scratch_count(), 1);
}

static void unfinished_lines_go(void **state) {
    (void)state;
    static const char text[] = "{\"step\":1}\nnot json\n{\"no_step\":1}\n{\"step\":2}\n{\"step\":3";
    scratch_put("log", text, strlen(text));
    char *line;
    expect_ok(gan_journal_last(&line, scratch("log")));
    assert_string_equal(line, "{\"step\":2}");
    free(line);
    gan_journal *journal;
    expect_ok(gan_journal_open(&journal, scratch("log"), 3));
    expect_text("{\"step\":1}\n{\"step\":2}\n");
    gan_journal_close(journal);
}

static void last_of_long_lines(void **state) {
    (void)state;
    enum { LONG = 100000 };
    char *text = malloc(2 * LONG + 3);
    for (size_t length = 4090; length < 4100; length++) {
        memset(text, 'a', length);
        text[length] = '\n';
        memset(text + length + 1, 'b', length);
        text[2 * length + 1] = '\n';
        char *line;
        scratch_put("log", text, 2 * length + 2);
        expect_ok(gan_journal_last(&line, scratch("log")));
        assert_int_equal(strlen(line), length);
        assert_int_equal(line[0], 'b');
        assert_int_equal(line[length - 1], 'b');
        free(line);
    }
    memset(text, 'c', LONG);
    text[LONG] = '\n';
    char *line;
    scratch_put("log", text, LONG + 1);
    expect_ok(gan_journal_last(&line, scratch("log")));
    assert_int_equal(strlen(line), LONG);
    free(line);
    free(text);
}

static void failures(void **state) {
    (void)state;
    gan_journal *journal;
    char *line;
    double number;
    expect_failure(gan_journal_open(&journal, scratch("no/log"), -1), GAN_ERROR_IO, "/no/log",
                   "cannot write");
    expect_failure(gan_journal_open(&journal, scratch("no/log"), 5), GAN_ERROR_IO, "/no/log",
                   "cannot write");
    expect_failure(gan_journal_open(&journal, scratch(""), 5), GAN_ERROR_IO, "Is a directory");
    expect_failure(gan_journal_last(&line, scratch("log")), GAN_ERROR_IO, "/log", "No such file");
    scratch_put("log", "{\"step\"", 7);
    expect_failure(gan_journal_last(&line, scratch("log")), GAN_ERROR_FORMAT, "/log",
                   "no complete line");
    scratch_put("log", "", 0);
    expect_failure(gan_journal_last(&line, scratch("log")), GAN_ERROR_FORMAT, "/log",
                   "no complete line");
    expect_failure(gan_journal_last(&line, scratch("")), GAN_ERROR_IO, "cannot read");
    expect_failure(gan_journal_number(&number, "{\"a\":1}", "b"), GAN_ERROR_FORMAT, "'b'");
    expect_failure(gan_journal_number(&number, "{\"a\":\"1\"}", "a"), GAN_ERROR_FORMAT, "'a'");
    expect_failure(gan_journal_number(&number, "{\"a\":", "a"), GAN_ERROR_FORMAT, "not JSON");
    expect_ok(gan_journal_open(&journal, "/dev/full", 5));
    expect_failure(append_step(journal, 1), GAN_ERROR_IO, "/dev/full", "No space left");
    gan_journal_close(journal);
}

/* A line that does not fit leaves no part of itself. */
static void full_disk(void **state) {
    (void)state;
    gan_journal *journal;
    expect_ok(gan_journal_open(&journal, scratch("log"), -1));
    expect_ok(append_step(journal, 1));
    limit_file_size(15);
    expect_failure(append_step(journal, 2), GAN_ERROR_IO, "/log", "cannot write");
    lift_file_limit();
    expect_text("{\"step\":1}\n");
    expect_ok(append_step(journal, 3));
    expect_text("{\"step\":1}\n{\"step\":3}\n");
    gan_journal_close(journal);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(fields),
        TEST(numbers),
        TEST(resumes),
        TEST(unfinished_lines_go),
        TEST(last_of_long_lines),
        TEST(failures),
        TEST(full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
