/* Whether conditional samples are what was asked for: a classifier of its own names them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/io.h"
#include "metric/classifier.h"
#include "train/classifier.h"
#include "train/draw.h"

enum { DEFAULT_COUNT = 2000 };

typedef struct inquiry {
    const gan_checkpoint *checkpoint;
    const gan_settings *settings; /* the checkpoint's, with the data asked for */
    const gan_model *model;
    gan_model_options networks;
    gan_game_options game;
    int64_t count, classes;
    float *samples;
    int32_t *asked, *seen; /* (count) */
} inquiry;

/* ---- who says what they are ---- */

/* The mode within three deviations of each point, or -1. */
static void nearest_modes(inquiry *q, const gan_mixture *m) {
    for (int64_t i = 0; i < q->count; i++) {
        q->seen[i] = -1;
        for (int32_t k = 0; k < m->modes; k++) {
            const double x = (double)q->samples[2 * i] - (double)m->centres[2 * k];
            const double y = (double)q->samples[2 * i + 1] - (double)m->centres[2 * k + 1];
            if (hypot(x, y) <= 3 * (double)m->sigma) q->seen[i] = k;
        }
    }
}

static gan_status check_sizes(const gan_dataset *d, const gan_model_options *n, const char *whose) {
    if (d->height == n->height && d->width == n->width && d->channels == n->channels) return GAN_OK;
    return gan_fail(GAN_ERROR_SHAPE,
                    "%s: makes images of %lldx%lldx%lld, but data '%.200s' are %lldx%lldx%lld",
                    whose, (long long)n->height, (long long)n->width, (long long)n->channels,
                    d->name, (long long)d->height, (long long)d->width, (long long)d->channels);
}

gan_status gan_classifier_obtain(gan_classifier **out, gan_device *device,
                                 const gan_agreement_options *o, const gan_settings *settings,
                                 const gan_model_options *images, const char *whose) {
    const char *file = o->classifier;
    if (file && gan_file_exists(file)) return gan_classifier_load(out, device, file);
    if (file) GAN_TRY(gan_file_check_writable(file)); /* before the minute that training takes */
    gan_dataset *set;
    *out = NULL;
    GAN_TRY(gan_source_set(&set, settings, GAN_SPLIT_TRAIN));
    gan_status status = check_sizes(set, images, whose);
    if (status == GAN_OK)
        status = gan_classifier_train(
            out, device, set, &(gan_classifier_options){.begin = o->begin, .context = o->context});
    gan_dataset_destroy(set);
    if (status != GAN_OK || !file) return status;
    status = gan_classifier_save(*out, file);
    if (status != GAN_OK) {
        gan_classifier_close(*out);
        *out = NULL;
    }
    return status;
}

static gan_status ask(inquiry *q, gan_agreement *out, gan_classifier *c, const gan_dataset *test) {
    GAN_TRY(gan_classifier_fits(c, &q->networks, q->checkpoint->path));
    gan_status status = gan_classifier_accuracy(&out->accuracy, c, test);
    out->tested = test->count;
    if (status == GAN_OK) status = gan_classifier_hash(&out->hash, c);
    if (status == GAN_OK && gan_classifier_classes(c) > GAN_AGREEMENT_CLASSES)
        status = gan_fail(GAN_ERROR_ARGUMENT, "%s: %lld classes, expected at most %d",
                          q->checkpoint->path, (long long)gan_classifier_classes(c),
                          GAN_AGREEMENT_CLASSES);
    if (status == GAN_OK)
        status = gan_classifier_classify(c, q->seen, q->samples, q->count, q->model->low,
                                         q->model->high);
    return status;
}

/* ---- counting ---- */

/* Codes have no names: the best one-to-one naming counts. */
static gan_status name_codes(inquiry *q, gan_agreement *out) {
    enum { MOST = GAN_AGREEMENT_CLASSES };
    int64_t *table = calloc(MOST * MOST, sizeof *table);
    if (!table) return gan_fail(GAN_ERROR_MEMORY, "agreement: out of memory");
    for (int64_t i = 0; i < q->count; i++)
        if (q->seen[i] >= 0) table[q->asked[i] * MOST + q->seen[i]]++;
    const gan_status status = gan_metric_matching(out->name, NULL, table, MOST);
    free(table);
    return status;
}

static gan_status count_them(inquiry *q, gan_agreement *out) {
    int64_t of[GAN_AGREEMENT_CLASSES] = {0}, right[GAN_AGREEMENT_CLASSES] = {0}, all = 0;
    for (int64_t k = 0; k < GAN_AGREEMENT_CLASSES; k++) out->name[k] = k;
    if (out->codes) GAN_TRY(name_codes(q, out));
    for (int64_t i = 0; i < q->count; i++) {
        const bool same = q->seen[i] == out->name[q->asked[i]];
        of[q->asked[i]]++;
        right[q->asked[i]] += same;
        all += same;
    }
    out->agreement = (double)all / (double)q->count;
    for (int64_t k = 0; k < q->classes; k++)
        out->each[k] = of[k] ? (double)right[k] / (double)of[k] : 0;
    return GAN_OK;
}

/* ---- all of it ---- */

static gan_status inquire(inquiry *q, gan_agreement *out, gan_device *device,
                          const gan_agreement_options *o) {
    const gan_checkpoint *c = q->checkpoint;
    GAN_TRY(gan_source_networks(&q->model, &q->networks, c->settings, c->state.example));
    GAN_TRY(gan_settings_game(&q->game, c->settings, q->model, &q->networks, c->state.classes, 0));
    q->classes = gan_sampler_classes(&q->game);
    const gan_mixture *mixture = gan_mixture_find(q->settings->data);
    if (!q->classes || (q->game.classes && !q->game.generator_condition))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: its generator takes no class (generator.condition) and no code "
                        "(code.categorical), so there is nothing to compare its samples with",
                        c->path);
    if (q->classes > GAN_AGREEMENT_CLASSES)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: %lld classes or codes, expected at most %d",
                        c->path, (long long)q->classes, GAN_AGREEMENT_CLASSES);
    GAN_TRY(gan_sampler_check_count(q->classes, q->count, c->path));
    *out = (gan_agreement){
        .samples = q->count, .classes = q->classes, .codes = !q->game.classes, .accuracy = NAN};
    q->asked = malloc((size_t)q->count * sizeof *q->asked);
    q->seen = malloc((size_t)q->count * sizeof *q->seen);
    if (!q->asked || !q->seen) return gan_fail(GAN_ERROR_MEMORY, "agreement: out of memory");
    GAN_TRY(gan_draw_samples(&q->samples, q->asked, c, &q->game, device, q->count,
                             o->seed ? *o->seed : (uint64_t)c->settings->seed));
    if (mixture) {
        nearest_modes(q, mixture);
        return count_them(q, out);
    }
    gan_classifier *classifier = NULL;
    gan_dataset *test; /* before the minute that training takes */
    GAN_TRY(gan_source_set(&test, q->settings, GAN_SPLIT_TEST));
    gan_status status =
        gan_classifier_obtain(&classifier, device, o, q->settings, &q->networks, c->path);
    if (status == GAN_OK) status = ask(q, out, classifier, test);
    gan_classifier_close(classifier);
    gan_dataset_destroy(test);
    return status == GAN_OK ? count_them(q, out) : status;
}

gan_status gan_agreement_checkpoint(gan_agreement *out, const char *checkpoint, gan_device *device,
                                    const gan_agreement_options *options) {
    static const gan_agreement_options none = {0};
    const gan_agreement_options *o = options ? options : &none;
    gan_checkpoint c;
    gan_settings *settings;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    gan_status status = gan_settings_copy(&settings, c.settings);
    if (status == GAN_OK) {
        inquiry q = {.checkpoint = &c,
                     .settings = settings,
                     .count = o->count > 0 ? o->count : DEFAULT_COUNT};
        status = gan_source_named(settings, o->data, c.path);
        if (status == GAN_OK) status = inquire(&q, out, device, o);
        free(q.samples);
        free(q.asked);
        free(q.seen);
        gan_settings_destroy(settings);
    }
    gan_checkpoint_close(&c);
    return status;
}
