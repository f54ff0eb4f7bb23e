/* Concatenation: along every axis, of one to five pieces, of values that are also used elsewhere,
 * of inputs and variables (which cannot be written into place), nested, and the same piece twice.
 */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    gan_shape shape;
    int axis, n;
} plain[] = {{{1, {7}}, 0, 2},          {{2, {3, 5}}, 0, 5},       {{2, {3, 5}}, 1, 3},
             {{4, {2, 3, 4, 5}}, 3, 2}, {{4, {2, 3, 4, 5}}, 1, 3}, {{2, {5, 1}}, 1, 4},
             {{2, {16, 64}}, 0, 3},     {{2, {37, 1027}}, 1, 2},   {{2, {3, 5}}, 0, 1}};

static int concat_count(void) { return COUNT(plain) + 7; }

static void plain_build(test_case *t, int i) {
    gan_node *x[8];
    case_title(t, "%d pieces on axis %d of rank %d", plain[i].n, plain[i].axis,
               plain[i].shape.rank);
    for (int k = 0; k < plain[i].n; k++) {
        gan_shape s = plain[i].shape;
        s.dim[plain[i].axis] += k;
        x[k] = case_linear(t, case_uniform(t, s, -1, 1));
    }
    case_output(t, gan_concat(t->g, plain[i].axis, plain[i].n, x));
}

static gan_node *made(test_case *t, gan_shape shape) {
    return gan_tanh(t->g, case_uniform(t, shape, -1, 1));
}

static void concat_build(test_case *t, int i) {
    if (i < COUNT(plain)) {
        plain_build(t, i);
        return;
    }
    gan_graph *g = t->g;
    gan_node *a = made(t, gan_shape2(16, 8)), *b = made(t, gan_shape2(5, 8)),
             *c = made(t, gan_shape2(32, 8));
    switch (i - COUNT(plain)) {
    case 0:
        case_title(t, "of computed pieces");
        case_output(t, gan_concat(g, 0, 3, (gan_node *[]){a, b, c}));
        break;
    case 1:
        case_title(t, "of pieces that are outputs too");
        case_output(t, a);
        case_output(t, gan_concat(g, 0, 3, (gan_node *[]){c, a, b}));
        case_output(t, gan_sin(g, b));
        break;
    case 2:
        case_title(t, "of one piece twice");
        case_output(t, gan_concat(g, 0, 3, (gan_node *[]){a, b, a}));
        break;
    case 3:
        case_title(t, "of one piece in two");
        case_output(t, gan_concat(g, 0, 2, (gan_node *[]){a, b}));
        case_output(t, gan_concat(g, 0, 2, (gan_node *[]){c, a}));
        break;
    case 4:
        case_title(t, "nested");
        case_output(
            t,
            gan_exp(g, gan_concat(g, 0, 2,
                                  (gan_node *[]){gan_concat(g, 0, 2, (gan_node *[]){a, c}), b})));
        break;
    case 5:
        case_title(t, "of an input, a variable and a view");
        case_output(
            t, gan_concat(g, 0, 3,
                          (gan_node *[]){
                              case_uniform(t, gan_shape2(16, 8), -1, 1),
                              case_variable_uniform(t, GAN_WEIGHT, "w/x", gan_shape2(16, 8), -1, 1),
                              gan_reshape(g, made(t, gan_shape1(128)), gan_shape2(16, 8))}));
        break;
    default:
        case_title(t, "on the last axis, of computed pieces, then a product");
        b = made(t, gan_shape2(16, 24));
        c = gan_concat(g, 1, 2, (gan_node *[]){a, b});
        case_output(t, gan_matmul(g, c, case_uniform(t, gan_shape2(3, 32), -1, 1), false, true));
        break;
    }
}

const case_family cases_concat = {"concat", concat_count, concat_build};

/* ---- views: slices and reshapes of what is computed, of inputs and of variables ---- */

static int view_count(void) { return 7; }

static void view_build(test_case *t, int i) {
    gan_graph *g = t->g;
    gan_node *x, *y;
    switch (i) {
    case 0:
        case_title(t, "slices of a computed value, aligned and not");
        x = made(t, gan_shape2(64, 16));
        case_output(t, gan_sin(g, gan_slice(g, x, 0, 16, 16)));
        case_output(t, gan_cos(g, gan_slice(g, x, 0, 1, 7)));
        case_output(t, gan_slice(g, x, 0, 32, 32));
        case_output(t, gan_slice(g, x, 0, 63, 1));
        break;
    case 1:
        case_title(t, "slices of an input");
        x = case_uniform(t, gan_shape2(64, 16), -1, 1);
        case_output(t, gan_slice(g, x, 0, 16, 16));
        case_output(t, gan_sum_axes(g, gan_slice(g, x, 0, 3, 9), 1));
        break;
    case 2:
        case_title(t, "slices of a variable");
        x = case_variable_uniform(t, GAN_STATISTIC, "s/x", gan_shape2(64, 16), -1, 1);
        case_output(t, gan_slice(g, x, 0, 48, 16));
        case_output(
            t, gan_matmul(g, gan_slice(g, x, 0, 16, 16), gan_slice(g, x, 0, 1, 3), false, true));
        break;
    case 3:
        case_title(t, "a slice outlives its whole");
        t->looser = 20;
        x = made(t, gan_shape2(64, 64));
        y = gan_slice(g, x, 0, 32, 16);
        for (int k = 0; k < 6; k++)
            y = gan_tanh(g, gan_matmul(g, y, gan_scale(g, made(t, gan_shape2(64, 64)), 0.2), false,
                                       k % 2)); /* 0.2: six layers that do not blow errors up */
        case_output(t, y);
        case_output(t, gan_add(g, y, gan_slice(g, x, 0, 32, 16)));
        break;
    case 4:
        case_title(t, "reshape chains, stopped gradients");
        x = gan_reshape(g, made(t, gan_shape2(12, 10)), gan_shape3(3, 4, 10));
        y = gan_stop_gradient(g, gan_reshape(g, x, gan_shape2(3, 40)));
        case_output(
            t, gan_mul(g, gan_reshape(g, y, gan_shape1(120)), gan_reshape(g, x, gan_shape1(120))));
        case_output(t, y);
        case_not_smooth(t);
        break;
    case 5:
        case_title(t, "outputs that are inputs, variables, constants and views of one another");
        x = case_uniform(t, gan_shape2(4, 32), -1, 1);
        case_output(t, x);
        case_output(t, gan_reshape(g, x, gan_shape1(128)));
        case_output(t, case_variable_uniform(t, GAN_WEIGHT, "w/y", gan_shape1(33), -1, 1));
        case_output(t, gan_constant(g, 0.75, gan_shape2(3, 5)));
        case_output(t, gan_exp(g, x));
        break;
    default:
        case_title(t, "an output twice");
        x = made(t, gan_shape1(100));
        case_output(t, x);
        case_output(t, x);
        break;
    }
}

const case_family cases_view = {"view", view_count, view_build};
