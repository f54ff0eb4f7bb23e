/* Samples against the test part of the data, by what a classifier sees in both. */
#include <stdlib.h>

#include "base/error.h"
#include "metric/classifier.h"
#include "train/classifier.h"
#include "train/draw.h"

enum { DEFAULT_COUNT = 2000, WIDTH = GAN_CLASSIFIER_FEATURES };

typedef struct comparison {
    const gan_checkpoint *checkpoint;
    gan_settings *settings; /* the checkpoint's, with the data asked for and all of them */
    gan_device *device;
    const gan_model *model;
    gan_model_options networks;
    gan_classifier *classifier;
    int64_t count;
    float *samples;
    float *seen, *tested; /* (…, WIDTH) */
    int32_t *named;       /* (count) */
} comparison;

static gan_status draw(comparison *k, uint64_t seed) {
    const gan_checkpoint *c = k->checkpoint;
    gan_game_options game;
    GAN_TRY(gan_source_networks(&k->model, &k->networks, c->settings, c->state.example));
    GAN_TRY(gan_settings_game(&game, c->settings, k->model, &k->networks, c->state.classes, 0));
    if (k->model->points || k->model->sequences || k->model->completes)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: model %s %s, but images of noise alone are compared", c->path,
                        k->model->name,
                        k->model->points      ? "makes points"
                        : k->model->sequences ? "makes sequences"
                                              : "completes images");
    return gan_draw_samples(&k->samples, NULL, c, &game, k->device, k->count, seed);
}

/* The features of the first `count` images of a set. */
static gan_status see(comparison *k, float **out, const gan_dataset *d, int64_t count) {
    const int64_t n = count * d->height * d->width * d->channels;
    float *pixel = malloc((size_t)n * sizeof *pixel);
    float *features = malloc((size_t)(count * WIDTH) * sizeof *features);
    free(*out);
    *out = features;
    gan_status status =
        pixel && features ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "score: out of memory");
    for (int64_t i = 0; i < n && status == GAN_OK; i++) pixel[i] = d->images[i];
    if (status == GAN_OK)
        status = gan_classifier_features(k->classifier, features, pixel, count, 0, 255);
    free(pixel);
    return status;
}

static gan_status examine_set(comparison *k, gan_score *out, const gan_dataset *test) {
    GAN_TRY(gan_classifier_accuracy(&out->accuracy, k->classifier, test));
    GAN_TRY(gan_classifier_hash(&out->hash, k->classifier));
    out->examples = test->count;
    return see(k, &k->tested, test, test->count);
}

/* What real images get. */
static gan_status examine_training(comparison *k, gan_score *out) {
    gan_dataset *train;
    GAN_TRY(gan_source_set(&train, k->settings, GAN_SPLIT_TRAIN));
    const int64_t count = k->count < train->count ? k->count : train->count;
    gan_status status = see(k, &k->seen, train, count);
    if (status == GAN_OK)
        status = gan_metric_frechet(&out->own, k->seen, count, k->tested, out->examples, WIDTH);
    gan_dataset_destroy(train);
    return status;
}

static gan_status examine_samples(comparison *k, gan_score *out) {
    const gan_model *m = k->model;
    free(k->seen);
    k->seen = malloc((size_t)(k->count * WIDTH) * sizeof *k->seen);
    k->named = malloc((size_t)k->count * sizeof *k->named);
    if (!k->seen || !k->named) return gan_fail(GAN_ERROR_MEMORY, "score: out of memory");
    GAN_TRY(gan_classifier_features(k->classifier, k->seen, k->samples, k->count, m->low, m->high));
    GAN_TRY(
        gan_classifier_classify(k->classifier, k->named, k->samples, k->count, m->low, m->high));
    for (int64_t i = 0; i < k->count; i++) out->each[k->named[i]] += 1 / (double)k->count;
    return gan_metric_frechet(&out->distance, k->seen, k->count, k->tested, out->examples, WIDTH);
}

static gan_status compare(comparison *k, gan_score *out, const gan_dataset *test) {
    *out = (gan_score){.samples = k->count, .classes = gan_classifier_classes(k->classifier)};
    if (out->classes > GAN_AGREEMENT_CLASSES)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: data of %lld classes, expected at most %d",
                        k->checkpoint->path, (long long)out->classes, GAN_AGREEMENT_CLASSES);
    GAN_TRY(gan_classifier_fits(k->classifier, &k->networks, k->checkpoint->path));
    GAN_TRY(examine_set(k, out, test));
    GAN_TRY(examine_training(k, out));
    return examine_samples(k, out);
}

gan_status gan_score_checkpoint(gan_score *out, const char *checkpoint, gan_device *device,
                                const gan_agreement_options *options) {
    static const gan_agreement_options none = {0};
    const gan_agreement_options *o = options ? options : &none;
    gan_checkpoint c;
    gan_dataset *test = NULL;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    comparison k = {
        .checkpoint = &c, .device = device, .count = o->count > 0 ? o->count : DEFAULT_COUNT};
    gan_status status = gan_settings_copy(&k.settings, c.settings);
    if (status == GAN_OK) status = gan_source_named(k.settings, o->data, c.path);
    /* Whatever part of the data the run saw. */
    if (status == GAN_OK) status = gan_settings_set(k.settings, "data.count", "0", "data.count");
    if (status == GAN_OK) status = draw(&k, o->seed ? *o->seed : (uint64_t)c.settings->seed);
    /* What cannot be had is said before the minute that training takes. */
    if (status == GAN_OK) status = gan_source_set(&test, k.settings, GAN_SPLIT_TEST);
    if (status == GAN_OK)
        status = gan_classifier_obtain(&k.classifier, device, o, k.settings, &k.networks, c.path);
    if (status == GAN_OK) status = compare(&k, out, test);
    gan_dataset_destroy(test);
    gan_classifier_close(k.classifier);
    gan_settings_destroy(k.settings);
    gan_checkpoint_close(&c);
    free(k.samples);
    free(k.seen);
    free(k.tested);
    free(k.named);
    return status;
}
