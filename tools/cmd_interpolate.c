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
    const gan_status status = gan_interpolate_checkpoint(checkpoint, png, device, o);
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
    if ((code = take_number(u, "--rows", rows_text, 1, INT64_MAX, &o.rows)) >= 0) return code;
    if ((code = take_number(u, "--steps", steps_text, 2, INT64_MAX, &o.steps)) >= 0) return code;
    if ((code = take_number(u, "--seed", seed_text, 0, INT64_MAX, &number)) >= 0) return code;
    const uint64_t seed = (uint64_t)number;
    o.seed = seed_text ? &seed : NULL;
    o.walk = linear ? GAN_WALK_LINEAR : spherical ? GAN_WALK_SPHERICAL : GAN_WALK_AUTO;
    if ((code = find_checkpoint(&checkpoint, checkpoint)) >= 0) return code;
    return draw(checkpoint, &o);
}
