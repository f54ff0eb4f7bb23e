/* Samples beside the training examples that are nearest to them (2014, figure 2). */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "train/draw.h"

enum { DEFAULT_COUNT = 24, WITHIN = 1, BETWEEN = 6 }; /* pixels between two of a pair, and pairs */

typedef struct search {
    const gan_checkpoint *checkpoint;
    const gan_model *model;
    gan_model_options networks;
    int64_t count;
    bool mirrored;
    float *samples;
    gan_neighbour *found;
} search;

/* Each pair is one image, so that pairs stand apart. */
static gan_status paint(const search *s, const gan_dataset *set, const char *png) {
    const gan_model_options *n = &s->networks;
    const int64_t w = n->width, c = n->channels, wide = 2 * w + WITHIN + BETWEEN;
    const double low = s->model->low, range = s->model->high - low;
    float *pair = malloc((size_t)(s->count * n->height * wide * c) * sizeof *pair);
    if (!pair) return gan_fail(GAN_ERROR_MEMORY, "neighbours: out of memory");
    for (int64_t i = 0; i < s->count * n->height * wide * c; i++) pair[i] = (float)low;
    for (int64_t k = 0; k < s->count; k++)
        for (int64_t y = 0; y < n->height; y++)
            for (int64_t x = 0; x < w * c; x++) {
                float *row = pair + (k * n->height + y) * wide * c;
                const int64_t column = x / c;
                const int64_t from = s->found[k].mirrored ? x + (w - 1 - 2 * column) * c : x;
                const uint8_t *example = set->images + (s->found[k].index * n->height + y) * w * c;
                row[x] = s->samples[(k * n->height + y) * w * c + x];
                row[(w + WITHIN) * c + x] = (float)(low + range * example[from] / 255);
            }
    const gan_images images = {.pixels = pair,
                               .dtype = GAN_F32,
                               .count = s->count,
                               .height = n->height,
                               .width = wide,
                               .channels = c,
                               .low = (float)low,
                               .high = (float)s->model->high};
    const gan_status status =
        gan_png_write_grid(png, &images, (int64_t)fmax(1, round(sqrt((double)s->count / 2))));
    free(pair);
    return status;
}

static gan_status look(search *s, gan_device *device, const gan_source *source, const char *png,
                       uint64_t seed) {
    const gan_dataset *set = source->set;
    const gan_model_options *n = &source->networks;
    if (s->model->completes)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: completes images, and neighbours are of samples from noise alone",
                        s->checkpoint->path);
    if (n->height != s->networks.height || n->width != s->networks.width ||
        n->channels != s->networks.channels)
        return gan_fail(GAN_ERROR_SHAPE,
                        "%s: makes images of %lldx%lldx%lld, but the data's are %lldx%lldx%lld",
                        s->checkpoint->path, (long long)s->networks.height,
                        (long long)s->networks.width, (long long)s->networks.channels,
                        (long long)n->height, (long long)n->width, (long long)n->channels);
    const gan_checkpoint *c = s->checkpoint;
    gan_game_options game;
    s->found = calloc((size_t)s->count, sizeof *s->found);
    if (!s->found) return gan_fail(GAN_ERROR_MEMORY, "neighbours: out of memory");
    GAN_TRY(gan_settings_game(&game, c->settings, s->model, &s->networks, c->state.classes, 0));
    GAN_TRY(gan_draw_samples(&s->samples, NULL, c, &game, device, s->count, seed));
    GAN_TRY(gan_metric_nearest(s->found, device, set, s->samples, s->count, s->model->low,
                               s->model->high, s->mirrored));
    return paint(s, set, png);
}

static gan_status open_and_look(search *s, gan_device *device, const char *data, const char *png,
                                uint64_t seed) {
    const gan_checkpoint *c = s->checkpoint;
    gan_settings *settings;
    gan_source source;
    GAN_TRY(gan_source_networks(&s->model, &s->networks, c->settings, c->state.example));
    GAN_TRY(gan_settings_copy(&settings, c->settings));
    gan_status status = gan_source_named(settings, data, c->path);
    if (status == GAN_OK) status = gan_source_open(&source, settings);
    gan_settings_destroy(settings);
    if (status != GAN_OK) return status;
    if (source.set)
        status = look(s, device, &source, png, seed);
    else
        status = gan_fail(GAN_ERROR_ARGUMENT,
                          "%s: data '%.200s' are no images, which neighbours "
                          "are looked for in",
                          c->path, c->settings->data);
    gan_source_close(&source);
    return status;
}

gan_status gan_neighbours_checkpoint(gan_neighbour *out, const char *checkpoint, const char *png,
                                     gan_device *device, const gan_neighbours_options *options) {
    static const gan_neighbours_options none = {0};
    const gan_neighbours_options *o = options ? options : &none;
    search s = {.count = o->count ? o->count : DEFAULT_COUNT, .mirrored = o->mirrored};
    if (s.count < 1 || s.count > GAN_NEAREST_SAMPLES)
        return gan_fail(GAN_ERROR_ARGUMENT, "neighbours: %lld samples given, from 1 to %d expected",
                        (long long)s.count, GAN_NEAREST_SAMPLES);
    gan_checkpoint c;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    s.checkpoint = &c;
    const uint64_t seed = o->seed ? *o->seed : (uint64_t)c.settings->seed;
    const gan_status status = open_and_look(&s, device, o->data, png, seed);
    for (int64_t i = 0; out && i < s.count && status == GAN_OK; i++) out[i] = s.found[i];
    free(s.samples);
    free(s.found);
    gan_checkpoint_close(&c);
    return status;
}
