/* ganc sample: a picture from a checkpoint. */
#include <stdio.h>

#include "cli.h"

static const char *png, *count_text, *seed_text, *class_text, *device_name;

static const option options[] = {
    {"--out", .letter = "-o", .argument = "FILE.png",
     .about = "the picture to write; FILE.txt: sequences as text", .value = &png},
    {"--count", .argument = "N",
     .about = "how many samples; else as many as in the run's pictures; of images in classes at "
              "least one each",
     .value = &count_text},
    {"--seed", .argument = "N",
     .about = "of the noise; else the run's, which gives the run's own picture",
     .value = &seed_text},
    {"--class", .argument = "N",
     .about = "the class of all samples, of runs with labels; else a class a row",
     .value = &class_text},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage sample_usage = {
    .command = "sample",
    .operands = "CHECKPOINT|RUN",
    .about =
        "Draws samples from the generator of a checkpoint, or of a run folder's, into a PNG: a "
        "grid of images, or\n"
        "for points in the plane a scatter plot over the modes, for sequences strips of "
        "colours. Equal seeds give equal pictures.",
    .options = options,
};

static int draw(const char *checkpoint, int64_t count, const uint64_t *seed, const int64_t *only) {
    gan_device *device;
    const int opened = open_device(&sample_usage, &device, device_name, NULL);
    if (opened >= 0) return opened;
    const gan_sample_options sample = {.count = count, .seed = seed, .only = only};
    const gan_status status = gan_sample_checkpoint(checkpoint, png, device, &sample);
    gan_device_close(device);
    return status ? failed() : EXIT_DONE;
}

int cmd_sample(int argc, char **argv) {
    const char *checkpoint = NULL;
    int n_operands;
    int64_t count = 0, number = 0, only = 0;
    int code = read_arguments(&sample_usage, argc, argv, 1, &checkpoint, &n_operands);
    if (code >= 0) return code;
    if (!checkpoint) return wrong_usage(&sample_usage, "CHECKPOINT or RUN is missing");
    if (!png) return wrong_usage(&sample_usage, "-o FILE.png is missing");
    if ((code = check_output(&sample_usage, png, true)) >= 0) return code;
    if ((code = take_number(&sample_usage, "--count", count_text, 1, 1000000, &count)) >= 0)
        return code;
    if ((code = take_number(&sample_usage, "--seed", seed_text, 0, INT64_MAX, &number)) >= 0)
        return code;
    if ((code = take_number(&sample_usage, "--class", class_text, 0, INT64_MAX, &only)) >= 0)
        return code;
    const uint64_t seed = (uint64_t)number;
    if ((code = find_checkpoint(&checkpoint, checkpoint)) >= 0) return code;
    return draw(checkpoint, count, seed_text ? &seed : NULL, class_text ? &only : NULL);
}
