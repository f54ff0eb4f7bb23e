/* What the plan fuses: chains of pointwise functions with operands of every kind of broadcast,
 * ending in reductions, beginning in products; by hand where a pattern matters, and many more at
 * random. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

/* ---- epilogues: what follows a product or convolution ---- */

enum { MATMUL, CONV, GRAD_INPUT, PRODUCERS };
enum {
    BIAS,
    BIAS_RELU,
    RESIDUAL,
    ROW,
    SCALAR,
    GATE,
    SQUARED,
    TWICE,
    GRADIENT_OF_RELU,
    BIG,
    LONG,
    WHOLE,
    TAILS
};

static int epilogue_count(void) { return PRODUCERS * TAILS; }

/* Operands of each producer: usual; beyond a block; of long sums and many channels; in batches, or
 * of windows that are the whole image. */
static const struct {
    gan_shape a, b;
    gan_window window;
    int64_t size; /* of what grad-input makes */
} sizes[PRODUCERS][4] = {
    {{{2, {6, 37}}, {2, {5, 37}}, {0}, 0},
     {{2, {131, 37}}, {2, {67, 37}}, {0}, 0},
     {{2, {64, 2100}}, {2, {64, 2100}}, {0}, 0},
     {{3, {4, 9, 11}}, {3, {4, 7, 11}}, {0}, 0}},
    {{{4, {2, 6, 6, 3}}, {4, {5, 3, 3, 3}}, {1, 1, 1, 1, 1, 1}, 0},
     {{4, {2, 6, 6, 33}}, {4, {67, 3, 3, 33}}, {1, 1, 1, 1, 1, 1}, 0},
     {{4, {32, 4, 4, 32}}, {4, {33, 4, 4, 32}}, {2, 2, 1, 1, 1, 1}, 0},
     {{4, {5, 4, 4, 3}}, {4, {7, 4, 4, 3}}, {1, 1, 0, 0, 0, 0}, 0}},
    {{{4, {2, 3, 3, 3}}, {4, {3, 4, 4, 5}}, {2, 2, 1, 1, 1, 1}, 6},
     {{4, {2, 3, 3, 33}}, {4, {33, 4, 4, 67}}, {2, 2, 1, 1, 1, 1}, 6},
     {{4, {32, 2, 2, 33}}, {4, {33, 4, 4, 32}}, {2, 2, 1, 1, 1, 1}, 4},
     {{4, {5, 1, 1, 7}}, {4, {7, 4, 4, 3}}, {1, 1, 0, 0, 0, 0}, 4}},
};

static gan_node *producer(test_case *t, int which, int tail) {
    const int size = tail == BIG ? 1 : tail == LONG ? 2 : tail == WHOLE ? 3 : 0;
    const int64_t made = sizes[which][size].size;
    const gan_window window = sizes[which][size].window;
    gan_node *a = case_uniform(t, sizes[which][size].a, -1, 1);
    gan_node *b = case_uniform(t, sizes[which][size].b, -1, 1);
    return which == MATMUL ? gan_matmul(t->g, a, b, false, true)
           : which == CONV ? gan_conv2d(t->g, a, b, window)
                           : gan_conv2d_grad_input(t->g, a, b, made, made, window);
}

static void epilogue_build(test_case *t, int i) {
    static const char *const producers[] = {"matmul", "conv2d", "conv2d_grad_input"};
    static const char *const tails[] = {"bias",
                                        "bias, leaky_relu",
                                        "residual",
                                        "row",
                                        "scalar",
                                        "gate",
                                        "squared",
                                        "twice",
                                        "gradient of relu",
                                        "bias, tanh, big",
                                        "bias, tanh, long",
                                        "bias, tanh, whole"};
    const int tail = i % TAILS;
    gan_graph *g = t->g;
    case_title(t, "%s then %s", producers[i / TAILS], tails[tail]);
    gan_node *y = producer(t, i / TAILS, tail), *z;
    const gan_shape shape = y->shape, channel = gan_shape1(shape.dim[shape.rank - 1]);
    gan_shape row = shape, image = shape;
    row.dim[row.rank - 1] = 1;
    for (int a = 1; a < image.rank; a++) image.dim[a] = 1;
    gan_node *bias = case_uniform(t, channel, -1, 1);
    switch (tail) {
    case BIAS:
        case_output(t, gan_add(g, y, bias));
        break;
    case BIAS_RELU:
        case_output(t, gan_leaky_relu(g, gan_add(g, y, bias), 0.2));
        case_not_smooth(t);
        break;
    case RESIDUAL:
        case_output(t, gan_tanh(g, gan_add(g, gan_add(g, bias, y), case_uniform(t, shape, -1, 1))));
        break;
    case ROW:
        case_output(t, gan_add(g, gan_mul(g, y, case_uniform(t, row, 0.5, 1)),
                               case_uniform(t, image, -1, 1)));
        break;
    case SCALAR:
        case_output(t, gan_mul(g, gan_add(g, y, bias), case_uniform(t, gan_shape0(), 0.5, 1)));
        break;
    case GATE:
        case_output(t, gan_mul(g, gan_sigmoid(g, y), gan_scale(g, y, 0.5)));
        break;
    case SQUARED:
        z = gan_add(g, y, bias);
        case_output(t, gan_mul(g, z, z));
        break;
    case TWICE: /* the raw product is needed as well */
        case_output(t, gan_softplus(g, gan_add(g, y, bias)));
        case_output(t, gan_mul(g, gan_sub(g, y, bias), y));
        break;
    case GRADIENT_OF_RELU: /* y times the step of another value, as backward passes make them */
        case_output(
            t, gan_mul(g, y,
                       gan_greater(g, case_uniform(t, shape, -1, 1), gan_constant(g, 0, shape))));
        case_not_smooth(t);
        break;
    default:
        case_output(t, gan_tanh(g, gan_scale(g, gan_add(g, y, bias), 0.1)));
        break;
    }
    t->looser = tail == LONG ? 20 : 4;
}

const case_family cases_epilogue = {"epilogue", epilogue_count, epilogue_build};

/* ---- chains and prologues by hand ---- */

enum {
    LONG_CHAIN,
    MANY_OPERANDS,
    DIAMOND,
    SHARED,
    PROLOGUES,
    CONSTANTS,
    ODD_SHAPES,
    SOFTMAX,
    NORMS,
    LARGE,
    MIXED_RANK,
    REDUCE_THEN_BROADCAST,
    OUTER_THEN_BROADCAST,
    LONG_COLUMNS,
    CHAINS
};

static int chain_count(void) { return CHAINS; }

static void chain_build(test_case *t, int i) {
    static const char *const names[] = {"longer than a program",
                                        "more operands than a program",
                                        "diamond",
                                        "shared values",
                                        "prologues",
                                        "constants",
                                        "odd shapes",
                                        "softmax by hand",
                                        "norms by hand",
                                        "large",
                                        "operands of lower rank",
                                        "reduce, then broadcast",
                                        "column times row, then broadcast",
                                        "sums down long columns"};
    gan_graph *g = t->g;
    gan_node *x, *y, *z, *s;
    case_title(t, "%s", names[i]);
    t->looser = 4;
    switch (i) {
    case LONG_CHAIN:
        x = case_uniform(t, gan_shape2(13, 31), -1, 1);
        y = x;
        for (int k = 0; k < 70; k++)
            y = k % 3 == 0 ? gan_tanh(g, y) : k % 3 == 1 ? gan_shift(g, y, 0.1) : gan_sin(g, y);
        case_output(t, y);
        break;
    case MANY_OPERANDS:
        y = case_uniform(t, gan_shape2(7, 11), -1, 1);
        for (int k = 0; k < 15; k++) {
            const gan_shape shapes[] = {gan_shape2(7, 11), gan_shape1(11), gan_shape2(7, 1),
                                        gan_shape0()};
            y = gan_tanh(g, gan_add(g, gan_mul(g, y, case_uniform(t, shapes[k % 4], 0.5, 1)), y));
        }
        case_output(t, y);
        break;
    case DIAMOND:
        x = case_uniform(t, gan_shape2(33, 65), -1, 1);
        y = gan_exp(g, x);
        case_output(
            t, gan_mul(g, gan_add(g, gan_sin(g, y), gan_cos(g, y)), gan_sub(g, gan_tanh(g, y), y)));
        break;
    case SHARED: /* a value in two chains and in a product */
        x = gan_sin(g, case_uniform(t, gan_shape2(32, 16), -1, 1));
        case_output(t, gan_exp(g, x));
        case_output(t, gan_sum_axes(g, gan_square(g, x), 1));
        case_output(t, gan_matmul(g, x, x, false, true));
        case_output(t, x);
        break;
    case PROLOGUES:
        x = case_uniform(t, gan_shape3(6, 10, 17), -1, 1);
        y = case_uniform(t, gan_shape1(17), 0.5, 1);
        z = case_uniform(t, gan_shape3(6, 1, 1), 0.5, 1);
        s = gan_mul(g, gan_add(g, x, y), z);
        case_output(t, gan_sum(g, gan_square(g, s)));
        case_output(t, gan_mean_axes(g, gan_tanh(g, s), 1));
        case_output(t, gan_sum_axes(g, gan_mul(g, s, x), 2));
        case_output(t, gan_sum_axes(g, gan_exp(g, gan_mul(g, x, y)), 4));
        case_output(t, gan_max_axes(g, gan_mul(g, x, z), 4));
        case_output(t,
                    gan_sum_axes(g, gan_mul(g, y, z), 5)); /* neither operand has the whole shape */
        break;
    case CONSTANTS:
        x = case_uniform(t, gan_shape2(9, 5), -1, 1);
        y = gan_constant(g, 0.3, gan_shape2(9, 5));
        case_output(t, gan_add(g, gan_mul(g, gan_exp(g, y), x), gan_sub(g, y, x)));
        case_output(
            t, gan_add(g, gan_maximum(g, x, gan_constant(g, -2, gan_shape0())), gan_sin(g, x)));
        case_output(t,
                    gan_sum(g, gan_div(g, gan_constant(g, 1, gan_shape0()), gan_shift(g, x, 3))));
        case_output(t, gan_matmul(g, y, x, true, false));
        break;
    case ODD_SHAPES: /* broadcast in the middle axes, both operands in part */
        x = case_uniform(t, gan_shape4(3, 1, 5, 1), -1, 1);
        y = case_uniform(t, gan_shape4(1, 4, 1, 7), -1, 1);
        case_output(t, gan_sin(g, gan_add(g, gan_exp(g, x), gan_tanh(g, y))));
        case_output(t, gan_sum_axes(g, gan_mul(g, x, y), 5));
        case_output(t, gan_sum_axes(g, gan_cos(g, gan_mul(g, x, y)), 10));
        break;
    case SOFTMAX:
        x = case_distinct(t, gan_shape2(19, 37));
        y = gan_exp(g, gan_sub(g, x, gan_max_axes(g, x, 2)));
        case_output(t, gan_div(g, y, gan_sum_axes(g, y, 2)));
        break;
    case NORMS: /* a gradient penalty's shape */
        x = case_uniform(t, gan_shape4(5, 4, 4, 3), -1, 1);
        y = gan_sqrt(g, gan_shift(g, gan_sum_axes(g, gan_square(g, x), 14), 1e-3));
        case_output(t, gan_mean(g, gan_square(g, gan_shift(g, y, -1))));
        break;
    case LARGE:
        x = case_uniform(t, gan_shape2(257, 1031), -1, 1);
        y = case_uniform(t, gan_shape1(1031), -1, 1);
        z = gan_sigmoid(g, gan_add(g, x, y));
        case_output(t, gan_sum_axes(g, z, 1));
        case_output(t, gan_mean(g, gan_mul(g, z, x)));
        case_output(t, gan_mul(g, z, gan_shift(g, gan_neg(g, z), 1)));
        t->looser = 20;
        break;
    case MIXED_RANK:
        x = case_uniform(t, gan_shape4(2, 3, 4, 5), -1, 1);
        y = gan_tanh(g, gan_add(g, x, case_uniform(t, gan_shape2(4, 1), -1, 1)));
        case_output(t,
                    gan_reshape(g, gan_sin(g, gan_mul(g, y, case_uniform(t, gan_shape1(5), -1, 1))),
                                gan_shape2(6, 20)));
        break;
    case OUTER_THEN_BROADCAST:
        x = gan_matmul(g, case_uniform(t, gan_shape2(5, 1), -1, 1),
                       case_uniform(t, gan_shape2(1, 7), -1, 1), false, false);
        y = gan_reshape(g, x, gan_shape4(5, 1, 1, 7));
        z = case_uniform(t, gan_shape4(5, 3, 2, 7), -1, 1);
        case_output(t, gan_add(g, gan_mul(g, gan_broadcast(g, y, z->shape), gan_sin(g, z)), z));
        break;
    case LONG_COLUMNS: /* as gradients of biases, which one launch takes */
        case_output(t, gan_sum_axes(g, case_uniform(t, gan_shape2(1100, 264), -1, 1), 1));
        case_output(t, gan_sum_axes(g, case_uniform(t, gan_shape4(5, 31, 20, 16), -1, 1), 7));
        t->looser = 10;
        break;
    default:
        x = case_uniform(t, gan_shape2(45, 67), -1, 1);
        y = gan_sub(g, x, gan_mean_axes(g, x, 1));
        z = gan_rsqrt(g, gan_shift(g, gan_mean_axes(g, gan_square(g, y), 1), 0.1));
        case_output(t, gan_mul(g, gan_mul(g, y, z), gan_broadcast(g, gan_sum(g, y), x->shape)));
        case_output(t, gan_mul(g, y, z));
        break;
    }
}

const case_family cases_chain = {"chain", chain_count, chain_build};

/* ---- at random ---- */

enum { RANDOM_GRAPHS = 80, POOL = 24 };

static int fusion_count(void) { return RANDOM_GRAPHS; }

/* A new operand that broadcasts into `shape` in one of the ways there are. */
static gan_node *operand(test_case *t, gan_shape shape) {
    gan_shape s = shape;
    switch (case_random_int(t, 0, 5)) {
    case 0:
        break; /* full */
    case 1:
        s = gan_shape1(shape.dim[shape.rank - 1]);
        break; /* a channel */
    case 2:
        s.dim[shape.rank - 1] = 1;
        break; /* a row */
    case 3:
        s = gan_shape0();
        break; /* a scalar */
    case 4:
        s.dim[0] = 1;
        break; /* all but the batch */
    default:
        return gan_constant(t->g, case_random(t) + 0.1, shape); /* no storage */
    }
    return case_uniform(t, s, -1, 1);
}

static gan_node *step(test_case *t, gan_node *a, gan_node *b, bool kinked) {
    gan_graph *g = t->g;
    switch (case_random_int(t, 0, kinked ? 17 : 11)) {
    case 0:
        return gan_add(g, a, b);
    case 1:
        return gan_sub(g, b, a);
    case 2:
        return gan_mul(g, gan_tanh(g, a), b);
    case 3:
        return gan_sin(g, a);
    case 4:
        return gan_scale(g, a, case_random(t) - 0.5);
    case 5:
        return gan_shift(g, a, case_random(t));
    case 6:
        return gan_sigmoid(g, a);
    case 7:
        return gan_softplus(g, gan_neg(g, a));
    case 8:
        return gan_div(g, a, gan_shift(g, gan_square(g, b), 1));
    case 9:
        return gan_rsqrt(g, gan_shift(g, gan_square(g, a), 0.5));
    case 10:
        return gan_tanh(g, gan_mul(g, a, b));
    case 11:
        return gan_exp(g, gan_neg(g, gan_square(g, gan_tanh(g, a))));
    case 12:
        return gan_leaky_relu(g, a, 0.2);
    case 13:
        return gan_relu(g, a);
    case 14:
        return gan_maximum(g, a, b);
    case 15:
        return gan_minimum(g, b, a);
    case 16:
        return gan_abs(g, a);
    default:
        return gan_mul(g, gan_sign(g, a), b);
    }
}

static void fusion_build(test_case *t, int i) {
    const bool kinked = i % 2;
    gan_graph *g = t->g;
    static const gan_shape shapes[] = {
        {2, {7, 5}}, {3, {3, 4, 9}}, {2, {1, 16}}, {4, {2, 3, 3, 8}}, {2, {65, 33}}};
    const gan_shape shape = shapes[i / 2 % COUNT(shapes)];
    gan_node *pool[POOL];
    int n = 0;
    char text[64];
    case_title(t, "%s %s", kinked ? "kinked" : "smooth", case_shape_text(shape, text));
    if (kinked) case_not_smooth(t);
    pool[n++] = case_uniform(t, shape, -1, 1);
    if (shape.rank == 2 && i % 3 == 0)
        pool[n++] = gan_matmul(g, case_uniform(t, gan_shape2(shape.dim[0], 6), -1, 1),
                               case_uniform(t, gan_shape2(shape.dim[1], 6), -1, 1), false, true);
    for (int k = 0; k < 4; k++) pool[n++] = operand(t, shape);
    while (n < POOL) {
        gan_node *a = pool[case_random_int(t, n > 8 ? n - 8 : 0, n - 1)],
                 *b = pool[case_random_int(t, 0, n - 1)];
        gan_node *made = step(t, a, b, kinked);
        if (made && case_random_int(t, 0, 5) == 0)
            made =
                gan_add(g, made,
                        gan_sum_axes(g, made,
                                     (uint32_t)case_random_int(t, 0, (1 << made->shape.rank) - 1)));
        if (!made) return;
        pool[n++] = gan_tanh(g, made); /* keeps values where f32 can be compared */
    }
    for (int k = 0; k < 3; k++) case_output(t, pool[n - 1 - k * case_random_int(t, 1, 3)]);
    case_output(t, gan_sum_axes(g, pool[n - 2], (1u << pool[n - 2]->shape.rank) - 1));
    t->looser = 40;
}

const case_family cases_fusion = {"fusion", fusion_count, fusion_build};
