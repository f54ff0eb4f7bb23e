#include "support/hand.h"

#include "ganc/nn.h"

static gan_node *one_weight(gan_scope *s, gan_node *x, double initial) {
    gan_node *w = gan_scope_weight(s, "w", gan_shape1(1), gan_init_constant(initial));
    return gan_mul(gan_scope_graph(s), x, w);
}

static gan_node *hand_generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    (void)o;
    return one_weight(s, z, 0.5);
}

/* D's only weight is that of its output. */
static gan_node *hand_features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    (void)s, (void)o;
    return x;
}

static const gan_model hand_model = {.name = "hand",
                                     .points = true,
                                     .generator = hand_generator,
                                     .features = hand_features,
                                     .output = {GAN_INIT_CONSTANT, 0.3f, 0},
                                     .output_no_bias = true};

gan_node *hand_ones(gan_graph *graph, gan_node *t, gan_shape shape) {
    (void)t;
    return gan_constant(graph, 1, shape);
}

static const gan_prior hand_prior = {"ones", "1", hand_ones};

gan_node *hand_real(void *user, gan_graph *graph, gan_node *t, int64_t step) {
    (void)t;
    *(int *)user += 1;
    return gan_constant(graph, 2 + (double)step, gan_shape2(4, 1));
}

gan_game_options hand_game(int *calls) {
    gan_optimizer_options sgd = {.optimizer = gan_optimizer_find("momentum"), .rate = 0.1};
    gan_game_options o = {.model = &hand_model,
                          .networks = {.channels = 1, .z_dim = 1},
                          .batch = 4,
                          .d_steps = 1,
                          .objective = gan_objective_find("non-saturating"),
                          .prior = &hand_prior,
                          .generator = sgd,
                          .discriminator = sgd,
                          .real = hand_real,
                          .user = calls};
    o.generator.momentum = 0.5;
    o.discriminator.rate = 0.3;
    return o;
}
