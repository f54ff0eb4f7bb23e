/* Batch norm between what small calls make of features and of what is normalised, and products
 * beside it: phases of joined launches. What comes back begins with one, too. */
#include "cases/case.h"

enum { HALF = 1200 /* as in half.c */ };

/* f32, whose products are launches by themselves, and bf16; a piece a tile; parts, the last one of
 * fewer rows; two groups; products cut short; several tiles to a block */
static const struct {
    int64_t rows, in, channels, groups;
    bool half;
} sizes[] = {{40, 24, 20, 1, false},  {600, 12, 36, 1, false},  {24, 40, 136, 1, true},
             {601, 21, 136, 1, true}, {600, 136, 144, 2, true}, {33, 300, 136, 1, true}};

static int phased_count(void) { return (int)(sizeof sizes / sizeof *sizes); }

static gan_node *typed(gan_graph *g, gan_node *x, bool half) {
    return half ? gan_cast(g, x, GAN_BF16) : x;
}

static void phased_build(test_case *t, int i) {
    const int64_t rows = sizes[i].rows, in = sizes[i].in, channels = sizes[i].channels;
    const bool half = sizes[i].half;
    gan_graph *g = t->g;
    case_title(t, "%lldx%lld to %lld groups %lld%s", (long long)rows, (long long)in,
               (long long)channels, (long long)sizes[i].groups, half ? ", bf16" : "");
    gan_node *x = case_uniform(t, gan_shape2(rows, in), -1, 1), *moments;
    gan_node *w =
        case_uniform(t, i % 2 ? gan_shape2(in, channels) : gan_shape2(channels, in), -1, 1);
    gan_node *gamma = case_uniform(t, gan_shape1(channels), 0.5, 2),
             *beta = case_uniform(t, gan_shape1(channels), -1, 1);
    gan_node *y =
        gan_matmul(g, typed(g, gan_scale(g, x, 0.5), half), typed(g, w, half), false, i % 2 == 0);
    y = gan_batch_norm_training(g, y, sizes[i].groups, gamma, beta, 0.05, &moments);
    y = i % 3 == 0 ? gan_leaky_relu(g, y, 0.2) : i % 3 == 1 ? gan_relu(g, y) : y;
    gan_node *last = case_uniform(t, gan_shape2(1, channels), -1, 1);
    gan_node *logit = gan_cast(g, gan_matmul(g, y, typed(g, last, half), false, true), GAN_F32);
    case_output(t, moments);
    case_output(t, logit);
    case_output(t, gan_logits_loss(g, gan_scale(g, logit, 1.0 / (double)channels), 1));
    case_not_smooth(t);
    t->scaled = half; /* terms cancel in a logit */
    t->looser = half ? 4 * HALF : 20;
}

const case_family cases_phased = {"phased", phased_count, phased_build};
