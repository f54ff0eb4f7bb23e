/* What a discriminator ends with: features summed up over an image, a logit of them, its loss, and
 * what comes back. Joined launches do all of it. */
#include "cases/case.h"

enum { KINDS = 2, HALF = 1200 /* as in half.c */ };

/* images, height, width, channels: channels that are no whole vectors, rows of one vector, of a few
 * threads, of a warp, of two */
static const int64_t sizes[][4] = {{40, 5, 3, 12},  {33, 5, 5, 8},   {9, 3, 2, 128},
                                   {36, 3, 3, 136}, {33, 2, 1, 640}, {34, 1, 1, 1160}};
enum { SIZES = sizeof sizes / sizeof *sizes, VARIABLES = 2, HEADS = KINDS * SIZES + VARIABLES };

static int head_count(void) { return HEADS; }

static gan_node *typed(gan_graph *g, gan_node *x, bool half) {
    return half ? gan_cast(g, x, GAN_BF16) : x;
}

/* One logit an image. */
static gan_node *logit(gan_graph *g, gan_node *x, gan_node *w, gan_node *bias) {
    return gan_add(g, gan_cast(g, gan_matmul(g, x, w, false, true), GAN_F32), bias);
}

static void head(test_case *t, const int64_t *s, bool half) {
    gan_graph *g = t->g;
    case_title(t, "%lldx%lldx%lld of %lld%s", (long long)s[0], (long long)s[1], (long long)s[2],
               (long long)s[3], half ? ", bf16" : "");
    gan_node *x = case_apart(t, gan_shape4(s[0], s[1], s[2], s[3]), -1, 1, 0.2, 0.8);
    gan_node *w = case_uniform(t, gan_shape2(1, s[3]), -1, 1);
    gan_node *y = gan_leaky_relu(g, typed(g, x, half), 0.25);
    y = gan_reshape(g, gan_sum_axes(g, y, 6), gan_shape2(s[0], s[3]));
    y = logit(g, typed(g, y, half), typed(g, w, half), case_uniform(t, gan_shape1(1), -1, 1));
    case_output(t, y);
    case_output(t, gan_logits_loss(g, gan_scale(g, y, 1.0 / (double)s[3]), 1));
    case_not_smooth(t);
    t->scaled = half; /* terms cancel in a logit */
    t->looser = half ? 4 * HALF : 20;
}

/* Weights that lie where no vector begins, and where one does. */
static void variables(test_case *t, bool shifted) {
    gan_graph *g = t->g;
    case_title(t, "weights of a variable, %s", shifted ? "shifted" : "aligned");
    gan_node *first =
        case_variable_uniform(t, GAN_WEIGHT, "w/a", gan_shape1(shifted ? 3 : 64), -1, 1);
    gan_node *w = case_variable_uniform(t, GAN_WEIGHT, "w/b", gan_shape2(1, 136), -1, 1);
    gan_node *x = case_uniform(t, gan_shape2(200, 136), -1, 1);
    case_output(t, logit(g, x, w, gan_slice(g, first, 0, 1, 1)));
    case_output(t, gan_matmul(g, gan_slice(g, x, 0, 8, 16), gan_reshape(g, w, gan_shape2(136, 1)),
                              false, false));
    case_not_smooth(t); /* too large for differences */
    t->looser = 20;
}

static void head_build(test_case *t, int i) {
    if (i < KINDS * SIZES) /* runs that leave out every second case have either kind */
        head(t, sizes[i / KINDS], (i + i / KINDS) % KINDS);
    else
        variables(t, i % VARIABLES);
}

const case_family cases_head = {"head", head_count, head_build};
