/* What the backward pass of a first or last layer wants at once, in bfloat16: the gradients of its
 * filter and of its bias, the one before the other and the other way round, and beside each other
 * the sums of what was not convolved. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    int64_t n, size, few, many;
    int filter;
    gan_window window;
} layers[] = {
    {3, 20, 3, 24, 4, {2, 2, 1, 1, 1, 1}}, {2, 17, 3, 128, 3, {1, 1, 1, 1, 1, 1}},
    {5, 9, 1, 13, 3, {2, 2, 0, 1, 1, 0}},  {2, 12, 4, 72, 4, {1, 1, 0, 0, 0, 0}},
    {2, 16, 3, 40, 2, {2, 2, 0, 0, 0, 0}}, {40, 8, 2, 96, 1, {1, 1, 0, 0, 0, 0}},
};

enum { WAYS = 4, PIXELS = 1u << 0 | 1u << 1 | 1u << 2, HALF = 1200 };

static gan_node *half(test_case *t, gan_shape shape) {
    return gan_cast(t->g, case_uniform(t, shape, -1, 1), GAN_BF16);
}

static gan_node *sums(test_case *t, gan_node *x) {
    return gan_sum_axes(t->g, gan_cast(t->g, x, GAN_F32), PIXELS);
}

static int count(void) { return WAYS * COUNT(layers); }

static void build(test_case *t, int i) {
    const int l = i / WAYS, way = i % WAYS, filter = layers[l].filter;
    const gan_window w = layers[l].window;
    const int64_t out = (layers[l].size + w.top + w.bottom - filter) / w.stride_h + 1;
    const gan_shape few = gan_shape4(layers[l].n, layers[l].size, layers[l].size, layers[l].few);
    const gan_shape many = gan_shape4(layers[l].n, out, out, layers[l].many);
    char text[64];
    case_title(t, "gradients %s %s way %d", case_shape_text(few, text), filter > 1 ? "" : "1x1",
               way);
    case_not_smooth(t);
    t->scaled = true;
    t->looser = HALF;
    gan_node *x = half(t, few), *dy = half(t, many), *bias = NULL;
    if (way == 0) bias = case_output(t, sums(t, dy));
    gan_node *dw = gan_conv2d_grad_weight(t->g, x, dy, filter, filter, w);
    case_output(t, way == 3 ? gan_cast(t->g, dw, GAN_F32) : dw);
    if (!bias) case_output(t, sums(t, way == 2 ? x : dy));
}

const case_family cases_conv_gradients = {"conv gradients", count, build};
