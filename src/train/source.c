/* Data as the training graph sees them. */
#include "train/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/adversarial.h"
#include "graph/op.h"

/* The stream of shuffles; the graph's own streams count up from 0. */
enum { SHUFFLE_STREAM = 1 << 30 };

/* The table of a grammar: the same sequences for every run. */
enum { SEQUENCES = 16384, SEQUENCE_SEED = 1 };

static const char *const images_name = "data/images";
static const char *const few_name = "data/labelled";
static const char *const labels_name = "data/labels";
static const char *const centres_name = "data/centres";
static const char *const sequences_name = "data/sequences";

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
    options->generator_keep = settings->generator_keep;
    options->discriminator_keep = settings->discriminator_keep;
    options->minibatch_kernels = settings->minibatch_kernels;
    options->minibatch_dims = settings->minibatch_dims;
    options->minibatch_mean = settings->minibatch_mean;
    options->minibatch_inner = settings->minibatch_kernels && settings->minibatch_inner;
    options->minibatch_std = settings->minibatch_std;
    options->nonlocal = gan_pairwise_find(settings->nonlocal); /* NULL: "none" */
    options->z_late = settings->z_late;
    options->z_layer = settings->z_layer;
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

static gan_fit find_fit(const char *name) {
    static const struct {
        const char *name;
        gan_fit fit;
    } fits[] = {
        {"resize", GAN_FIT_RESIZE}, {"contain", GAN_FIT_CONTAIN}, {"stretch", GAN_FIT_STRETCH}};
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
        if (!strcmp(fits[i].name, name)) return fits[i].fit;
    return GAN_FIT_PAD;
}

gan_status gan_source_set(gan_dataset **out, const gan_settings *settings, gan_split split) {
    const gan_dataset_options options = {
        .split = split,
        .size = settings->data_size,
        .width = settings->data_width,
        .fit = find_fit(settings->data_fit),
        .border = (int)settings->data_border,
        .channels = settings->data_channels,
    };
    const gan_status opened = gan_dataset_open(out, settings->data, &options);
    const char *name = settings->data;
    const bool made = gan_mixture_find(name) || gan_grammar_find(name);
    if (opened == GAN_ERROR_ARGUMENT && (made || !gan_source_is_there(name)))
        return gan_source_unknown(name);
    return opened;
}

/* `count` as data.count has it. */
static gan_status limit(int64_t *count, const gan_settings *settings) {
    const int64_t wanted = settings->data_count;
    if (wanted > *count)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data.count: %lld given, but data '%.200s' have %lld examples",
                        (long long)wanted, settings->data, (long long)*count);
    if (wanted) *count = wanted;
    return GAN_OK;
}

static gan_status open_set(gan_source *s, const gan_settings *settings) {
    GAN_TRY(gan_source_set(&s->set, settings, GAN_SPLIT_TRAIN));
    GAN_TRY(limit(&s->set->count, settings));
    s->count = s->set->count;
    s->classes = s->set->labels ? s->set->classes : 0;
    int64_t shape[4] = {s->set->count, s->set->height, s->set->width, s->set->channels};
    s->fingerprint = fingerprint(14695981039346656037u, shape, sizeof shape);
    s->fingerprint = fingerprint(s->fingerprint, s->set->images, set_bytes(s->set));
    return gan_source_networks(&s->model, &s->networks, settings, shape + 1);
}

static gan_status open_mixture(gan_source *s, const gan_settings *settings) {
    const int64_t plane[3] = {0, 0, 2};
    const gan_mixture *m = s->mixture;
    s->classes = m->modes;
    s->fingerprint =
        fingerprint(14695981039346656037u, m->centres, (size_t)m->modes * 2 * sizeof(float));
    s->fingerprint = fingerprint(s->fingerprint, &m->sigma, sizeof m->sigma);
    return gan_source_networks(&s->model, &s->networks, settings, plane);
}

static gan_status open_grammar(gan_source *s, const gan_settings *settings) {
    const gan_grammar *r = s->grammar;
    const int64_t example[3] = {r->length, 1, r->symbols};
    s->count = SEQUENCES;
    GAN_TRY(limit(&s->count, settings));
    const size_t bytes = (size_t)(s->count * r->length) * sizeof *s->sequences;
    s->sequences = malloc(bytes);
    if (!s->sequences) return gan_fail(GAN_ERROR_MEMORY, "data: no memory for '%s'", r->name);
    gan_grammar_draw(r, s->sequences, s->count, SEQUENCE_SEED);
    s->fingerprint = fingerprint(14695981039346656037u, s->sequences, bytes);
    return gan_source_networks(&s->model, &s->networks, settings, example);
}

static const char *kind_of(const gan_source *s) {
    return s->mixture ? "points" : s->grammar ? "sequences" : "images";
}

gan_status gan_source_open(gan_source *s, const gan_settings *settings) {
    *s = (gan_source){.batch = settings->batch,
                      .d_steps = settings->d_steps,
                      .flip = settings->data_flip,
                      .few = settings->labels_count};
    s->mixture = gan_mixture_find(settings->data);
    s->grammar = gan_grammar_find(settings->data);
    gan_status status = s->mixture   ? open_mixture(s, settings)
                        : s->grammar ? open_grammar(s, settings)
                                     : open_set(s, settings);
    if (status == GAN_OK && strcmp(gan_model_kind(s->model), kind_of(s)) != 0)
        status = gan_fail(GAN_ERROR_ARGUMENT, "model: '%s' makes %s, but data '%s' are %s",
                          settings->model, gan_model_kind(s->model), settings->data, kind_of(s));
    if (status == GAN_OK && s->mixture && settings->data_count)
        status = gan_fail(GAN_ERROR_ARGUMENT,
                          "data.count: %lld given, but data '%s' are made on the fly",
                          (long long)settings->data_count, settings->data);
    if (status == GAN_OK && s->count && s->batch > s->count)
        status = gan_fail(GAN_ERROR_ARGUMENT, "batch: %lld given, but data '%s' have %lld examples",
                          (long long)s->batch, settings->data, (long long)s->count);
    if (status != GAN_OK) gan_source_close(s);
    return status;
}

void gan_source_close(gan_source *s) {
    gan_dataset_destroy(s->set);
    free(s->sequences);
    free(s->index);
    s->set = NULL;
    s->sequences = NULL;
    s->index = NULL;
    s->steps = 0;
}

gan_status gan_source_use_labels(gan_source *s) {
    if (!s->classes)
        return gan_fail(GAN_ERROR_ARGUMENT, "data '%s' have no labels, but labels are asked for",
                        s->grammar ? s->grammar->name : s->set->name);
    if (!s->labelled && s->set)
        s->fingerprint =
            fingerprint(s->fingerprint, s->set->labels, (size_t)s->count * sizeof *s->set->labels);
    s->labelled = true;
    return GAN_OK;
}

/* ---- as nodes ---- */

/* The index of a step's examples is remembered, for their labels. */
static gan_node *remember(gan_source *s, gan_graph *g, int64_t step, gan_node *index) {
    if (s->graph != g) s->steps = 0;
    s->graph = g;
    if (step >= s->steps) {
        gan_node **more = realloc(s->index, (size_t)(step + 1) * sizeof(gan_node *));
        if (!more) return gan_graph_error(g, GAN_ERROR_MEMORY, "data: out of memory");
        for (int64_t i = s->steps; i <= step; i++) more[i] = NULL;
        s->index = more;
        s->steps = step + 1;
    }
    s->index[step] = index;
    return index;
}

static gan_node *draw_index(gan_source *s, gan_graph *g, gan_node *counter, int64_t step) {
    gan_node *index =
        s->mixture ? gan_random_index(g, counter, gan_shape1(s->batch), s->mixture->modes)
                   : gan_shuffled_index(g, counter, s->count, s->batch, s->batch * s->d_steps,
                                        s->batch * step, SHUFFLE_STREAM);
    return remember(s, g, step, index);
}

static gan_node *batch_of_points(gan_source *s, gan_graph *g, gan_node *counter, gan_node *index) {
    gan_node *centres = gan_variable_node(g, GAN_DATA, centres_name, GAN_F32,
                                          gan_shape2(s->mixture->modes, 2), gan_init_constant(0));
    gan_node *noise =
        gan_random_normal(g, counter, gan_shape2(s->batch, 2), 0, (double)s->mixture->sigma);
    return gan_add(g, gan_gather(g, centres, index), noise);
}

static gan_node *batch_of_sequences(gan_source *s, gan_graph *g, gan_node *index) {
    gan_node *table =
        gan_variable_node(g, GAN_DATA, sequences_name, GAN_I32,
                          gan_shape2(s->count, s->grammar->length), gan_init_constant(0));
    return gan_one_hot(g, gan_gather(g, table, index), s->grammar->symbols);
}

static gan_node *batch_of_images(gan_source *s, gan_graph *g, gan_node *counter, gan_node *index) {
    const gan_model_options *n = &s->networks;
    gan_node *images = gan_variable_node(g, GAN_DATA, images_name, GAN_U8,
                                         gan_shape4(s->count, n->height, n->width, n->channels),
                                         gan_init_constant(0));
    return gan_minibatch(g, images, index, counter, (s->model->high - s->model->low) / 255,
                         s->model->low, s->flip);
}

gan_node *gan_source_batch(void *source, gan_graph *g, gan_node *counter, int64_t step) {
    gan_source *s = source;
    gan_node *index = draw_index(s, g, counter, step);
    if (s->mixture) return batch_of_points(s, g, counter, index);
    if (s->grammar) return batch_of_sequences(s, g, index);
    return batch_of_images(s, g, counter, index);
}

gan_node *gan_source_labels(void *source, gan_graph *g, gan_node *counter, int64_t step) {
    gan_source *s = source;
    (void)counter;
    if (!s->labelled)
        return gan_graph_error(g, GAN_ERROR_ARGUMENT, "data: labels were not said to be used");
    if (s->graph != g || step >= s->steps || !s->index[step])
        return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                               "data: labels of step %lld, whose examples are not there yet",
                               (long long)step);
    if (s->mixture) return s->index[step];
    gan_node *labels = gan_variable_node(g, GAN_DATA, labels_name, GAN_I32, gan_shape1(s->count),
                                         gan_init_constant(0));
    return gan_gather(g, labels, s->index[step]);
}

gan_node *gan_source_labelled(void *source, gan_graph *g, gan_node *counter, int64_t step,
                              gan_node **classes) {
    gan_source *s = source;
    (void)step;
    *classes = NULL;
    if (!s->labelled || !s->set)
        return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                               "data: labelled examples asked for, but there are no images with "
                               "labels");
    const int64_t n = s->few ? s->few : s->count;
    gan_node *few =
        gan_variable_node(g, GAN_DATA, few_name, GAN_I32, gan_shape1(n), gan_init_constant(0));
    gan_node *labels = gan_variable_node(g, GAN_DATA, labels_name, GAN_I32, gan_shape1(s->count),
                                         gan_init_constant(0));
    gan_node *index = gan_gather(g, few, gan_random_index(g, counter, gan_shape1(s->batch), n));
    *classes = gan_gather(g, labels, index);
    return batch_of_images(s, g, counter, index);
}

static gan_status write(gan_store *store, const char *name, const void *values, size_t bytes) {
    return gan_variable_write(store, gan_store_find(store, GAN_DATA, name), values, bytes);
}

static gan_status place_few(const gan_source *s, gan_store *store) {
    const int64_t n = s->few ? s->few : s->count;
    int32_t *few = malloc((size_t)n * sizeof *few);
    if (!few) return gan_fail(GAN_ERROR_MEMORY, "data: out of memory");
    gan_status status = gan_dataset_balanced(few, s->set, n);
    if (status == GAN_OK) status = write(store, few_name, few, (size_t)n * sizeof *few);
    free(few);
    return status;
}

gan_status gan_source_place(gan_source *s, gan_store *store) {
    if (s->mixture)
        return write(store, centres_name, s->mixture->centres,
                     (size_t)s->mixture->modes * 2 * sizeof(float));
    if (s->grammar)
        return write(store, sequences_name, s->sequences,
                     (size_t)(s->count * s->grammar->length) * sizeof *s->sequences);
    if (s->labelled && gan_store_find(store, GAN_DATA, labels_name))
        GAN_TRY(
            write(store, labels_name, s->set->labels, (size_t)s->count * sizeof *s->set->labels));
    if (gan_store_find(store, GAN_DATA, few_name)) GAN_TRY(place_few(s, store));
    return write(store, images_name, s->set->images, set_bytes(s->set));
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
