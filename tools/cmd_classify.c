/* ganc classify: are samples what was asked for, and what does the discriminator know? */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli.h"

static const char *count_text, *seed_text, *data, *classifier, *device_name;
static bool self, alone;

static const option options[] = {
    {"--count", .argument = "N", .about = "how many samples; else 2000", .value = &count_text},
    {"--seed", .argument = "N", .about = "of the noise; else the run's", .value = &seed_text},
    {"--classifier", .argument = "FILE.safetensors",
     .about = "the classifier; written there when it is not there yet", .value = &classifier},
    {"--self", .about = "examine the run's discriminator on the test set instead", .flag = &self},
    {"--alone", .about = "with --self: also the same network, taught the same labels alone",
     .flag = &alone},
    {"--data", .argument = "SET", .about = "else what the run was trained on", .value = &data},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage classify_usage = {
    .command = "classify",
    .operands = "CHECKPOINT|RUN",
    .about =
        "Draws samples of every class, or of every value of the first code, and prints the share\n"
        "that a classifier recognises as what was asked for, with its own accuracy on the test "
        "set.\n"
        "The classifier is a small convolutional network; it is trained first, on the data that "
        "the "
        "run was trained\n"
        "on and apart from any GAN, in two passes over all images: about a minute on a CPU for "
        "60,000 of 28x28.\n"
        "--classifier keeps it for the next time. Of points the nearest mode is the class, and no "
        "classifier needed.\n"
        "With --self, prints the test error of the discriminator's own classes.",
    .options = options,
};

static void print_agreement(const gan_agreement *a) {
    if (!isnan(a->accuracy))
        printf("classifier: %.4f of %lld test images recognised, weights %016" PRIx64 "\n",
               a->accuracy, (long long)a->tested, a->hash);
    printf("agreement: %.4f of %lld samples are of the %s asked for\n", a->agreement,
           (long long)a->samples, a->codes ? "class that goes best with the code" : "class");
    for (int64_t k = 0; k < a->classes; k++)
        if (a->codes)
            printf("code %lld, class %lld: %.4f\n", (long long)k, (long long)a->name[k],
                   a->each[k]);
        else
            printf("class %lld: %.4f\n", (long long)k, a->each[k]);
}

static void print_recognition(const gan_recognition *r) {
    printf("error: %.4f of %lld test examples\n", r->error, (long long)r->examples);
    if (isnan(r->alone)) return;
    printf("alone: %.4f, the same network taught the same %lld labels and nothing else", r->alone,
           (long long)r->labels);
    if (r->updates) printf(", in %lld updates", (long long)r->updates);
    printf("\n");
}

/* What takes a while is said before, and only when nothing given was wrong. */
static void announce(void *context) {
    (void)context;
    fprintf(stderr,
            "ganc: training a classifier on the data to judge samples by: two passes over all "
            "images, on a CPU about a minute for 60,000 small ones%s\n",
            classifier ? "" : "; --classifier FILE keeps it");
}

static void announce_alone(void *context) {
    (void)context;
    fprintf(stderr,
            "ganc: training the discriminator's network once more, on the labels alone; on a CPU "
            "that takes some minutes\n");
}

static int classify(const char *checkpoint, const gan_agreement_options *o) {
    gan_device *device;
    gan_agreement agreement;
    gan_recognition recognition;
    const int opened = open_device(&classify_usage, &device, device_name, NULL);
    if (opened >= 0) return opened;
    const gan_recognition_options of_d = {.data = data, .alone = alone, .begin = announce_alone};
    const gan_status status =
        self ? gan_recognition_checkpoint(&recognition, checkpoint, device, &of_d)
             : gan_agreement_checkpoint(&agreement, checkpoint, device, o);
    gan_device_close(device);
    if (status) return failed();
    if (self)
        print_recognition(&recognition);
    else
        print_agreement(&agreement);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_classify(int argc, char **argv) {
    const char *checkpoint = NULL;
    int n_operands;
    int64_t number = 0;
    const usage *u = &classify_usage;
    gan_agreement_options o = {0};
    int code = read_arguments(u, argc, argv, 1, &checkpoint, &n_operands);
    if (code >= 0) return code;
    if (!checkpoint) return wrong_usage(u, "CHECKPOINT or RUN is missing");
    if (alone && !self) return wrong_usage(u, "--alone goes with --self");
    if (self && (count_text || seed_text || classifier))
        return wrong_usage(u, "--self draws no samples, and takes no classifier");
    if ((code = take_number(u, "--count", count_text, 1, 1000000, &o.count)) >= 0) return code;
    if ((code = take_number(u, "--seed", seed_text, 0, INT64_MAX, &number)) >= 0) return code;
    const uint64_t seed = (uint64_t)number;
    o.seed = seed_text ? &seed : NULL;
    o.data = data;
    o.classifier = classifier;
    o.begin = announce;
    if ((code = find_checkpoint(&checkpoint, checkpoint)) >= 0) return code;
    return classify(checkpoint, &o);
}
