#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"
#include "ganc/io.h"
#include "io/config.h"
#include "support/scratch.h"

static gan_config *parsed(const char *text) {
    gan_config *config;
    expect_ok(gan_config_read_memory(&config, text, strlen(text), "run.yaml"));
    return config;
}

/* Entries of a text as "line key=value|". */
static void expect_entries(const char *text, const char *expected) {
    char got[2048] = "";
    gan_config *config = parsed(text);
    for (size_t i = 0; i < gan_config_count(config); i++) {
        const gan_config_entry *e = gan_config_at(config, i);
        const size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%d %s=%s|", e->line, e->key, e->value);
    }
    assert_null(gan_config_at(config, gan_config_count(config)));
    gan_config_destroy(config);
    assert_string_equal(got, expected);
}

static void reads(void **state) {
    (void)state;
    expect_entries("", "");
    expect_entries("# nothing\n---\n", "");
    expect_entries("a: 1\nb: two words # comment\nc: \"#\"\n", "1 a=1|2 b=two words|3 c=#|");
    expect_entries("g:\n  lr: 2e-4\n  adam: {b1: .5, b2: 0.999}\nd.lr: 1\n",
                   "2 g.lr=2e-4|3 g.adam.b1=.5|3 g.adam.b2=0.999|4 d.lr=1|");
    expect_entries("units: [1, 'b c', 3]\nlist:\n- x\n- y\nnone: []\n",
                   "1 units=1,b c,3|3 list=x,y|5 none=|");
    expect_entries("a:\nb: ''\nc: {}\nd: null\n", "1 a=|2 b=|4 d=null|");
    expect_entries("text: |\n  one\n  two\n", "1 text=one\ntwo\n|");
    expect_entries("\xef\xbb\xbf"
                   "a: \xc3\xbc\r\nb: 2\r\n",
                   "1 a=\xc3\xbc|2 b=2|");

    gan_config *config = parsed("a: 1\nb: {c: 2}\n");
    assert_string_equal(gan_config_find(config, "b.c")->where, "run.yaml:2");
    assert_string_equal(gan_config_find(config, "b.c")->value, "2");
    assert_null(gan_config_find(config, "b"));
    gan_config_destroy(config);
}

static void refuses(void **state) {
    (void)state;
    static const struct {
        const char *text, *where, *what;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "run.yaml:3: ", "key 'a' is there already, at line 1"},
        {"a: {b: 1}\na.b: 2\n", "run.yaml:2: ", "key 'a.b' is there already, at line 1"},
        {"a: &x 1\n", "run.yaml:1: ", "anchors"},
        {"a: &x {b: 1}\n", "run.yaml:1: ", "anchors"},
        {"a: 1\nb: *x\n", "run.yaml:2: ", "aliases"},
        {"*x : 1\n", "run.yaml:1: ", "aliases"},
        {"a: !!int 1\n", "run.yaml:1: ", "tags"},
        {"a: !thing [1]\n", "run.yaml:1: ", "tags"},
        {"a: 1\n---\nb: 2\n", "run.yaml:2: ", "second document"},
        {"a: 1\n...\n---\n...\n", "run.yaml:3: ", "second document"},
        {"? [a, b]\n: 1\n", "run.yaml:1: ", "single word"},
        {"? {a: b}\n: 1\n", "run.yaml:1: ", "single word"},
        {"- a\n- b\n", "run.yaml:1: ", "KEY: VALUE"},
        {"just text\n", "run.yaml:1: ", "KEY: VALUE"},
        {"a: [1, [2]]\n", "run.yaml:1: ", "single value"},
        {"a: [1, {b: 2}]\n", "run.yaml:1: ", "single value"},
        {"a:\n- 'x,y'\n", "run.yaml:2: ", "comma"},
        {"a: [1, '']\n", "run.yaml:1: ", "empty"},
        {"a b: 1\n", "run.yaml:1: ", "'a b': expected words"},
        {"{? 'a\n\n  b' : 1}\n", "run.yaml:1: ", "'a?b': expected words"},
        {"a..b: 1\n", "run.yaml:1: ", "'a..b'"},
        {"'': 1\n", "run.yaml:1: ", "''"},
        {"<<: {a: 1}\n", "run.yaml:1: ", "'<<.a'"},
        {"a: 1\nb: \"x\\0y\"\n", "run.yaml:2: ", "zero character"},
        {"a: 1\nb: [2\n", "run.yaml:3: ", "not valid YAML"},
        {"a: 1\n\tb: 2\n", "run.yaml:2: ", "not valid YAML"},
        {"a: 'x\n", "run.yaml:", "not valid YAML"},
        {"a: 1\nb: \x01\n", "run.yaml:2: ", "not valid YAML"},
        {"a: 1\nb: \xff\n", "run.yaml:2: ", "not valid YAML"},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}}}}}}}}}\n",
         "run.yaml:1: ", "too deeply"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gan_config *config;
        expect_failure(
            gan_config_read_memory(&config, cases[i].text, strlen(cases[i].text), "run.yaml"),
            GAN_ERROR_FORMAT, cases[i].where, cases[i].what);
        assert_null(config);
    }
}

static void limits(void **state) {
    (void)state;
    gan_config *config;
    char *text = malloc(GAN_CONFIG_LIMIT + 2);
    memset(text, ' ', GAN_CONFIG_LIMIT + 2);
    expect_failure(gan_config_read_memory(&config, text, GAN_CONFIG_LIMIT + 1, "run.yaml"),
                   GAN_ERROR_FORMAT, "run.yaml", "longer than");
    size_t used = 0;
    for (int i = 0; i <= GAN_CONFIG_ENTRIES; i++)
        used += (size_t)snprintf(text + used, 32, "k%d: 1\n", i);
    expect_failure(gan_config_read_memory(&config, text, used, "run.yaml"), GAN_ERROR_FORMAT,
                   "run.yaml:4097: ", "more than 4096 keys");
    memset(text, 'k', 300);
    memcpy(text + 201, ": 1", 4);
    expect_failure(gan_config_read_memory(&config, text, 204, "run.yaml"), GAN_ERROR_FORMAT,
                   "run.yaml:1: ", "too long");
    memcpy(text + 200, ": 1", 4);
    expect_ok(gan_config_read_memory(&config, text, 203, "run.yaml"));
    gan_config_destroy(config);
    free(text);
}

static void sets(void **state) {
    (void)state;
    gan_config *config = parsed("a: 1\nb: 2\n");
    expect_ok(gan_config_assign(config, "a=x=y"));
    expect_ok(gan_config_assign(config, "g.lr="));
    expect_ok(gan_config_set(config, "c", "3", "default"));
    assert_int_equal(gan_config_count(config), 4);
    assert_string_equal(gan_config_at(config, 0)->value, "x=y");
    assert_string_equal(gan_config_at(config, 0)->where, "--set");
    assert_int_equal(gan_config_at(config, 0)->line, 0);
    assert_string_equal(gan_config_at(config, 2)->key, "g.lr");
    assert_string_equal(gan_config_at(config, 2)->value, "");
    assert_string_equal(gan_config_at(config, 3)->where, "default");
    expect_failure(gan_config_assign(config, "lr"), GAN_ERROR_ARGUMENT, "--set lr", "KEY=VALUE");
    expect_failure(gan_config_assign(config, "=1"), GAN_ERROR_ARGUMENT, "--set", "''");
    expect_failure(gan_config_assign(config, "a b=1"), GAN_ERROR_ARGUMENT, "--set", "'a b'");
    expect_failure(gan_config_assign(config, "a=\xff"), GAN_ERROR_ARGUMENT, "--set", "'a'",
                   "UTF-8");
    expect_failure(gan_config_assign(config, "z=\xc0\x80"), GAN_ERROR_ARGUMENT, "--set", "'z'",
                   "UTF-8");
    assert_int_equal(gan_config_count(config), 4);
    gan_config_destroy(config);
}

/* Whatever a value is, it is read back as it was, and in the same order. */
static void written_and_read(void **state) {
    (void)state;
    static const char *const values[] = {
        "1",
        "2e-4",
        "-.5",
        "+1",
        "",
        " ",
        " a ",
        "a b",
        "a: b",
        "a #b",
        "#",
        "null",
        "~",
        "true",
        "-",
        "--",
        "---",
        "- a",
        "?",
        "...",
        "[1, 2]",
        "{a: 1}",
        "64,32",
        "'",
        "''",
        "\"",
        "\\",
        "\\n",
        "a\nb",
        "\n",
        "a\n\n b\n",
        "\t",
        "\r",
        "\x01\x1f\x7f",
        "*a",
        "&a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "../x/y.gz",
        "/usr/share",
        "a:",
        ":a",
        ",a",
        "\xc3\xbc",
        "\xc2\x85",
        "\xc2\xa0",
        "\xe2\x80\xa8",
        "\xef\xbb\xbf",
        "\xef\xbf\xbe",
        "\xef\xbf\xbf",
        "\xf0\x9f\x98\x80",
        "\xf4\x8f\xbf\xbf",
        "0x10",
        "1_000",
        "=",
        "<<",
        "a very long text that goes on and on, so that a writer that folds its lines at some "
        "column would have "
        "to fold this one, with  two  spaces  here and there, and at the end ",
    };
    enum { COUNT = sizeof values / sizeof *values };
    static const char *const keys[] = {"a", "-",    "--",  "---", "_",
                                       "1", "null", "b.c", "b.d", "a-1.-.x"};
    gan_config *config, *again;
    expect_ok(gan_config_create(&config));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_ok(gan_config_set(config, keys[i], "1", "test"));
    for (int i = 0; i < COUNT; i++) {
        char key[16];
        snprintf(key, sizeof key, "v.%d", COUNT - i);
        expect_ok(gan_config_set(config, key, values[i], "test"));
    }
    expect_ok(gan_config_write(config, scratch("c.yaml")));
    expect_ok(gan_config_read(&again, scratch("c.yaml")));
    assert_int_equal(gan_config_count(again), gan_config_count(config));
    for (size_t i = 0; i < gan_config_count(config); i++) {
        assert_string_equal(gan_config_at(again, i)->key, gan_config_at(config, i)->key);
        assert_string_equal(gan_config_at(again, i)->value, gan_config_at(config, i)->value);
        assert_int_equal(gan_config_at(again, i)->line, i + 1);
    }
    gan_config_destroy(again);
    gan_config_destroy(config);
}

static void plain_values_are_not_quoted(void **state) {
    (void)state;
    gan_config *config = parsed("lr: 2e-4\nunits: [64, 32]\nname: \"two words\"\n");
    expect_ok(gan_config_write(config, scratch("c.yaml")));
    gan_config_destroy(config);
    size_t size;
    char *text = (char *)scratch_get("c.yaml", &size);
    assert_string_equal(text, "lr: 2e-4\nunits: 64,32\nname: \"two words\"\n");
    free(text);
}

static void files(void **state) {
    (void)state;
    gan_config *config;
    expect_failure(gan_config_read(&config, scratch("absent.yaml")), GAN_ERROR_IO, "/absent.yaml",
                   "No such file");
    expect_failure(gan_config_read(&config, scratch("")), GAN_ERROR_IO, "Is a directory");
    scratch_put("bad.yaml", "a: 1\na: 2\n", 10);
    expect_failure(gan_config_read(&config, scratch("bad.yaml")), GAN_ERROR_FORMAT,
                   "/bad.yaml:2: ");
    config = parsed("a: 1\n");
    expect_failure(gan_config_write(config, scratch("no/c.yaml")), GAN_ERROR_IO, "/no/c.yaml");
    expect_failure(gan_config_write(config, "/dev/full"), GAN_ERROR_IO, "/dev/full",
                   "No space left");
    gan_config_destroy(config);
}

static void nearest(void **state) {
    (void)state;
    static const char *const known[] = {"batch", "steps", "seed", "g.lr", "d.lr", "fashion-mnist"};
    enum { COUNT = sizeof known / sizeof *known };
    static const struct {
        const char *given, *expected;
    } cases[] = {
        {"bacth", "batch"},
        {"step", "steps"},
        {"Seed", "seed"},
        {"glr", "g.lr"},
        {"batch", "batch"},
        {"x.lr", "g.lr"},
        {"learning", NULL},
        {"", NULL},
        {"zzzz", NULL},
        {"fashionmnist", "fashion-mnist"},
        {"fasion_mnist", "fashion-mnist"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = gan_nearest(cases[i].given, known, COUNT);
        if (cases[i].expected) {
            assert_non_null(got);
            assert_string_equal(got, cases[i].expected);
        } else {
            assert_null(got);
        }
    }
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_null(gan_nearest(longest, known, COUNT));
    assert_null(gan_config_nearest("batch", known, 0));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads), TEST(refuses),          TEST(limits),
        TEST(sets),  TEST(written_and_read), TEST(plain_values_are_not_quoted),
        TEST(files), TEST(nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
