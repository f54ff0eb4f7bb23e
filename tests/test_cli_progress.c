/* What a run says of itself where nobody watches: a line now and then, one at its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../tools/progress.c"
#include "support/scratch.h"

/* What is said of `steps` steps in `seconds`, looked at four times a second; the caller frees. */
static char *said(int64_t steps, double seconds, const char *reads) {
    progress_line line;
    size_t size;
    const int terminal = dup(2);
    FILE *file = freopen(scratch("said"), "wb", stderr);
    assert_non_null(file);
    progress_begin(&line);
    for (double t = 0.25; t <= seconds; t += 0.25) {
        const int64_t step = (int64_t)((double)steps * t / seconds);
        progress_show(&line,
                      &(gan_progress){.step = step, .steps = steps, .seconds = t, .reads = reads});
    }
    progress_end(&line);
    fflush(stderr);
    dup2(terminal, 2);
    close(terminal);
    return (char *)scratch_get("said", &size);
}

static int lines(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static void a_short_run_says_one_line(void **state) {
    (void)state;
    char *text = said(100, 1.5, "D");
    assert_int_equal(lines(text), 1);
    assert_non_null(strstr(text, "ganc: step 100 of 100 after 2s: "));
    assert_null(strstr(text, "left"));
    assert_non_null(strstr(text, ", D(real) 0.00 D(fake) 0.00, "));
    free(text);
}

static void a_long_run_says_some(void **state) {
    (void)state;
    char *text = said(100000, 3600, "score");
    const int n = lines(text);
    if (n < 60 || n > 80) fail_msg("%d lines in an hour", n);
    assert_non_null(strstr(text, "ganc: step 62 of 100000 after 2s: "));
    assert_non_null(strstr(text, " left\n"));
    assert_null(strchr(text, '\r'));
    assert_non_null(strstr(text, ", score(real) 0.00 score(fake) 0.00, "));
    free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_short_run_says_one_line),
        TEST(a_long_run_says_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
