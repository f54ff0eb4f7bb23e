/* Calls that can be of one launch with others, as tasks of it. */
#include <string.h>

#include "base/error.h"
#include "cuda/device.h"
#include "cuda/joined.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

/* Numbers that blocks of their own take. An H200 has 135,000 threads of such a launch. */
enum {
    SPREAD = 1 << 19,
    SPREAD_WIDE = 1 << 21,
    SPREAD_RANDOM = 1 << 18,
    SPREAD_OUTER = 1 << 24,
    SPREAD_BATCH = 1 << 24,
    SPREAD_CAST = 1 << 22,
    SPREAD_FOLD = 1 << 22
};

typedef gan_join join_rule(const gan_node *node);
typedef int task_rule(const gan_call *call, gan_launch_task *task); /* returns how many it made */

static const gan_join alone = {0, false}, one = {1, false}, spread = {1, true};

static bool is_float(gan_dtype dtype) { return dtype == GAN_F32 || dtype == GAN_BF16; }

bool gan_cuda_is_small(gan_shape shape) {
    const int64_t n = gan_shape_size(shape);
    return n > 0 && n <= GAN_CUDA_SMALL;
}

static bool is_small(gan_shape shape) { return gan_cuda_is_small(shape); }

/* ---- programs ---- */

bool gan_cuda_program_fits(const gan_node *node, gan_shape shape) {
    const int steps = node->program ? node->program->n_steps : 0;
    return node->n_in <= GAN_LAUNCH_TASK_INPUTS && steps <= GAN_LAUNCH_TASK_STEPS &&
           shape.rank <= GAN_LAUNCH_TASK_AXES && gan_shape_size(shape) > 0;
}

/* Whether it is taken in vectors: of whole ones along the last axis, and at most one result has to
 * be remembered past the step behind it. */
static bool is_wide(const gan_node *node) {
    const gan_pointwise_program *p = node->program;
    const int last = node->shape.rank - 1;
    int remembered = 0;
    if (last < 0 || node->shape.dim[last] % 8 != 0) return false;
    for (int s = 0; p && s + 2 < p->n_steps; s++) {
        bool later = false;
        for (int t = s + 2; t < p->n_steps; t++)
            for (int a = 0; a < gan_fn_table[p->step[t].fn].arity; a++)
                later = later || p->step[t].arg[a] == p->n_inputs + s;
        remembered += later;
    }
    return remembered <= 1;
}

/* A column times a row: all that takes time is to write it. */
static bool is_outer(const gan_node *node) {
    const int64_t n = gan_shape_size(node->shape);
    return node->n_in == 2 && node->program && node->program->n_steps == 1 &&
           gan_shape_size(node->in[0]->shape) + gan_shape_size(node->in[1]->shape) <= n / 8;
}

static gan_join program_joins(const gan_node *node) {
    const int64_t n = gan_shape_size(node->shape);
    if (!gan_cuda_program_fits(node, node->shape)) return alone;
    if (is_small(node->shape)) return one;
    const int64_t most = !is_wide(node) ? SPREAD : is_outer(node) ? SPREAD_OUTER : SPREAD_WIDE;
    return n <= most ? spread : alone;
}

void gan_cuda_set_program(gan_launch_task_program *to, const gan_launch_program *from) {
    to->n_inputs = (uint8_t)from->n_inputs;
    to->n_steps = (uint8_t)from->n_steps;
    to->n_axes = (uint8_t)from->n_axes;
    to->size = from->size;
    for (int axis = 0; axis < from->n_axes; axis++) to->length[axis] = from->length[axis];
    for (int i = 0; i < from->n_inputs; i++) {
        to->operand[i].data = from->operand[i].data;
        if (from->operand[i].bf16) to->bf16 |= (uint8_t)(1u << i);
        for (int axis = 0; axis < from->n_axes; axis++)
            to->operand[i].stride[axis] = (int32_t)from->operand[i].stride[axis];
    }
    for (int s = 0; s < from->n_steps; s++) to->step[s] = from->step[s];
}

static int program_task(const gan_call *call, gan_launch_task *t) {
    const gan_launch_program p = gan_cuda_program_at(call->state, call->in);
    t->kind = GAN_LAUNCH_TASK_PROGRAM;
    gan_cuda_set_program(&t->of.program, &p);
    t->of.program.out_bf16 = call->out.dtype == GAN_BF16;
    return 1;
}

/* ---- values without operands, or with one ---- */

static gan_join constant_joins(const gan_node *node) {
    return is_float(node->dtype) && is_small(node->shape) ? one : alone;
}

/* A program of one axis over all elements. */
static void flat_program(const gan_call *call, gan_launch_task *t) {
    t->kind = GAN_LAUNCH_TASK_PROGRAM;
    t->of.program = (gan_launch_task_program){.n_axes = 1};
    t->of.program.length[0] = t->of.program.size = (int32_t)gan_shape_size(call->out.shape);
    t->of.program.out_bf16 = call->out.dtype == GAN_BF16;
}

static int constant_task(const gan_call *call, gan_launch_task *t) {
    flat_program(call, t);
    t->of.program.n_steps = 1;
    t->of.program.step[0] =
        (gan_launch_step){GAN_FN_value, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST,
                          (float)call->node->attr.constant.value};
    return 1;
}

static gan_join cast_joins(const gan_node *node) {
    const gan_dtype from = node->in[0]->dtype;
    const bool known = is_float(from) || (from == GAN_I64 && node->dtype == GAN_F32);
    if (!known || !is_float(node->dtype) || gan_shape_size(node->shape) == 0) return alone;
    if (is_small(node->shape)) return one;
    return is_float(from) && gan_shape_size(node->shape) <= SPREAD_CAST ? spread : alone;
}

static int cast_task(const gan_call *call, gan_launch_task *t) {
    if (call->in[0].dtype == GAN_I64) {
        t->kind = GAN_LAUNCH_TASK_CONVERT;
        t->in = call->in[0].data;
        t->n = gan_shape_size(call->out.shape);
        return 1;
    }
    flat_program(call, t);
    t->of.program.n_inputs = 1;
    t->of.program.operand[0].data = call->in[0].data;
    t->of.program.operand[0].stride[0] = 1;
    t->of.program.bf16 = call->in[0].dtype == GAN_BF16;
    return 1;
}

static gan_join fold_joins(const gan_node *node) {
    if (is_small(node->shape)) return one;
    const int64_t n = gan_shape_size(node->shape);
    return n > 0 && n <= SPREAD_FOLD ? spread : alone;
}

static int fold_task(const gan_call *call, gan_launch_task *t) {
    t->kind = GAN_LAUNCH_TASK_FOLD;
    t->of.fold = gan_cuda_fold_args(call);
    return 1;
}

static gan_join loss_joins(const gan_node *node) {
    return is_small(node->in[0]->shape) && node->in[0]->dtype == GAN_F32 ? one : alone;
}

static int loss_task(const gan_call *call, gan_launch_task *t) {
    t->kind =
        call->node->op == GAN_OP_logits_loss ? GAN_LAUNCH_TASK_LOSS : GAN_LAUNCH_TASK_LOSS_GRAD;
    t->in = call->in[0].data;
    t->n = gan_shape_size(call->in[0].shape);
    t->of.loss.target = (float)call->node->attr.logits_loss.target;
    return 1;
}

/* ---- random numbers ---- */

static gan_join random_joins(const gan_node *node) {
    const int64_t n = gan_shape_size(node->shape);
    return node->attr.random.kind != GAN_RANDOM_INDEX && n > 0 && n <= SPREAD_RANDOM ? spread
                                                                                     : alone;
}

static gan_launch_source source_of(const gan_call *call, uint32_t stream) {
    return (gan_launch_source){call->seed, stream, call->in[0].data};
}

static int random_task(const gan_call *call, gan_launch_task *t) {
    const gan_attr *attr = &call->node->attr;
    t->kind =
        attr->random.kind == GAN_RANDOM_NORMAL ? GAN_LAUNCH_TASK_NORMAL : GAN_LAUNCH_TASK_UNIFORM;
    t->n = gan_shape_size(call->out.shape);
    t->of.random.from = source_of(call, attr->random.stream);
    t->of.random.a = (float)attr->random.a;
    t->of.random.b = (float)attr->random.b;
    t->of.random.bf16 = call->out.dtype == GAN_BF16;
    return 1;
}

static gan_join shuffle_joins(const gan_node *node) { return is_small(node->shape) ? one : alone; }

static int shuffle_task(const gan_call *call, gan_launch_task *t) {
    const gan_attr *attr = &call->node->attr;
    t->kind = GAN_LAUNCH_TASK_SHUFFLE;
    t->n = call->out.shape.dim[0];
    t->of.shuffle.from = source_of(call, attr->shuffle.stream);
    t->of.shuffle.n = attr->shuffle.n;
    t->of.shuffle.per_iteration = attr->shuffle.per_iteration;
    t->of.shuffle.offset = attr->shuffle.offset;
    return 1;
}

static gan_join batch_joins(const gan_node *node) {
    const int64_t n = gan_shape_size(node->shape);
    return n > 0 && n <= SPREAD_BATCH ? spread : alone;
}

static int batch_task(const gan_call *call, gan_launch_task *t) {
    t->kind = GAN_LAUNCH_TASK_BATCH;
    t->n = gan_shape_size(call->out.shape);
    t->of.batch = gan_cuda_minibatch_args(call);
    return 1;
}

/* ---- rows that move ---- */

static const int32_t word = 4;

/* Elements before an axis, and words of one step along it. */
static void around(const gan_array *a, int axis, int32_t *before, int32_t *words) {
    int64_t rows = 1, bytes = (int64_t)gan_dtype_size(a->dtype);
    for (int i = 0; i < axis; i++) rows *= a->shape.dim[i];
    for (int i = axis + 1; i < a->shape.rank; i++) bytes *= a->shape.dim[i];
    *before = (int32_t)rows;
    *words = (int32_t)(bytes / word);
}

static bool moves_words(const gan_node *node) {
    return gan_dtype_size(node->dtype) % (size_t)word == 0 && is_small(node->shape);
}

static gan_join slice_joins(const gan_node *node) { return moves_words(node) ? one : alone; }

static gan_join pad_joins(const gan_node *node) {
    return moves_words(node) && is_small(node->in[0]->shape) ? one : alone;
}

static gan_join concat_joins(const gan_node *node) {
    const bool few = node->n_in <= GAN_LAUNCH_TASK_PIECES;
    return few && moves_words(node) ? (gan_join){node->n_in, false} : alone;
}

static int slice_task(const gan_call *call, gan_launch_task *t) {
    const int axis = call->node->attr.slice.axis;
    int32_t rows, words;
    around(&call->out, axis, &rows, &words);
    const int32_t width = (int32_t)call->out.shape.dim[axis] * words;
    t->kind = GAN_LAUNCH_TASK_ROWS;
    t->in = (const char *)call->in[0].data + call->node->attr.slice.start * words * word;
    t->of.rows.rows = rows;
    t->of.rows.width = t->of.rows.to_pitch = width;
    t->of.rows.from_pitch = (int32_t)call->in[0].shape.dim[axis] * words;
    return 1;
}

static int pad_task(const gan_call *call, gan_launch_task *t) {
    const int axis = call->node->attr.pad.axis;
    int32_t rows, words;
    around(&call->out, axis, &rows, &words);
    t->kind = GAN_LAUNCH_TASK_ROWS;
    t->in = call->in[0].data;
    t->of.rows.rows = rows;
    t->of.rows.before = (int32_t)call->node->attr.pad.before * words;
    t->of.rows.width = t->of.rows.from_pitch = (int32_t)call->in[0].shape.dim[axis] * words;
    t->of.rows.after = (int32_t)call->node->attr.pad.after * words;
    t->of.rows.to_pitch = (int32_t)call->out.shape.dim[axis] * words;
    return 1;
}

static int concat_task(const gan_call *call, gan_launch_task *t) {
    const int axis = call->node->attr.concat.axis;
    int32_t rows, words, start = 0;
    around(&call->out, axis, &rows, &words);
    for (int i = 0; i < call->n_in; i++) {
        const int32_t width = (int32_t)call->in[i].shape.dim[axis] * words;
        t[i].kind = GAN_LAUNCH_TASK_ROWS;
        t[i].in = call->in[i].data;
        t[i].out = (char *)call->out.data + (int64_t)start * word;
        t[i].of.rows.rows = rows;
        t[i].of.rows.width = t[i].of.rows.from_pitch = width;
        t[i].of.rows.to_pitch = (int32_t)call->out.shape.dim[axis] * words;
        start += width;
    }
    return call->n_in;
}

/* ---- effects ---- */

static gan_join small_variable_joins(const gan_node *node) {
    const gan_node *to = node->in[0];
    return is_small(to->shape) && gan_dtype_size(to->dtype) % (size_t)word == 0 ? one : alone;
}

static gan_join record_joins(const gan_node *node) {
    return node->n_in - 2 <= GAN_LAUNCH_TASK_VALUES ? one : alone;
}

static int assign_task(const gan_call *call, gan_launch_task *t) {
    const gan_array *to = &call->in[0];
    t->kind = GAN_LAUNCH_TASK_ROWS;
    t->in = call->in[1].data;
    t->out = to->data;
    t->of.rows.rows = 1;
    t->of.rows.width =
        (int32_t)(gan_shape_size(to->shape) * (int64_t)gan_dtype_size(to->dtype)) / word;
    return 1;
}

static int average_task(const gan_call *call, gan_launch_task *t) {
    t->kind = GAN_LAUNCH_TASK_AVERAGE;
    t->out = call->in[0].data;
    t->in = call->in[1].data;
    t->n = gan_shape_size(call->in[0].shape);
    t->of.average.decay = call->in[2].data;
    return 1;
}

static int advance_task(const gan_call *call, gan_launch_task *t) {
    t->kind = GAN_LAUNCH_TASK_ADVANCE;
    t->out = call->in[0].data;
    t->of.advance.by = call->node->attr.advance.by;
    return 1;
}

static int record_task(const gan_call *call, gan_launch_task *t) {
    t->kind = GAN_LAUNCH_TASK_RECORD;
    t->out = call->in[0].data;
    t->n = call->n_in - 2;
    t->of.record.counter = call->in[1].data;
    t->of.record.every = call->node->attr.record.every;
    t->of.record.rows = call->in[0].shape.dim[0];
    t->of.record.width = call->in[0].shape.dim[1];
    for (int i = 2; i < call->n_in; i++) t->of.record.value[i - 2] = call->in[i].data;
    return 1;
}

/* ---- the table ---- */

#define ROW(op, joins, task, kind) [GAN_OP_##op] = {joins, task, GAN_LAUNCH_TASK_##kind}

/* Ops without a row are launches by themselves. kind: of its tasks, that which takes most. */
static const struct {
    join_rule *joins; /* room: how many tasks */
    task_rule *task;
    int kind; /* gan_launch_task_kind */
} rule[GAN_OP_COUNT] = {
    ROW(constant, constant_joins, constant_task, PROGRAM),
    ROW(pointwise, program_joins, program_task, PROGRAM),
    ROW(broadcast, program_joins, program_task, PROGRAM),
    ROW(cast, cast_joins, cast_task, PROGRAM),
    ROW(sum, gan_cuda_reduce_joins, gan_cuda_reduce_tasks, REDUCE),
    ROW(max, gan_cuda_reduce_joins, gan_cuda_reduce_tasks, REDUCE),
    ROW(fold, fold_joins, fold_task, FOLD),
    ROW(fold_adjoint, fold_joins, fold_task, FOLD),
    ROW(slice, slice_joins, slice_task, ROWS),
    ROW(pad, pad_joins, pad_task, ROWS),
    ROW(concat, concat_joins, concat_task, ROWS),
    ROW(logits_loss, loss_joins, loss_task, LOSS),
    ROW(logits_loss_grad, loss_joins, loss_task, LOSS),
    ROW(random, random_joins, random_task, NORMAL),
    ROW(shuffled_index, shuffle_joins, shuffle_task, SHUFFLE),
    ROW(minibatch, batch_joins, batch_task, BATCH),
    ROW(assign, small_variable_joins, assign_task, ROWS),
    ROW(moving_average, small_variable_joins, average_task, AVERAGE),
    ROW(advance, small_variable_joins, advance_task, ADVANCE),
    ROW(record, record_joins, record_task, RECORD),
};

/* A sum down columns also takes its share of the counters. */
static int room_of(const gan_node *node) {
    const int inputs = node->n_in > 0 ? node->n_in : 1;
    const int steps = node->program ? node->program->n_steps : 1;
    const int bytes = gan_launch_task_bytes(rule[node->op].kind, inputs, steps);
    if (node->op != GAN_OP_sum) return bytes;
    const int counters = gan_cuda_reduce_counters(node),
              share = counters ? counters * GAN_LAUNCH_ROOM / GAN_LAUNCH_COUNTERS + 1 : 0;
    return share > bytes ? share : bytes;
}

gan_join gan_cuda_joins(const gan_node *node) {
    gan_join join = rule[node->op].joins ? rule[node->op].joins(node) : alone;
    if (join.room > 0) join.room *= room_of(node);
    return join;
}

int gan_cuda_tasks(const gan_call *call, gan_launch_task *task) {
    memset(task, 0, GAN_LAUNCH_TASK_PIECES * sizeof *task);
    task->out = call->out.data;
    return rule[call->node->op].task(call, task);
}
