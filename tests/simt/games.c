#include "games.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scratch.h"

const game games[GAMES] = {
    {"mlp", "adam", "non-saturating", NULL, 8, 8, 1, false, true, 0},
    {"maxout", "momentum", "non-saturating", NULL, 8, 8, 1, false, false, 0},
    {"dcgan", "adam", "non-saturating", NULL, 28, 2, 1, false, true, 0.9},
    {"mlp", "adam", "hinge", NULL, 8, 8, 2, true, false, 0},
    {"mlp", "adam", "wasserstein", "wgan-gp", 8, 8, 2, false, false, 0},
};
enum { BATCH = 6, EXAMPLES = 20 };

static gan_node *real_batch(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const game *n = user;
    gan_node *data =
        gan_variable_node(g, GAN_DATA, "data/images", GAN_U8,
                          gan_shape4(EXAMPLES, n->size, n->size, 1), gan_init_constant(0));
    gan_node *index =
        gan_shuffled_index(g, counter, EXAMPLES, BATCH, BATCH * n->d_steps, BATCH * step, 1u << 20);
    return gan_minibatch(g, data, index, counter, 2.0 / 255, -1, true);
}

void game_write(gan_graph *g, const game *n, gan_precision precision) {
    gan_game built;
    gan_game_options options = {.model = gan_model_find(n->model),
                                .networks = {.height = n->size,
                                             .width = n->size,
                                             .channels = 1,
                                             .z_dim = 10,
                                             .generator_features = n->features,
                                             .discriminator_features = n->features,
                                             .spectral_norm = n->spectral_norm},
                                .precision = precision,
                                .batch = BATCH,
                                .d_steps = n->d_steps,
                                .reuse_noise = n->reuse_noise,
                                .average = n->average,
                                .objective = gan_objective_find(n->objective),
                                .prior = gan_prior_find("normal"),
                                .generator = gan_optimizer_defaults(n->optimizer),
                                .discriminator = gan_optimizer_defaults(n->optimizer),
                                .real = real_batch,
                                .user = (void *)(uintptr_t)n};
    if (n->term) {
        options.terms[0].term = gan_term_find(n->term);
        assert_non_null(options.terms[0].term);
        options.n_terms = 1;
    }
    expect_ok(gan_game_build(&built, g, &options));
    gan_node *ring = gan_variable_node(g, GAN_RECORD, "train/ring", GAN_F32, gan_shape2(4, 4),
                                       gan_init_constant(0));
    gan_node *const scalar[4] = {built.d_loss, built.g_loss, built.d_real, built.d_fake};
    gan_record(g, ring, built.counter, 1, 4, scalar);
}

/* ---- running ---- */

void run_open(run *s, const game *n, gan_precision precision, const gan_device_options *options) {
    expect_ok(gan_device_open(&s->device, "cuda", options));
    expect_ok(gan_store_create(&s->store, 1));
    expect_ok(gan_graph_create(&s->g, s->store));
    game_write(s->g, n, precision);
    expect_ok(gan_compile(&s->program, s->g, s->device));
}

void run_close(run *s) {
    gan_program_destroy(s->program);
    gan_graph_destroy(s->g);
    gan_store_destroy(s->store);
    gan_device_close(s->device);
}

void write_examples(const run *s, int64_t size) {
    unsigned char data[EXAMPLES * 28 * 28];
    const size_t bytes = (size_t)(EXAMPLES * size * size);
    assert_true(bytes <= sizeof data);
    for (size_t i = 0; i < bytes; i++) data[i] = (unsigned char)(i * 37 + i / 64);
    for (size_t i = 0; i < gan_store_count(s->store); i++) {
        const gan_variable *v = gan_store_at(s->store, i);
        if (gan_variable_role(v) == GAN_DATA)
            expect_ok(gan_variable_write(s->store, v, data, bytes));
    }
}

/* All variables, one behind the other. */
static unsigned char *variables_of(const run *s, size_t *size) {
    unsigned char *all = NULL;
    *size = 0;
    for (size_t i = 0; i < gan_store_count(s->store); i++) {
        const gan_variable *v = gan_store_at(s->store, i);
        const size_t bytes =
            (size_t)gan_shape_size(gan_variable_shape(v)) * gan_dtype_size(gan_variable_dtype(v));
        all = realloc(all, *size + bytes + 1);
        assert_non_null(all);
        expect_ok(gan_variable_read(s->store, v, all + *size, bytes));
        *size += bytes;
    }
    return all;
}

unsigned char *train(const game *n, gan_precision precision, const gan_device_options *options,
                     int unroll, const char *order, int seed, size_t *size) {
    run s;
    char number[16];
    snprintf(number, sizeof number, "%d", seed);
    assert_int_equal(setenv("SIMT_ORDER", order, 1), 0);
    assert_int_equal(setenv("SIMT_SEED", number, 1), 0);
    run_open(&s, n, precision, options);
    s.program->unroll = unroll;
    expect_ok(gan_program_load(s.program));
    write_examples(&s, n->size);
    expect_ok(gan_program_run(s.program, unroll + 1));
    unsigned char *all = variables_of(&s, size);
    run_close(&s);
    return all;
}
