/* How well the discriminator itself tells classes: on the test set, beside a network of the same
 * shape that learnt from the same labels alone (Salimans et al. 2016, section 5). */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/game.h"
#include "train/source.h"

enum { BATCH = 200, HELD_OUT = 5000 };

typedef struct test {
    const gan_model *model;
    gan_game_options game;
    gan_dataset *set;
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    gan_node *images, *logits;
} test;

static gan_status open(test *t, gan_device *device, const gan_checkpoint *c) {
    const gan_model_options *n = &t->game.networks;
    const gan_dataset *d = t->set;
    if (d->height != n->height || d->width != n->width || d->channels != n->channels ||
        !d->labels || d->classes > t->game.classes)
        return gan_fail(GAN_ERROR_SHAPE,
                        "%s: tells %lld classes of %lldx%lldx%lld, but data '%.200s' are %d of "
                        "%lldx%lldx%lld",
                        c->path, (long long)t->game.classes, (long long)n->height,
                        (long long)n->width, (long long)n->channels, d->name, d->classes,
                        (long long)d->height, (long long)d->width, (long long)d->channels);
    GAN_TRY(gan_store_create(&t->store, 0));
    GAN_TRY(gan_graph_create(&t->graph, t->store));
    gan_graph *g = t->graph;
    t->images =
        gan_input(g, GAN_F32, gan_shape4(BATCH, n->height, n->width, n->channels), "images");
    t->logits = gan_output(g, gan_class_logits_build(g, &t->game, t->images));
    GAN_TRY(gan_compile(&t->program, g, device));
    GAN_TRY(gan_store_place(t->store, device));
    GAN_TRY(gan_checkpoint_restore(c, t->store, false));
    return gan_program_load(t->program);
}

static void close_test(test *t) {
    if (t->program) gan_program_destroy(t->program);
    if (t->graph) gan_graph_destroy(t->graph);
    if (t->store) gan_store_destroy(t->store);
    gan_dataset_destroy(t->set);
}

/* How many of images first … first + n - 1 are recognised. */
static gan_status judge(test *t, int64_t first, int64_t n, float *x, float *logit, int64_t *right) {
    const gan_dataset *d = t->set;
    const int64_t pixels = d->height * d->width * d->channels, k = t->game.classes;
    const double scale = (t->model->high - t->model->low) / 255;
    for (int64_t i = 0; i < n * pixels; i++)
        x[i] = (float)(t->model->low + scale * d->images[first * pixels + i]);
    GAN_TRY(gan_program_write(t->program, t->images, x, (size_t)(BATCH * pixels) * sizeof *x));
    GAN_TRY(gan_program_run(t->program, 1));
    GAN_TRY(gan_program_read(t->program, t->logits, logit, (size_t)(BATCH * k) * sizeof *logit));
    for (int64_t i = 0; i < n; i++) {
        int64_t best = 0;
        for (int64_t j = 1; j < k; j++)
            if (logit[i * k + j] > logit[i * k + best]) best = j;
        *right += best == d->labels[first + i];
    }
    return GAN_OK;
}

static gan_status examine(test *t, double *error) {
    const gan_dataset *d = t->set;
    const size_t pixels = (size_t)(d->height * d->width * d->channels);
    float *x = calloc(BATCH * pixels, sizeof *x);
    float *logit = malloc(BATCH * (size_t)t->game.classes * sizeof *logit);
    gan_status status =
        x && logit ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "recognition: out of memory");
    int64_t right = 0;
    for (int64_t i = 0; i < d->count && status == GAN_OK; i += BATCH)
        status = judge(t, i, d->count - i < BATCH ? d->count - i : BATCH, x, logit, &right);
    free(x);
    free(logit);
    *error = 1 - (double)right / (double)d->count;
    return status;
}

/* ---- the same network, taught the run's labelled examples and nothing else ---- */

/* The last images of a set, behind all whose labels are learnt: where to stop is chosen on them. */
static gan_status hold_out(gan_dataset *out, const gan_dataset *set, int64_t labels) {
    int32_t *taught = malloc((size_t)labels * sizeof *taught);
    if (!taught) return gan_fail(GAN_ERROR_MEMORY, "recognition: out of memory");
    const gan_status status = gan_dataset_balanced(taught, set, labels);
    int64_t first = set->count > HELD_OUT ? set->count - HELD_OUT : 0;
    for (int64_t i = 0; i < labels && status == GAN_OK; i++)
        if (taught[i] >= first) first = taught[i] + 1;
    free(taught);
    *out = *set;
    out->count -= first;
    out->images += first * set->height * set->width * set->channels;
    out->labels += first;
    return status;
}

/* The error on the test set after `o->updates`, into `alone` where it is the first or does better
 * than those before it on what was held out. */
static gan_status attempt(gan_recognition *out, double *best, gan_device *device, const test *t,
                          const gan_dataset *set, const gan_dataset *held,
                          const gan_classifier_options *o) {
    gan_classifier *c;
    double accuracy = 0, tested = 0;
    GAN_TRY(gan_classifier_train(&c, device, set, o));
    gan_status status = held->count ? gan_classifier_accuracy(&accuracy, c, held) : GAN_OK;
    if (status == GAN_OK) status = gan_classifier_accuracy(&tested, c, t->set);
    gan_classifier_close(c);
    if (status != GAN_OK || !(accuracy > *best)) return status;
    *best = accuracy;
    out->alone = 1 - tested;
    out->updates = o->updates;
    return GAN_OK;
}

static gan_status learn_alone(const test *t, gan_recognition *out, gan_device *device,
                              const gan_settings *settings, const gan_dataset *set,
                              const gan_recognition_options *how) {
    static const int64_t stops[] = {250, 500, 1000, 2000};
    gan_classifier_options o = {.count = settings->labels_count,
                                .rate = settings->discriminator_rate,
                                .seed = (uint64_t)settings->seed,
                                .model = t->model,
                                .networks = &t->game.networks,
                                .norm = t->game.discriminator_norm,
                                .weight = t->game.discriminator_weight,
                                .begin = how->begin,
                                .context = how->context};
    gan_dataset held = {0};
    double best = -1;
    out->labels = o.count ? o.count : set->count;
    if (!o.count) return attempt(out, &best, device, t, set, &held, &o);
    GAN_TRY(hold_out(&held, set, o.count));
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        o.updates = stops[i];
        GAN_TRY(attempt(out, &best, device, t, set, &held, &o));
        o.begin = NULL;
    }
    return GAN_OK;
}

static gan_status examine_alone(const test *t, gan_recognition *out, gan_device *device,
                                const gan_settings *settings, const gan_recognition_options *how) {
    gan_dataset *set;
    GAN_TRY(gan_source_set(&set, settings, GAN_SPLIT_TRAIN));
    const gan_status status = learn_alone(t, out, device, settings, set, how);
    gan_dataset_destroy(set);
    return status;
}

static gan_status recognise(gan_recognition *out, const gan_checkpoint *c,
                            const gan_settings *settings, gan_device *device,
                            const gan_recognition_options *o) {
    test t = {0};
    gan_model_options networks;
    GAN_TRY(gan_source_networks(&t.model, &networks, c->settings, c->state.example));
    GAN_TRY(gan_settings_game(&t.game, c->settings, t.model, &networks, c->state.classes, 0));
    if (!t.game.classes)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: its discriminator tells no class: that takes terms: supervised or "
                        "ac-gan",
                        c->path);
    GAN_TRY(gan_source_set(&t.set, settings, GAN_SPLIT_TEST));
    *out = (gan_recognition){.examples = t.set->count, .alone = NAN};
    gan_status status = open(&t, device, c);
    if (status == GAN_OK) status = examine(&t, &out->error);
    if (status == GAN_OK && o->alone) status = examine_alone(&t, out, device, settings, o);
    close_test(&t);
    return status;
}

gan_status gan_recognition_checkpoint(gan_recognition *out, const char *checkpoint,
                                      gan_device *device, const gan_recognition_options *options) {
    static const gan_recognition_options none = {0};
    const gan_recognition_options *o = options ? options : &none;
    gan_checkpoint c;
    gan_settings *settings;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    gan_status status = gan_settings_copy(&settings, c.settings);
    if (status == GAN_OK) {
        status = gan_source_named(settings, o->data, c.path);
        if (status == GAN_OK) status = recognise(out, &c, settings, device, o);
        gan_settings_destroy(settings);
    }
    gan_checkpoint_close(&c);
    return status;
}
