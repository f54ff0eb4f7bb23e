/* Adaptive augmentation (Karras et al. 2020, ADA, section 3): the others are applied with a
 * probability that follows how far D overfits, told by the share of real examples that it takes for
 * real, r_t = E sign(s_real). */
#include "adversarial/augment.h"

static gan_node *number(gan_play *play, const char *name) {
    return gan_variable_node(play->g, GAN_STATISTIC, name, GAN_F32, gan_shape0(),
                             gan_init_constant(0));
}

static const char p_name[] = "discriminator/ada/p", signs_name[] = "discriminator/ada/signs",
                  count_name[] = "discriminator/ada/count";

static gan_node *same(gan_play *play, gan_node *x, const double *knob) {
    (void)play, (void)knob;
    return x;
}

static gan_node *probability(gan_play *play, const double *knob) {
    (void)knob;
    return number(play, p_name);
}

/* Every `every` D-steps p moves by the examples seen since over `images`, up where the mean of the
 * signs is above the target, down where it is below, within 0 and 1. */
static void after_d(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *one = gan_constant(g, 1, gan_shape0());
    gan_node *p = number(play, p_name), *signs = number(play, signs_name),
             *count = number(play, count_name);
    gan_node *sum = gan_add(g, signs, gan_mean(g, gan_sign(g, play->real.seen.score)));
    gan_node *steps = gan_shift(g, count, 1);
    gan_node *due = gan_greater(g, steps, gan_constant(g, knob[2] - 0.5, gan_shape0()));
    gan_node *over = gan_sign(g, gan_shift(g, gan_div(g, sum, steps), -knob[0]));
    const double move = (double)play->o->batch * knob[2] / knob[1];
    gan_node *next = gan_add(g, p, gan_scale(g, gan_mul(g, due, over), move));
    gan_node *kept = gan_sub(g, one, due);
    next = gan_minimum(g, gan_relu(g, next), one);
    sum = gan_mul(g, sum, kept);
    steps = gan_mul(g, steps, kept);
    gan_assign(g, p, next);
    gan_assign(g, signs, sum);
    gan_assign(g, count, steps);
}

const gan_augment gan_augment_ada = {
    .name = "ada",
    .about = "the others with a probability that adapts (Karras et al. 2020, section 3)",
    .knob = {{"target", 0.6, -1, 1, "of E sign(D's score of real examples)"},
             {"images", 500000, 1, 1e12, "over which the probability can go from 0 to 1"},
             {"every", 4, 1, 1e6, "D-steps from one move to the next"}},
    .whole = {[1] = true, [2] = true},
    .apply = same,
    .points = true,
    .probability = probability,
    .after_d = after_d,
};
