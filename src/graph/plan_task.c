#include "graph/plan_task.h"

#include "graph/plan_cast.h"
#include "graph/plan_fuse.h"

static bool joins(const gan_plan_options *options, const gan_node *node) {
    return options->joins && options->joins(options->context, node).room > 0;
}

/* ---- a row times a matrix, a matrix times a column ---- */

static gan_node *shaped(gan_graph *to, gan_node *x, gan_shape shape) {
    if (gan_shape_equal(x->shape, shape)) return x;
    gan_node model = {.op = GAN_OP_reshape, .dtype = x->dtype, .shape = shape, .n_in = 1};
    model.attr.target.shape = shape;
    return gan_node_append(to, &model, &x);
}

/* The sum over one axis of a matrix's products with a row or column that is repeated. Products and
 * their sum are f32, as those of matrices are. NULL where that is no task. */
static gan_node *sum_products(gan_graph *to, const gan_node *node, gan_dtype dtype,
                              gan_node *matrix, gan_node *repeated, int axis,
                              const gan_plan_options *options) {
    gan_shape along = matrix->shape;
    along.dim[1 - axis] = 1;
    gan_node row = *repeated;
    row.shape = along;
    gan_node sum = {.op = GAN_OP_sum,
                    .dtype = dtype,
                    .shape = node->shape,
                    .n_in = 2,
                    .in = (gan_node *[]){matrix, &row},
                    .program = (gan_pointwise_program *)(uintptr_t)&gan_plan_product};
    sum.attr.reduce.axes = 1u << axis;
    sum.attr.reduce.in_shape = matrix->shape;
    const bool takes = !options->takes || options->takes(options->context, &sum);
    if (!takes || !joins(options, &sum)) return NULL;
    gan_node *view = shaped(to, repeated, along);
    return view ? gan_node_append(to, &sum, (gan_node *[]){matrix, view}) : NULL;
}

static gan_node *product(gan_graph *to, const gan_node *node, gan_node *const *in,
                         const gan_plan_options *options) {
    const bool ta = node->attr.transpose.a, tb = node->attr.transpose.b;
    if (node->program || node->shape.rank != 2) return NULL;
    if (node->shape.dim[0] == 1 && !tb)
        return sum_products(to, node, node->dtype, in[1], in[0], 0, options);
    if (node->shape.dim[1] != 1 || ta) return NULL;
    /* What is narrower than f32 is a cast, which none but those get who need it. */
    gan_node *y = sum_products(to, node, GAN_F32, in[0], in[1], 1, options);
    return y && node->dtype != GAN_F32 ? gan_plan_cast_to(to, y, node->dtype) : y;
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
    if (node->op == GAN_OP_matmul) return product(to, node, in, options);
    if (node->op == GAN_OP_minibatch) return shuffled_batch(to, node, in, options);
    return NULL;
}
