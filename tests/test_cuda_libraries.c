/* cuBLAS and cuDNN are not loaded before they are asked for, and what is wrong with them is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cuda/libraries.h"
#include "ganc/ganc.h"
#include "support/process.h"
#include "support/scratch.h"

static const char *const cublas = GANC_CUBLAS_FILE;

static bool is_loaded(const char *name) {
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) found = found || strstr(line, name);
    fclose(maps);
    return found;
}

static void not_for_the_cpu(void **state) {
    gan_device *device;
    (void)state;
    assert_int_equal(gan_device_open(&device, "cpu", NULL), GAN_OK);
    gan_device_close(device);
    assert_false(is_loaded("libcudnn"));
    assert_false(is_loaded("libcublas"));
}

static void opened_with_all_that_is_called(void **state) {
    int major = 0;
    (void)state;
    assert_int_equal(gan_cuda_libraries_open(), GAN_OK);
    assert_int_equal(gan_cuda_libraries_open(), GAN_OK);
#define GAN_CUDA_FUNCTION(library, name) assert_true(gan_cuda_library.name != NULL);
#include "cuda/libraries.def"
#undef GAN_CUDA_FUNCTION
    assert_int_equal(gan_cuda_library.cudnnGetVersion() / 10000, CUDNN_MAJOR);
    assert_int_equal(gan_cuda_library.cublasGetProperty(MAJOR_VERSION, &major), 0);
    assert_int_equal(major, CUBLAS_VER_MAJOR);
    assert_true(is_loaded("libcudnn"));
}

/* ---- in a process of its own, where the system's libraries are these ---- */

/* What gan_cuda_libraries_open() says there: 0 nothing, 1 the part that is given, 2 something else.
 */
static int said_by_child(const char *part) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("LD_LIBRARY_PATH", scratch("."), 1);
        execl("/proc/self/exe", "test_cuda_libraries", part, (char *)NULL);
        _exit(127);
    }
    return process_wait(child);
}

static int child(const char *part) {
    if (gan_cuda_libraries_open() == GAN_OK) return 0;
    return strstr(gan_last_error(), part) ? 1 : 2;
}

static void link_to(const char *file, const char *format, int major) {
    char name[64];
    snprintf(name, sizeof name, format, major);
    assert_int_equal(symlink(file, scratch(name)), 0);
}

static void another_library_of_that_name(void **state) {
    char wanted[128];
    (void)state;
    link_to(cublas, "libcudnn.so.%d", CUDNN_MAJOR);
    snprintf(wanted, sizeof wanted, "libcudnn.so.%d has no cudnn", CUDNN_MAJOR);
    assert_int_equal(said_by_child(wanted), 1);
}

/* Then it is that of the build. */
static void one_that_cannot_be_loaded(void **state) {
    (void)state;
    link_to("/dev/null", "libcublas.so.%d", CUBLAS_VER_MAJOR);
    assert_int_equal(said_by_child("libcublas"), 0);
}

int main(int argc, char **argv) {
    if (argc > 1) return child(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_for_the_cpu),
        cmocka_unit_test(opened_with_all_that_is_called),
        cmocka_unit_test_setup_teardown(another_library_of_that_name, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_loaded, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
