/* A classifier as a network: opening one, and asking it. How it is trained is in
 * classifier_train.c.
 */
#include "metric/classifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const double slope = 0.01;

static gan_node *layer(gan_scope *s, const char *name, gan_node *x, int64_t channels) {
    const int64_t fan_in = 16 * gan_node_shape(x).dim[3];
    const gan_init init = gan_init_he(fan_in, slope);
    x = gan_layer_conv2d(s, name, x, channels, 4, gan_window_same(2, 1),
                         &(gan_layer_options){.weight = &init});
    return gan_leaky_relu(gan_scope_graph(s), x, slope);
}

gan_node *gan_classifier_network(const gan_classifier *c, gan_scope *s, gan_node *x,
                                 gan_node **hidden) {
    const gan_model *model = c->options.model;
    if (hidden) *hidden = NULL;
    if (!s || !x) return NULL;
    if (model)
        return gan_model_output(model, s, "output", gan_model_features(model, s, x, &c->networks),
                                c->classes, &c->networks);
    x = layer(s, "conv2", layer(s, "conv1", x, 32), 64);
    x = gan_layer_linear(s, "hidden", x, GAN_CLASSIFIER_FEATURES, NULL);
    x = gan_leaky_relu(gan_scope_graph(s), x, slope);
    if (hidden) *hidden = x;
    return gan_layer_linear(s, "output", gan_layer_dropout(s, x, 0.5), c->classes, NULL);
}

static gan_status build(gan_classifier *c) {
    GAN_TRY(gan_store_create(&c->store, 0));
    GAN_TRY(gan_graph_create(&c->graph, c->store));
    gan_graph *g = c->graph;
    gan_scope *scope = gan_scope_create(
        g, "classifier",
        &(gan_scope_settings){.norm = c->options.norm, .weight = c->options.weight});
    c->input = gan_input(
        g, GAN_F32, gan_shape4(GAN_CLASSIFIER_BATCH, c->height, c->width, c->channels), "images");
    c->logits = gan_output(g, gan_classifier_network(c, scope, c->input, &c->hidden));
    if (c->hidden) gan_output(g, c->hidden);
    GAN_TRY(gan_compile(&c->program, g, c->device));
    GAN_TRY(gan_store_place(c->store, c->device));
    return gan_program_load(c->program);
}

gan_status gan_classifier_open(gan_classifier **out, const gan_classifier *like) {
    *out = NULL;
    if (like->height < 8 || like->width < 8 || like->classes < 2)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "classifier: images of %lldx%lld in %lld classes, expected 8x8 and 2 at "
                        "least",
                        (long long)like->height, (long long)like->width, (long long)like->classes);
    gan_classifier *c = malloc(sizeof *c);
    if (!c) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
    *c = *like;
    const gan_status status = build(c);
    if (status == GAN_OK)
        *out = c;
    else
        gan_classifier_close(c);
    return status;
}

void gan_classifier_close(gan_classifier *c) {
    if (!c) return;
    if (c->program) gan_program_destroy(c->program);
    if (c->graph) gan_graph_destroy(c->graph);
    if (c->store) gan_store_destroy(c->store);
    free(c);
}

int64_t gan_classifier_classes(const gan_classifier *c) { return c->classes; }

gan_status gan_classifier_fits(const gan_classifier *c, const gan_model_options *o,
                               const char *whose) {
    if (o->height == c->height && o->width == c->width && o->channels == c->channels) return GAN_OK;
    return gan_fail(
        GAN_ERROR_SHAPE,
        "%s: images of %lldx%lldx%lld, but the classifier was trained on %lldx%lldx%lld", whose,
        (long long)o->height, (long long)o->width, (long long)o->channels, (long long)c->height,
        (long long)c->width, (long long)c->channels);
}

const gan_variable *gan_classifier_variable(const gan_classifier *c, size_t *at) {
    while (*at < gan_store_count(c->store)) {
        const gan_variable *v = gan_store_at(c->store, (*at)++);
        const gan_role role = gan_variable_role(v);
        if (role == GAN_WEIGHT || role == GAN_STATISTIC) return v;
    }
    return NULL;
}

gan_status gan_classifier_hash(uint64_t *out, gan_classifier *c) {
    uint64_t h = 14695981039346656037u;
    size_t at = 0;
    for (const gan_variable *v; (v = gan_classifier_variable(c, &at));) {
        const size_t bytes = (size_t)gan_shape_size(gan_variable_shape(v)) * sizeof(float);
        unsigned char *value = malloc(bytes);
        if (!value) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
        const gan_status status = gan_variable_read(c->store, v, value, bytes);
        for (size_t i = 0; i < bytes && status == GAN_OK; i++) h = (h ^ value[i]) * 1099511628211u;
        free(value);
        if (status != GAN_OK) return status;
    }
    *out = h;
    return GAN_OK;
}

/* ---- asking it ---- */

static int32_t largest(const float *logit, int64_t n) {
    int32_t best = 0;
    for (int32_t k = 1; k < n; k++)
        if (logit[k] > logit[best]) best = k;
    return best;
}

/* What is asked about images; either may be NULL. */
typedef struct answer {
    int32_t *classes; /* (count) */
    float *features;  /* (count, GAN_CLASSIFIER_FEATURES) */
} answer;

/* Up to a batch of images, already in `pixel`; the first of them is number `first`. */
static gan_status ask(gan_classifier *c, const answer *to, int64_t first, const float *pixel,
                      float *read, int64_t count) {
    const size_t batch = GAN_CLASSIFIER_BATCH, width = GAN_CLASSIFIER_FEATURES;
    const size_t pixels = (size_t)(c->height * c->width * c->channels);
    GAN_TRY(gan_program_write(c->program, c->input, pixel, batch * pixels * sizeof *pixel));
    GAN_TRY(gan_program_run(c->program, 1));
    if (to->features) {
        GAN_TRY(gan_program_read(c->program, c->hidden, read, batch * width * sizeof *read));
        memcpy(to->features + (size_t)first * width, read, (size_t)count * width * sizeof *read);
    }
    if (!to->classes) return GAN_OK;
    GAN_TRY(
        gan_program_read(c->program, c->logits, read, batch * (size_t)c->classes * sizeof *read));
    for (int64_t i = 0; i < count; i++)
        to->classes[first + i] = largest(read + i * c->classes, c->classes);
    return GAN_OK;
}

/* One of `images` and `bytes` is given; `low` and `high` are of whichever it is. */
static gan_status look(gan_classifier *c, const answer *to, const float *images,
                       const uint8_t *bytes, int64_t count, double low, double high) {
    const int64_t pixels = c->height * c->width * c->channels, most = GAN_CLASSIFIER_BATCH;
    const int64_t width =
        c->classes > GAN_CLASSIFIER_FEATURES ? c->classes : GAN_CLASSIFIER_FEATURES;
    const double scale = (c->high - c->low) / (high - low);
    if (count < 1 || !(low < high))
        return gan_fail(GAN_ERROR_ARGUMENT, "classifier: %lld images of pixels from %g to %g given",
                        (long long)count, low, high);
    float *pixel = calloc((size_t)(most * pixels), sizeof *pixel);
    float *read = malloc((size_t)(most * width) * sizeof *read);
    gan_status status =
        pixel && read ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
    for (int64_t first = 0; first < count && status == GAN_OK; first += most) {
        const int64_t n = count - first < most ? count - first : most;
        for (int64_t i = 0; i < n * pixels; i++) {
            const int64_t at = first * pixels + i;
            const double value = images ? (double)images[at] : bytes[at];
            pixel[i] = (float)(c->low + scale * (value - low));
        }
        status = ask(c, to, first, pixel, read, n);
    }
    free(pixel);
    free(read);
    return status;
}

gan_status gan_classifier_features(gan_classifier *c, float *features, const float *images,
                                   int64_t count, double low, double high) {
    if (!c->hidden)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "classifier: the features of a discriminator, model "
                        "%s, are not compared",
                        c->options.model->name);
    return look(c, &(answer){.features = features}, images, NULL, count, low, high);
}

gan_status gan_classifier_classify(gan_classifier *c, int32_t *classes, const float *images,
                                   int64_t count, double low, double high) {
    return look(c, &(answer){.classes = classes}, images, NULL, count, low, high);
}

gan_status gan_classifier_accuracy(double *out, gan_classifier *c, const gan_dataset *set) {
    if (!set->labels || set->height != c->height || set->width != c->width ||
        set->channels != c->channels || set->classes > c->classes)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "classifier: of %lldx%lldx%lld in %lld classes, but data '%.200s' are "
                        "%lldx%lldx%lld in %d",
                        (long long)c->height, (long long)c->width, (long long)c->channels,
                        (long long)c->classes, set->name, (long long)set->height,
                        (long long)set->width, (long long)set->channels, set->classes);
    int32_t *classes = malloc((size_t)set->count * sizeof *classes);
    if (!classes) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
    const gan_status status =
        look(c, &(answer){.classes = classes}, NULL, set->images, set->count, 0, 255);
    int64_t right = 0;
    for (int64_t i = 0; i < set->count && status == GAN_OK; i++)
        right += classes[i] == set->labels[i];
    *out = (double)right / (double)set->count;
    free(classes);
    return status;
}
