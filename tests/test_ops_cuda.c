/* Every op on a CUDA device against the reference; skipped, and counted so, where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/devices.h"

enum { SKIPPED = 77 };

static void cuda_agrees_with_the_reference(void **state) {
    gan_device *device = *state;
    assert_int_equal(check_cases(1, &device, (const char *const[]){"cuda"}, NULL), 0);
}

int main(void) {
    gan_device *device;
    char why[256];
    gan_device_absence("cuda", why, sizeof why);
    if (why[0]) {
        fprintf(stderr, "%d cases skipped: no CUDA device: %s\n", case_count(), why);
        return SKIPPED;
    }
    if (gan_device_open(&device, "cuda", NULL) != GAN_OK) {
        fprintf(stderr, "%s\n", gan_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(cuda_agrees_with_the_reference, device)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gan_device_close(device);
    return failed;
}
