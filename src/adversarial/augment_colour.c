/* Brightness, saturation, contrast (Zhao et al. 2020, DiffAugment, section 3.2). */
#include "adversarial/augment.h"

/* centre + factor·(x - centre), factor in (1 - size, 1 + size]. */
static gan_node *about(gan_play *play, gan_node *x, uint32_t axes, double size) {
    gan_graph *g = play->g;
    gan_node *centre = gan_mean_axes(g, x, axes);
    gan_node *factor = gan_augment_draw(play, x, 1 - size, 1 + size);
    return gan_add(g, centre, gan_mul(g, factor, gan_sub(g, x, centre)));
}

static gan_node *colour(gan_play *play, gan_node *x, const double *knob) {
    gan_graph *g = play->g;
    if (!x) return NULL;
    const gan_model *model = play->o->model;
    const double brightness = knob[0] * (model->high - model->low) / 2;
    const bool grey = gan_node_shape(x).dim[3] == 1;
    if (brightness > 0) x = gan_add(g, x, gan_augment_draw(play, x, -brightness, brightness));
    if (knob[1] > 0 && !grey) x = about(play, x, 1u << 3, knob[1]);
    if (knob[2] > 0) x = about(play, x, 1u << 1 | 1u << 2 | 1u << 3, knob[2]);
    return x;
}

const gan_augment gan_augment_colour = {
    .name = "colour",
    .about = "brightness, saturation, contrast (Zhao et al. 2020, section 3.2)",
    .knob = {{"brightness", 0.5, 0, 1, "added at most, in units of half the range of pixels"},
             {"saturation", 1, 0, 1, "away from grey, or towards it, by at most this factor"},
             {"contrast", 0.5, 0, 1, "the same away from the image's mean"}},
    .apply = colour,
};
