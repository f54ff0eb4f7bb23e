/* ganc score: how far are samples as a whole from the data? */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"

static const char *count_text, *seed_text, *data, *classifier, *device_name;

static const option options[] = {
    {"--count", .argument = "N", .about = "how many samples; else 2000", .value = &count_text},
    {"--seed", .argument = "N", .about = "of the noise; else the run's", .value = &seed_text},
    {"--classifier", .argument = "FILE.safetensors",
     .about = "the classifier; written there when it is not there yet", .value = &classifier},
    {"--data", .argument = "SET", .about = "else what the run was trained on", .value = &data},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage score_usage = {
    .command = "score",
    .operands = "CHECKPOINT|RUN",
    .about =
        "Draws samples and prints their Frechet distance from the test images, as FID but by the "
        "last hidden\n"
        "units of a small classifier, which is trained first as that of `ganc classify` is; to be "
        "compared only\n"
        "between equal data, counts and weights of it. Beside it, that of as many training images, "
        "and the share\n"
        "of samples that is taken for each class.",
    .options = options,
};

/* What takes a while is said before. */
static void announce(void *context) {
    (void)context;
    fprintf(stderr,
            "ganc: training a classifier on the data to compare them by: two passes over all "
            "images, on a CPU about a minute for 60,000 small ones%s\n",
            classifier ? "" : "; --classifier FILE keeps it");
}

static void print(const gan_score *s) {
    printf("classifier: %.4f of %lld test images recognised, weights %016" PRIx64 "\n", s->accuracy,
           (long long)s->examples, s->hash);
    printf("distance: %.3f between %lld samples and %lld test images; of as many training images: "
           "%.3f\n",
           s->distance, (long long)s->samples, (long long)s->examples, s->own);
    for (int64_t k = 0; k < s->classes; k++)
        printf("class %lld: %.4f of the samples\n", (long long)k, s->each[k]);
}

int cmd_score(int argc, char **argv) {
    const char *checkpoint = NULL;
    int n_operands;
    int64_t number = 0;
    gan_device *device;
    gan_score score;
    gan_agreement_options o = {0};
    const usage *u = &score_usage;
    int code = read_arguments(u, argc, argv, 1, &checkpoint, &n_operands);
    if (code >= 0) return code;
    if (!checkpoint) return wrong_usage(u, "CHECKPOINT or RUN is missing");
    if ((code = take_number(u, "--count", count_text, 2, 1000000, &o.count)) >= 0) return code;
    if ((code = take_number(u, "--seed", seed_text, 0, INT64_MAX, &number)) >= 0) return code;
    const uint64_t seed = (uint64_t)number;
    o.seed = seed_text ? &seed : NULL;
    o.data = data;
    o.classifier = classifier;
    o.begin = announce;
    if ((code = find_checkpoint(&checkpoint, checkpoint)) >= 0) return code;
    const int opened = open_device(u, &device, device_name, NULL);
    if (opened >= 0) return opened;
    const gan_status status = gan_score_checkpoint(&score, checkpoint, device, &o);
    gan_device_close(device);
    if (status) return failed();
    print(&score);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}
