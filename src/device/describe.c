/* What a program costs, counted from its plan. */
#include <stdio.h>

#include "base/error.h"
#include "device/program.h"
#include "graph/dump.h"
#include "graph/store.h"

/* Effects write their first operands back. */
static int64_t call_bytes(const gan_node *node) {
    int64_t bytes = gan_op_of(node)->flags & GAN_OP_EFFECT ? 0 : (int64_t)gan_node_bytes(node);
    for (int i = 0; i < node->n_in; i++) {
        int64_t in = (int64_t)gan_node_bytes(node->in[i]);
        if (node->op == GAN_OP_minibatch && i == 0)
            in = gan_shape_size(node->shape); /* the rows it picks */
        if (node->op == GAN_OP_gather && i == 0) in = (int64_t)gan_node_bytes(node);
        bytes += i < gan_op_writes(node) ? 2 * in : in;
    }
    return bytes;
}

/* Two a multiplication and addition. */
static int64_t call_flops(const gan_node *node) {
    const gan_node *a = node->n_in > 0 ? node->in[0] : NULL,
                   *b = node->n_in > 1 ? node->in[1] : NULL;
    switch (node->op) {
    case GAN_OP_matmul: {
        int rank = a->shape.rank;
        int64_t inner = a->shape.dim[rank - (node->attr.transpose.a ? 2 : 1)];
        return 2 * gan_shape_size(node->shape) * inner;
    }
    case GAN_OP_conv2d: /* every output: one filter */
        return 2 * gan_shape_size(node->shape) * gan_shape_size(b->shape) /
               (b->shape.dim[0] ? b->shape.dim[0] : 1);
    case GAN_OP_conv2d_grad_input:
        return 2 * gan_shape_size(a->shape) * gan_shape_size(b->shape) /
               (b->shape.dim[0] ? b->shape.dim[0] : 1);
    case GAN_OP_conv2d_grad_weight:
        return 2 * gan_shape_size(b->shape) * gan_shape_size(node->shape) /
               (node->shape.dim[0] ? node->shape.dim[0] : 1);
    default:
        return 0;
    }
}

void gan_program_describe(const gan_program *p, gan_program_info *out) {
    *out = (gan_program_info){.activation_bytes = p->plan->arena_bytes,
                              .workspace_bytes = p->workspace_bytes,
                              .launches = p->n_calls};
    const gan_store *store = p->source->store;
    for (size_t i = 0; i < store->n_variables; i++) {
        const gan_variable *v = store->variable[i];
        size_t bytes = (size_t)gan_shape_size(v->shape) * gan_dtype_size(v->dtype);
        out->variable_bytes += bytes;
        if (v->arena->role != GAN_WEIGHT) continue;
        out->weight_bytes += bytes;
        out->parameters += gan_shape_size(v->shape);
    }
    for (int i = 0; i < p->n_calls; i++) {
        out->bytes_moved += call_bytes(p->call[i].node);
        out->flops += call_flops(p->call[i].node);
    }
}

gan_status gan_program_print(const gan_program *p, FILE *file) {
    fprintf(file, "%6s  %-40s %-24s %12s %12s %10s\n", "launch", "op", "value", "bytes moved",
            "MFLOP", "place");
    for (int i = 0; i < p->n_calls; i++) {
        const gan_node *node = p->call[i].node;
        char op[256], shape[GAN_SHAPE_TEXT] = "effect";
        gan_node_text(node, op, sizeof op);
        if (!(gan_op_of(node)->flags & GAN_OP_EFFECT))
            gan_shape_text(shape, node->dtype, node->shape);
        fprintf(file, "%6d  %-40s %-24s %12lld %12.3f", i, op, shape, (long long)call_bytes(node),
                (double)call_flops(node) * 1e-6);
        if (p->plan->place[node->id].kind == GAN_PLACE_ARENA)
            fprintf(file, " %10zu", p->plan->place[node->id].offset);
        fprintf(file, "%s%s\n", node->label ? "  " : "", node->label ? node->label : "");
    }
    return fflush(file) || ferror(file) ? gan_fail(GAN_ERROR_IO, "program: cannot write") : GAN_OK;
}
