/* Sequences by a grammar: what is drawn is allowed, all of it comes up, and the judge is right. The
 * grammars are written here a second time, as one would explain them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "ganc/data.h"
#include "support/scratch.h"

static bool is_brackets(const char *s) {
    char open[32];
    int depth = 0;
    for (; *s; s++) {
        if (*s == '(' || *s == '[') {
            if (depth == 3) return false;
            open[depth++] = *s;
        } else if (!depth || open[--depth] != (*s == ')' ? '(' : '[')) {
            return false;
        }
    }
    return depth == 0;
}

static bool is_expression(const char *s) {
    for (;;) {
        if (*s++ != 'x') return false;
        if (!*s || *s == ' ') break;
        if (!strchr("+-*/", *s++)) return false;
    }
    while (*s == ' ') s++;
    return !*s;
}

/* Reber's diagram as a grammar: B (T S* X | P T* V) …, the two halves crossing over. */
static bool reber_lower(const char *s);
static bool reber_end(const char *s) {
    if (*s++ != 'E') return false;
    while (*s == ' ') s++;
    return !*s;
}
static bool reber_upper(const char *s) { /* behind T S* X, or V P */
    if (*s == 'S') return reber_end(s + 1);
    return *s == 'X' && reber_lower(s + 1);
}
static bool reber_lower(const char *s) { /* behind P, or T S* X X */
    while (*s == 'T') s++;
    if (*s++ != 'V') return false;
    if (*s == 'V') return reber_end(s + 1);
    return *s == 'P' && reber_upper(s + 1);
}
static bool is_reber(const char *s) {
    if (*s++ != 'B') return false;
    if (*s == 'P') return reber_lower(s + 1);
    if (*s++ != 'T') return false;
    while (*s == 'S') s++;
    return *s == 'X' && reber_upper(s + 1);
}

static const struct {
    const char *name;
    bool (*accepts)(const char *);
    double size;
} rows[] = {
    {"brackets", is_brackets, 0},
    {"expressions", is_expression, 1 + 4 + 16 + 64 + 256 + 1024},
    {"reber", is_reber, 0},
};
enum { ROWS = sizeof rows / sizeof *rows, COUNT = 20000 };

static void found_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const gan_grammar *g = gan_grammar_find(rows[i].name);
        assert_non_null(g);
        assert_ptr_equal(g, gan_grammar_at(i));
        assert_int_equal(strlen(g->letters), g->symbols);
        assert_true(g->summary[0]);
    }
    assert_null(gan_grammar_at(ROWS));
    assert_null(gan_grammar_find("bracket"));
}

/* Random symbols, and allowed sequences with some symbols changed: accepted by one exactly when by
 * the other. */
static void judged_rightly(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const gan_grammar *g = gan_grammar_at(i);
        int32_t *s = malloc((size_t)(COUNT * g->length) * sizeof *s);
        char text[64];
        gan_grammar_draw(g, s, COUNT, 3);
        uint32_t random = 5;
        int64_t broken = 0, allowed = 0;
        for (int64_t n = 0; n < COUNT; n++) {
            int32_t *one = s + n * g->length;
            for (int64_t changes = n % 4; changes > 0; changes--) {
                random = random * 1664525u + 1013904223u;
                const int64_t at = (random >> 8) % (uint32_t)g->length;
                random = random * 1664525u + 1013904223u;
                one[at] = (int32_t)((random >> 8) % (uint32_t)g->symbols);
            }
            gan_grammar_text(g, one, text);
            assert_int_equal(strlen(text), g->length);
            assert_int_equal(gan_grammar_accepts(g, one), rows[i].accepts(text));
            broken += !rows[i].accepts(text);
            allowed += n % 4 && rows[i].accepts(text);
        }
        assert_true(broken > COUNT / 4 && allowed > COUNT / 100); /* both come up */
        assert_true(gan_grammar_violations(g, s, COUNT) == (double)broken / COUNT);
        s[0] = -1;
        assert_false(gan_grammar_accepts(g, s));
        s[0] = (int32_t)g->symbols;
        assert_false(gan_grammar_accepts(g, s));
        gan_grammar_text(g, s, text);
        assert_int_equal(text[0], '?');
        free(s);
    }
    assert_true(gan_grammar_violations(gan_grammar_at(0), NULL, 0) == 0);
}

/* The number of allowed sequences by trying all beginnings. */
static double count_all(const gan_grammar *g, bool (*accepts)(const char *), char *text,
                        int64_t n) {
    double sum = 0;
    if (n == g->length) return accepts(text);
    for (int64_t k = 0; k < g->symbols; k++) {
        text[n] = g->letters[k];
        text[n + 1] = 0;
        /* Only what can be the beginning of something: otherwise 8^16 of them. */
        const bool blank = g->letters[k] == ' ', after = n && text[n - 1] == ' ';
        if (after && !blank) continue;
        if (accepts == is_expression && (n % 2 == 0) != (text[n] == 'x') && !blank) continue;
        if (accepts == is_reber && !blank && n && text[n - 1] == 'E') continue;
        if (accepts == is_reber && (n == 0) != (text[n] == 'B')) continue;
        sum += count_all(g, accepts, text, n + 1);
    }
    return sum;
}

static void sizes_are_exact(void **state) {
    (void)state;
    char text[64] = "";
    for (size_t i = 0; i < 2; i++) {
        const gan_grammar *g = gan_grammar_at(i);
        if (i == 0) { /* 4^16 is too many: by the walk of the depth, each opening in two ways */
            double ways[4] = {1, 0, 0, 0};
            for (int64_t n = 0; n < g->length; n++) {
                const double w[4] = {ways[1], 2 * ways[0] + ways[2], 2 * ways[1] + ways[3],
                                     2 * ways[2]};
                memcpy(ways, w, sizeof w);
            }
            assert_true(gan_grammar_size(g) == ways[0]);
        } else {
            assert_true(gan_grammar_size(g) == count_all(g, rows[i].accepts, text, 0));
            assert_true(gan_grammar_size(g) == rows[i].size);
        }
    }
}

static void all_are_equally_likely(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const gan_grammar *g = gan_grammar_at(i);
        int32_t *s = malloc((size_t)(COUNT * g->length) * sizeof *s);
        gan_grammar_draw(g, s, COUNT, 1);
        assert_true(gan_grammar_violations(g, s, COUNT) == 0);
        int64_t distinct;
        expect_ok(gan_grammar_distinct(&distinct, g, s, COUNT));
        const double size = gan_grammar_size(g);
        /* Of `size` boxes with COUNT balls, those that are not empty. */
        const double wanted = size * -expm1(COUNT * log1p(-1 / size));
        const double spread = sqrt(size * exp(-COUNT / size) * (1 - exp(-COUNT / size)));
        assert_true(fabs((double)distinct - wanted) <= 5 * spread + 1);
        if (i == 1) { /* few enough to count each: chi-squared with size - 1 degrees */
            int seen[2048] = {0};
            for (int64_t n = 0; n < COUNT; n++) {
                int code = 0;
                for (int64_t k = 1; k < g->length && s[n * g->length + k] != 5; k += 2)
                    code = code * 4 + s[n * g->length + k] - 1; /* + is symbol 1 */
                int operators = 0;
                for (int64_t k = 1; k < g->length; k += 2) operators += s[n * g->length + k] != 5;
                for (int k = 0, all = 1; k < operators; k++, all *= 4) code += all;
                seen[code]++;
            }
            double chi = 0;
            const double each = COUNT / size;
            for (int k = 0; k < 1365; k++) chi += (seen[k] - each) * (seen[k] - each) / each;
            assert_true(fabs(chi - (size - 1)) <= 5 * sqrt(2 * (size - 1)));
        }
        /* Copies add nothing, and what is not allowed does not count. */
        for (int64_t n = 1; n < COUNT; n += 2)
            memcpy(s + n * g->length, s, (size_t)g->length * sizeof *s);
        for (int64_t n = 2; n < COUNT; n += 2) s[n * g->length] = (int32_t)g->symbols - 1;
        expect_ok(gan_grammar_distinct(&distinct, g, s, COUNT));
        assert_int_equal(distinct, 1);
        expect_ok(gan_grammar_distinct(&distinct, g, s, 0));
        assert_int_equal(distinct, 0);
        free(s);
    }
}

static void seeds(void **state) {
    (void)state;
    const gan_grammar *g = gan_grammar_find("brackets");
    int32_t a[100 * 16], b[100 * 16];
    gan_grammar_draw(g, a, 100, 7);
    gan_grammar_draw(g, b, 100, 7);
    assert_memory_equal(a, b, sizeof a);
    gan_grammar_draw(g, b, 100, 8);
    assert_true(memcmp(a, b, sizeof a) != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_name),   cmocka_unit_test(judged_rightly),
        cmocka_unit_test(sizes_are_exact), cmocka_unit_test(all_are_equally_likely),
        cmocka_unit_test(seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
