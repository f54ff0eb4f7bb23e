/* Noise on D's input (Sønderby et al. 2017, section 4; Arjovsky and Bottou 2017, section 3). */
#include "adversarial/augment.h"

/* x + N(0, deviation²), its deviation falling to zero in a line over `steps` iterations. */
static gan_node *noise(gan_play *play, gan_node *x, const double *knob) {
    gan_graph *g = play->g;
    if (!x) return NULL;
    gan_node *n = gan_random_normal(g, play->counter, gan_node_shape(x), 0, knob[0]);
    if (knob[1] > 0) {
        gan_node *left = gan_shift(g, gan_scale(g, gan_play_time(play), -1 / knob[1]), 1);
        n = gan_mul(g, n, gan_relu(g, left));
    }
    return gan_add(g, x, n);
}

const gan_augment gan_augment_noise = {
    .name = "noise",
    .about = "Gaussian noise, decaying (Sonderby et al. 2017, section 4)",
    .knob = {{"deviation", 0.1, 0, 1e3, "at the start"},
             {"steps", 0, 0, 1e12, "iterations until it is gone; 0: it stays"}},
    .whole = {[1] = true},
    .apply = noise,
    .points = true,
};
