#include "support/measured.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { EXAMPLES = 10000, RING = 1024 };

/* clang-format off */
const measured_case measured_cases[MEASURED] = {
    {"a1", "mlp", "adam", 28, 1, 0, 128, 0, 1, true, false},
    {"a2", "maxout", "momentum", 28, 1, 0, 100, 0, 1, false, false},
    {"b", "dcgan", "adam", 64, 3, 64, 128, 0, 1, true, false},
    {"c", "resnet", "adam", 32, 3, 0, 64, 128, 5, false, true},
    {"d", "dcgan", "adam", 128, 3, 96, 256, 0, 1, true, false},
};
/* clang-format on */

static gan_node *real_batch(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const measured_case *c = user;
    gan_node *data = gan_variable_node(g, GAN_DATA, "data/images", GAN_U8,
                                       gan_shape4(EXAMPLES, c->size, c->size, c->channels),
                                       gan_init_constant(0));
    gan_node *index = gan_shuffled_index(g, counter, EXAMPLES, c->batch, c->batch * c->d_steps,
                                         step * c->batch, 1u << 20);
    return gan_minibatch(g, data, index, counter, 2.0 / 255, -1, false);
}

void measured_build(gan_graph *g, const measured_case *c, gan_precision precision) {
    gan_game game;
    const gan_game_options options = {.model = gan_model_find(c->model),
                                      .networks = {.height = c->size,
                                                   .width = c->size,
                                                   .channels = c->channels,
                                                   .z_dim = 100,
                                                   .generator_features = c->features,
                                                   .discriminator_features = c->features,
                                                   .spectral_norm = c->spectral_norm},
                                      .batch = c->batch,
                                      .generator_batch = c->generator_batch,
                                      .d_steps = c->d_steps,
                                      .reuse_noise = c->reuse_noise,
                                      .precision = precision,
                                      .objective = gan_objective_find("non-saturating"),
                                      .prior = gan_prior_find("normal"),
                                      .generator = gan_optimizer_defaults(c->optimizer),
                                      .discriminator = gan_optimizer_defaults(c->optimizer),
                                      .real = real_batch,
                                      .user = (void *)(uintptr_t)c};
    if (gan_game_build(&game, g, &options) != GAN_OK) fail_msg("%s", gan_last_error());
    gan_node *ring = gan_variable_node(g, GAN_RECORD, "train/ring", GAN_F32, gan_shape2(RING, 4),
                                       gan_init_constant(0));
    gan_node *const scalar[4] = {game.d_loss, game.g_loss, game.d_real, game.d_fake};
    gan_record(g, ring, game.counter, 1, 4, scalar);
}
