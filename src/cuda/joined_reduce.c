/* Sums and maxima as tasks of joined launches: by the general task, or by those that read memory in
 * whole vectors, for what is large. */
#include "cuda/device.h"
#include "cuda/joined.h"
#include "cuda/program.h"

enum {
    SPREAD_SUM = 1 << 21,
    SPREAD_ROWS = 1024,
    COLUMNS = 2048, /* of a long matrix, so that all sums of a launch have their counters */
    SPREAD_POOLED = 1 << 22,
    SMALL_DOTS = 1 << 14, /* a block's threads have two vectors each */
    SPREAD_DOTS = 1 << 24,
    RESULTS = 32, /* enough blocks */
    VECTOR = 8
};

static const gan_join alone = {0, false}, one = {1, false}, spread = {1, true};

static bool is_float(gan_dtype dtype) { return dtype == GAN_F32 || dtype == GAN_BF16; }

/* ---- which ---- */

/* Sums of values as they are over neighbouring axes, all but the last and `before` ones. */
static bool is_down(const gan_node *node, int before) {
    const gan_shape in = node->attr.reduce.in_shape;
    if (node->op != GAN_OP_sum || node->n_in != 1 || node->program || in.rank < before + 2)
        return false;
    const int64_t columns = in.dim[in.rank - 1];
    const uint32_t axes = (1u << (in.rank - 1)) - (1u << before);
    return node->attr.reduce.axes == axes && is_float(node->in[0]->dtype) && columns > 0 &&
           columns % VECTOR == 0 && gan_shape_size(in) > 0;
}

/* That of a bias's gradient. */
static bool is_columns(const gan_node *node) {
    const gan_shape in = node->attr.reduce.in_shape;
    return is_down(node, 0) && node->dtype == GAN_F32 && in.dim[in.rank - 1] <= COLUMNS;
}

/* That of an image's features. */
static bool is_pooled(const gan_node *node) {
    const gan_shape in = node->attr.reduce.in_shape;
    if (!is_down(node, 1) || !gan_cuda_program_fits(node, in)) return false;
    const int64_t size = gan_shape_size(in), images = in.dim[0], columns = in.dim[in.rank - 1];
    return size > GAN_CUDA_SMALL && size <= SPREAD_POOLED && images >= RESULTS &&
           size <= SPREAD_ROWS * images * columns;
}

/* A sum over one axis of a matrix that is a product of two, in whole vectors. */
static bool is_product_sum(const gan_node *node, int axis) {
    const gan_shape in = node->attr.reduce.in_shape;
    const gan_pointwise_program *p = node->program;
    return node->op == GAN_OP_sum && node->n_in == 2 && p && p->n_steps == 1 &&
           p->step[0].fn == GAN_FN_mul && p->step[0].arg[0] != p->step[0].arg[1] && in.rank == 2 &&
           node->attr.reduce.axes == 1u << axis && is_float(node->dtype) &&
           is_float(node->in[0]->dtype) && is_float(node->in[1]->dtype) && in.dim[0] > 0 &&
           in.dim[1] > 0 && in.dim[1] % VECTOR == 0;
}

/* The operand that is a matrix of which each row is multiplied with the other; -1: it is no such
 * sum. */
static int matrix_of(const gan_node *node) {
    const gan_shape in = node->attr.reduce.in_shape;
    if (!is_product_sum(node, 1) || node->dtype != GAN_F32) return -1;
    const gan_shape row = gan_shape2(1, in.dim[1]);
    for (int i = 0; i < 2; i++)
        if (gan_shape_equal(node->in[i]->shape, in) && gan_shape_equal(node->in[1 - i]->shape, row))
            return i;
    return -1;
}

/* The operand that is a matrix of which each row counts by as much as the other says, as in the
 * gradient of such a product; -1: it is no such sum. */
static int weighed_of(const gan_node *node) {
    const gan_shape in = node->attr.reduce.in_shape;
    if (!is_product_sum(node, 0) || in.dim[0] > SPREAD_ROWS || gan_cuda_is_small(in) ||
        gan_shape_size(in) > SPREAD_DOTS)
        return -1;
    const gan_shape column = gan_shape2(in.dim[0], 1);
    for (int i = 0; i < 2; i++)
        if (gan_shape_equal(node->in[i]->shape, in) &&
            gan_shape_equal(node->in[1 - i]->shape, column))
            return i;
    return -1;
}

static gan_join dots_joins(const gan_node *node) {
    const gan_shape in = node->attr.reduce.in_shape;
    const int64_t size = gan_shape_size(in);
    if (size <= SMALL_DOTS) return one;
    return in.dim[0] >= RESULTS && size <= SPREAD_DOTS ? spread : alone;
}

/* By the general task. */
static gan_join sum_joins(const gan_node *node) {
    const gan_shape in = node->attr.reduce.in_shape;
    if (!gan_cuda_program_fits(node, in)) return alone;
    if (gan_cuda_is_small(in)) return one;
    const int64_t results = gan_shape_size(node->shape), size = gan_shape_size(in);
    const bool kept = in.rank > 0 && !(node->attr.reduce.axes >> (in.rank - 1) & 1u);
    const bool wide = results >= RESULTS && size <= SPREAD_SUM;
    return wide && (!kept || size / results <= SPREAD_ROWS) ? spread : alone;
}

gan_join gan_cuda_reduce_joins(const gan_node *node) {
    if (matrix_of(node) >= 0) return dots_joins(node);
    if (is_pooled(node) || weighed_of(node) >= 0) return spread;
    const gan_join join = sum_joins(node);
    return join.room == 0 && is_columns(node) ? spread : join;
}

int gan_cuda_reduce_counters(const gan_node *node) {
    if (!is_columns(node)) return 0;
    const gan_shape in = node->attr.reduce.in_shape;
    const gan_launch_columns_args a = {.columns = (int32_t)in.dim[in.rank - 1],
                                       .bf16 = node->in[0]->dtype == GAN_BF16};
    return gan_launch_column_counters(&a);
}

/* ---- tasks ---- */

static int columns_task(const gan_call *call, gan_launch_task *t, int64_t matrices) {
    const gan_shape in = call->node->attr.reduce.in_shape;
    const int64_t columns = in.dim[in.rank - 1];
    const int64_t parts = (int64_t)(call->workspace_bytes / sizeof(float)) / columns;
    t->kind = GAN_LAUNCH_TASK_COLUMNS;
    t->of.columns =
        (gan_launch_columns_args){.x = call->in[0].data,
                                  .out = call->out.data,
                                  .parts = call->workspace,
                                  .rows = gan_shape_size(in) / (matrices * columns),
                                  .matrices = (int32_t)matrices,
                                  .columns = (int32_t)columns,
                                  .chunks = matrices == 1 && parts > 1 ? (int32_t)parts : 1,
                                  .bf16 = call->in[0].dtype == GAN_BF16,
                                  .out_bf16 = call->out.dtype == GAN_BF16};
    return 1;
}

static int weighed_task(const gan_call *call, gan_launch_task *t, const gan_array *x,
                        const gan_array *weights) {
    t->kind = GAN_LAUNCH_TASK_COLUMNS;
    t->of.columns = (gan_launch_columns_args){.x = x->data,
                                              .weights = weights->data,
                                              .out = call->out.data,
                                              .rows = x->shape.dim[0],
                                              .matrices = 1,
                                              .columns = (int32_t)x->shape.dim[1],
                                              .chunks = 1,
                                              .bf16 = x->dtype == GAN_BF16,
                                              .out_bf16 = call->out.dtype == GAN_BF16,
                                              .weights_bf16 = weights->dtype == GAN_BF16};
    return 1;
}

static int dots_task(const gan_call *call, gan_launch_task *t, const gan_array *x,
                     const gan_array *w) {
    t->kind = GAN_LAUNCH_TASK_DOTS;
    t->of.dots = (gan_launch_dots_args){.x = x->data,
                                        .w = w->data,
                                        .out = call->out.data,
                                        .rows = (int32_t)x->shape.dim[0],
                                        .columns = (int32_t)x->shape.dim[1],
                                        .x_bf16 = x->dtype == GAN_BF16,
                                        .w_bf16 = w->dtype == GAN_BF16};
    return 1;
}

static int general_task(const gan_call *call, gan_launch_task *t) {
    const gan_launch_reduce_args r = gan_cuda_reduce_args(call);
    t->kind = GAN_LAUNCH_TASK_REDUCE;
    gan_cuda_set_program(&t->of.program, &r.program);
    t->of.program.reduced = (uint8_t)r.reduced;
    t->of.program.max = r.max != 0;
    t->of.program.results = (int32_t)r.results;
    t->of.program.out_bf16 = r.out_bf16 != 0;
    t->n = 1;
    for (int axis = 0; axis < r.program.n_axes; axis++)
        if (r.reduced >> axis & 1u) t->n *= r.program.length[axis];
    return 1;
}

int gan_cuda_reduce_tasks(const gan_call *call, gan_launch_task *t) {
    const gan_node *node = call->node;
    const int matrix = matrix_of(node), weighed = weighed_of(node);
    if (weighed >= 0 && gan_cuda_aligned(&call->in[weighed]) && gan_cuda_aligned(&call->out))
        return weighed_task(call, t, &call->in[weighed], &call->in[1 - weighed]);
    if (matrix >= 0 && gan_cuda_aligned(&call->in[0]) && gan_cuda_aligned(&call->in[1]))
        return dots_task(call, t, &call->in[matrix], &call->in[1 - matrix]);
    if (is_pooled(node) && gan_cuda_aligned(&call->in[0]))
        return columns_task(call, t, node->attr.reduce.in_shape.dim[0]);
    if (sum_joins(node).room == 0 && is_columns(node)) return columns_task(call, t, 1);
    return general_task(call, t);
}
