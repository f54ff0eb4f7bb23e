/* Unrolled generative adversarial networks (Metz et al. 2017, section 2.3): G's loss is taken after
 * further updates of D, written as nodes, and its gradient goes through them. As in the code
 * published with the paper all of these updates see the G-step's own examples. */
#include <math.h>
#include <string.h>

#include "adversarial/play.h"
#include "base/error.h"
#include "graph/graph.h"

/* D's weights in the making: `now` after the updates so far. */
typedef struct unrolled {
    int n;
    gan_node **weight, **now, **gradient, **first, **second;
} unrolled;

static gan_node **list(gan_graph *g, int n) {
    return gan_graph_alloc(g, (size_t)n * sizeof(gan_node *) + 1);
}

/* The moment that belongs to `weight`. */
static gan_node *moment(gan_graph *g, gan_role role, const gan_node *weight) {
    const gan_variable *v = weight->attr.variable.variable;
    return gan_variable_node(g, role, v->name, v->dtype, v->shape, gan_init_constant(0));
}

static bool is_adam(const gan_play *play) {
    return strcmp(play->o->discriminator.optimizer->name, "adam") == 0;
}

static gan_status begin(unrolled *u, gan_play *play) {
    gan_graph *g = play->g;
    u->weight = gan_play_weights(play, "discriminator", &u->n);
    u->now = list(g, u->n), u->gradient = list(g, u->n);
    u->first = list(g, u->n), u->second = list(g, u->n);
    GAN_TRY(gan_graph_status(g));
    const bool adam = is_adam(play);
    gan_flat_variables(g, GAN_FIRST_MOMENT, "discriminator");
    if (adam) gan_flat_variables(g, GAN_SECOND_MOMENT, "discriminator");
    for (int i = 0; i < u->n; i++) {
        u->now[i] = u->weight[i];
        u->first[i] = moment(g, GAN_FIRST_MOMENT, u->weight[i]);
        if (adam) u->second[i] = moment(g, GAN_SECOND_MOMENT, u->weight[i]);
    }
    return gan_graph_status(g);
}

/* a·x + b·y. */
static gan_node *mix(gan_graph *g, double a, gan_node *x, double b, gan_node *y) {
    return gan_add(g, gan_scale(g, x, a), gan_scale(g, y, b));
}

/* 1 - β^t as a scalar node. */
static gan_node *correction(gan_graph *g, double beta, gan_node *t) {
    if (beta <= 0) return gan_constant(g, 1, gan_shape0());
    return gan_shift(g, gan_neg(g, gan_exp(g, gan_scale(g, t, log(beta)))), 1);
}

/* Adam's update (Kingma and Ba 2015, algorithm 1) of all weights, t updates having been made
 * before. The root is taken of v + ROOT_EPS: where a weight has no gradient, its derivative stays
 * finite. */
#define ROOT_EPS 1e-16

static void adam_step(unrolled *u, gan_graph *g, const gan_optimizer_options *o, gan_node *rate,
                      gan_node *t) {
    gan_node *c1 = correction(g, o->beta1, t), *c2 = correction(g, o->beta2, t);
    const double eps = o->eps > 0 ? o->eps : 1e-8;
    for (int i = 0; i < u->n; i++) {
        gan_node *d = u->gradient[i];
        gan_node *m = mix(g, o->beta1, u->first[i], 1 - o->beta1, d);
        gan_node *v = mix(g, o->beta2, u->second[i], 1 - o->beta2, gan_square(g, d));
        u->first[i] = m, u->second[i] = v;
        gan_node *root = gan_sqrt(g, gan_shift(g, gan_div(g, v, c2), ROOT_EPS));
        gan_node *step = gan_div(g, gan_div(g, m, c1), gan_shift(g, root, eps));
        u->now[i] = gan_sub(g, u->now[i], gan_mul(g, step, rate));
    }
}

static void momentum_step(unrolled *u, gan_graph *g, gan_node *rate, gan_node *momentum) {
    for (int i = 0; i < u->n; i++) {
        gan_node *kept = gan_mul(g, u->first[i], momentum);
        u->first[i] = gan_sub(g, kept, gan_mul(g, u->gradient[i], rate));
        u->now[i] = gan_add(g, u->now[i], u->first[i]);
    }
}

static void step(unrolled *u, gan_play *play, int64_t k) {
    const gan_optimizer_options *o = &play->o->discriminator;
    gan_graph *g = play->g;
    const int64_t each = play->d_steps;
    gan_node *rate = gan_rate_schedule(g, play->counter, each, each + k, o);
    if (is_adam(play)) {
        gan_node *t =
            gan_shift(g, gan_scale(g, gan_play_time(play), (double)each), (double)(each + k + 1));
        adam_step(u, g, o, rate, t);
    } else {
        momentum_step(u, g, rate, gan_momentum_schedule(g, play->counter, each, each + k, o));
    }
}

/* As update.c does with an update: gradients cut, weights kept within bounds, or D held back. */
static void bounded_step(unrolled *u, gan_play *play, int64_t k, gan_node *loss) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    gan_node *learns = o->d_lead > 0 ? gan_play_leads(play, loss) : NULL;
    gan_node **before = list(g, u->n);
    if (!before) return;
    for (int i = 0; i < u->n; i++) before[i] = u->now[i];
    gan_play_clip_gradient(g, u->n, u->gradient, o->clip_gradient);
    step(u, play, k);
    for (int i = 0; i < u->n; i++) {
        u->now[i] = gan_play_clip_weight(g, u->now[i], o->clip_weights);
        if (!learns) continue;
        gan_node *moved = gan_sub(g, u->now[i], before[i]);
        u->now[i] = gan_add(g, before[i], gan_mul(g, moved, learns));
    }
}

gan_node *gan_play_overlaid(const gan_play *play, gan_node *weight) {
    for (int i = 0; i < play->n_overlay; i++)
        if (play->overlay[i].variable == weight) return play->overlay[i].replacement;
    return weight;
}

gan_status gan_play_unroll(gan_play *play) {
    gan_graph *g = play->g;
    unrolled u;
    GAN_TRY(begin(&u, play));
    gan_overlay *overlay = gan_graph_alloc(g, (size_t)u.n * sizeof *overlay + 1);
    if (!overlay) return gan_graph_status(g);
    for (int64_t k = 0; k < play->o->unroll; k++) {
        /* The terms of D's loss see a D-step. */
        play->of_g = false;
        play->ahead = true;
        gan_play_judge_both(play, false);
        gan_node *loss = gan_play_d_loss(play);
        play->ahead = false;
        play->of_g = true;
        GAN_TRY(gan_gradient(g, loss, u.n, u.now, u.gradient));
        bounded_step(&u, play, k, loss);
        for (int i = 0; i < u.n; i++) overlay[i] = (gan_overlay){u.weight[i], u.now[i]};
        play->overlay = overlay;
        play->n_overlay = u.n;
    }
    return gan_graph_status(g);
}
