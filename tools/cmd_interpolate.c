/* ganc interpolate: what lies between two noises. */
#include <stdio.h>

#include "cli.h"

static const char *png, *rows_text, *steps_text, *seed_text, *device_name;
static bool linear, spherical;

static const option options[] = {
    {"--out", .letter = "-o", .argument = "FILE.png", .about = "the picture to write",
     .value = &png},
    {"--rows", .argument = "N", .about = "walks; else 8", .value = &rows_text},
    {"--steps", .argument = "K", .about = "pictures a walk, both ends included; else 10",
     .value = &steps_text},
    {"--linear", .about = "on a straight line; else so where the noise is not normal",
     .flag = &linear},
    {"--spherical", .about = "on an arc, which keeps the length; else so where the noise is normal",
     .flag = &spherical},
    {"--seed", .argument = "N", .about = "of the ends; else the run's", .value = &seed_text},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage interpolate_usage = {
    .command = "interpolate",
    .operands = "CHECKPOINT|RUN",
    .about =
        "Walks from one noise to another in each row and draws what the generator makes of it. "
        "Where the run\n"
        "has classes, a row stays in one. Equal seeds give equal pictures.",
    .options = options,
};

static int draw(const char *checkpoint, const gan_interpolate_options *o) {
    gan_device *device;
    const int opened = open_device(&interpolate_usage, &device, device_name, NULL);
    if (opened >= 0) return opened;
    const gan_status status =
        gan_interpolate_checkpoint(checkpoint_path(checkpoint), png, device, o);
    gan_device_close(device);
    return status ? failed() : EXIT_DONE;
}

int cmd_interpolate(int argc, char **argv) {
    const char *checkpoint = NULL;
    int n_operands;
    int64_t number = 0;
    gan_interpolate_options o = {0};
    const usage *u = &interpolate_usage;
    int code = read_arguments(u, argc, argv, 1, &checkpoint, &n_operands);
    if (code >= 0) return code;
    if (!checkpoint) return wrong_usage(u, "CHECKPOINT or RUN is missing");
    if (!png) return wrong_usage(u, "-o FILE.png is missing");
    if ((code = check_output(u, png, false)) >= 0) return code;
    if (linear && spherical) return wrong_usage(u, "--linear and --spherical exclude each other");
    if (rows_text && !read_count(rows_text, 1, &o.rows))
        return wrong_usage(u, "--rows: '%s' given, a whole number from 1 expected", rows_text);
    if (steps_text && !read_count(steps_text, 2, &o.steps))
        return wrong_usage(u, "--steps: '%s' given, a whole number from 2 expected", steps_text);
    if (seed_text && !read_count(seed_text, 0, &number))
        return wrong_usage(u, "--seed: '%s' given, a whole number from 0 expected", seed_text);
    const uint64_t seed = (uint64_t)number;
    o.seed = seed_text ? &seed : NULL;
    o.walk = linear ? GAN_WALK_LINEAR : spherical ? GAN_WALK_SPHERICAL : GAN_WALK_AUTO;
    return draw(checkpoint, &o);
}
