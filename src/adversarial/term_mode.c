/* MRGAN: an encoder shows G the way to every mode of the data (Che et al. 2017, section 2). */
#include "adversarial/term.h"

/* E_x [ distance·|x - G(E(x))|² - log D(G(E(x))) ·score ], |.|² the mean over an example's numbers;
 * trains G and E. The score term is the objective's G loss on reconstructions. */
static gan_node *modes(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *x = play->real.x;
    gan_latent latent = {.z = gan_play_encode(play, x, true), .label = play->real.latent.label};
    gan_node *back = gan_play_generator(play, &latent, false);
    gan_node *apart = gan_mean(g, gan_square(g, gan_sub(g, x, back)));
    gan_node *sum = gan_scale(g, apart, knob[1]);
    if (knob[2] == 0) return sum;
    gan_node *score = gan_play_score(play, &play->real, back);
    gan_node *loss = play->o->objective->g_loss(g, play->real.seen.score, score, &play->o->loss);
    return gan_add(g, sum, gan_scale(g, loss, knob[2]));
}

const gan_term gan_term_mrgan = {
    .name = "mrgan",
    .about = "G and an encoder rebuild real data (Che et al. 2017, section 2.2)",
    .knob = {{"weight", 1, 0, 1e6, "factor"},
             {"distance", 0.2, 0, 1e6, "lambda_1, of the reconstruction's error"},
             {"score", 0.4, 0, 1e6, "lambda_2, of D's opinion of it"}},
    .g = modes,
    .needs_real = true,
    .no_pairs = true,
};
