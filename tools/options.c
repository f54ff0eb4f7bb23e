/* Reading a command's arguments from a table of options. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "ganc/io.h"

enum { MAX_OPTIONS = 32 };

int wrong_usage(const usage *u, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "ganc %s: ", u->command);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see `ganc %s --help`\n", u->command);
    va_end(args);
    return EXIT_USAGE;
}

int failed(void) {
    fprintf(stderr, "ganc: %s\n", gan_last_error());
    return EXIT_FAILED;
}

int take_number(const usage *u, const char *name, const char *text, int64_t low, int64_t high,
                int64_t *out) {
    char *end, to[32] = "";
    if (!text) return -1;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end != text && !*end && !errno && v >= low && v <= high) {
        *out = v;
        return -1;
    }
    if (high < INT64_MAX) snprintf(to, sizeof to, " to %lld", (long long)high);
    return wrong_usage(u, "%s: '%s' given, a whole number from %lld%s expected", name, text,
                       (long long)low, to);
}

int check_output(const usage *u, const char *path, bool text) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *end = strrchr(name, '.');
    if (!end || end == name || !strcasecmp(end, ".png") || (text && !strcmp(end, ".txt")))
        return gan_file_check_writable(path) ? failed() : -1;
    return wrong_usage(u, "-o: '%s' given, but %s", path,
                       text ? "what can be written is FILE.png, and of sequences FILE.txt"
                            : "a picture is written as FILE.png");
}

static void print_help(const usage *u) {
    printf("usage: ganc %s%s%s%s\n\n%s\n\noptions:\n", u->command,
           u->options->name ? " [OPTION]…" : "", u->operands[0] ? " " : "", u->operands, u->about);
    for (const option *o = u->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s%s", o->letter ? o->letter : "", o->letter ? ", " : "",
                 o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        /* What is longer has its text below. */
        printf("  %-22s%s%s\n", left, strlen(left) > 22 ? "\n                         " : " ",
               o->about);
    }
    printf("  %-22s %s\n", "-h, --help", "this text");
    if (u->more) u->more();
    puts("\nExit codes: 0 done, 1 failed: what was asked for could not be done, 2 wrong usage: the "
         "arguments\nare not understood; one line on stderr says what and why.");
}

/* The option called `name`, which is `length` bytes long. */
static const option *find_option(const usage *u, const char *name, size_t length) {
    for (const option *o = u->options; o->name; o++) {
        if (strlen(o->name) == length && !strncmp(o->name, name, length)) return o;
        if (o->letter && strlen(o->letter) == length && !strncmp(o->letter, name, length)) return o;
    }
    return NULL;
}

static bool is_key(const char *name) {
    for (size_t i = 0; i < gan_settings_key_count(); i++)
        if (!strcmp(gan_settings_key_at(i).name, name)) return true;
    return false;
}

/* A key of the configuration, by its name here or elsewhere, given as an option. -1: it is none. */
static int key_as_option(const usage *u, const char *given) {
    char name[64];
    if (strncmp(given, "--", 2) || !find_option(u, "--set", 5)) return -1;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    const char *meant = gan_settings_meant(name);
    if (is_key(name))
        return wrong_usage(u, "unknown option '--%s'; that key is set by --set %s=VALUE", name,
                           name);
    if (!meant) return -1;
    return wrong_usage(u, "unknown option '--%s'; %s%s", name, meant,
                       strstr(meant, "option") ? "" : ", set by --set KEY=VALUE");
}

static int unknown_option(const usage *u, const char *given) {
    const char *names[MAX_OPTIONS];
    int n = 0;
    const int code = key_as_option(u, given);
    if (code >= 0) return code;
    names[n++] = "--help";
    for (const option *o = u->options; o->name && n < MAX_OPTIONS; o++) names[n++] = o->name;
    const char *near = gan_config_nearest(given, names, (size_t)n);
    return wrong_usage(u, "unknown option '%s'%s%s%s", given, near ? "; did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
}

/* Reads the option at argv[*i], and its value: behind '=' or the next argument. Returns -1 to go
 * on. */
static int read_option(const usage *u, int argc, char **argv, int *i) {
    const char *given = argv[*i], *equals = strncmp(given, "--", 2) ? NULL : strchr(given, '=');
    const option *o = find_option(u, given, equals ? (size_t)(equals - given) : strlen(given));
    if (!o) return unknown_option(u, given);
    if (!o->argument) {
        if (equals) return wrong_usage(u, "%s takes no value", o->name);
        *o->flag = true;
        return -1;
    }
    const char *value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (!value) return wrong_usage(u, "%s needs a value: %s %s", o->name, o->name, o->argument);
    if (o->value) *o->value = value;
    if (o->values) {
        if (o->values->n == MAX_REPEATS)
            return wrong_usage(u, "more than %d times %s", MAX_REPEATS, o->name);
        o->values->value[o->values->n++] = value;
    }
    return -1;
}

int read_arguments(const usage *u, int argc, char **argv, int max, const char **operand,
                   int *n_operands) {
    bool only_operands = false;
    *n_operands = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_operands && !strcmp(argv[i], "--")) {
            only_operands = true;
        } else if (!only_operands && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
            print_help(u);
            return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
            int code = read_option(u, argc, argv, &i);
            if (code >= 0) return code;
        } else if (*n_operands < max) {
            operand[(*n_operands)++] = argv[i];
        } else {
            return wrong_usage(u, "'%s' is one argument too many", argv[i]);
        }
    }
    return -1;
}
