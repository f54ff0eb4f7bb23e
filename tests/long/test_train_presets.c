/* Every preset of the ring of eight learns: over three seeds it covers at least a quarter of the
 * modes after a thousand steps of small networks. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/ring.h"
#include "support/scratch.h"

static int is_ring(const struct dirent *e) {
    const size_t n = strlen(e->d_name);
    return n > 11 && !strncmp(e->d_name, "ring8-", 6) && !strcmp(e->d_name + n - 5, ".yaml");
}

static void every_preset_learns(void **state) {
    struct dirent **list;
    const int n = scandir(GANC_TEST_SOURCE "/tools/presets", &list, is_ring, alphasort);
    int bad = 0;
    (void)state;
    assert_true(n >= 40);
    for (int i = 0; i < n; i++) {
        char preset[64];
        snprintf(preset, sizeof preset, "%.*s", (int)strlen(list[i]->d_name) - 5, list[i]->d_name);
        const double modes = ring_modes(preset);
        if (!(modes >= 2)) print_error("%s: %.1f modes\n", preset, modes), bad++;
        free(list[i]);
    }
    free(list);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_preset_learns, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
