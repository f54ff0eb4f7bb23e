#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ganc/io.h"
#include "io/safetensors.h"
#include "support/process.h"
#include "support/scratch.h"

static const float weight[6] = {1, -2, 3.5f, 0, 5, 6};
static const int64_t counter[1] = {-7};
static const uint8_t odd[3] = {1, 2, 255};
static const int32_t label[2] = {4, -5};
static const uint16_t half[2] = {0x3f80, 0xc000};

static const gan_tensor_info infos[] = {
    {"g/weight \"1\"", GAN_F32, {2, {2, 3}}},
    {"counter", GAN_I64, {0, {0}}},
    {"odd", GAN_U8, {1, {3}}},
    {"label", GAN_I32, {2, {1, 2}}},
    {"empty", GAN_F32, {2, {0, 5}}},
    {"half", GAN_BF16, {1, {2}}},
};
static const void *const contents[] = {weight, counter, odd, label, "", half};
static const size_t sizes[] = {24, 8, 3, 8, 0, 4};
enum { COUNT = 6 };
static const gan_metadata metadata[] = {{"config", "a: 1\nb: \"ü\"\n"}, {"ganc", "0.1.0"}};

static gan_status write_to(const char *path) {
    gan_safetensors_writer *w;
    gan_status status = gan_safetensors_create(&w, path, infos, COUNT, metadata, 2);
    for (size_t i = 0; status == GAN_OK && i < COUNT; i++) {
        status = gan_safetensors_write(w, infos[i].name, contents[i], sizes[i]);
        if (status != GAN_OK) gan_safetensors_abandon(w);
    }
    return status == GAN_OK ? gan_safetensors_finish(w) : status;
}

static void expect_all(gan_safetensors *f) {
    assert_int_equal(gan_safetensors_count(f), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const gan_tensor_info *t = gan_safetensors_find(f, infos[i].name);
        assert_non_null(t);
        assert_int_equal(t->dtype, infos[i].dtype);
        assert_int_equal(t->shape.rank, infos[i].shape.rank);
        for (int d = 0; d < t->shape.rank; d++)
            assert_int_equal(t->shape.dim[d], infos[i].shape.dim[d]);
        unsigned char bytes[32];
        expect_ok(gan_safetensors_read(f, t, bytes, sizes[i]));
        assert_memory_equal(bytes, contents[i], sizes[i]);
    }
    assert_null(gan_safetensors_find(f, "absent"));
    assert_int_equal(gan_safetensors_metadata_count(f), 2);
    assert_string_equal(gan_safetensors_metadata(f, "config"), metadata[0].value);
    assert_string_equal(gan_safetensors_metadata_at(f, 1).key, "ganc");
    assert_null(gan_safetensors_metadata(f, "absent"));
}

static void round_trip(void **state) {
    (void)state;
    expect_ok(write_to(scratch("a")));
    expect_ok(write_to(scratch("b")));
    size_t na, nb;
    unsigned char *a = scratch_get("a", &na), *b = scratch_get("b", &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(a, b, na);
    assert_int_equal(a[0] % 8, 0); /* the header's length */
    gan_safetensors *f;
    expect_ok(gan_safetensors_open(&f, scratch("a")));
    expect_all(f);
    assert_string_equal(gan_safetensors_at(f, 0)->name, infos[0].name);
    assert_null(gan_safetensors_at(f, COUNT));
    float three[3];
    expect_failure(gan_safetensors_read(f, gan_safetensors_at(f, 0), three, sizeof three),
                   GAN_ERROR_ARGUMENT, "/a", "24 bytes", "12");
    expect_failure(gan_safetensors_read(f, &infos[0], three, sizeof three), GAN_ERROR_ARGUMENT,
                   "/a");
    gan_safetensors_close(f);
    expect_ok(gan_safetensors_open_memory(&f, a, na, "memory"));
    expect_all(f);
    gan_safetensors_close(f);
    free(a);
    free(b);
}

static void no_tensors(void **state) {
    (void)state;
    gan_safetensors_writer *w;
    gan_safetensors *f;
    expect_ok(gan_safetensors_create(&w, scratch("a"), NULL, 0, NULL, 0));
    expect_ok(gan_safetensors_finish(w));
    expect_ok(gan_safetensors_open(&f, scratch("a")));
    assert_int_equal(gan_safetensors_count(f), 0);
    assert_int_equal(gan_safetensors_metadata_count(f), 0);
    gan_safetensors_close(f);
}

static void cut_at_any_byte(void **state) {
    (void)state;
    expect_ok(write_to(scratch("a")));
    size_t size;
    unsigned char *bytes = scratch_get("a", &size);
    gan_safetensors *f;
    for (size_t cut = 0; cut < size; cut++) {
        scratch_put("c", bytes, cut);
        expect_failure(gan_safetensors_open(&f, scratch("c")), GAN_ERROR_FORMAT, "/c");
        assert_null(f);
    }
    unsigned char *more = calloc(1, size + 1);
    memcpy(more, bytes, size);
    scratch_put("c", more, size + 1);
    expect_failure(gan_safetensors_open(&f, scratch("c")), GAN_ERROR_FORMAT, "/c",
                   "bytes too many");
    free(more);
    free(bytes);
}

/* Every byte of the header takes every value: refused, or the tensors still fill the file exactly.
 */
static void any_header_byte_changed(void **state) {
    (void)state;
    expect_ok(write_to(scratch("a")));
    size_t size;
    unsigned char *bytes = scratch_get("a", &size);
    const size_t header = 8 + (size_t)bytes[0] + 256 * (size_t)bytes[1];
    size_t refused = 0;
    for (size_t at = 0; at < header; at++) {
        const unsigned char old = bytes[at];
        for (int value = 0; value < 256; value++) {
            gan_safetensors *f;
            if (value == old) continue;
            bytes[at] = (unsigned char)value;
            gan_status status = gan_safetensors_open_memory(&f, bytes, size, "memory");
            if (status != GAN_OK) {
                assert_int_equal(status, GAN_ERROR_FORMAT);
                assert_non_null(strstr(gan_last_error(), "memory: "));
                refused++;
                continue;
            }
            uint64_t sum = 0, n;
            for (size_t i = 0; i < gan_safetensors_count(f); i++) {
                const gan_tensor_info *t = gan_safetensors_at(f, i);
                assert_true(gan_safetensors_bytes(&n, t->dtype, t->shape));
                sum += n;
            }
            assert_int_equal(sum, size - header);
            gan_safetensors_close(f);
        }
        bytes[at] = old;
    }
    assert_true(refused > header * 255 / 2);
    free(bytes);
}

/* A file with that header, as text, and so many bytes of data. */
static gan_status open_header(const char *header, size_t data) {
    const size_t length = strlen(header);
    unsigned char *bytes = calloc(1, 8 + length + data + 1);
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
    memcpy(bytes + 8, header, length);
    scratch_put("t", bytes, 8 + length + data);
    free(bytes);
    gan_safetensors *f;
    gan_status status = gan_safetensors_open(&f, scratch("t"));
    gan_safetensors_close(f);
    return status;
}

static void headers(void **state) {
    (void)state;
#define T(dtype, shape, begin, end)                                                                \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
    expect_ok(open_header("{\"a\":" T("F32", "[2]", "0", "8") "}  ", 8));
    static const struct {
        const char *header;
        size_t data;
        const char *expected;
    } cases[] = {
        {"[1, 2]", 0, "no JSON object"},
        {"{\"a\":", 0, "damaged header"},
        {"{} x", 0, "damaged header"},
        {"{\"a\":" T("F32", "[2]", "0", "8") ",\"a\":" T("F32", "[2]", "0", "8") "}", 8,
         "duplicate"},
        {"{\"a\": 3}", 0, "'a': expected an object"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "'a': dtype is missing"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "'a': shape is missing"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "'a': data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1,
         "unknown keys"},
        {"{\"a\":" T("F16", "[2]", "0", "4") "}", 4,
         "dtype 'F16', expected F32, BF16, I32, I64 or U8"},
        {"{\"a\":" T("F32", "[2]", "0", "4") "}", 4, "span 4 bytes, its shape and dtype need 8"},
        {"{\"a\":" T("U8", "[-1]", "0", "0") "}", 0, "a dimension"},
        {"{\"a\":" T("U8", "[1.5]", "0", "1") "}", 1, "a dimension"},
        {"{\"a\":" T("U8", "[1,1,1,1,1,1,1]", "0", "1") "}", 1, "7 dimensions, expected at most 6"},
        {"{\"a\":" T("U8", "[1]", "-1", "0") "}", 1, "data_offsets"},
        {"{\"a\":" T("U8", "[1]", "1", "0") "}", 1, "data_offsets"},
        {"{\"a\":" T("F32", "[4294967296,4294967296]", "0", "0") "}", 0, "more elements"},
        {"{\"a\":" T("I64", "[4611686018427387904]", "0", "0") "}", 0, "more elements"},
        {"{\"a\":" T("U8", "[99999999999999999999]", "0", "0") "}", 0, "damaged header"},
        {"{\"a\":" T("U8", "[2]", "0", "2") ",\"b\":" T("U8", "[2]", "1", "3") "}", 3,
         "begins at byte 1"},
        {"{\"a\":" T("U8", "[2]", "0", "2") ",\"b\":" T("U8", "[2]", "3", "5") "}", 5,
         "begins at byte 3"},
        {"{\"a\":" T("U8", "[2]", "1", "3") "}", 3, "begins at byte 1"},
        {"{\"a\":" T("U8", "[2]", "0", "2") "}", 1, "is cut off"},
        {"{\"a\":" T("U8", "[9223372036854775807]", "0", "9223372036854775807") "}", 1,
         "is cut off"},
        {"{\"a\":" T("U8", "[2]", "0", "2") "}", 3, "bytes too many"},
        {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "'k' is not a string"},
        {"{\"a\\nb\":" T("U8", "[0]", "0", "0") "}", 0, "control characters"},
        {"{\"a\\u0000b\":" T("U8", "[0]", "0", "0") "}", 0, "damaged header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(open_header(cases[i].header, cases[i].data), GAN_ERROR_FORMAT, "/t",
                       cases[i].expected);
}

static void not_safetensors(void **state) {
    (void)state;
    gan_safetensors *f;
    expect_failure(gan_safetensors_open(&f, scratch("absent")), GAN_ERROR_IO, "/absent",
                   "No such file");
    expect_failure(gan_safetensors_open(&f, scratch("")), GAN_ERROR_IO, "is a folder");
    expect_failure(gan_safetensors_open(&f, "/dev/null"), GAN_ERROR_IO, "is a device");
    scratch_put("p", "\x89PNG\r\n\x1a\n and more", 18);
    expect_failure(gan_safetensors_open(&f, scratch("p")), GAN_ERROR_FORMAT, "/p",
                   "not a safetensors file");
    scratch_put("p", "", 0);
    expect_failure(gan_safetensors_open(&f, scratch("p")), GAN_ERROR_FORMAT, "/p",
                   "expected at least 8");
}

static void writer_is_told_wrong(void **state) {
    (void)state;
    gan_safetensors_writer *w;
    const gan_tensor_info twice[] = {{"a", GAN_U8, {0, {0}}}, {"a", GAN_U8, {0, {0}}}};
    expect_failure(gan_safetensors_create(&w, scratch("a"), twice, 2, NULL, 0), GAN_ERROR_ARGUMENT,
                   "/a", "'a' is there twice");
    assert_null(w);
    const gan_tensor_info bytes[] = {{"\xff", GAN_U8, {0, {0}}}};
    expect_failure(gan_safetensors_create(&w, scratch("a"), bytes, 1, NULL, 0), GAN_ERROR_ARGUMENT,
                   "UTF-8");
    const gan_tensor_info huge[] = {{"h", GAN_F32, {2, {INT64_MAX, 2}}}};
    expect_failure(gan_safetensors_create(&w, scratch("a"), huge, 1, NULL, 0), GAN_ERROR_ARGUMENT,
                   "'h'");
    const gan_metadata same[] = {{"k", "1"}, {"k", "2"}};
    expect_failure(gan_safetensors_create(&w, scratch("a"), NULL, 0, same, 2), GAN_ERROR_ARGUMENT,
                   "'k' is given twice");
    const gan_metadata binary[] = {{"k", "\xff"}};
    expect_failure(gan_safetensors_create(&w, scratch("a"), NULL, 0, binary, 1), GAN_ERROR_ARGUMENT,
                   "'k' is not UTF-8");

    expect_ok(gan_safetensors_create(&w, scratch("a"), infos, 2, NULL, 0));
    expect_failure(gan_safetensors_write(w, "counter", counter, 8), GAN_ERROR_ARGUMENT, "'counter'",
                   "expected 'g/weight");
    expect_failure(gan_safetensors_write(w, infos[0].name, weight, 20), GAN_ERROR_ARGUMENT,
                   "20 bytes", "expected 24");
    expect_ok(gan_safetensors_write(w, infos[0].name, weight, 24));
    expect_failure(gan_safetensors_finish(w), GAN_ERROR_ARGUMENT, "'counter' was not written");

    expect_ok(gan_safetensors_create(&w, scratch("a"), infos, 0, NULL, 0));
    expect_failure(gan_safetensors_write(w, "x", weight, 4), GAN_ERROR_ARGUMENT, "after the last");
    gan_safetensors_abandon(w);
    assert_int_equal(scratch_count(), 0);
}

static void full_disk_keeps_the_old(void **state) {
    (void)state;
    expect_ok(write_to(scratch("a")));
    for (size_t limit = 0; limit < 800; limit += 13) {
        limit_file_size(limit);
        gan_status status = write_to(scratch("a"));
        lift_file_limit();
        if (limit < 400) expect_failure(status, GAN_ERROR_IO, "/a", "cannot write");
        gan_safetensors *f;
        expect_ok(gan_safetensors_open(&f, scratch("a")));
        expect_all(f);
        gan_safetensors_close(f);
        assert_int_equal(scratch_count(), 1);
    }
    expect_failure(write_to("/dev/full"), GAN_ERROR_IO, "/dev/full", "No space left");
    expect_failure(write_to(scratch("a/b")), GAN_ERROR_IO, "/a/b", "cannot write");
}

/* A process that saves without end is killed at random moments; the file always loads. */
static void killed_at_any_moment(void **state) {
    (void)state;
    unsigned random = 12345;
    expect_ok(write_to(scratch("a")));
    for (int round = 0; round < 100; round++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (;;) write_to(scratch("a"));
        random = random * 1103515245u + 12345u;
        const struct timespec pause = {0, (long)(random >> 16) % 5000 * 1000};
        nanosleep(&pause, NULL);
        process_kill(child);
        gan_safetensors *f;
        expect_ok(gan_safetensors_open(&f, scratch("a")));
        expect_all(f);
        gan_safetensors_close(f);
    }
    expect_ok(write_to(scratch("a")));
    assert_int_equal(scratch_count(), 1);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(no_tensors),
        TEST(cut_at_any_byte),
        TEST(any_header_byte_changed),
        TEST(headers),
        TEST(not_safetensors),
        TEST(writer_is_told_wrong),
        TEST(full_disk_keeps_the_old),
        TEST(killed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
