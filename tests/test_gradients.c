/* Gradient rules against central differences of the reference in double, first and second order;
 * every op that lets gradients through, over every smooth case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/gradients.h"

enum { MAX_ELEMENTS = 30000 }; /* of a case's inputs; the ops have smaller cases too */

static int64_t elements(const test_case *t) {
    int64_t n = 0;
    for (int i = 0; i < t->n_inputs; i++) n += gan_shape_size(t->input[i].node->shape);
    return n;
}

static int compare(test_case *t, reference *r, const gan_node *f, int n, const int *input,
                   gan_node *const *grad, int order) {
    difference_input list[CASE_INPUTS];
    char title[CASE_NAME + 32];
    snprintf(title, sizeof title, "%s, order %d", t->name, order);
    for (int i = 0; i < n; i++) {
        const gan_node *node = t->input[input[i]].node;
        list[i] = (difference_input){node->label, ref_input_values(r, node),
                                     gan_shape_size(node->shape), grad[i]};
    }
    return check_differences(r, f, n, list, title, 1e-5, (uint64_t)order);
}

/* The scalar whose gradient is the second order: weights of their own on every element of the
 * first. */
static gan_node *second_loss(test_case *t, int n, gan_node *const *grad) {
    gan_node *loss = NULL;
    for (int i = 0; i < n; i++) {
        gan_node *part =
            gan_sum(t->g, gan_mul(t->g, case_uniform(t, grad[i]->shape, 0.5, 1.5), grad[i]));
        loss = loss ? gan_add(t->g, loss, part) : part;
    }
    return loss;
}

static int check_case(test_case *t, bool *met) {
    int input[CASE_INPUTS], again[CASE_INPUTS];
    gan_node *grad[CASE_INPUTS], *second[CASE_INPUTS];
    gan_node *loss = case_loss(t);
    const int n = case_gradients(t, loss, input, grad);
    gan_node *loss2 = second_loss(t, n, grad);
    const int n2 = case_gradients(t, loss2, again, second);
    if (gan_graph_status(t->g) != GAN_OK) {
        fprintf(stderr, "%s: %s\n", t->name, gan_last_error());
        return 1;
    }
    for (int i = 0; i < t->g->n_nodes; i++) met[t->g->node[i]->op] = true;
    reference *r = ref_create(t->g);
    case_fill(t, r);
    int bad = compare(t, r, loss, n, input, grad, 1) + compare(t, r, loss2, n2, again, second, 2);
    ref_destroy(r);
    return bad;
}

static void rules_agree_with_differences(void **state) {
    (void)state;
    bool met[GAN_OP_COUNT] = {false};
    int bad = 0, checked = 0;
    for (int i = 0; i < case_count(); i++) {
        test_case t;
        case_open(&t, i);
        if (t.smooth && case_has_gradient(&t) && elements(&t) <= MAX_ELEMENTS) {
            bad += check_case(&t, met);
            checked++;
        }
        case_close(&t);
    }
    print_message("%d cases differentiated twice\n", checked);
    for (int op = 0; op < GAN_OP_COUNT; op++)
        if (!(gan_op_table[op].flags & (GAN_OP_NO_GRADIENT | GAN_OP_LEAF)) &&
            op != GAN_OP_constant && !met[op] && op != GAN_OP_cast) {
            print_error("%s: no smooth case\n", gan_op_table[op].name);
            bad++;
        }
    assert_int_equal(bad, 0);
}

/* Rounding makes differences of a cast to bf16 useless; its gradient is the identity. */
static void a_cast_passes_gradients(void **state) {
    (void)state;
    gan_store *store;
    gan_graph *g;
    assert_int_equal(gan_store_create(&store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&g, store), GAN_OK);
    gan_node *x = gan_input(g, GAN_F32, gan_shape1(3), "x"),
             *w = gan_input(g, GAN_F32, gan_shape1(3), "w"), *grad;
    gan_node *y = gan_cast(g, gan_cast(g, x, GAN_BF16), GAN_F32);
    assert_int_equal(gan_gradient(g, gan_sum(g, gan_mul(g, y, w)), 1, &x, &grad), GAN_OK);
    reference *r = ref_create(g);
    for (int i = 0; i < 3; i++) {
        ref_input_values(r, x)[i] = i + 0.3;
        ref_input_values(r, w)[i] = 2 * i - 0.5; /* a bf16 exactly */
    }
    ref_run(r);
    for (int i = 0; i < 3; i++) assert_true(ref_value(r, grad)[i] == 2 * i - 0.5);
    ref_destroy(r);
    gan_graph_destroy(g);
    gan_store_destroy(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_agree_with_differences),
        cmocka_unit_test(a_cast_passes_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
