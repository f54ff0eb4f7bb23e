/* The ganc command: a table of commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "ganc/io.h"

static const command commands[] = {
    {"train", cmd_train, "train a GAN from a preset or a configuration file"},
    {"sample", cmd_sample, "draw samples from a checkpoint into a PNG"},
    {"interpolate", cmd_interpolate, "walk from noise to noise, as a picture"},
    {"neighbours", cmd_neighbours, "samples beside the nearest training examples"},
    {"classify", cmd_classify, "are samples of the class asked for, and what does D know"},
    {"score", cmd_score, "how far samples as a whole are from the test images"},
    {"encode", cmd_encode, "images beside what the generator makes of their codes"},
    {"theory", cmd_theory, "what is proved about GANs, computed and drawn"},
    {"info", cmd_info, "what a run costs: parameters, memory, launches, bytes moved"},
    {"devices", cmd_devices, "the devices of this machine"},
    {"presets", cmd_presets, "the presets, or one of them as YAML"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *file) {
    fprintf(file, "usage: ganc COMMAND …\n\ncommands:\n");
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(file, "  %-11s %s\n", commands[i].name, commands[i].about);
    fprintf(file,
            "\n`ganc COMMAND --help` says more about one; `ganc --version` prints the version.\n"
            "Exit codes: 0 done, 1 failed: what was asked for could not be done, 2 wrong usage: "
            "the arguments\nare not understood, 130 stopped by a signal.\n");
}

static int unknown_command(const char *name) {
    const char *names[N_COMMANDS];
    for (int i = 0; i < N_COMMANDS; i++) names[i] = commands[i].name;
    const char *near = gan_config_nearest(name, names, (size_t)N_COMMANDS);
    fprintf(stderr, "ganc: unknown command '%s'%s%s%s; see `ganc --help`\n", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return EXIT_USAGE;
}

/* OpenMP's idle threads spin for milliseconds unless told otherwise, and on a machine with other
 * work to do that costs ten times what it saves. Some microseconds bridge the gap between two ops.
 * Its runtime looks when the program is loaded, so the program is loaded again. */
static void wait_briefly(char **argv) {
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("OMP_WAIT_POLICY", "passive", 1) || setenv("GOMP_SPINCOUNT", "5000", 1)) return;
    execv("/proc/self/exe", argv); /* where this fails, spinning it is */
}

int main(int argc, char **argv) {
    wait_briefly(argv);
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_usage(stdout);
        return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("ganc %s\n", gan_version());
        return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
