/* Data as the training graph sees them. */
#include "train/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "ganc/adversarial.h"

/* The stream of shuffles; the graph's own streams count up from 0. */
enum { SHUFFLE_STREAM = 1 << 30 };

static const char *const images_name = "data/images";
static const char *const centres_name = "data/centres";

gan_status gan_source_networks(const gan_model **model, gan_model_options *options,
                               const gan_settings *settings, const int64_t example[3]) {
    *model = gan_model_find(settings->model);
    if (!*model) return gan_fail(GAN_ERROR_ARGUMENT, "model: '%s' is unknown", settings->model);
    *options = (*model)->initial;
    options->height = example[0];
    options->width = example[1];
    options->channels = example[2];
    if (settings->z_dim) options->z_dim = settings->z_dim;
    if (settings->generator_features) options->generator_features = settings->generator_features;
    if (settings->discriminator_features)
        options->discriminator_features = settings->discriminator_features;
    options->spectral_norm = settings->spectral_norm;
    return GAN_OK;
}

/* FNV-1a over words of eight bytes, and what is left over byte by byte. */
static uint64_t fingerprint(uint64_t h, const void *data, size_t bytes) {
    const unsigned char *p = data;
    for (; bytes >= 8; bytes -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = (h ^ word) * 1099511628211u;
        h ^= h >> 29;
    }
    for (; bytes; bytes--, p++) h = (h ^ *p) * 1099511628211u;
    return h;
}

static size_t set_bytes(const gan_dataset *set) {
    return (size_t)(set->count * set->height * set->width * set->channels);
}

/* Sets and mixtures share one key; the set's reader does not know of mixtures. */
static gan_status unknown_data(const char *given) {
    const char *names[64];
    char list[512] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; n < 32 && gan_dataset_known(i); i++) names[n++] = gan_dataset_known(i);
    for (size_t i = 0; n < 64 && gan_mixture_at(i); i++) names[n++] = gan_mixture_at(i)->name;
    const char *near = gan_nearest(given, names, n);
    if (near)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data: '%.200s' is no data set, mixture, file or folder; did you mean "
                        "'%s'?",
                        given, near);
    for (size_t i = 0; i < n && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s, ", names[i]);
    return gan_fail(GAN_ERROR_ARGUMENT,
                    "data: '%.200s' is no data set, mixture, file or folder; expected one of "
                    "%.500sor a path",
                    given, list);
}

static gan_status open_set(gan_source *s, const gan_settings *settings) {
    const gan_dataset_options options = {
        .size = settings->data_size,
        .fit = strcmp(settings->data_fit, "resize") ? GAN_FIT_PAD : GAN_FIT_RESIZE,
        .channels = settings->data_channels,
    };
    const gan_status opened = gan_dataset_open(&s->set, settings->data, &options);
    if (opened == GAN_ERROR_ARGUMENT) return unknown_data(settings->data);
    if (opened != GAN_OK) return opened;
    s->count = s->set->count;
    int64_t shape[4] = {s->set->count, s->set->height, s->set->width, s->set->channels};
    s->fingerprint = fingerprint(14695981039346656037u, shape, sizeof shape);
    s->fingerprint = fingerprint(s->fingerprint, s->set->images, set_bytes(s->set));
    return gan_source_networks(&s->model, &s->networks, settings, shape + 1);
}

static gan_status open_mixture(gan_source *s, const gan_settings *settings) {
    const int64_t plane[3] = {0, 0, 2};
    const gan_mixture *m = s->mixture;
    s->fingerprint =
        fingerprint(14695981039346656037u, m->centres, (size_t)m->modes * 2 * sizeof(float));
    s->fingerprint = fingerprint(s->fingerprint, &m->sigma, sizeof m->sigma);
    return gan_source_networks(&s->model, &s->networks, settings, plane);
}

gan_status gan_source_open(gan_source *s, const gan_settings *settings) {
    *s = (gan_source){
        .batch = settings->batch, .d_steps = settings->d_steps, .flip = settings->data_flip};
    s->mixture = gan_mixture_find(settings->data);
    gan_status status = s->mixture ? open_mixture(s, settings) : open_set(s, settings);
    if (status == GAN_OK && s->model->points != (s->mixture != NULL))
        status = gan_fail(GAN_ERROR_ARGUMENT, "model: '%s' makes %s, but data '%s' are %s",
                          settings->model, s->model->points ? "points" : "images", settings->data,
                          s->mixture ? "points" : "images");
    if (status == GAN_OK && s->set && s->batch > s->count)
        status = gan_fail(GAN_ERROR_ARGUMENT, "batch: %lld given, but data '%s' have %lld examples",
                          (long long)s->batch, settings->data, (long long)s->count);
    if (status != GAN_OK) gan_source_close(s);
    return status;
}

void gan_source_close(gan_source *s) {
    gan_dataset_destroy(s->set);
    s->set = NULL;
}

/* ---- as nodes ---- */

static gan_node *batch_of_points(gan_source *s, gan_graph *g, gan_node *counter) {
    gan_node *centres = gan_variable_node(g, GAN_DATA, centres_name, GAN_F32,
                                          gan_shape2(s->mixture->modes, 2), gan_init_constant(0));
    return gan_mixture_points(g, counter, centres, (double)s->mixture->sigma, s->batch);
}

gan_node *gan_source_batch(void *source, gan_graph *g, gan_node *counter, int64_t step) {
    gan_source *s = source;
    if (s->mixture) return batch_of_points(s, g, counter);
    const gan_model_options *n = &s->networks;
    gan_node *images = gan_variable_node(g, GAN_DATA, images_name, GAN_U8,
                                         gan_shape4(s->count, n->height, n->width, n->channels),
                                         gan_init_constant(0));
    gan_node *index = gan_shuffled_index(g, counter, s->count, s->batch, s->batch * s->d_steps,
                                         s->batch * step, SHUFFLE_STREAM);
    return gan_minibatch(g, images, index, counter, (s->model->high - s->model->low) / 255,
                         s->model->low, s->flip);
}

gan_status gan_source_place(gan_source *s, gan_store *store) {
    if (s->mixture)
        return gan_variable_write(store, gan_store_find(store, GAN_DATA, centres_name),
                                  s->mixture->centres,
                                  (size_t)s->mixture->modes * 2 * sizeof(float));
    return gan_variable_write(store, gan_store_find(store, GAN_DATA, images_name), s->set->images,
                              set_bytes(s->set));
}

float *gan_source_mean(const gan_source *s) {
    const size_t n = set_bytes(s->set) / (size_t)s->count;
    int64_t *sum = calloc(n, sizeof *sum);
    float *mean = malloc(n * sizeof *mean);
    if (sum && mean) {
        for (int64_t i = 0; i < s->count; i++)
            for (size_t j = 0; j < n; j++) sum[j] += s->set->images[(size_t)i * n + j];
        for (size_t j = 0; j < n; j++)
            mean[j] = (float)((double)sum[j] / (255.0 * (double)s->count));
    }
    free(sum);
    if (sum) return mean;
    free(mean);
    return NULL;
}
