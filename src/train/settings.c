/* Keys as a table: setting one from text, and getting its text back. */
#include "train/settings.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/adversarial.h"
#include "ganc/io.h"
#include "ganc/nn.h"

typedef enum kind { INT, REAL, FLAG, WORD, TEXT } kind;
enum { FREE = 1 };

/* The i-th word of a key's choice, or NULL behind the last. */
typedef const char *(*choice)(size_t i);

#define NAMES(function, count, at)                                                                 \
    static const char *function(size_t i) { return i < count() ? at(i)->name : NULL; }
NAMES(choice_model, gan_model_count, gan_model_at)
NAMES(choice_objective, gan_objective_count, gan_objective_at)
NAMES(choice_prior, gan_prior_count, gan_prior_at)
NAMES(choice_discrete, gan_discrete_count, gan_discrete_at)
NAMES(choice_optimizer, gan_optimizer_count, gan_optimizer_at)

#define WORDS(function, ...)                                                                       \
    static const char *function(size_t i) {                                                        \
        static const char *const word[] = {__VA_ARGS__};                                           \
        return i < sizeof word / sizeof *word ? word[i] : NULL;                                    \
    }
WORDS(choice_fit, "pad", "resize", "contain", "stretch")
WORDS(choice_condition, "none", "concat", "norm")
WORDS(choice_concat, "none", "concat")
WORDS(choice_schedule, "alternating", "simultaneous")
WORDS(choice_precision, "f32", "tf32", "bf16")

static const char *choice_norm(size_t i) {
    if (i == 0) return "auto";
    return i <= gan_norm_count() ? gan_norm_at(i - 1)->name : NULL;
}

static const char *choice_weight(size_t i) {
    if (i == 0) return "auto";
    return i <= gan_weight_rule_count() ? gan_weight_rule_at(i - 1)->name : NULL;
}

static const char *choice_pairwise(size_t i) {
    if (i == 0) return "none";
    return i <= gan_pairwise_count() ? gan_pairwise_at(i - 1)->name : NULL;
}

static const char *choice_head(size_t i) {
    if (i == 0) return "auto";
    return i <= gan_head_count() ? gan_head_at(i - 1)->name : NULL;
}

typedef struct row {
    kind kind;
    size_t offset, size;
    const char *name, *initial;
    double low, high;
    choice choice;
    int flags;
    const char *about;
} row;

static const row rows[] = {
#define GAN_KEY(kind, field, name, initial, low, high, choice, flags, about)                       \
    {kind,                                                                                         \
     offsetof(gan_settings, field),                                                                \
     sizeof(gan_settings_##kind),                                                                  \
     name,                                                                                         \
     initial,                                                                                      \
     low,                                                                                          \
     high,                                                                                         \
     choice,                                                                                       \
     flags,                                                                                        \
     about},
#include "train/settings.def"
#undef GAN_KEY
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static void *field(gan_settings *c, const row *r) { return (char *)c + r->offset; }
static const void *field_of(const gan_settings *c, const row *r) {
    return (const char *)c + r->offset;
}

size_t gan_settings_key_count(void) { return N_ROWS; }

gan_settings_key gan_settings_key_at(size_t index) {
    const row *r = &rows[index < N_ROWS ? index : N_ROWS - 1];
    return (gan_settings_key){r->name, r->initial, r->about, (r->flags & FREE) != 0};
}

static void allowed(const row *r, char *text, size_t size) {
    switch (r->kind) {
    case INT:
        snprintf(text, size, "an integer from %.0f to %.0f", r->low, r->high);
        break;
    case REAL:
        snprintf(text, size, "a number from %.8g to %.8g", r->low, r->high);
        break;
    case FLAG:
        snprintf(text, size, "true or false");
        break;
    case TEXT:
        snprintf(text, size, "a text of at most %d bytes on one line", GAN_SETTING_TEXT - 1);
        break;
    case WORD: {
        int used = snprintf(text, size, "one of");
        for (size_t i = 0; r->choice(i) && used >= 0 && (size_t)used < size; i++)
            used += snprintf(text + used, size - (size_t)used, "%s %s", i ? "," : "", r->choice(i));
        break;
    }
    }
}

void gan_settings_key_allowed(size_t index, char *text, size_t size) {
    allowed(&rows[index < N_ROWS ? index : N_ROWS - 1], text, size);
}

static const row *find(const char *key) {
    for (int i = 0; i < N_ROWS; i++)
        if (!strcmp(rows[i].name, key)) return &rows[i];
    return NULL;
}

/* ---- one value from text ---- */

static bool parse_int(const row *r, const char *text, void *out) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || (double)v < r->low || (double)v > r->high) return false;
    *(int64_t *)out = v;
    return true;
}

static bool parse_real(const row *r, const char *text, void *out) {
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= r->low && v <= r->high)) return false;
    *(double *)out = v;
    return true;
}

static bool parse_flag(const char *text, void *out) {
    *(bool *)out = !strcmp(text, "true");
    return !strcmp(text, "true") || !strcmp(text, "false");
}

static bool parse_word(const row *r, const char *text, void *out) {
    for (size_t i = 0; r->choice(i); i++) {
        if (strcmp(r->choice(i), text)) continue;
        snprintf(out, GAN_SETTING_WORD, "%s", text);
        return true;
    }
    return false;
}

static bool parse_text(const char *text, void *out) {
    size_t n = strlen(text);
    if (n >= GAN_SETTING_TEXT) return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127) return false;
    memcpy(out, text, n + 1);
    return true;
}

static bool parse(const row *r, const char *text, void *out) {
    switch (r->kind) {
    case INT:
        return parse_int(r, text, out);
    case REAL:
        return parse_real(r, text, out);
    case FLAG:
        return parse_flag(text, out);
    case WORD:
        return parse_word(r, text, out);
    case TEXT:
        return parse_text(text, out);
    }
    return false;
}

/* ---- errors ---- */

static const char *key_name(size_t i) { return i < N_ROWS ? rows[i].name : NULL; }

static const char *nearest(const char *text, choice of) {
    const char *names[256];
    size_t n = 0;
    for (; n < sizeof names / sizeof *names && of(n); n++) names[n] = of(n);
    return gan_config_nearest(text, names, n);
}

/* A block of YAML below a key that takes one value. */
static const row *key_above(const char *key) {
    char above[64];
    for (const char *dot = strchr(key, '.'); dot; dot = strchr(dot + 1, '.')) {
        snprintf(above, sizeof above, "%.*s", (int)(dot - key), key);
        const row *r = find(above);
        if (r) return r;
    }
    return NULL;
}

static gan_status unknown_key(const char *key, const char *prefix) {
    const char *meant = gan_settings_meant(key), *dot = strrchr(key, '.');
    const row *above = key_above(key);
    if (!meant && !above && dot) meant = gan_settings_meant(dot + 1); /* training.lr */
    const char *near = meant ? NULL : nearest(key, key_name);
    if (meant)
        return gan_fail(GAN_ERROR_ARGUMENT, "%sunknown key '%.200s'; %s", prefix, key, meant);
    if (above && !near)
        return gan_fail(
            GAN_ERROR_ARGUMENT, "%sunknown key '%.200s': '%s' takes one value, such as '%s: %s'",
            prefix, key, above->name, above->name, above->initial[0] ? above->initial : "r1(10)");
    return gan_fail(GAN_ERROR_ARGUMENT, "%sunknown key '%.200s'%s%s%s", prefix, key,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static gan_status bad_value(const row *r, const char *value, const char *prefix) {
    char expected[512];
    allowed(r, expected, sizeof expected);
    char word[128];
    snprintf(word, sizeof word, "%.60s=%.60s", r->name, value);
    const char *meant = r->kind == WORD ? gan_settings_meant(word) : NULL;
    if (meant)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s%s: '%.200s' given, %s expected; %s", prefix,
                        r->name, value, expected, meant);
    const char *near = r->kind == WORD ? nearest(value, r->choice) : NULL;
    return gan_fail(GAN_ERROR_ARGUMENT, "%s%s: '%.200s' given, %s expected%s%s%s", prefix, r->name,
                    value, expected, near ? "; did you mean '" : "", near ? near : "",
                    near ? "'?" : "");
}

/* ---- the public table of values ---- */

gan_status gan_settings_set(gan_settings *settings, const char *key, const char *value,
                            const char *where) {
    char prefix[512] = "";
    if (where) snprintf(prefix, sizeof prefix, "%.500s: ", where);
    const row *r = find(key);
    if (!r) return unknown_key(key, prefix);
    return parse(r, value, field(settings, r)) ? GAN_OK : bad_value(r, value, prefix);
}

/* The shortest text that reads back as the same number. */
static void real_text(double v, char *text, size_t size) {
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, v);
        if (strtod(text, NULL) == v) return;
    }
}

static void value_text(const gan_settings *c, const row *r, char *text, size_t size) {
    const void *v = field_of(c, r);
    switch (r->kind) {
    case INT:
        snprintf(text, size, "%lld", (long long)*(const int64_t *)v);
        break;
    case REAL:
        real_text(*(const double *)v, text, size);
        break;
    case FLAG:
        snprintf(text, size, "%s", *(const bool *)v ? "true" : "false");
        break;
    case WORD:
    case TEXT:
        snprintf(text, size, "%s", (const char *)v);
        break;
    }
}

gan_status gan_settings_get(const gan_settings *settings, const char *key, char *value,
                            size_t size) {
    const row *r = find(key);
    if (!r) return unknown_key(key, "");
    value_text(settings, r, value, size);
    return GAN_OK;
}

gan_status gan_settings_create(gan_settings **out) {
    *out = NULL;
    gan_settings *c = calloc(1, sizeof *c);
    if (!c) return gan_fail(GAN_ERROR_MEMORY, "no memory for settings");
    for (int i = 0; i < N_ROWS; i++)
        if (!parse(&rows[i], rows[i].initial, field(c, &rows[i]))) {
            free(c);
            return bad_value(&rows[i], rows[i].initial, "default of ");
        }
    *out = c;
    return GAN_OK;
}

gan_status gan_settings_copy(gan_settings **out, const gan_settings *settings) {
    *out = malloc(sizeof **out);
    if (!*out) return gan_fail(GAN_ERROR_MEMORY, "no memory for settings");
    **out = *settings;
    return GAN_OK;
}

void gan_settings_destroy(gan_settings *settings) { free(settings); }

void gan_settings_reset(gan_settings *settings, const char *key) {
    const row *r = find(key);
    if (r) parse(r, r->initial, field(settings, r)); /* a default is allowed */
}

const char *gan_settings_difference(const gan_settings *a, const gan_settings *b) {
    char x[GAN_SETTING_TEXT], y[GAN_SETTING_TEXT];
    gan_settings one = *a, other = *b;
    gan_settings_tidy(&one);
    gan_settings_tidy(&other);
    for (int i = 0; i < N_ROWS; i++) {
        if (rows[i].flags & FREE) continue;
        value_text(&one, &rows[i], x, sizeof x);
        value_text(&other, &rows[i], y, sizeof y);
        if (strcmp(x, y)) return rows[i].name;
    }
    return NULL;
}
