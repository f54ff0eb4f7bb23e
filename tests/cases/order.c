/* The order of effects: what is read before an update must be the old value, what is read after it
 * the new one, through views, flat vectors and fused chains alike. */
#include "cases/case.h"

enum { CASES = 12 };

static int order_count(void) { return CASES; }

static gan_node *weight(test_case *t, const char *name, gan_shape shape) {
    return case_variable_uniform(t, GAN_WEIGHT, name, shape, -1, 1);
}

/* Before and after an update of x by `step`; every reader an output. */
static void around(test_case *t, gan_node *x, gan_node *step,
                   gan_node *(*read)(gan_graph *, gan_node *)) {
    case_output(t, read(t->g, x));
    gan_assign(t->g, x, step);
    case_output(t, read(t->g, x));
}

static gan_node *by_sine(gan_graph *g, gan_node *x) { return gan_sin(g, x); }
static gan_node *by_product(gan_graph *g, gan_node *x) { return gan_matmul(g, x, x, true, false); }
static gan_node *by_sum(gan_graph *g, gan_node *x) { return gan_sum(g, gan_square(g, x)); }
static gan_node *by_view(gan_graph *g, gan_node *x) {
    return gan_exp(g, gan_slice(g, gan_reshape(g, x, gan_shape2(16, 16)), 0, 4, 4));
}

static void order_build(test_case *t, int i) {
    gan_graph *g = t->g;
    static gan_node *(*const readers[])(gan_graph *, gan_node *) = {by_sine, by_product, by_sum,
                                                                    by_view};
    case_not_smooth(t);
    gan_node *x = weight(t, "w/x", gan_shape2(32, 8)), *y, *z,
             *counter = case_counter(t, "c/count", 0);
    gan_node *in = case_uniform(t, gan_shape2(32, 8), -1, 1);
    switch (i) {
    case 0:
    case 1:
    case 2:
    case 3:
        case_title(t, "before and after, reader %d", i);
        around(t, x, gan_add(g, gan_scale(g, x, 0.5), in), readers[i]);
        break;
    case 4: /* the value is computed before the update but used only after it */
        case_title(t, "computed before, used after");
        y = gan_sin(g, x);
        gan_assign(g, x, in);
        case_output(t, gan_add(g, y, gan_cos(g, x)));
        break;
    case 5: /* a view made before the update shows the old value */
        case_title(t, "a view from before");
        y = gan_reshape(g, x, gan_shape1(256));
        z = gan_stop_gradient(g, x);
        gan_assign(g, x, gan_sub(g, gan_scale(g, in, 2), gan_scale(g, x, 0.5)));
        case_output(t, gan_exp(g, y));
        case_output(t, gan_exp(g, z));
        case_output(t, y);
        case_output(t, gan_reshape(g, x, gan_shape1(256)));
        break;
    case 6: /* simultaneous: both updates from the values of before */
        case_title(t, "simultaneous updates");
        y = weight(t, "v/y", gan_shape2(32, 8));
        z = gan_sub(g, y, gan_scale(g, x, 0.1));
        in = gan_add(g, x, gan_scale(g, y, 0.1));
        gan_assign(g, x, in);
        gan_assign(g, y, z);
        break;
    case 7: /* alternating: the second sees the first */
        case_title(t, "alternating updates");
        y = weight(t, "v/y", gan_shape2(32, 8));
        gan_assign(g, x, gan_add(g, x, gan_scale(g, y, 0.1)));
        gan_assign(g, y, gan_sub(g, y, gan_scale(g, x, 0.1)));
        gan_assign(g, x, gan_mul(g, gan_tanh(g, x), y));
        break;
    case 8:
        case_title(t, "a swap");
        y = weight(t, "v/y", gan_shape2(32, 8));
        z = gan_scale(g, x, 1.5);
        gan_assign(g, x, y);
        gan_assign(g, y, z);
        case_output(t, gan_sub(g, x, y));
        break;
    case 9: { /* the flat vector and its members are the same bytes */
        case_title(t, "members before and after a flat update");
        gan_node *w[] = {x, weight(t, "w/b", gan_shape1(7))}, *grad[2];
        case_output(t, gan_sin(g, w[1]));
        gan_gradient(g, gan_sum(g, gan_mul(g, gan_sin(g, x), in)), 2, w, grad);
        gan_adam(g, "w", 2, w, grad,
                 &(gan_adam_options){0.9, 0.99, 1e-2, gan_constant(g, 0.05, gan_shape0()), counter,
                                     1, 0});
        case_output(t, gan_cos(g, w[1]));
        case_output(t, gan_scale(g, x, 3));
        gan_assign(g, w[1], gan_shift(g, gan_scale(g, w[1], 0.5), 1));
        gan_moving_average(g, gan_flat_variables(g, GAN_AVERAGE, "w"),
                           gan_flat_variables(g, GAN_WEIGHT, "w"),
                           gan_constant(g, 0.75, gan_shape0()));
        break;
    }
    case 10: /* noise before and after its counter moves */
        case_title(t, "counter before and after");
        case_output(t, gan_random_normal(g, counter, gan_shape1(9), 0, 1));
        case_output(t, gan_cast(g, counter, GAN_F32));
        y = gan_stop_gradient(g, counter);
        gan_advance(g, counter, 1);
        case_output(t, gan_cast(g, y, GAN_F32));
        case_output(t, gan_random_normal(g, counter, gan_shape1(9), 0, 1));
        gan_advance(g, counter, 1);
        case_output(t, gan_cast(g, counter, GAN_F32));
        break;
    default: /* a chain that would fuse across the update if nobody looked */
        case_title(t, "a fused chain around an update");
        y = gan_mul(g, gan_tanh(g, x), in);
        gan_assign(g, x, gan_tanh(g, gan_add(g, y, x)));
        z = gan_add(g, gan_mul(g, y, x), gan_sum_axes(g, gan_mul(g, y, in), 1));
        gan_assign(g, x, z);
        case_output(t, gan_mean_axes(g, gan_mul(g, gan_sub(g, z, y), x), 2));
        break;
    }
}

const case_family cases_order = {"order", order_count, order_build};
