/* What the commands share: the table of commands, options, presets, opening things. */
#ifndef GANC_TOOLS_CLI_H
#define GANC_TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ganc/device.h"
#include "ganc/train.h"

/* What `ganc` exits with. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STOPPED = 130 };

/* A command: `run` gets the arguments from its own name on. */
typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} command;

int cmd_train(int argc, char **argv);
int cmd_sample(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_theory(int argc, char **argv);
int cmd_interpolate(int argc, char **argv);
int cmd_neighbours(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_score(int argc, char **argv);
int cmd_encode(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_presets(int argc, char **argv);

/* ---- options ---- */

enum { MAX_REPEATS = 128 };

/* The values of an option that may be given several times. */
typedef struct repeated {
    int n;
    const char *value[MAX_REPEATS];
} repeated;

/* An option is a flag (`flag`), or takes a value (`value` once, the last counts, or `values`
 * often). */
typedef struct option {
    const char *name;     /* "--steps" */
    const char *letter;   /* "-o", or NULL */
    const char *argument; /* "N" in help; NULL for a flag */
    const char *about;
    bool *flag;
    const char **value;
    repeated *values;
} option;

typedef struct usage {
    const char *command;   /* "train" */
    const char *operands;  /* "PRESET|FILE" */
    const char *about;     /* a paragraph */
    const option *options; /* ends with a row without a name; --help comes by itself */
    void (*more)(void);    /* prints what else belongs into --help, or NULL */
} usage;

/* Reads a command's arguments: options anywhere, at most `max` operands, "--" ends the options.
 * Returns -1 to go on, else the exit code: help was asked for, or the arguments were wrong and that
 * was said. */
int read_arguments(const usage *u, int argc, char **argv, int max, const char **operand,
                   int *n_operands);

/* Says "ganc COMMAND: MESSAGE" and how to get help; returns EXIT_USAGE. */
int wrong_usage(const usage *u, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says "ganc: " and the library's last error on stderr; returns EXIT_FAILED. */
int failed(void);

/* The whole number from `low` to `high` (INT64_MAX: any) that option `name` was given; leaves *out
 * where `text` is NULL. Returns -1 to go on, or the exit code after saying what is expected. */
int take_number(const usage *u, const char *name, const char *text, int64_t low, int64_t high,
                int64_t *out);

/* Whether a picture, or where `text` text as well, can be written to `path`: says what is possible
 * where its name ends otherwise, and what is in the way. A name without an end is taken. Returns -1,
 * or the exit code. */
int check_output(const usage *u, const char *path, bool text);

/* ---- presets ---- */

typedef struct preset {
    const char *name;
    const unsigned char *text; /* YAML */
    size_t length;
    double seconds; /* about how long it trains on one core, of durations.txt; 0: not measured */
} preset;

/* Made from tools/presets by the build. */
extern const preset presets[];
extern const int n_presets;

const preset *find_preset(const char *name);

/* Says that `name` is not what was `expected`, and which preset is near; returns EXIT_USAGE. */
int unknown_preset(const usage *u, const char *name, const char *expected);

/* Settings from the preset of that name, or from the YAML file at that path. Returns -1, or the
 * exit code after saying what is wrong. */
int open_settings(const usage *u, gan_settings **out, const char *name);

/* What --set says, on top of `settings`: refuses keys without effect that were given so, and sets
 * those of the preset or file that have lost theirs by it back to their defaults. Returns -1, or
 * the exit code. */
int apply_sets(const usage *u, gan_settings *settings, const repeated *sets);

/* ---- checkpoints ---- */

bool is_folder(const char *path);

/* The checkpoint of a run's folder, or the file itself; valid until the next call. Returns -1, or
 * the exit code after saying what was expected where there is none. */
int find_checkpoint(const char **path, const char *given);

/* ---- devices ---- */

/* Opens the device called `name`, NULL: the best. Returns -1, or the exit code after saying what is
 * wrong: EXIT_USAGE for what is no name of a device, EXIT_FAILED for one that is not here. */
int open_device(const usage *u, gan_device **out, const char *name,
                const gan_device_options *options);

/* What a run's settings say of the device. */
gan_device_options device_options_of(const gan_settings *settings);

/* "cpu (NAME, 2 threads)", "cuda:0 (NAME)"; valid until the next call. */
const char *device_text(const gan_device_info *info);

#endif
