/* The losses of a step: the objective's, and what the terms add. */
#include "adversarial/play.h"

/* The score of real data that D takes for fake in a share of the pairs, and the other way round
 * (Salimans et al. 2016; Chintala et al. 2016): targets flipped, whatever the objective. */
static void flip(gan_play *play, gan_node **real, gan_node **fake) {
    gan_graph *g = play->g;
    const gan_shape s = gan_node_shape(*real);
    gan_node *u = gan_random_uniform(g, play->counter, s, 0, 1);
    gan_node *flipped = gan_greater(g, gan_constant(g, play->o->noisy_labels, s), u);
    gan_node *change = gan_mul(g, flipped, gan_sub(g, *fake, *real));
    *real = gan_add(g, *real, change);
    *fake = gan_sub(g, *fake, change);
}

static gan_node *plus(gan_graph *g, gan_node *sum, gan_node *x, double factor) {
    if (factor == 0 || !x) return sum;
    if (factor != 1) x = gan_scale(g, x, factor);
    return sum ? gan_add(g, sum, x) : x;
}

/* Times its weight; a lazy term times its period where it is due, and zero where not. */
static double factor(const gan_play *play, const gan_term_use *use) {
    const double every = use->term->lazy && use->knob[1] > 1 ? use->knob[1] : 1;
    if (every > 1 && !play->o->lazy_due) return 0;
    return every * use->knob[0];
}

/* Averages are of all weights of D: what reads them is written behind what adds layers. */
static gan_node *with_terms(gan_play *play, gan_node *sum) {
    const gan_game_options *o = play->o;
    for (int i = 0; i < 2 * o->n_terms; i++) {
        const gan_term_use *use = &o->terms[i % o->n_terms];
        gan_node *(*write)(gan_play *, const double *) = play->of_g ? use->term->g : use->term->d;
        const double by = factor(play, use);
        if (use->term->needs_average != (i >= o->n_terms)) continue;
        if (write && by != 0) sum = plus(play->g, sum, write(play, use->knob), by);
    }
    return sum ? sum : gan_constant(play->g, 0, gan_shape0());
}

gan_node *gan_play_d_loss(gan_play *play) {
    const gan_game_options *o = play->o;
    gan_node *real = play->real.seen.score, *fake = play->fake.seen.score;
    if (o->noisy_labels > 0) flip(play, &real, &fake);
    return with_terms(play, o->objective->d_loss(play->g, real, fake, &o->loss));
}

gan_node *gan_play_g_loss(gan_play *play) {
    const gan_game_options *o = play->o;
    const double scale = o->generator_scale == 0  ? 1
                         : o->generator_scale < 0 ? 0
                                                  : o->generator_scale;
    const gan_objective *a = o->objective;
    gan_node *real = play->real.seen.score, *fake = play->fake.seen.score, *loss = NULL;
    if (scale > 0) loss = plus(play->g, NULL, a->g_loss(play->g, real, fake, &o->loss), scale);
    if (scale > 0 && o->encoder && a->e_loss)
        loss = plus(play->g, loss, a->e_loss(play->g, real, fake, &o->loss), scale);
    return with_terms(play, loss);
}

void gan_play_after_d(gan_play *play) {
    const gan_game_options *o = play->o;
    if (o->objective->after_d)
        o->objective->after_d(play->g, play->real.seen.score, play->fake.seen.score, &o->loss);
    if (o->active_classes > 0) gan_play_learn_classes(play);
    for (int i = 0; i < o->n_terms; i++)
        if (o->terms[i].term->after_d) o->terms[i].term->after_d(play, o->terms[i].knob);
    for (int i = 0; i < o->n_augments; i++)
        if (o->augments[i].augment->after_d)
            o->augments[i].augment->after_d(play, o->augments[i].knob);
}
