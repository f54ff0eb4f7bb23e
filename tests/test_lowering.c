/* The plan means what the graph means: every case, lowered, fused and ordered, evaluated by the
 * reference in double and held against the graph itself. Rounding plays no part, so the tolerance
 * is tight. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/plan.h"
#include "graph/store.h"
#include "support/devices.h"
#include "support/gradients.h"
#include "support/rules.h"

/* What the plans of all cases made use of. */
typedef struct features {
    int spread, maxima; /* products that a program repeats; maxima of programs */
    int pairs, pieces;  /* convolutions with two results; gradients that nothing packs */
    int chains, chain_operands[4], prologues[GAN_OP_COUNT], epilogues[GAN_OP_COUNT];
    bool fn[GAN_FN_COUNT];
} features;

enum { FULL, CHANNEL, ROW, SCALAR };

/* Products, updates and moments are launches of their own. */
static gan_join joins_the_rest(const void *context, const gan_node *node) {
    (void)context;
    const bool large = gan_op_of(node)->flags & GAN_OP_EPILOGUE || node->op == GAN_OP_adam ||
                       node->op == GAN_OP_momentum || node->op == GAN_OP_moments;
    return (gan_join){!large, node->op == GAN_OP_random};
}

static int kind_of(gan_shape operand, gan_shape whole) {
    const int last = whole.rank - 1;
    if (gan_shape_size(operand) == 1) return SCALAR;
    if (gan_shape_equal(operand, whole)) return FULL;
    return operand.dim[last] == 1 ? ROW : CHANNEL;
}

static void count_features(const gan_plan *plan, features *f) {
    for (int i = 0; i < plan->n_launches; i++) {
        const gan_node *node = plan->order[i];
        f->pieces += gan_op_pieces(node) > 1;
        if (!node->program) continue;
        for (int s = 0; s < node->program->n_steps; s++) f->fn[node->program->step[s].fn] = true;
        const uint32_t flags = gan_op_of(node)->flags;
        f->chains += node->op == GAN_OP_pointwise && node->program->n_steps > 1;
        f->prologues[node->op] += (flags & GAN_OP_PROLOGUE) != 0;
        f->epilogues[node->op] += (flags & GAN_OP_EPILOGUE) != 0;
        f->spread += gan_matmul_is_spread(node);
        f->maxima += node->op == GAN_OP_max && node->n_in > 1;
        f->pairs += gan_conv_is_double(node);
        const gan_shape whole = flags & GAN_OP_PROLOGUE ? node->attr.reduce.in_shape : node->shape;
        for (int k = flags & GAN_OP_EPILOGUE ? gan_op_of(node)->arity : 0; k < node->n_in; k++)
            f->chain_operands[kind_of(node->in[k]->shape, whole)]++;
    }
}

static void start_plan(const test_case *t, const gan_plan *plan, reference *r) {
    for (int i = 0; i < t->n_inputs; i++) {
        const gan_node *node = t->input[i].node, *copy = plan->copy_of[node->id];
        if (copy)
            memcpy(ref_input_values(r, copy), t->input[i].value,
                   (size_t)gan_shape_size(node->shape) * sizeof(double));
    }
    case_start(t, r);
    for (int i = 0; i < plan->n_refresh; i++) { /* what holds before a run */
        const gan_variable *weights = plan->refresh[i]->in[0]->attr.variable.variable;
        const double *from = ref_variable_values(r, weights);
        double *half = ref_variable_values(r, weights->arena->half);
        for (int64_t e = 0; e < gan_shape_size(weights->shape); e++)
            half[e] = ref_round_bf16(from[e]);
    }
}

/* A plan rounds to bf16 where it stores, a graph after every node. */
static bool has_bf16(const gan_graph *g) {
    for (int i = 0; i < g->n_nodes; i++)
        if (g->node[i]->dtype == GAN_BF16) return true;
    return false;
}

/* Constants of expansions (1/n) are floats, whence 1e-6 and not less. */
static bool close_enough(const test_case *t, const double *got, const double *wanted, int64_t n) {
    const double limit = has_bf16(t->g) ? 0.03 : 1e-6;
    double most = 1;
    for (int64_t i = 0; i < n; i++) most = fmax(most, isfinite(wanted[i]) ? fabs(wanted[i]) : 0);
    for (int64_t i = 0; i < n; i++)
        if (got[i] != wanted[i] && !(fabs(got[i] - wanted[i]) <= limit * t->looser * most))
            return false;
    return true;
}

/* After each of two iterations: an update that comes too late or too early shows in the first, what
 * a run leaves behind in the second. */
static int check_plan(test_case *t, const gan_plan_options *options, features *f,
                      const char *what) {
    gan_plan *plan;
    int bad = 0;
    if (gan_plan_create(&plan, t->g, options) != GAN_OK) {
        print_error("%s, %s: %s\n", t->name, what, gan_last_error());
        return 1;
    }
    count_features(plan, f);
    reference *r = ref_create(plan->graph);
    start_plan(t, plan, r);
    for (int iteration = 1; iteration <= 2; iteration++) {
        case_result wanted;
        ref_run_plan(r, plan->order, plan->n_launches);
        case_reference(t, iteration, &wanted);
        for (int k = 0; k < wanted.n; k++) {
            const case_bytes_of *p = &wanted.part[k];
            const double *got = p->node ? ref_value(r, plan->copy_of[p->node->id])
                                        : ref_variable_values(r, p->variable);
            if (close_enough(t, got, p->bytes, p->size)) continue;
            print_error("%s, %s, iteration %d: %s differs\n", t->name, what, iteration, p->name);
            bad++;
        }
        case_result_free(&wanted);
    }
    ref_destroy(r);
    gan_plan_destroy(plan);
    return bad;
}

static void plans_mean_what_graphs_mean(void **state) {
    (void)state;
    const gan_plan_options fused = {.supported = every_op}, expanded = {.supported = primitive_op};
    const gan_plan_options joined = {
        .supported = every_op, .takes = takes_all, .joins = joins_all, .join_room = 48};
    /* What must be expanded is: the expansions are checked as well. */
    const gan_plan_options partly = {
        .supported = primitive_op, .takes = takes_all, .joins = joins_the_rest, .join_room = 8};
    features f = {0};
    int bad = 0;
    for (int i = 0; i < case_count(); i++)
        for (int gradients = 0; gradients < 2; gradients++) {
            test_case t;
            case_open(&t, i);
            if (gradients && case_has_gradient(&t)) case_add_gradients(&t);
            if (!gradients || case_has_gradient(&t))
                bad += check_plan(&t, &fused, &f, "fused") +
                       check_plan(&t, &expanded, &f, "expanded") +
                       check_plan(&t, &joined, &f, "joined") +
                       check_plan(&t, &partly, &f, "joined in part");
            case_close(&t);
        }
    for (int op = 0; op < GAN_OP_COUNT; op++) {
        const uint32_t flags = gan_op_table[op].flags;
        if (flags & GAN_OP_PROLOGUE && !f.prologues[op])
            print_error("%s: no case with a prologue\n", gan_op_table[op].name), bad++;
        if (flags & GAN_OP_EPILOGUE && !f.epilogues[op])
            print_error("%s: no case with an epilogue\n", gan_op_table[op].name), bad++;
    }
    for (int fn = 0; fn < GAN_FN_COUNT; fn++)
        if (!f.fn[fn]) print_error("%s: in no plan\n", gan_fn_table[fn].name), bad++;
    assert_true(f.chains > 0);
    assert_true(f.spread > 0);
    assert_true(f.maxima > 0);
    assert_true(f.pairs > 0);
    assert_true(f.pieces > 0);
    for (int k = FULL; k <= SCALAR; k++) assert_true(f.chain_operands[k] > 0);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_mean_what_graphs_mean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
