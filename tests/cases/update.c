/* Effects one by one: assign, advance, moving average, record, power iteration. */
#include <stdio.h>

#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const gan_shape weights[] = {{1, {1}},        {2, {1, 9}},       {2, {7, 1}},
                                    {2, {13, 17}},   {4, {8, 3, 3, 5}}, {2, {129, 1025}},
                                    {2, {1027, 33}}, {2, {70, 132}}};
static const gan_shape values[] = {{0, {0}}, {1, {7}}, {2, {67, 100}}, {1, {5003}}};

enum { RECORDS = 3 };

static int update_count(void) { return COUNT(weights) + 2 * COUNT(values) + RECORDS + 4; }

static void power_iteration(test_case *t, gan_shape shape) {
    char text[64];
    case_title(t, "power_iteration %s", case_shape_text(shape, text));
    gan_node *u =
        case_variable_uniform(t, GAN_STATISTIC, "s/u", gan_shape1(shape.dim[0]), 0.5, 1.5);
    gan_node *v = case_variable_uniform(t, GAN_STATISTIC, "s/v",
                                        gan_shape1(gan_shape_size(shape) / shape.dim[0]), 0, 1);
    gan_power_iteration(t->g, u, v, case_uniform(t, shape, -0.5, 1), 1e-12);
    t->looser = gan_shape_size(shape) > 10000 ? 10 : 1;
}

static void record(test_case *t, int i) {
    static const int64_t every[RECORDS] = {1, 2, 3}, rows[RECORDS] = {2, 4, 1};
    case_title(t, "record every %d", (int)every[i]);
    gan_graph *g = t->g;
    gan_node *x = case_uniform(t, gan_shape1(9), -1, 1),
             *counter = case_counter(t, "c/count", i == 2 ? 6 : 2);
    gan_node *ring = case_variable_uniform(t, GAN_RECORD, "r/ring", gan_shape2(rows[i], 3), -1, 1);
    gan_node *list[] = {gan_sum(g, x), gan_scale(g, gan_cast(g, counter, GAN_F32), 2),
                        gan_mean(g, gan_square(g, x))};
    gan_record(g, ring, counter, every[i], 3, list);
    gan_advance(g, counter, 1);
}

static void update_build(test_case *t, int i) {
    gan_graph *g = t->g;
    char text[64];
    if (i < COUNT(weights)) {
        power_iteration(t, weights[i]);
        return;
    }
    i -= COUNT(weights);
    if (i < 2 * COUNT(values)) {
        const gan_shape shape = values[i / 2];
        case_title(t, "%s %s", i % 2 ? "moving_average" : "assign", case_shape_text(shape, text));
        gan_node *a = case_variable_uniform(t, GAN_AVERAGE, "a/x", shape, -1, 1),
                 *x = case_uniform(t, shape, -1, 1);
        if (i % 2)
            gan_moving_average(g, a, x, case_uniform(t, gan_shape0(), 0.2, 0.95));
        else
            gan_assign(g, a, gan_add(g, gan_scale(g, a, 0.5), x)); /* reads what it writes */
        return;
    }
    i -= 2 * COUNT(values);
    if (i < RECORDS) {
        record(t, i);
        return;
    }
    gan_node *counter = case_counter(t, "c/a", 5), *x;
    switch (i - RECORDS) {
    case 0:
        case_title(t, "two counters");
        gan_advance(g, counter, 3);
        gan_advance(g, case_counter(t, "c/b", -2), -1);
        case_output(t, gan_cast(g, counter, GAN_F32));
        break;
    case 1:
        case_title(t, "average of a product of variables");
        x = case_variable_uniform(t, GAN_WEIGHT, "w/x", gan_shape2(31, 17), -1, 1);
        gan_moving_average(
            g, case_variable_uniform(t, GAN_STATISTIC, "s/x", gan_shape2(31, 31), -1, 1),
            gan_matmul(g, x, x, false, true), gan_constant(g, 0.9, gan_shape0()));
        break;
    case 2: {
        enum { MANY = 41 }; /* more than one launch takes */
        gan_node *list[MANY];
        case_title(t, "record many");
        for (int k = 0; k < MANY; k++)
            list[k] = gan_scale(g, gan_cast(g, counter, GAN_F32), (double)k);
        x = case_variable_uniform(t, GAN_RECORD, "r/ring", gan_shape2(2, MANY), -1, 1);
        gan_record(g, x, counter, 1, MANY, list);
        gan_advance(g, counter, 1);
        break;
    }
    default:
        case_title(t, "assign a constant, a slice of a variable and an input");
        x = case_variable_uniform(t, GAN_STATISTIC, "s/whole", gan_shape2(48, 16), -1, 1);
        gan_assign(g, case_variable_uniform(t, GAN_STATISTIC, "s/a", gan_shape1(33), -1, 1),
                   gan_constant(g, -2, gan_shape1(33)));
        gan_assign(g, case_variable_uniform(t, GAN_STATISTIC, "s/b", gan_shape2(16, 16), -1, 1),
                   gan_slice(g, x, 0, 16, 16));
        gan_assign(g, case_variable_uniform(t, GAN_STATISTIC, "s/c", gan_shape1(5), -1, 1),
                   case_uniform(t, gan_shape1(5), 0, 1));
        break;
    }
}

const case_family cases_update = {"update", update_count, update_build};

/* ---- optimisers: gradients of every origin are packed ---- */

enum { ORIGINS = 6, WEIGHTS = 35 }; /* WEIGHTS: more than one launch packs */

static int optimizer_count(void) { return 2 * ORIGINS + 1; }

/* A loss of the group's three weights; what is asked of `grad` differs by origin. */
static gan_node *loss_of(test_case *t, gan_node *const *w) {
    gan_graph *g = t->g;
    gan_node *x = case_uniform(t, gan_shape2(6, 5), -1, 1);
    gan_node *h = gan_tanh(g, gan_add(g, gan_matmul(g, x, w[0], false, true), w[1]));
    return gan_mean(g, gan_square(g, gan_mul(g, h, w[2])));
}

/* Gradients that are not computed in place: the inputs. */
static void many_weights(test_case *t) {
    gan_node *w[WEIGHTS], *grad[WEIGHTS];
    case_title(t, "momentum of many weights");
    for (int k = 0; k < WEIGHTS; k++) {
        char name[16];
        snprintf(name, sizeof name, "w/%d", k);
        w[k] = case_variable_uniform(t, GAN_WEIGHT, name, gan_shape1(1 + 7 * k), -1, 1);
        grad[k] = case_uniform(t, w[k]->shape, -1, 1);
    }
    gan_momentum(t->g, "w", WEIGHTS, w, grad, case_uniform(t, gan_shape0(), 0.01, 0.02),
                 gan_constant(t->g, 0.8, gan_shape0()));
    case_not_smooth(t);
}

static void optimizer_build(test_case *t, int i) {
    if (i == 2 * ORIGINS) {
        many_weights(t);
        return;
    }
    static const char *const origins[ORIGINS] = {
        "of a network", "one twice", "inputs, constants and variables",
        "outputs too",  "long",      "weights that it changes"};
    gan_graph *g = t->g;
    const int origin = i / 2;
    const int64_t width = origin == 4 ? 5003 : origin == 1 ? 3 : 67;
    case_title(t, "%s %s", i % 2 ? "momentum" : "adam", origins[origin]);
    const gan_shape first = origin == 1 ? gan_shape1(3) : gan_shape2(width, 5);
    gan_node *w[3] = {case_variable_uniform(t, GAN_WEIGHT, "w/a", first, -1, 1),
                      case_variable_uniform(t, GAN_WEIGHT, "w/b", gan_shape1(width), -1, 1),
                      case_variable_uniform(t, GAN_WEIGHT, "w/c", gan_shape1(width), 0.5, 1)};
    gan_node *shuffled[3] = {w[2], w[0], w[1]}, *grad[3] = {NULL, NULL, NULL};
    if (origin == 1) {
        gan_node *d = gan_sin(g, case_uniform(t, gan_shape1(3), 0.4, 1));
        grad[0] = grad[1] = grad[2] = d;
        case_output(t, d);
    } else if (origin == 2) {
        grad[0] = gan_constant(g, 0.25, w[2]->shape);
        grad[1] = case_uniform(t, w[0]->shape, 0.2, 1);
        grad[2] = gan_scale(g, w[1], 0.5);
    } else if (origin == 5) {
        grad[0] = w[1];
        grad[1] = case_uniform(t, w[0]->shape, 0.2, 1);
        grad[2] = w[2];
    } else {
        gan_gradient(g, loss_of(t, w), 3, shuffled, grad);
        if (origin == 3) {
            for (int k = 0; k < 3; k++) case_output(t, grad[k]);
            case_output(t, gan_sum(g, gan_square(g, grad[1])));
        }
    }
    gan_node *counter = case_counter(t, "c/count", 2),
             *rate = case_uniform(t, gan_shape0(), 0.01, 0.02);
    const gan_adam_options options = {0.5, 0.99, 1e-3, rate, counter, 2, 1};
    if (i % 2)
        gan_momentum(g, "w", 3, shuffled, grad, rate, gan_constant(g, 0.8, gan_shape0()));
    else
        gan_adam(g, "w", 3, shuffled, grad, &options);
    gan_advance(g, counter, 1);
    case_not_smooth(t); /* of the update itself there is no gradient */
}

const case_family cases_optimizer = {"optimizer", optimizer_count, optimizer_build};
