/* Training a classifier: cross-entropy by Adam, all of it a program. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "metric/classifier.h"

enum { SHUFFLE_STREAM = 1 << 30 };

/* What is needed for as long as it learns: the data, Adam's moments. */
typedef struct course {
    const gan_dataset *set;
    const gan_classifier_options *o;
    int64_t count, batch, updates;
    int32_t *chosen; /* (count) */
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
} course;

static const char *const images_name = "data/images";
static const char *const labels_name = "data/labels";
static const char *const chosen_name = "data/labelled";

static gan_node *data(gan_graph *g, const char *name, gan_dtype type, gan_shape shape) {
    return gan_variable_node(g, GAN_DATA, name, type, shape, gan_init_constant(0));
}

/* The rate at each update: it falls to zero in a line. */
static gan_node *rate(const course *u, gan_graph *g, gan_node *counter) {
    const double at_first = u->o->rate > 0 ? u->o->rate : 0.001;
    gan_node *t = gan_reshape(g, gan_cast(g, counter, GAN_F32), gan_shape0());
    return gan_shift(g, gan_scale(g, t, -at_first / (double)u->updates), at_first);
}

static gan_status build(course *u, const gan_classifier *c) {
    const gan_dataset *d = u->set;
    gan_graph *g = u->graph;
    gan_node *counter = gan_variable_node(g, GAN_COUNTER, "train/update", GAN_I64, gan_shape0(),
                                          gan_init_constant(0));
    gan_node *images =
        data(g, images_name, GAN_U8, gan_shape4(d->count, d->height, d->width, d->channels));
    gan_node *labels = data(g, labels_name, GAN_I32, gan_shape1(d->count));
    gan_node *chosen = data(g, chosen_name, GAN_I32, gan_shape1(u->count));
    gan_node *index =
        gan_shuffled_index(g, counter, u->count, u->batch, u->batch, 0, SHUFFLE_STREAM);
    index = gan_gather(g, chosen, index);
    gan_node *x = gan_minibatch(g, images, index, counter, (c->high - c->low) / 255, c->low, false);
    gan_scope *scope = gan_scope_create(g, "classifier",
                                        &(gan_scope_settings){.training = true,
                                                              .update_statistics = true,
                                                              .counter = counter,
                                                              .norm = u->o->norm,
                                                              .weight = u->o->weight});
    gan_node *loss = gan_softmax_loss(g, gan_classifier_network(c, scope, x, NULL),
                                      gan_gather(g, labels, index));
    const int n = gan_group_weights(g, "classifier", NULL, 0);
    gan_node **w = malloc(2 * (size_t)n * sizeof(gan_node *) + 1);
    if (!w) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
    gan_group_weights(g, "classifier", w, n);
    const gan_status status = gan_gradient(g, loss, n, w, w + n);
    if (status == GAN_OK)
        gan_adam(g, "classifier", n, w, w + n,
                 &(gan_adam_options){.beta1 = 0.9,
                                     .beta2 = 0.999,
                                     .eps = 1e-8,
                                     .rate = rate(u, g, counter),
                                     .counter = counter,
                                     .per_iteration = 1});
    free(w);
    gan_advance(g, counter, 1);
    return status == GAN_OK ? gan_graph_status(g) : status;
}

static gan_status put(course *u, const char *name, const void *from, size_t bytes) {
    return gan_variable_write(u->store, gan_store_find(u->store, GAN_DATA, name), from, bytes);
}

static gan_status learn(course *u, const gan_classifier *c) {
    const gan_dataset *d = u->set;
    GAN_TRY(gan_store_create(&u->store, u->o->seed));
    GAN_TRY(gan_graph_create(&u->graph, u->store));
    GAN_TRY(build(u, c));
    GAN_TRY(gan_compile(&u->program, u->graph, c->device));
    GAN_TRY(gan_store_place(u->store, c->device));
    GAN_TRY(gan_program_load(u->program));
    GAN_TRY(
        put(u, images_name, d->images, (size_t)(d->count * d->height * d->width * d->channels)));
    GAN_TRY(put(u, labels_name, d->labels, (size_t)d->count * sizeof *d->labels));
    GAN_TRY(put(u, chosen_name, u->chosen, (size_t)u->count * sizeof *u->chosen));
    GAN_TRY(gan_program_run(u->program, u->updates));
    return gan_device_synchronize(c->device);
}

/* What was learnt, into the classifier's own store. */
static gan_status hand_over(const course *u, gan_classifier *c) {
    size_t at = 0;
    for (const gan_variable *v; (v = gan_classifier_variable(c, &at));) {
        const gan_variable *from =
            gan_store_find(u->store, gan_variable_role(v), gan_variable_name(v));
        const size_t bytes = (size_t)gan_shape_size(gan_variable_shape(v)) * sizeof(float);
        float *value = malloc(bytes);
        if (!value) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
        gan_status status = gan_variable_read(u->store, from, value, bytes);
        if (status == GAN_OK) status = gan_variable_write(c->store, v, value, bytes);
        free(value);
        if (status != GAN_OK) return status;
    }
    return GAN_OK;
}

static gan_status choose(course *u) {
    u->chosen = malloc((size_t)u->count * sizeof *u->chosen);
    if (!u->chosen) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
    if (u->o->count) return gan_dataset_balanced(u->chosen, u->set, u->count);
    for (int64_t i = 0; i < u->count; i++) u->chosen[i] = (int32_t)i;
    return GAN_OK;
}

static gan_classifier describe(const course *u, gan_device *device) {
    const gan_classifier_options *o = u->o;
    gan_classifier like = {.device = device,
                           .height = u->set->height,
                           .width = u->set->width,
                           .channels = u->set->channels,
                           .classes = u->set->classes,
                           .options = *o,
                           .low = o->model ? o->model->low : -1,
                           .high = o->model ? o->model->high : 1};
    if (!o->model) return like;
    like.networks = o->networks ? *o->networks : o->model->initial;
    like.networks.height = like.height;
    like.networks.width = like.width;
    like.networks.channels = like.channels;
    return like;
}

gan_status gan_classifier_train(gan_classifier **out, gan_device *device, const gan_dataset *set,
                                const gan_classifier_options *options) {
    static const gan_classifier_options none = {0};
    *out = NULL;
    course u = {.set = set, .o = options ? options : &none};
    const gan_classifier_options *o = u.o;
    if (!set->labels || set->classes < 2)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "classifier: data '%.200s' are %s, labels of 2 classes or more expected",
                        set->name, set->labels ? "of one class" : "without labels");
    if (o->count < 0 || o->updates < 0 || o->batch < 0)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "classifier: %lld examples, %lld updates and a batch of %lld given",
                        (long long)o->count, (long long)o->updates, (long long)o->batch);
    u.count = o->count ? o->count : set->count;
    u.batch = o->batch ? o->batch : 64;
    if (u.batch > u.count) u.batch = u.count;
    u.updates = o->updates ? o->updates : (2 * u.count + u.batch - 1) / u.batch;
    const gan_classifier like = describe(&u, device);
    gan_status status = choose(&u);
    if (status == GAN_OK) status = gan_classifier_open(out, &like);
    if (status == GAN_OK && o->begin) o->begin(o->context);
    if (status == GAN_OK) status = learn(&u, *out);
    if (status == GAN_OK) status = hand_over(&u, *out);
    if (u.program) gan_program_destroy(u.program);
    if (u.graph) gan_graph_destroy(u.graph);
    if (u.store) gan_store_destroy(u.store);
    free(u.chosen);
    if (status == GAN_OK) return GAN_OK;
    gan_classifier_close(*out);
    *out = NULL;
    return status;
}
