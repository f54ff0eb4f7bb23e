/* ganc neighbours: does the generator remember? */
#include <stdio.h>

#include "cli.h"

static const char *png, *count_text, *seed_text, *data, *device_name;
static bool mirrored;

static const option options[] = {
    {"--out", .letter = "-o", .argument = "FILE.png", .about = "the picture to write",
     .value = &png},
    {"--count", .argument = "N", .about = "how many samples, up to 1024; else 24",
     .value = &count_text},
    {"--mirrored", .about = "mirrored examples count as well", .flag = &mirrored},
    {"--data", .argument = "SET", .about = "where to look; else what the run was trained on",
     .value = &data},
    {"--seed", .argument = "N", .about = "of the noise; else the run's", .value = &seed_text},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage neighbours_usage = {
    .command = "neighbours",
    .operands = "CHECKPOINT|RUN",
    .about = "Draws samples, each with the nearest training example to its right: by the sum of "
             "squares over pixels,\n"
             "as in figure 2 of Goodfellow et al. 2014. Prints for each sample which example it "
             "is, counted\nfrom 0, and the distance: the root of that sum, pixels from 0 to 1.",
    .options = options,
};

static int draw(const char *checkpoint, const gan_neighbours_options *o) {
    static gan_neighbour found[GAN_NEAREST_SAMPLES];
    gan_device *device;
    const int opened = open_device(&neighbours_usage, &device, device_name, NULL);
    if (opened >= 0) return opened;
    const gan_status status = gan_neighbours_checkpoint(found, checkpoint, png, device, o);
    gan_device_close(device);
    if (status) return failed();
    for (int64_t i = 0; i < o->count; i++)
        printf("sample %lld: nearest to example %lld%s, distance %.4f\n", (long long)i,
               (long long)found[i].index, found[i].mirrored ? " mirrored" : "", found[i].distance);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_neighbours(int argc, char **argv) {
    const char *checkpoint = NULL;
    int n_operands;
    int64_t number = 0;
    gan_neighbours_options o = {.count = 24};
    const usage *u = &neighbours_usage;
    int code = read_arguments(u, argc, argv, 1, &checkpoint, &n_operands);
    if (code >= 0) return code;
    if (!checkpoint) return wrong_usage(u, "CHECKPOINT or RUN is missing");
    if (!png) return wrong_usage(u, "-o FILE.png is missing");
    if ((code = check_output(u, png, false)) >= 0) return code;
    if ((code = take_number(u, "--count", count_text, 1, GAN_NEAREST_SAMPLES, &o.count)) >= 0)
        return code;
    if ((code = take_number(u, "--seed", seed_text, 0, INT64_MAX, &number)) >= 0) return code;
    const uint64_t seed = (uint64_t)number;
    o.seed = seed_text ? &seed : NULL;
    o.data = data;
    o.mirrored = mirrored;
    if ((code = find_checkpoint(&checkpoint, checkpoint)) >= 0) return code;
    return draw(checkpoint, &o);
}
