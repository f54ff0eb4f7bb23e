/* Gradients of a loss, and the updates that they become. */
#include "adversarial/play.h"
#include "base/error.h"
#include "graph/graph.h"

gan_status gan_play_differentiate(gan_gradients *out, gan_play *play, const char *group,
                                  gan_node *loss) {
    GAN_TRY(gan_graph_status(play->g));
    out->weight = gan_play_weights(play, group, &out->n);
    out->gradient = gan_graph_alloc(play->g, (size_t)out->n * sizeof(gan_node *) + 1);
    if (!out->weight || !out->gradient) return gan_graph_status(play->g);
    return gan_gradient(play->g, loss, out->n, out->weight, out->gradient);
}

/* Under the root, so that where all gradients are zero its derivative is finite. */
#define LENGTH_EPS 1e-24

/* All gradients by min(1, most / their length together) (Pascanu et al. 2013, algorithm 1). */
void gan_play_clip_gradient(gan_graph *g, int n, gan_node **gradient, double most) {
    gan_node *squares = NULL;
    if (!(most > 0)) return;
    for (int i = 0; i < n; i++) {
        gan_node *sum = gan_sum(g, gan_square(g, gradient[i]));
        squares = squares ? gan_add(g, squares, sum) : sum;
    }
    gan_node *length = gan_sqrt(g, gan_shift(g, squares, LENGTH_EPS));
    gan_node *factor = gan_div(g, gan_constant(g, most, gan_shape0()), length);
    factor = gan_minimum(g, factor, gan_constant(g, 1, gan_shape0()));
    for (int i = 0; i < n; i++) gradient[i] = gan_mul(g, gradient[i], factor);
}

gan_node *gan_play_clip_weight(gan_graph *g, gan_node *weight, double c) {
    if (!(c > 0)) return weight;
    const gan_shape shape = gan_node_shape(weight);
    gan_node *kept = gan_minimum(g, weight, gan_constant(g, c, shape));
    return gan_maximum(g, kept, gan_constant(g, -c, shape));
}

gan_node *gan_play_leads(gan_play *play, gan_node *loss) {
    return gan_greater(play->g, loss, gan_constant(play->g, play->o->d_lead, gan_shape0()));
}

/* What D's weights were, where it does not learn, else 0; to be written before the update. */
static gan_node *held_back(gan_graph *g, gan_node *all, gan_node *learns) {
    return gan_mul(g, all, gan_shift(g, gan_neg(g, learns), 1));
}

/* The optimiser runs in any case, so that its moments keep up with the gradient; where D does not
 * learn its weights go back to what they were. Gradients of zero would not hold them: moments move
 * weights for a while. */
static void update_d(gan_play *play, const gan_gradients *d, gan_node *loss) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    gan_node *all = NULL, *learns = NULL, *held = NULL;
    if (o->d_lead > 0 || o->clip_weights > 0)
        all = gan_flat_variables(g, GAN_WEIGHT, "discriminator");
    if (o->d_lead > 0) {
        learns = gan_play_leads(play, loss);
        held = held_back(g, all, learns);
    }
    o->discriminator.optimizer->update(g, "discriminator", d->n, d->weight, d->gradient,
                                       play->counter, play->d_steps, play->step, &o->discriminator);
    if (o->clip_weights > 0) gan_assign(g, all, gan_play_clip_weight(g, all, o->clip_weights));
    if (learns) gan_assign(g, all, gan_add(g, held, gan_mul(g, all, learns)));
}

void gan_play_update(gan_play *play, const char *group, const gan_gradients *d, gan_node *loss) {
    const gan_game_options *o = play->o;
    gan_play_clip_gradient(play->g, d->n, d->gradient, o->clip_gradient);
    if (!play->of_g)
        update_d(play, d, loss);
    else
        o->generator.optimizer->update(play->g, group, d->n, d->weight, d->gradient, play->counter,
                                       1, 0, &o->generator);
}
