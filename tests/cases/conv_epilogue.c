/* What follows convolutions in one launch where a device can: what networks write behind them, and
 * behind their adjoints in a backward pass; in f32, rounded to tensor float, and as bfloat16. */
#include "cases/case.h"

enum {
    BIAS,
    BIAS_LEAKY,
    BIAS_RELU,
    BIAS_TANH,
    BIAS_SIGMOID,
    RESIDUAL,
    BIAS_RESIDUAL_RELU,
    RELU_STEP,
    LEAKY_STEP_RESIDUAL,
    SCALE_SHIFT,
    PIXEL,
    NUMBER_IN_MEMORY,
    LESS_BIAS,
    SQUARED_LEAKY,
    IMAGE_CHANNEL,
    SUM_AND_RELU, /* both are needed, as between residual blocks */
    SOFTPLUS,
    EPILOGUES
};

enum { F32, TF32, BF16, TYPES };

static const struct {
    int64_t n, h, w, c, k, size;
    gan_window window;
} sizes[] = {
    {2, 6, 6, 4, 8, 3, {1, 1, 1, 1, 1, 1}},
    {2, 8, 8, 8, 6, 4, {2, 2, 1, 1, 1, 1}},
    {2, 5, 5, 3, 5, 3, {1, 1, 1, 1, 1, 1}},
    {1, 9, 6, 2, 4, 3, {2, 2, 0, 1, 1, 0}}, /* windows that no padding alike on both sides gives */
    {2, 8, 8, 8, 16, 3, {1, 1, 1, 1, 1, 1}},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Relative errors of a rounding to 11 bits and to 8, for ops whose tolerance is 5e-6. */
static const double looser[TYPES] = {4, 300, 1200};

static int count(void) { return EPILOGUES * 2 * TYPES; }

/* Of few bits where tensor cores may drop some: what they make of it then is on the same side of a
 * kink as it should be. */
static gan_node *draw(test_case *t, gan_shape shape, int type) {
    enum { STEPS = 64 };
    if (type == TF32) return gan_scale(t->g, case_whole(t, shape, -STEPS, STEPS), 1.0 / STEPS);
    gan_node *x = case_uniform(t, shape, -1, 1);
    return type == BF16 ? gan_cast(t->g, x, GAN_BF16) : x;
}

static gan_node *product(test_case *t, int s, bool adjoint, int type) {
    const gan_window z = sizes[s].window;
    const int64_t size = sizes[s].size, h = sizes[s].h, w = sizes[s].w;
    const int64_t p = (h + z.top + z.bottom - size) / z.stride_h + 1,
                  q = (w + z.left + z.right - size) / z.stride_w + 1;
    const gan_shape x = gan_shape4(sizes[s].n, h, w, sizes[s].c),
                    y = gan_shape4(sizes[s].n, p, q, sizes[s].k);
    gan_node *a = draw(t, adjoint ? y : x, type);
    gan_node *b = draw(t, gan_shape4(sizes[s].k, size, size, sizes[s].c), type);
    gan_node *made =
        adjoint ? gan_conv2d_grad_input(t->g, a, b, h, w, z) : gan_conv2d(t->g, a, b, z);
    if (made) made->tf32 = type == TF32;
    return type == BF16 ? gan_cast(t->g, made, GAN_F32) : made;
}

/* 1 where z > 0, else k; z has zeros, as what comes out of a ReLU has. */
static gan_node *step_of(test_case *t, gan_shape shape, double k) {
    gan_node *z = case_whole(t, shape, -1, 1);
    return gan_pointwise(t->g, GAN_FN_leaky_step, z, NULL, k);
}

static gan_node *follow(test_case *t, gan_node *y, int tail, int type) {
    gan_graph *g = t->g;
    const gan_shape whole = y->shape, channel = gan_shape1(whole.dim[3]);
    gan_shape pixel = whole, image = whole;
    pixel.dim[3] = image.dim[1] = image.dim[2] = 1;
    switch (tail) {
    case BIAS:
        return gan_add(g, y, case_uniform(t, channel, -1, 1));
    case BIAS_LEAKY:
        return gan_leaky_relu(g, gan_add(g, y, case_uniform(t, channel, -1, 1)), 0.2);
    case BIAS_RELU:
        return gan_relu(g, gan_add(g, case_uniform(t, channel, -1, 1), y));
    case BIAS_TANH:
        return gan_tanh(g, gan_add(g, y, case_uniform(t, channel, -1, 1)));
    case BIAS_SIGMOID:
        return gan_sigmoid(g, gan_add(g, y, case_uniform(t, channel, -1, 1)));
    case RESIDUAL:
        return gan_add(g, draw(t, whole, type), y);
    case BIAS_RESIDUAL_RELU:
        y = gan_add(g, gan_add(g, y, case_uniform(t, channel, -1, 1)), draw(t, whole, type));
        return gan_relu(g, y);
    case RELU_STEP:
        return gan_mul(g, y, step_of(t, whole, 0));
    case LEAKY_STEP_RESIDUAL:
        return gan_add(g, gan_mul(g, step_of(t, whole, 0.2), y), draw(t, whole, type));
    case SCALE_SHIFT:
        return gan_shift(g, gan_scale(g, y, 0.25), -0.5);
    case PIXEL:
        return gan_mul(g, y, case_uniform(t, pixel, 0.5, 1));
    case NUMBER_IN_MEMORY:
        return gan_mul(g, gan_add(g, y, case_uniform(t, channel, -1, 1)),
                       case_uniform(t, gan_shape0(), 0.5, 1));
    case LESS_BIAS:
        return gan_sub(g, y, case_uniform(t, channel, -1, 1));
    case SQUARED_LEAKY:
        y = gan_leaky_relu(g, y, 0.1);
        return gan_mul(g, y, gan_tanh(g, y));
    case SUM_AND_RELU:
        y = gan_add(g, gan_add(g, y, case_uniform(t, channel, -1, 1)), draw(t, whole, type));
        return type == BF16 ? gan_cast(g, y, GAN_BF16) : y;
    case IMAGE_CHANNEL: /* as conditional norms have it */
        return gan_mul(g, y, case_uniform(t, image, 0.5, 1));
    default:
        return gan_softplus(g, gan_add(g, y, case_uniform(t, channel, -1, 1)));
    }
}

static void build(test_case *t, int i) {
    static const char *const tails[] = {"bias",
                                        "bias, leaky relu",
                                        "bias, relu",
                                        "bias, tanh",
                                        "bias, sigmoid",
                                        "residual",
                                        "bias, residual, relu",
                                        "step of relu",
                                        "step of leaky relu, residual",
                                        "scale, shift",
                                        "value a pixel",
                                        "number in memory",
                                        "less a bias",
                                        "leaky relu times its tanh",
                                        "value an image and channel",
                                        "sum and relu",
                                        "softplus"};
    static const char *const types[] = {"f32", "tf32", "bf16"};
    const int type = i % TYPES, tail = i / TYPES / 2;
    const bool adjoint = i / TYPES % 2;
    const int s = (tail + type + 2 * adjoint) % SIZES;
    case_title(t, "%s, %s, %s, size %d", adjoint ? "conv2d_grad_input" : "conv2d", tails[tail],
               types[type], s);
    gan_node *y = follow(t, product(t, s, adjoint, type), tail, type);
    if (tail == SUM_AND_RELU) {
        case_output(t, gan_relu(t->g, y));
        case_output(t, gan_average_pool(t->g, y, 2, 2, gan_window_same(2, 0)));
    }
    case_output(t, type == BF16 ? gan_cast(t->g, y, GAN_BF16) : y);
    case_not_smooth(t);
    t->scaled = type != F32;
    t->looser = looser[type];
}

const case_family cases_conv_epilogue = {"fused convolution", count, build};
