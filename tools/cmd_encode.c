/* ganc encode: what z is this image of, and what is that z an image of? */
#include <math.h>
#include <stdio.h>

#include "cli.h"

static const char *png, *count_text, *codes, *data, *device_name;
static bool nearest;

static const option options[] = {
    {"--out", .letter = "-o", .argument = "FILE.png", .about = "the picture to write",
     .value = &png},
    {"--count", .argument = "N", .about = "how many images it has; else 32", .value = &count_text},
    {"--codes", .argument = "FILE.safetensors", .about = "write the codes, too", .value = &codes},
    {"--nearest", .about = "also print how often the nearest training code has the same class",
     .flag = &nearest},
    {"--data", .argument = "SET", .about = "images to encode; else what the run was trained on",
     .value = &data},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage encode_usage = {
    .command = "encode",
    .operands = "CHECKPOINT|RUN",
    .about =
        "Encodes images of the test set by the encoder of a run, and draws each beside what the "
        "generator makes\n"
        "of its code. Prints the mean squared error of a pixel, pixels in 0 to 1.",
    .options = options,
};

static int encode(const char *checkpoint, const gan_encode_options *o) {
    gan_device *device;
    gan_encoding e;
    const int opened = open_device(&encode_usage, &device, device_name, NULL);
    if (opened >= 0) return opened;
    const gan_status status = gan_encode_checkpoint(&e, checkpoint, png, device, o);
    gan_device_close(device);
    if (status) return failed();
    printf("error: %.5f over %lld images; the mean image has %.5f\n", e.error,
           (long long)e.examined, e.error_of_mean);
    if (!isnan(e.nearest)) printf("nearest: %.4f have the class of the nearest code\n", e.nearest);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_encode(int argc, char **argv) {
    const char *checkpoint = NULL;
    int n_operands;
    gan_encode_options o = {0};
    const usage *u = &encode_usage;
    int code = read_arguments(u, argc, argv, 1, &checkpoint, &n_operands);
    if (code >= 0) return code;
    if (!checkpoint) return wrong_usage(u, "CHECKPOINT or RUN is missing");
    if (!png) return wrong_usage(u, "-o FILE.png is missing");
    if ((code = check_output(u, png, false)) >= 0) return code;
    if ((code = take_number(u, "--count", count_text, 1, 10000, &o.count)) >= 0) return code;
    o.data = data;
    o.codes = codes;
    o.nearest = nearest;
    if ((code = find_checkpoint(&checkpoint, checkpoint)) >= 0) return code;
    return encode(checkpoint, &o);
}
