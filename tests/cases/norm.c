/* Batch normalisation and its parts, with one group and several; losses from logits. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    gan_shape x;
    int64_t groups;
} sizes[] = {{{2, {7, 5}}, 1},        {{2, {8, 3}}, 2},      {{4, {2, 3, 5, 4}}, 1},
             {{4, {6, 4, 3, 3}}, 3},  {{2, {1031, 2}}, 1},   {{2, {5, 1}}, 1},
             {{4, {8, 8, 8, 67}}, 2}, {{3, {2, 3, 7}}, 6},   {{4, {16, 14, 14, 5}}, 1},
             {{1, {6}}, 1},           {{2, {64, 1030}}, 2},  {{4, {4, 16, 16, 1}}, 4},
             {{2, {5003, 9}}, 1},     {{2, {160, 1030}}, 2}, {{2, {520, 68}}, 2},
             {{2, {2082, 68}}, 2}};
enum { KINDS = 10 };

/* A map that is made larger, and how many times. */
static const struct {
    gan_shape low;
    int factor;
    int64_t groups;
} enlarged[] = {{{4, {2, 3, 5, 8}}, 2, 1},
                {{4, {4, 3, 3, 4}}, 3, 2},
                {{4, {2, 2, 9, 7}}, 2, 1},
                {{4, {2, 9, 29, 68}}, 2, 1},
                {{4, {4, 5, 11, 36}}, 3, 2}};

static int norm_count(void) { return KINDS * COUNT(sizes) + 1 + 2 * COUNT(enlarged); }

/* Mean in [-1, 1] and variance in [0.5, 2] made from one input, so that both stay where they may
 * be. */
static gan_node *moments_input(test_case *t, gan_shape x, int64_t groups) {
    const int64_t channels = x.dim[x.rank - 1];
    gan_node *mean = case_uniform(t, gan_shape3(groups, 1, channels), -1, 1);
    gan_node *variance = case_uniform(t, gan_shape3(groups, 1, channels), 0.5, 2);
    return gan_concat(t->g, 1, 2, (gan_node *[]){mean, variance});
}

/* One of batch norm's gradients. */
static void backward(test_case *t, gan_op_id op, gan_node *x, gan_node *moments, double slope) {
    const gan_shape vector = gan_shape1(x->shape.dim[x->shape.rank - 1]);
    gan_node *in[6] = {x, moments, case_linear(t, case_uniform(t, x->shape, -1, 1))};
    const bool sums = op == GAN_OP_batch_norm_sums;
    in[3] = case_uniform(t, vector, 0.5, 2);
    in[4] = case_uniform(t, vector, -1, 1);
    if (!sums) in[5] = case_uniform(t, moments->shape, -1, 1);
    if (slope != 1) case_not_smooth(t);
    case_output(t, gan_node_create(t->g, op, sums ? 5 : 6, in,
                                   &(gan_attr){.norm = {1e-3, slope, false}}, NULL));
    t->looser = 20;
}

/* Of a residual block that makes maps larger; every other one is needed as it is, too. */
static void sum_build(test_case *t, int i) {
    const gan_shape low = enlarged[i / 2].low;
    const int64_t f = enlarged[i / 2].factor, groups = enlarged[i / 2].groups;
    const gan_shape shape = gan_shape4(low.dim[0], f * low.dim[1], f * low.dim[2], low.dim[3]);
    char text[64];
    case_title(t, "normalised sum %s groups %lld", case_shape_text(shape, text), (long long)groups);
    gan_node *x = case_uniform(t, shape, -2, 2), *y = case_uniform(t, low, -1, 1), *moments;
    gan_node *sum = gan_add(t->g, x, gan_upsample(t->g, y, (int)f));
    gan_node *gamma = case_uniform(t, gan_shape1(low.dim[3]), 0.5, 2);
    gan_node *z = gan_batch_norm_training(t->g, sum, groups, gamma, NULL, 0.05, &moments);
    case_output(t, moments);
    case_output(t, gan_relu(t->g, z));
    if (i % 2) case_output(t, sum);
    case_not_smooth(t);
    t->looser = 4;
}

static void norm_build(test_case *t, int i) {
    static const char *const names[] = {"moments",
                                        "batch_norm",
                                        "batch_norm without gamma",
                                        "sums",
                                        "normalised",
                                        "moments of values far from zero",
                                        "sums under an activation",
                                        "grad",
                                        "grad under an activation",
                                        "training"};
    gan_graph *g = t->g;
    if (i > KINDS * COUNT(sizes)) {
        sum_build(t, i - KINDS * COUNT(sizes) - 1);
        return;
    }
    if (i == KINDS * COUNT(sizes)) {
        case_title(t, "batch_norm of nearly equal values");
        case_not_smooth(t);
        gan_node *x = case_uniform(t, gan_shape2(32, 3), -1e-4, 1e-4);
        case_output(t, gan_batch_norm(g, x, gan_moments(g, x, 1), NULL, NULL, 1e-5));
        return;
    }
    const gan_shape x_shape = sizes[i / KINDS].x;
    const int64_t groups = sizes[i / KINDS].groups, channels = x_shape.dim[x_shape.rank - 1];
    const gan_shape vector = gan_shape1(channels);
    char text[64];
    case_title(t, "%s %s groups %lld", names[i % KINDS], case_shape_text(x_shape, text),
               (long long)groups);
    t->looser = 4;
    gan_node *x, *y, *moments, *gamma, *beta;
    switch (i % KINDS) {
    case 0:
        case_output(t, gan_moments(g, case_uniform(t, x_shape, -1, 1.5), groups));
        break;
    case 1:
        x = case_uniform(t, x_shape, -2, 2);
        moments = moments_input(t, x_shape, groups);
        gamma = case_linear(t, case_uniform(t, vector, 0.5, 2));
        beta = case_uniform(t, vector, -1, 1);
        case_output(t, gan_batch_norm(g, x, moments, gamma, beta, 1e-3));
        /* linear in gamma only without beta */
        t->input[t->n_inputs - 2].linear = false;
        break;
    case 2:
        x = case_uniform(t, x_shape, -2, 2);
        case_output(t, gan_batch_norm(g, x, moments_input(t, x_shape, groups), NULL, NULL, 1e-5));
        break;
    case 3:
        x = case_uniform(t, x_shape, -2, 2);
        moments = moments_input(t, x_shape, groups);
        backward(t, GAN_OP_batch_norm_sums, x, moments, 1);
        break;
    case 4: /* as a layer: the moments are those of x; groups of one row would have variance 0 */
        x = case_uniform(t, x_shape, -2, 2);
        moments = gan_moments(g, x, groups);
        gamma = case_uniform(t, vector, 0.5, 2);
        beta = case_uniform(t, vector, -1, 1);
        case_output(t, moments);
        case_output(t, gan_leaky_relu(g, gan_batch_norm(g, x, moments, gamma, beta, 0.05), 0.2));
        case_not_smooth(t);
        break;
    case 6:
        x = case_uniform(t, x_shape, -2, 2);
        backward(t, GAN_OP_batch_norm_sums, x, moments_input(t, x_shape, groups), 0.2);
        break;
    case 7:
        x = case_uniform(t, x_shape, -2, 2);
        backward(t, GAN_OP_batch_norm_grad, x, moments_input(t, x_shape, groups), 1);
        break;
    case 8:
        x = case_uniform(t, x_shape, -2, 2);
        backward(t, GAN_OP_batch_norm_grad, x, moments_input(t, x_shape, groups), i % 4 ? 0 : 0.2);
        break;
    case 9: /* with activations, whose derivative its gradients take in */
        x = case_uniform(t, x_shape, -2, 2);
        gamma = case_uniform(t, vector, 0.5, 2);
        beta = case_uniform(t, vector, -1, 1);
        y = gan_batch_norm_training(g, x, groups, gamma, beta, 0.05, &moments);
        case_output(t, moments);
        case_output(t, i % 4 == 1 ? gan_relu(g, y) : gan_leaky_relu(g, y, 0.3));
        case_output(t, gan_tanh(g, gan_batch_norm_training(g, x, groups, NULL, NULL, 0.05, NULL)));
        case_not_smooth(t);
        break;
    default: /* cancellation would show in the variance */
        case_output(t, gan_moments(g, case_uniform(t, x_shape, 99, 101), groups));
        t->looser = 20;
        break;
    }
}

const case_family cases_norm = {"norm", norm_count, norm_build};

/* ---- losses ---- */

static const gan_shape logits[] = {{1, {1}},    {1, {7}},        {2, {64, 1}}, {2, {5, 3}},
                                   {1, {5003}}, {2, {17, 1024}}, {1, {16389}}};
static const double targets[] = {0, 1, 0.9};
static const gan_shape rows[] = {{2, {1, 1}},    {2, {1, 10}},   {2, {7, 3}},
                                 {2, {129, 11}}, {2, {5, 1033}}, {2, {1601, 13}}};

static int loss_count(void) { return 2 * COUNT(logits) * COUNT(targets) + 2 * COUNT(rows) + 2; }

static void loss_build(test_case *t, int i) {
    char text[64];
    gan_graph *g = t->g;
    if (i < 2 * COUNT(logits) * COUNT(targets)) {
        const gan_shape shape = logits[i / 2 / COUNT(targets)];
        const double target = targets[i / 2 % COUNT(targets)];
        case_title(t, "logits_loss%s %s target %g", i % 2 ? "_grad" : "",
                   case_shape_text(shape, text), target);
        gan_node *s = case_uniform(t, shape, -6, 6);
        const gan_attr attr = {.logits_loss = {target}};
        case_output(t, i % 2 ? gan_node_create(g, GAN_OP_logits_loss_grad, 1, &s, &attr, NULL)
                             : gan_logits_loss(g, s, target));
        return;
    }
    i -= 2 * COUNT(logits) * COUNT(targets);
    if (i < 2 * COUNT(rows)) {
        const gan_shape shape = rows[i / 2];
        case_title(t, "softmax_loss%s %s", i % 2 ? "_grad" : "", case_shape_text(shape, text));
        gan_node *s = case_uniform(t, shape, -4, 4),
                 *l = case_indices(t, gan_shape1(shape.dim[0]), 0, shape.dim[1] - 1);
        case_output(t, i % 2 ? gan_node_create(g, GAN_OP_softmax_loss_grad, 2, (gan_node *[]){s, l},
                                               NULL, NULL)
                             : gan_softmax_loss(g, s, l));
        return;
    }
    case_not_smooth(t);
    if (i == 2 * COUNT(rows)) {
        case_title(t, "logits_loss at far ends");
        gan_node *s = case_uniform(t, gan_shape1(300), -200, 200);
        case_output(t, gan_logits_loss(g, s, 0.9));
        case_output(t, gan_node_create(g, GAN_OP_logits_loss_grad, 1, &s,
                                       &(gan_attr){.logits_loss = {0.9}}, NULL));
    } else {
        case_title(t, "softmax_loss at far ends");
        gan_node *s = case_uniform(t, gan_shape2(50, 7), -300, 300),
                 *l = case_indices(t, gan_shape1(50), 0, 6);
        case_output(t, gan_softmax_loss(g, s, l));
        case_output(
            t, gan_node_create(g, GAN_OP_softmax_loss_grad, 2, (gan_node *[]){s, l}, NULL, NULL));
    }
}

const case_family cases_loss = {"loss", loss_count, loss_build};
