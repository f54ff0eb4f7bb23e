#include "case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DCGAN_ADAM .optimizer = "adam", .rate = 2e-4, .beta1 = 0.5, .beta2 = 0.999

static const bench_case cases[] = {
    {.name = "a1",
     .about = "MLP, G 100-256-512-1024-784, D 784-512-256-1, m 128",
     .model = "mlp",
     .objective = "non-saturating",
     .prior = "normal",
     DCGAN_ADAM,
     .size = 28,
     .channels = 1,
     .z = 100,
     .batch = 128,
     .d_steps = 1,
     .examples = 10000},
    {.name = "a2",
     .about = "the networks of 2014: maxout, dropout, momentum, m 100",
     .model = "maxout",
     .objective = "non-saturating",
     .prior = "unit-uniform",
     .optimizer = "momentum",
     .rate = 0.1,
     .momentum = 0.5,
     .loss_scale = 0.5,
     .size = 28,
     .channels = 1,
     .z = 100,
     .batch = 100,
     .d_steps = 1,
     .examples = 10000},
    {.name = "dcgan32",
     .about = "DCGAN 32x32x3, nf 64, m 64",
     .model = "dcgan",
     .objective = "non-saturating",
     .prior = "normal",
     DCGAN_ADAM,
     .size = 32,
     .channels = 3,
     .z = 100,
     .features = 64,
     .batch = 64,
     .d_steps = 1,
     .examples = 10000},
    {.name = "b",
     .about = "DCGAN 64x64x3, nf 64, m 128",
     .model = "dcgan",
     .objective = "non-saturating",
     .prior = "normal",
     DCGAN_ADAM,
     .size = 64,
     .channels = 3,
     .z = 100,
     .features = 64,
     .batch = 128,
     .d_steps = 1,
     .examples = 4096},
    {.name = "c",
     .about = "SN-GAN ResNet 32x32x3, hinge, m 64 (G 128), 5 D-steps",
     .model = "resnet",
     .objective = "hinge",
     .prior = "normal",
     .optimizer = "adam",
     .rate = 2e-4,
     .beta2 = 0.9,
     .size = 32,
     .channels = 3,
     .z = 128,
     .batch = 64,
     .generator_batch = 128,
     .d_steps = 5,
     .examples = 10000,
     .spectral_norm = true},
    {.name = "d",
     .about = "DCGAN 128x128x3, nf 96, m 256",
     .model = "dcgan",
     .objective = "non-saturating",
     .prior = "normal",
     DCGAN_ADAM,
     .size = 128,
     .channels = 3,
     .z = 100,
     .features = 96,
     .batch = 256,
     .d_steps = 1,
     .examples = 2048},
};
enum { CASES = sizeof cases / sizeof *cases };

const bench_case *bench_case_find(const char *name) {
    for (int i = 0; i < CASES; i++)
        if (strcmp(cases[i].name, name) == 0) return &cases[i];
    return NULL;
}

void bench_case_list(FILE *file) {
    for (int i = 0; i < CASES; i++) fprintf(file, "  %-8s %s\n", cases[i].name, cases[i].about);
}

double bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_check(gan_status status) {
    if (status == GAN_OK) return;
    fprintf(stderr, "bench: %s\n", gan_last_error());
    exit(1);
}

/* ---- what a gate wants to see passes through these on its way into the game ---- */

/* A prior, a model and an optimiser get no user data, so their stand-ins find the watch here. */
static struct {
    bench_watch *watch;
    const gan_prior *prior;
    const gan_model *model;
    const gan_optimizer *optimizer;
    int updates;
} here;

static gan_node *draw(gan_graph *g, gan_node *counter, gan_shape shape) {
    gan_node *z = here.prior->draw(g, counter, shape);
    if (here.watch->n_z < BENCH_DRAWS) here.watch->z[here.watch->n_z++] = gan_output(g, z);
    return z;
}

static gan_node *generate(gan_scope *scope, gan_node *z, const gan_model_options *options) {
    gan_node *made = here.model->generator(scope, z, options);
    gan_graph *g = gan_scope_graph(scope);
    if (!here.watch->samples) here.watch->samples = gan_output(g, gan_cast(g, made, GAN_F32));
    return made;
}

static void watch_gradients(gan_graph *g, const char *group, int n, gan_node *const *gradients) {
    bench_watch *w = here.watch;
    const gan_store *store = gan_graph_store(g);
    const size_t length = strlen(group);
    int found = 0;
    for (size_t i = 0; i < gan_store_count(store) && found < n; i++) {
        const gan_variable *v = gan_store_at(store, i);
        const char *name = gan_variable_name(v);
        if (gan_variable_role(v) != GAN_WEIGHT || strncmp(name, group, length) != 0 ||
            name[length] != '/' || w->n_gradient == BENCH_WEIGHTS)
            continue;
        snprintf(w->name[w->n_gradient], sizeof w->name[0], "%s", name);
        w->gradient[w->n_gradient++] = gan_output(g, gradients[found++]);
    }
}

static void update(gan_graph *g, const char *group, int n, gan_node *const *weights,
                   gan_node *const *gradients, gan_node *counter, int64_t per_iteration,
                   int64_t offset, const gan_optimizer_options *options) {
    const bool generator = strcmp(group, "generator") == 0;
    if (generator || here.updates++ == 0) watch_gradients(g, group, n, gradients);
    here.optimizer->update(g, group, n, weights, gradients, counter, per_iteration, offset,
                           options);
}

/* ---- the iteration ---- */

typedef struct source {
    const bench_case *c;
    const gan_model *model;
} source;

/* The bytes lie on the device; a batch is picked by a shuffle, as in training. */
static gan_node *real_batch(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const source *s = user;
    const bench_case *c = s->c;
    gan_node *data = gan_variable_node(g, GAN_DATA, BENCH_DATA, GAN_U8,
                                       gan_shape4(c->examples, c->size, c->size, c->channels),
                                       gan_init_constant(0));
    gan_node *index = gan_shuffled_index(g, counter, c->examples, c->batch, c->d_steps * c->batch,
                                         step * c->batch, 1u << 20);
    if (here.watch && here.watch->n_index < BENCH_DRAWS)
        here.watch->index[here.watch->n_index++] = gan_output(g, index);
    const double low = s->model->low, high = s->model->high;
    return gan_minibatch(g, data, index, counter, (high - low) / 255, low, false);
}

gan_status bench_case_build(gan_game *game, gan_graph *g, const bench_case *c, bench_watch *watch) {
    source s = {c, gan_model_find(c->model)};
    gan_optimizer_options rule = gan_optimizer_defaults(c->optimizer);
    rule.rate = c->rate;
    rule.decay = 1;
    rule.beta1 = c->beta1;
    rule.beta2 = c->beta2;
    rule.momentum = c->momentum;
    rule.momentum_epochs = 0;
    here.watch = watch;
    here.prior = gan_prior_find(c->prior);
    here.model = s.model;
    here.optimizer = rule.optimizer;
    here.updates = 0;
    const gan_prior watched_prior = {"watched", "", draw};
    gan_model watched_model = *s.model;
    watched_model.generator = generate;
    const gan_optimizer watched_optimizer = {.name = "watched", .update = update};
    if (watch) rule.optimizer = &watched_optimizer;
    const gan_game_options options = {
        .model = watch ? &watched_model : s.model,
        .networks = {.height = c->size,
                     .width = c->size,
                     .channels = c->channels,
                     .z_dim = c->z,
                     .generator_features = c->features,
                     .discriminator_features = c->features,
                     .spectral_norm = c->spectral_norm},
        .precision = c->precision,
        .batch = c->batch,
        .generator_batch = c->generator_batch,
        .d_steps = c->d_steps,
        .objective = gan_objective_find(c->objective),
        .loss.scale = c->loss_scale,
        .prior = watch ? &watched_prior : here.prior,
        .generator = rule,
        .discriminator = rule,
        .real = real_batch,
        .user = &s,
    };
    const gan_status status = gan_game_build(game, g, &options);
    if (status != GAN_OK) return status;
    gan_output(g, game->d_loss);
    gan_output(g, game->g_loss);
    return GAN_OK;
}

/* ---- data ---- */

static uint32_t next(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

gan_status bench_case_fill(gan_store *store, const bench_case *c) {
    const gan_variable *v = gan_store_find(store, GAN_DATA, BENCH_DATA);
    const size_t bytes = (size_t)(c->examples * c->size * c->size * c->channels);
    uint8_t wave[256], *pixels = malloc(bytes), *p = pixels;
    if (!pixels) return GAN_ERROR_MEMORY;
    for (int i = 0; i < 256; i++)
        wave[i] = (uint8_t)lrint(120 + 112 * sin(i * 3.14159265358979 / 128));
    uint32_t seed = 1;
    const uint32_t turn = 256u / (uint32_t)c->size;
    for (int64_t i = 0; i < c->examples; i++) {
        const uint32_t fx = (next(&seed) % 3 + 1) * turn, fy = next(&seed) % 3 * turn;
        const uint32_t phase = next(&seed);
        for (int64_t y = 0; y < c->size; y++)
            for (int64_t x = 0; x < c->size; x++)
                for (int64_t k = 0; k < c->channels; k++)
                    *p++ =
                        (uint8_t)(wave[(fx * (uint32_t)x + fy * (uint32_t)y + (phase >> (4 * k))) &
                                       255] +
                                  next(&seed) % 16);
    }
    const gan_status status = gan_variable_write(store, v, pixels, bytes);
    free(pixels);
    return status;
}
