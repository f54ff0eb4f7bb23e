#include "cuda/program.h"

#include <string.h>

#include "base/error.h"
#include "cuda/device.h"

_Static_assert((int)GAN_LAUNCH_INPUTS == (int)GAN_MAX_PROGRAM_INPUTS,
               "launchers take whole programs");
_Static_assert((int)GAN_LAUNCH_STEPS == (int)GAN_MAX_PROGRAM_STEPS,
               "launchers take whole programs");
_Static_assert((int)GAN_LAUNCH_AXES == (int)GAN_MAX_RANK, "launchers take all shapes");

/* ---- steps ---- */

static int arity_of(const gan_program_step *step) { return gan_fn_table[step->fn].arity; }

/* Sums and products take the result of the step before first: chains that are known ahead are
 * written so. */
static void order_operands(gan_pointwise_program *p) {
    for (int s = 0; s < p->n_steps; s++) {
        gan_program_step *step = &p->step[s];
        if (step->fn != GAN_FN_add && step->fn != GAN_FN_mul) continue;
        const uint8_t a = step->arg[0], b = step->arg[1];
        const bool swap = b == p->n_inputs + s - 1 || (a < p->n_inputs && b >= p->n_inputs);
        if (!swap || a == p->n_inputs + s - 1) continue;
        step->arg[0] = b;
        step->arg[1] = a;
    }
}

/* Numbers the inputs in the order of their use; those that no step uses go. */
static void order_inputs(gan_pointwise_program *p, uint8_t *source) {
    int place[GAN_LAUNCH_INPUTS], n = 0;
    for (int i = 0; i < p->n_inputs; i++) place[i] = -1;
    for (int s = 0; s < p->n_steps; s++)
        for (int side = 0; side < arity_of(&p->step[s]); side++) {
            const int v = p->step[s].arg[side];
            if (v >= p->n_inputs || place[v] >= 0) continue;
            place[v] = n;
            source[n++] = (uint8_t)v;
        }
    if (p->n_steps == 0) source[n++] = (uint8_t)(p->n_inputs - 1);
    for (int s = 0; s < p->n_steps; s++)
        for (int side = 0; side < arity_of(&p->step[s]); side++) {
            uint8_t *v = &p->step[s].arg[side];
            *v = (uint8_t)(*v < p->n_inputs ? place[*v] : *v - p->n_inputs + n);
        }
    p->n_inputs = n;
}

/* Decides where results are remembered: what only the next step uses, nowhere. */
static gan_status encode(gan_launch_program *to, const gan_node *node,
                         const gan_pointwise_program *p) {
    int last_use[GAN_LAUNCH_STEPS];
    uint8_t slot[GAN_LAUNCH_STEPS];
    bool taken[GAN_LAUNCH_SLOTS] = {false};
    for (int s = 0; s < p->n_steps; s++) {
        last_use[s] = -1;
        for (int side = 0; side < arity_of(&p->step[s]); side++)
            if (p->step[s].arg[side] >= p->n_inputs)
                last_use[p->step[s].arg[side] - p->n_inputs] = s;
    }
    to->n_inputs = p->n_inputs;
    to->n_steps = p->n_steps;
    to->n_slots = 0;
    for (int s = 0; s < p->n_steps; s++) {
        uint8_t value[2] = {GAN_LAUNCH_LAST, GAN_LAUNCH_LAST};
        for (int side = 0; side < arity_of(&p->step[s]); side++) {
            const int v = p->step[s].arg[side], r = v - p->n_inputs;
            value[side] = r < 0        ? (uint8_t)v
                          : r == s - 1 ? (uint8_t)GAN_LAUNCH_LAST
                                       : (uint8_t)(GAN_LAUNCH_INPUTS + slot[r]);
        }
        for (int r = 0; r < s; r++)
            if (slot[r] != GAN_LAUNCH_LAST && last_use[r] == s) taken[slot[r]] = false;
        slot[s] = GAN_LAUNCH_LAST;
        if (last_use[s] > s + 1) {
            int free = 0;
            while (free < GAN_LAUNCH_SLOTS && taken[free]) free++;
            if (free == GAN_LAUNCH_SLOTS)
                return gan_fail(GAN_ERROR_ARGUMENT,
                                "%s: a program with more than %d values at once",
                                gan_op_of(node)->name, GAN_LAUNCH_SLOTS);
            taken[free] = true;
            slot[s] = (uint8_t)free;
            if (to->n_slots <= free) to->n_slots = free + 1;
        }
        to->step[s] = (gan_launch_step){p->step[s].fn, value[0], value[1], slot[s], p->step[s].k};
    }
    return GAN_OK;
}

/* ---- axes ---- */

static bool goes_along(const gan_array *operand, gan_shape shape, int axis) {
    const int lead = shape.rank - operand->shape.rank;
    return axis >= lead && operand->shape.dim[axis - lead] == shape.dim[axis];
}

/* From the innermost axis on, neighbours along which every operand is alike become one. */
static void collapse(gan_cuda_program *p, gan_shape shape, const gan_array *operand, uint32_t axes,
                     uint32_t *collapsed) {
    gan_launch_program *to = &p->launch;
    uint32_t along[GAN_LAUNCH_AXES], bits = 0; /* along: bit i: operand i goes along */
    int n = 0;
    for (int axis = shape.rank - 1; axis >= 0; axis--) {
        if (shape.dim[axis] == 1) continue;
        const uint32_t bit = axes >> axis & 1u;
        uint32_t mask = 0;
        for (int i = 0; i < to->n_inputs; i++)
            if (goes_along(&operand[p->source[i]], shape, axis)) mask |= 1u << i;
        if (n > 0 && along[n - 1] == mask && (bits >> (n - 1) & 1u) == bit) {
            to->length[n - 1] *= (int32_t)shape.dim[axis];
            continue;
        }
        to->length[n] = (int32_t)shape.dim[axis];
        along[n] = mask;
        bits |= bit << n++;
    }
    if (n == 0) {
        to->length[0] = 1;
        along[0] = 0;
        n = 1;
    }
    to->n_axes = n;
    for (int i = 0; i < to->n_inputs; i++) {
        int64_t stride = 1;
        for (int axis = 0; axis < n; axis++) {
            const bool moves = along[axis] >> i & 1u;
            to->operand[i].stride[axis] = moves ? stride : 0;
            if (moves) stride *= to->length[axis];
        }
    }
    if (collapsed) *collapsed = bits;
}

static gan_status check_operand(const gan_node *node, int i, const gan_array *o, gan_shape shape) {
    const int lead = shape.rank - o->shape.rank;
    bool fits = lead >= 0 && (o->dtype == GAN_F32 || o->dtype == GAN_BF16);
    for (int axis = 0; fits && axis < o->shape.rank; axis++)
        fits = o->shape.dim[axis] == 1 || o->shape.dim[axis] == shape.dim[axis + lead];
    if (fits) return GAN_OK;
    char text[GAN_SHAPE_TEXT], expected[GAN_SHAPE_TEXT];
    return gan_fail(GAN_ERROR_SHAPE,
                    "%s: operand %d of a program is %s; expected f32 or bf16, axes of %s or 1",
                    gan_op_of(node)->name, i, gan_shape_text(text, o->dtype, o->shape),
                    gan_shape_text(expected, GAN_F32, shape));
}

gan_status gan_cuda_program_bind(gan_cuda_program *p, const gan_node *node,
                                 const gan_pointwise_program *program, gan_shape shape,
                                 int n_operands, const gan_array *operand, uint32_t axes,
                                 uint32_t *collapsed) {
    gan_pointwise_program steps = {.n_inputs = 1};
    if (program) steps = *program;
    memset(p, 0, sizeof *p);
    if (steps.n_inputs != n_operands || n_operands < 1 || n_operands > GAN_LAUNCH_INPUTS ||
        steps.n_steps > GAN_LAUNCH_STEPS)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: a program of %d inputs and %d steps, given %d operands",
                        gan_op_of(node)->name, steps.n_inputs, steps.n_steps, n_operands);
    for (int i = 0; i < n_operands; i++) GAN_TRY(check_operand(node, i, &operand[i], shape));
    int64_t size = 1; /* also of what an axis of length 0 leaves empty: lengths are 32 bits wide */
    for (int axis = 0; axis < shape.rank; axis++) {
        if (shape.dim[axis] == 0) continue;
        if (shape.dim[axis] > INT32_MAX / size)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: device cuda takes less than 2^31 elements",
                            gan_op_of(node)->name);
        size *= shape.dim[axis];
    }
    size = gan_shape_size(shape);
    order_operands(&steps);
    order_inputs(&steps, p->source);
    GAN_TRY(encode(&p->launch, node, &steps));
    p->launch.size = (int32_t)size;
    for (int i = 0; i < p->launch.n_inputs; i++)
        p->launch.operand[i].bf16 = operand[p->source[i]].dtype == GAN_BF16;
    collapse(p, shape, operand, axes, collapsed);
    return GAN_OK;
}

gan_launch_program gan_cuda_program_at(const gan_cuda_program *p, const gan_array *operand) {
    gan_launch_program launch = p->launch;
    for (int i = 0; i < launch.n_inputs; i++) launch.operand[i].data = operand[p->source[i]].data;
    return launch;
}

int gan_cuda_program_input(const gan_cuda_program *p, int source) {
    for (int i = 0; i < p->launch.n_inputs; i++)
        if (p->source[i] == source) return i;
    return -1;
}

/* ---- epilogues ---- */

/* The raw result is value 0; returns how many values are given. */
static int epilogue_operands(const gan_call *call, gan_array *operand) {
    const int first = gan_op_of(call->node)->arity;
    operand[0] = call->out;
    if (gan_matmul_is_spread(call->node)) operand[0].shape.dim[call->out.shape.rank - 1] = 1;
    for (int i = first; i < call->n_in; i++) operand[1 + i - first] = call->in[i];
    return 1 + call->n_in - first;
}

gan_status gan_cuda_epilogue_prepare(gan_cuda_epilogue *e, const gan_call *call) {
    gan_array operand[1 + GAN_LAUNCH_INPUTS];
    e->active = call->node->program != NULL;
    if (!e->active) return GAN_OK;
    if (call->n_in - gan_op_of(call->node)->arity >= GAN_LAUNCH_INPUTS)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: an epilogue of %d operands",
                        gan_op_of(call->node)->name, call->n_in - gan_op_of(call->node)->arity);
    const int n = epilogue_operands(call, operand);
    return gan_cuda_program_bind(&e->program, call->node, call->node->program, call->out.shape, n,
                                 operand, 0, NULL);
}

gan_launch_program gan_cuda_epilogue_at(const gan_cuda_epilogue *e, const gan_call *call) {
    gan_array operand[1 + GAN_LAUNCH_INPUTS];
    epilogue_operands(call, operand);
    return gan_cuda_program_at(&e->program, operand);
}

int gan_cuda_epilogue_raw(const gan_cuda_epilogue *e) {
    return gan_cuda_program_input(&e->program, 0);
}

gan_status gan_cuda_epilogue_run(const gan_cuda_epilogue *e, gan_device *device,
                                 const gan_call *call) {
    if (!e->active) return GAN_OK;
    const gan_launch_pointwise_args args = {gan_cuda_epilogue_at(e, call), call->out.data,
                                            call->out.dtype == GAN_BF16};
    GAN_CUDA_TRY(call->node, gan_launch_pointwise(&args, gan_cuda(device)->stream));
    return GAN_OK;
}
