/* What a device keeps on disk: found again, in full; nothing where the file is not what was
 * written; and never a failure. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/cache.h"
#include "support/process.h"
#include "support/scratch.h"

static const char me[] = "a device, 1.0";

static gan_cache *opened(void) {
    gan_cache *c = gan_cache_open(scratch("kept"), me);
    assert_non_null(c);
    return c;
}

static void put(gan_cache *c, const char *key, const char *value) {
    gan_cache_put(c, key, strlen(key), value, strlen(value));
}

static bool has(gan_cache *c, const char *key, const char *value) {
    size_t n = 0;
    const char *found = gan_cache_find(c, key, strlen(key), &n);
    return found && n == strlen(value) && memcmp(found, value, n) == 0;
}

static bool lacks(gan_cache *c, const char *key) {
    size_t n;
    return gan_cache_find(c, key, strlen(key), &n) == NULL;
}

/* The one file in a folder, as scratch() takes it. */
static const char *only_file(const char *folder) {
    static char name[300];
    DIR *dir = opendir(scratch(folder));
    int count = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        count++;
    }
    closedir(dir);
    assert_int_equal(count, 1);
    return name;
}

static void found_again(void **state) {
    (void)state;
    gan_cache *c = opened();
    assert_true(lacks(c, "key"));
    put(c, "key", "value");
    put(c, "key of more", "");
    put(c, "ke", "first");
    put(c, "ke", "other");
    gan_cache_close(c);
    c = opened();
    assert_true(has(c, "key", "value"));
    assert_true(has(c, "key of more", ""));
    assert_true(has(c, "ke", "other"));
    assert_true(lacks(c, "k"));
    assert_true(lacks(c, "kez"));
    gan_cache_close(c);
    gan_cache *other = gan_cache_open(scratch("kept"), "a device, 1.1");
    assert_true(lacks(other, "key"));
    gan_cache_close(other);
    assert_int_equal(scratch_count(), 1); /* the folder, which was made */
}

static void none_is_taken(void **state) {
    (void)state;
    size_t n;
    assert_null(gan_cache_open(NULL, me));
    assert_null(gan_cache_open("", me));
    assert_null(gan_cache_find(NULL, "key", 3, &n));
    gan_cache_put(NULL, "key", 3, "value", 5);
    assert_true(gan_cache_save(NULL));
    gan_cache_close(NULL);
}

/* Nothing is written that was there already. */
static void unchanged_is_left(void **state) {
    (void)state;
    gan_cache *c = opened();
    put(c, "key", "value");
    gan_cache_close(c);
    struct stat before, after;
    assert_int_equal(stat(scratch(only_file("kept")), &before), 0);
    c = opened();
    assert_true(has(c, "key", "value"));
    gan_cache_close(c);
    assert_int_equal(stat(scratch(only_file("kept")), &after), 0);
    assert_true(before.st_ino == after.st_ino);
}

static void damage_counts_as_none(void **state) {
    (void)state;
    gan_cache *c = opened();
    put(c, "key", "value");
    put(c, "another", "of them");
    gan_cache_close(c);
    const char *name = only_file("kept");
    size_t size;
    unsigned char *bytes = scratch_get(name, &size);
    for (size_t i = 0; i < 2 * size; i++) { /* cut off, then changed, byte by byte */
        if (i >= size) bytes[i - size] ^= 0x10;
        scratch_put(name, bytes, i < size ? i : size);
        if (i >= size) bytes[i - size] ^= 0x10;
        c = opened();
        assert_true(lacks(c, "key"));
        assert_true(lacks(c, "another"));
        gan_cache_close(c);
    }
    scratch_put(name, "", 0);
    c = opened();
    put(c, "key", "anew");
    gan_cache_close(c);
    c = opened();
    assert_true(has(c, "key", "anew"));
    gan_cache_close(c);
    free(bytes);
}

/* Whole, and under this name, but of a device with another: two that a hash does not tell apart. */
static void anothers_counts_as_none(void **state) {
    (void)state;
    gan_cache *c = opened(), *other = gan_cache_open(scratch("other"), "b device, 1.0");
    put(c, "key", "value");
    put(other, "key", "theirs");
    gan_cache_close(c);
    gan_cache_close(other);
    size_t size;
    unsigned char *bytes = scratch_get(only_file("other"), &size);
    scratch_put(only_file("kept"), bytes, size);
    free(bytes);
    c = opened();
    assert_true(lacks(c, "key"));
    put(c, "key", "ours");
    gan_cache_close(c);
    c = opened();
    assert_true(has(c, "key", "ours"));
    gan_cache_close(c);
}

static void what_cannot_be_written_is_not_kept(void **state) {
    (void)state;
    scratch_put("file", "x", 1);
    gan_cache *c = gan_cache_open(scratch("file/below"), me);
    put(c, "key", "value");
    assert_false(gan_cache_save(c));
    assert_false(gan_cache_save(c));     /* as little as before */
    assert_true(has(c, "key", "value")); /* for this process */
    gan_cache_close(c);

    c = opened();
    put(c, "key", "value");
    assert_true(gan_cache_save(c));
    limit_file_size(50); /* a full disk leaves the old file, and nothing beside it */
    put(c, "large", "0123456789012345678901234567890123456789012345678901234567890123456789");
    assert_false(gan_cache_save(c));
    gan_cache_close(c);
    lift_file_limit();
    c = opened();
    assert_true(has(c, "key", "value"));
    assert_true(lacks(c, "large"));
    gan_cache_close(c);

    const char *name = only_file("kept");
    unlink(scratch(name));
    mkdir(scratch(name), 0700);
    c = opened();
    put(c, "key", "value");
    gan_cache_close(c);
    c = opened();
    assert_true(lacks(c, "key"));
    gan_cache_close(c);
}

static void savers_keep_each_others(void **state) {
    (void)state;
    gan_cache *one = opened(), *two = opened();
    put(one, "one", "1");
    put(two, "two", "2");
    put(one, "both", "1");
    put(two, "both", "2");
    gan_cache_close(one);
    gan_cache_close(two);
    gan_cache *c = opened();
    assert_true(has(c, "one", "1"));
    assert_true(has(c, "two", "2"));
    assert_true(has(c, "both", "2"));
    gan_cache_close(c);
}

/* Eight processes write at once; each always finds what was there before all of them. */
static void processes_share_a_file(void **state) {
    (void)state;
    enum { PROCESSES = 8, TIMES = 20 };
    gan_cache *c = opened();
    put(c, "before", "all");
    gan_cache_close(c);
    pid_t child[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        child[p] = fork();
        if (child[p] != 0) continue;
        int missing = 0;
        for (int i = 0; i < TIMES; i++) {
            char key[32];
            snprintf(key, sizeof key, "%d of %d", i, p);
            gan_cache *mine = gan_cache_open(scratch("kept"), me);
            missing += !has(mine, "before", "all");
            put(mine, key, key);
            gan_cache_close(mine);
        }
        _exit(missing);
    }
    for (int p = 0; p < PROCESSES; p++) assert_int_equal(process_wait(child[p]), 0);
    c = opened();
    assert_true(has(c, "before", "all"));
    int found = 0;
    for (int p = 0; p < PROCESSES; p++)
        for (int i = 0; i < TIMES; i++) {
            char key[32];
            snprintf(key, sizeof key, "%d of %d", i, p);
            found += has(c, key, key);
        }
    assert_true(found > 0); /* what meets in one moment is lost, the last never */
    gan_cache_close(c);
    (void)only_file("kept"); /* and none half written */
}

/* Unused ones make room, the oldest first. */
static void size_is_bounded(void **state) {
    (void)state;
    enum { EACH = 16 << 20 };
    char *large = calloc(1, EACH);
    assert_non_null(large);
    gan_cache *c = opened();
    for (char key = 'a'; key <= 'c'; key++) gan_cache_put(c, &key, 1, large, EACH);
    gan_cache_close(c);
    c = opened();
    size_t n;
    assert_non_null(gan_cache_find(c, "a", 1, &n));
    gan_cache_put(c, "d", 1, large, EACH);
    gan_cache_close(c);
    free(large);
    struct stat st;
    assert_int_equal(stat(scratch(only_file("kept")), &st), 0);
    assert_true(st.st_size <= GAN_CACHE_MOST);
    c = opened();
    assert_null(gan_cache_find(c, "b", 1, &n));
    for (char key = 'a'; key <= 'd'; key++)
        if (key != 'b') assert_non_null(gan_cache_find(c, &key, 1, &n));
    gan_cache_close(c);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(found_again),
        TEST(none_is_taken),
        TEST(unchanged_is_left),
        TEST(damage_counts_as_none),
        TEST(anothers_counts_as_none),
        TEST(what_cannot_be_written_is_not_kept),
        TEST(savers_keep_each_others),
        TEST(processes_share_a_file),
        TEST(size_is_bounded),
    };
    return cmocka_run_group_tests_name("device_cache", tests, NULL, NULL);
}
