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

/* Cross-entropy of D's K class logits on a batch of the few labelled examples. */
static gan_node *supervised(gan_play *play, const double *knob) {
    (void)knob;
    const gan_game_options *o = play->o;
    gan_node *classes = NULL;
    gan_node *x = o->labelled(o->user, play->g, play->counter, play->step, &classes);
    const gan_verdict v = gan_play_judge(play, x, NULL, NULL, false, 1);
    return gan_softmax_loss(play->g, v.logits, classes);
}

const gan_term gan_term_supervised = {
    .name = "supervised",
    .about = "D learns the classes of a few labelled examples (Salimans et al. 2016, section 5)",
    .knob = {{"weight", 1, 0, 1e6, "factor of the cross-entropy"}},
    .d = supervised,
    .head = "classes",
    .needs_labelled = true,
};
