/* The game: objectives, optimisers, and the iteration of D- and G-steps written as nodes.
 *
 *     gan_game game;
 *     gan_game_build(&game, graph, &(gan_game_options){
 *         .model = gan_model_find("dcgan"), .networks = …, .batch = 64, .d_steps = 1,
 *         .objective = gan_objective_find("non-saturating"), .loss.scale = 1,
 *         .prior = gan_prior_find("normal"),
 *         .generator = gan_optimizer_defaults("adam"), .discriminator =
 * gan_optimizer_defaults("adam"), .real = my_minibatch, .user = my_data });
 *
 * Everything here is a table of {name, one line, functions}: a new objective, prior or optimiser is
 * one row.
 */
#ifndef GANC_ADVERSARIAL_H
#define GANC_ADVERSARIAL_H

#include "ganc/graph.h"
#include "ganc/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objectives ---- */

typedef struct gan_objective_options {
    double scale;  /* of D's sum over real and fake: 1, or ½ as in the 2014 code; 0 counts as 1 */
    double smooth; /* one-sided label smoothing: D's target on real data is 1 - smooth; 0 .. 1 */
} gan_objective_options;

/* Losses from logits (m, 1), as scalars to minimise. */
typedef struct gan_objective {
    const char *name, *about;
    gan_node *(*d_loss)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                        const gan_objective_options *options);
    /* s_real only where `needs_real`, else NULL. */
    gan_node *(*g_loss)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                        const gan_objective_options *options);
    bool needs_real; /* g_loss uses D's logits on real data */
} gan_objective;

GAN_API size_t gan_objective_count(void);
GAN_API const gan_objective *gan_objective_at(size_t index);
GAN_API const gan_objective *gan_objective_find(const char *name); /* NULL when unknown */

/* ---- noise ---- */

typedef struct gan_prior {
    const char *name, *about;
    gan_node *(*draw)(gan_graph *g, gan_node *counter, gan_shape shape);
} gan_prior;

GAN_API size_t gan_prior_count(void);
GAN_API const gan_prior *gan_prior_at(size_t index);
GAN_API const gan_prior *gan_prior_find(const char *name); /* NULL when unknown */

/* `count` points of a mixture: a random row of `centres` (R, d) plus N(0, deviation²) -> (count,
 * d). */
GAN_API gan_node *gan_mixture_points(gan_graph *g, gan_node *counter, gan_node *centres,
                                     double deviation, int64_t count);

/* ---- optimisers and their schedules ---- */

typedef struct gan_optimizer gan_optimizer;

typedef struct gan_optimizer_options {
    const gan_optimizer *optimizer;
    /* The rate at update number n (0, 1, …), in iteration t of the game, is
     * max(rate · decay^-n, floor) · max(1 - t / linear, 0), the last factor only where linear > 0.
     */
    double rate;
    double decay;             /* 1.000004 in 2014; 0 counts as 1 */
    double floor;             /* 1e-6 in 2014 */
    int64_t linear;           /* updates until the rate is zero; 0: it does not fall */
    double beta1, beta2, eps; /* adam; eps 0 counts as 1e-8 */
    /* momentum: `momentum` in epoch 1, then linear up to `momentum_final` in epoch
     * `momentum_epochs`, where an epoch has `epoch_updates` updates; constant when momentum_epochs
     * or epoch_updates is 0. */
    double momentum, momentum_final;
    int64_t momentum_epochs, epoch_updates;
} gan_optimizer_options;

struct gan_optimizer {
    const char *name, *about;
    gan_optimizer_options
        initial; /* adam: 2e-4, .5, .999; momentum: the 2014 schedule but epoch_updates */
    /* Adds update number counter·per_iteration + offset of all weights of `group`. */
    void (*update)(gan_graph *g, const char *group, int n, gan_node *const *weights,
                   gan_node *const *gradients, gan_node *counter, int64_t per_iteration,
                   int64_t offset, const gan_optimizer_options *options);
};

GAN_API size_t gan_optimizer_count(void);
GAN_API const gan_optimizer *gan_optimizer_at(size_t index);
GAN_API const gan_optimizer *gan_optimizer_find(const char *name); /* NULL when unknown */

/* The named optimiser's initial options; .optimizer is NULL when the name is unknown. */
GAN_API gan_optimizer_options gan_optimizer_defaults(const char *name);

/* The rate and the momentum at update number counter·per_iteration + offset, scalars computed on
 * the device. */
GAN_API gan_node *gan_rate_schedule(gan_graph *g, gan_node *counter, int64_t per_iteration,
                                    int64_t offset, const gan_optimizer_options *options);
GAN_API gan_node *gan_momentum_schedule(gan_graph *g, gan_node *counter, int64_t per_iteration,
                                        int64_t offset, const gan_optimizer_options *options);

/* ---- the game ---- */

typedef struct gan_game_options {
    const gan_model *model;
    gan_model_options networks;
    gan_precision precision; /* of both networks; samplers always are f32 */
    int64_t batch;           /* m: real examples a D-step, and fakes of D- and G-step */
    int64_t d_steps;         /* D-steps a G-step; 0 counts as 1 */
    /* The last D-step and the G-step take both gradients from the same parameters and the same
     * fakes, then both are updated (the 2014 code). Otherwise they alternate. */
    bool simultaneous;
    /* Alternating only: the G-step takes the fakes of the last D-step instead of drawing fresh
     * noise, which saves a pass of the generator. */
    bool reuse_noise;
    const gan_objective *objective;
    gan_objective_options loss;
    const gan_prior *prior;
    gan_optimizer_options generator, discriminator; /* rates of their own: TTUR */
    /* Moving average of G's weights, role average, group generator; 0: none. After n updates the
     * decay is min(average, n / (n + 10)), so that early weights are soon forgotten. */
    double average;
    /* Answers D-step number `step` (0 .. d_steps - 1) with its real batch (batch, …), made from
     * `counter`. */
    gan_node *(*real)(void *user, gan_graph *g, gan_node *counter, int64_t step);
    void *user;
} gan_game_options;

/* The iteration's nodes. d_loss, d_real, d_fake are those of its last D-step, before its update. */
typedef struct gan_game {
    gan_node *counter;         /* i64 variable train/iteration */
    gan_node *d_loss, *g_loss; /* scalars, to be logged */
    gan_node *d_real, *d_fake; /* means of sigmoid(logit) on real and on fake */
} gan_game;

/* The i64 variable train/iteration: iterations (G-steps) done. */
GAN_API gan_node *gan_game_counter(gan_graph *g);

/* Writes one iteration into `g`: d_steps D-steps on `batch` real and `batch` fake examples joined,
 * then one G-step; counts train/iteration up at its end, so effects that are added afterwards see
 * the number of iterations done, this one included. Errors name the option. */
GAN_API gan_status gan_game_build(gan_game *out, gan_graph *g, const gan_game_options *options);

/* Samples in evaluation mode: z (m, z_dim) -> what the model generates. `average`: by the moving
 * average of the weights, which the store then holds. */
GAN_API gan_node *gan_sampler_build(gan_graph *g, const gan_model *model,
                                    const gan_model_options *networks, gan_node *z, bool average);

#ifdef __cplusplus
}
#endif
#endif
