#include "graph/plan_task.h"

#include "graph/plan_cast.h"
#include "graph/plan_fuse.h"

static bool joins(const gan_plan_options *options, const gan_node *node) {
    return options->joins && options->joins(options->context, node).room > 0;
}

/* ---- a row times a matrix ---- */

static gan_node *shaped(gan_graph *to, gan_op_id op, gan_node *x, gan_shape shape) {
    if (!x || gan_shape_equal(x->shape, shape)) return x;
    gan_node model = {.op = op, .dtype = x->dtype, .shape = shape, .n_in = 1};
    model.attr.target.shape = shape;
    return gan_node_append(to, &model, &x);
}

static gan_node *wide(gan_graph *to, gan_node *x) {
    return x && x->dtype == GAN_BF16 ? gan_plan_cast_to(to, x, GAN_F32) : x;
}

/* Products and their sum are f32, as those of matrices are. */
static gan_node *row_product(gan_graph *to, const gan_node *node, gan_node *const *in,
                             const gan_plan_options *options) {
    if (node->program || node->attr.transpose.b || node->shape.rank != 2 || node->shape.dim[0] != 1)
        return NULL;
    const gan_shape matrix = in[1]->shape, column = gan_shape2(matrix.dim[0], 1);
    gan_node sum = {.op = GAN_OP_sum,
                    .dtype = node->dtype,
                    .shape = node->shape,
                    .n_in = 2,
                    .in = (gan_node *[]){in[1], in[0]},
                    .program = (gan_pointwise_program *)(uintptr_t)&gan_plan_product};
    sum.attr.reduce.axes = 1u << 0;
    sum.attr.reduce.in_shape = matrix;
    const bool takes = !options->takes || options->takes(options->context, &sum);
    if (!takes || !joins(options, &sum)) return NULL;
    gan_node *row = wide(to, shaped(to, GAN_OP_reshape, in[0], column));
    row = shaped(to, GAN_OP_broadcast, row, matrix);
    gan_node *b = wide(to, in[1]);
    if (!row || !b) return NULL;
    gan_node terms = {.op = GAN_OP_pointwise,
                      .dtype = GAN_F32,
                      .shape = matrix,
                      .n_in = 2,
                      .program = sum.program};
    gan_node *all = gan_node_append(to, &terms, (gan_node *[]){b, row});
    sum.n_in = 1;
    sum.program = NULL;
    return all ? gan_node_append(to, &sum, &all) : NULL;
}

/* ---- shuffled mini-batches ---- */

static gan_node *shuffled_batch(gan_graph *to, const gan_node *node, gan_node *const *in,
                                const gan_plan_options *options) {
    const gan_node *index = in[1], here = {.id = to->n_nodes};
    if (index->op != GAN_OP_shuffled_index || !gan_plan_can_move(to, index, &here)) return NULL;
    gan_node model = *node;
    model.in = (gan_node *[]){in[0], index->in[0], in[2]};
    model.attr.minibatch.shuffled = true;
    model.attr.minibatch.shuffle = index->attr.shuffle.stream;
    model.attr.minibatch.n = index->attr.shuffle.n;
    model.attr.minibatch.per_iteration = index->attr.shuffle.per_iteration;
    model.attr.minibatch.offset = index->attr.shuffle.offset;
    return joins(options, &model) ? gan_node_append(to, &model, model.in) : NULL;
}

gan_node *gan_plan_task(gan_graph *to, const gan_node *node, gan_node *const *in,
                        const gan_plan_options *options) {
    if (node->op == GAN_OP_matmul) return row_product(to, node, in, options);
    if (node->op == GAN_OP_minibatch) return shuffled_batch(to, node, in, options);
    return NULL;
}

/* ---- equal sums ---- */

/* Whether x and y are the same values: one node, or the same shape and type of one. What shows a
 * variable may have been read before an update and after it. */
static bool is_same(const gan_node *x, const gan_node *y) {
    while (x != y) {
        const bool changed = x->op == GAN_OP_cast || x->op == GAN_OP_reshape;
        if (!changed || x->op != y->op || x->dtype != y->dtype ||
            !gan_shape_equal(x->shape, y->shape))
            return false;
        x = x->in[0];
        y = y->in[0];
    }
    return x->op != GAN_OP_variable;
}

gan_node *gan_plan_share(const gan_graph *to, gan_node *node) {
    if (!node || !(gan_op_of(node)->flags & GAN_OP_PROLOGUE) || node->program) return node;
    for (int id = node->id - 1; id > 0; id--) {
        gan_node *other = to->node[id];
        if (other->op == node->op && !other->program && other->dtype == node->dtype &&
            other->attr.reduce.axes == node->attr.reduce.axes &&
            gan_shape_equal(other->shape, node->shape) && is_same(other->in[0], node->in[0]))
            return other;
    }
    return node;
}
