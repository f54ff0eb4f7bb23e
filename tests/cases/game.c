/* Whole iterations of the game: mini-batches, noise, both networks, losses, gradients and updates,
 * as the trainer builds them, at small sizes. */
#include "cases/case.h"
#include "ganc/adversarial.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    const char *model, *objective, *optimizer;
    int64_t size, channels, width, d_steps;
    bool simultaneous, spectral;
    double average;
} games[] = {
    {"toy", "non-saturating", "adam", 0, 2, 9, 1, false, false, 0.9},
    {"toy", "minimax", "momentum", 0, 2, 16, 2, true, false, 0},
    {"mlp", "non-saturating", "adam", 6, 1, 17, 1, true, false, 0},
    {"maxout", "minimax", "momentum", 5, 1, 7, 1, false, false, 0},
    {"dcgan", "non-saturating", "adam", 16, 1, 3, 2, false, false, 0.99},
    {"dcgan", "non-saturating", "adam", 14, 3, 4, 1, false, true, 0},
};

static int game_count(void) { return COUNT(games); }

typedef struct source {
    test_case *t;
    gan_node *data;
    int64_t batch, d_steps;
} source;

static gan_node *real(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const source *s = user;
    if (!s->data) return gan_random_uniform(g, counter, gan_shape2(s->batch, 2), -1, 1);
    const int64_t n = gan_node_shape(s->data).dim[0];
    gan_node *index =
        gan_shuffled_index(g, counter, n, s->batch, s->batch * s->d_steps, s->batch * step, 0);
    return gan_minibatch(g, s->data, index, counter, 2.0 / 255, -1, true);
}

static void game_build(test_case *t, int i) {
    const int64_t size = games[i].size, channels = games[i].channels, width = games[i].width;
    case_title(t, "%s %s %s", games[i].model, games[i].objective, games[i].optimizer);
    case_not_smooth(t);
    t->looser = 100; /* many ops deep, and updates feed rounding back */
    t->scaled = true;
    source s = {t, NULL, 6, games[i].d_steps};
    if (size) s.data = case_bytes(t, "data/pixels", gan_shape4(20, size, size, channels));
    gan_optimizer_options rates = gan_optimizer_defaults(games[i].optimizer);
    rates.eps = 1e-3; /* where gradients vanish, their sign is only rounding */
    const gan_game_options options = {
        .model = gan_model_find(games[i].model),
        .networks = {.height = size,
                     .width = size,
                     .channels = channels,
                     .z_dim = 5,
                     .generator_features = width,
                     .discriminator_features = width,
                     .spectral_norm = games[i].spectral},
        .batch = s.batch,
        .d_steps = games[i].d_steps,
        .simultaneous = games[i].simultaneous,
        .objective = gan_objective_find(games[i].objective),
        .loss = {.scale = 0.5, .smooth = 0.1},
        .prior = gan_prior_find("normal"),
        .generator = rates,
        .discriminator = rates,
        .average = games[i].average,
        .real = real,
        .user = &s,
    };
    gan_game game;
    gan_game_build(&game, t->g, &options);
    case_output(t, game.d_loss);
    case_output(t, game.g_loss);
    case_output(t, game.d_real);
    case_output(t, game.d_fake);
}

const case_family cases_game = {"game", game_count, game_build};
