#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ganc/io.h"
#include "io/atomic.h"
#include "support/scratch.h"

static void expect_content(const char *name, const char *text) {
    size_t size;
    char *bytes = (char *)scratch_get(name, &size);
    assert_int_equal(size, strlen(text));
    assert_string_equal(bytes, text);
    free(bytes);
}

static void folders(void **state) {
    (void)state;
    expect_ok(gan_file_make_directory(scratch("a/b//c/")));
    expect_ok(gan_file_make_directory(scratch("a/b/c")));
    struct stat st;
    assert_int_equal(stat(scratch("a/b/c"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_true(gan_file_exists(scratch("a")));
    assert_false(gan_file_exists(scratch("b")));
}

static void folders_that_cannot_be(void **state) {
    (void)state;
    scratch_put("file", "x", 1);
    expect_failure(gan_file_make_directory(scratch("file")), GAN_ERROR_IO, "/file",
                   "expected a folder");
    expect_failure(gan_file_make_directory(scratch("file/sub")), GAN_ERROR_IO, "/file",
                   "expected a folder");
    expect_failure(gan_file_make_directory("/proc/ganc-run"), GAN_ERROR_IO, "/proc/ganc-run",
                   "cannot make the folder");
    expect_failure(gan_file_make_directory(""), GAN_ERROR_ARGUMENT, "empty");
}

static void replaces(void **state) {
    (void)state;
    expect_ok(gan_file_write(scratch("f"), "one", 3));
    expect_content("f", "one");
    expect_ok(gan_file_write(scratch("f"), "second", 6));
    expect_content("f", "second");
    expect_ok(gan_file_write(scratch("f"), "", 0));
    expect_content("f", "");
    assert_int_equal(scratch_count(), 1);
}

static void what_could_be_written_stays_as_it_is(void **state) {
    (void)state;
    expect_ok(gan_file_check_writable(scratch("f")));
    assert_int_equal(scratch_count(), 0);
    scratch_put("f", "old", 3);
    expect_ok(gan_file_check_writable(scratch("f")));
    expect_content("f", "old");
    assert_int_equal(scratch_count(), 1);
    assert_int_equal(mkfifo(scratch("pipe"), 0600), 0);
    expect_ok(gan_file_check_writable(scratch("pipe"))); /* and nobody waits */
    expect_failure(gan_file_check_writable(scratch("none/f")), GAN_ERROR_IO, "none/f",
                   "cannot write");
    expect_failure(gan_file_check_writable("/proc/ganc.png"), GAN_ERROR_IO, "/proc/ganc.png",
                   "cannot write");
    expect_ok(gan_file_make_directory(scratch("folder")));
    expect_failure(gan_file_check_writable(scratch("folder")), GAN_ERROR_IO, "/folder",
                   "expected a file");
}

static void old_file_until_commit(void **state) {
    (void)state;
    scratch_put("f", "old", 3);
    gan_atomic *file;
    expect_ok(gan_atomic_open(&file, scratch("f")));
    expect_ok(gan_atomic_write(file, "new text", 8));
    expect_content("f", "old");
    gan_atomic_abandon(file);
    expect_content("f", "old");
    assert_int_equal(scratch_count(), 1);

    expect_ok(gan_atomic_open(&file, scratch("f")));
    expect_ok(gan_atomic_write(file, "new text", 8));
    expect_ok(gan_atomic_commit(file));
    expect_content("f", "new text");
    assert_int_equal(scratch_count(), 1);
}

static void left_over_is_overwritten(void **state) {
    (void)state;
    scratch_put("f.tmp", "what a killed run left, longer than the new file", 48);
    expect_ok(gan_file_write(scratch("f"), "new", 3));
    expect_content("f", "new");
    assert_int_equal(scratch_count(), 1);
}

static void link_is_followed(void **state) {
    (void)state;
    scratch_put("real", "old", 3);
    assert_int_equal(symlink("real", scratch("link")), 0);
    expect_ok(gan_file_write(scratch("link"), "new", 3));
    expect_content("real", "new");
    struct stat st;
    assert_int_equal(lstat(scratch("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

/* Devices are written to, not replaced. */
static void devices(void **state) {
    (void)state;
    struct stat st;
    expect_ok(gan_file_write("/dev/null", "text", 4));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    expect_failure(gan_file_write("/dev/full", "text", 4), GAN_ERROR_IO, "/dev/full",
                   "cannot write", "No space left");
    assert_int_equal(stat("/dev/full", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void full_disk(void **state) {
    (void)state;
    enum { SIZE = 1 << 20 };
    char *bytes = calloc(1, SIZE);
    scratch_put("f", "old", 3);
    limit_file_size(100 * 1000);
    expect_failure(gan_file_write(scratch("f"), bytes, SIZE), GAN_ERROR_IO, "/f", "cannot write");
    expect_failure(gan_file_write(scratch("g"), bytes, SIZE), GAN_ERROR_IO, "/g", "cannot write");
    limit_file_size(10);
    expect_failure(gan_file_write(scratch("f"), bytes, 100), GAN_ERROR_IO, "/f", "cannot write");
    lift_file_limit();
    expect_content("f", "old");
    assert_int_equal(scratch_count(), 1);
    free(bytes);
}

static void places_that_cannot_be_written(void **state) {
    (void)state;
    scratch_put("file", "x", 1);
    expect_failure(gan_file_write(scratch("absent/f"), "x", 1), GAN_ERROR_IO, "/absent/f",
                   "No such file");
    expect_failure(gan_file_write(scratch("file/f"), "x", 1), GAN_ERROR_IO, "/file/f",
                   "cannot write");
    expect_failure(gan_file_write("/proc/ganc", "x", 1), GAN_ERROR_IO, "/proc/ganc",
                   "cannot write");
    expect_failure(gan_file_write(scratch(""), "x", 1), GAN_ERROR_IO, "is a folder");
    expect_failure(gan_file_write("", "x", 1), GAN_ERROR_ARGUMENT, "empty");
    assert_int_equal(scratch_count(), 1);
}

static void reads(void **state) {
    (void)state;
    char *bytes;
    size_t size;
    scratch_put("f", "a\0b", 3);
    expect_ok(gan_file_read(&bytes, &size, scratch("f"), 3));
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "a\0b", 4);
    free(bytes);
    expect_failure(gan_file_read(&bytes, &size, scratch("f"), 2), GAN_ERROR_FORMAT, "/f",
                   "2 bytes");
    assert_null(bytes);
    expect_failure(gan_file_read(&bytes, NULL, scratch("g"), 2), GAN_ERROR_IO, "/g",
                   "No such file");
    expect_failure(gan_file_read(&bytes, NULL, scratch(""), 2), GAN_ERROR_IO, "Is a directory");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(folders),
        TEST(folders_that_cannot_be),
        TEST(replaces),
        TEST(what_could_be_written_stays_as_it_is),
        TEST(old_file_until_commit),
        TEST(left_over_is_overwritten),
        TEST(link_is_followed),
        TEST(devices),
        TEST(full_disk),
        TEST(places_that_cannot_be_written),
        TEST(reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
