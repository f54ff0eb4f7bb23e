/* Between two examples D's classes are to be between those of the two: a boundary of classes keeps
 * away from the data, labelled or not (Verma et al. 2019, section 2). */
#include "adversarial/augment.h"
#include "adversarial/term.h"

/* The rows of x, each in its neighbour's place; batches are shuffled, so that is any other. */
static gan_node *neighbour(gan_graph *g, gan_node *x) {
    const int64_t n = gan_node_shape(x).dim[0];
    if (n < 2) return x;
    gan_node *order[2] = {gan_slice(g, x, 0, 1, n - 1), gan_slice(g, x, 0, 0, 1)};
    return gan_concat(g, 0, 2, order);
}

/* share·x + (1 - share)·y. */
static gan_node *mix(gan_graph *g, gan_node *share, gan_node *x, gan_node *y) {
    return gan_add(g, y, gan_mul(g, share, gan_sub(g, x, y)));
}

/* The classes of x as D's averaged weights tell them (Tarvainen and Valpola 2017), constant. */
static gan_node *taught(gan_play *play, gan_node *x) {
    const gan_game_options *o = play->o;
    gan_scope *scope = gan_averaged_scope(play->g, "discriminator",
                                          &(gan_scope_settings){.precision = o->precision,
                                                                .norm = o->discriminator_norm,
                                                                .weight = o->discriminator_weight});
    gan_node *h = gan_model_features(o->model, scope, x, &o->networks);
    gan_node *logits = play->head->logits(play, scope, x, h, NULL);
    return gan_stop_gradient(play->g, gan_softmax(play->g, logits));
}

/* Cross-entropy of D's classes at λx + (1 - λ)x' against λp + (1 - λ)p', λ uniform. */
static gan_node *interpolation(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *x = play->real.x, *p = taught(play, x);
    gan_node *lambda = gan_augment_draw(play, x, 0, 1);
    if (!lambda || !p) return NULL;
    const int64_t n = gan_node_shape(x).dim[0];
    gan_node *between = mix(g, lambda, x, neighbour(g, x));
    gan_node *target = mix(g, gan_reshape(g, lambda, gan_shape2(n, 1)), p, neighbour(g, p));
    gan_node *logits = gan_play_judge(play, between, NULL, NULL, false, 1).logits;
    gan_node *right = gan_sum_axes(g, gan_mul(g, target, logits), 2);
    return gan_mean(g, gan_sub(g, gan_play_logsumexp(g, logits), right));
}

const gan_term gan_term_ict = {
    .name = "ict",
    .about = "classes between two examples are between theirs (Verma et al. 2019, section 2)",
    .knob = {{"weight", 1, 0, 1e6, "factor of the cross-entropy"}},
    .d = interpolation,
    .head = "classes",
    .needs_average = true,
};
