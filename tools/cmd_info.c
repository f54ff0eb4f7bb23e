/* ganc info: what a run costs, before anything runs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char *device_name, *data;
static repeated sets;
static bool plan;

static const option options[] = {
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {"--data", .argument = "SET",
     .about = "a data set by name, or the path of its folder or images", .value = &data},
    {"--set", .argument = "KEY=VALUE", .about = "any key of the configuration; may be given often",
     .values = &sets},
    {"--plan", .about = "the plan, too: one line a launch", .flag = &plan},
    {0},
};

static const usage info_usage = {
    .command = "info",
    .operands = "PRESET|FILE|CHECKPOINT|RUN",
    .about = "Prints what an iteration of a run costs. Nothing is trained and no memory of the "
             "device is taken.",
    .options = options,
};

static double mib(size_t bytes) { return (double)bytes / (1024.0 * 1024.0); }

static double mb(int64_t bytes) { return (double)bytes * 1e-6; }

static void print_figures(const gan_settings *settings, const gan_program_info *p,
                          const gan_device_info *d) {
    static const char *const keys[] = {"model", "objective", "data",      "batch",
                                       "steps", "d_steps",   "optimizer", "precision"};
    char value[256];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        gan_settings_get(settings, keys[i], value, sizeof value);
        printf("%-12s %s\n", keys[i], value);
    }
    printf("%-12s %s\n", "device", device_text(d));
    printf("%-12s %" PRId64 " (%.1f MiB)\n", "parameters", p->parameters, mib(p->weight_bytes));
    printf("%-12s %.1f MiB: parameters, moments, statistics, data\n", "variables",
           mib(p->variable_bytes));
    printf("%-12s %.1f MiB\n", "activations", mib(p->activation_bytes));
    printf("%-12s %.1f MiB\n", "workspace", mib(p->workspace_bytes));
    printf("%-12s %.1f MiB\n", "memory",
           mib(p->variable_bytes + p->activation_bytes + p->workspace_bytes));
    printf("%-12s %d an iteration, with everything fused %d\n", "launches", p->launches,
           p->launches_least);
    printf("%-12s %d of them one after the other, in the longest chain\n", "depth", p->depth);
    printf("%-12s %.1f MB an iteration (read %.1f, written %.1f; updates %.1f), with everything "
           "fused %.1f MB\n",
           "moved", mb(p->bytes_moved), mb(p->bytes_read), mb(p->bytes_written),
           mb(p->bytes_updates), mb(p->bytes_least));
    printf("%-12s %.3f GFLOP an iteration\n", "arithmetic", (double)p->flops * 1e-9);
}

/* A GPU that is not here can be planned for all the same, if it is asked for. */
static int open_for_plan(gan_device **device, const gan_settings *settings) {
    gan_device_options how = device_options_of(settings);
    char absent[512];
    const bool gpu = device_name && !strcmp(device_name, "cuda");
    if (gpu) gan_device_absence("cuda", absent, sizeof absent);
    how.plan_only = gpu && absent[0];
    return open_device(&info_usage, device, device_name, &how);
}

/* With other settings than its own the figures are not those of the run. */
static void print_checkpoint(const gan_settings *run, const gan_checkpoint_info *about) {
    char name[256];
    gan_settings_get(run, "name", name, sizeof name);
    printf("%-12s %s, step %" PRId64 ", by ganc %s%s\n", "checkpoint", name, about->step,
           about->version,
           sets.n || data ? "; the figures below are of a run like it, with what --set and --data "
                            "change"
                          : "");
}

/* `run`: the settings of the checkpoint, which is described by `from`, or NULL. */
static int print_info(const gan_settings *settings, const gan_settings *run,
                      const gan_checkpoint_info *from) {
    gan_device *device;
    gan_device_info about;
    gan_trainer *trainer;
    gan_program_info figures;
    const int code = open_for_plan(&device, settings);
    if (code >= 0) return code;
    gan_status status = gan_device_describe(device, &about);
    if (status == GAN_OK)
        status = gan_trainer_open(&trainer, settings, device, &(gan_trainer_options){.plan = true});
    if (status == GAN_OK) {
        if (run) print_checkpoint(run, from);
        gan_trainer_describe(trainer, &figures);
        print_figures(settings, &figures, &about);
        if (plan) {
            printf("\n");
            status = gan_trainer_print(trainer, stdout);
        }
        gan_trainer_close(trainer);
    }
    gan_device_close(device);
    if (status != GAN_OK) return failed();
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

/* Checkpoints are told by their name, runs are folders; a preset of that name comes first. */
static bool is_checkpoint(const char *name) {
    static const char end[] = ".safetensors";
    const size_t n = strlen(name), m = sizeof end - 1;
    return (n > m && !strcmp(name + n - m, end)) || (!find_preset(name) && is_folder(name));
}

int cmd_info(int argc, char **argv) {
    const char *name = NULL;
    gan_settings *settings = NULL, *run = NULL;
    gan_checkpoint_info from;
    int n_operands;
    int code = read_arguments(&info_usage, argc, argv, 1, &name, &n_operands);
    if (code < 0 && !name)
        code = wrong_usage(&info_usage, "PRESET, FILE, CHECKPOINT or RUN is missing");
    if (code < 0 && !is_checkpoint(name)) code = open_settings(&info_usage, &settings, name);
    if (code < 0 && !settings) code = find_checkpoint(&name, name);
    if (code < 0 && !settings &&
        (gan_checkpoint_open(&run, &from, name) || gan_settings_copy(&settings, run)))
        code = failed();
    if (code < 0 && data && gan_settings_set(settings, "data", data, "--data"))
        code = wrong_usage(&info_usage, "%s", gan_last_error());
    if (code < 0) code = apply_sets(&info_usage, settings, &sets);
    if (code < 0) code = print_info(settings, run, &from);
    gan_settings_destroy(settings);
    gan_settings_destroy(run);
    return code;
}
