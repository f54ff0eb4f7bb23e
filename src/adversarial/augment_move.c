/* Where an image's pixels go (Zhao et al. 2020, DiffAugment, section 3.2). An image is moved by a
 * product with a matrix of zeros and ones an example, so the result is exact and every derivative
 * is a product of the same kind. */
#include "adversarial/augment.h"

#include <math.h>

/* x (n,H,W,C) with its rows, or columns, mixed by matrix (n, H, H) or (n, W, W): out[i] = Σ_j
 * matrix[i, j]·x[j]. */
static gan_node *mix(gan_graph *g, gan_node *x, gan_node *matrix, bool columns) {
    static const int swapped[4] = {0, 2, 1, 3};
    if (!x || !matrix) return NULL;
    if (columns) x = gan_permute(g, x, swapped);
    const gan_shape s = gan_node_shape(x);
    x = gan_reshape(g, x, gan_shape3(s.dim[0], s.dim[1], s.dim[2] * s.dim[3]));
    x = gan_reshape(g, gan_matmul(g, matrix, x, false, false), s);
    return columns ? gan_permute(g, x, swapped) : x;
}

/* (n, size, size): 1 where a column's number is first + step·row's number, numbers an example. */
static gan_node *places(gan_graph *g, gan_node *first, gan_node *step, int64_t size) {
    if (!first) return NULL;
    const int64_t n = gan_node_shape(first).dim[0];
    gan_node *range = gan_play_range(g, size);
    gan_node *row = gan_reshape(g, range, gan_shape3(1, size, 1));
    gan_node *column = gan_reshape(g, range, gan_shape3(1, 1, size));
    gan_node *from = step ? gan_mul(g, row, gan_reshape(g, step, gan_shape3(n, 1, 1))) : row;
    return gan_equal(g, column, gan_add(g, from, gan_reshape(g, first, gan_shape3(n, 1, 1))));
}

/* ---- flip ---- */

static gan_node *flip(gan_play *play, gan_node *x, const double *knob) {
    gan_graph *g = play->g;
    if (!x) return NULL;
    const int64_t width = gan_node_shape(x).dim[2];
    gan_node *u = gan_augment_draw(play, x, 0, 1);
    gan_node *flipped = gan_greater(g, u, gan_constant(g, 1 - knob[0], gan_shape0()));
    gan_node *first = gan_scale(g, flipped, (double)(width - 1));
    gan_node *step = gan_shift(g, gan_scale(g, flipped, -2), 1);
    return mix(g, x, places(g, first, step, width), true);
}

const gan_augment gan_augment_flip = {
    .name = "flip",
    .about = "mirrored left to right",
    .knob = {{"probability", 0.5, 0, 1, "of an example"}},
    .apply = flip,
};

/* ---- translation ---- */

/* A whole number of pixels, uniform in -most … most. */
static gan_node *offset(gan_play *play, gan_node *x, int64_t most) {
    gan_graph *g = play->g;
    const gan_shape n = gan_shape1(gan_node_shape(x).dim[0]);
    gan_node *index = gan_random_index(g, play->counter, n, 2 * most + 1);
    return gan_shift(g, gan_cast(g, index, GAN_F32), -(double)most);
}

static gan_node *translation(gan_play *play, gan_node *x, const double *knob) {
    if (!x) return NULL;
    const gan_shape s = gan_node_shape(x);
    for (int axis = 1; axis <= 2; axis++) {
        const int64_t most = (int64_t)floor((double)s.dim[axis] * knob[0] + 0.5);
        if (most == 0) continue;
        gan_node *matrix = places(play->g, offset(play, x, most), NULL, s.dim[axis]);
        x = mix(play->g, x, matrix, axis == 2);
    }
    return x;
}

const gan_augment gan_augment_translation = {
    .name = "translation",
    .about = "moved by whole pixels, zeros behind (Zhao et al. 2020, section 3.2)",
    .knob = {{"ratio", 0.125, 0, 1, "of the sides, how far at most"}},
    .apply = translation,
};

/* ---- cutout ---- */

/* (n, size): 1 on `cut` neighbouring places whose centre may be anywhere in the image. */
static gan_node *hole(gan_play *play, gan_node *x, int64_t size, int64_t cut) {
    gan_graph *g = play->g;
    const int64_t n = gan_node_shape(x).dim[0];
    gan_node *centre =
        gan_random_index(g, play->counter, gan_shape2(n, 1), size + (cut % 2 ? 0 : 1));
    gan_node *first = gan_shift(g, gan_cast(g, centre, GAN_F32), -(double)(cut / 2) - 0.5);
    gan_node *range = gan_reshape(g, gan_play_range(g, size), gan_shape2(1, size));
    gan_node *behind = gan_shift(g, first, (double)cut);
    return gan_mul(g, gan_greater(g, range, first), gan_greater(g, behind, range));
}

static gan_node *cutout(gan_play *play, gan_node *x, const double *knob) {
    gan_graph *g = play->g;
    if (!x) return NULL;
    const gan_shape s = gan_node_shape(x);
    const int64_t tall = (int64_t)floor((double)s.dim[1] * knob[0] + 0.5);
    const int64_t wide = (int64_t)floor((double)s.dim[2] * knob[0] + 0.5);
    if (tall == 0 || wide == 0) return x;
    gan_node *rows =
        gan_reshape(g, hole(play, x, s.dim[1], tall), gan_shape4(s.dim[0], s.dim[1], 1, 1));
    gan_node *columns =
        gan_reshape(g, hole(play, x, s.dim[2], wide), gan_shape4(s.dim[0], 1, s.dim[2], 1));
    gan_node *kept = gan_shift(g, gan_neg(g, gan_mul(g, rows, columns)), 1);
    return gan_mul(g, x, kept);
}

const gan_augment gan_augment_cutout = {
    .name = "cutout",
    .about = "zeros in a rectangle at random (Zhao et al. 2020, section 3.2)",
    .knob = {{"ratio", 0.5, 0, 1, "of the sides, how large"}},
    .apply = cutout,
};
