/* <Ax - Ax', y> = <x - x', A'y> for everything that is linear in an operand, the others kept: A by
 * the op, A'y by its gradient rule at x', so that it cannot lean on the x it is held against. In
 * double on the reference, and in f32 on the CPU, where it joins the op's kernel with that of its
 * adjoint. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/devices.h"
#include "support/gradients.h"

/* What one evaluation gives: Σ <A x, y> over the outputs, and A'y. */
typedef struct values {
    double product, scale; /* scale: of the terms, for rounding */
    double *adjoint;
} values;

static double dot(const double *a, const double *b, int64_t n, double *scale) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
        *scale += fabs(a[i] * b[i]);
    }
    return sum;
}

static const double *value_of(const case_result *r, int part, double **made) {
    const case_bytes_of *p = &r->part[part];
    *made = calloc((size_t)p->size + 1, sizeof **made);
    for (int64_t i = 0; i < p->size; i++) (*made)[i] = (double)((const float *)p->bytes)[i];
    return *made;
}

/* The case's own outputs come first, then the gradient; `device` NULL: the reference. */
static bool evaluate(test_case *t, gan_device *device, int n_own, values *v) {
    case_result result;
    if (!device)
        case_reference(t, 1, &result);
    else if (!case_execute(t, device, &(case_run){1, false, false}, &result))
        return false;
    int weight =
        t->n_inputs; /* case_loss() gave every output an input of weights, in order, at the end */
    for (int k = 0; k < n_own; k++) weight -= t->output[k]->dtype == GAN_F32;
    v->product = v->scale = 0;
    for (int k = 0; k <= n_own; k++) {
        double *made = NULL;
        const int64_t size = result.part[k].size;
        const double *x = device ? value_of(&result, k, &made) : result.part[k].bytes;
        if (k == n_own) {
            v->adjoint = malloc((size_t)size * sizeof(double) + 1);
            memcpy(v->adjoint, x, (size_t)size * sizeof(double));
        } else {
            v->product += dot(x, t->input[weight++].value, size, &v->scale);
        }
        free(made);
    }
    case_result_free(&result);
    return true;
}

static int check_linear(int which, int input, gan_device *device) {
    test_case t;
    case_open(&t, which);
    const int n_own = t.n_outputs;
    gan_node *loss = case_loss(&t), *grad = NULL, *x = t.input[input].node;
    const int64_t n = gan_shape_size(x->shape);
    gan_gradient(t.g, loss, 1, &x, &grad);
    case_output(&t, grad);
    values first = {0}, second = {0};
    int bad = 0;
    if (!evaluate(&t, device, n_own, &first)) bad = 1;
    double *moved = calloc((size_t)n + 1, sizeof *moved), *value = t.input[input].value;
    for (int64_t i = 0; i < n; i++) {
        moved[i] = -value[i];
        value[i] = (double)(float)(2 * case_random(&t) - 1);
        moved[i] += value[i];
    }
    if (!bad && !evaluate(&t, device, n_own, &second)) bad = 1;
    if (!bad) {
        double scale = first.scale + second.scale;
        const double left = second.product - first.product,
                     right = dot(moved, first.adjoint, n, &scale);
        const double within = (device ? 2e-6 : 1e-7) * scale + (device ? 1e-6 : 1e-13);
        if (!(fabs(left - right) <= within)) {
            print_error("%s: <Ax - Ax', y> = %.12g, <x - x', A'y> = %.12g\n", t.name, left, right);
            bad = 1;
        }
    }
    free(moved);
    free(first.adjoint);
    free(second.adjoint);
    case_close(&t);
    return bad;
}

static int check_all(gan_device *device, bool *met) {
    int bad = 0;
    for (int i = 0; i < case_count(); i++) {
        test_case t;
        case_open(&t, i);
        for (int k = 0; k < t.n_inputs; k++) {
            if (!t.input[k].linear) continue;
            for (int n = 0; n < t.built_nodes; n++) met[t.g->node[n]->op] = true;
            bad += check_linear(i, k, device);
        }
        case_close(&t);
    }
    return bad;
}

/* The ops that are linear in an operand; each must be met. */
static const gan_op_id linear[] = {
    GAN_OP_sum,
    GAN_OP_broadcast,
    GAN_OP_reshape,
    GAN_OP_permute,
    GAN_OP_concat,
    GAN_OP_slice,
    GAN_OP_pad,
    GAN_OP_gather,
    GAN_OP_scatter_add,
    GAN_OP_matmul,
    GAN_OP_conv2d,
    GAN_OP_conv2d_grad_input,
    GAN_OP_conv2d_grad_weight,
    GAN_OP_fold,
    GAN_OP_fold_adjoint,
    GAN_OP_average_pool,
    GAN_OP_average_pool_adjoint,
    GAN_OP_max_pool_adjoint,
    GAN_OP_max_pool_select,
    GAN_OP_batch_norm_sums,
    GAN_OP_batch_norm_grad,
};

static void reference_adjoints(void **state) {
    (void)state;
    bool met[GAN_OP_COUNT] = {false};
    assert_int_equal(check_all(NULL, met), 0);
    for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) assert_true(met[linear[i]]);
}

static void cpu_adjoints(void **state) {
    (void)state;
    gan_device *device;
    bool met[GAN_OP_COUNT] = {false};
    assert_int_equal(gan_device_open(&device, "cpu", NULL), GAN_OK);
    assert_int_equal(check_all(device, met), 0);
    gan_device_close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_adjoints),
        cmocka_unit_test(cpu_adjoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
