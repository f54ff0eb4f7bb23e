#define _XOPEN_SOURCE 700 /* nftw */

#include "support/scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256];

int scratch_setup(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/ganc-test-XXXXXX", parent && *parent ? parent : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *walk) {
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

int scratch_teardown(void **state) {
    (void)state;
    lift_file_limit();
    return nftw(folder, drop, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(const char *name) {
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

size_t scratch_count(void) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
    closedir(dir);
    return count;
}

void scratch_put(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(scratch(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

unsigned char *scratch_get(const char *name, size_t *size) {
    FILE *file = fopen(scratch(name), "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    unsigned char *bytes = malloc((size_t)length + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
    bytes[length] = 0;
    fclose(file);
    *size = (size_t)length;
    return bytes;
}

static void wrong(const char *file, int line, const char *what, const char *given) {
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, given);
    _fail(file, line);
}

void expect_failure_(gan_status status, gan_status expected, const char *file, int line, ...) {
    const char *message = gan_last_error();
    if (status != expected) wrong(file, line, gan_status_name(expected), gan_status_name(status));
    if (!*message || strchr(message, '\n')) wrong(file, line, "expected one line", message);
    va_list parts;
    va_start(parts, line);
    for (const char *part; (part = va_arg(parts, const char *));)
        if (!strstr(message, part)) {
            fprintf(stderr, "expected '%s'\n", part);
            wrong(file, line, "in the message", message);
        }
    va_end(parts);
}

void expect_ok_(gan_status status, const char *file, int line) {
    if (status != GAN_OK) wrong(file, line, gan_status_name(status), gan_last_error());
}

static void set_limit(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void limit_file_size(size_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    set_limit(bytes);
}

void lift_file_limit(void) { set_limit(RLIM_INFINITY); }
