/* Sums of residual blocks are needed as they are, by the short cut, and rectified, by the next
 * convolution: the convolution that makes such a sum writes both, one behind the other. */
#include <stdlib.h>

#include "graph/plan_fuse.h"

static bool is_relu(const gan_node *r) {
    return r->op == GAN_OP_pointwise && r->n_in == 1 && r->program->n_steps == 1 &&
           r->program->step[0].fn == GAN_FN_relu;
}

/* m with the function of r behind its own: with two results. False when m has no room for it, or
 * the device does not take it. Rounding and ReLU may change places. */
static bool rectified(const gan_plan_fusion *f, const gan_node *m, gan_node *both,
                      gan_pointwise_program *program) {
    *program = (gan_pointwise_program){.n_inputs = 1};
    if (m->program) *program = *m->program;
    if (program->n_steps == GAN_MAX_PROGRAM_STEPS) return false;
    const int last = program->n_steps ? program->n_inputs + program->n_steps - 1 : 0;
    program->step[program->n_steps++] =
        (gan_program_step){.fn = GAN_FN_relu, .arg = {(uint8_t)last}};
    *both = *m;
    both->program = program;
    both->shape.dim[0] *= 2;
    return f->options->takes && f->options->takes(f->options->context, both);
}

static gan_node *view_of(gan_plan_fusion *f, gan_node *both, gan_shape shape) {
    gan_node model = {.op = GAN_OP_slice, .dtype = both->dtype, .shape = shape, .n_in = 1};
    model.attr.slice.length = shape.dim[0];
    gan_node *view = gan_node_append(f->g, &model, &both);
    int *uses = view ? realloc(f->uses, ((size_t)f->g->n_nodes + 1) * sizeof *uses) : NULL;
    if (!uses) return gan_graph_error(f->g, GAN_ERROR_MEMORY, "plan: out of memory");
    f->uses = uses;
    uses[view->id] = uses[both->id] - 1;
    uses[both->id] = 2;
    return view;
}

void gan_plan_pair(gan_plan_fusion *f, gan_node *r) {
    gan_node both, *m = is_relu(r) ? r->in[0] : NULL;
    gan_pointwise_program program;
    if (!m || m->op != GAN_OP_conv2d || gan_conv_is_double(m) || f->uses[m->id] < 2 ||
        m->dtype != r->dtype || !gan_shape_equal(m->shape, r->shape))
        return;
    const size_t bytes = gan_node_bytes(m); /* the second result begins where views may */
    if (bytes == 0 || bytes % GAN_PLAN_ALIGN || !rectified(f, m, &both, &program)) return;
    both.program = gan_arena_copy(f->g->memory, &program, sizeof program);
    if (!both.program) {
        gan_graph_error(f->g, GAN_ERROR_MEMORY, "plan: out of memory");
        return;
    }
    *m = both;
    gan_node *first = view_of(f, m, r->shape);
    if (!first) return;
    r->op = GAN_OP_slice;
    r->program = NULL;
    r->attr.slice.axis = 0;
    r->attr.slice.start = r->attr.slice.length = r->shape.dim[0];
    gan_plan_redirect(f->g, m, first);
    r->in[0] = m;
}
