/* Every preset of the ring of eight learns what the README says of it: over three seeds, after a
 * thousand steps of small networks, it covers its number of modes less three, by which another
 * compiler's rounding may move the mean, and two at least. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/io.h"
#include "support/ring.h"
#include "support/scratch.h"

static int is_ring(const struct dirent *e) {
    const size_t n = strlen(e->d_name);
    return n > 11 && !strncmp(e->d_name, "ring8-", 6) && !strcmp(e->d_name + n - 5, ".yaml");
}

/* The last cell of the preset's line in the README's table, or 0. */
static double said(const char *readme, const char *preset) {
    char cell[80];
    snprintf(cell, sizeof cell, "| `%s` | ", preset);
    const char *at = strstr(readme, cell);
    return at ? strtod(at + strlen(cell), NULL) : 0;
}

static void every_preset_learns(void **state) {
    struct dirent **list;
    const int n = scandir(GANC_TEST_SOURCE "/tools/presets", &list, is_ring, alphasort);
    int bad = 0, numbers = 0;
    char *readme;
    (void)state;
    expect_ok(gan_file_read(&readme, NULL, GANC_TEST_SOURCE "/README.md", 1 << 20));
    assert_true(n >= 40);
    for (int i = 0; i < n; i++) {
        char preset[64];
        snprintf(preset, sizeof preset, "%.*s", (int)strlen(list[i]->d_name) - 5, list[i]->d_name);
        const double modes = ring_modes(preset), number = said(readme, preset);
        const double least = number > 5 ? number - 3 : 2;
        numbers += number > 0;
        if (!(modes >= least)) {
            print_error("%s: %.1f modes, expected %.1f\n", preset, modes, least);
            bad++;
        }
        free(list[i]);
    }
    free(list);
    free(readme);
    assert_true(numbers >= 40); /* else the table is not as this reads it */
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_preset_learns, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
