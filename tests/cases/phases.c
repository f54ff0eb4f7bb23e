/* What joined launches do in phases: small calls and spread ones that wait for each other. */
#include "cases/case.h"

enum { POWER_ITERATIONS, COLUMNS, MANY, PHASES };

static int phases_count(void) { return PHASES; }

static gan_node *normalised(gan_graph *g, gan_node *x) {
    return gan_div(g, x, gan_sqrt(g, gan_shift(g, gan_sum(g, gan_square(g, x)), 1e-3)));
}

/* A matrix over what `rounds` power iterations take for its largest singular value. */
static gan_node *spectral(gan_graph *g, gan_node *w, gan_node *u, int rounds) {
    gan_node *v = NULL, *wv = NULL;
    for (int i = 0; i < rounds; i++) {
        v = normalised(g, gan_sum_axes(g, gan_mul(g, w, u), 1));
        wv = gan_sum_axes(g, gan_mul(g, w, gan_reshape(g, v, gan_shape2(1, w->shape.dim[1]))), 2);
        u = gan_reshape(g, normalised(g, wv), gan_shape2(w->shape.dim[0], 1));
    }
    return gan_div(g, w, gan_sum(g, gan_mul(g, u, gan_reshape(g, wv, u->shape))));
}

/* A batch norm by hand, of columns that are long. */
static gan_node *standardised(gan_graph *g, gan_node *x) {
    const double n = (double)x->shape.dim[0];
    gan_node *mean = gan_scale(g, gan_sum_axes(g, x, 1), 1 / n), *y = gan_sub(g, x, mean);
    gan_node *variance = gan_scale(g, gan_sum_axes(g, gan_square(g, y), 1), 1 / n);
    return gan_mul(g, y, gan_rsqrt(g, gan_shift(g, variance, 0.1)));
}

static void phases_build(test_case *t, int i) {
    gan_graph *g = t->g;
    gan_node *x, *y, *all = NULL;
    t->looser = 10;
    switch (i) {
    case POWER_ITERATIONS:
        case_title(t, "power iterations side by side");
        for (int k = 0; k < 3; k++) {
            const int64_t rows = 90 - 9 * k;
            x = case_uniform(t, gan_shape2(rows, 66), 0, 1);
            y = case_uniform(t, gan_shape2(rows, 1), 0.5, 1);
            case_output(t, spectral(g, x, y, k + 1));
        }
        break;
    case COLUMNS:
        case_title(t, "long columns, twice");
        x = case_uniform(t, gan_shape2(490, 16), -1, 1);
        case_output(t, standardised(g, gan_tanh(g, standardised(g, x))));
        x = case_uniform(t, gan_shape2(120, 64), -1, 1);
        case_output(t, standardised(g, x));
        break;
    default:
        case_title(t, "more than a launch holds");
        x = gan_tanh(g, case_uniform(t, gan_shape2(120, 40), -1, 1));
        for (int64_t k = 0; k < 120; k++) {
            y = normalised(g, gan_slice(g, x, 0, k, 1));
            all = all ? gan_add(g, all, y) : y;
        }
        case_output(t, gan_mul(g, x, all));
        break;
    }
}

const case_family cases_phases = {"phases", phases_count, phases_build};
