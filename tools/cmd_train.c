/* ganc train: settings from a preset or file and the command line, a run in its folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "ganc/adversarial.h"
#include "ganc/data.h"
#include "ganc/io.h"
#include "progress.h"
#include "signals.h"

static const char *device_name, *data, *out, *steps, *seed;
static repeated sets;
static bool resume;

static const option options[] = {
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {"--data", .argument = "SET",
     .about = "a data set by name, or the path of its folder or images", .value = &data},
    {"--out", .argument = "DIR", .about = "run folder; else runs/NAME", .value = &out},
    {"--steps", .argument = "N", .about = "generator updates of the whole run", .value = &steps},
    {"--seed", .argument = "N", .about = "of weights, noise and shuffles", .value = &seed},
    {"--set", .argument = "KEY=VALUE", .about = "any key of the configuration; may be given often",
     .values = &sets},
    {"--resume", .about = "continue the run in DIR from its checkpoint", .flag = &resume},
    {0},
};

static void print_row(const char *name, const char *about, const gan_knob *knob) {
    printf("  %s", name);
    for (int i = 0; i < GAN_KNOBS && knob[i].name; i++)
        printf("%s%s=%g", i ? ", " : "(", knob[i].name, knob[i].initial);
    printf("%s\n      %s\n", knob[0].name ? ")" : "", about);
}

static void print_tables(void) {
    printf("\nterms, with their defaults:\n");
    for (size_t i = 0; i < gan_term_count(); i++)
        print_row(gan_term_at(i)->name, gan_term_at(i)->about, gan_term_at(i)->knob);
    printf("\naugmentations:\n");
    for (size_t i = 0; i < gan_augment_count(); i++)
        print_row(gan_augment_at(i)->name, gan_augment_at(i)->about, gan_augment_at(i)->knob);
}

static void print_keys(void) {
    char allowed[256];
    puts(
        "\n"
        "The run folder holds config.yaml, log.jsonl, samples/step-N.png, checkpoint.safetensors.\n"
        "With --resume, PRESET|FILE may be left out: the checkpoint knows its configuration, steps "
        "included;\nwhere it is given, it has to be that of the run, and only --steps, --data and "
        "--set change anything.\n"
        "Ctrl-C, or a signal to end, stops a run with a checkpoint written, and exit code 130.\n");
    printf("data by name:\n ");
    for (size_t i = 0; gan_dataset_known(i); i++) printf(" %s", gan_dataset_known(i));
    for (size_t i = 0; gan_mixture_at(i); i++) printf(" %s", gan_mixture_at(i)->name);
    for (size_t i = 0; gan_grammar_at(i); i++) printf(" %s", gan_grammar_at(i)->name);
    printf("\n\nkeys of the configuration, with their defaults:\n");
    for (size_t i = 0; i < gan_settings_key_count(); i++) {
        const gan_settings_key key = gan_settings_key_at(i);
        gan_settings_key_allowed(i, allowed, sizeof allowed);
        printf("  %s: %s\n      %s (%s)\n", key.name, key.initial, key.about, allowed);
    }
    print_tables();
}

static const usage train_usage = {
    .command = "train",
    .operands = "PRESET|FILE",
    .about = "Trains a GAN as a preset (`ganc presets`) or a YAML file says. A step is one update "
             "of the generator.",
    .options = options,
    .more = print_keys,
};

/* ---- settings ---- */

/* A run without a name is called like its preset or file. */
static int name_run(gan_settings *settings, const char *name) {
    char called[256];
    gan_settings_get(settings, "name", called, sizeof called);
    if (called[0]) return -1;
    const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    const char *dot = strrchr(base, '.');
    const size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    snprintf(called, sizeof called, "%.*s", (int)length, base);
    return gan_settings_set(settings, "name", called, NULL) ? failed() : -1;
}

static int default_folder(char *folder, size_t size, const gan_settings *settings) {
    char called[256];
    gan_settings_get(settings, "name", called, sizeof called);
    if (!called[0] || called[0] == '.' || strchr(called, '/'))
        return wrong_usage(&train_usage, "name '%s' cannot name a folder; give one with --out",
                           called);
    snprintf(folder, size, "runs/%s", called);
    return -1;
}

static int checkpoint_settings(gan_settings **settings, const char *folder) {
    char path[4200];
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    if (!gan_file_exists(path)) {
        fprintf(stderr,
                "ganc: %s: no such file; nothing to resume, start with a preset or file and "
                "without --resume\n",
                path);
        return EXIT_FAILED;
    }
    return gan_checkpoint_open(settings, NULL, path) ? failed() : -1;
}

static int read_settings(gan_settings **settings, const char *name) {
    if (!name) return checkpoint_settings(settings, out);
    const int code = open_settings(&train_usage, settings, name);
    return code < 0 ? name_run(*settings, name) : code;
}

/* What the command line says beyond the preset. */
static int apply_options(gan_settings *settings) {
    const struct {
        const char *key, *value, *option;
    } pair[] = {{"data", data, "--data"}, {"steps", steps, "--steps"}, {"seed", seed, "--seed"}};
    gan_status status = GAN_OK;
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        for (int k = 0; pair[i].value && k < sets.n; k++) {
            const size_t length = strlen(pair[i].key);
            if (!strncmp(sets.value[k], pair[i].key, length) && sets.value[k][length] == '=')
                return wrong_usage(&train_usage, "%s is given twice: %s %s and --set %s",
                                   pair[i].key, pair[i].option, pair[i].value, sets.value[k]);
        }
    for (size_t i = 0; i < sizeof pair / sizeof *pair && status == GAN_OK; i++)
        if (pair[i].value)
            status = gan_settings_set(settings, pair[i].key, pair[i].value, pair[i].option);
    if (status != GAN_OK) return wrong_usage(&train_usage, "%s", gan_last_error());
    return apply_sets(&train_usage, settings, &sets);
}

/* ---- going on ---- */

static bool on_command_line(const char *key) {
    const size_t n = strlen(key);
    for (int i = 0; i < sets.n; i++)
        if (!strncmp(sets.value[i], key, n) && sets.value[i][n] == '=') return true;
    return (data && !strcmp(key, "data")) || (steps && !strcmp(key, "steps"));
}

/* A run has the absolute path of what a file may name from here. */
static bool same_file(const char *one, const char *other) {
    struct stat a, b;
    return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A key that may change in a run is the run's own still, whatever the preset or file has, unless
 * the command line says otherwise. What matters of it is said. */
static void keep(gan_settings *settings, const gan_settings *run, const char *key,
                 const char *folder, const char *name) {
    char here[4096], there[4096];
    gan_settings_get(settings, key, here, sizeof here);
    gan_settings_get(run, key, there, sizeof there);
    if (!strcmp(here, there)) return;
    gan_settings_set(settings, key, there, NULL);
    if (!strcmp(key, "data") && same_file(here, there)) return;
    if (strcmp(key, "name") && strcmp(key, "description") && strcmp(key, "threads") &&
        strcmp(key, "branches") && strcmp(key, "pdl"))
        fprintf(
            stderr,
            "ganc: %s stays at %s, as the run in %s has it; %s has %s, --set %s=%s takes that\n",
            key, there, folder, name, here, key, here);
}

/* A preset or file that is not the run's is refused here, before anything is said of keys that may
 * change. Both settings are tidy. */
static int check_same(const gan_settings *settings, const gan_settings *run, const char *path) {
    char here[4096], there[4096];
    for (size_t i = 0; i < gan_settings_key_count(); i++) {
        const gan_settings_key key = gan_settings_key_at(i);
        gan_settings_get(settings, key.name, here, sizeof here);
        gan_settings_get(run, key.name, there, sizeof there);
        if (key.free || !strcmp(here, there)) continue;
        fprintf(stderr, "ganc: %s: %s: '%s' given, but this run has '%s' and keeps it\n", path,
                key.name, here, there);
        return EXIT_FAILED;
    }
    return -1;
}

static int keep_the_runs_own(gan_settings *settings, const char *folder, const char *name) {
    char path[4200];
    gan_settings *run;
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    if (!gan_file_exists(path)) return -1; /* the trainer says so */
    if (gan_checkpoint_open(&run, NULL, path)) return failed();
    gan_settings_tidy(run);
    const int code = check_same(settings, run, path);
    for (size_t i = 0; i < gan_settings_key_count() && code < 0; i++) {
        const gan_settings_key key = gan_settings_key_at(i);
        if (key.free && !on_command_line(key.name)) keep(settings, run, key.name, folder, name);
    }
    gan_settings_destroy(run);
    return code;
}

/* ---- the run ---- */

static int64_t number(const gan_settings *settings, const char *key) {
    char text[64];
    if (gan_settings_get(settings, key, text, sizeof text)) return 0;
    return strtoll(text, NULL, 10);
}

/* What trains nothing, though it was not asked for as such. */
static void say_what_is_idle(const gan_settings *settings, int64_t step) {
    const int64_t last = number(settings, "steps"), linear = number(settings, "rate.linear");
    if (step >= last)
        fprintf(stderr, "ganc: the run is at step %lld of %lld; --steps has it go on\n",
                (long long)step, (long long)last);
    else if (linear > 0 && last > linear)
        fprintf(stderr, "ganc: from step %lld on nothing is learnt: rate.linear ends there\n",
                (long long)linear);
}

/* Where to look when it is done. */
static void say_where(const char *folder, int64_t step) {
    char path[4200];
    snprintf(path, sizeof path, "%s/samples/step-%lld.png", folder, (long long)step);
    if (gan_file_exists(path))
        fprintf(stderr, "ganc: %s shows samples; `ganc sample %s -o FILE.png` draws more\n", path,
                folder);
}

static int train(const gan_settings *settings, const char *folder, gan_device *device) {
    gan_trainer *trainer;
    gan_device_info info;
    progress_line line;
    const gan_trainer_options trainer_options = {.folder = folder, .resume = resume};
    if (gan_trainer_open(&trainer, settings, device, &trainer_options)) return failed();
    if (gan_device_describe(device, &info) == GAN_OK)
        fprintf(stderr, "ganc: training on %s, into %s\n", device_text(&info), folder);
    say_what_is_idle(settings, gan_trainer_step(trainer));
    progress_begin(&line);
    const gan_trainer_callbacks callbacks = {
        .context = &line, .stop = signals_stop, .progress = progress_show};
    const gan_status status = gan_trainer_run(trainer, &callbacks);
    progress_end(&line);
    if (status == GAN_OK) say_where(folder, gan_trainer_step(trainer));
    gan_trainer_close(trainer);
    if (status == GAN_OK) return EXIT_DONE;
    if (status == GAN_ERROR_NOT_FINITE) {
        fprintf(stderr, "ganc: %s; a new run with smaller rates may stay finite\n",
                gan_last_error());
        return EXIT_FAILED;
    }
    if (status != GAN_ERROR_INTERRUPTED) return failed();
    fprintf(stderr, "ganc: %s; `ganc train --resume --out %s` goes on\n", gan_last_error(), folder);
    return EXIT_STOPPED;
}

static int open_and_train(const gan_settings *settings, const char *folder) {
    gan_device *device;
    const gan_device_options device_options = device_options_of(settings);
    int code = open_device(&train_usage, &device, device_name, &device_options);
    if (code >= 0) return code;
    code = train(settings, folder, device);
    gan_device_close(device);
    return code;
}

int cmd_train(int argc, char **argv) {
    char folder[4096];
    const char *name = NULL;
    gan_settings *settings = NULL;
    int n_operands;
    signals_catch();
    int code = read_arguments(&train_usage, argc, argv, 1, &name, &n_operands);
    if (code < 0 && !name && !resume) code = wrong_usage(&train_usage, "PRESET or FILE is missing");
    if (code < 0 && !name && !out)
        code = wrong_usage(&train_usage, "--resume without PRESET or FILE needs --out DIR");
    if (code < 0 && out && (!out[0] || strlen(out) >= sizeof folder - 64))
        code = wrong_usage(&train_usage, "--out: not a path");
    if (code < 0) code = read_settings(&settings, name);
    if (code < 0) code = apply_options(settings);
    if (code < 0 && out) snprintf(folder, sizeof folder, "%s", out);
    if (code < 0 && !out) code = default_folder(folder, sizeof folder, settings);
    if (code < 0 && resume && name) code = keep_the_runs_own(settings, folder, name);
    if (code < 0) code = open_and_train(settings, folder);
    gan_settings_destroy(settings);
    return code;
}
