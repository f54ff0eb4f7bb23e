#include "support/gradients.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool case_has_gradient(const test_case *t) {
    bool input = false, output = false;
    for (int i = 0; i < t->n_inputs; i++) input = input || t->input[i].wrt;
    for (int i = 0; i < t->n_outputs; i++) output = output || t->output[i]->dtype == GAN_F32;
    for (int i = 0; i < t->g->n_nodes; i++)
        if (gan_op_of(t->g->node[i])->flags & GAN_OP_EFFECT) return false;
    return input && output;
}

gan_node *case_loss(test_case *t) {
    gan_node *loss = NULL;
    for (int i = 0; i < t->n_outputs; i++) {
        if (t->output[i]->dtype != GAN_F32) continue;
        gan_node *weight = case_uniform(t, t->output[i]->shape, 0.5, 1.5);
        gan_node *part = gan_sum(t->g, gan_mul(t->g, weight, t->output[i]));
        loss = loss ? gan_add(t->g, loss, part) : part;
    }
    return loss;
}

int case_gradients(test_case *t, gan_node *loss, int *input, gan_node **grad) {
    gan_node *wrt[CASE_INPUTS];
    int n = 0;
    for (int i = 0; i < t->n_inputs; i++)
        if (t->input[i].wrt) {
            wrt[n] = t->input[i].node;
            input[n++] = i;
        }
    gan_gradient(t->g, loss, n, wrt, grad);
    return n;
}

void case_add_gradients(test_case *t) {
    int input[CASE_INPUTS];
    gan_node *grad[CASE_INPUTS], *loss = case_loss(t);
    for (int order = 0; order < 2 && loss; order++) {
        const int n = case_gradients(t, loss, input, grad);
        loss = NULL;
        for (int i = 0; i < n && t->n_outputs < CASE_OUTPUTS; i++) {
            case_output(t, gan_named(grad[i], "gradient %d by x%d", order + 1, input[i]));
            gan_node *part = gan_sum(t->g, gan_square(t->g, grad[i]));
            loss = loss ? gan_add(t->g, loss, part) : part;
        }
    }
}

void case_fill(const test_case *t, reference *r) {
    for (int i = 0; i < t->n_inputs; i++)
        memcpy(ref_input_values(r, t->input[i].node), t->input[i].value,
               (size_t)gan_shape_size(t->input[i].node->shape) * sizeof(double));
    for (int i = 0; i < t->n_variables; i++)
        memcpy(ref_variable_values(r, t->variable[i].variable), t->variable[i].value,
               (size_t)gan_shape_size(gan_variable_shape(t->variable[i].variable)) *
                   sizeof(double));
}

/* ---- differences ---- */

enum { DIRECTIONS = 2, ELEMENTS = 4, BIG = 4000 };

/* Uniform in [-1, 1] by a linear congruence; quality does not matter here. */
static double random_sign(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return ldexp((double)(*state >> 11), -52) - 1;
}

typedef struct probe {
    reference *r;
    const gan_node *f;
    int n;
    const difference_input *input;
    double **start, **direction;
    const char *title;
    double step;
} probe;

static double at(const probe *p, double h) {
    for (int i = 0; i < p->n; i++)
        for (int64_t e = 0; e < p->input[i].size; e++)
            p->input[i].value[e] = p->start[i][e] + h * p->direction[i][e];
    ref_run_to(p->r, p->f);
    return ref_value(p->r, p->f)[0];
}

/* The gradients, evaluated where the inputs started, against the difference along `direction`. */
static int disagrees(const probe *p, double *const *gradient, const char *where,
                     long long element) {
    double claimed = 0, scale = 0;
    for (int i = 0; i < p->n; i++)
        for (int64_t e = 0; e < p->input[i].size; e++) {
            claimed += gradient[i][e] * p->direction[i][e];
            scale += fabs(gradient[i][e] * p->direction[i][e]);
        }
    const double step = p->step;
    /* Four points: exact up to the fifth derivative, so that the step can be large against
     * rounding. */
    const double far = at(p, 2 * step) - at(p, -2 * step), above = at(p, step),
                 near = above - at(p, -step);
    const double found = (8 * near - far) / (12 * step);
    const double tolerance = 1e-7 + 1e-6 * scale + 2e-15 * fabs(above) / step;
    if (fabs(found - claimed) <= tolerance) return 0;
    fprintf(stderr, "%s: by %s[%lld]: gradient %.10g, difference %.10g\n", p->title, where, element,
            claimed, found);
    return 1;
}

static int in_random_directions(const probe *p, double *const *gradient, uint64_t *seed) {
    int bad = 0;
    for (int k = 0; k < DIRECTIONS; k++) {
        for (int i = 0; i < p->n; i++)
            for (int64_t e = 0; e < p->input[i].size; e++) p->direction[i][e] = random_sign(seed);
        bad += disagrees(p, gradient, "all", k);
    }
    for (int i = 0; i < p->n; i++)
        memset(p->direction[i], 0, (size_t)p->input[i].size * sizeof(double));
    return bad;
}

static int along_elements(const probe *p, double *const *gradient, uint64_t *seed) {
    int bad = 0;
    for (int i = 0; i < p->n; i++) {
        const int64_t size = p->input[i].size;
        for (int k = 0; k < ELEMENTS && k < size && size < BIG; k++) {
            const int64_t e = (int64_t)((random_sign(seed) + 1) / 2 * (double)size) % size;
            p->direction[i][e] = 1;
            bad += disagrees(p, gradient, p->input[i].name, (long long)e);
            p->direction[i][e] = 0;
        }
    }
    return bad;
}

int check_differences(reference *r, const gan_node *f, int n, const difference_input *input,
                      const char *title, double step, uint64_t seed) {
    probe p = {r,
               f,
               n,
               input,
               calloc((size_t)n + 1, sizeof(double *)),
               calloc((size_t)n + 1, sizeof(double *)),
               title,
               step};
    double **gradient = calloc((size_t)n + 1, sizeof *gradient);
    for (int i = 0; i < n; i++) {
        const size_t bytes = (size_t)input[i].size * sizeof(double);
        p.start[i] = malloc(bytes + 1);
        p.direction[i] = calloc(1, bytes + 1);
        gradient[i] = malloc(bytes + 1);
        memcpy(p.start[i], input[i].value, bytes);
        ref_run_to(r, input[i].gradient);
        memcpy(gradient[i], ref_value(r, input[i].gradient), bytes);
    }
    int bad = in_random_directions(&p, gradient, &seed) + along_elements(&p, gradient, &seed);
    at(&p, 0);
    for (int i = 0; i < n; i++) {
        free(p.start[i]);
        free(p.direction[i]);
        free(gradient[i]);
    }
    free(p.start);
    free(p.direction);
    free(gradient);
    return bad;
}
