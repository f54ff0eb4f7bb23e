/* Classes: an auxiliary classifier, and a few labelled examples. */
#include "adversarial/term.h"

/* E -log p(c | x). */
static gan_node *classify(gan_play *play, const gan_side *side) {
    gan_node *logits = gan_play_output(play, "class", side->seen.features, play->o->classes);
    if (side->latent.label) return gan_softmax_loss(play->g, logits, side->latent.label);
    gan_graph *g = play->g; /* classes drawn by their difficulty are one-hot */
    gan_node *right = gan_sum_axes(g, gan_mul(g, logits, side->condition), 2);
    return gan_mean(g, gan_sub(g, gan_play_logsumexp(g, logits), right));
}

static gan_node *ac_gan_d(gan_play *play, const double *knob) {
    gan_node *loss = classify(play, &play->real);
    if (knob[1] == 0) return loss;
    gan_node *fake = classify(play, &play->fake);
    return gan_add(play->g, loss, knob[1] == 1 ? fake : gan_scale(play->g, fake, knob[1]));
}

static gan_node *ac_gan_g(gan_play *play, const double *knob) {
    return gan_scale(play->g, classify(play, &play->fake), knob[2]);
}

const gan_term gan_term_ac_gan = {
    .name = "ac-gan",
    .about = "D also tells the class (Odena et al. 2017, eq. 3; Gulrajani et al. 2017: 1, 0, 0.1)",
    .knob = {{"weight", 1, 0, 1e6, "factor of the cross-entropies"},
             {"fake", 1, 0, 1e6, "share of fakes in D's"},
             {"generator", 1, 0, 1e6, "factor in G's loss"}},
    .d = ac_gan_d,
    .g = ac_gan_g,
    .needs_labels = true,
    .needs_condition = true,
};

/* E H(p), p the rows of softmax(l); H = log Z - sum_k p_k l_k. */
static gan_node *doubt(gan_graph *g, gan_node *logits) {
    gan_node *expected = gan_sum_axes(g, gan_mul(g, gan_softmax(g, logits), logits), 2);
    return gan_mean(g, gan_sub(g, gan_play_logsumexp(g, logits), expected));
}

/* H(E p); a class that underflows counts nothing. */
static gan_node *spread(gan_graph *g, gan_node *logits) {
    gan_node *mean = gan_mean_axes(g, gan_softmax(g, logits), 1);
    gan_node *log_mean = gan_log(g, gan_shift(g, mean, 1e-12));
    return gan_neg(g, gan_sum(g, gan_mul(g, mean, log_mean)));
}

/* Cross-entropy of D's K class logits on a batch of the few labelled examples; of the real examples
 * without labels, each is to be of some class (Grandvalet and Bengio 2005) and all together of
 * every class alike (Springenberg 2016, section 3). */
static gan_node *supervised(gan_play *play, const double *knob) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    gan_node *classes = NULL, *others = play->real.seen.logits;
    gan_node *x = o->labelled(o->user, g, play->counter, play->step, &classes);
    const gan_verdict v = gan_play_judge(play, x, NULL, NULL, false, 1);
    gan_node *loss = gan_softmax_loss(g, v.logits, classes);
    if (knob[1] > 0) loss = gan_add(g, loss, gan_scale(g, doubt(g, others), knob[1]));
    if (knob[2] > 0) loss = gan_sub(g, loss, gan_scale(g, spread(g, others), knob[2]));
    return loss;
}

const gan_term gan_term_supervised = {
    .name = "supervised",
    .about = "D learns the classes of a few labelled examples (Salimans et al. 2016, section 5)",
    .knob = {{"weight", 1, 0, 1e6, "factor of the cross-entropy"},
             {"entropy", 0, 0, 1e6, "factor of E H(p(c|x)) without labels"},
             {"balance", 0, 0, 1e6, "factor of -H(E p(c|x)) without labels"}},
    .d = supervised,
    .head = "classes",
    .needs_labelled = true,
};
