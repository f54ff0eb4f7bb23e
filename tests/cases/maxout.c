/* Maxout with dropout, as the plan fuses it: a product over its pieces' maxima and masks, the
 * gradient back through both, in f32 and in bf16. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

/* Rows, inputs, units, pieces of the layer, and what the next one makes of the units. */
static const struct {
    int64_t m, in, units, pieces, out;
} layers[] = {{1, 1, 1, 2, 1},    {7, 5, 3, 5, 1},     {33, 17, 13, 5, 6},
              {40, 9, 37, 2, 33}, {70, 130, 40, 3, 5}, {5, 4, 64, 7, 2}};
enum { MASKED, PLAIN, TIED, KINDS };

static int maxout_count(void) { return 2 * KINDS * COUNT(layers); }

static gan_node *as(test_case *t, gan_node *x, bool half) {
    return gan_cast(t->g, x, half ? GAN_BF16 : GAN_F32);
}

/* As gan_layer_dropout() writes it, with given noise. */
static gan_node *dropped(test_case *t, gan_node *x, double keep) {
    gan_graph *g = t->g;
    gan_node *noise = case_uniform(t, x->shape, 0, 1);
    gan_node *mask = gan_greater(g, gan_constant(g, keep, x->shape), noise);
    gan_node *y = gan_mul(g, gan_cast(g, x, GAN_F32), gan_scale(g, mask, 1 / keep));
    return gan_cast(g, y, x->dtype);
}

static gan_node *values(test_case *t, gan_shape shape, int kind) {
    return kind == TIED ? case_whole(t, shape, -1, 1) : case_uniform(t, shape, -1, 1);
}

static void maxout_build(test_case *t, int i) {
    static const char *const kinds[] = {"with dropout", "alone", "with ties"};
    const bool half = i % 2;
    const int kind = i / 2 % KINDS, l = i / 2 / KINDS;
    const int64_t m = layers[l].m, in = layers[l].in, u = layers[l].units, p = layers[l].pieces;
    gan_graph *g = t->g;
    case_title(t, "%lldx%lld pieces %lld %s%s", (long long)m, (long long)u, (long long)p,
               kinds[kind], half ? " in bf16" : "");
    case_not_smooth(t); /* maxima have kinks */
    gan_node *x = values(t, gan_shape2(m, in), kind), *w = values(t, gan_shape2(u * p, in), kind);
    gan_node *b = values(t, gan_shape1(u * p), kind), *grad[3];
    gan_node *next = case_uniform(t, gan_shape2(layers[l].out, u), -1, 1);
    gan_node *y = gan_matmul(g, as(t, x, half), as(t, w, half), false, true);
    y = as(t, gan_add(g, gan_cast(g, y, GAN_F32), b), half);
    y = gan_max_axes(g, gan_reshape(g, y, gan_shape3(m, u, p)), 1u << 2);
    y = gan_reshape(g, y, gan_shape2(m, u));
    if (kind != PLAIN) y = dropped(t, y, l % 2 ? 0.8 : 0.5);
    y = gan_cast(g, gan_matmul(g, y, as(t, next, half), false, true), GAN_F32);
    gan_node *loss = gan_mean(g, gan_square(g, y));
    gan_gradient(g, loss, 3, (gan_node *[]){x, w, b}, grad);
    case_output(t, loss);
    for (int k = 0; k < 3; k++) case_output(t, grad[k]);
    t->scaled = true;
    t->looser = half ? 2400 : 10;
}

const case_family cases_maxout = {"maxout", maxout_count, maxout_build};
