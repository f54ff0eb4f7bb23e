/* Active sampling of classes: G practises more where D has the upper hand.
 *
 * After Xie and Huang 2019 ("Learning class-conditional GANs with active sampling", KDD), who
 * sample fakes actively to retrain G; what they measure is not this. Here the difficulty of class c
 * is a moving average of E[1 - sigma(s)] over its fakes, how surely D takes them for fake, and G's
 * own step draws the class with probability (1 - a)/K + a·difficulty_c / Σ difficulty. D goes on
 * seeing all classes equally often, so what it learns of p(x | c) is not shifted. */
#include "adversarial/play.h"

enum { MEMORY = 10 }; /* steps that the moving average goes back */

static gan_node *difficulty(gan_play *play) {
    return gan_variable_node(play->g, GAN_STATISTIC, "generator/difficulty", GAN_F32,
                             gan_shape2(1, play->o->classes), gan_init_constant(0.5));
}

gan_node *gan_play_active_classes(gan_play *play, int64_t count) {
    gan_graph *g = play->g;
    const int64_t k = play->o->classes;
    const double share = play->o->active_classes;
    gan_node *d = difficulty(play);
    gan_node *p = gan_div(g, gan_scale(g, d, share), gan_shift(g, gan_sum(g, d), 1e-12));
    /* u lies between the sums of probabilities before and after its class; the last one is 1. */
    gan_node *sum = gan_play_running_sum(g, gan_shift(g, p, (1 - share) / (double)k), 1);
    gan_node *u = gan_random_uniform(g, play->counter, gan_shape2(count, 1), 0, 1);
    gan_node *beyond =
        gan_greater(g, gan_broadcast(g, u, gan_shape2(count, k - 1)),
                    gan_broadcast(g, gan_slice(g, sum, 1, 0, k - 1), gan_shape2(count, k - 1)));
    gan_node *one = gan_constant(g, 1, gan_shape2(count, 1));
    gan_node *from = gan_concat(g, 1, 2, (gan_node *[2]){one, beyond});
    return gan_sub(g, from, gan_pad(g, beyond, 1, 0, 1));
}

/* Each class moves to the mean of its fakes in this step, together with what it was before. */
void gan_play_learn_classes(gan_play *play) {
    gan_graph *g = play->g;
    gan_node *before = difficulty(play), *c = play->fake.condition;
    gan_node *sure = gan_sigmoid(g, gan_neg(g, gan_stop_gradient(g, play->fake.seen.score)));
    gan_node *sum = gan_add(g, gan_sum_axes(g, gan_mul(g, c, sure), 1), before);
    gan_node *mean = gan_div(g, sum, gan_shift(g, gan_sum_axes(g, c, 1), 1));
    gan_moving_average(g, before, mean, gan_constant(g, 1 - 1.0 / MEMORY, gan_shape0()));
}
