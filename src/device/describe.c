/* What a program costs, counted from its plan: nothing has to run for it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "device/program.h"
#include "graph/dump.h"
#include "graph/store.h"

/* The first call of one that stands for others: each phase is a launch where they cannot be one. */
static int joined_launches(const gan_program *p, const gan_call *call) {
    int n = 1;
    for (int i = 1; i < call->joined && !p->device->phases; i++)
        n += call[i].phase != call[i - 1].phase;
    return n;
}

static gan_cost cost_of(const gan_program *p, const gan_call *call) {
    gan_cost cost = gan_node_cost(call->node);
    if (p->device->backend->cost) p->device->backend->cost(p->device, call, &cost);
    if (call->joined != 1) cost.launches = call->joined > 1 ? joined_launches(p, call) : 0;
    return cost;
}

/* ---- the least that is possible ---- */

static bool is_effect(const gan_node *node) { return gan_op_of(node)->flags & GAN_OP_EFFECT; }

/* Passes over a group's weights, or over a data set: what no product can do on the side. */
static bool is_pass(const gan_node *node) {
    return node->op == GAN_OP_adam || node->op == GAN_OP_momentum || node->op == GAN_OP_minibatch ||
           node->op == GAN_OP_power_iteration;
}

/* What a product moves with all that surrounds it fused into it, and what updates move. */
static int64_t least_bytes(const gan_node *node, const gan_cost *cost) {
    if (cost->flops == 0) return is_effect(node) ? cost->read + cost->written : 0;
    int64_t bytes = (int64_t)gan_node_bytes(node);
    for (int i = 0; i < gan_op_of(node)->arity; i++) bytes += (int64_t)gan_node_bytes(node->in[i]);
    return bytes;
}

/* ---- a program ---- */

static int depth_of(const gan_program *p, int launches) {
    const gan_branches *b = p->branches;
    int *of_step = b ? calloc((size_t)b->n + 1, sizeof *of_step) : NULL;
    if (!of_step) return launches;
    for (int t = 0; t < b->n; t++)
        for (int i = b->call[t]; i < b->call[t + 1]; i++)
            of_step[t] += cost_of(p, &p->call[i]).launches;
    const int depth = gan_branches_depth(b, of_step);
    free(of_step);
    return depth;
}

static void add_call(const gan_program *p, const gan_call *call, gan_program_info *out) {
    const gan_cost cost = cost_of(p, call);
    const int64_t moved = cost.read + cost.written;
    out->launches += cost.launches;
    out->flops += cost.flops;
    out->bytes_read += cost.read;
    out->bytes_written += cost.written;
    out->bytes_moved += moved;
    if (is_effect(call->node)) out->bytes_updates += moved;
    if (cost.flops > 0 || is_pass(call->node)) out->launches_least++;
    out->bytes_least += least_bytes(call->node, &cost);
}

void gan_program_describe(const gan_program *p, gan_program_info *out) {
    *out = (gan_program_info){.activation_bytes = p->plan->arena_bytes,
                              .workspace_bytes = p->workspace_bytes};
    const gan_store *store = p->source->store;
    for (size_t i = 0; i < store->n_variables; i++) {
        const gan_variable *v = store->variable[i];
        size_t bytes = (size_t)gan_shape_size(v->shape) * gan_dtype_size(v->dtype);
        out->variable_bytes += bytes;
        if (v->arena->role != GAN_WEIGHT) continue;
        out->weight_bytes += bytes;
        out->parameters += gan_shape_size(v->shape);
    }
    for (int i = 0; i < p->n_calls; i++) add_call(p, &p->call[i], out);
    out->depth = depth_of(p, out->launches);
    if (out->launches > out->launches_least) out->launches_least++; /* for the losses */
}

/* ---- as a table ---- */

static void print_call(const gan_program *p, int i, FILE *file) {
    const gan_call *call = &p->call[i];
    const gan_node *node = call->node;
    const gan_cost cost = cost_of(p, call);
    char op[256], shape[GAN_SHAPE_TEXT] = "effect";
    gan_node_text(node, op, sizeof op);
    if (!is_effect(node)) gan_shape_text(shape, node->dtype, node->shape);
    fprintf(file, "%6d %8d  %-40s %-24s %12lld %12lld %12.3f", i, cost.launches, op, shape,
            (long long)cost.read, (long long)cost.written, (double)cost.flops * 1e-6);
    if (p->plan->place[node->id].kind == GAN_PLACE_ARENA)
        fprintf(file, " %10zu", p->plan->place[node->id].offset);
    fprintf(file, "%s%s\n", node->label ? "  " : "", node->label ? node->label : "");
}

gan_status gan_program_print(const gan_program *p, FILE *file) {
    fprintf(file, "%6s %8s  %-40s %-24s %12s %12s %12s %10s\n", "call", "launches", "op", "value",
            "bytes read", "written", "MFLOP", "place");
    for (int i = 0; i < p->n_calls; i++) print_call(p, i, file);
    return fflush(file) || ferror(file) ? gan_fail(GAN_ERROR_IO, "program: cannot write") : GAN_OK;
}
