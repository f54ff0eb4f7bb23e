/* bfloat16: operands, results and gradients stored in it, sums and statistics in f32. A result
 * keeps 8 bits, so each of these cases says how much looser than f32 it is; what is summed up is
 * rounded once, at its end. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

/* Relative errors of 2^-9 a rounding, of which there are a few, for ops whose tolerance is 5e-6. */
enum { HALF = 1200, HALF_EXACT = 8000 };

static gan_node *half(test_case *t, gan_shape shape, double low, double high) {
    return gan_cast(t->g, case_uniform(t, shape, low, high), GAN_BF16);
}

/* Both types of result: what the op stores, and what is made of it before it is stored. */
static void half_output(test_case *t, gan_node *y) {
    case_output(t, y);
    case_output(t, gan_cast(t->g, y, GAN_F32));
}

/* ---- products ---- */

static const int64_t product_sizes[][4] = {/* batch (0: rank 2), m, n, k */
                                           {0, 1, 1, 1},     {0, 7, 5, 3},   {0, 64, 48, 40},
                                           {0, 33, 1, 300},  {0, 16, 24, 8}, {3, 8, 16, 24},
                                           {2, 5, 7, 3},     {0, 4, 3, 0},   {0, 130, 72, 65},
                                           {0, 40, 36, 272}, {0, 6, 5, 300}};

/* With what follows it, in the same launch where the device has one for it. */
static gan_node *followed(test_case *t, gan_node *y, int i) {
    const gan_shape s = gan_node_shape(y);
    gan_graph *g = t->g;
    gan_node *bias = case_uniform(t, gan_shape1(s.dim[s.rank - 1]), -1, 1);
    if (i % 5 == 0) return gan_tanh(g, y);
    y = gan_cast(g, gan_add(g, gan_cast(g, y, GAN_F32), bias), GAN_BF16);
    return i % 5 == 1   ? gan_leaky_relu(g, y, 0.2)
           : i % 5 == 2 ? gan_relu(g, y)
           : i % 5 == 3 ? gan_sigmoid(g, y)
                        : y;
}

static void product(test_case *t, int i) {
    const int64_t *s = product_sizes[i / 4], b = s[0], m = s[1], n = s[2], k = s[3];
    const bool ta = i & 1, tb = i & 2;
    case_title(t, "product %lldx%lldx%lld batch %lld%s%s", (long long)m, (long long)n, (long long)k,
               (long long)b, ta ? " a'" : "", tb ? " b'" : "");
    gan_shape sa = ta ? gan_shape3(b, k, m) : gan_shape3(b, m, k);
    gan_shape sb = tb ? gan_shape3(b, n, k) : gan_shape3(b, k, n);
    if (b == 0) {
        sa = gan_shape2(sa.dim[1], sa.dim[2]);
        sb = gan_shape2(sb.dim[1], sb.dim[2]);
    }
    gan_node *x = half(t, sa, -1, 1), *w = half(t, sb, -1, 1);
    half_output(t, gan_matmul(t->g, x, w, ta, tb));
    half_output(t, followed(t, gan_matmul(t->g, x, w, ta, tb), i));
}

/* A layer as nn writes it: f32 bias, activation, all one pass. */
static void layer(test_case *t, int i) {
    const int64_t m = i ? 19 : 32, in = i ? 13 : 40, out = i ? 11 : 24;
    gan_graph *g = t->g;
    case_title(t, "layer %lldx%lldx%lld", (long long)m, (long long)out, (long long)in);
    gan_node *x = half(t, gan_shape2(m, in), -1, 1), *w = half(t, gan_shape2(out, in), -1, 1);
    gan_node *bias = case_uniform(t, gan_shape1(out), -1, 1);
    gan_node *y = gan_cast(g, gan_matmul(g, x, w, false, true), GAN_F32);
    y = gan_tanh(g, gan_cast(g, gan_add(g, y, bias), GAN_BF16));
    half_output(t, y);
}

/* Two layers and back again: products with the slope of what they came from behind them. */
static void layers(test_case *t, int i) {
    const int64_t m = i ? 19 : 36, in = i ? 13 : 40, hidden = i ? 11 : 48, out = i ? 9 : 136;
    gan_graph *g = t->g;
    case_title(t, "layers %lldx%lldx%lld", (long long)m, (long long)hidden, (long long)out);
    case_not_smooth(t);
    gan_node *x = case_uniform(t, gan_shape2(m, in), -1, 1), *grad[2];
    gan_node *w = case_uniform(t, gan_shape2(hidden, in), -1, 1);
    gan_node *h = gan_matmul(g, gan_cast(g, x, GAN_BF16), gan_cast(g, w, GAN_BF16), false, true);
    h = gan_matmul(g, gan_leaky_relu(g, h, 0.2), half(t, gan_shape2(out, hidden), -0.3, 0.3), false,
                   true);
    gan_gradient(g, gan_mean(g, gan_cast(g, gan_tanh(g, h), GAN_F32)), 2, (gan_node *[]){x, w},
                 grad);
    case_output(t, grad[0]);
    case_output(t, grad[1]);
}

static const struct {
    gan_shape x;
    int64_t filters;
    int size;
    gan_window window;
} images[] = {
    {{4, {2, 8, 8, 8}}, 16, 4, {2, 2, 1, 1, 1, 1}}, {{4, {2, 7, 5, 3}}, 8, 3, {1, 1, 1, 1, 1, 1}},
    {{4, {1, 9, 6, 5}}, 3, 3, {2, 2, 0, 1, 1, 0}},  {{4, {3, 4, 4, 16}}, 24, 1, {1, 1, 0, 0, 0, 0}},
    {{4, {4, 4, 4, 8}}, 8, 4, {1, 1, 0, 0, 0, 0}},
};

static void convolution(test_case *t, int i) {
    const gan_shape x = images[i].x;
    const int64_t k = images[i].filters, size = images[i].size;
    char text[64];
    case_title(t, "convolution %s", case_shape_text(x, text));
    gan_node *y = gan_conv2d(t->g, half(t, x, -1, 1),
                             half(t, gan_shape4(k, size, size, x.dim[3]), -1, 1), images[i].window);
    half_output(t, y);
}

static void transposed(test_case *t, int i) {
    const gan_shape x = images[i].x;
    const gan_window w = images[i].window;
    const int64_t k = images[i].filters, size = images[i].size;
    const int64_t p = (x.dim[1] + w.top + w.bottom - size) / w.stride_h + 1;
    const int64_t q = (x.dim[2] + w.left + w.right - size) / w.stride_w + 1;
    char text[64];
    case_title(t, "transposed to %s", case_shape_text(x, text));
    gan_node *dy = half(t, gan_shape4(x.dim[0], p, q, k), -1, 1);
    gan_node *filter = half(t, gan_shape4(k, size, size, x.dim[3]), -1, 1);
    half_output(t, gan_conv2d_grad_input(t->g, dy, filter, x.dim[1], x.dim[2], w));
}

/* ---- statistics ---- */

static const struct {
    gan_shape x;
    int64_t groups;
} batches[] = {{{4, {4, 6, 6, 16}}, 1},
               {{4, {4, 3, 5, 8}}, 2},
               {{2, {64, 5}}, 2},
               {{2, {1031, 24}}, 1},
               {{2, {7, 1}}, 1}};

static void norm(test_case *t, int i) {
    const gan_shape x_shape = batches[i].x;
    const gan_shape vector = gan_shape1(x_shape.dim[x_shape.rank - 1]);
    char text[64];
    case_title(t, "batch norm %s groups %d", case_shape_text(x_shape, text),
               (int)batches[i].groups);
    gan_node *x = half(t, x_shape, -1, 2), *moments = gan_moments(t->g, x, batches[i].groups);
    gan_node *y = gan_batch_norm(t->g, x, moments, case_uniform(t, vector, 0.5, 1.5),
                                 case_uniform(t, vector, -1, 1), 1e-2);
    case_output(t, moments);
    half_output(t, gan_tanh(t->g, y));
    y = gan_batch_norm_training(t->g, x, batches[i].groups, case_uniform(t, vector, 0.5, 1.5),
                                case_uniform(t, vector, -1, 1), 1e-2, NULL);
    half_output(t, i % 2 ? gan_relu(t->g, y) : gan_leaky_relu(t->g, y, 0.2));
}

/* ---- windows ---- */

static void pool(test_case *t, int i) {
    static const gan_shape shapes[] = {
        {4, {2, 8, 8, 16}}, {4, {2, 7, 5, 8}}, {4, {3, 6, 4, 3}}, {4, {1, 9, 9, 24}}};
    const gan_window w = i % 2 ? (gan_window){2, 2, 1, 1, 1, 1} : (gan_window){2, 2, 0, 0, 0, 0};
    const int size = i % 2 ? 3 : 2;
    char text[64];
    case_title(t, "pools %s", case_shape_text(shapes[i], text));
    gan_node *x = half(t, shapes[i], -1, 1);
    case_output(t, gan_average_pool(t->g, x, size, size, w));
    half_output(t, gan_max_pool(t->g, gan_cast(t->g, case_distinct(t, shapes[i]), GAN_BF16), size,
                                size, w));
    half_output(t, gan_average_pool(t->g, x, size, size, w));
    half_output(t, gan_upsample(t->g, x, 2));
}

/* ---- elements ---- */

static void elements(test_case *t, int i) {
    static const gan_shape shapes[] = {
        {2, {40, 24}}, {3, {3, 5, 7}}, {1, {1}}, {2, {0, 8}}, {4, {2, 3, 4, 520}}};
    gan_graph *g = t->g;
    const gan_shape s = shapes[i];
    const int last = s.rank - 1;
    char text[64];
    case_title(t, "elements %s", case_shape_text(s, text));
    gan_node *x = half(t, s, 0.5, 1.5), *y = case_uniform(t, s, -1, 1);
    gan_node *v = half(t, gan_shape1(s.dim[last]), -1, 1);
    half_output(t, gan_add(g, gan_mul(g, x, v), gan_exp(g, x)));
    case_output(t, gan_mul(g, x, y)); /* of two types: f32 */
    case_output(t, gan_leaky_relu(g, gan_cast(g, gan_sub(g, y, v), GAN_BF16), 0.2));
    case_output(t, gan_sum_axes(g, gan_square(g, x), 1u << last));
    if (gan_shape_size(s) > 0) half_output(t, gan_max_axes(g, x, 1u << 0));
    case_output(t, gan_broadcast(g, v, s));
    case_output(t, gan_cast(g, gan_constant(g, 1.0 / 3, s), GAN_BF16));
}

/* Bytes that move, whose adjoints add. */
static void moves(test_case *t, int i) {
    const int64_t c = i ? 5 : 16;
    gan_graph *g = t->g;
    case_title(t, "moves %lld channels", (long long)c);
    gan_node *x = half(t, gan_shape2(12, c), -1, 1);
    gan_node *index = case_indices(t, gan_shape1(9), 0, 11);
    half_output(t, gan_gather(g, x, index));
    half_output(t, gan_scatter_add(g, x, case_indices(t, gan_shape1(12), 0, 3), 4));
    half_output(t, gan_transpose(g, x));
    half_output(t, gan_concat(g, 1, 2, (gan_node *[]){x, gan_neg(g, x)}));
    half_output(t, gan_pad(g, gan_slice(g, x, 0, 3, 7), 1, 2, 3));
}

/* ---- training ---- */

/* The squared gradient of a network of bf16 layers by its input: second order, and by its weights a
 * derivative of that. */
static void penalty(test_case *t, int i) {
    gan_graph *g = t->g;
    case_title(t, "gradient penalty%s", i ? " of convolutions" : "");
    gan_node *x, *h, *grad;
    if (i) {
        x = case_uniform(t, gan_shape4(2, 6, 6, 3), -1, 1);
        h = gan_conv2d(g, gan_cast(g, x, GAN_BF16), half(t, gan_shape4(8, 3, 3, 3), -0.5, 0.5),
                       gan_window_same(2, 1));
    } else {
        x = case_uniform(t, gan_shape2(6, 5), -1, 1);
        h = gan_matmul(g, gan_cast(g, x, GAN_BF16), half(t, gan_shape2(8, 5), -1, 1), false, true);
    }
    h = gan_tanh(g, h);
    gan_node *score = gan_sum(g, gan_square(g, h));
    gan_gradient(g, score, 1, &x, &grad);
    case_output(t, gan_mean(g, gan_square(g, grad)));
}

/* Two updates of f32 weights by what bf16 copies of them make; the second sees the first. */
static void updates(test_case *t, int i) {
    gan_graph *g = t->g;
    case_title(t, "updates by %s", i ? "momentum" : "adam");
    case_not_smooth(t);
    gan_node *counter = case_counter(t, "t/steps", 3), *w[3], *grad[3];
    w[0] = case_variable_uniform(t, GAN_WEIGHT, "d/a", gan_shape2(24, 10), -1, 1);
    w[1] = case_variable_uniform(t, GAN_WEIGHT, "d/b", gan_shape1(24), -1, 1);
    w[2] = case_variable_uniform(t, GAN_WEIGHT, "d/c", gan_shape2(3, 24), -1, 1);
    gan_node *x = half(t, gan_shape2(7, 10), -1, 1);
    for (int step = 0; step < 2; step++) {
        gan_node *h = gan_matmul(g, x, gan_cast(g, w[0], GAN_BF16), false, true);
        h = gan_add(g, gan_cast(g, h, GAN_F32), w[1]);
        h = gan_tanh(g, gan_cast(g, h, GAN_BF16));
        gan_node *s = gan_matmul(g, h, gan_cast(g, w[2], GAN_BF16), false, true);
        gan_node *loss = gan_mean(g, gan_square(g, gan_cast(g, s, GAN_F32)));
        gan_gradient(g, loss, 3, w, grad);
        gan_node *rate = gan_constant(g, 0.01, gan_shape0());
        if (i)
            gan_momentum(g, "d", 3, w, grad, rate, gan_constant(g, 0.5, gan_shape0()));
        else
            gan_adam(g, "d", 3, w, grad,
                     &(gan_adam_options){.beta1 = 0.5,
                                         .beta2 = 0.9,
                                         .eps = 1e-2,
                                         .rate = rate,
                                         .counter = counter,
                                         .per_iteration = 2,
                                         .offset = step});
        if (step == 1) case_output(t, loss);
    }
    gan_advance(g, counter, 1);
}

static void loss(test_case *t, int i) {
    case_title(t, "loss of %s", i ? "classes" : "logits");
    gan_node *l = half(t, gan_shape2(9, i ? 6 : 1), -3, 3);
    case_output(t, i ? gan_softmax_loss(t->g, l, case_indices(t, gan_shape1(9), 0, 5))
                     : gan_logits_loss(t->g, l, 0.9));
}

/* Noise that is read in bf16 alone, by itself and in a product; and some that f32 reads, too. */
static void noise(test_case *t, int i) {
    gan_graph *g = t->g;
    case_title(t, "%s noise", i ? "uniform" : "normal");
    gan_node *counter = case_counter(t, "t/steps", 3), *w = half(t, gan_shape2(9, 67), -1, 1);
    for (int k = 0; k < 3; k++) {
        const gan_shape s = gan_shape2(k ? 13 : 1, 67);
        gan_node *z = i ? gan_random_uniform(g, counter, s, -1, 1)
                        : gan_random_normal(g, counter, s, 0.5, 0.25);
        gan_node *rounded = gan_cast(g, z, GAN_BF16);
        case_output(t, k == 1 ? gan_matmul(g, rounded, w, false, true) : rounded);
        if (k == 2) case_output(t, gan_sum_axes(g, z, 1));
    }
    gan_advance(g, counter, 1);
}

/* ---- sums ---- */

/* Down long columns; the same again; stored as bf16; a row times a matrix. */
static void sums(test_case *t, int i) {
    static const gan_shape shapes[] = {{2, {1100, 264}}, {4, {5, 31, 20, 16}}, {2, {300, 72}}};
    const gan_shape s = shapes[i];
    gan_graph *g = t->g;
    char text[64];
    case_title(t, "sums of %s", case_shape_text(s, text));
    gan_node *x = half(t, s, -1, 1);
    const uint32_t all = (1u << (s.rank - 1)) - 1;
    case_output(t, gan_sum_axes(g, x, all));
    case_output(t, gan_scale(g, gan_sum_axes(g, x, all), 0.5));
    case_output(t, gan_cast(g, gan_sum_axes(g, gan_exp(g, x), 1u << (s.rank - 1)), GAN_BF16));
    if (s.rank != 2) return;
    gan_node *row = half(t, gan_shape2(s.dim[0], 1), -1, 1);
    half_output(t, gan_matmul(g, row, x, true, false));
}

/* The way back from a logit that is a sum over pixels: a column times a row, repeated. */
static void outer(test_case *t, int i) {
    gan_graph *g = t->g;
    const gan_shape whole = gan_shape4(5, 3, 2, i ? 7 : 8);
    case_title(t, "a column times a row over %s", i ? "odd channels" : "channels");
    gan_node *column = half(t, gan_shape2(5, 1), -1, 1),
             *row = half(t, gan_shape2(1, whole.dim[3]), -1, 1), *z = half(t, whole, -1, 1);
    gan_node *y = gan_cast(g, gan_matmul(g, column, row, false, false), GAN_F32);
    y = gan_cast(g, gan_reshape(g, y, gan_shape4(5, 1, 1, whole.dim[3])), GAN_BF16);
    y = gan_mul(g, gan_broadcast(g, y, whole), gan_pointwise(g, GAN_FN_leaky_step, z, NULL, 0.2));
    half_output(t, y);
}

/* D's batch: real images and G's, of which the latter's gradient reads them in f32. */
static void batch(test_case *t, int i) {
    gan_graph *g = t->g;
    const int64_t m = 5, size = 4, channels = i & 1 ? 3 : 1;
    const gan_shape shape = gan_shape4(m, size, size, channels);
    case_title(t, "a batch of real and made images, %d channels%s", (int)channels,
               i & 2 ? ", an output" : "");
    gan_node *data = case_bytes(t, "d/pixels", gan_shape4(9, size, size, channels));
    gan_node *index = case_indices(t, gan_shape1(m), 0, 8), *counter = case_counter(t, "c/n", 3);
    gan_node *real = gan_minibatch(g, data, index, counter, 1 / 127.5, -1, true);
    gan_node *made = gan_cast(g, half(t, shape, -1, 1), GAN_F32);
    made = gan_tanh(g, gan_add(g, made, case_uniform(t, gan_shape1(channels), -1, 1)));
    gan_node *both = gan_cast(g, gan_concat(g, 0, 2, (gan_node *[2]){real, made}), GAN_BF16);
    half_output(t, both);
    half_output(t, gan_neg(g, gan_cast(g, made, GAN_BF16)));
    case_output(t, gan_mul(g, case_uniform(t, shape, -1, 1),
                           gan_shift(g, gan_neg(g, gan_square(g, made)), 1)));
    if (i & 2) case_output(t, made);
    gan_advance(g, counter, 1);
}

/* ---- all of them ---- */

static const struct {
    void (*build)(test_case *t, int i);
    int count;
    double looser;
} kinds[] = {
    {product, 4 * COUNT(product_sizes), HALF},
    {layer, 2, HALF},
    {layers, 2, HALF},
    {convolution, COUNT(images), HALF},
    {transposed, COUNT(images), HALF},
    {norm, COUNT(batches), HALF},
    {pool, 4, HALF_EXACT},
    {elements, 5, 2 * HALF},
    {moves, 2, HALF_EXACT},
    {penalty, 2, 4 * HALF},
    {updates, 2, HALF},
    {loss, 2, HALF_EXACT},
    {noise, 2, HALF_EXACT},
    {sums, 3, 4 * HALF},
    {outer, 2, HALF},
    {batch, 4, HALF},
};

static int half_count(void) {
    int n = 0;
    for (int k = 0; k < COUNT(kinds); k++) n += kinds[k].count;
    return n;
}

static void half_build(test_case *t, int i) {
    int k = 0;
    while (i >= kinds[k].count) i -= kinds[k++].count;
    case_not_smooth(t); /* differences of what is rounded mean nothing */
    t->scaled = true;
    t->looser = kinds[k].looser;
    kinds[k].build(t, i);
}

const case_family cases_half = {"half", half_count, half_build};
