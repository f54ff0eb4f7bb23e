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

/* min(1, most / length of all gradients together) (Pascanu et al. 2013, algorithm 1). */
static gan_node *clip_factor(gan_graph *g, const gan_gradients *d, double most) {
    gan_node *squares = NULL;
    for (int i = 0; i < d->n; i++) {
        gan_node *sum = gan_sum(g, gan_square(g, d->gradient[i]));
        squares = squares ? gan_add(g, squares, sum) : sum;
    }
    gan_node *length = gan_sqrt(g, gan_shift(g, squares, 1e-30));
    gan_node *factor = gan_div(g, gan_constant(g, most, gan_shape0()), length);
    return gan_minimum(g, factor, gan_constant(g, 1, gan_shape0()));
}

static void scale_all(gan_graph *g, const gan_gradients *d, gan_node *factor) {
    for (int i = 0; i < d->n; i++) d->gradient[i] = gan_mul(g, d->gradient[i], factor);
}

/* Every weight of D back into ±c (Arjovsky et al. 2017, algorithm 1). */
static void clip_weights(gan_graph *g, double c) {
    gan_node *all = gan_flat_variables(g, GAN_WEIGHT, "discriminator");
    const gan_shape shape = gan_node_shape(all);
    gan_node *kept = gan_minimum(g, all, gan_constant(g, c, shape));
    gan_assign(g, all, gan_maximum(g, kept, gan_constant(g, -c, shape)));
}

void gan_play_update(gan_play *play, const char *group, const gan_gradients *d, gan_node *loss) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    const gan_optimizer_options *options = play->of_g ? &o->generator : &o->discriminator;
    if (o->clip_gradient > 0) scale_all(g, d, clip_factor(g, d, o->clip_gradient));
    if (!play->of_g && o->d_lead > 0)
        scale_all(g, d, gan_greater(g, loss, gan_constant(g, o->d_lead, gan_shape0())));
    options->optimizer->update(g, group, d->n, d->weight, d->gradient, play->counter,
                               play->of_g ? 1 : play->d_steps, play->of_g ? 0 : play->step,
                               options);
    if (!play->of_g && o->clip_weights > 0) clip_weights(g, o->clip_weights);
}
